"""What comes of importing a submission's files: some hang there, or end the process.

Such a file is left out from then on. Its own exercises are not tried again, and those of other
files lose only what they need of it.
"""

from __future__ import annotations

from dataclasses import replace

from d2lgrade.results import Failure
from d2lgrade.student.faults import ContestantLost, Frame
from d2lgrade.submission import Submission

from . import programs
from .benches import Bench
from .reach import reached
from .verdict import Outcome

ADVICE = "What stands outside functions runs on import; take it out or move it into a function."


class Imports:
    """The files of one submission that turned out not to be importable on its bench."""

    def __init__(self, submission: Submission, bench: Bench) -> None:
        self._submission = submission
        self._bench = bench
        self._refused: dict[str, Outcome] = {}
        self._tried: set[tuple[str, int]] = set()

    def refused(self, key: str | None) -> Outcome | None:
        """What a check of an exercise in a file that has been left out is told; else None."""
        return self._refused.get(key) if key is not None else None

    def culprit(self, home: str, error: ContestantLost) -> str | None:
        """The file whose import has lost us a contestant, left out from now on.

        Args:
            home: key of the file that was asked for.
            error: how the contestant was lost.

        Returns:
            Its key; None where no import but a call is to blame.
        """
        hung = error.status == "timeout"
        key = self._hanging(error) if hung else self._ending(home)
        if key is None:
            return None
        path = self._submission.sources[key].path
        did = f"the import of {path} never ended" if hung else f"importing {path} ends the process"
        message = f"Not tried: {did}."
        self._refused[key] = Outcome("timeout" if hung else "crashed", Failure(message))
        self._bench.leave_out(key, did)
        return key

    def ended(self, key: str, error: ContestantLost) -> Outcome:
        """The outcome of the check that found out that importing this file ends the process."""
        path = self._submission.sources[key].path
        message = f"{error.message.rstrip('.')} while {path} was imported. {ADVICE}"
        return Outcome("crashed", Failure(message))

    def own(self, frames: tuple[Frame, ...]) -> tuple[Frame, ...]:
        """Those of the learner's files, with the source lines that the sandbox does not know."""
        texts = {source.path: source.text for source in self._submission.sources.values()}
        lines = {path: ["", *text.splitlines()] for path, text in texts.items()}
        return tuple(
            replace(frame, source="".join(lines[frame.path][frame.line : frame.line + 1]).strip())
            for frame in frames
            if frame.path in lines
        )

    def _hanging(self, error: ContestantLost) -> str | None:
        """The innermost file that was being imported, by the frames."""
        modules = [frame.path for frame in error.frames if frame.function == "<module>"]
        sources = self._submission.sources
        return next((key for key in sources if modules and sources[key].path == modules[-1]), None)

    def _ending(self, home: str) -> str | None:
        """The file that does it, by importing what `home` does one after the other; once."""
        attempt = home, len(self._refused)
        if attempt in self._tried:
            return None
        self._tried.add(attempt)
        files = reached(programs.files(self._submission), home)
        return self._bench.ending([file.key for file in files if file.key not in self._refused])
