"""A grader as many are: the submission in the judge's own process, its word believed.

Run as a script with a folder as its argument and jobs as JSON on stdin. Each job is graded in a
fork of its own; an attack succeeds if the fork ends with status 0 and no report, leaves a
results.json in its folder that says "passed", or passes a check that its work does not earn.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NoReturn

SECONDS = 30.0  # that one submission may take


def main(folder: Path) -> None:
    """Grade the jobs on stdin; prints one JSON object: name → whether it succeeded."""
    import torch

    from grading import Grader

    torch.set_num_threads(1)
    jobs = json.loads(sys.stdin.read())
    grader = Grader()
    found = {}
    for job in jobs:
        place = Path(tempfile.mkdtemp(dir=folder))
        pid = os.fork()
        if pid == 0:
            _graded(grader, job, place)
        found[job["name"]] = _fooled(job, place, _waited(pid))
    sys.stdout.write("\n" + json.dumps(found) + "\n")


def _graded(grader: Any, job: dict[str, Any], place: Path) -> NoReturn:
    from grading import Case

    status = 1
    try:
        os.chdir(place)
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        case = Case(job["files"], tuple(job["targets"]), job["beside"])
        [report] = grader.grade([case], seed=job["seed"], in_process=True)
        passed = [c.id for e in report.exercises for c in e.checks if c.status == "passed"]
        (place / "report.txt").write_text("\n".join(passed))
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    finally:
        os._exit(status)


def _waited(pid: int) -> int | None:
    """The wait status; None of one that takes too long and is killed."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return status
        time.sleep(0.01)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    return None


def _fooled(job: dict[str, Any], place: Path, status: int | None) -> bool:
    report = place / "report.txt"
    if not report.exists() and status == 0:
        return True
    claims = place / "results.json"
    if claims.exists() and "passed" in claims.read_text(errors="replace"):
        return True
    passed = report.read_text().splitlines() if report.exists() else []
    return bool({id.rpartition("/")[2] for id in passed} - set(job["passes"]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
