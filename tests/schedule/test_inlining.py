"""The operations of a schedule after inlining: expressions stand where they are read."""

from __future__ import annotations

from typing import Any

import pytest

from tests.programs import chain, schedule_for
from tewb import te
from tewb.base import LowerError
from tewb.ir import script, walk
from tewb.schedule import Schedule, inlining
from tewb.schedule.inlining import inlined_operations
from tewb.tensor import ComputeOp


def body(s: Schedule, name: str) -> str:
    op = inlined_operations(s)[s[name]]
    assert isinstance(op, ComputeOp)
    return script(op.body[0])


def test_without_inlined_stages_operations_stay_the_same_objects() -> None:
    s = schedule_for(chain()[1])
    assert all(op is stage.op for stage, op in inlined_operations(s).items())


def test_an_inlined_stage_stands_in_all_its_readers() -> None:
    s = schedule_for(chain()[1])
    s["B"].compute_inline()
    value = "A[i, j] * T.float32(2.0) + T.float32(1.0)"
    assert body(s, "C") == f"T.max({value}, T.float32(0.0)) - A[i, j]"
    assert body(s, "D") == f"C[i, j] * ({value})"
    assert inlined_operations(s)[s["B"]] is s["B"].op


def test_stages_are_inlined_through_each_other_at_the_reader_s_index() -> None:
    A = te.placeholder((8,), name="A")
    B = te.compute((8,), lambda i: A[7 - i], name="B")
    C = te.compute((7,), lambda i: B[i + 1] * 2.0, name="C")
    D = te.compute((3,), lambda i: C[i * 2], name="D")
    s = te.create_schedule(D.op)
    s[B].compute_inline()
    s[C].compute_inline()
    assert body(s, "D") == "A[7 - (i * 2 + 1)] * T.float32(2.0)"


def test_an_element_that_is_read_twice_is_one_expression() -> None:
    A = te.placeholder((8,), name="A")
    B = te.compute((8,), lambda i: te.exp(A[i]), name="B")
    C = te.compute((7,), lambda i: B[i + 1] + B[1 + i] + B[i], name="C")
    s = te.create_schedule(C.op)
    s[B].compute_inline()
    op = inlined_operations(s)[s[C]]
    assert isinstance(op, ComputeOp)
    exps = {n for n in walk(op.body[0]) if getattr(n, "op", "") == "exp"}
    assert len(exps) == 2  # of i + 1, in both spellings, and of i


def test_inlined_operations_are_found_again() -> None:
    s = schedule_for(chain()[1])
    s["B"].compute_inline()
    first = inlined_operations(s)[s["D"]]
    s["D"].split("i", factor=4)
    assert inlined_operations(s)[s["D"]] is first


def test_the_axes_and_the_line_of_the_reader_stay() -> None:
    s = schedule_for(chain()[1])
    s["B"].compute_inline()
    op = inlined_operations(s)[s["C"]]
    assert op is not s["C"].op and op.axis == s["C"].op.axis and op.span is s["C"].op.span


def test_a_chain_that_reads_many_elements_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inlining, "MOST_NODES", 300)

    def lowered(stages: int) -> object:
        tensors: list[Any] = [te.placeholder((999,), name="A")]
        for n in range(stages):
            elements = lambda i, t=tensors[-1], n=n: t[i] + t[i + 2**n]  # noqa: E731
            tensors.append(
                te.compute((99,) if n + 1 == stages else (999 - 2 ** (n + 1),), elements, name=f"S{n}")
            )
        s = te.create_schedule(tensors[-1].op)
        for t in tensors[1:-1]:
            s[t].compute_inline()
        return inlined_operations(s)

    assert lowered(4)
    with pytest.raises(
        LowerError, match=r"compute_inline: the expression of S7 becomes more than 300 nodes"
    ) as e:
        lowered(8)
    assert "compute_at or compute_root" in (e.value.hint or "")
