"""Synthetic classes for tests and benchmarks: who knows what, told beforehand; in any layout.

    made = make(1000, course, "ch07", seed=1)
    roster = lay_out(made, folder, "canvas")

Each student is of one kind, and `Made.detail` says more: which misconception, mutant or attack.
The same arguments give the same bytes.
"""

from __future__ import annotations

import ast
import copy
import csv
import io
import json
import random
import textwrap
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from attacks import forging, poisoning, reading
from attacks.case import Attack
from d2lgrade.catalog import Course, Section

LAYOUTS = (
    *("folders", "zips", "notebooks", "canvas", "moodle", "moodle-zip", "gradescope", "github"),
)
SHARES = {
    "correct": 40,
    "misconception": 25,
    "mutant": 15,
    "unsolved": 6,
    "broken": 5,
    "empty": 3,
    "hostile": 6,
}
FAMILIES = ("forge", "poison", "read")
_FIRST = ("Ada", "George", "Grace", "Alan", "Emmy", "Srinivasa", "Zoë", "Łukasz", "小明", "Chloé")
_LAST = ("Lovelace", "Boole", "Hopper", "Turing", "Noether", "Höck", "O'Neil", "García", "王", "Ng")
_WHEN = "2026-11-20 12:00:00.000 Z"


@dataclass(frozen=True)
class Made:
    """One student of a synthetic class.

    Args:
        student: login, as in the roster.
        number: the platform's number of the student.
        name: given name and surname.
        kind: a key of `SHARES`.
        detail: the exercise and what is wrong with it; "" where nothing is.
        files: path in the kit → text.
        late: whether it is marked late, where a layout can.
    """

    student: str
    number: int
    name: str
    kind: str
    detail: str
    files: Mapping[str, str]
    late: bool = False


def make(
    count: int,
    course: Course,
    chapter: str,
    seed: int = 0,
    shares: Mapping[str, int] = SHARES,
    families: Sequence[str] = FAMILIES,
) -> tuple[Made, ...]:
    """A class of `count` students who hand in one chapter.

    Args:
        count: how many.
        course: where solutions, stubs and misconceptions are read.
        chapter: as "ch07".
        seed: another class.
        shares: kind → how many in a hundred, or any other unit.
        families: of the attacks, where there are hostile ones.
    """
    dice = random.Random(f"{chapter}/{seed}")
    sections = tuple(s for s in course.sections if s.chapter == chapter)
    solved = {s.path: _text(course.root / "solutions" / s.path) for s in sections}
    stubs = {s.path: _text(course.root / "exercises" / s.path) for s in sections}
    wrong = [item for section in sections for item in misconceptions(course, section)]
    attacks = _attacks(course, sections, tuple(families))
    made = []
    every = [kind for kind, share in shares.items() if share][:count]  # at least one of each
    more = dice.choices(list(shares), list(shares.values()), k=count - len(every))
    kinds = [*every, *more]
    dice.shuffle(kinds)
    for index, kind in enumerate(kinds):
        section = dice.choice(sections)
        files, detail = dict(solved), ""
        if kind == "misconception" and wrong:
            where, detail, planted = dice.choice(wrong)
            files[where] += planted
        elif kind == "mutant":
            files[section.path], detail = mutated(solved[section.path], section, dice)
        elif kind == "unsolved":
            files = dict(stubs)
        elif kind == "broken":
            files[section.path] += "\n\ndef spoilt(:\n"
            detail = section.file
        elif kind == "empty":
            files = {}
        elif kind == "hostile" and attacks:
            where, detail, text = dice.choice(attacks)
            files[where] = text
        name = f"{dice.choice(_FIRST)} {dice.choice(_LAST)}"
        late = dice.random() < 0.1
        one = Made(f"s{index:04}", 5_000 + index, f"{name} {index}", kind, detail, files, late)
        made.append(one)
    return tuple(made)


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def misconceptions(course: Course, section: Section) -> Iterator[tuple[str, str, str]]:
    """Path in the kit, "exercise/name", and what to append to the solution to plant each one.

    Those that need more of the test kit than the decorator cannot live in a submission.
    """
    path = course.root / "checks" / section.folder / "misconceptions" / f"{section.file}.py"
    if not path.exists():
        return
    tree = ast.parse(_text(path))
    helpers = [node for node in tree.body if not _slugs(node) and not _is_testkit(node)]
    if any(_is_testkit(node) and "misconception" not in ast.unparse(node) for node in tree.body):
        return
    for node in tree.body:
        for exercise, slug in _slugs(node):
            plain = copy.deepcopy(node)
            assert isinstance(plain, ast.FunctionDef | ast.ClassDef)
            plain.decorator_list = []
            body = "\n".join(ast.unparse(part) for part in [*helpers, plain])
            inside = textwrap.indent(f"{body}\nreturn {plain.name}", "    ")
            planted = f"\n\ndef _planted():\n{inside}\n\n\n{exercise} = _planted()\n"
            yield section.path, f"{exercise}/{slug}", planted


def _is_testkit(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and (node.module or "").startswith("d2lgrade")


def _slugs(node: ast.stmt) -> list[tuple[str, str]]:
    """The exercises and names in the decorators of a misconception."""
    found = []
    for call in getattr(node, "decorator_list", []):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "misconception":
            words = [word.value for word in call.args if isinstance(word, ast.Constant)]
            found.append((str(words[0]), str(words[1])))
    return found


_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.Lt: ast.LtE,
    ast.Gt: ast.GtE,
    ast.Eq: ast.NotEq,
    ast.And: ast.Or,
}


def mutated(text: str, section: Section, dice: random.Random) -> tuple[str, str]:
    """The text with one operator or small number changed in an exercise, and where."""
    tree = ast.parse(text)
    names = {exercise.name for exercise in section.exercises}
    places: list[tuple[str, ast.AST]] = []
    for top in tree.body:
        name = getattr(top, "name", "")
        if name in names:
            places += [(name, node) for node in ast.walk(top) if _is_mutable(node)]
    if not places:
        return text, ""
    name, node = dice.choice(places)
    if isinstance(node, ast.Constant):
        node.value += 1
    elif isinstance(node, ast.Compare):
        node.ops[0] = _SWAPS[type(node.ops[0])]()  # type: ignore[call-overload]
    else:
        node.op = _SWAPS[type(node.op)]()  # type: ignore[attr-defined]
    return ast.unparse(tree) + "\n", f"{name}: line {node.lineno}"  # type: ignore[attr-defined]


def _is_mutable(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return type(node.value) is int and node.value < 10
    if isinstance(node, ast.Compare):
        return type(node.ops[0]) in _SWAPS
    return type(getattr(node, "op", None)) in _SWAPS


def _attacks(
    course: Course, sections: Sequence[Section], families: Sequence[str]
) -> list[tuple[str, str, str]]:
    """Path in the kit, name and text of the attacks on these sections. They reach for nothing."""
    every: tuple[Attack, ...] = (*forging.ATTACKS, *poisoning.ATTACKS, *reading.ATTACKS)
    places = {exercise.id: section.path for section in sections for exercise in section.exercises}
    nothing = {"@SECRET@": "/nonexistent", "@LOOT@": "/nonexistent", "@PORT@": "9", "@PID@": "0"}
    found = []
    for attack in every:
        if attack.family in families and attack.target in places and not attack.beside:
            text = attack.source
            for mark, value in nothing.items():
                text = text.replace(mark, value)
            found.append((places[attack.target], attack.name, text))
    return found


# Laying it out


def lay_out(made: Sequence[Made], folder: Path, layout: str) -> Path:
    """Write a class as a platform would give it out; the path of its roster, beside `folder`.

    `moodle-zip` writes one archive, `folder` with `.zip` after it; others fill the folder.
    """
    folder.mkdir(parents=True)
    if layout == "moodle-zip":
        with zipfile.ZipFile(f"{folder}.zip", "w", zipfile.ZIP_DEFLATED) as file:
            for one in made:
                for name, data in _moodle(one):
                    file.writestr(name, data)
    elif layout == "gradescope":
        _gradescope(made, folder)
    else:
        for index, one in enumerate(made):
            if layout in ("folders", "notebooks", "github"):
                (folder / _folder(one, layout)).mkdir()
            for name, data in _WRITERS[layout](one):
                path = folder / name.replace("@", str(90_000 + index))
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
    return _roster(made, folder.with_name(f"{folder.name}-roster.csv"))


def _folder(one: Made, layout: str) -> str:
    return f"hw1-{one.student}" if layout == "github" else one.student


def _folders(one: Made) -> Iterator[tuple[str, bytes]]:
    for name, text in one.files.items():
        yield f"{one.student}/{name}", text.encode()


def _zips(one: Made) -> Iterator[tuple[str, bytes]]:
    paper = io.BytesIO()
    with zipfile.ZipFile(paper, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in one.files.items():
            file.writestr(zipfile.ZipInfo(name), text)
    yield f"{one.student}.zip", paper.getvalue()


def _notebooks(one: Made) -> Iterator[tuple[str, bytes]]:
    for name, text in one.files.items():
        cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
        book = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}}
        book["cells"] = [{**cell, "source": text}]
        yield f"{one.student}/{Path(name).stem}.ipynb", json.dumps(book).encode()


def _canvas(one: Made) -> Iterator[tuple[str, bytes]]:
    first, last = one.name.split(" ", 1)
    person = "".join(c for c in f"{last}{first}".lower() if c.isalnum() or c == "_")
    mark = "_LATE" if one.late else ""
    for number, (name, text) in enumerate(one.files.items()):
        yield f"{person}{mark}_{one.number}_@{number}_{Path(name).name}", text.encode()


def _moodle(one: Made) -> Iterator[tuple[str, bytes]]:
    top = f"{one.name}_{one.number}_assignsubmission_file_"
    for name, text in one.files.items():
        yield f"{top}/{name}", text.encode()


def _github(one: Made) -> Iterator[tuple[str, bytes]]:
    top = _folder(one, "github")
    yield f"{top}/.git/HEAD", b"ref: refs/heads/main\n"
    for name, text in one.files.items():
        yield f"{top}/exercises/{name}", text.encode()


_WRITERS = {
    "folders": _folders,
    "zips": _zips,
    "notebooks": _notebooks,
    "canvas": _canvas,
    "moodle": _moodle,
    "github": _github,
}


def _gradescope(made: Sequence[Made], folder: Path) -> None:
    lines = ["---"]
    for one in made:
        top = folder / f"submission_{one.number}"
        top.mkdir()
        lines += [f"{top.name}:", "  :submitters:", f"  - :name: {json.dumps(one.name)}"]
        lines += [f"    :sid: {json.dumps(one.student)}", f"    :email: {one.student}@x.edu"]
        lines += [f"  :created_at: {_WHEN}"]
        for name, text in one.files.items():
            path = top / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    text = "\n".join([*lines, ""])
    (folder / "submission_metadata.yml").write_text(text, encoding="utf-8")


def _roster(made: Sequence[Made], path: Path) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["Student", "ID", "SIS User ID", "SIS Login ID", "Email", "github_username"])
        for one in made:
            mail = f"{one.student}@x.edu"
            rows.writerow([one.name, one.number, one.student, one.student, mail, one.student])
    return path


def only(made: Sequence[Made], *kinds: str) -> tuple[Made, ...]:
    """The students of these kinds."""
    return tuple(replace(one) for one in made if one.kind in kinds)
