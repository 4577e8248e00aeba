"""Externs in tiles: accesses, splits, edges, copies. Every kernel is compared with numpy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import ExternError, ScheduleError
from tewb.ir import Allocate, AttrStmt, ForKind, IfThenElse, walk
from tewb.runtime import remove_global_func
from tewb.schedule.recompute import recompute_factor

CALLS: list[tuple[Any, ...]] = []
NAMES = ["test.double", "test.window", "test.rows", "test.pairs", "test.where"]


@pytest.fixture(autouse=True)
def packed() -> Iterator[None]:
    CALLS.clear()

    def double(a: Any, b: Any) -> None:
        CALLS.append(b.shape)
        assert a.shape == b.shape
        b[...] = a * 2

    def window(a: Any, b: Any, ai: int, aj: int, bi: int, bj: int) -> None:
        """Sums of 3 x 3 windows, cut at the edges of the input. The origins tell where both views stand."""
        CALLS.append((a.shape, b.shape))
        for i in range(b.shape[0]):
            for j in range(b.shape[1]):
                y, x = bi + i - ai, bj + j - aj
                b[i, j] = a[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].sum()

    def row_sums(a: Any, total: Any, scaled: Any) -> None:
        CALLS.append((a.shape, total.shape, scaled.shape))
        total[...] = a.sum(axis=1)
        scaled[...] = (a / a.sum(axis=1, keepdims=True)).astype("float64")

    def pairs(a: Any, b: Any) -> None:
        CALLS.append((a.shape, b.shape))
        b[...] = a[0 : 2 * b.shape[0] : 2] + a[1 : 2 * b.shape[0] : 2]

    def where(b: Any, origin: int, extent: int) -> None:
        CALLS.append((b.shape[0], origin, extent))
        b[...] = np.arange(origin, origin + b.shape[0])

    for name, f in zip(NAMES, (double, window, row_sums, pairs, where), strict=True):
        tewb.register_func(name, f, override=True)
    yield
    for name in NAMES:
        remove_global_func(name)


def doubled(shape: tuple[int, ...], **options: Any) -> tuple[Any, Any]:
    A = te.placeholder(shape, name="A")
    options.setdefault("access", te.access.elementwise)
    return A, te.extern(
        shape, [A], lambda i, o: te.call_packed("test.double", i[0], o[0]), name="E", **options
    )


def window_sums(n: int, m: int, **options: Any) -> tuple[Any, Any]:
    A = te.placeholder((n, m), name="A")
    P = te.compute((n, m), lambda i, j: A[i, j] + 1.0, name="P")

    def body(ins: Any, outs: Any, tile: Any) -> Any:
        return te.call_packed("test.window", ins[0], outs[0], *tile.inputs[0].origin, *tile.origin)

    return A, te.extern((n, m), [P], body, name="E", access=te.access.stencil(1), **options)


def expected_windows(a: Any) -> Any:
    p = np.pad(a + 1.0, 1)
    n, m = a.shape
    return sum(p[y : y + n, x : x + m] for y in range(3) for x in range(3))


def run(s: Any, args: list[Any], *arrays: Any) -> None:
    tewb.build(s, args, debug=True)(*arrays)


# ---------------------------------------------------------------- splits


@pytest.mark.parametrize("tail", ["clip", "pad", "shift"])
@pytest.mark.parametrize(
    ("n", "m", "x", "y"), [(8, 6, 4, 3), (10, 7, 4, 3), (3, 5, 4, 8), (1, 1, 2, 2), (9, 9, 1, 9)]
)
def test_tiles_of_an_extern(n: int, m: int, x: int, y: int, tail: str) -> None:
    A, E = doubled((n, m), tail=tail)
    s = te.create_schedule(E.op)
    s[E].tile("d0", "d1", x, y)
    a, e = np.random.rand(n, m).astype("float32"), np.zeros((n, m), "float32")
    run(s, [A, E], a, e)
    np.testing.assert_array_equal(e, a * 2)
    x, y = min(x, n), min(y, m)
    assert len(CALLS) == -(-n // x) * -(-m // y)
    if tail == "clip":
        assert sum(h * w for h, w in CALLS) == n * m
    else:
        assert set(CALLS) == {(x, y)}


def test_loops_around_an_extern_split_again_fuse_reorder_unroll_and_run_in_parallel() -> None:
    A, E = doubled((21, 13))
    s = te.create_schedule(E.op)
    io, ii = s[E].split("d0", 5)
    jo, _ = s[E].split("d1", 4)
    iio, _ = s[E].split(ii, 2)
    ioo, ioi = s[E].split(io, 2)
    s[E].reorder(jo, ioo, ioi, iio)
    f = s[E].fuse(jo, ioo)
    s[E].parallel(f)
    s[E].unroll(iio)
    assert s[E].loops().endswith("d0.inner.inner(2, inside), d1.inner(4, inside)")
    a, e = np.random.rand(21, 13).astype("float32"), np.zeros((21, 13), "float32")
    run(s, [A, E], a, e)
    np.testing.assert_array_equal(e, a * 2)
    assert sum(h * w for h, w in CALLS) == 21 * 13


def test_nparts_of_an_extern() -> None:
    A, E = doubled((10,))
    s = te.create_schedule(E.op)
    s[E].split("d0", nparts=4)
    a, e = np.random.rand(10).astype("float32"), np.zeros(10, "float32")
    run(s, [A, E], a, e)
    np.testing.assert_array_equal(e, a * 2)
    assert CALLS == [(3,), (3,), (3,), (1,)]


def test_symbolic_sizes_are_cut_into_tiles() -> None:
    n = te.var("n")
    A, E = doubled((n, 6))
    s = te.create_schedule(E.op)
    s[E].split("d0", 4)
    kernel = tewb.build(s, [A, E])
    for size in (1, 4, 9):
        a, e = np.random.rand(size, 6).astype("float32"), np.zeros((size, 6), "float32")
        kernel(a, e)
        np.testing.assert_array_equal(e, a * 2)


def test_refusals_around_an_extern() -> None:
    _, E = doubled((10, 6))
    s = te.create_schedule(E.op)
    io, ii = s[E].split("d0", 4)
    with pytest.raises(ScheduleError, match=r"every iteration of d0.outer is a call of extern E(.|\n)*lanes"):
        s[E].vectorize(io)
    with pytest.raises(
        ScheduleError, match="axis d0.inner is the inside of extern E, which only its own code knows"
    ):
        s[E].vectorize(ii)
    with pytest.raises(ScheduleError, match="axis d1 is the inside of extern E"):
        s[E].parallel("d1")
    with pytest.raises(ScheduleError, match="axis d1 is the inside of extern E"):
        s[E].reorder("d1", io)
    _, E = doubled((10, 6), tail="shift")
    s = te.create_schedule(E.op)
    io, ii = s[E].split("d0", 4)
    with pytest.raises(ScheduleError, match="its last tile would write what another iteration of d0.outer"):
        s[E].parallel(io)
    with pytest.raises(ScheduleError, match='d0.inner is part of a tile already, and tail="shift"'):
        s[E].split(ii, 2)
    _, E = doubled((8, 6), effect="stateful")
    s = te.create_schedule(E.op)
    io, _ = s[E].split("d0", 4)
    with pytest.raises(ScheduleError, match="extern E is stateful: to parallelise its loops"):
        s[E].parallel(io)
    jo, _ = s[E].split("d1", 4)
    with pytest.raises(ScheduleError, match="extern E is stateful: to reorder its loops"):
        s[E].reorder(jo, io)


# ---------------------------------------------------------------- producers and consumers


@pytest.mark.parametrize("tail", ["clip", "shift"])
@pytest.mark.parametrize(("n", "m", "x", "y"), [(8, 8, 4, 4), (11, 7, 4, 3), (5, 9, 2, 20)])
def test_a_producer_is_computed_in_the_tiles_of_a_stencil(n: int, m: int, x: int, y: int, tail: str) -> None:
    A, E = window_sums(n, m, tail=tail)
    s = te.create_schedule(E.op)
    _, yo, _, _ = s[E].tile("d0", "d1", x, y)
    s["P"].compute_at(s[E], yo)
    allocated = tewb.Session(s, [A, E]).allocations()
    assert {k.shape for k in allocated} == {str((min(min(x, n) + 2, n), min(min(y, m) + 2, m)))}
    a, e = np.random.rand(n, m).astype("float32"), np.zeros((n, m), "float32")
    run(s, [A, E], a, e)
    np.testing.assert_allclose(e, expected_windows(a), rtol=1e-5)


@pytest.mark.parametrize("tail", ["clip", "shift"])
@pytest.mark.parametrize(("n", "m", "x"), [(8, 8, 4), (11, 7, 4), (5, 9, 7)])
def test_a_consumer_shrinks_a_stencil(n: int, m: int, x: int, tail: str) -> None:
    A, E = window_sums(n, m, tail=tail)
    C = te.compute((n, m), lambda i, j: E[i, j] * 2.0, name="C")
    s = te.create_schedule(C.op)
    io, _ = s[C].split(C.op.axis[0], x)
    s[E].compute_at(s[C], io)
    s["P"].compute_at(s[C], io)
    a, c = np.random.rand(n, m).astype("float32"), np.zeros((n, m), "float32")
    run(s, [A, C], a, c)
    np.testing.assert_allclose(c, 2 * expected_windows(a), rtol=1e-5)


def test_an_extern_in_an_extern() -> None:
    A = te.placeholder((12, 8), name="A")
    D = te.extern((12, 8), [A], lambda i, o: te.call_packed("test.double", i[0], o[0]), name="D",
                  access=te.access.elementwise)  # fmt: skip
    E = te.extern((12, 8), [D], lambda i, o: te.call_packed("test.double", i[0], o[0]), name="E",
                  access=te.access.elementwise)  # fmt: skip
    s = te.create_schedule(E.op)
    io, _ = s[E].split("d0", 5)
    s[D].compute_at(s[E], io)
    s[D].split("d1", 3)
    a, e = np.random.rand(12, 8).astype("float32"), np.zeros((12, 8), "float32")
    run(s, [A, E], a, e)
    np.testing.assert_array_equal(e, a * 4)
    assert CALLS[:4] == [(5, 3), (5, 3), (5, 2), (5, 8)]


def test_rows_keep_rows_whole_and_outputs_may_differ() -> None:
    A = te.placeholder((10, 6), name="A")
    T, N = te.extern([(10,), (10, 6)], [A], lambda i, o: te.call_packed("test.rows", i[0], o[0], o[1]), name="R",
                     dtype=["float32", "float64"], access=te.access.rows)  # fmt: skip
    C = te.compute((10, 6), lambda i, j: N[i, j] + T[i].astype("float64"), name="C")
    s = te.create_schedule(C.op)
    io, ii = s[C].split(C.op.axis[0], 4)
    jo, ji = s[C].split(C.op.axis[1], 3)
    s[C].reorder(io, jo, ii, ji)
    s["R"].compute_at(s[C], io)
    a, c = np.random.rand(10, 6).astype("float32") + 1, np.zeros((10, 6))
    run(s, [A, C], a, c)
    t = a.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(c, a / t + t, rtol=1e-5)
    assert CALLS == [((4, 6), (4,), (4, 6))] * 2 + [((2, 6), (2,), (2, 6))]
    assert len(s["R"].op.axis) == 1


def test_a_function_as_access() -> None:
    A = te.placeholder((19,), name="A")
    P = te.compute((19,), lambda i: A[i] * 2.0, name="P")
    E = te.extern((9,), [P], lambda i, o: te.call_packed("test.pairs", i[0], o[0]), name="E",
                  access=lambda r: [[(r[0] * 2, r[1] * 2)]])  # fmt: skip
    s = te.create_schedule(E.op)
    io, _ = s[E].split("d0", 4)
    s[P].compute_at(s[E], io)
    a, e = np.random.rand(19).astype("float32"), np.zeros(9, "float32")
    run(s, [A, E], a, e)
    np.testing.assert_allclose(e, 2 * (a[0:18:2] + a[1:18:2]), rtol=1e-6)
    assert CALLS == [((8,), (4,)), ((8,), (4,)), ((2,), (1,))]


# ---------------------------------------------------------------- what the callback is told and given


def test_origin_and_true_extents() -> None:
    A = te.placeholder((10,), name="A", dtype="int32")
    for tail, calls in {
        "clip": [(4, 0, 4), (4, 4, 4), (2, 8, 2)],
        "pad": [(4, 0, 4), (4, 4, 4), (4, 8, 2)],
        "shift": [(4, 0, 4), (4, 4, 4), (4, 6, 4)],
    }.items():
        CALLS.clear()
        E = te.extern((10,), [A], lambda i, o, tile: te.call_packed("test.where", o[0], tile.origin[0], tile.extents[0]),
                      name="E", access=te.access.elementwise, tail=tail)  # fmt: skip
        s = te.create_schedule(E.op)
        s[E].split("d0", 4)
        e = np.full(12, -1, "int32")
        run(s, [A, E], np.zeros(10, "int32"), e[1:11])
        np.testing.assert_array_equal(e, [-1, *range(10), -1])
        assert calls == CALLS


def test_padding_reads_zeros_and_its_results_go_nowhere() -> None:
    A, E = window_sums(6, 7, tail="pad")
    s = te.create_schedule(E.op)
    s[E].tile("d0", "d1", 4, 4)
    body = tewb.lower(s, [A, E])["main"].body
    assert any(isinstance(n, IfThenElse) and n.other is not None for n in walk(body))
    names = [n.buffer.name for n in walk(body) if isinstance(n, Allocate)]
    assert names == ["P", "P.pack", "E.pack"]
    a, e = np.random.rand(6, 7).astype("float32"), np.zeros((6, 7), "float32")
    run(s, [A, E], a, e)
    np.testing.assert_allclose(e, expected_windows(a), rtol=1e-5)
    assert {c[1] for c in CALLS} == {(4, 4)}


def test_compact_copies_are_visible() -> None:
    for compact, names, strides in ((False, [], 8 * 4), (True, ["A.pack", "E.pack"], 3 * 4)):
        seen: list[Any] = []

        def look(a: Any, b: Any, seen: list[Any] = seen) -> None:
            seen.append((a.strides[0], a.flags.c_contiguous))
            b[...] = a * 2

        tewb.register_func("test.double", look, override=True)
        A, E = doubled((6, 8), compact=compact)
        s = te.create_schedule(E.op)
        s[E].tile("d0", "d1", 2, 3)
        session = tewb.Session(s, [A, E])
        assert [a.name for a in session.allocations()] == names
        a, e = np.random.rand(6, 8).astype("float32"), np.zeros((6, 8), "float32")
        run(s, [A, E], a, e)
        np.testing.assert_array_equal(e, a * 2)
        assert seen[0] == (strides, compact)
    A, E = doubled((6, 8), compact=True)
    s = te.create_schedule(E.op)
    s[E].split("d0", 2)  # whole rows lie side by side: nothing to copy
    assert not [n for n in walk(tewb.lower(s, [A, E])["main"].body) if isinstance(n, Allocate)]


def test_scalars_of_no_dimension() -> None:
    A, B = te.placeholder((), name="A"), te.placeholder((), name="B")
    E = te.extern(
        (), [A, B], lambda i, o: te.call_packed("test.add0", *i, o[0]), access=te.access.elementwise
    )
    tewb.register_func("test.add0", lambda a, b, c: c.__setitem__((), a[()] + b[()]), override=True)
    c = np.zeros((), "float32")
    run(te.create_schedule(E.op), [A, B, E], np.float32(2).reshape(()), np.float32(3).reshape(()), c)
    assert c == 5
    remove_global_func("test.add0")


# ---------------------------------------------------------------- effects


def test_recompute_factor() -> None:
    A, E = window_sums(12, 8)
    C = te.compute((12, 8), lambda i, j: E[i, j] * 2.0, name="C")
    s = te.create_schedule(C.op)
    assert recompute_factor(s["P"]) == 1.0
    io, _ = s[C].split(C.op.axis[0], 5)
    s[E].compute_at(s[C], io)
    assert recompute_factor(s[E]) == 1.0
    s["P"].compute_at(s[C], io)
    # Tiles of rows 0-4, 5-9, 10-11 need rows 0-5, 4-10, 9-11 (boxes of 7 rows, cut at the tensor's edges).
    assert recompute_factor(s["P"]) == (6 + 7 + 3) * 8 / 96
    s["P"].compute_root()
    s[E].compute_root()
    W = te.extern((12, 8), [A], lambda i, o: te.call_packed("test.double", i[0], o[0]), name="W")
    C = te.compute((12, 8), lambda i, j: W[i, j], name="C")
    s = te.create_schedule(C.op)
    s[W].compute_at(s[C], C.op.axis[0])
    assert recompute_factor(s[W]) == 12.0


def test_a_stateful_extern_is_never_called_twice_for_an_element() -> None:
    _, E = doubled((12, 8), effect="stateful")
    C = te.compute((12, 8), lambda i, j: E[i, j] * 2.0, name="C")
    s = te.create_schedule(C.op)
    s[E].compute_at(s[C], C.op.axis[0])  # each row once
    A = te.placeholder((12,), name="A")
    E = te.extern((12,), [A], lambda i, o: te.call_packed("test.double", i[0], o[0]), name="E",
                  access=te.access.elementwise, effect="stateful")  # fmt: skip
    C = te.compute((11,), lambda i: E[i] + E[i + 1], name="C")
    s = te.create_schedule(C.op)
    with pytest.raises(
        ScheduleError, match=r"extern E is stateful, and would make each element 1.83 times on average"
    ):
        s[E].compute_at(s[C], C.op.axis[0])
        tewb.lower(s, [A, C])
    _, E = doubled((12, 8), effect="stateful")
    C = te.compute((12, 8), lambda i, j: E[i, j] * 2.0, name="C")
    s = te.create_schedule(C.op)
    s[C].parallel(C.op.axis[0])
    with pytest.raises(
        ScheduleError, match="extern E is stateful, and iterations of i of C do not come one after"
    ):
        s[E].compute_at(s[C], C.op.axis[0])
        tewb.lower(s, [E.op.inputs[0], C])
    with pytest.raises(ExternError, match='tail="shift" makes elements twice'):
        te.extern((12,), [A], lambda i, o: te.call_packed("f", i[0]), effect="stateful", tail="shift")
    with pytest.raises(ExternError, match="tail='wrap' is not one of clip, pad, shift"):
        te.extern((12,), [A], lambda i, o: te.call_packed("f", i[0]), tail="wrap")
    with pytest.raises(ExternError, match=r"stencil\(-1\): -1 is no halo"):
        te.access.stencil(-1)
    with pytest.raises(ExternError, match="is for 2 dimensions, and the output has 1"):
        te.extern((12,), [A], lambda i, o: te.call_packed("f", i[0]), access=te.access.stencil((1, 1)))
    with pytest.raises(ExternError, match="needs outputs of the same first 1 dimensions"):
        te.extern([(12,), (6,)], [A], lambda i, o: te.call_packed("f", i[0]), access=te.access.rows)


def test_the_code_of_tiled_externs_rebuilds_them() -> None:
    A, E = window_sums(12, 8, tail="shift", compact=True)
    s = te.create_schedule(E.op)
    s[E].split("d0", 5)
    session = tewb.Session(s, [A, E])
    found: dict[str, Any] = {}
    exec(session.code, found)
    assert tewb.Session(found["s"], found["args"]).ir == session.ir


def test_a_parallel_loop_over_tiles() -> None:
    A, E = doubled((40, 8))
    s = te.create_schedule(E.op)
    io, _ = s[E].split("d0", 3)
    s[E].parallel(io)
    (loop,) = [
        n for n in walk(tewb.lower(s, [A, E])["main"].body) if getattr(n, "kind", None) is ForKind.PARALLEL
    ]
    assert any(isinstance(n, AttrStmt) for n in walk(loop))
    a, e = np.random.rand(40, 8).astype("float32"), np.zeros((40, 8), "float32")
    kernel: Callable[..., None] = tewb.build(s, [A, E])
    for _ in range(20):
        e[:] = 0
        kernel(a, e)
        np.testing.assert_array_equal(e, a * 2)
