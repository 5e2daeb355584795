"""Section 12.3: Gradient descent.

Down the slope step by step, and Newton's way, which also asks how the slope bends.
"""

import torch


def gradient_descent(grad, x, lr, num_steps):
    """Walk downhill from x by gradient descent, and tell the whole way.

    Args:
        grad: function from a tensor like x to the gradient of the objective there, of the same
            shape. It may use autograd itself, so call it where gradients are on; and it may keep
            what you give it, so do not change that afterwards.
        x: float tensor of any shape, where the walk begins. Not modified.
        lr: float, the learning rate.
        num_steps: int, how many steps to take; 0 is legal.

    Returns:
        Float tensor (num_steps + 1, *x.shape), dtype and device of x: every point of the walk, in
        order, x itself first.

    Formula:
        x[t + 1] = x[t] - lr * grad(x[t])

    Raises:
        ValueError: num_steps is negative.

    Rules:
        Write the steps yourself: use nothing of torch.optim.

    Example:
        >>> gradient_descent(lambda x: 2 * x, torch.tensor([8.0]), lr=0.25, num_steps=3)
        tensor([[8.],
                [4.],
                [2.],
                [1.]])

    Book: 12.3.1, 12.3.2
    """
    # BEGIN SOLUTION
    if num_steps < 0:
        raise ValueError(f"a walk of {num_steps} steps cannot be taken: num_steps counts from 0")
    path = [x]
    for _ in range(num_steps):
        # BLANK: x = x - ____
        x = x - lr * grad(x)
        # BLANK: path.append(____)
        path.append(x)
    # BLANK: return ____
    return torch.stack(path)
    # END SOLUTION


def newton(grad, hessian, x, lr, num_steps):
    """Walk from x by Newton's method, damped by a learning rate, and tell the whole way.

    The inverse of the Hessian stretches each step to fit the curvature: a quadratic is solved in a
    single step with lr = 1, however badly it is scaled. Nothing protects the walk where the
    curvature is negative; there it leads uphill, and so it shall here.

    Args:
        grad: function from a tensor like x to the gradient of the objective there, shape (d,). It
            may use autograd itself, so call it where gradients are on.
        hessian: function from a tensor like x to the matrix of second derivatives there, (d, d).
            It may use autograd too.
        x: float tensor (d,), where the walk begins. Not modified.
        lr: float, the damping; 1 is Newton's own step.
        num_steps: int, how many steps to take; 0 is legal.

    Returns:
        Float tensor (num_steps + 1, d), dtype and device of x: every point of the walk, in order,
        x itself first.

    Formula:
        x[t + 1] = x[t] - lr * step   where   hessian(x[t]) @ step = grad(x[t])

    Raises:
        ValueError: num_steps is negative.

    Rules:
        Write the steps yourself: use nothing of torch.optim.

    Example:
        >>> H = torch.tensor([[2.0, 0.0], [0.0, 100.0]])
        >>> newton(lambda x: H @ x, lambda x: H, torch.tensor([4.0, 8.0]), lr=0.5, num_steps=2)
        tensor([[4., 8.],
                [2., 4.],
                [1., 2.]])

    Book: 12.3.3
    """
    # BEGIN SOLUTION
    if num_steps < 0:
        raise ValueError(f"a walk of {num_steps} steps cannot be taken: num_steps counts from 0")
    path = [x]
    for _ in range(num_steps):
        # Solving the system is more accurate than inverting the matrix, and cheaper.
        # BLANK: step = ____
        step = torch.linalg.solve(hessian(x), grad(x))
        # BLANK: x = ____
        x = x - lr * step
        path.append(x)
    # BLANK: return ____
    return torch.stack(path)
    # END SOLUTION
