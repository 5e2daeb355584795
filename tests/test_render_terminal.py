"""The terminal's report, word for word at 80 and 120 columns, and its promises at any other."""

from __future__ import annotations

import io
import os
import pty
import re
import select
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from d2lgrade.render.harmless import each_text
from d2lgrade.render.terminal import Progress, print_report
from d2lgrade.render.words import MARKS
from d2lgrade.results import CheckResult, Failure, Heading, Report
from reports import FLIPPED, UNREADABLE, check, exercise, golden, sample, solved


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


class Stream(io.StringIO):
    """A text stream that says what it is."""

    def __init__(self, encoding: str = "utf-8", terminal: bool = False) -> None:
        super().__init__()
        self._encoding, self._terminal = encoding, terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return self._terminal


def printed(
    report: Report, width: int = 80, feedback: str = "full", stream: Stream | None = None
) -> str:
    """What `print_report` writes to this stream (a pipe unless told otherwise)."""
    stream = stream or Stream()
    print_report(report, Console(file=stream, width=width), feedback=feedback)
    return stream.getvalue()


def only(*checks: CheckResult, **more: tuple[str, ...]) -> Report:
    """A report with the one exercise ch07/corr2d."""
    return replace(sample(), exercises=(exercise("ch07/corr2d", "7.2", "T", *checks, **more),))


def broken(failure: Failure, stdout: str = "") -> CheckResult:
    return check(
        "ch07/corr2d/values", "equals PyTorch", 1.0, "failed", failure=failure, stdout=stdout
    )


# What it says, word for word


@pytest.mark.parametrize("width", [80, 120])
def test_full_report(width: int) -> None:
    golden(f"terminal-{width}.txt", printed(sample(), width))


@pytest.mark.parametrize("feedback", ["hints", "score"])
def test_reduced_report(feedback: str) -> None:
    golden(f"terminal-{feedback}-80.txt", printed(sample(), 80, feedback))


def test_solved_report() -> None:
    golden("terminal-solved-80.txt", printed(solved()))


def test_ascii_report() -> None:
    text = printed(sample(), 80, stream=Stream("ascii"))
    assert text.isascii()
    golden("terminal-ascii-80.txt", text)


def test_the_failure_that_the_design_draws() -> None:
    """Aligned labels, the difference beside what came back, the map, the reason, the hint."""
    text = printed(only(broken(FLIPPED)), 120)
    title = "✘ corr2d · equals PyTorch"
    assert (
        f"""\
      {title:<111}0/1
          called     corr2d(X, K)      X: float32 (2, 3)   K: float32 (1, 2)
          expected   [[ 0.5, -1.5], [ 2.0, 0.0]]
          got        [[-0.5,  1.5], [-2.0, 0.0]]      3 of 4 differ, first at (0, 0), worst by 4.0
          where      # #   # differs, · same
                     # ·
          why        {FLIPPED.why}
          hint       d2lgrade hint corr2d
"""
        in text
    )


# Any width, any stream


@pytest.mark.parametrize("width", [20, 40, 60, 79, 80, 81, 100, 119, 120, 121, 200])
@pytest.mark.parametrize("feedback", ["full", "hints", "score"])
def test_no_line_is_too_wide_or_ends_in_spaces(width: int, feedback: str) -> None:
    wide = each_text(sample(), lambda text: text.replace("corr2d", "相关2d"))
    for report in (sample(), wide):
        for line in printed(report, width, feedback).split("\n"):
            assert line == line.rstrip()
            # A name is never broken: at 20 columns the longest do not fit.
            assert width < 60 or cell_len(line) <= width


def test_points_stand_at_the_right_margin() -> None:
    for width in (80, 120):
        lines = printed(sample(), width).split("\n")
        scores = [line for line in lines if re.search(r"\d/[\d.]+$", line)]
        assert len(scores) > 20
        assert {len(line) for line in scores} == {width}


def test_a_pipe_gets_plain_text() -> None:
    assert "\x1b" not in printed(sample())


def test_a_terminal_gets_colour_unless_no_color_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    coloured = re.compile(r"\x1b\[[0-9;]*3[0-7]m")
    assert coloured.search(printed(sample(), stream=Stream(terminal=True)))
    monkeypatch.setenv("NO_COLOR", "1")
    assert not coloured.search(printed(sample(), stream=Stream(terminal=True)))


def test_colour_carries_nothing_alone() -> None:
    text = re.sub(r"\x1b\[[0-9;]*m", "", printed(sample(), stream=Stream(terminal=True)))
    assert text == printed(sample())


# What it must never do


HOSTILE = "\x1b[2J\x1b]0;owned\x07[red]x[/red]\u202e\r\ud800\0 [link=http://evil]y[/link] :smile:"


def test_hostile_text_in_every_field_is_only_shown() -> None:
    literals = {"core", "polish", *MARKS}

    def spoil(text: str) -> str:
        return text if text in literals else f"{text}{HOSTILE}"

    for feedback in ("full", "hints", "score"):
        text = printed(each_text(sample(), spoil), 80, feedback, Stream(terminal=True))
        text = re.sub(r"\x1b\[[0-9;]*m", "", text)  # rich's own
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800]", text)
        assert "[red]x[/red]" in text
        assert ":smile:" in text


def test_a_traceback_full_of_brackets_shows_as_typed() -> None:
    failure = Failure("m", traceback=("pool.py:3 in f", "    x[red] = [/]", "[bold]E[/bold]: \\["))
    text = printed(only(broken(failure)))
    for line in failure.traceback:
        assert line in text


def test_huge_text_stays_a_page_and_says_what_is_missing() -> None:
    huge = "\n".join("y" * 500 for _ in range(5000))
    failure = replace(
        FLIPPED, message=huge, expected=huge, got=huge, why=huge, called=huge, difference=huge
    )
    failure = replace(
        failure, traceback=tuple(huge.split("\n")), notes=(huge,), map=("#" * 999,) * 999
    )
    text = printed(only(broken(failure, stdout=huge)))
    assert text.count("\n") < 700
    assert "… 4,988 more lines" in text or "more characters" in text
    assert "… 983 more rows" in text


def test_the_end_of_a_long_print_is_kept() -> None:
    text = printed(only(broken(FLIPPED, stdout="".join(f"step {n}\n" for n in range(100)))))
    assert "printed    step 0\n" in text
    assert "… 88 more lines\n" in text
    assert "step 99\n" in text


def test_an_unknown_feedback_level_names_the_levels() -> None:
    with pytest.raises(ValueError, match="choose one of full, hints, score"):
        printed(sample(), feedback="all")


# What stands together, and what is left out


def test_a_solved_exercise_is_one_line() -> None:
    text = printed(sample())
    (line,) = [line for line in text.split("\n") if "init_cnn" in line]
    assert line.startswith("  ✔ init_cnn")


def test_a_polish_loss_leaves_the_exercise_solved() -> None:
    lines = printed(sample()).split("\n")
    start = next(n for n, line in enumerate(lines) if line.startswith("  ✔ conv_output_shape"))
    assert lines[start].endswith("1/1.5")
    assert lines[start + 1] == "      polish, not needed to solve conv_output_shape"
    assert lines[start + 2].startswith("      ✘ conv_output_shape · rounds down")


def test_a_to_do_exercise_is_one_line() -> None:
    (line,) = [line for line in printed(sample()).split("\n") if "corr2d_strided" in line]
    assert line.startswith("  ○ corr2d_strided")
    assert line.endswith("to do  0/3")


def same_failure(name: str, passed: int = 0) -> tuple[CheckResult, ...]:
    broken = [
        check(f"ch07/{name}/c{n}", f"title {n}", 1.0, "error", failure=UNREADABLE) for n in range(3)
    ]
    return (*broken, *(check(f"ch07/{name}/p{n}", "fine", 1.0) for n in range(passed)))


def test_one_failure_of_every_check_is_told_once() -> None:
    text = printed(only(*same_failure("corr2d")))
    assert text.count("does not parse") == 1
    assert re.search(r"✘ corr2d · all 3 checks +error  0/3\n", text)


def test_one_failure_of_some_checks_is_told_once() -> None:
    text = printed(only(*same_failure("corr2d", passed=1)))
    assert text.count("does not parse") == 1
    assert re.search(r"✘ corr2d · title 0 +error  0/1\n", text)
    assert re.search(r"✘ corr2d · the same in 2 more checks: c1, c2 +error  0/2\n", text)


def test_one_failure_of_a_section_is_told_once() -> None:
    names = ("corr2d", "Conv2D", "learn_kernel")
    exercises = tuple(exercise(f"ch07/{n}", "7.2", "T", *same_failure(n)) for n in names)
    text = printed(replace(sample(), exercises=exercises))
    assert text.count("does not parse") == 1
    assert text.count("the same as in corr2d\n") == 2


def test_another_section_tells_it_again() -> None:
    exercises = (
        exercise("ch07/corr2d", "7.2", "T", *same_failure("corr2d")),
        exercise("ch07/pool2d", "7.5", "T", *same_failure("pool2d")),
    )
    assert printed(replace(sample(), exercises=exercises)).count("does not parse") == 2


def test_what_was_printed_makes_failures_differ() -> None:
    one = broken(UNREADABLE, stdout="first")
    two = replace(broken(UNREADABLE, stdout="second"), id="ch07/corr2d/other")
    text = printed(only(one, two))
    assert "printed    first" in text
    assert "printed    second" in text


def test_credit_names_every_predecessor() -> None:
    passed = check("ch07/corr2d/values", "t", 1.0)
    assert "credited: your pool2d is not right yet, so a correct one stood in for it" in printed(
        only(passed, credited_with=("ch07/pool2d",))
    )
    assert (
        "credited: your a, b and c are not right yet, so correct ones stood in for them"
        in printed(only(passed, credited_with=("ch07/a", "ch07/b", "c")), 120)
    )


def test_the_message_is_left_out_only_where_it_repeats_the_difference() -> None:
    assert printed(only(broken(FLIPPED))).count("3 of 4 differ") == 1
    assert "Shapes differ." in printed(only(broken(replace(FLIPPED, message="Shapes differ."))))


def test_hints_show_no_value() -> None:
    value = Failure(
        "3 of 4 differ, worst by 777.25",
        called="corr2d(X, K)",
        expected="777.25",
        got="777.25",
        difference="3 of 4 differ, worst by 777.25",
        why="flipped",
    )
    text = printed(only(broken(value)), feedback="hints")
    assert "777.25" not in text
    assert "flipped" in text
    assert "d2lgrade hint corr2d" in text


def test_score_shows_marks_and_points_alone() -> None:
    text = printed(only(broken(FLIPPED, stdout="mine")), feedback="score")
    assert re.search(r"✘ corr2d · equals PyTorch +0/1\n", text)
    for part in ("called", "expected", "flipped", "mine", "hint"):
        assert part not in text


def test_what_is_unusual_stands_on_top() -> None:
    report = replace(solved(), submission="/home/ada l", seed=7, notes=("helper.py was ignored.",))
    top = printed(report).split("\n")[:2]
    assert top == ["submission /home/ada l, seed 7", "note       helper.py was ignored."]


def test_the_next_exercise_is_the_first_that_can_be_solved() -> None:
    lines = printed(sample()).split("\n")
    assert lines[-3:] == [
        "next       corr2d (7.2, Convolutions for images)",
        "hint       d2lgrade hint corr2d",
        "",
    ]
    own_fault = only(replace(broken(UNREADABLE), status="grader_error"))
    assert "next" not in printed(own_fault)


def test_polish_left_is_named_when_all_is_solved() -> None:
    polish = replace(broken(FLIPPED), kind="polish")
    text = printed(only(check("ch07/corr2d/v", "t", 1.0), polish))
    assert text.endswith("All solved. Polish is left in corr2d.\n")


def test_a_report_of_skipped_exercises_claims_nothing() -> None:
    text = printed(only(check("ch07/corr2d/values", "t", 1.0, "skipped")))
    assert "0 of 1 exercise solved, 1 skipped" in text
    assert "All solved" not in text
    assert "next" not in text


def test_an_empty_report_says_so() -> None:
    assert "No exercise of ch07 was graded." in printed(replace(sample(), exercises=()))


def test_headings_may_be_missing() -> None:
    text = printed(replace(sample(), chapters={}, sections={"7.2": Heading("6.2", "Chinese")}))
    assert text.split("\n")[2].startswith("ch07  ")
    assert "\n6.2 Chinese\n" in text
    assert "\n7.3\n" in text


# The live line


@pytest.fixture
def terminal() -> Console:
    return Console(file=Stream(terminal=True), width=60)


def written(console: Console) -> str:
    assert isinstance(console.file, Stream)
    return console.file.getvalue()


def grade(console: Console) -> None:
    with Progress(console) as progress:
        progress.start(2)
        progress.check_done(check("ch07/corr2d/values", "t", 1.0))
        progress.check_done(check("ch07/po[red]ol2d/values", "t", 1.0))


def test_progress_shows_exercise_and_count_on_a_terminal_and_wipes_itself(
    terminal: Console,
) -> None:
    grade(terminal)
    text = written(terminal)
    assert "po[red]ol2d" in text
    assert "2 of 2" in text
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1  # the cursor is back
    assert text.endswith("\x1b[2K")  # the line is wiped


@pytest.mark.parametrize("name", ["NO_COLOR", "FORCE_COLOR"])
def test_no_progress_off_a_terminal_or_without_colour(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "1")
    console = Console(file=Stream(terminal=name == "NO_COLOR"), width=60)
    grade(console)
    assert written(console) == ""


def test_progress_on_an_ascii_terminal_is_ascii() -> None:
    console = Console(file=Stream("ascii", terminal=True), width=60)
    grade(console)
    assert written(console).isascii()


def test_progress_reaches_the_terminal_while_its_descriptor_is_captured(tmp_path: Path) -> None:
    """As pytest does it: another file takes the descriptor's place, and later gives it back."""
    master, slave = pty.openpty()
    captured = tmp_path / "captured"
    with os.fdopen(slave, "w", encoding="utf-8") as file, captured.open("w") as elsewhere:
        console = Console(file=file, width=60)
        progress = Progress(console)
        progress.start(1)
        before = os.dup(slave)
        os.dup2(elsewhere.fileno(), slave)
        progress.check_done(check("ch07/corr2d/values", "t", 1.0))
        progress.stop()
        os.dup2(before, slave)
        os.close(before)
        text = b""
        while b"\x1b[?25h" not in text and select.select([master], [], [], 10)[0]:
            text += os.read(master, 100_000)  # a terminal hands over what it has, piece by piece
    os.close(master)
    assert b"corr2d" in text
    assert b"\x1b[?25h" in text  # the cursor is back
    assert captured.read_text() == ""


def test_progress_stops_twice_and_restarts(terminal: Console) -> None:
    progress = Progress(terminal)
    progress.stop()
    progress.check_done(check("ch07/corr2d/values", "t", 1.0))
    progress.start(1)
    progress.start(1)
    progress.stop()
    progress.stop()
    text = written(terminal)
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 2


def test_flags_are_for_those_who_grade_strangers() -> None:
    flagged = only(flags=("line 3: x",))
    strangers = replace(flagged, sandbox={"level": "strict"})
    assert "line 3: x" not in printed(flagged)
    assert "flagged: line 3: x" in printed(strangers)
