"""Memory is flat in the number of submissions: nothing of one outlives its grading."""

from __future__ import annotations

import gc
import sys
from collections import Counter
from pathlib import Path

import pytest
from _pytest.reports import TestReport as Phase  # not a class of tests

from d2lgrade.contestant.loader import Loader, Program
from d2lgrade.judge.benches import LocalBench, RemoteBench
from d2lgrade.judge.examiner import Attempt, Examined, Examiner, Judged
from d2lgrade.judge.session import Job, Order, grade
from d2lgrade.results import CheckResult
from d2lgrade.sandbox.process import Contestant
from d2lgrade.student.calls import Call, Transcript
from d2lgrade.student.local import LocalLink
from d2lgrade.student.namespace import Student
from d2lgrade.student.remote import RemoteLink
from d2lgrade.submission import Submission, read
from grading import Grader
from kits import CONV_LAYER, FOLDER, POOLING, write

KINDS = (
    *(Attempt, Call, Contestant, Examined, Examiner, Judged, Loader, LocalBench, LocalLink),
    *(Phase, Program, RemoteBench, RemoteLink, Student, Transcript),
)
FLIPPED = CONV_LAYER.replace("kh, j : j + kw] * K)", "kh, j : j + kw] * K.flip(0, 1))")
ANSWERS = {
    "right": (CONV_LAYER, POOLING),
    "a misconception, and credit for what builds on it": (FLIPPED, POOLING),
    "an exception": (CONV_LAYER, POOLING.replace("ph, pw = pool_size", "ph, pw = 1 / 0")),
    "a crash": (CONV_LAYER, POOLING.replace("ph, pw = pool_size", "import os; os._exit(3)")),
    "an import that raises": (CONV_LAYER + "\n1 / 0\n", POOLING),
    "to do": (CONV_LAYER, POOLING.partition("# BEGIN")[0] + "raise NotImplementedError\n"),
}


def living() -> Counter[str]:
    """How many objects of each kind there are."""
    gc.collect()
    kinds = (type(thing) for thing in gc.get_objects())  # isinstance would wake lazy proxies
    return Counter(kind.__name__ for kind in kinds if kind in KINDS)


def handed_in(name: str, number: int, folder: Path, tiny: Grader) -> Submission:
    """A submission of an answer; no two have the same text."""
    for stem, text in zip(("conv_layer", "pooling"), ANSWERS[name], strict=True):
        write(folder / f"{number}" / FOLDER / f"{stem}.py", f"{text}\n# {number}\n")
    return read(folder / f"{number}", tiny.course, tiny.exercises("all"))


def test_nothing_of_a_submission_outlives_the_run(tmp_path: Path, tiny: Grader) -> None:
    jobs = [
        Job(handed_in(name, number, tmp_path, tiny), tiny.exercises("all"))
        for number, name in enumerate(ANSWERS)
    ]
    before = living()
    reports = grade(Order(tiny.course), jobs, tiny.sandbox())
    assert len({report.points for report in reports}) > 3  # they do differ
    assert living() - before == Counter()


@pytest.mark.parametrize("name", ANSWERS)
def test_a_submission_is_forgotten_before_the_next_but_one(
    name: str, tmp_path: Path, tiny: Grader
) -> None:
    """Within one run: as much is alive at the end of the sixth as at the end of the third."""
    last = "ch07/pool2d/mode"
    counts: list[Counter[str]] = []

    def listen(result: CheckResult) -> None:
        if result.id == last:
            counts.append(living())

    jobs = [
        Job(handed_in(name, number, tmp_path, tiny), tiny.exercises("all")) for number in range(6)
    ]
    grade(Order(tiny.course), jobs, tiny.sandbox(), listen)
    assert len(counts) == 6
    assert counts[2].keys() & {"Student", "Examiner", "RemoteBench"}  # the one being graded
    assert counts[5] == counts[2]


def test_modules_do_not_add_up(tmp_path: Path, tiny: Grader) -> None:
    names = []
    for number in range(3):
        job = Job(handed_in("an exception", number, tmp_path, tiny), tiny.exercises("all"))
        grade(Order(tiny.course), [job], tiny.sandbox())
        names.append(set(sys.modules))
    assert names[2] == names[1]
