"""Storage rewriting: what shares memory, what must not, and that results stay the same."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import PROGRAMS, assert_same_result, random_program, random_schedule, schedule_for
from tewb import te, tir
from tewb.arith import evaluate_integers
from tewb.ir import (
    Allocate,
    AttrStmt,
    Buffer,
    BufferLoad,
    BufferStore,
    Call,
    Expr,
    For,
    ForKind,
    IfThenElse,
    PrimFunc,
    Stmt,
    Var,
    rewriter,
    walk,
)
from tewb.lowering import BUILD, peak_bytes, run
from tewb.lowering.rewrite_storage import rewrite_storage
from tewb.tensor import address_of


def chain(names: str, n: Any = 8, dtypes: Any = None, sizes: Any = None) -> Any:
    """A -> B -> C -> ...: each reads the one before from both ends. Returns the schedule and [A, last]."""
    A = t = te.placeholder((n,), name="A")
    for name in names:
        dtype, m, size = (dtypes or {}).get(name, "float32"), t.shape[0], (sizes or {}).get(name, n)
        t = te.compute(
            (size,), lambda i, b=t, d=dtype, m=m: (b[i % m] + b[m - 1 - i % m]).astype(d), name=name
        )
    return te.create_schedule(t.op), [A, t]


def built(s: Any, args: Any, share: bool = True) -> PrimFunc:
    """The function that code is generated from, with serial loops for vectors."""
    config = {"tir.disable_storage_rewrite": not share, "tir.disable_vectorize": True}
    with tewb.PassContext(config=config):
        return run(tewb.lower(s, args)["main"], BUILD)


def allocated(f: PrimFunc) -> list[str]:
    return [n.buffer.name for n in walk(f.body) if isinstance(n, Allocate)]


def test_a_chain_takes_turns_in_two_buffers() -> None:
    text = built(*chain("BCDE")).script().splitlines()
    assert "\n".join(line[4:] for line in text[3:]) == (
        'B = T.allocate((8,), "float32")\n'
        'D = T.Buffer((8,), "float32", data=B.data)\n'
        "for i in range(8):\n"
        "    B[i] = A[i] + A[7 - i]\n"
        'C = T.allocate((8,), "float32")\n'
        "for i in range(8):\n"
        "    C[i] = B[i] + B[7 - i]\n"
        "for i in range(8):\n"
        "    D[i] = C[i] + C[7 - i]\n"
        "for i in range(8):\n"
        "    E[i] = D[i] + D[7 - i]"
    )


@pytest.mark.parametrize("names", ["BCDE", "BCDEFGHI"])
def test_a_chain_needs_two_buffers_of_any_length(names: str) -> None:
    s, args = chain(names)
    assert allocated(built(s, args)) == ["B", "C"]
    assert allocated(built(s, args, share=False)) == list(names[:-1])
    assert peak_bytes(built(s, args).body) == 64


def test_a_buffer_that_is_still_needed_is_not_shared() -> None:
    A = te.placeholder((8,), name="A")
    B = te.compute((8,), lambda i: A[i] + 1.0, name="B")
    C = te.compute((8,), lambda i: B[7 - i] * 2.0, name="C")
    D = te.compute((8,), lambda i: C[7 - i] * 2.0, name="D")
    E = te.compute((8,), lambda i: D[i] + B[i], name="E")
    f = built(te.create_schedule(E.op), [A, E])
    assert allocated(f) == ["B", "C", "D"]


def test_shared_memory_is_large_enough_for_all() -> None:
    f = built(*chain("BCDE", sizes={"B": 8, "D": 20}))
    assert [n.buffer.shape[0].value for n in walk(f.body) if isinstance(n, Allocate)] == [20, 8]


def test_another_dtype_shares_only_what_is_large_enough() -> None:
    for dtype, memory in (("int16", ["B", "C"]), ("float64", ["B", "C", "D"])):
        s, args = chain("BCDE", dtypes={"D": dtype})
        assert allocated(built(s, args)) == memory
        result = np.zeros(8, "float32")
        tewb.build(s, args, debug=True)(np.arange(8, dtype="float32"), result)
        np.testing.assert_array_equal(result, np.full(8, 7 * 8))


def test_symbolic_sizes_and_small_local_memory_stay_apart() -> None:
    n = te.var("n")
    s, args = chain("BCDE", n=n)
    assert allocated(built(s, args)) == ["B", "C", "D"]
    s, args = chain("BCDE")
    for name in "BCD":
        s[name].set_scope("local")
    assert allocated(built(s, args)) == ["B", "C", "D"]
    s, args = chain("BCDE", n=1000)
    s["B"].set_scope("local")
    assert allocated(built(s, args)) == ["B", "C", "D"]  # B has another scope than D
    s["D"].set_scope("local")
    assert allocated(built(s, args)) == ["B", "C"]


def two_nests(parallel: bool = False) -> Any:
    """Y = f(X) row by row with X at its rows, then the same for W = f(V)."""
    A = te.placeholder((6, 8), name="A")
    X = te.compute((6, 8), lambda i, j: A[i, j] + 1.0, name="X")
    Y = te.compute((6, 8), lambda i, j: X[i, 7 - j] * 2.0, name="Y")
    V = te.compute((6, 8), lambda i, j: Y[i, j] + 1.0, name="V")
    W = te.compute((6, 8), lambda i, j: V[i, 7 - j] * 2.0, name="W")
    s = te.create_schedule(W.op)
    s[X].compute_at(s[Y], "i")
    s[V].compute_at(s[W], "i")
    if parallel:
        s[Y].parallel("i")
        s[W].parallel("i")
    return s, [A, W]


def test_what_is_used_in_one_iteration_is_alive_only_there() -> None:
    f = built(*two_nests())
    assert allocated(f) == ["Y", "X"]
    assert 'V = T.Buffer((8,), "float32", data=X.data)' in f.script()


def test_parallel_iterations_have_memory_of_their_own() -> None:
    s, args = two_nests(parallel=True)
    f = built(s, args)
    assert allocated(f) == ["Y", "X", "V"]
    for n in walk(f.body):
        if isinstance(n, For) and n.kind is ForKind.PARALLEL:
            assert len([x for x in walk(n.body) if isinstance(x, Allocate)]) == 1


def test_in_a_parallel_body_memory_is_shared() -> None:
    A = te.placeholder((6, 8), name="A")
    t = A
    stages = []
    for name in "BCDE":
        t = te.compute((6, 8), lambda i, j, b=t: b[i, j] + b[i, 7 - j], name=name)
        stages.append(t)
    s = te.create_schedule(t.op)
    for x in reversed(stages[:-1]):
        s[x].compute_at(s[t], "i")
    s[t].parallel("i")
    assert allocated(built(s, [A, t])) == ["B", "C"]
    assert_same_result(s, [A], [t], debug=True)


# ---------------------------------------------------------------- externs


def two_temporaries(ins: Any, outs: Any) -> Any:
    """x = in + 1; out = x; y = out * 2; out = y: x and y are never needed together."""
    ib = tir.ir_builder.create()
    a, b = ib.buffer_ptr(ins[0]), ib.buffer_ptr(outs[0])
    x = ib.allocate("float32", (8,), name="x")
    for target, value in ((x, lambda i: a[i] + 1.0), (b, lambda i: x[i])):
        with ib.for_range(0, 8, name="i") as i:
            target[i] = value(i)
    y = ib.allocate("float32", (8,), name="y")
    for target, value in ((y, lambda i: b[i] * 2.0), (b, lambda i: y[i])):
        with ib.for_range(0, 8, name="i") as i:
            target[i] = value(i)
    return ib.get()


def test_an_extern_scope_keeps_all_in_it_alive() -> None:
    A = te.placeholder((8,), name="A")
    E = te.extern((8,), [A], two_temporaries, name="E")
    s = te.create_schedule(E.op)
    f = built(s, [A, E])
    assert any(isinstance(n, AttrStmt) and n.key == "extern_scope" for n in walk(f.body))
    assert allocated(f) == ["x", "y"]
    without = rewriter({AttrStmt: lambda n: n.body})
    bare: Stmt = without(built(s, [A, E], share=False).body)
    assert allocated(PrimFunc("main", f.params, bare)) == ["x", "y"]
    assert allocated(PrimFunc("main", f.params, rewrite_storage(bare))) == ["x"]


def test_nothing_is_reused_in_place_across_an_extern() -> None:
    tewb.register_func("test.flip", lambda a, b: b.__setitem__(slice(None), a[::-1] + 1), override=True)
    A = te.placeholder((8,), name="A")
    t = te.compute((8,), lambda i: A[i] * 2.0, name="B")
    for name in "CDE":
        t = te.extern((8,), [t], lambda i, o: te.call_packed("test.flip", i[0], o[0]), name=name)
    out = te.compute((8,), lambda i: t[i] * 1.0, name="F")
    s = te.create_schedule(out.op)
    f = built(s, [A, out])
    assert allocated(f) == ["B", "C"]  # D lives where B was, E where C was: each call has two
    a, r = np.arange(8, dtype="float32"), np.zeros(8, "float32")
    tewb.build(s, [A, out])(a, r)
    np.testing.assert_array_equal(r, (2 * a)[::-1] + 3)


def test_memory_with_a_pointer_to_it_is_not_shared() -> None:
    out = tir.decl_buffer((8,), name="out")
    ib = tir.ir_builder.create()
    o = ib.buffer_ptr(out)
    x = ib.allocate("float32", (8,), name="x")
    x[0] = 1.0
    p = ib.let("p", address_of(x.buffer))
    y = ib.allocate("float32", (8,), name="y")
    y[0] = 2.0
    ib.emit(te.call_extern("int32", "memcpy", o.buffer, p, 32))
    o[0] = o[0] + y[0]
    body = ib.get()
    assert rewrite_storage(body) is body


# ---------------------------------------------------------------- all programs


def loads(e: Expr, values: dict[Var, Any]) -> list[BufferLoad]:
    """The loads that the evaluation of `e` makes; a prefetch is none."""
    if isinstance(e, Call) and e.op == "prefetch":
        return []
    if isinstance(e, Call) and e.op == "if_then_else":
        cond = evaluate_integers(e.args[0], values)
        taken = e.args[1:] if cond is None else (e.args[1 if cond else 2],)
        return [n for part in (e.args[0], *taken) for n in loads(part, values)]
    own = [e] if isinstance(e, BufferLoad) else []
    return own + [n for c in e.children() for n in loads(c, values)]


def check_each_load_finds_its_own(f: PrimFunc) -> None:
    """Run `f` without numbers: a load of a buffer must find what a store to that buffer left there."""
    owner: dict[Var, dict[int, str]] = {}
    values: dict[Var, Any] = {}

    def read(e: Expr) -> None:
        for n in loads(e, values):
            if n.buffer.data in owner:
                at = int(evaluate_integers(n.indices[0], values))
                assert owner[n.buffer.data].get(at) == n.buffer.name, f"{n!r} at {at}"

    def go(s: Any) -> None:
        for c in s.children():
            if isinstance(c, Expr):
                read(c)
        match s:
            case For():
                first, count = (int(evaluate_integers(e, values)) for e in (s.min, s.extent))
                for i in range(first, first + count):
                    values[s.var] = np.int64(i)
                    go(s.body)
            case IfThenElse():
                for part in (s.then,) if evaluate_integers(s.cond, values) else (s.other,):
                    if part is not None:
                        go(part)
            case BufferStore() if s.buffer.data in owner:
                owner[s.buffer.data][int(evaluate_integers(s.indices[0], values))] = s.buffer.name
            case Allocate():
                owner[s.buffer.data] = {}
                go(s.body)
                del owner[s.buffer.data]
            case _:
                for c in s.children():
                    if isinstance(c, Stmt):
                        go(c)

    go(f.body)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("seed", range(12))
def test_random_schedules_share_and_compute_the_same(name: str, seed: int) -> None:
    rng = random.Random(f"share {name}{seed}")
    inputs, outputs = random_program(name, rng, 9)
    s = random_schedule(outputs, rng, steps=rng.randint(1, 9))
    args = inputs + outputs
    shared, apart = built(s, args), built(s, args, share=False)
    check_each_load_finds_its_own(shared)
    assert (peak_bytes(shared.body) or 0) <= (peak_bytes(apart.body) or 0)
    if len(allocated(shared)) < len(allocated(apart)):
        assert_same_result(s, inputs, outputs, seed, debug=seed % 2 == 0)
        with tewb.PassContext(config={"tir.disable_storage_rewrite": True}):
            assert_same_result(s, inputs, outputs, seed)


def test_the_check_of_loads_finds_a_wrong_share() -> None:
    f = built(*chain("BCDE"))
    first, second = (n.buffer.data for n in walk(f.body) if isinstance(n, Allocate))

    def moved(b: Buffer) -> Buffer:
        return b.with_(data=first) if b.data is second else b

    rules = {
        BufferLoad: lambda n: BufferLoad(moved(n.buffer), tuple(rewrite(i) for i in n.indices), n.dtype),
        BufferStore: lambda n: BufferStore(moved(n.buffer), rewrite(n.value), n.indices),
    }
    rewrite: Any = rewriter(rules)
    with pytest.raises(AssertionError, match="at 3"):
        check_each_load_finds_its_own(PrimFunc("main", f.params, rewrite(f.body)))


def test_a_pass_with_nothing_to_share_returns_what_it_was_given() -> None:
    inputs, outputs = PROGRAMS["blur"]()
    f = built(schedule_for(outputs), inputs + outputs)
    assert rewrite_storage(f.body) is f.body
