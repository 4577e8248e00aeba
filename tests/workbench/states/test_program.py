"""The program as a whole."""

from __future__ import annotations

from tewb import te
from tewb.workbench.demos import demo_session
from tewb.workbench.session import Session
from tewb.workbench.states.program import program_code, program_state


def test_stages_loops_and_what_it_is_compared_with() -> None:
    s = demo_session("matmul", n=16)
    p = program_state(s)
    assert [(x.name, x.kind, x.loops) for x in p.stages][2] == ("C", "compute", ("i", "j", "k"))
    assert p.reference == "numpy.matmul" and p.problem is None and len(p.arguments) == 3
    s.reference = None
    assert program_state(s).reference == "its definition"


def test_the_version_counts_changes() -> None:
    s = demo_session("matmul", n=16)
    before = program_state(s).version
    s.apply({"primitive": "split", "stage": "C", "args": {"axis": "i", "factor": 4}})
    assert program_state(s).version > before


def test_the_code_makes_the_program_again() -> None:
    s = demo_session("matmul", n=16)
    s.apply({"primitive": "split", "stage": "C", "args": {"axis": "i", "factor": 4}})
    scope: dict[str, object] = {}
    exec(program_code(s).text, scope)
    assert str(scope["module"]) == str(s.module)
    assert (
        program_code(demo_session("extern")).text.startswith("#")
        or "te.extern" in program_code(demo_session("extern")).text
    )


def test_sizes_are_those_that_a_measurement_has() -> None:
    n, m, a = te.var("n"), te.var("m"), te.var("a", dtype="float32")
    A = te.placeholder((n, m), name="A")
    B = te.compute((n, m), lambda i, j: A[i, j] * a, name="B")
    s = Session(te.create_schedule(B.op), [n, a, A, B], sizes={"m": 7})
    assert program_state(s).sizes == {"n": 128.0, "m": 7.0, "a": 1.0}
    measured = s.measure(1, cold=False)
    assert measured.ok and measured.sizes == "n = 128, a = 1, m = 7" and measured.sizes in str(measured)


def test_long_names_have_short_forms() -> None:
    A = te.placeholder((8,), name="an_input_with_a_name_that_is_rather_long")
    B = te.compute((8,), lambda i: A[i] + 1.0, name="B")
    stages = program_state(Session(te.create_schedule(B.op), [A, B])).stages
    assert stages[1].short == "B" and len(stages[0].short) <= 30 and "…" in stages[0].short
