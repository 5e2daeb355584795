"""What CUDA would say to each torch call: the mode under which the device check runs code.

A function mode sees every call made from Python, whatever it is called on, and nothing that C++
does for itself: just the calls whose devices the learner chose. PyTorch's own Python functions
count as one call each. What runs is always the plain CPU function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from .placement import CPU, DEVICE, Places, WrongDevice, tensors_in


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _accessor(attribute: str, kind: str) -> Any:
    """A getter or setter as a mode is handed it: a new object at each use, equal to the last."""
    return getattr(getattr(torch.Tensor, attribute), kind)


_MIXED = (
    "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!"
)
_INDEX = "indices should be either on cpu or on the same device as the indexed tensor (cpu)"
_NUMPY = (
    "can't convert cuda:0 device type tensor to numpy. "
    "Use Tensor.cpu() to copy the tensor to host memory first."
)
# Read shapes, dtypes or bookkeeping of their arguments only, so places do not matter.
_INDIFFERENT = _names(
    "expand_as view_as reshape_as resize_as_ is_same_size is_set_to result_type broadcast_tensors "
    "_has_compatible_shallow_copy_type copy_ fill_ backward grad register_hook __deepcopy__ "
    "retain_grad type_as set_"
)
# Take no CPU scalar beside tensors of the device: they are no element-wise operations.
_NO_SCALARS = _names(
    "cat concat concatenate stack hstack vstack dstack row_stack column_stack gather scatter "
    "scatter_ scatter_add scatter_add_ index_select take take_along_dim embedding"
)
# Want lengths on the CPU even where the data are on the device.
_LENGTHS = _names(
    "_pack_padded_sequence _pad_packed_sequence lstm gru rnn_tanh rnn_relu tensor_split"
)
# Return (data, lengths), the lengths on the CPU.
_LENGTHS_OUT = _names("_pack_padded_sequence _pad_packed_sequence")


class DeviceMode(TorchFunctionMode):
    """Sees every torch call of the learner's code and keeps the account of places."""

    def __init__(self, places: Places) -> None:
        super().__init__()
        self._places = places
        self._busy = False
        self._getters: dict[Any, Callable[[torch.Tensor], Any]] = {
            _accessor("device", "__get__"): places.device,
            _accessor("is_cuda", "__get__"): places.on_device,
            _accessor("is_cpu", "__get__"): lambda x: not places.on_device(x),
            _accessor("grad", "__get__"): self._gradient,
        }
        self._special: dict[str, Callable[..., Any]] = {
            "to": self._to,
            "cuda": self._cuda,
            "cpu": self._cpu,
            "type": self._type,
            "type_as": lambda func, x, other: self._to(func, x, other),
            "get_device": lambda func, x: 0 if places.on_device(x) else -1,
            **dict.fromkeys(("numpy", "__array__", "__dlpack__", "apply_", "map_"), self._host),
            "tensor": self._tensor,
            **dict.fromkeys(("as_tensor", "asarray"), self._as_tensor),
            "__getitem__": self._getitem,
            "__setitem__": self._setitem,
            **dict.fromkeys(("index_put", "index_put_"), self._index_put),
        }

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        busy, self._busy = self._busy, True
        try:
            return self._call(func, args, kwargs or {})
        finally:
            self._busy = busy

    def engine(self, backward: Callable[..., Any]) -> Callable[..., Any]:
        """Autograd's entry, with the mode switched on again for the learner's own backward."""

        def watched(*args: Any, **kwargs: Any) -> Any:
            self._places.in_engine += 1
            try:
                if not self._busy:
                    return backward(*args, **kwargs)
                with self:
                    return backward(*args, **kwargs)
            finally:
                self._places.in_engine -= 1

        return watched

    def _call(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        name = getattr(func, "__name__", "")
        if name == "__get__" and func in self._getters:
            return self._getters[func](args[0])
        if name == "__set__" and func != _accessor("grad", "__set__"):
            return func(*args)  # `.data = ` may bring memory of the other device
        special = self._special.get(name)
        if special is not None:
            return special(func, *args, **kwargs)
        return self._ordinary(func, name, args, kwargs)

    def _ordinary(self, func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        target = _target(kwargs.get("device"))
        if target is not None:
            kwargs = {**kwargs, "device": None}
        inputs = list(tensors_in((args, kwargs)))
        if name not in _INDIFFERENT:
            self._refuse_mixed(name, args, kwargs, inputs)
        somewhere = any(map(self._places.on_device, inputs))
        if kwargs.get("generator") is not None:
            _refuse_generator(kwargs["generator"], somewhere if target is None else target)
        result = func(*args, **kwargs)
        if name in _LENGTHS_OUT:
            self._settled(result[1], False)
        return self._settled(result, somewhere if target is None else target)

    def _settled(self, result: Any, on_device: bool) -> Any:
        """Note where the new tensors of a result are; those that share old memory stay put."""
        for tensor in tensors_in(result):
            if self._places.known(tensor) is None:
                self._places.put(tensor, on_device)
        return result

    def _refuse_mixed(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], inputs: list[torch.Tensor]
    ) -> None:
        places = [self._places.on_device(tensor) for tensor in inputs]
        if all(places) or not any(places):
            return
        hosts = [tensor for tensor, place in zip(inputs, places, strict=True) if not place]
        if name in _LENGTHS:
            hosts = [tensor for tensor in hosts if tensor.dtype != torch.int64]
        if name not in _NO_SCALARS:
            written = _written(name, args, kwargs)
            hosts = [t for t in hosts if t.dim() > 0 or any(t is other for other in written)]
        if hosts:
            raise WrongDevice(_MIXED)

    # Each of the following is one function or method of torch: (func, its arguments) -> result.

    def _gradient(self, x: torch.Tensor) -> torch.Tensor | None:
        grad = x.grad
        return None if grad is None else self._settled(grad, self._places.on_device(x))

    def _to(self, func: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        where = kwargs.pop("other", args[0] if args else kwargs.pop("device", None))
        rest = args[1:]
        target: bool | None
        if isinstance(where, torch.Tensor):
            target, where = self._places.on_device(where), where.dtype
        elif isinstance(where, torch.dtype):
            target = None
        else:
            target, where = _target(where), kwargs.pop("dtype", rest[0] if rest else None)
            rest = rest[1:]
        # What is left is a conversion of the dtype, if any, and flags: plain CPU work.
        copy = kwargs.pop("copy", len(rest) > 1 and rest[1])
        result = x.to(where or x.dtype, copy=copy, **kwargs)
        self._settled(result, self._places.on_device(x))
        return result if target is None else self._places.move(result, target)

    def _cuda(self, func: Any, x: torch.Tensor, device: Any = None, *_: Any, **__: Any) -> Any:
        _target("cuda" if device is None else device)
        return self._places.move(x, True)

    def _cpu(self, func: Any, x: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
        return self._places.move(x, False)

    def _type(self, func: Any, x: torch.Tensor, dtype: Any = None, *_: Any, **__: Any) -> Any:
        if dtype is None:
            here = self._places.on_device(x)
            return func(x).replace("torch.", "torch.cuda." if here else "torch.")
        if isinstance(dtype, torch.dtype):
            return self._settled(func(x, dtype), self._places.on_device(x))
        spelled = dtype if isinstance(dtype, str) else f"{dtype.__module__}.{dtype.__name__}"
        result = func(x, spelled.replace("torch.cuda.", "torch."))
        self._settled(result, self._places.on_device(x))
        return self._places.move(result, "cuda" in spelled)

    def _host(self, func: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        if self._places.on_device(x):
            raise TypeError(_NUMPY)
        return func(x, *args, **kwargs)

    def _tensor(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        target = _target(kwargs.pop("device", None))
        if target is None:  # a list of numbers from the device makes a tensor on the CPU
            target = self._is_device_tensor(args, kwargs)
        return self._settled(func(*args, **kwargs), target)

    def _as_tensor(self, func: Any, *args: Any, **kwargs: Any) -> torch.Tensor:
        target = _target(kwargs.pop("device", None))
        result = self._settled(func(*args, **kwargs), self._is_device_tensor(args, kwargs))
        return result if target is None else self._places.move(result, target)

    def _is_device_tensor(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether the data of a constructor are themselves a tensor of the device."""
        data = args[0] if args else kwargs.get("data", kwargs.get("obj"))
        return isinstance(data, torch.Tensor) and self._places.on_device(data)

    def _getitem(self, func: Any, x: torch.Tensor, index: Any) -> Any:
        self._refuse_index(x, index)
        return self._settled(func(x, index), self._places.on_device(x))

    def _setitem(self, func: Any, x: torch.Tensor, index: Any, value: Any) -> None:
        self._refuse_index(x, index)
        if _advanced(index):
            self._refuse_value(x, value)  # a plain slice is filled by a copy, which may cross
        func(x, index, value)

    def _index_put(
        self, func: Any, x: torch.Tensor, indices: Any, values: Any, *args: Any, **kwargs: Any
    ) -> Any:
        self._refuse_index(x, indices)
        self._refuse_value(x, values)
        result = func(x, indices, values, *args, **kwargs)
        return self._settled(result, self._places.on_device(x))

    def _refuse_index(self, x: torch.Tensor, index: Any) -> None:
        """CUDA tensors take indices of either device, CPU tensors none of the device."""
        if self._places.on_device(x):
            return
        if any(t.dim() > 0 and self._places.on_device(t) for t in tensors_in(index)):
            raise WrongDevice(_INDEX)

    def _refuse_value(self, x: torch.Tensor, value: Any) -> None:
        if isinstance(value, torch.Tensor) and value.dim() > 0:
            here = self._places.on_device(x)
            if self._places.on_device(value) != here:
                raise WrongDevice(_MIXED)


def _target(device: Any) -> bool | None:
    """Whether a `device=` names the device; None for no device, or one we know nothing about.

    Raises:
        RuntimeError: a GPU beyond the first, which the pretended machine does not have.
    """
    if device is None:
        return None
    if isinstance(device, int):
        named, index = "cuda", device
    else:
        parsed = torch.device(device)
        named, index = parsed.type, parsed.index or 0
    if named == "cuda" and index > 0:
        raise RuntimeError("CUDA error: invalid device ordinal (this machine has cuda:0 alone)")
    return {"cuda": True, "cpu": False}.get(named)


def _advanced(index: Any) -> bool:
    """Whether an index gathers single elements, rather than cutting out a slice."""
    parts = index if isinstance(index, tuple) else (index,)
    return any(isinstance(part, list | range) or getattr(part, "ndim", 0) > 0 for part in parts)


def _written(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[torch.Tensor]:
    """The tensors that a call writes to."""
    in_place = name.endswith("_") != name.endswith("__") or name.startswith("__i")
    return [*tensors_in(kwargs.get("out")), *tensors_in(args[:1] if in_place else ())]


def _refuse_generator(generator: torch.Generator, on_device: bool) -> None:
    wanted, found = (DEVICE, generator.device) if on_device else (CPU, generator.device)
    if wanted.type != found.type:
        raise RuntimeError(
            f"Expected a '{wanted.type}' device type for generator but found '{found.type}'"
        )
