"""Section 2.5: Automatic differentiation.

Gradients of scalars, and what autograd makes of functions whose result is no scalar; how to check
a gradient without it, and how to tell it to look away.
"""

import torch


def grad_of_sum(f, x):
    """Differentiate the sum of all entries of f(x) by x, and leave no trace.

    Args:
        f: function from a tensor like x to a float tensor of any shape, made of differentiable
            operations on what it is given.
        x: float tensor of any shape. Not modified, and that includes what autograd keeps with it:
            whether it requires gradients, and what is in its .grad, stay as they were.

    Returns:
        Float tensor with the shape, dtype and device of x: entry j is the derivative of the sum
        by x[j]. It carries no graph. It works just as well where the caller has gradients turned
        off; and where f uses other tensors that require gradients, their .grad stays too.

    Formula:
        grad[j] = sum over i of dy[i] / dx[j],  y = f(x)

    Example:
        >>> x = torch.tensor([1.0, 2.0, 3.0])
        >>> grad_of_sum(lambda x: x * x, x)
        tensor([2., 4., 6.])
        >>> x.requires_grad, x.grad
        (False, None)

    Book: 2.5.1, 2.5.2
    """
    raise NotImplementedError("grad_of_sum")


def vjp(f, x, v):
    """Multiply a vector from the left onto the Jacobian of f at x, without making the Jacobian.

    This is what backward(v) computes where the result is no scalar: each entry of f(x) counts
    with its own weight.

    Args:
        f: function from a tensor like x to a float tensor of any shape.
        x: float tensor of any shape. Not modified, nor its .grad and whether it requires gradients.
        v: float tensor of the shape of f(x), the weights. Not modified.

    Returns:
        Float tensor with the shape, dtype and device of x. It carries no graph.

    Formula:
        out[j] = sum over i of v[i] * dy[i] / dx[j],  y = f(x)

    Raises:
        ValueError: v has another shape than f(x).

    Rules:
        Do not call torch's own vjp functions.

    Example:
        >>> x, v = torch.tensor([1.0, 2.0]), torch.tensor([10.0, 1.0])
        >>> vjp(lambda x: torch.stack([x[0] * x[1], x[0]]), x, v)
        tensor([21., 10.])

    Book: 2.5.2
    """
    raise NotImplementedError("vjp")


def jacobian(f, x):
    """Compute all derivatives of a vector-valued function.

    Args:
        f: function from a vector like x to a float vector (m,), m at least 1. Some entries of it
            may not depend on x, but not all.
        x: float tensor (n,). Not modified, nor its .grad and whether it requires gradients.

    Returns:
        Float tensor (m, n), dtype and device of x: row i is the gradient of entry i of f(x). It
        carries no graph.

    Formula:
        J[i, j] = dy[i] / dx[j],  y = f(x)

    Raises:
        ValueError: x or f(x) is not a vector, that is, has not exactly one axis.

    Rules:
        Do not call torch's own functions for Jacobians.

    Example:
        >>> jacobian(lambda x: torch.stack([x[0] * x[1], x[0], 3 * x[1]]), torch.tensor([5.0, 7.0]))
        tensor([[7., 5.],
                [1., 0.],
                [0., 3.]])

    Book: 2.5.2
    """
    raise NotImplementedError("jacobian")


def numerical_gradient(f, x, h=1e-4):
    """Estimate the gradient of a scalar function by central differences, without autograd.

    It is how a gradient written by hand is checked. The differences are of nearly equal numbers,
    so all is computed in float64, whatever the dtype of x.

    Args:
        f: function from a float64 tensor of the shape of x to a tensor with a single entry.
        x: float tensor of any shape. Not modified.
        h: float, how far to go to either side.

    Returns:
        Float64 tensor with the shape and device of x.

    Formula:
        grad[j] = (f(x + h * e_j) - f(x - h * e_j)) / (2 * h)
        where e_j is 1 at entry j and 0 elsewhere. The error is of the order of h^2: exact, but for
        rounding, where f is a polynomial of degree 2 in each entry.

    Rules:
        Do not use autograd: neither torch.autograd nor torch.func nor backward.

    Example:
        >>> numerical_gradient(lambda x: (x**3).sum(), torch.tensor([1.0, 2.0]), h=0.5)
        tensor([ 3.2500, 12.2500], dtype=torch.float64)

    Book: 2.5
    """
    raise NotImplementedError("numerical_gradient")


def detached_product(x):
    """Multiply x by its square, where the square counts as a constant for the gradient.

    With u = x * x the result is u * x. Its values are those of x^3; but u is cut off from the
    graph, so that the gradient is u, as if u had come from elsewhere, and not 3 * x^2.

    Args:
        x: float tensor of any shape. Not modified.

    Returns:
        Float tensor, shape, dtype and device of x.

    Formula:
        z = stop_gradient(x * x) * x
        dz[i] / dx[i] = x[i]^2

    Example:
        >>> x = torch.tensor([1.0, -2.0], requires_grad=True)
        >>> z = detached_product(x)
        >>> z.sum().backward()
        >>> z.tolist(), x.grad
        ([1.0, -8.0], tensor([1., 4.]))

    Book: 2.5.3
    """
    raise NotImplementedError("detached_product")
