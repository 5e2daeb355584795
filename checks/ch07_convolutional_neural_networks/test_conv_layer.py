"""Hidden checks of section 7.2: corr2d, Conv2D, vertical_edge_kernel, learn_kernel."""

import math

import torch
from torch.nn import functional as F

from d2lgrade.testkit import (
    Mismatch,
    Standing,
    assert_close_to,
    assert_finite,
    assert_same,
    gradients,
    truth,
    unchanged,
)
from d2lgrade.testkit.gradient import pattern

BY_HAND = ("torch.conv2d", "torch.nn.Conv2d")


def correlated(X, K):
    """PyTorch's own cross-correlation of one image with one kernel."""
    return F.conv2d(X[None, None], K[None, None])[0, 0]


# --- corr2d ---------------------------------------------------------------------------------

# A square kernel here, so that one mistake with its axes costs the rectangles alone.
corr2d = Standing("corr2d", correlated, lambda: (torch.randn(4, 5), torch.randn(2, 2)))


def test_corr2d_values(student):
    """equals PyTorch on square images and kernels"""
    for n, k in [(1, 1), (2, 1), (2, 2), (3, 2), (4, 3), (5, 5), (7, 4)]:
        X, K = torch.randn(n, n), torch.randn(k, k)
        expected = truth(correlated, X, K)
        assert_same(student.corr2d(X, K), expected)


def test_corr2d_rectangles(student):
    """takes images and kernels that are not square"""
    for h, w, kh, kw in [
        (1, 2, 1, 2),
        (2, 1, 2, 1),
        (1, 3, 1, 2),
        (3, 2, 1, 2),
        (4, 3, 4, 1),
        (3, 5, 2, 4),
        (6, 4, 3, 2),
    ]:
        X, K = torch.randn(h, w), torch.randn(kh, kw)
        expected = truth(correlated, X, K)
        assert_same(student.corr2d(X, K), expected)


test_corr2d_gradient = corr2d.gradient()
test_corr2d_arguments = corr2d.keeps_arguments()
test_corr2d_rules = corr2d.rules(*BY_HAND)
test_corr2d_refuses = corr2d.refuses(
    ValueError,
    lambda: (torch.randn(1, 1), torch.randn(1, 2)),
    lambda: (torch.randn(2, 3), torch.randn(3, 1)),
    lambda: (torch.randn(3, 2), torch.randn(1, 3)),
    lambda: (torch.randn(2, 3), torch.randn(5, 6)),
)
test_corr2d_dtype = corr2d.keeps_dtype()
test_corr2d_layout = corr2d.any_layout()
test_corr2d_device = corr2d.other_device()
test_corr2d_watched = corr2d.rules_watched(*BY_HAND)


# --- Conv2D ---------------------------------------------------------------------------------


def fill(net, weight, bias):
    """Give a layer known parameters, in whichever order it lists them; runs beside its code."""
    parameters = list(net.parameters())
    first = next(p for p in parameters if p.shape == weight.shape)
    for parameter in parameters:
        value = weight if parameter is first else bias.reshape(parameter.shape)
        parameter.data = value.clone()


def layer(student, weight, bias):
    """The learner's Conv2D with the weight and bias given."""
    net = student.Conv2D(kernel_size=tuple(weight.shape))
    due = [tuple(weight.shape), (1,)]
    # Only the shapes, not net.parameters(): random values would hide that two layers are alike.
    shapes = student.run(lambda net: [tuple(p.shape) for p in net.parameters()], net)
    known = [(1,) if shape != due[0] and math.prod(shape) == 1 else shape for shape in shapes]
    if known not in (due, due[::-1]):
        raise Mismatch(
            f"The parameters of Conv2D(kernel_size={due[0]}) are not a weight of that shape and "
            "one bias.",
            expected=", ".join(map(str, due)),
            got=", ".join(map(str, shapes)) or "no parameters",
        )
    student.run(fill, net, weight, bias)
    return net


def biased(X, weight, bias):
    """PyTorch's own layer."""
    return F.conv2d(X[None, None], weight[None, None], bias)[0, 0]


def on_conv2d(student, X, weight, bias):
    """The learner's layer as a function of its image and its parameters."""
    return layer(student, weight, bias)(X)


def test_Conv2D_parameters(student):
    """registers a weight and one bias as parameters"""
    for shape in [(1, 1), (1, 2), (3, 2)]:
        layer(student, torch.randn(shape), torch.randn(1))


def test_Conv2D_values(student):
    """adds the bias to the cross-correlation with the weight"""
    for h, w, kh, kw in [(1, 1, 1, 1), (2, 2, 1, 2), (3, 3, 2, 2), (5, 4, 3, 1)]:
        X, weight, bias = torch.randn(h, w), torch.randn(kh, kw), torch.randn(1)
        expected = truth(biased, X, weight, bias)
        assert_same(on_conv2d(student, X, weight, bias), expected)


def test_Conv2D_gradient(student):
    """gradients reach the image, the weight and the bias"""
    X, weight, bias = torch.randn(4, 5), torch.randn(2, 3), torch.randn(1)
    expected = truth(gradients(biased), X, weight, bias)
    net = layer(student, weight, bias)
    leaves = list(net.parameters())
    if tuple(leaves[0].shape) != (2, 3):
        leaves.reverse()
    X.requires_grad_()
    Y = net(X)
    if not isinstance(Y, torch.Tensor):
        raise Mismatch.of_type(Y)
    if Y.requires_grad:
        (Y * pattern(Y)).sum().backward()
    for name, leaf, due in zip(("image", "weight", "bias"), (X, *leaves), expected, strict=True):
        if leaf.grad is None:
            raise Mismatch(
                f"No gradient reaches the {name}: the forward pass cuts it off "
                "(.data, .detach(), .item() or torch.no_grad())."
            )
        assert_same(leaf.grad.reshape(due.value.shape), due, what=f"the gradient of the {name}")


def test_Conv2D_arguments(student):
    """leaves the image alone"""
    net = student.Conv2D(kernel_size=(3, 2))
    X = torch.randn(4, 6)
    with unchanged(X):
        net(X)


def test_Conv2D_start(student):
    """starts with a random weight and a zero bias"""
    weights = []
    for _ in range(2):
        parameters = list(student.Conv2D(kernel_size=(3, 3)).parameters())
        for parameter in parameters:
            if parameter.numel() == 1:
                assert_same(parameter.reshape(1), torch.zeros(1), what="the bias at the start")
            else:
                weights.append(parameter.detach())
    if len(weights) != 2:
        raise Mismatch("The layer has no weight among its parameters, or more than one.")
    if torch.equal(*weights) or (weights[0] == weights[0][0, 0]).all():
        raise Mismatch("The weight does not start at random values.", got=str(weights[0].tolist()))


def test_Conv2D_dtype(student):
    """computes in float64 after .double()"""
    X, weight, bias = (
        torch.randn(4, 5).double(),
        torch.randn(2, 3).double(),
        torch.randn(1).double(),
    )
    expected = truth(biased, X, weight, bias)
    net = layer(student, weight.float(), bias.float())
    net.double()
    student.run(fill, net, weight, bias)
    assert_same(net(X), expected)


def test_Conv2D_device(student):
    """works on another device than the CPU"""
    net = layer(student, torch.randn(3, 2), torch.randn(1))
    X = torch.randn(4, 6)
    with student.other_device():
        net(X)


# --- vertical_edge_kernel -------------------------------------------------------------------


def edge_kernel(student):
    """The learner's kernel, known to be one row of two floats."""
    K = student.vertical_edge_kernel()
    if not isinstance(K, torch.Tensor):
        raise Mismatch.of_type(K)
    if K.shape != (1, 2) or not K.is_floating_point():
        raise Mismatch(
            "The kernel is not a float tensor of one row and two columns.",
            expected="float32 (1, 2)",
            got=f"{str(K.dtype).removeprefix('torch.')} {tuple(K.shape)}",
        )
    return K


def test_vertical_edge_kernel_form(student):
    """is one row of two float32 numbers"""
    K = edge_kernel(student)
    assert_finite(K, "the kernel")
    assert_same(K, K.float())


def test_vertical_edge_kernel_edges(student):
    """gives 1 where white meets black and -1 where black meets white"""
    for row, due in [
        ([1.0, 0.0], [1.0]),
        ([0.0, 1.0], [-1.0]),
        ([1.0, 1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, -1.0]),
    ]:
        K = edge_kernel(student)
        seen = correlated(torch.tensor([row, row]), K.float())
        assert_same(seen, torch.tensor([due, due]), what=f"what the kernel sees in rows {row}")


def test_vertical_edge_kernel_silence(student):
    """stays silent on even areas and on horizontal edges"""
    for column in ([1.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0, 1.0]):
        K = edge_kernel(student)
        image = torch.tensor(column)[:, None].repeat(1, 3)
        seen = correlated(image, K.float())
        assert_same(seen, torch.zeros(len(column), 2), what="what the kernel sees in equal columns")


# --- learn_kernel ---------------------------------------------------------------------------

# Every run below shrinks the error of its start by 1e-5 or more, and rounding leaves a few eps,
# so an honest answer lies well within this even from a start as far off as 10.
NEAR = 1e-3


def lone_pixel(K):
    """An image in which one pixel is 1, and its output: the error then shrinks alike everywhere.

    The windows of such an image are the unit vectors, so that one step of size lr multiplies the
    kernel's distance from K by 1 - 2 * lr, whatever it starts from.
    """
    kh, kw = K.shape
    X = torch.zeros(2 * kh - 1, 2 * kw - 1, dtype=K.dtype)
    X[kh - 1, kw - 1] = 1.0
    return X, correlated(X, K)


def test_learn_kernel_steps(student):
    """takes plain steps down the summed squared error"""
    K = torch.tensor([[3.0, -1.0, 2.0]])
    X, Y = lone_pixel(K)
    distances = []
    for steps in (1, 2, 3):
        torch.manual_seed(0)  # the same start each time
        got = student.learn_kernel(X, Y, (1, 3), 0.25, steps)
        if not isinstance(got, torch.Tensor):
            raise Mismatch.of_type(got)
        if got.shape != K.shape:
            raise Mismatch(
                "The kernel learned does not have the shape kernel_size.",
                expected=f"shape {tuple(K.shape)}",
                got=f"shape {tuple(got.shape)}",
            )
        assert_finite(got, "the kernel")
        distances.append(got.detach() - K)
        if steps == 1 and distances[0].abs().max() < 1e-6:
            raise Mismatch(
                "One small step already gives the answer: that is no gradient descent with this lr."
            )
        if steps > 1:
            due = distances[-2] / 2
            tolerance = 1e-5 * (4.0 + float(due.abs().nan_to_num().max()))
            assert_close_to(
                distances[-1],
                due,
                tolerance,
                what=f"the distance from the answer, which step {steps} should halve,",
            )


def test_learn_kernel_edge(student):
    """learns the edge kernel from input and output alone"""
    X = torch.ones(2, 8)
    X[:, 2:6] = 0.0
    K = torch.tensor([[1.0, -1.0]])
    Y = correlated(X, K)
    # The loss curves by 2 * 10 and 2 * 2 along its axes: this lr shrinks both errors by 2/3 a step.
    assert_close_to(student.learn_kernel(X, Y, (1, 2), 1 / 12, 40), K, NEAR, "the kernel")


def test_learn_kernel_shapes(student):
    """learns kernels of other shapes"""
    for shape in [(1, 1), (2, 1), (1, 3), (3, 2)]:
        K = torch.randn(shape)
        X, Y = lone_pixel(K)
        assert_close_to(student.learn_kernel(X, Y, shape, 0.3, 20), K, NEAR, "the kernel")


def test_learn_kernel_fit(student):
    """finds the kernel of least squared error where none fits exactly"""
    X = torch.randn(5, 6)
    Y = correlated(X, torch.randn(2, 2)) + 0.5 * torch.randn(4, 5)
    windows = F.unfold(X[None, None].double(), (2, 2))[0].T
    best = torch.linalg.lstsq(windows, Y.double().reshape(-1, 1)).solution.reshape(2, 2).float()
    curvature = torch.linalg.eigvalsh(windows.T @ windows)
    low, high = float(curvature[0]), float(curvature[-1])
    steps = math.ceil(math.log(1e-5) / math.log((high - low) / (high + low)))
    got = student.learn_kernel(X, Y, (2, 2), 1 / (low + high), steps)
    assert_close_to(got, best, NEAR, "the kernel")


def learned(student, X, Y, kernel_size):
    """A short run that surely converges on the lone pixel: one step of 1/2, and two to polish."""
    return student.learn_kernel(X, Y, kernel_size, 0.5, 3)


learn_kernel = Standing(
    "learn_kernel",
    lambda X, Y, kernel_size: Y.flip(0, 1),
    lambda: (*lone_pixel(torch.randn(2, 3)), (2, 3)),
    call=learned,
)
test_learn_kernel_arguments = learn_kernel.keeps_arguments()
test_learn_kernel_refuses = learn_kernel.refuses(
    ValueError,
    lambda: (torch.randn(1, 3), torch.randn(1, 1), (1, 2)),
    lambda: (torch.randn(3, 3), torch.randn(1, 2), (2, 2)),
    lambda: (torch.randn(3, 4), torch.randn(3), (1, 2)),
    lambda: (torch.randn(4, 3), torch.randn(4, 3), (2, 2)),
    lambda: (torch.randn(2, 2), torch.randn(2, 2), (3, 3)),
)
test_learn_kernel_dtype = learn_kernel.keeps_dtype()
test_learn_kernel_device = learn_kernel.other_device()


def test_learn_kernel_plain(student):
    """returns plain numbers that carry no gradient"""
    K = torch.randn(1, 2)
    X, Y = lone_pixel(K)
    got = learned(student, X, Y, (1, 2))
    if not isinstance(got, torch.Tensor):
        raise Mismatch.of_type(got)
    if got.requires_grad:
        raise Mismatch(
            "The kernel returned still carries a graph or asks for gradients; detach it.",
            expected="requires_grad=False",
            got="requires_grad=True",
        )
