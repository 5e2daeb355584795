"""Wrong answers that people give in section 7.6, and what went wrong in them."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from d2lgrade.testkit import misconception

# --- init_cnn -------------------------------------------------------------------------------


def _xavier(module):
    if type(module) in (nn.Linear, nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)


def _drawn(calls):
    """The weight drawn last, its fans, and its mean square beside that of the Xavier draw."""
    weight = calls[-1].args[0].weight.detach()
    fan_in, fan_out = weight[0].numel(), weight[:, 0].numel()
    return weight, fan_in, fan_out, float((weight**2).mean()) * (fan_in + fan_out) / 2


def _is_normal(calls):
    weight, fan_in, fan_out, ratio = _drawn(calls)
    beyond = float(weight.abs().max()) > 1.2 * math.sqrt(6 / (fan_in + fan_out))
    return beyond and abs(ratio - 1) < 0.1


def _is_kaiming(calls):
    _, fan_in, fan_out, ratio = _drawn(calls)
    return abs(ratio / ((fan_in + fan_out) / fan_in) - 1) < 0.1


def _is_without_area(calls):
    weight, *_, ratio = _drawn(calls)
    return abs(ratio / weight[0, 0].numel() - 1) < 0.1


@misconception(
    "init_cnn",
    "lazy-layers-too",
    book="7.6.1",
    why="A lazy layer that has seen no input is initialised like any other, but has no weight yet. "
    "isinstance says yes to lazy layers too: compare type(module) instead.",
)
def init_cnn_isinstance(module):
    if isinstance(module, nn.Linear | nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)


@misconception(
    "init_cnn",
    "always-true",
    book="7.6.1",
    why="`type(module) == nn.Linear or nn.Conv2d` is always true: nn.Conv2d alone counts so. "
    "So every module is initialised, even one without a weight.",
)
def init_cnn_always(module):
    if type(module) == nn.Linear or nn.Conv2d:  # noqa: E721
        nn.init.xavier_uniform_(module.weight)


@misconception(
    "init_cnn",
    "every-weight",
    book="7.6.1",
    why="Whatever has a weight with two axes or more is initialised, embeddings for instance. Only "
    "nn.Linear and nn.Conv2d are meant.",
)
def init_cnn_every_weight(module):
    weight = getattr(module, "weight", None)
    if weight is not None and weight.dim() > 1:
        nn.init.xavier_uniform_(weight)


@misconception(
    "init_cnn",
    "linear-only",
    book="7.6.1",
    why="Linear layers are initialised, convolutions are not.",
)
def init_cnn_linear_only(module):
    if type(module) is nn.Linear:
        nn.init.xavier_uniform_(module.weight)


@misconception(
    "init_cnn",
    "biases-zeroed",
    book="7.6.1",
    why="The biases are set to zero. The contract leaves them as they are.",
)
def init_cnn_biases(module):
    _xavier(module)
    if type(module) in (nn.Linear, nn.Conv2d) and module.bias is not None:
        nn.init.zeros_(module.bias)


@misconception(
    "init_cnn",
    "xavier-normal",
    book="7.6.1",
    why="The variance is right, but the draws are normal. Uniform ones never leave their bound.",
    fails=("linear", "convolution", "net"),
    signature=_is_normal,
)
def init_cnn_normal(module):
    if type(module) in (nn.Linear, nn.Conv2d):
        nn.init.xavier_normal_(module.weight)


@misconception(
    "init_cnn",
    "kaiming",
    book="7.6.1",
    why="This is Kaiming's initialisation, made for ReLU: it goes by fan_in alone. Xavier's takes "
    "fan_in + fan_out.",
    fails=("linear", "convolution"),
    signature=_is_kaiming,
)
def init_cnn_kaiming(module):
    if type(module) in (nn.Linear, nn.Conv2d):
        nn.init.kaiming_uniform_(module.weight)


@misconception(
    "init_cnn",
    "kernel-not-counted",
    book="7.6.1",
    why="For a convolution the fans are the channels alone. Each output also sums over the kernel, "
    "so both are to be multiplied with its height and width.",
    fails=("convolution",),
    signature=_is_without_area,
)
def init_cnn_channels(module):
    if type(module) in (nn.Linear, nn.Conv2d):
        a = math.sqrt(6 / sum(module.weight.shape[:2]))
        nn.init.uniform_(module.weight, -a, a)


# --- LeNet ----------------------------------------------------------------------------------


class _Net(nn.Sequential):
    """The layers of LeNet with one thing changed."""

    def __init__(
        self, num_classes, *, squash=nn.Sigmoid, pool=nn.AvgPool2d, between=nn.Sigmoid, after=()
    ):
        super().__init__(
            *(nn.Conv2d(1, 6, 5, padding=2), squash(), pool(2)),
            *(nn.Conv2d(6, 16, 5), squash(), pool(2), nn.Flatten()),
            *(nn.Linear(400, 120), between(), nn.Linear(120, 84), between()),
            *(nn.Linear(84, num_classes), *after),
        )


@misconception(
    "LeNet",
    "max-pooling",
    book="7.6.1",
    why="The pooling layers take the maximum. LeNet averages.",
)
class LeNet_max(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, pool=nn.MaxPool2d)


@misconception(
    "LeNet",
    "relu",
    book="7.6.1",
    why="The activations are ReLUs, which came into use later. LeNet has sigmoids.",
)
class LeNet_relu(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, squash=nn.ReLU, between=nn.ReLU)


@misconception(
    "LeNet",
    "tanh",
    book="7.6.1",
    why="The activations are tanh, as in the paper of 1998. The book's LeNet has sigmoids.",
)
class LeNet_tanh(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, squash=nn.Tanh, between=nn.Tanh)


@misconception(
    "LeNet",
    "softmax-at-the-end",
    book="7.6.1",
    why="A softmax follows the last layer. The net gives logits; the loss takes care of the rest.",
)
class LeNet_softmax(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, after=[nn.Softmax(dim=1)])


@misconception(
    "LeNet",
    "linear-after-linear",
    book="7.6.1",
    why="There is no activation between the linear layers, so that the three do no more than one.",
)
class LeNet_linear(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, between=nn.Identity)


@misconception(
    "LeNet",
    "pooled-before-the-sigmoid",
    book="7.6.1",
    why="Pooling comes before the sigmoid. A sigmoid of an average is not the average of sigmoids: "
    "the activation follows the convolution at once.",
)
class LeNet_pooled_first(nn.Sequential):
    def __init__(self, num_classes=10):
        super().__init__(
            *(nn.Conv2d(1, 6, 5, padding=2), nn.AvgPool2d(2), nn.Sigmoid()),
            *(nn.Conv2d(6, 16, 5), nn.AvgPool2d(2), nn.Sigmoid(), nn.Flatten()),
            *(nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid()),
            nn.Linear(84, num_classes),
        )


@misconception(
    "LeNet",
    "no-padding",
    book="7.6.1",
    why="The first convolution has no padding, so 28 pixels become 24 and the first linear layer "
    "sees 256 numbers. With padding 2 it sees 400.",
)
class LeNet_unpadded(nn.Sequential):
    def __init__(self, num_classes=10):
        super().__init__(
            *(nn.Conv2d(1, 6, 5), nn.Sigmoid(), nn.AvgPool2d(2)),
            *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten()),
            *(nn.Linear(256, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid()),
            nn.Linear(84, num_classes),
        )


@misconception(
    "LeNet",
    "always-ten-classes",
    book="7.6.1",
    why="The last layer gives 10 logits whatever num_classes says.",
)
class LeNet_ten(_Net):
    def __init__(self, num_classes=10):
        super().__init__(10)


# --- evaluate_accuracy_gpu ------------------------------------------------------------------


def _hits(net, data_iter, device, axis=1):
    """For each batch which predictions are right, and the batch's size."""
    device = next(net.parameters()).device if device is None else device
    hits = []
    for X, y in data_iter:
        X, y = X.to(device), y.to(device)
        hits.append((net(X).argmax(dim=axis) == y, len(y)))
    if not sum(size for _, size in hits):
        raise ValueError("there are no examples")
    return hits


def _asked(net, data_iter, device, axis=1):
    """The hits in eval mode, without a graph."""
    was_training = net.training
    net.eval()
    with torch.no_grad():
        hits = _hits(net, data_iter, device, axis)
    net.train(was_training)
    return hits


def _share(hits):
    return sum(hit.sum().item() for hit, _ in hits) / sum(size for _, size in hits)


@misconception(
    "evaluate_accuracy_gpu",
    "mean-of-batches",
    book="7.6.2",
    why="The accuracies of the batches are averaged, so that examples in a small last batch count "
    "for more than others. Count over all batches, and divide once.",
)
def evaluate_accuracy_gpu_mean_of_batches(net, data_iter, device=None):
    shares = [hit.sum().item() / size for hit, size in _asked(net, data_iter, device)]
    return sum(shares) / len(shares)


@misconception(
    "evaluate_accuracy_gpu",
    "divided-by-batches",
    book="7.6.2",
    why="The right predictions are divided by the number of batches. Divide by that of examples.",
)
def evaluate_accuracy_gpu_batches(net, data_iter, device=None):
    hits = _asked(net, data_iter, device)
    return sum(hit.sum().item() for hit, _ in hits) / len(hits)


@misconception(
    "evaluate_accuracy_gpu",
    "argmax-over-the-batch",
    book="7.6.2",
    why="argmax runs down the batch (dim=0) and finds the likeliest example of each class. The "
    "likeliest class of each example lies along dim=1.",
)
def evaluate_accuracy_gpu_axis(net, data_iter, device=None):
    return _share(_asked(net, data_iter, device, axis=0))


@misconception(
    "evaluate_accuracy_gpu",
    "train-mode",
    book="7.6.2",
    why="The net is asked in whatever mode it is in. In train mode dropout drops and batch "
    "normalisation goes by the batch: call net.eval() first.",
)
def evaluate_accuracy_gpu_train_mode(net, data_iter, device=None):
    with torch.no_grad():
        return _share(_hits(net, data_iter, device))


@misconception(
    "evaluate_accuracy_gpu",
    "graph-built",
    book="7.6.2",
    why="Gradients are on, so a graph that nobody needs is built for every batch, and takes memory "
    "and time. Put the loop under torch.no_grad().",
)
def evaluate_accuracy_gpu_graph(net, data_iter, device=None):
    was_training = net.training
    net.eval()
    hits = _hits(net, data_iter, device)
    net.train(was_training)
    return _share(hits)


# --- train_classifier -----------------------------------------------------------------------


def _trained(
    net,
    train_iter,
    test_iter,
    num_epochs,
    lr,
    device,
    *,
    init=_xavier,
    mode=nn.Module.train,
    loss=F.cross_entropy,
    zero=True,
    test=lambda net, data: _share(_asked(net, data, None)),
):
    """A training loop with one thing changed; the sums of every epoch, still to be divided."""
    net.apply(init)
    net.to(device)
    parameters = list(net.parameters())
    for _ in range(num_epochs):
        mode(net)
        losses, hits, sizes = [], [], []
        for X, y in train_iter:
            X, y = X.to(device), y.to(device)
            logits = net(X)
            value = loss(logits, y)
            if zero:
                net.zero_grad()
            value.backward()
            with torch.no_grad():
                for parameter in parameters:
                    parameter -= lr * parameter.grad
            losses.append(value.item())
            hits.append((logits.argmax(dim=1) == y).sum().item())
            sizes.append(len(y))
        yield losses, hits, sizes, test(net, test_iter)


def _curve(epochs):
    """The rows that the contract asks for."""
    return [
        (
            sum(loss * size for loss, size in zip(losses, sizes, strict=True)) / sum(sizes),
            sum(hits) / sum(sizes),
            test_acc,
        )
        for losses, hits, sizes, test_acc in epochs
    ]


@misconception(
    "train_classifier",
    "gradients-pile-up",
    book="7.6.2",
    why="backward() adds to the gradients that are there already. Without zeroing them, each step "
    "takes all earlier gradients along.",
)
def train_classifier_piled_up(net, train_iter, test_iter, num_epochs, lr, device):
    return _curve(_trained(net, train_iter, test_iter, num_epochs, lr, device, zero=False))


@misconception(
    "train_classifier",
    "no-step",
    book="7.6.2",
    why="The net does not learn: no step is taken with the gradients, or they are zeroed between "
    "backward() and step().",
)
def train_classifier_no_step(net, train_iter, test_iter, num_epochs, lr, device):
    return _curve(_trained(net, train_iter, test_iter, num_epochs, 0.0, device))


@misconception(
    "train_classifier",
    "softmax-before-the-loss",
    book="7.6.2",
    why="The logits go through a softmax before the cross-entropy, which takes one of its own. "
    "Give it the logits.",
)
def train_classifier_softmax(net, train_iter, test_iter, num_epochs, lr, device):
    def loss(logits, y):
        return F.cross_entropy(logits.softmax(dim=1), y)

    return _curve(_trained(net, train_iter, test_iter, num_epochs, lr, device, loss=loss))


@misconception(
    "train_classifier",
    "loss-summed",
    book="7.6.2",
    why="The loss is summed over the batch, so the steps grow with the batch size. The contract "
    "steps along the mean.",
)
def train_classifier_summed(net, train_iter, test_iter, num_epochs, lr, device):
    def loss(logits, y):
        return F.cross_entropy(logits, y, reduction="sum")

    rows = _trained(net, train_iter, test_iter, num_epochs, lr, device, loss=loss)
    return [(sum(a) / sum(n), sum(hits) / sum(n), test_acc) for a, hits, n, test_acc in rows]


@misconception(
    "train_classifier",
    "mean-of-batches",
    book="7.6.2",
    why="The losses of the batches are averaged, so that a small last batch counts as much as a "
    "full one. Weight each by its number of examples.",
)
def train_classifier_mean_of_batches(net, train_iter, test_iter, num_epochs, lr, device):
    rows = _trained(net, train_iter, test_iter, num_epochs, lr, device)
    return [(sum(a) / len(a), sum(hits) / sum(n), test_acc) for a, hits, n, test_acc in rows]


@misconception(
    "train_classifier",
    "sizes-forgotten",
    book="7.6.2",
    why="The batches' mean losses are added up and divided by the number of examples. Multiply "
    "each with the size of its batch first.",
)
def train_classifier_sizes_forgotten(net, train_iter, test_iter, num_epochs, lr, device):
    rows = _trained(net, train_iter, test_iter, num_epochs, lr, device)
    return [(sum(a) / sum(n), sum(hits) / sum(n), test_acc) for a, hits, n, test_acc in rows]


@misconception(
    "train_classifier",
    "sums-never-reset",
    book="7.6.2",
    why="The sums run on from epoch to epoch, so that every row is a mean over all epochs so far. "
    "Set them to zero at the start of each epoch.",
)
def train_classifier_running(net, train_iter, test_iter, num_epochs, lr, device):
    losses, hits, sizes, curve = [], [], [], []
    for row in _trained(net, train_iter, test_iter, num_epochs, lr, device):
        for total, new in zip((losses, hits, sizes), row, strict=False):
            total.extend(new)
        curve += _curve([(losses, hits, sizes, row[3])])
    return curve


def _as_it_is(net):
    return net


@misconception(
    "train_classifier",
    "train-mode-not-set",
    book="7.6.2",
    why="The net trains in the mode that it came in. Call net.train() at the start of every epoch.",
)
def train_classifier_mode_not_set(net, train_iter, test_iter, num_epochs, lr, device):
    return _curve(_trained(net, train_iter, test_iter, num_epochs, lr, device, mode=_as_it_is))


@misconception(
    "train_classifier",
    "train-mode-lost",
    book="7.6.2",
    why="Training does not go on in train mode after the first evaluation: eval mode stays until "
    "net.train() is called again, so call it at the start of every epoch.",
)
def train_classifier_train_once(net, train_iter, test_iter, num_epochs, lr, device):
    def test(net, data):
        net.eval()
        return _share(_asked(net, data, None))

    net.train()
    rows = _trained(net, train_iter, test_iter, num_epochs, lr, device, mode=_as_it_is, test=test)
    return _curve(rows)


@misconception(
    "train_classifier",
    "tested-in-train-mode",
    book="7.6.2",
    why="The test accuracy is found in train mode. evaluate_accuracy_gpu goes by eval mode.",
)
def train_classifier_test_mode(net, train_iter, test_iter, num_epochs, lr, device):
    def test(net, data):
        with torch.no_grad():
            return _share(_hits(net, data, None))

    return _curve(_trained(net, train_iter, test_iter, num_epochs, lr, device, test=test))


@misconception(
    "train_classifier",
    "no-init",
    book="7.6.2",
    why="The net starts from whatever weights it came with. Apply init_cnn to it first; without "
    "Xavier's weights a LeNet of sigmoids hardly learns.",
)
def train_classifier_no_init(net, train_iter, test_iter, num_epochs, lr, device):
    def init(module):
        return None

    return _curve(_trained(net, train_iter, test_iter, num_epochs, lr, device, init=init))


def _drawn_anew(calls):
    """Whether the loss changed with the weights alone: the last fits those that were left."""
    net, data = calls[-1].args[:2]
    (first, *_), (second, *_) = calls[-1].result
    with torch.no_grad():
        left = torch.stack([F.cross_entropy(net(X), y) for X, y in data]).mean()
    return abs(float(first) - float(second)) > 1e-4 > abs(float(second) - float(left))


@misconception(
    "train_classifier",
    "init-every-epoch",
    book="7.6.2",
    why="The weights are drawn anew in every epoch, which throws away what the one before has "
    "learned. Apply init_cnn once, before the loop.",
    fails=("start",),
    signature=_drawn_anew,
)
def train_classifier_init_every_epoch(net, train_iter, test_iter, num_epochs, lr, device):
    def mode(net):
        net.apply(_xavier)
        net.train()

    return _curve(_trained(net, train_iter, test_iter, num_epochs, lr, device, mode=mode))
