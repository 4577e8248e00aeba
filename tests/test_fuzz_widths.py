"""Random schedules of programs whose sizes and indices are of 32 and 64 bits, known and symbolic, mixed."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import PROGRAMS, Program, random_schedule
from tewb import te
from tewb.arith import Analyzer
from tewb.base import LowerError
from tewb.ir import Expr, Var, const_int, substitute
from tewb.tensor import Tensor
from tewb.testing import evaluate, random_array, tolerance

SEEDS = range(8)


def gathered(n: Any, m: Any) -> Program:
    """Stages that are read at indices of other dtypes than their own."""
    A = te.placeholder((n, m), name="A", dtype="int32")
    I = te.placeholder((m,), name="I", dtype="int64")  # noqa: E741
    J = te.placeholder((n,), name="J", dtype="int16")
    S = te.compute((n, m), lambda i, j: A[i, j] * 3 + i, name="S")
    T = te.compute((n, m), lambda i, j: S[i, te.max(te.min(I[j], m - 1), 0)] - j, name="T")
    U = te.compute(
        (n, m), lambda i, j: T[te.max(te.min(J[i].astype("int64") + i, n - 1), 0), j] * 2, name="U"
    )
    return [A, I, J], [U]


def reshaped(n: Any, m: Any) -> Program:
    """Indices that are quotients and remainders of one of another dtype."""
    A = te.placeholder((n, m), name="A", dtype="int32")
    F = te.compute((n * m,), lambda i: A[i // m, i % m] + i, name="F")
    k = te.reduce_axis((0, m), name="k")
    G = te.compute((n,), lambda i: te.sum(F[i * m + k] * (k + 1), axis=k), name="G")
    return [A], [G]


def shifted(n: Any, m: Any) -> Program:
    """Choices by indices, and a condition of a reduction."""
    A = te.placeholder((n, m), name="A", dtype="int64")
    P = te.compute(
        (n, m + 2),
        lambda i, j: te.if_then_else(te.all(j >= 1, j < m + 1), A[i, j - 1], te.const(-1, "int64")),
        name="P",
    )
    k = te.reduce_axis((0, 3), name="k")
    Q = te.compute((n, m), lambda i, j: te.sum(P[i, j + k], axis=k, where=te.any(k != 1, i > j)), name="Q")
    return [A], [Q]


MIXED = {
    **{name: (PROGRAMS[name], n) for name, n in (("matmul", 3), ("chain", 2), ("blur", 2), ("padded", 1), ("rows", 2),
                                                 ("transposed", 2), ("turned", 2), ("argmax", 2))},
    **{f.__name__: (f, 2) for f in (gathered, reshaped, shifted)},
}  # fmt: skip


def some_size(name: str, n: int, rng: random.Random, values: dict[Var, int]) -> Any:
    """`n` as a number of some width, or as a variable that has this value."""
    dtype = rng.choice(["int32", "int64"])
    if rng.random() < 0.5:
        return te.const(n, dtype) if dtype == "int64" else n
    v = te.var(name, dtype)
    values[v] = n
    return v


def size_of(n: Expr, values: dict[Var, int]) -> int:
    known = substitute(n, {v: te.const(x, v.dtype) for v, x in values.items()})
    size = const_int(Analyzer().simplify(known))
    assert size is not None
    return size


def check(
    inputs: list[Tensor], outputs: list[Tensor], values: dict[Var, int], rng: random.Random, seed: int
) -> None:
    s = random_schedule(outputs, rng, rng.randint(1, 9))
    fill = np.random.default_rng(seed)
    arrays = [random_array([size_of(n, values) for n in t.shape], t.dtype, fill) for t in inputs]
    expected = evaluate(outputs, dict(zip(inputs, arrays, strict=True)), values)
    results = [np.full(e.shape, 77).astype(e.dtype) for e in expected]
    told = {n for t in (*inputs, *outputs) for n in t.shape if isinstance(n, Var)}
    extra = [v for v in values if v not in told]
    try:
        kernel = tewb.build(s, [*extra, *inputs, *outputs], debug=seed % 4 == 0)
    except LowerError as e:
        assert "not constant" in str(e)
        return
    kernel(*[values[v] for v in extra], *arrays, *results)
    for t, got, want in zip(outputs, results, expected, strict=True):
        rtol, atol = tolerance(t.dtype, 64)
        np.testing.assert_allclose(got, want, rtol=rtol, atol=atol, err_msg=f"{t.name}: {s.journal}")


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", MIXED)
@pytest.mark.parametrize("seed", SEEDS)
def test_random_schedule_of_mixed_widths_computes_the_same(name: str, seed: int) -> None:
    rng = random.Random(f"widths {name}{seed}")
    program, count = MIXED[name]
    values: dict[Var, int] = {}
    sizes = [some_size("nmk"[d], rng.randint(1, 20), rng, values) for d in range(count)]
    inputs, outputs = program(*sizes)
    check(inputs, outputs, values, rng, seed)
