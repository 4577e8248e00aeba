"""Loops on blocks, threads and virtual threads, in the manner of GPU schedules: the result is the unscheduled one's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import assert_same_result, blur, matmul, schedule_for
from tewb import te
from tewb.base import LowerError, ScheduleError
from tewb.ir import Allocate, script, structural_equal, walk
from tewb.ir.parser import parse
from tewb.workbench import Session

Scheduled = tuple[Any, list[Any], list[Any]]


def vector(n: Any = 100, factor: int = 32) -> Scheduled:
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    s = te.create_schedule(B.op)
    bx, tx = s[B].split(B.op.axis[0], factor=factor)
    s[B].bind(bx, te.thread_axis("blockIdx.x"))
    s[B].bind(tx, te.thread_axis("threadIdx.x"))
    return s, [A], [B]


def tiled_matmul(n: int, m: int, l: int, virtual: bool = True) -> Scheduled:  # noqa: E741
    """Tiles of both inputs in shared memory, which the threads load together; a tile of results for each thread."""
    (A, B), (C,) = matmul(n, m, l)
    s = schedule_for([C])
    AS, BS = s.cache_read(A, "shared", [C]), s.cache_read(B, "shared", [C])
    AL, BL = s.cache_read(AS, "local", [C]), s.cache_read(BS, "local", [C])
    CL = s.cache_write(C, "local")
    block = [te.thread_axis("blockIdx.y"), te.thread_axis("blockIdx.x")]
    thread = [te.thread_axis((0, 2), "threadIdx.y"), te.thread_axis((0, 2), "threadIdx.x")]
    vthread = [te.thread_axis((0, 2), "vthread", name="vy"), te.thread_axis((0, 2), "vthread", name="vx")]
    loops: list[list[Any]] = [[], [], [], []]
    for axis in s[C].op.axis:
        outer, rest = s[C].split(axis, factor=8)
        v, rest = s[C].split(rest, nparts=2)
        t, inner = s[C].split(rest, nparts=2)
        for group, iv in zip(loops, (outer, v, t, inner), strict=True):
            group.append(iv)
    s[C].reorder(*[iv for group in loops for iv in group])
    for group, axes in zip(loops, (block, vthread if virtual else (), thread), strict=False):
        for iv, axis in zip(group, axes, strict=False):
            s[C].bind(iv, axis)
    s[CL].compute_at(s[C], loops[2][1])
    ko, ki = s[CL].split(s[CL].op.reduce_axis[0], factor=4)
    s[CL].reorder(ko, ki, *s[CL].op.axis)
    for local, shared in ((AL, AS), (BL, BS)):
        s[local].compute_at(s[CL], ki)
        s[shared].compute_at(s[CL], ko)
        for iv, axis in zip(s[shared].op.axis, thread, strict=True):
            s[shared].bind(s[shared].split(iv, nparts=2)[0], axis)
    return s, [A, B], [C]


@pytest.mark.parametrize(("n", "factor"), [(100, 32), (64, 16), (5, 8), (1, 4)])
def test_a_vector_on_blocks_of_threads(n: int, factor: int) -> None:
    s, inputs, outputs = vector(n, factor)
    assert_same_result(s, inputs, outputs, debug=True)


def test_the_lowered_program_shows_the_launch_and_is_text_that_comes_back() -> None:
    s, inputs, outputs = vector()
    module = tewb.lower(s, inputs + outputs)
    text = script(module)
    assert 'blockIdx.x = T.launch_thread("blockIdx.x", 4)' in text
    assert 'threadIdx.x = T.launch_thread("threadIdx.x", 32)' in text
    assert structural_equal(parse(text), module)


def test_a_symbolic_vector_on_blocks_of_threads() -> None:
    s, (A,), (B,) = vector(te.var("n"))
    kernel = tewb.build(s, [A, B], debug=True)
    for n in (0, 1, 31, 32, 100):
        a, b = np.random.rand(n).astype("float32"), np.zeros(n, "float32")
        kernel(a, b)
        np.testing.assert_array_equal(b, a + 1)


@pytest.mark.one_in(2)
@pytest.mark.parametrize("virtual", [True, False])
@pytest.mark.parametrize("sizes", [(16, 16, 8), (13, 11, 9)])
def test_a_matmul_of_tiles_that_threads_load_together(sizes: tuple[int, int, int], virtual: bool) -> None:
    s, inputs, outputs = tiled_matmul(*sizes, virtual)
    assert_same_result(s, inputs, outputs, debug=True)


def test_shared_memory_is_of_all_threads_and_local_memory_of_each() -> None:
    s, inputs, outputs = tiled_matmul(16, 16, 8)
    body = tewb.lower(s, inputs + outputs)["main"].body
    boxes = {
        n.buffer.name: (n.buffer.scope, [x.value for x in n.buffer.shape])
        for n in walk(body)
        if isinstance(n, Allocate)
    }
    assert boxes == {
        "C.local": ("local", [2, 2]),
        "A.shared": ("shared", [8, 4]),
        "B.shared": ("shared", [4, 8]),
        "A.shared.local": ("local", [2, 1]),
        "B.shared.local": ("local", [1, 2]),
    }


def test_without_a_word_threads_keep_their_own_part_unless_they_share_the_work() -> None:
    inputs, outputs = blur(12, 10)
    s = schedule_for(outputs)
    tx = te.thread_axis("threadIdx.x")
    s["Y"].bind("i", tx)
    s["X"].compute_at(s["Y"], "i")
    assert 'scope="local"' in script(tewb.lower(s, inputs + outputs))
    assert_same_result(s, inputs, outputs, debug=True)
    s["X"].bind(s["X"].split("i", nparts=12)[0], tx)
    text = script(tewb.lower(s, inputs + outputs))
    assert 'scope="shared"' in text and "tvm_storage_sync" in text
    assert_same_result(s, inputs, outputs, debug=True)


@pytest.mark.one_in(2)
@pytest.mark.parametrize("scope", ["shared", "local", "warp", "shared.dyn", "global.texture"])
def test_a_stencil_of_threads_with_its_input_in_any_memory(scope: str) -> None:
    inputs, outputs = blur(12, 10)
    s = schedule_for(outputs)
    outer, inner = s["Y"].split("i", factor=4)
    s["Y"].bind(outer, te.thread_axis("blockIdx.x"))
    s["Y"].bind(inner, te.thread_axis("threadIdx.x"))
    s["X"].set_scope(scope)
    s["X"].compute_at(s["Y"], inner)
    assert_same_result(s, inputs, outputs, debug=True)


def test_a_loop_with_fewer_iterations_than_its_split_asked_for_runs_in_the_first_threads() -> None:
    (A, B), (C,) = matmul(8, 8, 3)
    s = schedule_for([C])
    tx = te.thread_axis("threadIdx.x")
    s[C].bind("i", tx)
    copy = s.cache_read(A, "shared", [C])
    s[copy].compute_at(s[C], "k")
    s[C].reorder("k", "i", "j")
    s[C].reorder("i", "k", "j")
    s[copy].bind(s[copy].split("ax1", nparts=8)[0], tx)
    assert "if T.likely(threadIdx.x < 1)" in script(tewb.lower(s, [A, B, C]))
    assert_same_result(s, [A, B], [C], debug=True)


def test_a_convolution_on_blocks_and_threads() -> None:
    A = te.placeholder((3, 10, 10), name="A")
    W = te.placeholder((4, 3, 3, 3), name="W")
    P = te.compute(
        (3, 12, 12),
        lambda c, y, x: te.if_then_else(te.all(y >= 1, y < 11, x >= 1, x < 11), A[c, y - 1, x - 1], 0.0),
        name="P",
    )
    c, dy, dx = te.reduce_axis((0, 3), "c"), te.reduce_axis((0, 3), "dy"), te.reduce_axis((0, 3), "dx")
    C = te.compute(
        (4, 10, 10),
        lambda o, y, x: te.sum(P[c, y + dy, x + dx] * W[o, c, dy, dx], axis=[c, dy, dx]),
        name="C",
    )
    s = te.create_schedule(C.op)
    PS, WS = s.cache_read(P, "shared", [C]), s.cache_read(W, "shared", [C])
    s[P].compute_inline()
    CL = s.cache_write(C, "local")
    o, y, x = s[C].op.axis
    yo, yi = s[C].split(y, factor=4)
    xo, xi = s[C].split(x, factor=4)
    s[C].reorder(o, yo, xo, yi, xi)
    ty, tx = te.thread_axis((0, 4), "threadIdx.y"), te.thread_axis((0, 4), "threadIdx.x")
    for iv, tag in zip((o, yo, xo), "zyx", strict=True):
        s[C].bind(iv, te.thread_axis(f"blockIdx.{tag}"))
    s[C].bind(yi, ty)
    s[C].bind(xi, tx)
    s[CL].compute_at(s[C], xi)
    s[CL].reorder(*s[CL].op.reduce_axis, *s[CL].op.axis)
    for copy in (PS, WS):
        s[copy].compute_at(s[CL], s[CL].op.reduce_axis[0])
        rows, columns = s[copy].op.axis[-2:]
        s[copy].bind(s[copy].split(rows, nparts=4)[0], ty)
        s[copy].bind(s[copy].split(columns, nparts=4)[0], tx)
    assert_same_result(s, [A, W], [C], debug=True)


@pytest.mark.one_in(2)
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("axis", ["k.outer", "i"])
def test_what_threads_load_ahead_is_loaded_in_time(axis: str, shared: bool) -> None:
    (A, B), (C,) = matmul(6, 5, 8)
    s = schedule_for([C])
    copy = s.cache_read(B, "shared" if shared else "local", [C])
    ko, ki = s[C].split("k", factor=4)
    s[C].reorder("i", ko, ki, "j")
    s[C].bind("i", te.thread_axis("threadIdx.x"))
    s[copy].compute_at(s[C], axis)
    s[copy].double_buffer()
    assert_same_result(s, [A, B], [C], debug=True)


def test_rows_with_gaps_are_kept_for_each_thread() -> None:
    """C.local is alive where threads wait, so each of them has one, with its gaps."""
    (A, B), (C,) = matmul(4, 6, 5)
    s = schedule_for([C])
    copy, local = s.cache_read(A, "shared", [C]), s.cache_write(C, "local")
    s[C].bind("i", te.thread_axis("threadIdx.x"))
    s[local].compute_at(s[C], "i")
    s[local].reorder("k", "i.c", "j.c")
    s[local].storage_align("i.c", 8, 3)
    s[copy].compute_at(s[local], "k")
    assert_same_result(s, [A, B], [C], debug=True)


def test_the_journal_replays_and_is_code_and_json() -> None:
    s, inputs, outputs = tiled_matmul(8, 8, 4)
    again = te.create_schedule([t.op for t in outputs])
    again.restore(s.journal)
    assert structural_equal(tewb.lower(again, inputs + outputs), tewb.lower(s, inputs + outputs))
    session = Session(s, inputs + outputs)
    names: dict[str, Any] = {}
    exec(session.code, names)
    assert structural_equal(names["module"]["main"], session.function)
    assert "bind(" in session.code and '"vthread(2) vy"' in session.code.replace("'", '"')


def twice() -> None:
    s, _, (B,) = vector()
    s[B].bind("i.inner", te.thread_axis("threadIdx.y"))


def same_threads() -> None:
    inputs, outputs = blur()
    s = schedule_for(outputs)
    s["Y"].bind("i", te.thread_axis("threadIdx.x"))
    s["Y"].bind("j", te.thread_axis("threadIdx.x"))


def then(primitive: str, *args: Any) -> Callable[[], None]:
    def misuse() -> None:
        s, _, (B,) = vector()
        getattr(s[B], primitive)("i.inner", *args)

    return misuse


def vectorized() -> None:
    s = schedule_for(blur()[1])
    s["Y"].vectorize("j")
    s["Y"].bind("j", te.thread_axis("threadIdx.x"))


def reduce_on_blocks() -> None:
    schedule_for(matmul()[1])["C"].bind("k", te.thread_axis("blockIdx.x"))


def elements_and_terms_at_once() -> None:
    s = schedule_for(matmul()[1])
    s["C"].bind(s["C"].fuse("j", "k"), te.thread_axis("threadIdx.x"))


def no_thread() -> None:
    s = schedule_for(matmul()[1])
    s["C"].bind("i", s["C"].op.axis[1])


def symbolic_threads() -> None:
    schedule_for(matmul()[1])["C"].bind("i", te.thread_axis((0, te.var("n")), "threadIdx.x"))


@pytest.mark.parametrize(
    ("misuse", "said"),
    [
        (twice, "bind on stage B: loop i.inner is bound to threadIdx.x"),
        (same_threads, "threadIdx.x is bound to loop i already"),
        (then("vectorize"), "vectorize on stage B: loop i.inner is bound to threadIdx.x"),
        (then("parallel"), "parallel on stage B: loop i.inner is bound to threadIdx.x"),
        (then("split", 4), "split on stage B: loop i.inner is bound to threadIdx.x"),
        (vectorized, "bind on stage Y: loop j is already marked vectorize"),
        (reduce_on_blocks, "k is a reduce axis, and blocks do not wait"),
        (elements_and_terms_at_once, "j.k.fused runs over elements and over terms of a reduction"),
        (no_thread, "j is no thread axis"),
        (symbolic_threads, "the number of threads of threadIdx.x is n, and must be a number"),
    ],
)
def test_misuse_is_refused(misuse: Callable[[], None], said: str) -> None:
    with pytest.raises(ScheduleError, match=said) as e:
        misuse()
    assert e.value.loops


def test_blocks_may_be_as_many_as_a_size() -> None:
    n = te.var("n")
    A = te.placeholder((n, 6), name="A")
    B = te.compute((n, 6), lambda i, j: A[i, j] * 2.0, name="B")
    s = te.create_schedule(B.op)
    s[B].bind(B.op.axis[0], te.thread_axis((0, n), "blockIdx.x"))
    s[B].bind(B.op.axis[1], te.thread_axis((0, 6), "threadIdx.x"))
    f = tewb.build(s, [A, B])
    for rows in (0, 1, 5):
        a = np.random.rand(rows, 6).astype("float32")
        b = np.zeros_like(a)
        f(a, b)
        np.testing.assert_array_equal(b, a * 2)


@pytest.mark.parametrize("n", [5, 13, 40])
def test_threads_of_a_small_tensor_are_those_that_the_splits_ask_for(n: int) -> None:
    """As in GPU schedules for any size: tiles of 32, of which threads copy and compute parts."""
    inputs, outputs = matmul(n, n, n)
    s = schedule_for(outputs)
    C, tx = s["C"], te.thread_axis((0, 8), "threadIdx.x")
    shared = s[s.cache_read(inputs[0], "shared", outputs)]
    _, jo, _, ji = C.tile("i", "j", 32, 32)
    thread, _ = C.split(ji, factor=4)
    C.bind(thread, tx)
    shared.compute_at(C, jo)
    fused, _ = shared.split(shared.op.axis[1], factor=32)
    shared.bind(shared.split(shared.leaf_iter_vars[-1], factor=4)[0], tx)
    assert_same_result(s, inputs, outputs)


def two_sizes(declared: bool) -> None:
    inputs, outputs = blur(12, 10)
    s = schedule_for(outputs)
    s["Y"].bind("i", te.thread_axis((0, 10), "threadIdx.x") if declared else te.thread_axis("threadIdx.x"))
    s["X"].compute_at(s["Y"], "i")
    s["X"].bind("j", te.thread_axis("threadIdx.x"))
    tewb.lower(s, inputs + outputs)


@pytest.mark.parametrize("declared", [True, False])
def test_threads_of_one_tag_have_one_number(declared: bool) -> None:
    with pytest.raises(
        LowerError, match=r"threadIdx.x has two sizes in one launch: \d+ in loop \w of \w, and 1\d"
    ) as e:
        two_sizes(declared)
    assert e.value.hint and e.value.loops
