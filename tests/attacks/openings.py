"""Defences switched off, one at a time, so that the attacks are known to attack something.

To add one: give `OPENINGS` an entry whose `off` is a context manager in which the defence is gone.
Graders, and with them sandboxes, are made inside it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from d2lgrade import catalog
from d2lgrade.student import remote
from grading import Grader

from .case import Arena, Attack
from .forge import defences

ALONE = Path(__file__).with_name("alone.py")


@dataclass(frozen=True)
class Opening:
    """A world in which one defence is missing.

    Args:
        off: a context in which it is.
        level: the sandbox level to grade at.
        seed: the kit's seed to grade with; None: the attack's own.
        alone: whether judge and submission share a process (see `attacks.alone`).
    """

    off: Callable[[], AbstractContextManager[object]] = nullcontext
    level: str = "process"
    seed: int | None = None
    alone: bool = False


@contextmanager
def _plain_seed() -> Iterator[None]:
    before = remote.learners_seed
    remote.learners_seed = lambda number: number  # type: ignore[attr-defined]
    try:
        yield
    finally:
        remote.learners_seed = before  # type: ignore[attr-defined]


OPENINGS: Mapping[str, Opening] = {
    # No process of its own; exit status and files that say so are believed.
    "own process": Opening(alone=True),
    # No jail around the process: for what `strict` alone promises.
    "jail": Opening(level="process"),
    # The seed that the attacker knows, for answers learned by heart.
    "rotated seed": Opening(seed=0),
    # Against forgery; each says what it is.
    "idle answers": Opening(off=defences.idle_answers),
    "finite comparison": Opening(off=defences.finite_comparison),
    "values alone": Opening(off=defences.values_alone),
    "expected before the call": Opening(off=defences.expected_before_the_call),
    "testimony": Opening(off=defences.testimony),
    # The judge's own seed, given to the learner's random numbers as it is.
    "hashed seed": Opening(off=_plain_seed),
}


def succeeded(name: str, attacks: Sequence[Attack], arena: Arena) -> dict[str, bool]:
    """Attack name → whether it gained something, with the defence `name` switched off."""
    opening = OPENINGS[name]
    if opening.alone:
        return _alone(attacks, arena)
    found: dict[str, bool] = {}
    with opening.off():
        grader = Grader()
        try:
            for limits, seed in dict.fromkeys((a.limits, a.seed) for a in attacks):
                some = [a for a in attacks if (a.limits, a.seed) == (limits, seed)]
                reports = grader.grade(
                    [arena.case(grader, attack) for attack in some],
                    limits=limits,
                    level=opening.level,
                    seed=seed if opening.seed is None else opening.seed,
                )
                for attack, report in zip(some, reports, strict=True):
                    found[attack.name] = arena.outcome(attack, report).gained(attack, arena.secret)
        finally:
            grader.close()
    return found


def _alone(attacks: Sequence[Attack], arena: Arena) -> dict[str, bool]:
    grader = Grader()
    jobs = []
    for attack in attacks:
        case = arena.case(grader, attack)
        job = {"name": attack.name, "passes": attack.passes, "seed": attack.seed}
        jobs.append({**job, "files": dict(case.files), "beside": dict(case.beside)})
        jobs[-1]["targets"] = case.targets
    folder = arena.folder / "alone"
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, str(ALONE), str(folder)],
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        timeout=300,
        env=_environment(),
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, bool] = json.loads(done.stdout.splitlines()[-1])
    return found


def _environment() -> dict[str, str]:
    import os

    roots = [Path(catalog.__file__).parents[1], ALONE.parents[1]]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, roots)), "OMP_NUM_THREADS": "1"}
