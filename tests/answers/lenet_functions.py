# expect: init_cnn=passed, LeNet=passed, evaluate_accuracy_gpu=passed, train_classifier=passed; loses:
"""Functions instead of layers, the last layer defined first, and descent by hand."""

import math

import torch
import torch.nn.functional as F


@torch.no_grad()
def init_cnn(module):
    if type(module) is torch.nn.Linear:
        fans = module.in_features + module.out_features
    elif type(module) is torch.nn.Conv2d:
        area = module.kernel_size[0] * module.kernel_size[1]
        fans = area * (module.in_channels + module.out_channels)
    else:
        return
    module.weight.uniform_(-1, 1).mul_(math.sqrt(6 / fans))


def layer(*shape):
    weight = torch.nn.Parameter(0.1 * torch.randn(shape))
    return weight, torch.nn.Parameter(torch.zeros(shape[0]))


class LeNet(torch.nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.w5, self.b5 = layer(num_classes, 84)
        self.w4, self.b4 = layer(84, 120)
        self.w3, self.b3 = layer(120, 400)
        self.w2, self.b2 = layer(16, 6, 5, 5)
        self.w1, self.b1 = layer(6, 1, 5, 5)

    def forward(self, X):
        H = torch.sigmoid(F.conv2d(F.pad(X, (2, 2, 2, 2)), self.w1, self.b1))
        H = H.reshape(-1, 6, 14, 2, 14, 2).mean((3, 5))
        H = torch.sigmoid(F.conv2d(H, self.w2, self.b2))
        H = H.reshape(-1, 16, 5, 2, 5, 2).mean((3, 5)).flatten(1)
        H = torch.sigmoid(H @ self.w3.T + self.b3)
        H = torch.sigmoid(H @ self.w4.T + self.b4)
        return H @ self.w5.T + self.b5


@torch.inference_mode()
def evaluate_accuracy_gpu(net, data_iter, device=None):
    before = net.training
    try:
        net.train(False)
        if device is None:
            device = list(net.parameters())[-1].device
        pairs = [(net(X.to(device)).max(1).indices, y.to(device)) for X, y in data_iter]
    finally:
        net.train(before)
    if not any(len(y) for _, y in pairs):
        raise ValueError("nothing to evaluate on")
    guesses, labels = (torch.cat(column) for column in zip(*pairs))
    return (guesses == labels).double().mean().item()


def train_classifier(net, train_iter, test_iter, num_epochs, lr, device):
    net = net.to(device)
    for module in net.modules():
        init_cnn(module)
    curve = []
    while len(curve) < num_epochs:
        net.train()
        loss_sum = hits = n = 0
        for X, y in train_iter:
            X, y = X.to(device), y.to(device)
            scores = net(X).log_softmax(1)
            loss = -scores.gather(1, y[:, None]).sum()
            parameters = tuple(net.parameters())
            gradients = torch.autograd.grad(loss / len(y), parameters)
            with torch.no_grad():
                for p, g in zip(parameters, gradients):
                    p.sub_(g, alpha=lr)
            loss_sum += loss.item()
            hits += int((scores.argmax(1) == y).sum())
            n += len(y)
        curve.append((loss_sum / n, hits / n, evaluate_accuracy_gpu(net, test_iter, device)))
    return curve
