"""Attacks on what people open: text that acts where it is shown."""

from __future__ import annotations

from .case import Attack

ATTACKS: tuple[Attack, ...] = ()
