"""Each fate of a submission has its sentence, and the learner reads it in the report."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping

import pytest
from rich.console import Console

from attacks.forge.honest import calling
from d2lgrade.render import FORMATS
from d2lgrade.render.terminal import print_report
from d2lgrade.results import Report
from d2lgrade.sandbox.limits import Limits
from grading import Case, Grader

# Tight, so that each limit is reached in a moment.
LIMITS = Limits(seconds=1.5, memory=200 << 20, file_size=3 << 20)

FATES = {
    "ends its process": (
        calling("os._exit(3)", "import os\n"),
        r"Your program ended its own process \(exit status 3\)\.",
    ),
    "ends its process on import": (
        "import os\n\nos._exit(0)\n",
        r"Your program ended its own process \(exit status 0\) while .+ was imported\.",
    ),
    "ends the program": (calling("raise SystemExit(0)"), r"Your code ended the program"),
    "never answers": (
        calling("while True:\n    pass"),
        r"No answer within 1\.5 s\.",
    ),
    "never ends its import": (
        "while True:\n    pass\n\n\ndef vertical_edge_kernel(): ...\n",
        r"The import of your file never ended \(no answer within 1\.5 s\)\.",
    ),
    "takes all memory": (
        calling("keep = []\nwhile True:\n    keep.append(torch.ones(1_000_000))"),
        r"ran out of memory.* 200 MB",
    ),
    "takes all memory on import": (
        "keep = []\nwhile True:\n    keep.append(bytearray(10**7))\n",
        r"ran out of memory.* 200 MB.* It did so on import\.",
    ),
    "writes without end on import": (
        'with open("big", "wb") as file:\n    while True:\n        file.write(bytes(1000))\n',
        r"Your program wrote more than 3 MB\. It did so on import\.",
    ),
    "writes without end": (
        calling(
            'with open("big", "wb") as file:\n    while True:\n        file.write(bytes(1000))'
        ),
        r"Your program wrote more than 3 MB\.",
    ),
    "is killed": (
        calling("os.kill(os.getpid(), 9)", "import os\n"),
        r"Your program was killed: out of memory, or by its own hand\.",
    ),
    "crashes": (
        calling("ctypes.string_at(0)", "import ctypes\n"),
        r"Your program crashed \(segmentation fault\)\.",
    ),
    "calls itself": (
        calling("return vertical_edge_kernel()"),
        r"Your code calls itself without end",
    ),
}


@pytest.fixture(scope="module")
def fates(grader: Grader) -> Mapping[str, Report]:
    cases = [
        Case({"conv_layer": source}, ("vertical_edge_kernel",), whole=False)
        for source, _ in FATES.values()
    ]
    return dict(zip(FATES, grader.grade(cases, limits=LIMITS), strict=True))


def flat(text: str) -> str:
    """Without the line breaks of a narrow page."""
    return " ".join(text.split())


@pytest.mark.parametrize("name", FATES)
def test_the_learner_reads_what_happened(name: str, fates: Mapping[str, Report]) -> None:
    stream = io.StringIO()
    print_report(fates[name], Console(file=stream, width=80))
    said = flat(stream.getvalue())
    assert re.search(FATES[name][1], said), said
    assert "Traceback (most recent call last)" not in said
    assert fates[name].points == 0


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", FATES)
def test_every_format_says_the_same(name: str, format: str, fates: Mapping[str, Report]) -> None:
    said = flat(FORMATS[format](fates[name]).replace("\\n", " "))
    assert re.search(FATES[name][1], said), said
