"""`dev check`: the author's conscience. Proves that the checks judge what they claim to judge.

Every stub is to do and worth nothing; every reference gets every point; every misconception is
rejected, named, and costs its own exercise alone; every mutant of a reference is rejected or
listed as equivalent with the reason; contracts are whole and their examples run; and, repeated,
no verdict ever changes.
"""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from d2lgrade import diagnosis, master
from d2lgrade.author import mutants as mutation
from d2lgrade.author import plant, scaffold, trial
from d2lgrade.author.trial import Sandboxes
from d2lgrade.catalog import Course, Exercise, Section
from d2lgrade.contestant.loader import Loader
from d2lgrade.judge import programs
from d2lgrade.results import Report
from d2lgrade.sandbox.limits import Limits
from d2lgrade.submission import Submission
from d2lgrade.testkit.misconceptions import Misconception

Say = Callable[[str], None]

# The headings of a contract in their order; all but the first and last may be left out.
HEADINGS = ("Args", "Returns", "Formula", "Raises", "Rules", "Example", "Book")
REQUIRED = ("Example", "Book")
LEVELS: tuple[master.Level, ...] = ("open", "guided")
MUTANT_SECONDS = 3.0  # a mutant that hangs is rejected; no need to wait as long as for a learner
MISCONCEPTIONS = 3


@dataclass(frozen=True)
class Weakness:
    """One thing to repair: where, and what is wrong."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def run(
    course: Course,
    exercises: Sequence[Exercise],
    *,
    repeat: int = 1,
    mutants: bool = True,
    say: Say,
) -> int:
    """Prove these exercises; 0 where nothing is weak, else 1. Each weakness is said in a line."""
    found: list[Weakness] = []
    steps: list[tuple[str, Callable[[Sandboxes], Iterable[Weakness]]]] = [
        ("texts and contracts", lambda _: texts(course, exercises)),
        ("stubs", lambda warm: stubs(course, exercises, warm)),
        ("references", lambda warm: references(course, exercises, repeat, warm)),
        ("misconceptions", lambda warm: misconceptions(course, exercises, repeat, warm)),
    ]
    if mutants:
        steps.append(("mutants", lambda warm: rejected_mutants(course, exercises, say, warm)))
    with trial.warm() as sandboxes:
        for title, step in steps:
            weak = list(step(sandboxes))
            say(f"{'weak' if weak else 'ok':<5} {title}")
            for weakness in weak:
                say(f"      {weakness}")
            found += weak
    say(f"{len(exercises)} exercises, {len(found)} weaknesses.")
    return 1 if found else 0


# Texts ---------------------------------------------------------------------------------------


def texts(course: Course, exercises: Sequence[Exercise]) -> Iterator[Weakness]:
    """Contracts whole and the same in stub and master, Examples that run, stubs in step."""
    for path in scaffold.sync(course.root, check=True):
        yield Weakness(str(path), "is not what the master gives: run `d2lgrade dev sync`")
    for section in _sections(course, exercises):
        source = trial.solution(course, section)
        contracts = master.contract(source)
        for level in LEVELS:
            if master.contract(master.stub(source, level)) != contracts:
                yield Weakness(section.path, f"the {level} stub's contracts are not the master's")
        for exercise in section.exercises:
            if exercise in exercises:
                yield from _contract(course, exercise, contracts.get(exercise.name, ""))
                yield from _substitutes(course, exercise)
    for path in {course.root / "checks" / course.section(e.file).folder for e in exercises}:
        for file in sorted(path.rglob("*")):
            if file.suffix in (".py", ".toml") and scaffold.PLACEHOLDER in file.read_text("utf-8"):
                yield Weakness(str(file), f"still holds {scaffold.PLACEHOLDER!r}")


def _substitutes(course: Course, exercise: Exercise) -> Iterator[Weakness]:
    """Every predecessor has a stand-in, or one learner's mistake would be paid for twice."""
    for before in course.predecessors(exercise):
        path = course.root / "checks" / course.section(before.file).folder / "substitutes.py"
        text = path.read_text("utf-8") if path.exists() else ""
        defined = {getattr(node, "name", "") for node in ast.parse(text).body}
        if before.name not in defined:
            yield Weakness(exercise.id, f"builds on {before.id}, which {path} does not define")


def _contract(course: Course, exercise: Exercise, text: str) -> Iterator[Weakness]:
    if not text:
        yield Weakness(exercise.id, "has no contract: write its docstring")
        return
    headings = [h for h in re.findall(r"^(\w+):", text, re.MULTILINE) if h in HEADINGS]
    if headings != sorted(headings, key=HEADINGS.index):
        yield Weakness(exercise.id, f"its headings are out of order; write {', '.join(HEADINGS)}")
    for heading in REQUIRED:
        if heading not in headings:
            yield Weakness(exercise.id, f"its contract has no {heading}")
    yield from _example(course, exercise, text)


def _example(course: Course, exercise: Exercise, text: str) -> Iterator[Weakness]:
    """Run the Example as a doctest on the reference."""
    loader = Loader(programs.reference(course), prefix="d2lgrade_reference_")
    namespace = dict(vars(loader.module(exercise.file)))
    examples = doctest.DocTestParser().get_doctest(text, namespace, exercise.id, exercise.file, 0)
    said: list[str] = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    runner.run(examples, out=said.append)
    if not examples.examples:
        yield Weakness(exercise.id, "its Example shows no call (>>>)")
    elif runner.summarize(verbose=False).failed:
        yield Weakness(exercise.id, f"its Example does not run as written:\n{''.join(said)}")


# Grading -------------------------------------------------------------------------------------


def stubs(
    course: Course, exercises: Sequence[Exercise], sandboxes: Sandboxes | None = None
) -> Iterator[Weakness]:
    """Every stub, at both levels, is to do and earns nothing."""
    for level in LEVELS:
        changed = {
            section.file: master.stub(trial.solution(course, section), level)
            for section in course.sections
        }
        stub = trial.submission(course, changed, f"{level} stubs")
        [report] = trial.graded(course, [(stub, tuple(exercises))], sandboxes)
        for result in report.exercises:
            if result.status != "todo" or result.points:
                done = [c.id for c in result.checks if c.status != "todo"]
                yield Weakness(
                    result.id,
                    f"its {level} stub is {result.status} with {result.points:g} points "
                    f"({', '.join(done)}); a stub must raise NotImplementedError or hold a blank",
                )


def references(
    course: Course,
    exercises: Sequence[Exercise],
    repeat: int,
    sandboxes: Sandboxes | None = None,
) -> Iterator[Weakness]:
    """Every reference gets every point, every time."""
    right = trial.submission(course, {}, "references")
    for report in trial.graded(course, [(right, tuple(exercises))] * repeat, sandboxes):
        for result in report.exercises:
            for check in result.checks:
                if check.status != "passed":
                    said = check.failure.message if check.failure else ""
                    yield Weakness(check.id, f"the reference is {check.status}: {said}")


def misconceptions(
    course: Course,
    exercises: Sequence[Exercise],
    repeat: int,
    sandboxes: Sandboxes | None = None,
    every: int = 1,
) -> Iterator[Weakness]:
    """Every misconception is rejected, named in a failure, and costs nothing but its own points.

    Checks that train a network are left to those misconceptions that no quicker check names. With
    `every` only each so many-th one of an exercise is tried, beginning with its first.
    """
    planted: list[_Planted] = []
    for exercise in exercises:
        known = diagnosis.known(course, exercise)
        if len(known) < MISCONCEPTIONS:
            what = f"has {len(known)} misconceptions; {MISCONCEPTIONS} are due"
            yield Weakness(exercise.id, what)
        dependents = [e for e in course.exercises if exercise in course.predecessors(e)]
        for entry in known[::every]:
            text = planted_source(course, exercise, entry)
            wrong = trial.submission(course, {exercise.file: text}, entry.slug)
            planted.append(_Planted(entry, wrong, (exercise, *dependents)))
    unnamed: list[_Planted] = []
    for one, reports in _repeated(course, planted, repeat, sandboxes, training=False):
        yield from _steady(one, reports)
        yield from _costs(one, reports[0])
        if not one.named(reports[0]):
            unnamed.append(replace(one, exercises=one.exercises[:1]))
    for one, reports in _repeated(course, unnamed, repeat, sandboxes, training=True):
        yield from _steady(one, reports)
        yield from _rejected(one, reports[0])


@dataclass(frozen=True)
class _Planted:
    """A misconception in the place of the right answer; the first of `exercises` is its own."""

    entry: Misconception
    submission: Submission
    exercises: tuple[Exercise, ...]

    @property
    def where(self) -> str:
        return f"{self.exercises[0].id} {self.entry.slug}"

    def named(self, report: Report) -> bool:
        """Whether a failure of its own exercise names it."""
        checks = report.exercises[0].checks
        return any(c.failure and c.failure.misconception == self.entry.slug for c in checks)


def _repeated(
    course: Course,
    planted: Sequence[_Planted],
    repeat: int,
    sandboxes: Sandboxes | None,
    *,
    training: bool,
) -> Iterator[tuple[_Planted, list[Report]]]:
    """Each with its reports, `repeat` of them."""
    jobs = [(one.submission, one.exercises) for one in planted for _ in range(repeat)]
    reports = trial.graded(course, jobs, sandboxes, diagnose=True, training=training)
    for index, one in enumerate(planted):
        yield one, reports[index * repeat : (index + 1) * repeat]


def _steady(one: _Planted, reports: Sequence[Report]) -> Iterator[Weakness]:
    """The same verdict every time."""
    verdicts: list[set[str]] = [
        {
            f"{c.id} {c.status} {c.failure.misconception if c.failure else ''}"
            for exercise in report.exercises
            for c in exercise.checks
        }
        for report in reports
    ]
    changed = set[str]().union(*verdicts) - verdicts[0].intersection(*verdicts)
    if changed:
        yield Weakness(one.where, f"its verdict changed when repeated: {sorted(changed)}")


def _costs(one: _Planted, report: Report) -> Iterator[Weakness]:
    """Nothing lost in other exercises."""
    for other in report.exercises[1:]:
        lost = [check.id for check in other.checks if check.points < check.max_points]
        if lost:
            what = f"costs points elsewhere: {', '.join(lost)} (is a substitute wrong?)"
            yield Weakness(one.where, what)


def _rejected(one: _Planted, report: Report) -> Iterator[Weakness]:
    """Rejected and named, by a check that trains if by no other."""
    failed = [check for check in report.exercises[0].checks if check.status != "passed"]
    if not failed:
        yield Weakness(one.where, "passes every check of its exercise")
    elif not one.named(report):
        names = {check.failure.misconception for check in failed if check.failure} - {""}
        seen = ", ".join(f"{c.id.rpartition('/')[2]} ({c.status})" for c in failed)
        what = f"is rejected by {seen} but not named; named: {sorted(names) or 'none'}"
        yield Weakness(one.where, what)


def planted_source(course: Course, exercise: Exercise, entry: Misconception) -> str:
    """The solution's source with the exercise answered by a misconception."""
    section = course.section(exercise.file)
    path = course.root / "checks" / section.folder / "misconceptions" / f"{section.file}.py"
    return plant.plant(
        trial.solution(course, section), path.read_text("utf-8"), entry.function, exercise.name
    )


# Mutants -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Mutated:
    """One mutant in its section, and the exercise that must reject it."""

    section: Section
    exercise: Exercise
    mutant: mutation.Mutant


def rejected_mutants(
    course: Course,
    exercises: Sequence[Exercise],
    say: Say,
    sandboxes: Sandboxes | None = None,
    every: int = 1,
) -> Iterator[Weakness]:
    """Every mutant of a reference is rejected by a check, or listed as equivalent.

    With `every` only each so many-th mutant of a section is tried.
    """
    everything: dict[str, list[mutation.Mutant]] = {}  # by the folder of their chapter
    candidates: list[_Mutated] = []
    folders = {course.section(exercise.file).folder for exercise in exercises}
    for section in [s for s in course.sections if s.folder in folders]:
        own = {e.name: e for e in section.exercises}
        found = mutation.mutants(trial.solution(course, section), list(own))
        everything.setdefault(section.folder, []).extend(found)
        candidates += [
            _Mutated(section, own[m.owner], m) for m in found[::every] if own[m.owner] in exercises
        ]
    # Checks that train are left to those that no quicker check rejects.
    survivors = _survivors(course, candidates, sandboxes, training=False)
    slow = [c for c in survivors if _trains(course, c.exercise)]
    rejected = set(slow).difference(_survivors(course, slow, sandboxes, training=True))
    survivors = [c for c in survivors if c not in rejected]
    for section in dict.fromkeys(c.section for c in candidates):
        made, left = (
            len([c for c in cs if c.section == section]) for cs in (candidates, survivors)
        )
        say(f"      {section.file}: {made} mutants, {left} not rejected")
    for folder, mutants in everything.items():
        yield from _unlisted(
            course.root / "checks" / folder / "equivalents.toml",
            mutants,
            [c for c in candidates if c.section.folder == folder],
            [c for c in survivors if c.section.folder == folder],
        )


def _unlisted(
    path: Path,
    mutants: Sequence[mutation.Mutant],
    candidates: Sequence[_Mutated],
    survivors: Sequence[_Mutated],
) -> Iterator[Weakness]:
    """Where a chapter's list of equivalents at `path` is not what the mutants came to."""
    listed = mutation.equivalents(path)
    for left in survivors:
        if left.mutant.key not in listed:
            yield Weakness(
                f"{left.section.file}.py:{left.mutant.line}",
                f"no check rejects this mutant; write one, or list it in {path.name}:\n"
                + mutation.entry(left.mutant),
            )
    rejected = {c.mutant.key for c in candidates} - {c.mutant.key for c in survivors}
    for key in sorted(rejected & set(listed)):
        yield Weakness(str(path), f"lists {key!r}, which is rejected: remove it")
    for gone in mutation.stale(listed, mutants):
        yield Weakness(str(path), f"lists {gone.key!r}, which is no mutant any more: remove it")


def _survivors(
    course: Course,
    candidates: Sequence[_Mutated],
    sandboxes: Sandboxes | None,
    *,
    training: bool,
) -> list[_Mutated]:
    """Those that no check of their exercise fails."""
    jobs = [
        (trial.submission(course, {c.section.file: c.mutant.source}, c.mutant.key), (c.exercise,))
        for c in candidates
    ]
    limits = Limits(seconds=MUTANT_SECONDS)
    reports = trial.graded(
        course, jobs, sandboxes, limits=limits, training=training, until_failure=True
    )
    return [
        candidate
        for candidate, report in zip(candidates, reports, strict=True)
        if all(
            check.status in ("passed", "grader_error")
            for result in report.exercises
            for check in result.checks
        )
    ]


def _trains(course: Course, exercise: Exercise) -> bool:
    """Whether any check of the exercise's section trains a network; read off the source."""
    section = course.section(exercise.file)
    path = course.root / "checks" / section.folder / f"test_{section.file}.py"
    return "mark.training" in path.read_text("utf-8")


def _sections(course: Course, exercises: Sequence[Exercise]) -> list[Section]:
    wanted = {exercise.file for exercise in exercises}
    return [section for section in course.sections if section.file in wanted]
