"""Promises between passes: each is broken here by hand, and found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace as with_fields
from typing import Any

import pytest

import tewb
from tests.programs import matmul, schedule_for
from tewb.base import DType, InternalError, PassContext
from tewb.ir import (
    Add,
    Allocate,
    Buffer,
    BufferLoad,
    BufferStore,
    Evaluate,
    For,
    ForKind,
    IfThenElse,
    IntImm,
    LetStmt,
    Origin,
    PrimFunc,
    ProducerLoad,
    Seq,
    Stmt,
    Var,
    barrier,
    const,
    launch,
    replace,
    thread_axis,
)
from tewb.ir import verify as promises
from tewb.lowering import BUILD, LOWER, Pass, run

INT32, FLOAT32 = DType("int32"), DType("float32")
ORIGIN = Origin("C")
A = Buffer("A", FLOAT32, (const(8), const(8)))
B = Buffer("B", FLOAT32, (const(8), const(8)))
i, j = Var("i", INT32), Var("j", INT32)


def loop(v: Var, body: Stmt, kind: ForKind = ForKind.SERIAL, extent: Any = None, origin: Any = ORIGIN) -> For:
    return For(v, const(0), const(8) if extent is None else extent, kind, body, origin)


def store(
    to: Buffer = B, source: Buffer = A, indices: tuple[Any, ...] = (i, j), value: Any = None
) -> BufferStore:
    loaded = BufferLoad(source, (i, j), source.dtype) if value is None else value
    return BufferStore(to, loaded, indices, ORIGIN)


def function(body: Stmt) -> PrimFunc:
    return PrimFunc("main", (A, B), body, (1,))


def around(s: Stmt) -> PrimFunc:
    return function(loop(i, loop(j, s)))


def memory() -> Buffer:
    return Buffer("T", FLOAT32, (const(8), const(8)))


def again_inside() -> Stmt:
    t = memory()
    return Allocate(t, Allocate(t, store(t)))


def after_its_end() -> Stmt:
    t = memory()
    return Seq((Allocate(t, store(t)), store(B, t)))


BROKEN: list[tuple[Callable[[PrimFunc], Any], Callable[[], PrimFunc], str]] = [
    (promises.names_are_bound, lambda: function(loop(i, store())), "j is used where nothing binds it"),
    (promises.names_are_bound, lambda: around(loop(i, store())), "i is bound again"),
    (promises.names_are_bound, lambda: function(loop(i, loop(j, store()), extent=j)), "j is used where nothing"),
    (promises.names_are_bound, lambda: around(LetStmt(i, const(3), store())), "i is bound again"),
    (promises.memory_is_alive, lambda: around(store(memory())), "T is used where its memory is not alive"),
    (promises.memory_is_alive, lambda: around(after_its_end()), "T is used where its memory is not alive"),
    (promises.memory_is_alive, lambda: around(again_inside()), "T is allocated again inside"),
    (promises.dtypes_agree, lambda: around(store(value=const(1, "int8"))), "an element of B is int8"),
    (promises.dtypes_agree, lambda: around(store(indices=(i,))), "2 dimensions, and 1 indices"),
    (promises.dtypes_agree, lambda: around(store(indices=(i, const(1.0)))), "an index of B is float32"),
    (promises.dtypes_agree, lambda: around(IfThenElse(i, store())), "a condition is int32"),
    (promises.dtypes_agree, lambda: around(Evaluate(Add(i, const(1, "int64"), INT32))), "the right side is int64"),
    (promises.dtypes_agree, lambda: function(loop(i, loop(j, store()), extent=const(8, "int64"))), "bound of the loop"),
    (promises.dtypes_agree, lambda: around(LetStmt(Var("x", FLOAT32), i, store())), "the value of x is int32"),
    (promises.no_producers, lambda: around(store(value=ProducerLoad(A, (i, j), FLOAT32))), "element of tensor A is left"),
    (promises.no_loops(ForKind.VECTORIZED), lambda: function(loop(i, loop(j, store(), ForKind.VECTORIZED))), "loop j is still"),
    (promises.one_index, lambda: around(store()), "B is accessed by 2 indices"),
    (promises.no_threads, lambda: around(launch(thread_axis("threadIdx.x"), const(4), store())), "threadIdx.x is still launched"),
    (promises.no_threads, lambda: around(barrier()), "a barrier is left"),
    (promises.provenance_is_present, lambda: function(loop(i, loop(j, store()), origin=None)), "nothing says where"),
]  # fmt: skip


@pytest.mark.parametrize(("promise", "broken", "words"), BROKEN)
def test_a_broken_promise_is_found(promise: Any, broken: Any, words: str) -> None:
    assert any(words in violation for violation in promise(broken())), list(promise(broken()))
    with pytest.raises(InternalError, match=r"after a pass, function main: .*\(" + promise.__name__):
        promises.check_promises(broken(), [promise], "a pass")


def test_what_is_sound_in_one_place_is_looked_at_in_another() -> None:
    """What was found sound before is remembered, and where it stands is not."""
    t, inner = memory(), loop(j, store())
    kept = Allocate(t, store(t))
    on_pointer = LetStmt(
        pointer := Var("p", DType("handle")), A.data, store(Buffer("P", FLOAT32, A.shape, data=pointer))
    )
    for before, after, words in [
        (function(loop(i, inner)), function(inner), "i is used where nothing binds it"),
        (function(loop(i, inner)), function(loop(i, loop(j, inner))), "j is bound again"),
        (around(kept), around(kept.body), "T is used where its memory is not alive"),
        (around(kept), around(Allocate(t, kept)), "T is allocated again inside"),
        (around(on_pointer), around(on_pointer.body), "P is used where its memory is not alive"),
        (
            around(store()),
            with_fields(around(store()), params=(A,)),
            "B is used where its memory is not alive",
        ),
        (around(store()), with_fields(around(store()), params=(A, B, i)), "i is bound again"),
    ]:
        sound = promises.Sound()
        promises.check_promises(before, promises.ALWAYS, "a pass", sound)
        promises.check_promises(before, promises.ALWAYS, "a pass", sound)
        with pytest.raises(InternalError, match=words):
            promises.check_promises(after, promises.ALWAYS, "a pass", sound)


def test_a_later_promise_is_asked_of_what_kept_the_earlier_ones() -> None:
    f, sound = around(store()), promises.Sound()
    promises.check_promises(f, promises.ALWAYS, "a pass", sound)
    with pytest.raises(InternalError, match="B is accessed by 2 indices"):
        promises.check_promises(f, [*promises.ALWAYS, promises.one_index], "a pass", sound)


def test_every_promise_holds_of_a_sound_function() -> None:
    sound = around(store())
    for promise in (*promises.ALWAYS, promises.provenance_is_present, promises.no_loops(*list(ForKind)[1:])):
        assert list(promise(sound)) == []
    tested = {promise.__name__ for promise, _, _ in BROKEN}
    assert {p.__name__ for p in promises.ALWAYS} <= tested


def test_every_promise_of_the_pipeline_is_one_of_those_that_are_broken_here() -> None:
    names = {p.__name__ for step in (*LOWER, *BUILD) for p in step.promises}
    assert names == {"no_vectorized_loops", "no_unroll_loops", "one_index", "no_dot_loops", "no_threads"}


def lowered() -> PrimFunc:
    inputs, outputs = matmul(8, 8, 8)
    return tewb.lower(schedule_for(outputs), inputs + outputs)["main"]


def without_provenance(f: PrimFunc) -> PrimFunc:
    assert isinstance(f.body, For)
    return with_fields(f, body=replace(f.body, origin=None))


def with_a_foreign_name(f: PrimFunc) -> PrimFunc:
    return with_fields(f, body=Seq((f.body, Evaluate(Var("nobody", INT32)))))


@pytest.mark.parametrize("spoil", [without_provenance, with_a_foreign_name])
def test_the_pass_that_broke_a_promise_is_named(spoil: Any) -> None:
    f = lowered()
    with (
        PassContext(config={"tewb.verify": True}),
        pytest.raises(InternalError, match="after spoil, function main"),
    ):
        run(f, [Pass(spoil, "breaks a promise", named="spoil")])
    with PassContext(config={"tewb.verify": False}):
        run(f, [Pass(spoil, "breaks a promise", named="spoil")])


def test_a_pass_keeps_what_it_promises_of_loops() -> None:
    f = lowered()
    vectorized = with_fields(f, body=replace(f.body, kind=ForKind.VECTORIZED))
    lazy = Pass(lambda f: f, "does nothing", (promises.no_loops(ForKind.VECTORIZED),), "lazy")
    with (
        PassContext(config={"tewb.verify": True}),
        pytest.raises(InternalError, match="still marked vectorized"),
    ):
        run(vectorized, [lazy])


def test_the_suite_verifies_every_pass() -> None:
    assert PassContext.current().config["tewb.verify"]


def test_constants_have_the_dtype_of_their_neighbours() -> None:
    wrong = around(Evaluate(Add(i, IntImm(1, DType("int8")), INT32)))
    assert len(list(promises.dtypes_agree(wrong))) == 1
