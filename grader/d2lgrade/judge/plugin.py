"""The pytest side of the judge: options, fixtures, and one examined check for each item.

`pytest checks/ch07_… --submission PATH` runs the suites with pytest's own flags; the `d2lgrade`
command runs them through `judge.session`, which loads this same plugin.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.outcomes import Failed

from d2lgrade import catalog
from d2lgrade.results import failure_text

if TYPE_CHECKING:  # pytest loads this plugin everywhere; torch is for runs that judge something
    from .examiner import Examined, Examiner, Function

SUITES = pytest.StashKey["Suites"]()
EXAMINED = pytest.StashKey["Examined"]()
FIXTURES = {"student", "reference"}
TESTIMONY = {"other_device", "watched"}


class Suites:
    """The checks of one kit, matched with the test functions pytest has collected."""

    def __init__(self, course: catalog.Course) -> None:
        self.course = course
        self.checks = {check.id: check for e in course.exercises for check in e.checks}
        self.functions: dict[str, Function] = {}
        self.examiner: Examiner | None = None
        self._by_function = {
            (course.section(e.file).folder, e.file, check.function): check
            for e in course.exercises
            for check in e.checks
        }

    def check_of(self, item: pytest.Item) -> catalog.Check | None:
        """The check that a test item is; None for tests that are none of this kit's."""
        path = item.path
        if path.parent.parent != self.course.root / "checks":
            return None
        key = (path.parent.name, path.stem.removeprefix("test_"), item.name)
        return self._by_function.get(key)

    def is_suite(self, path: Path) -> bool:
        """Whether a file is one of this kit's check files."""
        return path.parent.parent == self.course.root / "checks" and path.name.startswith("test_")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options that say what to judge and how."""
    group = parser.getgroup("d2lgrade", "judging a submission to d2lgrade's exercises")
    group.addoption(
        "--submission", metavar="PATH", help="file or folder to judge (default: exercises)"
    )
    group.addoption("--kit", metavar="DIR", help="kit whose checks are run (default: found upward)")
    group.addoption("--check-seed", type=int, default=0, help="rotates the inputs of every check")
    group.addoption(
        "--in-process",
        action="store_true",
        help="run the submission in pytest's own process: for debuggers, and for trusted code only",
    )


def pytest_configure(config: pytest.Config) -> None:
    """The markers a check may bear."""
    config.addinivalue_line("markers", "training: a check that trains a network and takes seconds")


def suites_of(config: pytest.Config) -> Suites:
    """The suites of this pytest run's kit."""
    if SUITES not in config.stash:
        start = config.getoption("--kit") or config.invocation_params.dir
        try:
            config.stash[SUITES] = Suites(
                catalog.load(catalog.find_kit(Path(start)), tolerant=True)
            )
        except catalog.CatalogError as error:
            raise pytest.UsageError(str(error)) from None
    return config.stash[SUITES]


def _demand_chapters(course: catalog.Course, folders: set[str]) -> None:
    """Refuse chapters that cannot be used, or lack a file; others than these may be as they are."""
    try:
        for folder in sorted(folders & course.faults.keys()):
            raise catalog.CatalogError(course.faults[folder].complaint)
        catalog.demand_files(course, [s for s in course.sections if s.folder in folders])
    except catalog.CatalogError as error:
        raise pytest.UsageError(str(error)) from None


def _concerned(items: list[pytest.Item]) -> bool:
    return any(item.path.parent.parent.name == "checks" for item in items)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Match items with the catalogue before `-k` and friends deselect any, and demand them all."""
    if not _concerned(items):
        return
    suites = suites_of(config)
    _demand_chapters(suites.course, {i.path.parent.name for i in items if suites.is_suite(i.path)})
    stray, files = [], set()
    for item in items:
        if not suites.is_suite(item.path):
            continue
        check = suites.check_of(item)
        if check is None:
            stray.append(f"{item.path.name}::{item.name}")
            continue
        files.add((item.path.parent.name, item.path.stem.removeprefix("test_")))
        suites.functions[check.id] = _function(item)
        if check.kind == "core" and suites.functions[check.id].testimony:
            raise pytest.UsageError(
                f"{check.id} is a core check that rests on what is observed inside the learner's "
                "process (other_device, watched): list it under polish in chapter.toml."
            )
    if stray:
        raise pytest.UsageError(
            f"No points in chapter.toml for {', '.join(stray)}: a check is a function "
            "test_<exercise>_<check> listed under core or polish of its exercise."
        )
    lost = [
        check.id
        for (folder, stem, _), check in suites._by_function.items()
        if (folder, stem) in files and check.id not in suites.functions
    ]
    if lost and not any("::" in str(arg) for arg in config.args):
        raise pytest.UsageError(
            f"chapter.toml lists checks that no test function holds: {', '.join(lost)}."
        )
    order = {identity: index for index, identity in enumerate(suites.checks)}
    items.sort(key=lambda item: order.get(getattr(suites.check_of(item), "id", ""), -1))


def _function(item: pytest.Item) -> Function:
    from .examiner import Function

    assert isinstance(item, pytest.Function)
    wanted = set(inspect.signature(item.function).parameters)
    if not wanted <= FIXTURES or "student" not in wanted:
        raise pytest.UsageError(
            f"{item.path.name}::{item.name} takes {', '.join(sorted(wanted)) or 'nothing'}; a "
            "check takes `student` and, where it needs the master's answer, `reference`."
        )
    slow = item.get_closest_marker("training") is not None
    testimony = not TESTIMONY.isdisjoint(item.function.__code__.co_names)
    return Function(item.function, "reference" in wanted, slow, testimony)


@pytest.fixture
def student() -> None:
    """The learner's code; handed in by the examiner when the check runs."""


@pytest.fixture
def reference() -> None:
    """The master solution behind the same interface; handed in by the examiner."""


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Examine the check instead of merely calling it; None leaves other tests to pytest."""
    if SUITES not in pyfuncitem.config.stash:
        return None
    suites = pyfuncitem.config.stash[SUITES]
    check = suites.check_of(pyfuncitem)
    if check is None:
        return None
    if suites.examiner is None:
        suites.examiner = _examiner(pyfuncitem.config, suites)
    examined = suites.examiner.examine(check)
    pyfuncitem.stash[EXAMINED] = examined
    result = examined.result
    if result.status == "skipped":
        pytest.skip(failure_text(result.failure) if result.failure else "")
    if result.status != "passed":
        raise Verdict(examined) from examined.error
    return True


class Verdict(Failed):
    """A check that did not pass, as pytest sees it: our own text, the learner's error behind it.

    Without pytest's traceback, which is not shown and for which it would parse our own files
    again at every failure: 15 ms each.
    """

    def __init__(self, examined: Examined) -> None:
        failure = examined.result.failure
        text = failure_text(failure) if failure else examined.result.status
        super().__init__(text, pytrace=False)
        self.examined = examined


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Show the failure text instead of the judge's own frames."""
    outcome: Any = yield
    if call.excinfo is not None and isinstance(call.excinfo.value, Verdict):
        report = outcome.get_result()
        result = call.excinfo.value.examined.result
        printed = f"\nprinted    {result.stdout}" if result.stdout else ""
        report.longrepr = (
            f"{result.status}: {result.id} · {result.title}\n{call.excinfo.value}{printed}"
        )


def _examiner(config: pytest.Config, suites: Suites) -> Examiner:
    from . import session

    options = config.option
    path = Path(options.submission) if options.submission else suites.course.root / "exercises"
    return session.examiner(
        suites.course,
        path,
        [suites.course.exercise(suites.checks[i].exercise) for i in suites.functions],
        suites.functions,
        seed=options.check_seed,
        in_process=options.in_process,
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the contestants of a pytest run of its own."""
    suites = config.stash.get(SUITES, None)
    if suites is not None and suites.examiner is not None:
        suites.examiner.bench.close()
