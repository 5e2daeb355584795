"""What was handed in, once it has been read; and how its parts are named in sentences."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from d2lgrade.submission.source import Source, harmless, shown

MAX_TOTAL = 4_000_000  # characters of all loose files together, or of all helpers
MAX_FILES = 2_000  # files and folders looked at among loose files, or beside a section
MAX_NOTES = 10


class SubmissionError(Exception):
    """The submission cannot be graded at all; the message names the repair."""


@dataclass(frozen=True)
class Submission:
    """What was handed in.

    `homes` maps an exercise's id to the key of its file in `sources`, which also holds helper files
    that these may import. Where `partial`, only the
    exercises in `homes` are graded; otherwise each exercise asked for has a home, and what is not
    there is to do. `notes` are sentences about the submission as a whole.
    """

    name: str
    sources: Mapping[str, Source]
    homes: Mapping[str, str]
    notes: tuple[str, ...]
    partial: bool


def listed(items: Iterable[str], joint: str = "and") -> str:
    """The items as "a, b and c", a long list cut with the rest counted."""
    names = list(items)
    if len(names) > 8:
        names = [*names[:7], f"{len(names) - 7} more"]
    return f" {joint} ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


def called(path: Path) -> str:
    """What the submission is called: `.` by the name of the current folder."""
    name = shown(path)
    return name if name != os.curdir else harmless(os.path.basename(os.path.realpath(path)))


def cut(notes: Sequence[str]) -> tuple[str, ...]:
    """The first notes, the rest counted."""
    extra = len(notes) - MAX_NOTES
    return tuple(notes) if extra <= 0 else (*notes[:MAX_NOTES], f"… and {extra} more notes")
