"""Wrong answers that people give in section 2.5, and what went wrong in them."""

import torch

from d2lgrade.testkit import misconception


def _leaf(x):
    return x.detach().requires_grad_()


def _gradient(y, leaf):
    return torch.autograd.grad(y, leaf)[0]


@misconception(
    "grad_of_sum",
    "on-x-itself",
    book="2.5.1",
    why="The gradient is taken on x itself: it requires gradients now, and its .grad is filled "
    "or added to. Work on x.detach(), another tensor with the same numbers.",
)
def grad_of_sum_direct(f, x):
    x.requires_grad_()
    f(x).sum().backward()
    return x.grad


@misconception(
    "grad_of_sum",
    "cleared-afterwards",
    book="2.5.1",
    why="The traces on x are wiped away afterwards, and with them what was there before: its "
    ".grad is gone, and it no longer requires gradients. Work on x.detach() instead.",
)
def grad_of_sum_wiped(f, x):
    x.requires_grad_()
    x.grad = None
    f(x).sum().backward()
    gradient, x.grad = x.grad, None
    x.requires_grad_(False)
    return gradient


@misconception(
    "grad_of_sum",
    "mean",
    book="2.5.2",
    why="The mean of f(x) is differentiated, so everything is too small by the number of "
    "entries. The sum is asked for.",
)
def grad_of_sum_mean(f, x):
    leaf = _leaf(x)
    return _gradient(f(leaf).mean(), leaf)


@misconception(
    "grad_of_sum",
    "scalars-only",
    book="2.5.2",
    why="backward() is called on f(x) itself, which PyTorch refuses unless it has a single "
    "entry. Sum it first.",
)
def grad_of_sum_scalar(f, x):
    leaf = _leaf(x)
    f(leaf).backward()
    return leaf.grad


@misconception(
    "grad_of_sum",
    "sum-of-gradients",
    book="2.5.2",
    why="The gradient itself is summed to one number. Sum f(x) and differentiate that: there is "
    "an entry for every entry of x.",
)
def grad_of_sum_summed(f, x):
    leaf = _leaf(x)
    return _gradient(f(leaf).sum(), leaf).sum()


@misconception(
    "grad_of_sum",
    "first-entry",
    book="2.5.2",
    why="Only the first entry of f(x) is differentiated. Sum all of them.",
)
def grad_of_sum_first(f, x):
    leaf = _leaf(x)
    return _gradient(f(leaf).reshape(-1)[0], leaf)


def _fitting(y, v):
    """The weights, if they fit, so that only the mistake shows."""
    if y.shape != v.shape:
        raise ValueError("weights of another shape than f(x)")
    return v


@misconception(
    "vjp",
    "weights-ignored",
    book="2.5.2",
    why="v is not used: this is the gradient of the plain sum. Weight the entries of f(x) by v "
    "before you sum.",
)
def vjp_unweighted(f, x, v):
    leaf = _leaf(x)
    y = f(leaf)
    _fitting(y, v)
    return _gradient(y.sum(), leaf)


@misconception(
    "vjp",
    "weights-after-the-gradient",
    book="2.5.2",
    why="The gradient of the sum is multiplied by v. v weights the entries of f(x), not those "
    "of x, so it has to come before the gradient.",
)
def vjp_late(f, x, v):
    leaf = _leaf(x)
    y = f(leaf)
    _fitting(y, v)
    return v * _gradient(y.sum(), leaf)


@misconception(
    "vjp",
    "weights-summed",
    book="2.5.2",
    why="The weights are summed before they are multiplied, so every entry gets the same one. "
    "Multiply first, then sum.",
)
def vjp_pooled(f, x, v):
    leaf = _leaf(x)
    y = f(leaf)
    return _gradient(_fitting(y, v).sum() * y.sum(), leaf)


@misconception(
    "vjp",
    "from-the-right",
    book="2.5.2",
    why="The vector is multiplied onto the Jacobian from the right, which follows a direction "
    "in x. From the left it weights the entries of f(x).",
)
def vjp_right(f, x, v):
    leaf = _leaf(x)
    y = f(leaf)
    if y.numel() != x.numel():
        raise ValueError("only square Jacobians")
    rows = [
        torch.autograd.grad(entry, leaf, retain_graph=True)[0].reshape(-1)
        for entry in y.reshape(-1)
    ]
    return (torch.stack(rows) @ _fitting(y, v).reshape(-1)).reshape(x.shape)


@misconception(
    "vjp",
    "on-x-itself",
    book="2.5.2",
    why="The gradient is taken on x itself: it requires gradients now, and its .grad is filled "
    "or added to. Work on x.detach().",
)
def vjp_direct(f, x, v):
    x.requires_grad_()
    y = f(x)
    (_fitting(y, v) * y).sum().backward()
    return x.grad


def _jacobian(f, x, gathered):
    """The rows, gathered in a way of one's own."""
    leaf = _leaf(x)
    y = f(leaf)
    if x.dim() != 1 or y.dim() != 1:
        raise ValueError("only vectors")
    return gathered([torch.autograd.grad(e, leaf, retain_graph=True)[0] for e in y])


@misconception(
    "jacobian",
    "transposed",
    book="2.5.2",
    why="The Jacobian lies on its side, (n, m). Row i belongs to entry i of f(x), column j to "
    "entry j of x.",
)
def jacobian_transposed(f, x):
    return _jacobian(f, x, lambda rows: torch.stack(rows, 1))


@misconception(
    "jacobian",
    "sum-only",
    book="2.5.2",
    why="All rows are added up: that is the gradient of the sum. Differentiate each entry of "
    "f(x) alone.",
)
def jacobian_summed(f, x):
    return _jacobian(f, x, sum)


@misconception(
    "jacobian",
    "rows-pile-up",
    book="2.5.2",
    why="Each row holds those above it too: backward() adds to .grad. Clear it before each row, "
    "or use torch.autograd.grad.",
)
def jacobian_piled(f, x):
    return _jacobian(f, x, lambda rows: torch.stack(rows).cumsum(0))


@misconception(
    "jacobian",
    "one-backward-only",
    book="2.5.2",
    why="The second row fails, as the first backward pass frees the graph. Keep it with "
    "retain_graph=True, or compute f(x) anew for each row.",
)
def jacobian_freed(f, x):
    leaf = _leaf(x)
    y = f(leaf)
    if x.dim() != 1 or y.dim() != 1:
        raise ValueError("only vectors")
    return torch.stack([torch.autograd.grad(entry, leaf)[0] for entry in y])


@misconception(
    "jacobian",
    "diagonal-only",
    book="2.5.2",
    why="Only the derivatives dy[i] / dx[i] are there, as for functions that work entry by "
    "entry. Each entry of f(x) may depend on every entry of x.",
)
def jacobian_diagonal(f, x):
    def gathered(rows):
        full = torch.stack(rows)
        kept = torch.zeros_like(full)
        kept.diagonal().copy_(full.diagonal())
        return kept

    return _jacobian(f, x, gathered)


def _differences(f, x, quotient, double=True):
    """An estimate entry by entry, by `quotient(f, point, step)`."""
    point = x.detach().double() if double else x.detach()
    found = []
    for j in range(point.numel()):
        one = torch.zeros(point.numel(), dtype=point.dtype, device=point.device)
        one[j] = 1.0
        found.append(quotient(point, one.reshape(point.shape)))
    return torch.stack(found).reshape(point.shape)


@misconception(
    "numerical_gradient",
    "one-sided",
    book="2.5",
    why="h goes to one side only. The error of such a difference is of the order of h; going to "
    "both sides makes it h^2.",
)
def numerical_gradient_forward(f, x, h=1e-4):
    return _differences(f, x, lambda p, one: (f(p + h * one) - f(p)).sum() / h)


@misconception(
    "numerical_gradient",
    "divided-by-h",
    book="2.5",
    why="The difference is divided by h. The two points are 2 * h apart.",
)
def numerical_gradient_half(f, x, h=1e-4):
    return _differences(f, x, lambda p, one: (f(p + h * one) - f(p - h * one)).sum() / h)


@misconception(
    "numerical_gradient",
    "half-a-step",
    book="2.5",
    why="The points are h / 2 away on either side. They are h away, and 2 * h from one another.",
)
def numerical_gradient_near(f, x, h=1e-4):
    return _differences(f, x, lambda p, one: (f(p + h / 2 * one) - f(p - h / 2 * one)).sum() / h)


@misconception(
    "numerical_gradient",
    "single-precision",
    book="2.5",
    why="The differences are taken in the dtype of x. In float32 nearly all digits cancel; "
    "compute in float64.",
)
def numerical_gradient_single(f, x, h=1e-4):
    return _differences(
        f, x, lambda p, one: (f(p + h * one) - f(p - h * one)).sum() / (2 * h), double=False
    ).double()


@misconception(
    "numerical_gradient",
    "all-entries-at-once",
    book="2.5",
    why="h is added to all entries at once. That is the derivative along the diagonal; move one "
    "entry at a time.",
)
def numerical_gradient_diagonal(f, x, h=1e-4):
    p = x.detach().double()
    return ((f(p + h) - f(p - h)).sum() / (2 * h)).expand(p.shape).clone()


@misconception(
    "numerical_gradient",
    "entries-stay-moved",
    book="2.5",
    why="Each entry is moved and not put back, so the later differences are taken elsewhere. "
    "Restore it, or add h to a copy.",
)
def numerical_gradient_moved(f, x, h=1e-4):
    p = x.detach().double().clone(memory_format=torch.contiguous_format)
    found = torch.zeros_like(p)
    for j in range(p.numel()):
        p.view(-1)[j] += h
        above = f(p).sum()
        p.view(-1)[j] -= 2 * h
        found.view(-1)[j] = (above - f(p).sum()) / (2 * h)
    return found


@misconception(
    "detached_product",
    "not-detached",
    book="2.5.3",
    why="Nothing is cut off, so the gradient is 3 * x^2. Detach the square, then multiply.",
)
def detached_product_attached(x):
    return x * x * x


@misconception(
    "detached_product",
    "x-detached",
    book="2.5.3",
    why="x is cut off instead of the square: the gradient is 2 * x^2. Detach u = x * x, and "
    "multiply by x itself.",
)
def detached_product_wrong_factor(x):
    return x * x * x.detach()


@misconception(
    "detached_product",
    "all-detached",
    book="2.5.3",
    why="The whole product is cut off, so no gradient reaches x. Only the square is a constant.",
)
def detached_product_cut(x):
    return (x * x * x).detach()
