"""The README says what is so: its links, its picture, its commands, and the one that CI reads."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import click
import pytest

from d2lgrade import catalog
from d2lgrade.cli import group

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted(path.name for path in ROOT.glob("*.md"))


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if not target.startswith(("https://", "http://", "mailto:")):
            assert (ROOT / target).exists(), f"{page} links to {target}"


def test_the_readme_opens_with_a_picture_of_a_failing_report() -> None:
    first = README.splitlines()[0]
    found = re.fullmatch(r"!\[(.+)\]\((docs/report\.svg)\)", first)
    assert found, first
    shown = "".join(ElementTree.parse(ROOT / found[2]).getroot().itertext()).replace("\xa0", " ")
    for word in ("✘", "expected", "got", "why", "traceback", "printed", "credited", "next"):
        assert word in shown
    assert "kernel" in shown


def test_the_picture_is_complete_in_itself_and_of_no_machine() -> None:
    text = (ROOT / "docs" / "report.svg").read_text(encoding="utf-8")
    assert re.findall(r"https?:[^\"' ]*", text) == ["http://www.w3.org/2000/svg"]  # a name only
    for word in ("@import", "@font-face", "href", "<image", "<script", "/tmp", "/home", "/root"):
        assert word not in text
    assert set(re.findall(r"url\((.)", text)) <= {"#"}


def _commands() -> list[str]:
    """Every `d2lgrade …` that the README shows, in tables, in text and in shell blocks."""
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", README, flags=re.DOTALL))
    blocks = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    shell = [part.strip() for block in blocks for part in re.split(r"&&|\n", block)]
    return [text for text in inline + shell if re.match(r"(\.venv/bin/)?d2lgrade\b", text)]


@pytest.mark.parametrize("command", dict.fromkeys(_commands()))
def test_the_commands_of_the_readme_parse(command: str) -> None:
    arguments = shlex.split(command.replace("PATH", "solutions").replace("DIR", "mycourse"))[1:]
    arguments = [a for a in arguments if a not in ("COMMAND", "…", "[TARGET…]")]
    arguments = [a for a in arguments if a != "--help"]
    context = group.make_context("d2lgrade", list(arguments))
    with context:
        rest = [*context._protected_args, *context.args]
        if not rest:
            return
        name, found, left = group.resolve_command(context, rest)
        assert found is not None
        inner = found.make_context(name, left, parent=context)
        targets = inner.params.get("targets") or [inner.params.get("target")]
        course = catalog.load(ROOT)
        catalog.resolve(course, tuple(t for t in targets if t) or ("all",))


def test_the_commands_are_found_at_all() -> None:
    assert len(_commands()) >= 8
    with pytest.raises(click.UsageError):
        test_the_commands_of_the_readme_parse("d2lgrade ch7 --no-such-option")


def test_ci_runs_the_command_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    found = re.search(r"^command=\$\((awk .*?)\)$", script, re.MULTILINE | re.DOTALL)
    assert found, ".ci/run reads its command from README.md with awk"
    read = subprocess.run(
        ["bash", "-c", found[1]], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    (due,) = re.findall(r"To run the project's own tests:.*?```sh\n(.*?)\n```", README, re.DOTALL)
    assert read == due
    assert read.endswith("-m pytest -n auto --dist loadgroup")  # every test: no path, no -k
    assert 'eval "$command"' in script


def test_setup_commands_are_whole() -> None:
    """Each begins with a new environment and installs by the constraints."""
    blocks = re.findall(r"```sh\n(python3.*?)\n```", README, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        assert block.startswith("python3 -m venv .venv && .venv/bin/pip install")
        assert "-c constraints.txt -e " in block
        assert "\n" not in block
