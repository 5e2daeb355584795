"""Hidden checks for section 11.5: multi-head attention."""

import math
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from d2lgrade.testkit import (
    Mismatch,
    Standing,
    assert_rate,
    assert_same,
    gradients,
    refuses,
    truth,
    unchanged,
)
from d2lgrade.testkit.gradient import pattern
from d2lgrade.testkit.standing import expanded, sliced, transposed

LAYERS = ("W_q", "W_k", "W_v", "W_o")


def torch_attention(heads):
    """PyTorch's own multi-head attention, as a function of inputs, weights and biases."""

    def attend(queries, keys, values, valid_lens, *parameters):
        W_q, W_k, W_v, W_o, *biases = parameters
        if not queries.shape[2] == keys.shape[2] == values.shape[2] == len(W_o):
            # PyTorch's function wants queries of the result's width: project beforehand.
            projected = (queries @ W_q.T, keys @ W_k.T, values @ W_v.T)
            identity = torch.eye(len(W_o), dtype=W_o.dtype)
            return attend(*projected, valid_lens, identity, identity, identity, W_o)
        hidden = None
        if valid_lens is not None:
            lens = valid_lens[:, None] if valid_lens.dim() == 1 else valid_lens
            hidden = torch.arange(keys.shape[1]) >= lens[:, :, None]
            hidden = hidden.expand(-1, queries.shape[1], -1).repeat_interleave(heads, dim=0)
        inputs = (X.transpose(0, 1) for X in (queries, keys, values))
        result, _ = F.multi_head_attention_forward(
            *inputs,
            *(len(W_o), heads, None, torch.cat(biases[:3]) if biases else None),
            *(None, None, False, 0.0, W_o, biases[3] if biases else None),
            training=False,
            need_weights=False,
            attn_mask=hidden,
            use_separate_proj_weight=True,
            q_proj_weight=W_q,
            k_proj_weight=W_k,
            v_proj_weight=W_v,
        )
        return result.transpose(0, 1)

    return attend


def drawn(hiddens, bias=False, widths=None):
    """Weights of W_q, W_k, W_v and W_o, and biases; widths are those of the inputs."""
    widths = (*(widths or [hiddens] * 3), hiddens)
    weights = [torch.randn(hiddens, width) / math.sqrt(width) for width in widths]
    return [*weights, *(torch.randn(hiddens) for _ in range(4 if bias else 0))]


def inputs(b, q, k, *widths):
    """Queries (b, q, …), keys (b, k, …), values (b, k, …); one width will do for all three."""
    d_q, d_k, d_v = widths if len(widths) == 3 else widths * 3
    return torch.randn(b, q, d_q), torch.randn(b, k, d_k), torch.randn(b, k, d_v)


def shapes(net, layers, examples):
    """The shapes of the layers' weights and biases, after a first call; runs beside their code."""
    net(*examples, None)
    found = {}
    for layer in layers:
        for kind in ("weight", "bias"):
            parameter = getattr(getattr(net, layer), kind, None)
            if isinstance(parameter, torch.nn.parameter.UninitializedParameter):
                found[f"{layer}.{kind}"] = "never used"  # a lazy layer without any input so far
            else:
                found[f"{layer}.{kind}"] = parameter if parameter is None else list(parameter.shape)
    return found


def fill(net, names, values):
    """Give the layers known weights and biases; runs beside their code."""
    for name, value in zip(names, values, strict=True):
        layer, kind = name.split(".")
        getattr(getattr(net, layer), kind).data = value.clone()


def told(found):
    """A finding of `shapes` for the learner."""
    if isinstance(found, list):
        return f"shape {tuple(found)}"
    return found or "none"


def build(student, heads, parameters, dropout=0.0):
    """The learner's MultiHeadAttention with the weights given, and the names of these."""
    weights, biases = parameters[:4], parameters[4:]
    options = {"bias": True} if biases else {}
    hiddens = len(weights[0])
    net = student.MultiHeadAttention(
        num_hiddens=hiddens, num_heads=heads, dropout=dropout, **options
    )
    names = [f"{layer}.weight" for layer in LAYERS] + [f"{layer}.bias" for layer in LAYERS]
    due = dict(zip(names, [list(p.shape) for p in parameters], strict=False))
    widths = [W.shape[1] for W in weights[:3]]
    found = student.run(shapes, net, LAYERS, tuple(torch.zeros(1, 1, width) for width in widths))
    for name in names:
        if found[name] != due.get(name):
            raise Mismatch(
                f"{name} is not what the contract says for num_hiddens={hiddens}, "
                f"bias={bool(biases)}.",
                expected=f"shape {tuple(due[name])}" if name in due else "no bias",
                got=told(found[name]),
            )
    student.run(fill, net, names[: len(parameters)], parameters)
    return net


@dataclass(frozen=True)
class Case:
    """One comparison with PyTorch's layer, drawn before any of the learner's code has run."""

    heads: int
    examples: tuple[torch.Tensor, ...]
    valid_lens: torch.Tensor | None
    parameters: list[torch.Tensor]

    @classmethod
    def drawn(cls, sizes, heads, hiddens, lens=None, bias=False, widths=None):
        examples = inputs(*sizes, *(widths or [hiddens]))
        valid_lens = None if lens is None else torch.tensor(lens)
        return cls(heads, examples, valid_lens, drawn(hiddens, bias, widths))

    def judge(self, student):
        """Fail unless the learner's layer gives the same with the same weights."""
        call = (*self.examples, self.valid_lens)
        expected = truth(torch_attention(self.heads), *call, *self.parameters)
        net = build(student, self.heads, self.parameters)
        assert_same(net(*call), expected)


def judge(student, *cases):
    for case in cases:
        case.judge(student)


def test_MultiHeadAttention_one_head(student):
    """equals PyTorch's with one head and the same weights"""
    judge(
        student,
        Case.drawn((1, 1, 1), 1, 1),
        Case.drawn((1, 1, 2), 1, 2),
        Case.drawn((1, 2, 1), 1, 3),
        Case.drawn((2, 3, 4), 1, 5),
    )


def test_MultiHeadAttention_heads(student):
    """keeps several heads apart"""
    judge(
        student,
        Case.drawn((1, 1, 1), 2, 2),
        Case.drawn((1, 1, 2), 2, 2),
        Case.drawn((1, 2, 2), 2, 4),
        Case.drawn((2, 3, 2), 3, 3),
        Case.drawn((2, 4, 5), 2, 6),
        Case.drawn((3, 2, 4), 4, 12),
    )


def test_MultiHeadAttention_lengths(student):
    """leaves out the keys beyond each example's length, in every head"""
    judge(
        student,
        Case.drawn((1, 1, 2), 1, 2, [1]),
        Case.drawn((2, 2, 3), 1, 2, [1, 3]),
        Case.drawn((2, 1, 3), 2, 4, [1, 3]),
        Case.drawn((3, 2, 4), 3, 6, [4, 1, 2]),
        Case.drawn((1, 2, 2), 1, 2, [[1, 2]]),
        Case.drawn((2, 3, 4), 2, 4, [[1, 2, 4], [3, 1, 2]]),
    )


def test_MultiHeadAttention_bias(student):
    """has a bias in each of the four layers if asked to"""
    judge(
        student,
        Case.drawn((1, 1, 1), 1, 1, bias=True),
        Case.drawn((1, 2, 2), 1, 2, bias=True),
        Case.drawn((2, 3, 4), 2, 4, bias=True),
    )


def test_MultiHeadAttention_gradient(student):
    """gradients reach queries, keys, values and all four layers"""
    examples, parameters = inputs(2, 3, 4, 4), drawn(4)
    valid_lens = torch.tensor([3, 1])
    expected = truth(gradients(torch_attention(2)), *examples, valid_lens, *parameters)
    net = build(student, 2, parameters)
    weights = [getattr(net, layer).weight for layer in LAYERS]
    for X in examples:
        X.requires_grad_()
    Y = net(*examples, valid_lens)
    if not isinstance(Y, torch.Tensor):
        raise Mismatch.of_type(Y)
    if Y.requires_grad:
        (Y * pattern(Y)).sum().backward()
    names = ("queries", "keys", "values", *(f"{layer}.weight" for layer in LAYERS))
    for name, leaf, due in zip(names, (*examples, *weights), expected, strict=True):
        if leaf.grad is None:
            raise Mismatch(
                f"No gradient reaches {name}: the forward pass cuts it off (.data, .detach(), "
                "torch.no_grad()) or does without it."
            )
        assert_same(leaf.grad, due, what=f"the gradient of {name}")


test_MultiHeadAttention_rules = Standing("MultiHeadAttention", torch_attention(2), tuple).rules(
    "torch.nn.MultiheadAttention"
)


def test_MultiHeadAttention_arguments(student):
    """leaves its arguments alone"""
    examples, valid_lens = inputs(2, 3, 4, 4), torch.tensor([2, 4])
    net = build(student, 2, drawn(4))
    with unchanged(*examples, valid_lens):
        net(*examples, valid_lens)


def test_MultiHeadAttention_layout(student):
    """takes transposed, expanded and sliced tensors"""
    for change in (transposed, sliced, expanded):
        call = tuple(change(X) for X in (*inputs(2, 3, 4, 4), torch.tensor([2, 4])))
        parameters = drawn(4)
        expected = truth(torch_attention(2), *call, *parameters)
        net = build(student, 2, parameters)
        assert_same(net(*call), expected, what=f"the result for {change.__name__} inputs")


def test_MultiHeadAttention_empty(student):
    """takes an empty batch"""
    net = build(student, 2, drawn(4))
    for q, k in [(1, 1), (2, 3)]:
        call = (*inputs(0, q, k, 4), torch.zeros(0, dtype=torch.int64))
        assert_same(net(*call), torch.zeros(0, q, 4))


def seen_through(b, q, k):
    """Inputs and weights that make the result show the attention weights themselves.

    With one-hot values and W_v and W_o that change nothing, entry j of the result is the weight
    of key j. Returns (inputs, parameters); k is num_hiddens too.
    """
    queries, keys, _ = inputs(b, q, k, k)
    identity = torch.eye(k)
    return (queries, keys, identity.repeat(b, 1, 1)), [*drawn(k)[:2], identity, identity]


def test_MultiHeadAttention_training(student):
    """drops attention weights in training, and scales up the others"""
    dropout = 0.4
    examples, parameters = seen_through(4, 30, 32)
    values = 1.0 + torch.rand(4, 32, 32)
    weights = torch_attention(2)(*examples, None, *parameters)
    net = build(student, 2, parameters, dropout)
    net.train()
    got = net(*examples, None)
    if not isinstance(got, torch.Tensor) or got.shape != weights.shape:
        assert_same(got, weights)
    alive = got.detach() != 0
    what = f"The share of attention weights dropped for dropout {dropout}"
    assert_rate(int((~alive).sum()), alive.numel(), dropout, what)
    due = truth(lambda W: torch.where(alive, W / (1 - dropout), 0.0), weights)
    assert_same(got, due, what="what is left of the attention weights")
    # Of other values each entry of the result adds up 32 weights, of which some survive.
    mixed = net(*examples[:2], values, None)
    if not (mixed != 0).all():
        raise Mismatch(
            "Entries of the result are dropped. Dropout belongs to the attention weights, before "
            "they meet the values.",
            expected="no entry of exactly 0",
            got=f"{int((mixed == 0).sum())} of {mixed.numel()} are 0",
        )


def test_MultiHeadAttention_eval(student):
    """drops nothing in eval mode"""
    examples, parameters = inputs(2, 3, 4, 4), drawn(4)
    expected = truth(torch_attention(2), *examples, None, *parameters)
    net = build(student, 2, parameters, dropout=0.5)
    net.eval()
    results = [net(*examples, None) for _ in range(2)]
    for result in results:
        if not isinstance(result, torch.Tensor):
            raise Mismatch.of_type(result)
    assert_same(results[1], results[0].detach(), what="the second of two results in eval mode")
    assert_same(results[0], expected)


def test_MultiHeadAttention_refuses(student):
    """refuses heads that cannot share out num_hiddens"""
    for hiddens, heads in [(1, 2), (5, 2), (4, 3), (7, 6)]:
        refuses(
            ValueError,
            student.MultiHeadAttention,
            num_hiddens=hiddens,
            num_heads=heads,
            dropout=0.0,
        )


def test_MultiHeadAttention_dtype(student):
    """computes in float64 after .double()"""
    examples = [X.double() for X in inputs(2, 3, 4, 4)]
    parameters = [p.double() for p in drawn(4)]
    valid_lens = torch.tensor([2, 4])
    expected = truth(torch_attention(2), *examples, valid_lens, *parameters)
    net = build(student, 2, [p.float() for p in parameters])
    net.double()
    student.run(fill, net, [f"{layer}.weight" for layer in LAYERS], parameters)
    assert_same(net(*examples, valid_lens), expected)


def test_MultiHeadAttention_device(student):
    """works on another device than the CPU"""
    examples, valid_lens = inputs(2, 3, 4, 4), torch.tensor([2, 4])
    net = build(student, 2, drawn(4), dropout=0.5)
    with student.other_device():
        net(*examples, valid_lens)
