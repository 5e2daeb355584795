"""Section 6.4: Lazy initialization.

Layers that learn their shapes from the first input have to see one before they can be initialised.
"""

import torch


def apply_init(net, inputs, init=None):
    """Show a network an input, so that its lazy layers get their shapes; then initialise it.

    The order matters: before the first input a lazy layer has no weights that `init` could fill.

    The dry run leaves no other trace: it goes without a graph and in eval mode, so that no running
    statistics move, and afterwards every module is in the mode it was in before.

    Args:
        net: an nn.Module, with lazy layers or without. Modified: afterwards no layer of it is lazy.
        inputs: list or tuple of the tensors that net is called with. Not modified.
        init: a function of a module, handed to `net.apply` after the dry run, so that it meets
            every module of the net and the net itself. None: nothing more is done.

    Returns:
        None.

    Example:
        >>> from torch import nn
        >>> net = nn.Sequential(nn.LazyLinear(4), nn.ReLU(), nn.LazyLinear(1))
        >>> seen = []
        >>> apply_init(net, [torch.zeros(2, 3)], lambda module: seen.append(type(module).__name__))
        >>> [tuple(parameter.shape) for parameter in net.parameters()]
        [(4, 3), (4,), (1, 4), (1,)]
        >>> seen
        ['Linear', 'ReLU', 'Linear', 'Sequential']

    Book: 6.4.1
    """
    raise NotImplementedError("apply_init")
