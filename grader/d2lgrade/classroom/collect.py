"""A folder or archive with a class's submissions → whose is what, and what cannot be graded.

`collect` looks at names, and reads what each student handed in once, so that what is wrong with it
is known before grading starts; `read` reads one again when its turn has come. No link is followed,
nothing but folders and regular files is opened, and one student's trouble stays theirs.
"""

from __future__ import annotations

import os
import stat
import unicodedata
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from d2lgrade import submission as submissions
from d2lgrade.catalog import Course, Exercise
from d2lgrade.classroom import layouts
from d2lgrade.classroom import roster as rosters
from d2lgrade.classroom.handed import CollectError, Collection, Handed, Part, Student
from d2lgrade.classroom.layouts import Claim, Entry
from d2lgrade.submission import Submission, SubmissionError, archive, unpacked
from d2lgrade.submission.source import file_kind, harmless, known_as, shown

__all__ = ["CollectError", "Collection", "Handed", "Part", "Student", "collect", "read"]

MAX_ENTRIES = 20_000  # at the top of a class
_LONG = 100  # characters of a stranger's name that are shown


def collect(
    path: Path, roster: Path | None, course: Course, exercises: Sequence[Exercise]
) -> Collection:
    """All submissions in a folder or a zip archive, by student.

    Args:
        path: folders, files, notebooks or zips, one a student; or what Canvas, Moodle, Gradescope
            or GitHub Classroom give out.
        roster: a CSV of the class; without one a student is whoever handed something in.
        course: the whole course.
        exercises: the exercises that are to be graded.

    Raises:
        CollectError: path or roster cannot be used at all.
    """
    class_list = rosters.load(roster) if roster is not None else None
    found = list(_entries(path))
    entries = [entry for entry in found if entry.name != layouts.METADATA]
    metadata = _metadata(path, found)
    if not entries:
        raise CollectError(f"{shown(path)} is empty. Name the folder with the submissions.")
    _not_one_submission(path, entries, course)
    layout = layouts.recognise(entries, metadata)
    if not layout.claims:
        said = " ".join(layout.notes[:5])
        raise CollectError(f"{shown(path)} holds no submission. {said}".rstrip())
    handed = _by_roster(layout.claims, class_list) if class_list else _by_name(layout.claims)
    handed = [_tried(one, course, exercises) for one in handed]
    there = {one.student for one in handed}
    everyone = class_list.students if class_list else ()
    missing = tuple(s.student for s in everyone if s.student not in there)
    ordered = tuple(sorted(handed, key=lambda one: (one.student.casefold(), one.student)))
    return Collection(ordered, missing, tuple(layout.notes), everyone, layout.name)


# What lies there


def _entries(path: Path) -> Iterator[Entry]:
    """What lies at the top of a class, unwrapped from a folder that holds nothing else."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise CollectError(f"{shown(path)} cannot be read: {error.strerror}.") from None
    if stat.S_ISREG(mode) and path.suffix.lower() == ".zip":
        yield from _in_archive(path)
    elif stat.S_ISDIR(mode):
        here = path
        entries = _in_folder(here)
        for _ in range(3):
            visible = [e for e in entries if not e.name.startswith((".", "__"))]
            if len(visible) != 1 or not visible[0].is_folder or visible[0].is_clone:
                break
            inner = _in_folder(visible[0].part.path)
            if not _is_class([e.name for e in inner if e.is_folder], [e.name for e in inner]):
                break
            entries = inner
        yield from entries
    else:
        what = "a file" if stat.S_ISREG(mode) else file_kind(mode)
        raise CollectError(f"{shown(path)} is {what}. Name a folder or a .zip with a class in it.")


def _is_class(folders: Sequence[str], names: Sequence[str]) -> bool:
    """Whether a folder that stands alone holds a class rather than one student's work."""
    if layouts.METADATA in names:
        return True
    work = [name for name in names if name in folders or name.lower().endswith(".zip")]
    return len(work) > 1 and not any(name.startswith(("ch0", "ch1", "exercises")) for name in names)


def _in_folder(folder: Path) -> list[Entry]:
    found: list[Entry] = []
    try:
        with os.scandir(folder) as listing:
            for item in listing:
                if len(found) >= MAX_ENTRIES:
                    raise CollectError(
                        f"{shown(folder)} holds more than {MAX_ENTRIES:,} files and folders."
                    )
                found.append(_entry(item))
    except OSError as error:
        raise CollectError(f"{shown(folder)} cannot be read: {error.strerror}.") from None
    return sorted(found, key=lambda entry: entry.name)


def _entry(item: os.DirEntry[str]) -> Entry:
    path = Path(item.path)
    mode = item.stat(follow_symlinks=False).st_mode
    odd = ""
    if stat.S_ISLNK(mode):
        odd = "It is a link, which is not followed. Put the folder or file itself there."
    elif not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        odd = f"It is {file_kind(mode)}, and is not opened. Put a folder or file there."
    folder = stat.S_ISDIR(mode)
    clone = folder and os.path.lexists(path / ".git")
    return Entry(item.name, Part("" if folder else item.name, path), folder, clone, odd)


@lru_cache(maxsize=2)
def _listing(path: Path, stamp: tuple[int, int]) -> archive.Archive:
    """The directory of a class's archive, parsed once for all its students."""
    return archive.directory(path, shown(path), archive.CLASS, lambda _: True, shared=True)


def _directory(path: Path) -> archive.Archive:
    status = path.stat()
    try:
        return _listing(path, (status.st_mtime_ns, status.st_size))
    except archive.ArchiveError as error:
        raise CollectError(str(error)) from None


@lru_cache(maxsize=1)
def _opened(path: Path, process: int) -> zipfile.ZipFile:
    """A class's archive, opened once in each process: forks must not share its file's position."""
    del process
    return zipfile.ZipFile(path)


def _in_archive(path: Path) -> list[Entry]:
    listing = _directory(path)
    names = sorted([*listing.members, *listing.refused])
    top = ""
    for _ in range(3):
        inside = [name.removeprefix(top).split("/") for name in names]
        heads = {parts[0] for parts in inside}
        if len(heads) != 1 or any(len(parts) == 1 for parts in inside):
            break
        below = {parts[1] for parts in inside}
        folders = [parts[1] for parts in inside if len(parts) > 2]
        if not _is_class(folders, sorted(below)):
            break
        top += f"{next(iter(heads))}/"
    found: dict[str, tuple[bool, str]] = {}
    for name in names:
        head, deeper, _ = name.removeprefix(top).partition("/")
        folder, odd = found.get(head, (False, ""))
        found[head] = folder or bool(deeper), odd or listing.refused.get(name, "")
    return [
        Entry(head, Part("" if folder else head, path, top + head), folder, odd=odd)
        for head, (folder, odd) in sorted(found.items())
    ]


def _metadata(path: Path, entries: Sequence[Entry]) -> Any:
    """What Gradescope's file says, as plain YAML types; None where there is none."""
    entry = next((e for e in entries if e.name == layouts.METADATA and not e.odd), None)
    if entry is None:
        return None
    import yaml

    try:
        data = _bytes(entry.part, 50_000_000)
        return yaml.load(data, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # either is safe_load
    except (yaml.YAMLError, ValueError, RecursionError, SubmissionError, OSError):
        what = f"{layouts.METADATA} in {shown(path)} cannot be read"
        raise CollectError(f"{what}. Download the export from Gradescope again.") from None


def _not_one_submission(path: Path, entries: Sequence[Entry], course: Course) -> None:
    """Refuse what one learner would hand in: graded as a class, each file would be a student."""
    kit = {section.folder for section in course.sections} | {"exercises"}
    kit |= {f"{section.file}.py" for section in course.sections}
    own = [entry.name for entry in entries if entry.name in kit]
    if own:
        raise CollectError(
            f"{shown(path)} holds {own[0]}, so it is one submission, not a class. Grade it with "
            f"--submission, or name the folder above."
        )


# Whose it is


def _by_roster(claims: Sequence[Claim], class_list: rosters.Roster) -> list[Handed]:
    """What each student of the roster handed in; what is nobody's is kept, with its problem."""
    known: dict[str, list[tuple[bool, Claim]]] = defaultdict(list)
    nobody: list[Handed] = []
    students = {student.student: student for student in class_list.students}
    for claim in claims:
        found = class_list.find(claim.ids, claim.name)
        if found.student is None:
            problem = f"{_called(claim)} {found.why}. Correct the roster or the name."
            nobody.append(_handed(claim, problem=problem))
        else:
            known[found.student.student].append((found.sure, claim))
    handed: list[Handed] = []
    for key, found_claims in known.items():
        sure = [claim for is_sure, claim in found_claims if is_sure]
        unsure = [claim for is_sure, claim in found_claims if not is_sure]
        mine = sure or unsure
        if sure:  # who is known by number is not troubled by who has only the same name
            for claim in unsure:
                problem = f"{_called(claim)} has the name of {students[key].name}, whose work is "
                problem += f"{_called(sure[0])}. Correct the roster or the name."
                nobody.append(_handed(claim, problem=problem))
        handed.append(_joined(mine, key, students[key].name))
    return _distinct([*handed, *nobody])


def _by_name(claims: Sequence[Claim]) -> list[Handed]:
    """What each student handed in, where names and numbers are all there is.

    Names that people cannot tell apart are one student's only if they are the same.
    """
    alike: dict[str, dict[str, list[Claim]]] = defaultdict(dict)
    for claim in claims:
        alike[_looks(_key(claim))].setdefault(_key(claim), []).append(claim)
    handed: list[Handed] = []
    for keys in alike.values():
        plain = [key for key in keys if len(keys) == 1 or _is_plain(key)]
        for key, mine in keys.items():
            one = _joined(mine, harmless(key)[:_LONG], harmless(mine[0].name)[:_LONG])
            others = [other for other in keys if other != key]
            if others and (key not in plain or len(plain) > 1):
                like = " and ".join(harmless(other)[:_LONG] for other in sorted(others)[:3])
                problem = f"{_called(mine[0])} looks the same as {like}. Rename one."
                one = replace(one, problem=problem)
            handed.append(one)
    return _distinct(handed)


def _key(claim: Claim) -> str:
    """What one submission has in common with others of the same student."""
    return claim.ids.get("any", claim.key)


# Letters of other alphabets that look like Latin ones, in lower case.
_ALIKE = str.maketrans("аеорсухіјѕһԁԛԝνοαρτικγυ", "aeopcyxijshdqwvoaptikyu")


def _looks(name: str) -> str:
    """What somebody sees who reads a name: without what is invisible, case and alphabet."""
    wide = unicodedata.normalize("NFKC", name).casefold()
    seen = "".join(c for c in wide if unicodedata.category(c)[0] not in "CZ")
    return unicodedata.normalize("NFC", seen.translate(_ALIKE))


def _is_plain(name: str) -> bool:
    """Whether a name is as it looks: nothing invisible, no letters of another alphabet amid it."""
    latin = any("a" <= c <= "z" for c in name.casefold())
    other = any(chr(c) in name.casefold() for c in _ALIKE)
    return (
        name.isprintable()
        and not (latin and other)
        and name == name.strip()
        and (unicodedata.normalize("NFKC", name) == name)
    )


def _joined(claims: Sequence[Claim], student: str, name: str) -> Handed:
    """One student's submission, or the problem that there are several."""
    one = _handed(claims[0], student, name)
    if len(claims) == 1:
        return one
    all_of_them = " and ".join(_called(claim) for claim in claims[:5])
    problem = f"{name} handed in {len(claims)} times: {all_of_them}. Keep one."
    return replace(one, problem=problem, late=None, when=None)


def _handed(claim: Claim, student: str = "", name: str = "", problem: str = "") -> Handed:
    key = student or harmless(_key(claim))[:_LONG]
    path = claim.parts[0].path if claim.parts else Path()
    why = problem or (f"{_called(claim)}: {claim.problem}" if claim.problem else "")
    called = name or harmless(claim.name)[:_LONG]
    return Handed(key, called, path, claim.when, claim.late, why, claim.parts)


def _called(claim: Claim) -> str:
    """A submission, for a sentence: as it is named where it lies."""
    part = claim.parts[0] if claim.parts else None
    name = PurePosixPath(part.member).name or part.path.name if part else claim.name
    return harmless(name[:_LONG]) + "…" * (len(name) > _LONG)


def _distinct(handed: Sequence[Handed]) -> list[Handed]:
    """The same with keys that are unique: nobody's work takes the key of a student."""
    taken: set[str] = set()
    result = []
    for one in handed:
        key = one.student
        while key in taken:
            key += "'"
        taken.add(key)
        result.append(one if key == one.student else replace(one, student=key))
    return result


# Reading it


def _tried(handed: Handed, course: Course, exercises: Sequence[Exercise]) -> Handed:
    """The same, with the problem that reading it has."""
    if handed.problem:
        return handed
    try:
        read(handed, course, exercises)
    except SubmissionError as error:
        return replace(handed, problem=str(error))
    except (OSError, RecursionError, MemoryError) as error:  # one student's trouble stays theirs
        reason = harmless(str(error))[:200] or type(error).__name__
        return replace(handed, problem=f"{handed.name}: it cannot be read: {reason}.")
    return handed


def read(handed: Handed, course: Course, exercises: Sequence[Exercise]) -> Submission:
    """What a student handed in, read for grading.

    Raises:
        SubmissionError: it cannot be graded; the message is for the student and names the repair.
    """
    if handed.problem:
        raise SubmissionError(handed.problem)
    parts = handed.parts
    if len(parts) == 1 and not parts[0].name and not parts[0].member:
        folder = parts[0].path
        if _has_sources(folder):
            with known_as(folder, harmless(folder.name)):
                found = submissions.read(folder, course, exercises)
            return replace(found, name=handed.student)
        parts = _zips(folder)
        if not parts:
            what = "is empty" if not any(folder.iterdir()) else "holds no .py file and no notebook"
            raise SubmissionError(f"{harmless(folder.name)} {what}. Hand in your work again.")
    files, notes, stem = _gathered(parts)
    if not files:
        raise SubmissionError("What was handed in holds no .py file, no notebook and no zip.")
    return unpacked.read_files(files, handed.student, "", course, exercises, notes, stem)


def _has_sources(folder: Path) -> bool:
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
        if any(archive.is_source(name) for name in files):
            return True
        if len(Path(place).parts) - len(folder.parts) > 20:
            return False
    return False


def _zips(folder: Path) -> tuple[Part, ...]:
    """The archives in a folder that holds nothing else."""
    names = sorted(entry.name for entry in _in_folder(folder) if not entry.odd)
    return tuple(Part(n, folder / n) for n in names if _is_zip(n))


def _gathered(parts: Sequence[Part]) -> tuple[dict[str, bytes], list[str], str]:
    """The source files of all parts by name, notes, and what their folder would be called."""
    files: dict[str, bytes] = {}
    seen: dict[str, str] = {}
    notes: list[str] = []
    stem = ""
    for part in _flat(parts):
        if _is_zip(part.name):
            stem = PurePosixPath(part.name).stem
            inside, more = unpacked.contents(_packed(part), _safe(part.name))
            notes += more
        elif archive.is_source(part.name):
            inside = {part.name: _bytes(part, archive.STUDENT.of(part.name))}
        else:
            notes.append(f"{_safe(part.name)} was left out: it is no .py file, notebook or zip.")
            continue
        for name, data in inside.items():
            other = seen.setdefault(archive.careless(name), name)
            if other in files:
                raise SubmissionError(f"{_safe(name)} was handed in twice. Keep one.")
            files[name] = data
    return files, notes, stem


def _safe(name: str) -> str:
    return harmless(name[:_LONG])


def _is_zip(name: str) -> bool:
    return name.lower().endswith(".zip")


def _flat(parts: Sequence[Part]) -> Iterator[Part]:
    """The parts with a folder in an archive taken apart into its files."""
    for part in parts:
        listing = _directory(part.path) if part.member else None
        if listing is None or part.member in listing.members:
            yield part
            continue
        inside = f"{part.member}/"
        for name in listing.members:
            if name.startswith(inside) and (archive.is_source(name) or _is_zip(name)):
                yield Part(name.removeprefix(inside), part.path, name)


def _packed(part: Part) -> Path | bytes:
    """An archive to read from: where it lies, or in memory where it lies in another."""
    if part.member:
        return _bytes(part, archive.STUDENT.size)
    _bytes(part, 0)  # refuses what is no regular file
    return part.path


def _bytes(part: Part, most: int) -> bytes:
    """The bytes of a file, one more than `most` at the most; a zip larger than that is refused."""
    if part.member:
        try:
            listing, opened = _directory(part.path), _opened(part.path, os.getpid())
            data = archive.read(opened, listing, [part.member], archive.CLASS)
        except archive.ArchiveError as error:
            raise SubmissionError(str(error)) from None
        found = data[part.member][: most + 1]
    else:
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with open(os.open(part.path, flags), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise SubmissionError(f"{_safe(part.name)} is no regular file.")
                found = file.read(most + 1)
        except OSError as error:
            message = f"{_safe(part.name)} cannot be read: {error.strerror}."
            raise SubmissionError(message) from None
    if len(found) > most > 0 and _is_zip(part.name):
        raise SubmissionError(
            f"{_safe(part.name)} is larger than {most // 1_000_000} MB. Leave data, results and "
            "environments out of it."
        )
    return found
