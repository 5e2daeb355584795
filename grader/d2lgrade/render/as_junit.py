"""The report as JUnit XML, in Jenkins's dialect: one suite an exercise, one case a check.

A check that the learner's code got wrong, or that is still to do, is a `failure`; one that ended
otherwise (it raised, hung, crashed, or we failed) is an `error`; skipped and unstable ones are
`skipped`. What JUnit has no word for, points above all, stands in each suite's properties.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from xml.etree import ElementTree

from d2lgrade.render import words
from d2lgrade.render.feedback import held_back
from d2lgrade.render.harmless import capped, each_text, for_xml
from d2lgrade.results import CheckResult, CheckStatus, ExerciseResult, Report, failure_text

CHARACTERS = 20_000

ELEMENTS: dict[CheckStatus, str] = {
    "failed": "failure",
    "todo": "failure",
    "error": "error",
    "timeout": "error",
    "crashed": "error",
    "grader_error": "error",
    "skipped": "skipped",
    "unstable": "skipped",
}


def render(report: Report, feedback: str = "full") -> str:
    """The report as an XML document (declared as UTF-8), with a newline at the end.

    Raises:
        ValueError: no such feedback level.
    """
    clean = each_text(held_back(report, feedback), _clean)
    checks = [check for exercise in clean.exercises for check in exercise.checks]
    root = ElementTree.Element("testsuites", {"name": "d2lgrade", **_counts(checks)})
    for exercise in clean.exercises:
        root.append(_suite(exercise))
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _clean(text: str) -> str:
    return for_xml(capped(text, CHARACTERS))


def _suite(exercise: ExerciseResult) -> ElementTree.Element:
    skipped = sum(ELEMENTS.get(check.status) == "skipped" for check in exercise.checks)
    attributes = {"name": exercise.id, **_counts(exercise.checks), "skipped": str(skipped)}
    suite = ElementTree.Element("testsuite", attributes)
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in (
        ("section", exercise.section),
        ("title", exercise.title),
        ("status", exercise.status),
        ("points", words.points(exercise.points)),
        ("max_points", words.points(exercise.max_points)),
        ("credited_with", ", ".join(exercise.credited_with)),
        ("flags", ", ".join(exercise.flags)),
    ):
        if value:
            ElementTree.SubElement(properties, "property", name=name, value=value)
    suite.extend(_case(exercise, check) for check in exercise.checks)
    return suite


def _case(exercise: ExerciseResult, check: CheckResult) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase",
        classname=exercise.id.replace("/", "."),
        name=f"{words.name_of(check.id)}: {check.title}",
        time=_seconds(check.seconds),
    )
    element = ELEMENTS.get(check.status)
    if element:
        outcome = ElementTree.SubElement(case, element, type=check.status)
        if check.failure:
            outcome.set("message", check.failure.message)
            outcome.text = _capped_text(check)
    if check.stdout:
        ElementTree.SubElement(case, "system-out").text = check.stdout
    return case


def _capped_text(check: CheckResult) -> str:
    hint = f"\nhint       {check.hint}" if check.hint and check.status != "grader_error" else ""
    text = failure_text(check.failure) if check.failure else ""
    return capped(text, CHARACTERS) + hint


def _counts(checks: Iterable[CheckResult]) -> dict[str, str]:
    found = list(checks)
    kinds = [ELEMENTS.get(check.status) for check in found]
    return {
        "tests": str(len(found)),
        "failures": str(kinds.count("failure")),
        "errors": str(kinds.count("error")),
        "time": _seconds(sum(check.seconds for check in found)),
    }


def _seconds(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) and value > 0 else "0.000"
