# expect: corr2d=passed, Conv2D=passed, vertical_edge_kernel=passed, learn_kernel=passed
"""All windows at once, a bias registered first, and PyTorch's own optimizer."""

import torch


def corr2d(X, K):
    (kh, kw), (h, w) = K.shape, X.shape
    if h < kh or w < kw:
        raise ValueError("kernel too large")
    windows = X.unfold(0, kh, 1).unfold(1, kw, 1)
    return torch.einsum("ijab,ab->ij", windows, K)


class Conv2D(torch.nn.Module):
    def __init__(self, kernel_size):
        super().__init__()
        self.bias = torch.nn.Parameter(torch.zeros(()))
        self.weight = torch.nn.Parameter(torch.empty(kernel_size))
        torch.nn.init.normal_(self.weight, std=0.1)

    def forward(self, x):
        return self.bias + corr2d(x, self.weight)


def vertical_edge_kernel():
    return -torch.diff(torch.eye(2), dim=0)[:1]


def learn_kernel(X, Y, kernel_size, lr, num_steps):
    kernel = torch.nn.Parameter(torch.randn(kernel_size, dtype=X.dtype, device=X.device))
    optimizer = torch.optim.SGD([kernel], lr=lr)
    for _ in range(num_steps):
        output = corr2d(X, kernel)
        if output.shape != Y.shape:
            raise ValueError("Y does not belong to X")
        loss = torch.nn.functional.mse_loss(output, Y, reduction="sum")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return kernel.data
