"""Chapter 7: what stands in for a predecessor that fails, built from PyTorch; public."""

import torch
from torch import nn
from torch.nn import functional as F


def corr2d_multi_in(X, K):
    if len(X) != len(K):
        raise ValueError("X and K need the same number of channels")
    return torch.conv2d(X[None], K[None])[0, 0]


def corr2d(X, K):
    """Cross-correlation on all windows at once; no conv2d, so that it keeps the Rules of others."""
    kh, kw = K.shape
    if kh > X.shape[0] or kw > X.shape[1]:
        raise ValueError(f"kernel {tuple(K.shape)} does not fit in image {tuple(X.shape)}")
    return (X.unfold(0, kh, 1).unfold(1, kw, 1) * K).sum((2, 3))


class Conv2D(nn.Module):
    """A convolutional layer with one channel in, one out, and a bias."""

    def __init__(self, kernel_size):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(kernel_size))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        """x: (h, w); returns (h - kh + 1, w - kw + 1)."""
        return corr2d(x, self.weight) + self.bias


def init_cnn(module):
    """Xavier-uniform weights for linear and convolutional layers."""
    if type(module) in (nn.Linear, nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)


class LeNet(nn.Sequential):
    """The layers of LeNet-5, from an image (n, 1, 28, 28) to logits (n, num_classes)."""

    def __init__(self, num_classes=10):
        features = (nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2))
        features += (nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten())
        hidden = (nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid())
        super().__init__(*features, *hidden, nn.Linear(84, num_classes))


def evaluate_accuracy_gpu(net, data_iter, device=None):
    """Share of right predictions; the net is asked in eval mode and put back."""
    device = next(net.parameters()).device if device is None else device
    training = net.training
    net.eval()
    with torch.no_grad():
        hits = [net(X.to(device)).argmax(dim=1).eq(y.to(device)) for X, y in data_iter]
    net.train(training)
    if not sum(map(len, hits)):
        raise ValueError("no examples")
    return torch.cat(hits).double().mean().item()


def train_classifier(net, train_iter, test_iter, num_epochs, lr, device):
    """Plain SGD on the cross-entropy; (train loss, train accuracy, test accuracy) an epoch."""
    net.apply(init_cnn).to(device)
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    curve = []
    for _ in range(num_epochs):
        net.train()
        losses, hits = [], []
        for X, y in train_iter:
            logits, y = net(X.to(device)), y.to(device)
            each = F.cross_entropy(logits, y, reduction="none")
            optimizer.zero_grad()
            each.mean().backward()
            optimizer.step()
            losses.append(each.detach().double())
            hits.append(logits.argmax(dim=1).eq(y).double())
        train_loss, train_acc = (torch.cat(values).mean().item() for values in (losses, hits))
        curve.append((train_loss, train_acc, evaluate_accuracy_gpu(net, test_iter, device)))
    return curve


def conv_output_shape(n, k, p, s):
    """How many places the kernel takes along one axis, counted."""
    if s < 1 or k > n + p:
        raise ValueError("the kernel does not fit, or the stride is less than 1")
    return len(range(0, n + p - k + 1, s))


def pool2d(X, pool_size, mode="max"):
    if mode not in ("max", "avg"):
        raise ValueError("mode is 'max' or 'avg'")
    if pool_size[0] > X.shape[0] or pool_size[1] > X.shape[1]:
        raise ValueError("the window is larger than the image")
    pool = torch.nn.functional.max_pool2d if mode == "max" else torch.nn.functional.avg_pool2d
    return pool(X[None, None], tuple(pool_size), stride=1)[0, 0]
