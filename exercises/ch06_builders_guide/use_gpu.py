"""Section 6.7: GPUs.

Code that uses a GPU where there is one, and runs all the same where there is none.
"""

import torch


def try_gpu(i=0):
    """The GPU with number i if the machine has it, else the CPU.

    Args:
        i: int, which GPU; they are numbered from 0.

    Returns:
        torch.device, torch.device("cuda:i") or torch.device("cpu").

    Raises:
        ValueError: i is less than 0.

    Example:
        >>> try_gpu(1000)
        device(type='cpu')

    Book: 6.7.1
    """
    raise NotImplementedError("try_gpu")


def try_all_gpus():
    """All GPUs of the machine, or the CPU if it has none.

    So the list is never empty, and code that spreads its work over it runs everywhere. (The book's
    own code returns an empty list without a GPU.)

    Returns:
        list of torch.device: "cuda:0", "cuda:1" and so on for as many as there are; without any a
        list of one item, torch.device("cpu").

    Example:
        >>> devices = try_all_gpus()
        >>> devices == [torch.device("cpu")] or devices[0] == torch.device("cuda:0")
        True

    Book: 6.7.1
    """
    raise NotImplementedError("try_all_gpus")
