"""Hidden checks of section 6.7: try_gpu, try_all_gpus.

No GPU is needed: the number that torch.cuda reports is replaced beside the learner's code, for the
time of a call.
"""

import torch

from d2lgrade.testkit import Mismatch, assert_same

CPU = torch.device("cpu")


def on_machine(count, function, *args):
    """Call a function where torch.cuda reports so many GPUs."""
    torch_functions = {name: getattr(torch.cuda, name) for name in ("device_count", "is_available")}
    replaced = {"device_count": lambda: count, "is_available": lambda: count > 0}
    # Names that a file took from torch.cuda by `from torch.cuda import device_count`.
    taken = [
        (space, name, key)
        for space in [getattr(function, "__globals__", {})]
        for name, value in list(space.items())
        for key, original in torch_functions.items()
        if value is original
    ]
    for key, value in replaced.items():
        setattr(torch.cuda, key, value)
    for space, name, key in taken:
        space[name] = replaced[key]
    try:
        return function(*args)
    finally:
        for key, value in torch_functions.items():
            setattr(torch.cuda, key, value)
        for space, name, key in taken:
            space[name] = torch_functions[key]


def gpus(count):
    return [torch.device("cuda", i) for i in range(count)]


def assert_device(found, due, told):
    if not isinstance(found, torch.device):
        raise Mismatch.of_type(found, f"a torch.device ({due})", told)
    if found != due:
        raise Mismatch(f"{told[0].upper()}{told[1:]} is wrong.", expected=str(due), got=str(found))


def asked(student, count, *args):
    return student.run(on_machine, count, student.try_gpu, *args)


def test_try_gpu_found(student):
    """returns the GPU of that number"""
    for count, i in [(1, 0), (2, 0), (2, 1), (4, 2), (8, 7)]:
        assert_device(asked(student, count, i), gpus(count)[i], f"try_gpu({i}) with {count} GPUs")


def test_try_gpu_none(student):
    """falls back to the CPU on a machine without a GPU"""
    for i in (1, 0, 5):  # 1 first: there an answer that is one too far is right
        assert_device(asked(student, 0, i), CPU, f"try_gpu({i}) without a GPU")


def test_try_gpu_beyond(student):
    """falls back to the CPU where there are fewer GPUs"""
    for count, i in [(1, 2), (1, 1), (2, 2), (4, 9)]:
        assert_device(asked(student, count, i), CPU, f"try_gpu({i}) with {count} GPUs")


def test_try_gpu_default(student):
    """means the first GPU when no number is given"""
    for count, due in ((0, CPU), (1, gpus(1)[0]), (3, gpus(1)[0])):
        assert_device(asked(student, count), due, f"try_gpu() with {count} GPUs")


def refused(count, function, *args):
    """Whether a ValueError is raised, or what else comes of the call."""
    try:
        return str(on_machine(count, function, *args))
    except ValueError:
        return "ValueError"
    except Exception as error:
        return type(error).__name__


def test_try_gpu_refuses(student):
    """refuses negative numbers"""
    for count, i in ((0, -1), (2, -1), (2, -2)):
        found = student.run(refused, count, student.try_gpu, i)
        if found != "ValueError":
            raise Mismatch(
                f"The contract asks for ValueError for try_gpu({i}).",
                expected="ValueError",
                got=found,
            )


def assert_devices(student, count):
    found = student.run(on_machine, count, student.try_all_gpus)
    if not isinstance(found, list | tuple):
        raise Mismatch.of_type(found, "a list of torch.device", "the result")
    due = gpus(count) or [CPU]
    if len(found) != len(due):
        raise Mismatch(
            f"With {count} GPUs the list has {len(found)} items.",
            expected=", ".join(map(str, due)),
            got=", ".join(map(str, found)) or "an empty list",
        )
    for index, (one, other) in enumerate(zip(found, due, strict=True)):
        assert_device(one, other, f"item {index} of the list with {count} GPUs")


def test_try_all_gpus_all(student):
    """lists every GPU in order"""
    for count in (1, 2, 3, 8):
        assert_devices(student, count)


def test_try_all_gpus_none(student):
    """falls back to the CPU on a machine without a GPU"""
    assert_devices(student, 0)


def twice(function):
    """Lists of two calls, the first of them emptied in between."""
    first = on_machine(2, function)
    if isinstance(first, list):
        first.clear()
    return len(on_machine(2, function)), type(first) is list


def test_try_all_gpus_plain(student):
    """returns a list of the caller's own"""
    count, is_list = student.run(twice, student.try_all_gpus)
    if not is_list:
        raise Mismatch("The result is no list.", expected="list", got="something else")
    assert_same(count, 2, what="the number of GPUs in a second call, the first list being emptied,")
