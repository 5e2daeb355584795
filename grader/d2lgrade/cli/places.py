"""Where the kit and the learner's work are, with errors that say what to do."""

from __future__ import annotations

import difflib
from pathlib import Path

from d2lgrade import catalog
from d2lgrade.catalog import Course, Exercise

from .commands import COMMANDS, Fault, Repairable


def course(kit: Path | None, strict: bool = False) -> Course:
    """The course to use: from `--kit`, from the current folder upward, or the installed one.

    A chapter that cannot be used stops only who needs it, unless `strict`, for authors: then every
    chapter must be right, and all its files there.
    """
    if kit is not None and not any(kit.glob("checks/*/chapter.toml")):
        raise Repairable(f"--kit: {kit} holds no checks/*/chapter.toml, so it is no kit.")
    try:
        root = kit if kit is not None else catalog.find_kit(Path.cwd())
        return catalog.load(root, complete=strict, tolerant=not strict)
    except catalog.CatalogError as error:
        raise Fault(str(error)) from None


def exercises(found: Course, targets: tuple[str, ...], edition: str) -> tuple[Exercise, ...]:
    """The exercises that the targets name; all of them for none."""
    try:
        return catalog.resolve(found, targets or ("all",), edition)
    except catalog.AmbiguousTarget as error:
        raise Repairable(str(error)) from None
    except catalog.UnknownTarget as error:  # what is no command is taken for a target
        near = difflib.get_close_matches(error.target, COMMANDS, n=1, cutoff=0.75)
        aside = f" For the command, write `d2lgrade {near[0]}`." if near else ""
        raise Repairable(f"{error}{aside}") from None
    except catalog.CatalogError as error:
        raise Fault(_with_others(str(error), found)) from None


def _with_others(complaint: str, found: Course) -> str:
    """The complaint about a chapter, and what can be graded meanwhile."""
    sound = ", ".join(chapter.id for chapter in found.chapters)
    return f"{complaint}\nThe others can be used meanwhile: {sound}."


def whole(found: Course) -> None:
    """Refuse a course of which a chapter cannot be used."""
    try:
        found.demand_whole()
    except catalog.CatalogError as error:
        raise Fault(_with_others(str(error), found)) from None


def workspace(found: Course) -> Path:
    """The folder whose exercises/ the learner edits: the nearest one upward, else the kit's own."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "exercises").is_dir():
            return folder
    if (found.root / "exercises").is_dir() and "site-packages" not in found.root.parts:
        return found.root
    raise Repairable(
        "There is no exercises/ here or in a folder above. `d2lgrade init mycourse` lays one out; "
        "`--submission PATH` grades something else."
    )
