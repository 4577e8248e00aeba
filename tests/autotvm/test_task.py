"""Tasks: templates with arguments, by name, and computes of topi with their schedules."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from tests.autotvm.templates import task
from tewb import autotvm, te
from tewb.base import ArgumentError, ScheduleError, TewbError


def test_a_task() -> None:
    t = task()
    assert t.workload == ("tests/product", 6, "float32") and len(t.config_space) == 4 * 4 * 2
    assert t.flop == 2 * 6**3 and str(t).startswith("Task(func_name=tests/product, args=(6, 'float32')")
    s, args = t.instantiate(t.config_space.get(6))
    assert len(args) == 3 and "i.inner(3)" in s["C"].loops()
    with pytest.raises(autotvm.space.InstantiationError, match="the tile is the whole row"):
        t.instantiate(t.config_space.get(15))


def test_templates_of_topi() -> None:
    @autotvm.register_topi_compute("tests/scale")  # type: ignore[untyped-decorator, unused-ignore]
    def scale(cfg: Any, A: Any, times: int) -> Any:
        cfg.define_split("tile", A.shape[0], num_outputs=2)
        return te.compute(A.shape, lambda i: A[i] * te.const(times, A.dtype), name="B")

    @autotvm.register_topi_schedule("tests/scale")  # type: ignore[untyped-decorator, unused-ignore]
    def schedule_scale(cfg: Any, outs: Any) -> Any:
        s = te.create_schedule([x.op for x in outs])
        cfg["tile"].apply(s, outs[0], s[outs[0]].op.axis[0])
        return s

    t = autotvm.task.create("tests/scale", args=(("TENSOR", (8,), "float32"), 3), target="llvm")
    s, args = t.instantiate(t.config_space.get(2))
    assert len(t.config_space) == 4 and "i.inner(4)" in s["B"].loops() and len(args) == 2
    A = te.placeholder((8,), name="A")
    with pytest.warns(UserWarning, match="no configuration is known"):
        B = scale(A, 3)
    assert tuple(B.op.attrs["workload"]) == t.workload
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it was said already
        assert "i.inner(1)" in schedule_scale([B])["B"].loops()


def test_arguments_are_plain_values_and_tensors_again() -> None:
    A = te.placeholder((8, 4), name="A", dtype="int8")
    plain = autotvm.task.serialize_args([A, 3, (1, 2)])
    B, three, pair = autotvm.task.deserialize_args(plain)
    assert plain[0] == ("TENSOR", (8, 4), "int8") and (three, pair) == (3, (1, 2))
    assert B.dtype == "int8" and [int(n) for n in B.shape] == [8, 4]
    assert (
        autotvm.task.create("tests/product", (6, "float32"), "llvm", target_host="llvm").target_host == "llvm"
    )
    assert task().target_host is None


def test_a_template_without_parentheses_has_the_name_of_its_function() -> None:
    @autotvm.template  # type: ignore[untyped-decorator, unused-ignore]
    def tests_plain(n: int) -> Any:
        A = te.placeholder((n,), name="A")
        B = te.compute((n,), lambda i: A[i] + 1, name="B")
        s = te.create_schedule(B.op)
        autotvm.get_config().define_knob("x", [1, 2])
        return s, [A, B]

    assert len(autotvm.task.create(tests_plain, (8,), "llvm").config_space) == 2
    assert autotvm.task.create("tests_plain", (8,), "llvm").workload == ("tests_plain", 8)


def test_misuse() -> None:
    with pytest.raises(ArgumentError, match="tests/produkt"):
        autotvm.task.create("tests/produkt", args=(), target="llvm")
    with pytest.raises(TewbError, match="relay"):
        autotvm.task.extract_from_program(None)

    @autotvm.template("tests/none")  # type: ignore[untyped-decorator, unused-ignore]
    def nothing() -> None:
        return None

    with pytest.raises(ScheduleError, match="template tests/none returned no schedule"):
        autotvm.task.create("tests/none", (), "llvm")
