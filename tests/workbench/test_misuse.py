"""Wrong arguments of a session: each is an error of tewb with a hint, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import TewbError
from tewb.schedule import PRIMITIVES
from tewb.workbench import Session
from tewb.workbench.demos import demo_session

OTHER = te.compute((4,), lambda i: i * 2, name="other")
STRANGERS = (
    None,
    5,
    -1,
    3.5,
    "nosuch",
    "",
    b"x",
    [],
    {},
    (1, 2),
    True,
    object,
    OTHER,
    OTHER.op.axis[0],
    [None],
    ["i"],
)

CALLS: dict[str, Callable[[Session, Any], Any]] = {
    "branch": lambda s, x: s.branch(x),
    "switch": lambda s, x: s.switch(x),
    "delete_branch": lambda s, x: s.delete_branch(x),
    "jump": lambda s, x: s.jump(x),
    "delete_step": lambda s, x: s.delete_step(x),
    "move_step": lambda s, x: s.move_step(1, x),
    "label_step": lambda s, x: s.label_step(x, "name"),
    "label_step name": lambda s, x: s.label_step(1, x),
    "load": lambda s, x: s.load(x),
    "from_json": lambda s, x: s.from_json(x),
    "apply": lambda s, x: s.apply(x),
    "preview": lambda s, x: s.preview(x),
    "primitives": lambda s, x: s.primitives(x),
    "choices stage": lambda s, x: s.choices(x, "split", "axis"),
    "choices primitive": lambda s, x: s.choices("C", x, "axis"),
    "choices parameter": lambda s, x: s.choices("C", "split", x),
    "palette": lambda s, x: s.palette(x),
    "palette loop": lambda s, x: s.palette("C", x),
    "explain": lambda s, x: s.explain(x, "C"),
    "explain about": lambda s, x: s.explain("guard", x),
    "explain loop": lambda s, x: s.explain("bound", "C", x),
    "diff": lambda s, x: s.diff(x),
    "diff against": lambda s, x: s.diff("TE", x),
    "access_trace": lambda s, x: s.access_trace(x),
    "access_trace limit": lambda s, x: s.access_trace("C", x),
    "expect": lambda s, x: s.expect(x, "<=", 1),
    "expect relation": lambda s, x: s.expect("bytes", x, 1),
    "expect limit": lambda s, x: s.expect("bytes", "<=", x),
    "measure stop": lambda s, x: s.measure(1, stop=x),
    "measure pinned": lambda s, x: s.measure(1, pinned=x),
    "snapshot": lambda s, x: s.snapshot(x),
    "checks": lambda s, x: s.checks(x),
    "on_change": lambda s, x: s.on_change(x),
    "assembly_for": lambda s, x: s.assembly_for(x),
    "demo": lambda s, x: demo_session(x),
    "demo size": lambda s, x: demo_session("matmul", n=x),
}
# What of the strangers means something.
MEANT: dict[str, tuple[Any, ...]] = {
    "branch": ("nosuch",), "jump": (True,), "move_step": (True,), "label_step name": (None, "nosuch", ""),
    "load": ("",), "assembly_for": (None, ""), "palette loop": (None,), "diff against": ([], (), {}), "access_trace limit": (5,),
    "expect limit": (5, -1, 3.5), "measure stop": (None, object, OTHER), "measure pinned": (None, []),
    "snapshot": (None,), "checks": (None,), "on_change": (object, OTHER), "demo size": (5,),
}  # fmt: skip


def session() -> Session:
    A = te.placeholder((8, 8), name="A")
    B = te.compute((8, 8), lambda i, j: A[i, j] + 1, name="B")
    C = te.compute((8, 8), lambda i, j: B[i, j] * 2, name="C")
    s = te.create_schedule(C.op)
    s[C].split("i", 4)
    return Session(s, [A, C])


@pytest.mark.parametrize("call", CALLS)
def test_wrong_arguments_are_errors_with_a_hint(call: str) -> None:
    s = session()
    before = (s.journal, s.on_branch, list(s.branches))
    for stranger in STRANGERS:
        if any(stranger is m or (type(stranger) is type(m) and stranger == m) for m in MEANT.get(call, ())):
            continue
        with pytest.raises(TewbError) as e:
            CALLS[call](s, stranger)
        assert e.value.hint, f"{call}({stranger!r}): {e.value}"
    assert (s.journal, s.on_branch, list(s.branches)) == before


@pytest.mark.parametrize("primitive", PRIMITIVES)
def test_steps_with_wrong_arguments_are_refused_and_explained(primitive: str) -> None:
    s = session()
    usual = {
        "axis": "j",
        "factor": 2,
        "x": "i.outer",
        "y": "j",
        "parent": "C",
        "scope": "local",
        "readers": ["C"],
        "intrin": "an intrinsic",
    }
    for p in PRIMITIVES[primitive].params:
        for stranger in (*STRANGERS, 2**70, te.var("n"), float("nan")):
            args = {q.name: usual[q.name] for q in PRIMITIVES[primitive].params if q.name in usual}
            step = {"primitive": primitive, "stage": "B", "args": {**args, p.name: stranger}}
            if s.why_not(step) is None:
                continue  # None, which leaves a parameter out, or a number where one is wanted
            with pytest.raises(TewbError):
                s.apply(step)
            assert s.explain("illegal", step).answer


@pytest.mark.parametrize("twin", [False, True])
def test_a_placeholder_that_nothing_reads_is_an_argument_like_any_other(twin: bool) -> None:
    A = te.placeholder((4,), name="A")
    U = te.placeholder((te.var("m"),), "int8", name="A" if twin else "U")
    C = te.compute((4,), lambda i: A[i] + 1, name="C")
    s = te.create_schedule(C.op)
    s[C].split("i", 2)
    it = Session(s, [A, U, C], sizes={"m": 3})
    names: dict[str, Any] = {}
    exec(it.code, names)
    out = np.zeros(4, "float32")
    tewb.build(names["s"], names["args"])(np.arange(4, dtype="float32"), np.zeros(7, "int8"), out)
    np.testing.assert_array_equal(out, [1, 2, 3, 4])
    assert it.measure(1).ok and it.verify().ok
    assert [f.lines for f in it.forms()] and it.snapshot().html and it.diff("TE") and it.ledger()
    for text in (it.code, it.schedule_code, it.to_json(), it.to_string()):
        it.load(text)
    assert it.copy().code == it.code


def test_a_loop_may_be_given_by_its_handle() -> None:
    s = session()
    j = s.schedule["C"].op.axis[1]
    assert str(s.explain("bound", "C", j)) == str(s.explain("bound", "C", "j"))
    assert [str(a.step) for a in s.palette("C", j)] == [str(a.step) for a in s.palette("C", "j")]
