"""`dev sync`, `dev new` and `dev check`: the author's commands."""

from __future__ import annotations

from pathlib import Path

import click

from . import places
from .commands import Fault, Repairable


def _root(kit: Path | None) -> Path:
    course = places.course(kit)
    places.whole(course)
    return course.root


def sync(check: bool, kit: Path | None) -> int:
    """Write the stubs, or say which are not what the masters give."""
    from d2lgrade.author import scaffold
    from d2lgrade.master import MasterError

    root = _root(kit)
    try:
        changed = scaffold.sync(root, check)
    except MasterError as error:
        raise Fault(str(error)) from None
    for path in changed:
        click.echo(f"{'differs' if check else 'wrote'} {path.relative_to(root)}")
    if not changed:
        click.echo("exercises/ is what solutions/ gives.")
    return 1 if check and changed else 0


def new(
    chapter: str,
    section: str,
    name: str,
    stem: str | None,
    title: str | None,
    section_title: str,
    chapter_title: str,
    kit: Path | None,
) -> int:
    """Start an exercise and say what to fill in."""
    from d2lgrade.author import scaffold
    from d2lgrade.catalog import CatalogError

    root = _root(kit)
    known = {s.number: s.file for s in places.course(kit).sections}
    stem = stem or known.get(section)
    if stem is None:
        raise Repairable(f"Section {section} is new: name its file with --file (--file pooling).")
    try:
        written = scaffold.new(
            root,
            chapter,
            section,
            stem,
            name,
            title or name,
            chapter_title=chapter_title,
            section_title=section_title,
        )
    except CatalogError as error:
        raise Repairable(str(error)) from None
    for path in written:
        click.echo(f"wrote {path.relative_to(root)}")
    click.echo(f"Fill in what is marked, then: d2lgrade dev sync && d2lgrade dev check {name}")
    return 0


def check(targets: tuple[str, ...], repeat: int, mutants: bool, kit: Path | None) -> int:
    """Prove the exercises; every weakness in a line."""
    from d2lgrade.author import proof

    course = places.course(kit, strict=True)
    exercises = places.exercises(course, targets, "en")
    return proof.run(course, exercises, repeat=repeat, mutants=mutants, say=click.echo)
