"""What level `strict` adds around a contestant, done by the contestant itself before learner code.

The zygote runs inside a bubblewrap jail and holds the one capability that this needs. Each
contestant is the first process of a PID namespace of its own: when it dies, the kernel kills all
it started. It takes namespaces of its own, covers everything writable with a memory file system of
limited size, gives up every privilege for good, and last of all loads the system call filter. Only
Linux; a step that fails ends the contestant before any learner code has run.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
NEWPID, NEWNET = 0x20000000, 0x40000000
OWN = NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWNET
TOP = "/d2lgrade"  # a name that nobody else gives a folder at the root
WORK = f"{TOP}/work"
NO_NETWORK = "Your program tried to use the network; while it is graded there is none."

_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_BIND = 2, 4, 8, 4096
_PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 4, 22, 38
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
_SECCOMP_MODE_FILTER = 2
_CAPABILITY_VERSION = 0x20080522


@dataclass(frozen=True)
class Confinement:
    """How a contestant is confined; the judge decides, the zygote keeps it.

    Args:
        namespaces: flags of unshare(2).
        own_pids: whether it gets a PID namespace.
        scratch: bytes it may write in all, and
        inodes: how many files.
        covered: folders that are writable elsewhere, and for it are part of its scratch.
        user: the user it becomes; None: it stays who the zygote is.
        unprivileged: whether it gives up all capabilities and hides its memory.
        filter: the system call filter, as the kernel takes it; empty for none.
    """

    namespaces: int
    own_pids: bool
    scratch: int
    inodes: int
    covered: tuple[str, ...]
    user: int | None
    unprivileged: bool
    filter: bytes = b""

    @classmethod
    def of(cls, fields: dict[str, Any], program: bytes) -> Confinement:
        """From the fields that the judge sent, and the filter."""
        return cls(**fields, filter=program)


@contextmanager
def birth(confinement: Confinement) -> Iterator[None]:
    """What is forked inside is the first process of a new PID namespace."""
    if not confinement.own_pids:
        yield
        return
    own = os.pidfd_open(os.getpid())
    try:
        _checked("unshare", NEWPID)
        yield
        _checked("setns", own, NEWPID)
    finally:
        os.close(own)


def separate(confinement: Confinement) -> None:
    """Take namespaces and scratch memory of its own, and leave every privilege behind."""
    _checked("unshare", confinement.namespaces)
    options = f"size={confinement.scratch},nr_inodes={confinement.inodes},mode=1777"
    flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
    _checked("mount", b"tmpfs", TOP.encode(), b"tmpfs", flags, options.encode())
    os.umask(0)
    os.mkdir(WORK)
    for path in confinement.covered:
        own = f"{TOP}/{path.rpartition('/')[2]}"
        os.mkdir(own)
        _checked("mount", own.encode(), path.encode(), None, _MS_BIND, None)
    os.umask(0o077)
    if confinement.user is not None:
        os.setgroups([])
        os.setresgid(*[confinement.user] * 3)
        os.setresuid(*[confinement.user] * 3)
    if confinement.unprivileged:
        _drop_capabilities()
        _checked("prctl", _PR_SET_DUMPABLE, 0, 0, 0, 0)
    _checked("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def lock(confinement: Confinement) -> None:
    """The last step before learner code: name what is refused, and load the filter."""
    sys.addaudithook(_refuse_network)
    if not confinement.filter:
        return

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))

    program = Program(len(confinement.filter) // 8, confinement.filter)
    _checked("prctl", _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0)


def _drop_capabilities() -> None:
    _checked("prctl", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    _checked("capset", header, (ctypes.c_uint32 * 6)())


def _refuse_network(event: str, arguments: tuple[Any, ...]) -> None:
    """Say in plain words what the namespace and the filter would refuse anyway."""
    if event == "socket.__new__":
        if arguments[1] not in (1, -1):  # AF_UNIX, or a descriptor that is there already
            raise PermissionError(errno.EACCES, NO_NETWORK)
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        raise PermissionError(errno.EACCES, NO_NETWORK)


def hold(limits: dict[str, int]) -> None:
    """Set limits that this process can never raise again; each one by its name in `resource`."""
    for name, value in limits.items():
        kind = getattr(resource, f"RLIMIT_{name.upper()}")
        hard = resource.getrlimit(kind)[1]
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        resource.setrlimit(kind, (value, value))


def _checked(name: str, *arguments: Any) -> None:
    """Call a C function; OSError where it fails."""
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
