"""Where non-temporal stores ask for their addresses, on programs that fit on a screen, as text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.arith import evaluate_integers
from tewb.ir import (
    BufferStore,
    Expr,
    IfThenElse,
    IRModule,
    PrimFunc,
    Var,
    const,
    ops,
    parse,
    structural_equal,
    walk,
)
from tewb.lowering import BUILD
from tewb.lowering.align_stores import align_stores, multiple, without_multiples
from tewb.lowering.pipeline import run


def flat(s: Any, args: list[Any], binds: Any = None) -> PrimFunc:
    return run(tewb.lower(s, args, binds=binds)["main"], BUILD)


def copy(shape: tuple[int, ...], lanes: int = 8) -> tuple[Any, list[Any]]:
    A = te.placeholder(shape, name="A")
    B = te.compute(shape, lambda *i: A(*i), name="B")
    s = te.create_schedule(B.op)
    s[B].nontemporal()
    s[B].vectorize(s[B].split(s[B].leaf_iter_vars[-1], factor=lanes)[1])
    return s, [A, B]


def body(f: PrimFunc) -> str:
    lines = f.script().splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith(("    if ", "    for ")))
    return "\n".join(line[4:] for line in lines[first:])


def stores(f: PrimFunc, name: str) -> list[int]:
    return [n.nontemporal for n in walk(f.body) if isinstance(n, BufferStore) and n.buffer.name == name]


def test_one_question_stands_around_all_loops_and_their_tail() -> None:
    assert body(flat(*copy((44,)))) == (
        "if T.is_aligned(T.address_of(B[0]), 16):\n"
        "    for i0.outer in range(5):\n"
        "        B[i0.outer * 8:i0.outer * 8 + 8] = T.nontemporal(A[i0.outer * 8:i0.outer * 8 + 8], align=16)\n"
        "    B[40:44] = T.nontemporal(A[40:44], align=16)\n"
        "else:\n"
        "    for i0.outer in range(5):\n"
        "        B[i0.outer * 8:i0.outer * 8 + 8] = A[i0.outer * 8:i0.outer * 8 + 8]\n"
        "    B[40:44] = A[40:44]"
    )


def test_rows_that_begin_anywhere_are_asked_one_by_one() -> None:
    assert body(flat(*copy((3, 41), 8))) .startswith(
        "for i0 in range(3):\n"
        "    if T.is_aligned(T.address_of(B[i0 * 41]), 16):\n"
        "        for i1.outer in range(5):\n"
    )  # fmt: skip


def test_symbolic_strides_are_asked_by_row_where_neighbours_are_side_by_side() -> None:
    s, args = copy((6, 16))
    layout = te.decl_buffer((6, 16), name="B", strides=[te.var("r"), te.var("c")])
    f = flat(s, args, {args[1]: layout})
    i0, r = 'T.Cast("int64", i0)', 'T.Cast("int64", r)'  # the order of factors is not said
    asked = [f"if T.is_aligned(T.address_of(B[{a} * {b}]), 16):" for a, b in ((i0, r), (r, i0))]
    assert sum(f.script().count(question) for question in asked) == 1
    assert sorted(stores(f, "B")) == [0, 0, 16]  # elements apart, rows between multiples, rows at multiples


@pytest.mark.parametrize(
    ("alignment", "lanes", "want"), [(64, 16, 64), (64, 8, 32), (32, 16, 32), (16, 16, 16)]
)
def test_a_declared_alignment_answers_the_question(alignment: int, lanes: int, want: int) -> None:
    s, args = copy((160,), lanes)
    f = flat(s, args, {args[1]: te.decl_buffer((160,), name="B", data_alignment=alignment)})
    assert stores(f, "B") == [want] and not any(isinstance(n, IfThenElse) for n in walk(f.body))


def test_the_declared_alignment_is_that_of_the_memory_and_not_of_every_row() -> None:
    s, args = copy((4, 42), 16)
    f = flat(s, args, {args[1]: te.decl_buffer((4, 42), name="B", data_alignment=64)})
    assert "T.is_aligned(T.address_of(B[i0 * 42]), 16)" in f.script()


def test_memory_of_the_kernel_is_known() -> None:
    A = te.placeholder((160,), name="A")
    B = te.compute((160,), lambda i: A[i] + 1.0, name="B")
    C = te.compute((160,), lambda i: B[159 - i], name="C")
    s = te.create_schedule(C.op)
    s[B].nontemporal()
    s[B].vectorize(s[B].split("i", factor=16)[1])
    assert stores(flat(s, [A, C]), "B") == [64]


def test_elements_and_parts_of_pieces_are_stored_as_usual() -> None:
    for lanes in (1, 2, 3, 6):
        f = flat(*copy((24,), lanes))
        assert set(stores(f, "B")) == {0} and "is_aligned" not in f.script()


def test_work_around_the_stores_is_not_written_twice() -> None:
    A = te.placeholder((32, 32), name="A")
    B = te.compute((32, 32), lambda i, j: A[i, j] + 1.0, name="B")
    C = te.compute((32, 32), lambda i, j: B[i, 31 - j], name="C")
    s = te.create_schedule(C.op)
    s[C].nontemporal()
    s[C].vectorize(s[C].split("j", factor=16)[1])
    s[B].compute_at(s[C], "i")
    f = flat(s, [A, C])
    assert len(stores(f, "B")) == 1 and stores(f, "C") == [16, 0]


def test_functions_without_such_stores_come_back_and_a_second_time_changes_nothing() -> None:
    s, args = copy((3, 41))
    once = flat(s, args)
    again = align_stores(once)
    assert structural_equal(again, once)
    assert structural_equal(parse(once.script()), once)
    plain = te.create_schedule(args[1].op)
    f = flat(plain, args)
    assert align_stores(f) is f


def test_text_that_claims_what_is_not_so_is_asked_all_the_same() -> None:
    """What a person writes as align=64 is a wish: it must not fault at an address between."""
    s, args = copy((64,), 16)
    f = tewb.lower(s, args)["main"]
    claimed = f.script().replace("i0.outer * 16 + 16])", "i0.outer * 16 + 16], align=64)")
    assert claimed != f.script()
    made = parse(claimed)
    assert isinstance(made, PrimFunc)
    a, raw = np.arange(64, dtype=np.float32), np.zeros(96, np.float32)
    for offset in range(17):
        b = raw[offset : offset + 64]
        b[:] = 0
        tewb.build(IRModule({"main": made}))(a, b)
        np.testing.assert_array_equal(b, a)


# ---------------------------------------------------------------- stores that follow one another


def tiled(rows: int, columns: int, lanes: int = 16, unroll: bool = False) -> tuple[Any, list[Any]]:
    """64 x 64 floats in tiles, row by row in each."""
    s, args = copy_of((64, 64))
    _, _, inner, along = s["B"].tile("i", "j", rows, columns)
    if unroll:
        s["B"].unroll(inner)
    s["B"].vectorize(s["B"].split(along, factor=lanes)[1])
    return s, args


def copy_of(shape: tuple[int, ...]) -> tuple[Any, list[Any]]:
    A = te.placeholder(shape, name="A")
    B = te.compute(shape, lambda i, j: A[i, j], name="B")
    s = te.create_schedule(B.op)
    s[B].nontemporal()
    return s, [A, B]


@pytest.mark.parametrize(
    ("columns", "lanes", "unroll", "wanted"),
    [
        (32, 16, False, 16),  # two vectors follow each other in every row of a tile
        (32, 16, True, 16),
        (16, 16, False, 64),  # tiles of one vector: the next one is in another row
        (16, 16, True, 64),
        (32, 32, False, 64),
        (8, 8, False, 0),  # and a part of a line
    ],
)
def test_vectors_that_are_not_followed_by_their_neighbours_are_whole_lines(
    columns: int, lanes: int, unroll: bool, wanted: int
) -> None:
    f = flat(*tiled(8, columns, lanes, unroll))
    assert {n for n in stores(f, "B") if n} == ({wanted} if wanted else set())
    assert (f"[0]), {wanted})" in f.script()) == bool(wanted)


def test_stores_at_the_edges_of_tiles_ask_what_those_in_their_middle_ask() -> None:
    """The first tile of each row stands outside of the loop over the others."""
    A = te.placeholder((64, 64), name="A")
    B = te.compute((64, 64), lambda i, j: te.if_then_else(j > 0, A[i, j - 1], 0.0), name="B")
    s = te.create_schedule(B.op)
    _, _, row, lane = s[B].tile("i", "j", 4, 16)
    s[B].unroll(row)
    s[B].vectorize(lane)
    s[B].nontemporal()
    f = flat(s, [A, B])
    assert sum(n > 0 for n in stores(f, "B")) == 8  # four rows at the edge, and four in the loop
    assert {n for n in stores(f, "B") if n} == {64}


def test_tiles_of_sums_are_whole_lines_though_their_loop_has_others_in_it() -> None:
    A, k = te.placeholder((64, 8, 64), name="A"), te.reduce_axis((0, 8), name="k")
    B = te.compute((64, 64), lambda i, j: te.sum(A[i, k, j], axis=k), name="B")
    s = te.create_schedule(B.op)
    copy = s.cache_write(B, "local")
    _, tile, row, lane = s[B].tile("i", "j", 4, 16)
    s[copy].compute_at(s[B], tile)
    s[copy].reorder("k", "i.c", "j.c")
    s[copy].vectorize("j.c")
    s[B].unroll(row)
    s[B].vectorize(lane)
    s[B].nontemporal()
    assert {n for n in stores(flat(s, [A, B]), "B") if n} == {64}


@pytest.mark.parametrize("offset", [0, 4, 1])
@pytest.mark.parametrize("unroll", [False, True])
def test_tiles_at_any_address(offset: int, unroll: bool) -> None:
    s, args = tiled(8, 16, 16, unroll)
    a, raw = np.arange(4096, dtype=np.float32).reshape(64, 64), np.zeros(4096 + 64, np.float32)
    first = (-raw.ctypes.data % 64) // 4 + offset
    b = raw[first : first + 4096].reshape(64, 64)
    tewb.build(s, args)(a, b)
    np.testing.assert_array_equal(b, a)


# ---------------------------------------------------------------- algebra

x, y = Var("x", const(0).dtype), Var("y", const(0).dtype)
CASES: list[tuple[Expr, int, str]] = [
    (x * 64 + y * 1001 + 5, 4, "y * 1001 + 1"),
    (x * 2, 4, "x * 2"),
    ((x * 4 + y) * 2, 4, "y * 2"),
    (x * 8 - y * 4 - 3, 4, "1"),
    (x * 4 + 1 + (y * 4 + 3), 4, "0"),
    (ops.cast(x * 4 + y, "int64"), 4, 'T.Cast("int64", y)'),
    (ops.floordiv(x * 8, 3), 4, "x * 8 // 3"),
    (x * 2 * (y * 2), 4, "0"),
]


@pytest.mark.parametrize(("e", "n", "text"), CASES)
def test_an_index_without_multiples(e: Expr, n: int, text: str) -> None:
    rest = without_multiples(e, n)
    assert repr(rest) == text
    rng = np.random.default_rng(0)
    values = {v: rng.integers(-50, 50, 200) for v in (x, y)}
    difference = evaluate_integers(e, values) - evaluate_integers(rest, values)
    assert (difference % n == 0).all()
    assert (evaluate_integers(e, values) % multiple(e, 64) == 0).all()
