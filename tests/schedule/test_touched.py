"""What readers touch of a stage while loops stand still: boxes, parts of fused loops, and what each thread reads."""

from __future__ import annotations

from typing import Any

import pytest

from tests.programs import assert_same_result
from tests.schedule.kept import kept_extents
from tewb import te
from tewb.ir import script
from tewb.schedule.bounds import infer_bounds
from tewb.schedule.touched import touched


def test_each_access_has_a_box_of_its_own_while_loops_stand_still() -> None:
    A = te.placeholder((4, 8), "int32", name="A")
    B = te.compute((4, 8), lambda i, j: A[i, j] + 1, name="B")
    C = te.compute((3, 8), lambda i, j: B[i, j] + B[i + 1, 7 - j], name="C")
    s = te.create_schedule(C.op)
    i, j = s[C].op.axis

    def boxes(*loops: Any) -> list[list[tuple[str, str]]]:
        found = touched(s[C], s[B], {(s[C], iv) for iv in loops}, infer_bounds(s))
        return [[(script(x.lo), script(x.hi)) for x in box if x is not None] for box in found]

    assert boxes(i, j) == [[("i", "i"), ("j", "j")], [("i + 1", "i + 1"), ("7 - j", "7 - j")]]
    assert boxes(i) == [[("i", "i"), ("0", "7")], [("i + 1", "i + 1"), ("0", "7")]]
    assert boxes() == [[("0", "2"), ("0", "7")], [("1", "3"), ("0", "7")]]


# ---------------------------------------------------------------- fused, then split


@pytest.mark.parametrize(("factor", "kept"), [(8, [8]), (16, [16]), (7, [7]), (48, [48]), (100, [100])])
def test_an_index_that_is_the_fused_loop_is_as_narrow_as_its_tile(factor: int, kept: list[int]) -> None:
    A = te.placeholder((240,), "int32", name="A")
    B = te.compute((240,), lambda i: A[i] * 2 + 1, name="B")
    C = te.compute((15, 16), lambda i, j: B[i * 16 + j], name="C")
    s = te.create_schedule(C.op)
    o, _ = s[C].split(s[C].fuse("i", "j"), factor=factor)
    s[B].compute_at(s[C], o)
    assert kept_extents(s, B) == kept
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
    got = kept_extents(s, B)
    assert got == kept or (factor == 8 and got == [2, 3, 4]), got
    assert_same_result(s, [A], [C])


def test_a_part_of_a_row_of_blocks_stays_in_its_block() -> None:
    """As of a packed layout: the remainder of a tile that passes no multiple."""
    A = te.placeholder((4, 16), "int32", name="A")
    B = te.compute((4, 16), lambda o, i: A[o, i] * 2 + 1, name="B")
    C = te.compute((8, 8), lambda i, j: B[(i * 8 + j) // 16, (i * 8 + j) % 16], name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], "i")
    assert kept_extents(s, B) == [1, 8]
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
    assert kept_extents(s, B) == [1]
    assert_same_result(s, [A], [C])


def test_memory_that_threads_share_holds_what_all_of_them_read() -> None:
    s, (A, C), B = on_threads("shared")
    assert kept_extents(s, B) == [32]
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
    assert (kept_extents(s, D), kept_extents(s, B)) == ([8], [1])
    assert_same_result(s, [A], [C])
