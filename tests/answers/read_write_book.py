# expect: save_checkpoint=failed, load_checkpoint=passed; loses: ch06/save_checkpoint/interrupted, ch06/save_checkpoint/replaced, ch06/load_checkpoint/anywhere
"""In the manner of the book's section: torch.save straight to the file, which can lose it."""

import torch


def save_checkpoint(path, net, optimizer):
    torch.save({'net': net.state_dict(), 'optimizer': optimizer.state_dict()}, path)


def load_checkpoint(path, net, optimizer):
    checkpoint = torch.load(path)
    net.load_state_dict(checkpoint['net'])
    optimizer.load_state_dict(checkpoint['optimizer'])
