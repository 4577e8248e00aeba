"""What can run in only some lanes of a vector."""

from __future__ import annotations

import pytest

from tewb.base import DType
from tewb.ir import Buffer, BufferStore, Call, Evaluate, Expr, Let, Shuffle, Var, const, intrinsics, load, ops
from tewb.ir.lane_masks import is_contiguous, is_maskable, is_maskable_store, is_row

i, s = Var("i", DType("int32")), Var("s", DType("int32"))
A = Buffer("A", DType("float32"), (const(8), const(64)))
STRIDED = Buffer("S", DType("float32"), (const(64),), (s,))
DENSE = Buffer("D", DType("float32"), (const(8), const(64)), (s, const(1)))
V = DType("float32x4")


def ramp(step: int = 1) -> Expr:
    return ops.ramp(i, step, 4)


@pytest.mark.parametrize(
    ("e", "maskable"),
    [
        (load(A, (i, ramp())), True),
        (load(DENSE, (i, ramp())), True),
        (load(A, (i, i)), True),
        (load(A, (i, ramp(2))), False),
        (load(A, (ramp(), const(0))), False),
        (load(STRIDED, (ramp(),)), False),
        (load(STRIDED, (i,)), True),
        (load(A, (i, ramp())) * 2.0 + ops.broadcast(load(A, (i, i)), 4), True),
        (intrinsics.exp(load(A, (i, ramp()))), True),
        (ops.select(ops.less(ramp(), 3), load(A, (i, ramp())), ops.broadcast(const(0.0), 4)), True),
        (Call("call_extern", (load(A, (i, ramp())),), V), False),
        (Shuffle((load(A, (i, ramp())),), (3, 2, 1, 0), V), False),
        (Let(s, i, load(A, (i, ramp())), V), False),
    ],
    ids=lambda v: repr(v)[:60],
)
def test_an_expression_is_maskable_where_each_lane_is_its_own(e: Expr, maskable: bool) -> None:
    assert is_maskable(e) is maskable


def test_a_store_to_neighbours_is_maskable() -> None:
    value = load(A, (i, ramp()))
    assert is_maskable_store(BufferStore(A, value, (i, ramp())))
    for other in (
        BufferStore(A, value, (i, ramp(2))),
        BufferStore(A, const(1.0), (i, i)),
        BufferStore(A, Call("call_extern", (), V), (i, ramp())),
        BufferStore(A, value, (Call("call_extern", (), i.dtype), ramp())),
        Evaluate(value),
    ):
        assert not is_maskable_store(other)


def test_rows() -> None:
    scalar = Buffer("Z", DType("float32"), ())
    assert is_row(load(scalar, ()))  # type: ignore[arg-type]
    assert is_row(load(A, (i, ramp()))) and not is_row(load(A, (ramp(), ramp())))  # type: ignore[arg-type]
    assert is_contiguous(ramp()) and not is_contiguous(ramp(-1)) and not is_contiguous(ops.broadcast(i, 4))
    assert not is_contiguous(i)
