"""Section 7.6: Convolutional neural networks (LeNet).

A whole network, the weights it starts from, how well it reads digits, and how it learns to.
"""

import torch
from torch import nn
from torch.nn import functional as F


def init_cnn(module):
    """Give one layer of a network the weights to start from.

    Meant for `net.apply(init_cnn)`, which calls it with every module of a net. If the module is an
    nn.Linear or an nn.Conv2d, its weight is filled in place with draws of the Xavier uniform
    distribution. Its bias stays as it is, and every other module is left alone: other kinds of
    layers, layers without a weight, containers.

    Args:
        module: an nn.Module. The weight of an nn.Linear or nn.Conv2d is modified. A lazy layer that
            has not seen an input yet has no weight to fill: it is left alone too.

    Returns:
        None.

    Formula:
        weight ~ U(-a, a),  a = sqrt(6 / (fan_in + fan_out))
        nn.Linear: fan_in and fan_out are its numbers of input and output features
        nn.Conv2d: they are its input and output channels, each times kernel height times width

    Example:
        >>> layer = nn.Linear(3, 3)
        >>> init_cnn(layer)
        >>> bool((layer.weight.abs() <= 1).all())
        True

    Book: 7.6.1
    """
    raise NotImplementedError("init_cnn")


class LeNet(nn.Module):
    """LeNet-5 as the book has it: sigmoids, average pooling, and a linear layer at the end.

    Args:
        num_classes: int, how many classes to tell apart; 10 unless given.

    Returns:
        Called with a float tensor X of shape (n, 1, 28, 28), not modified: a float tensor
        (n, num_classes) of logits. Gradients flow from it back to X and to every parameter.

    Formula:
        In this order, with the shape that each step leaves:

        convolution, kernel 5, padding 2, sigmoid     (n, 6, 28, 28)
        average pooling, window 2, stride 2           (n, 6, 14, 14)
        convolution, kernel 5, sigmoid                (n, 16, 10, 10)
        average pooling, window 2, stride 2           (n, 16, 5, 5)
        flatten                                       (n, 400)
        linear, sigmoid                               (n, 120)
        linear, sigmoid                               (n, 84)
        linear, nothing after it                      (n, num_classes)

        Convolutions and linear layers have a bias: 61,706 parameters for 10 classes. Layers whose
        sizes show with the first input only (lazy ones) are welcome.

    Example:
        >>> net = LeNet()
        >>> net(torch.zeros(2, 1, 28, 28)).shape
        torch.Size([2, 10])
        >>> sum(parameter.numel() for parameter in net.parameters())
        61706

    Book: 7.6.1
    """

    def __init__(self, num_classes=10):
        super().__init__()
        raise NotImplementedError("LeNet.__init__")

    def forward(self, X):
        raise NotImplementedError("LeNet.forward")


def evaluate_accuracy_gpu(net, data_iter, device=None):
    """The share of examples that a network classifies rightly.

    The class predicted is the one with the largest logit. Every example counts alike, also those
    of a last batch that is smaller than the others.

    The net is asked in eval mode (so that dropout, say, is off), and is afterwards in the mode it
    was in before. No graph is built: it is asked under torch.no_grad().

    Args:
        net: an nn.Module with parameters: a batch X gives logits (n, k). Its parameters are not
            modified.
        data_iter: iterable of batches (X, y), a list of them or a DataLoader for instance. X: float
            tensor (n, ...). y: int64 tensor (n,), the right classes. Not modified.
        device: torch.device to which each batch is moved before the net sees it. None: the device
            on which the net's parameters are.

    Returns:
        float, from 0 to 1: the number of right predictions, divided by the number of examples.

    Raises:
        ValueError: data_iter has no examples.

    Example:
        >>> net = nn.Sequential(nn.Flatten(), nn.Linear(2, 2, bias=False))
        >>> _ = net[1].weight.data.copy_(torch.eye(2))
        >>> X = torch.tensor([[3.0, 1.0], [0.0, 2.0]])
        >>> evaluate_accuracy_gpu(net, [(X, torch.tensor([0, 1])), (X[:1], torch.tensor([1]))])
        0.6666666666666666

    Book: 7.6.2
    """
    raise NotImplementedError("evaluate_accuracy_gpu")


def train_classifier(net, train_iter, test_iter, num_epochs, lr, device):
    """Train a network to classify, and note how it gets on.

    Once, before the first epoch, the net gets its weights to start from, by `init_cnn`, and moves
    to `device`. An epoch then goes through train_iter once, in train mode. Each batch is moved to
    `device` and gives one step of plain stochastic gradient descent on the cross-entropy of the
    net's logits, averaged over the batch; gradients do not pile up from step to step. After the
    epoch the accuracy on test_iter is found as by `evaluate_accuracy_gpu`: in eval mode.

    Args:
        net: an nn.Module that turns a batch X into logits (n, k). Its parameters are modified. Lazy
            layers in it, if any, have seen an input.
        train_iter: the batches (X, y) to learn from, in the form that `evaluate_accuracy_gpu`
            takes; it has a length and can be gone through again for each epoch. Not modified.
        test_iter: batches (X, y) to test on, of the same form. Not modified.
        num_epochs: int, how many times to go through train_iter.
        lr: float, the learning rate.
        device: torch.device to compute on.

    Returns:
        list with one tuple (train_loss, train_acc, test_acc) of floats for each epoch. train_loss
        and train_acc are the mean loss and the share of right predictions over the examples of the
        epoch, each counting alike, from the very logits that the steps were computed from. test_acc
        is the accuracy on test_iter after the epoch.

    Formula:
        in each step:  w <- w - lr * (gradient of the batch's mean cross-entropy by w)

    Example:
        >>> net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
        >>> batches = [(torch.eye(4), torch.tensor([0, 1, 0, 1]))] * 5
        >>> curve = train_classifier(net, batches, batches, 3, 5.0, torch.device("cpu"))
        >>> [test_acc for train_loss, train_acc, test_acc in curve]
        [1.0, 1.0, 1.0]

    Book: 7.6.2
    """
    raise NotImplementedError("train_classifier")
