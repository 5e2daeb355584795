"""Wrong answers to section 11.6 that people really give."""

import torch
from torch import nn

from d2lgrade.testkit import misconception


class Encoding(nn.Module):
    """A right answer in steps; each answer below goes wrong in one of them."""

    def __init__(self, num_hiddens, dropout, max_len=1000):
        super().__init__()
        self.p, self.max_len = dropout, max_len
        self.register_buffer("P", self.table(max_len, num_hiddens))

    def exponents(self, h):
        return torch.arange(0, h, 2) / h

    def positions(self, n):
        return torch.arange(n, dtype=torch.float32)

    def table(self, n, h):
        angles = self.positions(n)[:, None] / 10000 ** self.exponents(h)
        P = torch.zeros(n, h)
        P[:, 0::2] = angles.sin()
        P[:, 1::2] = angles.cos()[:, : h // 2]
        return P

    def drop(self, X):
        return nn.functional.dropout(X, self.p, self.training)

    def forward(self, X):
        if X.shape[1] > self.max_len:
            raise ValueError("longer than max_len")
        return self.drop(X + self.P[: X.shape[1]])


@misconception(
    "PositionalEncoding",
    "halves",
    why="Your sines fill the first half of the columns and your cosines the second. They come in "
    "turns: a sine, a cosine, a sine, …",
    book="11.6.3",
)
class PositionalEncodingHalves(Encoding):
    def table(self, n, h):
        P = super().table(n, h)
        return torch.cat((P[:, 0::2], P[:, 1::2]), dim=1)


@misconception(
    "PositionalEncoding",
    "cosine-first",
    why="Your even columns are cosines. They are sines, and the odd ones are cosines.",
    book="11.6.3",
)
class PositionalEncodingSwapped(Encoding):
    def table(self, n, h):
        angles = self.positions(n)[:, None] / 10000 ** self.exponents(h)
        return torch.stack((angles.cos(), angles.sin()), dim=2).flatten(1)[:, :h]


@misconception(
    "PositionalEncoding",
    "frequency-halved",
    why="You take the exponent j / num_hiddens for the pair of columns 2j and 2j + 1. It is "
    "2j / num_hiddens.",
    book="11.6.3",
)
class PositionalEncodingHalved(Encoding):
    def exponents(self, h):
        return super().exponents(h) / 2


@misconception(
    "PositionalEncoding",
    "frequency-of-each-column",
    why="Each of your columns has a frequency of its own. A sine and the cosine after it share "
    "one.",
    book="11.6.3",
)
class PositionalEncodingEachColumn(Encoding):
    def table(self, n, h):
        angles = self.positions(n)[:, None] / 10000 ** (torch.arange(h) / h)
        P = angles.sin()
        P[:, 1::2] = angles[:, 1::2].cos()
        return P


@misconception(
    "PositionalEncoding",
    "positions-from-one",
    why="Your first position is number 1. Positions count from 0.",
    book="11.6.3",
)
class PositionalEncodingFromOne(Encoding):
    def positions(self, n):
        return super().positions(n) + 1


@misconception(
    "PositionalEncoding",
    "positions-and-columns-swapped",
    why="Row and column are swapped: the sines run along the columns. Each row is a position, each "
    "column a frequency.",
    book="11.6.3",
)
class PositionalEncodingTransposed(Encoding):
    def table(self, n, h):
        return super().table(max(n, h), max(n, h)).T[:n, :h]


@misconception(
    "PositionalEncoding",
    "no-odd-widths",
    why="For an odd width the cosines have a column less than the sines, and yours do not fit. "
    "The book's code leaves this case open; take as many cosines as there are columns.",
    book="11.6.3",
)
class PositionalEncodingEvenOnly(Encoding):
    def table(self, n, h):
        angles = self.positions(n)[:, None] / 10000 ** self.exponents(h)
        P = torch.zeros(n, h)
        P[:, 0::2] = angles.sin()
        P[:, 1::2] = angles.cos()
        return P


@misconception(
    "PositionalEncoding",
    "learned",
    why="The pattern is an nn.Parameter, so that training would change it. Keep it as a buffer "
    "(register_buffer), or as a plain attribute.",
    book="11.6.3",
)
class PositionalEncodingLearned(Encoding):
    def __init__(self, num_hiddens, dropout, max_len=1000):
        super().__init__(num_hiddens, dropout, max_len)
        table = self.P
        del self.P
        self.P = nn.Parameter(table)


@misconception(
    "PositionalEncoding",
    "argument-changed",
    why="X += … writes the sum into the tensor of your caller. X + … makes a new one.",
    book="11.6.3",
)
class PositionalEncodingInPlace(Encoding):
    def forward(self, X):
        if X.shape[1] > self.max_len:
            raise ValueError("longer than max_len")
        with torch.no_grad():
            X += self.P[: X.shape[1]]
        return self.drop(1 * X)


@misconception(
    "PositionalEncoding",
    "dropout-forgotten",
    why="Nothing is dropped in training: apply nn.Dropout(dropout) to the sum.",
    book="11.6.3",
)
class PositionalEncodingNoDropout(Encoding):
    def drop(self, X):
        return X


def only_pattern_dropped(calls):
    """Whether nothing in the result of a training call is exactly zero, though it is random."""
    result = calls[-1].result
    return result.shape == (40, 10, 8) and not bool((result == 0).any())


@misconception(
    "PositionalEncoding",
    "only-pattern-dropped",
    why="You drop entries of the pattern before you add it. Dropout belongs to the sum.",
    book="11.6.3",
    fails=("dropout",),
    signature=only_pattern_dropped,
)
class PositionalEncodingDropsPattern(Encoding):
    def forward(self, X):
        if X.shape[1] > self.max_len:
            raise ValueError("longer than max_len")
        return X + self.drop(self.P[: X.shape[1]].expand_as(X))
