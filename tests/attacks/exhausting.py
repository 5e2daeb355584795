"""Attacks that exhaust the machine, and fake the time."""

from __future__ import annotations

from .case import Attack

ATTACKS: tuple[Attack, ...] = ()
