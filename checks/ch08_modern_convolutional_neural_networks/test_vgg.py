"""Hidden checks of section 8.2: vgg_block, VGG."""

import pytest
from torch import nn

from d2lgrade.datasets import few_digits
from d2lgrade.testkit import Case, Network


def torch_block(num_convs, out_channels, channels=None):
    """PyTorch's own layers."""
    first = nn.LazyConv2d(out_channels, 3, padding=1)
    if channels is not None:  # there is no need of a first call to find out
        first = nn.Conv2d(channels, out_channels, 3, padding=1)
    layers = [first, nn.ReLU()]
    for _ in range(num_convs - 1):
        layers += [nn.Conv2d(out_channels, out_channels, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.MaxPool2d(2, 2))


def torch_vgg(arch, num_classes=10):
    """PyTorch's own layers."""
    before = (1, *(channels for _, channels in arch))
    return nn.Sequential(
        *(torch_block(*pair, channels) for pair, channels in zip(arch, before, strict=False)),
        *(nn.Flatten(), nn.Linear(49 * arch[-1][1], 4096), nn.ReLU(), nn.Dropout(0.5)),
        *(nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5)),
        nn.Linear(4096, num_classes),
    )


# --- vgg_block ------------------------------------------------------------------------------


def small(shape, num_convs, out_channels):
    """One block to try, and the images it gets."""
    return Case(shape, {"num_convs": num_convs, "out_channels": out_channels})


BLOCKS = [
    small((1, 1, 2, 2), 1, 1),
    small((2, 3, 4, 6), 1, 2),
    small((2, 2, 5, 4), 2, 2),
    small((1, 2, 4, 7), 2, 3),
    small((2, 1, 6, 6), 4, 3),
]
block = Network("vgg_block", torch_block, BLOCKS, positional=True)

test_vgg_block_parameters = block.parameters()
test_vgg_block_values = block.values()
test_vgg_block_gradient = block.gradient(*BLOCKS[2:4])
test_vgg_block_arguments = block.keeps_arguments(*BLOCKS[2:4])
test_vgg_block_dtype = block.keeps_dtype(*BLOCKS[2:4])
test_vgg_block_layout = block.any_layout(*BLOCKS[2:4])
test_vgg_block_empty = block.empty_batch(*BLOCKS[2:4])
test_vgg_block_device = block.other_device(*BLOCKS[2:4])


# --- VGG ------------------------------------------------------------------------------------

# Blocks of few channels: the linear layers are the contract's, and large enough.
ARCH = ((1, 2), (2, 3), (1, 4), (1, 6), (2, 5))
SHAPE = (1, 1, 224, 224)
WHOLE = Case(SHAPE, {"arch": ARCH})
vgg = Network("VGG", torch_vgg, [WHOLE])

test_VGG_parameters = vgg.parameters()
test_VGG_values = vgg.values()
test_VGG_classes = vgg.parameters(Case(SHAPE, {"arch": ARCH[::-1], "num_classes": 3}))
test_VGG_dropout = vgg.hidden_dropout(WHOLE)
test_VGG_gradient = vgg.gradient()
test_VGG_arguments = vgg.keeps_arguments()
test_VGG_empty = vgg.empty_batch()
test_VGG_device = vgg.other_device()
test_VGG_shapes = vgg.stages(
    WHOLE,
    [
        *((2, 224, 224), (2, 112, 112), (3, 112, 112), (3, 56, 56), (4, 56, 56), (4, 28, 28)),
        *((6, 28, 28), (6, 14, 14), (5, 14, 14), (245,), (4096,), (10,)),
    ],
)


@pytest.mark.training
@pytest.mark.timeout(120)
def test_VGG_digits(student):
    """learns a few handwritten digits in a few steps"""
    arch = tuple((1, channels) for channels in (4, 8, 16, 16, 16))
    case = Case((4, 1, 224, 224), {"arch": arch})
    vgg.learns(case, few_digits)(student)
