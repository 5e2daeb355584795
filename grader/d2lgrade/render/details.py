"""Everything that is known about one check that did not pass, in labelled rows.

called, expected, got, where they differ, the learner's traceback, why, notes, prints, hint: each
row is there only where the failure has something to say.
"""

from __future__ import annotations

from rich.text import Text

from d2lgrade.render.layout import LABEL, Paper, shifted
from d2lgrade.results import CheckResult, Failure

INDENT = 10


def detail(check: CheckResult, paper: Paper, indent: int = INDENT) -> list[Text]:
    """Everything that is known about a check that did not pass, in labelled rows."""
    room = paper.width - indent - LABEL
    lines: list[Text] = []

    def row(label: str, text: str, style: str = "") -> None:
        if text:
            lines.extend(paper.row(indent, label, paper.block(text, room, style)))

    failure = check.failure
    if failure:
        if failure.message.strip() not in ("", failure.difference.strip(), check.title.strip()):
            lines += shifted(paper.block(failure.message, paper.width - indent), indent)
        lines += paper.row(indent, "called", _called(failure, room, paper))
        row("expected", failure.expected)
        lines += _got(failure, indent, room, paper)
        row("traceback", "\n".join(failure.traceback))
        row("why", failure.why, "bold")
        for note in failure.notes:
            row("note", note)
    printed = paper.block(check.stdout, room, tail=4) if check.stdout else []
    lines += paper.row(indent, "printed", printed)
    if check.status != "grader_error":  # no hint helps against our own fault
        row("hint", check.hint, "cyan")
    return lines


def _called(failure: Failure, room: int, paper: Paper) -> list[Text]:
    """The call and its arguments: on one line where they fit, else one line for each."""
    called = paper.block(failure.called, room)
    if not failure.arguments:
        return called if failure.called else []
    heads = [paper.line(f"{a.name}: {a.summary}") for a in failure.arguments]
    if not any(a.value for a in failure.arguments) and failure.called:
        line = called[0].copy().append("      ").append_text(Text("   ").join(heads))
        if len(called) == 1 and line.cell_len <= room:
            return [line]
    lines = called if failure.called else []
    column = max(head.cell_len for head in heads) + 3
    for argument, head in zip(failure.arguments, heads, strict=True):
        if not argument.value:
            lines += paper.block(head.plain, room)
            continue
        beside = paper.block(argument.value, 10**6)
        if column + max(line.cell_len for line in beside) <= room:
            head.append(" " * (column - head.cell_len)).append_text(beside[0])
            lines += [head, *shifted(beside[1:], column)]
        else:
            lines += paper.block(head.plain, room)
            lines += shifted(paper.block(argument.value, room - 2), 2)
    return lines


def _got(failure: Failure, indent: int, room: int, paper: Paper) -> list[Text]:
    """What came back, how it differs (beside it where that fits), and the map of where."""
    got = paper.block(failure.got, room) if failure.got else []
    where = paper.block(failure.difference, room) if failure.difference else []
    if len(got) == len(where) == 1 and got[0].cell_len + where[0].cell_len + 6 <= room:
        got, where = [got[0].append("      ").append_text(where[0])], []
    where += paper.map(failure.map, room)
    return paper.row(indent, "got", got) + paper.row(indent, "where", where)
