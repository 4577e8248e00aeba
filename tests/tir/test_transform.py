"""Passes of lowering that are called with a module."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te, tir
from tewb.base import TewbError
from tewb.ir import IRModule
from tewb.lowering import scheduled_loops
from tewb.transform import Sequential


def raw() -> Any:
    A = te.placeholder((10,), name="A")
    B = te.compute((10,), lambda i: A[i] * 2.0, name="B")
    C = te.compute((10,), lambda i: B[i] + 1.0, name="C")
    s = te.create_schedule(C.op)
    outer, inner = s[C].split("i", 4)
    s[C].vectorize(inner)
    s[B].unroll("i")
    return IRModule.from_expr(scheduled_loops(s, [A, C]))


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("LoopPartition", "T.likely", None), ("VectorizeLoop", "T.vectorized", "T.Ramp"), ("UnrollLoop", "T.unroll", "B[9]"),
        ("FlattenBuffer", None, None), ("StorageFlatten", None, None), ("Simplify", None, None), ("RemoveNoOp", None, None),
    ],
)  # fmt: skip
def test_passes_do_what_their_names_say(name: str, before: str | None, after: str | None) -> None:
    module = raw()
    changed = getattr(tir.transform, name)()(module)
    if before is not None:
        assert before in str(module) and (name == "LoopPartition" or before not in str(changed))
    assert after is None or after in str(changed)
    a = np.arange(10, dtype="float32")
    np.testing.assert_array_equal(tewb.build(tewb.lower(changed))(a), a * 2 + 1)


def test_a_classic_pipeline_builds() -> None:
    t = tir.transform
    passes = [
        t.Simplify(),
        t.LoopPartition(),
        t.VectorizeLoop(),
        t.UnrollLoop(),
        t.Simplify(),
        t.RemoveNoOp(),
    ]
    module = Sequential(passes)(raw())
    a = np.arange(10, dtype="float32")
    np.testing.assert_array_equal(tewb.build(module)(a), a * 2 + 1)


def test_apply_and_a_pass_that_is_off() -> None:
    module = raw()
    assert tir.transform.VectorizeLoop(False)(module)["main"] is module["main"]
    renamed = tir.transform.Apply(lambda f: f.with_attr("global_symbol", "g"))(module)
    assert renamed["main"].name == "g"


def test_storage_is_shared_on_flat_arrays() -> None:
    flat = Sequential(
        [tir.transform.VectorizeLoop(), tir.transform.UnrollLoop(), tir.transform.FlattenBuffer()]
    )(raw())
    assert isinstance(tir.transform.StorageRewrite()(flat), IRModule)


def test_passes_whose_work_is_done_elsewhere_leave_modules_as_they_are() -> None:
    A = te.placeholder((8,), name="A")
    B = te.compute((8,), lambda i: A[i] + 1.0, name="B")
    module = tewb.lower(B.op, [A, B])
    steps = [
        tir.transform.NarrowDataType(32),
        tir.transform.InjectDoubleBuffer(),
        tir.transform.MakePackedAPI(),
    ]
    assert Sequential(steps)(module) is module
    assert (
        steps[0].info.name == "tir.NarrowDataType"
        and tir.transform.HoistIfThenElse("basic")(module) is module
    )
    with pytest.raises(TewbError, match="tewb has no tir.transform.InstrumentBoundCheckers"):
        tir.transform.InstrumentBoundCheckers()


def test_functions_are_kept_by_a_condition() -> None:
    f = next(iter(raw().functions.values()))
    module = IRModule({name: f.with_attr("global_symbol", name) for name in ("f", "g")})
    assert list(tir.transform.Filter(lambda f: f.name == "g")(module).functions) == ["g"]
