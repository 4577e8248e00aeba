"""Expression nodes: what they hold, and what their docstrings say of division, as data computes it."""

from __future__ import annotations

import numpy as np
import pytest

from tewb.base import DType
from tewb.ir import (
    Add,
    And,
    Binary,
    Broadcast,
    Call,
    Cast,
    Compare,
    Div,
    Expr,
    FloatImm,
    FloorDiv,
    FloorMod,
    IntImm,
    Let,
    Max,
    Min,
    Mod,
    Mul,
    Not,
    Or,
    Ramp,
    Select,
    Shuffle,
    StringImm,
    Sub,
    Var,
    const,
    const_int,
    ops,
)  # fmt: skip

i, j = Var("i", DType("int32")), Var("j", DType("int32"))


def test_numbers_are_python_numbers_and_others_are_not() -> None:
    assert int(IntImm(7, i.dtype)) == 7 and float(FloatImm(0.5, DType("float32"))) == 0.5
    assert bool(IntImm(0, DType("bool"))) is False
    assert [10, 20][IntImm(1, i.dtype)] == 20
    assert StringImm("text").dtype == "handle" and StringImm("text").value == "text"


@pytest.mark.parametrize("cls", Compare.__subclasses__())
def test_comparisons_and_connectives_are_bool_by_default(cls: type) -> None:
    assert cls(i, j).dtype == "bool" and cls(i, j).children() == (i, j)
    assert cls(i, j).a is i and cls(i, j).b is j
    p = cls(i, j)
    assert And(p, p).dtype == Or(p, p).dtype == Not(p).dtype == "bool"


@pytest.mark.parametrize("cls", Binary.__subclasses__())
def test_operations_store_what_they_are_given_and_fold_nothing(cls: type) -> None:
    e = cls(const(1), const(0), i.dtype)
    assert type(e) is cls and (e.a.value, e.b.value, e.dtype) == (1, 0, "int32")
    assert cls.__match_args__ == ("a", "b", "dtype")


@pytest.mark.parametrize("a", [-7, -1, 0, 7, -(2**31), 2**31 - 1])
@pytest.mark.parametrize("b", [-3, -1, 0, 2])
def test_division_is_as_it_is_documented(a: int, b: int) -> None:
    x, y = const(a), const(b)
    if b == 0:
        return
    floor, rest = const_int(ops.floordiv(x, y)), const_int(ops.floormod(x, y))
    quotient, remainder = const_int(ops.truncdiv(x, y)), const_int(ops.truncmod(x, y))
    with np.errstate(over="ignore"):
        assert floor == np.int32(a) // np.int32(b) and rest == np.int32(a) % np.int32(b)
    assert remainder == int(np.fmod(np.int64(a), b))
    wanted = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
    assert quotient == (wanted if wanted <= 2**31 - 1 else -(2**31))


def test_vectors_say_how_many_lanes_they_have() -> None:
    ramp = Ramp(i, const(2), 4, DType("int32x4"))
    assert ramp.children() == (i, ramp.stride) and ramp.lanes == ramp.dtype.lanes == 4
    assert Broadcast(i, 8, DType("int32x8")).children() == (i,)
    lanes = Shuffle((ramp, i), (0, 4), DType("int32x2"))
    assert lanes.children() == (ramp, i) and lanes.indices == (0, 4)


def test_children_are_operands_and_not_names() -> None:
    t = Var("t", i.dtype)
    assert Let(t, i, t, i.dtype).children()[-1] is t
    assert Call("f", (i, j), i.dtype).children() == (i, j)
    assert Select(i < j, i, j, i.dtype).children()[1:] == (i, j)
    assert Cast(i, DType("int64")).children() == (i,)


def test_equality_builds_a_comparison_and_identity_is_asked_with_is() -> None:
    e: Expr = i == j  # type: ignore[assignment]
    assert type(e).__name__ == "EQ" and i in {i} and Var("i", i.dtype) not in {i}
    assert {type(op(i, j)) for op in (ops.add, ops.sub, ops.mul, ops.minimum, ops.maximum)} == {
        Add,
        Sub,
        Mul,
        Min,
        Max,
    }
    assert {type(op(i, j)) for op in (ops.floordiv, ops.floormod, ops.truncdiv, ops.truncmod)} == {
        FloorDiv, FloorMod, Div, Mod,
    }  # fmt: skip
