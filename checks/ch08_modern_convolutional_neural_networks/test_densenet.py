"""Hidden checks of section 8.7: conv_block, DenseBlock, transition_block, DenseNet."""

import pytest
import torch
from torch import nn

from d2lgrade.datasets import few_digits
from d2lgrade.testkit import Case, Network


def torch_conv_block(num_channels):
    """PyTorch's own layers."""
    return nn.Sequential(nn.LazyBatchNorm2d(), nn.ReLU(), nn.LazyConv2d(num_channels, 3, padding=1))


class Beside(nn.Sequential):
    """Modules in a row; the input of each goes in front of its output."""

    def forward(self, X):
        for block in self:
            X = torch.cat((X, block(X)), 1)
        return X


def torch_dense_block(num_convs, num_channels):
    """PyTorch's own layers."""
    return Beside(*(torch_conv_block(num_channels) for _ in range(num_convs)))


def torch_transition_block(num_channels):
    """PyTorch's own layers."""
    return nn.Sequential(
        *(nn.LazyBatchNorm2d(), nn.ReLU(), nn.LazyConv2d(num_channels, 1), nn.AvgPool2d(2, 2)),
    )


def torch_densenet(num_channels=64, growth_rate=32, arch=(4, 4, 4, 4), num_classes=10):
    """PyTorch's own layers."""
    layers = [nn.Conv2d(1, num_channels, 7, 2, 3), nn.BatchNorm2d(num_channels), nn.ReLU()]
    layers.append(nn.MaxPool2d(3, 2, 1))
    for index, num_convs in enumerate(arch):
        layers.append(torch_dense_block(num_convs, growth_rate))
        num_channels += num_convs * growth_rate
        if index < len(arch) - 1:
            num_channels //= 2
            layers.append(torch_transition_block(num_channels))
    return nn.Sequential(
        *(*layers, nn.BatchNorm2d(num_channels), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(num_channels, num_classes)),
    )


# --- conv_block -----------------------------------------------------------------------------

CONVS = [
    Case((2, 1, 1, 2), {"num_channels": 1}),
    Case((2, 3, 4, 3), {"num_channels": 2}),
    Case((3, 2, 3, 5), {"num_channels": 4}),
]
conv = Network("conv_block", torch_conv_block, CONVS, training=True, positional=True)

test_conv_block_parameters = conv.parameters()
test_conv_block_training = conv.values()
test_conv_block_evaluation = conv.evaluation(*CONVS[1:])
test_conv_block_gradient = conv.gradient(*CONVS[1:])
test_conv_block_arguments = conv.keeps_arguments(CONVS[1])
test_conv_block_dtype = conv.keeps_dtype(CONVS[1])
test_conv_block_layout = conv.any_layout(CONVS[1])
test_conv_block_empty = conv.empty_batch(CONVS[1])
test_conv_block_device = conv.other_device(CONVS[1])


# --- DenseBlock -----------------------------------------------------------------------------

BLOCKS = [
    Case((2, 1, 2, 2), {"num_convs": 1, "num_channels": 1}),
    Case((2, 3, 3, 4), {"num_convs": 2, "num_channels": 2}),
    Case((3, 2, 4, 3), {"num_convs": 3, "num_channels": 4}),
]
dense = Network("DenseBlock", torch_dense_block, BLOCKS, training=True)

test_DenseBlock_parameters = dense.parameters()
test_DenseBlock_training = dense.values()
test_DenseBlock_evaluation = dense.evaluation(BLOCKS[1])
test_DenseBlock_gradient = dense.gradient(*BLOCKS[1:])
test_DenseBlock_arguments = dense.keeps_arguments(BLOCKS[1])
test_DenseBlock_dtype = dense.keeps_dtype(BLOCKS[1])
test_DenseBlock_layout = dense.any_layout(BLOCKS[1])
test_DenseBlock_empty = dense.empty_batch(BLOCKS[1])
test_DenseBlock_device = dense.other_device(BLOCKS[1])


# --- transition_block -----------------------------------------------------------------------

TRANSITIONS = [
    Case((2, 1, 2, 2), {"num_channels": 1}),
    Case((2, 4, 4, 6), {"num_channels": 2}),
    Case((3, 2, 5, 7), {"num_channels": 3}),
]
transition = Network(
    "transition_block", torch_transition_block, TRANSITIONS, training=True, positional=True
)

test_transition_block_parameters = transition.parameters()
test_transition_block_training = transition.values()
test_transition_block_evaluation = transition.evaluation(*TRANSITIONS[1:])
test_transition_block_gradient = transition.gradient(*TRANSITIONS[1:])
test_transition_block_arguments = transition.keeps_arguments(TRANSITIONS[1])
test_transition_block_dtype = transition.keeps_dtype(TRANSITIONS[1])
test_transition_block_layout = transition.any_layout(TRANSITIONS[1])
test_transition_block_empty = transition.empty_batch(TRANSITIONS[1])
test_transition_block_device = transition.other_device(TRANSITIONS[1])


# --- DenseNet -------------------------------------------------------------------------------

# Four by five pixels are left at the end of the second block, so that averages are averages.
SMALL = Case((2, 1, 32, 40), {"growth_rate": 4, "arch": (1, 2)})
MORE = Case((3, 1, 48, 33), {"growth_rate": 3, "arch": (2, 1, 1), "num_classes": 3})
densenet = Network("DenseNet", torch_densenet, [SMALL, MORE], training=True)
WHOLE = Case((1, 1, 96, 96))

test_DenseNet_parameters = densenet.parameters(SMALL, MORE, WHOLE)
test_DenseNet_training = densenet.values()
test_DenseNet_evaluation = densenet.evaluation()
test_DenseNet_gradient = densenet.gradient()
test_DenseNet_arguments = densenet.keeps_arguments()
test_DenseNet_stem = densenet.values(
    Case((2, 1, 32, 32), {"num_channels": 6, "growth_rate": 3, "arch": (1, 1)})
)
test_DenseNet_stem.__doc__ = "leaves as many channels after the stem as num_channels says"
test_DenseNet_dtype = densenet.keeps_dtype()
test_DenseNet_layout = densenet.any_layout()
test_DenseNet_empty = densenet.empty_batch()
test_DenseNet_device = densenet.other_device()
test_DenseNet_shapes = densenet.stages(
    WHOLE,
    [
        *((1, 96, 96), (64, 48, 48), (64, 24, 24), (32, 24, 24), (192, 24, 24), (96, 12, 12)),
        *((224, 12, 12), (112, 6, 6), (240, 6, 6), (120, 3, 3), (248, 3, 3), (248,), (10,)),
    ],
)


@pytest.mark.training
@pytest.mark.timeout(120)
def test_DenseNet_digits(student):
    """learns a few handwritten digits in a few steps"""
    densenet.learns(Case((8, 1, 32, 32), {"growth_rate": 8, "arch": (2, 2)}), few_digits)(student)
