# expect: save_checkpoint=passed, load_checkpoint=passed; loses: ch06/load_checkpoint/safe, ch06/load_checkpoint/anywhere
"""A context manager around the file beside; parameters copied one by one; trusts what it reads."""

import contextlib
import os
import uuid

import torch


@contextlib.contextmanager
def beside(path):
    name = f"{os.fspath(path)}.{uuid.uuid4().hex}"
    try:
        yield name
        os.replace(name, path)
    except BaseException:
        if os.path.exists(name):
            os.remove(name)
        raise


def save_checkpoint(path, net, optimizer):
    with beside(path) as name:
        states = {"optimizer": optimizer.state_dict(), "net": net.state_dict()}
        with open(name, "wb") as file:
            torch.save(states, file)


@torch.no_grad()
def load_checkpoint(path, net, optimizer):
    states = torch.load(path, weights_only=False)
    own = net.state_dict()
    if {k: v.shape for k, v in own.items()} != {k: v.shape for k, v in states["net"].items()}:
        raise RuntimeError("another net")
    for name, value in own.items():
        value.copy_(states["net"][name])
    optimizer.load_state_dict(states["optimizer"])
