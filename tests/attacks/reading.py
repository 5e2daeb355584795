"""Attacks that read what is hidden: files here, and all the others of this family."""

from __future__ import annotations

from . import peeking, spying, telling
from .case import Attack
from .parts import (
    JAIL,
    OWN_FILE,
    SHARED,
    STRICT,
    prizes,
)

_prize = prizes("read")

# Files -------------------------------------------------------------------------------------------

OWN_LINK = """
    import os

    def aside():
        with open("mine.txt", "w") as file:
            file.write("a note")
        os.symlink("mine.txt", "link.txt")
        assert open("link.txt").read() == "a note"
        os.remove("link.txt")
        os.remove("mine.txt")
"""
OWN_SOURCE = """
    import inspect

    def aside():
        assert "inspect" in inspect.getsource(aside)
"""

# Files of the kit, wherever a kit may lie beside the code that runs here.
KIT = """
    import pathlib
    import d2lgrade

    def kit(pattern):
        here = pathlib.Path(d2lgrade.__file__).resolve()
        for top in (here.parent / "kit", *here.parents[:5]):
            yield from top.glob(pattern)

    def found():
"""
WALK = """
    import os, tempfile, time

    MINE = "neighbours" + "_looked_for"

    def files(top, seconds):
        end = time.monotonic() + seconds
        for path, folders, names in os.walk(top):
            folders[:] = folders[:200]
            if path.count("/") - top.count("/") > 5 or time.monotonic() > end:
                folders.clear()
            yield from (os.path.join(path, name) for name in names)
"""


def _kit(pattern: str, word: str) -> str:
    return KIT + f"        return [p for p in kit({pattern!r}) if {word!r} in p.read_text()]\n"


FILES = (
    _prize(
        "secret_file",
        """
        def found():
            return open("@SECRET@").read()
        """,
        OWN_FILE,
        **JAIL,
    ),
    _prize(
        "secret_through_a_link",
        """
        import os

        def found():
            os.symlink("@SECRET@", "homework.txt")
            try:
                return open("homework.txt").read()
            finally:
                os.remove("homework.txt")
        """,
        OWN_LINK,
        **JAIL,
    ),
    _prize(
        "secret_up_the_tree",
        """
        def found():
            return open("../" * 60 + "@SECRET@"[1:]).read()
        """,
        OWN_FILE,
        **JAIL,
    ),
    _prize(
        "secret_as_a_hard_link",
        """
        import os

        def found():
            os.link("@SECRET@", "mine.txt")
            try:
                return open("mine.txt").read()
            finally:
                os.remove("mine.txt")
        """,
        OWN_FILE,
        **JAIL,
    ),
    _prize(
        "secret_through_c",
        """
        import ctypes, mmap, os
        import numpy as np

        def by_libc():
            libc = ctypes.CDLL(None)
            buffer = ctypes.create_string_buffer(200)
            fd = libc.open(b"@SECRET@", 0)
            return libc.read(fd, buffer, 200) > 0 and buffer.value

        def found():
            ways = (
                by_libc,
                lambda: np.fromfile("@SECRET@", dtype=np.uint8).tobytes(),
                lambda: bytes(torch.from_file("@SECRET@", size=8, dtype=torch.uint8).tolist()),
                lambda: np.memmap("@SECRET@", mode="r").tobytes(),
            )
            for way in ways:
                try:
                    if got := way():
                        return got
                except (OSError, RuntimeError):
                    pass
        """,
        """
        import os
        import numpy as np

        def aside():
            np.arange(9).tofile("numbers.bin")
            assert np.fromfile("numbers.bin", dtype=np.int64).sum() == 36
            os.remove("numbers.bin")
        """,
        **JAIL,
    ),
    _prize(
        "secret_through_a_child",
        """
        import os, subprocess, sys

        def found():
            code = "print(open('@SECRET@').read())"
            return subprocess.run([sys.executable, "-c", code], capture_output=True).stdout
        """,
        """
        import os

        def aside():
            pid = os.fork()
            if pid == 0:
                os._exit(5)
            assert os.waitpid(pid, 0)[1] == 5 << 8
        """,
        **JAIL,
    ),
    _prize(
        "secret_past_an_open_descriptor",
        """
        import os, stat

        def found():
            for fd in range(1024):
                try:
                    if stat.S_ISDIR(os.fstat(fd).st_mode):
                        up = os.open("../" * 60 + "@SECRET@"[1:], os.O_RDONLY, dir_fd=fd)
                        return os.read(up, 200)
                except OSError:
                    pass
        """,
        OWN_FILE,
    ),
    _prize(
        "master_solutions",
        _kit("solutions/*/conv_layer.py", "def vertical_edge_kernel"),
        OWN_SOURCE,
        **JAIL,
    ),
    _prize(
        "hidden_checks",
        _kit("checks/*/test_conv_layer.py", "def test_vertical_edge_kernel_form"),
        OWN_SOURCE,
        **JAIL,
    ),
    _prize(
        "known_mistakes",
        _kit("checks/*/misconceptions/*.py", "misconception"),
        OWN_SOURCE,
        **JAIL,
    ),
    _prize(
        "answers_of_others",
        WALK
        + """
    def found():
        tops = {tempfile.gettempdir(), "/tmp", "/var/tmp"}
        for top in tops:
            for path in files(top, 2.0):
                if path.endswith("conv_layer.py"):
                    text = open(path, errors="replace").read()
                    if MINE not in text and "corr2d" in text:
                        return path
        """,
        OWN_FILE,
        **JAIL,
    ),
    _prize(
        "scratch_of_others",
        """
        import os

        def found():
            here = os.path.basename(os.getcwd())
            for name in os.listdir(".."):
                if name != here and os.path.isfile(os.path.join("..", name)):
                    return open(os.path.join("..", name), "rb").read() or name
        """,
        """
        import os

        def aside():
            os.makedirs("a/b")
            assert os.listdir("a") == ["b"]
            os.removedirs("a/b")
        """,
        **JAIL,
    ),
    _prize(
        "home_of_the_instructor",
        """
        import glob, os

        def found():
            homes = ["/root", *glob.glob("/home/*")]
            for home in homes:
                for name in os.listdir(home) if os.path.isdir(home) else ():
                    path = os.path.join(home, name)
                    if os.path.isfile(path) and os.access(path, os.R_OK):
                        return path
        """,
        """
        import os

        def aside():
            path = os.path.expanduser("~/notes.txt")
            with open(path, "w") as file:
                file.write("a note")
            os.remove(path)
        """,
        **STRICT,
    ),
    _prize(
        "files_of_the_machine",
        """
        import os

        PLACES = ("/etc/shadow", "/etc/machine-id", "/etc/hostname", "/etc/hosts",
                  "/etc/resolv.conf", "/etc/fstab", "/var/lib/dpkg/status", "/boot", "/var/log")

        def found():
            for path in PLACES:
                if os.path.isdir(path) and os.listdir(path):
                    return path
                if os.path.isfile(path) and os.access(path, os.R_OK) and open(path, "rb").read(9):
                    return path
        """,
        """
        import platform

        def aside():
            assert platform.python_implementation() == "CPython"
        """,
        **JAIL,
    ),
    _prize(
        "environment_of_the_judge",
        """
        import ctypes, os, re

        def first():
            environ = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
            index = 0
            while environ[index]:
                yield environ[index].decode(errors="replace")
                index += 1
            try:
                yield from open("/proc/self/environ").read().split("\\0")
            except OSError:
                pass

        def found():
            names = {entry.partition("=")[0] for entry in first()} | set(os.environ)
            odd = r"PYTHONPATH|PYTEST|USER$|LOGNAME|SSH|TOKEN|SECRET|KEY$|PASSWORD|D2LGRADE"
            return [name for name in names if re.search(odd, name)]
        """,
        """
        import os

        def aside():
            os.environ["KERNEL"] = "edge"
            assert os.environ.pop("KERNEL") == "edge"
        """,
        **SHARED,
    ),
    _prize(
        "arguments_of_the_judge",
        """
        import os, sys

        def found():
            words = [*sys.argv, *sys.orig_argv]
            try:
                words += open("/proc/self/cmdline").read().split("\\0")
            except OSError:
                pass
            return [word for word in words if word.endswith((".py", ".toml", ".sqlite", ".json"))]
        """,
        """
        import sys

        def aside():
            assert sys.version_info >= (3, 11)
        """,
        **SHARED,
    ),
)


ATTACKS: tuple[Attack, ...] = (
    *FILES,
    *peeking.ATTACKS,
    *spying.ATTACKS,
    *telling.ATTACKS,
)
