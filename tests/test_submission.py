"""What a learner hands in is found, read and explained, and nothing in it can hurt the reader."""

from __future__ import annotations

import difflib
import os
import pickle
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from d2lgrade.catalog import Chapter, Course, Exercise, Section
from d2lgrade.submission import SubmissionError, handed, layout, mirror, read, source

CH07 = "ch07_convolutional_neural_networks"
CH12 = "ch12_optimization_algorithms"
COURSE = {
    ("ch03", "ch03_linear_networks_for_regression"): {
        "linear_regression_scratch": [
            "linreg(X, w, b)",
            "sgd(params, lr, batch_size)",
            "step(x, lr)",
        ],
    },
    ("ch07", CH07): {
        "conv_layer": ["corr2d(X, K)", "Conv2D(kernel_size)"],
        "pooling": ["pool2d(X, pool_size, mode='max')", "pool2d_multi(X, pool_size)"],
    },
    ("ch12", "ch12_optimization_algorithms"): {
        "sgd": ["sgd(params, states, hyperparams)"],
        "adam": ["adam(params, states, hyperparams)", "step(x, lr, t)"],
    },
}
CORR2D = "def corr2d(X, K):\n    return X\n"
CONV = CORR2D + "\n\nclass Conv2D:\n    pass\n"
POOLING = "def pool2d(X, pool_size, mode='max'):\n    return X\n\n\npool2d_multi = None\n"


def _exercise(chapter: str, stem: str, signature: str) -> Exercise:
    name = signature.split("(")[0]
    return Exercise(
        id=f"{chapter}/{name}",
        chapter=chapter,
        name=name,
        section="1.1",
        zh_section="",
        file=stem,
        title=name,
        signature=signature,
        builds_on=(),
        forbidden=(),
        checks=(),
        hints=(),
    )


def _course() -> Course:
    chapters = []
    for (chapter, folder), files in COURSE.items():
        sections = tuple(
            Section(
                number="1.1",
                zh="",
                file=stem,
                title=stem,
                chapter=chapter,
                folder=folder,
                exercises=tuple(_exercise(chapter, stem, signature) for signature in signatures),
            )
            for stem, signatures in files.items()
        )
        chapters.append(Chapter(chapter, chapter, "", folder, sections))
    return Course(Path("kit"), tuple(chapters))


@dataclass
class Folder:
    """A folder to hand in, and what reading it gives."""

    root: Path
    course: Course = field(default_factory=_course)

    def write(self, name: str, content: str | bytes = "") -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def asked(self, target: str) -> list[Exercise]:
        found = [e for e in self.course.exercises if target in ("all", e.chapter, e.name, e.id)]
        assert found
        return found

    def read(self, name: str | Path = ".", target: str = "ch07") -> handed.Submission:
        return read(self.root / name, self.course, self.asked(target))

    def error(self, name: str | Path = ".", target: str = "ch07") -> str:
        with pytest.raises(SubmissionError) as caught:
            self.read(name, target)
        return str(caught.value)

    def problem(self, content: str | bytes, name: str = f"{CH07}/pooling.py") -> source.Problem:
        self.write(name, content)
        problem = self.read().sources["pooling"].problem
        assert problem is not None
        return problem


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    root = tmp_path / "alice"
    root.mkdir()
    return Folder(root)


# Layouts


@pytest.mark.parametrize("above", ["", "exercises/", "hw1/", "hw1/alice/exercises/"])
def test_folder_that_mirrors_the_kit(folder: Folder, above: str) -> None:
    folder.write(f"{above}{CH07}/conv_layer.py", CONV)
    folder.write(f"{above}{CH07}/pooling.py", POOLING)
    submission = folder.read()
    assert not submission.partial
    assert submission.homes["ch07/corr2d"] == "conv_layer"
    assert submission.homes["ch07/pool2d_multi"] == "pooling"
    conv = submission.sources["conv_layer"]
    assert (conv.section, conv.text, conv.problem) == ("conv_layer", CONV, None)
    assert conv.defines == {"corr2d", "Conv2D"}
    missing = submission.sources["adam"].problem
    assert missing is not None
    assert missing.kind == "missing"
    assert "adam.py" in missing.message
    assert "d2lgrade init" in missing.message


def test_exercises_folder_beside_others(folder: Folder) -> None:
    folder.write(f"exercises/{CH07}/pooling.py", POOLING)
    folder.write(f"solutions/{CH07}/pooling.py", POOLING)
    folder.write("README.md")
    submission = folder.read()
    assert not submission.partial
    assert submission.sources["pooling"].path.endswith(f"exercises/{CH07}/pooling.py")


def test_chapter_folder_itself(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write(f"{CH07}/pooling.py", POOLING)
    folder.write(f"{CH07}/scratch.py", CORR2D)  # not a section: left alone
    for name in (folder.root / CH07, Path(".")):
        monkeypatch.chdir(folder.root / CH07)
        submission = read(name, folder.course, folder.asked("ch07"))
        assert submission.sources["pooling"].problem is None
        assert not submission.partial
        conv = submission.sources["conv_layer"].problem
        assert conv is not None
        assert conv.kind == "missing"
    assert submission.name == CH07
    assert read(folder.root / CH07, folder.course, folder.asked("ch07")).name == CH07
    assert submission.sources["pooling"].path == "pooling.py"


def test_stub_without_the_function_keeps_its_home(folder: Folder) -> None:
    folder.write(f"{CH07}/pooling.py", "x = 1\n")
    submission = folder.read(target="pool2d")
    assert submission.homes["ch07/pool2d"] == "pooling"
    assert submission.sources["pooling"].defines == {"x"}


def test_kit_folder_without_the_chapter_asked_for(folder: Folder) -> None:
    folder.write(f"{CH07}/pooling.py", POOLING)
    message = folder.error(target="ch12")
    assert "ch12_optimization_algorithms/adam.py" in message
    assert f"{CH07}/pooling.py" in message
    assert "d2lgrade init" in message


HELPED = "from helper import f\n\n\ndef pool2d(X, size):\n    return f(X)\n"


def test_files_beside_a_section_are_its_helpers(folder: Folder) -> None:
    folder.write(f"{CH07}/pooling.py", HELPED)
    folder.write(f"{CH07}/helper.py", "import deeper\n\n\ndef f(X):\n    return deeper.g(X)\n")
    folder.write(f"{CH07}/deeper.py", "def g(X):\n    return X\n")
    folder.write(f"{CH07}/scratch.py", CORR2D)  # nobody names it
    folder.write(f"{CH07}/helper copy.py", ")")
    folder.write(f"{CH07}/__init__.py", "")
    folder.write(f"{CH07}/helper.txt", "f")
    (folder.root / CH07 / "pool2d.py").mkdir()
    folder.write(f"{CH12}/adam.py", "import helper\n")
    folder.write(f"{CH12}/helper.py", "f = 12\n")
    submission = folder.read()
    helpers = {key: source for key, source in submission.sources.items() if "/" in key}
    assert set(helpers) == {f"{CH07}/helper", f"{CH07}/deeper", f"{CH12}/helper"}
    assert helpers[f"{CH12}/helper"].text == "f = 12\n"
    assert helpers[f"{CH07}/helper"].path.endswith(f"{CH07}/helper.py")
    assert submission.notes == ()
    assert "pool2d" not in helpers  # its home is its section's file
    assert submission.homes["ch07/corr2d"] == "conv_layer"  # whatever scratch.py defines


def test_helpers_cannot_take_a_library_s_name(folder: Folder) -> None:
    folder.write(f"{CH07}/pooling.py", "import torch, random, d2lgrade, pytest\n")
    for name in ("torch", "random", "d2lgrade", "pytest", "d2l", "sitecustomize_"):
        folder.write(f"{CH07}/{name}.py", "raise SystemExit")
    submission = folder.read()
    assert not [key for key in submission.sources if "/" in key]
    said = " ".join(submission.notes)
    for name in ("torch", "random", "d2lgrade", "pytest", "d2l"):
        assert f"{name}.py was left out: {name} means Python's or a library's own module." in said
    assert "sitecustomize_" not in said


def test_a_helper_that_cannot_be_read_is_noted(folder: Folder, tmp_path: Path) -> None:
    folder.write(f"{CH07}/pooling.py", "import broken, linked, empty\n")
    folder.write(f"{CH07}/broken.py", "def f(:\n")
    folder.write(f"{CH07}/empty.py", "")
    secret = tmp_path / "secret.py"
    secret.write_text("x = 1\n")
    (folder.root / CH07 / "linked.py").symlink_to(secret)
    submission = folder.read()
    assert {s.problem.kind for k, s in submission.sources.items() if "/" in k and s.problem} == {
        "syntax",
        "unreadable",
        "empty",
    }
    assert len(submission.notes) == 2
    assert "broken.py, line 1 is not valid Python" in submission.notes[0]
    assert "leads out of the submission" in submission.notes[1]


def test_helpers_are_limited(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"helper{number}" for number in range(9)]
    folder.write(f"{CH07}/pooling.py", f"import {', '.join(names)}\n")
    for name in names:
        folder.write(f"{CH07}/{name}.py", "#" * 600 + "\n")
    monkeypatch.setattr(mirror, "MAX_HELPERS", 3)
    submission = folder.read()
    assert len([key for key in submission.sources if "/" in key]) == 3
    assert "helper3.py and more were left out (at most 3 files and 4 MB)." in submission.notes[0]
    monkeypatch.setattr(mirror, "MAX_HELPERS", 100)
    monkeypatch.setattr(mirror, "MAX_TOTAL", 1_000)
    assert len([key for key in folder.read().sources if "/" in key]) == 2


def test_loose_files_of_any_name(folder: Folder) -> None:
    folder.write("my conv.py", CORR2D)
    folder.write("deep/pool.py", POOLING)
    folder.write("helpers.py", "def helper():\n    pass\n")
    submission = folder.read()
    assert submission.partial
    assert submission.homes == {
        "ch07/corr2d": "my conv",
        "ch07/pool2d": "pool",
        "ch07/pool2d_multi": "pool",
    }
    assert submission.sources["my conv"].text == CORR2D
    assert "helpers" in submission.sources  # an import between loose files must find it
    assert not submission.notes


def test_exercises_of_one_section_in_several_files(folder: Folder) -> None:
    folder.write("a.py", CORR2D)
    folder.write("b.py", "class Conv2D:\n    pass\n")
    assert folder.read().homes == {"ch07/corr2d": "a", "ch07/Conv2D": "b"}


def test_section_files_side_by_side_are_the_kit_flattened(folder: Folder) -> None:
    folder.write("pooling.py", "def pool2d(X, pool_size):\n    pass\n")
    submission = folder.read()
    assert not submission.partial
    assert submission.homes["ch07/pool2d_multi"] == "pooling"
    assert submission.homes["ch07/corr2d"] == "conv_layer"
    problem = submission.sources["conv_layer"].problem
    assert problem is not None
    assert problem.kind == "missing"
    assert "adam.py" in folder.error(target="ch12")


def test_section_name_around_another_chapters_work_is_a_loose_file(folder: Folder) -> None:
    folder.write("sgd.py", "def sgd(params, lr, batch_size):\n    pass\n")
    submission = folder.read(target="all")
    assert submission.partial
    assert submission.homes == {"ch03/sgd": "sgd"}
    folder.write("conv_layer.py", CONV)
    assert folder.read(target="all").partial
    message = folder.error("sgd.py", "ch12/sgd")
    assert "defines ch12/sgd." in message
    assert "It defines ch03/sgd: name" in message
    assert "did you mean" not in message


def test_single_file(folder: Folder) -> None:
    path = folder.write("work.py", CORR2D + POOLING)
    submission = folder.read(path)
    assert submission.partial
    assert submission.homes == dict.fromkeys(
        ("ch07/corr2d", "ch07/pool2d", "ch07/pool2d_multi"), "work"
    )
    assert set(submission.sources) == {"work"}


def test_two_loose_files_with_one_exercise(folder: Folder) -> None:
    folder.write("a.py", CORR2D)
    folder.write("b.py", CORR2D)
    message = folder.error()
    assert "corr2d is defined in" in message
    assert "a.py and" in message
    assert "b.py. Keep one" in message
    folder.write("c.py", POOLING)  # a clash over what nobody asked for stops nothing
    assert "ch07/corr2d" not in folder.read(target="pool2d").homes


def test_file_near_the_top_goes_before_a_backup(folder: Folder) -> None:
    folder.write("a.py", CORR2D)
    folder.write("old/a.py", CORR2D)
    submission = folder.read()
    assert submission.homes == {"ch07/corr2d": "a"}
    assert set(submission.sources) == {"a", "old/a"}
    (note,) = submission.notes
    assert "old/a.py" in note
    folder.write("z/er/b.py", "x = 1\n")
    shallow = folder.write("old/b.py", "x = 1\n")
    assert folder.read().sources["b"].path == str(shallow)


def test_section_file_goes_before_a_helper_copy(folder: Folder) -> None:
    folder.write("conv_layer.py", CONV)
    folder.write("pooling.py", CORR2D + POOLING)
    assert folder.read().homes["ch07/corr2d"] == "conv_layer"


def test_import_is_bound_but_not_a_home(folder: Folder) -> None:
    folder.write("a.py", CORR2D)
    folder.write("b.py", "from a import corr2d\n" + POOLING)
    submission = folder.read()
    assert submission.homes["ch07/corr2d"] == "a"
    assert "corr2d" in submission.sources["b"].defines
    message = folder.error(folder.write("c.py", "from a import corr2d\n"), target="corr2d")
    assert "imports corr2d" in message


# One name in two chapters


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ("def sgd(params, lr, batch_size): pass", "ch03/sgd"),
        ("def sgd(params, lr, bs): pass", "ch03/sgd"),
        ("def sgd(params, states, hyperparams): pass", "ch12/sgd"),
        ("sgd = lambda params, states, hyperparams: None", "ch12/sgd"),
        ("class sgd:\n  def __init__(self, params, lr, batch_size): pass", "ch03/sgd"),
    ],
)
def test_parameter_names_decide(folder: Folder, definition: str, expected: str) -> None:
    path = folder.write("work.py", definition + "\n")
    assert folder.read(path, "sgd").homes == {expected: "work"}
    broken = folder.write("broken.py", definition + "\n)\n")
    if not definition.startswith(("class", "sgd")):
        assert folder.read(broken, "sgd").homes == {expected: "broken"}


@pytest.mark.parametrize("definition", ["def sgd(a, b, c): pass", "sgd = print", "class sgd: pass"])
def test_undecided_name(folder: Folder, definition: str) -> None:
    path = folder.write("work.py", definition + "\n" + CORR2D)
    message = folder.error(path, "sgd")
    assert "ch03/sgd" in message
    assert "ch12/sgd" in message
    assert "sgd(params, states, hyperparams)" in message
    assert folder.read(path, "ch12/sgd").homes["ch12/sgd"] == "work"  # the target says which
    assert folder.read(path, "corr2d").homes == {"ch07/corr2d": "work"}
    named = folder.write("sgd.py", definition + "\n")
    assert folder.read(named, "sgd").homes == {"ch12/sgd": "sgd"}  # the file's name says which


@pytest.mark.parametrize(
    "definition", ["def step(x, lr): pass", "class step:\n  def __init__(self, x, lr): pass"]
)
def test_exact_parameters_go_before_more_of_them(folder: Folder, definition: str) -> None:
    path = folder.write("work.py", definition + "\n")
    assert folder.read(path, "all").homes == {"ch03/step": "work"}


def test_both_of_one_name_in_two_files(folder: Folder) -> None:
    folder.write("a.py", "def sgd(params, lr, batch_size): pass\n")
    folder.write("b.py", "def sgd(params, states, hyperparams): pass\n")
    assert folder.read(target="sgd").homes == {"ch03/sgd": "a", "ch12/sgd": "b"}


# What a file binds


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def f(): pass", {"f"}),
        ("async def f(): g = 1", {"f"}),
        ("class F:\n  g = 1", {"F"}),
        ("f = g = 1", {"f", "g"}),
        ("f, (g, *h) = x", {"f", "g", "h"}),
        ("f: int = 1\ng: int", {"f"}),
        ("f.g = h[0] = 1", set()),
        ("import a.b, c as d", {"a", "d"}),
        ("from x import f, g as h\nfrom y import *", {"f", "h"}),
        ("try:\n  import f\nexcept ImportError:\n  f = None\nelse:\n  g = 1", {"f", "g"}),
        ("if x:\n  def f(): pass\nelif y:\n  def g(): pass\nelse:\n  h = 1", {"f", "g", "h"}),
        ("if __name__ == '__main__':\n  f = 1\nelse:\n  g = 1", {"g"}),
        ("for f in x:\n  g = 1\nwith x as h:\n  pass\nwhile (k := 1): pass", {"f", "g", "h", "k"}),
        ("f = [g for g in x]\nh = lambda k: (m := 1)", {"f", "h"}),
        ("match x:\n  case 1:\n    f = 1", {"f"}),
    ],
)
def test_defines(folder: Folder, text: str, names: set[str]) -> None:
    folder.write(f"{CH07}/pooling.py", text + "\n")
    pooling = folder.read().sources["pooling"]
    assert pooling.problem is None
    assert pooling.defines == names


def test_nothing_of_it_runs(folder: Folder, tmp_path: Path) -> None:
    trap = tmp_path / "ran"
    attack = f"open({str(trap)!r}, 'w')\nimport os\nos._exit(7)\n"
    folder.write("conftest.py", attack)
    folder.write("torch.py", attack)
    folder.write("work.py", "import torch\n" + attack + CORR2D)
    assert folder.read().homes == {"ch07/corr2d": "work"}
    assert not trap.exists()


# Decoding


@pytest.mark.parametrize(
    "data",
    [
        "name = 'é'\n".encode(),
        b"\xef\xbb\xbf" + "name = 'é'\n".encode(),
        b"# -*- coding: latin-1 -*-\nname = '\xe9'\n",
        "#!/usr/bin/python\n# vim: set fileencoding=gbk :\nname = 'é'\n".encode("gbk"),
        "name = 'é'\r\n".encode(),
        "\rname = 'é'\r".encode(),
    ],
)
def test_decoded_as_python_would(folder: Folder, data: bytes) -> None:
    folder.write(f"{CH07}/pooling.py", data)
    pooling = folder.read().sources["pooling"]
    assert pooling.problem is None
    assert "name = 'é'\n" in pooling.text
    assert "\r" not in pooling.text
    assert "\ufeff" not in pooling.text


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"x = 1\ny = '\xe9'\n", ["line 2", "0xe9", "UTF-8"]),
        (b"x = 1\0\n", ["line 1", "NUL"]),
        (bytes(range(256)) * 20, ["NUL"]),
        ("x = 1\n".encode("utf-16"), ["UTF-16"]),
        (b"# coding: klingon\n", ["klingon", "UTF-8"]),
        (b"# coding: rot13\nx\n", ["rot13", "UTF-8"]),
        (b"# coding: punycode\nx\n", ["unknown encoding: punycode", "UTF-8"]),
        (b"# coding: utf-7\nx = '+2AA-'\n", ["utf-7", "UTF-8"]),
        (b"# coding: utf-7\nx = '+AAA-'\n", ["NUL"]),
        (b"\xef\xbb\xbf# coding: latin-1\n", ["encoding", "UTF-8"]),
    ],
)
def test_binary(folder: Folder, data: bytes, says: list[str]) -> None:
    problem = folder.problem(data)
    assert problem.kind == "binary"
    assert all(word in problem.message for word in ["pooling.py", *says])


# Syntax


@pytest.mark.parametrize(
    ("text", "line", "caret", "says"),
    [
        ("x = 1\ndef f(x)\n    return x\n", 2, 9, "colon"),
        ("x = f(1,\ny = 2\n", 1, 6, "never closed"),
        ("x = [1)\n", 1, 7, "brackets"),
        ("x = 'abc\n", 1, 5, "quote"),
        ("def f():\nreturn 1\n", 2, None, "Indent"),
        ("x = 1\n  y = 2\n", 2, None, "four spaces"),
        ("x = 1\n%matplotlib inline\n", 2, 1, "notebook"),
        ("!pip install torch\n", 1, 1, "notebook"),
        ("conv2d?\n", 1, 7, "notebook"),
        ("<<<<<<< HEAD\nx = 1\n", 1, 1, "merge"),
        ("print 'a'\n", 1, 1, "print"),
        ("x = “a”\n", 1, 5, "again"),
        ("f(a b)\n", 1, 3, "comma"),
        ("if a = 1: pass\n", 1, 4, "two compare"),
        ("return = 3\n", 1, 8, "stub"),
    ],
)
def test_syntax(folder: Folder, text: str, line: int, caret: int | None, says: str) -> None:
    problem = folder.problem(text)
    assert (problem.kind, problem.line) == ("syntax", line)
    assert f"pooling.py, line {line}" in problem.message
    assert says in problem.message
    code, mark = problem.excerpt.split("\n")
    assert code.strip() == text.split("\n")[line - 1].strip()
    assert mark.strip() == "^"
    if caret:
        assert len(mark) == caret


@pytest.mark.parametrize("text", ["if a:\n\tx = 1\n        y = 2\n", "if a:\n    x = 1\n\ty = 2\n"])
def test_tabs_and_spaces(folder: Folder, text: str) -> None:
    problem = folder.problem(text)
    assert (problem.kind, problem.line) == ("tabs", 3)
    assert "spaces" in problem.message


def test_excerpt_is_harmless_and_short(folder: Folder) -> None:
    problem = folder.problem("x = '" + "a" * 5000 + "' 1\n")
    assert max(map(len, problem.excerpt.split("\n"))) <= 100
    problem = folder.problem("f(a b" + "a" * 5000 + ")\n")
    assert max(map(len, problem.excerpt.split("\n"))) <= 100
    problem = folder.problem("x\x1b[31m = \u202e1 1\n")
    assert problem.excerpt.replace("\n", "").isprintable()
    assert problem.message.isprintable()
    problem = folder.problem("x = '卷积' 1\n")  # each of these is two columns wide
    assert problem.excerpt.endswith("\n" + " " * 11 + "^")
    problem = folder.problem("卷积 = f(1 2)\n")
    assert problem.excerpt.endswith("\n" + " " * 9 + "^")


@pytest.mark.parametrize("text", ["", "  \n\n\t\n", "# only a comment\n"])
def test_empty(folder: Folder, text: str) -> None:
    problem = folder.problem(text)
    assert problem.kind == "empty"
    assert f"copy {CH07}/pooling.py" in problem.message
    assert "d2lgrade init NEW_FOLDER" in problem.message


def test_escape_warnings_are_not_ours(folder: Folder) -> None:
    folder.write(f"{CH07}/pooling.py", "x = '\\d'\ny = 1 is 1\n")
    assert folder.read().sources["pooling"].problem is None


# Loose files that cannot be read


def test_broken_loose_file_holds_what_it_was_meant_to(folder: Folder) -> None:
    folder.write("a.py", "def corr2d(X, K)\n    pass\n")
    folder.write("b.py", POOLING)
    submission = folder.read()
    assert submission.homes["ch07/corr2d"] == "a"
    problem = submission.sources["a"].problem
    assert problem is not None
    assert problem.kind == "syntax"
    assert not submission.notes  # the exercise says it already
    folder.write("c.py", CORR2D)  # a file that parses goes before one that does not
    assert folder.read().homes["ch07/corr2d"] == "c"


def test_name_of_an_unreadable_file_says_what_it_holds(folder: Folder) -> None:
    folder.write("pooling.py", b"\0")
    folder.write("work.py", CORR2D)
    submission = folder.read()
    assert submission.homes["ch07/pool2d"] == "pooling"
    assert submission.partial
    folder.write("work.py", POOLING)
    submission = folder.read()
    assert submission.homes["ch07/pool2d"] == "work"
    (note,) = submission.notes
    assert "NUL" in note


def test_broken_helper_is_noted(folder: Folder) -> None:
    folder.write("a.py", CORR2D)
    folder.write("helper.py", "def f(:\n")
    folder.write("empty.py", "")
    folder.write("notes.ipynb", "{}")
    notes = " ".join(folder.read().notes)
    assert "helper.py, line 1" in notes
    assert "notes.ipynb is not a notebook" in notes
    assert "empty.py" not in notes


def test_broken_single_file(folder: Folder) -> None:
    path = folder.write("work.py", "def corr2d(X, K)\n    pass\n")
    problem = folder.read(path).sources["work"].problem
    assert problem is not None
    assert problem.line == 1
    path = folder.write("work.py", "x = = 1\n")
    message = folder.error(path)
    assert "line 1" in message
    assert message.endswith("x = = 1\n    ^")


# Nothing to grade


def test_no_such_path(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write("exercises/a.py", CORR2D)
    monkeypatch.chdir(folder.root)
    with pytest.raises(
        SubmissionError, match=r"^There is no exercsies\. Did you mean exercises\?$"
    ):
        read(Path("exercsies"), folder.course, folder.asked("all"))
    assert "Name the .py file" in folder.error("zzz")
    assert "Nor is there a folder" in folder.error("no/where/at/all.py")
    assert "Name a file" in folder.error("a\0b")
    assert "too long" in folder.error("a" * 300)


def test_nothing_of_the_target(folder: Folder) -> None:
    folder.write("work.py", "def corr2D(X, K): pass\ndef linreg(X, w, b): pass\n")
    message = folder.error(target="corr2d")
    assert "did you mean corr2d?" in message
    assert "ch03/linreg" in message
    assert "name one of these as the target" in message


def test_empty_folder(folder: Folder) -> None:
    assert "holds no .py file" in folder.error()
    folder.write("hw.zip", b"PK")
    assert "Unpack it" in folder.error()


@pytest.mark.parametrize(("name", "why"), [("a.ipynb", "not a notebook"), ("a.ZIP", "not a zip")])
def test_other_formats_by_name_alone(folder: Folder, name: str, why: str) -> None:
    assert why in folder.error(folder.write(name, "{}"))


# Hostile folders


def test_fifo_and_socket_never_block(folder: Folder) -> None:
    (folder.root / CH07).mkdir()
    os.mkfifo(folder.root / CH07 / "pooling.py")
    with socket.socket(socket.AF_UNIX) as server:
        # a path relative to the folder: socket addresses are short
        here = os.open(folder.root / CH07, os.O_RDONLY)
        server.bind(f"/proc/self/fd/{here}/conv_layer.py" if Path("/proc").exists() else "s")
        os.close(here)
    sources = folder.read().sources
    for stem, kind in (("pooling", "a FIFO"), ("conv_layer", "a socket")):
        problem = sources[stem].problem
        assert problem is not None
        assert problem.kind == "unreadable"
        assert kind in problem.message
    assert "is a FIFO" in folder.error(f"{CH07}/pooling.py")
    assert "is a device" in folder.error("/dev/zero")


def test_file_swapped_for_a_fifo_after_the_look(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder.write(f"{CH07}/pooling.py", POOLING)
    honest = os.stat(path)
    path.unlink()
    os.mkfifo(path)
    opened = []
    really_open = os.open

    def watched(target: str, flags: int) -> int:
        opened.append(flags)
        assert flags & os.O_NONBLOCK  # else the next line waits for a writer
        assert flags & os.O_NOFOLLOW
        return really_open(target, flags)

    monkeypatch.setattr(os, "stat", lambda _: honest)
    monkeypatch.setattr(os, "open", watched)
    assert source.load(path, "pooling", None).source.problem is not None
    assert opened


def test_folder_in_place_of_a_file(folder: Folder) -> None:
    (folder.root / CH07 / "pooling.py").mkdir(parents=True)
    problem = folder.read().sources["pooling"].problem
    assert problem is not None
    assert problem.kind == "unreadable"
    assert "is a folder" in problem.message


def test_links(folder: Folder, tmp_path: Path) -> None:
    secret = tmp_path / "secret.py"
    secret.write_text(POOLING)
    chapter = folder.root / CH07
    folder.write(f"{CH07}/mine.py", CONV)
    (chapter / "conv_layer.py").symlink_to("mine.py")
    (chapter / "pooling.py").symlink_to(secret)
    submission = folder.read()
    assert submission.sources["conv_layer"].problem is None
    pooling = submission.sources["pooling"]
    assert pooling.problem is not None
    assert pooling.problem.kind == "unreadable"
    assert "leads out" in pooling.problem.message
    assert pooling.text == ""
    for target, word in (("nowhere.py", "link to nothing"), ("pooling.py", "back to itself")):
        (chapter / "pooling.py").unlink()
        (chapter / "pooling.py").symlink_to(target)
        problem = folder.read().sources["pooling"].problem
        assert problem is not None
        assert problem.kind == "unreadable"
        assert word in problem.message


def test_link_to_a_folder_outside(folder: Folder, tmp_path: Path) -> None:
    outside = Folder(tmp_path / "bob")
    outside.write(f"{CH07}/pooling.py", POOLING)
    (folder.root / CH07).symlink_to(outside.root / CH07)
    problem = folder.read().sources["pooling"].problem
    assert problem is not None
    assert "leads out" in problem.message
    (folder.root / CH07).unlink()
    (folder.root / "hw").symlink_to(outside.root)
    assert "hw is a link to a folder" in folder.error()
    (folder.root / "hw").unlink()
    (folder.root / "loose").symlink_to(outside.root / CH07)
    (folder.root / "pool.py").symlink_to(outside.root / CH07 / "pooling.py")
    folder.write("work.py", CORR2D)
    submission = folder.read()
    assert submission.homes == {"ch07/corr2d": "work"}
    assert "loose is a link to a folder" in " ".join(submission.notes)
    assert "pool.py is a link that leads out" in " ".join(submission.notes)


def test_neighbour_whose_name_begins_alike_is_outside(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "alice2.py").write_text(CORR2D)
    (folder.root / "a.py").symlink_to(tmp_path / "alice2.py")
    assert "leads out" in folder.error()


def test_submission_may_itself_be_a_link(folder: Folder, tmp_path: Path) -> None:
    folder.write("work.py", CORR2D)
    link = tmp_path / "link"
    link.symlink_to(folder.root)
    assert folder.read(link).homes == {"ch07/corr2d": "work"}
    (tmp_path / "dangling").symlink_to("nothing")
    assert "link to nothing" in folder.error(tmp_path / "dangling")
    (tmp_path / "loop").symlink_to("loop")
    assert "cannot be read" in folder.error(tmp_path / "loop")


def test_too_large(folder: Folder) -> None:
    problem = folder.problem("#" * (source.MAX_BYTES + 1))
    assert problem.kind == "too_large"
    assert "1 MB" in problem.message
    with open(folder.root / CH07 / "pooling.py", "wb") as file:
        file.truncate(1 << 40)  # a hole of a terabyte
    hole = folder.read().sources["pooling"].problem
    assert hole is not None
    assert hole.kind == "too_large"
    folder.write(f"{CH07}/pooling.py", "x = 1\n" + "#" * (source.MAX_BYTES - 6))
    assert folder.read().sources["pooling"].problem is None


def test_no_permission(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write(f"{CH07}/pooling.py", POOLING)

    def refuse(path: str, flags: int) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    problem = folder.read().sources["pooling"].problem
    assert problem is not None
    assert problem.kind == "unreadable"
    assert "Permission denied" in problem.message


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        "x = " + "-" * 100_000 + "1",
        "x" + ".a" * 100_000,
        "x = 1" + "+1" * 100_000,
        "x = " + "[" * 250 + "]" * 250,
        "x = " + "1" * 10_000,
        "f'" + "{" * 1000,
    ],
)
def test_source_that_strains_the_parser(folder: Folder, text: str) -> None:
    problem = folder.problem(text + "\n")
    assert problem.kind == "syntax"
    assert len(problem.message) < 500


def test_long_elif_chain(folder: Folder) -> None:
    text = "if a:\n  f = 1\n" + "elif a:\n  f = 1\n" * 80 + "else:\n  g = 1\n"
    folder.write(f"{CH07}/pooling.py", text)
    assert folder.read().sources["pooling"].defines == {"f", "g"}


def test_deep_tree_is_walked_without_recursion(folder: Folder) -> None:
    text = "x = " + "-" * 300 + "1\n"
    folder.write(f"{CH07}/pooling.py", text)
    script = (
        "import sys; from pathlib import Path; from d2lgrade.submission import source\n"
        "path = Path(sys.argv[1]); sys.setrecursionlimit(1000)\n"
        "assert source.load(path, 'k', None).source.defines == {'x'}"
    )
    path = folder.root / CH07 / "pooling.py"
    subprocess.run([sys.executable, "-c", script, str(path)], check=True, timeout=60)


def test_too_many_files(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "MAX_FILES", 20)
    folder.write("a.py", CORR2D)
    for number in range(50):
        folder.write(f"z{number:03}.py", "x = 1\n")
    submission = folder.read()
    assert len(submission.sources) == 20
    assert submission.homes == {"ch07/corr2d": "a"}
    assert "Only the first 20 files" in submission.notes[0]


def test_too_much_source(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "MAX_TOTAL", 1_000)
    folder.write("a.py", CORR2D)
    for number in range(5):
        folder.write(f"z{number}.py", "#" * 600)
    submission = folder.read()
    assert set(submission.sources) == {"a", "z0", "z1"}
    assert "z2.py and those after it" in submission.notes[0]


def test_many_notes_are_cut(folder: Folder) -> None:
    folder.write("a.py", CORR2D)
    for number in range(30):
        folder.write(f"z{number}.py", ")")
    notes = folder.read().notes
    assert len(notes) == handed.MAX_NOTES + 1
    assert "20 more" in notes[-1]


def test_few_names_are_compared(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []

    def watched(name: str, *_: object, **__: object) -> list[str]:
        compared.append(name)
        return []

    monkeypatch.setattr(difflib, "get_close_matches", watched)
    text = "\n".join(f"corr2{number} = 1" for number in range(5_000)) + "\n" + "a" * 200_000 + "=1"
    assert len(folder.error(folder.write("a.py", text))) < 5_000
    assert 0 < len(compared) <= 100
    assert max(map(len, compared)) < 50


def test_environments_and_hidden_files_are_left_out(folder: Folder) -> None:
    folder.write("a.py", CORR2D)
    folder.write("venv/pyvenv.cfg")
    for name in ("venv/lib/b.py", ".git/b.py", "__pycache__/b.py", "._a.py", ".b.py"):
        folder.write(name, CORR2D)
    submission = folder.read()
    assert set(submission.sources) == {"a"}


def test_names_are_shown_escaped(folder: Folder) -> None:
    names = ["a\x1b[31m.py", "b\u202e.py", os.fsdecode(b"c\xff.py")]
    for name in names:
        folder.write(name, ")")
    folder.write("work.py", CORR2D)
    submission = folder.read()
    assert all(note.isprintable() for note in submission.notes)
    assert all(one.path.isprintable() for one in submission.sources.values())
    assert all(key.isprintable() for key in submission.sources)
    assert len(submission.sources) == 4
    assert "\\x1b[31m.py" in " ".join(submission.notes)
    assert folder.error("x\x1b[31m").isprintable()


def test_names_that_look_alike_once_escaped(folder: Folder) -> None:
    folder.write("a\x1b.py", CORR2D)
    folder.write("a\\x1b.py", POOLING)
    submission = folder.read()
    assert len(submission.sources) == 2
    assert submission.homes["ch07/corr2d"] != submission.homes["ch07/pool2d"]


def test_paths_as_the_learner_knows_them(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write("in/work.py", CORR2D)
    monkeypatch.chdir(folder.root)
    for path in (Path("in"), folder.root / "in", Path("./in/../in")):
        submission = read(path, folder.course, folder.asked("ch07"))
        assert submission.name == "in"
        assert submission.sources["work"].path == os.path.join("in", "work.py")
    monkeypatch.chdir(folder.root / "in")
    submission = read(folder.root / "in" / "..", folder.course, folder.asked("ch07"))
    assert submission.sources["work"].path.endswith("work.py")
    assert folder.read().name == str(folder.root)


def test_submission_travels_between_processes(folder: Folder) -> None:
    folder.write(f"{CH07}/pooling.py", "x = (\n")
    submission = folder.read()
    assert pickle.loads(pickle.dumps(submission)) == submission


def test_same_folder_same_answer(folder: Folder) -> None:
    for number in range(30):
        folder.write(f"{number % 7}/m{number}.py", f"x{number} = 1\n" + (CORR2D * (number == 3)))
    assert list(folder.read().sources) == list(folder.read().sources)


def test_nothing_heavy_is_imported() -> None:
    script = (
        "import sys, d2lgrade.submission\n"
        "assert not {'torch', 'numpy', 'rich', 'click'} & set(sys.modules)\n"
        "ours = {m for m in sys.modules if m.startswith('d2lgrade.')}\n"
        "rooms = {m.split('.')[1] for m in ours}\n"
        "assert rooms <= {'catalog', 'course', 'manifest', 'reserved', 'submission'}, rooms\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
