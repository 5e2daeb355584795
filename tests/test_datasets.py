"""The kit's digits and batches of them: what they hold, and what is said where they are damaged."""

from __future__ import annotations

import hashlib
import importlib.util
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from d2lgrade import datasets
from d2lgrade.datasets import TRAIN, DatasetError, digits, few_digits, loader

DATA = Path(__file__).resolve().parents[1] / "data"


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    """data/make_digits.py, which is a script and lies outside the package."""
    spec = importlib.util.spec_from_file_location("make_digits", DATA / "make_digits.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_file_is_rebuilt_bit_for_bit(maker: ModuleType) -> None:
    pytest.importorskip("sklearn", reason="needs scikit-learn, which brings the original digits")
    assert maker.archive(maker.arrays()) == (DATA / "digits.npz").read_bytes()


def test_archive_is_plain_numpy(maker: ModuleType, tmp_path: Path) -> None:
    parts = {"images": np.arange(6, dtype=np.uint8).reshape(1, 2, 3)}
    (tmp_path / "a.npz").write_bytes(maker.archive(parts))
    with np.load(tmp_path / "a.npz", allow_pickle=False) as archive:
        assert np.array_equal(archive["images"], parts["images"])


def test_digits_shapes_and_types() -> None:
    (images, labels), (test_images, test_labels) = digits()
    assert images.shape == (1415, 1, 28, 28)
    assert test_images.shape == (382, 1, 28, 28)
    assert labels.shape == (1415,)
    assert test_labels.shape == (382,)
    assert {images.dtype, test_images.dtype} == {torch.float32}
    assert {labels.dtype, test_labels.dtype} == {torch.int64}


@pytest.mark.parametrize("size", [1, 8, 16, 28, 33])
def test_digits_sizes_and_range(size: int) -> None:
    (images, _), (test_images, _) = digits(size=size)
    both = torch.cat([images, test_images])
    assert both.shape == (1797, 1, size, size)
    assert both.min() >= 0
    assert both.max() <= 1
    assert both.std() > 0.05


def test_digits_of_size_8_are_the_originals() -> None:
    (images, labels), (test_images, test_labels) = digits(size=8)
    with np.load(DATA / "digits.npz", allow_pickle=False) as archive:
        raw, raw_labels = archive["images"], archive["labels"]
    assert np.array_equal(torch.cat([images, test_images]).squeeze(1).numpy() * 16, raw)
    assert np.array_equal(torch.cat([labels, test_labels]).numpy(), raw_labels)


def test_digits_are_scaled_bilinearly_between_pixel_centres() -> None:
    """Against NumPy's interpolation in float64, one axis after the other."""
    (small, _), _ = digits(size=8)
    (large, _), _ = digits(size=28)
    places = (np.arange(28) + 0.5) * 8 / 28 - 0.5
    weights = np.stack([np.interp(places, np.arange(8), row) for row in np.eye(8)], axis=1)
    expected = weights @ small.double().numpy() @ weights.T
    assert np.abs(large.numpy() - expected).max() < 1e-6


def test_digits_hold_every_class_about_equally_in_both_parts() -> None:
    (_, labels), (_, test_labels) = digits()
    for part in (labels, test_labels):
        counts = part.bincount(minlength=10)
        assert len(counts) == 10
        assert counts.min() >= 0.85 * len(part) / 10


def test_split_falls_between_two_forms() -> None:
    """Every writer copied the same form, so its run of labels tells where a form begins."""
    (_, labels), (_, test_labels) = digits()
    text = "".join(map(str, torch.cat([labels, test_labels]).tolist()))
    assert text[TRAIN:].startswith("0123456789" * 3 + "09556509")
    assert text[:TRAIN].endswith("4908")
    form = text[TRAIN : TRAIN + 130]
    assert form == text[516:646] == text[1667:]


def test_a_few_digits_are_some_of_the_training_images_scaled() -> None:
    (images, labels), _ = digits(size=8)
    torch.manual_seed(3)
    few, theirs = few_digits(20, 8)
    assert few.shape == (20, 1, 8, 8)
    where = [(images == one).flatten(1).all(1).nonzero()[0, 0] for one in few]
    assert torch.equal(labels[torch.stack(where)], theirs)
    assert len({int(place) for place in where}) == 20
    large, _ = few_digits(2, 96)
    assert large.shape == (2, 1, 96, 96)
    assert 0 <= float(large.min()) <= float(large.max()) <= 1


def test_digits_are_the_callers_own() -> None:
    (images, labels), _ = digits()
    images.zero_()
    labels.zero_()
    (again, labels_again), _ = digits()
    assert again.any()
    assert labels_again.any()


def test_digits_can_be_told_apart() -> None:
    """By their nearest training image: garbled pixels or labels out of step would not do this."""
    (images, labels), (test_images, test_labels) = digits()
    nearest = torch.cdist(test_images.flatten(1), images.flatten(1)).argmin(1)
    assert (labels[nearest] == test_labels).float().mean() > 0.93


@pytest.mark.parametrize("size", [0, -1, 2.5, "28"])
def test_size_out_of_range_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="positive whole number"):
        digits(size=size)


def test_root_is_used(tmp_path: Path) -> None:
    shutil.copy(DATA / "digits.npz", tmp_path)
    (images, _), _ = digits(tmp_path)
    assert torch.equal(images, digits()[0][0])


def test_installed_kit_comes_before_the_source_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "grader" / "d2lgrade"
    (tmp_path / "data").mkdir()
    package.mkdir(parents=True)
    monkeypatch.setattr(datasets, "__file__", str(package / "datasets.py"))
    shutil.copy(DATA / "digits.npz", tmp_path / "data")
    assert len(digits()[0][1]) == 1415
    (package / "kit" / "data").mkdir(parents=True)
    with pytest.raises(DatasetError, match="kit"):
        digits()


def _resave(path: Path, **changes: np.ndarray | None) -> None:
    with np.load(path, allow_pickle=False) as archive:
        parts = {name: archive[name] for name in archive.files}
    kept = {name: array for name, array in {**parts, **changes}.items() if array is not None}
    with path.open("wb") as file:
        np.savez(file, **kept)


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:60_000])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[5_000] ^= 0xFF
    path.write_bytes(content)


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: path.unlink(), "is missing"),
    "empty": (lambda path: path.write_bytes(b""), "cannot be read"),
    "text": (lambda path: path.write_text("hello"), "cannot be read"),
    "truncated": (_truncate, "cannot be read"),
    "flipped": (_flip, "cannot be read"),
    "no labels": (lambda path: _resave(path, labels=None), "cannot be read"),
    "pickled": (
        lambda path: _resave(path, labels=np.array([{}] * 1797, dtype=object)),
        "cannot be read",
    ),
    "too few": (
        lambda path: _resave(path, labels=np.zeros(5, np.uint8)),
        r"labels are uint8 \(5,\), due are uint8 \(1797,\)",
    ),
    "wrong type": (
        lambda path: _resave(path, images=np.zeros((1797, 8, 8))),
        r"images are float64 \(1797, 8, 8\)",
    ),
    "ink 17": (
        lambda path: _resave(path, images=np.full((1797, 8, 8), 17, np.uint8)),
        "images hold 17, due are values from 0 to 16",
    ),
    "label 10": (
        lambda path: _resave(path, labels=np.full(1797, 10, np.uint8)),
        "labels hold 10, due are values from 0 to 9",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_file_is_named_with_its_repair(name: str, tmp_path: Path) -> None:
    path = Path(shutil.copy(DATA / "digits.npz", tmp_path))
    damage, message = DAMAGE[name]
    damage(path)
    with pytest.raises(DatasetError, match=message) as caught:
        digits(tmp_path)
    assert str(path) in str(caught.value)
    assert "Reinstall d2lgrade" in str(caught.value)


def _data(n: int = 10) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.arange(n).float().reshape(n, 1, 1, 1), torch.arange(n)


def test_loader_gives_every_example_once_with_its_label() -> None:
    batches = list(loader(*_data(), batch_size=4))
    assert [len(y) for _, y in batches] == [4, 4, 2]
    assert len(loader(*_data(), batch_size=4)) == 3
    assert batches[0][0].shape == (4, 1, 1, 1)
    assert sorted(torch.cat([y for _, y in batches]).tolist()) == list(range(10))
    assert all(torch.equal(X.flatten(), y.float()) for X, y in batches)


def _epochs(batches: object, count: int = 3) -> list[list[int]]:
    return [[int(i) for _, y in batches for i in y] for _ in range(count)]  # type: ignore[attr-defined]


def test_loader_shuffles_anew_each_epoch_and_alike_for_a_seed() -> None:
    first = _epochs(loader(*_data(50), batch_size=8, seed=3))
    torch.rand(5)  # what runs in between does not matter
    assert _epochs(loader(*_data(50), batch_size=8, seed=3)) == first
    assert _epochs(loader(*_data(50), batch_size=8, seed=4)) != first
    assert len({tuple(epoch) for epoch in first}) == 3


def test_loader_keeps_the_order_when_told() -> None:
    assert _epochs(loader(*_data(), batch_size=4, shuffle=False)) == [list(range(10))] * 3


@pytest.mark.parametrize("shuffle", [True, False])
def test_loader_leaves_the_global_generator_alone(shuffle: bool) -> None:
    before = torch.get_rng_state()
    _epochs(loader(*_data(), batch_size=4, shuffle=shuffle))
    assert torch.equal(torch.get_rng_state(), before)


def test_loader_pickles_with_its_place_in_the_sequence() -> None:
    batches = loader(*_data(50), batch_size=8)
    _epochs(batches, 1)
    content = pickle.dumps(batches)
    assert b"d2lgrade" not in content  # so it loads where this package is out of reach
    assert _epochs(pickle.loads(content)) == _epochs(batches)


def test_loader_refuses_unequal_lengths() -> None:
    with pytest.raises(ValueError, match="10 images but 9 labels"):
        loader(_data(10)[0], _data(9)[1], batch_size=4)
    with pytest.raises(ValueError, match="batch_size"):
        loader(*_data(), batch_size=0)


def test_readme_tells_source_licence_checksum_and_split() -> None:
    text = (DATA / "README.md").read_text(encoding="utf-8")
    for fact in (
        "Alpaydin",
        "10.24432/C50P49",
        "CC BY 4.0",
        "Zalando SE, MIT licence",
        f"{TRAIN:,}",
    ):
        assert fact in text
    assert hashlib.sha256((DATA / "digits.npz").read_bytes()).hexdigest() in text
    (_, labels), (_, test_labels) = digits()
    for name, part in (("train", labels), ("test", test_labels)):
        row = [name, *map(str, part.bincount(minlength=10).tolist()), f"{len(part):,}"]
        assert f"| {' | '.join(row)} |" in text
