"""The rooms of the package import one another in one direction only (CONTRIBUTING.md, the map)."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "grader" / "d2lgrade"

# What each room may import of ours, besides itself. The reasons are in CONTRIBUTING.md.
MAY_IMPORT = {
    "results": set(),
    "manifest": set(),
    "families": set(),
    "interrupt": set(),
    "master": set(),
    "datasets": set(),
    "fashion_mnist": {"datasets"},
    "course": {"manifest"},
    "catalog": {"course", "manifest"},
    "reserved": set(),
    "submission": {"catalog", "reserved"},
    "wire": set(),
    "contestant": {"wire", "families", "reserved"},
    "sandbox": {"wire", "student", "contestant"},
    "student": {"wire", "contestant"},
    "testkit": {"student", "families"},
    "diagnosis": {"catalog", "contestant", "student", "testkit"},
    "judge": {
        "catalog",
        "contestant",
        "diagnosis",
        "results",
        "sandbox",
        "student",
        "submission",
        "testkit",
    },
    "gradebook": {"results"},
    "classroom": {"catalog", "submission"},
    "render": {"results"},
    "author": {
        "catalog",
        "contestant",
        "diagnosis",
        "judge",
        "manifest",
        "master",
        "results",
        "sandbox",
        "submission",
        "testkit",
    },
    "cli": {
        "author",
        "catalog",
        "gradebook",
        "interrupt",
        "judge",
        "master",
        "render",
        "results",
        "sandbox",
        "submission",
    },
    "__main__": {"cli", "interrupt"},
    "__init__": set(),
}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def modules() -> list[Path]:
    return [p for p in sorted(PACKAGE.rglob("*.py")) if "kit" not in p.relative_to(PACKAGE).parts]


def imported_rooms(path: Path) -> set[str]:
    package = ["d2lgrade", *path.relative_to(PACKAGE).parts[:-1]]
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{stem}.{alias.name}" for alias in node.names]
        else:
            continue
        rooms |= {n.split(".")[1] for n in names if n.startswith("d2lgrade.")}
    return {room for room in rooms if not room.startswith("__")}


def test_every_room_is_on_the_map() -> None:
    assert {room_of(path) for path in modules()} == set(MAY_IMPORT)


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_follow_the_arrows(path: Path) -> None:
    room = room_of(path)
    assert imported_rooms(path) - {room} <= MAY_IMPORT[room]


def test_nothing_untrusted_reaches_the_judge() -> None:
    """The contestant's process can import no check, judge or testkit by way of its own modules."""
    for path in (PACKAGE / "contestant").rglob("*.py"):
        assert not imported_rooms(path) & {"judge", "testkit", "diagnosis", "catalog", "student"}


@pytest.mark.parametrize(
    "command", [["--help"], ["list"], ["status"], ["hint", "corr2d"], ["--version"]]
)
def test_light_commands_import_no_tensor_library(command: list[str]) -> None:
    code = (
        "import sys; sys.argv = ['d2lgrade', *sys.argv[1:]]\n"
        "from d2lgrade.cli import main\n"
        "try: main()\n"
        "finally:\n"
        "    heavy = {'torch', 'numpy', 'pytest', 'msgpack'} & set(sys.modules)\n"
        "    print('HEAVY', sorted(heavy))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-P", "-c", code, *command],
        capture_output=True,
        text=True,
        cwd=PACKAGE.parents[1],
        env={"PYTHONPATH": str(PACKAGE.parent), "PATH": "/usr/bin:/bin"},
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "HEAVY []" in ran.stdout
