"""Programs for tests of blocks: each makes a schedule, its arguments, and arrays for its inputs, with random sizes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import tewb
from tewb import te


@dataclass
class Case:
    """A kernel with what it is given. Results of an exact one do not depend on the order of additions."""

    schedule: Any
    args: list[Any]
    given: list[Any]
    exact: bool = True

    def kernel(self) -> Any:
        return tewb.build(self.schedule, self.args)


Make = Callable[[Any], Case]
PROGRAMS: dict[str, Make] = {}


def program(f: Make) -> Make:
    PROGRAMS[f.__name__] = f
    return f


def sizes(rng: Any, count: int, low: int = 1, high: int = 24) -> list[int]:
    return [int(n) for n in rng.integers(low, high, count)]


def floats(rng: Any, *shape: int) -> Any:
    """Whole numbers as float32: sums of them are exact."""
    return rng.integers(-9, 10, shape).astype("float32")


def schedule(*outputs: Any) -> Any:
    return te.create_schedule([t.op for t in outputs])


@program
def elementwise(rng: Any) -> Case:
    n, m = te.var("n"), te.var("m")
    A, B = te.placeholder((n, m), name="A"), te.placeholder((m,), name="B")
    C = te.compute((n, m), lambda i, j: A[i, j] * B[j] + i * 100 + j, name="C")
    s = schedule(C)
    s[C].vectorize(s[C].split("j", 4)[1])
    p, q = sizes(rng, 2)
    return Case(s, [A, B, C], [floats(rng, p, q), floats(rng, q)])


@program
def padded_stencil(rng: Any) -> Case:
    (n, m), (r,) = sizes(rng, 2), sizes(rng, 1, 0, 6)
    A = te.placeholder((n, m), name="A")
    B = te.compute(
        (n, m),
        lambda i, j: te.if_then_else(te.all(i >= r, j + r < m), A[i - r, j + r], A[i, j] * 2.0) + i * 3 - j,
        name="B",
    )
    return Case(schedule(B), [A, B], [floats(rng, n, m)])


@program
def clamped_stencils(rng: Any) -> Case:
    (n,), (r,) = sizes(rng, 1), sizes(rng, 1, 0, 9)
    A = te.placeholder((n,), name="A")
    T = te.compute((n,), lambda i: A[te.max(i - r, 0)] + A[te.min(i + r, n - 1)], name="T")
    B = te.compute((n,), lambda i: T[te.max(i - 1, 0)] * T[i], name="B")
    s = schedule(B)
    s[T].compute_at(s[B], s[B].split("i", 4)[0])
    return Case(s, [A, B], [floats(rng, n)])


@program
def periodic_stencil(rng: Any) -> Case:
    (n,), (r,) = sizes(rng, 1), sizes(rng, 1, 0, 5)
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[(i + r) % n] + A[i], name="B")
    return Case(schedule(B), [A, B], [floats(rng, n)])


@program
def convolution(rng: Any) -> Case:
    (h, w), (step,) = sizes(rng, 2, 1, 5), sizes(rng, 1, 1, 4)
    n, m = h + int(rng.integers(0, 20)), w + int(rng.integers(0, 20))
    A, K = te.placeholder((n, m), name="A"), te.placeholder((h, w), name="K")
    a, b = te.reduce_axis((0, h), name="a"), te.reduce_axis((0, w), name="b")
    C = te.compute(
        ((n - h) // step + 1, (m - w) // step + 1),
        lambda i, j: te.sum(A[i * step + a, j * step + b] * K[a, b], axis=[a, b]),
        name="C",
    )
    return Case(schedule(C), [A, K, C], [floats(rng, n, m), floats(rng, h, w)])


@program
def upsampled(rng: Any) -> Case:
    (n,), (f,) = sizes(rng, 1), sizes(rng, 1, 1, 5)
    A = te.placeholder((n,), name="A")
    B = te.compute((n * f,), lambda i: A[i // f] + i % f, name="B")
    return Case(schedule(B), [A, B], [floats(rng, n)])


@program
def turned_round(rng: Any) -> Case:
    n, m = sizes(rng, 2)
    A = te.placeholder((n, m), name="A")
    B = te.compute((m, n), lambda i, j: A[j, m - 1 - i], name="B")
    return Case(schedule(B), [A, B], [floats(rng, n, m)])


@program
def joined(rng: Any) -> Case:
    n, m = sizes(rng, 2)
    A, B = te.placeholder((n,), name="A"), te.placeholder((m,), name="B")
    C = te.compute((n + m,), lambda i: te.if_then_else(i < n, A[i], B[i - n]), name="C")
    return Case(schedule(C), [A, B, C], [floats(rng, n), floats(rng, m)])


@program
def gathered(rng: Any) -> Case:
    n, m = sizes(rng, 2)
    A, at = te.placeholder((n,), name="A"), te.placeholder((m,), "int32", name="at")
    C = te.compute((m,), lambda i: A[at[i]] + A[at[i] // 2], name="C")
    return Case(schedule(C), [A, at, C], [floats(rng, n), rng.integers(0, n, m).astype("int32")])


@program
def product(rng: Any) -> Case:
    """A matrix product whose terms use k, are chosen, and begin with a bias; another stage reads a row of it."""
    n, m, p = sizes(rng, 3)
    A, B = te.placeholder((n, p), "int64", name="A"), te.placeholder((p, m), "int64", name="B")
    bias = te.placeholder((m,), "int64", name="bias")
    k = te.reduce_axis((0, p), name="k")
    C = te.compute(
        (n, m),
        lambda i, j: te.sum(A[i, k] * B[k, j] + k, axis=k, init=bias[j], where=(k + i) % 3 != 0),
        name="C",
    )
    D = te.compute((n, m), lambda i, j: C[i, j] * 2 + C[0, j], name="D")
    given = [rng.integers(-5, 6, shape) for shape in ((n, p), (p, m), (m,))]
    return Case(schedule(D), [A, B, bias, D], given)


@program
def triangle(rng: Any) -> Case:
    (n,) = sizes(rng, 1)
    A, x = te.placeholder((n, n), "int64", name="A"), te.placeholder((n,), "int64", name="x")

    def row(i: Any) -> Any:
        k = te.reduce_axis((0, i + 1), name="k")
        return te.sum(A[i, k] * x[k], axis=k)

    y = te.compute((n,), row, name="y")
    return Case(schedule(y), [A, x, y], [rng.integers(-5, 6, (n, n)), rng.integers(-5, 6, n)])


@program
def sparse_rows(rng: Any) -> Case:
    n, m = sizes(rng, 2, 1, 12)
    dense = (rng.random((n, m)) < 0.4) * rng.integers(1, 9, (n, m))
    begins = np.concatenate([[0], (dense != 0).sum(1).cumsum()]).astype("int32")
    rows, columns = np.nonzero(dense)
    values, columns = np.append(dense[rows, columns], 0), np.append(columns, 0).astype("int32")
    z = len(values)
    data, at = te.placeholder((z,), "int64", name="data"), te.placeholder((z,), "int32", name="at")
    begin, x = te.placeholder((n + 1,), "int32", name="begin"), te.placeholder((m,), "int64", name="x")

    def row(i: Any) -> Any:
        k = te.reduce_axis((begin[i], begin[i + 1]), name="k")
        return te.sum(data[k] * x[at[k]], axis=k)

    y = te.compute((n,), row, name="y")
    return Case(schedule(y), [data, at, begin, x, y], [values, columns, begins, rng.integers(-5, 6, m)])


def argmax() -> Any:
    def larger(x: Any, y: Any) -> Any:
        return [te.if_then_else(x[1] >= y[1], x[v], y[v]) for v in (0, 1)]

    return te.comm_reducer(larger, lambda i, v: [te.const(-1, i), te.min_value(v)], name="argmax")


@program
def largest_of_rows(rng: Any) -> Case:
    n, m = sizes(rng, 2)
    A, k = te.placeholder((n, m), name="A"), te.reduce_axis((0, m), name="k")
    at, value = te.compute((n,), lambda i: argmax()((k.var, A[i, k]), axis=k), name="T")
    return Case(schedule(at), [A, at, value], [floats(rng, n, m)])


@program
def largest_of_all(rng: Any) -> Case:
    n, m = sizes(rng, 2, 2)
    A = te.placeholder((n, m), "int64", name="A")
    i, j = te.reduce_axis((1, n), name="i"), te.reduce_axis((0, m), name="j")
    S = te.compute((1,), lambda _: te.max(A[i, j] + i * j, axis=[i, j]), name="S")
    return Case(schedule(S), [A, S], [rng.integers(-50, 50, (n, m))])


@program
def first_of_equal_ones(rng: Any) -> Case:
    """The place of the largest of few values, over several axes: the first in the order of elements."""
    n, m, p = sizes(rng, 3, 1, 9)
    A = te.placeholder((p, n, m), "int64", name="A")
    i, j = te.reduce_axis((0, n), name="i"), te.reduce_axis((0, m), name="j")
    at, value = te.compute((p,), lambda b: argmax()((i.var * m + j.var, A[b, i, j]), axis=[i, j]), name="T")
    return Case(schedule(at), [A, at, value], [rng.integers(0, 2, (p, n, m))])


@program
def last_that_is_not_zero(rng: Any) -> Case:
    """A reducer of one value that takes the later of two."""
    n, m = sizes(rng, 2, 1, 12)
    A = te.placeholder((n, m), "int64", name="A")
    i, j = te.reduce_axis((0, n), name="i"), te.reduce_axis((0, m), name="j")
    last = te.comm_reducer(lambda x, y: te.if_then_else(y != 0, y, x), lambda t: te.const(0, t), name="last")
    B = te.compute((1,), lambda _: last(A[i, j], axis=[i, j]), name="B")
    return Case(schedule(B), [A, B], [rng.integers(0, 9, (n, m)) * (rng.random((n, m)) < 0.3)])


@program
def normalised_rows(rng: Any) -> Case:
    """Two sums over rows, each of which is needed before what follows."""
    n, m = sizes(rng, 2)
    A = te.placeholder((n, m), name="A")
    k, q = te.reduce_axis((0, m), name="k"), te.reduce_axis((0, m), name="q")
    S = te.compute((n,), lambda i: te.sum(A[i, k], axis=k), name="S")
    D = te.compute((n, m), lambda i, j: A[i, j] - S[i] / m, name="D")
    Q = te.compute((n,), lambda i: te.sum(D[i, q] * D[i, q], axis=q), name="Q")
    Y = te.compute((n, m), lambda i, j: D[i, j] / te.sqrt(Q[i] / m + 1.0), name="Y")
    s = schedule(Y)
    s[D].compute_inline()
    s[Y].parallel("i")
    return Case(s, [A, Y], [floats(rng, n, m)], exact=False)


@program
def tiled_with_a_number(rng: Any) -> Case:
    n, m, alpha = te.var("n"), te.var("m"), te.var("alpha", "float32")
    A = te.placeholder((n, m), name="A")
    T = te.compute((n, m), lambda i, j: A[i, j] * alpha, name="T")
    B = te.compute((n, m), lambda i, j: T[i, j] + te.if_then_else(i > 0, T[i - 1, j], 0.0), name="B")
    s = schedule(B)
    _, jo, _, ji = s[B].tile("i", "j", 4, 8)
    s[T].compute_at(s[B], jo)
    s[B].vectorize(ji)
    p, q = sizes(rng, 2)
    return Case(s, [A, alpha, B], [floats(rng, p, q), 2.5])


@program
def two_outputs(rng: Any) -> Case:
    """The second output reads neighbours of the first."""
    n, m = sizes(rng, 2, 3)
    A = te.placeholder((n, m), name="A")
    B = te.compute((n, m), lambda i, j: A[i, j] + 1.0, name="B")
    C = te.compute((n - 2, m), lambda i, j: B[i, j] - B[i + 2, j], name="C")
    return Case(schedule(B, C), [A, B, C], [floats(rng, n, m)])
