"""Attacks that read what is hidden."""

from __future__ import annotations

from .case import Attack

ATTACKS: tuple[Attack, ...] = ()
