"""Operations come after those that they read, in the order in which they are read."""

from __future__ import annotations

from tewb import te
from tewb.tensor import Operation, Tensor, producers_first


def diamond() -> list[Tensor]:
    """D reads B and C, which read A."""
    A = te.placeholder((4,), name="A")
    B = te.compute((4,), lambda i: A[i] + 1.0, name="B")
    C = te.compute((4,), lambda i: A[i] * 2.0, name="C")
    D = te.compute((4,), lambda i: B[i] - C[i], name="D")
    return [A, B, C, D]


def names(ops: list[Operation]) -> str:
    return "".join(op.name for op in ops)


def test_producers_come_first_and_once() -> None:
    A, B, C, D = diamond()
    assert names(producers_first([D.op])) == "ABCD"
    assert names(producers_first([C.op, D.op, B.op])) == "ACBD"
    assert names(producers_first([])) == ""


def test_what_is_not_read_is_left_out() -> None:
    _, B, _, D = diamond()
    only_b = producers_first([D.op], lambda op: [t.op for t in op.inputs if t is B])
    assert names(only_b) == "BD"


def test_long_chains_need_no_deep_stack() -> None:
    tensors = [te.placeholder((1,), name="A")]
    for _ in range(5000):
        tensors.append(te.compute((1,), lambda i, t=tensors[-1]: t[i], name="B"))
    assert producers_first([tensors[-1].op]) == [t.op for t in tensors]
