"""`status`, `list`, `hint` and `init`: the commands that need no torch."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from d2lgrade import gradebook
from d2lgrade.catalog import Course

from . import places
from .commands import Repairable

MARKS = {"passed": "✔", "failed": "✘", "todo": "○"}


def _points(value: float) -> str:
    return f"{value:g}"


def _standings(course: Course) -> dict[str, gradebook.Standing]:
    """What the gradebook beside the learner's exercises says; nothing where there is none."""
    try:
        folder = places.workspace(course)
        with gradebook.Gradebook(folder, create=False) as book:
            return book.standings()
    except (Repairable, gradebook.GradebookError):
        return {}


def status(kit: Path | None, edition: str) -> int:
    """Chapter by chapter: solved, points, and the next thing to do."""
    course = places.course(kit)
    known = _standings(course)
    console = Console()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title, justify in (("chapter", "left"), ("solved", "right"), ("points", "right")):
        table.add_column(title, justify=justify, header_style="dim")  # type: ignore[arg-type]
    for chapter in course.chapters:
        exercises = chapter.exercises
        solved = sum(1 for e in exercises if _is_solved(known.get(e.id)))
        earned = sum(known[e.id].points for e in exercises if e.id in known)
        total = sum(e.max_points for e in exercises)
        table.add_row(
            f"{chapter.number(edition)} {chapter.title}",
            f"{solved}/{len(exercises)}",
            f"{_points(earned)}/{_points(total)}",
        )
    console.print(table)
    following = next((e for e in course.exercises if not _is_solved(known.get(e.id))), None)
    console.print()
    if following is None:
        console.print("All solved.")
        places.whole(course)
        return 0
    console.print(Text(f"Next: {following.name} · {following.title} ({following.number(edition)})"))
    console.print(
        Text(f"      edit   exercises/{course.section(following.file).path}", style="dim")
    )
    console.print(Text(f"      then   d2lgrade {following.name}", style="dim"))
    console.print(Text(f"      stuck? d2lgrade hint {following.name}", style="dim"))
    places.whole(course)
    return 0


def _is_solved(standing: gradebook.Standing | None) -> bool:
    return standing is not None and standing.status == "passed"


def list_course(targets: tuple[str, ...], kit: Path | None, edition: str) -> int:
    """Chapters, sections and exercises, with points and the marks of the last grading."""
    course = places.course(kit)
    chosen = places.exercises(course, targets, edition) if targets else course.exercises
    wanted = {exercise.id for exercise in chosen}
    known = _standings(course)
    console = Console()
    for chapter in course.chapters:
        if not any(exercise.id in wanted for exercise in chapter.exercises):
            continue
        console.print(Text(f"{chapter.number(edition)} {chapter.title}", style="bold"))
        for section in chapter.sections:
            mine = [e for e in section.exercises if e.id in wanted]
            if not mine:
                continue
            console.print(Text(f"  {section.numbered(edition)} {section.title}   {section.path}"))
            grid = Table.grid(padding=(0, 2, 0, 0))
            for exercise in mine:
                standing = known.get(exercise.id)
                mark = MARKS.get(standing.status, " ") if standing else " "
                grid.add_row(
                    Text(f"    {mark}"),
                    Text(exercise.name),
                    Text(exercise.title, style="dim"),
                    Text(_points(exercise.max_points), justify="right"),
                )
            console.print(grid)
    if not targets:
        places.whole(course)
    return 0


def hint(target: str, step: int, kit: Path | None, edition: str) -> int:
    """The hints of one exercise, up to `step`."""
    course = places.course(kit)
    found = places.exercises(course, (target,), edition)
    if len(found) > 1:
        names = ", ".join(exercise.name for exercise in found[:8])
        raise Repairable(f"{target} holds several exercises; name one of them: {names}.")
    exercise = found[0]
    console = Console()
    console.print(
        Text(f"{exercise.name} · {exercise.title} ({exercise.number(edition)})", style="bold")
    )
    for number, text in enumerate(exercise.hints[:step], 1):
        console.print(Text(f"{number}. {text}"))
    if step < len(exercise.hints):
        console.print(Text(f"More: d2lgrade hint {exercise.name} --step {step + 1}", style="dim"))
    return 0


def init(folder: Path, level: str, kit: Path | None) -> int:
    """Write stubs and chapter pages below DIR/exercises; nothing that is there is touched."""
    from d2lgrade import master

    course = places.course(kit)
    places.whole(course)
    top = folder / "exercises"
    clash = next((s for s in course.sections if (top / s.path).exists()), None)
    if clash is not None:
        raise Repairable(
            f"{top / clash.path} exists; `init` never overwrites. Choose a new folder."
        )
    written: list[Any] = []
    try:
        for section in course.sections:
            source = (course.root / "solutions" / section.path).read_text(encoding="utf-8")
            path = top / section.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(master.stub(source, level), encoding="utf-8")  # type: ignore[arg-type]
            written.append(path)
        for chapter in course.chapters:
            page = Path("exercises", chapter.folder, "README.md")
            if (course.root / page).is_file() and not (folder / page).exists():
                shutil.copyfile(course.root / page, folder / page)
    except OSError as error:
        raise Repairable(f"{folder} cannot be laid out: {error}") from None
    click.echo(f"{len(written)} files in {top}. Begin with:\n  cd {folder}\n  d2lgrade")
    return 0
