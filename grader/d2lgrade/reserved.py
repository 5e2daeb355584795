"""Module names that no file of a submission can take.

Python's own, and what the course and the grader stand on: a learner's `torch.py` is not what
`import torch` means, neither for their code nor for anybody else's.
"""

from __future__ import annotations

import sys

RESERVED = sys.stdlib_module_names | {
    *("d2l", "d2lgrade", "torch", "torchgen", "functorch", "torchvision", "torchaudio", "numpy"),
    *("pytest", "_pytest", "pluggy", "msgpack", "cloudpickle", "click", "rich"),
    *("sympy", "mpmath", "networkx", "jinja2", "fsspec", "filelock", "typing_extensions"),
    *("setuptools", "pkg_resources", "matplotlib", "pandas", "scipy", "sklearn", "PIL", "IPython"),
}
