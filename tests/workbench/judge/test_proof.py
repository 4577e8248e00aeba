"""What is proved of a schedule, and what is only believed."""

from __future__ import annotations

import pytest

import tewb
from tewb import te
from tewb.workbench.demos import demo_session
from tewb.workbench.judge.proof import proof


def test_steps_that_keep_every_result_are_proved() -> None:
    s = demo_session("matmul", n=32)
    s.apply({"primitive": "tile", "stage": "C", "args": {"x": "i", "y": "j", "x_factor": 8, "y_factor": 8}})
    s.apply({"primitive": "vectorize", "stage": "C", "args": {"axis": "j.inner"}})
    assert proof(s).holds and not proof(s).rounds and "keeps every result" in proof(s).text


@pytest.mark.parametrize("dtype", ["float32", "int32"])
@pytest.mark.parametrize("steps", [["rfactor"], ["vectorize"]])
def test_sums_in_another_order_round_and_integers_do_not(dtype: str, steps: list[str]) -> None:
    A = te.placeholder((32,), name="A", dtype=dtype)
    k = te.reduce_axis((0, 32), name="k")
    C = te.compute((1,), lambda i: te.sum(A[k], axis=k), name="C")
    s = te.create_schedule(C.op)
    outer, inner = s[C].split(k, 8)
    if steps == ["rfactor"]:
        s.rfactor(C, outer)
    else:
        s[C].vectorize(inner)
    p = proof(tewb.Session(s, [A, C]))
    assert p.holds and p.rounds == (dtype == "float32")
    assert ("another order" in p.text) == p.rounds


def test_what_an_extern_says_of_itself_is_believed_once_it_matters() -> None:
    s = demo_session("extern", access="elementwise")
    assert proof(s).holds
    s.apply({"primitive": "compute_at", "stage": "E", "args": {"parent": "C", "axis": "i"}})
    assert not proof(s).holds and "extern E touches what its access says" in proof(s).text
    whole = demo_session("extern", access="whole")
    whole.apply({"primitive": "compute_at", "stage": "E", "args": {"parent": "C", "axis": "i"}})
    assert proof(whole).holds


@pytest.mark.parametrize(
    ("steps", "rounds"),
    [
        ([("reorder", {"axes": ["r", "k"]})], True),
        ([("reorder", {"axes": ["r", "k"]}), ("split", {"axis": "k", "factor": 2})], True),
        ([("tile", {"x": "k", "y": "r", "x_factor": 2, "y_factor": 2})], True),
        ([("tile", {"x": "i", "y": "k", "x_factor": 2, "y_factor": 2})], False),
        ([("reorder", {"axes": ["k", "i"]})], False),
        ([("fuse", {"axes": ["k", "r"]}), ("unroll", {"axis": "k.r.fused"})], False),
    ],
)
def test_what_puts_reduce_loops_in_another_order_rounds(
    steps: list[tuple[str, dict[str, object]]], rounds: bool
) -> None:
    A = te.placeholder((8, 8, 8), name="A")
    k, r = te.reduce_axis((0, 8), name="k"), te.reduce_axis((0, 8), name="r")
    B = te.compute((8,), lambda i: te.sum(A[i, k, r], axis=[k, r]), name="B")
    s = tewb.Session(te.create_schedule(B.op), [A, B])
    s.apply(*[{"primitive": name, "stage": "B", "args": args} for name, args in steps])
    assert proof(s).holds and proof(s).rounds == rounds
