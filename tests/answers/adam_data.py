# expect: init_adam_states=passed, adam=passed, yogi=passed, Adam=passed; loses:
"""Works on .data, and rescales eps instead of correcting the second moment."""

import math

import torch


def init_adam_states(feature_dim):
    return [[torch.zeros(*shape) for _ in "vs"] for shape in ((feature_dim, 1), (1,))]


def moved(average, value, share):
    average.copy_(average - share * (average - value))


def adam(params, states, hyperparams):
    count = hyperparams["t"]
    if count < 1:
        raise ValueError("count steps from 1")
    if len(list(params)) != len(list(states)):
        raise ValueError("as many states as parameters, please")
    weight = math.sqrt(1 - 0.999**count)
    for index in range(len(params)):
        gradient = params[index].grad.detach().clone()
        moved(states[index][0], gradient, 1 - 0.9)
        moved(states[index][1], gradient.square(), 1 - 0.999)
        top = states[index][0] * (weight / (1 - 0.9**count))
        params[index].data -= hyperparams["lr"] * top / (states[index][1].sqrt() + weight * 1e-6)
        params[index].grad = torch.zeros_like(gradient)
    hyperparams["t"] = count + 1


def yogi(params, states, hyperparams):
    count = hyperparams["t"]
    if count < 1 or len(list(params)) != len(list(states)):
        raise ValueError("count steps from 1, with as many states as parameters")
    for index in range(len(params)):
        gradient = params[index].grad.detach().clone()
        first, second = states[index]
        moved(first, gradient, 1 - 0.9)
        square = gradient.square()
        up = (square > second).to(square.dtype) - (square < second).to(square.dtype)
        second.copy_(second + up * square * (1 - 0.999))
        top = first / (1 - 0.9**count)
        bottom = (second / (1 - 0.999**count)).sqrt() + 1e-3
        params[index].data -= hyperparams["lr"] * top / bottom
        params[index].grad = torch.zeros_like(gradient)
    hyperparams["t"] = count + 1


class Adam(torch.optim.Optimizer):
    """Its count is a tensor in the state, beside one stack of both means."""

    def __init__(self, params, lr=0.001, betas=(0.9, 0.999), eps=1e-6):
        for name, value in (("lr", lr), ("eps", eps)):
            if not value >= 0:
                raise ValueError(f"{name} = {value}")
        for beta in betas:
            if not 0 <= beta < 1:
                raise ValueError(f"beta = {beta}")
        super().__init__(params, {"rate": 1.0, "lr": lr, "betas": tuple(betas), "eps": eps})

    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        every = [(group, p) for group in self.param_groups for p in group["params"]]
        for group, p in every:
            if p.grad is None:
                continue
            gradient, state = p.grad.detach(), self.state[p]
            if "count" not in state:
                state["count"] = torch.tensor(0.0)
                state["means"] = torch.stack([torch.zeros_like(gradient)] * 2)
            state["count"] += 1
            count = int(state["count"].item())
            for row, value in enumerate((gradient, gradient.square())):
                moved(state["means"][row], value, 1 - group["betas"][row])
            corrected = [m / (1 - b**count) for m, b in zip(state["means"], group["betas"])]
            p.data -= group["lr"] * corrected[0] / (corrected[1].sqrt() + group["eps"])
        return loss
