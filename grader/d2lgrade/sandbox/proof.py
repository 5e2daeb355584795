"""The proof of level `strict`: at its start it tries what must be denied, from inside.

Each promise is tried by real contestants that run `probes.py` as if it were a submission. A promise
that cannot be tried, because a probe went wrong, does not hold.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import struct
import sysconfig
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from d2lgrade.contestant.loader import File, Program

from . import jail, watch
from .limits import Limits
from .process import Contestant

if TYPE_CHECKING:
    from .strict import StrictSandbox

SMALL = 64 << 20  # bytes of memory for the contestant that tries to outgrow its limits
FEW = 8  # processes for the same one
SECONDS = 20.0  # for all calls of one probe; they take milliseconds

READS = "reads nothing but the Python environment"
KIT = "cannot see checks, solutions or other submissions"
WRITES = "writes nothing but its own scratch"
SURROUNDINGS = "sees no environment, terminal or /proc of yours"
PROCESSES = "sees and signals no process but its own"
NETWORK = "reaches no network, loopback and local sockets included"
PRIVILEGES = "runs no other program and gets no privilege"
LIMITS = "cannot raise a limit"
MEMORY = "takes no more memory than allowed, alone or with its children"
SCRATCH = "writes no more bytes and files than allowed"
COUNTS = "opens no more files and starts no more processes than allowed"
NEXT = "leaves nothing for the next submission"
SURVIVES = "leaves no process behind"
ALL = (
    READS,
    KIT,
    WRITES,
    SURROUNDINGS,
    PROCESSES,
    NETWORK,
    PRIVILEGES,
    LIMITS,
    MEMORY,
    SCRATCH,
    COUNTS,
    NEXT,
    SURVIVES,
)


@dataclass(frozen=True)
class Promise:
    """One thing that a submission cannot do.

    Args:
        name: it, as the rest of a sentence that begins with "a submission".
        held: whether trying it failed.
        detail: what a probe managed; empty where it is held.
    """

    name: str
    held: bool
    detail: str = ""


class Probe:
    """A contestant that runs the probes: `probe.reads(...)` → what it managed."""

    def __init__(self, sandbox: StrictSandbox, limits: Limits | None = None) -> None:
        from d2lgrade.student.remote import RemoteLink

        self.contestant: Contestant = sandbox.contestant_with(limits or sandbox.limits)
        self._link = RemoteLink(self.contestant)
        self._link.load(_program())

    def __getattr__(self, name: str) -> Callable[..., list[str]]:
        from d2lgrade.student.namespace import Student

        student = Student(self._link, lambda name: f"proof/{name}")
        self._link.student = student

        def call(*arguments: Any) -> list[str]:
            with student.deadline(SECONDS):
                found = getattr(student, name)(*arguments)
            return [str(one)[:200] for one in found]

        return call


@dataclass(frozen=True)
class Bait:
    """What a probe must not reach: a secret file, a port, an abstract socket, processes."""

    secret: str
    port: bytes
    abstract: str
    pids: tuple[int, ...]


def prove(sandbox: StrictSandbox) -> tuple[Promise, ...]:
    """Try every promise; they come in the order of `ALL`."""
    found: dict[str, list[str]] = {name: [] for name in ALL}
    with contextlib.ExitStack() as stack:
        bait = stack.enter_context(_bait())
        first, second = _Tried(stack, sandbox), _Tried(stack, sandbox)
        key = f"d2lgrade-{secrets.token_hex(8)}"
        limits = sandbox.limits
        first.add(found[READS], "reads", [bait.secret, *_private()])
        first.add(found[KIT], "reads", _kits(sandbox))
        first.add(found[WRITES], "writes", _environment())
        first.add(found[SURROUNDINGS], "surroundings", sorted(os.environ.keys() - _known()))
        first.add(found[PROCESSES], "processes", list(bait.pids))
        first.add(found[NETWORK], "network", bait.port, bait.abstract)
        first.add(found[PRIVILEGES], "privileges")
        first.add(found[LIMITS], "limits", _expected(limits))
        first.add(found[MEMORY], "memory", limits.memory + (1 << 30))
        first.add(found[SCRATCH], "file_size", limits.file_size)
        first.add(found[SCRATCH], "scratch", limits.scratch, limits.inodes)
        first.add(found[COUNTS], "descriptors", limits.files)
        first.add(found[NEXT], "leave", key)
        second.add(found[NEXT], "look", key)
        second.add(found[SURVIVES], "daemon")
        found[SURVIVES] += second.survivors(sandbox)
        small = _Tried(stack, sandbox, replace(limits, memory=SMALL, processes=FEW))
        small.add(found[COUNTS], "fork_bomb", FEW)
        small.outgrow(found[MEMORY])
    return tuple(Promise(name, not found[name], "; ".join(found[name][:3])) for name in ALL)


def refusal(broken: Sequence[Promise]) -> str:
    """Why nothing is run, and what can be done."""
    told = "; ".join(f"a submission {p.name} — does not hold: {p.detail}" for p in broken)
    return (
        f"--sandbox strict does not hold here. {told}. `d2lgrade doctor` shows every promise and "
        "how to repair it. To grade all the same, pass --accept-unproven; the report will say so."
    )


class _Tried:
    """A probe, and what becomes of it."""

    def __init__(
        self, stack: contextlib.ExitStack, sandbox: StrictSandbox, limits: Limits | None = None
    ) -> None:
        self._probe = Probe(sandbox, limits)
        stack.callback(self._probe.contestant.close)

    def add(self, found: list[str], name: str, *arguments: Any) -> None:
        """Run one probe; what goes wrong with it counts as managed."""
        try:
            found += getattr(self._probe, name)(*arguments)
        except Exception as error:
            found.append(f"the probe {name} could not run ({type(error).__name__}: {error})"[:300])

    def outgrow(self, found: list[str]) -> None:
        """Let it hold too much memory with its children: it must be killed, and for that."""
        from d2lgrade.student.faults import Crash

        try:
            found += self._probe.shared_memory(SMALL * 3 // 4)
        except Crash as error:
            if "ran out of memory" not in str(error):
                found.append(f"its end was another one ({error})"[:300])
        except Exception as error:
            found.append(f"the probe could not run ({type(error).__name__}: {error})"[:300])

    def survivors(self, sandbox: StrictSandbox) -> list[str]:
        """End it; which of its processes live on."""
        contestant = self._probe.contestant
        pids = watch.family(sandbox.process_of(contestant))
        contestant.close()
        alive = [pid for pid in pids if _alive(pid)]
        if len(pids) < 2:
            return ["the probe started no process"]
        return [f"process {pid} lived on" for pid in alive]


def _program() -> Program:
    text = Path(__file__).with_name("probes.py").read_text("utf-8")
    names = [
        line.removeprefix("def ").partition("(")[0]
        for line in text.splitlines()
        if line.startswith("def ") and not line.startswith("def _")
    ]
    file = File("probes", "probes.py", text)
    return Program({"probes": file}, {f"proof/{name}": "probes" for name in names})


@contextlib.contextmanager
def _bait() -> Iterator[Bait]:
    """Things of the judge's that a submission must not reach."""
    abstract = f"d2lgrade-bait-{secrets.token_hex(8)}"
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        (folder / "secret").write_text("secret")
        (folder / "secret").chmod(0o644)
        port = stack.enter_context(socket.socket())
        port.bind(("127.0.0.1", 0))
        port.listen(1)
        local = stack.enter_context(socket.socket(socket.AF_UNIX))
        local.bind("\0" + abstract)
        local.listen(1)
        number = struct.pack("!H", port.getsockname()[1])
        yield Bait(str(folder / "secret"), number, abstract, (os.getpid(), os.getppid()))


def _private() -> list[str]:
    """Files that a process of this user could read."""
    return ["/etc/passwd", "/etc/hostname", "/proc/self/environ", "/proc/1/environ", "/var", "/run"]


def _kits(sandbox: StrictSandbox) -> list[str]:
    """Where the kits lie that this sandbox knows of, and the package's own."""
    kits = [jail.PACKAGE / "kit", jail.PACKAGE.parents[1], *sandbox.hidden]
    return [str(kit / name) + "/." for kit in kits for name in ("checks", "solutions")]


def _environment() -> list[str]:
    """Folders of the Python environment and of the system."""
    paths = [sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")]
    return ["/", "/usr/lib", "/etc", "/dev", "/proc", str(jail.PACKAGE), *dict.fromkeys(paths)]


def _known() -> set[str]:
    """Names in the environment that a contestant has of its own."""
    from .process import OWN_VARIABLES, PASSED_ON

    return {*OWN_VARIABLES, *PASSED_ON, "HOME", "TMPDIR", "PWD"}


def _expected(limits: Limits) -> dict[str, int]:
    expected = limits.confined(1 << 46)
    return {name: value for name, value in expected.items() if name not in ("as",)}


def _alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False
