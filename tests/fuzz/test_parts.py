"""The fuzzer itself: guard pages guard, the reference knows, findings are found, and they are made small."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tewb
from tests.fuzz import expressions
from tests.fuzz.arrays import Guarded
from tests.fuzz.expressions import DTYPES, binary, const, load, name, walk
from tests.fuzz.generate import program
from tests.fuzz.interpreted import Shared, interpreted
from tests.fuzz.joined_steps import joined_steps
from tests.fuzz.minimise import minimise
from tests.fuzz.programs import Call, Input, Layout, Program, Scalar, Stage
from tests.fuzz.reference import Reference
from tests.fuzz.run import Outcome, arrays_of, execute, run
from tests.fuzz.schedules import Finding, attempt, random_step
from tests.fuzz.script import definition, script
from tests.fuzz.tensor_steps import PARTS, fitting, tensor_steps
from tests.fuzz.worker import Worker
from tests.programs import PROGRAMS, assert_same_result, schedule_for
from tewb import ir, te
from tewb.base import ScheduleError
from tewb.ir import For, ForKind, rewriter
from tewb.schedule import PRIMITIVES, joined_stages
from tewb.schedule.bounds import infer_bounds
from tewb.schedule.questions import first_fault
from tewb.testing import evaluate


def small(body: Any, dtype: str = "int32") -> Program:
    """S0[i] = `body` over 5 elements of A0."""
    n, line = const(5, "int32"), Layout((0,), (1,), (False,))
    return Program(
        "small", (), (Input("A0", "A0", dtype, (n,)),), (Stage("S0", "S0", (dtype,), (n,), ("i",), (body,)),),
        ("A0", "S0"), {"A0": "-", "S0": "-"}, (), 0, {}, {}, (Call({}, {"A0": line, "S0": line}, 1),),
    )  # fmt: skip


AT_I = load("A0", "int32", name("i", "int32"))


# ---------------------------------------------------------------- arrays


@pytest.mark.parametrize("at_end", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
def test_a_read_beside_an_array_ends_the_process(at_end: bool, backwards: bool) -> None:
    code = f"""
import ctypes
import numpy as np
from tests.fuzz.arrays import Guarded
from tests.fuzz.programs import Layout
g = Guarded((3, 4), "int16", Layout((1, 0), (2, 1), ({backwards}, {backwards}), 1, {at_end}), np.random.default_rng(0))
g.view[...] = 7
low, high = np.lib.array_utils.byte_bounds(g.view)
ctypes.string_at(low, high - low)
print("inside", flush=True)
ctypes.string_at(high + 1 if {at_end} else low - 2, 1)
print("outside", flush=True)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout == "inside\n" and done.returncode < 0


def test_the_bytes_of_an_array_are_known() -> None:
    g = Guarded((2, 3), "float32", Layout((0, 1), (1, 2), (False, True)), np.random.default_rng(0))
    before = g.bytes.copy()
    g.view[...] = -before.view(np.float32)[0]
    assert g.owned().sum() == 2 * 3 * 4
    np.testing.assert_array_equal(g.bytes[~g.owned()], before[~g.owned()])


# ---------------------------------------------------------------- programs


def test_programs_have_of_everything() -> None:
    made = [program(f"parts{n}") for n in range(250)]
    dtypes = {i.dtype for p in made for i in p.inputs} | {d for p in made for s in p.stages for d in s.dtypes}
    assert dtypes == {*DTYPES, "float16"}
    layouts = [layout for p in made for c in p.calls for layout in c.layouts.values()]
    assert {n for layout in layouts for n in layout.steps} >= {0, 1, 2, 3}
    assert any(any(layout.backwards) for layout in layouts) and any(layout.shift for layout in layouts)
    assert any(list(layout.order) != sorted(layout.order) for layout in layouts)
    assert any(len({i.name for i in p.inputs}) < len(p.inputs) for p in made)
    assert {s.dtype for p in made for s in p.scalars if s.is_size} == {"int32", "int64"}
    extents = {n.data for p in made for i in p.inputs for n in i.shape if n.op == "const"}
    assert {0, 1} < extents and max(extents) >= 2**31
    assert {s.reduction.reducer for p in made for s in p.stages if s.reduction} >= {
        "te.sum",
        "te.prod",
        "first",
        "widest",
        "both",
    }
    assert {s.template for p in made for s in p.stages} >= {
        "scale",
        "rows",
        "whole",
        "window",
        "hybrid_shift",
    }
    operations = {e.op for p in made for s in p.stages for b in s.bodies for e in walk(b)}
    assert operations >= {
        "//",
        "%",
        "<<",
        ">>",
        "te.select",
        "te.if_then_else",
        "te.truncdiv",
        "cast",
        "te.popcount",
    }
    for key, default in tewb.base.config.DEFAULTS.items():
        if isinstance(default, bool):
            assert any(p.options.get(key, default) is not default for p in made), key


def test_a_seed_is_a_program() -> None:
    assert script(program("again7")) == script(program("again7"))
    for n in range(40):
        compile(script(program(f"text{n}")), "<script>", "exec")


def test_every_primitive_is_tried() -> None:
    rng, tried = random.Random(2), set()
    for build in [*PROGRAMS.values()] * 12:
        s = schedule_for(build()[1])
        for _ in range(25):
            step = random_step(s, rng, {})
            if attempt(s, step, {}):
                tried.add(step[0])
    assert tried >= set(PRIMITIVES) - {"dot", "tensorize", "transpose"}


# ---------------------------------------------------------------- findings


def test_what_is_right_is_right() -> None:
    assert run(small(binary("+", AT_I, name("i", "int32")))).kind == "right"


def test_a_wrong_value_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    p = small(binary("-", AT_I, const(3, "int32")))
    monkeypatch.setitem(expressions.FUNCTIONS, "-", np.add)
    found = run(p)
    assert found.kind == "wrong value" and "should be" in found.words


def test_a_refusal_that_changes_the_schedule_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    s = schedule_for(PROGRAMS["matmul"]()[1])

    def effect(stage: Any, values: Any, step: int) -> Any:
        stage.scope = "local"
        raise ScheduleError("no", loops="i", hint="none")

    monkeypatch.setitem(PRIMITIVES, "split", replace(PRIMITIVES["split"], effect=effect))
    with pytest.raises(Finding, match="refused, and changed"):
        attempt(s, ("split", "C", {"axis": "i", "factor": 2}), {})


def test_a_refusal_without_the_loops_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    s = schedule_for(PROGRAMS["matmul"]()[1])

    def effect(stage: Any, values: Any, step: int) -> Any:
        raise ScheduleError("no")

    monkeypatch.setitem(PRIMITIVES, "split", replace(PRIMITIVES["split"], effect=effect))
    with pytest.raises(Finding, match="without the loops"):
        attempt(s, ("split", "C", {"axis": "i", "factor": 2}), {})
    assert not attempt(s, ("fuse", "C", {"axes": ["i", "k"]}), {})


def test_an_error_of_another_kind_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    s = schedule_for(PROGRAMS["matmul"]()[1])

    def effect(stage: Any, values: Any, step: int) -> Any:
        raise ValueError("raw")

    monkeypatch.setitem(PRIMITIVES, "split", replace(PRIMITIVES["split"], effect=effect))
    with pytest.raises(Finding, match="split: ValueError"):
        attempt(s, ("split", "C", {"axis": "i", "factor": 2}), {})


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    made = Worker(str(tmp_path), cpu_seconds=1.0)
    yield made
    made.stop()


@pytest.mark.slow
def test_a_program_that_dies_or_does_not_end_is_found(worker: Worker) -> None:
    p = small(AT_I)
    for code, kind in (
        ("__import__('os').abort()", "define: the process died"),
        ("while True: pass", "define: slow"),
    ):
        assert worker.run(replace(p, scalars=(Scalar(f"{code}\nx0", "x", "int32", False),))).kind == kind
    assert worker.run(p).kind == "right"


def test_a_finding_is_made_small() -> None:
    """Of a large program that fails for one operation, little but the operation stays."""

    def fails(p: Program) -> Outcome:
        found = any(e.op == "%" for s in p.stages for b in s.bodies for e in walk(b))
        return Outcome("wrong value" if found else "right", "", p)

    large = next(p for n in range(500) if len((p := program(f"large{n}")).stages) > 2 and fails(p).is_finding)
    smallest = minimise(fails(large), fails, seconds=20).program
    assert len(smallest.stages) == 1 and not smallest.steps and len(smallest.calls) == 1
    assert sum(1 for _ in walk(smallest.stages[0].bodies[0])) < 12
    assert len(script(smallest).splitlines()) < 40


def test_a_script_runs_by_itself(tmp_path: Path) -> None:
    file = tmp_path / "finding.py"
    p = small(binary("*", AT_I, const(2, "int32")))
    file.write_text(
        script(p, {"A0": {"shape": (5,), "data": "[1, 2, 3, 4, 5]"}, "S0": {"shape": (5,), "data": None}})
    )
    done = subprocess.run([sys.executable, file], capture_output=True, text=True, cwd=Path(__file__).parents[2],
                          env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])})  # fmt: skip
    assert "[ 2  4  6  8 10]" in done.stdout, done.stderr


def test_the_reference_agrees_with_the_evaluator_of_tewb() -> None:
    """Two references that share no code, on programs without anything that only one of them knows."""
    compared = 0
    for n in range(60):
        p = program(f"reference{n}")
        if p.scalars or any(s.template or s.is_virtual or s.is_count for s in p.stages):
            continue
        names: dict[str, Any] = {"tewb": tewb, "te": te}
        try:
            execute(definition(p), names)
        except tewb.base.TewbError:
            continue
        arrays = {
            t: g.view.copy()
            for t, g in arrays_of(p, p.calls[0], np.random.default_rng(n)).items()
            if t not in p.results
        }
        ours = Reference(p, p.calls[0], arrays, {})
        results = ours.results()
        if ours.may_raise or any(a.dtype.kind == "f" for a in arrays.values()):
            continue  # casts of floats that fit no integer are as they like in numpy
        wanted = evaluate([names[t] for t in p.results], {names[t]: a for t, a in arrays.items()})
        for t, w in zip(p.results, wanted, strict=True):
            np.testing.assert_array_equal(results[t], w, err_msg=script(p))
        compared += 1
    assert compared > 10


# ---------------------------------------------------------------- intrinsics that fit


@pytest.mark.parametrize("parts", dict.fromkeys(PARTS))
@pytest.mark.parametrize("kind", ["matmul", "argmax", "blur"])
def test_an_intrinsic_is_made_for_what_the_loops_do(kind: str, parts: str) -> None:
    inputs, outputs = PROGRAMS[kind]()
    s = schedule_for(outputs)
    stage = s.output_stages[0]
    axis = stage.axis_name(stage.op.axis[-1])
    made = fitting(s, stage.name, axis, parts)
    assert made is not None and made.op.axis
    stage.tensorize(axis, made)
    assert_same_result(s, inputs, outputs)


def test_steps_around_an_intrinsic_are_taken() -> None:
    taken = 0
    for seed in range(8):
        inputs, outputs = PROGRAMS["matmul"](8, 12, 6)
        s = schedule_for(outputs)
        for step in tensor_steps(s, random.Random(seed)):
            taken += attempt(s, step, {"s": s, "fitting": fitting}) and step[0] == "tensorize"
    assert taken > 4


def test_stages_are_joined_in_the_loops_of_others() -> None:
    """Some of the steps that join stages are legal, and leave what lowers and is right."""
    kinds = set()
    for seed in range(40):
        inputs, outputs = PROGRAMS[random.Random(seed).choice(["chain", "blur", "two_outputs"])]()
        s = schedule_for(outputs)
        for step in joined_steps(s, random.Random(seed)):
            attempt(s, step, {})
        if not joined_stages(s) or first_fault(s) is not None:
            continue
        try:
            infer_bounds(s)
        except ScheduleError:
            continue
        kinds |= {"after" if st.is_after else "with" for st in joined_stages(s)}
        if seed % 4 == 0:
            assert_same_result(s, inputs, outputs)
    assert "after" in kinds


# ---------------------------------------------------------------- in the interpreter


def test_what_iterations_of_a_parallel_loop_share_is_found() -> None:
    """A window that goes round is right in order, and no two iterations of a parallel loop may have it."""
    A = te.placeholder((10,), "int32", name="A")
    B = te.compute((10,), lambda i: A[i] * 2, name="B")
    C = te.compute((8,), lambda i: B[i] + B[i + 2], name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], C.op.axis[0])
    s[B].store_root()
    function = tewb.lower(s, [A, C])["main"]
    a, c = np.arange(10, dtype="int32"), np.zeros(8, "int32")
    for got in interpreted(function, [a, c], {})[1:]:
        np.testing.assert_array_equal(got, 2 * a[:8] + 2 * a[2:])

    def parallel(n: For) -> For:
        return ir.replace(n, kind=ForKind.PARALLEL) if n.var.name == "i" else n

    racing = function.with_body(rewriter({For: parallel})(function.body))
    with pytest.raises(Shared, match=r"iterations .* of i share B\["):
        interpreted(racing, [a, c], {})


def test_equal_values_that_iterations_store_at_one_place_are_right() -> None:
    inputs, outputs = PROGRAMS["chain"](5, 2)
    s = schedule_for(outputs)
    s[outputs[0]].parallel(s[outputs[0]].split("i", 4, tail="shift")[0])
    function = tewb.lower(s, [*inputs, *outputs])["main"]
    a = np.ones((5, 2), "float32")
    np.testing.assert_array_equal(interpreted(function, [a, a * 0], {})[1], a * 6)
