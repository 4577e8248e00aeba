"""What is decided in some blocks has only the side that is taken there."""

from __future__ import annotations

from typing import Any

import pytest

from tewb import te
from tewb.arith import Analyzer
from tewb.blocks.decisions import decider, reads
from tewb.ir import Expr, ops


@pytest.mark.parametrize(
    ("e", "low", "wanted"),
    [
        (lambda i, A: te.if_then_else(i >= 1, A[i], 0), 1, "A[i]"),
        (
            lambda i, A: te.if_then_else(te.all(i >= 1, i < 6), A[i], 0),
            1,
            "T.if_then_else(i < 6, A[i], 0)",
        ),
        (lambda i, A: te.if_then_else(i < 1, A[i], 2), 1, "2"),
        (lambda i, A: te.if_then_else(te.any(i < 1, i > 20), A[i], 2), 1, "2"),
        (lambda i, A: te.if_then_else(i >= 1, A[i], 0), 0, "T.if_then_else(i >= 1, A[i], 0)"),
        (lambda i, A: A[te.max(i - 1, 0)], 1, "A[i - 1]"),
        (lambda i, A: A[te.max(i - 1, 0)], 0, "A[T.max(i - 1, 0)]"),
        (lambda i, A: A[te.min(i, 20)], 0, "A[i]"),
        (lambda i, A: A[(i + 3) % 16], 2, "A[i + 3]"),
        (lambda i, A: A[(i + 3) % 8], 2, "A[(i + 3) % 8]"),
        (lambda i, A: ops.select(i < 3, 1, 2), 4, "2"),
        (lambda i, A: te.if_then_else(A[i] > 0, 1, 2), 4, None),
        (lambda i, A: te.if_then_else(i * 1_000_000_000 < 0, 1, 2), 4, None),  # it wraps
    ],
)
def test_what_is_decided(e: Any, low: int, wanted: str | None) -> None:
    i, A, here = te.var("i"), te.placeholder((16,), "int32", name="A"), Analyzer()
    here.bind(i, low, 9)
    before: Expr = ops.convert(e(i, A))
    assert str(decider(here)(before)) == (str(before) if wanted is None else wanted)


def test_reads_are_found_inside_of_indices() -> None:
    i, A, at = te.var("i"), te.placeholder((4,), name="A"), te.placeholder((4,), "int32", name="at")
    assert {n.producer for n in reads([A[at[i]] * 2.0, i])} == {A, at}
