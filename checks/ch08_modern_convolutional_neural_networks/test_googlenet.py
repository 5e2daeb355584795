"""Hidden checks of section 8.4: Inception, GoogLeNet."""

import pytest
import torch
from torch import nn

from d2lgrade.datasets import few_digits
from d2lgrade.testkit import Case, Network


class Branches(nn.ModuleList):
    """Modules that all get the same input, their channels side by side."""

    def forward(self, X):
        return torch.cat([branch(X) for branch in self], 1)


def conv(channels, kernel, stride=1):
    """A convolution that keeps height and width if its stride is 1, and a ReLU."""
    return nn.LazyConv2d(channels, kernel, stride, kernel // 2), nn.ReLU()


def torch_inception(c1, c2, c3, c4):
    """PyTorch's own layers."""
    return Branches(
        [
            nn.Sequential(*conv(c1, 1)),
            nn.Sequential(*conv(c2[0], 1), *conv(c2[1], 3)),
            nn.Sequential(*conv(c3[0], 1), *conv(c3[1], 5)),
            nn.Sequential(nn.MaxPool2d(3, 1, 1), *conv(c4, 1)),
        ]
    )


def torch_googlenet(num_classes=10):
    """PyTorch's own layers."""
    return nn.Sequential(
        *(*conv(64, 7, 2), nn.MaxPool2d(3, 2, 1)),
        *(*conv(64, 1), *conv(192, 3), nn.MaxPool2d(3, 2, 1)),
        torch_inception(64, (96, 128), (16, 32), 32),
        torch_inception(128, (128, 192), (32, 96), 64),
        nn.MaxPool2d(3, 2, 1),
        torch_inception(192, (96, 208), (16, 48), 64),
        torch_inception(160, (112, 224), (24, 64), 64),
        torch_inception(128, (128, 256), (24, 64), 64),
        torch_inception(112, (144, 288), (32, 64), 64),
        torch_inception(256, (160, 320), (32, 128), 128),
        nn.MaxPool2d(3, 2, 1),
        torch_inception(256, (160, 320), (32, 128), 128),
        torch_inception(384, (192, 384), (48, 128), 128),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LazyLinear(num_classes)),
    )


# --- Inception ------------------------------------------------------------------------------


def small(shape, c1, c2, c3, c4):
    """One block to try, and the images it gets."""
    return Case(shape, {"c1": c1, "c2": c2, "c3": c3, "c4": c4})


BLOCKS = [
    small((1, 1, 1, 1), 1, (1, 1), (1, 1), 1),
    small((2, 1, 3, 4), 2, (3, 4), (5, 6), 7),
    small((2, 3, 7, 5), 3, (1, 2), (2, 4), 1),
]
inception = Network("Inception", torch_inception, BLOCKS)

test_Inception_parameters = inception.parameters()
test_Inception_values = inception.values()
test_Inception_gradient = inception.gradient(*BLOCKS[1:])
test_Inception_arguments = inception.keeps_arguments(BLOCKS[2])
test_Inception_dtype = inception.keeps_dtype(BLOCKS[2])
test_Inception_layout = inception.any_layout(BLOCKS[2])
test_Inception_empty = inception.empty_batch(BLOCKS[2])
test_Inception_device = inception.other_device(BLOCKS[2])


# --- GoogLeNet ------------------------------------------------------------------------------

# 17 pixels and more end as two: the least that shows what is averaged.
SMALL = Case((1, 1, 17, 18))
googlenet = Network("GoogLeNet", torch_googlenet, [SMALL])

test_GoogLeNet_parameters = googlenet.parameters()
test_GoogLeNet_values = googlenet.values(Case((2, 1, 33, 34)))
test_GoogLeNet_classes = googlenet.parameters(Case((1, 1, 16, 16), {"num_classes": 3}))
test_GoogLeNet_gradient = googlenet.gradient()
test_GoogLeNet_arguments = googlenet.keeps_arguments()
test_GoogLeNet_empty = googlenet.empty_batch()
test_GoogLeNet_device = googlenet.other_device()
test_GoogLeNet_shapes = googlenet.stages(
    Case((1, 1, 96, 96)),
    [
        *((1, 96, 96), (64, 48, 48), (64, 24, 24), (192, 24, 24), (192, 12, 12), (256, 12, 12)),
        *((480, 6, 6), (512, 6, 6), (528, 6, 6), (832, 3, 3), (1024,), (10,)),
    ],
)


@pytest.mark.training
@pytest.mark.timeout(120)
def test_GoogLeNet_digits(student):
    """learns a few handwritten digits in a few steps"""
    googlenet.learns(Case((4, 1, 48, 48)), few_digits)(student)
