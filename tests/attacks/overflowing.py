"""Attacks that overflow: disk, descriptors, output."""

from __future__ import annotations

from .case import Attack
from .parts import JAIL, SMALL, tricks

_trick = tricks("exhaust")

OWN_FILES = """
    import os

    def aside():
        for number in range(5):
            with open(f"{number}.txt", "w") as file:
                file.write("a note\\n" * 100)
        for number in range(5):
            os.remove(f"{number}.txt")
"""
OWN_FOLDERS = """
    import os

    def aside():
        os.makedirs("a/b/c/d")
        os.removedirs("a/b/c/d")
"""
PRINTS = """
    def aside():
        for number in range(5):
            print("line", number)
"""


def _flood(name: str, text: str, aside: str, says: str, **more: object) -> Attack:
    given = {"limits": SMALL, **more}
    return _trick(name, text, aside, says, **given)


# Disk and descriptors ----------------------------------------------------------------------------

DISK = (
    _flood(
        "disk",
        """
        import os

        def deed(X, K):
            try:
                for number in range(25):
                    with open(f"{number}.bin", "wb") as file:
                        file.write(bytes(4 << 20))
            finally:
                for number in range(25):
                    if os.path.exists(f"{number}.bin"):
                        os.remove(f"{number}.bin")
            return honest(X, K)
        """,
        OWN_FILES,
        r"No space left|wrote more than",
        **JAIL,
    ),
    _flood(
        "disk_in_shared_memory",
        """
        import os

        def deed(X, K):
            path = f"/dev/shm/big-{os.getpid()}"
            try:
                for number in range(20):
                    with open(f"{path}-{number}", "wb") as file:
                        file.write(bytes(4 << 20))
            finally:
                for number in range(20):
                    if os.path.exists(f"{path}-{number}"):
                        os.remove(f"{path}-{number}")
            return honest(X, K)
        """,
        OWN_FILES,
        r"No space left|wrote more than|No such file|Read-only|denied",
        **JAIL,
    ),
    _flood(
        "one_large_file",
        """
        def deed(X, K):
            with open("big.bin", "wb") as file:
                for _ in range(25):
                    file.write(bytes(4 << 20))
            return honest(X, K)
        """,
        OWN_FILES,
        r"File too large|No space left|wrote more than",
    ),
    _flood(
        "one_file_of_holes",
        """
        def deed(X, K):
            with open("holes.bin", "wb") as file:
                file.truncate(1 << 40)
            return honest(X, K)
        """,
        OWN_FILES,
        r"File too large|No space left|wrote more than",
    ),
    _flood(
        "inodes",
        """
        def deed(X, K):
            for number in range(4000):
                open(f"{number}.txt", "w").close()
            return honest(X, K)
        """,
        OWN_FILES,
        r"No space left|wrote more than",
        **JAIL,
    ),
    _flood(
        "folders_without_end",
        """
        import os

        def deed(X, K):
            for _ in range(1050):
                os.mkdir("folder")
                os.chdir("folder")
                open("file.txt", "w").close()
            raise LookupError("deep down")
        """,
        OWN_FOLDERS,
        r"deep down|No space left|wrote more than",
    ),
    _flood(
        "folders_nobody_may_enter",
        """
        import os

        def deed(X, K):
            os.makedirs("a/b/c")
            open("a/b/c/file.txt", "w").close()
            for path in ("a/b/c", "a/b", "a"):
                os.chmod(path, 0)
            raise LookupError("locked up")
        """,
        OWN_FOLDERS,
        "locked up",
    ),
    _flood(
        "odd_names",
        """
        import os, socket

        def deed(X, K):
            for name in (b"\\xff\\xfe", b"new\\nline", b"x" * 255, b"-rf", b"\\x1b[2J", b" "):
                open(name, "w").close()
            os.symlink("/", "root")
            os.symlink("loop", "loop")
            socket.socket(socket.AF_UNIX).bind("socket")
            raise LookupError("oddly named")
        """,
        OWN_FOLDERS,
        "oddly named",
    ),
    _flood(
        "descriptors",
        """
        import os

        def deed(X, K):
            kept = [os.open("/dev/null", os.O_RDONLY) for _ in range(3000)]
            return honest(X, K)
        """,
        """
        import os

        def aside():
            for fd in [os.open("/dev/null", os.O_RDONLY) for _ in range(9)]:
                os.close(fd)
        """,
        "Too many open files",
    ),
    _flood(
        "descriptors_to_the_judge",
        """
        import gc, os, socket, time

        def deed(X, K):
            [channel] = [v for v in gc.get_objects() if type(v).__name__ == "Channel"]
            kept = [os.open("/dev/null", os.O_RDONLY) for _ in range(100)]
            for _ in range(50):
                socket.send_fds(channel._sock, [b"x"], kept)
            time.sleep(20)
        """,
        """
        import os, socket

        def aside():
            one, two = socket.socketpair()
            socket.send_fds(one, [b"x"], [1])
            _, fds, _, _ = socket.recv_fds(two, 1, 1)
            for end in fds:
                os.close(end)
            one.close()
            two.close()
        """,
        r"no answer|[Ff]unction not implemented",
    ),
)

# Output ------------------------------------------------------------------------------------------

FLOODED = 'raise LookupError("flooded")'
OUTPUT = (
    _flood(
        "prints",
        f"""
        import sys

        def deed(X, K):
            for _ in range(1000):
                print("spam " * 20_000)
                print("spam " * 20_000, file=sys.stderr)
            {FLOODED}
        """,
        PRINTS,
        "flooded",
    ),
    _flood(
        "prints_past_python",
        f"""
        import os

        def deed(X, K):
            for fd in (1, 2):
                try:
                    for _ in range(100):
                        os.write(fd, b"spam " * 200_000)
                except OSError:
                    pass
            {FLOODED}
        """,
        PRINTS,
        r"flooded|wrote more than",
    ),
    _flood(
        "prints_of_c",
        f"""
        import ctypes

        def deed(X, K):
            libc = ctypes.CDLL(None)
            for _ in range(100_000):
                libc.puts(b"spam " * 200)
            libc.fflush(None)
            {FLOODED}
        """,
        PRINTS,
        r"flooded|wrote more than",
    ),
    _flood(
        "prints_nowhere",
        f"""
        import os, sys

        def deed(X, K):
            os.close(1)
            os.close(2)
            sys.stdout = sys.stderr = None
            {FLOODED}
        """,
        PRINTS,
        "flooded",
    ),
    _flood(
        "every_file_at_hand_filled",
        f"""
        import fcntl, os, stat

        def deed(X, K):
            for fd in range(256):
                try:
                    if stat.S_ISREG(os.fstat(fd).st_mode):
                        os.ftruncate(fd, 60 << 20)
                        os.lseek(fd, 0, os.SEEK_SET)
                        os.write(fd, b"File \\"conv_layer.py\\", line 1 in f\\n" * 100_000)
                        fcntl.fcntl(fd, 1033, 15)  # seals it against whoever shares it
                except OSError:
                    pass
            {FLOODED}
        """,
        PRINTS,
        r"flooded|wrote more than",
    ),
    _flood(
        "warnings_without_end",
        f"""
        import warnings

        def deed(X, K):
            warnings.simplefilter("always")
            for number in range(20_000):
                warnings.warn(f"spam {{number}}")
            {FLOODED}
        """,
        """
        import warnings

        def aside():
            warnings.warn("once")
        """,
        "flooded",
    ),
)


ATTACKS: tuple[Attack, ...] = (*DISK, *OUTPUT)
