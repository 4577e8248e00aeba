"""Functions and modules."""

from __future__ import annotations

import dataclasses

import pytest

from tewb.base import DType, TewbError
from tewb.ir import Buffer, BufferStore, ExternRegion, IRModule, PrimFunc, Var, const, script

A = Buffer("A", DType("float32"), (const(8),))
F = PrimFunc("f", (A, Var("x", DType("float32"))), BufferStore(A, const(1.0), (const(0),)), (0,))


def test_a_function_is_its_text() -> None:
    assert str(F) == F.script() == script(F)
    assert F.script().splitlines()[0] == "@T.prim_func" and "x: T.float32" in F.script()


def test_a_module_has_functions_by_name() -> None:
    m = IRModule({"f": F, "g": PrimFunc("g", F.params, F.body)})
    assert m["f"] is F and str(m) == m.script() == script(m)
    assert m.script().count("@T.prim_func") == 2


def test_a_function_is_frozen_and_equal_to_itself_alone() -> None:
    with pytest.raises((dataclasses.FrozenInstanceError, AttributeError)):
        F.name = "g"  # type: ignore[misc]
    assert F == F and PrimFunc(F.name, F.params, F.body, F.outputs) != F
    assert PrimFunc("f", (), F.body).outputs == ()


def test_regions_of_foreign_code_are_equal_by_what_they_say() -> None:
    assert (
        ExternRegion("E") == ExternRegion("E", (), (), "idempotent")
        and len({ExternRegion("E"), ExternRegion("E")}) == 1
    )
    assert ExternRegion("E", ("A[8]",)) != ExternRegion("E") != ExternRegion("E", effect="pure")


def test_a_module_of_one_function_answers_as_that_did_in_v05() -> None:
    one, two = IRModule({"f": F}), IRModule({"f": F, "g": F})
    assert (one.name, one.args, one.body) == ("f", F.params, F.body)
    for word in ("name", "args", "body"):
        with pytest.raises(TewbError, match="the module has 2 functions, and each its"):
            getattr(two, word)
