"""Attacks and honest work in one heap: every honest verdict is the one it gets alone.

CI runs small counts; D2LGRADE_SOAK=full runs the whole.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from attacks import exhausting, forging, mixing, outliving, poisoning, reading
from attacks.case import Arena, Attack, arena
from attacks.parts import SMALL
from d2lgrade import catalog
from grading import Case, Grader, redefined
from jails import needs_jail

FULL = os.environ.get("D2LGRADE_SOAK") == "full"
ATTACKERS = 12
HONEST = 120 if FULL else 18
JUDGES = 4 if FULL else 2
REGRADES = 100 if FULL else 5
MIXER = Path(mixing.__file__)

Job = dict[str, Any]


@pytest.fixture(scope="module", autouse=True)
def _jail() -> None:
    needs_jail()


def attackers(arena: Arena, grader: Grader, rng: random.Random) -> list[Job]:
    """Every attack; in the short form some of them."""
    modules = (forging, reading, exhausting, outliving, poisoning)
    all_of_them: list[Attack] = [attack for module in modules for attack in module.ATTACKS]
    some = all_of_them if FULL else rng.sample(all_of_them, ATTACKERS)
    jobs = []
    for attack in some:
        case = arena.case(grader, attack)
        job = {"name": f"attack {attack.name}", "files": dict(case.files)}
        jobs.append({**job, "targets": case.targets, "beside": dict(case.beside)})
    return jobs


def honest(grader: Grader, rng: random.Random) -> list[Job]:
    """Honest work, right and wrong: twins of attacks, known mistakes, and ordinary accidents."""
    jobs = [
        {"name": f"accident {name}", "files": files, "targets": ["corr2d", "corr2d_multi_in"]}
        for name, files in accidents(grader).items()
    ]
    for attack in (*reading.ATTACKS, *exhausting.ATTACKS, *outliving.ATTACKS):
        [exercise] = grader.exercises(attack.target)
        twin = {"files": {exercise.file: attack.twin}, "targets": [attack.target]}
        if not any(job["files"] == twin["files"] for job in jobs):
            jobs.append({"name": f"twin {attack.name}", **twin})
    for name, slug in MISTAKES:
        planted = grader.planted(name, slug)
        jobs.append({"name": f"mistake {slug}", "files": planted, "targets": [name]})
    first, rest = jobs[: len(accidents(grader))], jobs[len(accidents(grader)) :]
    rng.shuffle(rest)
    return [{**job, "beside": {}} for job in [*first, *rest][:HONEST]]


MISTAKES = (("corr2d", "kernel-flipped"), ("corr2d_multi_in", "last-channel-only"))


def accidents(grader: Grader) -> Mapping[str, dict[str, str]]:
    """What happens to people who mean no harm."""
    text = grader.solution("conv_layer")

    def wrong(body: str) -> dict[str, str]:
        return {"conv_layer": redefined(text, "corr2d", "X, K", body)}

    return {
        "solution": {"conv_layer": text},
        "stub": {"conv_layer": grader.stub("conv_layer")},
        "draws": wrong("return torch.rand(X.shape[0] - K.shape[0] + 1, 2)"),
        "raises": wrong("return X.nothing(K)"),
        "ends": wrong("import os\nos._exit(3)"),
        "does not parse": {"conv_layer": text + "\ndef (\n"},
        "takes too much": wrong("return torch.ones(10**11)"),
        "prints": wrong("print('X', X.shape)\nreturn X"),
    }


def judged(jobs: Sequence[Job], *, together: bool, judges: int = 1) -> dict[str, Any]:
    """Name → verdict, by several judges at once, each with its share."""
    running = []
    try:
        for number in range(judges):
            order = {"level": "strict", "limits": asdict(SMALL), "together": together}
            process = subprocess.Popen(
                [sys.executable, str(MIXER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environment(),
            )
            running.append(process)
            assert process.stdin is not None
            json.dump({**order, "jobs": jobs[number::judges]}, process.stdin)
            process.stdin.close()
        found: dict[str, Any] = {}
        for process in running:
            assert process.stdout is not None
            said = process.stdout.read()
            assert process.wait() == 0
            found |= json.loads(said.splitlines()[-1])
        return found
    finally:
        for process in running:
            process.kill()
            process.wait()
            for end in (process.stdin, process.stdout):
                if end is not None:
                    end.close()


def environment() -> dict[str, str]:
    roots = (Path(catalog.__file__).parents[1], MIXER.parents[1])
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, roots)), "OMP_NUM_THREADS": "1"}


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_honest_verdicts_are_those_they_get_alone(grader: Grader, tmp_path: Path) -> None:
    rng = random.Random(0)
    harmless = honest(grader, rng)
    alone = judged(harmless, together=False)
    with arena(tmp_path) as made:
        mixed = [*harmless, *attackers(made, grader, rng)]
        assert len(mixed) >= (200 if FULL else HONEST + ATTACKERS)
        rng.shuffle(mixed)
        found = judged(mixed, together=True, judges=JUDGES)
    assert len(found) == len(mixed)
    assert {name: found[name] for name in alone} == alone


@contextmanager
def busy() -> Iterator[None]:
    """Within this block every core has something else to do."""
    loops = [
        subprocess.Popen([sys.executable, "-c", "while True:\n    pass"])
        for _ in range(os.cpu_count() or 1)
    ]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("around", [nullcontext, busy], ids=["quiet", "busy"])
def test_regrades_are_identical(around: Any, grader: Grader) -> None:
    several = ("dropout_layer", "BatchNorm", "MultiHeadAttention")
    cases = [Case(files, ("corr2d", "corr2d_multi_in")) for files in accidents(grader).values()]
    cases += [Case(grader.planted(name, slug), (name,)) for name, slug in MISTAKES]
    cases.append(Case({}, several))
    with around():
        reports = grader.grade(cases * REGRADES, limits=SMALL, level="strict")
    verdicts = [json.dumps(mixing.verdict(report)) for report in reports]
    for number in range(len(cases)):
        assert len(set(verdicts[number :: len(cases)])) == 1, verdicts[number]
