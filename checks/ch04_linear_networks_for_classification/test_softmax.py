"""Hidden checks for section 4.4: from softmax to a whole classifier."""

import torch
from torch import nn
from torch.nn import functional as F

from d2lgrade.testkit import (
    Mismatch,
    Standing,
    assert_mean,
    assert_same,
    gradients,
    truth,
    unchanged,
)
from d2lgrade.testkit.gradient import pattern

# --- softmax --------------------------------------------------------------------------------

LIBRARY = ("torch.softmax", "torch.log_softmax", "torch.logsumexp")
INF = torch.inf


def softmax_torch(X):
    return torch.softmax(X, dim=-1)


rows = Standing("softmax", softmax_torch, lambda: (torch.randn(3, 4),))


def test_softmax_values(student):
    """turns every row of a matrix into probabilities"""
    for shape in [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (4, 3), (5, 5)]:
        X = 2 * torch.randn(shape)
        expected = truth(softmax_torch, X)
        assert_same(student.softmax(X), expected)


def test_softmax_axes(student):
    """works along the last axis, however many there are"""
    for shape in [(1,), (2,), (1, 1, 2), (2, 2, 2), (2, 3, 4), (2, 1, 3, 2)]:
        X = 2 * torch.randn(shape)
        expected = truth(softmax_torch, X)
        assert_same(student.softmax(X), expected)


def test_softmax_large(student):
    """takes scores as large as 10000"""
    for scores in [
        [[1e4]],
        [[100.0, 0.0]],
        [[1e4, 1e4]],
        [[1e4, -1e4]],
        [[1e4, 9999.0, 9998.0]],
        [[9999.0, 9998.5], [1e4, 9990.0]],
    ]:
        X = torch.tensor(scores)
        expected = truth(softmax_torch, X)
        assert_same(student.softmax(X), expected)


def test_softmax_small(student):
    """takes rows that lie far below zero, or far below another row"""
    for scores in [
        [[-1e4]],
        [[-200.0, -200.0]],
        [[-1e4, -9999.0]],
        [[0.0, 1.0], [-1e4, -1e4]],
        [[1e4, 9999.0], [-1e4, -9998.0], [3.0, 5.0]],
    ]:
        X = torch.tensor(scores)
        expected = truth(softmax_torch, X)
        assert_same(student.softmax(X), expected)


def test_softmax_ruled_out(student):
    """gives exactly 0 to a score of -inf"""
    for scores in [
        [[0.0, -INF]],
        [[-INF, 1.0, 2.0]],
        [[1.0, 3.0], [-INF, -2.0]],
        [[-INF, 4.0, -INF], [-1.0, -INF, 2.0]],
    ]:
        X = torch.tensor(scores)
        expected = truth(softmax_torch, X)
        P = student.softmax(X)
        assert_same(P, expected)
        assert_same(P[X == -INF], torch.zeros(int((X == -INF).sum())), what="the entries for -inf")


def test_softmax_gradient(student):
    """sends the gradient back, for large scores too"""
    for X in (
        torch.randn(1, 2),
        torch.randn(3, 4),
        torch.tensor([[1e4, 9999.0], [-1e4, -9998.0]]),
        torch.tensor([[1.0, -INF, 2.0]]),
    ):
        expected = truth(gradients(softmax_torch), X)
        assert_same(gradients(student.softmax)(X)[0], expected[0], what="the gradient")


test_softmax_arguments = rows.keeps_arguments()
test_softmax_rules = rows.rules(*LIBRARY)
test_softmax_refuses = rows.refuses(
    ValueError,
    lambda: (torch.tensor(1.0),),
    lambda: (torch.tensor([1, 2]),),
)
test_softmax_dtype = rows.keeps_dtype()
test_softmax_layout = rows.any_layout()
test_softmax_empty = rows.empty_batch(lambda: (torch.zeros(0, 3),))
test_softmax_device = rows.other_device()


# --- cross_entropy --------------------------------------------------------------------------


def cross_entropy_torch(y_hat, y):
    return F.nll_loss(torch.log(y_hat), y)


def judged(n, q):
    """Rows of probabilities, none of them tiny, and classes."""
    return torch.softmax(torch.randn(n, q), dim=1), torch.randint(q, (n,))


loss = Standing("cross_entropy", cross_entropy_torch, lambda: judged(4, 3))


def test_cross_entropy_values(student):
    """averages minus the logarithm of the right class's probability"""
    for n, q in [(1, 1), (1, 2), (1, 3), (2, 2), (3, 2), (2, 4), (6, 5)]:
        y_hat, y = judged(n, q)
        expected = truth(cross_entropy_torch, y_hat, y)
        assert_same(student.cross_entropy(y_hat, y), expected, what="the loss")


test_cross_entropy_gradient = loss.gradient()
test_cross_entropy_arguments = loss.keeps_arguments()
test_cross_entropy_rules = loss.rules(
    "torch.nn.functional.cross_entropy", "torch.nn.functional.nll_loss"
)


def test_cross_entropy_tiny(student):
    """is exact for tiny probabilities, and inf for none at all"""
    for rows, classes in [
        ([[1e-6, 1.0]], [0]),
        ([[1.0, 1e-30]], [1]),
        ([[1e-12, 0.5, 0.5], [0.25, 0.5, 0.25]], [0, 2]),
        ([[0.0, 1.0]], [1]),
        ([[0.0, 1.0], [0.5, 0.5]], [0, 1]),
    ]:
        y_hat, y = torch.tensor(rows), torch.tensor(classes)
        expected = truth(cross_entropy_torch, y_hat, y)
        assert_same(student.cross_entropy(y_hat, y), expected, what="the loss")


test_cross_entropy_refuses = loss.refuses(
    ValueError,
    lambda: (judged(1, 2)[0], torch.tensor([2])),
    lambda: (judged(1, 2)[0], torch.tensor([-1])),
    lambda: (judged(2, 1)[0], torch.tensor([1, 0])),
    lambda: (judged(2, 3)[0], torch.tensor([0])),
    lambda: (judged(2, 3)[0], torch.tensor([[0], [1]])),
    lambda: (judged(2, 3)[0], torch.tensor([0.0, 1.0])),
    lambda: (torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64)),
)
test_cross_entropy_dtype = loss.keeps_dtype()
test_cross_entropy_layout = loss.any_layout()
test_cross_entropy_device = loss.other_device()


# --- accuracy -------------------------------------------------------------------------------


def guesses(n, q=3):
    """Scores and labels; every second guess from the first is right."""
    scores = torch.randn(n, q)
    y = scores.argmax(dim=1)
    y[1::2] = (y[1::2] + 1) % q
    return scores, y


def hits(scores, y):
    return float((scores.argmax(dim=1) == y).sum())


counting = Standing("accuracy", hits, lambda: guesses(5))


def test_accuracy_values(student):
    """counts the right predictions"""
    cases = [(torch.tensor([[0.0, -1.0]]), torch.tensor([0]))]
    cases += [guesses(n, q) for n, q in [(2, 2), (2, 3), (3, 2), (3, 3), (4, 5), (9, 3)]]
    for scores, y in cases:
        expected = hits(scores, y)
        assert_same(student.accuracy(scores, y), expected, what="the number of right predictions")


def test_accuracy_extremes(student):
    """counts none, and all of them"""
    for n in (1, 3, 4):
        scores = torch.randn(n, 3)
        right = scores.argmax(dim=1)
        for y, expected in (((right + 1) % 3, 0.0), (right, float(n))):
            found = student.accuracy(scores.clone(), y)
            assert_same(found, expected, what="the number of right predictions")


test_accuracy_arguments = counting.keeps_arguments()


def test_accuracy_plain(student):
    """returns a plain number"""
    scores, y = guesses(3)
    found = student.accuracy(scores, y)
    if type(found) not in (int, float):
        raise Mismatch.of_type(found, "a float")


test_accuracy_refuses = counting.refuses(
    ValueError,
    lambda: (torch.randn(2, 3), torch.tensor([0])),
    lambda: (torch.randn(1, 3), torch.tensor([0, 1])),
    lambda: (torch.randn(2, 2), torch.tensor([[0, 1], [1, 0]])),
)


def test_accuracy_empty(student):
    """counts no right predictions among none"""
    found = student.accuracy(torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64))
    assert_same(found, 0.0, what="the number of right predictions")


test_accuracy_device = counting.other_device()


# --- evaluate_accuracy ----------------------------------------------------------------------


class Echo(nn.Module):
    """Gives its input back as scores."""

    def forward(self, X):
        return X + 0.0


class Moody(nn.Module):
    """Another function in train mode than in eval mode, as dropout is, but without chance."""

    def forward(self, X):
        return X + 0.0 if self.training else -0.5 * X


class Witness(nn.Module):
    """Notes whether it was ever asked while gradients were on."""

    def __init__(self):
        super().__init__()
        self.register_buffer("graphs", torch.zeros(1))

    def forward(self, X):
        if torch.is_grad_enabled():
            self.graphs.fill_(1.0)
        return X + 0.0


def batches_of(X, y, sizes):
    """X and y cut into batches of these sizes."""
    return list(zip(X.split(sizes), y.split(sizes), strict=True))


def assert_share(student, sizes, q=3):
    X, y = guesses(sum(sizes), q)
    expected = hits(X, y) / len(y)
    found = student.evaluate_accuracy(Echo(), batches_of(X, y, sizes))
    assert_same(found, expected, what="the accuracy")


def test_evaluate_accuracy_values(student):
    """is the share of right predictions"""
    for q, sizes in [(2, [1]), (2, [1, 1]), (2, [2]), (3, [2, 2]), (4, [3]), (3, [5, 5, 5])]:
        assert_share(student, sizes, q)


def test_evaluate_accuracy_uneven(student):
    """counts every example alike when the last batch is smaller"""
    for sizes in ([2, 1], [4, 4, 1], [8, 2]):
        assert_share(student, sizes)


def test_evaluate_accuracy_mode(student):
    """asks the net in eval mode"""
    for training in (True, False):
        X, y = guesses(3)
        expected = float((X.argmin(dim=1) == y).sum()) / len(y)
        found = student.evaluate_accuracy(Moody().train(training), batches_of(X, y, [2, 1]))
        assert_same(found, expected, what="the accuracy in eval mode")


def test_evaluate_accuracy_graph(student):
    """builds no graph"""
    net = Witness()
    student.evaluate_accuracy(net, batches_of(*guesses(3), [2, 1]))
    if net.graphs.item():
        raise Mismatch(
            "The net was asked with gradients on, so a graph was built for every batch.",
            expected="torch.no_grad() around the loop",
            got="gradients on",
        )


def test_evaluate_accuracy_arguments(student):
    """leaves the data alone"""
    X, y = guesses(3)
    with unchanged(X, y):
        student.evaluate_accuracy(Echo(), [(X, y)])


def test_evaluate_accuracy_restores(student):
    """leaves the net in the mode it was in"""
    for training in (True, False):
        net = Moody().train(training)
        student.evaluate_accuracy(net, batches_of(*guesses(3), [2, 1]))
        if net.training is not training:
            modes = {True: "train mode", False: "eval mode"}
            raise Mismatch(
                "Afterwards the net is not in the mode it was in before.",
                expected=modes[training],
                got=modes[not training],
            )


asking = Standing("evaluate_accuracy", None, lambda: (Echo(), batches_of(*guesses(3), [2, 1])))
test_evaluate_accuracy_refuses = asking.refuses(
    ValueError,
    lambda: (Echo(), []),
    lambda: (Echo(), [(torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64))]),
)


def test_evaluate_accuracy_plain(student):
    """returns a plain float"""
    found = student.evaluate_accuracy(Echo(), batches_of(*guesses(3), [2, 1]))
    if type(found) is not float:
        raise Mismatch.of_type(found, "a float")


# --- SoftmaxRegressionScratch ---------------------------------------------------------------


def classifier_torch(X, W, b):
    return torch.softmax(X.flatten(1) @ W + b, dim=1)


def weights(d, q):
    return torch.randn(d, q), torch.randn(q)


def fill(net, W, b):
    """Give the parameters these values where the shapes allow; runs beside the learner's code."""
    parameters = list(net.parameters())
    due = {tuple(value.shape): value for value in (W, b)}
    shapes = sorted(tuple(parameter.shape) for parameter in parameters)
    if shapes == sorted(due):
        for parameter in parameters:
            parameter.data = due[tuple(parameter.shape)].clone()
    return shapes


def filled(student, W, b):
    """The learner's classifier with these parameters."""
    net = student.SoftmaxRegressionScratch(num_inputs=len(W), num_outputs=len(b))
    due, shapes = sorted([tuple(W.shape), tuple(b.shape)]), student.run(fill, net, W, b)
    if shapes != due:
        raise Mismatch(
            f"SoftmaxRegressionScratch({len(W)}, {len(b)}) has not the parameters of the contract.",
            expected=", ".join(map(str, due)),
            got=", ".join(map(str, shapes)) or "none",
        )
    return net


def on_classifier(student, X, W, b):
    """The learner's classifier as a function of its input and its parameters."""
    net = filled(student, W, b)
    return net(X)


classifier = Standing(
    "SoftmaxRegressionScratch",
    classifier_torch,
    lambda: (torch.randn(4, 3), *weights(3, 2)),
    call=on_classifier,
)


def test_SoftmaxRegressionScratch_values(student):
    """gives the probabilities of a linear model"""
    for n, d, q in [(1, 1, 1), (1, 1, 2), (1, 2, 3), (2, 3, 2), (3, 2, 4), (5, 4, 4)]:
        X, W, b = torch.randn(n, d), *weights(d, q)
        expected = truth(classifier_torch, X, W, b)
        assert_same(on_classifier(student, X, W, b), expected, what="the probabilities")


def test_SoftmaxRegressionScratch_images(student):
    """flattens images"""
    for shape, q in [((1, 1, 1, 2), 2), ((2, 1, 2, 2), 3), ((3, 3, 2, 1), 2), ((2, 2, 3), 4)]:
        X, W, b = torch.randn(shape), *weights(X_size(shape), q)
        expected = truth(classifier_torch, X, W, b)
        assert_same(on_classifier(student, X, W, b), expected, what="the probabilities")


def X_size(shape):
    return torch.Size(shape[1:]).numel()


def slopes(net, X, weigh):
    """Gradients of a weighted sum of outputs; runs beside the learner's code."""
    X = X.detach().clone().requires_grad_()
    parameters = sorted(net.parameters(), key=lambda parameter: -parameter.dim())
    with torch.enable_grad():
        P = net(X)
        total = (P * weigh(P.detach())).sum()
    leaves = [X, *parameters]
    if not total.requires_grad or not all(leaf.requires_grad for leaf in leaves):
        return [None] * len(leaves)
    return list(torch.autograd.grad(total, leaves, allow_unused=True))


def test_SoftmaxRegressionScratch_gradient(student):
    """gradients reach the input and both parameters"""
    for n, d, q in [(1, 2, 2), (3, 4, 3)]:
        X, W, b = torch.randn(n, d), *weights(d, q)
        expected = truth(gradients(classifier_torch), X, W, b)
        found = student.run(slopes, filled(student, W, b), X, pattern)
        for name, got, due in zip(("input", "weights", "bias"), found, expected, strict=True):
            if got is None:
                raise Mismatch(
                    f"No gradient reaches the {name}: it takes no part, requires none, or the "
                    "forward pass cuts it off (.data, .detach())."
                )
            assert_same(got, due, what=f"the gradient of the {name}")


def starts(net):
    """The parameters at the start; runs beside the learner's code."""
    return [parameter.detach() for parameter in net.parameters()]


def test_SoftmaxRegressionScratch_start(student):
    """starts from small normal weights and no bias"""
    net = student.SoftmaxRegressionScratch(num_inputs=400, num_outputs=10)
    found = sorted(student.run(starts, net), key=lambda value: -value.dim())
    if [tuple(value.shape) for value in found] != [(400, 10), (10,)]:
        raise Mismatch(
            "SoftmaxRegressionScratch(400, 10) has not the parameters of the contract.",
            expected="(400, 10), (10,)",
            got=", ".join(str(tuple(value.shape)) for value in found) or "none",
        )
    W, b = found
    assert_same(b, torch.zeros(10), what="the bias at the start")
    assert_mean(W, 0.0, 0.01, "A weight at the start")
    # The square of a normal draw has mean std^2 and standard deviation sqrt(2) std^2.
    assert_mean(W**2, 1e-4, 2**0.5 * 1e-4, "The square of a weight at the start")


test_SoftmaxRegressionScratch_arguments = classifier.keeps_arguments()
test_SoftmaxRegressionScratch_rules = classifier.rules("torch.nn.Linear")


def kept(net):
    """The shapes that state_dict holds; runs beside the learner's code."""
    return sorted(tuple(value.shape) for value in net.state_dict().values())


def test_SoftmaxRegressionScratch_registered(student):
    """holds both parameters in its state_dict"""
    net = student.SoftmaxRegressionScratch(num_inputs=3, num_outputs=2)
    found = student.run(kept, net)
    if found != [(2,), (3, 2)]:
        raise Mismatch(
            "state_dict() does not hold weights and bias: plain tensors are no parameters, so they "
            "are neither saved nor moved. Wrap them in nn.Parameter.",
            expected="shapes (2,), (3, 2)",
            got=f"shapes {', '.join(map(str, found))}" if found else "nothing",
        )


def test_SoftmaxRegressionScratch_dtype(student):
    """computes in float64 after .double()"""
    X, W, b = (value.double() for value in (torch.randn(3, 4), *weights(4, 2)))
    expected = truth(classifier_torch, X, W, b)
    net = student.SoftmaxRegressionScratch(num_inputs=4, num_outputs=2)
    student.run(doubled, net, W, b)
    assert_same(net(X), expected, what="the probabilities for float64")


def doubled(net, W, b):
    """Convert the net, then give it values by their shapes; runs beside the learner's code."""
    net.double()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(W if parameter.dim() == 2 else b)


test_SoftmaxRegressionScratch_layout = classifier.any_layout()
test_SoftmaxRegressionScratch_empty = classifier.empty_batch(
    lambda: (torch.randn(0, 3), *weights(3, 2))
)


def test_SoftmaxRegressionScratch_device(student):
    """works on another device than the CPU"""
    net = student.SoftmaxRegressionScratch(num_inputs=3, num_outputs=2)
    with student.other_device():
        net(torch.randn(2, 3))
