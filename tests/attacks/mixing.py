"""A judge as a process of its own, so that several can grade at once.

Run as a script with an order as JSON on stdin: `level`, `limits` (fields of Limits), `together`
(all jobs in one run of the checks, or each in its own) and `jobs`, each with `name`, `files`,
`targets` and `beside`. Prints one JSON object: name → verdict.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from d2lgrade.results import Report, to_json

_FOLDERS = re.compile(r"[^\s\"']*/answer\d+/")  # where a submission happened to lie


def main() -> None:
    """Grade what is ordered on stdin."""
    import torch

    from d2lgrade.sandbox.limits import Limits
    from grading import Case, Grader

    torch.set_num_threads(1)
    order = json.loads(sys.stdin.read())
    cases = [Case(job["files"], tuple(job["targets"]), job["beside"]) for job in order["jobs"]]
    rounds = [cases] if order["together"] else [[case] for case in cases]
    options: dict[str, Any] = {"limits": Limits(**order["limits"]), "level": order["level"]}
    grader = Grader()
    try:
        reports = [report for some in rounds for report in grader.grade(some, **options)]
    finally:
        grader.close()
    names = [job["name"] for job in order["jobs"]]
    found = {name: verdict(report) for name, report in zip(names, reports, strict=True)}
    sys.stdout.write("\n" + json.dumps(found) + "\n")


def verdict(report: Report) -> dict[str, Any]:
    """All of a report but what may differ from run to run: times, and where the files lay."""
    data = to_json(report)
    data["submission"] = ""
    for exercise in data["exercises"]:
        for check in exercise["checks"]:
            check["seconds"] = 0
    plain: dict[str, Any] = json.loads(_FOLDERS.sub("", json.dumps(data)))
    return plain


if __name__ == "__main__":
    main()
