"""How a verdict is reached: no cascade, smallest counterexample, seeds, misconceptions, our faults.

The judge's rules are tried on the tiny kit, whose checks a test can break, and where they need
more exercises on the course itself.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from d2lgrade.judge.session import GraderFault
from d2lgrade.results import Report, failure_text, to_json
from grading import Case, Grader, check_of, exercise_of, lost, redefined, statuses
from kits import FOLDER, make_kit, write

# No cascade --------------------------------------------------------------------------------------

TARGETS = ("conv_layer", "channels", "conv_output_shape")
BELOW = ("corr2d_multi_in", "corr2d_multi_in_out")  # in another file, built on corr2d
LAST_ONLY = "return corr2d(X[-1], K[-1])"


def cases(grader: Grader) -> dict[str, dict[str, str | bytes | None]]:
    """Submissions with corr2d wrong, each in its own way; the last two have more mistakes."""
    solution = grader.solution("conv_layer")
    wrong = grader.planted("corr2d", "kernel-flipped")
    careless = {"channels": redefined(grader.solution("channels"), BELOW[0], "X, K", LAST_ONLY)}
    reaching = grader.solution("channels") + "\nimport conv_layer\n\nconv_layer.corr2d = corr2d\n"
    return {
        "wrong": wrong,
        "raises": {"conv_layer": redefined(solution, "corr2d", "X, K", "return 1 / 0")},
        "ends": {"conv_layer": redefined(solution, "corr2d", "X, K", "import os\nos._exit(0)")},
        "stub": {"conv_layer": grader.stub("conv_layer")},
        "raises on import": {"conv_layer": solution + "\n1 / 0\n"},
        "does not parse": {"conv_layer": solution + "\ndef (\n"},
        "empty": {"conv_layer": ""},
        "missing": {"conv_layer": None},
        "reaching": {**wrong, "channels": reaching},
        "two mistakes": {**wrong, **careless},
        "stub and mistake": {"conv_layer": grader.stub("conv_layer"), **careless},
    }


@pytest.fixture(scope="module")
def cascades(grader: Grader) -> Mapping[str, Report]:
    found = cases(grader)
    reports = grader.grade([Case(files, TARGETS) for files in found.values()])
    return dict(zip(found, reports, strict=True))


ALONE = (
    "wrong",
    "raises",
    "ends",
    "stub",
    "raises on import",
    "does not parse",
    "empty",
    "missing",
)


@pytest.mark.parametrize("name", ALONE)
def test_what_builds_on_a_wrong_predecessor_is_credited(
    name: str, cascades: Mapping[str, Report]
) -> None:
    report = cascades[name]
    for below in BELOW:
        result = exercise_of(report, below)
        assert (result.status, result.points) == ("passed", result.max_points), name
        assert result.credited_with == ("ch07/corr2d",)
        assert not any(check.failure or check.hint for check in result.checks)


@pytest.mark.parametrize("name", ALONE)
def test_the_predecessor_itself_is_not_credited(name: str, cascades: Mapping[str, Report]) -> None:
    result = exercise_of(cascades[name], "corr2d")
    assert result.status in ("failed", "todo")
    assert result.credited_with == ()
    assert check_of(cascades[name], "corr2d/values").points == 0


@pytest.mark.parametrize("name", ALONE)
def test_what_does_not_build_on_it_needs_no_credit(
    name: str, cascades: Mapping[str, Report]
) -> None:
    # The 1x1 shares a file with exercises that import corr2d, and never calls it.
    for independent in ("corr2d_multi_in_out_1x1", "conv_output_shape"):
        result = exercise_of(cascades[name], independent)
        assert (result.status, result.points) == ("passed", result.max_points)
        assert result.credited_with == ()


def test_code_that_meets_a_substitute_cannot_lend_it(cascades: Mapping[str, Report]) -> None:
    assert exercise_of(cascades["reaching"], "corr2d").status == "failed"
    assert exercise_of(cascades["reaching"], "corr2d_multi_in").status == "passed"


@pytest.mark.parametrize("name", ["two mistakes", "stub and mistake"])
def test_a_mistake_of_its_own_is_told_apart_from_the_predecessors(
    name: str, cascades: Mapping[str, Report]
) -> None:
    report = cascades[name]
    values = check_of(report, "corr2d_multi_in/values")
    assert values.status == "failed"
    assert values.failure is not None
    assert values.failure.misconception == "last-channel-only"
    assert exercise_of(report, "corr2d_multi_in").status == "failed"


def test_credit_is_transitive(cascades: Mapping[str, Report]) -> None:
    result = exercise_of(cascades["two mistakes"], "corr2d_multi_in_out")
    assert result.status == "passed"
    assert result.credited_with == ("ch07/corr2d", "ch07/corr2d_multi_in")


# Explanations ------------------------------------------------------------------------------------


def test_a_misconception_is_named_with_its_reason_and_the_smallest_counterexample(
    cascades: Mapping[str, Report],
) -> None:
    failure = check_of(cascades["wrong"], "corr2d/values").failure
    assert failure is not None
    assert failure.misconception == "kernel-flipped"
    assert "turned by 180 degrees" in failure.why
    assert "7.2.5" in failure.why
    assert failure.called == "corr2d(X, K)"
    # A kernel of one entry cannot be flipped: the smallest that shows it has two by two.
    assert [a.summary for a in failure.arguments] == ["float32 (2, 2)", "float32 (2, 2)"]
    assert failure.expected != failure.got
    assert "1 of 1 differ" in failure.difference


def test_an_unknown_mistake_gets_no_misconception(tiny: Grader) -> None:
    text = redefined(tiny.solution("pooling"), "pool2d", "X, pool_size, mode='max'", "return 7 * X")
    [report] = tiny.grade([Case({"pooling": text}, ("pool2d",))])
    failure = check_of(report, "pool2d/values").failure
    assert failure is not None
    assert (failure.misconception, failure.why) == ("", "")


def test_prints_stand_beside_their_check(tiny: Grader) -> None:
    text = redefined(
        tiny.solution("conv_layer").replace("def corr2d(", "def F("),
        "corr2d",
        "X, K",
        "print('kernel', tuple(K.shape))\nreturn F(X, K)",
    )
    [report] = tiny.grade([Case({"conv_layer": text}, ("corr2d",))])
    assert report.passed
    shapes = ("(1, 1)", "(1, 2)", "(3, 2)")
    printed = "".join(f"kernel {shape}\n" for shape in shapes)
    assert check_of(report, "corr2d/values").stdout == printed
    assert check_of(report, "corr2d/orientation").stdout == "kernel (1, 2)\n"
    assert check_of(report, "corr2d/dtype").stdout == "kernel (2, 2)\n"


def test_prints_before_a_crash_are_kept(tiny: Grader) -> None:
    body = "print('so far')\nimport os\nos._exit(1)"
    text = redefined(tiny.solution("conv_layer"), "corr2d", "X, K", body)
    [report] = tiny.grade([Case({"conv_layer": text}, ("corr2d",))])
    assert [c.stdout for c in exercise_of(report, "corr2d").checks] == ["so far\n"] * 3
    assert {c.status for c in exercise_of(report, "corr2d").checks} == {"crashed"}


def test_a_flood_of_prints_is_cut(tiny: Grader) -> None:
    body = "print('spam ' * 10_000)\nreturn X"
    text = redefined(tiny.solution("conv_layer"), "corr2d", "X, K", body)
    [report] = tiny.grade([Case({"conv_layer": text}, ("corr2d",))])
    stdout = check_of(report, "corr2d/values").stdout
    assert len(stdout) < 5000
    assert stdout.startswith("spam spam")
    assert stdout.endswith("more characters)")


def test_to_do_until_the_last_definition_is_written(tiny: Grader) -> None:
    stub = tiny.stub("pooling")
    written = tiny.solution("pooling").replace("def pool2d(", "def F(")
    answer = redefined(stub + written, "pool2d", "X, size, mode='max'", "return F(X, size, mode)")
    undone = tiny.solution("pooling") + stub
    blank = tiny.stub("pooling", "guided")
    found = tiny.grade([Case({"pooling": text}, ("pool2d",)) for text in (answer, undone, blank)])
    assert [report.exercises[0].status for report in found] == ["passed", "todo", "todo"]
    assert [report.points for report in found[1:]] == [0, 0]


def test_statuses_of_exercises(tiny: Grader) -> None:
    right, polish = (
        tiny.solution("pooling"),
        redefined(
            tiny.solution("pooling").replace("def pool2d(", "def F("),
            "pool2d",
            "X, size, mode='max'",
            "return F(X, size, 'max' if mode == 'sum' else mode)",
        ),
    )
    texts = (right, polish, tiny.stub("pooling"), "def pool2d(X, size, mode='max'): return X\n")
    found = tiny.grade([Case({"pooling": text}, ("pool2d",)) for text in texts])
    assert [r.exercises[0].status for r in found] == ["passed", "passed", "todo", "failed"]
    assert [r.points for r in found] == [2.5, 2, 0, 0]
    assert [r.passed for r in found] == [True, True, False, False]
    assert lost(found[1]) == {"ch07/pool2d/mode"}
    assert check_of(found[1], "pool2d/mode").hint == "d2lgrade hint pool2d"


def test_until_failure_stops_at_the_first_check_that_fails(tiny: Grader) -> None:
    text = redefined(tiny.solution("conv_layer"), "corr2d", "X, K", "return X")
    [report] = tiny.grade([Case({"conv_layer": text}, ("corr2d",))], until_failure=True)
    assert [check.id for check in report.exercises[0].checks] == ["ch07/corr2d/values"]


def test_until_failure_leaves_the_next_submission_all_its_checks(tiny: Grader) -> None:
    """Also where that is judged by the checks of another file."""
    wrong = redefined(tiny.solution("conv_layer"), "corr2d", "X, K", "return X")
    cases = [Case({"conv_layer": wrong}, ("corr2d",)), Case({}, ("pool2d",))] * 2
    for report in tiny.grade(cases, until_failure=True)[1::2]:
        assert [c.status for c in report.exercises[0].checks] == ["passed", "passed"]


# Seeds -------------------------------------------------------------------------------------------


def plain(report: Report) -> dict[str, Any]:
    """The report without what may differ from run to run: times and temporary names."""
    data = to_json(report)
    data["submission"] = ""
    for exercise in data["exercises"]:
        for check in exercise["checks"]:
            check["seconds"] = 0
    return data


def test_a_regrade_gives_the_same_verdict_and_another_seed_other_inputs(tiny: Grader) -> None:
    text = redefined(
        tiny.solution("conv_layer"),
        "corr2d",
        "X, K",
        "import torch\nreturn torch.rand(1, 1)",
    )
    case = Case({"conv_layer": text}, ("corr2d",))
    first, again = tiny.grade([case, case], seed=0)
    [rotated] = tiny.grade([case], seed=1)
    assert plain(first) == plain(again)  # random numbers of the learner's own included
    before, after = (check_of(r, "corr2d/values").failure for r in (first, rotated))
    assert before is not None
    assert after is not None
    assert before.arguments != after.arguments
    assert (first.seed, rotated.seed) == (0, 1)


def test_the_solution_passes_under_any_seed(tiny: Grader) -> None:
    for seed in (0, 1, 2**40):
        [report] = tiny.grade([Case({}, ("all",))], seed=seed)
        assert report.passed


def test_checks_do_not_depend_on_which_others_run(tiny: Grader) -> None:
    right = tiny.solution("conv_layer").replace("def corr2d(", "def F(")
    drawing = redefined(right, "corr2d", "X, K", "torch.rand(1)\nreturn F(X, K)")
    text = redefined(drawing, "corr2d_twice", "X, K", "return torch.rand(1, 1)")
    alone, among = tiny.grade(
        [Case({"conv_layer": text}, targets) for targets in (("corr2d_twice",), ("all",))]
    )
    failures = [check_of(report, "corr2d_twice/values").failure for report in (alone, among)]
    assert failures[0] is not None
    assert failures[0] == failures[1]


# Debug mode --------------------------------------------------------------------------------------

MARKED = """\
import os
import sys

sys.d2lgrade_marker = [os.getpid()]


def pool2d(X, pool_size, mode="max"):
    sys.d2lgrade_marker.append(os.getpid())
    return X
"""


@pytest.fixture
def marker() -> Iterator[Any]:
    yield lambda: getattr(sys, "d2lgrade_marker", [])
    if hasattr(sys, "d2lgrade_marker"):
        del sys.d2lgrade_marker


@pytest.mark.parametrize("in_process", [False, True])
def test_learner_code_shares_the_judges_process_in_debug_mode_alone(
    in_process: bool, marker: Any, tiny: Grader
) -> None:
    [report] = tiny.grade([Case({"pooling": MARKED}, ("pool2d",))], in_process=in_process)
    assert statuses(report) == {"pool2d": "failed"}
    assert set(marker()) == ({os.getpid()} if in_process else set())
    assert report.sandbox["level"] == ("none" if in_process else "process")


# Our own faults ----------------------------------------------------------------------------------


def with_checks(tmp_path: Path, change: tuple[str, str]) -> Grader:
    """A grader of the tiny kit with something replaced in its pooling checks."""
    root = make_kit(tmp_path)
    path = root / "checks" / FOLDER / "test_pooling.py"
    text = path.read_text("utf-8")
    assert change[0] in text
    write(path, text.replace(*change, 1))
    return Grader(root)


def graded(tmp_path: Path, change: tuple[str, str], answer: str | None = None) -> Report:
    made = with_checks(tmp_path, change)
    try:
        files: dict[str, str | bytes | None] = {"pooling": answer} if answer else {}
        [report] = made.grade([Case(files, ("all",))])
        return report
    finally:
        made.close()


def test_a_broken_check_is_our_fault_and_costs_nothing(tmp_path: Path) -> None:
    report = graded(tmp_path, ("with pytest.raises", "{}['no such key']\n    with pytest.raises"))
    check = check_of(report, "pool2d/mode")
    assert (check.status, check.points) == ("grader_error", check.max_points)
    assert check.failure is not None
    assert "KeyError" in check.failure.message
    assert "this costs you nothing" in check.failure.message
    assert exercise_of(report, "pool2d").status == "grader_error"
    assert report.faulty
    assert not report.passed
    assert exercise_of(report, "corr2d").status == "passed"


def test_a_check_that_trips_over_what_came_back_is_the_learners_failure(tmp_path: Path) -> None:
    tripping = (
        "expected = truth(max_pool_torch, X, window)",
        "student.pool2d(X, window).sum()\n        expected = truth(max_pool_torch, X, window)",
    )
    report = graded(tmp_path, tripping, "def pool2d(X, pool_size, mode='max'):\n    X.sum()\n")
    check = check_of(report, "pool2d/values")
    assert (check.status, check.points) == ("failed", 0)
    assert check.failure is not None
    assert "could not go on with what pool2d returned: None (is a `return` missing?)" in (
        failure_text(check.failure)
    )
    assert not report.faulty


def test_a_lost_check_is_our_fault_and_never_a_pass(tmp_path: Path) -> None:
    skipped = ("def test_pool2d_values", "@pytest.mark.skip\ndef test_pool2d_values")
    report = graded(tmp_path, skipped)
    check = check_of(report, "pool2d/values")
    assert (check.status, check.points) == ("grader_error", check.max_points)
    assert exercise_of(report, "pool2d").status == "grader_error"
    assert not report.passed


def test_no_check_at_all_is_our_fault(tmp_path: Path) -> None:
    made = with_checks(tmp_path, ("import torch\n", "import torch\n\n__test__ = False\n"))
    with pytest.raises(GraderFault):
        made.grade([Case({}, ("pool2d",))])
    made.close()


def test_an_exception_that_does_not_come_fails_the_check(tiny: Grader) -> None:
    text = redefined(tiny.solution("pooling"), "pool2d", "X, size, mode='max'", "return X")
    [report] = tiny.grade([Case({"pooling": text}, ("pool2d",))])
    check = check_of(report, "pool2d/mode")
    assert check.status == "failed"
    assert check.failure is not None
    assert "DID NOT RAISE" in check.failure.message
