"""Advice: what is found is there, and the steps that answer it are legal and make it go away."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import PROGRAMS, assert_same_result, random_schedule
from tests.workbench.judge.test_next_steps import TWO
from tewb import te
from tewb.base import LowerError, ScheduleError
from tewb.runtime.target import host
from tewb.schedule import Step
from tewb.workbench.demos import demo_session
from tewb.workbench.judge.advice import KINDS, as_json, as_text
from tewb.workbench.judge.ledger import Cache
from tewb.workbench.judge.palette import lanes_of

needs_x86 = pytest.mark.skipif(not host()[0].startswith("x86_64"), reason="reads x86 assembly")


def kinds(s: Any, assembly: bool = False) -> dict[tuple[str, str, str | None], Any]:
    return {(a.kind, a.stage, a.loop): a for a in s.advice(assembly=assembly)}


def after(s: Any, *steps: Step) -> Any:
    made = tewb.Session(s.schedule.copy(), s.args)
    for step in steps:
        made.apply(step)
    return made


def test_naive_matmul_is_reordered_then_vectorized_until_nothing_is_left() -> None:
    s = demo_session("matmul", n=64)
    lanes = lanes_of(s.schedule["C"])
    found = kinds(s)
    assert list(found) == [("strided", "C", "k")]
    strided = found["strided", "C", "k"]
    assert "B[k, j] moves by 64 elements, 256 bytes" in strided.message
    assert list(map(str, strided.steps)) == ["reorder(C, axes=[k, j])"]
    s.apply(strided.step)
    found = kinds(s)
    assert list(found) == [("unvectorized", "C", "j")]
    steps = found["unvectorized", "C", "j"].steps
    assert str(steps[-1]).startswith("vectorize(C, axis=j") and lanes > 1
    for step in steps:
        s.apply(step)
    assert kinds(s) == {}


def test_a_long_loop_is_split_before_it_is_vectorized() -> None:
    s = demo_session("blur", n=1000)
    lanes = lanes_of(s.schedule["Y"])
    steps = kinds(s)["unvectorized", "Y", "j"].steps
    assert list(map(str, steps)) == [f"split(Y, axis=j, factor={lanes})", "vectorize(Y, axis=j.inner)"]


def test_a_transposition_becomes_tiles() -> None:
    A = te.placeholder((256, 256), name="A")
    T = te.compute((256, 256), lambda i, j: A[j, i], name="T")
    s = tewb.Session(te.create_schedule(T.op), [A, T])
    a = kinds(s)["strided", "T", "j"]
    assert "A[j, i] moves by 256 elements, 1024 bytes" in a.message and a.step.primitive == "tile"
    assert [step.primitive for step in a.steps] == ["tile", "transpose"]
    assert kinds(after(s, *a.steps)) == {}


@pytest.mark.parametrize("vectorized", [False, True])
def test_a_tile_that_is_taken_lane_by_lane_is_transposed_in_registers(vectorized: bool) -> None:
    A = te.placeholder((256, 256), name="A")
    T = te.compute((256, 256), lambda i, j: te.exp(A[j, i]), name="T")
    s = tewb.Session(te.create_schedule(T.op), [A, T])
    s.apply(Step("tile", "T", {"x": "i", "y": "j", "x_factor": 8, "y_factor": 8}))
    if vectorized:
        s.apply(Step("vectorize", "T", {"axis": "j.inner"}))
    a = kinds(s)["strided", "T", "j.inner"]
    assert "has its neighbours along i.inner, so along j.inner its lanes are taken one by one" in a.message
    assert list(map(str, a.steps)) == ["transpose(T, rows=i.inner, lanes=j.inner)"]
    assert kinds(after(s, *a.steps)) == {}


def test_threads_that_write_into_one_line() -> None:
    s = demo_session("matmul", n=64)
    s.apply(Step("parallel", "C", {"axis": "j"}))
    a = kinds(s)["false sharing", "C", "j"]
    assert "write 4 bytes apart" in a.message and "a split by 16 or more" in a.message
    assert list(map(str, a.steps)) == ["parallel(C, axis=i)"]
    assert not any(kind == "false sharing" for kind, _, _ in kinds(after(s, *a.steps)))
    good = demo_session("matmul", n=64)
    good.apply(Step("parallel", "C", {"axis": "i"}))
    assert not any(kind == "false sharing" for kind, _, _ in kinds(good))


@pytest.mark.parametrize(
    ("place", "better"),
    [
        (Step("compute_inline", "X"), "compute_root(X)"),
        (
            Step("compute_at", "X", {"parent": "Y", "axis": "i"}),
            "store_root(X)",
        ),  # four rows, not all of them
    ],
)
def test_recompute_above_two(place: Step, better: str) -> None:
    s = demo_session("blur", n=64)
    s.apply(place)
    a = kinds(s)["recompute", "X", None]
    assert list(map(str, a.steps)) == [better] and "times on average" in a.message
    assert not any(kind == "recompute" for kind, _, _ in kinds(after(s, *a.steps)))


def test_a_large_stage_moves_to_its_reader() -> None:
    A = te.placeholder((512, 512), name="A")
    k = te.reduce_axis((0, 4), name="k")
    B = te.compute((512, 512), lambda i, j: te.sum(A[i, j] * (k + 1.0), axis=k), name="B")
    C = te.compute((512, 512), lambda i, j: B[i, j] + 1.0, name="C")
    s = tewb.Session(te.create_schedule(C.op), [A, C])
    a = kinds(s)["over-allocation", "B", None]
    assert list(map(str, a.steps)) == ["compute_at(B, parent=C, axis=j)"]
    assert s.allocations()[0].bytes == 1 << 20
    assert after(s, a.step).allocations()[0].bytes == 4


def test_an_extern_that_holds_more_than_is_read() -> None:
    s = demo_session("extern", access="whole")
    s.apply(Step("compute_at", "E", {"parent": "C", "axis": "i"}))
    found = kinds(s)
    a = found["over-allocation", "E", None]
    assert (
        "it holds 384 bytes where its readers touch 128: declare the access" in a.message and a.step is None
    )
    assert list(map(str, found["recompute", "E", None].steps)) == ["compute_root(E)"]


def test_a_tail_names_factors_that_divide() -> None:
    s = demo_session("matmul", n=100)
    s.apply(Step("split", "C", {"axis": "j", "factor": 16}))
    a = kinds(s)["tail", "C", "j"]
    assert a.message == (
        "j has 100 iterations and is split into parts of 16: the last has 4; 10, 20, 25 would divide"
    )
    s.undo()
    s.apply(Step("split", "C", {"axis": "j", "factor": 20}))
    assert not any(kind == "tail" for kind, _, _ in kinds(s))


def test_a_guard_that_stays_in_the_innermost_loop() -> None:
    def session(vectors: bool) -> tewb.Session:
        n = te.var("n")
        A = te.placeholder((n,), name="A")
        B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
        s = tewb.Session(te.create_schedule(B.op), [A, B])
        s.apply(Step("split", "B", {"axis": "i", "factor": 16}))
        if vectors:
            s.apply(Step("vectorize", "B", {"axis": "i.inner"}))
        return s

    with tewb.PassContext(config={"tir.LoopPartition": False}):
        a = kinds(session(False))["guard", "B", "i.inner"]
    assert "likely(i.outer * 16 + i.inner < n) is asked in every iteration" in a.message
    assert a.message.endswith(", and so does split(B, axis=i, factor=16, tail=shift)")
    for vectors in (False, True):
        found = kinds(session(vectors))
        assert not any(kind == "guard" for kind, _, _ in found), "partition took it out, and a mask is none"
    constant = demo_session("matmul", n=50)
    constant.apply(Step("split", "C", {"axis": "i", "factor": 16}))
    assert not any(kind == "guard" for kind, _, _ in kinds(constant)), "loop partition took it out"


@needs_x86
def test_the_assembly_tells_widths_and_spills() -> None:
    s = demo_session("matmul", n=64)
    a = kinds(s, assembly=True)["vector width", "C", None]
    assert "one number at a time" in a.message and str(a.step) == "reorder(C, axes=[k, j])"
    for step in (
        Step("tile", "C", {"x": "i", "y": "j", "x_factor": 16, "y_factor": 64}),
        Step("reorder", "C", {"axes": ["k", "i.inner", "j.inner"]}),
        Step("vectorize", "C", {"axis": "j.inner"}),
        Step("unroll", "C", {"axis": "i.inner"}),
    ):
        s.apply(step)
    a = kinds(s, assembly=True)["spills", "C", None]
    assert int(a.message.split()[0]) > 20


SMALL = {"matmul": {"n": 48}, "blur": {"n": 160}, "softmax": {"n": 24, "m": 40}, "extern": {}}


def check(s: Any) -> Any:
    """All steps of all advice are legal one after the other and take away what they answer. Returns the
    session after the first piece of advice with steps."""
    found = s.advice(assembly=False)
    first = None
    for a in found:
        assert a.kind in KINDS and a.message
        if not a.steps:
            continue
        made = after(s, *a.steps)
        assert (a.kind, a.stage, a.loop) not in kinds(made), str(a)
        first = first or made
    return first


@pytest.mark.one_in(2)
@pytest.mark.parametrize("name", SMALL)
def test_advice_on_the_demos_comes_to_an_end_and_stays_right(name: str) -> None:
    s: Any = demo_session(name, **SMALL[name])
    reference = s.reference
    for _ in range(12):
        following = check(s)
        if following is None:
            break
        s = following
    assert following is None, as_text(s.advice(assembly=False))
    s.reference = reference
    assert s.measure(repeat=1).ok


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("seed", range(3))
def test_advice_after_random_steps_can_be_followed(name: str, seed: int) -> None:
    inputs, outputs = PROGRAMS[name]()
    s: Any = tewb.Session(random_schedule(outputs, random.Random(f"advice{name}{seed}"), 4), inputs + outputs)
    following = check(s)
    if following is not None:
        assert_same_result(following.schedule, inputs, outputs)


def test_advice_as_json_and_as_text() -> None:
    found = demo_session("matmul", n=64).advice(assembly=False)
    (a,) = json.loads(as_json(found))
    assert a["kind"] == "strided" and a["steps"] == [
        {"primitive": "reorder", "stage": "C", "args": {"axes": ["k", "j"]}}
    ]
    assert as_text(found).startswith("strided, C.k: from one iteration of k to the next")
    assert "try reorder(C, axes=[k, j])" in as_text(found)
    assert as_text([]) == "nothing to advise"


def test_a_schedule_without_loops_has_no_advice() -> None:
    s = demo_session("matmul", n=16)
    broken = tewb.Session(s.schedule, s.args[:2])
    with pytest.raises((LowerError, ScheduleError), match="C is an output and is not among the arguments"):
        broken.advice()


def large(monkeypatch: pytest.MonkeyPatch, last: int = 1 << 16, **steps: bool) -> Any:
    """B = A + 1 on 128 KB, in vectors, and the stages that are asked for around it."""
    monkeypatch.setattr("tewb.workbench.judge.advice.caches", lambda: (Cache(1, 1 << 12), Cache(3, last)))
    A = te.placeholder((128, 256), name="A")
    shape = (256, 128) if steps.get("turned") else (128, 256)
    B = te.compute(shape, lambda i, j: (A[j, i] if steps.get("turned") else A[i, j]) + 1.0, name="B")
    last_one = te.compute((256,), lambda j: B[5, j], name="C") if steps.get("read") else B
    s = te.create_schedule(last_one.op)
    if steps.get("vectorize", True):
        s[B].vectorize(s[B].split("i" if steps.get("turned") else "j", factor=16)[1])
    return tewb.Session(s, [A, last_one])


def test_results_that_no_cache_holds_go_past_the_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    s = large(monkeypatch)
    a = kinds(s)["stores", "B", None]
    assert "131,072 bytes are more than the last cache holds (65,536)" in a.message
    assert list(map(str, a.steps)) == ["nontemporal(B)"]
    assert "stores" not in {kind for kind, _, _ in kinds(after(s, *a.steps))}


@pytest.mark.parametrize(
    "case",
    [{"last": 1 << 17}, {"read": True}, {"vectorize": False}, {"turned": True}],
    ids=["a cache holds it", "it is read again", "no vectors", "lanes lie apart"],
)
def test_other_results_do_not(monkeypatch: pytest.MonkeyPatch, case: dict[str, Any]) -> None:
    assert "stores" not in {kind for kind, _, _ in kinds(large(monkeypatch, **case))}


def test_a_reduction_and_an_unknown_cache_get_no_such_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tewb.workbench.judge.advice.caches", lambda: (Cache(1, 64),))
    s = demo_session("matmul", n=64)
    s.apply(Step("reorder", "C", {"axes": ["k", "j"]}))
    s.apply(Step("split", "C", {"axis": "j", "factor": 16}))
    s.apply(Step("vectorize", "C", {"axis": "j.inner"}))
    assert "stores" not in {kind for kind, _, _ in kinds(s)}
    unknown = large(monkeypatch)
    monkeypatch.setattr("tewb.workbench.judge.advice.caches", lambda: None)
    assert "stores" not in {kind for kind, _, _ in kinds(unknown)}


# ---------------------------------------------------------------- what is found, and what would be faster


def test_steps_that_are_predicted_to_be_slower_are_left_out_and_named() -> None:
    s = demo_session("blur", n=1000)
    s.apply(Step("compute_inline", "X"))
    assert kinds(s)["recompute", "X", None].steps
    found = {(a.kind, a.stage): a for a in s.advice(machine=TWO)}["recompute", "X"]
    assert not found.steps and found.message.endswith("; compute_root(X) is predicted to be slower")


def test_lanes_of_a_sum_are_no_fault_of_an_extern() -> None:
    A, k = te.placeholder((9, 150), name="A"), te.reduce_axis((0, 150), name="k")
    S = te.compute((9,), lambda i: te.sum(A[i, k], axis=k), name="S")
    s = tewb.Session(te.create_schedule(S.op), [A, S])
    s.apply(Step("split", "S", {"axis": "k", "factor": 16}), Step("vectorize", "S", {"axis": "k.inner"}))
    assert not any(kind == "over-allocation" for kind, _, _ in kinds(s))


@pytest.mark.parametrize(
    ("n", "factor", "mark", "said"),
    [
        (64, 10, "unroll", "; 8 would divide"),
        (144, 64, "vectorize", "; 48 would divide"),
        (1000, 64, "vectorize", None),
        (41, 12, "unroll", None),
    ],
)
def test_a_tail_is_a_fault_where_another_factor_would_serve(
    n: int, factor: int, mark: str, said: str | None
) -> None:
    s = demo_session("matmul", n=n)
    s.apply(
        Step("split", "C", {"axis": "j", "factor": factor}), Step("reorder", "C", {"axes": ["k", "j.inner"]})
    )
    s.apply(Step(mark, "C", {"axis": "j.inner"}))
    found = [a.message for (kind, _, _), a in kinds(s).items() if kind == "tail"]
    assert len(found) == (said is not None)
    if said and (mark == "unroll" or lanes_of(s.schedule["C"]) == 16):
        assert found[0].endswith(said)


def test_the_guard_of_a_last_part_is_no_fault() -> None:
    n = te.var("n")
    A = te.placeholder((n, 16), name="A")
    B = te.compute((n, 16), lambda i, j: A[i, j] + 1.0, name="B")
    s = tewb.Session(te.create_schedule(B.op), [A, B])
    s.apply(
        Step("split", "B", {"axis": "i", "factor": 4}),
        Step("reorder", "B", {"axes": ["i.outer", "i.inner", "j"]}),
    )
    s.apply(Step("unroll", "B", {"axis": "i.inner"}), Step("vectorize", "B", {"axis": "j"}))
    assert "likely" in str(s.function)
    assert not any(kind == "guard" for kind, _, _ in kinds(s))


def test_arrays_that_lie_the_other_way_get_a_body_where_steps_ordered_the_loops() -> None:
    A = te.placeholder((16, 8), name="A")
    B = te.compute((16, 8), lambda i, j: A[i, j] * 2.0, name="B")
    columns = np.asfortranarray(np.ones((16, 8), "float32"))
    s = tewb.Session(te.create_schedule(B.op), [A, B], inputs=[columns])
    assert "layout" not in {kind for kind, _, _ in kinds(s)}  # no step ordered them
    s.apply(Step("vectorize", "B", {"axis": "j"}))
    found = kinds(s)["layout", "B", None]
    assert (
        "the array for A has its neighbours along dimension 0, and steps ordered the loops" in found.message
    )
    assert "calls with stride(A, 0) == 1 can have loops of their own (specialize)" in found.message
    assert list(map(str, found.steps)) == ["specialize(B, condition=stride(A, 0) == 1)"]
    s.apply(found.step)
    assert "layout" not in {kind for kind, _, _ in kinds(s)}
    s.apply(Step("otherwise", "B", {}))
    assert "layout" not in {kind for kind, _, _ in kinds(s)}
    rows = tewb.Session(s.schedule.untouched(), [A, B], inputs=[np.ones((16, 8), "float32")])
    rows.apply(Step("vectorize", "B", {"axis": "j"}))
    assert "layout" not in {kind for kind, _, _ in kinds(rows)}
