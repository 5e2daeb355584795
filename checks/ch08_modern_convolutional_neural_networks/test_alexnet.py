"""Hidden checks of section 8.1: AlexNet."""

import pytest
from torch import nn

from d2lgrade.datasets import few_digits
from d2lgrade.testkit import Case, Network


def torch_alexnet(num_classes=10):
    """PyTorch's own layers, one after the other."""
    return nn.Sequential(
        *(nn.Conv2d(1, 96, 11, stride=4, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(96, 256, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(256, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Flatten(), nn.Linear(6400, 4096), nn.ReLU(), nn.Dropout(0.5)),
        *(nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5)),
        nn.Linear(4096, num_classes),
    )


ONE = Case((1, 1, 224, 224))
alexnet = Network("AlexNet", torch_alexnet, [ONE])

test_AlexNet_parameters = alexnet.parameters()
test_AlexNet_values = alexnet.values()
test_AlexNet_classes = alexnet.parameters(Case((1, 1, 224, 224), {"num_classes": 3}))
test_AlexNet_dropout = alexnet.hidden_dropout(ONE)
test_AlexNet_gradient = alexnet.gradient()
test_AlexNet_arguments = alexnet.keeps_arguments()
test_AlexNet_empty = alexnet.empty_batch()
test_AlexNet_device = alexnet.other_device()
test_AlexNet_shapes = alexnet.stages(
    ONE,
    [
        *((96, 54, 54), (96, 26, 26), (256, 26, 26), (256, 12, 12), (384, 12, 12)),
        *((256, 12, 12), (6400,), (4096,), (10,)),
    ],
)


@pytest.mark.training
@pytest.mark.timeout(120)
def test_AlexNet_digits(student):
    """learns a few handwritten digits in a few steps"""
    case = Case((2, 1, 224, 224))
    alexnet.learns(case, few_digits)(student)
