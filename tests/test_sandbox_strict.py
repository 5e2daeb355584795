"""The sandbox level `strict`: every promise holds, and fails where its defence is taken away."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from d2lgrade.contestant import confine
from d2lgrade.results import to_json
from d2lgrade.sandbox import cuda, jail, proof, syscalls, watch
from d2lgrade.sandbox.limits import Limits
from d2lgrade.sandbox.process import ProcessSandbox, SandboxError
from d2lgrade.sandbox.strict import StrictSandbox
from d2lgrade.student.faults import Crash, Hang
from grading import Case, redefined
from jails import Weakness, needs_jail, weak
from links import PATH, Learner

ROOT = os.geteuid() == 0
NO_NETWORK = confine.OWN & ~confine.NEWNET


@pytest.fixture(scope="module", autouse=True)
def _jail():
    needs_jail()


@pytest.fixture(scope="module")
def strict(_jail):
    made = StrictSandbox(Limits(seconds=30.0))
    yield made
    made.close()


@pytest.fixture
def jailed(strict):
    maker = Learner(strict)
    yield maker
    maker.close()


@pytest.fixture(scope="module")
def usual(_jail):
    """A jail with its usual walls, from whose contestants defences are taken away in turn."""
    with weak(Weakness()) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def connected(_jail):
    """The same with the judge's network."""
    with weak(Weakness(walls=lambda walls: without(walls, "--unshare-net"))) as sandbox:
        yield sandbox


def without(walls, name, values=0):
    """bubblewrap's arguments without an option and its values."""
    kept = list(walls)
    while name in kept:
        index = kept.index(name)
        del kept[index : index + 1 + values]
    return kept


def running(sandbox):
    """Makes students in a sandbox, and ends their contestants."""
    return contextlib.closing(Learner(sandbox))


def alive(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


# Every promise holds, and is worth something -----------------------------------------------------


def test_every_promise_holds(strict):
    strict.contestant().close()
    assert [p.name for p in strict.promises] == list(proof.ALL)
    assert [(p.name, p.detail) for p in strict.promises if not p.held] == []


def test_the_report_names_level_limits_and_promises(strict):
    strict.contestant().close()
    found = strict.describe()
    assert (found["level"], found["seconds"], found["memory_mb"]) == ("strict", 30.0, 2048)
    assert (found["scratch_mb"], found["file_mb"], found["processes"]) == (128, 64, 64)
    assert found["promises"] == list(proof.ALL)
    assert found["unproven"] == []


# What is taken away from contestants → promise → what a probe managed then.
TAKEN = {
    "network namespace": (
        Weakness(confinement={"namespaces": NO_NETWORK}),
        {proof.NEXT: "reached its socket"},
    ),
    "IPC namespace": (
        Weakness(
            confinement={"namespaces": confine.OWN & ~confine.NEWIPC},
            unfiltered=frozenset({"shmget"}),
        ),
        {proof.NEXT: "found its shared memory"},
    ),
    "size of the scratch": (
        Weakness(confinement={"scratch": 1 << 30}),
        {proof.SCRATCH: "wrote 136 MB"},
    ),
    "number of files": (
        Weakness(confinement={"inodes": 100_000}),
        {proof.SCRATCH: "made 4097 folders"},
    ),
    "file size": (
        Weakness(unlimited=frozenset({"fsize"})),
        {proof.SCRATCH: "wrote a file of 64 MB", proof.LIMITS: "fsize is"},
    ),
    "address space": (Weakness(unlimited=frozenset({"as"})), {proof.MEMORY: "took 3072 MB"}),
    "descriptors": (
        Weakness(unlimited=frozenset({"nofile"})),
        {proof.COUNTS: "opened 257 files", proof.LIMITS: "nofile is"},
    ),
    "processor time": (Weakness(unlimited=frozenset({"cpu"})), {proof.LIMITS: "cpu is"}),
    "core files": (Weakness(unlimited=frozenset({"core"})), {proof.LIMITS: "core is"}),
    "the filter": (Weakness(unfiltered=None), {proof.PRIVILEGES: "was allowed"}),
    **{
        f"the filter of {call}": (Weakness(unfiltered=frozenset({call})), {proof.PRIVILEGES: said})
        for call, said in {
            "execve": "ran another program",
            "ptrace": "was allowed ptrace",
            "memfd_create": "was allowed memfd_create",
            "shmget": "was allowed shmget",
            "keyctl": "was allowed keyctl",
            "io_uring_setup": "was allowed io_uring_setup",
            "unshare": "was allowed unshare",
            "process_vm_readv": "was allowed process_vm_readv",
            "pidfd_getfd": "was allowed pidfd_getfd",
            "bpf": "was allowed bpf",
        }.items()
    },
    "capabilities": (
        Weakness(
            confinement={"unprivileged": False, "user": None}, unfiltered=frozenset({"mount"})
        ),
        {proof.PRIVILEGES: "was allowed mount"},
    ),
}
# Held by another defence alone: the same, with that one in place.
HELD = {
    "IPC namespace": Weakness(unfiltered=frozenset({"shmget"})),
    "capabilities": Weakness(unfiltered=frozenset({"mount"})),
}


@pytest.mark.parametrize("defence", TAKEN)
def test_a_promise_fails_without_its_defence(usual, defence):
    weakness, expected = TAKEN[defence]
    usual.weaken(weakness)
    broken = usual.broken()
    assert {name: said for name, said in expected.items() if said not in broken.get(name, "")} == {}


def test_without_a_pid_namespace_processes_are_seen_and_live_on():
    with weak(Weakness(confinement={"own_pids": False})) as sandbox:
        broken = sandbox.broken()
    assert "saw its parent" in broken[proof.PROCESSES]
    assert "lived on" in broken[proof.SURVIVES]


@pytest.mark.parametrize("defence", HELD)
def test_one_of_two_defences_is_enough(usual, defence):
    usual.weaken(HELD[defence])
    assert not set(TAKEN[defence][1]) & set(usual.broken()) - {proof.PRIVILEGES}


def test_memory_of_many_processes_is_limited_by_the_watch_alone(usual, monkeypatch):
    usual.weaken(Weakness())
    monkeypatch.setattr(watch.Watch, "_look", lambda self, entry: None)
    assert "held more memory than allowed" in usual.broken()[proof.MEMORY]


@pytest.mark.skipif(not ROOT, reason="only root becomes somebody else")
def test_root_becomes_nobody(usual):
    usual.weaken(Weakness(confinement={"user": None}))
    assert "is root" in usual.broken()[proof.PRIVILEGES]


@pytest.mark.parametrize(
    ("weakness", "reached"),
    [
        (Weakness(confinement={"namespaces": NO_NETWORK}, unfiltered=None), "loopback"),
        (Weakness(confinement={"namespaces": NO_NETWORK}), "an abstract socket"),
        (Weakness(), ""),
    ],
)
def test_the_network_is_behind_three_doors(connected, weakness, reached):
    connected.weaken(weakness)
    found = connected.broken().get(proof.NETWORK, "")
    assert reached in found if reached else found == ""


def test_a_network_namespace_holds_without_the_filter(connected):
    connected.weaken(Weakness(unfiltered=None))
    found = connected.broken().get(proof.NETWORK, "")
    assert "loopback" not in found  # vsock, though, is in no namespace: the filter's alone
    assert "abstract" not in found


def added(*arguments):
    """Changes walls: mounts these as well, before the root becomes read-only."""

    def walls(usual):
        at = usual.index("--remount-ro", usual.index(confine.TOP))
        return [*usual[:at], *arguments, *usual[at:]]

    return walls


def test_what_is_mounted_beside_the_environment_is_read():
    checks = str(Path(__file__).parents[1] / "checks")
    more = added("--ro-bind", "/etc/passwd", "/etc/passwd", "--ro-bind", checks, checks)
    with weak(Weakness(walls=more)) as sandbox:
        broken = sandbox.broken()
    assert "read /etc/passwd" in broken[proof.READS]
    assert "checks" in broken[proof.KIT]


def test_what_is_not_mounted_read_only_is_written(monkeypatch, tmp_path):
    tmp_path.chmod(0o777)
    monkeypatch.setattr(proof, "_environment", lambda: ["/place"])
    with weak(Weakness(walls=added("--bind", str(tmp_path), "/place"))) as sandbox:
        assert "wrote to /place" in sandbox.broken()[proof.WRITES]
    with weak(Weakness(walls=added("--ro-bind", str(tmp_path), "/place"))) as sandbox:
        assert proof.WRITES not in sandbox.broken()


def test_the_root_is_read_only_and_nobody_s():
    own = Weakness(confinement={"user": None})
    with weak(Weakness(walls=lambda walls: walls_writable(walls), confinement={"user": None})) as s:
        assert "wrote to /" in s.broken()[proof.WRITES]
        s.weaken(Weakness())
        assert (proof.WRITES in s.broken()) is not ROOT  # only root becomes somebody else
    with weak(own) as sandbox:
        assert proof.WRITES not in sandbox.broken()


def walls_writable(walls):
    at = walls.index("--remount-ro", walls.index(confine.TOP))
    return [*walls[:at], *walls[at + 2 :]]


def test_a_secret_in_the_environment_is_noticed(monkeypatch):
    monkeypatch.setenv("D2LGRADE_TOKEN", "hunter2")
    with weak(Weakness(walls=added("--setenv", "D2LGRADE_TOKEN", "hunter2"))) as sandbox:
        assert "D2LGRADE_TOKEN" in sandbox.broken()[proof.SURROUNDINGS]


def test_a_kit_inside_of_the_environment_is_covered(monkeypatch, tmp_path):
    tmp_path.chmod(0o755)
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "test_x.py").write_text("answer = 42")
    packages = jail.packages
    monkeypatch.setattr(jail, "packages", lambda: [*packages(), str(tmp_path)])
    with weak(Weakness(), hidden=(tmp_path,)) as sandbox:
        assert "checks" not in sandbox.broken().get(proof.KIT, "")
        with running(sandbox) as make:
            assert make(LIST).names(str(tmp_path / "checks")) == []
    monkeypatch.setattr(jail, "covered", lambda mounted, hidden: [])
    with weak(Weakness(), hidden=(tmp_path,)) as sandbox:
        assert "checks" in sandbox.broken()[proof.KIT]


LIST = "import os\ndef names(path):\n    return os.listdir(path)\n"


def test_where_a_promise_fails_nothing_is_run_unless_told_so():
    class Broken(StrictSandbox):
        def filter(self):
            return b""

    with contextlib.closing(Broken()) as sandbox:
        with pytest.raises(SandboxError, match=r"runs no other program.*--accept-unproven") as told:
            sandbox.contestant()
        assert "d2lgrade doctor" in str(told.value)
    with contextlib.closing(Broken(accept_unproven=True)) as sandbox:
        sandbox.contestant().close()
        assert proof.PRIVILEGES in sandbox.describe()["unproven"]


def test_a_probe_that_goes_wrong_proves_nothing(usual, monkeypatch):
    usual.weaken(Weakness())
    monkeypatch.setattr(proof, "_environment", lambda: 3)
    assert "the probe writes could not run" in usual.broken()[proof.WRITES]


# What is missing is named ------------------------------------------------------------------------


def stand_in(folder, text):
    """A bwrap of our own, first on the path."""
    path = folder / "bwrap"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return str(folder)


def refusal():
    with contextlib.closing(StrictSandbox()) as sandbox, pytest.raises(SandboxError) as told:
        sandbox.contestant()
    return str(told.value)


def test_without_bubblewrap_it_is_said_how_to_install_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt install bubblewrap" in refusal()
    assert "dnf install bubblewrap" in refusal()


@pytest.mark.parametrize("version", ["0.7.9", "what"])
def test_an_old_bubblewrap_is_refused(monkeypatch, tmp_path, version):
    monkeypatch.setenv("PATH", stand_in(tmp_path, f"echo bubblewrap {version}"))
    assert "too old" in refusal()
    assert "0.8 or newer" in refusal()


def test_without_user_namespaces_it_is_said_how_to_switch_them_on(monkeypatch, tmp_path):
    said = "bwrap: No permissions to create new namespace, likely because the kernel does not allow"
    fake = f'[ "$1" = --version ] && echo bubblewrap 0.9.0 || {{ echo "{said}" >&2; exit 1; }}'
    monkeypatch.setenv("PATH", stand_in(tmp_path, fake) + os.pathsep + os.environ["PATH"])
    told = refusal()
    assert "kernel.unprivileged_userns_clone=1" in told
    assert "kernel.apparmor_restrict_unprivileged_userns=0" in told
    assert "--security-opt" in told
    assert said in told


def test_without_libseccomp_it_is_said_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyseccomp", None)
    syscalls.program.cache_clear()
    told = refusal()
    assert "libseccomp2" in told
    assert "pip install pyseccomp" in told


def test_other_systems_are_told_what_to_do(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(SandboxError, match="needs Linux"):
        jail.bubblewrap()


def test_a_contestant_that_cannot_be_confined_never_runs(usual):
    usual.weaken(Weakness(confinement={"covered": ["/nowhere"]}))
    try:
        with pytest.raises(SandboxError, match=r"could not be confined.*mount"):
            usual.contestant()
    finally:
        usual.weaken(Weakness())
    usual.contestant().close()


# Fates, in plain words ---------------------------------------------------------------------------


FATES = """
    import ctypes, mmap, os, socket, time
    def end(): os._exit(3)
    def hang():
        while True:
            pass
    def segfault(): ctypes.string_at(0)
    def network(): socket.create_connection(("192.0.2.1", 80))
    def look_up(): socket.getaddrinfo("d2l.ai", 443)
    def program(): import subprocess; subprocess.run(["true"])
    def brood(size):
        for _ in range(4):
            if os.fork() == 0:
                keep = mmap.mmap(-1, size)
                ctypes.memset(ctypes.addressof(ctypes.c_char.from_buffer(keep)), 1, size)
                time.sleep(10)
        time.sleep(10)
    def burn():
        while True:
            pass
    def burn_and_end(seconds):
        while time.process_time() < seconds:
            pass
        os._exit(3)
"""


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("end", r"ended its own process \(exit status 3\)"),
        ("segfault", "segmentation fault"),
        ("network", "tried to use the network"),
        ("look_up", "tried to use the network"),
        ("program", "Operation not permitted"),
    ],
)
def test_a_fate_has_its_sentence(jailed, call, said):
    with pytest.raises(Exception, match=said):
        getattr(jailed(FATES), call)()


def test_a_hang_names_its_line(jailed):
    s = jailed(FATES)
    with s.deadline(0.5), pytest.raises(Hang, match=r"No answer within 0\.5 s") as caught:
        s.hang()
    assert (caught.value.frames[0].path, caught.value.frames[0].function) == (PATH, "hang")


SENTENCES = {
    "open('large', 'wb').write(b'x' * (65 << 20))": "Your program wrote more than 64 MB.",
    "[open(str(i), 'wb').write(b'x' * (9 << 20)) for i in range(20)]": (
        "Your program wrote more than 128 MB."
    ),
    "__import__('socket').create_connection(('192.0.2.1', 80))": confine.NO_NETWORK,
    "__import__('os')._exit(3)": "Your program ended its own process (exit status 3).",
    "return torch.ones(10**10)": "Your code ran out of memory. It may take 2048 MB beside torch",
}


def test_the_report_says_each_fate_in_plain_words(grader):
    text = grader.solution("conv_layer")
    cases = [
        Case({"conv_layer": redefined(text, "corr2d", "X, K", body)}, ("corr2d",))
        for body in SENTENCES
    ]
    for report, said in zip(grader.grade(cases, level="strict"), SENTENCES.values(), strict=True):
        first = next(c for c in report.exercises[0].checks if c.status != "passed")
        assert first.failure.message.startswith(said), first


def test_too_much_memory_in_many_processes_is_named():
    limits = Limits(seconds=30.0, memory=128 << 20)
    with contextlib.closing(StrictSandbox(limits)) as sandbox, running(sandbox) as make:
        with pytest.raises(Crash, match=r"ran out of memory \(limit 128 MB\)"):
            make(FATES).brood(80 << 20)


def test_too_much_processor_time_is_named():
    limits = Limits(seconds=60.0, cpu_seconds=2)
    with contextlib.closing(StrictSandbox(limits)) as sandbox, running(sandbox) as make:
        with pytest.raises(Crash, match=r"used up its processor time \(limit 2 s\)"):
            make(FATES).burn()
        with pytest.raises(Crash, match=r"exit status 3"):
            make(FATES).burn_and_end(1.6)


# Nothing is left ---------------------------------------------------------------------------------


BROOD = """
    import os, time
    def daemons(count):
        for _ in range(count):
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    while True:
                        time.sleep(1)
                os._exit(0)
        return os.getpid()
    def crash():
        daemons(2)
        os._exit(1)
"""


@pytest.mark.parametrize("end", ["close", "crash"])
def test_daemons_end_with_their_contestant(strict, jailed, end):
    s = jailed(BROOD)
    assert s.daemons(3) == 1
    pids = watch.family(strict.process_of(jailed.contestants[0]))
    assert len(pids) >= 4
    if end == "close":
        jailed.contestants[0].close()
    else:
        with pytest.raises(Crash, match="exit status 1"):
            s.crash()
    assert not any(alive(pid) for pid in pids)


def test_closing_the_jail_ends_all_in_it():
    sandbox = StrictSandbox(Limits(seconds=30.0))
    with running(sandbox) as make:
        make(BROOD).daemons(2)
        pids = watch.family(sandbox._zygote_pid)
        assert len(pids) >= 4
        sandbox.close()
    assert not any(alive(pid) for pid in pids)


JUDGE = """
import sys, time
from links import Learner
from d2lgrade.sandbox import watch
from d2lgrade.sandbox.strict import StrictSandbox
sandbox = StrictSandbox()
s = Learner(sandbox)("import os, time\\ndef f():\\n    os.fork()\\n    time.sleep(1000)")
from d2lgrade.student.faults import Hang
import threading
threading.Timer(1.0, lambda: print(*watch.family(sandbox._zygote_pid), flush=True)).start()
s.f()
"""


def test_nothing_survives_a_judge_that_is_killed():
    process = subprocess.Popen(
        [sys.executable, "-c", JUDGE],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    pids = [int(pid) for pid in process.stdout.readline().split()]
    assert len(pids) >= 3
    process.send_signal(signal.SIGKILL)
    process.communicate()
    end = time.monotonic() + 10
    while any(alive(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(alive(pid) for pid in pids)


def test_a_killed_zygote_is_replaced_by_one_that_is_proved_again(usual):
    usual.weaken(Weakness())
    os.kill(usual._zygote_pid, signal.SIGKILL)
    time.sleep(0.2)
    with running(usual) as make:
        assert make("def f():\n    return 1").f() == 1


# The same results --------------------------------------------------------------------------------


BITS = """
    import hashlib, os
    def bits(seed):
        torch.manual_seed(seed)
        X, K = torch.randn(4, 3, 33, 31), torch.randn(8, 3, 5, 5)
        A, B = torch.randn(67, 129), torch.randn(129, 55)
        found = {
            "conv2d": nn.functional.conv2d(X, K), "1x1": nn.functional.conv2d(X, K[..., :1, :1]),
            "conv2d, one image": nn.functional.conv2d(X[:1], K, padding=2), "matmul": A @ B,
            "double": A.double() @ B.double(), "exp": A.exp(), "softmax": A.softmax(1),
            "sum": A.sum(), "bfloat16": A.bfloat16() @ B.bfloat16(), "linear": nn.Linear(129, 7)(A),
            "tanh": A.tanh(), "conv1d": nn.functional.conv1d(A[None], torch.randn(5, 67, 3)),
            "pool": nn.functional.avg_pool2d(X, 3), "svd": torch.linalg.svdvals(A),
        }
        return {name: hashlib.sha256(t.detach().float().numpy().tobytes()).hexdigest()
                for name, t in found.items()}
    def settings():
        return {"capability": torch.backends.cpu.get_cpu_capability(),
                "threads": torch.get_num_threads(), "parallel": torch.__config__.parallel_info(),
                "hash": hash("corr2d"), "set": list({"a", "b", "c", "d"}), "cores": os.cpu_count(),
                "variables": {k: v for k, v in os.environ.items()
                              if k not in ("HOME", "TMPDIR", "PATH", "PWD")
                              and not k.startswith("TORCHINDUCTOR")}}
"""


def told(report):
    """A report without what the clock and the level say."""
    fields = to_json(report)
    for name in ("sandbox", "submission"):
        del fields[name]
    return without_seconds(fields)


def _lines(report):
    text = json.dumps(told(report), indent=1, ensure_ascii=False)
    return text.replace(report.submission, "").splitlines()


def without_seconds(value):
    if isinstance(value, dict):
        return {k: without_seconds(v) for k, v in value.items() if k != "seconds"}
    return [without_seconds(one) for one in value] if isinstance(value, list) else value


WRONG = {
    "corr2d": "return (X.unfold(0, *K.shape[:1], 1) * 0).sum((2, 3))",
    "pool2d": "return X.amax()",
    "softmax": "return X.exp() / X.exp().sum()",
    "dropout_layer": "return X * (torch.rand(X.shape) > dropout)",
}


def test_reports_are_the_same_at_both_levels(grader):
    """The references, wrong answers and misconceptions of several kinds."""
    cases = [
        Case({}, ("ch07", "softmax", "dropout_layer")),
        Case(grader.planted("corr2d", "kernel-flipped"), ("corr2d",)),
        Case({"conv_layer": grader.stub("conv_layer")}, ("7.2",)),
    ]
    for name, body in WRONG.items():
        [exercise] = grader.exercises(name)
        parameters = exercise.signature.partition("(")[2].partition(")")[0]
        text = redefined(grader.solution(exercise.file), name, parameters, body)
        cases.append(Case({exercise.file: text}, (name,)))
    for here, there in zip(grader.grade(cases), grader.grade(cases, level="strict"), strict=True):
        assert _lines(here) == _lines(there)
    assert there.sandbox["level"] == "strict"


@pytest.fixture(scope="module")
def plain():
    made = ProcessSandbox(Limits(seconds=30.0))
    yield made
    made.close()


def test_not_one_bit_differs_between_the_levels(jailed, plain):
    with running(plain) as make:
        here, there = make(BITS), jailed(BITS)
        assert here.settings() == there.settings()
        assert here.bits(0) == there.bits(0)
        assert here.bits(1) != there.bits(0)


def test_without_the_processor_s_description_bits_may_differ(monkeypatch, jailed):
    monkeypatch.setattr(jail, "PROCESSOR", ())
    with weak(Weakness()) as sandbox, running(sandbox) as make:
        assert make(SEEN).seen() == [False, False]
    assert jailed(SEEN).seen() == [True, True]


SEEN = """
    import os
    def seen():
        return [os.path.exists("/proc/cpuinfo"), os.path.exists("/sys/devices/system/cpu/online")]
"""


# CUDA: reviewed without a card -------------------------------------------------------------------


def test_no_card_lets_nothing_in(tmp_path):
    assert cuda.arguments(tmp_path) == []
    (tmp_path / "nvidiactl").touch()
    assert cuda.arguments(tmp_path) == []


def test_a_card_lets_in_what_computing_needs_and_no_more(tmp_path):
    devices, libraries = tmp_path / "dev", tmp_path / "lib"
    for folder in (devices, libraries):
        folder.mkdir()
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "nvidia-uvm-tools"):
        (devices / name).touch()
    for name in ("nvidia-modeset", "nvidia-caps", "nvidia-fs0"):
        (devices / name).touch()
    for name in ("libcuda.so.1", "libnvidia-ml.so.1", "libGLX_nvidia.so.0", "libc.so.6"):
        (libraries / name).touch()
    found = cuda.arguments(devices, [libraries], cards=[1])
    let_in = [a for a, b in zip(found[1:], found, strict=False) if b == "--dev-bind"]
    assert [Path(path).name for path in let_in] == ["nvidia-uvm", "nvidia1", "nvidiactl"]
    bound = [a for a, b in zip(found[1:], found, strict=False) if b == "--ro-bind"]
    assert [Path(path).name for path in bound] == ["libcuda.so.1", "libnvidia-ml.so.1"]
    assert "--dev-bind" not in jail.arguments({})[jail.arguments({}).index("--dev-bind") :][3 * 5 :]


def test_neither_judge_nor_zygote_initialises_cuda(jailed):
    s = jailed("def f():\n    return torch.cuda.is_initialized()")
    assert s.f() is False
    assert not torch.cuda.is_initialized()
