"""A zip is read in memory: nothing leads out of it, nothing in it costs more than its limits."""

from __future__ import annotations

import io
import os
import stat
import struct
import tracemalloc
import warnings
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from d2lgrade.catalog import Course
from d2lgrade.submission import SubmissionError, archive, read, unpacked
from d2lgrade.submission.archive import ArchiveError, Limits
from test_submission import CH07, CONV, CORR2D, POOLING, _course


def zipped(*members: tuple[str | zipfile.ZipInfo, str | bytes], **options: Any) -> bytes:
    paper = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a name used twice
        with zipfile.ZipFile(paper, "w", options.pop("method", zipfile.ZIP_DEFLATED)) as file:
            for name, content in members:
                file.writestr(name, content)
    return paper.getvalue()


def typed(name: str, kind: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (kind | 0o644) << 16
    return info


def inflated(data: bytes | Path, limits: Limits = archive.STUDENT) -> dict[str, bytes]:
    listing = archive.directory(data, "w.zip", limits)
    return archive.read(data, listing, listing.members, limits)


def refusal(data: bytes | Path, limits: Limits = archive.STUDENT) -> str:
    with pytest.raises(ArchiveError) as caught:
        inflated(data, limits)
    message = str(caught.value)
    assert message.startswith("w.zip ")
    assert message.endswith(".")
    assert message.isprintable()
    return message


def test_sources_are_read_and_the_rest_is_left_alone() -> None:
    data = zipped(
        ("hw/a.py", CORR2D),
        ("hw/deep/b.ipynb", "{}"),
        ("hw/model.pt", b"\0" * 5_000_000),
        ("hw/.hidden.py", ""),
        ("hw/._a.py", "a Mac's"),
        ("__MACOSX/hw/a.py", ""),
        ("hw/.DS_Store", ""),
        ("hw/empty/", ""),
    )
    listing = archive.directory(data, "w.zip")
    assert set(listing.members) == {"hw/a.py", "hw/deep/b.ipynb"}
    assert not listing.notes
    assert archive.read(data, listing, ["hw/a.py"]) == {"hw/a.py": CORR2D.encode()}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../out.py", "leads out"),
        ("a/../../out.py", "leads out"),
        ("a\\..\\..\\out.py", "leads out"),
        ("/etc/out.py", "root of a disk"),
        ("C:\\out.py", "root of a disk"),
        ("\\out.py", "root of a disk"),
        ("a" * 300 + ".py", "too long"),
        ("a/" * 40 + "b.py", "too long"),
        (typed("out.py", stat.S_IFLNK), "a link"),
        (typed("out.py", stat.S_IFIFO), "a device"),
        (typed("out.py", stat.S_IFCHR), "a device"),
        (typed("out.py", stat.S_IFSOCK), "a device"),
        ("\x1b[31m/../x\u202e.py", "leads out"),
    ],
)
def test_a_member_that_is_no_plain_file_inside(name: str | zipfile.ZipInfo, why: str) -> None:
    listing = archive.directory(zipped((name, "/etc/passwd"), ("a.py", CORR2D)), "w.zip")
    assert set(listing.members) == {"a.py"}
    (note,) = listing.notes
    assert why in note
    assert note.isprintable()
    assert len(note) < 300


def test_a_name_that_ends_before_it_ends() -> None:
    data = zipped(("a.pyX../../b.py", "")).replace(b"a.pyX", b"a.py\0")
    listing = archive.directory(data, "w.zip")
    assert not listing.members
    assert "NUL" in listing.notes[0]


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("a.py", "a.py", "twice"),
        ("a.py", "./a.py", "twice"),
        ("a.py", "A.py", "tell apart"),
        ("Hw/a.py", "hw/b.py", "tell apart"),
        ("caf\u00e9.py", "cafe\u0301.py", "tell apart"),
        ("\ufb01t.py", "fit.py", "tell apart"),
        ("a.py", "a.py/b.py", "twice"),
        ("a.py/b.py", "a.py", "twice"),
        ("A.PY/b.py", "a.py", "tell apart"),
    ],
)
def test_names_that_some_system_takes_for_one(one: str, other: str, why: str) -> None:
    assert why in refusal(zipped((one, "x = 1"), (other, "x = 2")))


def test_encrypted() -> None:
    data = bytearray(zipped(("a.py", CORR2D)))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in refusal(bytes(data))


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_methods_that_let_the_archive_choose_its_memory(method: int) -> None:
    assert "compressed in a way" in refusal(zipped(("a.py", CORR2D), method=method))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is empty"),
        (b"PK", "broken, or not a zip"),
        (b"Rar!\x1a\x07\x00" + b"x" * 99, "is a RAR archive, not a zip"),
        (b"7z\xbc\xaf\x27\x1c" + b"x" * 99, "is a 7-Zip archive"),
        (b"\x1f\x8b" + b"x" * 99, "is a gzip file"),
        (b"<html>please log in</html>", "is a web page"),
        (zipped(("a.py", CORR2D * 99))[:-30], "broken"),
        (zipped(("a.py", CORR2D))[40:], "broken"),
    ],
)
def test_broken(data: bytes, why: str) -> None:
    assert why in refusal(data)


def test_any_byte_changed_or_missing_is_read_or_refused() -> None:
    whole = zipped(("a.py", CORR2D), ("b/c.py", POOLING))
    for place in range(len(whole)):
        flipped = whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]
        for data in (flipped, whole[:place]):
            with suppress(ArchiveError):  # and nothing else
                inflated(data)


def test_a_name_that_is_not_utf8() -> None:
    data = zipped(("caf\u00e9.py", "")).replace("\u00e9".encode(), b"\xff\xfe")
    assert "not valid UTF-8" in refusal(data)


def test_a_bomb_is_inflated_up_to_the_limit_of_a_file() -> None:
    data = zipped(("bomb.py", b"#" * 300_000_000), ("a.py", CORR2D))
    tracemalloc.start()
    try:
        listing = archive.directory(data, "w.zip")
        found = archive.read(data, listing, listing.members)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(found["bomb.py"]) == 1_000_001
    assert peak < 20_000_000
    submission = unpacked.read_files(found, "w", "w.zip", _course(), _course().exercises)
    assert "larger than 1 MB" in " ".join(submission.notes)
    assert submission.homes == {"ch07/corr2d": "a"}


def test_a_size_that_lies_is_not_believed() -> None:
    data = bytearray(zipped(("bomb.py", b"#" * 30_000_000)))
    place = data.index(b"PK\x01\x02") + 24
    data[place : place + 4] = struct.pack("<I", 10)
    assert "broken" in refusal(bytes(data))  # ten bytes do not have that checksum


def test_all_together_inflate_to_a_limit() -> None:
    data = zipped(*[(f"{number}.py", b"#" * 900_000) for number in range(12)])
    assert "more than 5 MB" in refusal(data, Limits(total=5_000_000))


def test_too_many_sources() -> None:
    data = zipped(*[(f"{number}.py", "") for number in range(30)])
    assert "more than 20 source files" in refusal(data, Limits(wanted=20))


def test_a_hundred_thousand_members_are_counted_before_they_are_parsed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = zipped(("a", ""))
    entry = one[one.index(b"PK\x01\x02") : one.index(b"PK\x05\x06")]
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(entry) * 100_000, 31, 0)
    data = one[:31] + entry * 100_000 + end
    monkeypatch.setattr(zipfile, "ZipFile", None)
    assert "more than 20,000 files" in refusal(data)


def test_an_archive_larger_than_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "w.zip"
    with path.open("wb") as file:
        file.truncate(300_000_000)
    assert "larger than 200 MB" in refusal(path)


# As a submission


@pytest.fixture
def course() -> Course:
    return _course()


def _asked(course: Course) -> list[Any]:
    return [e for e in course.exercises if e.chapter == "ch07"]


@pytest.mark.parametrize(
    ("members", "partial"),
    [
        ([("my.py", CORR2D)], True),
        ([(f"hw/exercises/{CH07}/conv_layer.py", CONV), ("hw/readme.md", "")], False),
        ([(f"{CH07}/conv_layer.py", CONV)], False),
        ([("conv_layer.py", CONV), ("pooling.py", POOLING)], False),
    ],
)
def test_a_zip_is_read_as_the_folder_it_holds(
    tmp_path: Path, course: Course, members: list[tuple[str, str]], partial: bool
) -> None:
    path = tmp_path / "work.zip"
    path.write_bytes(zipped(*members))
    submission = read(path, course, _asked(course))
    assert submission.partial == partial
    home = submission.homes["ch07/corr2d"]
    assert submission.sources[home].text.startswith(CORR2D)
    shown = os.path.join(str(path), members[0][0])
    assert submission.sources[home].path == shown  # as its owner knows it
    assert submission.name == str(path)


def test_a_zip_of_a_chapter_named_so(tmp_path: Path, course: Course) -> None:
    path = tmp_path / f"{CH07}.zip"
    path.write_bytes(zipped(("pooling.py", POOLING), ("helper.py", "x = 1\n")))
    submission = read(path, course, _asked(course))
    assert submission.homes["ch07/corr2d"] == "conv_layer"
    assert not submission.partial


def test_what_was_left_out_is_noted(tmp_path: Path, course: Course) -> None:
    path = tmp_path / "work.zip"
    path.write_bytes(zipped(("my.py", CORR2D), ("../../../evil.py", "")))
    submission = read(path, course, _asked(course))
    assert "leads out of the archive" in submission.notes[0]
    assert not list(tmp_path.rglob("evil.py"))


def test_a_zip_without_source(tmp_path: Path, course: Course) -> None:
    path = tmp_path / "work.zip"
    path.write_bytes(zipped(("report.pdf", b"%PDF")))
    with pytest.raises(SubmissionError, match=r"holds no \.py file and no notebook"):
        read(path, course, _asked(course))


def test_problems_name_the_file_in_the_zip(tmp_path: Path, course: Course) -> None:
    path = tmp_path / "work.zip"
    path.write_bytes(zipped(("conv_layer.py", "def corr2d(:\n"), ("pooling.py", POOLING)))
    problem = read(path, course, _asked(course)).sources["conv_layer"].problem
    assert problem is not None
    assert os.path.join(str(path), "conv_layer.py, line 1") in problem.message
    assert "d2lgrade-" not in problem.message


def test_nothing_stays_behind(
    tmp_path: Path, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    path = tmp_path / "work.zip"
    for content in (CORR2D, "def corr2d(:\n"):
        path.write_bytes(zipped(("my.py", content), ("your.py", POOLING)))
        read(path, course, _asked(course))
    with pytest.raises(SubmissionError):
        read(path, course, [e for e in course.exercises if e.chapter == "ch12"])
    assert not list(scratch.iterdir())
