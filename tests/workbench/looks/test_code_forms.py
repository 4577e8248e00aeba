"""Code forms: every form of a program, lit by the same steps, and what differs between states."""

from __future__ import annotations

import random
from functools import partial
from typing import Any

import pytest

import tewb
from tests.programs import PROGRAMS, random_schedule, schedule_for
from tewb import te
from tewb.base import TewbError
from tewb.codegen import compile_module
from tewb.workbench.demos import demo_session
from tewb.workbench.looks.code_forms import CodeForm, CodeForms
from tewb.workbench.looks.code_part import CodePart
from tewb.workbench.looks.diff import ADDED, CHANGED, REMOVED
from tewb.workbench.looks.lowered_ir import remark
from tewb.workbench.states.code import Code, _code, code_state

LOOPS, LAST, ASSEMBLY = "schedule_ops", "simplify again", "assembly"
SPLIT = {"primitive": "split", "stage": "C", "args": {"axis": "i", "factor": 8}}
VECTORIZE = {"primitive": "vectorize", "stage": "C", "args": {"axis": "j"}}
UNROLL = {"primitive": "unroll", "stage": "C", "args": {"axis": "i.inner"}}


def session(*steps: dict[str, Any], n: int = 32) -> tewb.Session:
    made: tewb.Session = demo_session("matmul", n=n)
    for step in steps:
        made.apply(step)
    return made


def lit(form: CodeForm) -> set[int]:
    """The steps that light a line of a form."""
    return {i for line in form.lines for i in line.steps}


# ---------------------------------------------------------------- forms


def test_the_forms_go_from_te_to_assembly() -> None:
    s = session(SPLIT)
    names = [f.name for f in s.forms()]
    assert names[:3] == ["TE", "schedule_ops", "simplify"]
    assert names[-3:] == ["LLVM IR", "optimised LLVM IR", "assembly"]
    assert {"vectorize_loops", "unroll_loops", "flatten_storage"} <= set(names)
    assert all(f.doc for f in s.forms())
    assert "te.compute" in str(s.forms()[0].lines[-1])


def chain(stages: int = 4, n: int = 8) -> tewb.Session:
    """Stages one after the other."""
    A = te.placeholder((n, n), name="A")
    t = A
    for k in range(stages):
        t = te.compute((n, n), lambda i, j, t=t: t[i, j] * 2.0 + 1.0, name=f"S{k}")
    return tewb.Session(te.create_schedule(t.op), [A, t])


def step(primitive: str, stage: str, **args: Any) -> dict[str, Any]:
    return {"primitive": primitive, "stage": stage, "args": args}


def test_a_nest_that_an_edit_left_alone_is_the_same_part() -> None:
    s = chain()
    before = s.code_forms.form(LAST).parts
    s.apply(step("split", "S1", axis="i", factor=2))
    after = s.code_forms.form(LAST).parts
    assert sum(any(part is old for old in before) for part in after) == 3
    s.undo()
    assert "".join(part.text for part in s.code_forms.form(LAST).parts) == "".join(p.text for p in before)


@pytest.mark.parametrize("seed", range(3))
def test_parts_that_are_kept_are_as_they_would_be_made_anew(seed: int) -> None:
    rng, s = random.Random(seed), chain()
    for _ in range(12):
        stage = s.schedule[f"S{rng.randrange(4)}"]
        axis = stage.axis_name(rng.choice(stage.leaf_iter_vars))
        steps = [
            step("split", stage.name, axis=axis, factor=rng.choice([2, 3, 4])),
            step("unroll", stage.name, axis=axis),
            step("parallel", stage.name, axis=axis),
            step("compute_inline", stage.name),
            step("compute_at", stage.name, parent="S3", axis="i"),
        ]
        try:
            rng.choice([s.undo, s.redo, *[partial(s.apply, x) for x in steps]])()
        except TewbError:
            continue
        kept = s.code_forms
        anew = CodeForms(s.schedule, s.args, s.name, remark, kept.loop_numbers)
        for form in kept.forms[1:-3]:
            assert form.lines == anew.form(form.name).lines
        assert code_state(s) == code_state_of(anew.form(LAST))


def code_state_of(form: CodeForm) -> Code:
    """The state of a form whose lines are one part."""
    return _code(form.name, form.kind, [CodePart(form.lines)])


def test_nothing_is_built_before_machine_code_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(module: Any) -> Any:
        raise AssertionError("built")

    monkeypatch.setattr("tewb.workbench.looks.code_forms.compile_module", refuse)
    s = session(SPLIT)
    assert sum(len(f.lines) for f in s.forms()[:-3]) > 50
    with pytest.raises(AssertionError, match="built"):
        _ = s.code_forms.form(ASSEMBLY).lines


def test_one_build_serves_llvm_and_assembly(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Any] = []

    def counted(module: Any) -> Any:
        built.append(module)
        return compile_module(module)

    monkeypatch.setattr("tewb.workbench.looks.code_forms.compile_module", counted)
    s = session(SPLIT)
    old = s.forms()
    s.apply(VECTORIZE)
    assert all(f.lines for f in s.forms()[-3:]) and len(built) == 1
    # Forms that were kept from before show what they were made for.
    assert not any("vectorized" in line.text for line in old[1].lines)
    assert old[-1].lines != s.forms()[-1].lines and len(built) == 2


def test_forms_follow_the_schedule() -> None:
    s = session()
    first = s.forms()
    assert s.forms() is first
    s.apply(SPLIT)
    assert any("i.outer" in line.text for line in s.code_forms.form(LOOPS).lines)


def test_an_unknown_form() -> None:
    with pytest.raises(TewbError, match="there is no form fortran"):
        session().code_forms.form("fortran")


def test_what_cannot_be_lowered_shows_what_there_is() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    s = te.create_schedule(B.op)
    found = tewb.Session(s, [B])  # an input is missing
    assert [f.name for f in found.forms()] == ["TE"] and found.problem is not None


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("seed", range(4))
def test_every_program_has_its_forms(name: str, seed: int) -> None:
    rng = random.Random(f"forms{name}{seed}")
    inputs, outputs = PROGRAMS[name]()
    s = tewb.Session(random_schedule(outputs, rng, 7), inputs + outputs)
    assert s.problem is None
    forms = s.forms()
    shown: list[str] = []
    for f in forms if seed == 0 else forms[:-3]:  # building takes a while
        assert f.lines, f
        if f.kind == "ir":
            text = [str(line) for line in f.lines]
            assert f.unchanged == (text == shown), f.name
            shown = text
    loops = lit(s.code_forms.form(LOOPS)) | {x.step for x in s.stages if x.step is not None}
    for i, step in enumerate(s.journal):
        assert i in loops or not has_loops(s, i), (step, s.ir)
    after = lit(s.code_forms.form(LAST))
    assert loops <= after | {x.step for x in s.stages}, [str(x) for x in s.journal]


def has_loops(s: tewb.Session, i: int) -> bool:
    """Whether a step is about something that is computed in loops; its stage may be inlined by now, or it may
    have been overruled by cache_write, which begins anew."""
    step = s.journal[i]
    stage = s.schedule.find(step.stage)
    later = [x for x in s.journal[i + 1 :] if x.stage == step.stage and x.primitive == "cache_write"]
    return stage is not None and not stage.is_inlined and not stage.is_placeholder and not later


@pytest.mark.parametrize("name", ["matmul", "blur", "chain", "rows"])
def test_vectors_and_unrolled_loops_light_their_assembly(name: str) -> None:
    inputs, outputs = PROGRAMS[name]()
    schedule = schedule_for(outputs)
    stage = schedule[outputs[0].op]
    i, j = stage.op.axis
    _, inner = stage.split(j, factor=4)
    stage.unroll(i) if name == "rows" else None
    stage.vectorize(inner)
    s = tewb.Session(schedule, inputs + outputs)
    for form in (LAST, "LLVM IR", "optimised LLVM IR", ASSEMBLY):
        assert lit(s.code_forms.form(form)) == set(range(len(s.journal))), form


def test_the_unrolled_loop_keeps_its_identity() -> None:
    s = session(SPLIT, UNROLL, VECTORIZE)
    part = s.code_forms.loop_numbers.number("C", "i.inner")
    for f in s.forms()[1:]:
        assert any(part in line.loops for line in f.lines), f.name


def test_a_loop_knows_what_is_inside() -> None:
    s = session(SPLIT)
    lines = s.code_forms.form(LOOPS).lines
    loop = next(line for line in lines if line.text.startswith("for i.outer"))
    store = lines[-1]
    assert loop.steps == (0,) and loop.step == 0 and (loop.stage, loop.axis) == ("C", "i.outer")
    assert store.steps == () and store.steps_around == (0,)
    assert (store.stage, store.axis) == ("C", "k")  # a click on it chooses the loop that it stands in
    assert set(loop.loops) <= set(store.loops_around)
    assert not set(loop.loops) & set(lines[0].loops_around)


def test_definitions_belong_to_their_stage_and_to_its_caches() -> None:
    s = session({"primitive": "cache_write", "stage": "C", "args": {"scope": "local"}})
    (c,) = [line for line in s.code_forms.form("TE").lines if line.text.startswith("C =")]
    numbers = {s.code_forms.loop_numbers.number("C"), s.code_forms.loop_numbers.number("C.local")}
    assert set(c.loops) == numbers and c.steps_around == (0,)
    stores = [line for line in s.code_forms.form(LAST).lines if line.text.startswith("C.local[")]
    assert stores and all(set(line.loops) & numbers for line in stores)


def test_externs_light_their_calls() -> None:
    s: tewb.Session = demo_session("extern")
    s.apply({"primitive": "compute_at", "stage": "E", "args": {"parent": "C", "axis": "i"}})
    calls = [line for line in s.code_forms.form(LAST).lines if "tewb.demo.triple" in line.text]
    assert calls and all(line.stage == "E" and line.steps == (0,) for line in calls)
    assert lit(s.code_forms.form(ASSEMBLY)) == {0}


def test_code_without_a_source_is_a_comment_in_te() -> None:
    A = te.placeholder((4,), name="A")

    def body(ins: Any, outs: Any) -> Any:
        ib = tewb.tir.ir_builder.create()
        a, b = ib.buffer_ptr(ins[0]), ib.buffer_ptr(outs[0])
        with ib.for_range(0, 4, name="i") as i:
            b[i] = a[i] * 2.0
        return ib

    E = te.extern((4,), [A], body, name="E")
    s = tewb.Session(te.create_schedule(E.op), [A, E])
    assert any(line.text.startswith("# extern E is built by its own code") for line in s.forms()[0].lines)


# ---------------------------------------------------------------- differences


def test_diff_against_the_step_before_leaves_the_session_alone() -> None:
    s = session(SPLIT, VECTORIZE)
    told: list[int] = []
    s.on_change(lambda: told.append(1))
    before = (s.ir, s.journal, s.schedule.version)
    found = s.diff(LOOPS)
    assert found.against == "the schedule before vectorize(C, axis=j)"
    assert "T.vectorized(32)" in next(d.line.text for d in found.lines if d.mark == CHANGED)
    assert not s.diff(ASSEMBLY).is_empty
    assert (s.ir, s.journal, s.schedule.version) == before and not told


def test_diff_against_a_pinned_schedule_and_a_journal() -> None:
    s = session(SPLIT)
    with pytest.raises(TewbError, match="no schedule is pinned"):
        s.diff(LOOPS, "pinned")
    s.code_forms.pin()
    assert s.diff(LOOPS, "pinned").is_empty
    s.undo()
    s.apply(VECTORIZE)
    pinned = s.diff(LOOPS, "pinned")
    assert any(d.mark == REMOVED or d.before for d in pinned.lines)
    removed = [d.line for d in pinned.lines if d.mark == REMOVED and "i.inner" in d.line.text]
    assert removed and all(line.steps == () for line in removed)  # step 1 is another one here
    assert not s.diff(LOOPS, []).is_empty
    loop = next(line for line in removed if line.text.startswith("for i.inner"))
    assert (
        s.code_forms.loop_numbers.number("C", "i.inner") in loop.loops
    )  # loops have one number in all states
    assert s.diff(LOOPS, list(s.journal)).is_empty


def test_diff_against_the_pass_before() -> None:
    s = session(SPLIT, UNROLL)
    found = s.diff("unroll_loops", "pass")
    assert found.count(ADDED) + found.count(CHANGED) >= 8
    with pytest.raises(TewbError, match="no form of its kind before it"):
        s.diff("TE", "pass")


def test_a_diff_needs_something_to_compare_with() -> None:
    with pytest.raises(TewbError, match="no step yet"):
        session().diff(LOOPS)
    with pytest.raises(TewbError, match="nothing to compare with"):
        session(SPLIT).diff(LOOPS, "yesterday")
