"""Wrong answers to section 5.6 that people really give.

The draws differ from process to process, so most are recognised by what their results look like.
"""

import torch
from torch import nn

from d2lgrade.testkit import misconception


def legal(dropout):
    """Refuse what the contract refuses, so that each answer below is wrong in one way only."""
    if not 0 <= dropout <= 1:
        raise ValueError("dropout is a probability")


def alike(X, mask, scale):
    """Entries dropped and scaled."""
    return torch.where(mask, X * scale, torch.zeros_like(X))


def survival(X, dropout):
    """The right draws."""
    return torch.rand_like(X) >= dropout


def factor(dropout):
    """The right scale; nothing survives dropout 1."""
    return 1 / (1 - dropout) if dropout < 1 else 0.0


def scales_by(wrong):
    """Recognises survivors that are X times `wrong(dropout)`."""

    def signature(calls):
        X, dropout = calls[-1].args
        alive = calls[-1].result != 0
        ratios = calls[-1].result[alive] / X[alive]
        return len(ratios) > 5 and torch.allclose(
            ratios, ratios.new_tensor(wrong(dropout)), rtol=1e-4
        )

    return signature


def survives_with(probability):
    """Recognises survivors that are scaled right, but as many as `probability(dropout)` says."""

    def signature(calls):
        X, dropout = calls[-1].args
        alive = calls[-1].result != 0
        scaled = torch.allclose(calls[-1].result[alive], X[alive] * factor(dropout), rtol=1e-4)
        return scaled and abs(float(alive.double().mean()) - probability(dropout)) < 0.03

    return signature


@misconception(
    "dropout_layer",
    "not-rescaled",
    why="The survivors stay as they are. Divide them by 1 - dropout, or the layer's output shrinks "
    "in training and not in use.",
    book="5.6.1",
    fails=("scale",),
    signature=scales_by(lambda p: 1.0),
)
def dropout_layer_not_rescaled(X, dropout):
    legal(dropout)
    return alike(X, survival(X, dropout), 1.0)


@misconception(
    "dropout_layer",
    "times-survival",
    why="You multiply the survivors by 1 - dropout. Divide by it: fewer survive, so each must "
    "count for more.",
    book="5.6.1",
    fails=("scale",),
    signature=scales_by(lambda p: 1 - p),
)
def dropout_layer_times_survival(X, dropout):
    legal(dropout)
    return alike(X, survival(X, dropout), 1 - dropout)


@misconception(
    "dropout_layer",
    "divided-by-dropout",
    why="You divide the survivors by dropout. Divide by the probability to survive, 1 - dropout.",
    book="5.6.1",
    fails=("scale",),
    signature=scales_by(lambda p: 1 / p),
)
def dropout_layer_divided_by_dropout(X, dropout):
    legal(dropout)
    return alike(X, survival(X, dropout), 1 / dropout if dropout else 1.0)


@misconception(
    "dropout_layer",
    "times-dropout",
    why="You multiply the survivors by dropout. Divide them by 1 - dropout.",
    book="5.6.1",
    fails=("scale",),
    signature=scales_by(lambda p: p),
)
def dropout_layer_times_dropout(X, dropout):
    legal(dropout)
    return alike(X, survival(X, dropout), dropout)


@misconception(
    "dropout_layer",
    "keeps-for-drops",
    why="You take dropout for the probability to survive: the comparison of the random numbers "
    "with it is the wrong way round.",
    book="5.6.2",
    fails=("rate",),
    signature=survives_with(lambda p: p),
)
def dropout_layer_keeps(X, dropout):
    legal(dropout)
    return alike(X, ~survival(X, dropout), factor(dropout))


@misconception(
    "dropout_layer",
    "normal-draws",
    why="torch.randn draws from the normal distribution, of which half lies below 0. A probability "
    "is compared with uniform draws: torch.rand.",
    book="5.6.2",
    fails=("rate",),
    signature=survives_with(lambda p: 1 - float(torch.special.ndtr(torch.tensor(p)))),
)
def dropout_layer_normal(X, dropout):
    legal(dropout)
    return alike(X, torch.randn_like(X) >= dropout, factor(dropout))


@misconception(
    "dropout_layer",
    "always-half",
    why="Your mask takes 0 and 1 equally often, whatever dropout says. Compare uniform draws with "
    "dropout.",
    book="5.6.2",
    fails=("rate",),
    signature=survives_with(lambda p: 0.5),
)
def dropout_layer_half(X, dropout):
    legal(dropout)
    mask = torch.randint(2, X.shape, device=X.device) == 1
    return alike(X, mask, factor(dropout))


def one_fate(calls):
    """Whether whole tensors survived or vanished."""
    masks = [call.result != 0 for call in calls]
    return all(bool(mask.all()) or not bool(mask.any()) for mask in masks)


@misconception(
    "dropout_layer",
    "one-draw-for-all",
    why="A single random number decides for the whole tensor. Draw one for each entry: "
    "torch.rand(X.shape).",
    book="5.6.2",
    fails=("rate", "independent"),
    signature=one_fate,
)
def dropout_layer_one_draw(X, dropout):
    legal(dropout)
    mask = (torch.rand(1, device=X.device) >= dropout).expand(X.shape)
    return alike(X, mask, factor(dropout))


def rows_share(calls):
    """Whether all rows of the last result have the same zeros, and these are not alike."""
    mask = calls[-1].result != 0
    return mask.dim() > 1 and bool((mask == mask[:1]).all()) and not one_fate(calls[-1:])


@misconception(
    "dropout_layer",
    "one-mask-for-all-rows",
    why="All examples lose the same entries: your mask is drawn for one row and spread over the "
    "batch. Draw it in the shape of X.",
    book="5.6.2",
    fails=("independent",),
    signature=rows_share,
)
def dropout_layer_one_row(X, dropout):
    legal(dropout)
    mask = (torch.rand(X.shape[1:], device=X.device) >= dropout).expand(X.shape)
    return alike(X, mask, factor(dropout))


def whole_rows(calls):
    """Whether every row of the last result survived or vanished as a whole."""
    mask = (calls[-1].result != 0).flatten(1)
    return bool((mask == mask[:, :1]).all()) and not one_fate(calls[-1:])


@misconception(
    "dropout_layer",
    "whole-rows",
    why="You drop whole examples: the mask holds one draw for each row. Draw it in the shape of X.",
    book="5.6.2",
    fails=("independent",),
    signature=whole_rows,
)
def dropout_layer_rows(X, dropout):
    legal(dropout)
    mask = torch.rand(len(X), device=X.device) >= dropout
    return alike(X, mask.reshape(-1, *[1] * (X.dim() - 1)).expand(X.shape), factor(dropout))


def same_mask(calls):
    """Whether the last two calls dropped the same entries."""
    one, other = (call.result != 0 for call in calls[-2:])
    return torch.equal(one, other)


@misconception(
    "dropout_layer",
    "same-mask-every-call",
    why="Every call drops the same entries: a seed is set, or a generator made, inside the "
    "function. Leave seeding to the caller.",
    book="5.6.2",
    fails=("calls",),
    signature=same_mask,
)
def dropout_layer_seeded(X, dropout):
    legal(dropout)
    draws = torch.rand(X.shape, generator=torch.Generator().manual_seed(0)).to(X.device)
    return alike(X, draws >= dropout, factor(dropout))


def same_count(calls):
    """Whether one of two entries survived in every call."""
    return all(int((call.result != 0).sum()) == 1 for call in calls)


@misconception(
    "dropout_layer",
    "fixed-share",
    why="You drop a fixed number of entries, dropout times their count. Each entry is dropped by "
    "its own chance, so the number varies from call to call.",
    book="5.6.1",
    fails=("share",),
    signature=same_count,
)
def dropout_layer_fixed_share(X, dropout):
    legal(dropout)
    mask = torch.ones(X.numel(), dtype=torch.bool, device=X.device)
    mask[torch.randperm(X.numel(), device=X.device)[: round(dropout * X.numel())]] = False
    return alike(X, mask.reshape(X.shape), factor(dropout))


@misconception(
    "dropout_layer",
    "divided-by-zero",
    why="For dropout 1 you divide 0 by 0, which is nan. Treat that case apart: all zeros.",
    book="5.6.2",
)
def dropout_layer_divided_by_zero(X, dropout):
    legal(dropout)
    return survival(X, dropout) * X / (1 - dropout)


def ran_through(calls):
    """Whether no call failed: then a change in place is all that the check minds."""
    return all(call.error is None for call in calls)


@misconception(
    "dropout_layer",
    "argument-changed",
    why="You set the dropped entries of X itself to zero. Make a new tensor: multiply by a mask.",
    book="2.1.5",
    fails=("arguments",),
    signature=ran_through,
)
def dropout_layer_in_place(X, dropout):
    legal(dropout)
    with torch.no_grad():
        X[~survival(X, dropout)] = 0.0
    return X * factor(dropout)


@misconception(
    "dropout_layer",
    "mask-on-cpu",
    why="torch.rand(X.shape) draws on the CPU, wherever X is. Add device=X.device, or take "
    "torch.rand_like(X).",
    book="6.7.2",
)
def dropout_layer_cpu_mask(X, dropout):
    legal(dropout)
    return alike(X, torch.rand(X.shape) >= dropout, factor(dropout))


# --- DropoutMLP -----------------------------------------------------------------------------


class _Net(nn.Module):
    """A right network, to be made wrong in one place: what happens to each layer's numbers."""

    def __init__(self, num_outputs, num_hiddens_1, num_hiddens_2, dropout_1, dropout_2):
        super().__init__()
        self.rates = dropout_1, dropout_2
        legal(dropout_1)
        legal(dropout_2)
        self.layers = nn.ModuleList(
            nn.LazyLinear(width) for width in (num_hiddens_1, num_hiddens_2, num_outputs)
        )

    def dropped(self, H, rate):
        return nn.functional.dropout(H, rate, self.training)

    def forward(self, X):
        first, second, last = self.layers
        H = self.dropped(first(X.flatten(1)).relu(), self.rates[0])
        H = self.dropped(second(H).relu(), self.rates[1])
        return last(H)


def _exposed(calls):
    """The second hidden layer as the check saw it, (n, 20, 2)."""
    return calls[-1].result.reshape(-1, 20, 2, 2)[..., 0]


@misconception(
    "DropoutMLP",
    "eval-mode-too",
    why="Numbers are dropped in eval mode as well. A function such as F.dropout or your own "
    "dropout_layer has to be told: drop only if self.training.",
    book="5.6.1",
    fails=("values", "modes"),
    signature=lambda calls: calls[-1].error is None,
)
class DropoutMLP_always(_Net):
    def dropped(self, H, rate):
        return nn.functional.dropout(H, rate, True)


@misconception(
    "DropoutMLP",
    "nothing-dropped",
    why="Nothing is dropped in train mode either: the dropout layers are missing, or never called.",
    book="5.6.3",
    fails=("first",),
    signature=lambda calls: bool((_exposed(calls) == 1).all()),
)
class DropoutMLP_never(_Net):
    def dropped(self, H, rate):
        return H


def _pairs_part(calls):
    """The largest number, where two of the second hidden layer that belong together differ."""
    hidden = _exposed(calls)
    return float(hidden.max()) if bool((hidden[..., 0] != hidden[..., 1]).any()) else 0.0


@misconception(
    "DropoutMLP",
    "rates-exchanged",
    why="dropout_1 and dropout_2 are exchanged: the first belongs to the first hidden layer.",
    book="5.6.3",
    fails=("first",),
    signature=lambda calls: 1.0 < _pairs_part(calls) < 1.5,  # scaled up once, 1 / 0.7
)
class DropoutMLP_exchanged(_Net):
    def __init__(self, num_outputs, num_hiddens_1, num_hiddens_2, dropout_1, dropout_2):
        super().__init__(num_outputs, num_hiddens_1, num_hiddens_2, dropout_2, dropout_1)


@misconception(
    "DropoutMLP",
    "one-rate-for-both",
    why="dropout_1 is used for both hidden layers. The second one has a probability of its own.",
    book="5.6.3",
    fails=("first",),
    signature=lambda calls: _pairs_part(calls) > 2.0,  # twice, 1 / 0.7^2
)
class DropoutMLP_one_rate(_Net):
    def __init__(self, num_outputs, num_hiddens_1, num_hiddens_2, dropout_1, dropout_2):
        super().__init__(num_outputs, num_hiddens_1, num_hiddens_2, dropout_1, dropout_1)


def _scores_dropped(calls):
    """Whether two scores that come from one number have different fates."""
    pairs = calls[-1].result.reshape(-1, 40, 2)
    return bool((pairs[..., 0] != pairs[..., 1]).any())


@misconception(
    "DropoutMLP",
    "scores-dropped",
    why="Scores are dropped: a dropout follows the last layer. It belongs behind the hidden ones.",
    book="5.6.3",
    fails=("second",),
    signature=_scores_dropped,
)
class DropoutMLP_scores(_Net):
    def forward(self, X):
        first, second, last = self.layers
        H = self.dropped(first(X.flatten(1)).relu(), self.rates[0])
        return self.dropped(last(second(H).relu()), self.rates[1])


def _thirds_share(calls):
    """Whether numbers of the first hidden layer that come from one input share its fate."""
    first = _exposed(calls)[:, :6, 0]
    return bool((first == first[:, :1]).all()) and not bool((first == first[:1]).all())


@misconception(
    "DropoutMLP",
    "input-dropped",
    why="Numbers of the input are dropped instead of the first hidden layer's. Put the dropout "
    "behind the layer and its ReLU.",
    book="5.6.3",
    fails=("first",),
    signature=_thirds_share,
)
class DropoutMLP_input(_Net):
    def forward(self, X):
        first, second, last = self.layers
        H = first(self.dropped(X.flatten(1), self.rates[0])).relu()
        return last(self.dropped(second(H).relu(), self.rates[1]))


def _unscaled(calls):
    """Whether some hidden ones were dropped and the others stayed ones."""
    kinds = set(_exposed(calls).unique().tolist())
    return kinds == {0.0, 1.0}


@misconception(
    "DropoutMLP",
    "not-rescaled",
    why="The survivors stay as they are. Divide them by 1 - dropout, as nn.Dropout does.",
    book="5.6.1",
    fails=("first", "second"),
    signature=_unscaled,
)
class DropoutMLP_unscaled(_Net):
    def dropped(self, H, rate):
        return H * (torch.rand_like(H) >= rate) if self.training else H


@misconception(
    "DropoutMLP",
    "one-hidden-layer",
    why="There is one hidden layer; the contract has two.",
    book="5.6.3",
)
class DropoutMLP_shallow(_Net):
    def __init__(self, num_outputs, num_hiddens_1, num_hiddens_2, dropout_1, dropout_2):
        super().__init__(num_outputs, num_hiddens_1, num_hiddens_2, dropout_1, dropout_2)
        self.layers = nn.ModuleList([nn.LazyLinear(num_hiddens_1), nn.LazyLinear(num_outputs)])

    def forward(self, X):
        first, last = self.layers
        return last(self.dropped(first(X.flatten(1)).relu(), self.rates[0]))
