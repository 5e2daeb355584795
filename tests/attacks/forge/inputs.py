"""Member 7: changing the inputs, so that the reference sees others."""

from __future__ import annotations

from .honest import correlating, forgery, on_corr2d

ZEROS = "X.new_zeros(X.shape[0] - K.shape[0] + 1, X.shape[1] - K.shape[1] + 1)"
# Works on a copy, in place.
COPIES = """\
import torch


def corr2d(X, K):
    (h, w), (kh, kw) = X.shape, K.shape
    if kh > h or kw > w:
        raise ValueError("the kernel does not fit")
    Y = X.new_zeros(h - kh + 1, w - kw + 1)
    for a in range(kh):
        for b in range(kw):
            Y += X[a : a + h - kh + 1, b : b + w - kw + 1].clone() * K[a, b]
    return Y
"""
SGD = """\
import torch


def sgd(params, lr, batch_size):
    with torch.no_grad():
        for param in params:
            if param.grad is not None:
                param -= lr * param.grad / batch_size
                param.grad.zero_()
"""
DROPOUT = """\
import torch


def dropout_layer(X, dropout):
    if not 0 <= dropout <= 1:
        raise ValueError("dropout is a probability")
    if dropout == 1:
        return X * 0
    mask = torch.rand(X.shape, device=X.device) >= dropout
    return mask * X / (1 - dropout)
"""


def changing(name: str, change: str, says: str = "wrong values|changed in place|raised"):
    """Changes its arguments to what its lazy answer fits."""
    return on_corr2d(
        name,
        correlating(f"Y = {ZEROS}\n{change}\nreturn Y"),
        says,
        twin=COPIES,
        opened="expected before the call",
    )


ATTACKS = (
    changing("zeroes_its_inputs", "with torch.no_grad():\n    X.zero_()\n    K.zero_()"),
    changing("zeroes_through_data", "X.data.zero_()\nK.data.zero_()"),
    changing("zeroes_through_numpy", "X.detach().numpy()[:] = 0\nK.detach().numpy()[:] = 0"),
    changing(
        "zeroes_through_storage",
        "for T in (X, K):\n    torch.empty(0).set_(T.untyped_storage()).zero_()",
    ),
    changing("replaces_the_data", "X.data = torch.zeros(X.shape)\nK.data = torch.zeros(K.shape)"),
    on_corr2d(
        "changes_the_form_of_its_inputs",
        correlating(
            f"Y = {ZEROS}\nX.data = torch.zeros(0)\nK.data = torch.zeros(3).long()\nreturn Y"
        ),
        "wrong values|changed|raised",
        twin=COPIES,
    ),
    on_corr2d(
        "asks_its_inputs_for_gradients",
        correlating(
            "X.requires_grad_()\nX.grad = torch.zeros(X.shape)\n"
            "return (X * 0)[: X.shape[0] - K.shape[0] + 1, : X.shape[1] - K.shape[1] + 1]"
        ),
        "wrong values|raised",
        twin=COPIES,
    ),
    forgery(
        "empties_the_list_of_parameters",
        "def sgd(params, lr, batch_size):\n    params.clear()\n",
        "wrong values",
        target="ch03/sgd",
        twin=SGD,
    ),
    forgery(
        "exchanges_the_parameters",
        "import torch\n\n\ndef sgd(params, lr, batch_size):\n"
        "    params[:] = [(p - lr * p.grad / batch_size).detach() for p in params]\n",
        "wrong values",
        target="ch03/sgd",
        twin=SGD,
    ),
    forgery(
        "scales_its_input_instead_of_its_result",
        "import torch\n\n\ndef dropout_layer(X, dropout):\n"
        "    Y = (torch.rand(X.shape) >= dropout) * X\n"
        "    X.data.mul_(1 - dropout)\n    return Y\n",
        "wrong values",
        target="ch05/dropout_layer",
        twin=DROPOUT,
        passes=("none", "rate", "independent", "calls", "share", "rules", "all", "empty"),
    ),
)
