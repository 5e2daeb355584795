"""`python -m d2lgrade`: the same as the `d2lgrade` command."""

import sys

# `python -m` puts the current folder first on the path; a torch.py lying there must not be ours.
sys.path[:] = [entry for entry in sys.path if entry not in ("", ".")]
if sys.path and not sys.flags.safe_path:
    import os

    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != os.getcwd()]

from d2lgrade.cli import main  # noqa: E402  # only after the path is clean

main()
