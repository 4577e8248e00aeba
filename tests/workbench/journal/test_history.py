"""History: the journal walked, edited, kept and exchanged."""

from __future__ import annotations

import gc
import json
import random
import sys
from types import SimpleNamespace
from typing import Any

import pytest

import tewb
from tests.programs import PROGRAMS, matmul, random_schedule, schedule_for
from tewb import te
from tewb.base import LowerError, ParseError, ScheduleError, TewbError
from tewb.ir import first_difference
from tewb.schedule import PRIMITIVES, Step
from tewb.workbench.demos import demo_session
from tewb.workbench.notebook.sync_after_cells import follow_cells
from tewb.workbench.views.history import journal_panel


def session(text: str = "", n: int = 32) -> Any:
    s = demo_session("matmul", n=n)
    if text:
        s.load(text)
    return s


def steps(s: Any) -> list[str]:
    return [str(step) for step in s.journal]


TILED = "C:tile(i,j,8,16);C:reorder(i.outer,j.outer,k,i.inner,j.inner);C:vectorize(j.inner);C:unroll(i.inner)"
TILE = "tile(C, x=i, y=j, x_factor=8, y_factor=16)"


def applied(s: Any, text: str) -> Any:
    """Apply the steps of a compact string one by one, as a person does."""
    for step in session(text).journal:
        s.apply(step)
    return s


# ---------------------------------------------------------------- walking


def test_jump_goes_back_and_forward() -> None:
    s = applied(session(), TILED)
    after, everything = s.ir, s.journal
    s.jump(1)
    assert steps(s) == [TILE]
    assert s.ahead == everything[1:]
    s.jump(3)
    assert s.journal == everything[:3] and s.ahead == everything[3:]
    s.jump(4)
    assert s.ir == after and not s.can_redo
    s.jump(0)
    assert s.journal == () and not s.can_undo and s.ahead == everything


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (5, "there is no step 5\n  hint: the journal has steps 1 to 4"),
        (-1, "there is no step -1"),
        ("best", "no step is called best"),
        (1.5, "there is no step 1.5"),
    ],
)
def test_jump_to_no_step(where: Any, said: str) -> None:
    s = applied(session(), TILED)
    before = s.journal
    with pytest.raises(ScheduleError) as e:
        s.jump(where)
    assert said in str(e.value)
    assert s.journal == before


def test_a_new_step_after_a_jump_forgets_what_was_ahead() -> None:
    s = applied(session(), TILED)
    s.jump(1)
    s.apply(Step("unroll", "C", {"axis": "i.inner"}))
    assert s.ahead == () and not s.can_redo and len(s.journal) == 2


def test_edits_are_undone_and_redone_as_one_change() -> None:
    s = applied(session(), TILED)
    before = s.journal
    s.delete_step(2)
    after = s.journal
    assert s.undo() and s.journal == before
    assert s.redo() and s.journal == after
    s.jump(1)  # no row of undos leads there, so it is a change of its own
    assert s.ahead == after[1:]
    assert s.undo() and s.journal == after
    assert s.redo() and len(s.journal) == 1
    assert s.redo() and s.redo() and s.journal == after and not s.redo()


# ---------------------------------------------------------------- editing


def test_delete_replays_the_later_steps() -> None:
    s = applied(session(), TILED)
    assert s.delete_step(2) == ()
    assert steps(s) == [TILE, "vectorize(C, axis=j.inner)", "unroll(C, axis=i.inner)"]
    assert s.measure(repeat=1).ok


def test_delete_names_every_conflict_and_changes_nothing() -> None:
    s = applied(session(), TILED)
    before, ir = s.journal, s.ir
    with pytest.raises(ScheduleError) as e:
        s.delete_step(1)
    text = str(e.value)
    assert f"step 1, {TILE}, cannot be deleted: 3 steps do not apply then" in text
    assert (
        "step 2, reorder(C, axes=[i.outer, j.outer, k, i.inner, j.inner]): i.outer is made by step 1" in text
    )
    assert "step 3, vectorize(C, axis=j.inner): j.inner is made by step 1, which is gone" in text
    assert "step 4, unroll(C, axis=i.inner)" in text and "force=True" in text
    assert s.journal == before and s.ir == ir


def test_force_drops_the_conflicts_and_reports_them() -> None:
    s = applied(session(), f"{TILED};C:parallel(i.outer)")
    s.apply(Step("split", "C", {"axis": "k", "factor": 4}))
    dropped = s.delete_step(1, force=True)
    assert [c.number for c in dropped] == [2, 3, 4, 5]
    assert steps(s) == ["split(C, axis=k, factor=4)"]
    assert s.undo() and len(s.journal) == 6


def test_a_conflict_that_follows_from_a_conflict_says_so() -> None:
    s = applied(session(), "C:split(i,8);C:split(i.inner,2);C:unroll(i.inner.inner)")
    dropped = s.delete_step(1, force=True)
    assert [str(c) for c in dropped] == [
        "step 2, split(C, axis=i.inner, factor=2): i.inner is made by step 1, which is gone",
        "step 3, unroll(C, axis=i.inner.inner): i.inner.inner is made by step 2, which no longer applies",
    ]


def test_move_changes_the_order() -> None:
    s = applied(session(), "C:split(i,8);C:split(j,16);C:vectorize(j.inner)")
    s.move_step(2, 1)
    assert [step.args.get("axis") for step in s.journal] == ["j", "i", "j.inner"]
    s.move_step(3, 2)
    assert [step.primitive for step in s.journal] == ["split", "vectorize", "split"]
    with pytest.raises(ScheduleError, match="j.inner is made by step 1, which comes later"):
        s.move_step(2, 1)


def test_a_stage_keeps_its_meaning_when_its_name_changes() -> None:
    inputs, outputs = PROGRAMS["chain"]()
    s = tewb.Session(schedule_for(outputs), inputs + outputs)
    s.load("A:cache_read(local,B);A:cache_read(local,C)")
    first, second = (step.results[0] for step in s.journal)
    assert first != second
    s.apply(Step("set_scope", second, {"scope": "global"}))
    s.delete_step(1)
    assert [step.stage for step in s.journal] == ["A", first]  # the second copy has the first one's name now


def test_a_step_that_makes_lowering_impossible_is_a_conflict(monkeypatch: pytest.MonkeyPatch) -> None:
    def needs_a_tile(schedule: Any, args: Any, name: str) -> None:
        done = [step.primitive for step in schedule.journal]
        if "parallel" in done and "tile" not in done:
            raise LowerError("parallel loops need tiles")

    s = session()
    monkeypatch.setattr("tewb.workbench.journal.history.lower_schedule", needs_a_tile)
    s.load("C:unroll(k);C:tile(i,j,8,16);C:parallel(i.outer)")
    with pytest.raises(ParseError) as e:
        s.load("C:unroll(k);C:parallel(i);C:unroll(j)")
    assert str(e.value).startswith("line 1, column 13: parallel loops need tiles")
    text = s.to_json().replace('"tile"', '"reorder"')
    with pytest.raises(ScheduleError, match="reorder has no parameter"):
        s.load(text)
    assert s.to_string() == "C:unroll(k);C:tile(i,j,8,16);C:parallel(i.outer)"


@pytest.mark.parametrize(("what", "said"), [(0, "no step 0"), (9, "no step 9"), ("x", "no step is called x")])
def test_editing_no_step(what: Any, said: str) -> None:
    s = applied(session(), TILED)
    for edit in (s.delete_step, lambda n: s.move_step(n, 1), lambda n: s.move_step(1, n), s.label_step):
        with pytest.raises(ScheduleError, match=said):
            edit(what)


def test_random_edits_never_leave_a_schedule_that_cannot_be_lowered() -> None:
    for seed in range(25):
        rng = random.Random(f"edits{seed}")
        inputs, outputs = PROGRAMS[rng.choice(list(PROGRAMS))]()
        s = tewb.Session(random_schedule(outputs, rng, 7), inputs + outputs)
        start = s.journal
        for _ in range(6):
            before, n = s.journal, len(s.journal)
            if not n or s.problem is not None:
                break
            try:
                if rng.random() < 0.5:
                    s.delete_step(rng.randint(1, n), force=rng.random() < 0.5)
                else:
                    s.move_step(rng.randint(1, n), rng.randint(1, n), force=rng.random() < 0.5)
            except ScheduleError as e:
                assert "not apply then" in str(e)
                assert s.journal == before
            assert s.problem is None
        while s.journal != start and s.undo():
            pass
        assert s.journal == start


# ---------------------------------------------------------------- names, notes, branches, pins


def test_names_and_notes_stay_with_their_step() -> None:
    s = applied(session(), TILED)
    s.label_step(1, name="tiles", note="fits L1")
    s.label_step("tiles", note="fits L1 & L2")
    s.jump(0)
    s.jump(4)
    s.undo()
    assert (s.journal[0].name, s.journal[0].note) == ("tiles", "fits L1 & L2")
    s.delete_step(2)
    s.jump("tiles")
    assert steps(s) == [TILE]
    s.label_step(1, name="", note="")
    assert not s.journal[0].name and not s.journal[0].note


def test_a_name_means_one_step() -> None:
    s = applied(session(), TILED)
    s.label_step(1, name="tiles")
    with pytest.raises(ScheduleError, match="step 1 is called tiles already"):
        s.label_step(2, name="tiles")


def test_branches_have_their_own_undo() -> None:
    s = applied(session(), TILED)
    s.jump(2)
    s.branch("scalar")
    s.apply(Step("parallel", "C", {"axis": "i.outer"}))
    assert s.on_branch == "scalar" and {k: len(v) for k, v in s.branches.items()} == {"main": 2, "scalar": 3}
    s.switch("main")
    assert s.redo() and s.redo() and len(s.journal) == 4 and not s.redo()
    s.switch("scalar")
    assert steps(s)[-1] == "parallel(C, axis=i.outer)"
    assert s.undo() and s.undo() and steps(s) == [TILE]
    s.switch("main")
    assert len(s.journal) == 4
    s.delete_branch("scalar")
    assert list(s.branches) == ["main"]


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda s: s.branch("main"), "there is a branch main already"),
        (lambda s: s.branch(" "), "a branch needs a name"),
        (lambda s: s.switch("fast"), "there is no branch fast"),
        (lambda s: s.delete_branch("fast"), "there is no branch fast"),
        (lambda s: s.delete_branch("main"), "main is the branch that is shown"),
    ],
)
def test_misuse_of_branches(act: Any, said: str) -> None:
    with pytest.raises(ScheduleError, match=said):
        act(session())


def test_the_pinned_schedule_stays() -> None:
    s = applied(session(), TILED)
    pinned = s.pin()
    ir = s.ir
    s.jump(0)
    assert s.pinned is pinned and pinned.ir == ir and pinned.measure(repeat=1).ok
    s.unpin()
    assert s.pinned is None


# ---------------------------------------------------------------- following other code


def test_sync_follows_code_step_by_step() -> None:
    s = session()
    told: list[int] = []
    s.on_change(lambda: told.append(len(s.journal)))
    assert not s.sync() and told == []
    C = s.args[2]
    s.schedule[C].split("i", 8)
    s.schedule[C].unroll("i.inner")
    assert s.sync() and not s.sync() and told == [2]
    assert s.undo() and len(s.journal) == 1 and s.redo() and len(s.journal) == 2
    assert s.undo() and s.undo() and not s.undo()


def test_code_after_an_undo_ends_what_could_be_redone() -> None:
    s = applied(session(), TILED)
    s.undo()
    s.schedule["C"].parallel("i.outer")
    assert not s.can_redo and not s.redo()
    assert s.undo() and len(s.journal) == 3


def test_a_schedule_that_other_code_restored_is_one_change() -> None:
    s = applied(session(), TILED)
    before = s.journal
    s.schedule.restore([Step("split", "C", {"axis": "k", "factor": 4})])
    assert s.sync() and s.undo() and s.journal == before


def test_handles_of_later_cells_work_after_an_undo() -> None:
    s = session()
    outer, inner = s.schedule["C"].split("i", 8)
    s.sync()
    s.undo()
    s.redo()
    s.schedule["C"].unroll(inner)
    assert s.sync() and steps(s)[-1] == "unroll(C, axis=i.inner)"


def test_follow_cells_syncs_after_each_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    callbacks: list[Any] = []
    events = SimpleNamespace(
        callbacks={"post_run_cell": callbacks},
        register=lambda name, f: callbacks.append(f),
        unregister=lambda name, f: callbacks.remove(f),
    )
    shell = SimpleNamespace(events=events)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    s = session()
    schedule = s.schedule
    told: list[int] = []
    s.on_change(lambda: told.append(len(schedule.journal)))
    stop = follow_cells(s)
    s.schedule["C"].split("i", 8)
    callbacks[0](None)
    callbacks[0](None)
    assert told == [1]
    stop()
    stop()
    assert callbacks == []
    follow_cells(s)
    del s
    gc.collect()
    callbacks[0](None)
    assert callbacks == []
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    follow_cells(session())()


# ---------------------------------------------------------------- exchange: round trips


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("seed", range(8))
def test_code_string_and_json_give_the_same_program(name: str, seed: int) -> None:
    rng = random.Random(f"load{name}{seed}")
    inputs, outputs = PROGRAMS[name]()
    s = tewb.Session(random_schedule(outputs, rng, 7), inputs + outputs)
    if s.problem is not None:
        return
    for text in (s.code, s.schedule_code, s.to_string(), s.to_json()):
        other = tewb.Session(schedule_for(outputs), inputs + outputs)
        other.load(text)
        assert other.journal == s.journal, text
        assert first_difference(other.module, s.module) is None, text


def test_the_compact_string_is_short() -> None:
    s = session(TILED)
    assert s.to_string() == TILED
    assert session().to_string() == ""
    s.load("")
    assert s.journal == ()
    nparts = (
        "C:cache_write(local);C:split(i,nparts=4);C.local:compute_at(C,i.outer);A:cache_read(local,[C.local])"
    )
    assert session(nparts).to_string() == nparts


def test_names_that_are_no_words_are_quoted() -> None:
    A = te.placeholder((8, 8), name="my A")
    B = te.compute((8, 8), lambda i, j: A[i, j] + 1.0, name='b(";",)')
    s = tewb.Session(te.create_schedule(B.op), [A, B])
    s.apply(Step("split", B.op.name, {"axis": "i", "factor": 4}))
    text, code, journal = s.to_string(), s.code, s.journal
    for one in (text, code, s.schedule_code, s.to_json()):
        s.load("")
        s.load(one)
        assert s.journal == journal, one


def test_json_keeps_names_notes_branches_and_pin() -> None:
    s = applied(session(), TILED)
    s.label_step(1, name="tiles", note="fits L1")
    s.branch("wide")
    s.delete_step(4)
    s.pin()
    text = s.to_json()
    other = session()
    other.load(text)
    assert other.on_branch == "wide" and other.branches == s.branches
    assert (other.journal[0].name, other.journal[0].note) == ("tiles", "fits L1")
    assert other.pinned.journal == s.pinned.journal
    assert other.to_json() == text
    assert json.loads(text)["steps"][0]["note"] == "fits L1"


def test_a_load_is_one_change_and_keeps_the_words_of_steps_that_stay() -> None:
    s = applied(session(), TILED)
    s.label_step(1, name="tiles")
    told: list[int] = []
    s.on_change(lambda: told.append(len(s.journal)))
    s.load(s.schedule_code.replace("s[C].unroll(i_inner)", "s[C].parallel(i_outer)"))
    assert told == [4] and steps(s)[-1] == "parallel(C, axis=i.outer)"
    assert s.journal[0].name == "tiles"
    assert s.journal[0].span.line == 2
    s.undo()
    assert steps(s)[-1] == "unroll(C, axis=i.inner)"


# ---------------------------------------------------------------- reading code


BY_HAND = '''
"""My matmul."""
import numpy as np
import tvm
from tvm import te

N, bn = 32, 4 * 2
A = te.placeholder((N, N), name="A")
B = te.placeholder((N, N), name="B")
k = te.reduce_axis((0, N), name="k")
out = te.compute((N, N), lambda x, y: te.sum(A[x, k] * B[k, y], axis=k), name="C")

sch = te.create_schedule(out.op)
CC = sch.cache_write(out, "local")
xo, yo, xi, yi = sch[out].tile(*out.op.axis[:2], x_factor=bn, y_factor=bn)
sch[CC].compute_at(sch[out], scope=yo)
st = sch[CC]
(kk,) = st.op.reduce_axis
ko, ki = st.split(parent=kk, nparts=bn // 2)
st.reorder(ko, st.op.axis[0], ki, st.op.axis[-1])
st.unroll(ki)
sch[out].vectorize(yi)
sch[out].parallel(sch[out].fuse(xo, yo)) if False else None
func = tvm.build(sch, [A, B, out])
print(tvm.lower(sch, [A, B, out], simple_mode=True))
'''


def test_code_written_by_hand_is_read() -> None:
    s = session()
    s.load("\n".join(line for line in BY_HAND.splitlines() if " if False" not in line))
    assert s.to_string() == (
        "C:cache_write(local);C:tile(i,j,8,8);C.local:compute_at(C,j.outer);C.local:split(k,nparts=4);"
        "C.local:reorder(k.outer,i.c,k.inner,j.c);C.local:unroll(k.inner);C:vectorize(j.inner)"
    )
    assert s.measure(repeat=1).ok


def test_a_call_inside_a_call_is_read() -> None:
    s = session()
    s.load("s[C].vectorize(s[s.outputs[0]].split(s[C].op.axis[1], 8)[1])")
    assert s.to_string() == "C:split(j,8);C:vectorize(j.inner)"


def test_several_outputs_are_named_as_the_program_names_them() -> None:
    inputs, outputs = PROGRAMS["two_outputs"]()
    s = tewb.Session(schedule_for(outputs), inputs + outputs)
    s.load("PQ, *rest = s.cache_write(s['PQ'].op.output(1), 'local')\ns[PQ].split(s[PQ].op.axis[0], 4)")
    assert [step.stage for step in s.journal] == ["PQ", "PQ.local"]


@pytest.mark.parametrize(
    ("line", "column", "code", "said"),
    [
        (1, 1, "for i in s[C].op.axis: pass", "not from loops"),
        (1, 1, "C: split", "not from annotations"),
        (1, 8, "s[C].f(", "this is not Python"),
        (1, 3, "s[D].unroll(i)", "D has no meaning here"),
        (1, 13, "s[C].unroll(i)", "i has no meaning here"),
        (2, 1, "i, j = s[C].op.axis\ns[C].split(i, factor=0)", "split on stage C: "),
        (2, 1, "k, = s[C].op.reduce_axis\ns[C].parallel(k)", "reduce axis"),
        (
            1,
            1,
            "s[C].spilt(i, 8)",
            "no primitive spilt",
        ),
        (1, 1, "i, j, k = s[C].op.axis", "3 names for 2 values"),
        (1, 1, "i, j = s", "2 names for one value"),
        (1, 14, "i = s[C].axis[2]", "stage C has no axis here"),
        (1, 18, "i = s[C].op.axis[2]", "there are 2, so there is no number 2"),
        (1, 1, "s[C].tile('i', 'j', 8)", "missing a required argument: 'y_factor'"),
        (1, 1, "s[C].split('i', facto=8)", "unexpected keyword argument 'facto'"),
        (1, 1, "s[C].split('i', 8, **x)", "** cannot be read here"),
        (1, 17, "s[C].split('i', 2.5)", "no part of a schedule"),
        (1, 17, "s[C].split('i', 8 // 0)", "divides by zero"),
        (1, 1, "s[C].split('i', te.var('n'))", "te.var(...) is not known here"),
        (1, 1, "open('x')", "open is not a primitive"),
        (1, 1, "s.x = 3", "only names can be assigned to"),
        (1, 1, "C.split(8)", "tensor C has no primitives"),
        (1, 1, "i = C.__class__", "tensor C has no __class__ here"),
        (1, 5, "D = te.compute((4,), lambda i: i, name='D')", "has no tensor D"),
        (1, 20, "A = te.placeholder((64, 64), name='A')", "A has the shape (32, 32) in this session"),
        (1, 5, "t = te.create_schedule(A.op)", "the schedule of this session computes C"),
        (1, 3, "s['Z'].unroll('i')", "'Z' is not a stage of this schedule"),
        (1, 1, "CC = s.cache_write(C, 'hbm')", "'hbm' is not a memory scope"),
        (1, 1, "x = C.op.output(1)", "C has 1 outputs"),
        (1, 13, "s[C].unroll(s[C].op.axis[0] + 1)", "this is not a whole number"),
    ],
)
def test_code_that_cannot_be_read_is_shown_with_a_caret(line: int, column: int, code: str, said: str) -> None:
    s = session("C:split(k,4)")
    before = s.journal
    with pytest.raises(ParseError) as e:
        s.load(code)
    text = str(e.value)
    assert said in text, text
    assert text.startswith(f"line {line}, column "), text
    assert "\n    " in text and "^" in text
    assert s.journal == before


def test_the_caret_stands_under_the_call() -> None:
    with pytest.raises(ParseError) as e:
        session().load("i, j = s[C].op.axis\nif_é = s[C].split(i, factor=0)\n")
    first, code, marks, *_ = str(e.value).splitlines()
    assert first.startswith("line 2, column 8: split on stage C")
    assert code[marks.index("^") : marks.rindex("^") + 1] == "s[C].split(i, factor=0)"


@pytest.mark.parametrize("seed", range(20))
def test_damaged_text_is_refused_or_read_and_never_breaks(seed: int) -> None:
    rng = random.Random(f"damage{seed}")
    inputs, outputs = PROGRAMS[rng.choice(list(PROGRAMS))]()
    s = tewb.Session(random_schedule(outputs, rng, 5), inputs + outputs)
    for text in (s.schedule_code, s.to_string(), s.to_json(), s.code):
        damaged = list(text)
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(damaged) + 1)
            if rng.random() < 0.5:
                del damaged[at : at + 4]
            else:
                damaged.insert(
                    at, rng.choice([*"()[]{},;:='\"*-0i\n\t\r\0", "s[C]", ".op", "None", "1e9", "[::0]"])
                )
        before = s.journal
        try:
            s.load("".join(damaged))
        except TewbError:
            assert s.journal == before
        s.schedule.restore(before)


def test_code_is_never_run(tmp_path: Any) -> None:
    target = tmp_path / "made"
    for code in (f"print(open({str(target)!r}, 'w'))", f"import os\nos.mkdir({str(target)!r})"):
        session().load(code)
        assert not target.exists()


# ---------------------------------------------------------------- reading strings and JSON


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("C:split(i,8", "line 1, column 12: expected , or ), found the end of the text"),
        ("C:spilt(i,8)", "spilt is not a primitive"),
        ("C:split(i,8)C:unroll(j)", "expected ;, found C"),
        ("C:split(i,8);C unroll(j)", "expected :, found unroll"),
        ("C:split(i,8,2,3)", "split takes at most 3 arguments"),
        ("C:split(i,by=3)", "split has no parameter by"),
        ("C:split(i,axis=j)", "axis of split is given twice"),
        ("C:split(i,many)", "'many' is not a whole number"),
        (
            "C:split(i,8);C:unroll(i)",
            "line 1, column 14: unroll(C, axis=i) does not apply: axis i was already split",
        ),
        ("Z:unroll(i)", "Z is not a stage"),
        ("C:unroll(i);\nC:unroll(!)", "line 2, column 10: ! does not belong here"),
        ('C:unroll("\\x")', "this is not a JSON string"),
        ("C:unroll(,)", "expected a value for axis, found ,"),
    ],
)
def test_strings_that_cannot_be_read(text: str, said: str) -> None:
    s = session("C:split(k,4)")
    with pytest.raises(ParseError) as e:
        s.load(text)
    assert said in str(e.value), str(e.value)
    assert "^" in str(e.value) and s.to_string() == "C:split(k,4)"


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("{", ParseError, "line 1, column 2: this is not JSON"),
        ("{}", ScheduleError, "this JSON is no schedule"),
        ('{"steps": 3}', ScheduleError, "3 is not a list of steps"),
        ('{"steps": [3]}', ScheduleError, "3 is not a step"),
        ('{"steps": [], "tewb": 9}', ScheduleError, "version 9; version 1 can be read"),
        ('{"steps": [], "branches": []}', ScheduleError, "branches are not an object"),
        ("[" * 100_000, ParseError, "this JSON cannot be read"),
        ('[{"primitive": "unroll", "stage": "C", "args": {"axis": "x"}}, {"primitive": "go", "stage": "C"}]',
         ScheduleError, "2 steps do not apply then\n  step 1, unroll(C, axis=x): it has no axis x\n  step 2, go(C): go is not"),
        ('{"steps": [], "branches": {"b": [{"primitive": "unroll", "stage": "C"}]}}', ScheduleError, "b cannot be loaded"),
    ],
)  # fmt: skip
def test_json_that_cannot_be_loaded(text: str, error: type[Exception], said: str) -> None:
    s = session("C:split(k,4)")
    with pytest.raises(error) as e:
        s.load(text)
    assert said in str(e.value), str(e.value)
    assert s.to_string() == "C:split(k,4)" and list(s.branches) == ["main"]


def test_a_list_of_steps_is_json_enough() -> None:
    s = session()
    s.load('[{"primitive": "split", "stage": "C", "args": {"axis": "i", "factor": 8}}]')
    assert s.to_string() == "C:split(i,8)" and s.on_branch == "main"


def test_every_primitive_has_a_compact_form() -> None:
    assert all(
        sum(p.kind == "axes" for p in primitive.params) <= 1
        and all(p.kind != "axes" or p is primitive.params[-1] for p in primitive.params)
        for primitive in PRIMITIVES.values()
    )


def test_a_program_without_source_has_code_of_its_schedule() -> None:
    inputs, outputs = matmul(8, 8, 8)
    s = tewb.Session(schedule_for(outputs), inputs + outputs)
    s.load("C:split(i,4)")
    assert s.schedule_code == "i, j = s[C].op.axis\ni_outer, i_inner = s[C].split(i, factor=4)\n"


# ---------------------------------------------------------------- the panel


def test_the_panel_shows_steps_words_branches_and_pin() -> None:
    s = applied(session(), TILED)
    s.label_step(1, name="tiles", note="a <b> note")
    s.pin()
    s.branch("other")
    s.jump(2)
    shown = journal_panel(s)
    assert 'class="tw-step tw-s0" tabindex="0" data-step="1"' in shown
    assert "tiles" in shown and "a &lt;b&gt; note" in shown
    assert shown.count("tw-ahead") == 2 and "main (4)" in shown and 'aria-current="true"' in shown
    assert "pinned: another schedule, of 4 steps" in shown
    s.jump(4)
    assert '<span class="tw-mark">pinned</span>' in journal_panel(s)
    assert "no steps yet" in journal_panel(session())
