"""Wrong answers that people give in section 12.10, and what went wrong in them."""

import torch

from d2lgrade.testkit import misconception


@misconception(
    "init_adam_states",
    "flat-weight",
    book="12.10.2",
    why="The states of the weight have the shape (feature_dim,). The weight is a column, "
    "(feature_dim, 1), and against it a flat state would broadcast to a square.",
)
def init_adam_states_flat(feature_dim):
    return tuple((torch.zeros(n), torch.zeros(n)) for n in (feature_dim, 1))


@misconception(
    "init_adam_states",
    "grouped-by-kind",
    book="12.10.2",
    why="The states are grouped as (v_w, v_b), (s_w, s_b). Adam goes through parameters and states "
    "together, so the pairs belong to the parameters: (v_w, s_w), (v_b, s_b).",
)
def init_adam_states_grouped(feature_dim):
    return tuple((torch.zeros(feature_dim, 1), torch.zeros(1)) for _ in range(2))


@misconception(
    "init_adam_states",
    "squares-from-one",
    book="12.10.1",
    why="s starts at 1. The bias correction assumes that both running means start at 0.",
)
def init_adam_states_ones(feature_dim):
    return tuple((torch.zeros(shape), torch.ones(shape)) for shape in ((feature_dim, 1), (1,)))


@misconception(
    "init_adam_states",
    "one-tensor-for-both",
    book="12.10.2",
    why="v and s are one and the same tensor, so an update of the one overwrites the other. Make "
    "a tensor for each.",
)
def init_adam_states_shared(feature_dim):
    w, b = torch.zeros(feature_dim, 1), torch.zeros(1)
    return (w, w), (b, b)


@misconception(
    "init_adam_states",
    "scalar-bias",
    book="12.10.2",
    why="The states of the bias have no axis. The bias has the shape (1,), and so have its states.",
)
def init_adam_states_scalar(feature_dim):
    return tuple((torch.zeros(shape), torch.zeros(shape)) for shape in ((feature_dim, 1), ()))


def _adam(
    params,
    states,
    hyperparams,
    beta1=0.9,
    beta2=0.999,
    correct_v=True,
    correct_s=True,
    root=lambda s: torch.sqrt(s) + 1e-6,
    squared=lambda g, v: g**2,
    keep=lambda state, new: state.copy_(new),
    clear=True,
    ahead=0,
):
    """A right step, to be made wrong in one place."""
    t = hyperparams["t"] + ahead
    if hyperparams["t"] < 1 or len(params) != len(states):
        raise ValueError("t counts from 1, and every parameter has its states")
    with torch.no_grad():
        for p, (v, s) in zip(params, states, strict=True):
            v_new = beta1 * v + (1 - beta1) * p.grad
            s_new = beta2 * s + (1 - beta2) * squared(p.grad, v_new)
            keep(v, v_new)
            keep(s, s_new)
            v_hat = v_new / (1 - beta1**t) if correct_v else v_new
            s_hat = s_new / (1 - beta2**t) if correct_s else s_new
            p -= hyperparams["lr"] * v_hat / root(s_hat)
            if clear:
                p.grad.zero_()
    hyperparams["t"] += 1


@misconception(
    "adam",
    "no-bias-correction",
    book="12.10.1",
    why="The bias correction is missing. Both running means start at zero and are far too small in "
    "the first steps; divide them by 1 - beta^t.",
)
def adam_uncorrected(params, states, hyperparams):
    _adam(params, states, hyperparams, correct_v=False, correct_s=False)


@misconception(
    "adam",
    "only-first-moment-corrected",
    book="12.10.1",
    why="Only v is corrected for its start at zero. Divide s by 1 - beta2^t as well, or the first "
    "steps are about thirty times too long.",
)
def adam_half_corrected(params, states, hyperparams):
    _adam(params, states, hyperparams, correct_s=False)


@misconception(
    "adam",
    "time-a-step-ahead",
    book="12.10.2",
    why="The correction uses t + 1. t is the number of this step: advance it after the step, not "
    "before.",
)
def adam_ahead(params, states, hyperparams):
    _adam(params, states, hyperparams, ahead=1)


@misconception(
    "adam",
    "betas-swapped",
    book="12.10.1",
    why="The two betas are swapped. v follows the gradients quickly, with beta1 = 0.9; s follows "
    "their squares slowly, with beta2 = 0.999.",
)
def adam_swapped(params, states, hyperparams):
    _adam(params, states, hyperparams, beta1=0.999, beta2=0.9)


@misconception(
    "adam",
    "square-of-the-mean",
    book="12.10.1",
    why="s averages the squares of v, the running mean. It is to average the squares of the "
    "gradients themselves.",
)
def adam_squared_mean(params, states, hyperparams):
    _adam(params, states, hyperparams, squared=lambda g, v: v**2)


@misconception(
    "adam",
    "no-root",
    book="12.10.1",
    why="The step is divided by s_hat itself. Take its root, or the step grows as the gradient "
    "shrinks.",
)
def adam_rootless(params, states, hyperparams):
    _adam(params, states, hyperparams, root=lambda s: s + 1e-6)


@misconception(
    "adam",
    "weights-of-the-mean-reversed",
    book="12.10.1",
    why="The running means take beta of the new value and 1 - beta of the old one. beta weights "
    "the past: beta * v + (1 - beta) * g.",
)
def adam_reversed(params, states, hyperparams):
    t = hyperparams["t"]
    if t < 1 or len(params) != len(states):
        raise ValueError("t counts from 1, and every parameter has its states")
    with torch.no_grad():
        for p, (v, s) in zip(params, states, strict=True):
            v.mul_(0.1).add_(p.grad, alpha=0.9)
            s.mul_(0.001).add_(p.grad**2, alpha=0.999)
            p -= hyperparams["lr"] * (v / (1 - 0.9**t)) / (torch.sqrt(s / (1 - 0.999**t)) + 1e-6)
            p.grad.zero_()
    hyperparams["t"] += 1


@misconception(
    "adam",
    "ascends",
    book="12.10.1",
    why="The step is added to the parameter, so it climbs. Subtract it.",
)
def adam_ascends(params, states, hyperparams):
    _adam(params, states, hyperparams, root=lambda s: -(torch.sqrt(s) + 1e-6))


@misconception(
    "adam",
    "states-rebound",
    book="12.10.2",
    why="The new running means only get a local name and are lost with the call: v = ... leaves "
    "the caller's tensor alone. Write into the states, as v[:] = ... does.",
)
def adam_rebound(params, states, hyperparams):
    _adam(params, states, hyperparams, keep=lambda state, new: None)


@misconception(
    "adam",
    "corrected-means-kept",
    book="12.10.1",
    why="The corrected means are written back into the states, so the next step corrects them "
    "again. Keep v and s as they are; v_hat and s_hat are for this step alone.",
)
def adam_keeps_corrected(params, states, hyperparams):
    t = hyperparams["t"]
    _adam(params, states, hyperparams)
    for v, s in states:
        v /= 1 - 0.9**t
        s /= 1 - 0.999**t


@misconception(
    "adam",
    "time-stands-still",
    book="12.10.2",
    why="hyperparams['t'] is never advanced, so every step is corrected as if it were the first.",
)
def adam_timeless(params, states, hyperparams):
    t = hyperparams["t"]
    _adam(params, states, hyperparams)
    hyperparams["t"] = t


@misconception(
    "adam",
    "time-of-its-own-for-each-parameter",
    book="12.10.2",
    why="t advances with every parameter instead of every step: its line is inside the loop. Move "
    "it behind the loop.",
)
def adam_hasty(params, states, hyperparams):
    if len(params) != len(states):
        raise ValueError("every parameter has its states")
    for p, pair in zip(params, states, strict=True):
        _adam([p], [pair], hyperparams)


@misconception(
    "adam",
    "gradient-left",
    book="12.10.2",
    why="The gradients stay as they are, and the next backward() adds to them. Zero them after the "
    "step.",
)
def adam_uncleared(params, states, hyperparams):
    _adam(params, states, hyperparams, clear=False)


@misconception(
    "adam",
    "eps-inside-the-root",
    book="12.10.1",
    why="eps is added under the root, where 1e-6 becomes 1e-3. In Adam it is added to the root.",
)
def adam_eps_inside(params, states, hyperparams):
    _adam(params, states, hyperparams, root=lambda s: torch.sqrt(s + 1e-6))


@misconception(
    "adam",
    "eps-of-pytorch",
    book="12.10.2",
    why="eps is 1e-8, as PyTorch has it by default. The book's Adam has 1e-6.",
)
def adam_eps_pytorch(params, states, hyperparams):
    _adam(params, states, hyperparams, root=lambda s: torch.sqrt(s) + 1e-8)


def _yogi(
    params,
    states,
    hyperparams,
    grown=lambda s, square: s + 0.001 * torch.sign(square - s) * square,
    keep=lambda state, new: state.copy_(new),
    root=lambda s: torch.sqrt(s) + 1e-3,
    correct=True,
    clear=True,
    ahead=1,
):
    """A right step, to be made wrong in one place."""
    t = hyperparams["t"]
    if t < 1 or len(params) != len(states):
        raise ValueError("t counts from 1, and every parameter has its states")
    with torch.no_grad():
        for p, (v, s) in zip(params, states, strict=True):
            v_new = 0.9 * v + 0.1 * p.grad
            s_new = grown(s, p.grad**2)
            keep(v, v_new)
            keep(s, s_new)
            v_hat = v_new / (1 - 0.9**t) if correct else v_new
            s_hat = s_new / (1 - 0.999**t) if correct else s_new
            p -= hyperparams["lr"] * v_hat / root(s_hat)
            if clear:
                p.grad.zero_()
    hyperparams["t"] += ahead


@misconception(
    "yogi",
    "adams-mean",
    book="12.10.3",
    why="s is Adam's running mean. Yogi moves it by a share of the new square, up or down by "
    "the sign of g^2 - s.",
)
def yogi_adam(params, states, hyperparams):
    _yogi(params, states, hyperparams, grown=lambda s, q: 0.999 * s + 0.001 * q)


@misconception(
    "yogi",
    "sign-reversed",
    book="12.10.3",
    why="The sign is turned round: s falls where the new square is larger. It is the sign of "
    "g^2 - s.",
)
def yogi_reversed(params, states, hyperparams):
    _yogi(params, states, hyperparams, grown=lambda s, q: s + 0.001 * torch.sign(s - q) * q)


@misconception(
    "yogi",
    "sign-of-the-gradient",
    book="12.10.3",
    why="The sign is that of the gradient. It is that of g^2 - s: it tells whether s is too "
    "small or too large.",
)
def yogi_gradient_sign(params, states, hyperparams):
    signs = iter([torch.sign(p.grad) for p in params])
    grown = lambda s, q: s + 0.001 * next(signs) * q  # noqa: E731
    _yogi(params, states, hyperparams, grown=grown)


@misconception(
    "yogi",
    "distance-times-square",
    book="12.10.3",
    why="The square is multiplied by the distance g^2 - s itself. Only the sign of the distance "
    "counts.",
)
def yogi_unsigned(params, states, hyperparams):
    _yogi(params, states, hyperparams, grown=lambda s, q: s + 0.001 * (q - s) * q)


@misconception(
    "yogi",
    "sum-of-squares",
    book="12.10.3",
    why="s only ever grows: the sign is missing. Where the square is smaller than s, s has to "
    "fall.",
)
def yogi_growing(params, states, hyperparams):
    _yogi(params, states, hyperparams, grown=lambda s, q: s + 0.001 * q)


@misconception(
    "yogi",
    "share-of-s",
    book="12.10.3",
    why="s moves by a share of itself. It moves by a share of the new square.",
)
def yogi_share_of_s(params, states, hyperparams):
    _yogi(params, states, hyperparams, grown=lambda s, q: s + 0.001 * torch.sign(q - s) * s)


@misconception(
    "yogi",
    "eps-of-adam",
    book="12.10.3",
    why="eps is 1e-6, as in Adam. Yogi takes 1e-3.",
)
def yogi_eps(params, states, hyperparams):
    _yogi(params, states, hyperparams, root=lambda s: torch.sqrt(s) + 1e-6)


@misconception(
    "yogi",
    "no-bias-correction",
    book="12.10.3",
    why="The bias correction is missing. Both states start at zero; divide them by 1 - beta^t "
    "as in Adam.",
)
def yogi_uncorrected(params, states, hyperparams):
    _yogi(params, states, hyperparams, correct=False)


@misconception(
    "yogi",
    "ascends",
    book="12.10.3",
    why="The step is added to the parameter, so it climbs. Subtract it.",
)
def yogi_ascends(params, states, hyperparams):
    _yogi(params, states, hyperparams, root=lambda s: -(torch.sqrt(s) + 1e-3))


@misconception(
    "yogi",
    "states-rebound",
    book="12.10.3",
    why="The new states only get local names and are lost with the call. Write into them, as "
    "s[:] = ... does.",
)
def yogi_rebound(params, states, hyperparams):
    _yogi(params, states, hyperparams, keep=lambda state, new: None)


@misconception(
    "yogi",
    "time-stands-still",
    book="12.10.3",
    why="hyperparams['t'] is never advanced, so every step is corrected as if it were the first.",
)
def yogi_timeless(params, states, hyperparams):
    _yogi(params, states, hyperparams, ahead=0)


@misconception(
    "yogi",
    "gradient-left",
    book="12.10.3",
    why="The gradients stay as they are, and the next backward() adds to them. Zero them after "
    "the step.",
)
def yogi_uncleared(params, states, hyperparams):
    _yogi(params, states, hyperparams, clear=False)


class _Adam(torch.optim.Optimizer):
    """A right optimizer, to be made wrong in one place."""

    clears = False

    def __init__(self, params, lr=0.001, betas=(0.9, 0.999), eps=1e-6):
        if lr < 0 or eps < 0 or not all(0 <= beta < 1 for beta in betas):
            raise ValueError("settings out of range")
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self, closure=None):
        loss = None if closure is None else self.value(closure)
        self.begins()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.move(p, self.setting(group))
                    if self.clears:
                        p.grad = None
        return loss

    def value(self, closure):
        with torch.enable_grad():
            return closure()

    def begins(self):
        pass

    def setting(self, group):
        return group

    def memory(self, p):
        state = self.state[p]
        if not state:
            state.update(t=0, v=torch.zeros_like(p), s=torch.zeros_like(p))
        return state

    def count(self, p):
        self.memory(p)["t"] += 1
        return self.memory(p)["t"]

    def move(self, p, group):
        (beta1, beta2), state, t = group["betas"], self.memory(p), self.count(p)
        v, s = state["v"], state["s"]
        v.copy_(beta1 * v + (1 - beta1) * p.grad)
        s.copy_(beta2 * s + (1 - beta2) * p.grad**2)
        self.go(p, group["lr"], v, s, 1 - beta1**t, 1 - beta2**t, group["eps"])

    def go(self, p, lr, v, s, one, two, eps):
        p -= lr * (v / one) / (torch.sqrt(s / two) + eps)


@misconception(
    "Adam",
    "one-count-for-all",
    book="12.10.2",
    why="One count of steps serves all parameters, and it is kept on the optimizer itself. A "
    "parameter that joins late is then corrected as if it had always been there, and state_dict "
    "does not save the count: keep it in self.state[p].",
)
class Adam_counting(_Adam):
    def begins(self):
        self.steps = getattr(self, "steps", 0) + 1

    def count(self, p):
        return self.steps


@misconception(
    "Adam",
    "counts-parameters",
    book="12.10.2",
    why="The count of steps advances with every parameter instead of every step. Each parameter "
    "has its own count, in self.state[p].",
)
class Adam_hasty(_Adam):
    def count(self, p):
        self.steps = getattr(self, "steps", 0) + 1
        return self.steps


@misconception(
    "Adam",
    "means-outside-the-state",
    book="12.10.2",
    why="The running means are kept in an attribute of the optimizer. state_dict saves "
    "self.state and nothing else, so a resumed run begins anew: keep them in self.state[p].",
)
class Adam_forgetful(_Adam):
    def memory(self, p):
        kept = self.__dict__.setdefault("kept", {})
        return kept.setdefault(p, {"t": 0, "v": torch.zeros_like(p), "s": torch.zeros_like(p)})


@misconception(
    "Adam",
    "settings-of-the-constructor",
    book="12.10.2",
    why="The settings are those the constructor was given. Take them from the group in each "
    "step: groups may have their own, and schedulers change them.",
)
class Adam_deaf(_Adam):
    def setting(self, group):
        return self.defaults


@misconception(
    "Adam",
    "settings-of-the-first-group",
    book="12.10.2",
    why="The settings of the first group are used for all. Each group has its own.",
)
class Adam_first(_Adam):
    def setting(self, group):
        return self.param_groups[0]


@misconception(
    "Adam",
    "clears-gradients",
    book="12.10.2",
    why="step clears the gradients. A PyTorch optimizer leaves that to zero_grad, so that "
    "whoever trains decides.",
)
class Adam_clearing(_Adam):
    clears = True


@misconception(
    "Adam",
    "closure-without-gradients",
    book="12.10.2",
    why="The closure runs under torch.no_grad(), so its backward() finds no graph. Call it "
    "under torch.enable_grad().",
)
class Adam_closed(_Adam):
    def value(self, closure):
        return closure()


@misconception(
    "Adam",
    "loss-not-returned",
    book="12.10.2",
    why="step calls the closure but does not return its loss.",
)
class Adam_silent(_Adam):
    def value(self, closure):
        super().value(closure)


@misconception(
    "Adam",
    "closure-ignored",
    book="12.10.2",
    why="The closure is never called. Call it before the step, with gradients turned on, and "
    "return what it returns.",
)
class Adam_ignoring(_Adam):
    def value(self, closure):
        pass


@misconception(
    "Adam",
    "no-bias-correction",
    book="12.10.1",
    why="The bias correction is missing. Both running means start at zero and are far too small "
    "in the first steps; divide them by 1 - beta^t.",
)
class Adam_uncorrected(_Adam):
    def go(self, p, lr, v, s, one, two, eps):
        super().go(p, lr, v, s, 1, 1, eps)


@misconception(
    "Adam",
    "eps-inside-the-root",
    book="12.10.1",
    why="eps is added under the root, where 1e-6 becomes 1e-3. In Adam it is added to the root.",
)
class Adam_eps_inside(_Adam):
    def go(self, p, lr, v, s, one, two, eps):
        p -= lr * (v / one) / torch.sqrt(s / two + eps)


@misconception(
    "Adam",
    "not-an-optimizer",
    book="12.10.2",
    why="The class is no torch.optim.Optimizer. Derive it from that, and the groups, zero_grad "
    "and state_dict come with it.",
)
class Adam_plain:
    def __init__(self, params, lr=0.001, betas=(0.9, 0.999), eps=1e-6):
        self.params, self.lr, self.betas, self.eps = list(params), lr, betas, eps
        self.state, self.t = {p: {} for p in self.params}, 0

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @torch.no_grad()
    def step(self):
        self.t += 1
        for p in self.params:
            state, (beta1, beta2) = self.state[p], self.betas
            v = beta1 * state.get("v", 0) + (1 - beta1) * p.grad
            s = beta2 * state.get("s", 0) + (1 - beta2) * p.grad**2
            state.update(v=v, s=s)
            root = torch.sqrt(s / (1 - beta2**self.t)) + self.eps
            p -= self.lr * v / (1 - beta1**self.t) / root
