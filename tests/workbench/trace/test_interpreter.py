"""The interpreter computes what kernels compute, and reports every element that it touches."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import PROGRAMS, random_schedule
from tewb import te
from tewb.base import BoundError, DType, TewbError
from tewb.ir import (
    Allocate,
    AssertStmt,
    Buffer,
    BufferLoad,
    BufferStore,
    Call,
    Evaluate,
    Expr,
    IfThenElse,
    LetStmt,
    Stmt,
    Var,
    While,
    const,
    ops,
    seq,
)
from tewb.testing import evaluate, random_array, tolerance
from tewb.workbench.trace.interpreter import EnoughOfNest, IRInterpreter


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("seed", range(3))
def test_the_interpreter_computes_what_numpy_does(name: str, seed: int) -> None:
    rng = random.Random(f"trace{name}{seed}")
    inputs, outputs = PROGRAMS[name]()
    s = tewb.Session(random_schedule(outputs, rng, 5), inputs + outputs)
    f = s.function
    arrays = {
        t: random_array([n.value for n in t.shape], t.dtype, np.random.default_rng(seed)) for t in inputs
    }
    memory = {}
    for t, p in zip([*inputs, *outputs], f.params, strict=True):
        shape = [n.value for n in t.shape]
        memory[p.data] = (
            arrays[t].reshape(-1) if t in arrays else np.zeros(shape, t.dtype).reshape(-1)
        ).copy()
    with np.errstate(all="ignore"):
        IRInterpreter(memory, {}, lambda owner, kind, elements: None).run(f.body)
    for t, want, p in zip(outputs, evaluate(outputs, arrays), f.params[len(inputs) :], strict=True):
        rtol, atol = tolerance(t.dtype, 64)
        np.testing.assert_allclose(memory[p.data].reshape(want.shape), want, rtol=rtol, atol=atol * 64)


@pytest.mark.parametrize("lanes", [1, 8])
def test_the_interpreter_wraps_and_divides_by_0_as_kernels_do(lanes: int) -> None:
    A = te.placeholder((64,), name="A", dtype="int32")

    def value(i: Any) -> Any:
        wide = (i + 46_300) * (i + 46_300)
        return (
            wide // 7
            + (i + 5) // (i - 3)
            + i % (i - 3)
            + te.truncdiv(A[i] - i, i - 3)
            + te.truncmod(A[i], i - 3)
        )

    C = te.compute((64,), value, name="C")
    s = te.create_schedule(C.op)
    if lanes > 1:
        s[C].vectorize(s[C].split("i", factor=lanes)[1])
    a = np.random.default_rng(0).integers(-(2**31), 2**31 - 1, 64, dtype="int32")
    a[4] = -(2**31)
    got = np.zeros(64, "int32")
    tewb.build(s, [A, C])(a, got)
    (want,) = evaluate([C], {A: a})
    np.testing.assert_array_equal(got, want)
    f = tewb.lower(s, [A, C]).functions["main"]
    b, c = f.params
    memory = {b.data: a.copy(), c.data: np.zeros(64, "int32")}
    with np.errstate(all="ignore"):
        IRInterpreter(memory, {}, lambda *_: None).run(f.body)
    np.testing.assert_array_equal(memory[c.data], want)


def test_the_interpreter_stores_masked_lanes_only() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] * 2.0, name="B")
    s = te.create_schedule(B.op)
    s[B].vectorize(s[B].split("i", factor=8)[1])
    f = tewb.lower(s, [A, B])["main"]
    a, b = (p.data for p in f.params)
    memory = {a: np.arange(11, dtype="float32"), b: np.zeros(11, "float32")}
    written: list[int] = []
    IRInterpreter(memory, {n: 11}, lambda owner, kind, at: written.extend(at if owner is b else ())).run(
        f.body
    )
    assert written == list(range(11))
    np.testing.assert_array_equal(memory[b], np.arange(11) * 2)


A = Buffer("A", DType("float32"), (const(8),))
x, p = Var("x", DType("int32")), Var("p", DType("bool"))


def ran(s: Stmt, **values: int) -> tuple[list[float], list[tuple[str, list[int]]]]:
    """The elements of A after a statement, which begin as 0 to 7, and what was touched."""
    memory = {A.data: np.arange(8, dtype="float32")}
    touched: list[tuple[str, list[int]]] = []
    by_name = {"x": x, "p": p}
    IRInterpreter(
        memory, {by_name[k]: v for k, v in values.items()}, lambda owner, kind, at: touched.append((kind, at))
    ).run(s)
    return memory[A.data].tolist(), touched


def put(value: Any, index: Any) -> Stmt:
    return BufferStore(A, ops.convert(value), (ops.convert(index),))


def at(index: Any) -> Expr:
    return BufferLoad(A, (ops.convert(index),), A.dtype.with_lanes(ops.convert(index).dtype.lanes))


def test_only_the_chosen_side_is_touched() -> None:
    choice = ops.if_then_else(p, at(1), at(2))
    assert ran(put(choice, 0), p=1)[1] == [("read", [1]), ("write", [0])]
    assert ran(put(choice, 0), p=0)[1] == [("read", [2]), ("write", [0])]
    guarded = IfThenElse(ops.logical_and(p, ops.greater(at(3), 100.0)), put(1.0, 0), put(2.0, 1))
    assert ran(guarded, p=0)[1] == [("write", [1])] and ran(guarded, p=1)[1] == [
        ("read", [3]),
        ("write", [1]),
    ]


def test_lanes_of_vectors() -> None:
    ramp = ops.ramp(const(1), 2, 3)
    elements, touched = ran(put(at(ramp) * ops.broadcast(const(10.0), 3), ops.ramp(const(0), 1, 3)))
    assert elements[:3] == [10, 30, 50] and touched == [("read", [1, 3, 5]), ("write", [0, 1, 2])]


def test_memory_of_one_owner_has_views() -> None:
    view = Buffer("V", A.dtype, (const(3),), strides=(const(-2),), elem_offset=const(6), data=A.data)
    elements, touched = ran(BufferStore(view, const(9.0), (x,)), x=2)
    assert touched == [("write", [2])] and elements[2] == 9


def test_loops_that_ask_and_values_that_are_kept() -> None:
    count = While(ops.less(at(0), 3.0), put(at(0) + 1.0, 0))
    assert ran(count)[0][0] == 3
    kept = LetStmt(x, ops.cast(at(5), "int32"), put(7.0, x + 1))
    assert ran(kept)[0][6] == 7
    t = Buffer("t", DType("int8"), (const(2),))
    own = Allocate(
        t,
        seq(
            BufferStore(t, const(300, "int32").astype("int8"), (const(1),)),
            put(BufferLoad(t, (const(1),), t.dtype).astype("float32"), 0),
        ),
    )
    assert ran(own)[0][0] == 44


def test_an_assertion_that_does_not_hold_has_its_message() -> None:
    ran(AssertStmt(p, "p must hold", put(1.0, 0)), p=1)
    with pytest.raises(BoundError, match="p must hold"):
        ran(AssertStmt(p, "p must hold", put(1.0, 0)), p=0)


def test_what_only_machine_code_knows_is_refused() -> None:
    with pytest.raises(
        TewbError, match="call_extern cannot be traced: what it touches only its machine code knows"
    ) as e:
        ran(Evaluate(Call("call_extern", (), DType("int32"))))
    assert "trace a program" in (e.value.hint or "")


def test_intrinsics_on_bits_and_numbers_of_python() -> None:
    def value(e: Expr) -> Any:
        return IRInterpreter({}, {}, lambda *_: None).value(e)

    assert value(te.nextafter(te.const(1.0, "float16"), te.const(2.0, "float16"))) == 1 + 2**-10
    assert value(te.nextafter(te.const(1.0, "bfloat16"), te.const(0.0, "bfloat16"))) == 1 - 2**-8
    assert value(tewb.tir.clz(te.const(-1, "int8"))) == 0 and value(tewb.tir.clz(te.const(1, "int64"))) == 63
    assert value(te.ldexp(te.const(3.0), te.const(-150))) == np.float32(2.0**-148)
    assert value(tewb.tir.reinterpret("int32", te.const(1.0))) == 0x3F800000


def test_a_listener_that_has_seen_enough_of_a_loop_nest_sees_the_next_one() -> None:
    f = tewb.Session(*_two_nests()).function
    seen: list[tuple[str, tuple[int, ...]]] = []

    def touched(owner: Var, kind: str, elements: list[int]) -> None:
        if sum(name == owner.name for name, _ in seen) == 2:
            raise EnoughOfNest
        seen.append((owner.name, tuple(value for _, value in i.loops)))

    i = IRInterpreter(
        {p.data: np.zeros(6, "float32") for p in f.params if isinstance(p, Buffer)}, {}, touched
    )
    i.run(f.body)
    assert i.loops == [] and i.nest == []
    assert seen == [("A", (0,)), ("X", (0,)), ("A", (1,)), ("X", (1,))]  # Y reads X first: enough at once


def _two_nests() -> Any:
    A = te.placeholder((6,), name="A")
    X = te.compute((6,), lambda i: A[i] + 1.0, name="X")
    Y = te.compute((6,), lambda i: X[i] * 2.0, name="Y")
    return te.create_schedule(Y.op), [A, Y]


def test_the_loops_around_are_known_as_nodes_and_the_statement_too() -> None:
    f = tewb.Session(*_two_nests()).function
    seen = []
    memory = {p.data: np.zeros(6, "float32") for p in f.params if isinstance(p, Buffer)}
    i = IRInterpreter(memory, {}, lambda *_: seen.append(([n.var.name for n in i.nest], type(i.statement))))
    i.run(f.body)
    assert set(map(str, seen)) == {str((["i"], BufferStore))} and len(seen) == 24
    count = 0

    def tick() -> None:
        nonlocal count
        count += 1

    i.each_iteration = tick
    i.run(f.body)
    assert count == 12


@pytest.mark.parametrize("whole", [False, True])
def test_code_of_others_touches_the_buffers_that_it_gets(whole: bool) -> None:
    shape, strides = (const(2), const(3)), (const(5), const(1))
    b = Buffer("A", DType("float32"), shape, *((strides, const(1)) if whole else ()))
    address = Call(
        "address_of",
        (b if whole else BufferLoad(b, (const(0), const(0)), DType("float32")),),
        DType("handle"),
    )
    s = Evaluate(Call("call_extern", (address,), DType("int32")))
    seen: list[Any] = []
    i = IRInterpreter({b.data: np.zeros(20, "float32")}, {}, lambda *x: seen.append(x), native_regions=True)
    i.run(s)
    assert seen == [(b.data, "read", [1, 2, 3, 6, 7, 8] if whole else list(range(6)))]
    with pytest.raises(TewbError, match="only its machine code knows"):
        IRInterpreter({b.data: np.zeros(20, "float32")}, {}, lambda *x: None).run(s)
