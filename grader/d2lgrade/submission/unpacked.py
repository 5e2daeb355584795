"""Pieces of a submission that lie elsewhere, or in archives → one folder to be read, for a moment.

The folder is private and gone when the submission has been read; it holds the sources alone,
written here as plain files under names that `archive` has vetted. Whoever handed them in sees them
called as they called them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from d2lgrade.catalog import Course, Exercise
from d2lgrade.submission import archive, layout
from d2lgrade.submission.handed import Submission, SubmissionError, called, cut
from d2lgrade.submission.source import known_as, shown

_EMPTY = "Zip your .py files or notebooks, or your exercises folder"


def read_zip(path: Path, course: Course, exercises: Sequence[Exercise]) -> Submission:
    """The submission in a zip archive. Raises SubmissionError."""
    label = shown(path)
    files, notes = contents(path, label)
    return read_files(files, called(path), label, course, exercises, notes, stem=path.stem)


def contents(
    file: Path | bytes, label: str, limits: archive.Limits = archive.STUDENT
) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """The source files in an archive by name, and notes. Raises SubmissionError."""
    try:
        listing = archive.directory(file, label, limits)
        files = archive.read(file, listing, listing.members, limits)
    except archive.ArchiveError as error:
        raise SubmissionError(str(error)) from None
    except OSError as error:
        message = f"{label} cannot be read: {error.strerror}. Name a file that you may read."
        raise SubmissionError(message) from None
    if not files:
        why = " ".join([f"{label} holds no .py file and no notebook.", *cut(listing.notes)])
        raise SubmissionError(f"{why} {_EMPTY}.")
    return files, listing.notes


def read_files(
    files: Mapping[str, bytes],
    name: str,
    label: str,
    course: Course,
    exercises: Sequence[Exercise],
    notes: Sequence[str] = (),
    stem: str = "",
) -> Submission:
    """A submission made of these files.

    Args:
        files: relative name, joined by `/`, → bytes.
        name: what the submission is called.
        label: what goes before the names of its files in messages; "" for nothing.
        course: the whole course.
        exercises: the exercises asked for.
        notes: sentences on what was left out already.
        stem: what the folder would be called, which may be a chapter's name.

    Raises:
        SubmissionError: as `layout.read` does.
    """
    with tempfile.TemporaryDirectory(prefix="d2lgrade-") as place:
        top = Path(place, stem if stem in {s.folder for s in course.sections} else "submission")
        top.mkdir()
        for member, data in files.items():
            path = top.joinpath(*member.split("/"))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        with known_as(top, label):
            submission = layout.read(top, course, exercises)
    return replace(submission, name=name, notes=cut([*notes, *submission.notes]))
