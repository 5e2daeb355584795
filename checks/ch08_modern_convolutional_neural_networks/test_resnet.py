"""Hidden checks of section 8.6: Residual, ResNet, ResNet18, ResNeXtBlock."""

from itertools import permutations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from d2lgrade.datasets import few_digits
from d2lgrade.testkit import (
    Case,
    Mismatch,
    Network,
    assert_same,
    gradients,
    truth,
    unchanged,
)
from d2lgrade.testkit.gradient import pattern

# Layers of one kind get equal weights where their shapes agree, so that a block is right in
# whichever order it defines them. That each is used once shows in the gradients.


def residual(X, w1, w2, w3, g1, g2, h1, h2, b1, b2, b3, strides, running=None):
    """PyTorch's own operators: kernels w, scales g, shifts h, biases b; w3 and b3 may be None.

    `running` holds the mean and variance of each batch normalization and makes it predict; it is
    None in training.
    """
    one, two = running or ((None, None), (None, None))
    training = running is None
    Y = F.batch_norm(F.conv2d(X, w1, b1, strides, 1), *one, g1, h1, training)
    Y = F.batch_norm(F.conv2d(F.relu(Y), w2, b2, 1, 1), *two, g2, h2, training)
    return F.relu(Y + (X if w3 is None else F.conv2d(X, w3, b3, strides)))


def after(batches, X, w1, w2, w3, g1, g2, h1, h2, b1, b2, b3, strides):
    """What a block predicts when it has trained on some batches."""
    one, two = ((torch.zeros_like(g1), torch.ones_like(g1)) for _ in range(2))
    for batch in batches:
        Y = F.batch_norm(F.conv2d(batch, w1, b1, strides, 1), *one, g1, h1, True)
        F.batch_norm(F.conv2d(F.relu(Y), w2, b2, 1, 1), *two, g2, h2, True)
    return residual(X, w1, w2, w3, g1, g2, h1, h2, b1, b2, b3, strides, (one, two))


def weights(channels, num_channels, use_1x1conv):
    """Random weights of a block, as `residual` takes them; equal where shapes are."""
    w1, w2 = (
        torch.randn(num_channels, channels, 3, 3),
        torch.randn(num_channels, num_channels, 3, 3),
    )
    w3 = torch.randn(num_channels, channels, 1, 1)
    g, h, b = 1.0 + torch.rand(num_channels), torch.randn(num_channels), torch.randn(num_channels)
    w2 = w1 if channels == num_channels else w2
    shortcut = (w3, b) if use_1x1conv else (None, None)
    return w1, w2, shortcut[0], g, g, h, h, b, b, shortcut[1]


def prepare(net, X):
    """Call a new block once, without training it, and describe its parameters; runs beside it."""
    net.eval()
    with torch.no_grad():
        net(X)
    net.train()
    found = []
    for parameter in net.parameters():
        if isinstance(parameter, torch.nn.parameter.UninitializedTensorMixin):
            found.append("a layer that is never used")
            continue
        start = "random"
        if parameter.dim() == 1:
            start = {0.0: "zeros", 1.0: "ones"}.get(parameter.mean().item(), "random")
        found.append(f"{tuple(parameter.shape)} {start}")
    return found


def fill(net, w1, w2, w3, g, h, b):
    """Give a new block known weights, by shape and by what they start with; runs beside it."""
    for parameter in net.parameters():
        if parameter.dim() == 4:
            value = w3 if parameter.shape[-1] == 1 else w1 if parameter.shape == w1.shape else w2
        else:
            value = {1.0: g, 0.0: h}.get(parameter.mean().item(), b)
        parameter.data = value.clone()


def new_block(student, channels, num_channels, use_1x1conv=False, strides=1):
    """A new Residual that has been called once, its parameters known to be the contract's."""
    options = {"use_1x1conv": use_1x1conv, "strides": strides}
    if not use_1x1conv and strides == 1:
        options = {}  # the defaults
    net = student.Residual(num_channels=num_channels, **options)
    found = student.run(prepare, net, torch.zeros(1, channels, 2 * strides, 2 * strides))
    vector = f"({num_channels},)"
    due = [
        f"({num_channels}, {channels}, 3, 3) random",
        f"({num_channels}, {num_channels}, 3, 3) random",
    ]
    due += [f"{vector} {start}" for start in ("random", "random", "ones", "ones", "zeros", "zeros")]
    if use_1x1conv:
        due += [f"({num_channels}, {channels}, 1, 1) random", f"{vector} random"]
    if sorted(found) != sorted(due):
        raise Mismatch(
            f"The parameters of Residual(num_channels={num_channels}, use_1x1conv={use_1x1conv}, "
            f"strides={strides}) are not the contract's when it is given {channels} channels.",
            expected="\n".join(sorted(due)),
            got="\n".join(sorted(found)) or "none",
        )
    return net


def block(student, channels, num_channels, use_1x1conv, strides, values):
    """The learner's block with the weights given."""
    net = new_block(student, channels, num_channels, use_1x1conv, strides)
    w1, w2, w3, g, _, h, _, b, _, _ = values
    student.run(fill, net, w1, w2, w3, g, h, b)
    return net


def agrees(student, *cases):
    """The block equals PyTorch's operators in training on each case."""
    for shape, num_channels, use_1x1conv, strides in cases:
        values, X = weights(shape[1], num_channels, use_1x1conv), torch.randn(shape)
        expected = truth(residual, X, *values, strides)
        net = block(student, shape[1], num_channels, use_1x1conv, strides, values)
        assert_same(net(X), expected)


def test_Residual_parameters(student):
    """holds the layers of the contract and no others"""
    for channels, num_channels, use_1x1conv, strides in [
        (1, 1, False, 1),
        (3, 3, False, 1),
        (1, 2, True, 1),
        (3, 2, True, 2),
    ]:
        new_block(student, channels, num_channels, use_1x1conv, strides)


def test_Residual_identity(student):
    """adds its input to the main path"""
    agrees(
        student,
        ((1, 1, 2, 2), 1, False, 1),
        ((2, 2, 1, 3), 2, False, 1),
        ((2, 3, 4, 5), 3, False, 1),
    )


def test_Residual_projection(student):
    """adds a 1x1 convolution of its input where asked to"""
    agrees(
        student,
        ((1, 1, 2, 2), 1, True, 1),
        ((2, 1, 3, 2), 2, True, 1),
        ((2, 3, 4, 5), 2, True, 1),
    )


def test_Residual_strides(student):
    """moves the first convolution and the shortcut in steps"""
    agrees(
        student,
        ((2, 1, 2, 2), 1, True, 2),
        ((2, 2, 4, 4), 3, True, 2),
        ((2, 3, 5, 6), 4, True, 2),
        ((1, 2, 7, 4), 3, True, 3),
    )


def test_Residual_evaluation(student):
    """uses the running statistics in evaluation mode"""
    for shape, num_channels, use_1x1conv, strides in [
        ((1, 1, 2, 2), 1, False, 1),
        ((2, 3, 4, 5), 2, True, 2),
    ]:
        values, X = weights(shape[1], num_channels, use_1x1conv), torch.randn(shape)
        batches = [torch.randn(shape), torch.randn(shape)]
        expected = truth(after, batches, X, *values, strides)
        net = block(student, shape[1], num_channels, use_1x1conv, strides, values)
        for batch in batches:
            net(batch)
        net.eval()
        assert_same(net(X), expected)


def test_Residual_gradient(student):
    """gradients reach the input and every parameter"""
    for shape, num_channels, use_1x1conv, strides in [
        ((2, 2, 3, 3), 2, False, 1),
        ((2, 2, 4, 3), 3, True, 2),
    ]:
        values, X = weights(shape[1], num_channels, use_1x1conv), torch.randn(shape)
        due = iter(truth(gradients(residual), X, *values, strides))
        expected = [None if value is None else next(due) for value in (X, *values)]
        net = block(student, shape[1], num_channels, use_1x1conv, strides, values)
        leaves = list(net.parameters())
        X.requires_grad_()
        Y = net(X)
        if not isinstance(Y, torch.Tensor):
            raise Mismatch.of_type(Y)
        if Y.requires_grad:
            (Y * pattern(Y)).sum().backward()
        for name, leaf in [
            ("the input", X),
            *((f"a parameter {tuple(p.shape)}", p) for p in leaves),
        ]:
            if leaf.grad is None:
                raise Mismatch(f"No gradient reaches {name}: it plays no part in the result.")
        assert_same(X.grad, expected[0], what="the gradient of the input")
        match(leaves, values, expected[1:])


def match(leaves, values, expected):
    """The gradients of equal weights are those expected, in some order.

    Left out are the biases before a batch normalization, whose gradient is 0 but for rounding.
    """
    w1, w2, w3, g, _, h, _, _, _, b3 = values
    names = [(w1, "a 3x3 kernel"), (w2, "a 3x3 kernel"), (w3, "the 1x1 kernel")]
    names += [(g, "a scale"), (h, "a shift"), (b3, "the shortcut's bias")]
    for value, what in names:
        if value is None:
            continue
        found = [leaf.grad for leaf in leaves if torch.equal(leaf, value)]
        due = [
            e
            for v, e, place in zip(values, expected, range(10), strict=True)
            if v is value and place not in (7, 8)
        ]
        orders = list(permutations(found, len(due)))
        if not any(fits(order, due) for order in orders):
            for one, other in zip(orders[0], due, strict=True):
                assert_same(one, other, what=f"the gradient of {what}")


def fits(found, expected):
    """Whether tensors are those expected, one by one."""
    try:
        assert_same(list(found), expected)
    except Mismatch:
        return False
    return True


def test_Residual_arguments(student):
    """leaves its input alone"""
    for use_1x1conv in (False, True):
        for training in (True, False):
            values, X = weights(2, 2, use_1x1conv), torch.randn(2, 2, 3, 3)
            net = block(student, 2, 2, use_1x1conv, 1, values)
            net.train(training)
            with unchanged(X):
                net(X)


def test_Residual_dtype(student):
    """computes in float64 after .double()"""
    values = [None if v is None else v.double() for v in weights(2, 3, True)]
    X = torch.randn(2, 2, 4, 5).double()
    expected = truth(residual, X, *values, 2)
    net = new_block(student, 2, 3, True, 2)
    net.double()
    w1, w2, w3, g, _, h, _, b, _, _ = values
    student.run(fill, net, w1, w2, w3, g, h, b)
    assert_same(net(X), expected)


def test_Residual_device(student):
    """works on another device than the CPU"""
    for use_1x1conv in (False, True):
        net = student.Residual(num_channels=2, use_1x1conv=use_1x1conv)
        X = torch.randn(2, 2, 3, 3)
        with student.other_device():
            net(X)


# --- ResNet ---------------------------------------------------------------------------------


class Sum(nn.ModuleList):
    """A ReLU of the sum of what modules make of the same input."""

    def forward(self, X):
        return F.relu(sum(path(X) for path in self))


def torch_residual(channels, halves):
    """PyTorch's own layers."""
    main = nn.Sequential(
        *(nn.LazyConv2d(channels, 3, 1 + halves, 1), nn.BatchNorm2d(channels), nn.ReLU()),
        *(nn.Conv2d(channels, channels, 3, 1, 1), nn.BatchNorm2d(channels)),
    )
    return Sum([main, nn.LazyConv2d(channels, 1, 2) if halves else nn.Identity()])


def torch_resnet(arch, num_classes=10):
    """PyTorch's own layers."""
    blocks = [
        torch_residual(channels, stage > 0 and block == 0)
        for stage, (blocks, channels) in enumerate(arch)
        for block in range(blocks)
    ]
    return nn.Sequential(
        *(nn.Conv2d(1, 64, 7, 2, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)),
        *(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(arch[-1][1], num_classes)),
    )


# Four by five pixels are left at the end of the second stage, so that averages are averages.
ARCH = ((1, 64), (2, 6))
SMALL = Case((2, 1, 32, 40), {"arch": ARCH})
MORE = Case((3, 1, 33, 48), {"arch": ((2, 64), (1, 4), (2, 8)), "num_classes": 3})
resnet = Network("ResNet", torch_resnet, [SMALL, MORE], training=True)

test_ResNet_parameters = resnet.parameters()
test_ResNet_training = resnet.values()
test_ResNet_evaluation = resnet.evaluation()
test_ResNet_gradient = resnet.gradient()
test_ResNet_arguments = resnet.keeps_arguments()
test_ResNet_dtype = resnet.keeps_dtype()
test_ResNet_layout = resnet.any_layout()
test_ResNet_empty = resnet.empty_batch()
test_ResNet_device = resnet.other_device()


@pytest.mark.training
@pytest.mark.timeout(120)
def test_ResNet_digits(student):
    """learns a few handwritten digits in a few steps"""
    resnet.learns(Case((8, 1, 32, 32), {"arch": ((1, 64), (1, 16))}), few_digits)(student)


# --- ResNet18 -------------------------------------------------------------------------------


def torch_resnet18(num_classes=10):
    """PyTorch's own layers."""
    return torch_resnet(((2, 64), (2, 128), (2, 256), (2, 512)), num_classes)


# Two by two pixels are left at the end.
EIGHTEEN = Case((2, 1, 48, 33))
resnet18 = Network("ResNet18", torch_resnet18, [EIGHTEEN], training=True)

test_ResNet18_parameters = resnet18.parameters(Case((1, 1, 32, 32)))
test_ResNet18_training = resnet18.values()
test_ResNet18_classes = resnet18.parameters(Case((1, 1, 32, 32), {"num_classes": 3}))
test_ResNet18_empty = resnet18.empty_batch(Case((1, 1, 32, 32)))
test_ResNet18_device = resnet18.other_device(Case((2, 1, 33, 33)))
test_ResNet18_shapes = resnet18.stages(
    Case((1, 1, 96, 96)),
    [
        *((1, 96, 96), (64, 48, 48), (64, 24, 24), (128, 12, 12), (256, 6, 6), (512, 3, 3)),
        *((512,), (10,)),
    ],
)


# --- ResNeXtBlock ---------------------------------------------------------------------------


def torch_resnext(num_channels, groups, bot_mul, use_1x1conv=False, strides=1):
    """PyTorch's own layers."""
    b = round(num_channels * bot_mul)
    main = nn.Sequential(
        *(nn.LazyConv2d(b, 1), nn.BatchNorm2d(b), nn.ReLU()),
        *(nn.Conv2d(b, b, 3, strides, 1, groups=b // groups), nn.BatchNorm2d(b), nn.ReLU()),
        *(nn.Conv2d(b, num_channels, 1), nn.BatchNorm2d(num_channels)),
    )
    shortcut = nn.Identity()
    if use_1x1conv:
        shortcut = nn.Sequential(
            nn.LazyConv2d(num_channels, 1, strides), nn.BatchNorm2d(num_channels)
        )
    return Sum([main, shortcut])


def block_case(shape, num_channels, groups, bot_mul, **options):
    """One block to try, and the images it gets."""
    needed = {"num_channels": num_channels, "groups": groups, "bot_mul": bot_mul}
    return Case(shape, needed | options)


PLAIN = [
    block_case((2, 1, 3, 3), 1, 1, 1),
    block_case((2, 4, 3, 4), 4, 2, 1),
    block_case((2, 6, 4, 5), 6, 4, 2),
    block_case((3, 5, 4, 3), 5, 2, 0.7),  # 3.5 channels are rounded to 4
]
PROJECTED = [
    block_case((2, 1, 4, 4), 4, 2, 0.5, use_1x1conv=True),
    block_case((2, 3, 7, 6), 4, 1, 1, use_1x1conv=True, strides=2),
    block_case((2, 2, 9, 8), 3, 3, 2, use_1x1conv=True, strides=3),
]
resnext = Network("ResNeXtBlock", torch_resnext, PLAIN + PROJECTED, training=True)

test_ResNeXtBlock_parameters = resnext.parameters()
test_ResNeXtBlock_identity = resnext.values(*PLAIN)
test_ResNeXtBlock_projection = resnext.values(*PROJECTED)
test_ResNeXtBlock_evaluation = resnext.evaluation(PLAIN[1], PROJECTED[1])
test_ResNeXtBlock_gradient = resnext.gradient(PLAIN[1], PROJECTED[1])
test_ResNeXtBlock_arguments = resnext.keeps_arguments(PLAIN[1], PROJECTED[1])
test_ResNeXtBlock_dtype = resnext.keeps_dtype(PROJECTED[1])
test_ResNeXtBlock_layout = resnext.any_layout(PROJECTED[1])
test_ResNeXtBlock_empty = resnext.empty_batch(PLAIN[1], PROJECTED[1])
test_ResNeXtBlock_device = resnext.other_device(PLAIN[1], PROJECTED[1])
