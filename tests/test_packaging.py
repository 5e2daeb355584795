"""The wheel alone is enough for a learner: it holds the kit, and works far from the repository."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from email.parser import Parser
from pathlib import Path

import pytest

from d2lgrade import __version__

ROOT = Path(__file__).resolve().parents[1]
SECTION = "ch07_convolutional_neural_networks/conv_layer.py"
CORR2D = """
import torch


def corr2d(X, K):
    h, w = K.shape
    if h > X.shape[0] or w > X.shape[1]:
        raise ValueError("the kernel is larger than the image")
    Y = X.new_zeros((X.shape[0] - h + 1, X.shape[1] - w + 1))
    for i in range(h):
        for j in range(w):
            Y = Y + X[i : i + Y.shape[0], j : j + Y.shape[1]] * K[i, j]
    return Y
"""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def _python(
    *arguments: str, cwd: Path, path: Path | None = None
) -> subprocess.CompletedProcess[str]:
    dropped = ("PYTHON", "PYTEST", "PIP_", "COV_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(dropped)}
    environment |= {"PYTHONPATH": str(path)} if path else {}
    environment |= {"NO_COLOR": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONUTF8": "1"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


def _pip(*arguments: str, cwd: Path) -> None:
    done = _python("-m", "pip", "-q", *arguments, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    offline = ["--no-deps", "--no-build-isolation", "--no-index"]
    _pip("wheel", *offline, "-w", str(folder), str(ROOT), cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel installed, its dependencies left to the environment."""
    folder = tmp_path_factory.mktemp("installed") / "site"
    offline = ["--no-deps", "--no-index", "--no-compile"]
    _pip("install", *offline, "--target", str(folder), str(wheel), cwd=folder.parent)
    return folder


@pytest.fixture
def installed(site: Path, tmp_path: Path) -> Run:
    """Runs the installed command in an empty folder, or in one below it."""

    def run(*arguments: str, below: str = ".") -> subprocess.CompletedProcess[str]:
        return _python("-m", "d2lgrade", *arguments, cwd=tmp_path / below, path=site)

    return run


def _names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.parametrize("folder", ["solutions", "checks", "data", "exercises"])
def test_the_whole_kit_is_in_the_wheel(wheel: Path, folder: str) -> None:
    kinds = {".py", ".toml", ".npz", ".md"}
    files = [path for path in (ROOT / folder).rglob("*") if path.suffix in kinds]
    due = {path.relative_to(ROOT).as_posix() for path in files}
    assert due, f"nothing in {folder}"
    assert not {f"d2lgrade/kit/{name}" for name in due} - _names(wheel)


def test_nothing_stray_is_in_the_wheel(wheel: Path) -> None:
    parts = {part for name in _names(wheel) for part in Path(name).parts}
    assert not parts & {"__pycache__", ".ruff_cache", ".mypy_cache", "tests", ".d2lgrade"}
    assert {Path(name).parts[0] for name in _names(wheel)} == {
        "d2lgrade",
        f"d2lgrade-{__version__}.dist-info",
    }


def test_metadata_of_the_wheel(wheel: Path) -> None:
    info = f"d2lgrade-{__version__}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        metadata = Parser().parsestr(archive.read(f"{info}/METADATA").decode())
        entries = archive.read(f"{info}/entry_points.txt").decode()
        assert f"{info}/licenses/LICENSE" in archive.namelist()
    assert metadata["Version"] == __version__
    assert metadata["Requires-Python"]
    needed = [r for r in metadata.get_all("Requires-Dist", []) if "extra ==" not in r]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert len(needed) == len(project["dependencies"])
    assert "[console_scripts]\nd2lgrade = d2lgrade.__main__:main" in entries
    assert "[pytest11]\nd2lgrade = d2lgrade.judge.plugin" in entries


def test_a_learner_needs_the_wheel_alone(installed: Run, tmp_path: Path) -> None:
    laid = installed("init", "mycourse")
    assert laid.returncode == 0, laid.stderr
    course = tmp_path / "mycourse"
    assert "NotImplementedError" in (course / "exercises" / SECTION).read_text(encoding="utf-8")

    listed = installed("list", below="mycourse")
    assert listed.returncode == 0, listed.stderr
    assert "corr2d" in listed.stdout

    todo = installed("corr2d", below="mycourse")
    assert todo.returncode == 1, todo.stderr
    (course / "exercises" / SECTION).write_text(CORR2D, encoding="utf-8")
    solved = installed("corr2d", below="mycourse")
    assert solved.returncode == 0, solved.stdout + solved.stderr
    assert "1 of 1 exercise solved" in solved.stdout
    status = installed(below="mycourse")
    assert status.returncode == 0
    assert not list(course.glob("checks")), "the answers stay in the package"


def test_plain_pytest_finds_the_installed_plugin(site: Path, tmp_path: Path) -> None:
    """The installed package's modules are then imported by pytest's rewriting loader."""
    kit = site / "d2lgrade" / "kit"
    suite = kit / "checks" / Path(SECTION).parent / f"test_{Path(SECTION).name}"
    done = _python(
        *("-m", "pytest", str(suite), "--submission", str(kit / "solutions")),
        *("-q", "-k", "corr2d_values", "-p", "no:cacheprovider"),
        cwd=tmp_path,
        path=site,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_guided_stubs_come_from_the_wheel_too(installed: Run, tmp_path: Path) -> None:
    assert installed("init", "guided", "--level", "guided").returncode == 0
    assert "____" in (tmp_path / "guided" / "exercises" / SECTION).read_text(encoding="utf-8")


def test_installed_data_is_found(site: Path, tmp_path: Path) -> None:
    code = (
        "import d2lgrade.datasets as d; (x, y), _ = d.digits(); print(len(x), d.__file__); "
        "from pathlib import Path; from d2lgrade.catalog import find_kit; print(find_kit(Path()))"
    )
    done = _python("-c", code, cwd=tmp_path, path=site)
    assert done.returncode == 0, done.stderr
    first, kit = done.stdout.splitlines()
    assert first.startswith("1415 ")
    assert str(site) in first
    assert Path(kit) == (site / "d2lgrade" / "kit").resolve()


def test_an_editable_install_has_the_version(tmp_path: Path) -> None:
    """What `pip install -e .` reads: the backend's own metadata, version included."""
    code = (
        "import sys; from hatchling.build import prepare_metadata_for_build_editable as prepare; "
        "print(prepare(sys.argv[1]))"
    )
    done = _python("-c", code, str(tmp_path), cwd=ROOT)
    assert done.returncode == 0, done.stderr
    name = done.stdout.split()[-1]
    metadata = Parser().parsestr((tmp_path / name / "METADATA").read_text(encoding="utf-8"))
    assert metadata["Name"] == "d2lgrade"
    assert metadata["Version"] == __version__
