"""Wrong answers to section 11.2 that people really give."""

import torch

from d2lgrade.testkit import misconception


@misconception(
    "gaussian",
    "sign-lost",
    why="Your kernel grows with the distance. In Python -x**2 is -(x**2), but (-x)**2 is x**2: the "
    "minus must stay outside the square.",
    book="11.2.1",
)
def gaussian_grows(x):
    return torch.exp((-x) ** 2 / 2)


@misconception(
    "gaussian",
    "not-halved",
    why="You take exp(-x^2). The square is divided by 2.",
    book="11.2.1",
)
def gaussian_narrow(x):
    return torch.exp(-(x**2))


@misconception(
    "gaussian",
    "not-squared",
    why="You take the distance itself where its square is due.",
    book="11.2.1",
)
def gaussian_pointed(x):
    return torch.exp(-x.abs() / 2)


@misconception(
    "gaussian",
    "density",
    why="You divide by the root of 2 pi, as in the density of the normal distribution. The kernel "
    "has no such factor: it is 1 at distance 0.",
    book="11.2.1",
)
def gaussian_density(x):
    return torch.exp(-(x**2) / 2) / (2 * torch.pi) ** 0.5


@misconception(
    "boxcar",
    "edge-included",
    why="You count a distance of exactly 1 as in reach. The kernel is 1 where |x| is below 1.",
    book="11.2.1",
)
def boxcar_closed(x):
    return x.abs() <= 1


@misconception(
    "boxcar",
    "one-sided",
    why="Distances have a sign here, and every negative one counts as near for you. Compare |x|.",
    book="11.2.1",
)
def boxcar_one_sided(x):
    return x < 1


@misconception(
    "boxcar",
    "half-as-wide",
    why="Your box is 1 wide in all, from -0.5 to 0.5. It reaches as far as 1 to either side.",
    book="11.2.1",
)
def boxcar_narrow(x):
    return x.abs() < 0.5


@misconception(
    "boxcar",
    "inverted",
    why="You give weight to what is far away, and none to what is near.",
    book="11.2.1",
)
def boxcar_inverted(x):
    return x.abs() >= 1


@misconception(
    "constant",
    "single-number",
    why="You return one number. Every distance gets a weight of its own: a tensor of the shape of "
    "x, full of ones.",
    book="11.2.1",
)
def constant_number(x):
    return torch.tensor(1.0, dtype=x.dtype, device=x.device)


@misconception(
    "constant",
    "zeros",
    why="Your weights are 0: nobody counts. The constant kernel is 1 everywhere.",
    book="11.2.1",
)
def constant_zero(x):
    return 0 * x


@misconception(
    "constant",
    "one-a-row",
    why="You make a weight for each row of x. Every entry needs one: torch.ones_like(x).",
    book="11.2.1",
)
def constant_rows(x):
    return torch.ones(x.shape[:1], dtype=x.dtype, device=x.device)


@misconception(
    "epanechikov",
    "parabola",
    why="You take 1 - x^2, which the kernel of this name is elsewhere. The book's is 1 - |x|.",
    book="11.2.1",
)
def epanechikov_parabola(x):
    return torch.clamp(1 - x**2, min=0)


@misconception(
    "epanechikov",
    "scaled-parabola",
    why="You take 0.75 * (1 - x^2), which the kernel of this name is elsewhere. The book's is "
    "1 - |x|.",
    book="11.2.1",
)
def epanechikov_scaled(x):
    return 0.75 * torch.clamp(1 - x**2, min=0)


@misconception(
    "epanechikov",
    "negative-weights",
    why="Beyond distance 1 your weights are negative. They stay at 0 there: max(0, 1 - |x|).",
    book="11.2.1",
)
def epanechikov_negative(x):
    return 1 - x.abs()


@misconception(
    "epanechikov",
    "one-sided",
    why="Distances have a sign here, and the negative ones get more than 1 from you. Take |x|.",
    book="11.2.1",
)
def epanechikov_one_sided(x):
    return torch.clamp(1 - x, min=0)


def weights_of(x_train, x_val, kernel):
    """Unscaled weights, a column for each query, ones where nobody is in reach."""
    k = kernel(x_train[:, None] - x_val).to(x_train.dtype)
    return torch.where((k == 0).all(0), 1.0, k)


def legal(x_train, y_train):
    """Refuse what the contract refuses, so that each answer below is wrong in one way only."""
    if not len(x_train) or x_train.shape != y_train.shape:
        raise ValueError("no example, or no label for each")


@misconception(
    "nadaraya_watson",
    "over-the-queries",
    why="Your weights add up to 1 along each row, over the queries. Each query shares out a weight "
    "of 1 among the examples: divide each column by its sum.",
    book="11.2.2",
)
def nadaraya_watson_rows(x_train, y_train, x_val, kernel):
    legal(x_train, y_train)
    k = weights_of(x_train, x_val, kernel)
    k = k / k.sum(1, keepdim=True)
    return y_train @ k, k


@misconception(
    "nadaraya_watson",
    "over-everything",
    why="You divide by the sum of all weights. Each query shares out a weight of 1 by itself: "
    "divide each column by its own sum.",
    book="11.2.2",
)
def nadaraya_watson_total(x_train, y_train, x_val, kernel):
    legal(x_train, y_train)
    k = weights_of(x_train, x_val, kernel)
    k = k / k.sum()
    return y_train @ k, k


@misconception(
    "nadaraya_watson",
    "weights-transposed",
    why="Your weights have a row for each query. The book's have a column for each: the examples "
    "along axis 0, the queries along axis 1.",
    book="11.2.2",
)
def nadaraya_watson_transposed(x_train, y_train, x_val, kernel):
    legal(x_train, y_train)
    k = weights_of(x_train, x_val, kernel)
    k = k / k.sum(0)
    return y_train @ k, k.T


@misconception(
    "nadaraya_watson",
    "not-normalised",
    why="You use the kernel's values as they are. Each query's weights must add up to 1: divide "
    "them by their sum.",
    book="11.2.2",
)
def nadaraya_watson_raw(x_train, y_train, x_val, kernel):
    legal(x_train, y_train)
    k = weights_of(x_train, x_val, kernel)
    return y_train @ k, k


@misconception(
    "nadaraya_watson",
    "softmax",
    why="You take softmax of the kernel's values. They are weights already: only divide them by "
    "their sum.",
    book="11.2.2",
)
def nadaraya_watson_softmax(x_train, y_train, x_val, kernel):
    legal(x_train, y_train)
    k = torch.softmax(weights_of(x_train, x_val, kernel), 0)
    return y_train @ k, k


@misconception(
    "nadaraya_watson",
    "zero-by-zero",
    why="A query that no example reaches has 0 / 0, which is nan. Give all examples the same "
    "weight there. The book's code leaves this case open.",
    book="11.2.2",
)
def nadaraya_watson_nan(x_train, y_train, x_val, kernel):
    legal(x_train, y_train)
    k = kernel(x_train[:, None] - x_val).to(x_train.dtype)
    k = k / k.sum(0)
    return y_train @ k, k


@misconception(
    "nadaraya_watson",
    "nobody-is-zero",
    why="A query that no example reaches gets weights of 0 from you, and so predicts 0. The "
    "contract gives all examples the same weight there, which predicts the mean.",
    book="11.2.2",
)
def nadaraya_watson_epsilon(x_train, y_train, x_val, kernel):
    legal(x_train, y_train)
    k = kernel(x_train[:, None] - x_val).to(x_train.dtype)
    k = k / k.sum(0).clamp(min=torch.finfo(k.dtype).tiny)
    return y_train @ k, k


@misconception(
    "nadaraya_watson",
    "gradient-cut",
    why="The weights are computed without their graph (.data, .detach() or torch.no_grad()), so "
    "that nothing can be learned about where the examples are.",
    book="11.2.2",
)
def nadaraya_watson_detached(x_train, y_train, x_val, kernel):
    legal(x_train, y_train)
    k = weights_of(x_train, x_val, kernel).detach()
    k = k / k.sum(0)
    return y_train @ k, k
