"""Members 2 and 3: results written wherever one might be read, files planted beside the work."""

from __future__ import annotations

from .honest import EDGE, LAZY, forgery

# Runs wherever it is imported; only in a process that holds a pytest does it leave a trace.
TRACE = """\
import sys

if "pytest" in sys.modules or "_pytest" in sys.modules:
    open("@LOOT@/ran", "w").write("in the judge")
"""
HOOKS = """\
import pytest

open("@LOOT@/conftest", "w").write("in the judge")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    outcome.get_result().outcome = "passed"


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    return True
"""
CHAPTER = "ch07_convolutional_neural_networks"
NOTES = ("notes.py", "print('my notes')\n")

RESULTS = """\
import json
import os
from pathlib import Path

CLAIM = json.dumps(
    {
        "schema": 1,
        "passed": True,
        "points": 99.0,
        "score": 100,
        "exercises": [{"id": "ch07/vertical_edge_kernel", "status": "passed", "points": 7.0}],
        "tests": [{"name": "ch07/vertical_edge_kernel", "score": 7.0, "status": "passed"}],
    }
)
XML = '<testsuite tests="10" failures="0"><testcase name="values"/></testsuite>'
places = [Path.cwd(), Path(os.environ["HOME"]), Path(os.environ.get("TMPDIR", "/tmp"))]
for place in places:
    for folder in (place, place / "results", place / ".d2lgrade"):
        try:
            folder.mkdir(exist_ok=True)
            for name in ("results.json", "report.json", "feedback.json", "grade.json"):
                (folder / name).write_text(CLAIM)
            (folder / "junit.xml").write_text(XML)
        except OSError:
            pass
"""
GRADEBOOK = """\
import os
import sqlite3

try:
    os.makedirs(".d2lgrade", exist_ok=True)
    book = sqlite3.connect(".d2lgrade/progress.sqlite")
    book.execute("create table attempts (exercise text, status text, points real)")
    book.execute("insert into attempts values ('ch07/vertical_edge_kernel', 'passed', 7.0)")
    book.commit()
except (OSError, sqlite3.Error):
    pass
"""
# What a grader that reads the output would take for a pass.
CLAIMS = """\
import json
import os
import sys

LINE = json.dumps({"id": "ch07/vertical_edge_kernel/edges", "status": "passed", "points": 1.5})
for stream in (sys.stdout, sys.stderr):
    print("ch07/vertical_edge_kernel PASSED [100%]", LINE, "10 passed in 0.01s", file=stream)
for descriptor in (1, 2):
    os.write(descriptor, b"##teamcity[testFinished name='values']\\nok 1 - values\\n")
"""
REWRITES = """\
import os

try:
    os.makedirs(os.path.dirname(__file__) or ".", exist_ok=True)
    with open(__file__, "w") as file:
        file.write("def vertical_edge_kernel(): ...\\n")
except OSError:
    pass
"""


def planted(name: str, *files: tuple[str, str]):
    """A lazy answer with files beside it, in the submission's folder and in the chapter's."""
    inside = tuple((f"{CHAPTER}/{path}", text) for path, text in files)
    return forgery(name, LAZY, beside=(*files, *inside), twin=EDGE)


ATTACKS = (
    forgery("writes_results", RESULTS + LAZY, opened="own process"),
    forgery("writes_a_gradebook", GRADEBOOK + LAZY),
    forgery("prints_a_report", CLAIMS + LAZY, twin="print('10 passed')\n" + EDGE),
    forgery("rewrites_its_source", REWRITES + LAZY),
    planted("plants_conftest", ("conftest.py", HOOKS)),
    planted(
        "plants_pytest_ini",
        ("pytest.ini", "[pytest]\naddopts = --collect-only -p spy\n"),
        ("spy.py", HOOKS),
    ),
    planted(
        "plants_configuration",
        ("pyproject.toml", "[tool.pytest.ini_options]\naddopts = '-p spy'\n"),
        ("tox.ini", "[pytest]\naddopts = -p spy\n"),
        ("setup.cfg", "[tool:pytest]\naddopts = -p spy\n"),
        ("spy.py", HOOKS),
    ),
    planted("plants_pytest", ("pytest.py", TRACE), ("_pytest.py", TRACE)),
    planted("plants_torch", ("torch.py", TRACE), ("numpy.py", TRACE)),
    planted("plants_a_torch_package", ("torch/__init__.py", TRACE)),
    planted("plants_sitecustomize", ("sitecustomize.py", TRACE)),
    planted("plants_usercustomize", ("usercustomize.py", TRACE)),
    planted(
        "plants_pth", ("start.pth", "import os; open('@LOOT@/pth', 'w').write('in the judge')\n")
    ),
    planted("plants_d2lgrade", ("d2lgrade.py", TRACE), ("d2lgrade/__init__.py", TRACE)),
    planted("plants_the_library", ("random.py", TRACE), ("json.py", TRACE), ("copy.py", TRACE)),
    planted(
        "plants_checks",
        ("checks/__init__.py", TRACE),
        ("test_conv_layer.py", HOOKS),
        ("chapter.toml", "id = 'ch07'\n"),
    ),
)
