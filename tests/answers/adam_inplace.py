# expect: init_adam_states=passed, adam=passed, yogi=passed, Adam=passed; loses:
"""In-place operations throughout, the corrections drawn into the step; gradients end as None."""

import torch


def init_adam_states(feature_dim):
    buffer = torch.zeros(2, feature_dim + 1)
    weight, bias = buffer[:, :feature_dim], buffer[:, feature_dim:]
    return tuple((part[0].reshape(shape), part[1].reshape(shape))
                 for part, shape in ((weight, (feature_dim, 1)), (bias, (1,))))


@torch.no_grad()
def adam(params, states, hyperparams):
    t, lr = hyperparams["t"], hyperparams["lr"]
    if t <= 0:
        raise ValueError("t starts at 1")
    for p, (v, s) in zip(params, states, strict=True):
        v.lerp_(p.grad, 0.1)
        s.mul_(0.999).addcmul_(p.grad, p.grad, value=0.001)
        root = (s / (1 - 0.999**t)).sqrt_().add_(1e-6)
        p.addcdiv_(v, root, value=-lr / (1 - 0.9**t))
        p.grad = None
    hyperparams.update(t=t + 1)


@torch.no_grad()
def yogi(params, states, hyperparams):
    t, lr = hyperparams["t"], hyperparams["lr"]
    if t <= 0:
        raise ValueError("t starts at 1")
    for p, (v, s) in zip(params, states, strict=True):
        v.lerp_(p.grad, 0.1)
        s.add_((p.grad**2 - s).sign_().mul_(p.grad).mul_(p.grad), alpha=0.001)
        root = (s / (1 - 0.999**t)).sqrt_().add_(1e-3)
        p.addcdiv_(v, root, value=-lr / (1 - 0.9**t))
        p.grad = None
    hyperparams.update(t=t + 1)


class Adam(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-6):
        if min(lr, eps, *betas) < 0 or max(betas) >= 1:
            raise ValueError("these settings make no sense")
        super().__init__(params, defaults={"lr": lr, "betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self, closure=None):
        loss = torch.enable_grad()(closure)() if closure else None
        for group in self.param_groups:
            for p in filter(lambda p: p.grad is not None, group["params"]):
                self._step(p, p.grad, group["lr"], *group["betas"], group["eps"])
        return loss

    def _step(self, p, g, lr, beta1, beta2, eps):
        state = self.state[p]
        t = state["step"] = state.get("step", 0) + 1
        v = state.setdefault("exp_avg", torch.zeros_like(p)).lerp_(g, 1 - beta1)
        s = state.setdefault("exp_avg_sq", torch.zeros_like(p))
        s.mul_(beta2).addcmul_(g, g, value=1 - beta2)
        root = (s / (1 - beta2**t)).sqrt_().add_(eps)
        p.addcdiv_(v, root, value=-lr / (1 - beta1**t))
