# expect: sgd=passed; loses:
"""Through .data, with a multiply-and-add, and gradients thrown away instead of zeroed."""


def sgd(params, lr, batch_size):
    for p in filter(lambda p: p.grad is not None, params):
        p.data.add_(p.grad, alpha=-lr / batch_size)
        p.grad = None
