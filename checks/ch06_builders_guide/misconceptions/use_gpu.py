"""Wrong answers that people give in section 6.7, and what went wrong in them."""

import torch

from d2lgrade.testkit import misconception


def _legal(i):
    """Refuse what the contract refuses, so that each answer below is wrong in one way only."""
    if i < 0:
        raise ValueError("numbered from 0")


def _gpus():
    return [torch.device(f"cuda:{i}") for i in range(torch.cuda.device_count())]


# --- try_gpu --------------------------------------------------------------------------------


@misconception(
    "try_gpu",
    "one-too-far",
    book="6.7.1",
    why="The numbers begin at 0: of two GPUs the last is number 1. Compare i + 1 with the "
    "count, or use <.",
)
def try_gpu_too_far(i=0):
    _legal(i)
    return torch.device(f"cuda:{i}" if i <= torch.cuda.device_count() else "cpu")


@misconception(
    "try_gpu",
    "any-gpu-will-do",
    book="6.7.1",
    why="You ask whether there is a GPU, not whether there is one of that number.",
)
def try_gpu_any(i=0):
    _legal(i)
    return torch.device(f"cuda:{i}" if torch.cuda.is_available() else "cpu")


@misconception(
    "try_gpu",
    "always-the-first",
    book="6.7.1",
    why="It is always the first GPU; i is not used.",
)
def try_gpu_first(i=0):
    _legal(i)
    return torch.device("cuda:0" if i < torch.cuda.device_count() else "cpu")


@misconception(
    "try_gpu",
    "number-left-out",
    book="6.7.1",
    why="The device has no number: 'cuda' is whichever GPU is current. Write 'cuda:0'.",
)
def try_gpu_current(i=0):
    _legal(i)
    return torch.device("cuda" if i < torch.cuda.device_count() else "cpu")


@misconception(
    "try_gpu",
    "name-for-device",
    book="6.7.1",
    why="This is a string. Make a torch.device of it.",
)
def try_gpu_name(i=0):
    _legal(i)
    return f"cuda:{i}" if i < torch.cuda.device_count() else "cpu"


@misconception(
    "try_gpu",
    "never-asked",
    book="6.7.1",
    why="You return a GPU without asking whether there is one: torch.cuda.device_count() knows.",
)
def try_gpu_blind(i=0):
    _legal(i)
    return torch.device(f"cuda:{i}")


# --- try_all_gpus ---------------------------------------------------------------------------


@misconception(
    "try_all_gpus",
    "empty-list",
    book="6.7.1",
    why="Without a GPU the list is empty, as in the book's code. It is to hold the CPU then.",
)
def try_all_gpus_empty():
    return _gpus()


@misconception(
    "try_all_gpus",
    "cpu-too",
    book="6.7.1",
    why="The CPU is in the list beside the GPUs. It stands in only where there is none.",
)
def try_all_gpus_cpu_too():
    return [*_gpus(), torch.device("cpu")]


@misconception(
    "try_all_gpus",
    "device-for-list",
    book="6.7.1",
    why="Without a GPU the result is the CPU itself. It is to be a list, as always.",
)
def try_all_gpus_bare():
    return _gpus() or torch.device("cpu")


@misconception(
    "try_all_gpus",
    "counted-from-one",
    book="6.7.1",
    why="GPUs are numbered from 0: range(n) counts right, range(1, n + 1) does not.",
)
def try_all_gpus_from_one():
    count = torch.cuda.device_count()
    return [torch.device(f"cuda:{i + 1}") for i in range(count)] or [torch.device("cpu")]


@misconception(
    "try_all_gpus",
    "first-alone",
    book="6.7.1",
    why="Only one GPU is listed. Go through all of them.",
)
def try_all_gpus_first():
    return _gpus()[:1] or [torch.device("cpu")]
