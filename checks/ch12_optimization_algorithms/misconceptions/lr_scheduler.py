"""Wrong answers that people give in section 12.11, and what went wrong in them."""

import math

from d2lgrade.testkit import misconception


@misconception(
    "SquareRootScheduler",
    "counts-from-one",
    book="12.11.1",
    why="The root is taken of num_update itself. Updates count from 0, where the rate would be "
    "infinite: take num_update + 1.",
)
class SquareRootScheduler_from_one:
    def __init__(self, lr=0.1):
        self.lr = lr

    def __call__(self, num_update):
        return self.lr / math.sqrt(max(num_update, 1))


@misconception(
    "SquareRootScheduler",
    "no-root",
    book="12.11.1",
    why="The rate falls with the number of updates itself, which is much faster. Take its root.",
)
class SquareRootScheduler_rootless:
    def __init__(self, lr=0.1):
        self.lr = lr

    def __call__(self, num_update):
        return self.lr / (num_update + 1)


@misconception(
    "SquareRootScheduler",
    "grows",
    book="12.11.1",
    why="The rate is multiplied by the root, so it grows. Divide by it, or take the power -0.5.",
)
class SquareRootScheduler_grows:
    def __init__(self, lr=0.1):
        self.lr = lr

    def __call__(self, num_update):
        return self.lr * math.sqrt(num_update + 1)


@misconception(
    "SquareRootScheduler",
    "root-plus-one",
    book="12.11.1",
    why="1 is added to the root, not under it: the first update has only lr / (0 + 1), but all "
    "later ones are too small.",
)
class SquareRootScheduler_outside:
    def __init__(self, lr=0.1):
        self.lr = lr

    def __call__(self, num_update):
        return self.lr / (math.sqrt(num_update) + 1)


@misconception(
    "SquareRootScheduler",
    "shrinks-itself",
    book="12.11.1",
    why="The rate is divided anew in each call and kept, so it falls far faster than by the "
    "root: the divisors multiply.",
)
class SquareRootScheduler_compounds:
    def __init__(self, lr=0.1):
        self.lr = lr

    def __call__(self, num_update):
        self.lr = self.lr / math.sqrt(num_update + 1)
        return self.lr


@misconception(
    "FactorScheduler",
    "base-rate-first",
    book="12.11.3",
    why="The first update still has base_lr: the power is num_update. It is num_update + 1, for "
    "every update shrinks the rate, the first included.",
)
class FactorScheduler_late:
    def __init__(self, factor=1, stop_factor_lr=1e-7, base_lr=0.1):
        self.factor, self.stop_factor_lr, self.base_lr = factor, stop_factor_lr, base_lr

    def __call__(self, num_update):
        return max(self.stop_factor_lr, self.base_lr * self.factor**num_update)


@misconception(
    "FactorScheduler",
    "no-floor",
    book="12.11.3",
    why="The rate falls for ever: the floor stop_factor_lr is not used.",
)
class FactorScheduler_floorless:
    def __init__(self, factor=1, stop_factor_lr=1e-7, base_lr=0.1):
        self.factor, self.stop_factor_lr, self.base_lr = factor, stop_factor_lr, base_lr

    def __call__(self, num_update):
        return self.base_lr * self.factor ** (num_update + 1)


@misconception(
    "FactorScheduler",
    "floor-as-ceiling",
    book="12.11.3",
    why="The smaller of rate and floor is taken, min instead of max.",
)
class FactorScheduler_ceiling:
    def __init__(self, factor=1, stop_factor_lr=1e-7, base_lr=0.1):
        self.factor, self.stop_factor_lr, self.base_lr = factor, stop_factor_lr, base_lr

    def __call__(self, num_update):
        return min(self.stop_factor_lr, self.base_lr * self.factor ** (num_update + 1))


@misconception(
    "FactorScheduler",
    "factor-times-number",
    book="12.11.3",
    why="The factor is multiplied by the number of the update. It is raised to it: each update "
    "shrinks what the one before has left.",
)
class FactorScheduler_linear:
    def __init__(self, factor=1, stop_factor_lr=1e-7, base_lr=0.1):
        self.factor, self.stop_factor_lr, self.base_lr = factor, stop_factor_lr, base_lr

    def __call__(self, num_update):
        return max(self.stop_factor_lr, self.base_lr * self.factor * (num_update + 1))


@misconception(
    "FactorScheduler",
    "call-counter",
    book="12.11.3",
    why="The rate shrinks with every call, whatever num_update says, as in the book's class. "
    "Asked twice for one update, it gives two answers: compute the rate from num_update.",
)
class FactorScheduler_counts_calls:
    def __init__(self, factor=1, stop_factor_lr=1e-7, base_lr=0.1):
        self.factor, self.stop_factor_lr, self.base_lr = factor, stop_factor_lr, base_lr

    def __call__(self, num_update):
        self.base_lr = max(self.stop_factor_lr, self.base_lr * self.factor)
        return self.base_lr


@misconception(
    "MultiFactorScheduler",
    "drops-an-epoch-late",
    book="12.11.3",
    why="The rate drops in the epoch after the one that step names. It has dropped already in "
    "that epoch: compare with >=.",
)
class MultiFactorScheduler_late:
    def __init__(self, step, factor, base_lr):
        self.step, self.factor, self.base_lr = step, factor, base_lr

    def __call__(self, epoch):
        return self.base_lr * self.factor ** sum(epoch > drop for drop in self.step)


@misconception(
    "MultiFactorScheduler",
    "drops-once",
    book="12.11.3",
    why="However many epochs of step have passed, the factor is applied once. Each of them "
    "multiplies the rate again.",
)
class MultiFactorScheduler_once:
    def __init__(self, step, factor, base_lr):
        self.step, self.factor, self.base_lr = step, factor, base_lr

    def __call__(self, epoch):
        return self.base_lr * (self.factor if any(epoch >= d for d in self.step) else 1)


@misconception(
    "MultiFactorScheduler",
    "drops-for-one-epoch",
    book="12.11.3",
    why="The rate is low in the named epochs only, and comes back after them. A drop lasts.",
)
class MultiFactorScheduler_briefly:
    def __init__(self, step, factor, base_lr):
        self.step, self.factor, self.base_lr = step, factor, base_lr

    def __call__(self, epoch):
        return self.base_lr * (self.factor if epoch in self.step else 1)


@misconception(
    "MultiFactorScheduler",
    "every-step-epochs",
    book="12.11.3",
    why="step is taken for a distance, as in StepLR: the rate drops again and again. It is the "
    "list of the epochs in which it drops.",
)
class MultiFactorScheduler_periodic:
    def __init__(self, step, factor, base_lr):
        self.step, self.factor, self.base_lr = step, factor, base_lr

    def __call__(self, epoch):
        return self.base_lr * self.factor ** (epoch // self.step[0] if self.step else 0)


@misconception(
    "MultiFactorScheduler",
    "call-counter",
    book="12.11.3",
    why="The rate is changed and kept when a named epoch comes by, as in the book's class for "
    "another framework. Asked twice, or out of order, it loses count: compute the rate from the "
    "epoch.",
)
class MultiFactorScheduler_counts_calls:
    def __init__(self, step, factor, base_lr):
        self.step, self.factor, self.base_lr = step, factor, base_lr

    def __call__(self, epoch):
        if epoch in self.step:
            self.base_lr *= self.factor
        return self.base_lr


class _Cosine:
    """A right scheduler, to be made wrong in one place."""

    def __init__(self, max_update, base_lr=0.01, final_lr=0, warmup_steps=0, warmup_begin_lr=0):
        if max_update <= warmup_steps:
            raise ValueError("the cosine has no room")
        self.max_update, self.base_lr, self.final_lr = max_update, base_lr, final_lr
        self.warmup_steps, self.warmup_begin_lr = warmup_steps, warmup_begin_lr

    def __call__(self, epoch):
        if epoch < self.warmup_steps:
            return self.warmup(epoch)
        return self.cosine(self.share(epoch))

    def warmup(self, epoch):
        rise = self.base_lr - self.warmup_begin_lr
        return self.warmup_begin_lr + rise * epoch / self.warmup_steps

    def share(self, epoch):
        return min(1, (epoch - self.warmup_steps) / (self.max_update - self.warmup_steps))

    def cosine(self, share):
        return self.final_lr + (self.base_lr - self.final_lr) * self.height(share)

    def height(self, share):
        return (1 + math.cos(math.pi * share)) / 2


@misconception(
    "CosineScheduler",
    "comes-back",
    book="12.11.3",
    why="After max_update the cosine goes on, and the rate rises again. It stays at final_lr.",
)
class CosineScheduler_periodic(_Cosine):
    def share(self, epoch):
        return (epoch - self.warmup_steps) / (self.max_update - self.warmup_steps)


@misconception(
    "CosineScheduler",
    "warm-up-not-subtracted",
    book="12.11.3",
    why="The cosine is laid over all of max_update, the warm-up included, so it does not start "
    "at base_lr. Count from the end of the warm-up, over what is left.",
)
class CosineScheduler_whole(_Cosine):
    def share(self, epoch):
        return min(1, epoch / self.max_update)


@misconception(
    "CosineScheduler",
    "cosine-too-long",
    book="12.11.3",
    why="The epochs of the cosine count from the end of the warm-up, but are divided by all of "
    "max_update, so that final_lr is not reached in time. Divide by max_update - warmup_steps.",
)
class CosineScheduler_long(_Cosine):
    def share(self, epoch):
        return min(1, (epoch - self.warmup_steps) / self.max_update)


@misconception(
    "CosineScheduler",
    "quarter-wave",
    book="12.11.3",
    why="A quarter of the wave is used, cos from 0 to pi / 2. Half a wave, (1 + cos) / 2 from 0 "
    "to pi, is flat at both ends.",
)
class CosineScheduler_quarter(_Cosine):
    def height(self, share):
        return math.cos(math.pi * share / 2)


@misconception(
    "CosineScheduler",
    "straight-line",
    book="12.11.3",
    why="The rate falls in a straight line. The cosine falls slowly at first and at last, and "
    "fast between.",
)
class CosineScheduler_linear(_Cosine):
    def height(self, share):
        return 1 - share


@misconception(
    "CosineScheduler",
    "final-rate-forgotten",
    book="12.11.3",
    why="The cosine falls to 0 whatever final_lr is. It covers the distance from base_lr to "
    "final_lr, and final_lr is added.",
)
class CosineScheduler_to_zero(_Cosine):
    def cosine(self, share):
        return self.base_lr * self.height(share)


@misconception(
    "CosineScheduler",
    "warm-up-from-zero",
    book="12.11.3",
    why="The warm-up starts from 0 whatever warmup_begin_lr is. It rises from there to base_lr.",
)
class CosineScheduler_from_zero(_Cosine):
    def warmup(self, epoch):
        return self.base_lr * epoch / self.warmup_steps


@misconception(
    "CosineScheduler",
    "warm-up-a-step-ahead",
    book="12.11.3",
    why="The warm-up is a step ahead: it reaches base_lr in its last epoch. Epoch 0 has "
    "warmup_begin_lr itself, and base_lr comes with the cosine.",
)
class CosineScheduler_ahead(_Cosine):
    def warmup(self, epoch):
        return super().warmup(epoch + 1)


@misconception(
    "CosineScheduler",
    "keeps-the-last-rate",
    book="12.11.3",
    why="After max_update it returns the rate it last computed, as the book's class does. That "
    "is final_lr only if it has just been asked for max_update: return final_lr itself.",
)
class CosineScheduler_remembers(_Cosine):
    def __call__(self, epoch):
        if epoch > self.max_update:
            return self.rate
        self.rate = super().__call__(epoch)
        return self.rate
