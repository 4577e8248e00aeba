"""Rows that run together where they lie side by side: when they may, as text, and with the same results."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.lowering.test_order_loops import any_strides, layouts
from tewb import te
from tewb.base import FLOAT32, INT32
from tewb.ir import Allocate, Buffer, BufferLoad, BufferStore, For, ForKind, Stmt, Var, const, ops, seq
from tewb.lowering.rows_together import ROWS, rows_together

Program = tuple[Any, list[Any]]


def lanes(n: Any, m: int, axis: str | None = None, parallel: bool = False) -> Program:
    """Sums of rows in four lanes, which are added up at the end."""
    A = te.placeholder((n, m), name="A")
    k, lane = te.reduce_axis((0, m // 4), name="k"), te.reduce_axis((0, 4), name="lane")
    L = te.compute((n, 4), lambda i, j: te.sum(A[i, k * 4 + j], axis=k), name="L")
    R = te.compute((n,), lambda i: te.sum(L[i, lane], axis=lane), name="R")
    s = te.create_schedule(R.op)
    s[L].compute_at(s[R], "i")
    s[L].reorder("k", "j")
    s[L].vectorize("j")
    if parallel:
        s[R].parallel("i")
    return s, [A, R]


def normalised(n: int, m: int) -> Program:
    """Each row divided by its largest value, where that is more than one."""
    A, k = te.placeholder((n, m), name="A"), te.reduce_axis((0, m), name="k")
    M = te.compute((n,), lambda i: te.max(A[i, k], axis=k), name="M")
    E = te.compute((n, m), lambda i, j: te.if_then_else(M[i] > 1.0, A[i, j] / M[i], A[i, j]), name="E")
    B = te.compute((n, m), lambda i, j: E[i, m - 1 - j] + M[i], name="B")
    s = te.create_schedule(B.op)
    s[M].compute_at(s[B], "i")
    s[E].compute_at(s[B], "i")
    s[E].split("j", 8)
    s[B].vectorize(s[B].split("j", 8)[1])
    return s, [A, B]


def stencil(n: int, m: int) -> Program:
    """Two rows of an intermediate, with a guard at the last one."""
    A = te.placeholder((n, m), name="A")
    T = te.compute((n, m), lambda i, j: A[i, j] * 2.0, name="T")
    B = te.compute(
        (n, m), lambda i, j: T[i, j] + te.if_then_else(i + 1 < n, T[te.min(i + 1, n - 1), j], 0.0), name="B"
    )
    s = te.create_schedule(B.op)
    s[T].compute_at(s[B], "i")
    return s, [A, B]


def lowered(program: Program) -> str:
    s, args = program
    return str(tewb.lower(s, args, binds=any_strides(args)))


def test_rows_run_in_blocks_where_columns_have_neighbours() -> None:
    text = lowered(lanes(100, 40))
    lines = text[text.index("            if A.s0 == 1 and R.s0 == 1:") :].splitlines()
    assert "\n".join(line[16:] for line in lines[1:14]) == (
        "for i.outer in range(2):\n"
        '    L = T.allocate((1, 4, 64), "float32")\n'
        "    for j.init in range(4):\n"
        "        for i.inner in range(T.min(64, 100 - i.outer * 64)):\n"
        "            L[0, j.init, i.inner] = T.float32(0.0)\n"
        "    for k in range(10):\n"
        "        for j in range(4):\n"
        "            for i.inner in range(T.min(64, 100 - i.outer * 64)):\n"
        "                L[0, j, i.inner] = L[0, j, i.inner] + A_2[i.outer * 64 + i.inner, k * 4 + j]\n"
        "    for i.inner in range(T.min(64, 100 - i.outer * 64)):\n"
        "        R_2[i.outer * 64 + i.inner] = T.float32(0.0)\n"
        "    for lane in range(4):\n"
        "        for i.inner in range(T.min(64, 100 - i.outer * 64)):"
    )


def test_blocks_of_rows_are_parallel_where_rows_were() -> None:
    assert lowered(lanes(300, 40, parallel=True)).count("for i.outer in T.parallel(5)") == 1


@pytest.mark.parametrize(
    "program", [lambda: lanes(20, 40), lambda: normalised(100, 9000)], ids=["few rows", "much memory"]
)
def test_nests_that_would_not_gain_stay(program: Callable[[], Program]) -> None:
    assert "i.outer" not in lowered(program())


PROGRAMS: dict[str, Callable[[], Program]] = {
    "lanes": lambda: lanes(133, 40),
    "parallel lanes": lambda: lanes(333, 40, parallel=True),
    "symbolic lanes": lambda: lanes(te.var("n"), 40),
    "normalised": lambda: normalised(150, 21),
    "stencil": lambda: stencil(130, 17),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_layout_has_the_result_of_rows(name: str) -> None:
    assert "for i.outer in" in lowered(PROGRAMS[name]())
    s, args = PROGRAMS[name]()
    kernel = tewb.build(s, args, binds=any_strides(args))
    rng = np.random.default_rng(0)
    given = [rng.standard_normal([getattr(n, "value", 133) for n in t.shape]).astype("float32") for t in args]
    kernel(*given)
    for turns in itertools.product(*[layouts(a.shape) for a in given]):
        out = turns[-1](np.full_like(given[-1], np.nan))
        kernel(*[turn(a) for turn, a in zip(turns[:-1], given[:-1], strict=True)], out)
        np.testing.assert_array_equal(out, given[-1])


# ---------------------------------------------------------------- independent rows


def rows(body: Callable[[Var, Var, Buffer, Buffer], Stmt], extent: Any = None) -> For:
    """A loop of rows i around one of j, with a memory T of its own."""
    i, j = Var("i", INT32), Var("j", INT32)
    T, B = (Buffer(name, FLOAT32, (const(128), const(8))) for name in "TB")
    inner = For(j, const(0), const(8) if extent is None else extent(i), ForKind.SERIAL, body(i, j, T, B))
    return For(i, const(0), const(128), ForKind.SERIAL, Allocate(T, inner))


def load(b: Buffer, *indices: Any) -> Any:
    return BufferLoad(b, indices, b.dtype)


def kept(i: Var, j: Var, T: Buffer, B: Buffer) -> Stmt:
    zero = const(0)
    return seq(BufferStore(T, const(1.0), (zero, j)), BufferStore(B, load(T, zero, j), (i, j)))


def test_rows_that_are_apart_run_together() -> None:
    made = rows_together(rows(kept))
    assert isinstance(made, For) and made.extent.value == 128 // ROWS  # type: ignore[attr-defined]


def of_the_row_before(i: Var, j: Var, T: Buffer, B: Buffer) -> Stmt:
    return seq(kept(i, j, T, B), BufferStore(B, load(B, ops.sub(i, 1), j), (i, j)))


def of_all_rows(i: Var, j: Var, T: Buffer, B: Buffer) -> Stmt:
    return seq(kept(i, j, T, B), BufferStore(B, load(T, const(0), j), (const(0), j)))


def along_a_diagonal(i: Var, j: Var, T: Buffer, B: Buffer) -> Stmt:
    return seq(BufferStore(T, const(1.0), (const(0), j)), BufferStore(B, const(1.0), (ops.add(i, j), j)))


@pytest.mark.parametrize("body", [of_the_row_before, of_all_rows, along_a_diagonal])
def test_rows_that_touch_what_others_write_do_not(body: Any) -> None:
    assert rows_together(rows(body)) is None


def test_rows_of_different_lengths_do_not() -> None:
    assert rows_together(rows(kept, lambda i: i)) is None


def test_a_row_without_stages_in_it_is_none() -> None:
    loop = rows(kept)
    assert isinstance(loop.body, Allocate)
    assert rows_together(For(loop.var, loop.min, loop.extent, loop.kind, loop.body.body)) is None
