"""Loop orders that fit strides: which nests have them, as text, and the same results in every layout."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.ir import For, ForKind, IfThenElse, PrimFunc, walk

Program = tuple[Any, list[Any]]


def any_strides(args: list[Any]) -> dict[Any, Any]:
    return {
        t: te.decl_buffer(t.shape, t.dtype, t.name, strides=[te.var(f"{t.name}.s{d}") for d in range(t.ndim)])
        for t in args
    }


def doubled(*shape: Any) -> Program:
    A = te.placeholder(shape, name="A")
    B = te.compute(shape, lambda *i: A(*i) * 2.0, name="B")
    return te.create_schedule(B.op), [A, B]


def row_sums(n: Any, m: Any) -> Program:
    A, k = te.placeholder((n, m), name="A"), te.reduce_axis((0, m), name="k")
    R = te.compute((n,), lambda i: te.sum(A[i, k], axis=k), name="R")
    return te.create_schedule(R.op), [A, R]


def matmul(n: int, m: int, k: int) -> Program:
    A, B, r = (
        te.placeholder((n, k), name="A"),
        te.placeholder((k, m), name="B"),
        te.reduce_axis((0, k), name="r"),
    )
    C = te.compute((n, m), lambda i, j: te.sum(A[i, r] * B[r, j], axis=r), name="C")
    return te.create_schedule(C.op), [A, B, C]


def after(program: Program, name: str = "order_loops", binds: Any = None) -> PrimFunc:
    trace: list[tuple[str, PrimFunc]] = []
    s, args = program
    tewb.lower(s, args, binds=any_strides(args) if binds is None else binds, trace=trace)
    return dict(trace)[name]


def orders(f: PrimFunc) -> list[str]:
    """The loops of each nest of a function, outermost first."""
    found: list[str] = []

    def visit(n: Any, names: tuple[str, ...]) -> None:
        if isinstance(n, For):
            names = (*names, n.var.name)
        below = [
            x for x in (getattr(n, "body", None), getattr(n, "then", None), getattr(n, "other", None)) if x
        ]
        below += getattr(n, "stmts", ())
        if not below:
            found.append(" ".join(names))
        for x in below:
            visit(x, names)

    visit(f.body, ())
    return list(dict.fromkeys(found))


def text(f: PrimFunc) -> str:
    lines = f.script().splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("    if "))
    return "\n".join(line[4:] for line in lines[first:])


def test_columns_come_first_where_they_lie_closer_than_rows() -> None:
    A = te.placeholder((40, 50), name="A")
    B = te.compute((40, 50), lambda i, j: te.exp(A[i, j]), name="B")
    binds = {A: te.decl_buffer((40, 50), name="A", strides=[te.var("s"), te.var("t")])}
    assert text(after((te.create_schedule(B.op), [A, B]), binds=binds)) == (
        "if t == 1:\n"
        "    for i in range(40):\n"
        "        for j in range(50):\n"
        "            B[i, j] = T.exp(A[i, j])\n"
        "else:\n"
        '    if T.int64(50) + T.abs(T.Cast("int64", s)) < T.int64(1) + T.abs(T.Cast("int64", t)):\n'
        "        if s == 1:\n"
        "            for j in range(50):\n"
        "                for i in range(40):\n"
        "                    B[i, j] = T.exp(A_1[i, j])\n"
        "        else:\n"
        "            for j in range(50):\n"
        "                for i in range(40):\n"
        "                    B[i, j] = T.exp(A[i, j])\n"
        "    else:\n"
        "        for i in range(40):\n"
        "            for j in range(50):\n"
        "                B[i, j] = T.exp(A[i, j])"
    )


def test_a_reduction_runs_its_columns_inside_of_its_steps() -> None:
    eight_at_once = ["i.outer i.inner", "i.outer k i.inner"]
    assert orders(after(row_sums(40, 50))) == ["i", "i k", "k i", *eight_at_once]


def test_sums_whose_terms_are_no_neighbours_go_on_eight_at_once() -> None:
    assert "\n".join(after(row_sums(42, 50)).script().splitlines()[-12:]) == (
        "            for i.outer in range(6):\n"
        '                R.sums = T.allocate((8,), "float32", scope="register")\n'
        "                for i.inner in T.unroll(8):\n"
        "                    if T.likely(i.outer * 8 + i.inner < 42):\n"
        "                        R.sums[i.inner] = T.float32(0.0)\n"
        "                for k in range(50):\n"
        "                    for i.inner in T.unroll(8):\n"
        "                        if T.likely(i.outer * 8 + i.inner < 42):\n"
        "                            R.sums[i.inner] = R.sums[i.inner] + A[i.outer * 8 + i.inner, k]\n"
        "                for i.inner in T.unroll(8):\n"
        "                    if T.likely(i.outer * 8 + i.inner < 42):\n"
        "                        R[i.outer * 8 + i.inner] = R.sums[i.inner]"
    )


def test_rows_of_much_ask_for_their_memory_in_time() -> None:
    lines = after(row_sums(8192, 512)).script().splitlines()
    (asking,) = (i for i, line in enumerate(lines) if "prefetch" in line)
    assert [line.strip() for line in lines[asking - 1 : asking + 2]] == [
        "for k in range(512):",
        "T.evaluate(T.prefetch(A[i.outer * 8 + k % 8, k + 256]))",
        "for i.inner in T.unroll(8):",
    ]


def test_few_rows_and_short_ones_do_not_ask_for_memory() -> None:
    for shape in [
        (8192, 511),
        (32768, 256),
    ]:  # what the cache holds, and rows of which all is asked for at once
        assert "prefetch" not in after(row_sums(*shape)).script()


def test_memory_is_asked_for_where_no_other_memory_says_which() -> None:
    n, m = te.var("n"), te.var("m")
    A, B = te.placeholder((n, m, 9), name="A"), te.placeholder((1,), "int32", name="B")
    k = te.reduce_axis((0, m), name="k")
    place = te.max(te.min(B[0], 8), 0)
    R = te.compute((n,), lambda i: te.sum(A[i, k, place] + A[i, k, 1], axis=k), name="R")
    asked = [x for x in after((te.create_schedule(R.op), [A, B, R])).script().splitlines() if "prefetch" in x]
    assert [x.strip() for x in asked] == ["T.evaluate(T.prefetch(A[i.outer * 8 + k % 8, k + 256, 1]))"]


def one_axis(value: Callable[[Any, Any], Any], dtype: str = "float32", n: int = 40) -> Program:
    A, k = te.placeholder((n, 50), dtype, name="A"), te.reduce_axis((0, 50), name="k")
    R = te.compute((n,), lambda i: te.sum(value(A, (i, k)), axis=k), name="R")
    return te.create_schedule(R.op), [A, R]


@pytest.mark.parametrize(
    "program",
    [
        lambda: one_axis(lambda A, at: A[at], "int32"),
        lambda: one_axis(lambda A, at: te.exp(A[at])),
        lambda: one_axis(lambda A, at: A[at], n=1),
    ],
    ids=["integers", "long terms", "one sum"],
)
def test_sums_that_wait_for_something_else_come_one_after_the_other(program: Callable[[], Program]) -> None:
    assert "sums" not in after(program()).script()


def test_reductions_over_two_axes_keep_the_order_of_their_steps() -> None:
    A = te.placeholder((30, 40, 5), name="A")
    k, r = te.reduce_axis((0, 40), name="k"), te.reduce_axis((0, 5), name="r")
    R = te.compute((30,), lambda i: te.sum(A[i, k, r], axis=[k, r]), name="R")
    assert orders(after((te.create_schedule(R.op), [A, R]))) == [
        "i",
        "i k r",
        "k r i",
        "i.outer i.inner",
        "i.outer k r i.inner",
    ]


def test_a_product_has_the_columns_or_the_rows_inside() -> None:
    assert orders(after(matmul(13, 14, 15))) == [
        "i j",
        "i j r",
        "j i",
        "j r i",
        "i r j",
        "i j.outer j.inner",
        "i j.outer r j.inner",
    ]


def test_vectors_run_along_the_axis_that_is_inside() -> None:
    s, args = doubled(40, 50)
    s["B"].split("i1", factor=16)
    s["B"].vectorize("i1.inner")
    f = after((s, args))
    inside = {n.var.name for n in walk(f.body) if isinstance(n, For) and n.kind is ForKind.VECTORIZED}
    assert inside == {"i1.inner", "i0.inner"}


def test_single_values_where_elements_are_no_neighbours() -> None:
    s, args = doubled(40, 48)
    s["B"].split("i1", factor=16)
    s["B"].vectorize("i1.inner")
    text_of_last = after((s, args)).script().splitlines()[-4:]
    assert not any("vectorized" in line for line in text_of_last)


def test_vectors_of_neighbours_stay_where_other_strides_differ() -> None:
    """Packed rows of a matrix whose columns are known to be neighbours."""
    A = te.placeholder((64, 32), name="A")
    B = te.compute((8, 32, 8), lambda i, k, j: A[i * 8 + j, k] * 2.0, name="B")
    s = te.create_schedule(B.op)
    s[B].vectorize("j")
    binds = {A: te.decl_buffer((64, 32), name="A", strides=[1, te.var("t")])}
    f = after((s, [A, B]), binds=binds)
    *_, last = (n for n in walk(f.body) if isinstance(n, For))
    assert (last.var.name, last.kind) == ("j", ForKind.VECTORIZED)


def test_the_outermost_loop_stays_parallel() -> None:
    s, args = doubled(40, 50)
    s["B"].parallel("i0")
    f = after((s, args))
    shared = {n.var.name for n in walk(f.body) if isinstance(n, For) and n.kind is ForKind.PARALLEL}
    assert {"i0", "i1"} <= shared


def steps_ordered(name: str) -> Program:
    s, args = doubled(32, 48)
    B = s["B"]
    match name:
        case "reorder":
            B.reorder("i1", "i0")
        case "tile":
            B.tile("i0", "i1", 4, 8)
        case "fuse":
            B.fuse("i0", "i1")
        case "unroll":
            B.unroll("i1")
        case "cache":
            s.cache_read(args[0], "global", ["B"])
            s["A.global"].compute_at(B, "i0")
    return s, args


@pytest.mark.parametrize("name", ["reorder", "tile", "fuse", "unroll", "cache"])
def test_loops_that_steps_ordered_keep_their_order(name: str) -> None:
    trace: list[tuple[str, PrimFunc]] = []
    s, args = steps_ordered(name)
    tewb.lower(s, args, binds=any_strides(args), trace=trace)
    assert dict(trace)["order_loops"] is dict(trace)["simplify"] or name == "cache"
    assert not any(
        isinstance(n, IfThenElse) and "abs" in n.cond.__repr__()
        for n in walk(dict(trace)["order_loops"].body)
    )


@pytest.mark.parametrize("binds", [{}, "rows"])
def test_constant_strides_keep_the_order(binds: Any) -> None:
    s, args = doubled(80, 16)
    if binds:
        binds = {args[0]: te.decl_buffer((80, 16), name="A", strides=[64, 2])}
    f = after((s, args), binds=binds)
    assert not any(isinstance(n, IfThenElse) for n in walk(f.body))


def test_lines_have_one_order() -> None:
    s, args = doubled(8000)
    assert orders(after((s, args))) == ["i0"]


def test_indices_that_values_tell_keep_the_order() -> None:
    A, P = te.placeholder((64, 64), name="A"), te.placeholder((64,), name="P", dtype="int32")
    B = te.compute((64, 64), lambda i, j: A[P[i] % 64, j], name="B")
    args = [A, P, B]
    assert orders(after((te.create_schedule(B.op), args))) == ["i j"]


def test_it_is_switched_off_with_the_option() -> None:
    s, args = doubled(80, 16)
    with tewb.PassContext(config={"tewb.specialise_strides": False}):
        assert not any(isinstance(n, IfThenElse) for n in walk(after((s, args)).body))


# ---------------------------------------------------------------- results


def layouts(shape: tuple[int, ...]) -> list[Callable[[Any], Any]]:
    """Views with the elements of an array in every order of dimensions, dense, with gaps and backwards."""
    found: list[Callable[[Any], Any]] = []
    for order in itertools.permutations(range(len(shape))):
        back = np.argsort(order)

        def dense(a: Any, order: Any = order, back: Any = back) -> Any:
            return np.ascontiguousarray(a.transpose(order)).transpose(back)

        def gaps(a: Any, order: Any = order, back: Any = back) -> Any:
            t = a.transpose(order)
            wide = np.zeros((*t.shape[:-1], 3 * t.shape[-1]), a.dtype)
            wide[..., ::3] = t
            return wide[..., ::3].transpose(back)

        def backwards(a: Any, dense: Any = dense) -> Any:
            return dense(a[::-1])[::-1]

        found += [dense, gaps, backwards]
    return found


def vectorized(program: Program, axis: str) -> Program:
    s, args = program
    s[args[-1]].split(axis, factor=8)
    s[args[-1]].vectorize(f"{axis}.inner")
    return program


def parallel(program: Program, axis: str) -> Program:
    program[0][program[1][-1]].parallel(axis)
    return program


def window(n: int, m: int) -> Program:
    A, k = te.placeholder((n + 2, m), name="A"), te.reduce_axis((0, 3), name="k")
    R = te.compute((n, m), lambda i, j: te.max(A[i + k, m - 1 - j], axis=k), name="R")
    return te.create_schedule(R.op), [A, R]


def mean(n: int, m: int) -> Program:
    """Two nests; the first is an intermediate."""
    A = te.placeholder((n, m), name="A")
    B = te.compute((n, m), lambda i, j: A[i, j] * A[i, j], name="B")
    k = te.reduce_axis((0, n), name="k")
    R = te.compute((m,), lambda j: te.sum(B[k, j], axis=k), name="R")
    return te.create_schedule(R.op), [A, R]


def guarded(n: int, m: int) -> Program:
    A, k = te.placeholder((n, m), name="A"), te.reduce_axis((0, m), name="k")
    R = te.compute((n,), lambda i: te.sum(A[i, k], axis=k, where=k > i), name="R")
    s = te.create_schedule(R.op)
    s[R].split("i", factor=4)
    s[R].split("k", factor=3)
    return s, [A, R]


def split_matmul(n: int, m: int, k: int) -> Program:
    s, args = matmul(n, m, k)
    s["C"].split("i", factor=4)
    s["C"].split("j", factor=5)
    return s, args


def conditional(of: str) -> Program:
    """Sums of the terms for which a condition holds: on rows, on columns, on elements, or on the result's place only."""
    n, m = 42, 31
    A, B = te.placeholder((n, m), name="A"), te.placeholder((n,), name="B")
    k = te.reduce_axis((0, m), name="k")
    where = {
        "rows": lambda i, j: B[i] > 0.5,
        "columns": lambda i, j: j % 2 == 0,
        "elements": lambda i, j: A[i, k] > 0,
        "steps": lambda i, j: te.all(k > 3, B[i] > 0.5),
    }[of]
    R = te.compute((n, 9), lambda i, j: te.sum(A[i, k] + j, axis=k, where=where(i, j)), name="R")
    return te.create_schedule(R.op), [A, B, R]


def conditional_row(of: str) -> Program:
    n, m = 42, 31
    A, B = te.placeholder((n, m), name="A"), te.placeholder((n,), name="B")
    k = te.reduce_axis((0, m), name="k")
    where = {"rows": lambda i: B[i] > 0.5, "place": lambda i: i % 3 > 0}[of]
    R = te.compute((n,), lambda i: te.sum(A[i, k], axis=k, where=where(i)), name="R")
    return te.create_schedule(R.op), [A, B, R]


PROGRAMS: dict[str, Callable[[], Program]] = {
    **{
        f"sums where {of}": (lambda of=of: conditional(of)) for of in ("rows", "columns", "elements", "steps")
    },
    **{f"rows where {of}": (lambda of=of: conditional_row(of)) for of in ("rows", "place")},
    "double": lambda: doubled(33, 41),
    "vectors": lambda: vectorized(doubled(33, 41), "i1"),
    "parallel": lambda: parallel(doubled(33, 41), "i0"),
    "three": lambda: vectorized(doubled(7, 8, 19), "i2"),
    "rows": lambda: row_sums(33, 41),
    "parallel rows": lambda: parallel(row_sums(33, 41), "i"),
    "split rows": lambda: guarded(33, 41),
    "matmul": lambda: matmul(17, 9, 11),
    "parallel matmul": lambda: parallel(matmul(17, 9, 11), "i"),
    "split matmul": lambda: split_matmul(17, 9, 11),
    "window": lambda: window(19, 31),
    "mean": lambda: mean(39, 31),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_layout_has_the_result_of_rows(name: str) -> None:
    """Bit by bit: the additions of an element keep their order. A product may be rounded before it is added, or not."""
    s, args = PROGRAMS[name]()
    kernel = tewb.build(s, args, binds=any_strides(args))
    rng = np.random.default_rng(0)
    given = [rng.standard_normal([n.value for n in t.shape]).astype("float32") for t in args]
    kernel(*given)
    for turns in itertools.product(*[layouts(a.shape)[::2] for a in given]):
        views = [turn(a) for turn, a in zip(turns[:-1], given[:-1], strict=True)]
        out = turns[-1](np.full_like(given[-1], np.nan))
        kernel(*views, out)
        np.testing.assert_allclose(out, given[-1], rtol=0, atol=2e-6 if "matmul" in name else 0)


def test_rows_of_symbolic_sizes_in_every_layout() -> None:
    """They ask for memory ahead, past the end of their arrays."""
    s, args = row_sums(te.var("n"), te.var("m"))
    kernel = tewb.build(s, args, binds=any_strides(args))
    for shape in [(0, 3), (1, 1), (7, 40), (33, 470)]:
        a = np.random.default_rng(1).standard_normal(shape).astype("float32")
        want, out = np.zeros((2, shape[0]), "float32")
        kernel(a, want)
        np.testing.assert_allclose(want, a.sum(1), rtol=1e-4, atol=1e-4)
        for x in layouts(shape):
            kernel(x(a), out)
            np.testing.assert_array_equal(out, want)


def test_symbolic_sizes_in_every_layout() -> None:
    n, m = te.var("n"), te.var("m")
    s, args = vectorized(doubled(n, m), "i1")
    kernel = tewb.build(s, args, binds=any_strides(args))
    for shape in [(0, 3), (1, 1), (7, 40), (33, 47)]:
        a = np.random.default_rng(1).standard_normal(shape).astype("float32")
        for x, y in itertools.product(layouts(shape), repeat=2):
            out = y(np.zeros_like(a))
            kernel(x(a), out)
            np.testing.assert_array_equal(out, a * 2)
