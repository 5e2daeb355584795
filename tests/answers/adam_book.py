# expect: init_adam_states=passed, adam=passed, yogi=passed, Adam=passed; loses: ch12/adam/refuses, ch12/yogi/refuses, ch12/Adam/refuses
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


def yogi(params, states, hyperparams):
    beta1, beta2, eps = 0.9, 0.999, 1e-3
    for p, (v, s) in zip(params, states):
        with torch.no_grad():
            v[:] = beta1 * v + (1 - beta1) * p.grad
            s[:] = s + (1 - beta2) * torch.sign(
                torch.square(p.grad) - s) * torch.square(p.grad)
            v_bias_corr = v / (1 - beta1 ** hyperparams['t'])
            s_bias_corr = s / (1 - beta2 ** hyperparams['t'])
            p[:] -= hyperparams['lr'] * v_bias_corr / (torch.sqrt(s_bias_corr)
                                                       + eps)
        p.grad.data.zero_()
    hyperparams['t'] += 1


class Adam(torch.optim.Optimizer):
    def __init__(self, params, lr=0.001, betas=(0.9, 0.999), eps=1e-6):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps))

    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            beta1, beta2 = group['betas']
            for p in group['params']:
                if p.grad is None:
                    continue
                state = self.state[p]
                if len(state) == 0:
                    state['step'] = 0
                    state['v'] = torch.zeros_like(p)
                    state['s'] = torch.zeros_like(p)
                state['step'] += 1
                with torch.no_grad():
                    state['v'][:] = beta1 * state['v'] + (1 - beta1) * p.grad
                    state['s'][:] = beta2 * state['s'] + (1 - beta2) * torch.square(p.grad)
                    v_bias_corr = state['v'] / (1 - beta1 ** state['step'])
                    s_bias_corr = state['s'] / (1 - beta2 ** state['step'])
                    p[:] -= group['lr'] * v_bias_corr / (torch.sqrt(s_bias_corr)
                                                         + group['eps'])
        return loss
