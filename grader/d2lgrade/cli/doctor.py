"""`d2lgrade doctor`: what works on this machine, what is missing, and how to repair it."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from . import places

if TYPE_CHECKING:
    from d2lgrade.catalog import Course
    from d2lgrade.sandbox.checkup import Finding

NEEDED = ("torch", "numpy", "msgpack", "cloudpickle", "pytest", "pytest-timeout")
MARKS = {True: ("✔", "green"), False: ("✘", "red"), None: ("·", "dim")}
INDENT = 4
UPGRADE = "Install d2lgrade in Python 3.11, 3.12 or 3.13"


def run(kit: Path | None) -> int:
    """Look at everything; 0 where the learner can grade their own work."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from d2lgrade.sandbox import checkup

    console = Console(highlight=False)
    course = places.course(kit)  # its own errors say what to do
    console.print(Text("For your own work", "bold"))
    able = _told(console, _own(course))
    able = able and _told(console, [checkup.process_level()])
    console.print(Text("\nFor strangers' work (--sandbox strict)", "bold"))
    safe = _told(console, checkup.tools())
    if safe and able:
        safe = _told(console, checkup.promises((course.root,)))
    console.print()
    _told(console, [checkup.gpu()])
    console.print(Text(f"\n{_verdict(able, safe)}", "bold"))
    return 0 if able else 1


def _verdict(able: bool, safe: bool) -> str:
    if not able:
        return "Grading does not work here yet: repair what is marked ✘ first."
    if not safe:
        return (
            "Your own work can be graded. Strangers' work cannot: --sandbox strict lacks what is "
            "marked ✘."
        )
    return "Your own work can be graded, and strangers' work too, with --sandbox strict."


def _told(console: Console, findings: Iterator[Finding] | list[Finding]) -> bool:
    """Show each finding as it comes; whether none is bad."""
    good = True
    for finding in findings:
        mark, style = MARKS[finding.good]
        said = f"{finding.name}: {finding.text}" if finding.text else finding.name
        lines = wrap(said, max(console.width - INDENT, 20), break_on_hyphens=False)
        console.print(Text(f"  {mark} ", style).append(lines[0], "default"))
        for line in lines[1:]:
            console.print(Text(" " * INDENT + line))
        good = good and finding.good is not False
    return good


def _own(course: Course) -> Iterator[Finding]:
    from d2lgrade.sandbox.checkup import Finding

    version = ".".join(map(str, sys.version_info[:3]))
    supported = (3, 11) <= sys.version_info[:2] <= (3, 13)
    where = f"{version} ({sys.executable})"
    yield Finding("Python", supported, where if supported else f"{where}. {UPGRADE}")
    for name in NEEDED:
        yield _package(name)
    plugins = sorted({entry.name for entry in metadata.entry_points(group="pytest11")})
    others = ", ".join(name for name in plugins if name != "d2lgrade") or "none"
    yield Finding("pytest plugins", None, f"{others}; grading loads none but the timeout")
    yield Finding("kit", True, f"{course.root}, {len(course.exercises)} exercises")


def _package(name: str) -> Finding:
    from d2lgrade.sandbox.checkup import Finding

    try:
        importlib.import_module(name.replace("-", "_"))
        return Finding(name, True, metadata.version(name))
    except Exception as error:
        text = f"cannot be imported ({type(error).__name__}: {error})"[:300]
        return Finding(name, False, f"{text}. Repair: `pip install --force-reinstall {name}`")
