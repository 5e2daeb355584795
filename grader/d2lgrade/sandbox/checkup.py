"""What this machine has of what the sandbox levels need: one finding each, with its repair."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import cuda, jail, syscalls
from .process import ProcessSandbox, SandboxError

SECONDS = 20.0
# Before it, the limit on processes counts all that its user runs, not only a submission's.
KERNEL = (5, 14)


@dataclass(frozen=True)
class Finding:
    """One line of the check-up.

    Args:
        name: what was looked at.
        good: whether it is as it should be; None where it only informs.
        text: what was found, and where it is not good, the repair.
    """

    name: str
    good: bool | None
    text: str = ""


def process_level() -> Finding:
    """Whether a contestant of level `process` can be started, as grading one's own work needs."""
    sandbox = ProcessSandbox()
    try:
        sandbox.contestant().close()
    except (SandboxError, OSError) as error:
        return Finding("your code in a process of its own", False, str(error))
    finally:
        sandbox.close()
    return Finding("your code in a process of its own", True, "starts and ends")


def tools() -> Iterator[Finding]:
    """What level `strict` is built of: the kernel, bubblewrap, user namespaces, the filter."""
    if sys.platform != "linux":
        yield Finding("Linux", False, f"this is {platform.system()}. {jail.ELSEWHERE}")
        return
    release = platform.release()
    good = _kernel(release) >= KERNEL
    repair = "" if good else ". Limits on processes need Linux 5.14 or newer"
    yield Finding("Linux", good, release + repair)
    try:
        path = jail.bubblewrap()
    except SandboxError as error:
        yield Finding("bubblewrap", False, str(error))
    else:
        yield Finding("bubblewrap", True, ".".join(map(str, jail.version(path))))
        yield _namespaces(path)
    yield _filter()


def promises(hidden: Sequence[Path] = ()) -> Iterator[Finding]:
    """Every promise of level `strict`, tried; one finding where it does not start at all."""
    from .strict import StrictSandbox

    sandbox = StrictSandbox(hidden=hidden, accept_unproven=True)
    try:
        sandbox.contestant().close()
    except (SandboxError, OSError) as error:
        yield Finding("the jail starts", False, str(error))
        return
    finally:
        sandbox.close()
    for promise in sandbox.promises:
        yield Finding(f"a submission {promise.name}", promise.held, promise.detail)


def gpu() -> Finding:
    """Whether a GPU is at hand; nothing here initialises CUDA."""
    nodes = cuda.nodes()
    if not nodes:
        return Finding("GPU", None, "none here; every exercise is graded on the CPU")
    return Finding("GPU", None, f"{nodes[0]}; exercises are graded on the CPU all the same")


def _kernel(release: str) -> tuple[int, ...]:
    parts = release.split("-")[0].split(".")[:2]
    return tuple(int(part) for part in parts if part.isdigit())


def _namespaces(path: str) -> Finding:
    """Whether bubblewrap may make what the jail needs."""
    command = [path, "--unshare-all", "--ro-bind", "/", "/", "--", "/bin/true"]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding("user namespaces", False, f"bubblewrap could not be run ({error})")
    if ran.returncode:
        return Finding("user namespaces", False, jail.failure(ran.stderr))
    return Finding("user namespaces", True, "bubblewrap may make them" + _as_whom())


def _as_whom() -> str:
    return "; as root, submissions run as nobody" if os.geteuid() == 0 else ""


def _filter() -> Finding:
    try:
        size = len(syscalls.program()) // 8
    except syscalls.FilterError as error:
        return Finding("system call filter", False, str(error))
    return Finding("system call filter", True, f"{size} instructions, made by libseccomp")
