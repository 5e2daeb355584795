"""The command line as a learner meets it: exit codes, formats, targets, and plain pytest beside it.

What needs no grading runs in this process; each route through the judge is a command of its own.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from d2lgrade import __version__
from d2lgrade.cli import group
from d2lgrade.cli.commands import COMMANDS
from grading import ROOT
from kits import FOLDER, TEST_POOLING, make_kit, write

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "grader")}
WRONG = "def pool2d(X, pool_size, mode='max'):\n    return X\n"


def run(*args: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`d2lgrade ARGS` as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "d2lgrade", *args],
        cwd=cwd,
        env={**ENVIRONMENT, **environment},
        capture_output=True,
        text=True,
        timeout=180,
    )


def invoke(*args: str) -> Result:
    """`d2lgrade ARGS` in this process."""
    return CliRunner().invoke(group, list(args), standalone_mode=True)


@pytest.fixture
def kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny kit, as the current folder."""
    root = make_kit(tmp_path)
    monkeypatch.chdir(root)
    return root


# Exit codes and the default command --------------------------------------------------------------


def test_right_code_exits_with_0(kit: Path) -> None:
    done = run("ch7", "--submission", "solutions", cwd=kit)
    assert (done.returncode, done.stderr) == (0, "")
    assert "7.5 of 7.5 points   3 of 3 exercises solved" in done.stdout
    assert "All solved." in done.stdout
    assert "\x1b" not in done.stdout  # piped: no colour, no animation
    assert not (kit / ".d2lgrade").exists()  # somebody else's work is no progress of mine


def test_stubs_exit_with_1_and_are_all_to_do(kit: Path) -> None:
    done = run("grade", cwd=kit)
    assert (done.returncode, done.stderr) == (1, "")
    assert "0 of 7.5 points   0 of 3 exercises solved, 3 to do" in done.stdout
    assert "d2lgrade hint corr2d" in done.stdout


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("corr2dd",), "Did you mean corr2d"),
        (("ch9",), "Did you mean ch07?"),
        (("7.9",), "Did you mean 7.2 or 7.5?"),
        (("stauts",), "For the command, write `d2lgrade status`."),
        (("--edition", "zh", "list"), "For the command, write `d2lgrade list`."),
        (("list", "pool2"), "Did you mean pool2d"),
        (("hint", "corr2"), "Did you mean corr2d"),
        (("hint", "ch7"), "name one of them: corr2d, corr2d_twice, pool2d."),
        (("hint", "corr2d", "--step", "4"), "1<=x<=3"),
        (("--frobnicate",), "No such option"),
        (("--format", "xml", "ch7"), "'xml' is not one of"),
        (("--seed", "x"), "'x' is not a valid integer"),
        (("corr2d", "--output", "no/such/folder/report.txt"), "there is no folder no/such/folder"),
        (("corr2d", "--output", "checks"), "checks is a folder; name a file in it"),
        (("corr2d", "--kit", "checks"), "so it is no kit"),
        (("dev", "check", "corr2"), "Did you mean corr2d"),
    ],
)
def test_what_cannot_be_understood_exits_with_2(
    args: tuple[str, ...], says: str, kit: Path
) -> None:
    done = invoke(*args)
    assert done.exit_code == 2
    assert says in done.output
    assert "Traceback" not in done.output


def test_a_submission_that_is_not_there_exits_with_2(kit: Path) -> None:
    done = run("corr2d", "--submission", "solution", cwd=kit)
    assert (done.returncode, done.stdout) == (2, "")
    assert "There is no solution. Did you mean solutions?" in done.stderr


def test_a_broken_check_exits_with_3_and_says_so(kit: Path) -> None:
    path = kit / "checks" / FOLDER / "test_pooling.py"
    write(path, TEST_POOLING.replace("    with pytest.raises", "    {}[1]\n    with pytest.raises"))
    done = run("pool2d", "--submission", "solutions", cwd=kit)
    assert done.returncode == 3
    assert "2.5 of 2.5 points" in done.stdout
    assert "The grader itself failed in pool2d." in done.stdout


def test_options_may_stand_before_the_targets(kit: Path) -> None:
    done = run("--seed", "3", "--feedback", "score", "pool2d", "--submission", "solutions", cwd=kit)
    assert done.returncode == 0
    assert "seed 3" in done.stdout


def test_every_command_has_a_help_text() -> None:
    top = invoke("--help")
    assert top.exit_code == 0
    for name, command in COMMANDS.items():
        assert re.search(rf"^  {name} +\S", top.output, re.MULTILINE), name
        assert invoke(name, "--help").exit_code == 0
        assert command.help
    assert invoke("--version").output == f"d2lgrade, version {__version__}\n"


# Formats -----------------------------------------------------------------------------------------

TEXT, NUMBER = str, (int, float)
REPORT: dict[str, Any] = {
    "schema": int, "d2lgrade": TEXT, "target": TEXT, "seed": int, "submission": TEXT,
    "environment": dict, "sandbox": dict, "points": NUMBER, "max_points": NUMBER, "passed": bool,
    "speed": list, "exercises": list,
}  # fmt: skip
EXERCISE: dict[str, Any] = {
    "id": TEXT, "section": TEXT, "title": TEXT, "status": TEXT, "points": NUMBER,
    "max_points": NUMBER, "credited_with": list, "flags": list, "checks": list,
}  # fmt: skip
CHECK: dict[str, Any] = {
    "id": TEXT, "title": TEXT, "kind": TEXT, "status": TEXT, "points": NUMBER,
    "max_points": NUMBER, "message": TEXT, "hint": TEXT, "misconception": TEXT, "stdout": TEXT,
    "seconds": NUMBER,
}  # fmt: skip
CHECK_STATUSES = {
    "passed",
    "failed",
    "error",
    "timeout",
    "crashed",
    "todo",
    "skipped",
    "unstable",
    "grader_error",
}


def fits(data: dict[str, Any], schema: dict[str, Any]) -> None:
    """Every field of the schema is there with its type; more are allowed."""
    for name, kind in schema.items():
        assert isinstance(data[name], kind), name


def test_json_keeps_its_schema(kit: Path) -> None:
    write(kit / "exercises" / FOLDER / "pooling.py", "print('loaded')\n" + WRONG)
    done = run("ch7", "--format", "json", cwd=kit)
    assert (done.returncode, done.stderr) == (1, "")
    report = json.loads(done.stdout)
    fits(report, REPORT)
    assert (report["schema"], report["target"], report["passed"]) == (1, "ch7", False)
    assert report["sandbox"]["level"] == "process"
    assert [e["id"] for e in report["exercises"]] == [
        "ch07/corr2d",
        "ch07/corr2d_twice",
        "ch07/pool2d",
    ]
    for exercise in report["exercises"]:
        fits(exercise, EXERCISE)
        assert exercise["status"] in {"passed", "failed", "todo", "skipped", "grader_error"}
        assert sum(c["max_points"] for c in exercise["checks"]) == exercise["max_points"]
        for check in exercise["checks"]:
            fits(check, CHECK)
            assert check["status"] in CHECK_STATUSES
            assert check["kind"] in {"core", "polish"}
            assert check["id"].startswith(exercise["id"] + "/")
    values = report["exercises"][2]["checks"][0]
    assert values["status"] == "failed"
    assert values["message"].startswith("The result has the wrong shape.")
    assert (values["stdout"], values["hint"]) == ("loaded\n", "d2lgrade hint pool2d")


def test_other_formats_are_well_formed_and_files_are_written_whole(kit: Path) -> None:
    reports = kit / "reports"
    reports.mkdir()
    write(reports / "junit.xml", "of last week")
    done = run("ch7", "--format", "junit", "--output", "reports/junit.xml", cwd=kit)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    cases = list(ET.parse(reports / "junit.xml").iter("testcase"))
    assert len(cases) == 6
    done = run("ch7", "--format", "markdown", "--output", "reports/report.md", cwd=kit)
    assert (done.returncode, done.stdout) == (1, "")
    assert "corr2d" in (reports / "report.md").read_text("utf-8")
    assert sorted(p.name for p in reports.iterdir()) == ["junit.xml", "report.md"]


def test_a_report_that_cannot_be_finished_leaves_the_old_one(
    kit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from d2lgrade.cli import grading

    old = write(kit / "report.txt", "of last week")

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        grading._replace(old, "new")
    assert old.read_text("utf-8") == "of last week"
    assert [p.name for p in kit.iterdir() if p.name.startswith(".d2lgrade-")] == []


def test_feedback_holds_back_what_it_says(kit: Path) -> None:
    write(kit / "exercises" / FOLDER / "pooling.py", WRONG)
    told = {
        level: run("pool2d", "--feedback", level, cwd=kit).stdout for level in ("hints", "score")
    }
    assert "expected" not in told["hints"]
    assert "wrong shape" in told["hints"]
    assert "wrong shape" not in told["score"]
    assert all("0 of 2.5 points" in text for text in told.values())


def test_colour_only_where_it_is_wanted(kit: Path) -> None:
    coloured = run("list", cwd=kit, FORCE_COLOR="1").stdout
    assert "\x1b[" in coloured
    assert "\x1b" not in run("list", cwd=kit).stdout
    plain = run("list", cwd=kit, FORCE_COLOR="1", NO_COLOR="1").stdout
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]", plain)  # no colour; bold and dim may stay


# Editions, listing, hints, progress --------------------------------------------------------------


def test_the_chinese_edition_has_its_own_numbers(kit: Path) -> None:
    listed = invoke("list", "6.2", "--edition", "zh").output
    assert listed.startswith("6 Convolutional neural networks\n  6.2 Convolutions for images")
    assert "pool2d" not in listed
    assert invoke("list", "7.2", "--edition", "zh").exit_code == 2
    assert "(6.5)" in invoke("hint", "pool2d", "--edition", "zh").output
    done = run("6.5", "--edition", "zh", "--submission", "solutions", cwd=kit)
    assert done.returncode == 0
    assert "6.5 Pooling" in done.stdout


def test_another_kit_can_be_named(kit: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert "corr2d_twice" in invoke("list", "--kit", str(kit)).output


def test_hints_come_one_after_the_other(kit: Path) -> None:
    first = invoke("hint", "corr2d").output
    assert "1. Slide the kernel over the image." in first
    assert "2." not in first
    assert "More: d2lgrade hint corr2d --step 2" in first
    last = invoke("hint", "ch07/corr2d", "--step", "3").output
    assert "3. Multiply, then sum." in last
    assert "More" not in last


def test_progress_is_remembered_and_the_next_thing_named(kit: Path) -> None:
    assert run("ch7", cwd=kit).returncode == 1
    before = invoke()
    assert before.exit_code == 0
    assert "0/3" in before.output
    assert "Next: corr2d" in before.output
    solution = (kit / "solutions" / FOLDER / "conv_layer.py").read_text("utf-8")
    write(kit / "exercises" / FOLDER / "conv_layer.py", solution)
    assert run("ch7", cwd=kit).returncode == 1
    after = invoke("status").output
    assert "2/3" in after
    assert "5/7.5" in after
    assert "Next: pool2d" in after
    listed = invoke("list").output
    assert re.search("✔ +corr2d ", listed)
    assert re.search("○ +pool2d ", listed)


def test_a_new_folder_is_laid_out_graded_and_never_overwritten(kit: Path, tmp_path: Path) -> None:
    course = tmp_path / "course"
    write(kit / "exercises" / FOLDER / "README.md", "What the chapter is about.")
    done = invoke("init", str(course), "--level", "guided")
    assert done.exit_code == 0
    page = course / "exercises" / FOLDER / "README.md"
    assert page.read_text("utf-8") == "What the chapter is about."
    assert "____" in (course / "exercises" / FOLDER / "pooling.py").read_text("utf-8")
    solution = (kit / "solutions" / FOLDER / "pooling.py").read_text("utf-8")
    mine = write(course / "exercises" / FOLDER / "pooling.py", solution)
    again = invoke("init", str(course))
    assert again.exit_code == 2
    assert "`init` never overwrites" in again.output
    assert mine.read_text("utf-8") == solution
    done = run("ch7", "--kit", str(kit), cwd=course)
    assert done.returncode == 1
    assert "1 of 3 exercises solved, 2 to do" in done.stdout
    assert (course / ".d2lgrade" / "progress.sqlite").exists()
    assert not (kit / ".d2lgrade").exists()


def test_debug_mode_leaves_the_learners_prints_and_process_alone(kit: Path) -> None:
    write(
        kit / "exercises" / FOLDER / "pooling.py",
        "import os\n\n\ndef pool2d(X, pool_size, mode='max'):\n"
        "    print('parent', os.getppid())\n    return X\n",
    )
    done = run("pool2d", "--debug", cwd=kit)
    assert done.returncode == 1
    assert f"parent {os.getpid()}" in done.stdout
    assert not (kit / ".d2lgrade").exists()


# A hostile place to be run in --------------------------------------------------------------------

EVIL = "raise SystemExit('planted')\n"
PLANTED = ("torch.py", "numpy.py", "pytest.py", "click.py", "sitecustomize.py", "conftest.py")


def test_planted_files_and_variables_have_no_effect(kit: Path) -> None:
    for folder in (kit, kit / "exercises", kit / "exercises" / FOLDER, kit / "checks"):
        for name in PLANTED:
            write(folder / name, EVIL)
        write(folder / "pytest.ini", "[pytest]\naddopts = --collect-only --nosuch\n")
        write(folder / "setup.cfg", "[tool:pytest]\naddopts = --nosuch\n")
    solution = (kit / "solutions" / FOLDER / "pooling.py").read_text("utf-8")
    write(kit / "exercises" / FOLDER / "pooling.py", solution)
    done = run(
        "pool2d",
        cwd=kit,
        PYTEST_ADDOPTS="--collect-only -p planted",
        PYTEST_PLUGINS="planted",
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "2.5 of 2.5 points" in done.stdout


# Plain pytest ------------------------------------------------------------------------------------


def pytest_on(kit: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """`pytest checks/ch07_… ARGS` with the plugin; an installed package loads it by itself."""
    installed = any(entry.name == "d2lgrade" for entry in entry_points(group="pytest11"))
    plugin = [] if installed else ["-p", "d2lgrade.judge.plugin"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plugin, f"checks/{FOLDER}", "-q",
         "-p", "no:cacheprovider", *args],
        cwd=kit,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=180,
    )  # fmt: skip


def test_plain_pytest_comes_to_the_same_verdict(kit: Path) -> None:
    done = pytest_on(kit, "--submission", "solutions")
    assert done.returncode == 0, done.stdout
    assert "6 passed" in done.stdout


def test_plain_pytest_takes_its_own_flags(kit: Path) -> None:
    write(kit / "exercises" / FOLDER / "pooling.py", WRONG)
    done = pytest_on(kit, "-k", "pool2d")
    assert done.returncode == 1
    assert "2 failed, 4 deselected" in done.stdout
    assert "failed: ch07/pool2d/values · equals PyTorch on every shape" in done.stdout
    assert "The result has the wrong shape." in done.stdout
    assert "examiner.py" not in done.stdout  # no frame of the judge
    stopped = pytest_on(kit, "-x")
    assert "1 failed" in stopped.stdout
    assert "stopping after 1 failures" in stopped.stdout


def test_plain_pytest_runs_on_several_workers(kit: Path) -> None:
    done = pytest_on(kit, "--submission", "solutions", "-n", "2")
    assert done.returncode == 0, done.stdout
    assert "6 passed" in done.stdout
