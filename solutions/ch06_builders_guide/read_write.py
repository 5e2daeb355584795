"""Section 6.6: File I/O.

Checkpoints: what it takes to go on training tomorrow as if nothing had happened.
"""

import os
from pathlib import Path

import torch


def save_checkpoint(path, net, optimizer):
    """Write the state of a network and of its optimizer to a file.

    The file holds what torch.save makes of a dict with two entries: "net", the state_dict() of the
    net, and "optimizer", the state_dict() of the optimizer. Without the second one, momentum and
    step counts would be lost.

    A good checkpoint is never replaced by half of one. Write to another file in the same folder,
    and let it take the place of `path` in one step when it is complete: os.replace does that, and
    the old file is there until then. If anything goes wrong on the way, the old file stays as it
    is, nothing else is left in the folder, and the exception is passed on.

    Args:
        path: str or pathlib.Path, where the file is to be; its folder exists. A file that is there
            already is replaced.
        net: an nn.Module. Not modified.
        optimizer: a torch.optim.Optimizer, or what else has a state_dict(). Not modified.

    Returns:
        None.

    Example:
        >>> import tempfile
        >>> net = torch.nn.Linear(2, 1)
        >>> optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_checkpoint(f"{folder}/today.pt", net, optimizer)
        ...     sorted(torch.load(f"{folder}/today.pt"))
        ['net', 'optimizer']

    Book: 6.6.2
    """
    # BEGIN SOLUTION
    # BLANK: state = {____}
    state = {"net": net.state_dict(), "optimizer": optimizer.state_dict()}
    path = Path(path)
    # The same folder, because only within one file system is a file renamed in one step.
    # BLANK: unfinished = path.with_name(____)
    unfinished = path.with_name(f"{path.name}.part")
    try:
        # BLANK: torch.save(state, ____)
        torch.save(state, unfinished)
        # BLANK: os.replace(____, ____)
        os.replace(unfinished, path)
    finally:
        # Gone already if all went well.
        unfinished.unlink(missing_ok=True)
    # END SOLUTION


def load_checkpoint(path, net, optimizer):
    """Read a checkpoint back into a network and its optimizer.

    The file is one that `save_checkpoint` wrote. Afterwards training goes on as if it had never
    stopped. Parameters keep being the objects they are, filled with new values, so that the
    optimizer goes on moving those of the net. They stay on their device, wherever the file was
    written.

    A checkpoint may come from a stranger. Read it as data, never as code: torch.load with
    weights_only=True.

    Args:
        path: str or pathlib.Path of the file. The file is not modified.
        net: an nn.Module made like the one that was saved. Its parameters and buffers are modified
            in place.
        optimizer: an optimizer of the kind that was saved, made for the parameters of net. Its
            state is modified.

    Returns:
        None.

    Raises:
        FileNotFoundError: there is no such file.
        RuntimeError: the net that was saved has other parameters, as `load_state_dict` says.

    Example:
        >>> import tempfile
        >>> old, new = torch.nn.Linear(2, 1), torch.nn.Linear(2, 1)
        >>> optimizers = [torch.optim.SGD(net.parameters(), lr=0.1) for net in (old, new)]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_checkpoint(f"{folder}/today.pt", old, optimizers[0])
        ...     load_checkpoint(f"{folder}/today.pt", new, optimizers[1])
        >>> torch.equal(old.weight, new.weight)
        True

    Book: 6.6.2
    """
    # BEGIN SOLUTION
    # The CPU has room everywhere; load_state_dict moves each tensor to where its owner is.
    # BLANK: state = torch.load(path, ____)
    state = torch.load(path, map_location="cpu", weights_only=True)
    # BLANK: net.____
    net.load_state_dict(state["net"])
    # BLANK: optimizer.____
    optimizer.load_state_dict(state["optimizer"])
    # END SOLUTION
