"""The program: `d2lgrade`, and `python -m d2lgrade`.

Watches for Ctrl-C before it imports anything that takes time.
"""

import sys

if __name__ == "__main__":
    # `python -m` puts the current folder first on the path; a torch.py there must not be ours.
    sys.path[:] = [entry for entry in sys.path if entry not in ("", ".")]
    if sys.path and not sys.flags.safe_path:
        import os

        sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != os.getcwd()]

from d2lgrade import interrupt  # only after the path is clean

interrupt.watch()


def main() -> None:
    """Run the command line and exit with its status."""
    try:
        interrupt.begin()
        from d2lgrade.cli import main as run

        run()
    except KeyboardInterrupt:
        interrupt.stop()


if __name__ == "__main__":
    main()
