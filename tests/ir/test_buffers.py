"""Buffers: memory seen as arrays."""

from __future__ import annotations

import pytest

from tewb.base import DType, ShapeError
from tewb.ir import Buffer, BufferLoad, Var, const, ops, script

n, i = Var("n", DType("int32")), Var("i", DType("int32"))
A = Buffer("A", DType("float32"), (const(8), n), (n, const(1)), n, "local", alignment=32, offset_factor=4)


def test_a_buffer_without_more_is_compact_at_offset_0_in_memory_of_its_own() -> None:
    b, c = (Buffer("b", DType("int8"), (const(4),)) for _ in "bc")
    assert (b.strides, script(b.elem_offset), b.scope, b.alignment, b.offset_factor) == (
        (),
        "0",
        "global",
        0,
        0,
    )
    assert b.data is not c.data and (b.data.name, b.data.dtype) == ("b", "handle")


def test_a_copy_with_changes_keeps_the_rest() -> None:
    b = A.with_(shape=(const(2), const(2)))
    assert b is not A and b.data is A.data and len(b.shape) == 2
    for field in ("name", "dtype", "strides", "elem_offset", "scope", "alignment", "offset_factor", "origin"):
        assert getattr(b, field) is getattr(A, field)


def test_mapped_sizes_make_a_new_buffer_only_where_one_changed() -> None:
    assert A.map_exprs(lambda e: e) is A
    b = A.map_exprs(lambda e: const(16) if e is n else e)
    assert [script(e) for e in (*b.shape, *b.strides, b.elem_offset)] == ["8", "16", "16", "1", "16"]
    seen: list[object] = []
    A.map_exprs(lambda e: seen.append(e) or e)  # type: ignore[func-returns-value]
    assert seen == [n, n, n]  # numbers are not asked


def test_an_element_is_a_load_of_the_buffer_s_dtype() -> None:
    e = A[i, 0]
    assert isinstance(e, BufferLoad) and e.buffer is A and e.dtype == "float32" and script(e) == "A[i, 0]"
    assert A[i, ops.ramp(i, 1, 4)].dtype == "float32x4"


def test_a_wrong_number_of_indices_is_refused() -> None:
    with pytest.raises(ShapeError, match="A has 2 dimensions, not 1"):
        A[i]
