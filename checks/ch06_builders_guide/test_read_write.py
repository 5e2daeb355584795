"""Hidden checks of section 6.6: save_checkpoint, load_checkpoint.

Files are written and read beside the learner's code, in a folder that is removed afterwards, by
functions that are public. What is expected is worked out before.
"""

import copy
import os
import tempfile
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from d2lgrade.testkit import Mismatch, assert_same

NAMES = ("weight", "bias", "velocity of the weight", "velocity of the bias", "number of steps")


def folder():
    """A folder of its own for files, removed afterwards."""
    return tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR"))


class Momentum:
    """A small optimizer with a memory: momentum 0.9, and a rate that falls from step to step."""

    def __init__(self, parameters, lr=0.1):
        self.parameters = list(parameters)
        self.velocities = [torch.zeros_like(p) for p in self.parameters]
        self.lr, self.steps = lr, 0

    def step(self, loss):
        gradients = torch.autograd.grad(loss, self.parameters)
        with torch.no_grad():
            for p, v, g in zip(self.parameters, self.velocities, gradients, strict=True):
                v.mul_(0.9).add_(g)
                p -= self.lr / (1 + self.steps) * v
        self.steps += 1

    def state_dict(self):
        return {"velocities": list(self.velocities), "lr": self.lr, "steps": self.steps}

    def load_state_dict(self, state):
        for velocity, value in zip(self.velocities, state["velocities"], strict=True):
            velocity.copy_(value)
        self.lr, self.steps = state["lr"], state["steps"]


def trained(net, optimizer, X, y, steps):
    """Some steps on the squared error."""
    for _ in range(steps):
        with torch.enable_grad():
            loss = F.mse_loss(net(X), y)
            if isinstance(optimizer, Momentum):
                optimizer.step(loss)
            else:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()


def numbers(net, optimizer):
    """All that changes in training, copied."""
    state = [p.detach().clone() for p in net.parameters()]
    return [*state, *(v.clone() for v in optimizer.velocities), float(optimizer.steps)]


def pair(weight, bias, lr=0.1):
    """A linear model with these parameters, and its optimizer."""
    net = nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        net.weight.copy_(weight)
        net.bias.copy_(bias)
    return net, Momentum(net.parameters(), lr)


def task():
    """Parameters to start from and data to fit."""
    return torch.randn(2, 3), torch.randn(2), torch.randn(5, 3), torch.randn(5, 2)


def assert_numbers(found, due, told):
    for name, one, other in zip(NAMES, found, due, strict=True):
        if isinstance(other, torch.Tensor):
            assert_same(one, other, what=f"the {name} {told}")
            if not torch.equal(one, other):
                raise Mismatch(
                    f"The {name} {told} is nearly what was saved. Bit for bit is possible, and due."
                )
        else:
            assert_same(float(one), other, what=f"the {name} {told}")


# --- save_checkpoint ------------------------------------------------------------------------


def content(path):
    """What a checkpoint of a net and a Momentum holds, flattened; text where it is no such file."""
    try:
        state = torch.load(path, weights_only=True)
    except FileNotFoundError:
        return "there is no such file"
    except Exception as error:
        return f"torch.load with weights_only=True fails: {type(error).__name__}"
    if not isinstance(state, dict) or set(state) != {"net", "optimizer"}:
        keys = ", ".join(map(repr, state)) if isinstance(state, dict) else type(state).__name__
        return f"it holds {keys}"
    net, optimizer = state["net"], state["optimizer"]
    if not (isinstance(net, dict) and isinstance(optimizer, dict)):
        return "an entry is no state_dict"
    if set(net) != {"weight", "bias"} or set(optimizer) != {"velocities", "lr", "steps"}:
        return f"entries of net: {', '.join(net)}; of optimizer: {', '.join(map(str, optimizer))}"
    return [net["weight"], net["bias"], *optimizer["velocities"], float(optimizer["steps"])]


def assert_content(found, due, told):
    if isinstance(found, str):
        raise Mismatch(
            f"The file {told} is no checkpoint as the contract has it: {found}.",
            expected="torch.save of {'net': …, 'optimizer': …}, both state_dicts",
            got=found,
        )
    assert_numbers(found, due, told)


def saved(save, weight, bias, X, y, steps):
    """What is in the file after some training, and what is in the folder."""
    net, optimizer = pair(weight, bias)
    trained(net, optimizer, X, y, steps)
    with folder() as place:
        path = os.path.join(place, "checkpoint.pt")
        save(path, net, optimizer)
        return content(path), sorted(os.listdir(place))


def after(weight, bias, X, y, steps):
    net, optimizer = pair(weight, bias)
    trained(net, optimizer, X, y, steps)
    return numbers(net, optimizer)


def test_save_checkpoint_content(student):
    """writes the states of net and optimizer"""
    for steps in (0, 1, 3):
        given = task()
        due = after(*given, steps)
        found, _ = student.run(saved, student.save_checkpoint, *given, steps)
        assert_content(found, due, f"saved after {steps} steps")


def buffers(save):
    """The names that are saved of a net with a batch normalization in it."""
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    with folder() as place:
        path = os.path.join(place, "checkpoint.pt")
        save(path, net, Momentum(net.parameters()))
        return sorted(torch.load(path, weights_only=True)["net"])


def test_save_checkpoint_buffers(student):
    """saves the buffers too, such as running statistics"""
    due = sorted(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).state_dict())
    found = list(student.run(buffers, student.save_checkpoint))
    if found != due:
        raise Mismatch(
            "The net's entry is not its state_dict().",
            expected=", ".join(due),
            got=", ".join(map(str, found)),
        )


def twice(save, weight, bias, other):
    """Two checkpoints in one file, one after the other; whether it is still the same file."""
    with folder() as place:
        path = os.path.join(place, "checkpoint.pt")
        save(path, *pair(weight, bias))
        before = os.stat(path).st_ino
        keep = os.path.join(place, "kept")
        os.link(path, keep)
        save(path, *pair(other, bias))
        return content(path), content(keep), os.stat(path).st_ino == before


def test_save_checkpoint_again(student):
    """replaces an older checkpoint"""
    weight, bias, _, _ = task()
    other = torch.randn(2, 3)
    due = numbers(*pair(other, bias))
    found, _, _ = student.run(twice, student.save_checkpoint, weight, bias, other)
    assert_content(found, due, "saved over an older one")


def test_save_checkpoint_replaced(student):
    """lets a finished file take the old one's place, and does not write over it"""
    weight, bias, _, _ = task()
    other = torch.randn(2, 3)
    _, kept, same = student.run(twice, student.save_checkpoint, weight, bias, other)
    if same or isinstance(kept, str) or not torch.equal(kept[0], weight):
        raise Mismatch(
            "The new checkpoint was written into the old file. If that is interrupted, there is "
            "neither the old one nor the new: write another file and let os.replace move it.",
            expected="another file in its place",
            got="the same file, written over",
        )


class Unsaveable:
    """Cannot be pickled; what was written before it has been written."""

    def __reduce__(self):
        raise OSError("no space left on the device")


class Halfway(Momentum):
    """An optimizer whose state breaks off while it is being written."""

    def state_dict(self):
        return {**super().state_dict(), "rest": Unsaveable()}


class Broken(Momentum):
    """An optimizer that cannot tell its state."""

    def state_dict(self):
        raise OSError("no space left on the device")


def interrupted(save, weight, bias, kind):
    """What is left when saving breaks off: of an old checkpoint, in the folder, as an error."""
    with folder() as place:
        path = os.path.join(place, "checkpoint.pt")
        net, optimizer = pair(weight, bias)
        torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, path)
        before = set(os.listdir(place))
        broken = kind(net.parameters())
        with torch.no_grad():
            net.weight.zero_()
        try:
            save(path, net, broken)
            raised = "nothing"
        except OSError:
            raised = "OSError"
        except Exception as error:
            raised = type(error).__name__
        return content(path), sorted(set(os.listdir(place)) - before), raised


def breakdowns(student):
    """What is due of the old checkpoint, and what two ways to break off leave."""
    for kind in (Broken, Halfway):
        weight, bias, _, _ = task()
        due = numbers(*pair(weight, bias))
        yield due, *student.run(interrupted, student.save_checkpoint, weight, bias, kind)


def test_save_checkpoint_interrupted(student):
    """leaves the old checkpoint whole when saving breaks off half way"""
    for due, found, _, _ in breakdowns(student):
        if isinstance(found, str):
            raise Mismatch(
                f"Saving broke off, and the old checkpoint is lost: {found}. Write to another "
                "file, and replace the old one only when that is complete.",
                expected="the old checkpoint",
                got=found,
            )
        assert_numbers(found, due, "in the old checkpoint, after saving broke off")


def test_save_checkpoint_raises(student):
    """passes on the exception that broke it off"""
    for _, _, _, raised in breakdowns(student):
        if raised == "nothing":
            raise Mismatch(
                "Saving broke off, but no exception says so: the caller goes on without a "
                "checkpoint. Clean up with try … finally, and let the exception pass.",
                expected="the exception",
                got="none",
            )


def test_save_checkpoint_tidy(student):
    """leaves no other file behind, neither in success nor in failure"""
    given = task()
    _, names = student.run(saved, student.save_checkpoint, *given, 1)
    assert_same(list(names), ["checkpoint.pt"], what="the list of files in the folder")
    for _, _, stray, _ in breakdowns(student):
        assert_same(list(stray), [], what="the list of new files after saving broke off")


def untouched(save, weight, bias, X, y):
    net, optimizer = pair(weight, bias)
    trained(net, optimizer, X, y, 2)
    net.eval()
    with folder() as place:
        save(os.path.join(place, "checkpoint.pt"), net, optimizer)
    return numbers(net, optimizer), net.training


def test_save_checkpoint_arguments(student):
    """leaves net and optimizer alone"""
    given = task()
    due = after(*given, 2)
    found, training = student.run(untouched, student.save_checkpoint, *given)
    assert_numbers(found, due, "after saving")
    if training:
        raise Mismatch("A net in eval mode is in train mode after saving.")


def elsewhere(save, weight, bias):
    """The same checkpoint by a Path, by a name alone, and by a name without a suffix."""
    before = Path.cwd()
    with folder() as place:
        os.chdir(place)
        try:
            paths = Path(place) / "by path.pt", "name.pt", "bare"
            for path in paths:
                save(path, *pair(weight, bias))
            return [content(path) for path in paths]
        finally:
            os.chdir(before)


def test_save_checkpoint_paths(student):
    """takes a pathlib.Path, and a name without a folder"""
    weight, bias, _, _ = task()
    due = numbers(*pair(weight, bias))
    found = student.run(elsewhere, student.save_checkpoint, weight, bias)
    kinds = ("by a pathlib.Path", "by a name alone", "by a name without a suffix")
    for one, kind in zip(found, kinds, strict=True):
        assert_content(one, due, f"saved {kind}")


# --- load_checkpoint ------------------------------------------------------------------------


def written(path, net, optimizer):
    """A checkpoint as the contract has it."""
    torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, path)


def restored(load, weight, bias, X, y, steps, more):
    """Train, save, load into a fresh pair, and go on; all that changes, before and after."""
    net, optimizer = pair(weight, bias)
    trained(net, optimizer, X, y, steps)
    with folder() as place:
        path = os.path.join(place, "checkpoint.pt")
        written(path, net, optimizer)
        with open(path, "rb") as file:
            before = file.read()
        net, optimizer = pair(torch.zeros_like(weight), torch.ones_like(bias), lr=7.0)
        same = list(net.parameters())
        load(path, net, optimizer)
        with open(path, "rb") as file:
            untouched = file.read() == before and os.listdir(place) == ["checkpoint.pt"]
    found = numbers(net, optimizer)
    kept = all(a is b for a, b in zip(same, net.parameters(), strict=True))
    trained(net, optimizer, X, y, more)
    return found, numbers(net, optimizer), kept, untouched


def test_load_checkpoint_restores(student):
    """puts everything back, bit for bit"""
    for steps in (0, 1, 3):
        given = task()
        due = after(*given, steps)
        found, *_ = student.run(restored, student.load_checkpoint, *given, steps, 0)
        assert_numbers(found, due, "after loading")


def test_load_checkpoint_continues(student):
    """lets training go on as if it had never stopped"""
    for steps, more in ((1, 1), (3, 4)):
        given = task()
        due = after(*given, steps + more)
        _, found, *_ = student.run(restored, student.load_checkpoint, *given, steps, more)
        for name, one, other in zip(NAMES, found, due, strict=True):
            told = f"the {name} after {steps} steps, a checkpoint and {more} more steps"
            assert_same(float(one) if isinstance(other, float) else one, other, what=told)


def with_adam(load, weight, bias, X, y):
    """Three steps of Adam, a checkpoint, and three more steps of another Adam."""
    net, _ = pair(weight, bias)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.1)
    trained(net, optimizer, X, y, 3)
    with folder() as place:
        path = os.path.join(place, "checkpoint.pt")
        written(path, net, optimizer)
        net, _ = pair(weight, bias)
        optimizer = torch.optim.Adam(net.parameters(), lr=0.5)
        load(path, net, optimizer)
    trained(net, optimizer, X, y, 3)
    return [p.detach().clone() for p in net.parameters()]


def adam_by_hand(weight, bias, X, y):
    """Where six steps of Adam lead, without torch.optim's long import."""
    net, _ = pair(weight, bias)
    parameters = list(net.parameters())
    m, v = ([torch.zeros_like(p) for p in parameters] for _ in range(2))
    for t in range(1, 7):
        with torch.enable_grad():
            gradients = torch.autograd.grad(F.mse_loss(net(X), y), parameters)
        with torch.no_grad():
            for k, g in enumerate(gradients):
                m[k] = 0.9 * m[k] + 0.1 * g
                v[k] = 0.999 * v[k] + 0.001 * g**2
                mean, scale = m[k] / (1 - 0.9**t), (v[k] / (1 - 0.999**t)).sqrt()
                parameters[k] -= 0.1 * mean / (scale + 1e-8)
    return [p.detach() for p in parameters]


@pytest.mark.training  # torch.optim has a long import
def test_load_checkpoint_adam(student):
    """lets Adam go on as if it had never stopped"""
    given = task()
    due = adam_by_hand(*given)
    found = student.run(with_adam, student.load_checkpoint, *given)
    for name, one, other in zip(NAMES, found, due, strict=False):
        off = float((one - other).abs().max())
        if not off < 1e-4:  # six steps in float32 leave 1e-6; a fresh Adam is off by 0.05
            raise Mismatch(
                f"After a checkpoint Adam does not go on as before: the {name} is off by {off:.3g}."
            )


def test_load_checkpoint_objects(student):
    """fills the parameters that are there, and leaves the file alone"""
    given = task()
    _, _, kept, untouched = student.run(restored, student.load_checkpoint, *given, 1, 0)
    if not kept:
        raise Mismatch(
            "The net has new parameters after loading, which its optimizer does not know: it would "
            "move the old ones. load_state_dict fills them in place."
        )
    if not untouched:
        raise Mismatch("Loading changed the file, or left another one in its folder.")


def missing(load):
    with folder() as place:
        return attempt(load, os.path.join(place, "none.pt"), nn.Linear(2, 1))


def other_net(load):
    with folder() as place:
        path = os.path.join(place, "checkpoint.pt")
        net = nn.Linear(3, 1)
        written(path, net, Momentum(net.parameters()))
        return attempt(load, path, nn.Linear(2, 1))


def attempt(load, path, net):
    """The kind of exception that loading raises."""
    try:
        load(path, net, Momentum(net.parameters()))
    except (FileNotFoundError, RuntimeError) as error:
        return "FileNotFoundError" if isinstance(error, FileNotFoundError) else "RuntimeError"
    except Exception as error:
        return type(error).__name__
    return "nothing"


def test_load_checkpoint_refuses(student):
    """refuses a file that is not there, and a net of another shape"""
    for case, due in ((missing, "FileNotFoundError"), (other_net, "RuntimeError")):
        found = student.run(case, student.load_checkpoint)
        if found != due:
            raise Mismatch(
                f"The contract asks for {due} here; your code raised {found}.",
                expected=due,
                got=found,
            )


def from_a_gpu(load, weight, bias):
    """A checkpoint whose tensors are said to be on a GPU, read where there may be none."""
    net, optimizer = pair(weight, bias)
    with folder() as place:
        path = os.path.join(place, "checkpoint.pt")
        tag = torch.serialization.location_tag
        torch.serialization.location_tag = lambda storage: "cuda:0"
        try:
            written(path, net, optimizer)
        finally:
            torch.serialization.location_tag = tag
        net, optimizer = pair(torch.zeros_like(weight), bias)
        load(path, net, optimizer)
    return numbers(net, optimizer)


def test_load_checkpoint_anywhere(student):
    """reads on the CPU what was written on a GPU"""
    weight, bias, _, _ = task()
    due = numbers(*pair(weight, bias))
    found = student.run(from_a_gpu, student.load_checkpoint, weight, bias)
    assert_numbers(found, due, "loaded")


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return os.mkdir, (self.place,)


def trapped(load):
    """Whether reading a checkpoint runs code that is hidden in it."""
    with folder() as place:
        path, mark = os.path.join(place, "checkpoint.pt"), os.path.join(place, "mark")
        net = nn.Linear(2, 1)
        torch.save({"net": net.state_dict(), "optimizer": {"trap": Trap(mark)}}, path)
        attempt(load, path, copy.deepcopy(net))
        return os.path.exists(mark)


def test_load_checkpoint_safe(student):
    """never runs code that is hidden in a checkpoint"""
    if student.run(trapped, student.load_checkpoint):
        raise Mismatch(
            "A checkpoint made for this check ran a command of its own while it was loaded. Read "
            "files as data: torch.load(path, weights_only=True)."
        )


def by_path(load, weight, bias):
    net, optimizer = pair(weight, bias)
    with folder() as place:
        path = Path(place) / "checkpoint.pt"
        written(path, net, optimizer)
        net, optimizer = pair(torch.zeros_like(weight), bias)
        load(path, net, optimizer)
    return numbers(net, optimizer)


def test_load_checkpoint_paths(student):
    """takes a pathlib.Path"""
    weight, bias, _, _ = task()
    due = numbers(*pair(weight, bias))
    assert_numbers(student.run(by_path, student.load_checkpoint, weight, bias), due, "loaded")
