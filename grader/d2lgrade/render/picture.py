"""A report as an SVG picture of a terminal, for the README.

Made by the terminal renderer itself, so that the picture shows what a learner sees. It stands
alone: no font, style or image is fetched from anywhere, and whatever monospace font the reader
has is stretched to the same grid.
"""

from __future__ import annotations

import io

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from d2lgrade.render.harmless import for_xml
from d2lgrade.render.terminal import print_report
from d2lgrade.results import Report

_FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"

# The places in braces are rich's, filled by export_svg.
_SVG = (
    """\
<svg class="d2lgrade-report" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix, .{unique_id}-title {{ font-family: FONTS; }}
.{unique_id}-matrix {{ font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-size: 16px; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
).replace("FONTS", _FONTS)

# Dark, with every colour at a contrast of 4.5 to 1 or more on the background.
_THEME = TerminalTheme(
    (27, 31, 38),
    (222, 226, 233),
    [
        (27, 31, 38),
        (255, 123, 114),
        (126, 211, 133),
        (230, 192, 105),
        (121, 184, 255),
        (214, 150, 238),
        (108, 205, 216),
        (222, 226, 233),
    ],
)


def svg(report: Report, title: str, width: int) -> str:
    """The report, as printed on a terminal `width` columns wide, in a window with this title.

    The same report gives the same bytes, whatever the environment says about colours.
    """
    console = Console(
        file=io.StringIO(),
        record=True,
        width=width,
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
    )
    console.line()
    print_report(report, console)
    console.line()
    return console.export_svg(
        title=for_xml(title), theme=_THEME, code_format=_SVG, unique_id="d2lgrade"
    )
