"""The README's picture: a real report, complete in itself, the same every time."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from d2lgrade.render.picture import svg
from reports import sample


def test_the_picture_fetches_nothing() -> None:
    text = svg(sample(), "d2lgrade ch7", 100)
    assert re.findall(r"https?:[^\"' ]*", text) == ["http://www.w3.org/2000/svg"]  # a name only
    for word in ("@import", "@font-face", "href", "<image", "<script", "<foreignObject"):
        assert word not in text
    assert set(re.findall(r"url\((.)", text)) == {"#"}
    assert "monospace" in text


def test_the_picture_shows_the_report_and_its_title() -> None:
    text = svg(sample(), "d2lgrade <ch7> & more\x1b", 100)
    shown = "".join(ElementTree.fromstring(text).itertext()).replace("\xa0", " ")
    assert "d2lgrade <ch7> & more\\x1b" in shown
    assert "Your kernel is flipped" in shown


def test_the_picture_does_not_depend_on_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    before = svg(sample(), "t", 80)
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb"), ("COLUMNS", "40")):
        monkeypatch.setenv(name, value)
    assert svg(sample(), "t", 80) == before
    assert "#ff7b72" in before  # the red of a failure
