# expect: try_gpu=passed, try_all_gpus=passed; loses:
"""A name taken from torch.cuda, availability asked first, one function built on the other."""

from torch import device
from torch.cuda import device_count, is_available


def try_all_gpus():
    if not is_available():
        return [device("cpu")]
    return list(map(lambda number: device("cuda", number), range(device_count())))


def try_gpu(i=0):
    if i != abs(i):
        raise ValueError("a negative number")
    cuda = [d for d in try_all_gpus() if d.type == "cuda"]
    return dict(enumerate(cuda)).get(i, device("cpu"))
