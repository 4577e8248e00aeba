"""A lowered function as data: lines that know where they came from, memory in bytes, regions of externs."""

from __future__ import annotations

from typing import Any

import pytest

import tewb
from tewb import te
from tewb.workbench.demos import demo_session
from tewb.workbench.looks.lowered_ir import allocations, ir_lines, peak_bytes_of, regions

SPLIT = {"primitive": "split", "stage": "C", "args": {"axis": "i", "factor": 8}}


def session(n: int = 32) -> Any:
    return demo_session("matmul", n=n)


def test_allocations_in_bytes() -> None:
    s = session()
    s.apply({"primitive": "cache_write", "stage": "C", "args": {"scope": "local"}})
    (a,) = s.allocations()
    assert (a.name, a.shape, a.elements, a.bytes, a.scope) == ("C.local", "(32, 32)", 1024, 4096, "local")
    assert any("1024 elements, 4 KiB" in line.remark for line in s.ir_lines())


def test_provenance_from_step_to_line() -> None:
    s = session()
    s.apply(SPLIT)
    lines = [line for line in s.ir_lines() if line.origin and line.origin.step == 0]
    assert [line.text for line in lines] == ["for i.outer in range(4):", "for i.inner in range(8):"]
    assert {line.origin.axis for line in lines} == {"i.outer", "i.inner"}
    assert s.ir_lines()[-1].origin.stage == "C"


def test_provenance_survives_unrolling_and_vectors() -> None:
    s = session()
    s.apply(SPLIT)
    s.apply({"primitive": "vectorize", "stage": "C", "args": {"axis": "j"}})
    s.apply({"primitive": "unroll", "stage": "C", "args": {"axis": "i.inner"}})
    stores = [line for line in s.ir_lines() if " = " in line.text]
    assert stores and all(line.origin and line.origin.stage == "C" for line in stores)
    assert {line.origin.step for line in stores} == {1}  # vectors come from vectorize


def intermediate(n: Any, place: Any = lambda s, T, B: None) -> Any:
    """The lowered function of B[i] = T[i] + T[i] with T in memory."""
    A = te.placeholder((n,), name="A")
    T = te.compute((n,), lambda i: A[i] * 2.0, name="T")
    B = te.compute((n,), lambda i: T[i] + T[i], name="B")
    s = te.create_schedule(B.op)
    place(s, T, B)
    return tewb.lower(s, [A, B])["main"]


def test_a_symbolic_size_has_no_number_of_bytes() -> None:
    f = intermediate(te.var("n"))
    (a,) = allocations(f)
    assert (a.stage, a.dtype, a.shape, a.elements, a.bytes) == ("T", "float32", "(n,)", None, None)
    assert "symbolic size" in [line.remark for line in ir_lines(f)] and peak_bytes_of(f) is None


@pytest.mark.parametrize("n", [1, 100])
def test_a_constant_size(n: int) -> None:
    f = intermediate(n)
    (a,) = allocations(f)
    assert (a.elements, a.bytes) == (n, 4 * n)
    assert f"{n} elements, {4 * n} B" in [line.remark for line in ir_lines(f)]


def test_gaps_between_rows_count() -> None:
    A = te.placeholder((8, 30), name="A")
    T = te.compute((8, 30), lambda i, j: A[i, j] * 2.0, name="T")
    B = te.compute((8, 30), lambda i, j: T[i, j] + T[i, 29 - j], name="B")
    s = te.create_schedule(B.op)
    s[T].storage_align("i", 16, 0)
    (a,) = allocations(tewb.lower(s, [A, B])["main"])
    assert a.shape == "(8, 30)" and a.elements == 7 * 32 + 30


def test_a_copy_that_was_unrolled_is_listed_once() -> None:
    def place(s: Any, T: Any, B: Any) -> None:
        outer, _ = s[B].split("i", factor=25)
        s[T].compute_at(s[B], outer)
        s[B].unroll(outer)

    (a,) = allocations(intermediate(100, place))
    assert (a.elements, a.step) == (25, 1)  # it is where it is by the second step


def test_the_steps_of_loops_are_remarks() -> None:
    s = session()
    s.apply(SPLIT)
    remarks = {line.text: line.remark for line in s.ir_lines()}
    assert remarks["for i.outer in range(4):"] == "step 1" and remarks["for j in range(32):"] == ""


def test_regions_of_externs_are_listed_once() -> None:
    s = demo_session("extern", access="elementwise")
    s.apply({"primitive": "compute_at", "stage": "E", "args": {"parent": "C", "axis": "i"}})
    (region,) = regions(s.function)
    assert (region.name, region.effect) == ("E", "idempotent")
    assert len(region.reads) == len(region.writes) == 1
    assert regions(session().function) == []
