"""The device check without a GPU: legal code passes unchanged, what CUDA refuses is refused."""

from __future__ import annotations

import copy
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from d2lgrade.contestant.probes.device import DEVICE, Session, WrongDevice, run

MIXED = "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and"

Case = Callable[..., Any]
LEGAL: dict[str, tuple[Case, tuple[Any, ...]]] = {}
BAD: dict[str, tuple[Case, tuple[Any, ...], type[Exception], str]] = {}


def image() -> torch.Tensor:
    return torch.arange(24.0).reshape(4, 6) / 7 - 1


def legal(*args: Any) -> Callable[[Case], Case]:
    def note(case: Case) -> Case:
        LEGAL[case.__name__] = (case, args or (image(),))
        return case

    return note


def bad(
    *args: Any, error: type[Exception] = WrongDevice, match: str = MIXED
) -> Callable[[Case], Case]:
    def note(case: Case) -> Case:
        BAD[case.__name__] = (case, args or (image(),), error, match)
        return case

    return note


# --- what runs on a GPU ---------------------------------------------------------------------------


@legal(image(), torch.ones(2, 3))
def loops_over_an_output_made_on_the_device(X, K):
    Y = torch.zeros(X.shape[0] - 1, X.shape[1] - 2, device=X.device)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + 2, j : j + 3] * K).sum()
    return Y


@legal(image(), torch.ones(2, 3))
def loops_over_new_zeros(X, K):
    Y = X.new_zeros(3, 4)
    for i in range(3):
        for j in range(4):
            Y[i, j] += torch.sum(X[i : i + 2, j : j + 3] * K) + 1
    return Y


@legal()
def dropout_by_rand_like(X):
    return (torch.rand_like(X) > 0.5).float() * X / 0.5


@legal()
def dropout_by_rand_with_device(X):
    return (torch.rand(X.shape, device=X.device) > 0.5).to(X.dtype) * X


@legal()
def device_named_by_string(X):
    return X + torch.ones(6, device="cuda") + torch.ones(6, device="cuda:0") + X.new_ones(6)


@legal()
def device_named_by_index(X):
    return X + torch.ones(6, device=0) + torch.ones(6).to(0) + torch.ones(6).cuda(0)


@legal()
def where_with_a_scalar(X):
    return torch.where(X > 0, X, 0.0) + torch.where(X > 0, X, torch.tensor(1.0))


@legal()
def scalar_tensors_of_the_cpu(X):
    return X * torch.tensor(2.0) + torch.tensor(1) - torch.tensor(0.5) / X.abs().max()


@legal()
def indexing_in_every_way(X):
    rows = torch.tensor([0, 2])
    picked = X[rows] + X[[0, 2]] + X[torch.tensor([True, False, True, False])]
    return picked, X[X > 0], X[..., None], X[1:, ::2], X[rows, :2], X[:, -1], X[np.array([1, 0])]


@legal()
def assignment_across_devices_by_copy(X):
    X = X.clone()
    X[0] = torch.arange(6.0)
    X[1:3, 2] = torch.zeros(2)
    X[3, 0] = torch.tensor(5.0)
    X[X < 0] = torch.tensor(0.0)
    X[torch.tensor([1, 2])] = 3.0
    return X


@legal()
def copy_across_devices(X):
    host = torch.empty(4, 6)
    host.copy_(X)
    host[0] = X[1]
    host[2, 3] = X[0, 0]
    return X.clone().copy_(host)


@legal()
def in_place_arithmetic(X):
    X = X.clone()
    X += 1
    X *= X
    X.sub_(0.5).clamp_(min=0)
    X[:, 0] -= 2
    mask = X > 0
    mask &= X < 1
    mask |= ~mask
    return X, mask


@legal()
def masks_from_arange(X):
    length = torch.arange(6, device=X.device)[None, :]
    mask = length < torch.tensor([1, 2, 3, 6], device=X.device)[:, None]
    return torch.softmax(X.masked_fill(~mask, -1e6), dim=-1)


@legal(torch.ones(2, 3, 4), torch.tensor([1, 3]))
def masked_softmax_by_lengths(X, valid_lens):
    valid_lens = torch.repeat_interleave(valid_lens, X.shape[1])
    flat = X.reshape(-1, X.shape[-1])
    mask = torch.arange(flat.size(1), dtype=torch.float32, device=X.device)[None, :]
    flat = flat.clone()
    flat[~(mask < valid_lens[:, None])] = -1e6
    return F.softmax(flat.reshape(X.shape), dim=-1)


@legal()
def moved_by_to(X):
    ones = torch.ones(6)
    return (
        X
        + ones.to(X)
        + ones.to(X.device)
        + ones.cuda()
        + ones.to(device=X.device)
        + (ones.type_as(X) + ones.to(X.device, torch.float32) + ones.to("cuda", non_blocking=True))
    )


@legal()
def to_the_host_and_back(X):
    array = X.detach().cpu().numpy() * 2
    return torch.from_numpy(array).to(X.device) + torch.as_tensor(array, device=X.device)


@legal()
def factories_with_device(X):
    d = X.device
    return (
        torch.tensor([1.0, 2.0], device=d),
        torch.full((2,), 3.0, device=d),
        torch.eye(6, device=d) @ X.T,
        torch.linspace(0, 1, 3, device=d),
        torch.randperm(4, device=d),
        torch.empty(2, device=d).normal_(),
        torch.randint(0, 3, (2,), device=d),
        torch.tensor(X.tolist(), device=d),
    )


@legal()
def factories_like(X):
    return (
        torch.zeros_like(X),
        torch.ones_like(X),
        torch.full_like(X, 2),
        X.new_tensor([1.0]),
        (
            X.new_full((2,), 1.0),
            X.new_empty(0),
            torch.randn_like(X),
            torch.zeros_like(torch.ones(3), device=X.device),
        ),
    )


@legal()
def joins(X):
    rows = [x * 2 for x in X]
    return torch.stack(rows), torch.cat([X, X]), torch.stack([x.sum() for x in X]), sum(rows)


@legal()
def sum_of_a_generator(X):
    return sum(x.sum() for x in X), sum((x * y).sum() for x, y in zip(X, X, strict=True))


@legal(torch.randn(2, 3, 4), torch.randn(2, 4, 5))
def products(A, B):
    return torch.einsum("bij,bjk->bik", A, B), A @ B, torch.bmm(A, B), torch.matmul(A, B[0])


@legal(torch.randn(2, 3, 8, 8), torch.randn(4, 3, 3, 3), torch.randn(4))
def functional(X, W, b):
    Y = F.relu(F.conv2d(X, W, b, padding=1))
    Y = F.max_pool2d(Y, 2) + F.avg_pool2d(Y, 2) + F.adaptive_avg_pool2d(Y, 4)
    columns = F.unfold(F.pad(X, (1, 1, 1, 1)), 3)
    return Y, columns, F.dropout(Y, 0.5), F.layer_norm(Y, Y.shape[1:]), F.gelu(Y), Y.var((0, 2, 3))


@legal(torch.randn(5, 3), torch.tensor([0, 1, 2, 1, 0]))
def losses(logits, y):
    picked = logits.log_softmax(1)[torch.arange(len(y)), y]
    one_hot = F.one_hot(y, 3).float()
    return (
        F.cross_entropy(logits, y),
        -picked.mean(),
        F.mse_loss(logits, one_hot),
        (
            logits.gather(1, y[:, None]),
            (logits.argmax(1) == y).float().mean(),
        ),
    )


@legal(torch.randn(3, 2), torch.randn(3, 2))
def adam_like_update(w, g):
    m, v = torch.zeros_like(w), torch.zeros(w.shape, device=w.device)
    with torch.no_grad():
        for t in range(1, 4):
            m[:] = 0.9 * m + 0.1 * g
            v.mul_(0.999).addcmul_(g, g, value=0.001)
            w[:] -= 0.1 * (m / (1 - 0.9**t)) / (torch.sqrt(v / (1 - 0.999**t)) + 1e-6)
    return w


@legal(torch.randn(3, requires_grad=True))
def autograd_inside(w):
    (g,) = torch.autograd.grad((w**2).sum(), w, create_graph=True)
    loss = (g * w).sum()
    loss.backward()
    step = w.grad * 2 + torch.ones(3, device=w.device)
    w.grad.zero_()
    return step


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.device = x.device
        return x * 2 + torch.zeros(x.shape, device=x.device)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 2 * torch.ones(x.shape, device=ctx.device) + 0 * x


@legal(torch.randn(3, requires_grad=True))
def custom_function(w):
    w = w.detach().requires_grad_()
    Doubled.apply(w).sum().backward()
    return w.grad + w


@legal(torch.randn(3, requires_grad=True))
def a_leaf_of_the_host(X):
    w = torch.ones(3, requires_grad=True)
    (w.to(X.device) * X).sum().backward()
    assert w.grad.device == w.device == torch.device("cpu")
    assert (w.grad + torch.ones(3)).shape == (3,)
    return X * 2


@legal(torch.randn(2, 1, 8, 8))
def modules_made_inside(X):
    net = nn.Sequential(
        nn.Conv2d(1, 2, 3, device=X.device), nn.BatchNorm2d(2, device=X.device), nn.Dropout(0.5)
    )
    head = nn.Sequential(nn.Flatten(), nn.LazyLinear(3), nn.LayerNorm(3)).to(X.device)
    assert next(net.parameters()).is_cuda
    return head(net(X))


@legal(torch.randn(2, 4, 6))
def recurrent_and_attention_made_inside(X):
    lstm = nn.LSTM(6, 5, batch_first=True).to(X.device)
    packed = nn.utils.rnn.pack_padded_sequence(X, [4, 3], batch_first=True)
    states, _ = nn.utils.rnn.pad_packed_sequence(lstm(packed)[0], batch_first=True)
    attention = nn.MultiheadAttention(5, 1, batch_first=True).cuda()
    encoder = nn.TransformerEncoderLayer(5, 1, 8, batch_first=True, device=X.device)
    return attention(states, states, states)[0], encoder(states), lstm(X)[1]


@legal(torch.randn(4, 3), torch.randn(4, 1))
def training_inside(X, y):
    net = nn.Linear(3, 1).to(X.device)
    for make in (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW, torch.optim.Adagrad):
        optimizer = make(net.parameters(), lr=0.1)
        for _ in range(2):
            optimizer.zero_grad()
            F.mse_loss(net(X), y).backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
    return net(X)


@legal()
def the_machine_has_a_gpu(X):
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    assert torch.cuda.device_count() == 1
    torch.manual_seed(0)
    with torch.random.fork_rng():
        return X + torch.zeros(6, device=device) + torch.zeros(6, device=torch.device("cuda", 0))


@legal()
def a_generator_of_the_device(X):
    generator = torch.Generator(device=X.device).manual_seed(1)
    assert isinstance(generator, torch.Generator)
    on_host = torch.rand(2, generator=torch.Generator().manual_seed(1))
    return torch.rand(X.shape, generator=generator, device=X.device), on_host.to(X.device)


@legal()
def default_device_context(X):
    with torch.device(X.device):
        return X + torch.ones(6) + torch.arange(6)


@legal(torch.randn(3, 2))
def functional_transforms(X):
    def loss(w):
        return ((X @ w) ** 2 + torch.zeros(3, device=X.device)).sum()

    w = torch.ones(2, device=X.device)
    jacobian = torch.autograd.functional.jacobian(loss, w)
    return torch.func.grad(loss)(w) + jacobian + torch.vmap(lambda row: row * w)(X).sum(0)


@legal()
def numbers_leave_freely(X):
    scale = float(X.max()) + X[0, 0].item() + len(X) + X.sum().tolist() + max(map(float, X[0]))
    return X * scale if X.mean() < 100 else X


@legal()
def copies_and_views(X):
    Y = copy.deepcopy(X)
    return Y + X.view(-1).reshape(4, 6) + X.T.contiguous().T + X.expand_as(torch.zeros(4, 6))


@legal()
def hooks_see_the_device(X):
    w = torch.ones(6, device=X.device, requires_grad=True)
    w.register_hook(lambda g: g * torch.full((6,), 2.0, device=g.device))
    (X * w).sum().backward()
    return w.grad + X


@pytest.mark.parametrize("name", LEGAL)
def test_legal_code_passes_and_computes_the_same(name: str) -> None:
    case, args = LEGAL[name]
    torch.manual_seed(3)
    result = run(case, copy.deepcopy(args), {})
    for tensor in _tensors(result):
        assert tensor.device == torch.device("cpu")
        assert not tensor.is_cuda
    if "cuda" not in case.__code__.co_consts and not _needs_gpu(case):
        torch.manual_seed(3)
        expected = case(*copy.deepcopy(args))
        for tensor, other in zip(_tensors(result), _tensors(expected), strict=True):
            torch.testing.assert_close(tensor, other, rtol=1e-5, atol=1e-6)


def _needs_gpu(case: Case) -> bool:
    return case.__name__ in {
        "device_named_by_string",
        "device_named_by_index",
        "moved_by_to",
        "the_machine_has_a_gpu",
        "recurrent_and_attention_made_inside",
        "modules_made_inside",
    }


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)


# --- what does not --------------------------------------------------------------------------------


@bad()
def mask_made_by_rand(X):
    return (torch.rand(X.shape) > 0.5).float() * X


@bad()
def mask_made_by_randn_in_where(X):
    return torch.where(torch.randn(X.shape) > 0, X, 0.0)


@bad(match="the result is on cpu, its inputs are on cuda:0")
def output_made_on_the_host(X):
    Y = torch.zeros(4, 6)
    for i in range(4):
        Y[i] = X[i] * 2
    return Y


@bad(match=r"the result at \[1\]\['b'\] is on cpu")
def part_of_the_output_on_the_host(X):
    return X, {"a": X, "b": torch.ones(3)}


@bad(torch.ones(2, 4), torch.tensor([1, 2]))
def arange_against_lengths(X, lengths):
    return X * (torch.arange(4)[None, :] < lengths[:, None])


@bad(error=TypeError, match="can't convert cuda:0 device type tensor to numpy")
def numpy_round_trip(X):
    return torch.from_numpy(X.numpy() * 2)


@bad(error=TypeError, match="Use Tensor.cpu")
def numpy_function(X):
    return torch.as_tensor(np.exp(X))


@bad(error=TypeError, match="Use Tensor.cpu")
def numpy_array(X):
    return torch.tensor(np.asarray(X))


@bad(match="the result is on cpu")
def left_on_the_host(X):
    return X.cpu() * 2


@bad(match="the result is on cpu")
def from_numpy_left_on_the_host(X):
    return torch.from_numpy(X.cpu().numpy())


@bad(match="the result is on cpu")
def sent_to_the_host(X):
    return X.to("cpu")


@bad(match="the result is on cpu")
def tensor_of_numbers(X):
    return torch.tensor([x.sum() for x in X])


@bad()
def cat_of_mixed(X):
    return torch.cat([X, torch.zeros(1, 6)])


@bad()
def stack_with_a_host_scalar(X):
    return torch.stack([X.sum(), torch.tensor(0.0)])


@bad()
def full_of_mixed(X):
    return X + torch.full((6,), 1.0)


@bad()
def identity_matrix(X):
    return X @ torch.eye(6)


@bad()
def einsum_of_mixed(X):
    return torch.einsum("ij,j->i", X, torch.ones(6))


@bad()
def assignment_of_host_values_by_mask(X):
    X = X.clone()
    X[X > 0] = torch.zeros(int((X > 0).sum()))
    return X


@bad()
def index_put_of_host_values(X):
    return X.index_put((torch.tensor([0, 1]),), torch.zeros(2, 6))


@bad(match="indices should be either on cpu")
def host_tensor_by_device_mask(X):
    return torch.ones(4, 6)[X > 0]


@bad(match="indices should be either on cpu")
def host_tensor_written_by_device_index(X):
    Y = torch.zeros(4, 6)
    Y[X[:, 0].argsort()] = 1.0
    return Y


@bad()
def in_place_into_a_host_scalar(X):
    total = torch.tensor(0.0)
    for x in X:
        total += x.sum()
    return total


@bad()
def in_place_by_a_host_tensor(X):
    return X.clone().mul_(torch.ones(6))


@bad()
def masked_fill_by_a_host_mask(X):
    return X.masked_fill(torch.ones(4, 6) > 0, 0.0)


@bad(torch.ones(3), torch.tensor([0, 1, 1]))
def gather_by_a_host_index(X, y):
    return X.gather(0, torch.tensor([0, 1]))


@bad(torch.randn(1, 1, 5, 5))
def host_kernel(X):
    return F.conv2d(X, torch.ones(1, 1, 2, 2))


@bad(torch.randn(2, 3))
def module_left_on_the_host(X):
    return nn.Linear(3, 2)(X)


@bad(torch.randn(2, 3))
def lazy_module_left_on_the_host(X):
    return nn.LazyLinear(2)(X)


@bad()
def linspace_of_mixed(X):
    return X - torch.linspace(0, 1, 6)


@bad()
def out_of_mixed(X):
    return torch.add(X, 1, out=torch.empty(4, 6)) + torch.mul(X, 2, out=torch.empty(4, 6))


@bad()
def host_vector_by_device_scalar(X):
    return torch.ones(6) * X.sum()


@bad(torch.randn(3, requires_grad=True))
def host_mask_in_a_custom_backward(w):
    class Masked(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, grad):
            return grad * torch.ones(3)

    Masked.apply(w).sum().backward()
    return w.grad


@bad()
def host_gradient_assigned(X):
    w = torch.ones(6, device=X.device, requires_grad=True)
    w.grad = torch.ones(6)
    return w


@bad(error=RuntimeError, match="Expected a 'cuda' device type for generator but found 'cpu'")
def host_generator(X):
    return torch.rand(X.shape, device=X.device, generator=torch.Generator())


@bad(error=RuntimeError, match="invalid device ordinal")
def a_second_gpu(X):
    return X.to("cuda:1")


@bad()
def made_for_the_host_by_name(X):
    return X + torch.zeros_like(X, device="cpu")


@pytest.mark.parametrize("name", BAD)
def test_what_cuda_refuses_is_refused(name: str) -> None:
    case, args, error, match = BAD[name]
    if name not in {"a_second_gpu", "numpy_function"}:
        case(*copy.deepcopy(args))  # nothing is wrong with it on the CPU
    with pytest.raises(error, match=match):
        run(case, copy.deepcopy(args), {})


def test_enough_cases_on_both_sides() -> None:
    assert len(LEGAL) >= 25
    assert len(BAD) >= 15


def test_the_error_rises_from_the_learners_line() -> None:
    with pytest.raises(WrongDevice) as caught:
        run(lazy_module_left_on_the_host, (torch.randn(2, 3),), {})
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert last.filename == __file__
    assert last.line == "return nn.LazyLinear(2)(X)"


# --- modules ----------------------------------------------------------------------------------


class Norm(nn.Module):
    """Batch normalisation as in the book, its running mean a plain attribute."""

    def __init__(self, moves: bool) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(3))
        self.register_buffer("count", torch.zeros(2))
        self.moving_mean = torch.zeros(3)
        self.moves = moves

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        if self.moves and self.moving_mean.device != X.device:
            self.moving_mean = self.moving_mean.to(X.device)
        self.moving_mean = 0.9 * self.moving_mean + 0.1 * X.mean(0)
        self.count += 1
        return self.gamma * (X - X.mean(0))


def test_a_hidden_buffer_on_the_host_is_caught() -> None:
    with pytest.raises(WrongDevice, match=MIXED) as caught:
        run(Norm(moves=False), (torch.randn(4, 3),), {})
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "forward"


def test_a_buffer_that_follows_its_input_passes_again_and_again() -> None:
    net = Norm(moves=True)
    for step in range(3):
        run(net, (torch.randn(4, 3),), {})
        assert net.moving_mean.device.type == "cpu"
        assert net.count.tolist() == [step + 1.0] * 2


def test_a_learners_own_apply_moves_its_attributes() -> None:
    class Moved(Norm):
        def _apply(self, fn, recurse=True):
            self.moving_mean = fn(self.moving_mean)
            return super()._apply(fn, recurse)

    class Sent(Norm):
        def to(self, *args, **kwargs):
            self.moving_mean = self.moving_mean.to(*args, **kwargs)
            return super().to(*args, **kwargs)

    for net in (Moved(moves=False), Sent(moves=False)):
        run(net, (torch.randn(4, 3),), {})
        assert net.moving_mean.abs().sum() > 0
        assert net.count.tolist() == [1.0, 1.0]
        assert next(net.parameters()).device.type == "cpu"


def test_modules_are_given_back_bit_for_bit_with_their_training_effects() -> None:
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5))
    other, X = copy.deepcopy(net), torch.randn(2, 1, 6, 6)
    parameters = list(net.parameters())
    torch.manual_seed(0)
    result = run(lambda n, x: n(x), (net, X), {})
    torch.manual_seed(0)
    assert torch.equal(result, other(X))
    assert all(a is b for a, b in zip(net.parameters(), parameters, strict=True))
    for (name, value), expected in zip(
        net.state_dict().items(), other.state_dict().values(), strict=True
    ):
        assert torch.equal(value, expected), name
        assert value.device.type == "cpu"
    assert net[1].num_batches_tracked == 1


@pytest.mark.parametrize("nested", [False, True])
def test_lazy_modules_are_materialised_on_the_device_and_stay(nested: bool) -> None:
    net = nn.Sequential(
        nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3)
    )
    X = torch.randn(2, 1, 6, 6)
    if nested:
        result = run(lambda holder, x: holder["net"](x), ({"net": net}, X), {})
    else:
        result = run(net.forward, (X,), {})
    assert result.shape == (2, 3)
    assert net[4].weight.shape == (3, 64)
    result.sum().backward()
    assert net[0].weight.grad.shape == (4, 1, 3, 3)


def test_modules_of_a_closure_are_moved_when_named() -> None:
    net, X = nn.MultiheadAttention(4, 2), torch.randn(3, 2, 4)
    with pytest.raises(WrongDevice):
        run(lambda x: net(x, x, x)[0], (X,), {})
    assert run(lambda x: net(x, x, x)[0], (X,), {}, [net]).shape == X.shape


def test_an_optimizer_among_the_arguments_works_on_the_device() -> None:
    w = torch.ones(3, requires_grad=True)
    optimizer = torch.optim.Adam([w], lr=0.1)

    def step(optimizer, w):
        (w**2).sum().backward()
        optimizer.step()
        return w

    for _ in range(3):
        run(step, (optimizer, w), {})
    assert w.tolist() != [1.0] * 3
    assert optimizer.state[w]["exp_avg"].device.type == "cpu"


# --- what comes back --------------------------------------------------------------------------


def test_in_place_changes_reach_the_callers_tensors() -> None:
    w, states = torch.ones(3), {"m": [torch.zeros(3)], "t": 1}

    def step(w, states):
        w.data -= 0.5
        states["m"][0][:] = w
        states["t"] += 1
        return None

    assert run(step, (w,), {"states": states}) is None
    assert w.tolist() == states["m"][0].tolist() == [0.5] * 3
    assert states["t"] == 2


def test_copies_to_the_host_share_nothing() -> None:
    w = torch.ones(3)

    def spoil(w):
        w.cpu().zero_()
        w.detach().to("cpu").numpy()[:] = 7
        np_ones = np.ones(3, dtype=np.float32)
        torch.as_tensor(np_ones, device=w.device).zero_()
        return torch.from_numpy(np_ones).to(w.device)

    assert run(spoil, (w,), {}).tolist() == [1.0] * 3
    assert w.tolist() == [1.0] * 3


def test_gradients_flow_through_the_result() -> None:
    X, W = torch.randn(3, 4, requires_grad=True), torch.randn(4, 2, requires_grad=True)
    ones = torch.ones(2, requires_grad=True)

    def product(X, W):
        return X @ W + ones.to(X.device)

    result = run(product, (X, W), {})
    result.pow(2).sum().backward()
    got = [X.grad, W.grad, ones.grad]
    expected = torch.autograd.grad((X @ W + ones).pow(2).sum(), [X, W, ones])
    for mine, other in zip(got, expected, strict=True):
        assert mine.device.type == "cpu"
        torch.testing.assert_close(mine, other)


def test_second_order_gradients_flow() -> None:
    x = torch.tensor([2.0], requires_grad=True)
    (first,) = torch.autograd.grad(run(lambda x: x**3, (x,), {}), x, create_graph=True)
    assert torch.autograd.grad(first, x)[0].item() == 12.0


def test_a_result_of_no_tensor_input_is_free() -> None:
    assert run(lambda n: torch.zeros(n), (3,), {}).shape == (3,)
    assert run(lambda x: 1.0, (torch.ones(1),), {}) == 1.0


def test_generators_are_checked_item_by_item() -> None:
    def batches(X, moved):
        for i in range(0, len(X), 2):
            yield X[torch.randperm(len(X))[:2]] if moved else torch.ones(2) * float(X[i, 0])

    X = image()
    assert [batch.shape for batch in run(batches, (X, True), {})] == [(2, 6), (2, 6)]
    with pytest.raises(WrongDevice, match="the result is on cpu"):
        next(run(batches, (X, False), {}))


def test_the_machine_is_put_back() -> None:
    before = torch.cuda.is_available, torch.Generator, torch.autograd._engine_run_backward
    with pytest.raises(ZeroDivisionError):
        run(lambda x: 1 / 0, (torch.ones(1),), {})
    after = torch.cuda.is_available, torch.Generator, torch.autograd._engine_run_backward
    assert before == after
    assert "is_acceptable" not in vars(torch.backends.cudnn)
    assert torch.overrides._len_torch_function_stack() == 0


def test_the_learners_own_errors_pass_through_untouched() -> None:
    def refuse(X):
        raise ValueError("too small")

    with pytest.raises(ValueError, match="too small"):
        run(refuse, (torch.ones(1),), {})


def test_a_session_can_hold_several_calls() -> None:
    X = torch.ones(3)
    with Session(X):
        assert X.device == DEVICE
        Y = X * 2
        assert Y.is_cuda
        assert not Y.is_cpu
        assert Y.get_device() == 0
        assert Y.type() == "torch.cuda.FloatTensor"
        assert Y.type("torch.DoubleTensor").type() == "torch.DoubleTensor"
        assert torch.ones(1).type() == "torch.FloatTensor"
    assert X.device.type == Y.device.type == "cpu"
    with Session():
        assert X.is_cuda  # it is where it was left
        assert not torch.ones(1).is_cuda


def test_what_one_call_makes_on_the_device_is_there_for_the_next() -> None:
    class Momentum(torch.optim.Optimizer):
        def __init__(self, params):
            super().__init__(params, {})
            self.velocities = [torch.zeros_like(p) for p in self.param_groups[0]["params"]]

        @torch.no_grad()
        def step(self, closure=None):
            for p, v in zip(self.param_groups[0]["params"], self.velocities, strict=True):
                v[:] = v + p.grad
                p -= v

    w = torch.ones(3, requires_grad=True)
    optimizer = run(Momentum, ([w],), {})
    for _ in range(2):
        w.sum().backward()
        run(optimizer.step, (), {})
    assert w.tolist() == [-3.0] * 3

    class Mean(nn.Module):
        mean = None

        def forward(self, X):
            self.mean = X.mean(0) if self.mean is None else self.mean + X.mean(0)
            return X - self.mean

    layer = Mean()
    for _ in range(2):
        run(layer, (image(),), {})
    torch.testing.assert_close(layer.mean, 2 * image().mean(0))


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad])
def test_it_works_without_gradients_too(mode) -> None:
    net = nn.Sequential(nn.Flatten(), nn.LazyLinear(3), nn.BatchNorm1d(3))
    with mode():
        assert run(net, (torch.randn(4, 2, 2),), {}).shape == (4, 3)
        assert run(lambda x: x + torch.ones(3).to(x.device), (torch.ones(3),), {}).sum() == 6
        with pytest.raises(WrongDevice):
            run(mask_made_by_rand, (image(),), {})
