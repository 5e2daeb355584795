"""Attacks that forge the verdict: members 1 to 11 of the family, and others like them."""

from __future__ import annotations

from .case import Attack
from .forge import (
    backwards,
    exits,
    frames,
    impostors,
    inputs,
    insides,
    memorised,
    patches,
    plants,
    trips,
    values,
)

ATTACKS: tuple[Attack, ...] = (
    *exits.ATTACKS,
    *plants.ATTACKS,
    *patches.ATTACKS,
    *impostors.ATTACKS,
    *values.ATTACKS,
    *inputs.ATTACKS,
    *memorised.ATTACKS,
    *backwards.ATTACKS,
    *frames.ATTACKS,
    *insides.ATTACKS,
    *trips.ATTACKS,
)
