"""What a learner has reached so far: the results of each grading, in SQLite beside their work."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from d2lgrade.results import Report

FOLDER = ".d2lgrade"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS attempts (
    id INTEGER PRIMARY KEY,
    moment REAL NOT NULL,
    exercise TEXT NOT NULL,
    status TEXT NOT NULL,
    points REAL NOT NULL,
    max_points REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS attempts_by_exercise ON attempts (exercise, id);
"""


class GradebookError(Exception):
    """The file cannot be read or written; the message names it and the repair."""


@dataclass(frozen=True)
class Standing:
    """The latest result of one exercise. `moment` is in seconds since the epoch."""

    exercise: str
    status: str
    points: float
    max_points: float
    moment: float


class Gradebook:
    """The results of one workspace; a context manager.

    Raises:
        GradebookError: the folder is read-only, the disk full, or the file no database.
    """

    def __init__(self, workspace: Path, *, create: bool = True) -> None:
        self.path = workspace / FOLDER / "progress.sqlite"
        self._connection: sqlite3.Connection | None = None
        self._create = create

    def __enter__(self) -> Gradebook:
        if not self._create and not self.path.exists():
            return self
        try:
            self.path.parent.mkdir(exist_ok=True)
            self._connection = sqlite3.connect(self.path, timeout=5)
            self._connection.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise self._failed(error) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._connection is not None:
            self._connection.close()

    def add(self, report: Report) -> None:
        """Remember one grading, all of it or nothing."""
        assert self._connection is not None
        moment = time.time()
        rows = [
            (moment, e.id, e.status, e.points, e.max_points)
            for e in report.exercises
            if e.status not in ("skipped", "grader_error")
        ]
        try:
            with self._connection:
                self._connection.executemany(
                    "INSERT INTO attempts (moment, exercise, status, points, max_points) "
                    "VALUES (?, ?, ?, ?, ?)",
                    rows,
                )
        except sqlite3.Error as error:
            raise self._failed(error) from None

    def standings(self) -> dict[str, Standing]:
        """The latest result of each exercise graded so far, by exercise id."""
        if self._connection is None:
            return {}
        query = (
            "SELECT exercise, status, points, max_points, moment FROM attempts "
            "WHERE id IN (SELECT max(id) FROM attempts GROUP BY exercise)"
        )
        try:
            with closing(self._connection.execute(query)) as rows:
                return {row[0]: Standing(*row) for row in rows}
        except sqlite3.Error as error:
            raise self._failed(error) from None

    def _failed(self, error: Exception) -> GradebookError:
        return GradebookError(
            f"{self.path} cannot be used ({error}); make its folder writable, or remove the file "
            "to begin anew."
        )
