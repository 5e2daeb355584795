"""A zip archive → the source files in it, as bytes in memory. Nothing is unpacked here.

An archive is a stranger's, and its own account of itself may be false: the number of its members is
bounded before they are parsed, a member is inflated up to a limit whatever size it claims, and only
plain members whose names stay inside are read. Where two systems could unpack different files from
it (a name twice, names that differ in case or in Unicode form alone), it is refused as a whole.
"""

from __future__ import annotations

import io
import stat
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from d2lgrade.submission.source import MAX_BYTES, MAX_NOTEBOOK, harmless

SOURCES = (".py", ".ipynb")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # LZMA lets the archive choose the memory
_JUNK = {"node_modules", "site-packages"}
_BLOCK = 1 << 20
_ENTRY = b"PK\x01\x02"  # opens each entry of an archive's directory


class ArchiveError(Exception):
    """The archive cannot be used; the message names the repair."""


@dataclass(frozen=True)
class Limits:
    """How much of an archive is read.

    Args:
        size: bytes of the archive itself.
        members: how many it may hold, of whatever kind.
        wanted: how many of them may be read.
        each: bytes of one of these, once inflated, by its suffix.
        total: bytes of all of them.
    """

    size: int = 200_000_000
    members: int = 20_000
    wanted: int = 2_000
    total: int = 40_000_000
    each: Mapping[str, int] | None = None

    def of(self, name: str) -> int:
        """How many bytes of a member are read."""
        return (self.each or _EACH).get(PurePosixPath(name).suffix.lower(), MAX_BYTES)


_EACH = {".py": MAX_BYTES, ".ipynb": MAX_NOTEBOOK}
STUDENT = Limits()
_NESTED = {**_EACH, ".zip": STUDENT.size, ".yml": 50_000_000}
CLASS = Limits(8_000_000_000, 500_000, 200_000, 400_000_000, _NESTED)


@dataclass(frozen=True)
class Member:
    """A plain file in an archive. `name` has no `..`, and its parts are joined by `/`."""

    name: str
    info: zipfile.ZipInfo


@dataclass(frozen=True)
class Archive:
    """The directory of an archive: what may be read of it, and notes on what may not.

    `refused` says of members why they cannot be read, where the others can be all the same.
    """

    label: str
    members: Mapping[str, Member]
    notes: tuple[str, ...]
    refused: Mapping[str, str]


def is_source(name: str) -> bool:
    """Whether a submission's file is one that is read."""
    return name.lower().endswith(SOURCES) and not PurePosixPath(name).name.startswith(".")


def directory(
    file: Path | bytes,
    label: str,
    limits: Limits = STUDENT,
    wanted: Callable[[str], bool] = is_source,
    shared: bool = False,
) -> Archive:
    """The members of an archive that are wanted, by name, without inflating any.

    Args:
        file: the archive: its bytes, or the path of a regular file.
        label: what its owner calls it; printable.
        limits: how much is too much.
        wanted: which names to keep.
        shared: whether its members are several people's: then one that is encrypted or takes
            another's name is refused alone.

    Raises:
        ArchiveError: it is broken, encrypted, too large, or names the same file twice.
    """
    with _opened(file) as data:
        _within(data, label, limits)
        with _zip(data, label) as archive:
            infos = archive.infolist()
    notes: list[str] = []
    members: dict[str, Member] = {}
    refused: dict[str, str] = {}
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for info in infos:
        name, why = _inside(info)
        if why:
            notes.append(f"{label}: {_short(info.filename)} was left out: {why}.")
            continue
        if not name or info.is_dir() or _is_junk(name) or not wanted(name):
            continue
        try:
            _claim(files, folders, name, label)
            _readable(info, label)
        except ArchiveError as error:
            if not shared:
                raise
            refused[name] = str(error)
            continue
        members[name] = Member(name, info)
        if len(members) > limits.wanted:
            raise ArchiveError(
                f"{label} holds more than {limits.wanted:,} source files. Zip your own work alone, "
                "without libraries and environments."
            )
    return Archive(label, members, tuple(notes), refused)


def read(
    file: Path | bytes | zipfile.ZipFile,
    archive: Archive,
    names: Iterable[str],
    limits: Limits = STUDENT,
) -> dict[str, bytes]:
    """The bytes of these members, at most one more than the limit of each.

    Whatever reads a file that long says that it is too large; so an honest large one is only that.

    Raises:
        ArchiveError: a member is broken, or all together inflate to more than the limit.
    """
    found: dict[str, bytes] = {}
    total = 0
    with ExitStack() as stack:
        if isinstance(file, zipfile.ZipFile):  # opened already, for the next one too
            opened = file
        else:
            opened = stack.enter_context(_zip(stack.enter_context(_opened(file)), archive.label))
        for name in names:
            most = limits.of(name) + 1
            found[name] = _inflated(opened, archive.members[name].info, most, archive.label)
            total += len(found[name])
            if total > limits.total:
                raise ArchiveError(
                    f"{archive.label} unpacks to more than {limits.total // 1_000_000} MB of "
                    "source. Zip your own work alone, without outputs and data."
                )
    return found


def _opened(file: Path | bytes) -> BinaryIO:
    """The archive, ready to be read from; bytes in memory get a reader of their own."""
    if isinstance(file, Path):
        return file.open("rb")
    return io.BytesIO(file)


def _within(data: BinaryIO, label: str, limits: Limits) -> None:
    """Refuse an archive too large, or with too many entries to be parsed.

    Each entry opens with the same four bytes, so their number bounds that of the entries. What the
    archive says about it may be false.
    """
    size = data.seek(0, io.SEEK_END)
    if size == 0:
        raise ArchiveError(f"{label} is empty: it holds not one byte. Zip your work again.")
    if size > limits.size:
        raise ArchiveError(
            f"{label} is larger than {limits.size // 1_000_000} MB. Leave data, results and "
            "environments out of it."
        )
    data.seek(0)
    entries, rest = 0, b""
    while block := data.read(_BLOCK):
        entries += (rest + block).count(_ENTRY)
        rest = block[-(len(_ENTRY) - 1) :]
        if entries > limits.members:
            raise ArchiveError(
                f"{label} holds more than {limits.members:,} files. Zip your own work alone, "
                "without libraries and environments."
            )
    data.seek(0)


def _zip(data: BinaryIO, label: str) -> zipfile.ZipFile:
    head = data.read(8)
    data.seek(0)
    try:
        return zipfile.ZipFile(data)
    except UnicodeDecodeError:
        message = f"{label} holds a file name that is not valid UTF-8. Rename it, and zip again."
    except Exception:  # a stranger's bytes: zipfile raises a dozen kinds, struct.error among them
        other = next((kind for magic, kind in _OTHERS if head.startswith(magic)), "")
        what = f"is {other}, not a zip archive" if other else "is broken, or not a zip archive"
        message = f"{label} {what}. Zip it again, and unpack it once to see that it works."
    raise ArchiveError(message)


_OTHERS = (
    (b"\x1f\x8b", "a gzip file"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"%PDF", "a PDF"),
    (b"<!DOC", "a web page"),
    (b"<html", "a web page"),
)


def _inside(info: zipfile.ZipInfo) -> tuple[str, str]:
    """The name of a member below the archive's top, or why it is not read."""
    name = info.filename.replace("\\", "/")  # as old Windows tools join paths
    if "\0" in info.orig_filename:
        return "", "its name holds a NUL"
    if name.startswith("/") or name[1:3] == ":/" or (len(name) == 2 and name[1] == ":"):
        return "", "its name starts at the root of a disk"
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        return "", "its name leads out of the archive"
    if len(name) > 1_000 or len(parts) > 30 or any(len(p.encode()) > 200 for p in parts):
        return "", "its name is too long"
    mode = info.external_attr >> 16
    kind = stat.S_IFMT(mode)
    if stat.S_ISLNK(mode):
        return "", "it is a link. Put the file itself there"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "", "it is no file but a device, a FIFO or a socket"
    return "/".join(parts), ""


def _is_junk(name: str) -> bool:
    """Whether it lies in a folder that systems and tools keep for themselves, as `.git`."""
    return any(
        part[:1] == "." or part[:2] == "__" or part in _JUNK for part in name.split("/")[:-1]
    )


def _readable(info: zipfile.ZipInfo, label: str) -> None:
    """Refuse a member that cannot be inflated here."""
    if info.flag_bits & 0x1:
        raise ArchiveError(f"{label} is encrypted. Zip it again without a password.")
    if info.compress_type not in _METHODS:
        raise ArchiveError(
            f"{label} is compressed in a way that is not read here. Zip it again with your "
            "system's own command."
        )


def _claim(files: dict[str, str], folders: dict[str, str], name: str, label: str) -> None:
    """Note a file and the folders above it, each under what a careless system would take it for.

    Raises:
        ArchiveError: there is a file or folder of that name, or of one told apart by case or
            Unicode form alone.
    """
    parts = name.split("/")
    for count in range(1, len(parts)):
        above = "/".join(parts[:count])
        key = careless(above)
        other = files.get(key) or folders.setdefault(key, above)
        if other != above or key in files:
            raise _clash(other, above, label)
    key = careless(name)
    if key in files or key in folders:
        raise _clash(files.get(key) or folders[key], name, label)
    files[key] = name


def _clash(one: str, other: str, label: str) -> ArchiveError:
    if one == other:
        message = f"{label} holds {_short(one)} twice. Keep one, and zip it again."
        return ArchiveError(message)
    return ArchiveError(
        f"{label} holds both {_short(one)} and {_short(other)}, which many systems cannot tell "
        "apart. Rename one."
    )


def careless(name: str) -> str:
    """A name as a system sees it that minds neither case nor Unicode form."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", name).casefold())


def _short(name: str) -> str:
    """A name for a sentence: escaped, and not without end."""
    return harmless(name[:100]) + "…" * (len(name) > 100)


def _inflated(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int, label: str) -> bytes:
    """Up to `most` bytes of a member. A member cut short at the limit is not checked further."""
    try:
        with archive.open(info) as member:
            return member.read(most)
    except Exception:  # CRC, zlib, EOFError, RuntimeError, overlaps: what a stranger's bytes raise
        raise ArchiveError(
            f"{label} is broken: {_short(info.filename)} cannot be unpacked. Zip it again."
        ) from None
