"""What is computed of a stage: all of it, where readers tell only at run time which elements they read."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import assert_same_result
from tewb import te
from tewb.ir import Allocate, BufferLoad, BufferStore, const_int, free_vars, script, walk
from tewb.lowering.lower import scheduled_loops
from tewb.schedule import bounds

READ: dict[str, Callable[[Any, Any], Any]] = {
    "the index of the reader": lambda A, i: A[i],
    "one element": lambda A, i: A[0],
    "one element and more": lambda A, i: A[0] + i - i,
    "clamped": lambda A, i: te.max(te.min(A[0], 2), 0),
    "far inside": lambda A, i: A[A[A[0]]],
}


@pytest.mark.parametrize("at", [False, True])
@pytest.mark.parametrize("read", READ.values(), ids=READ)
def test_a_stage_is_read_at_an_index_from_data(read: Callable[[Any, Any], Any], at: bool) -> None:
    A = te.placeholder((3,), "int32", name="A")
    S = te.compute((3,), lambda i: i * 2 + 1, name="S")
    B = te.compute((3,), lambda i: S[read(A, i)] + S[i], name="B")
    s = te.create_schedule(B.op)
    if at:
        s[S].compute_at(s[B], s[B].op.axis[0])
    a, b = np.array([2, 0, 1], "int32"), np.zeros(3, "int32")
    tewb.build(s, [A, B])(a, b)
    at_read = {"the index of the reader": a, "far inside": a[a[a[0]]]}
    name = next(k for k, f in READ.items() if f is read)
    np.testing.assert_array_equal(b, at_read.get(name, a[0]) * 2 + 1 + np.arange(3) * 2 + 1)


def test_a_rank_of_zero_is_an_index_too() -> None:
    A = te.placeholder((), "int32", name="A")
    S = te.compute((3,), lambda i: i * 2, name="S")
    B = te.compute((2,), lambda i: S[A()], name="B")
    b = np.zeros(2, "int32")
    tewb.build(te.create_schedule(B.op), [A, B])(np.array(2, "int32"), b)
    np.testing.assert_array_equal(b, [4, 4])


def test_stages_nested_deep_are_not_placed_at_a_sum_of_all_loops_around() -> None:
    tensors = [te.placeholder((64,), name="A")]
    for n in range(40):
        tensors.append(te.compute((64,), lambda i, t=tensors[-1]: t[i] + 1.0, name=f"S{n}"))
    s = te.create_schedule(tensors[-1].op)
    for inner, outer in pairwise(tensors[1:]):
        s[inner].compute_at(s[outer], s[outer].op.axis[0])
    f = scheduled_loops(s, [tensors[0], tensors[-1]])
    places = [n.indices[0] for n in walk(f.body) if isinstance(n, BufferLoad | BufferStore)]
    assert max(len(free_vars(i)) for i in places) <= 2
    a, c = np.arange(64, dtype="float32"), np.zeros(64, "float32")
    tewb.build(s, [tensors[0], tensors[-1]])(a, c)
    np.testing.assert_array_equal(c, a + 40)


def nested(depth: int) -> tuple[Any, list[Any]]:
    """A chain of stages, each computed in a loop of the next, which is split."""
    tensors = [te.placeholder((64,), name="A")]
    for n in range(depth):
        tensors.append(te.compute((64,), lambda i, t=tensors[-1]: t[i] + 1.0, name=f"S{n}"))
    s = te.create_schedule(tensors[-1].op)
    for inner, outer in pairwise(tensors[1:]):
        s[inner].compute_at(s[outer], s[outer].split("i", factor=8)[1])
    return s, [tensors[0], tensors[-1]]


def test_the_loops_around_a_stage_are_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not for every stage that stands deeper again."""
    asked: list[Any] = []

    def loops_to(stage: Any, axis: Any) -> list[Any]:
        asked.append(stage)
        return found(stage, axis)

    found = bounds.loops_to
    monkeypatch.setattr(bounds, "loops_to", loops_to)
    s, args = nested(30)
    bounds.infer_bounds(s)
    assert len(asked) == 29
    tewb.lower(s, args)


def test_bounds_of_deep_stages_are_found_again_and_change_with_the_loops_around() -> None:
    s, args = nested(6)
    first = bounds.infer_bounds(s)
    again = bounds.infer_bounds(s)
    assert all(again.stages[x] is own for x, own in first.stages.items())
    last = s[args[1]]
    last.reorder("i.inner", "i.outer")
    s[s.stages[-2].op.output(0)].compute_at(last, last.leaf_iter_vars[0])
    c, a = np.zeros(64, "float32"), np.arange(64, dtype="float32")
    tewb.build(s, args)(a, c)
    np.testing.assert_array_equal(c, a + 6)


# ---------------------------------------------------------------- how much is kept


def kept(
    index: Callable[[Any, Any], Any], shape: tuple[int, ...], place: str, factor: int, size: int
) -> list[int | None]:
    """The shape that is allocated for a stage B of `size` elements (or rows of 48) that is read at `index`."""
    rank = 1 if not isinstance(index(te.var("i"), te.var("j")), tuple) else 2
    A = te.placeholder((size, 48)[:rank], name="A")
    B = te.compute(A.shape, lambda *at: A[at] + 1.0, name="B")

    def read(i: Any, j: Any) -> Any:
        at = index(i, j)
        return B[at] if rank == 2 else B[at,]

    C = te.compute(shape, lambda i, j: read(i, j) * 2.0, name="C")
    s = te.create_schedule(C.op)
    if "fused" in place:
        s[C].fuse("i", "j")
    s[C].split(place.removesuffix(".outer"), factor=factor)
    s[B].compute_at(s[C], place)
    (b,) = {n.buffer for n in walk(tewb.lower(s, [A, C])["main"].body) if isinstance(n, Allocate)}
    assert_same_result(s, [A], [C])
    return [const_int(n) for n in b.shape]


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("index", "shape", "place", "factor", "size", "shape_kept"),
    [
        (lambda i, j: (i, j), (64, 48), "i.j.fused.outer", 16, 64, [1, 16]),  # fused, then split
        (lambda i, j: (i, j), (64, 48), "i.j.fused.outer", 48, 64, [1, 48]),
        (lambda i, j: (i, j), (64, 48), "i.j.fused.outer", 96, 64, [2, 48]),
        (lambda i, j: (i, j), (64, 48), "i.j.fused.outer", 7, 64, [2, 48]),
        (lambda i, j: (te.max(i - 1, 0), j), (64, 48), "i.outer", 8, 64, [8, 48]),  # clamped
        (lambda i, j: (te.min(te.max(i - 2, 0), 63), j), (68, 48), "i.outer", 4, 64, [4, 48]),
        (lambda i, j: (i, j), (60, 48), "i.outer", 64, 60, [60, 48]),  # never more than declared
        (lambda i, j: (i, j), (60, 48), "i.outer", 40, 60, [40, 48]),
        (lambda i, j: i * 2 + j, (32, 2), "i.outer", 8, 64, [16]),
        (lambda i, j: (i * 16 + j) // 4, (4, 16), "i.outer", 1, 64, [4]),
        (lambda i, j: i + j * 5, (20, 3), "j.outer", 1, 64, [1]),
    ],
)  # fmt: skip
def test_what_is_kept_is_what_is_touched(
    index: Any, shape: Any, place: str, factor: int, size: int, shape_kept: list[int]
) -> None:
    assert kept(index, shape, place, factor, size) == shape_kept


def extents(s: Any, stage: Any) -> list[Any]:
    """The extent of each dimension that is kept of a stage: a number, or text."""
    region = bounds.infer_bounds(s).stages[s[stage]].regions[0]
    return [const_int(r.extent) if const_int(r.extent) is not None else script(r.extent) for r in region]


CLAMPED: dict[str, Callable[[Any, Any, Any], Any]] = {
    "low inside": lambda B, i, n: (
        B[te.max(te.min(i - 1, n - 1), 0)] + B[i] + B[te.max(te.min(i + 1, n - 1), 0)]
    ),
    "high inside": lambda B, i, n: (
        B[te.min(te.max(i - 1, 0), n - 1)] + B[te.min(te.max(i + 1, 0), n - 1)] + B[i]
    ),
    "one side": lambda B, i, n: B[te.max(i - 2, 0)] + B[i],
    "the other side": lambda B, i, n: B[te.min(i + 2, n - 1)] + B[i],
    "guarded": lambda B, i, n: te.if_then_else(te.all(i >= 1, i < n - 1), B[i - 1] + B[i + 1], 0),
    "selected": lambda B, i, n: te.select(te.all(i >= 1, i < n - 1), B[i - 1] + B[i + 1], 0),
    "chosen by the index": lambda B, i, n: (
        B[te.select(i < 1, i, i - 1)] + B[te.if_then_else(i < n - 1, i + 1, i)]
    ),
}
KEPT = {"low inside": 10, "high inside": 10, "guarded": 10, "selected": 10, "chosen by the index": 10}


@pytest.mark.parametrize("name", CLAMPED)
def test_a_tile_of_a_clamped_stencil_is_constant_where_sizes_are_symbolic(name: str) -> None:
    n = te.var("n")
    A = te.placeholder((n,), "int32", name="A")
    B = te.compute((n,), lambda i: A[i] * 2 + 1, name="B")
    C = te.compute((n,), lambda i: CLAMPED[name](B, i, n), name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], s[C].split("i", factor=8)[0])
    (kept,) = extents(s, B)
    assert isinstance(kept, int) and kept <= KEPT.get(name, 10) + 1, kept
    kernel = tewb.build(s, [A, C])
    for size in (1, 2, 7, 8, 9, 23):
        a, c = np.arange(size, dtype="int32") * 3, np.zeros(size, "int32")
        kernel(a, c)
        plain, expected = te.create_schedule(C.op), np.zeros(size, "int32")
        tewb.build(plain, [A, C])(a, expected)
        np.testing.assert_array_equal(c, expected)


def test_no_more_than_the_declared_tensor_of_symbolic_size() -> None:
    n = te.var("n")
    A = te.placeholder((n,), "int32", name="A")
    B = te.compute((n,), lambda i: A[i] * 2, name="B")
    C = te.compute((4, n), lambda r, i: te.if_then_else(i + r < n - 3, B[i + r] + B[i + r + 3], 0), name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], "r")
    assert extents(s, B) == ["n"]


def test_what_no_constant_bounds_is_cut_at_the_ends_of_the_tensor() -> None:
    """The branches of a mirror lie far apart for tiles that do not meet it."""
    n = te.var("n")
    A = te.placeholder((n,), "int32", name="A")
    B = te.compute((n,), lambda i: A[i] * 2, name="B")
    C = te.compute((n,), lambda i: B[te.if_then_else(i < 1, 1 - i, i - 1)] + B[i], name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], s[C].split("i", factor=8)[0])
    assert extents(s, B) == ["T.min(i.outer * 8 + 7, n - 1) + 1"]
    kernel = tewb.build(s, [A, C])
    for size in (2, 8, 9, 30):
        a, c = np.arange(size, dtype="int32"), np.zeros(size, "int32")
        kernel(a, c)
        np.testing.assert_array_equal(c, 2 * (np.abs(np.arange(size) - 1) + np.arange(size)))


def test_twice_as_many_elements_read_a_tile_of_half_the_size() -> None:
    n = te.var("n")
    B = te.compute((n,), lambda i: i * 2, name="B")
    C = te.compute((n,), lambda i: B[i // 2] + B[te.min((i + 1) // 2, n - 1)], name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], s[C].split("i", factor=8)[0])
    assert extents(s, B) == [5]


def test_ends_that_cannot_matter_are_left_out_of_where_a_tile_begins() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] * 2.0, name="B")
    C = te.compute((n,), lambda i: B[te.max(te.min(i - 1, n - 1), 0)] + B[i], name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], s[C].split("i", factor=8)[0])
    (r,) = bounds.infer_bounds(s).stages[s[B]].regions[0]
    assert script(r.min) == "T.max(i.outer * 8 - 1, 0)"


# ---------------------------------------------------------------- fused, then split


@pytest.mark.parametrize(("factor", "kept"), [(8, [8]), (16, [16]), (7, [7]), (48, [48]), (100, [100])])
def test_an_index_that_is_the_fused_loop_is_as_narrow_as_its_tile(factor: int, kept: list[int]) -> None:
    A = te.placeholder((240,), "int32", name="A")
    B = te.compute((240,), lambda i: A[i] * 2 + 1, name="B")
    C = te.compute((15, 16), lambda i, j: B[i * 16 + j], name="C")
    s = te.create_schedule(C.op)
    o, _ = s[C].split(s[C].fuse("i", "j"), factor=factor)
    s[B].compute_at(s[C], o)
    assert extents(s, B) == kept
    assert_same_result(s, [A], [C])


@pytest.mark.parametrize(
    ("factor", "kept"), [(4, [1, 1, 4]), (8, [1, 2, 4]), (24, [2, 3, 4]), (12, [1, 3, 4])]
)
def test_a_tile_of_three_fused_loops(factor: int, kept: list[int]) -> None:
    A = te.placeholder((4, 3, 4), "int32", name="A")
    B = te.compute((4, 3, 4), lambda i, j, k: A[i, j, k] * 2 + 1, name="B")
    C = te.compute((4, 3, 4), lambda i, j, k: B[i, j, k], name="C")
    s = te.create_schedule(C.op)
    o, _ = s[C].split(s[C].fuse("i", "j", "k"), factor=factor)
    s[B].compute_at(s[C], o)
    got = extents(s, B)
    assert got == kept or (factor == 8 and got == [2, 3, 4]), got
    assert_same_result(s, [A], [C])


def test_a_part_of_a_row_of_blocks_stays_in_its_block() -> None:
    """As of a packed layout: the remainder of a tile that passes no multiple."""
    A = te.placeholder((4, 16), "int32", name="A")
    B = te.compute((4, 16), lambda o, i: A[o, i] * 2 + 1, name="B")
    C = te.compute((8, 8), lambda i, j: B[(i * 8 + j) // 16, (i * 8 + j) % 16], name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], "i")
    assert extents(s, B) == [1, 8]
    assert_same_result(s, [A], [C])


# ---------------------------------------------------------------- memory of threads


def on_threads(scope: str, twice: bool = False, factor: int = 32) -> tuple[Any, Any, Any]:
    """C on blocks and threads; D, which they share, and B in each thread, of which D (and C) reads what it needs."""
    A = te.placeholder((128,), "int32", name="A")
    B = te.compute((128,), lambda i: A[i] * 2 + 1, name="B")
    D = te.compute((128,), lambda i: B[i] * 3, name="D")
    C = te.compute((128,), lambda i: D[i] + (B[i] if twice else 0), name="C")
    s = te.create_schedule(C.op)
    block, thread = s[C].split("i", factor=32)
    s[C].bind(block, te.thread_axis("blockIdx.x"))
    s[C].bind(thread, te.thread_axis("threadIdx.x"))
    s[D].compute_at(s[C], thread)
    s[D].set_scope("shared")
    _, own = s[D].split("i", factor=factor)
    s[D].bind(own, te.thread_axis("threadIdx.x"))
    s[B].compute_at(s[C], thread)
    s[B].set_scope(scope)
    return s, [A, C], B


@pytest.mark.parametrize("twice", [False, True])
def test_memory_of_a_threads_own_holds_what_this_thread_reads(twice: bool) -> None:
    s, (A, C), B = on_threads("local", twice)
    assert extents(s, B) == [1]
    assert_same_result(s, [A], [C])


def test_memory_that_threads_share_holds_what_all_of_them_read() -> None:
    s, (A, C), B = on_threads("shared")
    assert extents(s, B) == [32]
    assert_same_result(s, [A], [C])


def test_threads_of_a_loop_that_only_some_of_them_run_have_their_own_too() -> None:
    A = te.placeholder((32,), "int32", name="A")
    B = te.compute((32,), lambda i: A[i] * 2 + 1, name="B")
    D = te.compute((32,), lambda i: B[i] * 3, name="D")
    C = te.compute((128,), lambda i: D[i // 4], name="C")
    s = te.create_schedule(C.op)
    block, thread = s[C].split("i", factor=32)
    s[C].bind(block, te.thread_axis("blockIdx.x"))
    s[C].bind(thread, te.thread_axis("threadIdx.x"))
    for stage, scope in ((D, "shared"), (B, "local")):
        s[stage].compute_at(s[C], thread)
        s[stage].set_scope(scope)
    s[D].bind(s[D].split("i", factor=32)[1], te.thread_axis("threadIdx.x"))
    assert (extents(s, D), extents(s, B)) == ([8], [1])
    assert_same_result(s, [A], [C])


def test_bounds_that_are_known_are_those_of_the_schedule_as_it_is() -> None:
    A = te.placeholder((64,), name="A")
    B = te.compute((64,), lambda i: A[i] + 1, name="B")
    C = te.compute((64,), lambda i: B[i] * 2, name="C")
    s = te.create_schedule(C.op)
    tewb.lower(s, [A, B, C])
    known = bounds.known_bounds(s, [s[B], s[C]])
    assert known is bounds.known_bounds(s, [s[C], s[B]]) is not bounds.known_bounds(s, [s[C]])
    s[C].split(C.op.axis[0], 16)
    s[B].compute_at(s[C], s[C].leaf_iter_vars[0])
    narrow = bounds.known_bounds(s)
    assert const_int(narrow.stages[s[B]].regions[0][0].extent) == 16
    s.restore(s.journal[:1])
    assert const_int(bounds.known_bounds(s).stages[s[B]].regions[0][0].extent) == 64
