"""Fashion-MNIST, the data set of the book's chapters on images: read it, or fetch it first.

Too large to ship (30 MB), so it lies in a folder of the reader's, in the four IDX files that its
authors publish: https://github.com/zalandoresearch/fashion-mnist, MIT licence, © 2017 Zalando SE.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import os
import secrets
import urllib.error
import urllib.request
import zlib
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import IO, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from d2lgrade.datasets import DatasetError

__all__ = ["CHECKSUMS", "CLASSES", "SOURCES", "DatasetError", "download", "fashion_mnist"]

CLASSES = (
    "t-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)

CHECKSUMS: Mapping[str, str] = {
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}
"""MD5 of each file, as its authors publish them: they find accidents, not attackers."""

SOURCES = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
)
"""Where the files lie: their authors' own site, then their authors' repository."""

_FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}
_UBYTE = 0x08  # the IDX code of unsigned bytes, the only element type that these files have
_SIDE = 28
_CHUNK = 2**16
_LIMIT = 2**26  # no file of the four is half as large; a wrong server must not fill the memory


def fashion_mnist(
    folder: Path,
    split: Literal["train", "test"],
    download: bool = False,
    *,
    files: Mapping[str, str] = CHECKSUMS,
    sources: Sequence[str] = SOURCES,
) -> tuple[Tensor, Tensor]:
    """Load one split of Fashion-MNIST from its IDX files.

    Each file may be gzipped or not, with or without its ending .gz.

    Args:
        folder: where the files lie.
        split: "train" (60,000 images in the published files) or "test" (10,000).
        download: fetch the split's files first where they are missing or cannot be read. With
            good files in place the network is not touched.
        files, sources: as in `download`.

    Returns:
        (images, labels): float32 (n, 1, 28, 28), grey values in [0, 1]; int64 (n,), 0 to 9,
        indices into CLASSES.

    Raises:
        DatasetError: a file is missing, truncated, corrupt or of another kind, the two files
            differ in number, or the download failed.
        ValueError: there is no such split.
    """
    if split not in _FILES:
        raise ValueError(f'split is "train" or "test", not {split!r}')
    names = _FILES[split]
    try:
        return _pair(folder, *names)
    except DatasetError:
        if not download:
            raise
    _download(folder, files={name: files[name] for name in names}, sources=sources)
    return _pair(folder, *names)


def download(
    folder: Path,
    *,
    files: Mapping[str, str] = CHECKSUMS,
    sources: Sequence[str] = SOURCES,
    timeout: float = 20.0,
) -> None:
    """Fetch the files of Fashion-MNIST (30 MB) that a folder does not hold yet.

    A file with the right checksum is left alone. Any other is replaced in one step, by content
    whose checksum is right: whatever happens, no file is lost to a worse one or left half-written.

    Args:
        folder: where to put them; made if need be.
        files: MD5 in hexadecimal by file name.
        sources: addresses ending in "/", tried in turn for each file.
        timeout: seconds without an answer after which a source is given up.

    Raises:
        DatasetError: no source gave the file that is due, or the folder cannot be written to.
    """
    for name, checksum in files.items():
        target = folder / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if target.is_file() and _md5(target.read_bytes()) == checksum:
                continue
            _replace(target, _fetch(target, checksum, sources, timeout))
        except OSError as error:
            raise DatasetError(
                f"{target} cannot be written ({error}). Choose a folder that you can write to, "
                "with 30 MB of free space."
            ) from error


_download = download  # fashion_mnist has an argument of that name


class _SourceError(Exception):
    """A source did not give the file; the message, put after its address, says why."""


def _fetch(target: Path, checksum: str, sources: Sequence[str], timeout: float) -> bytes:
    reasons = []
    for source in sources:
        try:
            content = _receive(source + target.name, timeout)
        except _SourceError as error:
            reasons.append(f"  {source}{target.name} {error}")
            continue
        if (found := _md5(content)) == checksum:
            return content
        size = f"{len(content):,} bytes"
        reasons.append(f"  {source}{target.name} sent {size} with MD5 {found}, due is {checksum}")
    raise DatasetError(
        "\n".join(
            [
                f"{target.name} could not be downloaded:",
                *reasons,
                "Check the network and try again, or fetch the file elsewhere and put it into "
                f"{target.parent} (MD5 {checksum}).",
            ]
        )
    )


def _receive(url: str, timeout: float) -> bytes:
    """What lies at `url`. In memory, because nothing unverified shall touch the folder."""
    content = bytearray()
    try:
        with urllib.request.urlopen(url, timeout=timeout) as response:
            due = response.headers.get("Content-Length", "")
            while chunk := response.read(_CHUNK):
                content += chunk
                if len(content) > _LIMIT:
                    raise _SourceError(f"sends more than {_LIMIT:,} bytes, far too many")
    except urllib.error.HTTPError as error:
        with closing(error):  # it holds the connection, and newer Pythons warn if it is dropped
            raise _SourceError(f"answers {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        raise _SourceError(f"cannot be reached ({error.reason})") from None
    except (OSError, http.client.HTTPException) as error:
        raise _SourceError(f"broke off ({error or type(error).__name__})") from None
    if due.isdigit() and len(content) != int(due):
        raise _SourceError(f"broke off after {len(content):,} of {int(due):,} bytes")
    return bytes(content)


def _replace(target: Path, content: bytes) -> None:
    """Put `content` at `target` in one step: a reader sees the old file or the new, never half."""
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # else a power cut may leave the name without its bytes
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _pair(folder: Path, images_name: str, labels_name: str) -> tuple[Tensor, Tensor]:
    images_path, images = _idx(folder, images_name, 3)
    labels_path, labels = _idx(folder, labels_name, 1)
    if images.shape[1:] != (_SIDE, _SIDE):
        height, width = images.shape[1:]
        raise _damaged(images_path, f"holds images of {height} x {width} pixels, due are 28 x 28")
    if len(images) != len(labels):
        raise _damaged(
            labels_path, f"holds {len(labels)} labels, due are {len(images)}, as {images_path.name}"
        )
    if len(labels) and labels.max() >= len(CLASSES):
        raise _damaged(labels_path, f"holds the label {labels.max()}, due are 0 to 9")
    pixels = torch.from_numpy(images).unsqueeze(1).float().div_(255)
    return pixels, torch.from_numpy(labels).long()


def _idx(folder: Path, name: str, rank: int) -> tuple[Path, NDArray[np.uint8]]:
    """Read an IDX file of unsigned bytes, gzipped or not: where it was found, and its array."""
    candidates = (folder / name, folder / name.removesuffix(".gz"))
    path = next((path for path in candidates if path.is_file()), None)
    if path is None:
        raise DatasetError(
            f"{folder} holds neither {name} nor {name.removesuffix('.gz')}. Pass download=True, "
            f"or put the file there: {SOURCES[-1]}{name}"
        )
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"  # the content says so; a name may lie
            raw.seek(0)
            if not zipped:
                return path, _elements(path, raw, rank)
            with gzip.GzipFile(fileobj=raw) as unzipped:
                return path, _elements(path, unzipped, rank)
    except EOFError:
        size = path.stat().st_size
        raise _damaged(path, f"breaks off after {size:,} bytes, due is a whole gzip file") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise _damaged(path, f"is a damaged gzip file ({error})") from error
    except OSError as error:
        raise DatasetError(
            f"{path} cannot be read ({error}). See that it is a file that you may read."
        ) from error


def _elements(path: Path, file: IO[bytes] | gzip.GzipFile, rank: int) -> NDArray[np.uint8]:
    """Two zero bytes, the type, the rank; one size for each dimension, big-endian; the data."""
    magic = file.read(4)
    due = bytes((0, 0, _UBYTE, rank))
    if magic != due:
        found = f"begins with the bytes {magic.hex(' ')}" if magic else "is empty"
        raise _damaged(path, f"{found}, due are {due.hex(' ')} and more")
    header = file.read(4 * rank)
    if len(header) != 4 * rank:
        raise _damaged(path, f"has {len(header)} bytes of sizes in its header, due are {4 * rank}")
    shape = tuple(int(size) for size in np.frombuffer(header, dtype=">u4"))
    count = 1
    for size in shape:
        count *= size  # Python's whole numbers: sizes of a corrupt header must not wrap round
    data = bytearray()
    while chunk := file.read(_CHUNK):  # to the end, where gzip verifies its own checksum
        data += chunk
        if len(data) > count:
            raise _damaged(path, f"goes on after the {count:,} bytes of data that its header names")
    if len(data) != count:
        raise _damaged(path, f"holds {len(data):,} bytes of data, due are {count:,} by its header")
    return np.frombuffer(data, dtype=np.uint8).reshape(shape)


def _damaged(path: Path, what: str) -> DatasetError:
    return DatasetError(f"{path} {what}. Delete it and pass download=True, or fetch it anew.")
