"""The cost of calling a kernel on three arrays of 16 floats, against np.add(a, b, out=c)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import tewb
from tests.bench.harness import heading, race, shown
from tewb import te


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
    print(f"{'the first call that makes an entry':<44} {shown(first_entry()):>10}")


def first_entry() -> float:
    """Seconds for the second call of a kernel with parameters that no other has."""
    kernel = adder(17)
    a, b, c = (np.arange(17, dtype="float32") for _ in range(3))
    kernel(a, b, c)
    start = time.perf_counter()
    kernel(a, b, c)
    return time.perf_counter() - start
