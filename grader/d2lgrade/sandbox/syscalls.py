"""The system calls a contestant of level `strict` may make, as a filter for the kernel.

An allow-list: what is not named here answers ENOSYS, as on a kernel that does not have it, so that
calls which later kernels bring are refused as well, and libraries fall back to what they did before
(clone3, for one). The list is what Python, NumPy and PyTorch on the CPU need, processes and
threads of one's own included; left out is whatever reaches other processes, other namespaces,
the kernel's configuration, or memory that no limit counts.
"""

from __future__ import annotations

import errno
import os
import tempfile
from functools import cache

ALLOWED: dict[str, str] = {
    "memory": "brk mmap mmap2 munmap mremap mprotect madvise msync membarrier",
    "files": "open openat openat2 creat close close_range read readv pread64 preadv preadv2 write "
    "writev pwrite64 pwritev pwritev2 lseek _llseek dup dup2 dup3 pipe pipe2 truncate truncate64 "
    "ftruncate ftruncate64 fallocate fsync fdatasync sync_file_range fadvise64 readahead sendfile "
    "splice tee copy_file_range access faccessat faccessat2 stat stat64 fstat fstat64 lstat "
    "lstat64 newfstatat fstatat64 statx statfs statfs64 fstatfs fstatfs64 getdents getdents64 "
    "getcwd chdir fchdir mkdir mkdirat rmdir rename renameat renameat2 link linkat unlink "
    "unlinkat symlink symlinkat readlink readlinkat chmod fchmod fchmodat fchmodat2 utime utimes "
    "utimensat futimesat umask getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr",
    "waiting": "poll ppoll select _newselect pselect6 epoll_create epoll_create1 epoll_ctl "
    "epoll_wait epoll_pwait epoll_pwait2 eventfd eventfd2 nanosleep clock_nanosleep pause",
    "time": "time gettimeofday clock_gettime clock_getres times getitimer setitimer alarm",
    "processes": "fork vfork exit exit_group wait4 waitid waitpid getpid getppid gettid getpgrp "
    "getpgid setpgid getsid setsid set_tid_address set_robust_list get_robust_list rseq futex "
    "futex_waitv arch_prctl sched_yield sched_getaffinity sched_getparam sched_getscheduler "
    "sched_get_priority_max sched_get_priority_min getpriority getcpu getrlimit setrlimit "
    "prlimit64 getrusage restart_syscall",
    "signals": "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend "
    "rt_sigtimedwait rt_sigqueueinfo sigaltstack kill tkill tgkill signalfd signalfd4",
    "who and where": "getuid geteuid getgid getegid getresuid getresgid getgroups uname sysinfo "
    "capget getrandom",
    # Among its own processes: a socket that reaches further is refused by its family below.
    "sockets": "socketpair bind listen accept accept4 connect getsockname getpeername sendto "
    "recvfrom sendmsg recvmsg sendmmsg recvmmsg shutdown getsockopt setsockopt",
}

# A call → (argument, allowed values of its lower 32 bits, which are all that the kernel reads).
VALUES: dict[str, tuple[int, tuple[int, ...]]] = {
    "socket": (0, (1,)),  # AF_UNIX
    # isatty, window size, how much there is to read, blocking, close on exec
    "ioctl": (1, (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)),
    # descriptors, their flags, the size of a pipe; no locks or leases: others could see them
    "fcntl": (1, (0, 1, 2, 3, 4, 1030, 1032)),
    "fcntl64": (1, (0, 1, 2, 3, 4, 1030, 1032)),
    # death signal, dumpable?, names of threads and of memory, seccomp?, no_new_privs?
    "prctl": (0, (1, 2, 3, 15, 16, 21, 39, 0x53564D41)),
}

# Refused with EPERM, which says more than "no such call".
REFUSED = ("execve", "execveat", "ptrace", "mount", "umount2", "unshare", "setns", "chroot")
NETWORKS = (2, 10)  # AF_INET, AF_INET6: EACCES, as for every network that is closed
NAMESPACES = 0x7E020080  # clone(2)'s flags for new namespaces, CLONE_NEWTIME included

LOW = 0xFFFFFFFF


class FilterError(Exception):
    """The filter cannot be made; the message names the repair."""


@cache
def program(leave_out: frozenset[str] = frozenset()) -> bytes:
    """The filter as the kernel takes it.

    Args:
        leave_out: names of calls to allow without condition, for tests of the filter.

    Raises:
        FilterError: libseccomp or its binding is missing.
    """
    try:
        import pyseccomp as seccomp
    except (ImportError, RuntimeError, OSError) as error:
        raise FilterError(
            f"The system call filter cannot be made ({error}). Install libseccomp (Debian, "
            "Ubuntu: libseccomp2; Fedora: libseccomp) and `pip install pyseccomp`."
        ) from None
    made = seccomp.SyscallFilter(seccomp.ERRNO(errno.ENOSYS))
    masked = seccomp.MASKED_EQ
    made.set_attr(seccomp.Attr.ACT_BADARCH, seccomp.KILL_PROCESS)

    def rule(action: int, name: str, *conditions: object) -> None:
        number = seccomp.resolve_syscall(seccomp.Arch.NATIVE, name)
        if number >= 0:  # else this architecture does not have it
            made.add_rule(action, number, *conditions)

    for names in ALLOWED.values():
        for name in names.split():
            rule(seccomp.ALLOW, name)
    for name in leave_out:
        rule(seccomp.ALLOW, name)
    for name, (argument, values) in VALUES.items():
        for value in values if name not in leave_out else ():
            rule(seccomp.ALLOW, name, seccomp.Arg(argument, masked, LOW, value))
    for name in REFUSED:
        if name not in leave_out:
            rule(seccomp.ERRNO(errno.EPERM), name)
    if "socket" not in leave_out:
        for family in NETWORKS:
            condition = seccomp.Arg(0, masked, LOW, family)
            rule(seccomp.ERRNO(errno.EACCES), "socket", condition)
    if "clone" not in leave_out:
        rule(seccomp.ALLOW, "clone", seccomp.Arg(0, masked, NAMESPACES, 0))
    with tempfile.TemporaryFile() as file:
        made.export_bpf(file)
        file.flush()
        return os.pread(file.fileno(), 1 << 20, 0)
