"""Attacks that outlive the run or hurt others."""

from __future__ import annotations

from .case import Attack

ATTACKS: tuple[Attack, ...] = ()
