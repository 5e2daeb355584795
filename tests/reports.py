"""Reports for the renderers' tests: one that shows every status, and ones that are hard to show.

`golden(name, text)` compares with tests/golden/NAME. After a wanted change, refresh the files and
read their difference before keeping it:

    D2LGRADE_GOLDEN=refresh pytest tests/test_render_*.py
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from d2lgrade.results import (
    Argument,
    CheckResult,
    CheckStatus,
    ExerciseResult,
    Failure,
    Heading,
    Kind,
    Report,
    exercise_status,
)

GOLDEN = Path(__file__).parent / "golden"


def golden(name: str, text: str) -> None:
    """Hold `text` against the golden file, or write the file where a refresh was asked for."""
    path = GOLDEN / name
    if os.environ.get("D2LGRADE_GOLDEN") == "refresh":
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), (
        f"{name} changed; if that is wanted, run the tests with D2LGRADE_GOLDEN=refresh"
    )


def check(
    identity: str,
    title: str,
    maximum: float,
    status: CheckStatus = "passed",
    *,
    kind: Kind = "core",
    failure: Failure | None = None,
    stdout: str = "",
) -> CheckResult:
    """A check that earned all or nothing, with the usual hint where it did not pass."""
    exercise = identity.split("/")[1]
    return CheckResult(
        id=identity,
        title=title,
        kind=kind,
        status=status,
        points=maximum if status == "passed" else 0.0,
        max_points=maximum,
        failure=failure,
        hint="" if status in ("passed", "skipped") else f"d2lgrade hint {exercise}",
        stdout=stdout,
        seconds=0.0125,
    )


def exercise(
    identity: str,
    section: str,
    title: str,
    *checks: CheckResult,
    credited_with: tuple[str, ...] = (),
    flags: tuple[str, ...] = (),
) -> ExerciseResult:
    """An exercise whose status and points follow from its checks."""
    return ExerciseResult(
        id=identity,
        section=section,
        title=title,
        status=exercise_status(checks),
        points=sum(c.points for c in checks),
        max_points=sum(c.max_points for c in checks),
        checks=checks,
        credited_with=credited_with,
        flags=flags,
    )


FLIPPED = Failure(
    message="3 of 4 differ, first at (0, 0), worst by 4.0",
    called="corr2d(X, K)",
    arguments=(Argument("X", "float32 (2, 3)"), Argument("K", "float32 (1, 2)")),
    expected="[[ 0.5, -1.5], [ 2.0, 0.0]]",
    got="[[-0.5,  1.5], [-2.0, 0.0]]",
    difference="3 of 4 differ, first at (0, 0), worst by 4.0",
    map=("##", "#·"),
    why="Your kernel is flipped: that is true convolution. "
    "Cross-correlation does not flip (7.2.5).",
    misconception="kernel-flipped",
)
RAISED = Failure(
    message="Your code raised IndexError: index 3 is out of bounds for dimension 0 with size 3",
    called="corr2d(X, K)",
    arguments=(
        Argument("X", "float32 (3, 3)", "[[1.0, 2.0, 3.0],\n [4.0, 5.0, 6.0],\n [7.0, 8.0, 9.0]]"),
        Argument("K", "float32 (2, 2)", "[[0.0, 1.0],\n [2.0, 3.0]]"),
    ),
    traceback=(
        "conv_layer.py:31 in corr2d",
        "    Y[i, j] = window_sum(X, K, i, j)",
        "conv_layer.py:17 in window_sum",
        "    return sum(X[i + a, j + b] * K[a, b] for a in range(kh) for b in range(kw))",
        "IndexError: index 3 is out of bounds for dimension 0 with size 3",
    ),
)
DTYPE = Failure(
    message="The result is float32 for a float64 input.",
    called="corr2d(X, K)",
    arguments=(Argument("X", "float64 (2, 2)"), Argument("K", "float64 (1, 1)")),
    expected="torch.float64",
    got="torch.float32",
    notes=("torch.zeros makes float32 unless it is told the dtype.",),
)
UNREADABLE = Failure(
    message="channels.py does not parse: '(' was never closed (line 12).",
    traceback=("channels.py:12", "    return torch.stack([corr2d(x, k) for x, k in zip(X, K)]"),
    notes=("Nothing in this file can run until it parses. Close the bracket and save.",),
)
POOLED = Failure(
    message="Negative windows come out as 0: the running maximum must not begin at 0.",
    called="pool2d(X, (2, 2), 'max')",
    arguments=(Argument("X", "float32 (4, 17)"),),
    expected="[[-1.0, -2.0, -1.0, -1.0, -3.0, -1.0, -1.0, -2.0, -1.0, -1.0, -1.0, -4.0, ...],\n"
    " [-2.0, -2.0, -1.0, -1.0, -1.0, -1.0, -1.0, -2.0, -1.0, -1.0, -1.0, -1.0, ...]]",
    got="[[ 0.0,  0.0,  0.0,  0.0,  0.0,  0.0,  0.0,  0.0,  0.0,  0.0,  0.0,  0.0,  ...],\n"
    " [ 0.0,  0.0,  0.0,  0.0,  0.0,  0.0,  0.0,  0.0,  0.0,  0.0,  0.0,  0.0,  ...]]",
    difference="46 of 48 differ, first at (0, 0), worst by 4.0",
    map=("################", "#######·########", "#######·########"),
)


def sample() -> Report:
    """Chapter 7 in the middle of a learner's work: every status and every part of a failure."""
    ch = "ch07"
    unread_in: tuple[tuple[str, str, Kind], ...] = (
        ("values", "equals PyTorch on every shape", "core"),
        ("gradients", "gradients reach the image and the kernel", "core"),
        ("dtype", "keeps the dtype of its input", "polish"),
    )
    unread = [
        check(f"{ch}/corr2d_multi_in/{name}", title, 1.0, "error", kind=kind, failure=UNREADABLE)
        for name, title, kind in unread_in
    ]
    unread_too = [
        replace(c, id=c.id.replace("multi_in", "multi_in_out"), hint=c.hint + "_out")
        for c in unread
    ]
    exercises = (
        exercise(
            f"{ch}/corr2d",
            "7.2",
            "Two-dimensional cross-correlation",
            check(
                f"{ch}/corr2d/values",
                "equals PyTorch on every shape",
                2.0,
                "failed",
                failure=FLIPPED,
            ),
            check(f"{ch}/corr2d/gradients", "gradients reach the image and the kernel", 1.0),
            check(
                f"{ch}/corr2d/small",
                "a kernel as large as the image gives one number",
                1.0,
                "error",
                failure=RAISED,
                stdout="X torch.Size([3, 3])\nK torch.Size([2, 2])\n",
            ),
            check(
                f"{ch}/corr2d/dtype",
                "keeps the dtype of its input",
                0.5,
                "failed",
                kind="polish",
                failure=DTYPE,
            ),
        ),
        exercise(
            f"{ch}/Conv2D",
            "7.2",
            "A convolutional layer",
            check(f"{ch}/Conv2D/values", "adds its bias to the cross-correlation", 2.0),
            check(f"{ch}/Conv2D/parameters", "weight and bias are parameters", 1.0),
            credited_with=(f"{ch}/corr2d",),
        ),
        exercise(
            f"{ch}/learn_kernel",
            "7.2",
            "Learning a kernel",
            check(
                f"{ch}/learn_kernel/learns",
                "finds [1, -1] from input and output alone",
                2.0,
                "timeout",
                failure=Failure(
                    message="No answer within 5 s: does a loop end?",
                    called="learn_kernel(X, Y, (1, 2), 0.03, 10)",
                    arguments=(
                        Argument("X", "float32 (1, 1, 6, 8)"),
                        Argument("Y", "float32 (1, 1, 6, 7)"),
                    ),
                ),
                stdout="".join(f"epoch {n}, loss {8 / n:.3f}\n" for n in range(1, 41)),
            ),
            check(f"{ch}/learn_kernel/steps", "takes num_steps steps", 1.0, "todo"),
        ),
        exercise(
            f"{ch}/conv_output_shape",
            "7.3",
            "The shape of a convolution's output",
            check(f"{ch}/conv_output_shape/values", "equals nn.Conv2d's shape", 1.0),
            check(
                f"{ch}/conv_output_shape/floor",
                "rounds down",
                0.5,
                "failed",
                kind="polish",
                failure=Failure(
                    message="A float came back; a size is an int.",
                    called="conv_output_shape(n=17, k=3, p=2, s=2)",
                    expected="9",
                    got="9.0",
                    why="/ gives a float in Python even where it divides evenly; // gives an int.",
                    misconception="true-division",
                ),
            ),
        ),
        exercise(
            f"{ch}/corr2d_strided",
            "7.3",
            "Padding and strides",
            check(f"{ch}/corr2d_strided/values", "equals PyTorch on every shape", 2.0, "todo"),
            check(f"{ch}/corr2d_strided/gradients", "gradients flow", 1.0, "todo"),
        ),
        exercise(f"{ch}/corr2d_multi_in", "7.4", "Several input channels", *unread),
        exercise(f"{ch}/corr2d_multi_in_out", "7.4", "Several output channels", *unread_too),
        exercise(
            f"{ch}/pool2d",
            "7.5",
            "Pooling of one channel",
            check(
                f"{ch}/pool2d/max",
                "takes the largest of every window",
                1.5,
                "failed",
                failure=POOLED,
            ),
            check(
                f"{ch}/pool2d/average",
                "averages every window",
                1.0,
                "crashed",
                failure=Failure(
                    message="Your code ended its process (exit status 1) instead of returning.",
                    called="pool2d(X, (2, 2), 'avg')",
                ),
            ),
            check(
                f"{ch}/pool2d/cuda",
                "works on a real GPU",
                0.5,
                "skipped",
                kind="polish",
                failure=Failure(message="This machine has no CUDA device."),
            ),
            flags=(
                "the source reaches into torch's dispatcher: polish points for cost are forfeited",
            ),
        ),
        exercise(
            f"{ch}/init_cnn",
            "7.6",
            "Xavier initialisation",
            check(f"{ch}/init_cnn/spread", "draws weights with Xavier's spread", 1.0),
        ),
        exercise(
            f"{ch}/LeNet",
            "7.6",
            "LeNet",
            check(
                f"{ch}/LeNet/shapes",
                "has the shapes of the book, layer by layer",
                1.0,
                "grader_error",
                failure=Failure(message="The check raised KeyError: 'conv1'."),
            ),
        ),
    )
    return Report(
        d2lgrade="0.1.0",
        target="ch07",
        seed=0,
        submission="exercises",
        environment={"python": "3.11.4", "torch": "2.13.0"},
        sandbox={"level": "process"},
        exercises=exercises,
        chapters={"ch07": Heading("7", "Convolutional neural networks")},
        sections={
            "7.2": Heading("7.2", "Convolutions for images"),
            "7.3": Heading("7.3", "Padding and stride"),
            "7.4": Heading("7.4", "Several channels"),
            "7.5": Heading("7.5", "Pooling"),
            "7.6": Heading("7.6", "LeNet"),
        },
        seconds=6.24,
    )


def solved() -> Report:
    """The sample with every check passed and every point earned."""
    report = sample()
    return replace(report, exercises=tuple(_passed(e) for e in report.exercises))


def _passed(result: ExerciseResult) -> ExerciseResult:
    checks = [
        replace(c, status="passed", points=c.max_points, failure=None, hint="", stdout="")
        for c in result.checks
    ]
    return exercise(result.id, result.section, result.title, *checks)
