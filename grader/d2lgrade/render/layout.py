"""Lines on paper of a given width: wrapping, hanging labels, right margins, difference maps.

The only place where the terminal's lines are made, so that every text passes `Paper.clean`.
Widths are in terminal cells: a Chinese character takes two.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells
from rich.text import Text

from d2lgrade.render.harmless import capped, for_terminal, one_line

LABEL = 11  # cells of the label column, its gap included
LINES = 12  # of one value, print or explanation before the cut
CHARACTERS = 4000
MAP_ROWS = 16


@dataclass(frozen=True)
class Paper:
    """Where a report is laid out: its width in cells, and what its encoding can show."""

    width: int
    encoding: str = "utf-8"

    def clean(self, text: str) -> str:
        """Any text, harmless and printable here."""
        return for_terminal(text, self.encoding)

    def line(self, text: str, style: str = "") -> Text:
        """A text known to be short as one line: a name, a title, a label."""
        return Text(self.clean(one_line(text)), style)

    def block(self, text: str, width: int, style: str = "", *, tail: int = 0) -> list[Text]:
        """A text of any size as lines of at most `width` cells, capped with the cut shown.

        `tail` of the lines kept are the last ones.
        """
        whole = self.clean(text).strip("\n")
        cut = capped(capped(whole, LINES, "lines", tail=tail), CHARACTERS)
        return [Text(line, style) for line in wrapped(self.clean(cut), max(width, 8))]

    def item(self, indent: int, head: Text, text: str, right: Text, style: str = "") -> list[Text]:
        """A line with something at the right margin; `text` wraps below its own start."""
        left = Text(" " * indent).append_text(head)
        room = self.width - left.cell_len - right.cell_len - 2
        if room < 12:  # a very narrow terminal, or a very long name: the text goes below
            rest = self.block(text, self.width - indent - 2, style)
            return [_spread(left, right, self.width), *shifted(rest, indent + 2)]
        first, *rest = self.block(text, room, style) or [Text()]
        start = left.cell_len
        return [_spread(left.append_text(first), right, self.width), *shifted(rest, start)]

    def row(self, indent: int, label: str, body: list[Text]) -> list[Text]:
        """Lines behind a label; the label column stays empty below the first."""
        if not body:
            return []
        first = Text(" " * indent).append_text(self.line(label, "dim"))
        first.append(" " * (indent + LABEL - first.cell_len)).append_text(body[0])
        return [first, *shifted(body[1:], indent + LABEL)]

    def map(self, rows: tuple[str, ...], width: int) -> list[Text]:
        """The map of where a two-dimensional result differs, with its key where that fits."""
        cleaned = [self.clean(row).replace("\n", " ") for row in rows[:MAP_ROWS]]
        if all(" " not in row and 2 * len(row) <= width for row in cleaned):
            cleaned = [" ".join(row) for row in cleaned]  # cells are narrow: this looks square
        key = self.clean("   # differs, · same")
        lines = [_map_row(_cut(row, width, self.clean("…"))) for row in cleaned]
        if lines and lines[0].cell_len + len(key) <= width:
            lines[0].append(key, "dim")
        if len(rows) > MAP_ROWS:
            lines.append(Text(self.clean(f"… {len(rows) - MAP_ROWS} more rows"), "dim"))
        return lines


def wrapped(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` cells, broken at spaces where there are any.

    Spaces inside a line stay, since they align columns of numbers; a continued line takes the
    indentation of its beginning, code a little more.
    """
    return [piece for line in text.split("\n") for piece in _folded(line.rstrip(), width)]


def _folded(line: str, width: int) -> list[str]:
    if cell_len(line) <= width:
        return [line]
    body = line.lstrip(" ")
    indent = " " * min(len(line) - len(body), width // 2)
    done, current = [], indent
    indent += "  " if len(indent) >= 4 else ""
    for piece in re.findall(r"\S+ *", body):
        word = piece.rstrip(" ")
        if cell_len(current) + cell_len(word) > width and current.strip():
            done.append(current.rstrip())
            current = indent
        if cell_len(current) + cell_len(word) > width:  # longer than a line: wherever it must
            *full, word = chop_cells(word, width - len(indent))
            done += [(indent if n else current) + part for n, part in enumerate(full)]
            current = indent if full else current
        current += word + piece[len(piece.rstrip(" ")) :]
    return [*done, current.rstrip()] if current.strip() else done


def _cut(line: str, width: int, mark: str) -> str:
    """One line of at most `width` cells, ending in `mark` where it was cut."""
    if cell_len(line) <= width:
        return line
    return chop_cells(line, max(width - len(mark), 1))[0] + mark


def shifted(lines: list[Text], indent: int) -> list[Text]:
    """The same lines, moved to the right."""
    return [Text(" " * indent).append_text(line) if line.plain else line for line in lines]


def _spread(left: Text, right: Text, width: int) -> Text:
    if not right.plain:
        return left
    gap = max(width - left.cell_len - right.cell_len, 2)
    return left.append(" " * gap).append_text(right)


def _map_row(row: str) -> Text:
    text = Text(row, "dim")
    text.highlight_regex(r"#", "not dim bold red")
    return text
