"""JSON, JUnit and Markdown: their promises to the programs and pages that read them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

from d2lgrade.render import FORMATS, as_json, as_junit, as_markdown
from d2lgrade.render.harmless import each_text
from d2lgrade.results import Report
from reports import golden, sample, solved

HOSTILE = "\x1b[2J\x00\u202e\ud800\ufffe<b>&]]>```\n# x\n| y |![z](http://evil)@all"
LITERALS = {"core", "polish", "passed", "failed", "error", "timeout", "crashed", "todo", "skipped"}
LITERALS |= {"unstable", "grader_error"}


def spoiled() -> Report:
    """The sample with hostile text behind every string."""
    return each_text(sample(), lambda t: t if t in LITERALS else t + HOSTILE)


# All of them


def test_the_registry_names_each_format_and_renders() -> None:
    assert sorted(FORMATS) == ["json", "junit", "markdown"]
    for name, module in (("json", as_json), ("junit", as_junit), ("markdown", as_markdown)):
        assert FORMATS[name](sample()) == module.render(sample())
        assert FORMATS[name](sample(), "score") == module.render(sample(), "score")


def test_a_format_is_imported_when_it_is_used() -> None:
    code = (
        "import sys, d2lgrade.render; "
        "loaded = [m for m in sys.modules if m.startswith(('d2lgrade.render.', 'xml', 'rich'))]; "
        "print(loaded)"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


RENDERERS = [as_json.render, as_junit.render, as_markdown.render]


@pytest.mark.parametrize("render", RENDERERS)
def test_every_format_is_utf8_pure_and_ends_in_a_newline(render: Callable[..., str]) -> None:
    report = spoiled()
    text = render(report)
    text.encode("utf-8")
    assert text.endswith("\n")
    assert render(report) == text
    assert report == spoiled()


@pytest.mark.parametrize("render", RENDERERS)
def test_every_format_respects_the_feedback_level(render: Callable[..., str]) -> None:
    full, hints, score = (render(sample(), level) for level in ("full", "hints", "score"))
    for value in ("[ 2.0, 0.0]", "torch.float64", "worst by 4.0", "[7.0, 8.0, 9.0]"):
        assert value in full
        assert value not in hints
        assert value not in score
    for text in ("Your kernel is flipped", "No answer within 5 s", "X torch.Size([3, 3])"):
        assert text in full
        assert text in hints
        assert text not in score
    assert "hint corr2d" in hints
    assert "hint corr2d" not in score
    with pytest.raises(ValueError, match="full, hints, score"):
        render(sample(), "none")


@pytest.mark.parametrize("render", RENDERERS)
def test_every_format_is_capped(render: Callable[..., str]) -> None:
    big = each_text(sample(), lambda t: t if t in LITERALS else t + "y" * 100_000)
    text = render(big)
    assert "more characters" in text
    assert "y" * 20_001 not in text  # no field holds more


# JSON


def test_json_is_the_golden_one() -> None:
    golden("report.json", as_json.render(sample()))


def test_json_has_the_promised_keys_and_types() -> None:
    """Every key of the schema (version 1), with its type; more may come."""
    data = json.loads(as_json.render(sample()))
    number = (int, float)
    top: dict[str, Any] = {
        "schema": int, "d2lgrade": str, "target": str, "seed": int, "submission": str,
        "environment": dict, "sandbox": dict, "points": number, "max_points": number,
        "passed": bool, "speed": list, "exercises": list,
    }  # fmt: skip
    exercise: dict[str, Any] = {
        "id": str, "section": str, "title": str, "status": str, "points": number,
        "max_points": number, "credited_with": list, "flags": list, "checks": list,
    }  # fmt: skip
    check: dict[str, Any] = {
        "id": str, "title": str, "kind": str, "status": str, "points": number,
        "max_points": number, "message": str, "hint": str, "misconception": str, "stdout": str,
        "seconds": number,
    }  # fmt: skip
    objects = [(data, top), *((e, exercise) for e in data["exercises"])]
    objects += [(c, check) for e in data["exercises"] for c in e["checks"]]
    for found, promised in objects:
        for key, kind in promised.items():
            assert isinstance(found[key], kind), key
    assert data["schema"] == 1
    assert data["passed"] is False
    assert (data["points"], data["max_points"]) == (6.0, 26.0)
    assert data["exercises"][0]["checks"][0]["misconception"] == "kernel-flipped"
    assert data["exercises"][1]["credited_with"] == ["ch07/corr2d"]
    assert json.loads(as_json.render(solved()))["passed"] is True


def test_json_score_blanks_text_and_keeps_points() -> None:
    full, score = (json.loads(as_json.render(sample(), f)) for f in ("full", "score"))
    for before, after in zip(full["exercises"], score["exercises"], strict=True):
        for old, new in zip(before["checks"], after["checks"], strict=True):
            blank = {"message": "", "hint": "", "misconception": "", "stdout": ""}
            assert new == {**old, **blank}


def test_json_without_nan_or_foreign_types() -> None:
    sandbox: dict[Any, Any] = {
        "cpu": float("inf"),
        "memory": float("nan"),
        "set": {1},
        3: object,
        "t": (1, 2),
    }
    text = as_json.render(replace(sample(), sandbox=sandbox, seconds=float("nan")))
    data = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    assert data["sandbox"]["cpu"] is None
    assert data["sandbox"]["memory"] is None
    assert data["sandbox"]["set"] == [1]
    assert data["sandbox"]["3"] == "<class 'object'>"
    assert data["sandbox"]["t"] == [1, 2]


# JUnit


def junit(report: Report, feedback: str = "full") -> ElementTree.Element:
    return ElementTree.fromstring(as_junit.render(report, feedback).encode())


def test_junit_is_the_golden_one() -> None:
    golden("report.xml", as_junit.render(sample()))


def test_junit_counts_what_it_holds() -> None:
    """What Jenkins's schema requires, and counts that agree with the elements."""
    root = junit(sample())
    assert root.tag == "testsuites"
    assert set(root.attrib) == {"name", "tests", "failures", "errors", "time"}
    for part in (root, *root):
        kinds = ("testcase", "failure", "error", "skipped")
        tests, failures, errors, skipped = (len(part.findall(f".//{kind}")) for kind in kinds)
        assert part.attrib["tests"] == str(tests)
        assert part.attrib["failures"] == str(failures)
        assert part.attrib["errors"] == str(errors)
        assert re.fullmatch(r"\d+\.\d{3}", part.attrib["time"])
        if part.tag == "testsuite":
            assert part.attrib["skipped"] == str(skipped)
            assert next(child.tag for child in part) == "properties"
    assert len(root) == len(sample().exercises)


def test_junit_elements_follow_the_status() -> None:
    found = {}
    for case, check in zip(
        junit(sample()).iter("testcase"),
        [c for e in sample().exercises for c in e.checks],
        strict=True,
    ):
        outcomes = [child for child in case if child.tag != "system-out"]
        assert len(outcomes) == (check.status != "passed")
        found[check.status] = outcomes[0].tag if outcomes else ""
        assert all(o.attrib["type"] == check.status for o in outcomes)
        assert set(case.attrib) == {"classname", "name", "time"}
        assert case.findtext("system-out", "") == check.stdout
    assert found == {
        "passed": "",
        "failed": "failure",
        "todo": "failure",
        "error": "error",
        "timeout": "error",
        "crashed": "error",
        "skipped": "skipped",
        "grader_error": "error",
    }


def test_junit_properties_hold_the_points() -> None:
    first = junit(sample())[0]
    properties = {p.attrib["name"]: p.attrib["value"] for p in first.iter("property")}
    assert properties == {
        "section": "7.2",
        "title": "Two-dimensional cross-correlation",
        "status": "failed",
        "points": "1",
        "max_points": "4.5",
    }


def test_junit_with_hostile_text_and_times() -> None:
    report = spoiled()
    first = report.exercises[0]
    checks = tuple(replace(c, seconds=float("nan")) for c in first.checks)
    root = junit(replace(report, exercises=(replace(first, checks=checks),)))
    text = root[0].findtext("testcase/failure", "")
    assert "\\x00\\u202e\\ud800\\ufffe<b>&]]>" in text
    assert root[0].attrib["time"] == "0.000"


# Markdown


def test_markdown_is_the_golden_one() -> None:
    golden("report.md", as_markdown.render(sample()))


def test_markdown_of_a_solved_report_is_its_table() -> None:
    text = as_markdown.render(solved())
    assert "**26 of 26 points**, 10 of 10 exercises solved." in text
    assert "##" not in text


@pytest.mark.parametrize("report", [sample(), spoiled()], ids=["sample", "hostile"])
def test_markdown_holds_a_table_headings_and_fences_only(report: Report) -> None:
    tokens = MarkdownIt("gfm-like", {"html": True}).parse(as_markdown.render(report))
    kinds = {t.type.removesuffix("_open").removesuffix("_close") for t in tokens}
    assert kinds == {
        "heading", "paragraph", "inline", "fence", "table", "thead", "tbody", "tr", "th", "td",
    }  # fmt: skip
    inline = {c.type for t in tokens for c in t.children or []}
    assert inline <= {"text", "text_special", "code_inline", "strong_open", "strong_close"}
    rows = [t for t in tokens if t.type == "tr_open"]
    assert len(rows) == len(report.exercises) + 1
    cells = [t for t in tokens if t.type in ("td_open", "th_open")]
    assert len(cells) == 5 * len(rows)


def test_markdown_tells_one_failure_once() -> None:
    text = as_markdown.render(sample())
    assert text.count("does not parse") == 1
    assert "The same as in `corr2d_multi_in`." in text
    assert "<details" not in text
