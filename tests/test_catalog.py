"""The catalogue: what chapter.toml says, what it refuses, and what a target means."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from d2lgrade import catalog
from d2lgrade.catalog import AmbiguousTarget, CatalogError, Course, UnknownTarget
from kits import FOLDER, MANIFEST, make_kit, write

# Two more chapters, with names that exist twice, in other cases, or as a file's stem as well.
LINEAR = """\
id = "ch03"
title = "Linear networks for regression"
zh = "3"

[[section]]
number = "3.4"
zh = "3.2"
file = "linear_regression_scratch"
title = "Linear regression from scratch"

[[section.exercise]]
name = "sgd"
title = "Stochastic gradient descent"
signature = "sgd(params, lr, batch_size)"
core = { values = 1 }
hints = ["a", "b", "c"]

[[section]]
number = "3.7"
zh = "4.5"
file = "weight_decay"
title = "Weight decay"

[[section.exercise]]
name = "l2_penalty"
title = "The penalty"
signature = "l2_penalty(w)"
core = { values = 1 }
hints = ["a", "b", "c"]
"""
OPTIMIZERS = """\
id = "ch12"
title = "Optimization algorithms"
zh = "11"

[[section]]
number = "12.4"
zh = "11.4"
file = "sgd"
title = "Stochastic gradient descent"

[[section.exercise]]
name = "sgd"
title = "Minibatch step"
signature = "sgd(params, states, hyperparams)"
builds_on = ["l2_penalty"]
core = { values = 1 }
hints = ["a", "b", "c"]

[[section]]
number = "12.10"
zh = ""
file = "adam"
title = "Adam"

[[section.exercise]]
name = "adam"
title = "Adam, a step"
signature = "adam(params, states, hyperparams)"
builds_on = ["ch07/corr2d", "sgd"]
core = { values = 1 }
hints = ["a", "b", "c"]

[[section.exercise]]
name = "Adam"
title = "Adam, an optimizer"
signature = "Adam(params, lr=0.001)"
core = { values = 1 }
hints = ["a", "b", "c"]
"""


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    return make_kit(tmp_path)


@pytest.fixture
def course(kit: Path) -> Course:
    write(kit / "checks/ch12_optimization_algorithms/chapter.toml", OPTIMIZERS)
    write(kit / "checks/ch03_linear_networks_for_regression/chapter.toml", LINEAR)
    return catalog.load(kit)


def edit(kit: Path, old: str, new: str) -> None:
    assert MANIFEST.count(old) >= 1
    write(kit / "checks" / FOLDER / "chapter.toml", MANIFEST.replace(old, new, 1))


def ids(course: Course, *targets: str, edition: str = "en") -> list[str]:
    return [exercise.id for exercise in catalog.resolve(course, targets, edition)]


CORR = ["ch07/corr2d", "ch07/corr2d_twice"]
CHAPTER = [*CORR, "ch07/pool2d"]


def test_a_course_holds_what_its_files_say(kit: Path) -> None:
    course = catalog.load(kit, complete=True)
    assert course.root == kit
    assert [e.id for e in course.exercises] == CHAPTER
    assert [s.path for s in course.sections] == [f"{FOLDER}/conv_layer.py", f"{FOLDER}/pooling.py"]
    exercise = course.exercise("ch07/corr2d")
    assert (exercise.chapter, exercise.name, exercise.section) == ("ch07", "corr2d", "7.2")
    assert (exercise.zh_section, exercise.file) == ("6.2", "conv_layer")
    assert exercise.title == "Two-dimensional cross-correlation"
    assert exercise.signature == "corr2d(X, K)"
    assert exercise.forbidden[0] == "torch.conv2d"
    assert len(exercise.hints) == 3
    assert exercise.max_points == 3.5
    assert [(c.id, c.kind, c.points) for c in exercise.checks] == [
        ("ch07/corr2d/values", "core", 2.0),
        ("ch07/corr2d/orientation", "core", 1.0),
        ("ch07/corr2d/dtype", "polish", 0.5),
    ]
    assert exercise.checks[0].exercise == "ch07/corr2d"
    assert exercise.checks[0].function == "test_corr2d_values"
    assert course.section("pooling").chapter == "ch07"
    assert course.chapter("ch07").exercises == course.exercises


def test_numbers_follow_the_edition(course: Course) -> None:
    exercise = course.exercise("ch07/corr2d")
    assert (exercise.number("en"), exercise.number("zh")) == ("7.2", "6.2")
    assert (course.chapter("ch07").number("en"), course.chapter("ch07").number("zh")) == ("7", "6")
    assert course.section("pooling").numbered("zh") == "6.5"
    assert course.exercise("ch12/adam").number("zh") == "en 12.10"
    with pytest.raises(ValueError, match="'en' or 'zh'"):
        exercise.number("fr")


def test_chapters_come_in_the_order_of_their_numbers(course: Course) -> None:
    assert [chapter.id for chapter in course.chapters] == ["ch03", "ch07", "ch12"]


def test_predecessors_become_full_ids(course: Course) -> None:
    assert course.exercise("ch07/corr2d").builds_on == ()
    assert course.exercise("ch07/corr2d_twice").builds_on == ("ch07/corr2d",)
    assert course.exercise("ch12/sgd").builds_on == ("ch03/l2_penalty",)
    # A bare name is first looked for in the same chapter.
    assert course.exercise("ch12/adam").builds_on == ("ch07/corr2d", "ch12/sgd")


def test_a_predecessor_named_twice_counts_once(kit: Path) -> None:
    edit(kit, '["corr2d"]', '["corr2d", "ch07/corr2d"]')
    assert catalog.load(kit).exercise("ch07/corr2d_twice").builds_on == ("ch07/corr2d",)


@pytest.mark.parametrize(
    ("old", "new", "place", "problem", "repair"),
    [
        ('zh = "6"\n', "zh = \n", "", "not valid TOML", r"line 3.*Repair"),
        ("hints =", "hint =", "exercise]] corr2d", "unknown key 'hint'", "'hints'"),
        ('zh = "6"\n', 'zh = "6"\ncolour = 1\n', "", "unknown key 'colour'", "Known are id"),
        ('title = "Convolutional neural networks"\n', "", "", "'title' is missing", "Add title"),
        ('zh = "6.2"\n', "", "section]] 7.2", "'zh' is missing", "Add zh"),
        ("core = { values = 2, orientation = 1 }\n", "", "corr2d", "no core check", "core = {"),
        ("values = 2, orientation = 1", "", "corr2d", "no core check", "core = {"),
        ("values = 2,", "values = 0.7,", "corr2d", "'values' has 0.7", "multiple of 0.5"),
        ("values = 2,", "values = 0,", "corr2d", "'values' has 0 ", "multiple of 0.5"),
        ("values = 2,", "values = nan,", "corr2d", "'values' has nan", "multiple of 0.5"),
        ("values = 2,", "values = true,", "corr2d", "'values' has True", "multiple of 0.5"),
        ("values = 2,", 'values = "",', "corr2d", "'values' has ''", "multiple of 0.5"),
        ("{ dtype = 0.5 }", "{ values = 0.5 }", "corr2d", "check 'values' exists tw", "Rename"),
        ("{ dtype = 0.5 }", "{ d-type = 0.5 }", "corr2d", "'d-type' cannot name", "lower case"),
        ("{ dtype = 0.5 }", '["dtype"]', "corr2d", "polish = .* wrong type", "polish = {"),
        ('number = "7.2"', "number = 7.2", "section]] 7.2", "number = 7.2 is of", 'number = "'),
        ('number = "7.2"', 'number = "6.2"', "section]] 6.2", "number is '6.2'", "7.2"),
        ('zh = "6.2"', 'zh = "six"', "section]] 7.2", "zh is 'six'", "lacks it"),
        ('"One window, one sum.", ', "", "corr2d", "2 hints", "three"),
        ('"One window, one sum."', "2", "corr2d", "hints may hold", "Write it as"),
        ('name = "corr2d_twice"', 'name = "corr2d"', "corr2d", "signature is", "corr2d"),
        ("\"pool2d(X, pool_size, mode='max')\"", '"X"', "pool2d", "signature is 'X'", "pool2d"),
        ('name = "corr2d"', 'name = "2d"', "2d", "name is '2d'", "Python name"),
        ('name = "corr2d"', 'name = "class"', "class", "word of Python", "another"),
        ('file = "pooling"', 'file = "Pool.py"', "7.5", "file is 'Pool.py'", "lower case"),
        ('file = "pooling"', 'file = "conv_layer"', "7.5", "file 'conv_layer' exists", "Rename"),
        ('number = "7.5"', 'number = "7.2"', "7.2", "number '7.2' exists twice", "Rename"),
        ('id = "ch07"', 'id = "ch08"', "", "does not begin the folder", "agree"),
        ('id = "ch07"', 'id = "seven"', "", "id is 'seven'", "ch07"),
        ('["corr2d"]', '["conv2d"]', "corr2d_twice", "names 'conv2d', which is no", "corr2d"),
        ('["corr2d"]', '["zzz"]', "corr2d_twice", "names 'zzz', which is no", "exercise of this"),
        ('["corr2d"]', '["corr2d_twice"]', "corr2d_twice", "in a circle", "links out"),
        ('["corr2d"]', '"corr2d"', "corr2d_twice", "builds_on = 'corr2d'", "builds_on = \\["),
    ],
)
def test_a_faulty_chapter_names_the_place_and_the_repair(
    kit: Path, old: str, new: str, place: str, problem: str, repair: str
) -> None:
    edit(kit, old, new)
    with pytest.raises(CatalogError) as caught:
        catalog.load(kit)
    message = str(caught.value)
    assert message.startswith(f"checks/{FOLDER}/chapter.toml")
    assert place in message
    assert re.search(f"{problem}.*{repair}", message), message


def test_a_name_may_exist_once_a_chapter(kit: Path) -> None:
    edit(kit, 'name = "pool2d"', 'name = "corr2d"')
    text = (kit / "checks" / FOLDER / "chapter.toml").read_text()
    write(kit / "checks" / FOLDER / "chapter.toml", text.replace('"pool2d(', '"corr2d('))
    with pytest.raises(CatalogError, match=r"corr2d: name 'corr2d' exists twice\. Rename"):
        catalog.load(kit)


def test_two_checks_cannot_share_a_test_function(kit: Path) -> None:
    edit(kit, "orientation = 1", "twice_values = 1")
    with pytest.raises(CatalogError, match=r"'test_corr2d_twice_values' exists twice"):
        catalog.load(kit)


def test_a_bare_predecessor_must_be_the_only_one(course: Course) -> None:
    edit(course.root, '["corr2d"]', '["sgd"]')
    with pytest.raises(
        CatalogError, match=r"'sgd', which exists twice\. Write ch03/sgd or ch12/sg"
    ):
        catalog.load(course.root)


def test_a_circle_over_two_chapters_is_found(course: Course) -> None:
    edit(
        course.root,
        'signature = "corr2d(X, K)"\n',
        'signature = "corr2d(X, K)"\nbuilds_on = ["adam"]\n',
    )
    with pytest.raises(CatalogError, match=r"in a circle: ch\d+/\w+ -> ch\d+/\w+ -> ch\d+/\w+\. "):
        catalog.load(course.root)


def test_two_folders_cannot_hold_one_chapter(kit: Path) -> None:
    write(kit / "checks/ch07_again/chapter.toml", MANIFEST)
    with pytest.raises(CatalogError, match=r"ch07_convolutional.*'ch07' exists twice.*ch07_again"):
        catalog.load(kit)


def test_text_that_is_not_utf8_is_refused(kit: Path) -> None:
    (kit / "checks" / FOLDER / "chapter.toml").write_bytes(b'id = "\xff"')
    with pytest.raises(CatalogError, match=r"chapter\.toml: it cannot be read as UTF-8"):
        catalog.load(kit)


@pytest.mark.parametrize(
    "file",
    [
        f"solutions/{FOLDER}/pooling.py",
        f"checks/{FOLDER}/test_pooling.py",
        f"checks/{FOLDER}/misconceptions/pooling.py",
    ],
)
def test_a_complete_kit_has_every_file(kit: Path, file: str) -> None:
    (kit / file).unlink()
    assert len(catalog.load(kit).exercises) == 3
    with pytest.raises(CatalogError, match=rf"7\.5: {file} is missing.*`d2lgrade dev new`"):
        catalog.load(kit, complete=True)


# A chapter that cannot be used, among others that can -------------------------------------------


def broken(course: Course, old: str, new: str) -> Course:
    """The course read tolerantly with one thing changed in chapter 3."""
    path = course.root / "checks/ch03_linear_networks_for_regression/chapter.toml"
    assert old in LINEAR
    write(path, LINEAR.replace(old, new, 1))
    with pytest.raises(CatalogError):
        catalog.load(course.root)
    return catalog.load(course.root, tolerant=True)


FAULTY = {
    "not TOML": ('title = "Weight decay"', 'title = "Weight decay'),
    "no hints": ('hints = ["a", "b", "c"]', "hints = []"),
    "a number of another chapter's": ('file = "weight_decay"', 'file = "pooling"'),
    "a link to nothing": ("core =", 'builds_on = ["nothing"]\ncore ='),
}


@pytest.mark.parametrize("name", FAULTY)
def test_a_faulty_chapter_leaves_the_others_as_they_are(name: str, course: Course) -> None:
    whole = catalog.load(course.root)
    found = broken(course, *FAULTY[name])
    refused = "ch07" if "another" in name else "ch03"  # the later of two that clash
    kept = [c.id for c in whole.chapters if c.id != refused]
    assert [c.id for c in found.chapters] == kept
    [(folder, fault)] = found.faults.items()
    assert folder.startswith(refused)
    assert f"checks/{folder}/chapter.toml" in fault.complaint
    last = catalog.resolve(found, (kept[-1],))
    assert [e.id for e in last] == [e.id for e in whole.exercises if e.chapter == kept[-1]]


@pytest.mark.parametrize(
    "target",
    ["all", "ch3", "3", "3.7", "l2_penalty", "ch03/sgd", "weight_decay", "weight_decay.py"],
)
def test_who_asks_for_the_faulty_chapter_is_told(target: str, course: Course) -> None:
    found = broken(course, *FAULTY["not TOML"])
    with pytest.raises(CatalogError, match=r"ch03\w+/chapter\.toml: this is not valid TOML"):
        catalog.resolve(found, (target,))


@pytest.mark.parametrize("target", ["ch9", "corr3d", "7.9", "ch07/nothing", ""])
def test_other_targets_are_unknown_as_ever(target: str, course: Course) -> None:
    found = broken(course, *FAULTY["not TOML"])
    with pytest.raises(UnknownTarget):
        catalog.resolve(found, (target,))


def test_a_name_that_only_a_sound_chapter_has_is_no_longer_in_doubt(course: Course) -> None:
    assert ids(broken(course, *FAULTY["not TOML"]), "sgd") == ["ch12/sgd"]


def test_what_builds_on_the_faulty_chapter_says_so(course: Course) -> None:
    found = broken(course, *FAULTY["not TOML"])
    for name in ("sgd", "adam"):  # adam builds on sgd, which builds on l2_penalty
        with pytest.raises(CatalogError, match=rf"ch12/{name} builds on .*ch03.* not valid TOML"):
            found.predecessors(found.exercise(f"ch12/{name}"))
    assert found.predecessors(found.exercise("ch12/Adam")) == []
    twice = found.exercise("ch07/corr2d_twice")
    assert [e.id for e in found.predecessors(twice)] == ["ch07/corr2d"]


def test_a_bad_link_takes_along_only_its_own_chapter(course: Course) -> None:
    """Chapter 12 builds on chapter 3, and is not at fault when that has a bad link."""
    found = broken(course, *FAULTY["a link to nothing"])
    assert set(found.faults) == {"ch03_linear_networks_for_regression"}
    assert set(found.unlinked) == {"ch12/sgd"}


def test_a_kit_with_no_sound_chapter_is_refused(kit: Path) -> None:
    edit(kit, 'id = "ch07"', "id = ")
    with pytest.raises(CatalogError, match="not valid TOML"):
        catalog.load(kit, tolerant=True)


def test_predecessors_come_nearest_first(course: Course) -> None:
    adam = course.exercise("ch12/adam")
    found = [e.id for e in course.predecessors(adam)]
    assert found == ["ch07/corr2d", "ch12/sgd", "ch03/l2_penalty"]


def test_a_course_can_be_hashed(course: Course) -> None:
    assert hash(course) == hash(catalog.load(course.root))


def test_a_kit_is_found_from_below(kit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "_PACKAGE", Path("/nowhere/grader/d2lgrade"))
    assert catalog.find_kit(kit) == kit
    assert catalog.find_kit(kit / "exercises" / FOLDER) == kit
    assert catalog.find_kit(kit / "exercises" / FOLDER / "pooling.py") == kit


def test_the_nearest_kit_wins(kit: Path) -> None:
    write(kit / "mine/checks" / FOLDER / "chapter.toml", MANIFEST)
    assert catalog.find_kit(kit / "mine" / "checks") == kit / "mine"


def test_without_a_kit_the_packaged_one_is_taken_then_the_source_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, package = tmp_path / "empty", tmp_path / "tree/grader/d2lgrade"
    start.mkdir()
    monkeypatch.setattr(catalog, "_PACKAGE", package)
    with pytest.raises(CatalogError, match=r"--kit DIR.*d2lgrade init"):
        catalog.find_kit(start)
    write(tmp_path / "tree/checks/ch07_x/chapter.toml", MANIFEST)
    assert catalog.find_kit(start) == tmp_path / "tree"
    write(package / "kit/checks/ch07_x/chapter.toml", MANIFEST)
    assert catalog.find_kit(start) == package / "kit"


def test_a_folder_without_chapters_is_no_kit(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="--kit DIR"):
        catalog.load(tmp_path)


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("ch7", CHAPTER),
        ("ch07", CHAPTER),
        ("CH7", CHAPTER),
        ("7", CHAPTER),
        (" 7 ", CHAPTER),
        ("7.2", CORR),
        ("corr2d", CORR[:1]),
        ("CORR2D", CORR[:1]),
        ("ch07/corr2d", CORR[:1]),
        ("ch7/Corr2d", CORR[:1]),
        ("pooling", ["ch07/pool2d"]),
        ("ch07/pooling", ["ch07/pool2d"]),
        ("Ch07/Pooling", ["ch07/pool2d"]),
        ("exercises/ch07_x/pooling.py", ["ch07/pool2d"]),
        (f"./exercises/{FOLDER}/pooling.py", ["ch07/pool2d"]),
        (f"/home/ann/kit/exercises/{FOLDER}/pooling.py", ["ch07/pool2d"]),
        (f"exercises\\{FOLDER}\\pooling.py", ["ch07/pool2d"]),
        ("pooling.py", ["ch07/pool2d"]),
        ("work/pooling.py", ["ch07/pool2d"]),
        (f"exercises/{FOLDER}/", CHAPTER),
        (FOLDER, CHAPTER),
        ("adam", ["ch12/adam"]),
        ("Adam", ["ch12/Adam"]),
        ("adam.py", ["ch12/adam", "ch12/Adam"]),
        ("12.10", ["ch12/adam", "ch12/Adam"]),
        ("ch12/sgd", ["ch12/sgd"]),
        ("exercises/ch12_optimization_algorithms/sgd.py", ["ch12/sgd"]),
    ],
)
def test_a_target_names_exercises(course: Course, target: str, found: list[str]) -> None:
    assert ids(course, target) == found


def test_targets_add_up_in_course_order(course: Course) -> None:
    assert ids(course, "pool2d", "7.2", "corr2d", "ch03") == [
        "ch03/sgd",
        "ch03/l2_penalty",
        *CHAPTER,
    ]
    assert ids(course, "all") == [exercise.id for exercise in course.exercises]
    assert ids(course) == []


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("ch6", CHAPTER),
        ("6.2", CORR),
        ("11.4", ["ch12/sgd"]),
        ("3", ["ch03/sgd"]),
        ("4", ["ch03/l2_penalty"]),  # the Chinese edition has weight decay in another chapter
        ("11", ["ch12/sgd", "ch12/adam", "ch12/Adam"]),  # what has no number goes with its chapter
        ("corr2d", CORR[:1]),
        ("ch6/pooling", ["ch07/pool2d"]),
        ("ch07/pooling", ["ch07/pool2d"]),  # an id is an id in every edition
        (f"exercises/{FOLDER}/pooling.py", ["ch07/pool2d"]),
    ],
)
def test_the_chinese_edition_maps_numbers(course: Course, target: str, found: list[str]) -> None:
    assert ids(course, target, edition="zh") == found


@pytest.mark.parametrize(
    ("target", "edition", "near"),
    [
        ("corr2", "en", "corr2d"),
        ("Corr3D", "en", "corr2d"),
        ("poling", "en", "pooling"),
        ("ch07/corr2e", "en", "ch07/corr2d"),
        ("ch9", "en", "ch07"),
        ("7.9", "en", "7.2"),
        ("9.1", "en", "ch03"),
        ("ch7", "zh", "ch06"),
        ("7.2", "zh", "ch06"),
    ],
)
def test_an_unknown_target_suggests_the_nearest(
    course: Course, target: str, edition: str, near: str
) -> None:
    with pytest.raises(UnknownTarget) as caught:
        ids(course, target, edition=edition)
    assert near in caught.value.suggestions
    assert re.search(
        rf"^{target!r} names no .*Did you mean .*{near}.*`d2lgrade list`", str(caught.value)
    )


@pytest.mark.parametrize(
    "target", ["", "/", "nothing/like/it", "ch03/pooling", "ch03_x/pooling.py"]
)
def test_what_names_nothing_is_refused(course: Course, target: str) -> None:
    with pytest.raises(UnknownTarget, match="`d2lgrade list`"):
        ids(course, target)


@pytest.mark.parametrize(
    ("target", "both"),
    [
        ("sgd", ("ch03/sgd", "ch12/sgd")),
        ("SGD", ("ch03/sgd", "ch12/sgd")),
        ("ADAM", ("ch12/adam", "ch12/Adam")),
        ("ch12/ADAM", ("ch12/adam", "ch12/Adam")),
    ],
)
def test_a_name_that_exists_twice_is_asked_about(
    course: Course, target: str, both: tuple[str, ...]
) -> None:
    with pytest.raises(AmbiguousTarget, match=" or ".join(both)) as caught:
        ids(course, target)
    assert caught.value.candidates == both


def test_looking_up_what_is_not_there_suggests_the_nearest(course: Course) -> None:
    with pytest.raises(UnknownTarget, match="ch07/corr2d"):
        course.exercise("ch07/corr2")
    with pytest.raises(UnknownTarget, match="pooling"):
        course.section("poolin")
    with pytest.raises(UnknownTarget, match="ch07"):
        course.chapter("ch77")


def test_listing_imports_the_standard_library_alone(kit: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from d2lgrade import catalog\n"
        f"catalog.load(Path({str(kit)!r}))\n"
        "top = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(top - sys.stdlib_module_names - {'d2lgrade', '__main__', 'sitecustomize'}))\n"
    )
    source = str(Path(catalog.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": source},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
