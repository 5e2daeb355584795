"""The course as shipped: solutions, stubs, independent answers, and the author's conscience."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from d2lgrade import catalog
from d2lgrade.author import proof
from d2lgrade.author.trial import Sandboxes
from grading import ROOT, Case, Grader, lost, statuses

COURSE = catalog.load(ROOT, complete=True)
# A chapter each, so that two workers can share them out (see conftest.py).
CHAPTERS = [pytest.param(c.id, marks=pytest.mark.xdist_group(c.id)) for c in COURSE.chapters]
# There are thousands: CI tries some, D2LGRADE_SOAK=full and `dev check` every one.
FULL = os.environ.get("D2LGRADE_SOAK") == "full"
MUTANTS, MISCONCEPTIONS = (1, 1) if FULL else (8, 3)
ANSWERS = sorted((ROOT / "tests" / "answers").glob("*.py"))


@dataclass(frozen=True)
class Answer:
    """An independent answer to one section, with the verdict that its first line announces."""

    path: Path
    section: str
    statuses: Mapping[str, str]
    loses: frozenset[str]

    @classmethod
    def read(cls, path: Path) -> Answer:
        """Raises ValueError where the first line does not say what to expect."""
        first = path.read_text("utf-8").partition("\n")[0]
        found = re.fullmatch(r"# expect: (?P<statuses>[^;]+)(; loses:(?P<loses>.*))?", first)
        stems = [s.file for s in COURSE.sections if path.stem.startswith(f"{s.file}_")]
        if found is None or not stems:
            raise ValueError(f"{path}: no `# expect:` line, or no section of that name")
        pairs = (pair.split("=") for pair in found["statuses"].split(","))
        loses = (id.strip() for id in (found["loses"] or "").split(","))
        return cls(
            path,
            max(stems, key=len),
            {name.strip(): status.strip() for name, status in pairs},
            frozenset(id for id in loses if id),
        )


def test_solutions_get_every_point(grader: Grader) -> None:
    [report] = grader.grade([Case({}, ("all",))], training=True)
    assert lost(report) == set()
    assert report.passed
    assert report.points == report.max_points == sum(e.max_points for e in COURSE.exercises)


@pytest.mark.parametrize("level", ["open", "guided"])
def test_stubs_get_none_and_are_all_to_do(level: str, grader: Grader) -> None:
    files = {s.file: grader.stub(s.file, level) for s in COURSE.sections}  # type: ignore[arg-type]
    [report] = grader.grade([Case(files, ("all",))], training=True)
    assert set(statuses(report).values()) == {"todo"}
    assert report.points == 0
    assert {c.status for e in report.exercises for c in e.checks} == {"todo"}


@pytest.mark.parametrize("id", CHAPTERS)
def test_independent_answers_get_the_verdicts_they_deserve(id: str, grader: Grader) -> None:
    found = [answer for answer in map(Answer.read, ANSWERS) if chapter_of(answer) == id]
    cases = [Case({a.section: a.path.read_text("utf-8")}, (f"{a.section}.py",)) for a in found]
    reports = grader.grade(cases, training=True)
    got = {a.path.stem: (statuses(r), lost(r)) for a, r in zip(found, reports, strict=True)}
    assert got == {a.path.stem: (dict(a.statuses), a.loses) for a in found}


def chapter_of(answer: Answer) -> str:
    return next(s.exercises[0].chapter for s in COURSE.sections if s.file == answer.section)


def test_every_section_has_two_independent_answers() -> None:
    found = [Answer.read(path).section for path in ANSWERS]
    few = [s.file for s in COURSE.sections if found.count(s.file) < 2]
    assert few == []


# The author's conscience -------------------------------------------------------------------------


def test_texts_and_contracts_are_whole() -> None:
    assert [str(w) for w in proof.texts(COURSE, COURSE.exercises)] == []


def chapter(id: str) -> list[catalog.Exercise]:
    return [e for e in COURSE.exercises if e.chapter == id]


@pytest.mark.parametrize("id", CHAPTERS)
@pytest.mark.soak
def test_misconceptions_are_rejected_named_and_cost_nothing_else(
    id: str, sandboxes: Sandboxes
) -> None:
    weak = proof.misconceptions(COURSE, chapter(id), 1, sandboxes, every=MISCONCEPTIONS)
    assert [str(w) for w in weak] == []


@pytest.mark.parametrize("id", CHAPTERS)
@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_mutants_are_rejected_or_listed_with_a_reason(id: str, sandboxes: Sandboxes) -> None:
    said: list[str] = []
    weak = proof.rejected_mutants(COURSE, chapter(id), said.append, sandboxes, every=MUTANTS)
    assert [str(w) for w in weak] == []
    assert said
