"""A bench: where one submission is examined, and what its checks get as `student`."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Protocol

from d2lgrade.catalog import Course
from d2lgrade.contestant.loader import Loader, Program
from d2lgrade.sandbox.limits import Limits
from d2lgrade.sandbox.process import Contestant, ProcessSandbox
from d2lgrade.student.faults import ContestantLost, StudentError
from d2lgrade.student.local import LocalLink
from d2lgrade.student.namespace import Context, Exercise, Student
from d2lgrade.student.remote import RemoteLink

from . import programs


class Bench(Protocol):
    """Serves one submission to its checks.

    `limits` is what its code may use; None where nothing limits it.
    """

    limits: Limits | None

    def student(self, chapter: str, bound: Collection[str] = ()) -> Student:
        """The submission's code as a check of this chapter sees it; a new student for each attempt.

        `bound` names predecessors to replace by substitutes; such code runs apart and never
        meets a check of those predecessors.
        """

    def printed(self) -> str:
        """What the learner's code printed since the last call."""

    def discard(self) -> None:
        """Give up the running contestants; the next student gets a fresh one."""

    def ending(self, keys: Sequence[str]) -> str | None:
        """The first of these files whose import alone ends the process; None where none does."""

    def leave_out(self, key: str, reason: str) -> None:
        """Run without this file from now on; who imports it is told the reason."""

    def close(self) -> None:
        """End everything that runs for this submission."""


def resolver(course: Course, chapter: str) -> Callable[[str], str]:
    """Exercise name → id, as a check of `chapter` means it: its own chapter's first."""
    own: dict[str, str] = {}
    for exercise in course.exercises:
        own.setdefault(exercise.name, exercise.id)
    own.update({e.name: e.id for e in course.exercises if e.chapter == chapter})
    return own.__getitem__


class LocalBench:
    """Runs the submission in this process: references, misconceptions and debug mode."""

    def __init__(
        self,
        course: Course,
        program: Callable[[Collection[str]], Program],
        *,
        capture: bool = True,
        prefix: str = "",
    ) -> None:
        self.limits: Limits | None = None
        self._course = course
        self._prefix = prefix
        self._program = program
        self._loaders: dict[tuple[str, ...], Loader] = {}
        self._output = io.StringIO() if capture else None

    def student(self, chapter: str, bound: Collection[str] = ()) -> Student:
        """See `Bench.student`."""
        key = tuple(sorted(bound))
        if key not in self._loaders:
            self._loaders[key] = Loader(self._program(key), prefix=self._prefix)
        link = LocalLink(self._loaders[key], self._output)
        program = self._loaders[key].program
        resolve = resolver(self._course, chapter)
        link.student = Student(link, resolve, lambda name: source_of(program, resolve(name)))
        return link.student

    def printed(self) -> str:
        """See `Bench.printed`; in debug mode prints went straight to the terminal."""
        if self._output is None:
            return ""
        text = self._output.getvalue()
        self._output.seek(0)
        self._output.truncate()
        return text

    def discard(self) -> None:
        """See `Bench.discard`."""
        self._loaders.clear()

    def ending(self, keys: Sequence[str]) -> str | None:
        """See `Bench.ending`; what ends this process leaves nobody to ask."""
        return None

    def leave_out(self, key: str, reason: str) -> None:
        """See `Bench.leave_out`."""
        whole = self._program
        self._program = lambda bound: programs.without(whole(bound), key, reason)
        self.discard()

    def close(self) -> None:
        """See `Bench.close`."""
        self._loaders.clear()


class RemoteBench:
    """Runs the submission in contestants: one for its own code, one for each set of substitutes."""

    def __init__(
        self,
        course: Course,
        program: Callable[[Collection[str]], Program],
        sandbox: ProcessSandbox,
        *,
        owned: bool = False,
    ) -> None:
        """`owned` closes the sandbox with the bench."""
        self.limits: Limits | None = sandbox.in_force
        self._owned = owned
        self._kept = ""
        self._course = course
        self._program = program
        self._sandbox = sandbox
        self._programs: dict[tuple[str, ...], Program] = {}
        self._contestants: dict[tuple[str, ...], Contestant] = {}
        self._link: RemoteLink | None = None

    def student(self, chapter: str, bound: Collection[str] = ()) -> Student:
        """See `Bench.student`."""
        key = tuple(sorted(bound))
        if key not in self._programs:
            self._programs[key] = self._program(key)
        program = self._programs[key]
        contestant = self._contestants.get(key)
        fresh = contestant is None or not contestant.alive
        if contestant is None or not contestant.alive:
            if contestant is not None:
                contestant.close()
            contestant = self._contestants[key] = self._sandbox.contestant()
        self._link = link = RemoteLink(contestant)
        if fresh:
            link.load(program)
        resolve = resolver(self._course, chapter)
        link.student = Student(link, resolve, lambda name: source_of(program, resolve(name)))
        return link.student

    def printed(self) -> str:
        """See `Bench.printed`."""
        text = "".join([self._kept, *(c.printed() for c in self._contestants.values())])
        self._kept = ""
        return text

    def discard(self) -> None:
        """See `Bench.discard`."""
        for contestant in self._contestants.values():
            self._kept += contestant.printed()  # what was printed before a crash is still shown
            contestant.close()
        self._contestants.clear()

    def ending(self, keys: Sequence[str]) -> str | None:
        """See `Bench.ending`: each is imported in turn, in a contestant of their own."""
        program = self._program(())
        asked = {f"import/{index}": key for index, key in enumerate(keys)}
        program = replace(program, homes={**program.homes, **asked})
        with closing(self._sandbox.contestant()) as contestant:
            link = RemoteLink(contestant)
            link.load(program)
            link.student = Student(link, str)
            for identity, key in asked.items():
                try:
                    link.request("get", Exercise(link.student, identity), "", (), {}, Context())
                except StudentError:
                    continue  # it raised, or was imported and holds no such exercise
                except ContestantLost:
                    return key
        return None

    def leave_out(self, key: str, reason: str) -> None:
        """See `Bench.leave_out`."""
        whole = self._program
        self._program = lambda bound: programs.without(whole(bound), key, reason)
        self._programs.clear()
        self.discard()

    def close(self) -> None:
        """See `Bench.close`."""
        self.discard()
        if self._owned:
            self._sandbox.close()


def source_of(program: Program, identity: str) -> str:
    """The text of the file that defines an exercise; empty where none does."""
    file = program.files.get(program.homes.get(identity, ""))
    return file.text if file else ""
