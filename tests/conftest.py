"""What several test modules share: graders that stay warm for the whole run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from d2lgrade.author.trial import Sandboxes, warm
from grading import Grader
from kits import make_kit


def pytest_configure(config: pytest.Config) -> None:
    """Let xdist hand out files in their order: the longest of them have the fewest tests."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Under `-n 2 --dist loadgroup` a file stays with one worker, as its fixtures are costly.

    Files that can be shared out mark groups of their own.
    """
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.name))


@pytest.fixture(scope="session")
def grader() -> Iterator[Grader]:
    """Grades answers to the real course."""
    made = Grader()
    yield made
    made.close()


@pytest.fixture(scope="session")
def sandboxes() -> Iterator[Sandboxes]:
    """Warm sandboxes for the author's proofs."""
    with warm() as made:
        yield made


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grader]:
    """Grades answers to the tiny kit of `kits`."""
    made = Grader(make_kit(tmp_path_factory.mktemp("tiny")))
    yield made
    made.close()
