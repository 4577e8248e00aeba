"""Binding: which buffers are compact, and what stands for the variables of a declaration."""

from __future__ import annotations

from typing import Any

import pytest

from tewb import te
from tewb.base import DType
from tewb.ir import Buffer, BufferStore, Expr, Var, const, convert, load, ops, script
from tewb.lowering.bind_buffers import bind_buffers, bound_variables, compact_strides, is_compact

n, m, s = (Var(name, DType("int32")) for name in "nms")


def buffer(name: str, shape: Any, strides: Any = (), offset: Any = 0) -> Buffer:
    sizes, steps = (tuple(convert(e) for e in es) for es in (shape, strides))
    return Buffer(name, DType("float32"), sizes, steps, convert(offset))


def texts(es: Any) -> list[str]:
    return [script(e) for e in es]


@pytest.mark.parametrize(
    ("shape", "strides", "compact"),
    [
        ((3, 4), (), True),
        ((3, 4), (4, 1), True),
        ((3, 4), (5, 1), False),
        ((3, 4), (1, 3), False),
        ((3, 4), (4, -1), False),
        ((1, 4), (99, 1), True),  # one row: nothing is a stride away
        ((4, 1), (1, 99), True),
        ((1, 1), (-7, 0), True),
        ((3, 4, 1), (4, 1, 7), True),
        ((4,), (2,), False),
        ((), (), True),
        ((n, m), (), True),
        ((n, 4), (4, 1), True),
        ((3, n), (n, 1), False),  # not certainly: n is no constant
        ((n,), (s,), False),
    ],
)
def test_elements_certainly_lie_side_by_side(shape: Any, strides: Any, compact: bool) -> None:
    assert is_compact(buffer("A", shape, strides)) is compact


def test_strides_of_a_buffer_without_any_are_row_major() -> None:
    assert texts(compact_strides(buffer("A", (2, n, 5)))) == ['T.int64(5) * T.Cast("int64", n)', "5", "1"]
    assert texts(compact_strides(buffer("A", (2, 5), (-5, 1)))) == ["-5", "1"]
    assert compact_strides(buffer("A", ())) == ()


def test_a_stride_that_is_also_a_size_has_the_value_of_the_size() -> None:
    declared = buffer("D", (n, m), (m, s))
    actual = buffer("A", (6, 8), (16, 2))
    assert {v.name: script(e) for v, e in bound_variables({declared: actual}).items()} == {
        "n": "6",
        "m": "8",
        "s": "2",
    }


def test_everything_of_a_declared_buffer_is_bound() -> None:
    i, offset = Var("i", DType("int32")), te.var("offset")
    declared, out = buffer("D", (n, m), (s, 1), offset), buffer("O", (9, 9))
    actual = buffer("A", (6, 8), (32, 1), 5)
    value = ops.add(load(declared, (i, ops.sub(m, 1))), ops.cast(ops.add(ops.mul(s, n), offset), "float32"))
    bound = bind_buffers(BufferStore(out, value, (i, const(0))), {declared: actual})
    assert script(bound) == 'O[i, 0] = A[i, 8 - 1] + T.Cast("float32", 32 * 6 + 5)'


def test_a_part_of_the_declared_buffer_begins_where_it_is_told() -> None:
    i = Var("i", DType("int32"))
    declared, part = buffer("D", (n, m)), buffer("A", (2, 4))
    starts: dict[Buffer, tuple[Expr, ...]] = {declared: (ops.mul(i, 2), const(3))}
    inner = load(declared, (ops.add(ops.mul(i, 2), 1), n))
    bound = bind_buffers(BufferStore(declared, inner, (ops.mul(i, 2), const(6))), {declared: part}, starts)
    assert script(bound) == "A[i * 2 - i * 2, 3] = A[i * 2 + 1 - i * 2, n - 3]"
