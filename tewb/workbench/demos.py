"""Programs to start with: `tewb.demo("matmul")`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from tewb import te
from tewb.base import TewbError, check_given, is_count, one_of
from tewb.runtime import register_func
from tewb.schedule import Schedule
from tewb.tensor import Tensor
from tewb.workbench.session import Session


def matmul(n: int = 512) -> tuple[Schedule, list[Tensor], Callable[..., Any]]:
    """C = A @ B, n x n."""
    A = te.placeholder((n, n), name="A")
    B = te.placeholder((n, n), name="B")
    k = te.reduce_axis((0, n), name="k")
    C = te.compute((n, n), lambda i, j: te.sum(A[i, k] * B[k, j], axis=k), name="C")
    return te.create_schedule(C.op), [A, B, C], np.matmul


def blur(n: int = 1024) -> tuple[Schedule, list[Tensor], Callable[..., Any]]:
    """A 3 x 3 mean in two stages, along the rows and then along the columns; the edge repeats."""
    A = te.placeholder((n, n), name="A")
    X = te.compute(
        (n, n), lambda i, j: A[i, te.max(j - 1, 0)] + A[i, j] + A[i, te.min(j + 1, n - 1)], name="X"
    )
    Y = te.compute(
        (n, n),
        lambda i, j: (X[te.max(i - 1, 0), j] + X[i, j] + X[te.min(i + 1, n - 1), j]) * (1 / 9),
        name="Y",
    )

    def reference(a: Any) -> Any:
        rows = np.pad(a, ((0, 0), (1, 1)), mode="edge")
        x = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
        columns = np.pad(x, ((1, 1), (0, 0)), mode="edge")
        return (columns[:-2] + columns[1:-1] + columns[2:]) * np.float32(1 / 9)

    return te.create_schedule(Y.op), [A, Y], reference


def softmax(n: int = 512, m: int = 512) -> tuple[Schedule, list[Tensor], Callable[..., Any]]:
    """exp(a - max) / sum, row by row."""
    A = te.placeholder((n, m), name="A")
    k = te.reduce_axis((0, m), name="k")
    M = te.compute((n,), lambda i: te.max(A[i, k], axis=k), name="M")
    E = te.compute((n, m), lambda i, j: te.exp(A[i, j] - M[i]), name="E")
    r = te.reduce_axis((0, m), name="r")
    S = te.compute((n,), lambda i: te.sum(E[i, r], axis=r), name="S")
    P = te.compute((n, m), lambda i, j: E[i, j] / S[i], name="P")

    def reference(a: Any) -> Any:
        e = np.exp(a - a.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    return te.create_schedule(P.op), [A, P], reference


def extern(n: int = 3, access: str = "elementwise") -> tuple[Schedule, list[Tensor], Callable[..., Any]]:
    """An extern between two computes: `compute_at` shrinks it to a tile, or not with access="whole"."""
    register_func("tewb.demo.triple", _triple, override=True)
    A = te.placeholder((n, 4, 8), name="A")
    E = te.extern(
        (n, 4, 8),
        [A],
        lambda ins, outs: te.call_packed("tewb.demo.triple", ins[0], outs[0]),
        name="E",
        access=getattr(te.access, access),
    )
    C = te.compute((n, 4, 8), lambda i, j, k: E[i, j, k] + 1.0, name="C")
    return te.create_schedule(C.op), [A, C], lambda a: a * 3 + 1


def _triple(a: Any, b: Any) -> None:
    """The packed function of the demo: it gets views of a tile of A and of E."""
    np.multiply(a, 3, out=b)


DEMOS: dict[str, Callable[..., tuple[Schedule, list[Tensor], Callable[..., Any]]]] = {
    "matmul": matmul,
    "blur": blur,
    "softmax": softmax,
    "extern": extern,
}


def demo_session(name: str = "matmul", **sizes: Any) -> Session:
    """The session of a demo program. Raises TewbError for an unknown name."""
    program = DEMOS[one_of("demo", name, DEMOS, TewbError)]
    known = inspect.signature(program).parameters
    for size, given in sizes.items():
        one_of(f"size of the demo {name}", size, known, TewbError)
        if size == "access":
            one_of("access", given, ("elementwise", "rows", "whole"), TewbError)
        else:
            hint = f"demo({name!r}, {size}={known[size].default})"
            check_given(is_count(given), size, given, "a number from 1 on", hint, TewbError)
    schedule, args, reference = program(**sizes)
    return Session(schedule, args, reference=reference)
