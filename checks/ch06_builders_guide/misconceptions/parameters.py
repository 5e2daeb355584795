"""Wrong answers that people give in section 6.2, and what went wrong in them."""

from torch import nn

from d2lgrade.testkit import misconception


def _layers(h):
    return nn.LazyLinear(h), nn.Linear(h, h), nn.Linear(h, 1)


@misconception(
    "tied_mlp",
    "two-layers",
    book="6.2.2",
    why="The middle layers are two objects, each with parameters of its own; equal values at the "
    "start do not tie them. Make one layer and put it into the net twice.",
)
def tied_mlp_two(num_hidden):
    first, one, last = _layers(num_hidden)
    other = nn.Linear(num_hidden, num_hidden)
    other.load_state_dict(one.state_dict())
    return nn.Sequential(first, nn.ReLU(), one, nn.ReLU(), other, nn.ReLU(), last)


@misconception(
    "tied_mlp",
    "weights-alone",
    book="6.2.2",
    why="The middle layers share their weight, but each has a bias of its own. Share the layer.",
)
def tied_mlp_weights(num_hidden):
    first, one, last = _layers(num_hidden)
    other = nn.Linear(num_hidden, num_hidden)
    other.weight = one.weight
    return nn.Sequential(first, nn.ReLU(), one, nn.ReLU(), other, nn.ReLU(), last)


@misconception(
    "tied_mlp",
    "applied-once",
    book="6.2.2",
    why="The shared layer is applied once. Put it into the net twice, with a ReLU after each.",
)
def tied_mlp_once(num_hidden):
    first, one, last = _layers(num_hidden)
    return nn.Sequential(first, nn.ReLU(), one, nn.ReLU(), last)


@misconception(
    "tied_mlp",
    "no-relu-between",
    book="6.2.2",
    why="There is no ReLU between the two uses of the shared layer.",
)
def tied_mlp_no_bend(num_hidden):
    first, one, last = _layers(num_hidden)
    return nn.Sequential(first, nn.ReLU(), one, one, nn.ReLU(), last)


@misconception(
    "tied_mlp",
    "relu-at-the-end",
    book="6.2.2",
    why="A ReLU follows the last layer, so that the result is never negative.",
)
def tied_mlp_bent_end(num_hidden):
    first, one, last = _layers(num_hidden)
    layers = first, nn.ReLU(), one, nn.ReLU(), one, nn.ReLU(), last, nn.ReLU()
    return nn.Sequential(*layers)


@misconception(
    "tied_mlp",
    "everything-shared",
    book="6.2.2",
    why="The first layer is the shared one too. It has to take inputs of any width: make it a "
    "layer of its own.",
)
def tied_mlp_all(num_hidden):
    _, one, last = _layers(num_hidden)
    return nn.Sequential(one, nn.ReLU(), one, nn.ReLU(), one, nn.ReLU(), last)
