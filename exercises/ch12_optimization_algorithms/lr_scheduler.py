"""Section 12.11: Learning rate schedules.

Long steps at first, short ones at the end, and sometimes a gentle start: four ways to say how.
"""

import math


class SquareRootScheduler:
    """A learning rate that falls with the root of the number of updates.

    Args:
        lr: float, the learning rate of update 0.

    Returns:
        An object that, called with num_update, an int that counts from 0, returns the learning
        rate of that update, a float.

    Formula:
        lr / sqrt(num_update + 1)

    Example:
        >>> scheduler = SquareRootScheduler(lr=0.5)
        >>> scheduler(0), scheduler(3)
        (0.5, 0.25)

    Book: 12.11.1
    """

    def __init__(self, lr=0.1):
        raise NotImplementedError("SquareRootScheduler.__init__")

    def __call__(self, num_update):
        """The learning rate of that update."""
        raise NotImplementedError("SquareRootScheduler.__call__")


class FactorScheduler:
    """A learning rate that shrinks by a factor in every update, down to a floor.

    Called for 0, 1, 2, ... in turn it tells the rates of these updates. The rate depends on
    num_update alone: asked again, or in another order, it says the same. (The book's own class
    shrinks its rate with every call and does not look at num_update; it passes but for this.)

    Args:
        factor: float in (0, 1], what each update multiplies the rate with.
        stop_factor_lr: float, the floor. A rate below it is replaced by it.
        base_lr: float, at least the floor; the rate before the first update.

    Returns:
        An object that, called with num_update, an int that counts from 0, returns the learning
        rate of that update, a float.

    Formula:
        max(stop_factor_lr, base_lr * factor^(num_update + 1))
        Mind the + 1: the first update has shrunk the rate already.

    Example:
        >>> scheduler = FactorScheduler(factor=0.5, stop_factor_lr=0.2, base_lr=1.0)
        >>> [scheduler(t) for t in range(4)]
        [0.5, 0.25, 0.2, 0.2]

    Book: 12.11.3
    """

    def __init__(self, factor=1, stop_factor_lr=1e-7, base_lr=0.1):
        raise NotImplementedError("FactorScheduler.__init__")

    def __call__(self, num_update):
        """The learning rate of that update."""
        raise NotImplementedError("FactorScheduler.__call__")


class MultiFactorScheduler:
    """A learning rate that stays for a while and drops at given epochs.

    Called for 0, 1, 2, ... in turn it tells the rates of these epochs, and they depend on the
    epoch alone: asked again, or in another order, it says the same.

    Args:
        step: list of ints, the epochs at which the rate drops, rising.
        factor: float, what each drop multiplies the rate with.
        base_lr: float, the rate before the first drop.

    Returns:
        An object that, called with epoch, an int that counts from 0, returns the learning rate of
        that epoch, a float.

    Formula:
        base_lr * factor^k, where k of the epochs in step are not later than epoch: the rate has
        dropped already in the epoch that step names. PyTorch's MultiStepLR does the same.

    Example:
        >>> scheduler = MultiFactorScheduler(step=[2, 3], factor=0.5, base_lr=1.0)
        >>> [scheduler(epoch) for epoch in range(5)]
        [1.0, 1.0, 0.5, 0.25, 0.25]

    Book: 12.11.3
    """

    def __init__(self, step, factor, base_lr):
        raise NotImplementedError("MultiFactorScheduler.__init__")

    def __call__(self, epoch):
        """The learning rate of that epoch."""
        raise NotImplementedError("MultiFactorScheduler.__call__")


class CosineScheduler:
    """A learning rate that rises in a warm-up and then falls along half a cosine.

    Called for 0, 1, 2, ... in turn it tells the rates of these epochs, and they depend on the
    epoch alone: asked again, or in another order, it says the same.

    Args:
        max_update: int, the epoch in which final_lr is reached. It stays from then on.
        base_lr: float, the rate at the end of the warm-up, from which the cosine starts.
        final_lr: float, the rate at the end.
        warmup_steps: int, how many epochs the warm-up takes; 0 for none.
        warmup_begin_lr: float, the rate of epoch 0 if there is a warm-up.

    Returns:
        An object that, called with epoch, an int that counts from 0, returns the learning rate of
        that epoch, a float.

    Formula:
        epoch < warmup_steps:
            warmup_begin_lr + (base_lr - warmup_begin_lr) * epoch / warmup_steps
        warmup_steps <= epoch <= max_update:
            final_lr + (base_lr - final_lr) * (1 + cos(pi * share)) / 2
            where share = (epoch - warmup_steps) / (max_update - warmup_steps)
        epoch > max_update:
            final_lr

    Raises:
        ValueError: max_update is not greater than warmup_steps (the cosine would have no room).

    Example:
        >>> scheduler = CosineScheduler(max_update=4, base_lr=1.0, final_lr=0.2, warmup_steps=2)
        >>> [round(scheduler(epoch), 3) for epoch in range(6)]
        [0.0, 0.5, 1.0, 0.6, 0.2, 0.2]

    Book: 12.11.3
    """

    def __init__(self, max_update, base_lr=0.01, final_lr=0, warmup_steps=0, warmup_begin_lr=0):
        raise NotImplementedError("CosineScheduler.__init__")

    def __call__(self, epoch):
        """The learning rate of that epoch."""
        raise NotImplementedError("CosineScheduler.__call__")
