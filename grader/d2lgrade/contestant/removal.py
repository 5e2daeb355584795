"""Takes a folder away, whatever a stranger has put into it."""

from __future__ import annotations

import contextlib
import os
import stat

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove(folder: str) -> None:
    """Remove a folder; what cannot be removed stays.

    Takes folders nested to any depth and folders that nobody may enter, follows no link, and keeps
    two descriptors open at most: folders found inside of folders are first moved to the top.
    """
    try:
        top = _entered(folder, None)
    except OSError:
        return
    try:
        prefix = os.urandom(8).hex()  # no name that was there before
        moved = 0
        again = True
        while again:
            again = False
            for name in os.listdir(top):
                if not _is_folder(name, top):
                    with contextlib.suppress(OSError):
                        os.unlink(name, dir_fd=top)
                    continue
                with contextlib.suppress(OSError):
                    count = _emptied(name, top, prefix, moved)
                    moved += count
                    again = again or count > 0
                    os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)
    with contextlib.suppress(OSError):
        os.rmdir(folder)


def _emptied(name: str, top: int, prefix: str, moved: int) -> int:
    """Remove what a folder holds; how many of its folders were moved to the top instead."""
    inside = _entered(name, top)
    count = 0
    try:
        for entry in os.listdir(inside):
            with contextlib.suppress(OSError):
                if not _is_folder(entry, inside):
                    os.unlink(entry, dir_fd=inside)
                    continue
                _opened_up(entry, inside)
                target = f"{prefix}-{moved + count}"
                os.rename(entry, target, src_dir_fd=inside, dst_dir_fd=top)
                count += 1
    finally:
        os.close(inside)
    return count


def _is_folder(name: str, above: int) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(name, dir_fd=above).st_mode)
    except OSError:
        return False


def _opened_up(name: str, above: int | None) -> None:
    """Give ourselves the right to change a folder."""
    with contextlib.suppress(OSError):
        os.chmod(name, 0o700, dir_fd=above)


def _entered(name: str, above: int | None) -> int:
    """A descriptor of a folder; its rights are widened first, where need be."""
    if not _is_folder(name, above) if above is not None else os.path.islink(name):
        raise NotADirectoryError(name)
    _opened_up(name, above)
    return os.open(name, _OPEN, dir_fd=above)
