"""Wrong answers that people give in section 6.1, and what went wrong in them."""

import torch
from torch import nn

from d2lgrade.testkit import misconception

# --- MySequential ---------------------------------------------------------------------------


class _Chain(nn.Module):
    """A right chain, to be made wrong in one place."""

    def __init__(self, *args):
        super().__init__()
        self.chain = nn.ModuleList(args)

    def forward(self, X):
        for module in self.chain:
            X = module(X)
        return X


@misconception(
    "MySequential",
    "plain-list",
    book="6.1.2",
    why="The modules are in a plain Python list, of which nn.Module knows nothing: no parameters, "
    "no state. Use nn.ModuleList or add_module.",
)
class MySequential_list(nn.Module):
    def __init__(self, *args):
        super().__init__()
        self.chain = list(args)

    def forward(self, X):
        for module in self.chain:
            X = module(X)
        return X


@misconception(
    "MySequential",
    "input-to-each",
    book="6.1.2",
    why="Every module gets the chain's own input, and the last result is returned. Hand on what "
    "the module before it made.",
)
class MySequential_forked(_Chain):
    def forward(self, X):
        Y = X
        for module in self.chain:
            Y = module(X)
        return Y


@misconception(
    "MySequential",
    "returns-too-soon",
    book="6.1.2",
    why="`return` stands inside the loop, so that only the first module is applied.",
)
class MySequential_first(_Chain):
    def forward(self, X):
        for module in self.chain:
            return module(X)
        return X


@misconception(
    "MySequential",
    "backwards",
    book="6.1.2",
    why="The modules are applied in the opposite order.",
)
class MySequential_backwards(_Chain):
    def forward(self, X):
        for module in reversed(self.chain):
            X = module(X)
        return X


@misconception(
    "MySequential",
    "sorted-by-name",
    book="6.1.2",
    why="The modules are applied in alphabetic order of their names, where '10' comes before '2'.",
)
class MySequential_sorted(_Chain):
    def forward(self, X):
        for _, module in sorted(self.chain._modules.items()):
            X = module(X)
        return X


@misconception(
    "MySequential",
    "each-module-once",
    book="6.1.2",
    why="children() names every module once, so one that stands in the chain twice is applied "
    "once. Go through an nn.ModuleList, or through self._modules.values().",
    fails=("repeated",),
    signature=lambda calls: True,
)
class MySequential_children(_Chain):
    def forward(self, X):
        for module in self.chain.children():
            X = module(X)
        return X


@misconception(
    "MySequential",
    "graph-cut",
    book="6.1.2",
    why="The chain is gone through without a graph (torch.no_grad() or .detach()), so that nothing "
    "can be learned.",
)
class MySequential_cut(_Chain):
    def forward(self, X):
        for module in self.chain:
            X = module(X.detach())
        return X


# --- FixedHiddenMLP -------------------------------------------------------------------------


class _Fixed(nn.Module):
    """A right network, to be made wrong in one place."""

    def __init__(self):
        super().__init__()
        self.register_buffer("rand_weight", torch.rand(20, 20))
        self.linear = nn.Linear(20, 20)

    def bent(self, X):
        return torch.relu(X @ self.rand_weight + 1)

    def more(self, X):
        return X.abs().sum() > 1

    def forward(self, X):
        X = self.linear(self.bent(self.linear(X)))
        while self.more(X):
            X = X / 2
        return X.sum()


@misconception(
    "FixedHiddenMLP",
    "constant-as-parameter",
    book="6.1.3",
    why="The constant is an nn.Parameter, so that an optimizer finds it among parameters(), even "
    "with requires_grad=False. Register it as a buffer.",
)
class FixedHiddenMLP_parameter(_Fixed):
    def __init__(self):
        super().__init__()
        del self.rand_weight
        self.rand_weight = nn.Parameter(torch.rand(20, 20))


@misconception(
    "FixedHiddenMLP",
    "constant-drawn-anew",
    book="6.1.3",
    why="The constant is drawn anew in every call. Draw it once, in the constructor.",
    fails=("constant",),
    signature=lambda calls: not torch.equal(calls[-1].result[0], calls[-1].result[1]),
)
class FixedHiddenMLP_anew(_Fixed):
    def bent(self, X):
        constant = self.rand_weight
        result = torch.relu(X @ constant.clone() + 1)
        with torch.no_grad():
            constant.copy_(torch.rand_like(constant))
        return result


@misconception(
    "FixedHiddenMLP",
    "two-layers",
    book="6.1.3",
    why="There are two linear layers. Make one, and call it twice: then its weights are shared.",
)
class FixedHiddenMLP_two(_Fixed):
    def __init__(self):
        super().__init__()
        self.other = nn.Linear(20, 20)

    def forward(self, X):
        X = self.other(self.bent(self.linear(X)))
        while self.more(X):
            X = X / 2
        return X.sum()


@misconception(
    "FixedHiddenMLP",
    "no-loop",
    book="6.1.3",
    why="The result is not halved: the loop is missing.",
)
class FixedHiddenMLP_unhalved(_Fixed):
    def more(self, X):
        return False


@misconception(
    "FixedHiddenMLP",
    "if-for-while",
    book="6.1.3",
    why="The result is halved at most once: an `if` stands where a `while` belongs.",
)
class FixedHiddenMLP_once(_Fixed):
    def forward(self, X):
        X = self.linear(self.bent(self.linear(X)))
        return (X / 2 if self.more(X) else X).sum()


@misconception(
    "FixedHiddenMLP",
    "sum-without-abs",
    book="6.1.3",
    why="The loop looks at the sum of the entries. It is the sum of their absolute values.",
)
class FixedHiddenMLP_signed(_Fixed):
    def more(self, X):
        return X.sum() > 1


@misconception(
    "FixedHiddenMLP",
    "one-forgotten",
    book="6.1.3",
    why="The 1 is not added before the relu.",
)
class FixedHiddenMLP_zero(_Fixed):
    def bent(self, X):
        return torch.relu(X @ self.rand_weight)


@misconception(
    "FixedHiddenMLP",
    "relu-forgotten",
    book="6.1.3",
    why="There is no relu behind the constant.",
)
class FixedHiddenMLP_straight(_Fixed):
    def bent(self, X):
        return X @ self.rand_weight + 1


@misconception(
    "FixedHiddenMLP",
    "plain-tensor",
    book="6.1.3",
    why="The constant is a plain attribute, as in the book. So it is not saved with the network, "
    "and .to() leaves it behind on the CPU. Register it as a buffer.",
)
class FixedHiddenMLP_plain(_Fixed):
    def __init__(self):
        super().__init__()
        del self.rand_weight
        self.rand_weight = torch.rand(20, 20)
