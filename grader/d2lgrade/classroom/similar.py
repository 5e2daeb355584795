"""Submissions of a class whose code is alike after renaming: information, never a verdict.

Fingerprints are chosen by winnowing: S. Schleimer, D. Wilkerson, A. Aiken, "Winnowing: Local
Algorithms for Document Fingerprinting", SIGMOD 2003. Of all hashes of k tokens in a row, the
smallest of every w is kept, so that any w + k - 1 tokens that two files share leave a common one.
Names, numbers and strings are taken for one another, comments and docstrings are dropped; what the
kit gave out and what many in the class have does not count.
"""

from __future__ import annotations

import builtins
import io
import keyword
import token
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import combinations

from d2lgrade.catalog import Course
from d2lgrade.submission import Submission
from d2lgrade.submission.source import harmless

TOKENS = 12  # k: in a row, for one hash
WINDOW = 8  # w: hashes of which one is kept
MAX_TEXT = 200_000  # characters of one submission that are compared
MAX_MATCHES = 20  # passages shown of a pair
_FEWEST = 6  # fingerprints in common below which nothing is said


@dataclass(frozen=True)
class Work:
    """What is compared of a student: the name and text of each file."""

    student: str
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Passage:
    """Lines `first` to `last` of a file, counted from 1. `text` is escaped, safe to print."""

    file: str
    first: int
    last: int
    text: str


@dataclass(frozen=True)
class Match:
    """Two passages that are the same `tokens` tokens, names and literals aside."""

    left: Passage
    right: Passage
    tokens: int


@dataclass(frozen=True)
class Pair:
    """Two students whose code is alike.

    `score`, from 0 to 1, is the share of the shorter one's own fingerprints that the other has;
    `common` is how many these are. The longest matches come first.
    """

    left: str
    right: str
    score: float
    common: int
    matches: tuple[Match, ...]


@dataclass(frozen=True)
class _Token:
    kind: str  # what it is taken for
    file: int
    line: int


@dataclass(frozen=True)
class _Prints:
    """A work's tokens, and where each of its fingerprints is first found among them."""

    work: Work
    tokens: tuple[_Token, ...]
    places: Mapping[int, int]


def work(student: str, submission: Submission) -> Work:
    """What is compared of a submission: all its files that can be read."""
    sources = (source for source in submission.sources.values() if source.problem is None)
    return Work(student, tuple((source.path, source.text) for source in sources))


def stubs(course: Course) -> tuple[str, ...]:
    """The text of all stubs, which everybody was given."""
    paths = (course.root / "exercises" / section.path for section in course.sections)
    return tuple(path.read_text(encoding="utf-8") for path in paths if path.is_file())


def pairs(works: Sequence[Work], given: Iterable[str] = (), least: float = 0.5) -> tuple[Pair, ...]:
    """The pairs of works that are alike, the most alike first.

    Args:
        works: one for each student.
        given: texts that everybody had, as the stubs.
        least: the lowest score that is reported.
    """
    known = {print for text in given for print in _hashes(_tokens((("", text),)))}
    prints = [_printed(one) for one in works]
    owners: dict[int, list[int]] = defaultdict(list)
    for index, one in enumerate(prints):
        for value in one.places:
            if value not in known:
                owners[value].append(index)
    many = max(5, len(works) // 10)  # what more have than this is how it is usually done
    own: Counter[int] = Counter()
    shared: dict[tuple[int, int], list[int]] = defaultdict(list)
    for value, who in owners.items():
        if len(who) > many:
            continue
        own.update(who)
        for pair in combinations(who, 2):
            shared[pair].append(value)
    found = []
    for (left, right), values in shared.items():
        score = len(values) / min(own[left], own[right])
        if len(values) >= _FEWEST and score >= least:
            matches = _matches(prints[left], prints[right], values)
            names = works[left].student, works[right].student
            found.append(Pair(*names, round(score, 4), len(values), matches))
    return tuple(sorted(found, key=lambda pair: (-pair.score, -pair.common, pair.left, pair.right)))


def _printed(one: Work) -> _Prints:
    tokens = _tokens(one.files)
    places: dict[int, int] = {}
    for value, place in _winnowed(_hashes(tokens)):
        places.setdefault(value, place)
    return _Prints(one, tokens, places)


def _hashes(tokens: Sequence[_Token]) -> list[int]:
    """The hash of every k tokens in a row."""
    kinds = [one.kind for one in tokens]
    runs = (" ".join(kinds[place : place + TOKENS]) for place in range(len(kinds) - TOKENS + 1))
    return [int.from_bytes(blake2b(run.encode(), digest_size=8).digest(), "big") for run in runs]


def _winnowed(hashes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The smallest hash of each window, the last of several, with its place; each place once."""
    chosen = -1
    for start in range(max(1, len(hashes) - WINDOW + 1)):
        window = range(start, min(start + WINDOW, len(hashes)))
        if not window:
            return
        if chosen >= start and hashes[window[-1]] > hashes[chosen]:
            continue  # the one from before is still the smallest
        place = min(window, key=lambda at: (hashes[at], -at))
        if place != chosen:
            chosen = place
            yield hashes[place], place


# Tokens

_KEPT = frozenset(dir(builtins)) | {"torch", "nn", "F", "np", "numpy", "d2l", "math", "self"}
_SKIPPED = {tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER}


def _tokens(files: Iterable[tuple[str, str]]) -> tuple[_Token, ...]:
    """The tokens of all files; of one that is no Python, those before it stops being it."""
    found: list[_Token] = []
    left = MAX_TEXT
    for index, (_, text) in enumerate(files):
        for line in _statements(text[: max(0, left)]):
            found += (_Token(kind, index, number) for kind, number in _kinds(line))
        left -= len(text)
    return tuple(found)


def _statements(text: str) -> Iterator[list[tokenize.TokenInfo]]:
    """The tokens of each logical line."""
    line: list[tokenize.TokenInfo] = []
    try:
        for one in tokenize.generate_tokens(io.StringIO(text).readline):
            if one.type in _SKIPPED:
                continue
            line.append(one)
            if one.type == tokenize.NEWLINE:
                yield line
                line = []
    except (tokenize.TokenError, SyntaxError, RecursionError, ValueError):
        pass
    yield line


def _kinds(line: Sequence[tokenize.TokenInfo]) -> Iterator[tuple[str, int]]:
    """What the tokens of a line are taken for. Imports and lone strings say nothing."""
    words = [one for one in line if one.type not in (token.INDENT, token.DEDENT, token.NEWLINE)]
    if not words or words[0].string in ("import", "from") or _is_lone_string(words):
        return
    for place, one in enumerate(words):
        before = words[place - 1].string if place else ""
        yield _kind(one, before, words[place - 2].string if place > 1 else ""), one.start[0]


def _is_lone_string(words: Sequence[tokenize.TokenInfo]) -> bool:
    return all(one.type == token.STRING for one in words)


def _kind(one: tokenize.TokenInfo, before: str, owner: str) -> str:
    if one.type == token.NUMBER:
        return "0"
    if one.type == token.STRING or token.tok_name[one.type].startswith("FSTRING"):
        return "''"
    if one.type != token.NAME or keyword.iskeyword(one.string):
        return one.string
    if before == ".":  # a library's name stays, one's own may be another's
        return "name" if owner == "self" else one.string
    return one.string if one.string in _KEPT else "name"


# Passages


def _matches(left: _Prints, right: _Prints, values: Iterable[int]) -> tuple[Match, ...]:
    """The passages around common fingerprints, each as long as they agree."""
    spans: set[tuple[int, int, int]] = set()
    covered: set[tuple[int, int]] = set()
    for value in sorted(values, key=lambda value: left.places[value]):
        one, other = left.places[value], right.places[value]
        if (one, other) in covered:
            continue
        span = _grown(left.tokens, right.tokens, one, other)
        if span not in spans:
            spans.add(span)
            covered.update((span[0] + step, span[1] + step) for step in range(span[2]))
    longest = sorted(spans, key=lambda span: (-span[2], span))[:MAX_MATCHES]
    return tuple(
        Match(_passage(left, one, size), _passage(right, other, size), size)
        for one, other, size in longest
    )


def _grown(
    left: Sequence[_Token], right: Sequence[_Token], one: int, other: int
) -> tuple[int, int, int]:
    """The longest run of equal tokens, each in one file, around a place in both."""

    def same(step: int) -> bool:
        i, j = one + step, other + step
        if not (0 <= i < len(left) and 0 <= j < len(right)):
            return False
        at_home = left[i].file == left[one].file and right[j].file == right[other].file
        return at_home and left[i].kind == right[j].kind

    first, last = 0, 0
    while same(first - 1):
        first -= 1
    while same(last + 1):
        last += 1
    return one + first, other + first, last - first + 1


def _passage(prints: _Prints, place: int, size: int) -> Passage:
    tokens = prints.tokens[place : place + size]
    name, text = prints.work.files[tokens[0].file]
    first, last = tokens[0].line, tokens[-1].line
    lines = text.split("\n")[first - 1 : last]
    shown = "\n".join(harmless(line.expandtabs(4))[:200] for line in lines[:200])
    return Passage(harmless(name), first, last, shown)
