"""What the jail costs: `python tests/benchmarks/strict.py`.

The same submissions are graded at the levels `process` and `strict`, in turn and each first as
often as second, with both sandboxes warm. A turn grades the reference of one section on its checks,
in one judge; the figure is the median difference of neighbours, per submission. Also told: starting
and ending one contestant, and the proof that strict begins with.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "grader")]

from d2lgrade import catalog, submission  # noqa: E402
from d2lgrade.judge.session import Job, Order, grade  # noqa: E402
from d2lgrade.sandbox.process import ProcessSandbox  # noqa: E402
from d2lgrade.sandbox.strict import StrictSandbox  # noqa: E402

BUDGET = 0.03  # seconds that strict may add to a submission
BATCH = 5  # submissions of a turn: collecting the checks is shared among them


def differences(
    strict: Callable[[], None], process: Callable[[], None], turns: int
) -> tuple[list[float], list[float]]:
    """Seconds that `strict` takes longer than `process`, turn by turn; and those of `process`."""
    found, base = [], []
    for index in range(-1, turns):
        taken = {}
        for run in (strict, process) if index % 2 else (process, strict):
            start = time.perf_counter()
            run()
            taken[run] = time.perf_counter() - start
        if index >= 0:
            found.append(taken[strict] - taken[process])
            base.append(taken[process])
    return found, base


def told(what: str, values: list[float], note: str = "") -> None:
    """One line of the table, in milliseconds."""
    low, high = min(values) * 1e3, max(values) * 1e3
    print(f"{what:<40}{statistics.median(values) * 1e3:>8.1f}{low:>8.1f}{high:>8.1f}  {note}")


def main() -> int:
    """Measure and print; 0 where the budget is kept."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--turns", type=int, default=21)
    parser.add_argument("--target", default="corr2d")
    options = parser.parse_args()
    torch.set_num_threads(1)
    course = catalog.load(ROOT, complete=True)
    exercises = catalog.resolve(course, (options.target,))
    read = submission.read(ROOT / "solutions", course, exercises)
    jobs = [Job(read, exercises, training=False)] * BATCH
    plain, jailed = ProcessSandbox(), StrictSandbox()
    try:
        for sandbox in (plain, jailed):
            sandbox.start()
        for sandbox in (plain, jailed):
            sandbox.contestant().close()
        print(f"{'milliseconds':<40}{'median':>8}{'min':>8}{'max':>8}")

        def grading(sandbox: ProcessSandbox) -> Callable[[], None]:
            def run() -> None:
                for report in grade(Order(course), jobs, sandbox):
                    assert report.passed, report

            return run

        def forking(sandbox: ProcessSandbox) -> Callable[[], None]:
            return lambda: sandbox.contestant().close()

        added, base = differences(grading(jailed), grading(plain), options.turns)
        each = [value / BATCH for value in added]
        usual = statistics.median(base) / BATCH * 1e3
        told(
            "strict − process, a submission", each, f"{usual:.0f} ms at process, load incl. checks"
        )
        bare, _ = differences(forking(jailed), forking(plain), options.turns)
        told("strict − process, an empty contestant", bare)
        proofs = []
        for _ in range(3):
            start = time.perf_counter()
            assert all(promise.held for promise in jailed.prove())
            proofs.append(time.perf_counter() - start)
        told("the proof, once a sandbox", proofs)
    finally:
        plain.close()
        jailed.close()
    kept = statistics.median(each) <= BUDGET
    print(f"budget {BUDGET * 1e3:.0f} ms a submission: {'kept' if kept else 'OVER'}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
