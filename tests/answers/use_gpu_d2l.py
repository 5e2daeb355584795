# expect: try_gpu=passed, try_all_gpus=passed; loses:
"""On the book's own helpers, num_gpus and gpu."""

from d2l import torch as d2l


def try_gpu(i=0):
    if i < 0:
        raise ValueError(i)
    return d2l.gpu(i) if d2l.num_gpus() > i else d2l.cpu()


def try_all_gpus():
    return [try_gpu(i) for i in range(max(1, d2l.num_gpus()))]
