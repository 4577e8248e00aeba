"""The program as a whole."""

from __future__ import annotations

from tewb.workbench.demos import demo_session
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
