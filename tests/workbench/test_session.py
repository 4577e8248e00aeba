"""Session: everything the workbench does, without a browser."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import PROGRAMS, add_one, random_schedule
from tewb import te
from tewb.base import ArgumentError, ScheduleError, TewbError
from tewb.ir import first_difference
from tewb.workbench.demos import demo_session
from tewb.workbench.measure.verify import small_program


def session(n: int = 32) -> Any:
    return demo_session("matmul", n=n)


SPLIT = {"primitive": "split", "stage": "C", "args": {"axis": "i", "factor": 8}}


def test_apply_changes_what_is_shown_and_tells_listeners() -> None:
    s = session()
    told: list[int] = []
    s.on_change(lambda: told.append(len(s.journal)))
    s.apply(SPLIT)
    assert "for i.outer in range(4):" in s.ir
    assert [loop.name for loop in s.stages[-1].loops] == ["i.outer", "i.inner", "j", "k"]
    assert told == [1]


def test_undo_redo_reset() -> None:
    s = session()
    start = s.ir
    s.apply(SPLIT)
    s.apply({"primitive": "unroll", "stage": "C", "args": {"axis": "i.inner"}})
    after = s.ir
    assert s.undo() and s.undo() and not s.undo()
    assert s.ir == start
    assert s.redo() and s.redo() and not s.redo()
    assert s.ir == after
    s.reset()
    assert s.ir == start and not s.can_undo
    assert s.redo() and s.redo()
    assert s.ir == after


def test_reset_goes_back_to_where_the_session_began() -> None:
    s = session()
    s.schedule["C"].split("j", factor=4)
    later = tewb.Session(s.schedule, s.args)
    later.apply(SPLIT)
    later.reset()
    assert [str(step) for step in later.journal] == ["split(C, axis=j, factor=4)"]


def test_other_arguments_are_those_of_all_that_is_shown() -> None:
    s = demo_session("blur", n=16)
    told: list[int] = []
    s.on_change(lambda: told.append(len(s.args)))
    s.measure(repeat=1)
    assert [a.name for a in s.allocations()] == ["X"] and s.timings
    s.args = [*s.args, s.schedule["X"].op.output(0)]
    assert told[-1] == 3 and not s.allocations() and "X: T.Buffer" in s.ir and not s.timings
    with pytest.raises(AttributeError):
        s.args.append(s.args[0])  # in place nobody would notice
    with pytest.raises(TewbError, match="the arguments of a session"):
        s.args = "A B"


def test_a_refused_step_leaves_everything_as_it_was() -> None:
    s = session()
    s.apply(SPLIT)
    s.undo()
    before = (s.ir, s.journal, s.can_redo)
    with pytest.raises(ScheduleError, match="reduce axis"):
        s.apply({"primitive": "parallel", "stage": "C", "args": {"axis": "k"}})
    with pytest.raises(ScheduleError, match="is not a step"):
        s.apply({"stage": "C"})
    assert (s.ir, s.journal, s.can_redo) == before
    assert "reduce axis" in s.why_not({"primitive": "parallel", "stage": "C", "args": {"axis": "k"}})


def test_passes_are_inspectable() -> None:
    s = session()
    s.apply(SPLIT)
    s.apply({"primitive": "vectorize", "stage": "C", "args": {"axis": "j"}})
    names = [name for name, _ in s.passes]
    assert names[0] == "schedule_ops" and "vectorize_loops" in names and names[-1] == "simplify again"
    texts = dict((name, f.script()) for name, f in s.passes)
    assert "T.vectorized(32)" in texts["schedule_ops"] and "T.vectorized" not in texts["vectorize_loops"]


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("seed", range(6))
def test_code_rebuilds_the_same_schedule(name: str, seed: int) -> None:
    import random

    rng = random.Random(f"code{name}{seed}")
    inputs, outputs = PROGRAMS[name]()
    s = tewb.Session(random_schedule(outputs, rng, 6), inputs + outputs)
    found: dict[str, Any] = {}
    exec(s.code, found)
    assert first_difference(found["module"], s.module) is None, s.code


def test_code_runs_as_a_program(tmp_path: Any) -> None:
    s = session()
    s.apply(SPLIT)
    path = tmp_path / "program.py"
    path.write_text(s.code + "print(module)\n")
    out = subprocess.run(
        [sys.executable, path], capture_output=True, text=True, check=True, cwd=".", env=_environment()
    )
    assert "for i.outer in range(4):" in out.stdout


def test_code_of_names_with_quotes() -> None:
    A = te.placeholder((8,), name='the "A"')
    B = te.compute((8,), lambda i: A[i] + 1.0, name="lambda")
    found: dict[str, Any] = {}
    exec(tewb.Session(te.create_schedule(B.op), [A, B]).code, found)
    assert [t.op.name for t in found["args"]] == ['the "A"', "lambda"]


def test_code_of_a_hybrid_program() -> None:
    A = te.placeholder((8,), name="A")
    B = add_one(A)
    s = tewb.Session(te.create_schedule(B.op), [A, B])
    assert "@te.hybrid.script\ndef add_one(a):" in s.code
    assert s.measure(repeat=1).ok


def _environment() -> dict[str, str]:
    import os
    from pathlib import Path

    root = str(Path(tewb.__file__).resolve().parent.parent)
    return {**os.environ, "PYTHONPATH": root}


def test_no_time_is_shown_for_a_wrong_result() -> None:
    s = session()
    s.reference = lambda a, b: a @ b + 1
    m = s.measure(repeat=1)
    assert not m.ok and m.kernel is None and m.ratio is None
    assert "C differs from numpy: first at (0, 0)" in m.message


def test_measure_can_be_stopped() -> None:
    m = session().measure(repeat=50, stop=lambda: True)
    assert m.ok and m.kernel and len(m.kernel.results) == 1 and "stopped early" in m.message


def test_measure_uses_the_inputs_it_is_given() -> None:
    s = session()
    s.inputs = [np.eye(32, dtype="float32")] * 2
    assert s.measure(repeat=1).ok
    s.inputs = [np.eye(32, dtype="float32")]
    with pytest.raises(TewbError, match="1 inputs for 2: A, B"):
        s.measure(repeat=1)


def test_symbolic_sizes_are_measured() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    C = te.compute((n,), lambda i: B[i] * 2.0, name="C")
    s = tewb.Session(te.create_schedule(C.op), [A, C], sizes={"n": 1000})
    assert s.allocations()[0].bytes is None
    assert s.measure(repeat=1).ok


def test_the_core_loads_no_widgets() -> None:
    code = (
        "import sys; from tewb import te; import tewb; "
        "print([m for m in ('ipywidgets', 'graphviz', 'IPython', 'tewb.workbench') if m in sys.modules])"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_environment()
    )
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize(("access", "computed"), [("whole", 3.0), ("elementwise", 1.0)])
def test_how_often_a_stage_is_computed_is_shown(access: str, computed: float) -> None:
    s = demo_session("extern", access=access)
    s.apply({"primitive": "compute_at", "stage": "E", "args": {"parent": "C", "axis": "i"}})
    (stage,) = [x for x in s.stages if x.name == "E"]
    assert stage.computed == computed


def outer_difference() -> tuple[Any, list[Any], Any, Any]:
    """A[i] - B[j] of two sizes, where everything has one name."""
    n, m = te.var("n"), te.var("n")
    A, B = te.placeholder((n,), name="A"), te.placeholder((m,), name="A")
    C = te.compute((n, m), lambda i, j: A[i] - B[j], name="A")
    return te.create_schedule(C.op), [A, B, C], n, m


def test_sizes_of_one_name_have_values_of_their_own() -> None:
    s, args, n, m = outer_difference()
    arrays = [np.arange(5, dtype=np.float32), np.arange(7, dtype=np.float32)]
    assert tewb.Session(s, args, inputs=arrays).measure(repeat=1).operations == 35
    assert tewb.Session(s, args, sizes={n: 5, m: 7}).measure(repeat=1).operations == 35
    assert tewb.Session(s, args, sizes={"n": 5, m: 7}).measure(repeat=1).operations == 35
    program = small_program(s, args)
    assert program.sizes[n] != program.sizes[m]
    assert tewb.Session(s, args).verify().ok


def test_scalars_of_one_name_have_values_of_their_own() -> None:
    x, y = te.var("x"), te.var("x")
    C = te.compute((4,), lambda i: x - y + i, name="C")
    session = tewb.Session(te.create_schedule(C.op), [x, y, C], sizes={x: 5, y: 2})
    assert session.verify().ok
    assert session.measure(repeat=1).ok


def test_values_of_one_name_reach_a_small_twin() -> None:
    x, y = te.var("x"), te.var("x")
    A = te.placeholder((4096, 4096), "int32", name="A")
    C = te.compute((4096, 4096), lambda i, j: A[i, j] * x - y, name="C")
    program = small_program(te.create_schedule(C.op), [A, x, y, C])
    assert program.shrunk
    _, p, q, _ = program.args
    assert (p is not x) and program.sizes[p] != program.sizes[q]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sizes": {"n": -9}}, "the shape of A would be"),
        ({"sizes": {"n": "9"}}, "sizes gives '9' to 'n'"),
        ({"sizes": 5}, "sizes as a dict"),
        ({"inputs": 5}, "a list of inputs"),
        ({"inputs": [5, 6]}, "the input for A has shape"),
        ({"inputs": [np.ones(3, np.float32), np.ones((3, 3), np.float32)]}, "the input for A has shape"),
        ({"reference": 5}, "a function of the inputs; 5 is none"),
        ({"name": None}, "a name"),
    ],
)
def test_what_a_session_cannot_be_about_is_refused(given: dict[str, Any], message: str) -> None:
    s, args, _, _ = outer_difference()
    with pytest.raises(ArgumentError, match=message):
        tewb.Session(s, args, **given).measure(repeat=1)
    with pytest.raises(ArgumentError, match="takes a schedule"):
        tewb.Session(None, args)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="no number of samples"):
        tewb.Session(s, args).measure(repeat=0)


@pytest.mark.parametrize("step", [None, 5, "split C i 4", ["split"]])
def test_what_is_no_step_is_refused(step: Any) -> None:
    s = session()
    for act in (s.apply, s.why_not, s.preview, lambda step: s.measure(repeat=1, pinned=[step])):
        with pytest.raises(ScheduleError, match="is not a step"):
            act(step)


def test_a_session_has_another_name_everywhere_at_once() -> None:
    s, told = demo_session("matmul", n=8), []
    s.name = "matmul"
    s.on_change(lambda: told.append(s.name))
    part = s.code_forms.loop_numbers.number("C", "i")
    texts = {f.name: "\n".join(map(str, f.lines)) for f in s.forms()}
    s.name = "product"
    assert (
        told == ["product"]
        and s.ir.startswith("@T.prim_func\ndef product(")
        and "product" in s.module.functions
    )
    for form in s.forms():
        now = "\n".join(map(str, form.lines))
        assert ("product" in now) == ("matmul" in texts[form.name]) and "matmul" not in now
    assert s.code_forms.loop_numbers.number("C", "i") == part
    with pytest.raises(ScheduleError, match="the name of a session is text, not 5"):
        s.name = 5  # type: ignore[assignment]


def test_words_about_a_step_leave_its_time_and_what_was_tried() -> None:
    s = demo_session("matmul", n=8)
    s.apply({"primitive": "split", "stage": "C", "args": {"axis": "i", "factor": 4}})
    found = s.measure(repeat=1)
    s.label_step(1, name="tiles", note="fits")
    assert s.timings[s.journal] is found
    s.label_step(1, name="", note="")
    assert s.timings[s.journal] is found


def test_another_thread_sees_all_passes_or_none() -> None:
    """JupyterLab asks on a thread of its own while a cell changes the schedule."""
    s = demo_session("matmul", n=16)
    last = s.passes[-1][0]
    seen: list[str] = []
    is_over = threading.Event()

    def look() -> None:
        while not is_over.is_set():
            seen.append(s.passes[-1][0] if s.problem is None and s.passes else "nothing")

    thread = threading.Thread(target=look)
    thread.start()
    for _ in range(30):
        s.apply({"primitive": "split", "stage": "C", "args": {"axis": "i", "factor": 4}})
        s.undo()
    is_over.set()
    thread.join()
    assert set(seen) == {last}
