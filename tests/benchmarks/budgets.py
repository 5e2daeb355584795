"""Measures the budgets, side by side in one run: `python tests/benchmarks/budgets.py`.

What is compared runs alternately, whole processes by the wall clock; the figure is the median of
the ratios of neighbours, with the smallest and the largest beside it, so that a busy machine widens
the range before it moves the figure. Processor time (user and system, children included) stands
beside each time: where it is much less than the wall clock, something else used the cores.

cold        `d2lgrade ch7 --submission solutions` without the checks that train networks, through
            the command's own code path, against pytest running the same checks on the references
            in its own process. That baseline is as lean as the suites allow: the checks ask for
            more than bare functions (another device, watched operations), so the plugin's local
            link serves them; `link` in the table is what the link costs a call, for judging it.
            All checks pass, so neither side looks for misconceptions.
commands    those that need no torch, against importing click and rich; torch may not be imported.
round trip  a call against an echo of the same bytes: roundtrip.py beside this file.
memory      resident memory of judge and zygote after 1, 10, 20 and 60 submissions in one process.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = "ch07_convolutional_neural_networks"
COLD_BUDGET, COMMAND_BUDGET, ECHO_BUDGET, LARGE_BUDGET, GROWTH_BUDGET = 1.3, 4.0, 2.5, 1.0, 1.05
TORCHLESS = (["--help"], ["list"], ["status"], ["hint", "corr2d"])

# The command as its console script runs it; only the training checks are left out.
COLD = """
import functools, sys
from d2lgrade.cli import grading, main
grading.run = functools.partial(grading.run, training=False)
sys.argv = ["d2lgrade", "ch7", "--submission", "solutions"]
main()
"""

# A command in this process, and what it imported.
IMPORTS = """
import sys
from d2lgrade.cli import main
sys.argv[0] = "d2lgrade"
try:
    main()
except SystemExit:
    pass
sys.exit("torch" in sys.modules)
"""

# Seconds a call of an empty function takes through the local link, less those of a bare call.
LINK = """
import json, sys, time
from pathlib import Path
from d2lgrade import catalog
from d2lgrade.contestant.loader import File, Program
from d2lgrade.judge.benches import LocalBench
import torch
torch.set_num_threads(1)
course = catalog.load(Path(sys.argv[1]), complete=True)
file = File("f", "f.py", "def corr2d(X, K):\\n    return X\\n")
program = Program({"f": file}, {"ch07/corr2d": "f"})
student = LocalBench(course, lambda bound: program).student("ch07")
X = torch.zeros(8, 8)
times = []
for call in (student.corr2d, lambda X, K: X) * 50:
    start = time.perf_counter()
    for _ in range(20):
        call(X, X)
    times.append((time.perf_counter() - start) / 20)
print(json.dumps(sorted(times[::2])[25] - sorted(times[1::2])[25]))
"""

ROUND_TRIP = """
import dataclasses, json, sys
sys.path.insert(0, sys.argv[1])
import roundtrip
print(json.dumps([dataclasses.asdict(row) for row in roundtrip.measure(*map(int, sys.argv[2:]))]))
"""

# Grades ever more submissions in one run each and tells the memory after it: the reference, a stub,
# and every misconception, so that failures, their diagnosis and substitutes are part of it.
MEMORY = """
import json, os, sys, tempfile
from pathlib import Path
from d2lgrade import catalog, diagnosis, submission
from d2lgrade.author import proof
from d2lgrade.judge.session import Job, Order, grade
from d2lgrade.sandbox.process import ProcessSandbox

def resident():
    total = 0
    for pid in [os.getpid(), *map(int, children())]:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    return total

def children():
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()

course = catalog.load(Path(sys.argv[1]), complete=True)
exercises = catalog.resolve(course, ("7.2",), "en")
folders = [course.root / "solutions", course.root / "exercises"]
scratch = tempfile.TemporaryDirectory()
for exercise in exercises:
    for entry in diagnosis.known(course, exercise):
        folders.append(Path(scratch.name, entry.slug))
        folders[-1].mkdir()
        text = proof.planted_source(course, exercise, entry)
        (folders[-1] / f"{exercise.file}.py").write_text(text)
handed_in = [submission.read(folder, course, exercises) for folder in folders]
counts = json.loads(sys.argv[2])
sandbox = ProcessSandbox()
sandbox.start()
found = []
for count in [len(handed_in), *counts]:
    jobs = [
        Job(handed_in[i % len(handed_in)], exercises, training=False) for i in range(count)
    ]
    points = {report.points for report in grade(Order(course), jobs, sandbox)}
    assert len(points) >= min(count, 3), points
    found.append(resident())
sandbox.close()
print(json.dumps(found[1:]))
"""


@dataclass(frozen=True)
class Row:
    """One line of the table: a figure, its range, what it was measured on, and its budget."""

    what: str
    figure: float
    low: float
    high: float
    budget: float | None
    note: str

    @property
    def kept(self) -> bool:
        """Whether the budget is kept; a row without one only informs."""
        return self.budget is None or self.figure <= self.budget


@dataclass(frozen=True)
class Cost:
    """What one process took, in seconds."""

    wall: float
    cpu: float


class Bench:
    """Runs processes in the kit's folder."""

    def __init__(self, kit: Path) -> None:
        self.kit = kit
        package = str(ROOT / "grader")
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "PYTHON"))}
        self.environment = {**inherited, "PYTHONPATH": package, "OMP_NUM_THREADS": "1"}

    def cost(self, arguments: Sequence[str], expected: int = 0) -> Cost:
        """Run Python with these arguments to its end, unseen."""
        before = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=self.kit,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert process.stderr is not None
        said = process.stderr.read()  # ends with the process; nothing here writes much
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - before
        process.stderr.close()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != expected:
            raise SystemExit(
                f"python {' '.join(arguments)} ended with {process.returncode}, not {expected}; "
                f"it said:\n{said.decode(errors='replace')[-3000:]}"
            )
        return Cost(wall, usage.ru_utime + usage.ru_stime)

    def said(self, code: str, *arguments: str) -> str:
        """What a script prints."""
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=self.kit,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise SystemExit(f"A measurement failed:\n{done.stderr[-3000:]}")
        return done.stdout

    def paired(
        self, ours: Sequence[str], theirs: Sequence[str], pairs: int
    ) -> tuple[list[Cost], list[Cost]]:
        """Costs of both, run alternately and each first as often as second, after one run each."""
        costs: tuple[list[Cost], list[Cost]] = ([], [])
        for index in range(-1, pairs):
            for side in (0, 1) if index % 2 else (1, 0):
                cost = self.cost((ours, theirs)[side])
                if index >= 0:
                    costs[side].append(cost)
        return costs


def ratio(what: str, ours: list[Cost], theirs: list[Cost], budget: float | None) -> Row:
    """The row for costs measured in pairs."""
    ratios = [a.wall / b.wall for a, b in zip(ours, theirs, strict=True)]
    note = f"{_seconds(ours)} against {_seconds(theirs)}, {len(ratios)} pairs"
    return Row(what, statistics.median(ratios), min(ratios), max(ratios), budget, note)


def _seconds(costs: list[Cost]) -> str:
    wall = statistics.median(cost.wall for cost in costs)
    return f"{wall:.2f} s (cpu {statistics.median(cost.cpu for cost in costs):.2f})"


def cold(bench: Bench, quick: bool) -> Iterator[Row]:
    """Grading chapter 7 from nothing."""
    plain = ["-m", "pytest", "-q", f"checks/{CHAPTER}", "--submission", "solutions", "--in-process"]
    plain += ["-m", "not training", "-p", "no:cacheprovider", "--import-mode=importlib"]
    plain += [] if _installed() else ["-p", "d2lgrade.judge.plugin"]
    ours, theirs = bench.paired(["-c", COLD], plain, 3 if quick else 11)
    yield ratio("cold d2lgrade ch7 : pytest", ours, theirs, COLD_BUDGET)
    cpu = [a.cpu / b.cpu for a, b in zip(ours, theirs, strict=True)]
    note = "both processes of ours together"
    yield Row("  the same, processor time", statistics.median(cpu), min(cpu), max(cpu), None, note)
    link = float(bench.said(LINK, str(bench.kit))) * 1e6
    yield Row("  link of the baseline, µs a call", link, link, link, None, "over a bare call")


def _installed() -> bool:
    """Whether pytest finds the plugin by itself."""
    from importlib.metadata import entry_points

    return any(entry.name == "d2lgrade" for entry in entry_points(group="pytest11"))


def commands(bench: Bench, quick: bool) -> Iterator[Row]:
    """Commands that need no torch."""
    for arguments in TORCHLESS:
        bench.cost(["-c", IMPORTS, *arguments])  # fails where torch was imported
        ours, theirs = bench.paired(
            ["-m", "d2lgrade", *arguments], ["-c", "import click, rich"], 5 if quick else 21
        )
        yield ratio(f"d2lgrade {' '.join(arguments)} : imports", ours, theirs, COMMAND_BUDGET)


def round_trip(bench: Bench, quick: bool) -> Iterator[Row]:
    """The wire."""
    counts = ["200", "5"] if quick else ["2000", "15"]
    for row in json.loads(bench.said(ROUND_TRIP, str(Path(__file__).parent), *counts)):
        note = f"{row['call'] * 1e3:.3f} ms against {row['echo'] * 1e3:.3f} ms"
        if row["budget"].startswith("at most"):
            figure, budget = row["call"] / row["echo"], ECHO_BUDGET
            what = f"call with {row['what']} : echo"
        else:
            figure, budget = row["call"] / row["size"] * 1e9, LARGE_BUDGET
            what = f"call with {row['what']}, s a GB"
        yield Row(what, figure, figure, figure, budget, note)


def memory(bench: Bench, quick: bool) -> Iterator[Row]:
    """Memory over many submissions."""
    if not Path("/proc/self/smaps_rollup").exists():
        yield Row("memory", 1.0, 1.0, 1.0, None, "not measured: this system has no /proc")
        return
    counts = [1, 10, 20] if quick else [1, 10, 20, 60]
    found = json.loads(bench.said(MEMORY, str(bench.kit), json.dumps(counts)))
    sizes = [size / found[0] for size in found]
    shown = ", ".join(f"{n}: {kb / 1024:.0f} MB" for n, kb in zip(counts, found, strict=True))
    yield Row(
        "memory, most : one submission", max(sizes), min(sizes), max(sizes), GROWTH_BUDGET, shown
    )


PARTS: dict[str, Callable[[Bench, bool], Iterator[Row]]] = {
    "cold": cold,
    "commands": commands,
    "roundtrip": round_trip,
    "memory": memory,
}


def main() -> int:
    """Measure and print; 0 where every budget is kept."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; default: all"
    )
    parser.add_argument(
        "--quick", action="store_true", help="few pairs: for a look, not for a figure"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--kit", type=Path, default=ROOT, help="kit to measure (default: this one)")
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    bench = Bench(options.kit.resolve())
    machine = {
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }
    rows = []
    if not options.json:
        print(" ".join(f"{name} {value}" for name, value in machine.items()), flush=True)
        print(f"{'':<34}{'median':>9}{'min':>9}{'max':>9}{'budget':>9}", flush=True)
    for name in options.parts or PARTS:
        for row in PARTS[name](bench, options.quick):
            rows.append(row)
            if not options.json:
                print(_line(row), flush=True)
    machine["load_after"] = round(os.getloadavg()[0], 2)
    if options.json:
        found = [{**asdict(row), "kept": row.kept} for row in rows]
        print(json.dumps({"machine": machine, "rows": found}, indent=2))
    return 0 if all(row.kept for row in rows) else 1


def _line(row: Row) -> str:
    figures = "".join(f"{value:>9.2f}" for value in (row.figure, row.low, row.high))
    budget = f"{row.budget:>9.2f}" if row.budget is not None else " " * 9
    over = "" if row.kept else "OVER  "
    return f"{row.what:<34}{figures}{budget}  {over}{row.note}"


if __name__ == "__main__":
    sys.exit(main())
