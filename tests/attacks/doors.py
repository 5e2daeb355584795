"""Attacks on the kernel's doors: limits, privileges, namespaces, mounts, calls nobody needs."""

from __future__ import annotations

from .case import Attack
from .parts import JAIL, ROOTS, STRICT, prizes

_prize = prizes("outlive")

OWN_LIMIT = """
    import resource

    def aside():
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 1, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
"""
OWN_NUMBERS = """
    import os

    def aside():
        assert os.getpid() != os.getppid() and os.uname().sysname
"""
# `near`: see `outliving`. Nothing that would change the machine is done while the judge is near.
LIBC = """
    import ctypes, os, platform

    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    X86 = platform.machine() == "x86_64"

    def near():
        try:
            os.kill(@PID@, 0)
            return True
        except ProcessLookupError:
            return False

    def went(result):
        if result < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return True
"""


def _door(name: str, body: str, aside: str = OWN_NUMBERS, **more: object) -> Attack:
    given = more or STRICT
    return _prize(name, LIBC + "\n    def found():\n" + body, aside, **given)


def _call(name: str, x86: int, other: int, arguments: str) -> Attack:
    """Takes the prize if a system call does anything but refuse."""
    body = f"""
        buffer = ctypes.create_string_buffer(256)
        result = libc.syscall({x86} if X86 else {other}, {arguments})
        if result < 0 and ctypes.get_errno() in (1, 13, 38):  # EPERM, EACCES, ENOSYS
            return False
        return True  # even "invalid argument" says that it was let in
"""
    return _door(name, body)


LIMITS = (
    _prize(
        "limits_raised",
        """
        import resource

        KINDS = ("AS", "NOFILE", "FSIZE", "CPU", "NPROC", "CORE", "MEMLOCK")

        def found():
            raised = []
            for kind in KINDS:
                number = getattr(resource, f"RLIMIT_{kind}")
                soft, hard = resource.getrlimit(number)
                if hard == resource.RLIM_INFINITY:
                    continue
                try:
                    resource.setrlimit(number, (hard + 1, hard + 1))
                    raised.append(kind)
                except (OSError, ValueError):
                    pass
            return raised
        """,
        OWN_LIMIT,
        **STRICT,
    ),
    _prize(
        "limits_that_are_none",
        """
        import resource

        def found():
            kinds = ("AS", "NOFILE", "FSIZE", "CPU", "NPROC")
            given = [resource.getrlimit(getattr(resource, f"RLIMIT_{kind}")) for kind in kinds]
            return [limit for limit in given if resource.RLIM_INFINITY in limit]
        """,
        OWN_LIMIT,
        **STRICT,
    ),
    _door("priority_raised", "        return os.nice(-5) < 0\n", **ROOTS),
    _door(
        "priority_of_real_time",
        """
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        return True
""",
        **ROOTS,
    ),
    _door("memory_locked", "        return went(libc.mlockall(3)) and went(libc.munlockall())\n"),
)

PRIVILEGES = (
    _door("privileges_to_gain", "        return libc.prctl(39, 0, 0, 0, 0) == 0\n", **JAIL),
    _door(
        "privileges_held",
        """
        head = (ctypes.c_uint32 * 2)(0x20080522, 0)
        sets = (ctypes.c_uint32 * 6)()
        went(libc.capget(head, sets))
        return any(sets)
""",
        **ROOTS,
    ),
    _door(
        "program_of_another_user",
        """
        import glob, stat, subprocess

        for path in glob.glob("/usr/bin/*") + glob.glob("/bin/*") + glob.glob("/usr/sbin/*"):
            if os.stat(path).st_mode & (stat.S_ISUID | stat.S_ISGID):
                return subprocess.run([path, "--help"], capture_output=True) is not None
        """,
        **STRICT,
    ),
    _door("another_user", "        os.setuid(0 if os.getuid() else 1)\n        return True\n"),
    _door("groups_of_another", "        os.setgroups([0, 4, 27])\n        return True\n"),
)

NAMESPACES = (
    _door("user_namespace", "        return went(libc.unshare(0x10000000))\n"),
    _door("mount_namespace", "        return went(libc.unshare(0x20000))\n", **ROOTS),
    _door(
        "cloned_namespace",
        """
        pid = libc.syscall(56 if X86 else 220, ctypes.c_long(0x10000000 | 17), 0, 0, 0, 0)
        if pid == 0:
            os._exit(0)
        if pid > 0:
            os.waitpid(pid, 0)
        return went(pid)
""",
    ),
    _door(
        "cloned_by_the_newer_call",
        """
        given = (ctypes.c_uint64 * 11)(0x10000000, 0, 0, 0, 17)
        pid = libc.syscall(435, given, ctypes.c_long(88))
        if pid == 0:
            os._exit(0)
        if pid > 0:
            os.waitpid(pid, 0)
        return went(pid)
""",
    ),
    _door(
        "namespaces_of_others",
        """
        for pid in ("1", "@PID@"):
            for kind in ("mnt", "net", "pid", "user"):
                try:
                    os.close(os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY))
                    return pid, kind
                except OSError:
                    pass
""",
        **JAIL,
    ),
    _door(
        "mount",
        """
        if near():
            return False
        os.mkdir("place")
        return went(libc.mount(b"none", b"place", b"tmpfs", 0, None))
""",
    ),
    _door(
        "mount_over_nothing",
        """
        if near():
            return False
        return went(libc.mount(b"/", b".", None, 4096 | 16384, None))
""",
    ),
    _door(
        "covers_taken_away",
        """
        if near():
            return False
        places = (b"/proc", b"/tmp", b"/dev", b"/dev/shm", os.getcwd().encode(), b"/")
        return [place for place in places if libc.umount2(place, 2) == 0]
""",
    ),
    _door("new_root", "        os.chroot('.')\n        return True\n"),
    _call("mount_by_the_newer_calls", 430, 430, 'b"tmpfs", 0'),
    _call("tree_opened", 428, 428, '-100, b"/", ctypes.c_long(1)'),
)

CALLS = (
    _call("ring_of_requests", 425, 425, "4, buffer"),
    _call("program_in_the_kernel", 321, 280, "0, buffer, ctypes.c_long(0)"),
    _call("counters_of_the_processor", 298, 241, "buffer, 0, -1, -1, 0"),
    _call("faults_of_memory", 323, 282, "1"),
    _call("module_loaded", 175, 105, 'buffer, ctypes.c_long(0), b""'),
    _call("kernel_replaced", 246, 104, "ctypes.c_long(0), ctypes.c_long(0), None, 0xFFFF"),
    _call("file_by_its_handle", 304, 265, "-100, buffer, 0"),
    _call("handle_of_a_file", 303, 264, '-100, b"/", buffer, buffer, 0'),
    _call("restart_of_the_machine", 169, 142, "1, 2, 3, None"),  # magic numbers that are wrong
    _call("swap", 167, 224, 'b"/nowhere", 0'),
    _call("accounting", 163, 89, 'b"/nowhere"'),
    _call("traced_files", 300, 262, "0, 0"),
    _call("keys", 250, 219, "0, ctypes.c_long(-4), 0"),
    _call("other_arithmetic", 135, 92, "0x0040000"),
    _call("process_from_afar", 434, 434, "1, 0"),
    _call("memory_of_others_advised", 440, 440, "-1, None, 0, 0, 0"),
    _call("compared_processes", 312, 272, "1, 1, 0, 0, 0"),
    _call("messages_of_the_kernel_read", 103, 116, "10, None, 0"),
    _call("landlock", 444, 444, "None, 0, 1"),
    _call("hidden_memory", 447, 447, "0"),
    _door(
        "calls_of_older_machines",
        """
        import mmap

        if not X86:
            return False
        # unshare(CLONE_NEWUSER) by the gate of 32-bit programs, past a filter that forgot it
        code = bytes.fromhex("53" "b836010000" "bb00000010" "cd80" "5b" "c3")
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(code)
        address = ctypes.addressof(ctypes.c_char.from_buffer(page))
        return ctypes.CFUNCTYPE(ctypes.c_int)(address)() == 0
""",
        levels=("strict",),
        says="found nothing|signal|segmentation|SIGSYS|killed",
    ),
    _call("calls_of_a_third_kind", 0x40000000 | 272, 10**6, "0x10000000"),
)

ATTACKS: tuple[Attack, ...] = (*LIMITS, *PRIVILEGES, *NAMESPACES, *CALLS)
