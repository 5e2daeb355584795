"""The synthetic classes of tests and benchmarks are what they say, in every layout."""

from __future__ import annotations

import ast
import time
from collections import Counter
from pathlib import Path

import pytest

from classes import LAYOUTS, SHARES, lay_out, make, only
from d2lgrade import catalog
from d2lgrade.classroom.collect import collect, read

COURSE = catalog.load(Path(__file__).parents[1])
ASKED = [exercise for exercise in COURSE.exercises if exercise.chapter == "ch07"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_collected_back(layout: str, tmp_path: Path) -> None:
    made = make(30, COURSE, "ch07", seed=3)
    assert {one.kind for one in made} == set(SHARES)
    roster = lay_out(made, tmp_path / "class", layout)
    place = tmp_path / ("class.zip" if layout.endswith("-zip") else "class")
    found = collect(place, roster, COURSE, ASKED)
    handed = {one.student: one for one in found.handed}
    assert set(handed) | set(found.missing) == {one.student for one in made}
    for one in made:
        mine = handed.get(one.student)
        if one.kind == "empty":
            assert mine is None or mine.problem
            continue
        assert mine is not None
        assert not mine.problem, mine.problem
        if layout == "canvas":
            assert mine.late == one.late
        texts = {source.text for source in read(mine, COURSE, ASKED).sources.values()}
        if layout != "notebooks":
            assert set(one.files.values()) <= texts


def test_the_same_seed_gives_the_same_class() -> None:
    assert make(50, COURSE, "ch07", seed=1) == make(50, COURSE, "ch07", seed=1)
    assert make(50, COURSE, "ch07", seed=1) != make(50, COURSE, "ch07", seed=2)


def test_what_is_planted_is_there() -> None:
    made = make(200, COURSE, "ch07")
    right = only(made, "correct")[0].files
    for one in only(made, "misconception", "mutant", "hostile"):
        assert one.detail
        changed = [name for name, text in one.files.items() if text != right[name]]
        assert len(changed) == 1
        ast.parse(one.files[changed[0]])
    assert Counter(one.kind for one in made)["correct"] > 50


def test_a_thousand_students_are_made_as_one_hundred_are() -> None:
    """Seconds, not minutes: the time grows with the class, not faster."""
    make(10, COURSE, "ch07")
    times = []
    for count in (100, 1_000):
        start = time.process_time()
        make(count, COURSE, "ch07")
        times.append(time.process_time() - start)
    assert times[1] < 40 * times[0]
