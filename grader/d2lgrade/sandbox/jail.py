"""The jail's walls as arguments of bubblewrap: nothing but the Python environment, read-only.

Pure functions of what the machine has, so that they can be tested without starting anything.
What is mounted is narrow on purpose: of a prefix only its libraries and its interpreter, of a
package outside site-packages only the package. Where a kit or another secret place lies inside of
something mounted, an empty file system covers it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from d2lgrade.contestant import confine

from .process import NEEDED, SandboxError, package_of

HOSTNAME = "d2lgrade"
SCRATCH = 16 << 20  # bytes for the zygote's own temporary files; contestants never see them
PACKAGE = Path(__file__).resolve().parents[1]
KIT_FOLDERS = ("checks", "solutions", "exercises", "data")
SHARED_HOMES = ("site-packages", "dist-packages")
DEVICES = ("null", "zero", "full", "random", "urandom")
# Of /etc: where libraries are, what time it is here, and names for one user.
ETC = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "alternatives")
# Kernels are chosen by what the processor can do: without these files, others run and bits differ.
PROCESSOR = ("/proc/cpuinfo", "/sys/devices/system/cpu")
OLDEST = (0, 8)  # the first bubblewrap that limits the size of a tmpfs

ELSEWHERE = (
    "--sandbox strict needs Linux. On other systems grade strangers' work inside a Linux machine "
    "or container; your own work needs no more than --sandbox process."
)
INSTALL = (
    "Install bubblewrap 0.8 or newer (Debian, Ubuntu: `apt install bubblewrap`; Fedora: "
    "`dnf install bubblewrap`)."
)
USER_NAMESPACES = (
    "User namespaces seem to be switched off for bubblewrap. On Debian: `sysctl -w "
    "kernel.unprivileged_userns_clone=1`. On Ubuntu 24.04: `sysctl -w "
    "kernel.apparmor_restrict_unprivileged_userns=0`, or an AppArmor profile that allows bwrap "
    "`userns`. Everywhere: user.max_user_namespaces must not be 0. In a container: "
    "`--security-opt seccomp=unconfined --security-opt apparmor=unconfined` (or a profile that "
    "allows unshare, mount and pivot_root)."
)


def bubblewrap() -> str:
    """The path of a bubblewrap that can do what is needed.

    Raises:
        SandboxError: there is none, or it is too old.
    """
    if sys.platform != "linux":
        raise SandboxError(ELSEWHERE)
    path = shutil.which("bwrap")
    if path is None:
        raise SandboxError(f"--sandbox strict needs bubblewrap, which is not here. {INSTALL}")
    found = version(path)
    if found < OLDEST:
        text = ".".join(map(str, found))
        raise SandboxError(f"bubblewrap {text} is too old for --sandbox strict. {INSTALL}")
    return path


@cache
def version(path: str) -> tuple[int, ...]:
    """The version of the bubblewrap at `path`; () where it does not say."""
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10)
        return tuple(int(part) for part in said.stdout.split()[-1].split("."))
    except (OSError, ValueError, IndexError, subprocess.TimeoutExpired):
        return ()


def arguments(
    environment: Mapping[str, str], hidden: Iterable[Path] = (), capabilities: Sequence[str] = ()
) -> list[str]:
    """The arguments of bubblewrap up to the command that runs inside.

    Args:
        environment: all that the zygote may know of the judge's.
        hidden: folders that nobody inside may see, wherever they lie.
        capabilities: what the zygote needs to confine its contestants; within the jail only.
    """
    made = [
        "--unshare-user",
        "--unshare-pid",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-net",
        "--unshare-cgroup-try",
        "--as-pid-1",
        "--die-with-parent",
        "--new-session",
        "--hostname",
        HOSTNAME,
        "--clearenv",
        "--cap-drop",
        "ALL",
    ]
    for name, value in environment.items():
        made += ["--setenv", name, value]
    for capability in capabilities:
        made += ["--cap-add", capability]
    mounted = [*system(), *interpreter(), *packages()]
    mounts = _outermost(mounted)
    for folder in _ancestors([*mounts, "/dev/shm/x", "/tmp/x", *PROCESSOR]):
        made += ["--perms", "0755", "--dir", folder]  # else only their owner could enter them
    for path in mounts:
        made += ["--ro-bind", path, path]
    for path, target in links():
        made += ["--symlink", target, path]
    for path in covered(mounted, hidden):
        made += ["--size", "4096", "--tmpfs", path, "--remount-ro", path]
    for device in DEVICES:
        made += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    for path in PROCESSOR:
        if os.path.exists(path):
            made += ["--ro-bind", path, path]
    made += ["--size", str(SCRATCH), "--tmpfs", confine.TOP, "--remount-ro", "/"]
    return [*made, "--chdir", confine.TOP]


def covers() -> list[str]:
    """Folders that programs expect to be writable; not /tmp where the environment lies in it."""
    mounted = [*system(), *interpreter(), *packages()]
    inside = any(Path(path).is_relative_to("/tmp") for path in mounted)
    return ["/dev/shm"] if inside else ["/dev/shm", "/tmp"]


def system() -> list[str]:
    """The system's libraries, and the few files of /etc that they read."""
    found = [f"/usr/{name}" for name in ("lib", "lib64", "lib32", "share/zoneinfo")]
    found += [path for path in ("/lib", "/lib64") if not os.path.islink(path)]
    found += [f"/etc/{name}" for name in ETC]
    if Path(sys.base_prefix).is_relative_to("/nix/store"):
        found.append("/nix/store")  # there libraries lie wherever they were built
    return [path for path in found if os.path.exists(path)]


def links() -> list[tuple[str, str]]:
    """Links that the system has at its root: path → target."""
    return [(path, os.readlink(path)) for path in ("/lib", "/lib64") if os.path.islink(path)]


def interpreter() -> list[str]:
    """The interpreter, its standard library and the libraries beside them."""
    prefixes = dict.fromkeys((sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix))
    found = [f"{prefix}/{name}" for prefix in prefixes for name in ("lib", "lib64", "pyvenv.cfg")]
    found += [sysconfig.get_path(name) for name in ("stdlib", "platstdlib")]
    found += [sys.executable, os.path.realpath(sys.executable)]
    return [path for path in dict.fromkeys(found) if os.path.exists(path)]


def packages() -> list[str]:
    """Where the packages lie that a contestant needs, and our own."""
    found = []
    for name in NEEDED:
        folder = package_of(name)
        if folder is not None:
            home = folder.parent
            found.append(str(home if home.name in SHARED_HOMES else folder))
    return [*dict.fromkeys(found), str(PACKAGE)]


def covered(mounted: Iterable[str], hidden: Iterable[Path]) -> list[str]:
    """The hidden folders that lie inside of something mounted."""
    secret = [PACKAGE / "kit"]
    for folder in hidden:
        secret += [folder / name for name in KIT_FOLDERS]
    places = [Path(path) for path in mounted]
    found = [
        str(path)
        for path in dict.fromkeys(secret)
        if path.is_dir() and any(path.is_relative_to(place) for place in places)
    ]
    return _outermost(found)


def _ancestors(paths: Iterable[str]) -> list[str]:
    """All folders above these paths, outermost first."""
    found = {str(parent) for path in paths for parent in Path(path).parents}
    return sorted(found - {"/"})


def _outermost(paths: Iterable[str]) -> list[str]:
    """Without those that lie inside of another one of them."""
    kept: list[str] = []
    for path in sorted(dict.fromkeys(paths), key=lambda path: (len(Path(path).parts), path)):
        if not any(Path(path).is_relative_to(other) for other in kept):
            kept.append(path)
    return kept


def failure(said: str) -> str:
    """What keeps bubblewrap from starting, with the repair, from what it said."""
    text = said.strip()[-600:]
    if "amespace" in text or "setting up uid map" in text or "Operation not permitted" in text:
        return f"The jail of --sandbox strict could not be built. {USER_NAMESPACES} It said: {text}"
    return f"The jail of --sandbox strict could not be built. bubblewrap said: {text}"
