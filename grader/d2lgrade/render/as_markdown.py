"""The report as plain Markdown: a table of exercises, then what did not pass, check by check.

For a pull request, a merge request or a CI summary page. Everything that a stranger may have
written stands in a fence or in inline code, where nothing of it is interpreted.
"""

from __future__ import annotations

from d2lgrade.render import words
from d2lgrade.render.details import detail
from d2lgrade.render.feedback import held_back
from d2lgrade.render.harmless import capped, code_span, fenced, for_markdown
from d2lgrade.render.layout import CHARACTERS, LINES, Paper
from d2lgrade.results import ExerciseResult, Report

PAPER = Paper(width=100)  # what a fenced block shows without scrolling


def render(report: Report, feedback: str = "full") -> str:
    """The report as GitHub-flavoured Markdown, with a newline at the end.

    Raises:
        ValueError: no such feedback level.
    """
    shown = held_back(report, feedback)
    parts = [f"# d2lgrade: {for_markdown(shown.target)}", _summary(shown)]
    parts += [f"Submission: {code_span(shown.submission)}"] if shown.submission else []
    parts += [for_markdown(words.fault(shown))] if shown.faulty else []
    parts += [fenced(capped(capped(note, LINES, "lines"), CHARACTERS)) for note in shown.notes]
    parts += [_table(shown.exercises)] if shown.exercises else []
    told: dict[tuple[object, ...], str] = {}
    for exercise in shown.exercises:
        parts += _exercise(exercise, told)
    return "\n\n".join(parts) + "\n"


def _summary(report: Report) -> str:
    if not report.exercises:
        return "No exercise was graded."
    earned, there = words.points(report.points), words.points(report.max_points)
    return f"**{earned} of {there} points**, {words.tally(report)}."


def _table(exercises: tuple[ExerciseResult, ...]) -> str:
    rows = ["| | Section | Exercise | | Points |", "| --- | --- | --- | --- | ---: |"]
    for exercise in exercises:
        status = words.STATUS[exercise.status]
        mark = f"{words.MARKS[exercise.status]} {status}".rstrip()
        name = code_span(words.name_of(exercise.id), cell=True)
        section, title = for_markdown(exercise.section), for_markdown(exercise.title)
        rows.append(f"| {mark} | {section} | {name} | {title} | {words.score(exercise)} |")
    return "\n".join(rows)


def _exercise(exercise: ExerciseResult, told: dict[tuple[object, ...], str]) -> list[str]:
    """The exercise's remarks and failures; nothing for one that is done, or not begun."""
    credit = for_markdown(words.credited(exercise))
    remarks = [credit[0].upper() + credit[1:]] if credit else []
    remarks += [f"Flagged: {code_span(flag)}" for flag in exercise.flags]
    groups = [] if exercise.status in ("todo", "skipped") else list(words.groups(exercise))
    if exercise.status == "passed":
        groups = [g for g in groups if g.first.status not in ("skipped", "unstable")]
    if not (remarks or groups):
        return []
    name = code_span(words.name_of(exercise.id))
    parts = [f"## {words.MARKS[exercise.status]} {name} {words.score(exercise)}", *remarks]
    for group in sorted(groups, key=lambda g: g.polish):
        parts += _group(exercise, group, told)
    return parts


def _group(
    exercise: ExerciseResult, group: words.Group, told: dict[tuple[object, ...], str]
) -> list[str]:
    first = group.first
    titles = ", ".join(for_markdown(check.title) for check in group.checks)
    if group.whole:
        titles = f"all {words.counted(len(group.checks), 'check')}"
    status = words.STATUS[first.status]
    extra = [word for word in ("polish" if group.polish else "", status) if word]
    kind = f" ({', '.join(extra)})" if extra else ""
    heading = f"### {words.MARKS[first.status]} {titles}{kind} {words.score(group.checks)}"
    if first.status == "todo" or not first.failure:
        return [heading]
    if group.key in told:
        return [heading, f"The same as in {code_span(told[group.key])}."]
    told[group.key] = words.name_of(exercise.id)
    lines = (line.plain.rstrip() for line in detail(first, PAPER, indent=0))
    return [heading, fenced("\n".join(lines))]
