"""Stubs in step with their masters, and exercises laid out for an author to fill in."""

from __future__ import annotations

import ast
import doctest
import os
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from d2lgrade import catalog, master
from d2lgrade.author import scaffold
from d2lgrade.catalog import CatalogError
from d2lgrade.master import MasterError
from kits import CONV_LAYER, FOLDER, MANIFEST, make_kit, write

NEW = "checks/ch09_recurrent_neural_networks"


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    return make_kit(tmp_path)


def snapshot(root: Path) -> dict[str, bytes]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def relative(root: Path, paths: list[Path]) -> list[str]:
    return [path.relative_to(root).as_posix() for path in paths]


def test_sync_writes_what_the_masters_say_and_nothing_else(kit: Path) -> None:
    before = snapshot(kit)
    stub = kit / "exercises" / FOLDER / "pooling.py"
    write(stub, "something else")
    (kit / "exercises" / FOLDER / "conv_layer.py").unlink()
    changed = scaffold.sync(kit)
    assert relative(kit, changed) == [
        f"exercises/{FOLDER}/conv_layer.py",
        f"exercises/{FOLDER}/pooling.py",
    ]
    assert snapshot(kit) == before
    assert scaffold.sync(kit) == []


def test_sync_makes_the_folders_that_are_missing(kit: Path) -> None:
    before = snapshot(kit)
    for path in sorted((kit / "exercises").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    (kit / "exercises").rmdir()
    assert len(scaffold.sync(kit)) == 2
    assert snapshot(kit) == before


def test_sync_may_only_report(kit: Path) -> None:
    write(kit / "exercises" / FOLDER / "pooling.py", "something else")
    before = snapshot(kit)
    assert relative(kit, scaffold.sync(kit, check=True)) == [f"exercises/{FOLDER}/pooling.py"]
    assert snapshot(kit) == before


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ("    # END SOLUTION\n\n\ndef corr2d_twice", "\n\ndef corr2d_twice", 56, "still open"),
        ("def corr2d_twice", "def corr2d_thrice", 1, "corr2d_twice, nothing here defines it"),
        ("# BLANK: return ____", "# BLANK: return (____", 58, "guided stub is not valid"),
        ("# BLANK: Y[i, j] = ____", "# BLANK: Y[i, j]", 35, "needs ____"),
    ],
)
def test_sync_refuses_a_faulty_master_before_it_writes(
    kit: Path, old: str, new: str, line: int, problem: str
) -> None:
    write(kit / "exercises" / FOLDER / "pooling.py", "something else")
    assert old in CONV_LAYER
    write(kit / "solutions" / FOLDER / "conv_layer.py", CONV_LAYER.replace(old, new))
    before = snapshot(kit)
    with pytest.raises(MasterError, match=problem) as caught:
        scaffold.sync(kit)
    assert str(caught.value).startswith(f"solutions/{FOLDER}/conv_layer.py:{caught.value.line}: ")
    assert caught.value.line == line
    assert snapshot(kit) == before


def test_sync_never_hands_out_an_answer(kit: Path) -> None:
    head, markers = CONV_LAYER[:-300], CONV_LAYER[-300:]
    bare = markers.replace("    # BEGIN SOLUTION\n", "").replace("    # END SOLUTION\n", "")
    bare = bare.replace("    # BLANK: return ____\n", "")
    write(kit / "solutions" / FOLDER / "conv_layer.py", head + bare)
    with pytest.raises(MasterError, match=r"nothing to do in corr2d_twice; put # BEGIN SOLUTION"):
        scaffold.sync(kit)
    whole = CONV_LAYER.replace("def corr2d(", "# BEGIN SOLUTION\ndef corr2d(", 1)
    whole = whole.replace("    # BEGIN SOLUTION\n", "", 1).replace("    # END", "# END", 1)
    write(kit / "solutions" / FOLDER / "conv_layer.py", whole)
    with pytest.raises(MasterError, match=r"nothing to do in corr2d;"):
        scaffold.sync(kit)


def test_sync_names_a_missing_master(kit: Path) -> None:
    (kit / "solutions" / FOLDER / "pooling.py").unlink()
    with pytest.raises(CatalogError, match=r"solutions/.*pooling\.py is missing.*dev new"):
        scaffold.sync(kit)


def test_a_write_that_fails_leaves_the_file_as_it_was(
    kit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(kit / "exercises" / FOLDER / "pooling.py", "something else")
    before = snapshot(kit)

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        scaffold.sync(kit)
    assert snapshot(kit) == before


def lay_out(root: Path, name: str = "conv_output_shape", **words: str) -> list[str]:
    given = {
        "chapter": "ch07",
        "section": "7.3",
        "stem": "padding_and_strides",
        "title": "The shape that comes out",
        **words,
    }
    return relative(root, scaffold.new(root, name=name, **given))


def placeholders(root: Path, file: str) -> int:
    return (root / file).read_text().count(scaffold.PLACEHOLDER)


def test_a_new_section_goes_where_its_number_belongs(kit: Path) -> None:
    before = snapshot(kit)
    files = lay_out(kit, section_title='Padding "and" strides')
    assert files == [
        f"checks/{FOLDER}/chapter.toml",
        f"solutions/{FOLDER}/padding_and_strides.py",
        f"checks/{FOLDER}/test_padding_and_strides.py",
        f"checks/{FOLDER}/misconceptions/padding_and_strides.py",
    ]
    course = catalog.load(kit, complete=True)
    assert [s.number for s in course.sections] == ["7.2", "7.3", "7.5"]
    assert course.section("padding_and_strides").title == 'Padding "and" strides'
    exercise = course.exercise("ch07/conv_output_shape")
    assert exercise.title == "The shape that comes out"
    assert [check.id for check in exercise.checks] == ["ch07/conv_output_shape/values"]
    assert all(placeholders(kit, file) for file in files)
    after = snapshot(kit)
    assert {name for name in before if before[name] != after[name]} == {files[0]}
    assert relative(kit, scaffold.sync(kit)) == [f"exercises/{FOLDER}/padding_and_strides.py"]


@pytest.mark.parametrize(("section", "order"), [("7.1", 0), ("7.9", 2), ("7.10", 2)])
def test_sections_are_ordered_by_number(kit: Path, section: str, order: int) -> None:
    lay_out(kit, section=section)
    course = catalog.load(kit, complete=True)
    assert course.sections[order].number == section
    assert course.sections[order].title == "Padding and strides"


def test_every_line_of_chapter_toml_stays(kit: Path) -> None:
    lay_out(kit, section="7.2", stem="conv_layer", name="learn_kernel")
    text = (kit / "checks" / FOLDER / "chapter.toml").read_text()
    lines = iter(text.split("\n"))
    assert all(line in lines for line in MANIFEST.rstrip().split("\n"))
    block = text.index('name = "learn_kernel"')
    # The comment above the next section stays with it.
    assert text.index('"corr2d_twice"') < block < text.index("# Pooling comes after")
    assert "\n\n\n" not in text


def test_an_exercise_joins_its_section(kit: Path) -> None:
    before = snapshot(kit)
    files = lay_out(kit, section="7.2", stem="conv_layer", name="learn_kernel")
    course = catalog.load(kit, complete=True)
    names = [e.name for e in course.section("conv_layer").exercises]
    assert names == ["corr2d", "corr2d_twice", "learn_kernel"]
    for file in files[1:]:
        text = (kit / file).read_bytes()
        assert text.startswith(before[file].rstrip().split(b"\n\n\n")[0].split(b"import")[0])
        assert before[file].rstrip().split(b"\n\n\n", 1)[1] in text
        assert text.count(b"import torch\n") <= 1
        assert text.count(b"from d2lgrade.testkit import") <= 1
        ast.parse(text)


def test_the_imports_that_are_missing_are_added(kit: Path) -> None:
    write(kit / f"solutions/{FOLDER}/conv_layer.py", CONV_LAYER.replace("import torch\n", ""))
    files = lay_out(kit, section="7.2", stem="conv_layer", name="Conv2D")
    solution, check, wrong = ((kit / file).read_text() for file in files[1:])
    assert solution.startswith('"""Section 7.2: convolutions for images."""\n\nimport torch\n')
    assert check.count("import torch\n") == 1
    assert wrong.count("import torch\n") == 1
    assert "class Conv2DDoubled(torch.nn.Module):" in wrong
    assert "student.Conv2D()(X)" in check


def test_a_new_chapter_needs_a_title_and_gets_a_folder(tmp_path: Path) -> None:
    with pytest.raises(
        CatalogError, match=r"'ch09' is a new chapter \(there are: none yet\)\. Give"
    ):
        lay_out(tmp_path, chapter="ch09", section="9.5", stem="rnn_scratch", name="rnn")
    files = lay_out(
        tmp_path,
        chapter="ch09",
        section="9.5",
        stem="rnn_scratch",
        name="rnn",
        chapter_title="Recurrent neural networks",
    )
    assert files[0] == f"{NEW}/chapter.toml"
    course = catalog.load(tmp_path, complete=True)
    assert course.chapter("ch09").title == "Recurrent neural networks"
    assert scaffold.sync(tmp_path)
    lay_out(tmp_path, chapter="ch09_recurrent_neural_networks", section="9.5", stem="rnn_scratch")
    assert len(catalog.load(tmp_path, complete=True).exercises) == 2


def run(path: Path) -> SimpleNamespace:
    names: dict[str, Any] = {"__name__": path.stem}
    exec(compile(path.read_text(), path.name, "exec"), names)
    return SimpleNamespace(**names)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("conv_output_shape", "conv_output_shape_doubled"), ("Conv2D", "Conv2DDoubled")],
)
@pytest.mark.parametrize("chapter", ["ch07", "ch09"])
def test_what_is_laid_out_works(kit: Path, name: str, wrong: str, chapter: str) -> None:
    number = f"{int(chapter[2:])}.3"
    files = lay_out(kit, name, chapter=chapter, section=number, chapter_title="Another")
    solution, tests, misconceptions = (run(kit / file) for file in files[1:])
    check = getattr(tests, f"test_{name}_values")
    check(SimpleNamespace(**{name: getattr(solution, name)}))
    with pytest.raises(AssertionError, match="wrong values"):
        check(SimpleNamespace(**{name: getattr(misconceptions, wrong)}))


@pytest.mark.parametrize("name", ["conv_output_shape", "Conv2D"])
def test_a_master_is_laid_out_with_its_contract(kit: Path, name: str) -> None:
    source = (kit / lay_out(kit, name)[1]).read_text()
    contract = master.contract(source)[name]
    headings = ["Args:", "Formula:", "Raises:", "Rules:", "Example:", "Book: 7.3"]
    places = [contract.index(heading) for heading in headings]
    assert places == sorted(places)
    assert "Returns:" in contract
    assert "____" in master.stub(source, "guided")
    assert "NotImplementedError" in master.stub(source, "open")
    examples = doctest.DocTestParser().get_examples(contract)
    namespace = vars(run(kit / "solutions" / FOLDER / "padding_and_strides.py"))
    assert [repr(eval(e.source, namespace)) + "\n" for e in examples] == [e.want for e in examples]


def test_what_is_there_already_is_not_laid_out_again(kit: Path) -> None:
    with pytest.raises(CatalogError, match=r"corr2d is laid out in .* already\. Choose another"):
        lay_out(kit, "corr2d", section="7.2", stem="conv_layer")


def test_only_what_is_missing_is_laid_out(kit: Path) -> None:
    manifest = (kit / "checks" / FOLDER / "chapter.toml").read_bytes()
    (kit / "checks" / FOLDER / "test_pooling.py").unlink()
    assert lay_out(kit, "pool2d", section="7.5", stem="pooling") == [
        f"checks/{FOLDER}/test_pooling.py"
    ]
    assert (kit / "checks" / FOLDER / "chapter.toml").read_bytes() == manifest
    catalog.load(kit, complete=True)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ({"section": "7.2"}, r"Section 7\.2 is in the file 'conv_layer'.*Give 7\.2 and conv_layer"),
        ({"stem": "pooling"}, r"Section 7\.5 is in the file 'pooling'"),
        ({"section": "8.3"}, r"number is '8\.3'\. Write it as in \"7\.2\""),
        ({"section": "three"}, "number is 'three'"),
        ({"stem": "Padding.py"}, r"file is 'Padding\.py'"),
        ({"name": "conv output"}, "name is 'conv output'"),
        ({"name": "lambda"}, "a word of Python's own"),
        ({"name": ""}, "'name' is empty"),
        ({"name": "corr2d"}, "name 'corr2d' exists twice"),
        ({"title": ""}, "'title' is empty"),
        ({"chapter": "ch08"}, r"'ch08' is a new chapter \(there are: ch07\)\. Give its title"),
        ({"chapter": "ch07_other"}, f"ch07 is in {FOLDER}"),
        ({"chapter": "seven", "chapter_title": "Seven"}, "id is 'seven'"),
    ],
)
def test_what_contradicts_the_kit_is_refused(
    kit: Path, words: dict[str, str], problem: str
) -> None:
    before = snapshot(kit)
    with pytest.raises(CatalogError, match=problem):
        lay_out(kit, **words)
    assert snapshot(kit) == before


def test_toml_that_is_laid_out_otherwise_is_left_alone(kit: Path) -> None:
    data = tomllib.loads(MANIFEST)
    exercise = (
        '{ name = "pool2d", title = "t", signature = "pool2d(X)", core = { values = 1 }, '
        'hints = ["a", "b", "c"] }'
    )
    inline = (
        f'id = "ch07"\ntitle = "{data["title"]}"\nzh = "6"\nsection = [{{ number = "7.5", '
        f'zh = "6.5", file = "pooling", title = "Pooling", exercise = [{exercise}] }}]\n'
    )
    write(kit / "checks" / FOLDER / "chapter.toml", inline)
    before = snapshot(kit)
    with pytest.raises(CatalogError, match=r"(?s)Add this by hand:.*\[\[section\]\]\nnumber"):
        lay_out(kit)
    assert snapshot(kit) == before


def test_a_file_that_is_not_python_is_left_alone(kit: Path) -> None:
    write(kit / "checks" / FOLDER / "test_conv_layer.py", "def (")
    before = snapshot(kit)
    with pytest.raises(CatalogError, match=r"test_conv_layer\.py: it is not valid Python"):
        lay_out(kit, "learn_kernel", section="7.2", stem="conv_layer")
    assert snapshot(kit) == before
