"""Rebuild data/digits.npz, bit for bit, from the copy of the digits that scikit-learn bundles.

Run `python data/make_digits.py` with scikit-learn installed; no network is needed. The archive is
stored, not compressed, and every field of it is fixed here, so that no version of Python, zlib or
NumPy changes a byte. What the data are and under which licence: README.md beside this file.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TARGET = Path(__file__).with_name("digits.npz")


def arrays() -> dict[str, NDArray[np.uint8]]:
    """The arrays of the archive: images uint8 (1797, 8, 8), 0 to 16; labels uint8 (1797,)."""
    from sklearn.datasets import load_digits  # type: ignore[import-untyped]

    images, labels = load_digits(return_X_y=True)
    return {
        "images": images.reshape(-1, 8, 8).astype(np.uint8),
        "labels": labels.astype(np.uint8),
    }


def archive(parts: dict[str, NDArray[np.uint8]]) -> bytes:
    """The bytes of an uncompressed .npz file holding `parts`, the same on every machine."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as target:
        for name, array in parts.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, array, version=(1, 0), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # ZipInfo's default follows the operating system
            entry.external_attr = 0o644 << 16
            target.writestr(entry, content.getvalue())
    return buffer.getvalue()


if __name__ == "__main__":
    TARGET.write_bytes(archive(arrays()))
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")
