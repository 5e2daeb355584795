"""Hidden checks for section 11.3: softmax with a mask, and two ways to score."""

import torch
from torch import nn
from torch.nn import functional as F

from d2lgrade.testkit import Mismatch, Standing, assert_rate, assert_same, gradients, truth
from d2lgrade.testkit.forward import run
from d2lgrade.testkit.layers import Layer, Setting, plainly


def left_out(X, valid_lens):
    """Which keys do not count."""
    lens = valid_lens[:, None] if valid_lens.dim() == 1 else valid_lens
    return (torch.arange(X.shape[-1]) >= lens[..., None]).expand(X.shape)


def masked_softmax_torch(X, valid_lens):
    if valid_lens is None:
        return torch.softmax(X, dim=-1)
    return torch.softmax(X.masked_fill(left_out(X, valid_lens), -torch.inf), dim=-1)


LENGTHS = [
    ((1, 1, 1), [1]),
    ((1, 1, 2), [1]),
    ((1, 2, 3), [3]),
    ((2, 1, 2), [1, 2]),
    ((2, 2, 3), [1, 2]),
    ((2, 3, 4), [3, 1]),
    ((3, 2, 3), [3, 2, 1]),
]
PER_QUERY = [
    ((1, 1, 2), [[1]]),
    ((1, 2, 2), [[1, 2]]),
    ((2, 1, 3), [[3], [1]]),
    ((2, 2, 3), [[1, 2], [3, 1]]),
    ((3, 2, 4), [[4, 1], [2, 3], [1, 4]]),
]


def assert_masked(student, cases, draw=torch.randn):
    for shape, lens in cases:
        X, valid_lens = draw(shape), torch.tensor(lens)
        expected = truth(masked_softmax_torch, X, valid_lens)
        assert_same(student.masked_softmax(X, valid_lens), expected)


scores = Standing(
    "masked_softmax",
    masked_softmax_torch,
    lambda: (torch.randn(2, 3, 4), torch.tensor([[4, 1, 2], [3, 3, 1]])),
)


def test_masked_softmax_none(student):
    """is plain softmax over the keys without lengths"""
    for shape in [(1, 1, 1), (1, 1, 2), (1, 2, 1), (2, 3, 4), (3, 3, 3)]:
        X = torch.randn(shape)
        expected = truth(masked_softmax_torch, X, None)
        assert_same(student.masked_softmax(X, None), expected)


def test_masked_softmax_lengths(student):
    """leaves out what lies beyond the length of each example"""
    assert_masked(student, LENGTHS)


def test_masked_softmax_per_query(student):
    """takes a length for each query"""
    assert_masked(student, PER_QUERY)


def test_masked_softmax_zeros(student):
    """gives exactly 0 to what is left out, however large the scores"""
    for valid, hidden in [(0.0, 0.0), (0.0, 100.0), (-1e4, 1e4), (-1e4, -1e4), (1e4, 1e4)]:
        X = torch.tensor([[[valid, valid - 1, hidden], [valid, hidden, hidden]]]).repeat(2, 1, 1)
        for valid_lens in (torch.tensor([[2, 1], [1, 1]]), torch.tensor([1, 1])):
            out = left_out(X, valid_lens)
            expected = truth(masked_softmax_torch, X, valid_lens)
            W = student.masked_softmax(X.clone(), valid_lens)
            assert_same(W, expected)
            assert_same(W[out], torch.zeros(int(out.sum())), what="the weights left out")


NOTHING = [
    ((1, 1, 1), [0]),
    ((1, 1, 2), [[0]]),
    ((2, 2, 3), [0, 2]),
    ((2, 2, 2), [[2, 0], [0, 1]]),
]


def test_masked_softmax_nothing(student):
    """gives finite weights to a query that may attend to nothing"""
    for shape, lens in NOTHING:
        X, valid_lens = torch.randn(shape), torch.tensor(lens)
        known = torch.clamp(valid_lens, min=1)
        expected = masked_softmax_torch(X, known)
        some = (valid_lens > 0).reshape(shape[0], -1).expand(shape[:2])
        W = student.masked_softmax(X, valid_lens)
        if isinstance(W, torch.Tensor) and W.shape == X.shape:
            open_rows = W[~some].detach()
            if not ((open_rows >= 0) & (open_rows <= 1)).all():
                raise Mismatch(
                    "The row of a query of length 0 holds something else than numbers from 0 to 1.",
                    expected="finite numbers from 0 to 1",
                    got=str(open_rows[0].tolist()),
                )
            expected[~some] = W[~some].detach().to(expected.dtype)  # these are free
        assert_same(W, expected)


def on_computed(masked_softmax, X, valid_lens):
    """Scores are computed, not leaves, so they may be changed in place: a product stands for it."""
    return masked_softmax(1.0 * X, valid_lens)


def test_masked_softmax_gradient(student):
    """sends the gradient to the scores that count, and to no others"""

    def weights(X, valid_lens):
        return student.run(on_computed, student.masked_softmax, X, valid_lens)

    for shape, lens in [*LENGTHS[1:], *PER_QUERY]:
        X, valid_lens = torch.randn(shape), torch.tensor(lens)
        expected = truth(gradients(masked_softmax_torch), X, valid_lens)
        (found,) = gradients(weights)(X, valid_lens)
        assert_same(found, expected[0], what="the gradient for X")
        out = left_out(X, valid_lens)
        none = torch.zeros(int(out.sum()))
        assert_same(found[out], none, what="the gradient for the scores left out")
    X = torch.randn(1, 2, 2)
    (found,) = gradients(weights)(X, torch.tensor([[0, 2]]))
    if not found.isfinite().all():
        raise Mismatch(
            "A query of length 0 spoils the gradient.",
            expected="finite numbers",
            got=str(found.tolist()),
        )


test_masked_softmax_arguments = scores.keeps_arguments()
test_masked_softmax_refuses = scores.refuses(
    ValueError,
    lambda: (torch.randn(1, 2, 3), torch.tensor([1, 2])),
    lambda: (torch.randn(2, 1, 3), torch.tensor([1])),
    lambda: (torch.randn(2, 2, 3), torch.tensor([[1, 2]])),
    lambda: (torch.randn(2, 3, 3), torch.tensor([[1, 2], [3, 1]])),
    lambda: (torch.randn(1, 1, 2), torch.tensor([[[1]]])),
    lambda: (torch.randn(1, 1, 2), torch.tensor(1)),
)
test_masked_softmax_dtype = scores.keeps_dtype()
test_masked_softmax_layout = scores.any_layout()
test_masked_softmax_empty = scores.empty_batch(
    lambda: (torch.zeros(0, 2, 3), torch.zeros(0, dtype=torch.int64))
)
test_masked_softmax_device = scores.other_device()


# Attention ---------------------------------------------------------------------------------------


class TorchDotProduct(nn.Module):
    """PyTorch's scaled dot-product attention; never in training, so dropout plays no part."""

    def __init__(self, dropout):
        super().__init__()

    def forward(self, queries, keys, values, valid_lens):
        shown = torch.eye(keys.shape[1], dtype=keys.dtype).expand(len(keys), -1, -1)
        counts = None
        if valid_lens is not None:
            counts = ~left_out(queries.new_zeros(*queries.shape[:2], keys.shape[1]), valid_lens)
        self.attention_weights, result = (
            F.scaled_dot_product_attention(queries, keys, some, counts) for some in (shown, values)
        )
        return result


class TorchAdditive(nn.Module):
    """Additive attention, its scores written as sums of products."""

    def __init__(self, num_hiddens, dropout):
        super().__init__()
        self.one, self.two, self.three = (
            nn.LazyLinear(n, bias=False) for n in (num_hiddens, num_hiddens, 1)
        )

    def forward(self, queries, keys, values, valid_lens):
        Q, K = self.one(queries), self.two(keys)
        b, q, h = Q.shape
        pairs = torch.cat((Q.repeat_interleave(keys.shape[1], dim=1), K.repeat(1, q, 1)), dim=2)
        scores = self.three(pairs.unflatten(2, (2, h)).sum(2).tanh()).reshape(b, q, keys.shape[1])
        self.attention_weights = masked_softmax_torch(scores, valid_lens)
        return torch.einsum("bqk,bkv->bqv", self.attention_weights, values)


def batch(sizes, widths, lens=None):
    """Draws b examples of q queries and k keys; the widths are those of queries, keys, values."""
    (b, q, k), (d_q, d_k, v) = sizes, widths

    def draw():
        lengths = None if lens is None else torch.tensor(lens)
        return torch.randn(b, q, d_q), torch.randn(b, k, d_k), torch.randn(b, k, v), lengths

    return draw


def weights_kept(net, *inputs):
    """What the attribute that the contract names holds after a call."""
    net(*inputs)
    return net.attention_weights


PLAIN = [(1, 1, 1), (1, 1, 2), (1, 2, 1), (2, 1, 3), (2, 3, 4)]
LENGTHENED = [
    ((1, 1, 2), [1]),
    ((2, 2, 3), [1, 3]),
    ((1, 2, 2), [[1, 2]]),
    ((3, 2, 4), [4, 1, 2]),
    ((2, 3, 4), [[1, 2, 4], [3, 1, 2]]),
]


def settings(options, *widths):
    """Two lists of settings: without lengths and with them; widths take turns."""
    without = [
        Setting(batch(sizes, widths[i % len(widths)]), options) for i, sizes in enumerate(PLAIN)
    ]
    lengthened = [
        Setting(batch(sizes, widths[i % len(widths)], lens), options)
        for i, (sizes, lens) in enumerate(LENGTHENED)
    ]
    return without, lengthened


def drops_weights(layer, options):
    """A check of dropout in attention."""

    def check(student):
        """drops attention weights in training only, and scales up the others"""
        dropout, keys = 0.4, 32
        # With values that are one-hot, entry j of the result is the weight of key j.
        queries, hidden = torch.randn(4, 30, 3), torch.randn(4, keys, 3)
        inputs = (queries, hidden, torch.eye(keys).repeat(4, 1, 1), None)
        mixing = (queries, hidden, 1 + torch.rand(4, keys, 5), None)
        setting = Setting(lambda: inputs, {**options, "dropout": dropout})

        def evaluated(net, inputs):
            return run(net, plainly, inputs, False)

        answer = layer.answer(setting, inputs)
        weights = answer.due(inputs, evaluated)
        net = layer.filled(student, setting, inputs, answer)
        found = student.run(run, net, plainly, inputs, False)
        assert_same(found, weights, what="the result in eval mode")
        found = student.run(run, net, plainly, inputs, True)
        if not isinstance(found, torch.Tensor) or found.shape != weights.value.shape:
            assert_same(found, weights)
        alive = found != 0
        what = f"The share of attention weights dropped for dropout {dropout}"
        assert_rate(int((~alive).sum()), alive.numel(), dropout, what)
        due = truth(lambda W: torch.where(alive, W / (1 - dropout), 0.0), weights.value)
        assert_same(found, due, what="what is left of the attention weights")
        assert_same(net.attention_weights, weights, what="attention_weights in training mode")
        # Of other values each entry of the result adds up 32 weights, of which some survive.
        mixed = student.run(run, net, plainly, mixing, True)
        if not (mixed != 0).all():
            raise Mismatch(
                "Entries of the result are dropped. Dropout belongs to the attention weights, "
                "before they meet the values.",
                expected="no entry of exactly 0",
                got=f"{int((mixed == 0).sum())} of {mixed.numel()} are 0",
            )

    return check


PLAINLY, MASKED = settings({"dropout": 0.0}, (2, 2, 1), (1, 1, 2), (4, 4, 3))
dot = Layer("DotProductAttention", TorchDotProduct, MASKED)
test_DotProductAttention_values = dot.values(*PLAINLY, title="equals PyTorch's without lengths")
test_DotProductAttention_lengths = dot.values(
    title="leaves out the keys beyond each length, as PyTorch's does with a mask"
)
test_DotProductAttention_weights = dot.values(
    *PLAINLY[::2], *MASKED[::3], call=weights_kept, title="keeps its weights in attention_weights"
)
test_DotProductAttention_gradient = dot.gradient(*MASKED[1::3])
test_DotProductAttention_arguments = dot.keeps_arguments()
test_DotProductAttention_training = drops_weights(dot, {})
test_DotProductAttention_dtype = dot.keeps_dtype()
test_DotProductAttention_layout = dot.any_layout()
test_DotProductAttention_empty = dot.empty_batch()
test_DotProductAttention_device = dot.other_device()

PLAINLY, MASKED = settings({"num_hiddens": 3, "dropout": 0.0}, (2, 1, 1), (3, 3, 2), (1, 4, 3))
additive = Layer("AdditiveAttention", TorchAdditive, MASKED)
ONE = Setting(batch((1, 1, 2), (1, 1, 1)), {"num_hiddens": 1, "dropout": 0.0})
test_AdditiveAttention_values = additive.values(
    ONE, *PLAINLY, title="scores every query with every key, by three layers without bias"
)
test_AdditiveAttention_lengths = additive.values(title="leaves out the keys beyond each length")
test_AdditiveAttention_weights = additive.values(
    *PLAINLY[::2], *MASKED[::3], call=weights_kept, title="keeps its weights in attention_weights"
)
test_AdditiveAttention_gradient = additive.gradient(*MASKED[1::3])
test_AdditiveAttention_arguments = additive.keeps_arguments()
test_AdditiveAttention_training = drops_weights(additive, {"num_hiddens": 4})
test_AdditiveAttention_dtype = additive.keeps_dtype()
test_AdditiveAttention_layout = additive.any_layout()
test_AdditiveAttention_empty = additive.empty_batch()
test_AdditiveAttention_device = additive.other_device()
