# expect: save_checkpoint=passed, load_checkpoint=passed; loses: ch06/load_checkpoint/anywhere
"""Pickled in memory first, written to a temporary file, synced, and moved into its place."""

import io
import os
import tempfile

import torch


def save_checkpoint(path, net, optimizer):
    buffer = io.BytesIO()
    torch.save(dict(net=net.state_dict(), optimizer=optimizer.state_dict()), buffer)
    folder = os.path.dirname(os.path.abspath(path))
    handle, name = tempfile.mkstemp(dir=folder)
    try:
        with open(handle, "wb") as file:
            file.write(buffer.getbuffer())
            os.fsync(file.fileno())
        os.rename(name, path)
    except BaseException:
        os.unlink(name)
        raise


def load_checkpoint(path, net, optimizer):
    with open(path, "rb") as file:
        parts = torch.load(io.BytesIO(file.read()), weights_only=True)
    for name, owner in (("net", net), ("optimizer", optimizer)):
        owner.load_state_dict(parts[name])
