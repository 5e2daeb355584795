"""The chapter pages in exercises/: they name every exercise of their chapter, in order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from d2lgrade import catalog
from d2lgrade.author import scaffold

ROOT = Path(__file__).resolve().parents[1]
COURSE = catalog.load(ROOT)
PAGES = sorted((ROOT / "exercises").glob("*/README.md"))


def targets(page: Path) -> list[str]:
    """What the page gives to `d2lgrade`, in its order."""
    return re.findall(r"`d2lgrade ([^`\s]+)`", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_a_page_names_every_exercise_of_its_chapter_in_order(page: Path) -> None:
    (chapter,) = (c for c in COURSE.chapters if c.folder == page.parent.name)
    named = [catalog.resolve(COURSE, [target]) for target in targets(page)]
    assert [found[0].id for found in named if len(found) == 1] == [
        exercise.id for exercise in chapter.exercises
    ]
    assert any(found == chapter.exercises for found in named), "the command for all is missing"


def test_pages_are_no_stubs() -> None:
    """`dev sync` would write none of them, so it leaves them as they are."""
    assert PAGES
    written = {ROOT / "exercises" / section.path for section in COURSE.sections}
    assert not written & set(PAGES)
    before = [page.read_bytes() for page in PAGES]
    assert not set(scaffold.sync(ROOT, check=True)) & set(PAGES)
    assert [page.read_bytes() for page in PAGES] == before
