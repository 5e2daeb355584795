"""What a call across the wire costs, beside an echo of the same bytes over a bare socket pair.

Run `python tests/benchmarks/roundtrip.py`. Every row is measured in turns with its yardstick in
one run and compared by medians, so that a busy machine slows both. Budgets: a small call at most
2.5 × its echo; large tensors at least 1 GB/s, both directions counted.
"""

from __future__ import annotations

import multiprocessing
import socket
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":  # under pytest the source root is on the path already
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "grader"))

import torch

from d2lgrade.contestant.loader import File, Program
from d2lgrade.sandbox.process import ProcessSandbox
from d2lgrade.student.namespace import Student
from d2lgrade.student.remote import RemoteLink

SOURCE = "def same(X):\n    return X * 1\n"
SMALL, LARGE = (8, 8), ((4 << 20,), (16 << 20,))  # float32: 256 bytes; 16 and 64 MB


@dataclass(frozen=True)
class Row:
    """One measurement: a call and the echo of the same bytes, medians in seconds."""

    what: str
    call: float
    echo: float
    size: int  # bytes, both directions together
    budget: str
    met: bool

    @property
    def ratio(self) -> float:
        """How many echoes one call costs."""
        return self.call / self.echo

    @property
    def rate(self) -> float:
        """Gigabytes a second, both directions counted."""
        return self.size / self.call / 1e9


def measure(small: int = 2000, large: int = 15) -> list[Row]:
    """The rows, from so many repetitions of a small call and of each large one."""
    torch.set_num_threads(1)  # as the judge has it
    rows = []
    with _learner() as student:
        for shape, repeat in ((SMALL, small), *((shape, large) for shape in LARGE)):
            size = torch.Size(shape).numel() * 4
            with _echo(size) as echo:
                call, bare = _medians(student, shape, echo, repeat)
            little = shape == SMALL
            met = call <= 2.5 * bare if little else 2 * size / call >= 1e9
            budget = "at most 2.5 echoes" if little else "at least 1 GB/s"
            what = "8 × 8 float32" if little else f"{size >> 20} MB float32"
            rows.append(Row(what, call, bare, 2 * size, budget, met))
    return rows


def _medians(
    student: Student, shape: tuple[int, ...], echo: Callable[[], object], repeat: int
) -> tuple[float, float]:
    """Medians of a call with a tensor it has not seen and of the echo, taken in turns."""
    calls: list[float] = []
    echoes: list[float] = []
    for turn in range(repeat + repeat // 4 + 3):
        X = torch.randn(shape)
        start = time.perf_counter()
        student.same(X)
        middle = time.perf_counter()
        echo()
        end = time.perf_counter()
        if turn > repeat // 4:  # the first quarter warms both up
            calls.append(middle - start)
            echoes.append(end - middle)
    return statistics.median(calls), statistics.median(echoes)


@contextmanager
def _learner() -> Iterator[Student]:
    sandbox = ProcessSandbox()
    try:
        connection = sandbox.contestant()
        link = RemoteLink(connection)
        link.load(Program({"m": File("m", "m.py", SOURCE)}, {"ch00/same": "m"}))
        student = link.student = Student(link, lambda name: f"ch00/{name}")
        yield student
        connection.close()
    finally:
        sandbox.close()


@contextmanager
def _echo(size: int) -> Iterator[Callable[[], None]]:
    """A process that sends back what it gets, in buffers used again and again."""
    ours, theirs = socket.socketpair()
    process = multiprocessing.get_context("fork").Process(target=_answer, args=(theirs, ours, size))
    process.start()
    theirs.close()
    out, back = bytes(size), memoryview(bytearray(size))

    def once() -> None:
        ours.sendall(out)
        _fill(ours, back)

    try:
        yield once
    finally:
        ours.close()
        process.join()


def _answer(sock: socket.socket, other: socket.socket, size: int) -> None:
    other.close()
    buffer = memoryview(bytearray(size))
    while _fill(sock, buffer):
        sock.sendall(buffer)


def _fill(sock: socket.socket, buffer: memoryview) -> bool:
    filled = 0
    while filled < len(buffer):
        count = sock.recv_into(buffer[filled:])
        if not count:
            return False
        filled += count
    return True


def main() -> None:
    """Print the table."""
    print(f"{'call':<16}{'time':>12}{'echo':>12}{'ratio':>8}{'GB/s':>8}  budget")
    for row in measure():
        print(
            f"{row.what:<16}{row.call * 1e6:>9.0f} µs{row.echo * 1e6:>9.0f} µs{row.ratio:>8.2f}"
            f"{row.rate:>8.2f}  {row.budget}: {'met' if row.met else 'MISSED'}"
        )


if __name__ == "__main__":
    main()
