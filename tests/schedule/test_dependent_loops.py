"""Reduce loops whose ranges depend on data axes, on each other, or on elements of tensors."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.pages import between_pages
from tests.programs import lower_all, random_schedule, schedule_for
from tewb import te
from tewb.base import BoundError, ScheduleError
from tewb.ir import script
from tewb.ir.parser import parse
from tewb.schedule import Schedule
from tewb.tensor import Tensor
from tewb.testing import evaluate
from tewb.workbench import Session

Sizes = tuple[Any, Any, Any]  # rows, columns, elements
Made = tuple[list[Tensor], list[Tensor]]


def csr(sizes: Sizes, dtype: str = "int32") -> Made:
    """A sparse matrix times a vector."""
    n, m, nnz = sizes
    indptr, indices = (
        te.placeholder((n + 1,), dtype, name="indptr"),
        te.placeholder((nnz,), dtype, name="indices"),
    )
    data, x = te.placeholder((nnz,), name="data"), te.placeholder((m,), name="x")

    def row(i: Any) -> Any:
        k = te.reduce_axis((indptr[i], indptr[i + 1]), name="k")
        return te.sum(data[k] * x[indices[k]], axis=k)

    return [indptr, indices, data, x], [te.compute((n,), row, name="y")]


def csr64(sizes: Sizes) -> Made:
    return csr(sizes, "int64")


def sparse_times_dense(sizes: Sizes) -> Made:
    n, m, nnz = sizes
    indptr, indices = (
        te.placeholder((n + 1,), "int32", name="indptr"),
        te.placeholder((nnz,), "int32", name="indices"),
    )
    data, x = te.placeholder((nnz,), name="data"), te.placeholder((m, 12), name="x")

    def element(i: Any, j: Any) -> Any:
        k = te.reduce_axis((indptr[i], indptr[i + 1]), name="k")
        return te.sum(data[k] * x[indices[k], j], axis=k)

    return [indptr, indices, data, x], [te.compute((n, 12), element, name="y")]


def csr_stages(sizes: Sizes) -> Made:
    """The same with stages before and after, one of which tells how long rows are."""
    n, m, nnz = sizes
    indptr, indices = (
        te.placeholder((n + 1,), "int32", name="indptr"),
        te.placeholder((nnz,), "int32", name="indices"),
    )
    data, x = te.placeholder((nnz,), name="data"), te.placeholder((m,), name="x")
    length = te.compute((n,), lambda i: indptr[i + 1] - indptr[i], name="length")
    scaled = te.compute((nnz,), lambda e: data[e] * 2.0, name="scaled")
    half = te.compute((m,), lambda j: x[j] * 0.5, name="half")

    def row(i: Any) -> Any:
        k = te.reduce_axis((0, length[i]), name="k")
        return te.sum(scaled[indptr[i] + k] * half[indices[indptr[i] + k]], axis=k)

    y = te.compute((n,), row, name="y")
    return [indptr, indices, data, x], [te.compute((n,), lambda i: te.max(y[i], 0.0), name="z")]


def segments(sizes: Sizes) -> Made:
    """The largest element of each segment, and the sum of exponentials below it, as a softmax has them."""
    n, _, nnz = sizes
    indptr, data = te.placeholder((n + 1,), "int32", name="indptr"), te.placeholder((nnz,), name="data")

    def largest(i: Any) -> Any:
        k = te.reduce_axis((indptr[i], indptr[i + 1]), name="k")
        return te.max(data[k], axis=k)

    top = te.compute((n,), largest, name="top")

    def exponentials(i: Any) -> Any:
        k = te.reduce_axis((indptr[i], indptr[i + 1]), name="k")
        return te.sum(te.exp(data[k] - top[i]), axis=k)

    return [indptr, data], [top, te.compute((n,), exponentials, name="total")]


def _better(a: Any, b: Any) -> Any:
    return te.any(a[1] > b[1], te.all(a[1] == b[1], a[0] < b[0]))


first_largest = te.comm_reducer(
    lambda a, b: (te.select(_better(a, b), a[0], b[0]), te.select(_better(a, b), a[1], b[1])),
    lambda t, u: (te.max_value(t), te.min_value(u)),
    name="first_largest",
)


def argmax_rows(sizes: Sizes) -> Made:
    n, m, _ = sizes
    count, a = te.placeholder((n,), "int32", name="count"), te.placeholder((n, m), name="a")

    def row(i: Any) -> Any:
        k = te.reduce_axis((0, count[i]), name="k")
        return first_largest((k, a[i, k]), axis=k)

    return [count, a], list(te.compute((n,), row, name="best"))


def ragged(sizes: Sizes, dtype: str = "int32") -> Made:
    n, m, _ = sizes
    count, a = te.placeholder((n,), dtype, name="count"), te.placeholder((n, m), name="a")

    def row(i: Any) -> Any:
        k = te.reduce_axis((0, count[i]), name="k")
        return te.sum(a[i, k], axis=k)

    return [count, a], [te.compute((n,), row, name="y")]


def ragged_bytes(sizes: Sizes) -> Made:
    return ragged(sizes, "uint8")


def lower_triangle(sizes: Sizes) -> Made:
    n, _, _ = sizes
    a, x = te.placeholder((n, n), name="a"), te.placeholder((n,), name="x")
    twice = te.compute((n, n), lambda i, j: a[i, j] * 2.0, name="twice")

    def row(i: Any) -> Any:
        k = te.reduce_axis((0, i + 1), name="k")
        return te.sum(twice[i, k] * x[k], axis=k)

    y = te.compute((n,), row, name="y")
    return [a, x], [te.compute((n,), lambda i: y[i] + 1.0, name="z")]


def product_of_triangles(sizes: Sizes) -> Made:
    n, _, _ = sizes
    a = te.placeholder((n, n), name="a")

    def element(i: Any, j: Any) -> Any:
        k = te.reduce_axis((j, i + 1), name="k")  # none where j > i
        return te.sum(a[i, k] * a[k, j], axis=k)

    return [a], [te.compute((n, n), element, name="y")]


def two_levels(sizes: Sizes) -> Made:
    n, _, _ = sizes
    a, x = te.placeholder((n, n), name="a"), te.placeholder((n,), name="x")

    def element(i: Any) -> Any:
        k = te.reduce_axis((0, i + 1), name="k")
        r = te.reduce_axis((k - 1, i + 1), name="r")
        return te.sum(a[k, te.max(r, 0)] * x[i], axis=[r, k])  # in the wrong order

    return [a, x], [te.compute((n,), element, name="y")]


def ragged_two_levels(sizes: Sizes) -> Made:
    n, m, _ = sizes
    count, a = te.placeholder((n,), "int32", name="count"), te.placeholder((n, m), name="a")

    def element(i: Any, j: Any) -> Any:
        k = te.reduce_axis((0, count[i]), name="k")
        r = te.reduce_axis((0, k + 1), name="r")
        return te.sum(a[i, r] * (k + j), axis=[k, r], where=r != 1)

    return [count, a], [te.compute((n, 3), element, name="y")]


PROGRAMS: dict[str, Callable[[Sizes], Made]] = {
    f.__name__: f
    for f in (
        csr, csr64, sparse_times_dense, csr_stages, segments, argmax_rows, ragged, ragged_bytes, lower_triangle, product_of_triangles, two_levels,
        ragged_two_levels,
    )
}  # fmt: skip


def arrays_for(inputs: list[Tensor], sizes: tuple[int, int, int], rng: np.random.Generator) -> list[Any]:
    n, m, nnz = sizes
    made = []
    for t in inputs:
        shape = [d.value for d in t.shape]
        match t.name:
            case "indptr":  # with empty rows, sometimes one that ends before it begins
                a = np.sort(rng.integers(0, nnz + 1, n + 1))
                if n > 2 and rng.random() < 0.3:
                    a[1], a[2] = a[2], a[1]
            case "indices":
                a = rng.integers(0, m, nnz)
            case "count":
                a = rng.integers(0 if t.dtype == "uint8" else -2, m + 1, n)
            case _:
                a = rng.standard_normal(shape)
        made.append(a.astype(t.dtype))
    return made


def check(
    s: Schedule, program: Callable[[Sizes], Made], made: Made, sizes: Any, seed: int = 0, **build: bool
) -> None:
    """The kernel gives what the definition says for all sizes, with arrays that touch pages without access."""
    inputs, outputs = made
    kernel = tewb.build(s, [*inputs, *outputs], **build)
    for number, size in enumerate(sizes):
        rng = np.random.default_rng(seed + number)
        given, wanted = program(size)
        arrays = arrays_for(given, size, rng)
        expected = evaluate(wanted, dict(zip(given, arrays, strict=True)))
        at_end = number % 2 == 0
        arrays = [between_pages(a, at_end) for a in arrays]
        results = [between_pages(np.full(e.shape, 77).astype(e.dtype), at_end) for e in expected]
        kernel(*arrays, *results)
        for got, want in zip(results, expected, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4, err_msg=f"{size} {s.journal}")


SIZES = [(1, 3, 0), (5, 4, 9), (13, 9, 40), (8, 21, 64)]


@pytest.mark.one_in(2)
@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("debug", [False, True])
def test_without_a_schedule(name: str, debug: bool) -> None:
    program = PROGRAMS[name]
    symbols = te.var("n"), te.var("m"), te.var("nnz")
    made = program(symbols)
    check(schedule_for(made[1]), program, made, [(0, 2, 0), *SIZES], debug=debug)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("seed", range(5))
def test_random_schedules(name: str, seed: int) -> None:
    program, rng = PROGRAMS[name], random.Random(f"{name}{seed}")
    symbols = (te.var("n"), te.var("m"), te.var("nnz")) if seed % 2 else None
    made = program(symbols or SIZES[2])
    s = random_schedule(made[1], rng, rng.randint(2, 7))
    try:
        check(s, program, made, SIZES if symbols else SIZES[2:3], seed, debug=seed == 4)
    except tewb.base.LowerError as e:
        assert "not constant" in str(e)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", ["csr", "csr_stages", "lower_triangle", "ragged", "argmax_rows", "segments"])
@pytest.mark.parametrize("step", ["vectorize", "unroll", "rfactor", "nparts", "parallel", "local"])
def test_each_way_to_run_the_rows(name: str, step: str) -> None:
    program = PROGRAMS[name]
    symbols = te.var("n"), te.var("m"), te.var("nnz")
    made = program(symbols)
    s = schedule_for(made[1])
    for stage in [st for st in s.stages if st.op.reduce_axis]:
        k = stage.op.reduce_axis[0]
        match step:
            case "vectorize" | "unroll":
                getattr(stage, step)(stage.split(k, factor=4)[1])
            case "rfactor":
                s.rfactor(stage.op.output(0), stage.split(k, factor=4)[1])
            case "nparts":
                stage.split(k, nparts=3)
            case "parallel":
                stage.parallel(stage.split(stage.op.axis[0], factor=2)[0])
            case "local":
                first = s.cache_write(stage.op.output(0), "local")
                copy = s[first[0] if isinstance(first, tuple) else first]
                copy.compute_at(stage, stage.op.axis[0])
                copy.split(copy.op.reduce_axis[0], factor=3)
    check(s, program, made, SIZES)


def test_a_row_is_told_and_checked_before_its_loop() -> None:
    inputs, outputs = ragged((6, 9, 0))
    s = schedule_for(outputs)
    s["y"].vectorize(s["y"].split("k", factor=4)[1])
    text = script(tewb.lower(s, [*inputs, *outputs]))
    assert text.splitlines()[5:] == [
        "        for i in range(6):",
        "            k.extent = T.let(T.max(count[i], 0))",
        "            assert count[i] <= 0 or count[i] - 1 < 9, 'y reads outside of a in dimension 1: k'",
        '            y.lanes = T.allocate((T.int64(4),), "float32", scope="local")',
        "            y.lanes[T.int64(0):4] = T.Broadcast(T.float32(0.0), 4)",
        '            for k.outer in range(T.Cast("int64", k.extent) // T.int64(4)):',
        "                y.lanes[T.int64(0):4] = y.lanes[T.int64(0):4] + a[i, k.outer * "
        "T.int64(4):k.outer * T.int64(4) + 4]",
        '            for k.outer in range((T.Cast("int64", k.extent) + T.int64(3)) // '
        'T.int64(4) - T.Cast("int64", k.extent) // T.int64(4)):',
        "                y.lanes[T.int64(0):4] = y.lanes[T.int64(0):4] + "
        'T.if_then_else(T.likely(T.Ramp(k.outer * T.int64(4) + T.Cast("int64", k.extent) // '
        'T.int64(4) * T.int64(4), T.int64(1), 4) < T.Broadcast(T.Cast("int64", k.extent), '
        '4)), a[i, k.outer * T.int64(4) + T.Cast("int64", k.extent) // T.int64(4) * '
        'T.int64(4):k.outer * T.int64(4) + T.Cast("int64", k.extent) // T.int64(4) * '
        "T.int64(4) + 4], T.Broadcast(T.float32(0.0), 4))",
        "            y.lanes[T.int64(0):2] = y.lanes[T.int64(0):2] + y.lanes[T.int64(2):4]",
        "            y.lanes[T.int64(0)] = y.lanes[T.int64(0)] + y.lanes[T.int64(1)]",
        "            y[i] = y.lanes[T.int64(0)]",
    ]
    assert script(parse(text)) == text


def test_rows_of_a_dense_matrix_are_added_as_vectors() -> None:
    symbols = te.var("n"), te.var("m"), te.var("nnz")
    made = inputs, outputs = sparse_times_dense(symbols)
    s = schedule_for(outputs)
    inner = s["y"].split("j", factor=8)[1]
    s["y"].reorder("k", inner)
    s["y"].vectorize(inner)
    s["y"].parallel("i")
    text = script(tewb.lower(s, [*inputs, *outputs]))
    assert "y[i, 0:8] = y[i, 0:8] + T.Broadcast(data[k.begin + k], 8) * x[indices[k.begin + k], 0:8]" in text
    check(s, sparse_times_dense, made, SIZES)


def test_a_producer_in_the_loop_makes_what_the_row_needs() -> None:
    inputs, outputs = lower_triangle((te.var("n"), 0, 0))
    s = schedule_for(outputs)
    s["twice"].compute_at(s["y"], "i")
    s["y"].compute_at(s["z"], "i")
    text = script(tewb.lower(s, [*inputs, *outputs]))
    assert "for j in range(i + 1):" in text
    check(s, lower_triangle, (inputs, outputs), SIZES)
    inputs, outputs = csr_stages((6, 7, 20))  # elements tell what is read: all of it is made
    s = schedule_for(outputs)
    for name in ("scaled", "half"):
        s[name].compute_at(s["y"], "i")
    text = script(tewb.lower(s, [*inputs, *outputs]))
    assert 'scaled = T.allocate((20,), "float32")' in text and 'half = T.allocate((7,), "float32")' in text
    check(s, csr_stages, (inputs, outputs), [(6, 7, 20)])


@pytest.mark.parametrize("place", ["scaled", "half"])
def test_a_producer_inside_of_a_part_of_the_row(place: str) -> None:
    symbols = te.var("n"), te.var("m"), te.var("nnz")
    made = csr_stages(symbols)
    s = schedule_for(made[1])
    outer, _ = s["y"].split("k", factor=4)
    s[place].compute_at(s["y"], outer)
    check(s, csr_stages, made, SIZES)


@pytest.mark.parametrize("place", ["inline", "at", "copy", "root"])
def test_what_tells_the_length_of_rows_is_a_stage_as_others_are(place: str) -> None:
    symbols = te.var("n"), te.var("m"), te.var("nnz")
    made = csr_stages(symbols)
    s = schedule_for(made[1])
    if place == "inline":
        s["length"].compute_inline()
    elif place == "at":
        s["y"].compute_at(s["z"], s["z"].split("i", factor=4)[0])
        s["length"].compute_at(s["y"], "i")
    elif place == "copy":
        length = s["length"].op.output(0)
        copy = s.cache_read(length, "local", [s["y"]])
        s[copy].compute_at(s["y"], "i")
        s.cache_read(made[0][0], "local", [s["length"], s["y"]])
    check(s, csr_stages, made, SIZES)


# ---- what is outside


@pytest.mark.parametrize(
    ("step", "wrong"),
    [
        *itertools.product(["none", "vectorize", "unroll", "rfactor", "debug"], ["begin", "end", "column"]),
        *itertools.product(["none", "vectorize", "unroll", "debug"], ["far"]),
    ],
)
def test_wrong_rows_are_refused_before_anything_is_read(step: str, wrong: str) -> None:
    symbols = te.var("n"), te.var("m"), te.var("nnz")
    inputs, outputs = csr(symbols)
    s = schedule_for(outputs)
    inner = s["y"].split("k", factor=4)[1]
    if step == "rfactor":
        s.rfactor(outputs[0], inner)
    elif step in ("vectorize", "unroll"):
        getattr(s["y"], step)(inner)
    kernel = tewb.build(s, [*inputs, *outputs], debug=step == "debug")
    indptr, indices = np.array([0, 3, 3, 9], "int32"), np.arange(9, dtype="int32") % 5
    data, x, y = np.ones(9, "float32"), np.ones(5, "float32"), np.zeros(3, "float32")
    arrays = [between_pages(a) for a in (indptr, indices, data, x, y)]
    kernel(*arrays)
    np.testing.assert_array_equal(arrays[4], [3, 0, 6])
    match wrong:
        case "begin":
            arrays[0][0] = -1
        case "end":
            arrays[0][3] = 10
        case "far":  # their difference wraps
            arrays[0][2:] = [-(2**31), 2**31 - 1]
        case _:
            arrays[1][4] = 5
    said = "x in dimension 0: indices" if wrong == "column" else "(data|indices) in dimension 0: (k|indptr)"
    with pytest.raises(tewb.TewbError, match=rf"y(\.rf)? reads outside of {said}"):
        kernel(*arrays)


@pytest.mark.parametrize("lanes", [2, 5])
def test_a_row_in_a_masked_lane_is_not_looked_at(lanes: int) -> None:
    """The tail of k stands around all of r: its check, and the element that tells how long r runs."""
    n = te.var("n")
    count, a = te.placeholder((n,), "int32", name="count"), te.placeholder((n, 3), name="a")

    def element(i: Any) -> Any:
        k = te.reduce_axis((0, n), name="k")
        r = te.reduce_axis((0, count[k]), name="r")
        return te.sum(a[k, r] * (i + 1), axis=[k, r])

    y = te.compute((2,), element, name="y")
    for options in ({"factor": lanes}, {"nparts": lanes}):
        s = te.create_schedule(y.op)
        s[y].vectorize(s[y].split("k", **options)[0 if "nparts" in options else 1])
        kernel = tewb.build(s, [count, a, y])
        for size in (1, 7, 12):
            c, made = between_pages(np.arange(size, dtype="int32") % 4), np.zeros(2, "float32")
            kernel(c, between_pages(np.ones((size, 3), "float32")), made)
            np.testing.assert_array_equal(made, [c.sum(), 2 * c.sum()])


def test_an_element_that_names_one_element_leaves_the_whole_producer_to_be_made() -> None:
    n = te.var("n")
    a, which = te.placeholder((n,), name="a"), te.placeholder((4,), "int32", name="which")
    b = te.compute((n,), lambda i: a[i] * 2.0, name="b")
    c = te.compute((n,), lambda i: b[which[0]] + b[i], name="c")
    s = te.create_schedule(c.op)
    s[b].compute_at(s[c], "i")
    made, given = np.zeros(5, "float32"), np.arange(5, dtype="float32")
    tewb.build(s, [a, which, c])(given, np.array([3, 9, 9, 9], "int32"), made)
    np.testing.assert_array_equal(made, given * 2 + 6)


# ---- what is refused


def refuse(message: str, hint: str | None, f: Callable[..., Any], *args: Any, **options: Any) -> None:
    with pytest.raises(ScheduleError, match=message) as e:
        f(*args, **options)
    assert hint is None or hint in (e.value.hint or "")


def test_a_row_stays_inside_of_the_loops_that_tell_it() -> None:
    symbols = te.var("n"), te.var("m"), te.var("nnz")
    _, outputs = csr(symbols)
    s = schedule_for(outputs)
    y = s["y"]
    why = r"k runs from indptr\[i\] to indptr\[i \+ 1\], which depends on i: it stays inside of loop i"
    refuse(why, "keep i outside of the loops of k", y.reorder, "k", "i")
    refuse(r"it stays inside of loop i\.inner, which i is made of", None, y.tile, "i", "k", 4, 4)
    y.split("i", factor=4)
    refuse(r"it stays inside of loop i\.inner, which i is made of", None, y.reorder, "k", "i.inner")
    y.reorder("i.inner", "i.outer")
    y.split("k", factor=8)
    y.reorder("k.inner", "k.outer")
    assert y.loops().startswith("i.inner(4), i.outer")
    refuse("the extent of k.outer is not a constant", "split k.outer by a constant", y.unroll, "k.outer")
    refuse("the extent of k.outer is not a constant", "split k.outer by a constant", y.vectorize, "k.outer")
    refuse("k.outer is a reduce axis", None, y.parallel, "k.outer")
    refuse(
        "how often k.outer runs is not the same for all elements .k runs from indptr", "factor the inner loop",
        s.rfactor, outputs[0], "k.outer",
    )  # fmt: skip


def test_loops_that_depend_on_each_other_are_not_one() -> None:
    _, outputs = two_levels((9, 0, 0))
    y = schedule_for(outputs)["y"]
    assert [y.axis_name(iv) for iv in y.leaf_iter_vars] == ["i", "k", "r"]
    refuse("r runs from k - 1 to i . 1, which depends on k: they cannot be one loop", None, y.fuse, "k", "r")
    refuse(
        "r runs from k - 1 to i . 1, which depends on k: it stays inside of loop k", None, y.reorder, "r", "k"
    )


def test_rows_of_unknown_length_are_not_fused() -> None:
    """65536 times 65536 iterations are no loop of int32."""
    count, a = te.placeholder((4,), "int32", name="count"), te.placeholder((9,), name="a")

    def element(i: Any) -> Any:
        k, r = te.reduce_axis((0, count[i]), name="k"), te.reduce_axis((1, count[i]), name="r")
        return te.sum(a[k] * a[r], axis=[k, r])

    y = te.compute((4,), element, name="y")
    s = te.create_schedule(y.op)
    refuse("elements of tensors tell how often k runs", "split r by a constant", s[y].fuse, "k", "r")
    outer, inner = s[y].split("r", factor=2)
    s[y].reorder(outer, "k", inner)
    s[y].vectorize(s[y].split(s[y].fuse("k", inner), factor=4)[1])
    c, made = between_pages(np.array([3, 0, 1, 9], "int32")), np.zeros(4, "float32")
    given = np.arange(9, dtype="float32")
    tewb.build(s, [count, a, y])(c, between_pages(given), made)
    np.testing.assert_array_equal(made, [given[:n].sum() * given[1:n].sum() for n in c])


def test_what_tells_the_length_of_a_row_stays_outside_of_it() -> None:
    csr_args, outputs = csr_stages((6, 7, 20))
    s = schedule_for(outputs)
    why = "length tells how often k of y runs, and loop k is no loop around that"
    s["length"].compute_at(s["y"], "k")
    refuse(why, "compute length further out", lower_all, s)
    s["length"].compute_root()
    s["y"].split("i", factor=3)
    s["length"].compute_at(s["y"], "i.inner")
    assert "length" in script(tewb.lower(s, [*csr_args, *outputs]))


# ---- the workbench


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_code_of_a_session_makes_the_same_program(name: str) -> None:
    inputs, outputs = PROGRAMS[name]((6, 9, 20))
    s = schedule_for(outputs)
    stage = next(st for st in s.stages if st.op.reduce_axis)
    stage.split(stage.op.reduce_axis[0], factor=4)
    session = Session(s, [*inputs, *outputs])
    made: dict[str, Any] = {}
    exec(session.code, made)
    assert str(made["module"]) == str(session.module)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_session_verifies_and_counts(name: str) -> None:
    inputs, outputs = PROGRAMS[name]((6, 9, 20))
    s = schedule_for(outputs)
    stage = next(st for st in s.stages if st.op.reduce_axis)
    stage.split(stage.op.reduce_axis[0], factor=4)
    session = Session(s, [*inputs, *outputs])
    assert session.verify().ok is True
    assert session.forms() and session.stages and session.budget


def test_the_work_of_a_triangle_is_counted() -> None:
    from tewb.workbench.measure.counts import operations

    a = te.placeholder((10, 10), name="a")
    y = te.compute((10,), lambda i: te.sum(a[i, 0], axis=te.reduce_axis((0, i + 1))), name="y")
    assert operations([y.op], {}) == 55
    assert operations([ragged((4, 4, 0))[1][0].op], {}) is None


@pytest.mark.parametrize("size", [{"factor": 1 << 40}, {"nparts": 1 << 40}, {"factor": 5}, {"nparts": 5}])
def test_a_split_into_more_than_there_is_takes_all_of_it(size: dict[str, int]) -> None:
    A = te.placeholder((9,), "int32", name="A")

    def window(i: Any) -> Any:
        k = te.reduce_axis((i, i + 3), name="k")
        return te.sum(A[k], axis=k)

    B = te.compute((7,), window, name="B")
    s = te.create_schedule([B.op])
    s[B].split(B.op.reduce_axis[0], **size)
    a = np.arange(9, dtype="int32")
    assert (tewb.build(s, [A, B])(a) == a[:7] + a[1:8] + a[2:9]).all()


@pytest.mark.parametrize("schedule", ["", "split", "vectorize"])
@pytest.mark.parametrize("offset", [5, -5])
def test_far_ends_of_rows_do_not_wrap_into_a_tensor(schedule: str, offset: int) -> None:
    P, A = te.placeholder((2,), "int32", name="P"), te.placeholder((9,), "uint8", name="A")
    axes: list[Any] = []

    def row(x: Any) -> Any:
        axes.append(te.reduce_axis((P[0], P[1]), "k"))
        return te.sum(A[axes[0] + offset].astype("uint32"), axis=axes[0])

    C = te.compute((1,), row, name="C")
    s = te.create_schedule(C.op)
    if schedule:
        inner = s[C].split(axes[0], factor=8)[1]
        if schedule == "vectorize":
            s[C].vectorize(inner)
    kernel = tewb.build(s, [P, A, C])
    a = between_pages(np.ones(9, "uint8"))
    first = max(-offset, 0)
    assert kernel(np.array([first, first + 4], "int32"), a)[0] == 4
    for begin, end in [(first, 2**31 - 1), (-(2**31), 4), (-(2**31), 2**31 - 1), (2**31 - 4, 2**31 - 1)]:
        with pytest.raises(BoundError, match="C reads outside of A"):
            kernel(np.array([begin, end], "int32"), a)


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("factor", [None, 3])
def test_vectorized_loop_around_rows_of_differing_length_runs_serially(
    told: bool, factor: int | None
) -> None:
    n = te.var("n")
    A, P = te.placeholder((n,), "int32", name="A"), te.placeholder((n + 1,), "int32", name="P")
    axes: list[Any] = []

    def row(i: Any) -> Any:
        axes.append(te.reduce_axis((P[i], P[i + 1]) if told else (0, i + 1), "k"))
        return te.sum(A[axes[0]] + i, axis=axes[0])

    C = te.compute((n,), row, name="C")
    s = te.create_schedule(C.op)
    s[C].vectorize(s[C].split(C.op.axis[0], factor=4)[1])
    if factor is not None:
        s[C].split(axes[0], factor=factor)
    args = [A, P, C] if told else [A, C]
    text = str(tewb.lower(s, args, simple_mode=True))
    assert "for i.inner in range(4):" in text and "vectorized" not in text
    size, a = 13, np.arange(13, dtype="int32") * 3
    ends = np.sort(np.random.default_rng(1).integers(0, size, size + 1)).astype("int32")
    rows = [(ends[i], ends[i + 1]) if told else (0, i + 1) for i in range(size)]
    wanted = [(a[b:e] + i).sum() for i, (b, e) in enumerate(rows)]
    arrays = [between_pages(x) for x in ([a, ends] if told else [a])]
    np.testing.assert_array_equal(tewb.build(s, args)(*arrays), wanted)
