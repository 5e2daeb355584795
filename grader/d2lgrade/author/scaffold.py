"""Stubs from masters, and the first lines of a new exercise.

`sync` writes exercises/ from solutions/; `new` lays out what an exercise needs: its block of TOML,
a master, a first check and a first misconception, which work together from the start. No line
that an author wrote is changed. Whatever is still to be written says so with `PLACEHOLDER`.
"""

from __future__ import annotations

import ast
import json
import os
import re
import tomllib
from pathlib import Path

from d2lgrade import catalog, manifest, master
from d2lgrade.author import skeletons
from d2lgrade.catalog import CatalogError, Chapter, Course, Section
from d2lgrade.master import MasterError

PLACEHOLDER = skeletons.PLACEHOLDER


def sync(root: Path, check: bool = False) -> list[Path]:
    """Bring exercises/ in line with solutions/ at level "open", and say which files that changes.

    All stubs are made before the first is written, and each file is replaced as a whole. With
    `check` nothing is written. Raises CatalogError, or MasterError with the file's name.
    """
    stubs = {
        root / "exercises" / section.path: _stub(root, section).encode()
        for section in catalog.load(root).sections
    }
    changed = [
        path for path, stub in stubs.items() if not path.is_file() or path.read_bytes() != stub
    ]
    if not check:
        for path in changed:
            _write(path, stubs[path])
    return changed


def new(
    root: Path,
    chapter: str,
    section: str,
    stem: str,
    name: str,
    title: str,
    *,
    chapter_title: str = "",
    section_title: str = "",
) -> list[Path]:
    """Lay out the exercise `name`, and return the files that were created or added to.

    Files that exist keep every line; what is missing is added to them. An exercise that is in
    chapter.toml already gets the files, or the parts of them, that it lacks.

    Args:
        root: the kit.
        chapter: its id ("ch07") or folder ("ch07_convolutional_neural_networks").
        section: its English number, "7.2".
        stem: the section's file, "conv_layer".
        name: what learners define; one that begins with a capital is laid out as a class.
        title: the exercise's title.
        chapter_title: for a new chapter, which needs one.
        section_title: for a new section; without it, one is made of the stem.

    Raises:
        CatalogError: what is asked for contradicts the kit or is no name, or nothing is missing.
    """
    course = catalog.load(root) if any(root.glob("checks/*/chapter.toml")) else Course(root, ())
    home = _home(course, chapter, chapter_title)
    place = _agreed(course, section, stem)
    folder = home.folder if home else _folder(chapter, chapter_title)
    is_class = name[:1].isupper()
    call = f"student.{name}()(X)" if is_class else f"student.{name}(X)"
    section_title = place.title if place else section_title or stem.replace("_", " ").capitalize()
    words = {
        "name": name,
        "number": section,
        "heading": section_title,
        "call": call,
    }
    quoted = {
        "id": folder.split("_")[0],
        "chapter_title": chapter_title or (home.title if home else ""),
        "number": section,
        "file": stem,
        "section_title": section_title,
        "name": name,
        "title": title,
        "signature": f"{name}()" if is_class else f"{name}(X)",
    }
    toml = {key: json.dumps(value, ensure_ascii=False) for key, value in quoted.items()}
    checks = root / "checks" / folder
    texts = {checks / "chapter.toml": _manifest(root, home, place, toml, folder)}
    for path, skeleton, present in (
        (
            root / "solutions" / folder / f"{stem}.py",
            skeletons.CLASS_MASTER if is_class else skeletons.FUNCTION_MASTER,
            rf"^(class|def) {name}\b",
        ),
        (checks / f"test_{stem}.py", skeletons.CHECK, rf"^def test_{name}_values\b"),
        (
            checks / "misconceptions" / f"{stem}.py",
            skeletons.CLASS_MISCONCEPTION if is_class else skeletons.FUNCTION_MISCONCEPTION,
            rf"^@misconception\(\s*['\"]{name}['\"]",
        ),
    ):
        texts[path] = _added(path, skeleton.substitute(words), present)
    changed = {path: text for path, text in texts.items() if text is not None}
    if not changed:
        raise CatalogError(f"{name} is laid out in {folder} already. Choose another name.")
    for path, text in changed.items():
        _write(path, text.encode())
    return list(changed)


def _stub(root: Path, section: Section) -> str:
    """The open stub of a section, which must ask for every exercise of it."""
    file = f"solutions/{section.path}"
    if not (root / file).is_file():
        raise CatalogError(
            f"{file} is missing. `d2lgrade dev new` lays out what an exercise lacks."
        )
    source = (root / file).read_text(encoding="utf-8")
    try:
        stub = master.stub(source, "open")
        master.stub(source, "guided")  # a faulty BLANK is to show here, not on a learner's screen
        for exercise in section.exercises:
            _demand(source, stub, exercise.name)
    except MasterError as error:
        raise MasterError(error.line, error.problem, file) from None
    return stub


def _demand(source: str, stub: str, name: str) -> None:
    """Refuse a master that lacks the exercise, or whose stub would hand out the answer."""
    written, left = _definitions(source), _definitions(stub)
    if name not in written:
        raise MasterError(
            1, f"chapter.toml has an exercise {name}, nothing here defines it; add it"
        )
    raised = [
        ast.unparse(node)
        for node in ast.walk(left.get(name, ast.Pass()))
        if isinstance(node, ast.Raise)
    ]
    if not any("NotImplementedError" in text for text in raised):
        problem = f"the stub would leave nothing to do in {name}"
        raise MasterError(
            written[name].lineno, f"{problem}; put # BEGIN SOLUTION below its docstring"
        )


def _definitions(source: str) -> dict[str, ast.stmt]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name: node for node in ast.parse(source).body if isinstance(node, kinds)}


def _home(course: Course, chapter: str, chapter_title: str) -> Chapter | None:
    """The chapter that is meant; None for a new one."""
    for known in course.chapters:
        if chapter in (known.id, known.folder):
            return known
        if chapter.split("_")[0] == known.id:
            raise CatalogError(f"{known.id} is in {known.folder}. Name that folder, or {known.id}.")
    if not chapter_title.strip():
        known_ids = ", ".join(c.id for c in course.chapters) or "none yet"
        raise CatalogError(
            f"{chapter!r} is a new chapter (there are: {known_ids}). Give its title, or name one."
        )
    return None


def _folder(chapter: str, chapter_title: str) -> str:
    slug = re.sub(r"\W+", "_", chapter_title.lower()).strip("_")
    return chapter if "_" in chapter else f"{chapter}_{slug}"


def _agreed(course: Course, number: str, stem: str) -> Section | None:
    """The section with that number and stem; None for a new one."""
    for section in course.sections:
        if section.number == number and section.file == stem:
            return section
        if section.number == number or section.file == stem:
            raise CatalogError(
                f"Section {section.number} is in the file {section.file!r}: {number} in {stem!r} "
                f"does not go with that. Give {section.number} and {section.file}, or a new pair."
            )
    return None


def _manifest(
    root: Path, home: Chapter | None, place: Section | None, toml: dict[str, str], folder: str
) -> str | None:
    """The text of chapter.toml with the exercise in it; None where it is there already."""
    exercise = skeletons.EXERCISE_TOML.substitute(toml)
    section = f"{skeletons.SECTION_TOML.substitute(toml)}\n{exercise}"
    alone = f"{skeletons.CHAPTER_TOML.substitute(toml)}\n{section}"
    entry = manifest.parse(alone, folder)["section"][0]  # refuses what is no name or no number
    if home is None:
        return alone
    if place is None:
        minor = int(entry["number"].split(".")[1])
        above = [s for s in home.sections if int(s.number.split(".")[1]) < minor]
        text = _inserted(root, folder, len(above), section, in_section=False)
    elif entry["exercise"][0]["name"] in (e.name for e in place.exercises):
        return None
    else:
        text = _inserted(root, folder, home.sections.index(place) + 1, exercise, in_section=True)
    manifest.parse(text, folder)  # refuses a name that the chapter has in another section
    return text


def _inserted(root: Path, folder: str, sections: int, block: str, in_section: bool) -> str:
    """chapter.toml with the block behind that many sections, everything else as it was."""
    old = (root / "checks" / folder / "chapter.toml").read_text(encoding="utf-8")
    lines = old.split("\n")
    heads = [i for i, line in enumerate(lines) if re.match(r"\s*\[\[\s*section\s*\]\]", line)]
    cut = heads[sections] if sections < len(heads) else len(lines)
    while cut and (not lines[cut - 1].strip() or lines[cut - 1].lstrip().startswith("#")):
        cut -= 1  # a comment above a heading stays with its heading
    rest = "\n".join(lines[cut:]).strip("\n")
    text = "\n".join([*lines[:cut], "", block]) + (f"\n{rest}\n" if rest else "")
    wanted, added = tomllib.loads(old), tomllib.loads(block)["section"]
    if in_section:
        wanted["section"][sections - 1]["exercise"] += added["exercise"]
    else:
        wanted["section"][sections:sections] = added
    if _toml(text) != wanted:
        raise CatalogError(
            f"checks/{folder}/chapter.toml is not laid out in [[section]] blocks, so nothing can "
            f"be added to it safely. Add this by hand:\n\n{block}"
        )
    return text


def _toml(text: str) -> dict[str, object] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _added(path: Path, skeleton: str, present: str) -> str | None:
    """The file with the skeleton's definitions and the imports they need; None if it has them."""
    if not path.is_file():
        return skeleton
    text = path.read_text(encoding="utf-8")
    if re.search(present, text, re.MULTILINE):
        return None
    try:
        body = ast.parse(text).body
    except SyntaxError as error:
        problem = f"it is not valid Python ({error.msg}, line {error.lineno})"
        raise CatalogError(f"{path}: {problem}. Repair it first.") from None
    bound = {alias.asname or alias.name for node in body for alias in _aliases(node)}
    missing = [
        _import(node, alias)
        for node in ast.parse(skeleton).body
        for alias in _aliases(node)
        if alias.name not in bound
    ]
    lines = text.split("\n")
    if missing:
        imports = [node for node in body if _aliases(node)]
        text_first = [node for node in body[:1] if isinstance(node, ast.Expr)]
        above = (imports[:1] or text_first or [None])[0]
        cut = (above.end_lineno or 0) if above else 0
        lines[cut:cut] = missing if imports else ["", *missing]
    definitions = skeleton.split("\n\n\n", 1)[1]
    return "\n".join(lines).rstrip("\n") + f"\n\n\n{definitions}"


def _aliases(node: ast.stmt) -> list[ast.alias]:
    return node.names if isinstance(node, ast.Import | ast.ImportFrom) else []


def _import(node: ast.stmt, alias: ast.alias) -> str:
    source = f"from {node.module} " if isinstance(node, ast.ImportFrom) else ""
    return f"{source}import {alias.name}"


def _write(path: Path, content: bytes) -> None:
    """Replace the file as a whole, so that nobody ever reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
