"""Real data for checks and learners: the kit's handwritten digits, and batches of them.

What the digits are, who made them, their licence and their split: data/README.md. Fashion-MNIST,
which is too large to ship, has a module of its own: fashion_mnist.py.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  the name everyone knows it by
from torch.utils.data import DataLoader, TensorDataset

TRAIN = 1415
"""Training images: the first eleven forms. The last three, 382 images, are for testing."""

_INK = 16  # the darkest value of a pixel
_DUE = {"images": (1797, 8, 8), "labels": (1797,)}

Split = tuple[Tensor, Tensor]


class DatasetError(Exception):
    """A data file is missing, truncated, corrupt or not what it should be.

    The message names the file, what was found against what was due, and the repair.
    """


def digits(root: Path | None = None, size: int = 28) -> tuple[Split, Split]:
    """Load the kit's handwritten digits, scaled to `size` pixels a side.

    The 8 x 8 originals are scaled up by bilinear interpolation, which a LeNet learns from sooner
    than from repeated pixels. The split is fixed: whole forms, so that no sheet of writing lies on
    both sides. The same call gives the same values each time, in tensors of the caller's own.

    Args:
        root: folder that holds digits.npz; by default the data folder of the installed kit or,
            in a source tree, the repository's.
        size: height and width of the images in pixels, at least 1; 8 leaves them as they are.

    Returns:
        ((train_images, train_labels), (test_images, test_labels)): images float32
        (1415, 1, size, size) and (382, 1, size, size), 0 paper and 1 ink; labels int64
        (1415,) and (382,), values 0 to 9.

    Raises:
        DatasetError: the file is missing or is not the one that data/make_digits.py makes.
        ValueError: `size` is not a positive whole number.

    Source: E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, CC BY 4.0.
    """
    if not isinstance(size, int) or size < 1:
        raise ValueError(f"size must be a positive whole number of pixels, not {size!r}")
    raw = _read((root if root is not None else _home()) / "digits.npz")
    images = torch.from_numpy(raw["images"]).unsqueeze(1).float() / _INK
    # A weighted mean of values in [0, 1] may leave it by a rounding error: hence the clamp.
    images = F.interpolate(images, (size, size), mode="bilinear", align_corners=False).clamp_(0, 1)
    labels = torch.from_numpy(raw["labels"]).long()
    return (images[:TRAIN], labels[:TRAIN]), (images[TRAIN:], labels[TRAIN:])


def few_digits(count: int, size: int) -> Split:
    """Draw some training digits and scale these alone.

    For networks whose images are large: the whole set at 224 pixels would take 360 MB.

    Args:
        count: how many, at most 1415; drawn with torch's global generator.
        size: height and width of the images in pixels.

    Returns:
        (images, labels): float32 (count, 1, size, size) and int64 (count,), as from `digits`.

    Raises:
        DatasetError: as `digits`.
    """
    (images, labels), _ = digits(size=8)
    chosen = torch.randperm(len(labels))[:count]
    scaled = F.interpolate(images[chosen], (size, size), mode="bilinear", align_corners=False)
    return scaled.clamp_(0, 1), labels[chosen]


def loader(
    images: Tensor, labels: Tensor, batch_size: int, shuffle: bool = True, seed: int = 0
) -> DataLoader[tuple[Tensor, ...]]:
    """Batches of a data set, to be iterated over as often as wanted.

    PyTorch's own DataLoader, so that it behaves as learners know it and pickles without any code
    of ours. It draws from a generator of its own and leaves the global one alone: two loaders of
    one seed give the same batches, whatever runs between them, and a fresh order each epoch.

    Args:
        images: tensor (n, ...).
        labels: tensor (n,).
        batch_size: examples in a batch, at least 1; the last batch holds what is left over.
        shuffle: whether each epoch has an order of its own; otherwise the order given.
        seed: of the shuffling.

    Returns:
        A DataLoader of ceil(n / batch_size) batches (images, labels).

    Raises:
        ValueError: the two differ in length, or `batch_size` is not positive.
    """
    if len(images) != len(labels):
        raise ValueError(f"{len(images)} images but {len(labels)} labels: pass one label each")
    generator = torch.Generator().manual_seed(seed)
    return DataLoader(
        TensorDataset(images, labels), batch_size=batch_size, shuffle=shuffle, generator=generator
    )


def _home() -> Path:
    """The folder of the kit's data: the installed kit's, else the source tree's."""
    package = Path(__file__).resolve().parent
    folders = (package / "kit" / "data", package.parents[1] / "data")
    return next((folder for folder in folders if folder.is_dir()), folders[0])


def _read(path: Path) -> dict[str, NDArray[np.uint8]]:
    repair = "Reinstall d2lgrade, or in a source tree run `git checkout -- data/digits.npz`."
    try:
        # By way of memory: NumPy leaves a file open that turns out to be no archive.
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as archive:
            raw = {name: archive[name] for name in _DUE}
    except FileNotFoundError:
        raise DatasetError(f"{path} is missing. {repair}") from None
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise DatasetError(
            f"{path} cannot be read as an archive of images and labels ({error}). {repair}"
        ) from error
    for name, shape in _DUE.items():
        found = raw[name]
        if found.shape != shape or found.dtype != np.uint8:
            raise DatasetError(
                f"{path}: {name} are {found.dtype} {found.shape}, due are uint8 {shape}. {repair}"
            )
    for name, top in (("images", _INK), ("labels", 9)):
        if raw[name].max() > top:
            raise DatasetError(
                f"{path}: {name} hold {raw[name].max()}, due are values from 0 to {top}. {repair}"
            )
    return raw
