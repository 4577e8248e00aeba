"""`te.schedule`: classic programs look at schedules, bounds and loops."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import blur, chain, matmul, schedule_for
from tewb import te, tir
from tewb.base import LowerError, ScheduleError
from tewb.ir import Allocate, For, IterVar, const_int, structural_equal, walk
from tewb.te import schedule


def test_bounds_by_axis_and_loop() -> None:
    _, (Y,) = blur(64, 32)
    s = te.create_schedule(Y.op)
    X = s["X"]
    yo, yi = s[Y].split(Y.op.axis[0], factor=16)
    X.compute_at(s[Y], yo)
    bounds = schedule.InferBound(s.normalize())
    assert [const_int(bounds[iv].extent) for iv in (yo, yi, *Y.op.axis)] == [4, 16, 64, 32]
    rows, columns = (bounds[iv] for iv in X.op.axis)
    assert const_int(rows.extent) == 18 and const_int(columns.extent) == 32
    assert repr(rows.min) == "T.max(i.outer * 16 - 1, 0)"


def test_loops_and_the_function_of_them() -> None:
    inputs, outputs = matmul(8, 6, 4)
    s = schedule_for(outputs)
    s["C"].split("i", factor=2)
    normal = s.normalize()
    stmt = schedule.ScheduleOps(normal, schedule.InferBound(normal))
    assert [n.var.name for n in walk(stmt) if isinstance(n, For)] == [
        "i.outer", "i.inner", "j", "k",
    ]  # fmt: skip
    f = schedule.SchedulePostProcToPrimFunc([*inputs, *outputs], stmt)
    module = tewb.driver.build(tewb.ir.IRModule({"main": f}))
    a, b = (np.random.rand(*t).astype("float32") for t in ((8, 4), (4, 6)))
    c = np.zeros((8, 6), "float32")
    module(a, b, c)
    np.testing.assert_allclose(c, a @ b, rtol=1e-5)
    whole = schedule.schedule_to_module(s, [*inputs, *outputs])["main"]
    assert structural_equal(whole.body, f.body) and whole.outputs == f.outputs == (2,)


def test_declared_buffers_take_the_place_of_tensors() -> None:
    inputs, outputs = chain(5, 4)
    s = schedule_for(outputs)
    A = te.decl_buffer((5, 4), name="given", strides=[te.var("s"), 1])
    f = schedule.SchedulePostProcToPrimFunc(inputs + outputs, schedule.ScheduleOps(s), {inputs[0]: A})
    assert f.params[0] is A and "given[" in str(f) and "A[" not in str(f)
    module = schedule.schedule_to_module(s, inputs + outputs, "f", {inputs[0]: A})
    assert "f" in module.functions


def test_a_schedule_that_is_not_right_is_refused_here_too() -> None:
    s = schedule_for(chain()[1])
    s["B"].compute_at(s["D"], "i")
    for look in (schedule.InferBound, schedule.ScheduleOps, schedule.schedule_to_module):
        with pytest.raises(ScheduleError, match="C also reads B"):
            look(s)


def test_relations_and_numbers_of_kinds() -> None:
    s = schedule_for(matmul(8, 6, 4)[1])
    C = s["C"]
    io, ii = C.split("i", factor=4)
    jk = C.fuse("j", "k")
    one = C.fuse()
    C.unroll(ii)
    C.parallel(io)
    C.pragma(jk, "unroll_explicit", 0)
    split, fused, single = C.relations
    assert isinstance(split, schedule.Split) and (split.outer, split.inner, split.factor) == (io, ii, 4)
    assert split.factor.value == 4 and split.nparts is None and split.parent is C.op.axis[0]
    assert isinstance(fused, schedule.Fuse) and fused.fused is jk
    assert isinstance(single, schedule.Singleton) and single.iter is one
    assert not any(isinstance(r, schedule.Rebase) for r in C.relations)
    assert [iv.iter_type for iv in C.leaf_iter_vars] == [0, 0, 0, IterVar.CommReduce]
    attrs = C.iter_var_attrs
    assert attrs[ii].iter_type == te.schedule.IterVar.Unrolled and attrs[io].iter_type == IterVar.Parallelized
    assert (attrs[jk].pragma_keys, attrs[jk].pragma_values) == (["unroll_explicit"], [0])
    assert attrs[jk].pragma_keys[0].value == "unroll_explicit" and attrs[jk].pragma_values[0].value == 0
    assert set(attrs) == {io, ii, jk} and attrs[io].bind_thread is None
    assert all(iv in C.all_iter_vars for iv in (io, ii, jk, one))
    assert C.leaf_iter_vars[1].var.name == "i.outer" and C.op.axis[0].dom.extent.value == 8


def test_what_is_said_of_a_tensorized_loop() -> None:
    x, y = (te.placeholder((8,), name=n) for n in "xy")
    z = te.compute((8,), lambda i: x[i] + y[i], name="z")
    intrin = te.decl_tensor_intrin(
        z.op, lambda ins, outs: tir.call_extern("int32", "add8", outs[0].access_ptr("w"))
    )
    X, Y = (te.placeholder((8, 8), name=n) for n in "XY")
    Z = te.compute((8, 8), lambda i, j: X[i, j] + Y[i, j], name="Z")
    s = te.create_schedule(Z.op)
    outer, inner = s[Z].split(Z.op.axis[0], nparts=4)
    s[Z].tensorize(Z.op.axis[1], intrin)
    attrs = s[Z].iter_var_attrs[Z.op.axis[1]]
    assert attrs.iter_type == te.schedule.IterVar.Tensorized and attrs.tensor_intrin is intrin
    (relation,) = s[Z].relations
    assert relation.factor is None and relation.nparts.value == 4
    assert (relation.outer, relation.inner) == (outer, inner)


def test_places_of_stages() -> None:
    s = schedule_for(chain()[1])
    B, C, D = (s[n] for n in "BCD")
    assert {st.attach_type for st in s.stages} == {1} and D.is_output and not C.is_output
    C.compute_at(D, "i")
    assert (C.attach_type, C.attach_stage, C.attach_ivar) == (4, D, D.op.axis[0])
    B.compute_inline()
    assert (B.attach_type, B.attach_stage, B.attach_ivar) == (2, None, None)
    assert s.stage_map[C.op] is C and s[C.op] is C and s.outputs == (D.op,)
    s = schedule_for(chain()[1])
    D = s["D"]
    copy = s.cache_write(D.op.output(0), "local")
    assert s[D.origin_op] is D and D.origin_op is s.outputs[0] and copy.op is not D.op


def test_a_pickled_schedule_makes_the_same_loops() -> None:
    inputs, outputs = blur(20, 12)
    s = schedule_for(outputs)
    yo, _ = s["Y"].split("i", factor=4)
    s["X"].compute_at(s["Y"], yo)
    s.cache_read(inputs[0], "local", ["X"])
    again, ins, outs = pickle.loads(pickle.dumps((s, inputs, outputs)))
    assert str(again) == str(s) and again.journal == s.journal
    assert str(tewb.lower(again, [*ins, *outs])) == str(tewb.lower(s, [*inputs, *outputs]))


@pytest.mark.parametrize(
    ("rule", "inlined"),
    [
        (te.schedule.AutoInlineElemWise, ["B"]),
        (te.schedule.AutoInlineBroadcast, ["R"]),
        (te.schedule.AutoInlineInjective, ["B", "T", "R"]),
    ],
)
def test_what_is_inlined_by_rule(rule: Any, inlined: list[str]) -> None:
    n = 5
    A = te.placeholder((n, n), name="A")
    B = te.compute((n, n), lambda i, j: A[i, j] + 1.0, name="B")
    T = te.compute((n, n), lambda i, j: B[j, i] * 2.0, name="T")
    R = te.compute((n, n, n), lambda i, j, k: T[i, j] + A[j, k], name="R", tag="broadcast")
    k = te.reduce_axis((0, n), name="k")
    S = te.compute((n, n), lambda i, j: te.sum(R[i, j, k], axis=k), name="S")
    P = te.compute((n, n), lambda i, j: S[i, j] * 3.0, name="P")
    s = te.create_schedule(P.op)
    rule(s)
    assert [st.name for st in s.stages if st.is_inlined] == inlined
    s = te.create_schedule(P.op)
    s[B].split(B.op.axis[0], factor=2)  # what a person scheduled stays
    rule(s)
    assert not s[B].is_inlined
    buffers = {x.buffer.name for x in walk(tewb.lower(s, [A, P])["main"].body) if isinstance(x, Allocate)}
    assert "S" in buffers


def test_bounds_are_a_map_and_loops_may_have_variables_without_a_value() -> None:
    m = te.var("m")
    A = te.placeholder((m * 4,), name="A")
    B = te.compute(A.shape, lambda i: A[i] + 1.0, name="B")
    s = te.create_schedule(B.op)
    outer, inner = s[B].split(B.op.axis[0], factor=4)
    bounds = schedule.InferBound(s.normalize())
    assert isinstance(bounds, tewb.runtime.container.Map) and set(bounds) >= {outer, inner, *B.op.axis}
    assert structural_equal(bounds[outer].extent, m) and const_int(bounds[inner].extent) == 4
    assert [n.var.name for n in walk(schedule.ScheduleOps(s, bounds)) if isinstance(n, For)] == [
        "i.outer", "i.inner",
    ]  # fmt: skip
    a = np.arange(12, dtype="float32")
    np.testing.assert_array_equal(tewb.build(s, [A, B])(a), a + 1)
    C = te.compute((m * m,), lambda i: m + i, name="C")
    with pytest.raises(LowerError, match="the value of m is not known"):
        tewb.build(te.create_schedule(C.op), [C])
