"""Hidden checks of section 8.8: AnyNet, RegNetX32."""

import pytest
from torch import nn
from torch.nn import functional as F

from d2lgrade.datasets import few_digits
from d2lgrade.testkit import Case, Network


class Sum(nn.ModuleList):
    """A ReLU of the sum of what modules make of the same input."""

    def forward(self, X):
        return F.relu(sum(path(X) for path in self))


def torch_block(channels, groups, bot_mul, first):
    """PyTorch's own layers: a ResNeXt block."""
    b, strides = round(channels * bot_mul), 1 + first
    main = nn.Sequential(
        *(nn.LazyConv2d(b, 1), nn.BatchNorm2d(b), nn.ReLU()),
        *(nn.Conv2d(b, b, 3, strides, 1, groups=b // groups), nn.BatchNorm2d(b), nn.ReLU()),
        *(nn.Conv2d(b, channels, 1), nn.BatchNorm2d(channels)),
    )
    shortcut = nn.Sequential(nn.LazyConv2d(channels, 1, strides), nn.BatchNorm2d(channels))
    return Sum([main, shortcut if first else nn.Identity()])


def torch_anynet(arch, stem_channels, num_classes=10):
    """PyTorch's own layers."""
    return nn.Sequential(
        *(nn.Conv2d(1, stem_channels, 3, 2, 1), nn.BatchNorm2d(stem_channels), nn.ReLU()),
        *(torch_block(*widths, i == 0) for depth, *widths in arch for i in range(depth)),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(arch[-1][1], num_classes)),
    )


def torch_regnet(num_classes=10):
    """PyTorch's own layers."""
    return torch_anynet(((4, 32, 16, 1), (6, 80, 16, 1)), 32, num_classes)


# --- AnyNet ---------------------------------------------------------------------------------

# Four by five pixels are left at the end, so that averages are averages.
SMALL = Case((2, 1, 32, 40), {"arch": ((1, 4, 2, 1), (2, 6, 3, 1)), "stem_channels": 5})
OTHER = {"arch": ((1, 6, 3, 1), (2, 8, 2, 0.5), (3, 4, 2, 2)), "stem_channels": 4}
MORE = Case((3, 1, 49, 64), OTHER | {"num_classes": 3})
anynet = Network("AnyNet", torch_anynet, [SMALL, MORE], training=True)

test_AnyNet_parameters = anynet.parameters()
test_AnyNet_training = anynet.values()
test_AnyNet_evaluation = anynet.evaluation()
test_AnyNet_gradient = anynet.gradient()
test_AnyNet_arguments = anynet.keeps_arguments()
test_AnyNet_dtype = anynet.keeps_dtype()
test_AnyNet_layout = anynet.any_layout()
test_AnyNet_empty = anynet.empty_batch()
test_AnyNet_device = anynet.other_device()
test_AnyNet_shapes = anynet.stages(
    Case((1, 1, 96, 96), OTHER),
    [
        *((1, 96, 96), (4, 48, 48), (6, 48, 48), (6, 24, 24), (4, 24, 24), (8, 12, 12)),
        *((4, 6, 6), (4,), (10,)),
    ],
)


@pytest.mark.training
@pytest.mark.timeout(120)
def test_AnyNet_digits(student):
    """learns a few handwritten digits in a few steps"""
    arch = ((1, 16, 4, 1), (1, 32, 4, 1))
    case = Case((8, 1, 32, 32), {"arch": arch, "stem_channels": 16})
    anynet.learns(case, few_digits)(student)


# --- RegNetX32 ------------------------------------------------------------------------------

REGULAR = Case((2, 1, 32, 40))
regnet = Network("RegNetX32", torch_regnet, [REGULAR], training=True)

test_RegNetX32_parameters = regnet.parameters()
test_RegNetX32_training = regnet.values()
test_RegNetX32_classes = regnet.parameters(Case((1, 1, 32, 32), {"num_classes": 3}))
test_RegNetX32_empty = regnet.empty_batch()
test_RegNetX32_device = regnet.other_device()
test_RegNetX32_shapes = regnet.stages(
    Case((1, 1, 96, 96)),
    [*((1, 96, 96), (32, 48, 48), (32, 24, 24), (80, 24, 24), (80, 12, 12)), *((80,), (10,))],
)
