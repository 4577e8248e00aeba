"""Expressions of whole arrays, which numexpr runs block by block. It has no matrix products and slow sums of rows."""

from __future__ import annotations

from typing import Any

import numexpr
import numpy as np

from tests.bench.memory import empty
from tests.bench.peers import THREADS, Kernel, Maker

DISTRIBUTION = "numexpr"

numexpr.set_num_threads(THREADS)


def relu(a: Any, b: Any, c: Any) -> Kernel:
    out, names = empty(a.shape, a.dtype), {"a": a, "b": b, "c": c, "zero": np.float32(0)}
    return lambda: numexpr.evaluate(
        "where(a*b + c > zero, a*b + c, zero)", names, out=out, casting="same_kind"
    )


def blur(a: Any) -> Kernel:
    """In two expressions: the second reads what the first wrote."""
    rows, columns = a.shape[0], a.shape[1] - 2
    x, out = empty((rows, columns), a.dtype), empty((rows - 2, columns), a.dtype)
    third = np.float32(1 / 3)
    across = {"a": a[:, :-2], "b": a[:, 1:-1], "c": a[:, 2:], "third": third}
    down = {"a": x[:-2], "b": x[1:-1], "c": x[2:], "third": third}

    def run() -> Any:
        numexpr.evaluate("(a + b + c) * third", across, out=x)
        return numexpr.evaluate("(a + b + c) * third", down, out=out)

    return run


def softmax(a: Any) -> Kernel:
    """The largest of a row and the sum are numpy's, the rest numexpr's."""
    e, out = empty(a.shape, a.dtype), empty(a.shape, a.dtype)

    def run() -> Any:
        numexpr.evaluate("exp(a - top)", {"a": a, "top": a.max(axis=1, keepdims=True)}, out=e)
        total = e.sum(axis=1, keepdims=True)
        return numexpr.evaluate("e / total", {"e": e, "total": total}, out=out)

    return run


def layernorm(a: Any, g: Any, b: Any) -> Kernel:
    """The means are numpy's."""
    square, out = empty(a.shape, a.dtype), empty(a.shape, a.dtype)
    small = np.float32(1e-5)

    def run() -> Any:
        mean = a.mean(axis=1, keepdims=True)
        numexpr.evaluate("(a - mean) ** 2", {"a": a, "mean": mean}, out=square)
        v = square.mean(axis=1, keepdims=True)
        names = {"a": a, "mean": mean, "v": v, "small": small, "g": g, "b": b}
        return numexpr.evaluate("(a - mean) / sqrt(v + small) * g + b", names, out=out)

    return run


def jacobi(a: Any) -> Kernel:
    """Step by step; edges are the same in both arrays."""
    first, second = a.copy(), a.copy()
    quarter = np.float32(0.25)

    def step(old: Any, new: Any) -> None:
        near = {
            "n": old[:-2, 1:-1],
            "s": old[2:, 1:-1],
            "w": old[1:-1, :-2],
            "e": old[1:-1, 2:],
            "quarter": quarter,
        }
        numexpr.evaluate("(n + s + w + e) * quarter", near, out=new[1:-1, 1:-1])

    def run() -> Any:
        step(a, second)
        old, new = second, first
        for _ in range(9):
            step(old, new)
            old, new = new, old
        return old

    return run


KERNELS: dict[str, Maker] = {
    "relu": relu,
    "blur 3x3, 4096 x 4096, float32": blur,
    "Jacobi": jacobi,
    "softmax": softmax,
    "layernorm": layernorm,
}
