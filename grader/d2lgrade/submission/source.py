"""One file of a submission: bytes → text → the names it binds, or what is wrong with it."""

from __future__ import annotations

import ast
import codecs
import errno
import io
import os
import re
import stat
import tokenize
import unicodedata
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal

MAX_BYTES = 1_000_000  # of one file
MAX_NOTEBOOK = 16_000_000  # of a notebook, with its outputs

ProblemKind = Literal["syntax", "tabs", "empty", "binary", "too_large", "unreadable", "missing"]
Parameters = tuple[str, ...] | None  # None: they cannot be read off the source


@dataclass(frozen=True)
class Problem:
    """Why a file cannot be used.

    `message` is whole sentences with the file's name and the repair. `line` counts from 1 (0:
    none); `excerpt` is that line with a caret below it, or empty.
    """

    kind: ProblemKind
    message: str
    line: int = 0
    excerpt: str = ""


@dataclass(frozen=True)
class Source:
    """One file of a submission.

    `section` is its key in `Submission.sources`: the section's stem, or a loose file's own.
    `path` is what the learner calls it. `text` is decoded as Python would, its lines end in \\n.
    `defines` holds the names its top level binds. With a problem `defines` is empty, `text` may be.
    """

    section: str
    path: str
    text: str
    problem: Problem | None
    defines: frozenset[str]


@dataclass(frozen=True)
class File:
    """A source and what the layout needs besides.

    `own` maps the names it defines itself, imports left out, to their parameters; where it does not
    parse, the names it was meant to define. `stem` is its name, `depth` the folders above it.
    `notes` are sentences on how it was read.
    """

    source: Source
    stem: str
    own: Mapping[str, Parameters]
    depth: int = 0
    notes: tuple[str, ...] = ()


class _Unusable(Exception):
    def __init__(self, kind: ProblemKind, message: str, line: int = 0, excerpt: str = "") -> None:
        super().__init__(message)
        self.problem = Problem(kind, message, line, excerpt)


def load(path: Path, key: str, boundary: str | None, depth: int = 0, kit: str = "") -> File:
    """Read one file; whatever is wrong with it becomes its problem.

    Args:
        path: the file; it may be missing, a link, a FIFO, anything.
        key: what `Source.section` becomes.
        boundary: real path of the folder it must not lead out of; None trusts the path as named.
        depth: folders between the top of the submission and the file.
        kit: its path in the kit, for the way back to a stub; "" where it has none.
    """
    name = shown(path)
    text, problem = "", None
    notes: tuple[str, ...] = ()
    own: dict[str, Parameters] = {}
    imported: frozenset[str] = frozenset()
    try:
        if is_notebook(path):
            text, notes = _from_notebook(_bytes(path, name, boundary, kit, MAX_NOTEBOOK), name)
        else:
            text = _decoded(_bytes(path, name, boundary, kit), name)
        tree = _parsed(text, name)
        if not tree.body:
            raise _Unusable("empty", f"{name} is empty. {way_back(kit)}")
        own, imported = _bindings(tree)
    except _Unusable as unusable:
        problem = unusable.problem
        own = _claims(text)
    defines = frozenset[str]() if problem else imported.union(own)
    return File(Source(key, name, text, problem, defines), path.stem, own, depth, notes)


def is_notebook(path: Path) -> bool:
    """Whether its name says that a file is a notebook."""
    return path.suffix.lower() == ".ipynb"


def _from_notebook(data: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    """The definitions in a notebook, and notes on what was left out."""
    from . import notebook

    try:
        script = notebook.script(data, name)
    except notebook.NotebookError as error:
        raise _Unusable("binary", str(error)) from None
    return script.text, script.notes


def absent(key: str, path: str, kit: str) -> Source:
    """The source of a section that the submission has no file for."""
    message = f"This submission has no {path}. {way_back(kit)}"
    return Source(key, path, "", Problem("missing", message), frozenset())


def way_back(kit: str) -> str:
    """How to get the stub at this path of the kit back, as a sentence."""
    if not kit:
        return "Write your functions into it, or leave it out."
    return f"To bring the stub back, run `d2lgrade init NEW_FOLDER` and copy {kit} from there."


_alias: ContextVar[tuple[Path, str] | None] = ContextVar("_alias", default=None)


@contextmanager
def known_as(folder: Path, label: str) -> Iterator[None]:
    """Within, what lies in `folder` is shown as lying in `label`, as its owner knows it."""
    token = _alias.set((folder, label))
    try:
        yield
    finally:
        _alias.reset(token)


def shown(path: Path) -> str:
    """A path as the learner knows it: from the current folder where it lies inside."""
    alias = _alias.get()
    if alias is not None and path.is_relative_to(alias[0]):
        return harmless(
            os.path.join(alias[1], path.relative_to(alias[0])) if path != alias[0] else alias[1]
        )
    try:
        near = os.path.relpath(path)
    except (OSError, ValueError):  # the current folder is gone; the path holds a NUL
        near = os.pardir
    return harmless(str(path) if near.split(os.sep)[0] == os.pardir else near)


def harmless(text: str) -> str:
    """The text with all that does not print (controls, bidi overrides, surrogates) escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def file_kind(mode: int) -> str:
    """What a file mode that is no regular file stands for, in words."""
    kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a FIFO"), (stat.S_ISSOCK, "a socket"))
    return next((name for test, name in kinds if test(mode)), "a device")


def _bytes(path: Path, name: str, boundary: str | None, kit: str, most: int = MAX_BYTES) -> bytes:
    try:
        real = os.path.realpath(path, strict=True)
        if boundary is not None and os.path.commonpath((real, boundary)) != boundary:
            message = f"{name} is a link that leads out of the submission, and is not followed."
            raise _Unusable("unreadable", f"{message} Put the file itself there.")
        mode = os.stat(real).st_mode
        if not stat.S_ISREG(mode):  # asked before opening, since some devices act on being opened
            raise _Unusable("unreadable", f"{name} is {file_kind(mode)}. Put a .py file there.")
        # Whoever swaps the file between the two calls gets no FIFO that blocks and no link either.
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(real, flags), "rb") as file:
            data = file.read(most + 1) or b""
    except (FileNotFoundError, NotADirectoryError):
        if not os.path.islink(path):
            raise _Unusable("missing", f"This submission has no {name}. {way_back(kit)}") from None
        message = f"{name} is a link to nothing. Put the file itself there."
        raise _Unusable("unreadable", message) from None
    except OSError as error:
        looping = error.errno == errno.ELOOP
        reason = "the link leads back to itself" if looping else error.strerror
        message = f"{name} cannot be read: {reason}. Put a file there that you may read."
        raise _Unusable("unreadable", message) from None
    if len(data) > most:
        message = f"{name} is larger than {most // 1_000_000} MB, too large for source code."
        raise _Unusable("too_large", f"{message} Move data and results out of it.")
    return data


def _decoded(data: bytes, name: str) -> str:
    """The text of a source file by Python's own rules: byte order mark, coding line, UTF-8."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _Unusable("binary", f"{name} is saved as UTF-16. Save it as UTF-8.")
    if (nul := data.find(b"\0")) >= 0:
        line = data.count(b"\n", 0, nul) + 1
        message = f"{name} is not Python source: line {line} holds NUL bytes."
        raise _Unusable("binary", f"{message} Save it as plain text (UTF-8).", line)
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        if codecs.lookup(encoding).name in ("punycode", "idna"):  # take minutes over a megabyte
            raise SyntaxError(f"unknown encoding: {encoding}")
    except SyntaxError as error:
        message = f"{name} cannot be decoded: {harmless(error.msg)[:100]}."
        raise _Unusable("binary", f"{message} Save it as UTF-8 without a coding line.") from None
    try:
        text = data.decode(encoding)
        text.encode()  # utf-7 and its like can spell lone surrogates, which no source may hold
    except (LookupError, ValueError) as error:
        line, place = 0, ""
        if isinstance(error, UnicodeDecodeError):
            line = data.count(b"\n", 0, error.start) + 1
            place = f": line {line} holds the byte 0x{data[error.start]:02x}"
        message = f"{name} is not valid {encoding}{place}. Save the file as UTF-8."
        raise _Unusable("binary", message, line) from None
    if "\0" in text:
        raise _Unusable("binary", f"{name} holds NUL characters. Save it as plain text (UTF-8).")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _parsed(text: str, name: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a stranger's invalid escape is no warning of ours
            return ast.parse(text)
    except SyntaxError as error:
        raise _explained(error, name) from None
    except (RecursionError, MemoryError, ValueError):
        message = f"{name} is nested too deeply for Python to read. Break long expressions up."
        raise _Unusable("syntax", message) from None


_LINES = (  # what the line itself gives away
    (r"[%!]", "That is a notebook command. Delete the line or put # before it."),
    (r".*\?$", "That asks a notebook for help. Delete the line."),
    (r"(<{7}|={7}|>{7})", "It is left over from a merge. Keep one version, delete the markers."),
)
_MESSAGES = (  # what Python's own message means to a beginner
    (r"expected ':'", "The line that opens a block (def, if, for, …) ends in a colon."),
    (r"was never closed", "This bracket is opened and never closed."),
    (r"unmatched|does not match opening", "Count the brackets on this line and those above it."),
    (r"unterminated", "The quote that ends this string is missing."),
    (r"expected an indented block", "Indent the lines that belong to the block."),
    (r"unexpected indent|unindent", "Line it up with its block, four spaces a level."),
    (r"call to 'print'", "In Python 3 print is a function: print(…)."),
    (r"invalid (non-printable )?character", "Copied text brought it along. Type it again."),
    (r"comma", "There may be a comma missing between two values."),
    (r"'=='", "One = gives a value a name, two compare."),
)


def _explained(error: SyntaxError, name: str) -> _Unusable:
    """A syntax error in plain words, with Python's own beside them for a search engine."""
    number = error.lineno or 0
    line = (error.text or "").split("\n")[0]
    excerpt = _excerpt(line, error.offset or 0)
    where = f"{name}, line {number}"
    if isinstance(error, TabError):
        message = f"{where}: tabs and spaces are mixed in the indentation. Use four spaces a level"
        return _Unusable("tabs", f"{message}; editors convert tabs.", number, excerpt)
    what = harmless(error.msg.split(";")[0].split(" - ")[0])[:200].rstrip(".")
    tips = (tip for pattern, tip in _LINES if re.match(pattern, line.strip()[:200]))
    more = (tip for pattern, tip in _MESSAGES if re.search(pattern, error.msg))
    tip = next(chain(tips, more), "Compare it, and the line above, with the stub.")
    return _Unusable("syntax", f"{where} is not valid Python: {what}. {tip}", number, excerpt)


def _excerpt(line: str, offset: int) -> str:
    """The line with a caret under its character `offset` (from 1), cut to a screen's width."""
    line = line.expandtabs(1).rstrip()
    start = max(0, offset - 60)
    cut = harmless(line[start : start + 90])
    if not cut or offset < 1:
        return cut
    before = harmless(line[start : offset - 1])
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in before)
    return f"{cut}\n{' ' * (len(before) + wide)}^"


def _bindings(tree: ast.Module) -> tuple[dict[str, Parameters], frozenset[str]]:
    """What the top level binds: own names with their parameters, and imported names.

    Looks into if, try, with, loops and match, which run on import, and not into what runs under
    `if __name__ == "__main__"`. Keeps a stack of its own: elif chains nest without end.
    """
    own: dict[str, Parameters] = {}
    imported: set[str] = set()
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                own[node.name] = _parameters(node.args)
            case ast.ClassDef():
                own[node.name] = _constructor(node)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda(args=arguments)):
                own[name] = _parameters(arguments)
            case ast.Name(id=name, ctx=ast.Store()):
                own[name] = None
            case ast.Import() | ast.ImportFrom():
                imported.update((a.asname or a.name).split(".")[0] for a in node.names)
            case ast.If(test=ast.Compare(left=ast.Name(id="__name__"), ops=[ast.Eq()])):
                todo.extend(reversed(node.orelse))
            case ast.AnnAssign(value=None):
                pass  # `softmax: Callable` binds nothing
            case ast.Lambda() | ast.comprehension():
                pass  # names of a scope of its own
            case _:
                todo.extend(reversed(list(ast.iter_child_nodes(node))))
    return own, frozenset(imported - {"*"})


def _constructor(node: ast.ClassDef) -> Parameters:
    functions = (item for item in node.body if isinstance(item, ast.FunctionDef))
    init = next((function for function in functions if function.name == "__init__"), None)
    return _parameters(init.args)[1:] if init else None


def _parameters(arguments: ast.arguments) -> tuple[str, ...]:
    every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    return tuple(argument.arg for argument in every)


def _claims(text: str) -> dict[str, Parameters]:
    """What a file that does not parse was meant to define, read off its unindented lines."""
    opening = r"^(?:async +)?(?:def|class) +(\w+)(?: *\(([^()\n]*))?"
    return {
        match[1]: tuple(re.findall(r"(?:^|,)\s*(\w+)", match[2])) if match[2] else None
        for match in re.finditer(opening, text, re.MULTILINE)
    }


def signature_parameters(signature: str) -> tuple[str, ...]:
    """The parameter names of a catalogue signature: "pool2d(X, mode='max')" → ("X", "mode")."""
    try:
        (function,) = ast.parse(f"def {signature}: pass").body
    except SyntaxError:  # "Adam(torch.optim.Optimizer)" names a base class
        return ()
    return _parameters(function.args) if isinstance(function, ast.FunctionDef) else ()
