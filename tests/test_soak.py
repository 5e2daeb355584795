"""Long proofs: no verdict ever changes. CI runs small counts; D2LGRADE_SOAK=full runs the whole."""

import os
from pathlib import Path

import pytest

from d2lgrade import catalog
from d2lgrade.author import proof

FULL = os.environ.get("D2LGRADE_SOAK") == "full"
COURSE = catalog.load(Path(__file__).parents[1], complete=True)
# Randomness, state, training and plain values: one exercise of each in the short run.
SHORT = ("corr2d", "dropout_layer", "ch12/adam", "BatchNorm", "MultiHeadAttention")
EXERCISES = catalog.resolve(COURSE, ["all"] if FULL else SHORT)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_references_get_every_point_every_time() -> None:
    assert [str(w) for w in proof.references(COURSE, EXERCISES, 20 if FULL else 3)] == []


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_wrong_answers_get_the_same_verdict_every_time() -> None:
    assert [str(w) for w in proof.misconceptions(COURSE, EXERCISES, 20 if FULL else 2)] == []
