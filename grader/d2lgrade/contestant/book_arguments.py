"""Constructor arguments that the book's classes require and our contracts do not list.

The book's `LeNet(lr, num_classes)` takes a learning rate; ours does not need one. Where a
learner's class asks for one without a default it gets the book's usual value, so that code typed
along the book is a valid answer.
"""

from __future__ import annotations

import inspect
from typing import Any

USUAL = {"lr": 0.1, "sigma": 0.01}


def completed(cls: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """`kwargs`, with the book's usual value for each required argument of `cls` it lacks."""
    try:
        parameters = inspect.signature(cls).parameters
        bound = inspect.signature(cls).bind_partial(*args, **kwargs).arguments
    except (TypeError, ValueError):  # the call itself will say what does not fit
        return kwargs
    missing = {
        name: value
        for name, value in USUAL.items()
        if name in parameters and name not in bound and parameters[name].default is inspect._empty
    }
    return {**missing, **kwargs}
