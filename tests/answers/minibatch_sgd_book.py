# expect: sgd=passed; loses:
"""In the manner of the book's section: through .data, in place."""


def sgd(params, states, hyperparams):
    for p in params:
        p.data.sub_(hyperparams['lr'] * p.grad)
        p.grad.data.zero_()
