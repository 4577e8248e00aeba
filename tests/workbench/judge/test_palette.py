"""The palette: what it offers works, what it repairs becomes legal, and previews tell the truth."""

from __future__ import annotations

import random
from typing import Any

import pytest

import tewb
from tests.programs import PROGRAMS, random_schedule, schedule_for
from tewb import te
from tewb.base import ScheduleError, digits, thread_count
from tewb.schedule import PRIMITIVES, Schedule, Step
from tewb.workbench.demos import demo_session
from tewb.workbench.judge.palette import instead, lanes_of

SMALL = {"matmul": {"n": 48}, "blur": {"n": 40}, "softmax": {"n": 24, "m": 40}, "extern": {}}


def stages_and_loops(schedule: Schedule) -> list[tuple[str, str | None]]:
    found: list[tuple[str, str | None]] = []
    for s in schedule.stages:
        found += [(s.name, s.axis_name(iv)) for iv in s.leaf_iter_vars] or [(s.name, None)]
    return found


def applied(session: Any, *steps: Step) -> Any:
    """A session on a copy of the schedule, after `steps`."""
    made = tewb.Session(session.schedule.copy(), session.args)
    for step in steps:
        made.apply(step)
    return made


def check(session: Any, stage: str, loop: str | None) -> int:
    """Every action of a palette is as it says. Returns how many fixes there were."""
    actions = session.palette(stage, loop)
    fixes = 0
    order = [a.legal for a in actions]
    assert order == sorted(order, reverse=True), "legal ones come first"
    for a in actions:
        if a.legal:
            after = applied(session, a.step)
            assert a.preview.after.bytes == sum(x.bytes for x in after.allocations()), a.step
            continue
        assert a.reason
        with pytest.raises(ScheduleError):
            applied(session, a.step)
        if a.fix is not None:
            fixes += 1
            applied(session, a.fix, a.then)
        for other in instead(session, a.step):
            applied(session, other)
    return fixes


@pytest.mark.one_in(2)
@pytest.mark.parametrize("name", SMALL)
def test_actions_of_the_demos_are_as_they_say(name: str) -> None:
    s = demo_session(name, **SMALL[name])
    for stage, loop in stages_and_loops(s.schedule):
        check(s, stage, loop)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("seed", range(2))
def test_actions_after_random_steps_are_as_they_say(name: str, seed: int) -> None:
    rng = random.Random(f"palette{name}{seed}")
    inputs, outputs = PROGRAMS[name]()
    s = tewb.Session(random_schedule(outputs, rng, 4), inputs + outputs)
    for stage, loop in rng.sample(stages_and_loops(s.schedule), 3):
        check(s, stage, loop)


def test_every_primitive_is_there_with_a_guess_that_fits() -> None:
    s = demo_session("matmul", n=48)
    actions = s.palette("C", "i")
    assert {a.step.primitive for a in actions} == set(PRIMITIVES)
    factors = [a.step.args["factor"] for a in actions if a.step.primitive == "split"]
    assert lanes_of(s.schedule["C"]) in factors and all(f < 48 for f in factors)
    assert {a.step.primitive for a in s.palette("A")} == {"cache_read"}


def test_a_preview_shows_loops_and_figures() -> None:
    s = demo_session("blur", n=40)
    step = Step("compute_at", "X", {"parent": "Y", "axis": "i"})
    p = s.preview(step)
    assert p.loops == ("X: at Y.i: i(3), j(40)",)
    assert (p.before.bytes, p.after.bytes) == (40 * 40 * 4, 3 * 40 * 4)
    # Every iteration makes three rows, the last one two: its third would lie outside.
    assert p.after.recompute == pytest.approx((39 * 3 + 2) / 40)
    assert p.changes == ("allocated bytes 6,400 → 480", "times an element is computed 1 → 2.98")
    assert s.preview({"primitive": "vectorize", "stage": "Y", "args": {"axis": "j"}}).after.vector == 40
    assert s.preview(Step("parallel", "Y", {"axis": "i"})).after.parallel == 40
    assert s.journal == (), "nothing happened to the schedule itself"


def test_a_preview_has_as_many_digits_as_tell_two_figures_apart() -> None:
    s = demo_session("blur", n=1023)
    shift = s.preview(Step("split", "X", {"axis": "i", "factor": 16, "tail": "shift"}))
    assert shift.changes == (f"times an element is computed 1 → {1024 / 1023:.4g}",)


def test_a_preview_of_a_body_shows_the_stage_that_is_chosen() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    X = te.compute((n,), lambda i: A[i] + 1.0, name="X")
    Y = te.compute((n,), lambda i: X[i] * 2.0, name="Y")
    s = tewb.Session(te.create_schedule(Y.op), [A, Y])
    for stage in ("X", "Y"):
        p = s.preview(Step("specialize", stage, {"condition": "n % 16 == 0"}))
        assert p.loops == (f"{stage}: i(n); for calls with n % 16 == 0",)
    s.apply(
        Step("specialize", "Y", {"condition": "n % 16 == 0"}),
        Step("split", "Y", {"axis": "i", "factor": 16}),
    )
    end = s.preview(Step("otherwise", "X"))
    assert end.loops == ("X: i(n); for all other calls", "Y: i(n); for all other calls")


def test_inlining_a_stencil_computes_each_element_three_times() -> None:
    p = demo_session("blur", n=40).preview(Step("compute_inline", "X"))
    assert (p.after.bytes, p.after.recompute) == (0, 3.0)


def test_legal_places_are_a_list() -> None:
    s = demo_session("softmax", n=24, m=40)
    places = [str(a.step) for a in s.palette("E", "i") if a.legal and a.step.primitive == "compute_at"]
    assert places == ["compute_at(E, parent=P, axis=i)"] or places == []
    s.apply(Step("compute_at", "S", {"parent": "P", "axis": "i"}))
    places = [str(a.step) for a in s.palette("E", "i") if a.legal and a.step.primitive == "compute_at"]
    assert "compute_at(E, parent=P, axis=i)" in places


def fix_of(s: Any, stage: str, loop: str, step: Step) -> tuple[str, str] | None:
    (a,) = [a for a in s.palette(stage, loop) if a.step == step]
    assert not a.legal
    return None if a.fix is None else (str(a.fix), str(a.then))


def test_a_loop_of_unknown_length_is_split_first() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    s = tewb.Session(te.create_schedule(B.op), [A, B])
    lanes = lanes_of(s.schedule["B"])
    assert fix_of(s, "B", "i", Step("vectorize", "B", {"axis": "i"})) == (
        f"split(B, axis=i, factor={lanes})",
        "vectorize(B, axis=i.inner)",
    )


def test_loops_that_are_apart_are_brought_together() -> None:
    s = demo_session("extern")
    fused = Step("fuse", "C", {"axes": ["i", "k"]})
    assert fix_of(s, "C", "i", fused) == ("reorder(C, axes=[i, k, j])", str(fused))


def test_a_stage_in_the_way_goes_to_the_root() -> None:
    s = demo_session("blur", n=40)
    s.apply(Step("compute_at", "X", {"parent": "Y", "axis": "i"}))
    lanes = Step("vectorize", "Y", {"axis": "i"})
    assert fix_of(s, "Y", "i", lanes) == ("compute_root(X)", str(lanes))


def test_another_reader_comes_along() -> None:
    s = demo_session("softmax", n=24, m=40)
    place = Step("compute_at", "E", {"parent": "P", "axis": "i"})
    assert fix_of(s, "E", "i", place) == ("compute_at(S, parent=P, axis=i)", str(place))


def test_a_race_has_no_fix() -> None:
    s = demo_session("matmul", n=48)
    assert fix_of(s, "C", "k", Step("parallel", "C", {"axis": "k"})) is None


def others(s: Any, primitive: str, stage: str, **args: Any) -> list[str]:
    return [str(step) for step in instead(s, Step(primitive, stage, args))]


def test_what_a_hint_names_can_be_done_instead() -> None:
    s = demo_session("matmul", n=48)
    by_parts = f"rfactor(C, axis=k, factor_axis=0, parallel={thread_count()})"
    assert others(s, "parallel", "C", axis="k") == ["parallel(C, axis=i)", by_parts]
    assert others(s, "rfactor", "C", axis="i") == ["rfactor(C, axis=k)"]
    assert others(s, "transpose", "C", rows="i", lanes="j") == []  # k is inside of j
    s.apply(Step("reorder", "C", {"axes": ["k", "i", "j"]}))
    assert others(s, "transpose", "C", rows="i", lanes="j") == ["vectorize(C, axis=j)"]
    s.apply(Step("parallel", "C", {"axis": "i"}))  # once more would change nothing
    assert others(s, "parallel", "C", axis="k") == [by_parts]
    rows = demo_session("softmax", n=24, m=40)
    assert others(rows, "compute_inline", "M") == ["compute_at(M, parent=E, axis=i)"]
    assert others(rows, "compute_inline", "S") == ["compute_at(S, parent=P, axis=i)"]
    assert others(rows, "compute_at", "P", parent="P", axis="i") == ["compute_at(S, parent=P, axis=i)"]
    assert others(rows, "reverse_compute_at", "S", parent="E", axis="j") == []
    strips = demo_session("blur", n=40)
    assert others(strips, "split", "Y", axis="i", factor=16, tail="round_up") == [
        "split(Y, axis=i, factor=16, tail=shift)",
        "split(Y, axis=i, factor=16, tail=predicate)",
    ]
    assert others(strips, "compute_inline", "Y") == ["compute_inline(X)"]
    assert others(strips, "storage_align", "Y", axis="i", factor=8, offset=0) == [
        "cache_write(Y, scope=global)"
    ]


def test_nothing_is_done_instead_of_what_is_no_step_or_is_legal() -> None:
    s = demo_session("matmul", n=48)
    assert others(s, "parallel", "C", axis="i") == [] and others(s, "spilt", "C") == []
    assert others(s, "parallel", "Q", axis="i") == []


def test_what_is_not_there() -> None:
    s = demo_session("matmul", n=48)
    with pytest.raises(ScheduleError, match="X is not a stage"):
        s.palette("X")
    with pytest.raises(ScheduleError, match="stage C has no loop q"):
        s.palette("C", "q")
    with pytest.raises(ScheduleError, match="parallel on stage C: k is a reduce axis"):
        s.preview(Step("parallel", "C", {"axis": "k"}))
    with pytest.raises(ScheduleError, match="is not a primitive"):
        s.preview(Step("frobnicate", "C"))


def test_nothing_is_legal_where_nothing_can_be_lowered() -> None:
    s = demo_session("matmul", n=16)
    broken = tewb.Session(s.schedule, s.args[:2])
    actions = broken.palette("C", "i")
    assert actions and not any(a.legal for a in actions)
    assert actions[0].reason == "C is an output and is not among the arguments"


def test_a_hybrid_function_has_a_palette_too() -> None:
    @te.hybrid.script
    def rows(a):
        b = output_tensor(a.shape, "float32")  # noqa: F821
        for i in range(a.shape[0]):
            for j in range(a.shape[1]):
                b[i, j] = a[i, j] * 2.0
        return b

    A = te.placeholder((12, 8), name="A")
    B = te.compute((12, 8), lambda i, j: A[i, j] + 1.0, name="B")
    H = rows(B)
    s = tewb.Session(te.create_schedule(H.op), [A, H])
    for stage, loop in stages_and_loops(s.schedule):
        check(s, stage, loop)
    name = H.op.name
    assert [a.kind for a in s.advice(assembly=False)] and s.explain(
        "bound", name, "i"
    ).answer == "i has 12 iterations each time it is entered, and its body runs 12 times in one call"
    assert "compute_at" in {a.step.primitive for a in s.palette("B", "i") if a.legal}


def test_a_tile_makes_a_transposition_legal() -> None:
    A = te.placeholder((64, 64), name="A")
    B = te.compute((64, 64), lambda i, j: A[j, i], name="B")
    s = tewb.Session(te.create_schedule(B.op), [A, B])
    (action,) = [a for a in s.palette("B", "i") if a.step.primitive == "transpose"]
    assert not action.legal and action.reason is not None and "fills a register" in action.reason
    assert action.fix is not None and action.fix.primitive == "tile"
    assert str(action.then) == "transpose(B, rows=i.inner, lanes=j.inner)"
    made = applied(s, action.fix, action.then)
    assert (
        made.schedule["B"].loops().endswith("i.inner(8, transpose), j.inner(8, vectorize)")
        or lanes_of(made.schedule["B"]) != 8
    )
    check(made, "B", "i.inner")


def test_a_dot_product_is_one_split_or_one_reorder_away() -> None:
    inputs, outputs = PROGRAMS["bytes_product"](8, 16, 32)
    s = tewb.Session(schedule_for(outputs), inputs + outputs)
    found = next(a for a in s.palette("C", "k") if a.step.primitive == "dot")
    assert not found.legal and found.fix == Step("split", "C", {"axis": "k", "factor": 4})
    assert found.then == Step("dot", "C", {"axis": "k.inner"})
    s.schedule["C"].split("k", 4)
    s.schedule["C"].reorder("k.outer", "k.inner", "j")
    found = next(a for a in s.palette("C", "k.inner") if a.step.primitive == "dot")
    assert found.fix == Step("reorder", "C", {"axes": ["j", "k.inner"]})
    assert found.then == Step("dot", "C", {"axis": "k.inner"})


def test_a_stage_without_loops_has_a_palette() -> None:
    A = te.placeholder((4,), name="A")
    B = te.compute((), lambda: A[0] + 1, name="B")
    C = te.extern((4,), [B], lambda ins, outs: te.call_packed("t.f", ins[0], outs[0]), name="C")
    session = tewb.Session(te.create_schedule(C.op), [A, C])
    for stage in ("B", "C"):
        refused = [a for a in session.palette(stage) if a.step.primitive == "vectorize"]
        assert [a.legal for a in refused] == [False]
        assert refused[0].reason and refused[0].fix is None


def test_what_a_stage_that_is_kept_saves_is_shown_before() -> None:
    s = demo_session("blur", n=64)
    s.apply(Step("compute_at", "X", {"parent": "Y", "axis": "i"}))
    (action,) = [a for a in s.palette("X") if a.step.primitive == "store_root"]
    assert action.legal and action.preview is not None
    row = 4 * 64
    assert action.preview.before.bytes == 3 * row and action.preview.after.bytes == 4 * row
    assert action.preview.before.recompute == (64 * 3 - 1) / 64 and action.preview.after.recompute == 1.0
    assert "times an element is computed 2.98 → 1" in action.preview.changes
    s.apply(Step("compute_root", "X"))
    (action,) = [a for a in s.palette("X") if a.step.primitive == "store_root"]
    assert not action.legal and action.fix is not None and action.fix.primitive == "compute_at"
    around = [a for a in s.palette("X") if a.step.primitive == "store_at"]
    assert [str(a.step) for a in around] == ["store_at(X, parent=Y, axis=i)"]
    assert str(around[0].fix) == "compute_at(X, parent=Y, axis=j)" and action.is_place


def test_threads_of_another_machine_come_after_all_other_legal_steps() -> None:
    found = [a for a in demo_session("matmul", n=16).palette("C", "i") if a.legal]
    names = [a.step.primitive for a in found]
    assert names.count("bind") and names.count("env_threads")
    assert set(names[names.index("bind") :]) == {"bind", "env_threads"}, "nothing else comes after them"


def test_tails_are_offered_where_vectors_do_not_divide() -> None:
    A = te.placeholder((4, 143), name="A")
    T = te.compute((4, 143), lambda i, j: A[i, j] + 1.0, name="T")
    B = te.compute((4, 143), lambda i, j: T[i, j] * 2.0, name="B")
    s = tewb.Session(te.create_schedule(B.op), [A, B])

    def tails(stage: str) -> dict[str, Any]:
        return {a.step.args["tail"]: a for a in s.palette(stage, "j") if "tail" in a.step.args}

    of_t, of_b = tails("T"), tails("B")
    lanes = lanes_of(s.schedule["T"])
    whole = -(-143 // lanes) * lanes
    assert of_t["shift"].preview.changes == (f"times an element is computed 1 → {digits(whole / 143)}",)
    assert of_t["predicate"].preview.changes == ("guards left 0 → 1",)
    padded = f"allocated bytes {4 * 143 * 4:,} → {4 * whole * 4:,}"
    assert of_t["round_up"].preview.changes[0] == padded
    assert not of_b["round_up"].legal and "its memory is the caller's" in of_b["round_up"].reason
    s.apply(Step("split", "T", {"axis": "i", "factor": 2}))
    assert not [a for a in s.palette("T", "i.inner") if "tail" in a.step.args]
