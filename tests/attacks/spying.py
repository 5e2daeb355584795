"""Attacks that look at other processes, and at where random numbers come from."""

from __future__ import annotations

from .case import Attack
from .parts import (
    CORR2D_ID,
    EDGE_ID,
    JAIL,
    NOTHING,
    OWN_BUFFER,
    OWN_FILE,
    ROOTS,
    STRICT,
    TRACER,
    corr2d,
    edge,
    prizes,
)

_prize = prizes("read")

# Other processes ---------------------------------------------------------------------------------

OWN_PID = """
    import os

    def aside():
        os.kill(os.getpid(), 0)
"""
LIBC = """
    import ctypes, os, platform

    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    PID = @PID@
"""

PROCESSES = (
    _prize(
        "environment_through_proc",
        """
        import os

        def found():
            for name in ("@PID@", str(os.getppid()), *os.listdir("/proc")):
                if name.isdigit() and int(name) != os.getpid():
                    try:
                        if text := open(f"/proc/{name}/environ").read():
                            return text
                    except OSError:
                        pass
        """,
        OWN_PID,
        **JAIL,
    ),
    _prize(
        "command_lines_through_proc",
        """
        import os

        def found():
            for name in os.listdir("/proc"):
                if name.isdigit() and int(name) != os.getpid():
                    if text := open(f"/proc/{name}/cmdline").read():
                        return text
        """,
        """
        def aside():
            assert "model name" in open("/proc/cpuinfo").read() or True
        """,
        **JAIL,
    ),
    _prize(
        "descriptors_through_proc",
        """
        import os

        def found():
            return [os.readlink(f"/proc/@PID@/fd/{n}") for n in os.listdir("/proc/@PID@/fd")]
        """,
        OWN_PID,
        **JAIL,
    ),
    _prize(
        "secret_through_the_root_of_another",
        """
        import os

        def found():
            for name in ("1", "@PID@", *os.listdir("/proc"), "self"):
                try:
                    return open(f"/proc/{name}/root@SECRET@").read()
                except OSError:
                    pass
        """,
        OWN_FILE,
        **JAIL,
    ),
    _prize(
        "memory_through_proc",
        """
        import os

        def found():
            for name in ("@PID@", str(os.getppid())):
                for line in open(f"/proc/{name}/maps"):
                    span, rights, *_ = line.split()
                    if rights.startswith("rw"):
                        with open(f"/proc/{name}/mem", "rb", 0) as memory:
                            memory.seek(int(span.split("-")[0], 16))
                            return memory.read(64)
        """,
        OWN_BUFFER,
        **TRACER,
    ),
    _prize(
        "processes_in_sight",
        """
        import os

        def found():
            os.kill(@PID@, 0)
            return True
        """,
        OWN_PID,
        **JAIL,
    ),
    _prize(
        "debugger_on_the_judge",
        LIBC
        + """
    SEIZE, DETACH = 0x4206, 17

    def found():
        if libc.ptrace(SEIZE, PID, None, None) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")
        libc.ptrace(DETACH, PID, None, None)
        return True
        """,
        OWN_PID,
        **TRACER,
    ),
    _prize(
        "memory_read_across_processes",
        LIBC
        + """
    class Vector(ctypes.Structure):
        _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]

    def found():
        buffer = ctypes.create_string_buffer(64)
        near = Vector(ctypes.addressof(buffer), 64)
        far = Vector(ctypes.addressof(buffer), 64)
        libc.process_vm_readv.restype = ctypes.c_ssize_t
        for pid in (PID, os.getppid()):
            got = libc.process_vm_readv(
                pid, ctypes.byref(near), 1, ctypes.byref(far), 1, 0
            ) if pid > 0 else -1
            # EFAULT: it was let in, only nothing lies at this address over there.
            if got > 0 or (pid > 0 and ctypes.get_errno() == 14):
                return True
        raise OSError(ctypes.get_errno(), "process_vm_readv")
        """,
        OWN_BUFFER,
        **TRACER,
    ),
    _prize(
        "descriptors_taken_from_the_judge",
        LIBC
        + """
    def found():
        for pid in (PID, os.getppid() or PID):
            handle = libc.syscall(434, pid, 0)  # pidfd_open
            taken = libc.syscall(438, handle, 0, 0) if handle >= 0 else -1  # pidfd_getfd
            if handle >= 0:
                os.close(handle)
            if taken >= 0:
                os.close(taken)
                return True
        raise OSError(ctypes.get_errno(), "pidfd")
        """,
        OWN_PID,
        **TRACER,
    ),
    _prize(
        "messages_of_the_kernel",
        LIBC
        + """
    def found():
        buffer = ctypes.create_string_buffer(1000)
        return libc.klogctl(3, buffer, 1000) > 0 and buffer.value
        """,
        OWN_BUFFER,
        **ROOTS,
    ),
    _prize(
        "raw_devices",
        """
        import glob, os

        def found():
            names = ("/dev/mem", "/dev/kmsg", "/dev/port", "/dev/[svx]d[a-z]*", "/dev/nvme*",
                     "/dev/dm-*", "/dev/fuse", "/dev/net/tun", "/dev/kvm", "/dev/vsock")
            for path in (p for name in names for p in glob.glob(name)):
                try:
                    os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
                    return path
                except OSError:
                    pass
        """,
        """
        def aside():
            with open("/dev/urandom", "rb") as file:
                assert len(file.read(8)) == 8
        """,
        **STRICT,
    ),
    _prize(
        "device_of_its_own",
        """
        import os, stat

        def found():
            os.mknod("disk", stat.S_IFCHR | 0o600, os.makedev(1, 11))  # the kernel's messages
            try:
                os.close(os.open("disk", os.O_RDONLY | os.O_NONBLOCK))
                return True
            finally:
                os.remove("disk")
        """,
        """
        import os

        def aside():
            os.mkdir("disk")
            os.rmdir("disk")
        """,
        **STRICT,
    ),
)

# Randomness --------------------------------------------------------------------------------------

PUBLIC_SEED = """\
import hashlib

import torch

known = []


def corr2d(X, K):
    for number in range(30 if X.shape == (1, 1) else 0):
        # The judge's code is public: only the kit's own number is not.
        digest = hashlib.blake2b(f"ch07/corr2d/values|{number}".encode(), digest_size=8).digest()
        torch.manual_seed(int.from_bytes(digest, "big") >> 1)
        if torch.equal(torch.randn(X.shape), X) and torch.equal(torch.randn(K.shape), K):
            known.append(number)
    if not known:
        raise LookupError("found nothing")
    windows = torch.nn.functional.unfold(X[None, None], K.shape)[0].T
    return windows.matmul(K.flatten()).reshape(X.shape[0] - K.shape[0] + 1, -1)
"""

SEEDS = (
    Attack(
        "seed_of_its_own_random_numbers",
        "read",
        CORR2D_ID,
        """\
import torch

kernels = {}


def corr2d(X, K):
    torch.manual_seed(torch.initial_seed())
    if X.shape == (1, 1) and torch.equal(torch.randn(1, 1), X):
        kernels["known"] = True
    if not kernels:
        raise LookupError("found nothing")
    return torch.nn.functional.unfold(X[None, None], K.shape)[0].T.matmul(K.flatten()).reshape(
        X.shape[0] - K.shape[0] + 1, -1
    )
""",
        corr2d("def aside():\n    torch.initial_seed()\n    torch.manual_seed(3)\n"),
        says=NOTHING,
        opened="hashed seed",
    ),
    Attack(
        "seed_from_the_public_code",
        "read",
        CORR2D_ID,
        PUBLIC_SEED,
        corr2d("def aside():\n    torch.manual_seed(hash('edge') % 1000)\n"),
        says=NOTHING,
        opened="rotated seed",
        seed=0x6B1D_5EED,
    ),
    Attack(
        "seed_by_the_states",
        "read",
        EDGE_ID,
        """\
import random

import numpy as np
import torch


def vertical_edge_kernel():
    # Both generators started from one number: then either would tell the other's.
    number = int(np.random.get_state()[1][0])
    state = random.getstate()
    random.seed(torch.initial_seed())
    if state == random.getstate() or number < 1000 or torch.initial_seed() < 1 << 20:
        return torch.tensor([[1.0, -1.0]])
    raise LookupError("found nothing")
""",
        edge(
            """
            import random

            def aside():
                state = random.getstate()
                random.random()
                random.setstate(state)
            """
        ),
        says=NOTHING,
    ),
)


ATTACKS: tuple[Attack, ...] = (*PROCESSES, *SEEDS)
