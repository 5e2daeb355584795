"""`d2lgrade doctor`, and `--sandbox strict` on the command line."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from d2lgrade.sandbox import checkup, proof
from jails import needs_jail
from kits import make_kit

ROOT = Path(__file__).parents[1]


def run(*arguments, cwd=ROOT, **environment):
    return subprocess.run(
        [sys.executable, "-m", "d2lgrade", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "grader"), **environment},
    )


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    return make_kit(tmp_path_factory.mktemp("kit"))


def test_every_promise_has_its_line():
    needs_jail()
    ran = run("doctor")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for name in proof.ALL:
        assert f"✔ a submission {name}\n" in ran.stdout
    for name in ("Python", "torch", "numpy", "pytest", "kit", "bubblewrap", "user namespaces"):
        assert re.search(rf"^  ✔ {name}: ", ran.stdout, re.M), name
    assert re.search(r"^  · GPU: ", ran.stdout, re.M)
    assert "✘" not in ran.stdout
    assert "\x1b" not in ran.stdout
    assert "strangers' work too" in ran.stdout


def test_what_strict_lacks_is_told_and_own_work_goes_on(kit, tmp_path):
    ran = run("doctor", "--kit", str(kit), PATH=str(tmp_path))
    assert ran.returncode == 0
    said = " ".join(ran.stdout.split())
    assert "✘ bubblewrap" in said
    assert "apt install bubblewrap" in said
    assert "Your own work can be graded. Strangers' work cannot" in said
    refused = run("--kit", str(kit), "--submission", str(kit), "--sandbox", "strict", PATH="/no")
    assert refused.returncode == 3
    assert "apt install bubblewrap" in refused.stderr


def test_what_keeps_own_work_from_being_graded_is_told(kit, tmp_path):
    (tmp_path / "numpy.py").write_text("raise ImportError('no numpy here')")
    path = os.pathsep.join([str(tmp_path), str(ROOT / "grader")])
    ran = run("doctor", "--kit", str(kit), PYTHONPATH=path, PATH="/no")
    assert ran.returncode == 1
    assert "✘ numpy: cannot be imported" in ran.stdout, ran.stderr
    assert "repair what is marked ✘" in ran.stdout


def test_switched_off_user_namespaces_are_told(tmp_path):
    fake = tmp_path / "bwrap"
    fake.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo bubblewrap 0.9.0 && exit\n'
        "echo 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n"
    )
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    found = checkup._namespaces(str(fake))
    assert not found.good
    assert "unprivileged_userns_clone" in found.text


def test_an_old_kernel_is_told(monkeypatch):
    if sys.platform != "linux":
        pytest.skip("Linux only")
    monkeypatch.setattr("platform.release", lambda: "5.4.0-42-generic")
    found = next(checkup.tools())
    assert (found.name, found.good) == ("Linux", False)


def test_other_systems_are_told_where_to_grade_strangers_work(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    [found] = checkup.tools()
    assert not found.good
    assert "Linux machine or container" in found.text


def test_strict_grades_and_says_so(kit, tmp_path):
    needs_jail()
    out = tmp_path / "report.json"
    arguments = ("--kit", str(kit), "--submission", str(kit / "solutions"), "--format", "json")
    ran = run(*arguments, "--output", str(out), "--sandbox", "strict")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    report = json.loads(out.read_text())
    assert report["sandbox"]["level"] == "strict"
    assert report["sandbox"]["promises"] == list(proof.ALL)
    assert report["sandbox"]["unproven"] == []
    assert report["notes"] == []


def test_an_accepted_gap_is_in_every_report(kit, tmp_path):
    needs_jail()
    code = (
        "from d2lgrade.sandbox import proof, strict\n"
        "held = proof.prove\n"
        "gap = proof.Promise(proof.NETWORK, False, 'reached loopback')\n"
        "strict.proof.prove = lambda sandbox: (*held(sandbox)[:3], gap)\n"
        "from d2lgrade.cli import main\nmain()"
    )
    base = [sys.executable, "-c", code, "--kit", str(kit), "--submission", str(kit / "solutions")]
    options = {"capture_output": True, "text": True, "cwd": tmp_path}
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "grader")}
    refused = subprocess.run([*base, "--sandbox", "strict"], **options, env=environment)
    assert refused.returncode == 3
    assert "reached loopback" in refused.stderr
    assert "--accept-unproven" in refused.stderr
    base += ["--sandbox", "strict", "--accept-unproven"]
    ran = subprocess.run(base, **options, env=environment)
    assert ran.returncode == 0, ran.stderr
    assert f"not proven, that a submission {proof.NETWORK}" in " ".join(ran.stdout.split())
    ran = subprocess.run([*base, "--format", "json"], **options, env=environment)
    assert json.loads(ran.stdout)["sandbox"]["unproven"] == [proof.NETWORK]


def test_debugging_in_the_jail_is_refused(kit):
    ran = run("--kit", str(kit), "--submission", str(kit), "--sandbox", "strict", "--debug")
    assert ran.returncode == 2
    assert "--debug" in ran.stderr


def test_the_real_bubblewrap_is_new_enough():
    needs_jail()
    from d2lgrade.sandbox import jail

    assert jail.version(shutil.which("bwrap")) >= jail.OLDEST
