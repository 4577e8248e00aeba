"""Next steps: while a program is below its roof there is something to try, and all that is proposed keeps the results."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

import tewb
from tests.programs import PROGRAMS, assert_same_result, random_schedule
from tests.workbench.measure.symbolic import symbolic_session
from tewb import te
from tewb.base import LowerError, ScheduleError
from tewb.ir import script
from tewb.runtime import Timing
from tewb.schedule import Step
from tewb.workbench.demos import demo_session
from tewb.workbench.judge.estimate import Machine
from tewb.workbench.judge.next_steps import NextStep, advise, each_next_step, roof_seconds
from tewb.workbench.measure.measurement import Measurement
from tewb.workbench.measure.roofline import Peaks
from tewb.workbench.measure.try_steps import Tried
from tewb.workbench.requests import ask

PEAKS = Peaks(100.0, 10.0)
MACHINE = Machine(PEAKS, PEAKS, 64, 32, (32 << 10, 1 << 20, 8 << 20), 1)
TWO = Machine(PEAKS, Peaks(200.0, 15.0), 32, 16, (32 << 10, 1 << 20), 2)


def matmul(n: int = 41, m: int = 70, k: int = 21, dtype: str = "float32") -> tewb.Session:
    A, B = te.placeholder((n, k), dtype, name="A"), te.placeholder((k, m), dtype, name="B")
    r = te.reduce_axis((0, k), name="k")
    C = te.compute((n, m), lambda i, j: te.sum(A[i, r] * B[r, j], axis=r), name="C")
    return tewb.Session(te.create_schedule(C.op), [A, B, C])


def convolution(c: int = 3, o: int = 7, n: int = 11) -> tewb.Session:
    A, W = te.placeholder((c, n, n), name="A"), te.placeholder((o, c, 3, 3), name="W")
    inside = lambda i, j: te.all(i > 0, i <= n, j > 0, j <= n)  # noqa: E731
    P = te.compute(
        (c, n + 2, n + 2),
        lambda k, i, j: te.if_then_else(inside(i, j), A[k, i - 1, j - 1], 0.0),
        name="P",
    )
    k, r, q = (te.reduce_axis((0, e), name=name) for e, name in ((c, "k"), (3, "r"), (3, "q")))
    C = te.compute(
        (o, n, n), lambda f, i, j: te.sum(P[k, i + r, j + q] * W[f, k, r, q], axis=[k, r, q]), name="C"
    )
    return tewb.Session(te.create_schedule(C.op), [A, W, C])


def depthwise(c: int = 3, n: int = 21) -> tewb.Session:
    A, W = te.placeholder((c, n + 2, n + 2), name="A"), te.placeholder((c, 3, 3), name="W")
    r, q = te.reduce_axis((0, 3), name="r"), te.reduce_axis((0, 3), name="q")
    C = te.compute((c, n, n), lambda f, i, j: te.sum(A[f, i + r, j + q] * W[f, r, q], axis=[r, q]), name="C")
    return tewb.Session(te.create_schedule(C.op), [A, W, C])


def row_sum(n: int = 9, m: int = 150) -> tewb.Session:
    A, k = te.placeholder((n, m), name="A"), te.reduce_axis((0, m), name="k")
    S = te.compute((n,), lambda i: te.sum(A[i, k], axis=k), name="S")
    return tewb.Session(te.create_schedule(S.op), [A, S])


def whole_sum(n: int = 70, m: int = 33) -> tewb.Session:
    A = te.placeholder((n, m), name="A")
    i, j = te.reduce_axis((0, n), name="i"), te.reduce_axis((0, m), name="j")
    S = te.compute((), lambda: te.sum(A[i, j], axis=[i, j]), name="S")
    return tewb.Session(te.create_schedule(S.op), [A, S])


def transpose(n: int = 37, m: int = 50) -> tewb.Session:
    A = te.placeholder((n, m), name="A")
    T = te.compute((m, n), lambda i, j: A[j, i], name="T")
    return tewb.Session(te.create_schedule(T.op), [A, T])


def bytes_product(n: int = 17, m: int = 70, k: int = 22) -> tewb.Session:
    A, B = te.placeholder((n, k), "uint8", name="A"), te.placeholder((k, m), "int8", name="B")
    r = te.reduce_axis((0, k), name="k")
    C = te.compute(
        (n, m),
        lambda i, j: te.sum(A[i, r].astype("int32") * B[r, j].astype("int32"), axis=r),
        name="C",
    )
    return tewb.Session(te.create_schedule(C.op), [A, B, C])


def symbolic() -> tewb.Session:
    n, m = te.var("n"), te.var("m")
    A, B = te.placeholder((n, m), name="A"), te.placeholder((m, n), name="B")
    r = te.reduce_axis((0, m), name="k")
    C = te.compute((n, n), lambda i, j: te.sum(A[i, r] * B[r, j], axis=r), name="C")
    return tewb.Session(te.create_schedule(C.op), [A, B, C], sizes={"n": 64, "m": 48})


NAIVE: dict[str, Callable[[], Any]] = {
    "matmul": matmul,
    "float64": lambda: matmul(dtype="float64"),
    "convolution": convolution,
    "depthwise": depthwise,
    "blur": lambda: demo_session("blur", n=70),
    "softmax": lambda: demo_session("softmax", n=9, m=75),
    "row sum": row_sum,
    "whole sum": whole_sum,
    "transpose": transpose,
    "bytes": bytes_product,
    "symbolic": symbolic,
}


def kinds(session: Any, machine: Machine = MACHINE) -> list[str]:
    return [n.kind for n in advise(session, machine).next]


def is_right(session: Any) -> None:
    """The schedule computes what the definition says."""
    tensors = [a for a in session.args if hasattr(a, "op")]
    inputs = [t for t in tensors if not t.op.inputs]
    outputs = [t for t in tensors if t.op.inputs]
    if any(not isinstance(n, int) and not hasattr(n, "value") for t in tensors for n in t.shape):
        assert session.verify().ok, session.verify().message
    else:
        assert_same_result(session.schedule, inputs, outputs)


# ---------------------------------------------------------------- what is proposed


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("matmul", "register tile"),
        ("float64", "register tile"),
        ("convolution", "register tile"),
        ("row sum", "sums in lanes"),
        ("transpose", "transpose"),
        ("bytes", "dot product"),
        ("symbolic", "register tile"),
    ],
)
def test_the_step_that_brings_most_comes_first(name: str, first: str) -> None:
    session = NAIVE[name]()
    before = session.schedule.version
    advised = advise(session, MACHINE)
    assert advised.next[0].kind == first and advised.next[0].gain > 1.5
    gains = [n.gain for n in advised.next]
    assert gains == sorted(gains, reverse=True)
    assert session.schedule.version == before, "nothing is done to the schedule"


def test_a_register_tile_says_what_it_does_and_why() -> None:
    tile = advise(matmul(96, 96, 96), MACHINE).next[0]
    said = [s.primitive for s in tile.steps]
    assert said.count("split") == 2 and said[-2:] == ["unroll", "vectorize"] and "reorder" in said
    assert "stays in registers while k runs" in tile.reason and "x" in tile.reason
    assert tile.others and all(steps != tile.steps for steps in tile.others)


def test_simpler_steps_are_there_too() -> None:
    assert {"register tile", "vectorize", "order"} <= set(kinds(matmul()))
    assert "parallel" in kinds(matmul(), TWO) and "parallel" not in kinds(matmul())


def test_a_sum_of_everything_is_made_in_parts_for_threads() -> None:
    session = whole_sum(1000, 1000)
    parts = next(n for n in advise(session, TWO).next if n.kind == "partial sums")
    assert [s.primitive for s in parts.steps] == [
        "split",
        "rfactor",
        "reorder",
        "parallel",
    ] and parts.gain > 1.5
    session = whole_sum()
    session.apply(*parts.steps)
    is_right(session)
    after = advise(session, TWO).next
    assert after[0].kind == "sums in lanes" and after[0].stage == "S.rf"
    session.apply(*after[0].steps)
    is_right(session)
    assert "partial sums" not in kinds(whole_sum()) and "partial sums" not in kinds(matmul(), TWO)


def test_a_tile_leads_to_a_packed_operand() -> None:
    session = matmul(256, 256, 256)
    for step in (
        Step("tile", "C", {"x": "i", "y": "j", "x_factor": 4, "y_factor": 32}),
        Step("reorder", "C", {"axes": ["i.outer", "j.outer", "k", "i.inner", "j.inner"]}),
        Step("unroll", "C", {"axis": "i.inner"}),
        Step("vectorize", "C", {"axis": "j.inner"}),
    ):
        session.apply(step)
    pack = next(n for n in advise(session, MACHINE).next if n.kind == "pack")
    assert [s.primitive for s in pack.steps] == ["reorder", "cache_read", "compute_at", "vectorize"]
    assert "of B that a tile reads lie 256 elements apart" in pack.reason


def test_stages_of_a_row_are_fused() -> None:
    fused = [n for n in advise(demo_session("softmax", n=4096, m=1024), MACHINE).next if n.kind == "fuse"]
    together = next(n for n in fused if n.stage == "P")
    assert [(s.primitive, s.stage) for s in together.steps] == [
        ("compute_at", "S"), ("compute_at", "E"), ("compute_at", "M"),
    ]  # fmt: skip


def test_a_vector_that_is_there_gets_rows() -> None:
    session = matmul(64, 64, 64)
    session.apply(Step("split", "C", {"axis": "j", "factor": 16}))
    session.apply(Step("reorder", "C", {"axes": ["j.outer", "k", "j.inner"]}))
    session.apply(Step("vectorize", "C", {"axis": "j.inner"}))
    tile = next(n for n in advise(session, MACHINE).next if n.kind == "register tile")
    assert [s.primitive for s in tile.steps] == ["split", "reorder", "unroll"]


# ---------------------------------------------------------------- everything that is proposed can be done, and is right


@pytest.mark.one_in(5)
@pytest.mark.parametrize("name", NAIVE)
def test_what_advice_leads_to_is_right(name: str) -> None:
    """The first proposal is followed again and again, whatever it would bring; all others are done to copies too."""
    session = NAIVE[name]()
    for turn in range(3):
        found = advise(session, MACHINE).next
        if not found:
            break
        for n in found[1 : 3 if turn == 0 else 1]:
            copy = session.copy()
            copy.apply(*n.steps)
            is_right(copy)
        session.apply(*found[0].steps)
        is_right(session)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("seed", range(2))
def test_advice_after_random_steps_is_right(name: str, seed: int) -> None:
    inputs, outputs = PROGRAMS[name]()
    rng = random.Random(f"next{name}{seed}")
    session = tewb.Session(random_schedule(outputs, rng, 3), inputs + outputs)
    for n in advise(session, TWO).next[:2]:
        for steps in (n.steps, *n.others[:1]):
            copy = session.copy()
            copy.apply(*steps)
            assert_same_result(copy.schedule, inputs, outputs)


def test_an_extern_is_left_alone() -> None:
    session = demo_session("extern")
    advised = advise(session, MACHINE)
    assert advised.share is None and "its work cannot be counted" not in advised.standing
    assert "the work of the program cannot be counted" in advised.standing
    assert all(n.stage == "C" for n in advised.next)


def test_a_schedule_without_loops_has_no_next_steps() -> None:
    session = matmul()
    broken = tewb.Session(session.schedule, session.args[:2])
    with pytest.raises((LowerError, ScheduleError), match="C is an output and is not among the arguments"):
        advise(broken, MACHINE)


# ---------------------------------------------------------------- how near the roof is


def timed(session: Any, seconds: float, numpy: float | None = None) -> None:
    session.reference = session.reference or (lambda *a: None)
    other = None if numpy is None else Timing((numpy,))
    m = Measurement(True, "", Timing((seconds,)), other, operations=1, bytes=1, journal=session.journal)
    session.timings[session.journal] = m


def test_near_its_roof_nothing_more_is_advised() -> None:
    session = matmul(64, 64, 64)
    roof = roof_seconds(session, MACHINE)
    assert roof == pytest.approx(max(2 * 64**3 / 100e9, 3 * 64 * 64 * 4 / 10e9))
    timed(session, roof / 0.9)
    advised = advise(session, MACHINE)
    assert advised.is_near and advised.next == ()
    assert advised.standing == "at 90% of the roof of this machine (measured): nothing more is advised"


def test_a_kernel_that_is_slower_than_numpy_is_not_near_its_roof() -> None:
    session = matmul(64, 64, 64)
    roof = roof_seconds(session, MACHINE)
    assert roof is not None
    timed(session, roof / 0.9, numpy=roof / 2)
    advised = advise(session, MACHINE)
    assert not advised.is_near and advised.next and "0.45 times as fast as numpy" in advised.standing


def test_a_prediction_is_never_near_enough() -> None:
    advised = advise(matmul(64, 64, 64), MACHINE)
    assert (
        not advised.measured
        and not advised.is_near
        and "predicted; it is not measured yet" in advised.standing
    )


# ---------------------------------------------------------------- what was tried


def test_what_did_not_help_is_not_proposed_again() -> None:
    session = matmul()
    first, second, *_ = advise(session, MACHINE).next
    session.tried.append(Tried(first.steps, (), 0.8, others=first.others))
    after = advise(session, MACHINE)
    assert all(n.steps != first.steps and n.steps not in first.others for n in after.next)
    assert "1.25 times as slow, taken back" in str(after.tried[0])
    session.tried.append(Tried(second.steps, (), None, "the result is wrong"))
    assert all(n.steps != second.steps for n in advise(session, MACHINE).next)


def test_what_helped_may_be_proposed_after_an_undo() -> None:
    session = matmul()
    first = advise(session, MACHINE).next[0]
    session.settle(Tried(first.steps, session.journal, 2.0, timing=Timing((1.0,))))
    assert session.journal and session.timings[session.journal].kernel == Timing((1.0,))
    session.reset()
    assert advise(session, MACHINE).next[0].steps == first.steps


def test_nothing_goes_round_in_circles() -> None:
    session = matmul(64, 64, 64)
    for step in (
        Step("tile", "C", {"x": "i", "y": "j", "x_factor": 4, "y_factor": 16}),
        Step("reorder", "C", {"axes": ["i.outer", "j.outer", "k", "i.inner", "j.inner"]}),
        Step("vectorize", "C", {"axis": "j.inner"}),
    ):
        session.apply(step)
    exchange = next(n for n in advise(session, MACHINE).next if n.kind == "order")
    before = session.passes[0][1]
    session.settle(
        Tried(
            exchange.steps,
            session.journal,
            2.0,
            loops_before=str(tewb.ir.script(before)),
            timing=Timing((1.0,)),
        )
    )
    back = [n for n in advise(session, MACHINE).next if n.kind == "order"]
    assert not back


def test_pieces_of_the_work_are_short() -> None:
    pieces = list(each_next_step(matmul(), MACHINE))
    assert len(pieces) > 10 and pieces[:-1] == [None] * (len(pieces) - 1)
    assert str(pieces[-1]).startswith("at ") and "\n    try " in str(pieces[-1])


def test_what_was_measured_and_tried_with_other_sizes_says_nothing_of_these() -> None:
    s = symbolic_session(64)
    s.measure(repeat=1, cold=False)
    s.try_steps([{"primitive": "unroll", "stage": "C", "args": {"axis": "i.inner"}}], seconds=5)
    s.jump(1)
    assert advise(s, MACHINE).measured and advise(s, MACHINE).ratio
    (tried,) = s.tried
    assert tried.sizes == "n = 64"
    ask(s, "size", {"name": "n", "value": 1024})
    other = advise(s, MACHINE)
    assert not other.measured and other.ratio is None and other.tried == ()
    steps = (Step("vectorize", "C", {"axis": "j"}),)
    s.settle(Tried(steps, s.journal, 2.0, timing=Timing((1.0,)), sizes="n = 64"))
    assert len(s.journal) == 1


# ---------------------------------------------------------------- advice never goes against itself

FOLLOWED: dict[str, Callable[[], Any]] = NAIVE | {
    "matmul 512": lambda: matmul(512, 512, 512),
    "matmul 100": lambda: matmul(100, 100, 100),
    "convolution 56": lambda: convolution(16, 32, 56),
    "transpose 256": lambda: transpose(256, 256),
    "softmax 1000": lambda: demo_session("softmax", n=256, m=1000),
    "blur 1000": lambda: demo_session("blur", n=1000),
    "whole sum 1000": lambda: whole_sum(1000, 1000),
}
CRITICAL = {"tail", "guard", "false sharing", "over-allocation", "spills", "vector width"}
"""Findings that a step of advice could be blamed for."""


@pytest.mark.one_in(12)
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", FOLLOWED)
def test_advice_that_is_followed_blindly_stops_and_is_not_criticised(name: str, threads: int) -> None:
    """Each proposal that is predicted to gain, then each finding with steps: nothing goes back to loops that were left, and
    nothing is found fault with that was done."""
    session, machine = FOLLOWED[name](), MACHINE if threads == 1 else TWO
    been = {script(session.passes[0][1])}

    def follow(steps: tuple[Step, ...]) -> None:
        session.apply(*steps)
        loops = script(session.passes[0][1])
        assert loops not in been, session.to_string()
        been.add(loops)
        blamed = [str(a) for a in session.advice(machine=machine) if a.kind in CRITICAL]
        assert not blamed, (session.to_string(), blamed)

    for _ in range(12):
        gains = [n for n in advise(session, machine).next if n.is_gain]
        if not gains:
            break
        follow(gains[0].steps)
    assert not gains, "advice stops"
    for _ in range(12):
        steps = next((a.steps for a in session.advice(machine=machine) if a.steps), ())
        if not steps:
            break
        follow(steps)
    assert not steps, "findings stop"
    if name in NAIVE:  # larger ones take long to check
        is_right(session)


def test_factors_divide_where_some_near_do_and_else_it_is_said_what_is_guarded() -> None:
    (tile, *_) = advise(matmul(512, 512, 512), MACHINE).next
    assert tile.kind == "register tile" and "guarded" not in tile.reason
    factors = [s.args["factor"] for s in tile.steps if s.primitive == "split"]
    assert factors and all(512 % f == 0 for f in factors)
    (tile, *_) = advise(matmul(41, 70, 21), MACHINE).next
    rows = next(s.args["factor"] for s in tile.steps if s.primitive == "split")
    assert f"i has 41 iterations, of which the last {41 % rows} are guarded" in tile.reason
    (tile, *_) = advise(symbolic(), MACHINE).next
    assert "need not divide i: the last one is guarded" in tile.reason


def test_a_proposal_without_a_gain_says_so() -> None:
    step = Step("parallel", "C", {"axis": "i"})
    slow = NextStep("parallel", "C", "they share it", (step,), 0.82)
    assert "no gain is predicted; a trial tells" in str(slow) and not slow.is_gain
    fast = NextStep(
        "parallel", "C", "they share it", (step,), 101.4, (), (1e-3, 1e-5), "bound by the ports of C.k"
    )
    assert "about 101 times as fast" in str(fast)
    assert "(predicted: 1 ms now, 10 us then, bound by the ports of C.k)" in str(fast)
