# expect: init_adam_states=passed, adam=passed; loses: ch12/adam/refuses
"""In the manner of the book's section: slices written under no_grad, gradients zeroed by hand."""

import torch


def init_adam_states(feature_dim):
    v_w, v_b = torch.zeros((feature_dim, 1)), torch.zeros(1)
    s_w, s_b = torch.zeros((feature_dim, 1)), torch.zeros(1)
    return ((v_w, s_w), (v_b, s_b))


def adam(params, states, hyperparams):
    beta1, beta2, eps = 0.9, 0.999, 1e-6
    t = hyperparams['t']
    for param, (v, s) in zip(params, states):
        with torch.no_grad():
            v[:] = beta1 * v + (1 - beta1) * param.grad
            s[:] = beta2 * s + (1 - beta2) * torch.square(param.grad)
            v_corrected = v / (1 - beta1 ** t)
            s_corrected = s / (1 - beta2 ** t)
            param[:] -= hyperparams['lr'] * v_corrected / (torch.sqrt(s_corrected) + eps)
        param.grad.data.zero_()
    hyperparams['t'] += 1
