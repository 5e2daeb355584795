# expect: SquareRootScheduler=passed, FactorScheduler=passed, MultiFactorScheduler=passed, CosineScheduler=passed; loses:
"""Functions that return functions, in place of classes."""

from bisect import bisect_right
from math import cos, exp, log, pi


def SquareRootScheduler(lr=0.1):
    return lambda num_update: lr * exp(-0.5 * log(1 + num_update))


def FactorScheduler(factor=1, stop_factor_lr=1e-7, base_lr=0.1):
    def rate(num_update):
        lr = base_lr
        for _ in range(num_update + 1):
            lr = lr * factor if lr * factor > stop_factor_lr else stop_factor_lr
        return lr

    return rate


def MultiFactorScheduler(step, factor, base_lr):
    rates = [base_lr]
    for _ in step:
        rates.append(rates[-1] * factor)
    return lambda epoch: rates[bisect_right(step, epoch)]


def CosineScheduler(max_update, base_lr=0.01, final_lr=0, warmup_steps=0, warmup_begin_lr=0):
    if not warmup_steps < max_update:
        raise ValueError("too much warming up")

    def rate(epoch):
        if epoch >= max_update:
            return float(final_lr)
        if epoch < warmup_steps:
            share = epoch / warmup_steps
            return share * base_lr + (1 - share) * warmup_begin_lr
        wave = cos(pi * (epoch - warmup_steps) / (max_update - warmup_steps))
        return 0.5 * (base_lr + final_lr) + 0.5 * (base_lr - final_lr) * wave

    return rate
