"""Verify on edit: right schedules pass, a step that changes results is named."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import PROGRAMS, add_one, random_schedule, schedule_for
from tewb import te
from tewb.ir import Expr, Reduce
from tewb.ir import replace as with_fields
from tewb.runtime import register_func
from tewb.schedule import PRIMITIVES, Schedule, Stage
from tewb.tensor import ComputeOp, Tensor
from tewb.workbench.demos import demo_session
from tewb.workbench.measure.measure import difference
from tewb.workbench.measure.verify import (
    MOST_NODES,
    CannotCheck,
    SmallProgram,
    small_program,
    smaller_sizes,
    verify,
)


def steps(*named: tuple[str, str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"primitive": p, "stage": stage, "args": args} for p, stage, args in named]


TILED = steps(
    ("split", "C", {"axis": "j", "factor": 8}),
    ("reorder", "C", {"axes": ["i", "j.outer", "k", "j.inner"]}),
    ("vectorize", "C", {"axis": "j.inner"}),
    ("unroll", "C", {"axis": "j.outer"}),
)


def matmul(n: int, wanted: list[dict[str, Any]] = TILED) -> Any:
    s = demo_session("matmul", n=n)
    for step in wanted:
        s.apply(step)
    return s


# ---- right schedules


@pytest.mark.one_in(3)
@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("seed", range(4))
def test_legal_schedules_are_never_blamed(program: str, seed: int) -> None:
    inputs, outputs = PROGRAMS[program]()
    s = random_schedule(outputs, random.Random(f"verify{program}{seed}"), 6)
    assert verify(s, inputs + outputs).ok, s.journal


@pytest.mark.parametrize("program", ["matmul", "chain", "blur", "rows", "transposed"])
@pytest.mark.parametrize("seed", range(3))
def test_legal_schedules_of_large_programs_are_checked_on_a_twin(program: str, seed: int) -> None:
    inputs, outputs = PROGRAMS[program](**dict.fromkeys(("n", "m"), 1100))
    s = random_schedule(outputs, random.Random(f"large{program}{seed}"), 4)
    v = verify(s, inputs + outputs)
    assert v.ok is not False, v
    if v.ok:
        assert v.sizes and "checked with" in v.message


def test_a_small_program_is_run_itself() -> None:
    v = matmul(24).verify()
    assert (v.ok, v.sizes, v.message) == (True, {}, "same results as the definition")
    assert str(v) == "✓ same results as the definition" and v.seconds > 0


def test_symbolic_sizes_get_small_values() -> None:
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((n, m), name="A")
    B = te.compute((n, m), lambda i, j: A[i, j] * 2.0, name="B")
    s = te.create_schedule(B.op)
    s[B].split(B.op.axis[1], factor=16)
    assert verify(s, [A, B]).ok
    program = small_program(s, [A, B])
    assert program.sizes["n"] != program.sizes["m"] and max(program.sizes.values()) < 64
    assert small_program(s, [A, B], {"n": 5}).sizes["n"] == 5


def test_a_hybrid_function_is_checked() -> None:
    A = te.placeholder((100,), name="A")
    B = add_one(A)
    assert verify(te.create_schedule(B.op), [A, B]).ok
    A = te.placeholder((100_000,), name="A")
    B = add_one(A)
    v = verify(te.create_schedule(B.op), [A, B])
    assert v.ok and v.sizes == {100_000: 16}


def test_an_input_that_is_not_read_may_be_among_the_arguments() -> None:
    A, Z = (te.placeholder((100_000, 40), name=n) for n in "AZ")
    B = te.compute((100_000, 40), lambda i, j: A[i, j] * 2.0, name="B")
    assert verify(te.create_schedule(B.op), [A, Z, B]).ok


# ---- small twins


def sizes_of(program: Any) -> list[list[int]]:
    return [[n.value for n in a.shape] for a in program.args if isinstance(a, Tensor)]


def test_a_twin_keeps_the_tails_of_the_loops() -> None:
    s = matmul(1000, steps(("split", "C", {"axis": "i", "factor": 32})))
    assert sizes_of(small_program(s.schedule, s.args)) == [[72, 72]] * 3  # 1000 and 72 leave 8 of 32
    assert next(smaller_sizes(s.schedule)) == {1000: 72}


def test_sizes_that_belong_together_stay_so() -> None:
    A = te.placeholder((1000, 500), name="A")
    P = te.compute(
        (1002, 500), lambda i, j: te.if_then_else(te.all(i >= 1, i < 1001), A[i - 1, j], 0.0), name="P"
    )
    r = te.reduce_axis((0, 3), name="r")
    C = te.compute((1000, 500), lambda i, j: te.sum(P[i + r, j], axis=r), name="C")
    F = te.compute((500_000,), lambda i: C[i // 500, i % 500], name="F")
    s = te.create_schedule(F.op)
    program = small_program(s, [A, F])
    (n, m), (flat,) = sizes_of(program)
    assert n == 2 * m and flat == n * m and n < 100
    assert verify(s, [A, F]).ok


@pytest.mark.parametrize(("size", "stride"), [(56, 1), (56, 2), (112, 2)])
def test_convolutions_have_twins(size: int, stride: int) -> None:
    A = te.placeholder((64, size, size), name="A")
    W = te.placeholder((32, 64, 3, 3), name="W")
    inside = lambda y, x: te.all(y >= 1, y < size + 1, x >= 1, x < size + 1)  # noqa: E731
    P = te.compute(
        (64, size + 2, size + 2),
        lambda c, y, x: te.if_then_else(inside(y, x), A[c, y - 1, x - 1], 0.0),
        name="P",
    )
    c, u, v = (te.reduce_axis((0, n), name=name) for n, name in ((64, "c"), (3, "u"), (3, "v")))
    n = size // stride
    C = te.compute(
        (32, n, n),
        lambda o, y, x: te.sum(P[c, y * stride + u, x * stride + v] * W[o, c, u, v], axis=[c, u, v]),
        name="C",
    )
    found = verify(te.create_schedule(C.op), [A, W, C])
    assert found.ok and found.sizes and found.sizes[size + 2] == found.sizes[size] + 2


def test_different_sizes_stay_different() -> None:
    inputs, outputs = PROGRAMS["transposed"](n=4096, m=1024)
    (n, m), _ = sizes_of(small_program(schedule_for(outputs), inputs + outputs))
    assert n != m


# ---- wrong ones


def broken(monkeypatch: pytest.MonkeyPatch, name: str, change: Callable[[Expr], Expr]) -> None:
    """Let a primitive change what its stage computes, beside what it is for."""
    real = PRIMITIVES[name]

    def effect(stage: Stage, v: dict[str, Any], step: int) -> list[Any]:
        made = real.effect(stage, v, step)
        op = stage.op
        assert isinstance(op, ComputeOp)
        stage.schedule.swap_op(stage, ComputeOp(op.name, op.axis, tuple(change(e) for e in op.body)))
        return made

    monkeypatch.setitem(PRIMITIVES, name, replace(real, effect=effect))


def twice(e: Expr) -> Expr:
    """The source of a reduction is doubled, and so is the result."""
    if isinstance(e, Reduce):
        return with_fields(e, source=tuple(x * 2 for x in e.source))
    return e * 2


@pytest.mark.parametrize("n", [24, 1000])
@pytest.mark.parametrize("number", range(4))
def test_the_step_that_changed_results_is_named(monkeypatch: pytest.MonkeyPatch, n: int, number: int) -> None:
    broken(monkeypatch, TILED[number]["primitive"], twice)
    v = matmul(n).verify()
    assert v.ok is False and v.step == number
    assert f"step {number + 1}, {TILED[number]['primitive']}(C" in v.message
    assert "changed the result: C differs from numpy: first at (0, 0)" in v.message


def test_a_primitive_that_loses_iterations_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    real = PRIMITIVES["parallel"]

    def effect(stage: Stage, v: dict[str, Any], step: int) -> list[Any]:
        """The last column of the reads stays unread."""
        op = stage.op
        assert isinstance(op, ComputeOp) and isinstance(op.body[0], Reduce)
        r = op.body[0]
        short = with_fields(r, condition=te.all(r.axes[0].var < 9))
        stage.schedule.swap_op(stage, ComputeOp(op.name, op.axis, (short,)))
        return real.effect(stage, v, step)

    monkeypatch.setitem(PRIMITIVES, "parallel", replace(real, effect=effect))
    last = steps(("parallel", "C", {"axis": "i"}))
    v = matmul(10, TILED + last).verify()
    assert v.ok is False and v.step == 4
    assert matmul(9, TILED + last).verify().ok


def test_a_definition_that_disagrees_with_its_kernel_is_wrong_without_any_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "tewb.workbench.measure.verify.evaluate",
        lambda outputs, inputs, scalars: [np.zeros([n.value for n in t.shape], t.dtype) for t in outputs],
    )
    v = matmul(24).verify()
    assert v.ok is False and v.step is None and "wrong without any step: C differs" in v.message


# ---- what cannot be checked


def test_indirect_reads_out_of_bounds_are_no_fault_of_a_step() -> None:
    A = te.placeholder((8,), name="A")
    I = te.placeholder((8,), name="I", dtype="int32")  # noqa: E741
    B = te.compute((8,), lambda i: A[I[i] * 100 + 1], name="B")
    v = verify(te.create_schedule(B.op), [A, I, B])
    assert v.ok is None and "random inputs do not suit it, B reads outside of A" in v.message


@pytest.mark.parametrize(
    ("effect", "said"), [("stateful", "extern E is stateful"), ("pure", "ValueError: no such array")]
)
def test_externs_that_cannot_be_called_on_random_arrays_are_left_alone(effect: str, said: str) -> None:
    def refuses(a: Any, b: Any) -> None:
        raise ValueError("no such array")

    register_func("tests.verify.refuses", refuses, override=True)
    A = te.placeholder((8,), name="A")
    E = te.extern(
        (8,),
        [A],
        lambda ins, outs: te.call_packed("tests.verify.refuses", ins[0], outs[0]),
        name="E",
        effect=effect,
    )
    v = verify(te.create_schedule(E.op), [A, E])
    assert v.ok is None and v.message == f"not checked: {said}" + (
        ", so it is called only when you ask for it" if effect == "stateful" else ""
    )
    assert str(v).startswith("?")


def test_long_code_is_checked_without_unrolling(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = steps(("unroll", "C", {"axis": "i"}), ("unroll", "C", {"axis": "j"}))
    assert "without unrolling" not in matmul(4, wanted).verify().message
    assert "same results as the definition (checked without unrolling)" in matmul(32, wanted).verify().message
    wide = [*wanted, *steps(("reorder", "C", {"axes": ["k", "i", "j"]}), ("vectorize", "C", {"axis": "j"}))]
    assert "(checked without unrolling and vectors)" in matmul(96, wide[2:]).verify().message
    monkeypatch.setattr("tewb.workbench.measure.verify.MOST_NODES", 3)
    assert "too long to be compiled at every step" in matmul(4, wanted).verify().message
    assert MOST_NODES > 1000


def test_a_program_that_recomputes_too_much_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tewb.workbench.measure.verify.MOST_WORK", 10)
    assert "again and again" in matmul(4).verify().message


def test_sizes_that_do_not_shrink_are_said() -> None:
    A = te.placeholder((5_000_000,), name="A")
    B = te.compute((16,), lambda i: A[i * 300_000 + 123_456], name="B")
    v = verify(te.create_schedule(B.op), [A, B])
    assert v.ok is None and v.message.startswith("not checked: ")


# ---- how it is shown


# ---- tolerance


def test_infinities_and_nans_do_not_hide_differences() -> None:
    A = te.placeholder((3,), name="A")
    want = np.array([np.inf, np.nan, 1.0], "float32")
    assert difference(A, want.copy(), want) is None
    assert "first at (2,)" in (difference(A, np.array([np.inf, np.nan, 2.0], "float32"), want) or "")
    assert "first at (0,)" in (difference(A, np.array([5.0, np.nan, 1.0], "float32"), want) or "")


def test_the_schedule_is_left_as_it_is() -> None:
    s = matmul(24)
    before = s.ir
    s.verify()
    assert s.ir == before and isinstance(s.schedule, Schedule)


def test_a_truth_value_of_any_number_is_true_in_the_definition_too() -> None:
    flag = te.var("flag", "bool")
    A = te.placeholder((6,), "int32", name="A")
    B = te.compute((6,), lambda i: A[i] + flag.astype("int32"), name="B")
    for sizes in ({}, {"flag": 2}, {"flag": 0}):
        session = tewb.Session(te.create_schedule(B.op), [A, flag, B], sizes=sizes)
        assert session.verify(), session.verify()
        assert session.measure(repeat=1).ok
        assert len(session.access_trace("B")) == 6


def test_what_fits_and_how_large_a_twin_is_can_be_said() -> None:
    s = demo_session("matmul", n=512)
    tried: list[int] = []

    def fits(p: SmallProgram) -> bool:
        tried.append(min(p.shrunk.values(), default=512))
        return tried[-1] <= 32

    assert small_program(s.schedule, s.args, None, fits, (8, 4)).shrunk == {512: 32}
    assert tried == [512, 64, 32]
    with pytest.raises(CannotCheck, match="too large"):
        small_program(s.schedule, s.args, None, lambda p: False)
