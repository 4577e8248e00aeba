"""Accesses: elements apart, vectors of which some lanes are wanted, checks in debug builds."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import tewb
from tests.pages import between_pages
from tests.programs import assert_same_result
from tewb import te
from tewb.base import BoundError, PassContext
from tewb.ir import BufferStore, IfThenElse, ops, script, walk
from tewb.lowering import BUILD
from tewb.lowering.pipeline import run


def squares(with_mean: bool) -> tuple[Any, list[Any]]:
    """Sums of squared distances, from one element of each row or from what is computed for the row."""
    n = te.var("n")
    A, M = te.placeholder((3, n), name="A"), te.placeholder((3,), name="M")
    mean = te.compute((3,), lambda i: M[i] + 1.0, name="mean") if with_mean else M
    k = te.reduce_axis((0, n), name="k")
    C = te.compute((3,), lambda i: te.sum((A[i, k] - mean[i]) * (A[i, k] - mean[i]), axis=k), name="C")
    s = te.create_schedule(C.op)
    s[C].vectorize(s[C].split(k, factor=8)[1])
    if with_mean:
        s[mean].compute_at(s[C], "i")
    return s, [A, M, C]


@pytest.mark.parametrize("with_mean", [True, False])
@pytest.mark.parametrize("debug", [True, False])
def test_an_element_for_all_lanes_goes_with_a_mask(with_mean: bool, debug: bool) -> None:
    s, args = squares(with_mean)
    kernel = tewb.build(s, args, debug=debug)
    for n in (0, 1, 7, 8, 21):
        a, m = np.random.rand(3, n).astype("float32"), np.random.rand(3).astype("float32")
        c = np.full(3, 9, "float32")
        kernel(a, m, c)
        np.testing.assert_allclose(c, ((a - m[:, None] - with_mean) ** 2).sum(axis=1), rtol=1e-5)
    if not debug:  # lane by lane, a layernorm of rows of 777 ran at 0.69 of its speed
        assert "extractelement <8 x i1>" not in kernel.get_source("ll0")


def test_an_element_that_may_miss_is_read_when_a_lane_wants_it() -> None:
    """The element of an argument may lie outside of it where no lane is taken; one on the stack is there."""
    for with_mean, branches in ((False, True), (True, False)):
        text = tewb.build(*squares(with_mean)).get_source("ll0")
        assert ("llvm.vector.reduce.or.v8i1" in text) is branches


def test_a_choice_between_two_elements() -> None:
    A, B = te.placeholder((2,), name="A"), te.placeholder((21,), name="B")
    C = te.compute((21,), lambda i: te.if_then_else(B[i] > 0.5, A[0] * B[i], A[1]), name="C")
    s = te.create_schedule(C.op)
    s[C].vectorize(s[C].split("i", factor=8)[1])
    kernel = tewb.build(s, [A, B, C])
    a, b = np.float32([3, 5]), np.random.rand(21).astype("float32")
    for some in (b, b * 0, b * 0 + 1):
        c = np.zeros(21, "float32")
        kernel(a, some, c)
        np.testing.assert_array_equal(c, np.where(some > 0.5, a[0] * some, a[1]))


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("guard", ["all", "any"])
def test_a_lane_looks_at_the_second_condition_only_where_the_first_leaves_it_open(
    guard: str, debug: bool
) -> None:
    """A[-1] must not be read: debug builds notice."""
    A = te.placeholder((21,), name="A")
    conditions = {
        "all": lambda i: te.all(i > 0, A[i - 1] > 0.5),
        "any": lambda i: te.any(i > 11, A[i] > 0.5),
    }
    C = te.compute((21,), lambda i: te.if_then_else(conditions[guard](i), 1.0, 0.0), name="C")
    s = te.create_schedule(C.op)
    s[C].vectorize(s[C].split("i", factor=8)[1])
    assert_same_result(s, [A], [C], debug=debug)
    if not debug:
        with PassContext(config={"tir.LoopPartition": False}):
            text = tewb.build(s, [A, C]).get_source("ll0")
        assert "load <8 x float>" not in text and "@llvm.masked.load.v8f32" in text


INPUTS = [
    te.placeholder((3, 21), name="A"),
    te.placeholder((3,), name="M"),
    te.placeholder((), name="Z"),
    te.placeholder((3,), name="K", dtype="int32"),
    te.placeholder((42,), name="B"),
]


def random_value(rng: random.Random, i: Any, j: Any, depth: int) -> Any:
    """What a row may be computed from: rows and elements of all sorts, math, choices."""
    A, M, Z, K, B = INPUTS
    row = te.max(te.min(K[i], 2), 0)

    def sub() -> Any:
        return random_value(rng, i, j, depth - 1)

    leaves = [
        lambda: A[i, j],
        lambda: A[i // (row + 1), j],
        lambda: A[row, j],
        lambda: B[j + row],
        lambda: M[i],
        lambda: M[row],
        lambda: Z(),
        lambda: j.astype("float32"),
        lambda: B[20 - j],
        lambda: B[j * 2],
    ]
    inner = [
        lambda: sub() + sub(),
        lambda: te.max(sub(), sub()),
        lambda: te.exp(te.min(sub(), 1.0)),
        lambda: (sub() * 8.0).astype("int32").astype("float32"),
        lambda: ops.select(sub() > 0.5, sub(), sub()),
        lambda: te.if_then_else(sub() > 0.5, sub(), sub()),
        lambda: te.if_then_else(te.all(j > 0, B[j - 1] > 0.5), sub(), sub()),
        lambda: te.if_then_else(te.any(j == 0, B[j + row] > 0.5), M[row], sub()),
    ]
    weights = [3] * 8 + [1] * 2  # what lies backward or apart has no mask, so that lowering keeps its loop
    return rng.choices(leaves, weights)[0]() if depth == 0 else rng.choice(inner)()


def guarded(rng: random.Random) -> tuple[Any, Any]:
    """A schedule whose rows of 21 run as three vectors of 8, the last of them under a guard."""
    C = te.compute((3, 21), lambda i, j: random_value(rng, i, j, rng.randint(0, 2)), name="C")
    s = te.create_schedule(C.op)
    s[C].vectorize(s[C].split("j", factor=8)[1])
    return s, C


def guarded_stores(s: Any, args: list[Any]) -> int:
    """How many stores of the lowered program are under a condition that differs from lane to lane."""
    f = run(tewb.lower(s, args)["main"], BUILD)
    return sum(
        isinstance(store, BufferStore)
        for n in walk(f.body)
        if isinstance(n, IfThenElse) and n.cond.dtype.lanes > 1
        for store in walk(n)
    )


@pytest.mark.parametrize("seed", range(24))
def test_what_lowering_guards_by_lanes_is_stored_with_masks(seed: int) -> None:
    with PassContext(config={"tir.LoopPartition": False}):
        s, C = guarded(random.Random(seed))
        assert_same_result(s, INPUTS, [C], seed)
        text = tewb.build(s, [*INPUTS, C]).get_source("ll0")
    with PassContext(config={"tir.LoopPartition": False}):
        expected = guarded_stores(s, [*INPUTS, C])
    assert text.count("call void @llvm.masked.store") == expected
    assert (" store float" in text) is (expected == 0)  # element by element in a loop of its own, or never


def test_most_random_rows_have_masks() -> None:
    """The test above says something only where lowering guards lanes, and where it refuses to."""
    with PassContext(config={"tir.LoopPartition": False}):
        found = [guarded_stores(s, [*INPUTS, C]) for s, C in (guarded(random.Random(n)) for n in range(24))]
    assert 0 in found and sum(n > 0 for n in found) >= 12


def test_a_check_of_indices_is_one_of_all_lanes() -> None:
    n = te.var("n")
    A, N = te.placeholder((9,), name="A"), te.placeholder((n,), "int32", name="N")
    B = te.compute((n,), lambda i: te.if_then_else(i % 3 == 0, 0.0, A[N[i] - 1]), name="B")
    s = te.create_schedule(B.op)
    s[B].vectorize(s[B].split("i", factor=4)[1])
    text = script(tewb.lower(s, [A, N, B]))
    assert "assert T.Ramp(i.outer * 4, 1, 4) % T.Broadcast(3, 4) == T.Broadcast(0, 4) or N[" in text
    for debug in (False, True):
        kernel = tewb.build(s, [A, N, B], debug=debug)
        a, b = between_pages(np.arange(9, dtype="float32")), np.zeros(13, "float32")
        given = between_pages(np.array([-7, 1, 9, 10**9, 3, 4, -5, 6, 7, 10, 9, 1, 99], "int32"))
        kernel(a, given, b)
        np.testing.assert_array_equal(b, [0, 0, 8, 0, 2, 3, 0, 5, 6, 0, 8, 0, 0])
        for lane in (1, 5, 7, 11):
            wrong = given.copy()
            wrong[lane] = 0
            with pytest.raises(BoundError, match=r"B reads outside of A in dimension 0: N\[i\] - 1"):
                kernel(a, wrong, b)


def test_strided_and_gathered_vectors() -> None:
    a = np.arange(256, dtype="float32")
    A = te.placeholder((256,), name="A")
    for index in (
        lambda i: i * 2,
        lambda i: 127 - i,
        lambda i: (i * 7) % 128,
        lambda i: i // 4,
        lambda i: i * 0 + 3,
    ):
        B = te.compute((128,), lambda i, index=index: A[index(i)], name="B")
        s = te.create_schedule(B.op)
        s[B].vectorize(s[B].split("i", factor=16)[1])
        b = np.zeros(128, "float32")
        tewb.build(s, [A, B], debug=True)(a, b)
        np.testing.assert_array_equal(b, a[[index(i) for i in range(128)]])
