"""What an attack is, and the arena in which attacks are tried.

An `Attack` is a learner's section file. In its text these placeholders are filled in:

    @SECRET@  path of a planted secret, outside every sandbox
    @LOOT@    an existing folder, outside every sandbox, where the attack tries to leave something
    @PORT@    a TCP port on 127.0.0.1 where the test listens
    @PID@     the judge's process id

Loot folder and port are each attack's own, so that what turns up there names its culprit.
"""

from __future__ import annotations

import os
import re
import selectors
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from d2lgrade.results import CheckResult, Report, failure_text
from d2lgrade.sandbox.limits import Limits
from grading import Case, Grader

NORMAL = Limits()
HANGING = Limits(seconds=1.0)  # for attacks that never answer: each is waited for twice


@dataclass(frozen=True)
class Attack:
    """One submission that attacks, and what must come of it.

    Args:
        name: unique slug.
        family: "forge", "read", "time", "exhaust", "outlive" or "poison".
        target: id of the exercise attacked.
        source: the attacking section file, with placeholders.
        twin: an honest file that does the same work cleanly; every check of the target passes.
        passes: names of the checks that the attacker's work earns even so.
        says: a pattern that the failure text of at least one lost check matches.
        levels: sandbox levels at which it must be harmless.
        opened: name of the defence in `attacks.openings` without which it succeeds; "" where that
            cannot be shown.
        limits: what it is run under.
        seed: the kit's seed it is graded with.
        beside: files planted in the submission's folder, as (relative path, text).
    """

    name: str
    family: str
    target: str
    source: str
    twin: str
    passes: tuple[str, ...] = ()
    says: str = ""
    levels: tuple[str, ...] = ("process", "strict")
    opened: str = ""
    limits: Limits = NORMAL
    seed: int = 0
    beside: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What an attack brought: the names of the checks it passed, loot, what it sent, its report."""

    report: Report
    passed: tuple[str, ...]
    loot: tuple[str, ...]
    sent: bytes

    def gained(self, attack: Attack, secret: str) -> bool:
        """Whether it got anything that its work does not earn."""
        unearned = set(self.passed) - set(attack.passes)
        return bool(unearned or self.loot or self.sent or secret in everything(self.report))


class Arena:
    """A planted secret, loot folders and listening ports; `close` ends the listening."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.secret = f"secret-{os.urandom(12).hex()}"
        (folder / "secret.txt").write_text(self.secret)
        self._listeners: dict[str, socket.socket] = {}
        self._heard: dict[str, bytes] = {}
        self._selector = selectors.DefaultSelector()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def filled(self, text: str, name: str) -> str:
        """`text` with the placeholders of the attack called `name` filled in."""
        for sign, value in (
            ("@SECRET@", str(self.folder / "secret.txt")),
            ("@LOOT@", str(self.loot(name))),
            ("@PID@", str(os.getpid())),
        ):
            text = text.replace(sign, value)
        return text.replace("@PORT@", str(self.port(name))) if "@PORT@" in text else text

    def case(self, grader: Grader, attack: Attack) -> Case:
        """The attack as a submission."""
        [exercise] = grader.exercises(attack.target)
        source = self.filled(attack.source, attack.name)
        beside = {path: self.filled(text, attack.name) for path, text in attack.beside}
        return Case({exercise.file: source}, (attack.target,), beside, bool(exercise.builds_on))

    def loot(self, name: str) -> Path:
        """The folder where this attack tries to leave something; made on first use."""
        folder = self.folder / "loot" / name
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)
        return folder

    def port(self, name: str) -> int:
        """The port to which this attack may try to send."""
        if name not in self._listeners:
            self._listeners[name] = listener = socket.create_server(("127.0.0.1", 0), backlog=50)
            self._selector.register(listener, selectors.EVENT_READ, name)
        port: int = self._listeners[name].getsockname()[1]
        return port

    def outcome(self, attack: Attack, report: Report) -> Outcome:
        """What the attack brought, once its report is there."""
        passed = tuple(name_of(c) for c in checks_of(report) if c.status == "passed")
        loot = sorted(path.name for path in self.loot(attack.name).rglob("*"))
        return Outcome(report, passed, tuple(loot), self._heard.get(attack.name, b""))

    def _listen(self) -> None:
        while not self._stopped.is_set():
            for key, _ in self._selector.select(0.1):
                listener = key.fileobj
                assert isinstance(listener, socket.socket)
                connection, _ = listener.accept()
                connection.settimeout(1.0)
                with connection:
                    try:
                        data = connection.recv(4096)
                    except OSError:
                        data = b""
                self._heard[key.data] = self._heard.get(key.data, b"") + (data or b"(connected)")

    def close(self) -> None:
        """Stop listening."""
        self._stopped.set()
        self._thread.join()
        for listener in self._listeners.values():
            listener.close()
        self._selector.close()


@contextmanager
def arena(folder: Path) -> Iterator[Arena]:
    """An arena in `folder`, for the length of a block."""
    made = Arena(folder)
    try:
        yield made
    finally:
        made.close()


def checks_of(report: Report) -> list[CheckResult]:
    """Every check of a report."""
    return [check for exercise in report.exercises for check in exercise.checks]


def name_of(check: CheckResult) -> str:
    """ "values" for ch07/corr2d/values."""
    return check.id.rpartition("/")[2]


def everything(report: Report) -> str:
    """All text of a report."""
    return repr(report)


def told(report: Report) -> list[str]:
    """The failure texts of the checks that were lost."""
    return [
        failure_text(check.failure)
        for check in checks_of(report)
        if check.failure and check.status != "passed"
    ]


def ours(report: Report) -> list[str]:
    """Lines of a traceback that are the grader's own and not the learner's."""
    foreign = re.compile(r"grader/d2lgrade|site-packages|Traceback \(most recent")
    return [line for text in told(report) for line in text.splitlines() if foreign.search(line)]


def unique(attacks: Sequence[Attack]) -> None:
    """Raises ValueError where two attacks share a name."""
    names = [attack.name for attack in attacks]
    if double := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"attacks of the same name: {', '.join(double)}")
