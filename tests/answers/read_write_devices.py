# expect: save_checkpoint=passed, load_checkpoint=passed; loses:
"""Each tensor is read to where the net is; the file beside is opened by hand and removed by name."""

import os
import pathlib

import torch


def save_checkpoint(path, net, optimizer):
    target = pathlib.Path(path).absolute()
    draft = target.parent / f".{os.getpid()}-{target.name}"
    done = False
    try:
        with draft.open("wb") as file:
            torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, file)
        draft.replace(target)
        done = True
    finally:
        if not done and draft.exists():
            draft.unlink()


def load_checkpoint(path, net, optimizer):
    device = next((p.device for p in net.parameters()), torch.device("cpu"))
    content = torch.load(pathlib.Path(path), map_location=device)
    net.load_state_dict(content.pop("net"))
    optimizer.load_state_dict(content.pop("optimizer"))
