"""A class is collected: each file is its owner's, each trouble is reported and nobody else's."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from d2lgrade.classroom import collect as collecting
from d2lgrade.classroom import layouts
from d2lgrade.classroom.collect import CollectError, Collection, Handed, collect, read
from d2lgrade.classroom.roster import load, name_forms
from test_archive import zipped
from test_notebook import book
from test_submission import CH07, CONV, CORR2D, POOLING, _course

COURSE = _course()
ASKED = [exercise for exercise in COURSE.exercises if exercise.chapter == "ch07"]


@dataclass
class Class:
    """A folder with a class's submissions."""

    root: Path

    def write(self, name: str, content: str | bytes = CORR2D) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def roster(self, text: str | bytes) -> Path:
        path = self.root.parent / "roster.csv"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def collect(self, roster: str | bytes | None = None) -> Collection:
        return collect(self.root, None if roster is None else self.roster(roster), COURSE, ASKED)

    def handed(self, roster: str | bytes | None = None) -> dict[str, Handed]:
        return {one.student: one for one in self.collect(roster).handed}

    def packed(self, top: str = "") -> Path:
        """The same as one zip."""
        path = self.root.parent / "class.zip"
        with zipfile.ZipFile(path, "w") as file:
            for found in sorted(self.root.rglob("*")):
                if found.is_file():
                    file.write(found, f"{top}{found.relative_to(self.root)}")
        return path

    def error(self, path: Path | None = None, roster: str | bytes | None = None) -> str:
        with pytest.raises(CollectError) as caught:
            collect(path or self.root, self.roster(roster) if roster else None, COURSE, ASKED)
        return str(caught.value)


@pytest.fixture
def group(tmp_path: Path) -> Class:
    root = tmp_path / "class"
    root.mkdir()
    return Class(root)


def homes(handed: Handed) -> dict[str, str]:
    """Exercise → path of the file that holds it, as its owner is told."""
    submission = read(handed, COURSE, ASKED)
    assert submission.name == handed.student
    return {
        exercise: submission.sources[home].path
        for exercise, home in submission.homes.items()
        if submission.sources[home].problem is None
    }


# Layouts


def test_plain_folders_files_notebooks_and_zips(group: Class) -> None:
    group.write(f"ada/exercises/{CH07}/conv_layer.py", CONV)
    group.write("bob/my.py")
    group.write("cyd.py")
    group.write("dan.ipynb", book(CORR2D))
    group.write("eve.zip", zipped(("conv_layer.py", CONV)))
    group.write("fay/work.zip", zipped(("conv_layer.py", CONV)))
    group.write("README.md")
    found = group.collect()
    assert [one.student for one in found.handed] == ["ada", "bob", "cyd", "dan", "eve", "fay"]
    assert not any(one.problem for one in found.handed)
    assert [homes(one)["ch07/corr2d"] for one in found.handed] == [
        f"ada/exercises/{CH07}/conv_layer.py",
        "bob/my.py",
        "cyd.py",
        "dan.ipynb",
        "conv_layer.py",
        "conv_layer.py",
    ]
    assert found.notes == ("README.md was left out: it holds no work.",)
    assert found.layout == "one folder or file for each student"
    assert not found.missing


CANVAS = {
    "lovelaceada_123_9001_conv_layer.py": CONV,
    "lovelaceada_123_9002_pooling.py": POOLING,
    "boole_george_LATE_124_9003_my work.py": CORR2D,
    "höckg_125_9004_work-2.py": CORR2D,
    "höckg_125_9005_work-1.py": "x = 1\n",
    "LATE_anon_xY3z_9006_a_1_2_b.py": CORR2D,
    "hopper_126_9007_work.zip": zipped((f"hw/{CH07}/conv_layer.py", CONV)),
}


def test_canvas(group: Class) -> None:
    for name, content in CANVAS.items():
        group.write(name, content)
    group.write("grades.csv", "x")
    found = group.collect()
    assert found.layout == "a Canvas download"
    handed = {one.student: one for one in found.handed}
    assert set(handed) == {"123", "124", "125", "126", "anon_xY3z"}
    assert not any(one.problem for one in found.handed)
    assert homes(handed["123"]) == {
        "ch07/corr2d": "conv_layer.py",
        "ch07/Conv2D": "conv_layer.py",
        "ch07/pool2d": "pooling.py",
        "ch07/pool2d_multi": "pooling.py",
    }
    assert homes(handed["124"]) == {"ch07/corr2d": "my work.py"}
    assert homes(handed["125"]) == {"ch07/corr2d": "work.py"}
    assert homes(handed["anon_xY3z"]) == {"ch07/corr2d": "a_1_2_b.py"}
    assert handed["124"].late
    assert handed["anon_xY3z"].late
    assert handed["123"].late is False
    assert handed["123"].name == "lovelaceada"
    assert any("1 earlier file" in note for note in found.notes)
    assert any("grades.csv" in note for note in found.notes)


MOODLE = {
    "Ada Lovelace_1234567_assignsubmission_file_/conv_layer.py": CONV,
    "Ada Lovelace_1234567_assignsubmission_file_/deep/pooling.py": POOLING,
    "Ada Lovelace_1234567_assignsubmission_onlinetext_/onlinetext.html": "hello",
    "Participant 12_1234568_assignsubmission_file_/work.zip": zipped(("a.py", CORR2D)),
    "George Boole_1234569_assignsubmission_onlinetext_/onlinetext.html": "hello",
    "Grace Hopper_1234570_assignsubmission_file_work.py": CORR2D,
}


@pytest.mark.parametrize("top", [None, "", "Course-HW1-77/"])
def test_moodle_as_a_folder_and_as_one_zip(group: Class, top: str | None) -> None:
    for name, content in MOODLE.items():
        group.write(name, content)
    path = group.root if top is None else group.packed(top)
    found = collect(path, None, COURSE, ASKED)
    assert found.layout == "a Moodle download"
    handed = {one.student: one for one in found.handed}
    assert set(handed) == {"1234567", "1234568", "1234569", "1234570"}
    assert handed["1234567"].name == "Ada Lovelace"
    shown = homes(handed["1234567"])
    assert Path(shown["ch07/corr2d"]).name == "conv_layer.py"
    assert Path(shown["ch07/pool2d"]).name == "pooling.py"
    assert homes(handed["1234568"]) == {"ch07/corr2d": "a.py"}
    assert homes(handed["1234570"]) == {"ch07/corr2d": "work.py"}
    assert "Only text was handed in" in handed["1234569"].problem


METADATA = """\
---
submission_11:
  :submitters:
  - :name: Ada Lovelace
    :sid: 1815
    :email: ada@x.edu
  - :name: "George Boole"
    :sid: '0042'
    :email: boole@x.edu
  :created_at: 2026-09-21 04:05:06.123 Z
  :score: 3.0
  :results: {}
submission_12:
  :submitters:
  - :name: Grace Hopper
    :sid:
    :email: grace@x.edu
  :created_at: 2026-09-22 04:05:06 Z
submission_13:
  :submitters: nobody
"""


@pytest.mark.parametrize("packed", [False, True])
def test_gradescope(group: Class, packed: bool) -> None:
    group.write("assignment_5_export/submission_metadata.yml", METADATA)
    group.write("assignment_5_export/submission_11/conv_layer.py", CONV)
    group.write("assignment_5_export/submission_12/deep/my.py")
    group.write("assignment_5_export/submission_99/my.py")
    found = collect(group.packed() if packed else group.root, None, COURSE, ASKED)
    assert found.layout == "a Gradescope export"
    handed = {one.student: one for one in found.handed}
    assert set(handed) == {"1815", "0042", "grace@x.edu"}
    assert homes(handed["1815"]) == homes(handed["0042"])
    assert not handed["grace@x.edu"].problem
    assert handed["1815"].when is not None
    assert handed["1815"].when.isoformat() == "2026-09-21T04:05:06.123000+00:00"
    assert any("submission_13" in note for note in found.notes)
    assert any("submission_99" in note for note in found.notes)


@pytest.mark.parametrize("text", ["a: [", "\0", "!!python/object/apply:os.system [ls]"])
def test_gradescope_metadata_that_cannot_be_read(group: Class, text: str) -> None:
    group.write("submission_metadata.yml", text)
    group.write("submission_11/a.py")
    assert "Download the export from Gradescope again" in group.error()


def test_github_classroom_reads_the_work_tree_alone(group: Class, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    for login in ("ada", "boole-g", "hopper"):
        group.write(f"hw-1-{login}/conv_layer.py", CONV)
        hook = group.write(f"hw-1-{login}/.git/hooks/post-checkout", f"#!/bin/sh\ntouch {marker}")
        hook.chmod(0o755)
        group.write(f"hw-1-{login}/.git/evil.py", "def pool2d(): pass\n")
    found = group.collect("name,identifier,github_username\nAda L,a@x,ada\nG. Boole,b@x,Boole-G\n")
    assert found.layout == "GitHub Classroom clones"
    assert {one.student for one in found.handed if not one.problem} == {"a@x", "b@x"}
    assert "hw-1-hopper is not on the roster" in found.handed[-1].problem
    assert "ch07/pool2d" not in homes(found.handed[0])
    assert not marker.exists()


# The roster


@pytest.mark.parametrize(
    "text",
    [
        "name,login\nAda Lovelace,ada\nGeorge Boole,boole\n",
        "\ufeffStudent;ID;SIS User ID;SIS Login ID;Section\r\n    Points Possible;;;;\r\n"
        '"Lovelace, Ada";1;S1;ada;A\r\n"Boole, George";2;S2;boole;B\r\n',
        '"First name","Surname",Username\n"Ada","Lovelace",ada\n\n"George",Boole,"boole"\n',
        "Name\tEmail\tLogin\nAda Lovelace\ta@x\tada\nGeorge Boole\tb@x\tboole".encode("utf-16"),
    ],
)
def test_roster_columns_are_found_by_name(group: Class, text: str | bytes) -> None:
    group.write("ada/a.py")
    group.write("George Boole.py")
    found = group.collect(text)
    assert [one.student for one in found.handed] == ["ada", "boole"]
    assert not any(one.problem for one in found.handed)
    assert {student.student for student in found.roster} == {"ada", "boole"}


def test_roster_maps_platform_names(group: Class) -> None:
    for name, content in CANVAS.items():
        group.write(name, content)
    canvas = "Student,ID,SIS Login ID\n"
    canvas += '"Lovelace, Ada",123,ada\n"Boole, George",7,boole\n"Höck, G",125,hoeck\n"N, N",9,nn\n'
    found = group.collect(canvas)
    handed = {one.student: one for one in found.handed}
    assert not handed["ada"].problem
    assert not handed["hoeck"].problem
    assert "has the name of Boole, George (boole) but another id (124)" in handed["124"].problem
    assert "is not on the roster" in handed["126"].problem
    assert found.missing == ("boole", "nn")


def test_missing_students_are_named(group: Class) -> None:
    group.write("ada.py")
    assert group.collect("login\nada\nboole\nhopper\n").missing == ("boole", "hopper")


def test_a_name_that_two_students_have(group: Class) -> None:
    group.write("Ada Lovelace.py")
    group.write("ada2.py")
    handed = group.handed("name,login\nAda Lovelace,ada1\nAda Lovelace,ada2\n")
    assert not handed["ada2"].problem
    assert "could be Ada Lovelace (ada1) or Ada Lovelace (ada2)" in handed["Ada Lovelace"].problem


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        ("colour,size\nred,3\n", "names no column that is known"),
        ("name,login\n", "names no student"),
        ("name,login\nAda,x\nBob,x\n", "row 3: x is Ada above and Bob here"),
        ("name\0\n", "no CSV"),
        ('name\n"' + "x" * 200_000, "no CSV"),
    ],
)
def test_roster_that_cannot_be_used(group: Class, text: str, why: str) -> None:
    group.write("ada.py")
    path = group.roster(text)
    with pytest.raises(CollectError) as caught:
        load(path)
    assert why in str(caught.value)


def test_a_student_of_two_sections_is_one(group: Class) -> None:
    (student,) = load(group.roster("name,login,section\nAda,ada,A\nAda,ada,B\n")).students
    assert student.section == "A, B"


def test_forms_of_a_name() -> None:
    assert "lovelaceada" in name_forms("Lovelace, Ada") & name_forms("Ada Lovelace")
    assert name_forms("Ada") == {"ada"}
    assert "hock" in name_forms("Höck")


# What is wrong with one is nobody else's trouble


def test_each_trouble_is_reported_by_name(group: Class, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "a.py").write_text("def corr2d(): SECRET\n")
    group.write("good/a.py")
    (group.root / "empty").mkdir()
    group.write("nothing/report.pdf")
    group.write("hollow.zip", b"")
    group.write("broken.zip", b"PK\3\4 broken")
    locked = bytearray(zipped(("a.py", CORR2D)))
    locked[6] |= 1
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    group.write("locked.zip", bytes(locked))
    group.write("bomb.zip", zipped(*[(f"{n}.py", b"#" * 999_999) for n in range(45)]))
    group.write("slip.zip", zipped(("../../good/a.py", "x"), ("a.py", CORR2D)))
    group.write("clash.zip", zipped(("a.py", CORR2D), ("A.py", CORR2D)))
    group.write("syntax.py", "def corr2d(:\n")
    group.write("spoilt.ipynb", b"{")
    group.write("twice/a.py")
    group.write("twice.py")
    group.write("double/a.py")
    group.write("double/b.py")
    (group.root / "linked").symlink_to(secret)
    (group.root / "linked.py").symlink_to(secret / "a.py")
    (group.root / "inner").mkdir()
    (group.root / "inner" / "a.py").symlink_to(secret / "a.py")
    os.mkfifo(group.root / "pipe.py")
    os.mkfifo(group.root / "inner" / "b.py")
    handed = group.handed()
    said = {key: one.problem for key, one in handed.items()}
    for key, words in {
        "good": "",
        "slip": "",
        "empty": "empty is empty",
        "nothing": "holds no .py file",
        "hollow": "hollow.zip is empty",
        "broken": "broken.zip is broken",
        "locked": "locked.zip is encrypted",
        "bomb": "bomb.zip unpacks to more than",
        "clash": "tell apart",
        "spoilt": "not a notebook",
        "twice": "handed in 2 times: twice and twice.py",
        "double": "a.py and double/b.py. Keep one",
        "linked": "a link",
        "linked.py": "a link",
        "inner": "leads out of the submission",
        "pipe.py": "FIFO",
    }.items():
        assert words in said[key], key
        assert bool(words) == bool(said[key]), (key, said[key])
    assert all(problem.replace("\n", " ").isprintable() for problem in said.values())
    assert "SECRET" not in str(handed)
    assert homes(handed["good"]) == {"ch07/corr2d": "good/a.py"}


@pytest.mark.parametrize(
    "name",
    ["ada\u202e", "ad\u0430", "Ada", "\uff41da", "ada\u200b", " ada"],
)
def test_a_name_that_imitates_another(group: Class, name: str) -> None:
    group.write("ada/a.py")
    group.write(f"{name}/a.py")
    group.write("bob/a.py")
    handed = group.handed()
    (odd,) = (one for key, one in handed.items() if key not in ("ada", "bob"))
    assert "looks the same as ada" in odd.problem
    assert odd.problem.isprintable()
    assert odd.student.isprintable()
    assert not handed["bob"].problem
    if name != "Ada":  # both are plain names; who is who is not for us to say
        assert not handed["ada"].problem


@pytest.mark.parametrize("name", ["ada\u202e", "ad\u0430", "ada\u200b"])
def test_with_a_roster_an_imitation_is_nobody_s(group: Class, name: str) -> None:
    group.write("ada/a.py")
    group.write(f"{name}/b.py")
    found = group.collect("name,login\nada,ada\n")
    mine, odd = found.handed
    assert (mine.student, mine.problem) == ("ada", "")
    assert "is not on the roster" in odd.problem


def test_whoever_takes_another_s_name_is_told_by_number(group: Class) -> None:
    group.write("lovelaceada_1_11_a.py")
    group.write("lovelaceada_666_12_a.py", "x = 'forged'\n" + CORR2D)
    roster = 'Student,ID,SIS Login ID\n"Lovelace, Ada",1,ada\n"Mallory, M",666,mal\n'
    handed = group.handed(roster)
    assert "forged" not in str(read(handed["ada"], COURSE, ASKED).sources)
    assert "forged" in str(read(handed["mal"], COURSE, ASKED).sources)
    stranger = group.handed('Student,ID,SIS Login ID\n"Lovelace, Ada",1,ada\n')
    assert not stranger["ada"].problem
    assert "has the name of" in stranger["666"].problem
    (group.root / "lovelaceada_1_11_a.py").unlink()  # nor where the other handed in nothing
    alone = group.collect('Student,ID,SIS Login ID\n"Lovelace, Ada",1,ada\n')
    assert alone.missing == ("ada",)
    assert "but another id (666)" in alone.handed[0].problem


def test_long_and_odd_names_are_shown_short_and_escaped(group: Class) -> None:
    group.write("a" * 250 + "/a.py")
    group.write("x\x1b[31m\n/a.py")
    group.write(os.fsdecode(b"\xff\xfe") + ".py")
    found = group.collect()
    assert len(found.handed) == 3
    assert all(one.student.isprintable() and len(one.student) <= 100 for one in found.handed)
    assert all(one.name.isprintable() for one in found.handed)
    assert not any(one.problem for one in found.handed)


def test_in_a_shared_zip_a_hostile_member_costs_its_owner_alone(group: Class) -> None:
    path = group.root.parent / "class.zip"
    member = "{}_{}_assignsubmission_file_/{}"
    path.write_bytes(
        zipped(
            (member.format("Ada", 1, "a.py"), CORR2D),
            (member.format("Eve", 2, "a.py"), CORR2D),
            (member.format("Eve", 2, "A.py"), CORR2D),
            (member.format("Mal", 3, "../../Ada_1_assignsubmission_file_/b.py"), "def pool2d(): 1"),
            (member.format("Mal", 3, "a.py"), CORR2D),
        )
    )
    handed = {one.student: one for one in collect(path, None, COURSE, ASKED).handed}
    assert not handed["1"].problem
    assert homes(handed["1"]) == {"ch07/corr2d": "a.py"}
    assert "tell apart" in handed["2"].problem
    assert not handed["3"].problem


def test_nothing_lies_outside_or_stays_behind(
    group: Class, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    group.write("ada.zip", zipped(("../../../evil.py", CORR2D), ("a.py", CORR2D)))
    before = sorted(tmp_path.rglob("*"))
    group.collect()
    assert sorted(tmp_path.rglob("*")) == before


# What is no class


def test_refused_as_a_whole(group: Class, tmp_path: Path) -> None:
    assert "is empty" in group.error()
    assert "cannot be read" in group.error(tmp_path / "nowhere")
    assert "is a file" in group.error(group.write("../a.txt"))
    group.write("README.md")
    assert "holds no submission. README.md was left out" in group.error()
    group.write(f"{CH07}/pooling.py")
    assert "one submission, not a class" in group.error()
    path = tmp_path / "class.zip"
    path.write_bytes(b"PK")
    assert "broken" in group.error(path)


def test_too_many(group: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "MAX_ENTRIES", 3)
    for number in range(5):
        group.write(f"s{number}.py")
    assert "more than 3 files and folders" in group.error()


def test_one_odd_clone_does_not_rename_the_others() -> None:
    names = [f"hw-1-{login}" for login in ("a", "b", "c", "d-e", "f")]
    assert layouts._assignment([*names, "hw-evil"]) == "hw-1-"
    assert layouts._assignment(["hw-1-a"]) == ""


def test_the_order_of_files_changes_nothing(group: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, content in CANVAS.items():
        group.write(name, content)
    once = group.collect()
    scan = os.scandir

    class Reversed:
        def __init__(self, path: object) -> None:
            with scan(path) as listing:  # type: ignore[call-overload]
                self.items = list(listing)[::-1]

        def __enter__(self) -> list[os.DirEntry[str]]:
            return self.items

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(os, "scandir", Reversed)
    assert group.collect() == once
