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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from d2lgrade import diagnosis, master
from d2lgrade.author import mutants as mutation
from d2lgrade.author import plant, scaffold
from d2lgrade.catalog import Course, Exercise, Section
from d2lgrade.contestant.loader import Loader
from d2lgrade.judge import programs
from d2lgrade.judge.session import Job, Order, grade
from d2lgrade.results import Report
from d2lgrade.sandbox.limits import Limits
from d2lgrade.sandbox.process import ProcessSandbox
from d2lgrade.submission import Source, Submission
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
    steps: list[tuple[str, Callable[[], Iterable[Weakness]]]] = [
        ("texts and contracts", lambda: texts(course, exercises)),
        ("stubs", lambda: stubs(course, exercises)),
        ("references", lambda: references(course, exercises, repeat)),
        ("misconceptions", lambda: misconceptions(course, exercises, repeat)),
    ]
    if mutants:
        steps.append(("mutants", lambda: rejected_mutants(course, exercises, say)))
    for title, step in steps:
        weak = list(step())
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
        source = _solution(course, section)
        contracts = master.contract(source)
        for level in LEVELS:
            if master.contract(master.stub(source, level)) != contracts:
                yield Weakness(section.path, f"the {level} stub's contracts are not the master's")
        for exercise in section.exercises:
            if exercise in exercises:
                yield from _contract(course, exercise, contracts.get(exercise.name, ""))
                yield from _substitutes(course, exercise)
    for path in {course.root / "checks" / _section(course, e).folder for e in exercises}:
        for file in sorted(path.rglob("*")):
            if file.suffix in (".py", ".toml") and scaffold.PLACEHOLDER in file.read_text("utf-8"):
                yield Weakness(str(file), f"still holds {scaffold.PLACEHOLDER!r}")


def _substitutes(course: Course, exercise: Exercise) -> Iterator[Weakness]:
    """Every predecessor has a stand-in, or one learner's mistake would be paid for twice."""
    for before in course.predecessors(exercise):
        path = course.root / "checks" / _section(course, before).folder / "substitutes.py"
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


def stubs(course: Course, exercises: Sequence[Exercise]) -> Iterator[Weakness]:
    """Every stub, at both levels, is to do and earns nothing."""
    for level in LEVELS:
        changed = {
            section.file: master.stub(_solution(course, section), level)
            for section in course.sections
        }
        report = _graded(
            course, [(_submission(course, changed, f"{level} stubs"), tuple(exercises))]
        )[0]
        for result in report.exercises:
            if result.status != "todo" or result.points:
                done = [c.id for c in result.checks if c.status != "todo"]
                yield Weakness(
                    result.id,
                    f"its {level} stub is {result.status} with {result.points:g} points "
                    f"({', '.join(done)}); a stub must raise NotImplementedError or hold a blank",
                )


def references(course: Course, exercises: Sequence[Exercise], repeat: int) -> Iterator[Weakness]:
    """Every reference gets every point, every time."""
    submission = _submission(course, {}, "references")
    for report in _graded(course, [(submission, tuple(exercises))] * repeat):
        for result in report.exercises:
            for check in result.checks:
                if check.status != "passed":
                    said = check.failure.message if check.failure else ""
                    yield Weakness(check.id, f"the reference is {check.status}: {said}")


def misconceptions(
    course: Course, exercises: Sequence[Exercise], repeat: int
) -> Iterator[Weakness]:
    """Every misconception is rejected, named in a failure, and costs nothing but its own points.

    Checks that train a network are left to those misconceptions that no quicker check names.
    """
    planted: list[_Planted] = []
    for exercise in exercises:
        known = diagnosis.known(course, exercise)
        if len(known) < MISCONCEPTIONS:
            what = f"has {len(known)} misconceptions; {MISCONCEPTIONS} are due"
            yield Weakness(exercise.id, what)
        dependents = [e for e in course.exercises if exercise in course.predecessors(e)]
        for entry in known:
            text = planted_source(course, exercise, entry)
            submission = _submission(course, {exercise.file: text}, entry.slug)
            planted.append(_Planted(entry, submission, (exercise, *dependents)))
    unnamed: list[_Planted] = []
    for one, reports in _repeated(course, planted, repeat, training=False):
        yield from _steady(one, reports)
        yield from _costs(one, reports[0])
        if not one.named(reports[0]):
            unnamed.append(replace(one, exercises=one.exercises[:1]))
    for one, reports in _repeated(course, unnamed, repeat, training=True):
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
    course: Course, planted: Sequence[_Planted], repeat: int, *, training: bool
) -> Iterator[tuple[_Planted, list[Report]]]:
    """Each with its reports, `repeat` of them."""
    jobs = [(one.submission, one.exercises) for one in planted for _ in range(repeat)]
    reports = _graded(course, jobs, diagnose=True, training=training)
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
    section = _section(course, exercise)
    path = course.root / "checks" / section.folder / "misconceptions" / f"{section.file}.py"
    return plant.plant(
        _solution(course, section), path.read_text("utf-8"), entry.function, exercise.name
    )


# Mutants -------------------------------------------------------------------------------------


def rejected_mutants(course: Course, exercises: Sequence[Exercise], say: Say) -> Iterator[Weakness]:
    """Every mutant of a reference is rejected by a check, or listed as equivalent."""
    for folder in dict.fromkeys(_section(course, e).folder for e in exercises):
        path = course.root / "checks" / folder / "equivalents.toml"
        listed = mutation.equivalents(path)
        chapter = [s for s in course.sections if s.folder == folder]
        everything: list[mutation.Mutant] = []
        for section in chapter:
            names = [e.name for e in section.exercises]
            found = mutation.mutants(_solution(course, section), names)
            everything += found
            chosen = {e.name: e for e in section.exercises if e in exercises}
            mine = [m for m in found if m.owner in chosen]
            survivors = _survivors(course, section, chosen, mine, training=False)
            survivors = _survivors(course, section, chosen, survivors, training=True)
            say(f"      {section.file}: {len(mine)} mutants, {len(survivors)} not rejected")
            for mutant in survivors:
                if mutant.key not in listed:
                    yield Weakness(
                        f"{section.file}.py:{mutant.line}",
                        f"no check rejects this mutant; write one, or list it in {path.name}:\n"
                        + mutation.entry(mutant),
                    )
            rejected = {m.key for m in mine} - {m.key for m in survivors}
            for key in sorted(rejected & set(listed)):
                yield Weakness(str(path), f"lists {key!r}, which is rejected: remove it")
        for gone in mutation.stale(listed, everything):
            yield Weakness(str(path), f"lists {gone.key!r}, which is no mutant any more: remove it")


def _survivors(
    course: Course,
    section: Section,
    exercises: Mapping[str, Exercise],
    candidates: Sequence[mutation.Mutant],
    training: bool,
) -> list[mutation.Mutant]:
    """Those that pass every check of their exercise."""
    if training and not any(_trains(course, e) for e in exercises.values()):
        return list(candidates)
    jobs = [
        (_submission(course, {section.file: m.source}, m.key), (exercises[m.owner],))
        for m in candidates
    ]
    limits = Limits(seconds=MUTANT_SECONDS)
    reports = _graded(course, jobs, limits=limits, training=training, until_failure=True)
    return [
        mutant
        for mutant, report in zip(candidates, reports, strict=True)
        if all(check.status == "passed" for result in report.exercises for check in result.checks)
    ]


def _trains(course: Course, exercise: Exercise) -> bool:
    """Whether any check of the exercise's section trains a network; read off the source."""
    section = _section(course, exercise)
    path = course.root / "checks" / section.folder / f"test_{section.file}.py"
    return "mark.training" in path.read_text("utf-8")


# Submissions made from the course --------------------------------------------------------------


def _graded(
    course: Course,
    jobs: Sequence[tuple[Submission, tuple[Exercise, ...]]],
    *,
    limits: Limits | None = None,
    diagnose: bool = False,
    training: bool = True,
    until_failure: bool = False,
) -> list[Report]:
    if not jobs:
        return []
    sandbox = ProcessSandbox(limits)
    try:
        sandbox.start()
        return grade(
            Order(course),
            [Job(s, e, training, diagnose, until_failure) for s, e in jobs],
            sandbox,
        )
    finally:
        sandbox.close()


def _submission(course: Course, changed: Mapping[str, str], name: str) -> Submission:
    """The references as a submission, with the text of some sections replaced."""
    sources = {
        section.file: Source(
            section.file,
            f"{section.file}.py",
            changed.get(section.file) or _solution(course, section),
            None,
            frozenset(),
        )
        for section in course.sections
    }
    homes = {exercise.id: exercise.file for exercise in course.exercises}
    return Submission(name, sources, homes, (), False)


def _solution(course: Course, section: Section) -> str:
    return (course.root / "solutions" / section.path).read_text("utf-8")


def _section(course: Course, exercise: Exercise) -> Section:
    return course.section(exercise.file)


def _sections(course: Course, exercises: Sequence[Exercise]) -> list[Section]:
    wanted = {exercise.file for exercise in exercises}
    return [section for section in course.sections if section.file in wanted]
