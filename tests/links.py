"""Fixtures that run a learner's source behind both links: in this process and in a contestant.

A test module asks for them by `pytest_plugins = ["links"]`. (PYTEST_DONT_REWRITE: some also import
it by name before pytest does.)
"""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator
from textwrap import dedent

import pytest
import torch

from d2lgrade.contestant.loader import File, Loader, Program
from d2lgrade.sandbox.limits import Limits
from d2lgrade.sandbox.process import Contestant, ProcessSandbox
from d2lgrade.student.local import LocalLink
from d2lgrade.student.namespace import Student
from d2lgrade.student.remote import RemoteLink

PATH = "exercises/learner.py"
HEAD = "import torch\nfrom torch import nn\n"


def program(source: str, head: str = HEAD) -> Program:
    """A submission of one file; everything it defines at its top is an exercise."""
    text = head + dedent(source)
    names = {
        node.name
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    return Program(
        {"learner": File("learner", PATH, text)}, {f"ch00/{n}": "learner" for n in names}
    )


def student(link: LocalLink | RemoteLink) -> Student:
    """What a check gets; every name is taken for an exercise."""
    link.student = Student(link, lambda name: f"ch00/{name}")
    return link.student


class Learner:
    """Makes students of sources, all behind one kind of link; `Learner(...)(source)`."""

    def __init__(self, sandbox: ProcessSandbox | None) -> None:
        self.sandbox = sandbox
        self.remote = sandbox is not None
        self.contestants: list[Contestant] = []
        self._output = io.StringIO()

    def __call__(self, source: str) -> Student:
        if self.sandbox is None:
            return student(LocalLink(Loader(program(source)), self._output))
        self.contestants.append(self.sandbox.contestant())
        link = RemoteLink(self.contestants[-1])
        link.load(program(source))
        return student(link)

    def printed(self) -> str:
        """What has been printed since the last call."""
        text = self._output.getvalue()
        self._output.seek(0)
        self._output.truncate()
        return text + "".join(contestant.printed() for contestant in self.contestants)

    def close(self) -> None:
        """End the contestants."""
        for contestant in self.contestants:
            contestant.close()


@pytest.fixture(scope="session")
def warm_sandbox() -> Iterator[ProcessSandbox]:
    """One zygote for all tests that only need contestants."""
    sandbox = ProcessSandbox(Limits(seconds=30.0))
    yield sandbox
    sandbox.close()


@pytest.fixture(params=["local", "remote"])
def learner(request: pytest.FixtureRequest) -> Iterator[Learner]:
    """Runs sources here and there in turn: a check must not see the difference."""
    torch.manual_seed(0)
    remote = request.param == "remote"
    maker = Learner(request.getfixturevalue("warm_sandbox") if remote else None)
    yield maker
    maker.close()


@pytest.fixture
def far(warm_sandbox: ProcessSandbox) -> Iterator[Learner]:
    """Runs sources in a contestant only, for what concerns the wire."""
    maker = Learner(warm_sandbox)
    yield maker
    maker.close()
