"""Bad input: each costs its own exercise, says in a sentence what to repair, loses nothing else.

Every case is graded end to end, with the course's solutions around it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from d2lgrade.results import Report, failure_text
from d2lgrade.sandbox.limits import Limits
from grading import Case, Grader, check_of, exercise_of, lost, redefined, statuses
from kits import CONV_LAYER, POOLING

SIGNATURE = "X, pool_size, mode='max'"
BYSTANDER = "vertical_edge_kernel"  # in another file: whatever happens must leave it alone


@dataclass(frozen=True)
class Bad:
    """A pooling.py and what its learner must read at the first check that it fails.

    Args:
        text: appended to the solution; with `whole`, all of the file; with `body`, a pool2d of it.
        check: where to look, as "exercise/check".
        status: of that check.
        says: a pattern in the failure's text.
        exercise: status of pool2d.
    """

    text: str | bytes
    status: str
    says: str
    check: str = "pool2d/max"
    whole: bool = False
    body: bool = False
    exercise: str = "failed"


def body(text: str, status: str, says: str, check: str = "pool2d/max") -> Bad:
    return Bad(text, status, says, check, body=True)


FILES = {
    "does not parse": Bad(
        "def pool2d(X, pool_size):\n    return (X\n",
        "error",
        r"pooling\.py, line 2 is not valid Python: '\(' was never closed",
        whole=True,
    ),
    "tabs and spaces": Bad(
        "def pool2d(X, pool_size):\n        Y = X\n\treturn Y\n",
        "error",
        r"pooling\.py, line 3: tabs and spaces are mixed .* four spaces",
        whole=True,
    ),
    "empty": Bad(
        "", "todo", r"pooling\.py is empty\. .*d2lgrade init", whole=True, exercise="todo"
    ),
    "binary": Bad(
        b"\x00\x01\x80\xff" * 30, "error", r"is not Python source.*plain text \(UTF-8\)", whole=True
    ),
    "raises on import": Bad(
        "\nundefined_name\n",
        "error",
        r"could not be imported: it raised NameError: name 'undefined_name' .*"
        r"pooling\.py:\d+, in <module>\n *undefined_name",
    ),
    "ends the program on import": Bad(
        "\nraise SystemExit(0)\n", "error", "could not be imported: it raised SystemExit"
    ),
    "not callable": Bad(
        "\npool2d = 7\n", "error", "Your pool2d is no function: 'int' object is not callable"
    ),
    "wrong signature": Bad(
        "\ndef pool2d(X):\n    return X\n",
        "error",
        r"Your pool2d takes \(X\); the contract is pool2d\(X, pool_size, mode='max'\)",
    ),
    "imports pandas": Bad(
        "import pandas\n",
        "error",
        "could not be imported: No module named 'pandas'. The exercises need torch, numpy and",
    ),
    "name not defined": Bad(
        "\ndel pool2d\n", "todo", "does not define pool2d yet", exercise="todo"
    ),
}
RESULTS = {
    "None": body("X.sum()", "failed", "is None where a torch.Tensor is due: is a `return` missing"),
    "a NumPy array": body("return X.numpy()", "failed", "is a numpy.ndarray where a torch.Tensor"),
    "a list": body("return X.tolist()", "failed", "is a list where a torch.Tensor is due"),
    "a string": body("return 'X'", "failed", "is a str where a torch.Tensor is due"),
    "a set": body("return {1, 2}", "failed", "is a set where a torch.Tensor is due"),
    "wrong dtype": body("return X.long()", "failed", "wrong dtype.*expected +float32.*got +int64"),
    "wrong shape": body("return X", "failed", r"wrong shape.*expected +shape \(1, 1\)"),
    "without a graph": body(
        "return F(X, pool_size, mode).detach()",
        "failed",
        r"The result carries no gradient: something cuts the graph",
        "pool2d/gradient",
    ),
    "not finite": body("return F(X, pool_size, mode) / 0", "failed", "not finite|infinite|inf"),
    "a value nested without end": body(
        "r = []\nfor _ in range(5000):\n    r = [r]\nreturn r", "error", "nested too deeply"
    ),
}
DEEDS = {
    "raises": body(
        "return X + nowhere",
        "error",
        r"Your code raised NameError: name 'nowhere' .*in pool2d\n *return X \+ nowhere",
    ),
    "raises an exception of its own": body(
        "class Odd(Exception):\n    def __str__(self):\n        raise ValueError\nraise Odd",
        "error",
        "Your code raised Odd",
    ),
    "ends its process": body(
        "import os\nos._exit(0)", "crashed", r"ended its own process \(exit status 0\)"
    ),
    "ends the program": body("exit()", "error", r"ended the program \(SystemExit\)"),
    "interrupts": body(
        "raise KeyboardInterrupt", "error", r"ended the program \(KeyboardInterrupt\)"
    ),
    "kills itself": body(
        "import os\nos.kill(os.getpid(), 9)", "crashed", "was killed: out of memory, or by its own"
    ),
    "crashes": body("import ctypes\nctypes.string_at(0)", "crashed", "segmentation fault"),
    "recurses": body(
        "return pool2d(X, pool_size, mode)",
        "error",
        r"calls itself without end \(RecursionError\).*… \d+ more calls …",
    ),
}
MEMORY = {
    "allocates in Python": "keep = []\nwhile True:\n    keep.append(bytearray(10**8))",
    "allocates in torch": "keep = []\nwhile True:\n    keep.append(torch.ones(25_000_000))",
    "allocates at once": "return torch.ones(10**11)",
    "allocates in NumPy": "import numpy\nreturn numpy.ones(10**11)",
}
LOOPS = {
    "loops in Python": ("while True:\n    X = X + 0", r"in pool2d\n *(X = X \+ 0|while True:)"),
    "loops in C": ("return sum(range(10**12))", r"in pool2d\n *return sum\(range"),
}


def text_of(grader: Grader, bad: Bad) -> str | bytes:
    """The whole text of the bad pooling.py."""
    if bad.whole or isinstance(bad.text, bytes):
        return bad.text
    solution = grader.solution("pooling")
    if bad.body:
        right = solution.replace("def pool2d(", "def F(")
        return redefined(right, "pool2d", SIGNATURE, bad.text)
    return solution + bad.text


@pytest.fixture(scope="module")
def reports(grader: Grader) -> Mapping[str, Report]:
    """Every case that ends by itself, graded in one run."""
    cases = {**FILES, **RESULTS, **DEEDS}
    jobs = [Case({"pooling": text_of(grader, c)}, ("pool2d", BYSTANDER)) for c in cases.values()]
    return dict(zip(cases, grader.grade(jobs), strict=True))


def sees(report: Report, id: str) -> str:
    """All that the learner is told about a check."""
    failure = check_of(report, id).failure
    assert failure is not None
    return failure_text(failure)


@pytest.mark.parametrize("name", [*FILES, *RESULTS, *DEEDS])
def test_a_sentence_says_what_to_repair(name: str, reports: Mapping[str, Report]) -> None:
    bad, report = {**FILES, **RESULTS, **DEEDS}[name], reports[name]
    check = check_of(report, bad.check)
    assert (check.status, check.points) == (bad.status, 0.0)
    assert re.search(bad.says, sees(report, bad.check), re.DOTALL), sees(report, bad.check)
    assert check.hint == "d2lgrade hint pool2d"
    assert exercise_of(report, "pool2d").status == bad.exercise


@pytest.mark.parametrize("name", [*FILES, *RESULTS, *DEEDS])
def test_nothing_else_is_lost(name: str, reports: Mapping[str, Report]) -> None:
    bystander = exercise_of(reports[name], BYSTANDER)
    assert (bystander.status, bystander.points) == ("passed", bystander.max_points)


def test_no_line_of_ours_in_a_traceback(reports: Mapping[str, Report]) -> None:
    for name, report in reports.items():
        for check in exercise_of(report, "pool2d").checks:
            lines = check.failure.traceback if check.failure else ()
            assert not [line for line in lines if "d2lgrade" in line or "site-packages" in line], (
                name
            )


def test_prints_on_import_are_shown_with_the_first_check(grader: Grader) -> None:
    text = "print('hello from the top')\n" + grader.solution("pooling")
    [report] = grader.grade([Case({"pooling": text}, ("pool2d",))])
    first, *rest = exercise_of(report, "pool2d").checks
    assert statuses(report) == {"pool2d": "passed"}
    assert first.stdout == "hello from the top\n"
    assert not any(check.stdout for check in rest)


def test_allocating_without_end_is_out_of_memory(grader: Grader) -> None:
    right = grader.solution("pooling")
    cases = [
        Case({"pooling": redefined(right, "pool2d", SIGNATURE, text)}, ("pool2d", BYSTANDER))
        for text in MEMORY.values()
    ]
    limits = Limits(memory=300 << 20)
    for name, report in zip(MEMORY, grader.grade(cases, limits=limits), strict=True):
        assert check_of(report, "pool2d/max").status == "error", name
        said = sees(report, "pool2d/max")
        assert "Your code ran out of memory. It may take 300 MB beside torch itself." in said, name
        assert "in pool2d" in said, name
        assert exercise_of(report, BYSTANDER).status == "passed", name


def test_endless_loops_are_waited_for_only_twice(grader: Grader) -> None:
    right = grader.solution("pooling")
    cases = [
        Case({"pooling": redefined(right, "pool2d", SIGNATURE, text)}, ("pool2d", BYSTANDER))
        for text, _ in LOOPS.values()
    ]
    found = grader.grade(cases, limits=Limits(seconds=1))
    for (name, (_, says)), report in zip(LOOPS.items(), found, strict=True):
        told = [
            check.failure.message
            for check in exercise_of(report, "pool2d").checks
            if check.status == "timeout" and check.failure
        ]
        assert told[:2] == ["No answer within 1 s."] * 2, name
        assert set(told[2:]) == {"Not tried: pool2d gave no answer in 2 checks before."}, name
        assert re.search(says, sees(report, "pool2d/max")), sees(report, "pool2d/max")
        assert exercise_of(report, BYSTANDER).status == "passed", name


def test_an_endless_import_is_waited_for_once_and_costs_no_other_file(grader: Grader) -> None:
    text = grader.solution("conv_layer") + "\nwhile True:\n    pass\n"
    targets = (
        "corr2d",
        "Conv2D",
        "corr2d_multi_in",
        "corr2d_multi_in_out_1x1",
        "conv_output_shape",
    )
    [report] = grader.grade([Case({"conv_layer": text}, targets)], limits=Limits(seconds=1))
    said = sees(report, "corr2d/values")
    assert "The import of your file never ended (no answer within 1 s)." in said
    assert "move it into a function" in said
    assert re.search(r"conv_layer\.py:\d+, in <module>\n *(pass|while True:)", said)
    assert "Not tried: the import of" in sees(report, "Conv2D/parameters")
    assert statuses(report) == {
        "corr2d": "failed",
        "Conv2D": "failed",
        "corr2d_multi_in": "passed",
        "corr2d_multi_in_out_1x1": "passed",
        "conv_output_shape": "passed",
    }
    assert exercise_of(report, "corr2d_multi_in").credited_with == ("ch07/corr2d",)


ENDS = {
    "os._exit(0)": "ended its own process (exit status 0)",
    "os._exit(3)": "ended its own process (exit status 3)",
    "os.kill(os.getpid(), 9)": "was killed: out of memory, or by its own hand",
    "ctypes.string_at(0)": "crashed (segmentation fault)",
}


def test_an_import_that_ends_the_process_costs_no_other_file(grader: Grader) -> None:
    targets = (
        "corr2d",
        "Conv2D",
        "corr2d_multi_in",  # imports corr2d, and needs it
        "corr2d_multi_in_out_1x1",  # beside it; needs no corr2d
        "conv_output_shape",  # in another file, which imports nothing
    )
    right = grader.solution("conv_layer")
    cases = [Case({"conv_layer": f"{right}\nimport ctypes, os\n{end}\n"}, targets) for end in ENDS]
    for end, report in zip(ENDS, grader.grade(cases), strict=True):
        said = sees(report, "corr2d/values")
        how = rf"Your program {re.escape(ENDS[end])} while \S*conv_layer\.py was imported\. What"
        assert re.search(how, said), said
        said = sees(report, "Conv2D/parameters")
        assert re.search(r"Not tried: importing \S*conv_layer\.py ends the process\.", said), said
        assert {c.status for c in exercise_of(report, "corr2d").checks} == {"crashed"}
        failed = [name for name, status in statuses(report).items() if status != "passed"]
        assert failed == ["corr2d", "Conv2D"]
        others = {c.id for name in targets[2:] for c in exercise_of(report, name).checks}
        assert lost(report).isdisjoint(others)
        assert exercise_of(report, "corr2d_multi_in").credited_with == ("ch07/corr2d",)
        assert exercise_of(report, "corr2d_multi_in_out_1x1").credited_with == ()


def test_the_file_deepest_down_that_ends_the_process_is_named(tiny: Grader) -> None:
    """pooling.py imports conv_layer.py, which ends the process: only who needs it pays."""
    ending = f"{CONV_LAYER}\nimport os\nos._exit(0)\n"
    using = POOLING.replace("import torch\n", "import torch\n\nfrom conv_layer import corr2d\n", 1)
    needing = using.replace("ph, pw =", "corr2d(X, X)\n    ph, pw =")
    used = using.replace("corr2d\n", "extra\n", 1)  # a name that is no exercise
    cases = [
        Case({"conv_layer": ending, "pooling": text}, ("pool2d",))  # conv_layer.py not tried before
        for text in (using, needing, used)
    ]
    innocent, called, imported = tiny.grade(cases)
    assert statuses(innocent)["pool2d"] == "passed"
    said = sees(called, "pool2d/values")
    assert re.search(r"raised ImportError: importing \S*conv_layer\.py ends the process", said)
    assert "left out" not in said
    assert "in pool2d" in said
    said = sees(imported, "pool2d/values")
    assert re.search(r"be imported: importing \S*conv_layer\.py ends the process\.", said)
    assert "install" not in said


def test_two_files_whose_import_ends_the_process(tiny: Grader) -> None:
    ending = "\nimport os\nos._exit(5)\n"
    both = {"conv_layer": CONV_LAYER + ending, "pooling": "import conv_layer\n" + POOLING + ending}
    [report] = tiny.grade([Case(both, ("all",))])
    for check, stem in (("corr2d/values", "conv_layer"), ("pool2d/values", "pooling")):
        assert re.search(rf"exit status 5\) while \S*{stem}\.py was imp", sees(report, check))


def test_a_call_that_ends_the_process_is_not_taken_for_an_import(tiny: Grader) -> None:
    text = POOLING.replace("ph, pw =", "import os\n    os._exit(0)\n    ph, pw =")
    [report] = tiny.grade([Case({"pooling": text}, ("all",))])
    failure = check_of(report, "pool2d/values").failure
    assert failure is not None
    assert failure.message == "Your program ended its own process (exit status 0)."
    assert failure.called.startswith("pool2d(")
    assert statuses(report)["corr2d"] == "passed"
