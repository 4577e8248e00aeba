"""Buffers: memory seen as arrays."""

from __future__ import annotations

import pytest

import tewb
from tewb.base import DType, DTypeError, ExternError, ShapeError
from tewb.ir import Buffer, BufferLoad, Var, const, ops, script, structural_equal

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


def test_vload_and_vstore_are_rows_of_elements() -> None:
    b = tewb.tir.decl_buffer((4, 8), "float32", name="B")
    load = b.vload([1, 4], "float32x4")
    assert load.dtype == "float32x4" and script(load) == "B[1, 4:8]"
    assert script(b.vload((0, 2))) == "B[0, 2]"
    store = b.vstore([0, 0], load)
    assert script(store) == "B[0, 0:4] = B[1, 4:8]"
    with pytest.raises(DTypeError, match="B holds float32, not int32x4"):
        b.vload([0, 0], "int32x4")
    with pytest.raises(ShapeError, match="B has 2 dimensions, not 1"):
        b.vstore(0, 1.0)


def test_access_ptr_is_the_address_of_an_element() -> None:
    b = tewb.tir.decl_buffer((4, 8), "float32", name="B")
    assert structural_equal(b.access_ptr("r"), tewb.tir.address_of(b))
    assert script(b.access_ptr(b.READ | b.WRITE)) == "T.address_of(B[0, 0])"
    there = b.access_ptr("w", offset=8).args[0].buffer
    assert (there.data, there.elem_offset.value) == (b.data, 8)
    with pytest.raises(ExternError, match="access_ptr of B: 'x' is no access"):
        b.access_ptr("x")
    c = tewb.tir.decl_buffer((4, 8), "float32", name="C", strides=[16, 2])
    assert (
        c.access_ptr("r", offset=1).args[0].buffer.elem_offset.value == 1
    )  # an offset counts elements of memory


def test_offset_of_counts_elements_from_the_data_on() -> None:
    b = tewb.tir.decl_buffer((4, 8, 2), "float32", name="B")
    assert [script(e) for e in b.offset_of((1, 2, 1))] == ["21"]
    assert [script(e) for e in b.offset_of([i, i, 1])] == ["i * 16 + i * 2 + 1"]
    assert [script(e) for e in A.offset_of((i, 3))] == ["n + i * n + 3"]  # strides (n, 1), after n elements
    (row,) = A.offset_of((0, ops.ramp(i, 1, 4)))
    assert row.dtype == "int32x4"
    with pytest.raises(ShapeError, match="A has 2 dimensions, not 1"):
        A.offset_of(3)
    with pytest.raises(DTypeError, match="A is indexed with"):
        A.offset_of((0.5, 1))


def test_a_buffer_as_one_row() -> None:
    b = Buffer("B", DType("float32"), (const(4), const(8)), alignment=64)
    row = b.get_flattened_buffer()
    assert row.data is b.data and structural_equal(row.shape, [32]) and row.get_flattened_buffer() is row
    assert b.data_alignment == 64 and Buffer("C", DType("int16"), ()).data_alignment == 2 and b.same_as(b)
