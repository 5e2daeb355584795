"""Hidden checks of section 8.3: nin_block, NiN."""

import pytest
import torch
from torch import nn

from d2lgrade.datasets import few_digits
from d2lgrade.testkit import Case, Mismatch, Network, assert_rate, assert_same
from d2lgrade.testkit.beside import output_of, settle


def torch_block(out_channels, kernel_size, strides, padding):
    """PyTorch's own layers."""
    return nn.Sequential(
        *(nn.LazyConv2d(out_channels, kernel_size, strides, padding), nn.ReLU()),
        *(nn.Conv2d(out_channels, out_channels, 1), nn.ReLU()),
        *(nn.Conv2d(out_channels, out_channels, 1), nn.ReLU()),
    )


def torch_nin(num_classes=10):
    """PyTorch's own layers."""
    return nn.Sequential(
        *(torch_block(96, 11, 4, 0), nn.MaxPool2d(3, 2)),
        *(torch_block(256, 5, 1, 2), nn.MaxPool2d(3, 2)),
        *(torch_block(384, 3, 1, 1), nn.MaxPool2d(3, 2)),
        *(nn.Dropout(0.5), torch_block(num_classes, 3, 1, 1)),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    )


# --- nin_block ------------------------------------------------------------------------------


def small(shape, out_channels, kernel_size, strides, padding):
    """One block to try, and the images it gets."""
    options = {"out_channels": out_channels, "kernel_size": kernel_size}
    return Case(shape, options | {"strides": strides, "padding": padding})


BLOCKS = [
    small((1, 1, 1, 1), 1, 1, 1, 0),
    small((2, 2, 3, 4), 3, 3, 1, 1),
    small((2, 3, 7, 5), 2, 3, 2, 0),
    small((1, 2, 11, 15), 4, 11, 4, 0),
    small((1, 3, 6, 5), 2, 5, 1, 2),
]
block = Network("nin_block", torch_block, BLOCKS, positional=True)

test_nin_block_parameters = block.parameters()
test_nin_block_values = block.values()
test_nin_block_gradient = block.gradient(*BLOCKS[1:3])
test_nin_block_arguments = block.keeps_arguments(*BLOCKS[1:3])
test_nin_block_dtype = block.keeps_dtype(*BLOCKS[1:3])
test_nin_block_layout = block.any_layout(*BLOCKS[1:3])
test_nin_block_empty = block.empty_batch(*BLOCKS[1:3])
test_nin_block_device = block.other_device(*BLOCKS[1:3])


# --- NiN ------------------------------------------------------------------------------------

SMALL = Case((2, 1, 67, 67))
nin = Network("NiN", torch_nin, [SMALL])

test_NiN_parameters = nin.parameters()
test_NiN_values = nin.values(SMALL, Case((1, 1, 99, 80)))
test_NiN_classes = nin.values(Case((1, 1, 67, 67), {"num_classes": 3}))
test_NiN_gradient = nin.gradient()
test_NiN_arguments = nin.keeps_arguments()
test_NiN_dtype = nin.keeps_dtype()
test_NiN_layout = nin.any_layout()
test_NiN_empty = nin.empty_batch()
test_NiN_device = nin.other_device()
test_NiN_shapes = nin.stages(
    Case((1, 1, 224, 224)),
    [
        *((1, 224, 224), (96, 54, 54), (96, 26, 26), (256, 26, 26), (256, 12, 12)),
        *((384, 12, 12), (384, 5, 5), (10, 5, 5)),
    ],
)

CLASSES = 48


def show_dropped(net, x):
    """Make each logit the average of one channel after the dropout; runs beside the learner's code.

    All that reaches the dropout is 1, and of what leaves it, class j gets channel j alone.
    """
    settle(net, x.shape)
    with torch.no_grad():
        for parameter in net.parameters():
            shape = tuple(parameter.shape)
            parameter.zero_()
            if shape == (384,):
                parameter.fill_(1.0)
            if shape == (CLASSES, 384, 3, 3):
                parameter[:, :CLASSES, 1, 1].fill_diagonal_(1.0)
            if shape == (CLASSES, CLASSES, 1, 1):
                parameter[:, :, 0, 0].fill_diagonal_(1.0)


def test_NiN_dropout(student):
    """drops numbers in front of the last block with probability 0.5, in training mode only"""
    # 6 x 6 numbers of each channel reach the dropout; each is dropped, or else doubled.
    X = torch.zeros(2, 1, 243, 243)
    net = student.NiN(num_classes=CLASSES)
    student.run(show_dropped, net, X)
    found = student.run(output_of, net, X, False)
    assert_same(found, torch.ones(2, CLASSES), what="what reaches the last block in evaluation")
    found = student.run(output_of, net, X, True)
    if (found == 1).all():
        raise Mismatch("Nothing is dropped in training mode.")
    if ((found == 0) | (found == 2)).all():
        raise Mismatch(
            "Whole channels are dropped, or kept. Each number has a draw of its own.",
        )
    kept = (found * 18).round()  # how many of the 36 numbers
    if not torch.allclose(found, kept / 18, atol=1e-4):
        raise Mismatch("Numbers of 1 are not doubled where dropout at 0.5 keeps them.")
    assert_rate(int(kept.sum()), 36 * kept.numel(), 0.5, "Numbers kept in front of the last block")


def wake(net):
    """Let every logit be above the last ReLU's zero; runs beside the learner's code."""
    for parameter in net.parameters():
        if parameter.shape == (10,):
            parameter.data.fill_(2.0)


@pytest.mark.training
@pytest.mark.timeout(120)
def test_NiN_digits(student):
    """learns a few handwritten digits in a few steps"""
    case = Case((4, 1, 67, 67))
    nin.learns(case, few_digits, start=wake)(student)
