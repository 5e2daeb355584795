"""Fashion-MNIST on files of its format made here: reading, damage, and downloads from 127.0.0.1."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from d2lgrade.fashion_mnist import (
    CHECKSUMS,
    CLASSES,
    SOURCES,
    DatasetError,
    download,
    fashion_mnist,
)

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = CHECKSUMS
SIZES = {"train": 30, "test": 20}


def idx(array: np.ndarray, magic: bytes | None = None, sizes: tuple[int, ...] = ()) -> bytes:
    """An IDX file of unsigned bytes, its header false where told."""
    magic = bytes((0, 0, 8, array.ndim)) if magic is None else magic
    sizes = sizes or array.shape
    return magic + struct.pack(f">{len(sizes)}I", *sizes) + array.tobytes()


def arrays(split: str) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(len(split))
    n = SIZES[split]
    return random.integers(0, 256, (n, 28, 28), np.uint8), np.arange(n, dtype=np.uint8) % 10


def contents() -> dict[str, bytes]:
    """The four files, gzipped, by name."""
    names = iter(CHECKSUMS)
    return {
        next(names): gzip.compress(idx(a), 1, mtime=0) for split in SIZES for a in arrays(split)
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the four files as they are published."""
    for name, content in contents().items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.mark.parametrize("split", ["train", "test"])
def test_reads_values_types_and_shapes(folder: Path, split: str) -> None:
    images, labels = fashion_mnist(folder, split)  # type: ignore[arg-type]
    raw, raw_labels = arrays(split)
    assert images.shape == (SIZES[split], 1, 28, 28)
    assert images.dtype == torch.float32
    assert labels.dtype == torch.int64
    assert np.array_equal(images.squeeze(1).numpy(), raw.astype(np.float32) / 255)
    assert np.array_equal(labels.numpy(), raw_labels)
    assert images.max() <= 1


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_reads_files_that_are_not_gzipped(folder: Path, ending: str) -> None:
    expected = fashion_mnist(folder, "test")
    for name in (TEST_IMAGES, TEST_LABELS):
        content = gzip.decompress((folder / name).read_bytes())
        (folder / name).unlink()
        (folder / (name.removesuffix(".gz") + ending)).write_bytes(content)
    found = fashion_mnist(folder, "test")
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


def test_tensors_are_the_callers_own(folder: Path) -> None:
    images, labels = fashion_mnist(folder, "test")
    images.zero_()
    labels.zero_()
    assert fashion_mnist(folder, "test")[0].any()


def test_a_split_needs_its_own_files_only(folder: Path) -> None:
    (folder / TRAIN_IMAGES).unlink()
    assert len(fashion_mnist(folder, "test")[1]) == SIZES["test"]
    with pytest.raises(DatasetError, match="holds neither train-images-idx3-ubyte"):
        fashion_mnist(folder, "train")


def test_unknown_split_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match='"train" or "test", not \'valid\''):
        fashion_mnist(folder, "valid")  # type: ignore[arg-type]


def test_published_facts() -> None:
    assert len(CLASSES) == 10
    assert all(len(bytes.fromhex(checksum)) == 16 for checksum in CHECKSUMS.values())
    assert len(SOURCES) == 2
    assert all(source.endswith("/") for source in SOURCES)


def _images(**header: object) -> Callable[[bytes], bytes]:
    return lambda _: gzip.compress(idx(arrays("test")[0], **header))  # type: ignore[arg-type]


def _flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0x55]) + content[middle + 1 :]


DAMAGE: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "gzip cut short": (TEST_IMAGES, lambda c: c[: len(c) // 2], "breaks off after"),
    "gzip without its last bytes": (TEST_IMAGES, lambda c: c[:-3], "breaks off after"),
    "gzip header alone": (TEST_IMAGES, lambda c: c[:4], "breaks off after"),
    "gzip with a flipped bit": (TEST_IMAGES, _flip, "damaged gzip file"),
    "gzip with an impossible block": (
        TEST_IMAGES,
        lambda c: c[:10] + b"\xff" + c[11:],
        "damaged gzip file",
    ),
    "gzip with a wrong checksum": (
        TEST_LABELS,
        lambda c: c[:-8] + bytes(4) + c[-4:],
        "damaged gzip file",
    ),
    "gzip with more behind it": (TEST_LABELS, lambda c: c + b"more", "damaged gzip file"),
    "a page of HTML": (
        TEST_IMAGES,
        lambda _: b"<!DOCTYPE html>",
        "begins with the bytes 3c 21 44 4f, due are 00 00 08 03",
    ),
    "empty": (TEST_LABELS, lambda _: b"", "is empty, due are 00 00 08 01"),
    "plain, cut short": (
        TEST_IMAGES,
        lambda c: gzip.decompress(c)[:-1],
        "holds 15,679 bytes of data, due are 15,680",
    ),
    "plain, one byte more": (
        TEST_IMAGES,
        lambda c: gzip.decompress(c) + b"\0",
        "goes on after the 15,680 bytes",
    ),
    "header cut short": (
        TEST_IMAGES,
        lambda c: gzip.decompress(c)[:10],
        "has 6 bytes of sizes in its header, due are 12",
    ),
    "magic of labels": (
        TEST_IMAGES,
        _images(magic=bytes((0, 0, 8, 1))),
        "begins with the bytes 00 00 08 01, due are 00 00 08 03",
    ),
    "type of floats": (
        TEST_IMAGES,
        _images(magic=bytes((0, 0, 0x0D, 3))),
        "begins with the bytes 00 00 0d 03",
    ),
    "first bytes not zero": (
        TEST_IMAGES,
        _images(magic=bytes((1, 0, 8, 3))),
        "begins with the bytes 01 00 08 03",
    ),
    "sizes the other way round": (
        TEST_IMAGES,
        lambda _: gzip.compress(b"\0\0\x08\x03" + struct.pack("<3I", 20, 28, 28)),
        "holds 0 bytes of data, due are",
    ),
    "one image promised too many": (
        TEST_IMAGES,
        _images(sizes=(21, 28, 28)),
        "holds 15,680 bytes of data, due are 16,464",
    ),
    "one image promised too few": (
        TEST_IMAGES,
        _images(sizes=(19, 28, 28)),
        "goes on after the 14,896 bytes",
    ),
    "sizes that would wrap round in 64 bits": (
        TEST_IMAGES,
        _images(sizes=(2**31, 2**31, 4)),
        "due are 18,446,744,073,709,551,616",
    ),
    "images of another size": (
        TEST_IMAGES,
        _images(sizes=(20, 14, 56)),
        "holds images of 14 x 56 pixels, due are 28 x 28",
    ),
    "fewer labels than images": (
        TEST_LABELS,
        lambda _: gzip.compress(idx(np.zeros(19, np.uint8))),
        "holds 19 labels, due are 20, as t10k-images-idx3-ubyte.gz",
    ),
    "a label too large": (
        TEST_LABELS,
        lambda _: gzip.compress(idx(np.full(20, 10, np.uint8))),
        "holds the label 10, due are 0 to 9",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_named_with_its_repair(folder: Path, name: str) -> None:
    file, damage, message = DAMAGE[name]
    path = folder / file
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DatasetError) as caught:
        fashion_mnist(folder, "test")
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)
    assert "Delete it and pass download=True" in str(caught.value)
    assert len(fashion_mnist(folder, "train")[1]) == SIZES["train"]


def test_missing_folder_is_named_with_its_repair(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="Pass download=True") as caught:
        fashion_mnist(tmp_path / "nowhere", "train")
    assert str(tmp_path / "nowhere") in str(caught.value)
    assert SOURCES[1] + TRAIN_IMAGES in str(caught.value)


def test_unreadable_file_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DatasetError, match="See that it is a file that you may read") as caught:
        fashion_mnist(folder, "test")
    assert str(folder / TEST_IMAGES) in str(caught.value)


class Server:
    """A web server on 127.0.0.1 whose answers a test sets; counts what it was asked for."""

    def __init__(self) -> None:
        self.files = contents()
        self.short: set[str] = set()  # files that break off half-way
        self.silent = threading.Event()  # set to end the waiting of "silent/" and "stalled/"
        self.asked: list[str] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                if self.path.startswith("/silent/"):
                    outer.silent.wait(30)
                    return
                if self.path.startswith("/garbled/"):
                    self.wfile.write(b"not HTTP at all\r\n")
                    return
                if self.path.startswith("/stalled/"):
                    self.send_response(200)
                    self.send_header("Content-Length", "1000")
                    self.end_headers()
                    self.wfile.write(b"some")
                    self.wfile.flush()
                    outer.silent.wait(30)
                    return
                content = outer.files.get(self.path.removeprefix("/"))
                if content is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                cut = self.path.removeprefix("/") in outer.short
                self.wfile.write(content[: len(content) // 2] if cut else content)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_port}/"

    def close(self) -> None:
        self.silent.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    server = Server()
    yield server
    server.close()


GOOD = {name: hashlib.md5(content).hexdigest() for name, content in contents().items()}


def test_download_puts_the_verified_files_there(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    download(folder, files=GOOD, sources=[server.url])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == server.files
    assert len(fashion_mnist(folder, "train")[1]) == SIZES["train"]


def test_download_leaves_good_files_alone(server: Server, folder: Path) -> None:
    (folder / TEST_LABELS).write_bytes(b"bad")
    before = (folder / TRAIN_IMAGES).stat()
    download(folder, files=GOOD, sources=[server.url])
    assert server.asked == ["/" + TEST_LABELS]
    assert (folder / TEST_LABELS).read_bytes() == server.files[TEST_LABELS]
    assert (folder / TRAIN_IMAGES).stat().st_ino == before.st_ino


def test_download_does_not_disturb_a_reader(server: Server, tmp_path: Path) -> None:
    old = tmp_path / TEST_LABELS
    old.write_bytes(b"the old file")
    with old.open("rb", buffering=0) as reader:
        download(tmp_path, files={TEST_LABELS: GOOD[TEST_LABELS]}, sources=[server.url])
        assert reader.read() == b"the old file"


def test_downloaded_file_has_ordinary_rights(server: Server, tmp_path: Path) -> None:
    (tmp_path / "ordinary").touch()
    download(tmp_path, files={TEST_LABELS: GOOD[TEST_LABELS]}, sources=[server.url])
    assert (tmp_path / TEST_LABELS).stat().st_mode == (tmp_path / "ordinary").stat().st_mode


@pytest.mark.parametrize("kind", ["truncated", "wrong", "refused"])
def test_bad_download_never_replaces_a_file(server: Server, tmp_path: Path, kind: str) -> None:
    old = b"the old file"
    (tmp_path / TEST_IMAGES).write_bytes(old)
    if kind == "truncated":
        server.short.add(TEST_IMAGES)
        size = len(server.files[TEST_IMAGES])
        message = f"broke off after {size // 2:,} of {size:,} bytes"
    elif kind == "wrong":
        page = b"<html>Please log in</html>"
        server.files[TEST_IMAGES] = page
        found = hashlib.md5(page).hexdigest()
        message = f"sent 26 bytes with MD5 {found}, due is {GOOD[TEST_IMAGES]}"
    else:
        del server.files[TEST_IMAGES]
        message = "answers 404 Not Found"
    with pytest.raises(DatasetError) as caught:
        download(tmp_path, files={TEST_IMAGES: GOOD[TEST_IMAGES]}, sources=[server.url])
    text = str(caught.value)
    assert text.startswith(f"{TEST_IMAGES} could not be downloaded:\n  {server.url}{TEST_IMAGES} ")
    assert message in text
    assert f"put it into {tmp_path} (MD5 {GOOD[TEST_IMAGES]})" in text
    assert [path.name for path in tmp_path.iterdir()] == [TEST_IMAGES]
    assert (tmp_path / TEST_IMAGES).read_bytes() == old


def test_second_source_is_tried(server: Server, tmp_path: Path) -> None:
    sources = [server.url + "gone/", server.url]
    download(tmp_path, files={TEST_LABELS: GOOD[TEST_LABELS]}, sources=sources)
    assert server.asked == [f"/gone/{TEST_LABELS}", f"/{TEST_LABELS}"]
    assert (tmp_path / TEST_LABELS).read_bytes() == server.files[TEST_LABELS]


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("silent/", "timed out"),
        ("stalled/", r"broke off \(timed out\)"),
        ("garbled/", r"broke off \(not HTTP at all"),
    ],
)
def test_source_that_does_not_answer_properly_is_given_up(
    server: Server, tmp_path: Path, place: str, message: str
) -> None:
    sources = [server.url + place]
    with pytest.raises(DatasetError, match=message):
        download(tmp_path, files={TEST_LABELS: "00"}, sources=sources, timeout=0.2)


def test_endless_file_is_given_up(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("d2lgrade.fashion_mnist._LIMIT", 1_000)
    with pytest.raises(DatasetError, match="sends more than 1,000 bytes"):
        download(tmp_path, files={TEST_IMAGES: GOOD[TEST_IMAGES]}, sources=[server.url])


@pytest.mark.parametrize("source", ["http://127.0.0.1:1/", "nonsense://host/"])
def test_without_a_network_every_source_and_the_repair_are_named(
    tmp_path: Path, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    sources = [source, "http://127.0.0.1:1/mirror/"]
    with pytest.raises(DatasetError) as caught:
        fashion_mnist(tmp_path, "test", download=True, files=GOOD, sources=sources)
    for line in (f"{source}{TEST_IMAGES} cannot be reached", "/mirror/", "Check the network"):
        assert line in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_folder_that_cannot_be_written_is_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="Choose a folder that you can write to") as caught:
        download(tmp_path / "file", files=GOOD, sources=[server.url])
    assert str(tmp_path / "file") in str(caught.value)


def test_interrupted_write_leaves_the_old_file(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / TEST_LABELS).write_bytes(b"the old file")

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        download(tmp_path, files={TEST_LABELS: GOOD[TEST_LABELS]}, sources=[server.url])
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"the old file"]


def test_loading_downloads_what_the_split_needs(server: Server, tmp_path: Path) -> None:
    images, _ = fashion_mnist(tmp_path, "test", download=True, files=GOOD, sources=[server.url])
    assert len(images) == SIZES["test"]
    assert server.asked == [f"/{TEST_IMAGES}", f"/{TEST_LABELS}"]


def test_loading_repairs_a_damaged_file(server: Server, folder: Path) -> None:
    (folder / TEST_IMAGES).write_bytes(server.files[TEST_IMAGES][:500])
    fashion_mnist(folder, "test", download=True, files=GOOD, sources=[server.url])
    assert server.asked == ["/" + TEST_IMAGES]


def test_loading_good_files_does_not_touch_the_network(server: Server, folder: Path) -> None:
    fashion_mnist(folder, "test", download=True, sources=[server.url])
    assert not server.asked
