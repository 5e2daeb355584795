"""Of a notebook the definitions are used, and each line keeps a place that tells its cell."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from d2lgrade.submission import SubmissionError, notebook, read
from d2lgrade.submission.notebook import NotebookError, Script
from test_submission import CONV, CORR2D, POOLING, _course


def book(*cells: Any, metadata: Any = None, **fields: Any) -> bytes:
    """A notebook of code cells, or of cells given as dictionaries."""
    plain = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    made = [cell if isinstance(cell, dict) else {**plain, "source": cell} for cell in cells]
    whole = {"nbformat": 4, "nbformat_minor": 4, "metadata": metadata or {}, "cells": made}
    return json.dumps({**whole, **fields}).encode()


def script(*cells: Any) -> Script:
    return notebook.script(book(*cells), "w.ipynb")


def kept(*cells: Any) -> list[str]:
    """The lines that are used."""
    lines = (line.strip() for line in script(*cells).text.split("\n"))
    return [line for line in lines if line not in ("", "pass")]


def refusal(data: bytes) -> str:
    with pytest.raises(NotebookError) as caught:
        notebook.script(data, "w.ipynb")
    message = str(caught.value)
    assert message.startswith("w.ipynb ")
    assert message.isprintable()
    return message


@pytest.mark.parametrize(
    "line",
    [
        "import torch",
        "from torch import nn",
        "from d2l import torch as d2l",
        "EPS = 1e-6",
        "SIZES: tuple[int, ...] = (3, 5)",
        "a, b = 1, 2",
        "DTYPE = torch.float32",
        "K = torch.tensor([[1.0, -1.0]]).reshape(1, 2)",
        "device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        "relu = nn.ReLU()",
        "Conv = partial(nn.Conv2d, bias=False)",
        "half = lambda x: train(x)",
        "SIZES += (7,)",
        "Conv2D.forward = forward",
        "def f(x): return train(x)",
        "class A(nn.Module): x = train()",
    ],
)
def test_definitions_are_used(line: str) -> None:
    imports = "import torch\nfrom functools import partial\nfrom torch import nn\n"
    assert line in kept(imports + line)


@pytest.mark.parametrize(
    "line",
    [
        "net = LeNet()",
        "trainer.fit(net)",
        "loss = train(net)",
        "losses = [train(net) for _ in range(9)]",
        "x = net(torch.ones(3))",
        "for epoch in range(10): train()",
        "while True: pass",
        "with torch.no_grad(): net(x)",
        "state = torch.load('w.pt')",
        "torch.save(net, 'w.pt')",
        "plt.plot(x)",
        "assert corr2d(X, K)",
        "print('hello')",
        "if __name__ == '__main__': x = 1",
        "if train(): x = 1",
        "try: x = train()\nexcept Exception: x = 1",
        "del x",
        "X[0] = 1",
        "x = await train()",
        "x = (yield)",
        "x = {**open('f')}",
        "x = lambda a=train(): a",
        "x = torch.ones(3).backward()",
        "x = __import__('os').system('ls')",
        "y = (z := train())",
        "return 3",
    ],
)
def test_what_runs_something_is_left_out(line: str) -> None:
    found = script(f"import torch\n{line}\nafter = 1")
    used = [one for one in found.text.split("\n") if one not in ("", "pass")]
    assert used == ["import torch", "after = 1"]
    assert "the rest of cell 1 was not run" in found.notes[-1]


def test_a_fallback_for_an_import_is_used() -> None:
    lines = ["try:", "    import d2l", "except ImportError:", "    d2l = None"]
    assert [line.strip() for line in lines] == kept("\n".join(lines))


def test_statements_of_one_line_are_told_apart() -> None:
    text = script("a = 1; train(\n  a); b = '''\nx'''; train()  # now\nc = 3").text
    names: dict[str, Any] = {}
    exec(text, names)
    assert (names["a"], names["b"], names["c"]) == (1, "\nx", 3)
    assert text.split("\n").index("c = 3") + 1 == 1004


def test_line_numbers_say_cell_and_line() -> None:
    found = script(
        "import torch", {"cell_type": "markdown", "source": "# hi"}, "\n\ndef f():\n  1/0"
    )
    code = compile(found.text, "w.ipynb", "exec")
    names: dict[str, Any] = {}
    exec(code, names)
    with pytest.raises(ZeroDivisionError) as caught:
        names["f"]()
    assert caught.traceback[-1].lineno + 1 == 2004  # code cell 2, line 4
    assert "line 1012 is line 12 of cell 1" in found.notes[0]


def test_long_cells_are_spaced_further() -> None:
    found = script("x = 1\n" * 3_000, "y = 2")
    assert found.step == 100_000
    assert found.text.split("\n")[200_000] == "y = 2"


@pytest.mark.parametrize(
    ("cell", "used"),
    [
        ("%matplotlib inline\nx = 1", ["x = 1"]),
        ("!pip install torch\nx = 1", ["x = 1"]),
        ("x = 1\nx?\n?x\nx??", ["x = 1"]),
        ("files = !ls\nx = 1", ["x = 1"]),
        ("t = %timeit -o f()\nx = 1", ["x = 1"]),
        ("def f():\n    !ls\n    return 1", ["def f():", "return 1"]),
        ("%%bash\nrm -rf /", []),
        ("%%html\nx = 1", []),
        ("%%time\nx = 1", ["x = 1"]),
        ("\n%%capture out\nx = 1", ["x = 1"]),
        ("x = (7\n% 4)", ["x = (7", "% 4)"]),
        ("%pylab\nx = (7\n% 4)", ["x = (7", "% 4)"]),
        ("s = '''\n!not a command\n'''", ["s = '''", "!not a command", "'''"]),
    ],
)
def test_notebook_commands_are_dropped(cell: str, used: list[str]) -> None:
    assert kept(cell) == used


def test_a_broken_cell_costs_its_own_functions_alone() -> None:
    found = script(CORR2D, "def pool2d(X:\n    pass\nclass A(:\n")
    names: dict[str, Any] = {}
    exec(found.text, names)
    assert names["corr2d"](3, 4) == 3
    with pytest.raises(SyntaxError, match="cell 2, line 2"):
        names["pool2d"](1, p=2)
    with pytest.raises(SyntaxError, match="cell 2, line 2"):
        names["A"]()
    assert any("w.ipynb, cell 2, line 2" in note for note in found.notes)


@pytest.mark.parametrize(
    "cell",
    [
        "x = " + "(" * 500 + ")" * 500,
        "if a:\n  pass\n" + "elif a:\n  pass\n" * 900,
        "x = " + "-" * 900 + "1",
        "!x\n" * 5_000 + "(",
        "x = 1" + "0" * 5_000,
        "'\\d'",
        "def \u202ef(): pass",
    ],
)
def test_cells_that_strain_the_parser(cell: str) -> None:
    found = script(cell, CORR2D)
    assert CORR2D in found.text
    assert all(note.isprintable() for note in found.notes)


def test_annotations_of_the_future_stand_first() -> None:
    found = script("x = 1", "from __future__ import annotations\ndef f(a: Nowhere): return a")
    names: dict[str, Any] = {}
    exec(found.text, names)
    assert names["f"](1) == 1


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "JSON is broken"),
        (b"{}", "holds no cells"),
        (b"[]", "holds no cells"),
        (b"null", "holds no cells"),
        (book("x")[:-5], "JSON is broken"),
        (b"\xff\xfe{}", "not valid UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"nbformat": 4, "nbformat_minor": 4, "cells": 3}', "holds no cells"),
        (book(cells=[{"cell_type": "code"}]), "holds no cells"),
        (book(["x", 3]), "holds no cells"),
        (book({"cell_type": "code", "source": {"a": 1}}), "holds no cells"),
        (book("x", nbformat="four"), "holds no cells"),
        (book("x", nbformat=99), "nbformat can"),
        (book("x", nbformat=10**4000), "nbformat"),
        (book("x = '\ud800'"), "no source may hold"),
        (book("x\0"), "no source may hold"),
        (book(*["x = 1"] * 2_001), "more than 2,000"),
        (book("x\n" * 100_001), "more than 100,000 lines"),
        (book("x", metadata={"kernelspec": {"language": "R\x1b"}}), r"written in R\x1b"),
        (book("x", metadata={"language_info": {"name": "julia"}}), "julia"),
    ],
)
def test_refused(data: bytes, why: str) -> None:
    assert why in refusal(data)


def test_hostile_outputs_and_metadata_are_not_looked_at() -> None:
    cell = {
        "cell_type": "code",
        "source": CORR2D.splitlines(keepends=True),
        "metadata": {"name": 3, "tags": "x"},
        "outputs": "\x1b]0;x",
        "attachments": None,
        "id": "../../x",
    }
    data = book(cell, {"cell_type": "\x1b"}, metadata={"kernelspec": "x", "language_info": []})
    assert CORR2D in notebook.script(data, "w.ipynb").text


def test_an_old_notebook() -> None:
    cell = {"cell_type": "code", "input": [CORR2D], "language": "python", "outputs": []}
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": [cell]}]}
    assert CORR2D in notebook.script(json.dumps(old).encode(), "w.ipynb").text


# As a submission


def test_a_notebook_is_a_submission(tmp_path: Path) -> None:
    course = _course()
    path = tmp_path / "my work.ipynb"
    path.write_bytes(book("%pylab\nimport torch", CONV, "corr2d(1, 2)", POOLING))
    asked = [e for e in course.exercises if e.chapter == "ch07"]
    submission = read(path, course, asked)
    assert set(submission.homes) >= {"ch07/corr2d", "ch07/Conv2D", "ch07/pool2d"}
    assert submission.sources["my work"].path == str(path)
    assert submission.partial
    assert any("cells 1 and 3 was not run" in note for note in submission.notes)


def test_notebooks_among_loose_files(tmp_path: Path) -> None:
    course = _course()
    (tmp_path / "a.ipynb").write_bytes(book(CONV))
    (tmp_path / "b.ipynb").write_bytes(b"{")
    (tmp_path / "pool.py").write_text(POOLING)
    asked = [e for e in course.exercises if e.chapter == "ch07"]
    submission = read(tmp_path, course, asked)
    assert submission.homes["ch07/corr2d"] == "a"
    assert any("b.ipynb is not a notebook" in note for note in submission.notes)
    (tmp_path / "a.py").write_text(CORR2D)  # exported from it
    submission = read(tmp_path, course, asked)
    assert submission.sources[submission.homes["ch07/corr2d"]].path.endswith("a.py")
    assert submission.homes["ch07/pool2d"] == "pool"


def test_a_notebook_too_large(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    with path.open("wb") as file:
        file.truncate(20_000_000)
    with pytest.raises(SubmissionError, match="larger than 16 MB"):
        read(path, _course(), _course().exercises)


def test_nbformat_is_imported_for_notebooks_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(CORR2D)
    script = (
        "import sys; from pathlib import Path; from d2lgrade.submission import source\n"
        "source.load(Path(sys.argv[1]), 'k', None)\n"
        "assert not {'nbformat', 'zipfile'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=True, timeout=60)
