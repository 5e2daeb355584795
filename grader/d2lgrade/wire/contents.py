"""The bytes of tensors: taken out, compared, put back."""

from __future__ import annotations

import ctypes
from typing import Any

import torch

from .limits import INLINE, WireError

# By name, not by number, so that two versions of torch agree.
_KINDS = (
    *("float32", "float64", "float16", "bfloat16", "complex32", "complex64", "complex128"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool"),
    *("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"),
)
DTYPES: dict[str, torch.dtype] = {
    name: getattr(torch, name) for name in _KINDS if hasattr(torch, name)
}
DTYPE_NAMES = {dtype: name for name, dtype in DTYPES.items()}
_SIZES = {dtype: dtype.itemsize for dtype in DTYPES.values()}

_memcmp = ctypes.CDLL(None).memcmp
_memcmp.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
_memmove, _string_at = ctypes.memmove, ctypes.string_at


def contents(tensor: torch.Tensor) -> Any:
    """The elements of a CPU tensor in row-major order, as bytes or (where large) as a uint8 tensor.

    The large form may share memory with the tensor.
    """
    plain = _plain(tensor)
    size = plain.nbytes
    if size <= INLINE:
        return _string_at(plain.data_ptr(), size) if size else b""
    return plain.detach().view(-1).view(torch.uint8)


def _plain(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor, or a copy with its elements in row-major order and no lazy conjugation."""
    if tensor.is_conj() or tensor.is_neg():
        tensor = tensor.detach().resolve_conj().resolve_neg()
    return tensor if tensor.is_contiguous() else tensor.detach().contiguous()


def same_contents(tensor: torch.Tensor, data: Any) -> bool:
    """Whether a tensor still holds exactly these bytes (see `contents`)."""
    plain = _plain(tensor)
    size = plain.nbytes
    if size != len(data):
        return False
    there = data if type(data) is bytes else data.data_ptr()
    return not size or _memcmp(plain.data_ptr(), there, size) == 0


def kept(data: Any) -> Any:
    """`contents` as a copy that later changes cannot reach."""
    return data if type(data) is bytes else data.clone()


def taken(buffers: list[Any], index: Any, dtype: Any, shape: Any) -> torch.Tensor:
    """A received tensor over the buffer with this index, which is its own from then on.

    Raises:
        WireError: no such buffer, or taken already, or dtype, shape and bytes do not fit.
    """
    if type(index) is not int or not 0 <= index < len(buffers) or buffers[index] is None:
        raise WireError("a tensor without bytes of its own")
    data, buffers[index] = buffers[index], None
    kind = DTYPES.get(dtype) if type(dtype) is str else None
    if kind is None or type(shape) is not list or len(shape) > 64:
        raise WireError("a tensor of no known dtype or shape")
    count = 1
    for length in shape:
        if type(length) is not int or length < 0:
            raise WireError("a tensor with an impossible shape")
        count *= length
    if count * _SIZES[kind] != len(data):
        raise WireError("a tensor whose bytes do not fit its shape")
    if kind is torch.bool and count:  # any byte but 0 and 1 would be undefined behaviour in torch
        return taken([data], 0, "uint8", shape).ne(0)
    if type(data) is bytes:
        tensor = torch.empty(shape, dtype=kind)
        if count:
            _memmove(tensor.data_ptr(), data, len(data))
        return tensor
    size = torch.Size(shape)
    strides = torch.empty(size, device="meta").stride()
    return torch.empty(0, dtype=kind).set_(data.untyped_storage(), 0, size, strides)


def write(tensor: torch.Tensor, content: torch.Tensor, quietly: bool = False) -> None:
    """Give a tensor new contents in place; of another shape or dtype, new memory as well.

    `quietly`: as a change through `.data`, which autograd does not notice.
    """
    with torch.inference_mode(tensor.is_inference()), torch.no_grad():
        if tensor.shape != content.shape or tensor.dtype != content.dtype:
            tensor.data = content
        elif content.numel():
            once = [
                slice(0, 1) if stride == 0 and length > 1 else slice(None)
                for stride, length in zip(tensor.stride(), tensor.shape, strict=True)
            ]
            # A stride of 0 repeats one element, which can be written only once.
            plain = tensor.data if quietly else tensor.detach()
            plain[tuple(once)].copy_(content[tuple(once)])
