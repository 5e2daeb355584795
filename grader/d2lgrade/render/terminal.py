"""The report on a terminal, and the one live line while grading.

Covers: chapters, sections, exercises, the checks that did not pass, totals and the next thing to
do, at any width. Does not cover what passed beyond one line, nor to-do exercises beyond theirs.
Marks and words carry every meaning; colour only repeats them.
"""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import groupby
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TaskID, TextColumn
from rich.progress import Progress as Bar
from rich.text import Text

from d2lgrade.render import words
from d2lgrade.render.details import INDENT, detail
from d2lgrade.render.feedback import held_back
from d2lgrade.render.harmless import for_terminal
from d2lgrade.render.layout import LABEL, Paper, shifted
from d2lgrade.results import CheckResult, ExerciseResult, Report

WIDEST = 120  # beyond this the eye loses the line on its way to the points
CHECK = 6  # indent of a check; its details stand at `INDENT`
NAMES = 26  # cells of the longest name that the others are aligned with

STYLES = {
    "passed": "green",
    "todo": "blue",
    "skipped": "dim",
    "unstable": "yellow",
    "grader_error": "bold magenta",
}


def print_report(report: Report, console: Console, *, feedback: str = "full") -> None:
    """Print the report; off a terminal it is plain text of the console's width and encoding.

    Raises:
        ValueError: no such feedback level.
    """
    paper = Paper(min(console.width, WIDEST), console.encoding)
    shown = _addressed(held_back(report, feedback))
    lines = _aired(_lines(shown, paper, hints=feedback != "score"))
    # soft_wrap: the lines fit already, and rich must neither fold nor crop them.
    console.print(Text("\n").join(lines), soft_wrap=True)


def _addressed(report: Report) -> Report:
    """The report for whoever reads it: flags are for those who grade strangers, not for learners.

    Strangers' code runs at level `strict`; who runs their own has no use for a remark about it.
    """
    if report.sandbox.get("level") == "strict":
        return report
    return replace(report, exercises=tuple(replace(e, flags=()) for e in report.exercises))


def _lines(report: Report, paper: Paper, hints: bool) -> list[Text]:
    lines = _preamble(report, paper)
    for chapter, exercises in groupby(report.exercises, lambda e: words.chapter_of(e.id)):
        lines += _chapter(chapter, tuple(exercises), report, paper)
    return [*lines, *_summary(report, paper, hints)]


def _aired(lines: list[Text]) -> list[Text]:
    """The lines without spaces at their ends, without an empty first line, never two in a row."""
    kept: list[Text] = []
    for line in lines:
        line.rstrip()
        if line.plain or (kept and kept[-1].plain):
            kept.append(line)
    return kept


def _preamble(report: Report, paper: Paper) -> list[Text]:
    """What is not as usual: another submission than the own exercises, another seed, notes."""
    facts = []
    if report.submission not in ("", "exercises"):
        facts.append(f"submission {report.submission}")
    if report.seed:
        facts.append(f"seed {report.seed}")
    if report.faulty:
        facts.insert(0, f"d2lgrade {report.d2lgrade}")
    lines = paper.block(", ".join(facts), paper.width, "dim") if facts else []
    for note in report.notes:
        lines += paper.row(0, "note", paper.block(note, paper.width - LABEL))
    return lines


def _summary(report: Report, paper: Paper, hints: bool) -> list[Text]:
    """Points, exercises solved, and the one thing to do next."""
    lines = [Text(), Text(paper.clean("─" * paper.width), "dim")]
    if not report.exercises:
        return [*lines, *paper.block(f"No exercise of {report.target} was graded.", paper.width)]
    earned = f"{words.points(report.points)} of {words.points(report.max_points)} points"
    total = paper.line(earned, "bold").append("   ")
    taken = Text(f"{report.seconds:.1f} s" if report.seconds else "", "dim")
    lines += paper.item(0, total, words.tally(report), taken)
    if report.faulty:
        lines += paper.block(words.fault(report), paper.width, STYLES["grader_error"])
    following = words.next_exercise(report)
    if following:
        name = words.name_of(following.id)
        section = report.sections.get(following.section)
        place = f" ({section.number}, {section.title})" if section else ""
        command = next((c.hint for c in following.checks if c.hint), f"d2lgrade hint {name}")
        lines += paper.row(0, "next", paper.block(name + place, paper.width - LABEL, "bold"))
        if hints:
            lines += paper.row(0, "hint", paper.block(command, paper.width - LABEL, "cyan"))
    elif report.passed and report.points < report.max_points:
        left = [words.name_of(e.id) for e in report.exercises if e.points < e.max_points]
        text = f"All solved. Polish is left in {words.listed(left)}."
        lines += paper.block(text, paper.width, "green")
    elif report.passed:
        lines += paper.block("All solved.", paper.width, "green")
    return lines


def _chapter(
    identity: str, exercises: tuple[ExerciseResult, ...], report: Report, paper: Paper
) -> list[Text]:
    heading = report.chapters.get(identity)
    number, title = (heading.number, heading.title) if heading else (identity, "")
    total = f"{words.points(sum(e.points for e in exercises))}/" + words.points(
        sum(e.max_points for e in exercises)
    )
    head = paper.line(number, "bold").append(" ")
    lines = [Text(), *paper.item(0, head, title, Text(total, "bold"), "bold")]
    for section, members in groupby(exercises, lambda e: e.section):
        part = report.sections.get(section)
        name = f"{part.number} {part.title}" if part else section
        lines += [Text(), paper.line(name, "cyan")]
        lines += _section(tuple(members), paper)
    return lines


def _section(exercises: tuple[ExerciseResult, ...], paper: Paper) -> list[Text]:
    names = [paper.line(words.name_of(e.id)).cell_len for e in exercises]
    column = max((n for n in names if n <= NAMES), default=0)
    told: dict[tuple[object, ...], str] = {}  # failure -> the exercise below which it was told
    lines: list[Text] = []
    for exercise in exercises:
        lines += _exercise(exercise, column, told, paper)
    return lines


def _exercise(
    exercise: ExerciseResult, column: int, told: dict[tuple[object, ...], str], paper: Paper
) -> list[Text]:
    status = exercise.status
    head = _mark(status, paper)
    head.append_text(paper.line(words.name_of(exercise.id), "bold"))
    head.append(" " * max(column + 2 - head.cell_len, 0) + "  ")
    quiet = "dim" if status in ("todo", "skipped") else ""
    right = _right(words.STATUS[status], words.score(exercise), status, paper)
    lines = paper.item(2, head, exercise.title, right, quiet)
    for remark in (words.credited(exercise), *(f"flagged: {flag}" for flag in exercise.flags)):
        if remark:
            lines += shifted(paper.block(remark, paper.width - CHECK, "italic"), CHECK)
    if status in ("todo", "skipped"):
        return lines
    found = words.groups(exercise)
    if status == "passed":  # solved: what costs nothing is not worth a line
        found = tuple(g for g in found if g.first.status not in ("skipped", "unstable"))
    for group in (g for g in found if not g.polish):
        lines += _group(exercise, group, told, paper)
    polish = [g for g in found if g.polish]
    if polish:
        note = f"polish, not needed to solve {words.name_of(exercise.id)}"
        lines += shifted([paper.line(note, "dim italic")], CHECK)
    for group in polish:
        lines += _group(exercise, group, told, paper)
    return lines


def _group(
    exercise: ExerciseResult,
    group: words.Group,
    told: dict[tuple[object, ...], str],
    paper: Paper,
) -> list[Text]:
    """The first check in full, unless told before; the others that failed the same in one line."""
    name = words.name_of(exercise.id)
    first, rest = group.first, group.checks[1:]
    known = told.get(group.key) if group.failure else None
    if first.status == "todo":
        return _check(name, f"to do: {_names(group.checks)}", group.checks, paper)
    if group.whole:
        title = f"all {words.counted(len(group.checks), 'check')}"
        shown, rest = group.checks, ()
    else:
        title, shown = first.title, (first,)
    lines = _check(name, title, shown, paper)
    if known:
        lines += shifted([paper.line(f"the same as in {known}", "dim")], INDENT)
    else:
        rows = detail(first, paper)
        lines += [*rows, Text()] if rows else []
    if group.failure:
        told[group.key] = known or name
    if rest:
        more = f"the same in {words.counted(len(rest), 'more check')}: {_names(rest)}"
        lines += _check(name, more, rest, paper)
    return lines


def _names(checks: tuple[CheckResult, ...]) -> str:
    return ", ".join(words.name_of(check.id) for check in checks)


def _check(name: str, title: str, checks: tuple[CheckResult, ...], paper: Paper) -> list[Text]:
    first = checks[0]
    polish = all(check.kind == "polish" for check in checks)
    head = _mark(first.status, paper, dim=polish)
    head.append_text(paper.line(name, "dim" if polish else "bold"))
    head.append_text(Text(_sign(" · ", " - ", paper), "dim"))
    word = "" if first.status == "todo" else words.STATUS[first.status]
    right = _right(word, words.score(checks), first.status, paper, dim=polish)
    return paper.item(CHECK, head, title, right, "dim" if polish else "")


def _mark(status: str, paper: Paper, *, dim: bool = False) -> Text:
    style = "yellow" if dim and status not in STYLES else STYLES.get(status, "bold red")
    return Text().append(f"{_sign(words.MARKS[status], None, paper)} ", style)


def _right(word: str, score: str, status: str, paper: Paper, *, dim: bool = False) -> Text:
    text = Text()
    if word:
        text.append(f"{word}  ", "dim" if dim else STYLES.get(status, "red"))
    return text.append(score, "dim" if dim else STYLES.get(status, "bold"))


def _sign(sign: str, plain: str | None, paper: Paper) -> str:
    shown = paper.clean(sign)
    return sign if shown == sign else (plain or shown)


class Progress:
    """One live line while grading: the exercise, a bar, how many checks of how many are done.

    It shows itself only where the console is an interactive terminal and NO_COLOR is not set, and
    leaves nothing behind. Call `stop` whatever happens, or use it as a context manager: the cursor
    is hidden while it lives.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Bar | None = None
        self._screen: Console | None = None
        self._task = TaskID(0)

    def start(self, total: int) -> None:
        """Begin, with so many checks to come."""
        self.stop()
        if not _animated(self._console):
            return
        self._screen = _apart(self._console)
        unicode = self._console.encoding.startswith("utf")
        self._bar = Bar(
            SpinnerColumn("dots" if unicode else "line"),
            # No markup: the names are data.
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.completed} of {task.total}", markup=False),
            console=self._screen,
            transient=True,
            expand=True,
            # Whoever captures the streams while grading (pytest does) must find them in place.
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._bar.add_task("starting", total=total)
        self._bar.start()

    def check_done(self, check: CheckResult) -> None:
        """One more check has its verdict."""
        if self._bar:
            exercise = check.id.rsplit("/", 2)[-2:][0]
            name = for_terminal(exercise, self._console.encoding)
            self._bar.update(self._task, advance=1, description=name)

    def stop(self) -> None:
        """End and wipe the line; more than once does no harm."""
        if self._bar:
            self._bar.stop()
            self._bar = None
        if self._screen and self._screen is not self._console:
            self._screen.file.close()
        self._screen = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def _animated(console: Console) -> bool:
    # FORCE_COLOR makes rich call a pipe a terminal: colours may go there, an animation may not.
    isatty = getattr(console.file, "isatty", None)
    return console.is_interactive and not console.no_color and bool(isatty and isatty())


def _apart(console: Console) -> Console:
    """A console on the same terminal with a descriptor of its own.

    pytest, while it captures, puts a file in the place of the standard descriptors; the live line
    must still reach the terminal. A stream without a descriptor is taken as it is.
    """
    try:
        descriptor = os.dup(console.file.fileno())
    except (OSError, AttributeError):
        return console
    file = os.fdopen(descriptor, "w", encoding=console.encoding, errors="replace")
    return Console(file=file, width=console.width)
