"""Wrong answers that people give in section 6.6, and what went wrong in them."""

import contextlib
import os

import torch

from d2lgrade.testkit import misconception

# --- save_checkpoint ------------------------------------------------------------------------


def _state(net, optimizer):
    return {"net": net.state_dict(), "optimizer": optimizer.state_dict()}


def _put(state, path):
    """Write a file beside, and let it take its place."""
    beside = f"{path}.part"
    try:
        torch.save(state, beside)
        os.replace(beside, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(beside)


@misconception(
    "save_checkpoint",
    "net-alone",
    book="6.6.2",
    why="Only the net is saved. Without the optimizer's state, momentum and step counts are lost, "
    "and training does not go on as it was.",
)
def save_checkpoint_net_alone(path, net, optimizer):
    optimizer.state_dict()
    _put(net.state_dict(), path)


@misconception(
    "save_checkpoint",
    "objects-pickled",
    book="6.6.2",
    why="The net and the optimizer themselves are saved, code and all. Such a file can only be "
    "read by running it. Save their state_dict().",
)
def save_checkpoint_objects(path, net, optimizer):
    optimizer.state_dict()
    _put({"net": net, "optimizer": _state(net, optimizer)["optimizer"]}, path)


@misconception(
    "save_checkpoint",
    "parameters-alone",
    book="6.6.2",
    why="Parameters are saved, buffers are not: running statistics are lost. state_dict() has "
    "both.",
)
def save_checkpoint_parameters(path, net, optimizer):
    net_state = {name: value.detach() for name, value in net.named_parameters()}
    _put({"net": net_state, "optimizer": optimizer.state_dict()}, path)


def _in_the_old_file(calls):
    """Whether an old checkpoint was spoilt by a new one, or is the same file as before."""
    found, _, last = calls[-1].result
    return last is True or (isinstance(found, str) and "fails" in found)


@misconception(
    "save_checkpoint",
    "written-over",
    book="6.6.2",
    why="The new checkpoint is written straight into the old file. When that breaks off half way, "
    "there is neither. Write beside it, then os.replace.",
    fails=("interrupted", "replaced"),
    signature=_in_the_old_file,
)
def save_checkpoint_over(path, net, optimizer):
    torch.save(_state(net, optimizer), path)


@misconception(
    "save_checkpoint",
    "removed-first",
    book="6.6.2",
    why="The old checkpoint is removed before the new one is written. If writing fails, there is "
    "none. os.replace does both in one step, at the end.",
    fails=("interrupted",),
    signature=lambda calls: calls[-1].result[0] == "there is no such file",
)
def save_checkpoint_removed(path, net, optimizer):
    if os.path.exists(path):
        os.remove(path)
    _put(_state(net, optimizer), path)


@misconception(
    "save_checkpoint",
    "half-a-file-left",
    book="6.6.2",
    why="When saving breaks off, the unfinished file stays in the folder. Remove it, in a "
    "`finally` for instance.",
    fails=("tidy",),
    signature=lambda calls: bool(calls[-1].result[1]) and calls[-1].result[1] != ["checkpoint.pt"],
)
def save_checkpoint_untidy(path, net, optimizer):
    beside = f"{path}.part"
    torch.save(_state(net, optimizer), beside)
    os.replace(beside, path)


@misconception(
    "save_checkpoint",
    "exception-swallowed",
    book="6.6.2",
    why="When saving breaks off, the exception is swallowed, and the caller believes in a "
    "checkpoint that is not there. Let it pass.",
    fails=("raises",),
    signature=lambda calls: calls[-1].result[2] == "nothing",
)
def save_checkpoint_silent(path, net, optimizer):
    with contextlib.suppress(Exception):
        _put(_state(net, optimizer), path)


# --- load_checkpoint ------------------------------------------------------------------------


def _read(path):
    return torch.load(path, map_location="cpu", weights_only=True)


@misconception(
    "load_checkpoint",
    "anything-goes",
    book="6.6.2",
    why="A net that does not fit is passed over in silence, and so keeps random parameters. Let "
    "load_state_dict complain.",
)
def load_checkpoint_lenient(path, net, optimizer):
    state = _read(path)
    own = net.state_dict()
    fitting = {k: v for k, v in state["net"].items() if k in own and own[k].shape == v.shape}
    net.load_state_dict(fitting, strict=False)
    if len(fitting) == len(own):
        optimizer.load_state_dict(state["optimizer"])


@misconception(
    "load_checkpoint",
    "net-alone",
    book="6.6.2",
    why="Only the net is put back. The optimizer starts from nothing: without its momentum, and "
    "counting its steps from zero.",
)
def load_checkpoint_net_alone(path, net, optimizer):
    net.load_state_dict(_read(path)["net"])


@misconception(
    "load_checkpoint",
    "optimizer-alone",
    book="6.6.2",
    why="Only the optimizer is put back; the net keeps the parameters it had.",
)
def load_checkpoint_optimizer_alone(path, net, optimizer):
    optimizer.load_state_dict(_read(path)["optimizer"])


@misconception(
    "load_checkpoint",
    "name-rebound",
    book="6.6.2",
    why="`net = …` gives the loaded state to a name of the function's own; the caller's net does "
    "not notice. Call net.load_state_dict.",
)
def load_checkpoint_rebound(path, net, optimizer):
    state = _read(path)
    net, optimizer = state["net"], state["optimizer"]  # noqa: F841 - that is the mistake


@misconception(
    "load_checkpoint",
    "new-parameters",
    book="6.6.2",
    why="The net gets new parameters (assign=True), which the optimizer does not know: from now on "
    "it moves the old ones. Fill them in place.",
)
def load_checkpoint_assigned(path, net, optimizer):
    state = _read(path)
    net.load_state_dict(state["net"], assign=True)
    optimizer.load_state_dict(state["optimizer"])


@misconception(
    "load_checkpoint",
    "runs-what-it-reads",
    book="6.6.2",
    why="weights_only=False lets the file run any code while it is read. With True it can hold "
    "nothing but data.",
)
def load_checkpoint_unsafe(path, net, optimizer):
    state = torch.load(path, map_location="cpu", weights_only=False)
    net.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])
