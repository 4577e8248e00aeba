"""Buffers that an extern declares: what they promise is certain, checked when the kernel runs, or refused."""

from __future__ import annotations

from typing import Any

import pytest

import tewb
from tests.lowering.passes import after
from tewb import te
from tewb.base import ExternError
from tewb.ir import Buffer
from tewb.lowering.extern_buffers import dense_where_declared


def tiles(rows: int, columns: int, binds: Any = None, **declared: Any) -> str:
    """The loops of an extern E = f(A) in tiles of `rows` by `columns`, whose input is declared as `a`."""
    A = te.placeholder((6, 8), name="A")
    a = te.decl_buffer((6, 8), name="a", **declared)
    E = te.extern((6, 8), [A], lambda i, o: te.call_packed("f", i[0], o[0]), in_buffers=[a], name="E",
                  access=te.access.elementwise)  # fmt: skip
    s = te.create_schedule(E.op)
    s[E].tile("d0", "d1", rows, columns)
    if binds is None:
        return after("schedule_ops", s, [A, E])
    return str(tewb.lower(s, [A, E], binds={A: te.decl_buffer((6, 8), name="A", strides=binds)}))


def asserts(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if "assert" in line]


def test_only_a_strided_view_of_a_declared_dense_buffer_is_copied() -> None:
    dense, strided = te.decl_buffer((4,), name="d"), te.decl_buffer((4,), name="s", strides=[te.var("x")])
    assert dense_where_declared([dense, strided], [True, True]) == [True, False]
    assert dense_where_declared([dense, strided], [False, False]) == [False, False]
    assert dense_where_declared(None, [True, False]) == [False, False]


def test_a_declared_stride_that_the_memory_has_needs_no_check() -> None:
    text = tiles(2, 3, strides=[8, 1])
    assert asserts(text) == [] and "A.tile[2, T.min(d1.outer * 3 + 3, 8) - d1.outer * 3]" in text
    assert asserts(tiles(2, 3, strides=[te.var("x"), te.var("y")])) == []


def test_a_constant_stride_of_another_number_is_refused() -> None:
    with pytest.raises(ExternError, match="extern E: stride 0 of a is declared 9, and that of A is 8"):
        tiles(2, 3, strides=[9, 1])


def test_a_dimension_of_one_element_has_any_stride() -> None:
    assert asserts(tiles(1, 4, strides=[9, 1])) == []


def test_a_stride_that_only_the_caller_knows_is_checked_at_run_time() -> None:
    (check,) = asserts(tiles(2, 4, binds=[te.var("p"), 1], strides=[9, 1]))
    assert check == 'assert T.Cast("int64", p) == T.int64(9), ' + (
        "'extern E: stride 0 of a is declared 9, and that of A is p'"
    )


def test_offset_factors_are_certain_checked_or_refused() -> None:
    offset: dict[str, Any] = {"strides": [te.var("x"), 1], "elem_offset": te.var("o")}
    assert asserts(tiles(2, 4, **offset, offset_factor=4)) == []  # tiles begin at multiples of 16 and of 4
    (check,) = asserts(tiles(2, 2, **offset, offset_factor=4))
    assert "its part of A begins at element d0.outer * 16 + d1.outer * 2" in check
    assert asserts(tiles(6, 8, **offset, offset_factor=64)) == []  # everything begins at 0


def test_an_alignment_that_intermediates_do_not_have_is_refused() -> None:
    A = te.placeholder((8,), name="A")
    H = te.compute((8,), lambda i: A[i] + 1.0, name="H")

    def lowered(alignment: int) -> str:
        a = te.decl_buffer((8,), name="a", data_alignment=alignment)
        E = te.extern((8,), [H], lambda i, o: te.call_packed("f", i[0], o[0]), in_buffers=[a], name="E")
        return after("schedule_ops", te.create_schedule(E.op), [A, E])

    assert "T.extern_region('E'" in lowered(64)
    with pytest.raises(ExternError, match="extern E: buffer a declares data_alignment=128, and the memory of H "
                                          "is aligned to 64 bytes"):  # fmt: skip
        lowered(128)


def test_the_function_gets_strides_where_it_declared_some() -> None:
    given: list[Buffer] = []
    A = te.placeholder((6, 8), name="A")

    def body(ins: Any, outs: Any) -> Any:
        given[:] = [*ins, *outs]
        return te.call_packed("f", ins[0], outs[0])

    a = te.decl_buffer((6, 8), name="a", strides=[te.var("x"), te.var("y")])
    E = te.extern((6, 8), [A], body, in_buffers=[a], name="E")
    after("schedule_ops", te.create_schedule(E.op), [A, E])
    assert [[str(e) for e in b.strides] for b in given] == [["8", "1"], []]
