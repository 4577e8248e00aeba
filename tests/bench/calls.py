"""The cost of calling a kernel on three arrays of 16 floats, against np.add(a, b, out=c), and of building one."""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

import tewb
from tests.bench.harness import heading, race, samples, shown
from tests.bench.matmul import scheduled
from tewb import te
from tewb.runtime.jit import Compiled


class Shares:
    """An array that only DLPack shows."""

    def __init__(self, a: Any) -> None:
        self.a = a

    def __dlpack__(self, **keywords: Any) -> Any:
        return self.a.__dlpack__(**keywords)

    def __dlpack_device__(self) -> Any:
        return self.a.__dlpack_device__()


def adder(n: Any) -> Any:
    A, B = te.placeholder((n,), name="A"), te.placeholder((n,), name="B")
    C = te.compute((n,), lambda i: A[i] + B[i], name="C")
    return tewb.build(te.create_schedule(C.op), [A, B, C])


def main() -> None:
    heading("a call with three arrays of 16", "np.add")
    kernel, symbolic = adder(16), adder(te.var("n"))
    a, b, c = (np.arange(16, dtype="float32") for _ in range(3))
    for k in (kernel, symbolic):
        k(a, b, c)
        np.testing.assert_array_equal(c, a + b)
    x, y, z = Shares(a), Shares(b), Shares(c)
    ways: tuple[tuple[str, Callable[[], Any]], ...] = (
        ("kernel(a, b, c)", lambda: kernel(a, b, c)),
        ("kernel(a, b, c), size n", lambda: symbolic(a, b, c)),
        ("kernel(a, b, C=c)", lambda: kernel(a, b, C=c)),
        ("c = kernel(a, b)", lambda: kernel(a, b)),
        ("kernel(x, y, z), DLPack", lambda: kernel(x, y, z)),
    )
    for name, call in ways:
        print(race(name, call, lambda: np.add(a, b, out=c)))
    large = adder(1 << 15)
    p, q, r = (np.zeros(1 << 15, "float32") for _ in range(3))
    print(race("kernel of 32768, without Python's lock", lambda: large(p, q, r), lambda: np.add(p, q, out=r)))
    with tempfile.TemporaryDirectory() as directory, set_cache(directory):
        print(f"\n{'':<44} {'cold':>10}  {'':>4} {'warm':>10}")
        show("build of a sum", lambda: lambda: adder(17))
        s, args = scheduled(1024, 1024, 1024, rows=4)
        show("build of a scheduled matmul", lambda: lambda: tewb.build(s, args))
        show("the same, machine code alone", lambda: partial(Compiled, text_of(s, args)))
        show("the call that makes an entry", second_call)


def show(name: str, prepare: Callable[[], Callable[[], Any]]) -> None:
    """Medians of what `prepare` gives, without and with the object cache."""
    cold, warm = [], []
    for _ in range(9):
        with tewb.PassContext(config={"tewb.object_cache": False}):
            cold.append(samples(prepare(), 1))
        prepare()()
        warm.append(samples(prepare(), 1))
    print(f"{name:<44} {shown(statistics.median(cold)):>10}  {'':>4} {shown(statistics.median(warm)):>10}")


def second_call() -> Callable[[], Any]:
    """The second call of a kernel, which makes its entry."""
    kernel = adder(17)
    a, b, c = (np.arange(17, dtype="float32") for _ in range(3))
    kernel(a, b, c)
    return lambda: kernel(a, b, c)


def text_of(s: Any, args: Any) -> str:
    """The LLVM text of a kernel, without the two lines that name the machine."""
    return str(tewb.build(s, args).get_source("ll0")).split("\n", 2)[2]


@contextmanager
def set_cache(directory: str) -> Iterator[None]:
    before = os.environ.get("TEWB_CACHE_DIR")
    os.environ["TEWB_CACHE_DIR"] = directory
    try:
        yield
    finally:
        os.environ.pop("TEWB_CACHE_DIR")
        if before is not None:
            os.environ["TEWB_CACHE_DIR"] = before
