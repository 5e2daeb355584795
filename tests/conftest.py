"""What several test modules share: graders that stay warm for the whole run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from grading import Grader
from kits import make_kit


@pytest.fixture(scope="session")
def grader() -> Iterator[Grader]:
    """Grades answers to the real course."""
    made = Grader()
    yield made
    made.close()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grader]:
    """Grades answers to the tiny kit of `kits`."""
    made = Grader(make_kit(tmp_path_factory.mktemp("tiny")))
    yield made
    made.close()
