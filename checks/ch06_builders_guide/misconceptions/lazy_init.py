"""Wrong answers that people give in section 6.4, and what went wrong in them."""

import torch

from d2lgrade.testkit import misconception


def _dry(net, call):
    """A dry run that leaves no trace."""
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    with torch.no_grad():
        call()
    for module, training in modes:
        module.training = training


@misconception(
    "apply_init",
    "init-too-soon",
    book="6.4.1",
    why="init comes before the dry run. The lazy layers have no weights yet, so it passes them by. "
    "Show the net an input first.",
)
def apply_init_too_soon(net, inputs, init=None):
    if init is not None:
        net.apply(init)
    _dry(net, lambda: net(*inputs))


@misconception(
    "apply_init",
    "no-dry-run",
    book="6.4.1",
    why="The net is never called, so its lazy layers stay without shapes. Call it with the inputs.",
)
def apply_init_blind(net, inputs, init=None):
    if init is not None:
        net.apply(init)


@misconception(
    "apply_init",
    "list-for-input",
    book="6.4.1",
    why="The list of inputs goes into the net as one argument. Unpack it: net(*inputs).",
)
def apply_init_packed(net, inputs, init=None):
    _dry(net, lambda: net(inputs))
    if init is not None:
        net.apply(init)


@misconception(
    "apply_init",
    "first-input-only",
    book="6.4.1",
    why="Only the first input goes into the net. Unpack them all: net(*inputs).",
)
def apply_init_first(net, inputs, init=None):
    _dry(net, lambda: net(inputs[0]))
    if init is not None:
        net.apply(init)


@misconception(
    "apply_init",
    "none-called",
    book="6.4.1",
    why="init is applied even if there is none. It may be None: ask first.",
)
def apply_init_none(net, inputs, init=None):
    _dry(net, lambda: net(*inputs))
    net.apply(init)


@misconception(
    "apply_init",
    "init-on-the-net-alone",
    book="6.4.1",
    why="init is called once, with the whole net. net.apply(init) calls it with every module.",
)
def apply_init_outer(net, inputs, init=None):
    _dry(net, lambda: net(*inputs))
    if init is not None:
        init(net)


@misconception(
    "apply_init",
    "children-alone",
    book="6.4.1",
    why="init meets the direct children of the net, not what is in them. net.apply goes all the "
    "way down.",
)
def apply_init_children(net, inputs, init=None):
    _dry(net, lambda: net(*inputs))
    if init is not None:
        for child in net.children():
            init(child)


@misconception(
    "apply_init",
    "trained-while-dry",
    book="6.4.1",
    why="The dry run is an ordinary call in train mode: it moves running statistics and builds a "
    "graph. Make it in eval mode under torch.no_grad(), and restore the modes.",
)
def apply_init_wet(net, inputs, init=None):
    net(*inputs)
    if init is not None:
        net.apply(init)


@misconception(
    "apply_init",
    "left-in-eval-mode",
    book="6.4.1",
    why="The net stays in eval mode after the dry run. Put every module back as it was.",
)
def apply_init_left(net, inputs, init=None):
    _dry(net, lambda: net(*inputs))
    net.eval()
    if init is not None:
        net.apply(init)
