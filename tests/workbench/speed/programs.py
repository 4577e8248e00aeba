"""Small programs whose speed is told of, each with a reason of its own."""

from __future__ import annotations

from typing import Any

import tewb
from tewb import te
from tewb.workbench.session import Session

Program = tuple[Any, list[Any]]


def matmul(n: int = 64, tile: tuple[int, int] | None = None, order: str = "") -> Session:
    """A matrix product; with a tile, its loops are io jo ii ji k, in another order if that is given."""
    A, B = te.placeholder((n, n), name="A"), te.placeholder((n, n), name="B")
    k = te.reduce_axis((0, n), name="k")
    C = te.compute((n, n), lambda i, j: te.sum(A[i, k] * B[k, j], axis=k), name="C")
    s = te.create_schedule(C.op)
    if tile:
        loops = dict(zip(("io", "jo", "ii", "ji"), s[C].tile("i", "j", *tile), strict=True))
        if order:
            s[C].reorder(*[k if x == "k" else loops[x] for x in order.split()])
    return Session(s, [A, B, C])


def tiled_matmul(n: int = 64, rows: int = 4, columns: int = 32) -> Session:
    """A matrix product with a tile of sums in registers."""
    session = matmul(n, (rows, columns), "io jo k ii ji")
    C = session.schedule["C"]
    C.vectorize("j.inner")
    C.unroll("i.inner")
    session.sync()
    return session


def unrolled(n: int = 8) -> Session:
    """A small product of which no loop is left."""
    session = matmul(n)
    C = session.schedule["C"]
    C.reorder("k", "i", "j")
    C.vectorize("j")
    C.unroll("i")
    C.unroll("k")
    session.sync()
    return session


def calling() -> Session:
    """A stage that calls, and one that computes."""
    A = te.placeholder((64, 512), name="A")
    call = lambda i, o: te.call_packed("tests.nothing", i[0], o[0])  # noqa: E731
    E = te.extern((64, 512), [A], call, name="E", access=te.access.elementwise)
    C = te.compute((64, 512), lambda i, j: E[i, j] * 2.0, name="C")
    return Session(te.create_schedule(C.op), [A, C])


def rolling(n: int = 64, m: int = 64) -> Session:
    """A stencil whose rows are kept for the next row, in strips of 16."""
    A = te.placeholder((n + 2, m), name="A")
    B = te.compute((n + 2, m), lambda i, j: A[i, j] * 2.0, name="B")
    C = te.compute((n, m), lambda i, j: B[i, j] + B[i + 1, j] + B[i + 2, j], name="C")
    s = te.create_schedule(C.op)
    io, ii = s[C].split("i", 16)
    s[B].compute_at(s[C], ii)
    s[B].store_at(s[C], io)
    return Session(s, [A, C])


def row_sum(n: int = 64, m: int = 256, dtype: str = "float32") -> Session:
    A = te.placeholder((n, m), name="A", dtype=dtype)
    k = te.reduce_axis((0, m), name="k")
    R = te.compute((n,), lambda i: te.sum(A[i, k], axis=k), name="R")
    return Session(te.create_schedule(R.op), [A, R])


def dot(n: Any = 1024, dtype: str = "float32", wide: str = "float32") -> Session:
    A, B = te.placeholder((n,), name="A", dtype=dtype), te.placeholder((n,), name="B", dtype=dtype)
    k = te.reduce_axis((0, n), name="k")
    R = te.compute((1,), lambda i: te.sum(A[k].astype(wide) * B[k].astype(wide), axis=k), name="R")
    return Session(te.create_schedule(R.op), [A, B, R])


def add(n: Any = 4096) -> Session:
    A, B = te.placeholder((n,), name="A"), te.placeholder((n,), name="B")
    C = te.compute((n,), lambda i: A[i] + B[i], name="C")
    return Session(te.create_schedule(C.op), [A, B, C])


def transpose(n: int = 64) -> Session:
    A = te.placeholder((n, n), name="A")
    T = te.compute((n, n), lambda i, j: A[j, i], name="T")
    return Session(te.create_schedule(T.op), [A, T])


def exp(n: int = 4096) -> Session:
    A = te.placeholder((n,), name="A")
    E = te.compute((n,), lambda i: te.exp(A[i]), name="E")
    return Session(te.create_schedule(E.op), [A, E])


def gather(n: int = 4096) -> Session:
    A, index = te.placeholder((n,), name="A"), te.placeholder((n,), name="I", dtype="int32")
    G = te.compute((n,), lambda i: A[te.max(te.min(index[i], n - 1), 0)], name="G")
    return Session(te.create_schedule(G.op), [A, index, G])


def prefix_sum(n: int = 1024) -> Session:
    """Each element needs the one before it, which has just been stored."""
    X = te.placeholder((n, 1), name="X")
    state = te.placeholder((n, 1), name="state")
    init = te.compute((1, 1), lambda _, i: X[0, i], name="first")
    update = te.compute((n, 1), lambda t, i: state[t - 1, i] * X[t, i], name="step")
    out = te.scan(init, update, state, inputs=[X])
    return Session(te.create_schedule(out.op), [X, out])


def divide(n: int = 4096) -> Session:
    A, B = te.placeholder((n,), name="A"), te.placeholder((n,), name="B")
    D = te.compute((n,), lambda i: A[i] / B[i], name="D")
    return Session(te.create_schedule(D.op), [A, B, D])


def sized_row_sum() -> Session:
    """A sum of rows whose size is given in a call."""
    n = te.var("n")
    A = te.placeholder((8, n), name="A")
    k = te.reduce_axis((0, n), name="k")
    R = te.compute((8,), lambda i: te.sum(A[i, k], axis=k), name="R")
    return tewb.Session(te.create_schedule(R.op), [A, R], sizes={"n": 4000})
