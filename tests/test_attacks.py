"""Every attack gains nothing, hurts nobody and is told plainly; its honest twin passes.

The attacks themselves are in tests/attacks/. All of them are graded in a few runs, each followed
by an honest neighbour in the same run and sandbox.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from attacks import exhausting, forging, openings, outliving, poisoning, reading
from attacks.case import (
    Arena,
    Attack,
    Outcome,
    arena,
    checks_of,
    everything,
    name_of,
    ours,
    told,
    unique,
)
from d2lgrade.results import Report
from grading import ROOT, Case, Grader
from kits import FOLDER, make_kit, write

ATTACKS = (
    *forging.ATTACKS,
    *reading.ATTACKS,
    *exhausting.ATTACKS,
    *outliving.ATTACKS,
    *poisoning.ATTACKS,
)
unique(ATTACKS)
LEVELS = ("process", "strict") if find_spec("d2lgrade.sandbox.strict") else ("process",)
# What one run has found serves many tests: workers share levels, twins and openings out, not tests.
SHARED = {name: pytest.mark.xdist_group(f"attacks {name}") for name in (*LEVELS, "twins", "opened")}
PAIRS = [(attack, level) for level in LEVELS for attack in ATTACKS if level in attack.levels]
# Short, since it is graded after every attack.
NEIGHBOUR = ("ch07/vertical_edge_kernel",)
SETTLE = 3.0  # seconds that dying processes may take


@dataclass(frozen=True)
class Fought:
    """What became of the attacks at one level: outcomes, their neighbours, and who survived."""

    outcomes: Mapping[str, Outcome]
    neighbours: Mapping[str, Report]
    survivors: tuple[str, ...]
    secret: str


@pytest.fixture(scope="module")
def fields(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """An arena for the attacks whose defences are switched off."""
    with arena(tmp_path_factory.mktemp("open")) as made:
        yield made


class Battles:
    """Fights each level's attacks once, on first demand."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._fought: dict[str, Fought] = {}

    def at(self, level: str) -> Fought:
        """What became of the attacks at this level."""
        if level not in self._fought:
            folder = self._folder / level
            folder.mkdir()
            with arena(folder) as made:
                self._fought[level] = fought(level, made)
        return self._fought[level]


@pytest.fixture(scope="module")
def battles(tmp_path_factory: pytest.TempPathFactory) -> Battles:
    return Battles(tmp_path_factory.mktemp("attacks"))


def fought(level: str, arena: Arena) -> Fought:
    """Grade every attack of a level, each followed by an honest neighbour."""
    attacks = [attack for attack in ATTACKS if level in attack.levels]
    before = descendants()
    reports: dict[str, Report] = {}
    neighbours: dict[str, Report] = {}
    grader = Grader()
    neighbour = Case({}, NEIGHBOUR)
    try:
        for limits, seed in dict.fromkeys((a.limits, a.seed) for a in attacks):
            some = [a for a in attacks if (a.limits, a.seed) == (limits, seed)]
            cases = []
            for attack in some:
                cases += [arena.case(grader, attack), neighbour]
            found = grader.grade(cases, limits=limits, level=level, seed=seed)
            reports.update(zip([a.name for a in some], found[::2], strict=True))
            neighbours.update(zip([a.name for a in some], found[1::2], strict=True))
    finally:
        grader.close()
    survivors = lasting(before, str(arena.folder))
    outcomes = {a.name: arena.outcome(a, reports[a.name]) for a in attacks}
    return Fought(outcomes, neighbours, survivors, arena.secret)


def lasting(before: set[int], mark: str) -> tuple[str, ...]:
    """What runs on after the grader has ended: our descendants, and whoever knows the arena."""
    end = time.monotonic() + SETTLE
    while time.monotonic() < end:
        found = (descendants() - before) | knowing(mark)
        if not found:
            return ()
        time.sleep(0.05)
    return tuple(f"{pid}: {command(pid)}" for pid in sorted(found))


def descendants() -> set[int]:
    """The processes that this one started, directly or not, and that still run."""
    parents = {pid: parent for pid in processes() if (parent := parent_of(pid))}
    found: set[int] = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


def processes() -> list[int]:
    """Every process that the system shows; none where it has no /proc."""
    if not os.path.isdir("/proc"):
        return []
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def parent_of(pid: int) -> int:
    """The parent of a running process; 0 of one that has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] == "Z" else int(fields[1])


def knowing(mark: str) -> set[int]:
    """Processes whose command line, environment or folder mentions the arena, this one aside."""
    found = set()
    for pid in processes():
        try:
            known = command(pid) + Path(f"/proc/{pid}/environ").read_text(errors="replace")
            known += os.readlink(f"/proc/{pid}/cwd")
        except OSError:
            continue
        if mark in known and pid != os.getpid():
            found.add(pid)
    return found


def command(pid: int) -> str:
    """The command line of a process; empty once it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
    except OSError:
        return ""


@pytest.mark.parametrize(
    ("attack", "level"),
    [pytest.param(a, level, marks=SHARED[level], id=f"{a.name}-{level}") for a, level in PAIRS],
)
class TestAttack:
    def test_it_earns_what_its_work_deserves_and_no_more(
        self, attack: Attack, level: str, battles: Battles
    ) -> None:
        outcome = battles.at(level).outcomes[attack.name]
        report = outcome.report
        assert set(outcome.passed) == set(attack.passes), told(report)
        due = sum(c.max_points for c in checks_of(report) if name_of(c) in attack.passes)
        assert report.points == due
        solved = all(name_of(c) in attack.passes for c in checks_of(report) if c.kind == "core")
        assert report.passed == solved
        assert not report.faulty

    def test_it_leaves_nothing_sends_nothing_and_knows_no_secret(
        self, attack: Attack, level: str, battles: Battles
    ) -> None:
        fought = battles.at(level)
        outcome = fought.outcomes[attack.name]
        assert outcome.loot == ()
        assert outcome.sent == b""
        assert fought.secret not in everything(outcome.report)

    def test_its_neighbour_is_unharmed(self, attack: Attack, level: str, battles: Battles) -> None:
        report = battles.at(level).neighbours[attack.name]
        assert {c.id: c.status for c in checks_of(report) if c.status != "passed"} == {}
        assert report.points == sum(c.max_points for c in checks_of(report))

    def test_the_report_is_plain(self, attack: Attack, level: str, battles: Battles) -> None:
        report = battles.at(level).outcomes[attack.name].report
        texts = told(report)
        assert any(re.search(attack.says, text, re.DOTALL) for text in texts), texts
        assert ours(report) == []


@pytest.mark.parametrize("level", [pytest.param(level, marks=SHARED[level]) for level in LEVELS])
def test_no_process_survives(level: str, battles: Battles) -> None:
    assert battles.at(level).survivors == ()


# Twins -------------------------------------------------------------------------------------------

TWINS = {attack.name: (attack.target, attack.twin, attack.seed) for attack in ATTACKS}


@pytest.fixture(scope="module")
def twins(grader: Grader) -> Mapping[tuple[str, str, int], Report]:
    """The report of every distinct twin."""
    found = {}
    for seed in sorted({seed for _, _, seed in TWINS.values()}):
        some = list(dict.fromkeys(twin for twin in TWINS.values() if twin[2] == seed))
        cases = []
        for target, text, _ in some:
            [exercise] = grader.exercises(target)
            cases.append(Case({exercise.file: text}, (target,), whole=bool(exercise.builds_on)))
        found.update(zip(some, grader.grade(cases, seed=seed), strict=True))
    return found


@SHARED["twins"]
@pytest.mark.parametrize("name", TWINS)
def test_its_honest_twin_passes(name: str, twins: Mapping[tuple[str, str, int], Report]) -> None:
    report = twins[TWINS[name]]
    assert {c.id: c.status for c in checks_of(report) if c.status != "passed"} == {}, told(report)


# With the defence switched off -------------------------------------------------------------------

OPEN = [attack for attack in ATTACKS if attack.opened]


class Opened:
    """Tries the attacks on each missing defence once, on first demand."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._found: dict[str, dict[str, bool]] = {}

    def succeeded(self, attack: Attack) -> bool:
        """Whether the attack succeeds without the defence it names."""
        name = attack.opened
        if name not in self._found:
            some = [a for a in OPEN if a.opened == name]
            self._found[name] = openings.succeeded(name, some, self._arena)
        return self._found[name][attack.name]


@pytest.fixture(scope="module")
def opened(fields: Arena) -> Opened:
    return Opened(fields)


@SHARED["opened"]
@pytest.mark.parametrize("attack", OPEN, ids=lambda attack: f"{attack.name}-{attack.opened}")
def test_it_succeeds_with_its_defence_switched_off(attack: Attack, opened: Opened) -> None:
    assert opened.succeeded(attack)


# Where the grader itself is started ---------------------------------------------------------------

NAMES = ("conftest", "pytest", "torch", "numpy", "click", "sitecustomize", "usercustomize")


@pytest.mark.parametrize("folder", [".", "exercises", f"exercises/{FOLDER}"])
def test_files_beside_the_work_never_run_in_the_grader(folder: str, tmp_path: Path) -> None:
    root, loot = make_kit(tmp_path), tmp_path / "loot"
    loot.mkdir()
    for name in NAMES:
        write(root / folder / f"{name}.py", f"open({str(loot / name)!r}, 'w')\n")
    write(root / folder / "start.pth", f"import os; open({str(loot / 'pth')!r}, 'w')\n")
    write(root / folder / "pytest.ini", "[pytest]\naddopts = -p conftest\n")
    done = subprocess.run(
        [sys.executable, "-m", "d2lgrade", "pool2d", "--submission", str(root / "exercises")],
        cwd=root / folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "grader")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert sorted(path.name for path in loot.iterdir()) == []
    assert (done.returncode, done.stderr) == (1, "")
    assert "pool2d" in done.stdout
