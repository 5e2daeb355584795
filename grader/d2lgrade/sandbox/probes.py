"""What level `strict` must deny, tried from inside: this file runs as if it were a submission.

Never imported by the judge, which sends its text to contestants (`proof`). Each function tries
something and returns what it managed, in words; an empty list means that all of it was denied.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import mmap
import os
import platform
import resource
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from functools import partial

DENIED = (errno.EPERM, errno.EACCES, errno.ENOSYS)
AF_INET, AF_VSOCK, STREAM, DATAGRAM = 2, 40, 1, 2
REFUSED = 77  # exit status of a child that was denied what it tried
WRITABLE = ("/tmp", "/d2lgrade", "/d2lgrade/work", "/dev/shm", "/", "/dev", "/var/tmp", "/run")
MARK = "d2lgrade-was-here"
# Calls without a function in the C library: x86-64, else the numbers that newer machines share.
NUMBERS = {"keyctl": (250, 219), "bpf": (321, 280), "perf_event_open": (298, 241)}
NUMBERS.update({name: (n, n) for name, n in (("io_uring_setup", 425), ("pidfd_getfd", 438))})

libc = ctypes.CDLL(None, use_errno=True)


def _managed(name: str, attempt: Callable[..., object], *arguments: object) -> list[str]:
    """[name] if the attempt did not raise."""
    try:
        attempt(*arguments)
    except Exception:
        return []
    return [name]


def _read(path: str) -> None:
    with open(path, "rb", buffering=0) as file:
        file.read(1)


def _list(path: str) -> None:
    if not os.listdir(path):
        raise OSError("covered by an empty folder")


def _write(path: str) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))


def reads(paths: list[str]) -> list[str]:
    """Open files, and look into folders, that are the judge's."""
    found = []
    for path in paths:
        found += _managed(f"read {path}", _read, path)
        found += _managed(f"listed {path}", _list, path)
    return found


def surroundings(secrets: list[str]) -> list[str]:
    """Look for secrets of the judge's in the environment, and for a terminal."""
    found = [f"saw {name} in the environment" for name in secrets if name in os.environ]
    found += _managed("opened the terminal", _read, "/dev/tty")
    if os.environ["HOME"] != os.getcwd():
        found.append("saw another home")
    return found + [f"saw /proc/{name}" for name in os.listdir("/proc") if name != "cpuinfo"]


def writes(paths: list[str]) -> list[str]:
    """Write beside and over files of the Python environment and the system."""
    found = []
    for folder in paths:
        name = f"{folder.rstrip('/')}/{MARK}"
        found += _managed(f"wrote to {folder}", _write, name)
        found += _managed(f"changed {folder}", os.chmod, folder, 0o777)
    for path in (os.__file__, "/proc/cpuinfo", "/etc/ld.so.cache"):
        found += _managed(f"opened {path} to write", os.open, path, os.O_WRONLY)
    return found


def processes(pids: list[int]) -> list[str]:
    """See, signal or trace a process that is not its own."""
    found = [] if os.getppid() == 0 else ["saw its parent"]
    for pid in {*pids, *range(2, 64)}:
        found += _managed(f"could signal process {pid}", os.kill, pid, 0)
    return found


def network(port: bytes, abstract: str) -> list[str]:
    """Reach the judge over loopback and an abstract socket, and the world by UDP and vsock."""
    host = socket.inet_aton("127.0.0.1")
    found = _reached("loopback", AF_INET, STREAM, struct.pack("=H", AF_INET) + port + host)
    address = struct.pack("=H", AF_INET) + struct.pack("!H", 53) + socket.inet_aton("192.0.2.1")
    found += _reached("an address outside", AF_INET, DATAGRAM, address)
    machine = struct.pack("=HHIII", AF_VSOCK, 0, 1, 1, 0)
    found += _reached("vsock", AF_VSOCK, STREAM, machine, (errno.ENODEV, errno.EAFNOSUPPORT))
    with socket.socket(socket.AF_UNIX) as local:
        found += _managed("an abstract socket", lambda: local.connect("\0" + abstract))
    return [f"reached {name}" for name in found]


def _reached(
    name: str, family: int, kind: int, address: bytes, missing: tuple[int, ...] = ()
) -> list[str]:
    """Through the C library, for Python's own sockets are refused before the kernel is asked."""
    descriptor = libc.socket(family, kind, 0)
    if descriptor < 0:
        return []
    padded = address.ljust(16, b"\0")
    reached = libc.connect(descriptor, padded, len(padded)) == 0
    refused = ctypes.get_errno() in (errno.ENETUNREACH, errno.EACCES, errno.EPERM, *missing)
    os.close(descriptor)
    return [name] if reached or not refused else []


def privileges() -> list[str]:
    """Ask the kernel for what only the powerful need."""
    column = 0 if platform.machine() in ("x86_64", "AMD64") else 1
    calls: dict[str, Callable[[], int]] = {
        name: partial(libc.syscall, numbers[column], 0, 0, 0, 0, 0)
        for name, numbers in NUMBERS.items()
    }
    size = ctypes.c_size_t
    calls |= {
        "mount": lambda: libc.mount(b"tmpfs", b"/d2lgrade/work", b"tmpfs", 0, None),
        "umount2": lambda: libc.umount2(b"/d2lgrade", 0),
        "unshare": lambda: libc.unshare(0x10000000),
        "chroot": lambda: libc.chroot(b"/tmp"),
        "process_vm_readv": lambda: libc.process_vm_readv(1, None, size(0), None, size(0), size(0)),
        "sethostname": lambda: libc.sethostname(b"x", size(1)),
        "memfd_create": lambda: libc.memfd_create(b"x", 0),
        "shmget": lambda: libc.shmget(0, size(4096), 0o1600),
        "setpriority": lambda: libc.setpriority(0, 0, -5),
    }
    found = []
    for name, call in calls.items():
        ctypes.set_errno(0)
        if call() >= 0 or ctypes.get_errno() not in DENIED:
            found.append(f"was allowed {name}")
    found += _managed("ran another program", _in_child, _execute)
    found += _managed("was allowed ptrace", _in_child, _trace)
    if os.geteuid() == 0:
        found.append("is root")
    return found


def _in_child(attempt: Callable[[], None]) -> None:
    """Try it in a process of its own; OSError where it was denied there."""
    child = os.fork()
    if child == 0:
        try:
            attempt()
            os._exit(0)
        except OSError as error:
            os._exit(REFUSED if error.errno in DENIED else 0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == REFUSED:
        raise OSError("denied")


def _execute() -> None:
    os.execv(sys.executable, ["python", "-c", "pass"])


def _trace() -> None:
    if libc.ptrace(0, 0, 0, 0) < 0:  # PTRACE_TRACEME
        raise OSError(ctypes.get_errno(), "ptrace")


def limits(expected: dict[str, int]) -> list[str]:
    """Resource limits that are not in force, or can be raised."""
    found = []
    for name, value in expected.items():
        kind = getattr(resource, f"RLIMIT_{name.upper()}")
        soft, hard = resource.getrlimit(kind)
        if not 0 <= hard <= value or soft > hard:
            found.append(f"{name} is {hard}")
        found += _managed(f"raised {name}", resource.setrlimit, kind, (hard, hard + 1))
    return found


def scratch(size: int, inodes: int) -> list[str]:
    """Write more than the scratch may hold, in bytes and in files."""
    found, written, piece = [], 0, 8 << 20
    try:
        while written <= size:
            with open(f"fill{written}", "wb") as file:
                os.posix_fallocate(file.fileno(), 0, piece)
            written += piece
        found.append(f"wrote {written >> 20} MB")
    except OSError:
        pass
    for name in os.listdir():
        os.unlink(name)
    try:
        for number in range(inodes + 1):
            os.mkdir(str(number))
        found.append(f"made {inodes + 1} folders")
    except OSError:
        pass
    for name in os.listdir():
        os.rmdir(name)
    return found


def file_size(size: int) -> list[str]:
    """Write one file that is larger than allowed."""
    with open("large", "wb") as file:
        return _managed(f"wrote a file of {size >> 20} MB", _write_at, file.fileno(), size)


def _write_at(descriptor: int, position: int) -> None:
    os.lseek(descriptor, position, os.SEEK_SET)
    os.write(descriptor, b"x")


def descriptors(count: int) -> list[str]:
    """Open more files than allowed."""
    opened = []
    try:
        for _ in range(count + 1):
            opened.append(os.open(os.devnull, os.O_RDONLY))
        return [f"opened {len(opened)} files"]
    except OSError:
        return []
    finally:
        for descriptor in opened:
            os.close(descriptor)


def memory(size: int) -> list[str]:
    """Take more memory than allowed in one piece."""
    return _managed(f"took {size >> 20} MB", lambda: mmap.mmap(-1, size))


def fork_bomb(count: int) -> list[str]:
    """Start more processes than allowed."""
    children = []
    try:
        for _ in range(count + 1):
            child = os.fork()
            if child == 0:
                signal.pause()
            children.append(child)
        return [f"started {len(children)} processes"]
    except OSError:
        return []
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
        for child in children:
            os.waitpid(child, 0)


def shared_memory(size: int) -> list[str]:
    """Hold more memory than allowed in several processes, each below the limit."""
    for _ in range(3):
        if os.fork() == 0:
            kept = mmap.mmap(-1, size)
            ctypes.memset(ctypes.addressof(ctypes.c_char.from_buffer(kept)), 1, size)
            time.sleep(5)
            os._exit(0)
    time.sleep(2)
    return ["held more memory than allowed"]


def leave(key: str) -> list[str]:
    """Leave something for the next one, wherever it may be written."""
    for folder in WRITABLE:
        with contextlib.suppress(OSError):
            _write(f"{folder}/{key}")
    kept.append(socket.socket(socket.AF_UNIX))
    kept[-1].bind("\0" + key)
    kept[-1].listen(1)
    libc.shmget(4711, ctypes.c_size_t(4096), 0o1666)
    return []


def look(key: str) -> list[str]:
    """What another one has left."""
    found = [
        f"found a file in {folder}" for folder in WRITABLE if os.path.exists(f"{folder}/{key}")
    ]
    with socket.socket(socket.AF_UNIX) as local:
        found += _managed("reached its socket", lambda: local.connect("\0" + key))
    if libc.shmget(4711, ctypes.c_size_t(4096), 0o666) >= 0:
        found.append("found its shared memory")
    return found


def daemon() -> list[str]:
    """Start a process that wants to live on, deaf and in a session of its own."""
    read, write = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in range(1, 32):
                with contextlib.suppress(OSError, ValueError):
                    signal.signal(number, signal.SIG_IGN)
            os.write(write, b"x")
            while True:
                time.sleep(1)
        os._exit(0)
    os.read(read, 1)
    return []


kept: list[socket.socket] = []  # open for as long as the contestant lives
