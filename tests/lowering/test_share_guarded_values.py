"""Values that several conditions guard: computed once, right, and only where they are wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.arith import Analyzer
from tewb.lowering.share_guarded_values import share_guarded_values
from tewb.testing import evaluate

N, STEPS = 53, 15

# The next value from `e`, the one before; p and q are conditions, x is data.
SHAPES: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "under a condition and outside": lambda e, p, q, x: te.if_then_else(p, e * 0.5, 0.25) + e * 0.25,
    "under two conditions": lambda e, p, q, x: (
        te.if_then_else(p, e * 0.5, 0.25) + te.if_then_else(q, 0.125, te.exp(e * -0.25))
    ),
    "under nested conditions": lambda e, p, q, x: te.if_then_else(
        p, te.if_then_else(q, e * 0.5, 0.3), te.if_then_else(q, 0.7, e * 0.25)
    ),
    "in the last part of its condition": lambda e, p, q, x: te.if_then_else(te.all(p, e > 0.2), e * 0.9, 0.4),
    "in the last part of an or": lambda e, p, q, x: te.if_then_else(te.any(p, e > 0.2), 0.4, e * 1.1),
    "in a condition on itself": lambda e, p, q, x: te.if_then_else(
        te.if_then_else(p, e, 0.0) > 0.2, e * 0.9, 0.4
    ),
    "one after the other": lambda e, p, q, x: te.if_then_else(
        x < 0.2, e, te.if_then_else(x < 0.4, e * 0.9, te.if_then_else(q, 0.5, e - 0.1))
    ),
    "in a condition around others": lambda e, p, q, x: te.if_then_else(
        e > 0.3, te.if_then_else(p, e * 0.5, 0.2), te.if_then_else(q, e * 1.5, 0.9)
    ),
}
SCHEDULES: dict[str, Callable[[Any, Any], Any]] = {
    "as it is": lambda s, C: None,
    "vectorized": lambda s, C: s[C].vectorize(s[C].split(s[C].op.axis[0], 8)[1]),
    "parallel": lambda s, C: s[C].parallel(s[C].split(s[C].op.axis[0], 8)[0]),
    "unrolled": lambda s, C: s[C].unroll(s[C].split(s[C].op.axis[0], 2)[1]),
}


def run(s: Any, args: list[Any], arrays: list[Any]) -> tuple[Any, str]:
    """The result of the kernel, and its LLVM text."""
    kernel = tewb.build(s, args)
    c = np.zeros(N, "float32")
    kernel(*arrays, c)
    return c, kernel.get_source("ll")


@pytest.mark.one_in(4)
@pytest.mark.parametrize("symbolic", [False, True])
@pytest.mark.parametrize("how", SCHEDULES)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_value_that_conditions_guard_is_computed_once(shape: str, how: str, symbolic: bool) -> None:
    def program(n: Any) -> tuple[Any, list[Any]]:
        A, B = te.placeholder((n,), name="A"), te.placeholder((n,), name="B")

        def body(i: Any) -> Any:
            e = A[i]
            for k in range(STEPS):
                e = SHAPES[shape](e, A[i] > k / STEPS, B[i] > k / STEPS, B[i])
            return e * 1.0 + B[i] * 0.0

        return te.compute((n,), body, name="C"), [A, B]

    C, inputs = program(te.var("n") if symbolic else N)
    s = te.create_schedule(C.op)
    SCHEDULES[how](s, C)
    rng = np.random.default_rng(3)
    arrays = [rng.random(N, dtype="float32") for _ in inputs]
    c, text = run(s, [*inputs, C], arrays)
    D, inputs = program(N)
    (wanted,) = evaluate([D], dict(zip(inputs, arrays, strict=True)))
    np.testing.assert_allclose(c, wanted, rtol=1e-4, atol=1e-5)
    assert text.count("\n") < 12_000


@pytest.mark.slow
@pytest.mark.parametrize("vectorized", [False, True])
@pytest.mark.parametrize("debug", [False, True])
def test_what_nobody_wants_is_not_read(vectorized: bool, debug: bool) -> None:
    """The shared values read J's places, which are there only in some iterations."""
    A, J = te.placeholder((N,), name="A"), te.placeholder((N,), name="J", dtype="int32")

    def body(i: Any) -> Any:
        e = te.if_then_else(te.all(J[i] >= 0, J[i] < N), A[J[i]], -1.0)
        for k in range(STEPS):
            low, high = J[i] < 20 + k, J[i] > 30 - k
            e = te.if_then_else(low, e * 0.5, 0.25) + te.if_then_else(high, e * 0.25, A[i])
        return e

    C = te.compute((N,), body, name="C")
    s = te.create_schedule(C.op)
    if vectorized:
        SCHEDULES["vectorized"](s, C)
    a = np.random.default_rng(1).random(N, dtype="float32")
    j = np.where(np.arange(N) % 3 == 0, 1 << 30, np.arange(N)[::-1]).astype("int32")
    c = np.zeros(N, "float32")
    tewb.build(s, [A, J, C], debug=debug)(a, j, c)
    e = np.where(j < N, a[np.minimum(j, N - 1)], -1.0)
    for k in range(STEPS):
        e = np.where(j < 20 + k, e * 0.5, 0.25) + np.where(j > 30 - k, e * 0.25, a)
    np.testing.assert_allclose(c, e, rtol=1e-5)


def test_a_statement_of_few_conditions_stays_as_it_is() -> None:
    A = te.placeholder((N,), name="A")
    C = te.compute(
        (N,),
        lambda i: te.if_then_else(i > 2, A[i] * 2.0, 0.0) + te.if_then_else(i < 9, A[i] * 2.0, 1.0),
        name="C",
    )
    (f,) = tewb.lower(te.create_schedule(C.op), [A, C]).functions.values()
    assert share_guarded_values(f.body, Analyzer) is f.body
