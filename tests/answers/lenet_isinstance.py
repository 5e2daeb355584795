# expect: init_cnn=passed, LeNet=passed, evaluate_accuracy_gpu=passed, train_classifier=passed; loses: ch07/init_cnn/lazy, ch07/evaluate_accuracy_gpu/plain, ch07/evaluate_accuracy_gpu/device, ch07/train_classifier/plain, ch07/train_classifier/device
"""Layers as attributes, isinstance in the initialisation, tensors for numbers, the CPU alone."""

import torch
from torch import nn


def init_cnn(module):
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        nn.init.xavier_uniform_(module.weight)


class LeNet(nn.Module):
    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, (5, 5), padding="same")
        self.conv2 = nn.Conv2d(6, 16, (5, 5))
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, num_classes)
        self.act = nn.Sigmoid()
        self.pool = nn.AvgPool2d(2, stride=2)

    def forward(self, x):
        x = self.pool(self.act(self.conv1(x)))
        x = self.pool(self.act(self.conv2(x)))
        x = torch.flatten(x, start_dim=1)
        x = self.act(self.fc1(x))
        x = self.act(self.fc2(x))
        return self.fc3(x)


def evaluate_accuracy_gpu(net, data_iter, device=None):
    was = net.training
    net.eval()
    correct, total = torch.tensor(0.0), 0
    with torch.no_grad():
        for X, y in data_iter:
            correct += (net(X).argmax(-1) == y).float().sum()
            total += y.numel()
    net.train(was)
    if not total:
        raise ValueError("data_iter is empty")
    return correct / total


def train_classifier(net, train_iter, test_iter, num_epochs, lr, device):
    net.apply(init_cnn)
    criterion = nn.CrossEntropyLoss()
    history = []
    for _ in range(num_epochs):
        net.train()
        optimizer = torch.optim.SGD(net.parameters(), lr)
        loss_sum, correct, total = torch.zeros(()), torch.zeros(()), 0
        for X, y in train_iter:
            out = net(X)
            loss = criterion(out, y)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            loss_sum += loss.detach() * len(X)
            correct += (out.argmax(-1) == y).sum()
            total += len(X)
        history.append([loss_sum / total, correct / total, evaluate_accuracy_gpu(net, test_iter)])
    return history
