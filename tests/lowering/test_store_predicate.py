"""Which threads store: every element is stored by one, and added to once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tewb
from tests.lowering.test_thread_reduction import sums
from tests.programs import assert_same_result, matmul
from tewb import te
from tewb.base import LowerError
from tewb.ir import script

Scheduled = tuple[Any, list[Any], list[Any]]
TX = te.thread_axis("threadIdx.x")


def consumer(condition: Any) -> Scheduled:
    """C stores what the threads of a sum inside of it came to; it has no loop of these threads."""
    A = te.placeholder((6, 10), name="A")
    k = te.reduce_axis((0, 10), name="k")
    B = te.compute((6,), lambda i: te.sum(A[i, k], axis=k), name="B")
    C = te.compute((6,), lambda i: B[i] * 2.0, name="C")
    s = te.create_schedule(C.op)
    term = s.rfactor(B, s[B].split("k", factor=4)[1])
    s[B].bind(s[B].op.reduce_axis[0], TX)
    s[term].compute_at(s[B], s[B].op.reduce_axis[0])
    s[C].bind("i", te.thread_axis("threadIdx.y"))
    s[B].compute_at(s[C], "i")
    s[C].set_store_predicate(condition)
    return s, [A], [C]


@pytest.mark.parametrize("condition", [TX.var.equal(0), TX.var > 1])
def test_a_consumer_stores_in_the_threads_of_what_it_reads(condition: Any) -> None:
    s, inputs, outputs = consumer(condition)
    assert script(tewb.lower(s, inputs + outputs)).count('T.launch_thread("threadIdx.x", 4)') == 2
    assert_same_result(s, inputs, outputs, debug=True)


def test_a_sum_is_added_to_by_one_thread_where_the_condition_holds_for_more() -> None:
    """Threads wait in its loop, so that its start and its steps are statements of their own."""
    (A, B), (C,) = matmul(5, 4, 6)
    D = te.compute((5, 4), lambda i, j: C[i, j] + 1.0, name="D")
    s = te.create_schedule(D.op)
    copy = s.cache_read(A, "shared", [C])
    s[D].bind("i", TX)
    for stage in (C, copy):
        s[stage].set_scope("shared")
    s[C].compute_at(s[D], "i")
    s[C].reorder("k", "i", "j")
    s[copy].compute_at(s[C], "k")
    s[C].set_store_predicate(TX.var < 3)
    assert "if threadIdx.x == 0:" in script(tewb.lower(s, [A, B, D]))
    assert_same_result(s, [A, B], [D], debug=True)


def predicate(condition: str, scope: str | None = None) -> Callable[[], Scheduled]:
    def make() -> Scheduled:
        s, inputs, outputs = sums(4, 8, store=False)
        s["B"].set_store_predicate(condition)
        return s, inputs, outputs

    return make


def of_private_memory() -> Scheduled:
    A = te.placeholder((4, 4), name="A")
    B = te.compute((4, 4), lambda i, j: A[i, j] + 1.0, name="B")
    C = te.compute((4, 4), lambda i, j: B[i, j] * 2.0, name="C")
    s = te.create_schedule(C.op)
    tx = te.thread_axis("threadIdx.x")
    s[C].bind("j", tx)
    s[B].compute_at(s[C], "j")
    s[B].set_store_predicate(tx.var.equal(0))
    return s, [A], [C]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (predicate("threadIdx.x == 9"), "B is stored only if threadIdx.x == 9, which holds for no thread"),
        (
            predicate("threadIdx.y == 0"),
            "each thread of threadIdx.y has elements of its own, in loop i.inner",
        ),
        (predicate("blockIdx.x == 0"), "each thread of blockIdx.x has elements of its own, in loop i.outer"),
        (predicate("threadIdx.z == 0"), "no loop around it or inside of it is bound to threadIdx.z"),
        (of_private_memory, "each thread of threadIdx.x has its own B, in local memory"),
    ],
)
def test_what_would_not_be_stored_is_refused(make: Callable[[], Scheduled], said: str) -> None:
    s, inputs, outputs = make()
    with pytest.raises(LowerError, match=said) as e:
        tewb.lower(s, inputs + outputs)
    assert e.value.loops and e.value.hint


def count_of(n: int, condition: Any) -> Scheduled:
    """How many terms a reduction has whose terms are those of threads."""
    k = te.reduce_axis((0, n), name="k")
    S = te.compute((), lambda: te.sum(te.const(1, "int64"), axis=k), name="S")
    s = te.create_schedule(S.op)
    s[S].bind(k, TX)
    s[S].set_store_predicate(condition)
    return s, [], [S]


def test_of_very_many_threads_the_first_are_tried() -> None:
    s, _, (S,) = count_of(2**30, TX.var.equal(7))
    assert "if threadIdx.x == 7:" in script(tewb.lower(s, [S]))
    s, _, (S,) = count_of(2**30, TX.var.equal(70_000))
    with pytest.raises(LowerError, match=r"which holds for none of the first 4096 threads\n"):
        tewb.lower(s, [S])
    s, _, (S,) = count_of(100, TX.var.equal(70_000))
    with pytest.raises(LowerError, match=r"which holds for no thread\n"):
        tewb.lower(s, [S])
