"""The IR: constructors fold and match dtypes as numpy would, text is canonical, nodes are frozen."""

from __future__ import annotations

import numpy as np
import pytest

import tewb
from tests.programs import matmul, schedule_for
from tewb.base import DType, DTypeError, ShapeError, TewbError
from tewb.ir import (
    Add,
    Buffer,
    BufferStore,
    For,
    ForKind,
    Var,
    const,
    convert,
    first_difference,
    ops,
    replace,
    rewriter,
    script,
    structural_equal,
    substitute,
)

i, j = Var("i", DType("int32")), Var("j", DType("int32"))
x = Var("x", DType("float32"))
u = Var("u", DType("uint8"))


def test_dtypes_are_strings_that_know_their_parts() -> None:
    d = DType("float32x16")
    assert (d, d.kind, d.bits, d.lanes, d.nbytes, d.element) == ("float32x16", "float", 32, 16, 64, "float32")
    assert DType("float32") is DType("float32x1") and DType("bool").nbytes == 1
    assert (DType("int"), DType("uint"), DType("float")) == ("int32", "uint32", "float32")
    for wrong in ("float31", "intx", "complex64", "uint128", "floatx4", float, int):
        with pytest.raises(TypeError, match="unknown dtype"):
            DType(wrong)


@pytest.mark.parametrize(
    ("e", "dtype"),
    [
        (i + 1, "int32"),
        (i + 1.5, "float32"),
        (x + 1, "float32"),
        (u + i, "int32"),
        (x * const(2.0, "float64"), "float64"),
        (i < 3, "bool"),
        (convert(1 << 40), "int64"),
        (convert(np.float64(2)), "float64"),
    ],
    ids=lambda v: v if isinstance(v, str) else script(v),
)
def test_dtypes_are_matched(e: object, dtype: str) -> None:
    assert e.dtype == dtype  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("e", "text"),
    [
        (const(3) + 4, "7"),
        (const(250, "uint8") + const(10, "uint8"), "T.uint8(4)"),
        (const(-7) // 2, "-4"),
        (const(-7) % 4, "1"),
        (ops.truncdiv(const(-7), 2), "-3"),
        (const(1.0) / const(4.0), "T.float32(0.25)"),
        (i + 0, "i"),
        (i * 0, "0"),
        (x * 1.0, "x"),
        (x + 0.0, "x + T.float32(0.0)"),  # -0.0 + 0.0 is 0.0: not the same
        ((i + 1) * 2, "(i + 1) * 2"),
        (i - (j - 1), "i - (j - 1)"),
        (ops.all_of(i < 1, ops.any_of(j < 2, i > 3)), "i < 1 and (j < 2 or i > 3)"),
        (ops.if_then_else(i < 1, x, 2.0), "T.if_then_else(i < 1, x, T.float32(2.0))"),
        (ops.cast(i, "float32"), 'T.Cast("float32", i)'),
        (ops.ramp(i, 2, 4), "T.Ramp(i, 2, 4)"),
    ],
)
def test_folding_and_text(e: object, text: str) -> None:
    assert script(e) == text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (lambda: i / 2, "does not say how to round"),
        (lambda: i // 0, "division by zero"),
        (lambda: u + 300, "300 does not fit uint8"),
        (lambda: tewb.te.exp(i), "exp takes floats, not int32"),
        (lambda: ops.logical_and(i, j), "logical_and takes conditions"),
        (lambda: i << 40, "shift of int32 by 40"),
        (lambda: Buffer("A", DType("float32"), (const(4),))[i, j], "A has 1 dimensions, not 2"),
        (lambda: convert(object()), "cannot be part of an expression"),
    ],
)
def test_mistakes_are_explained(mistake: object, said: str) -> None:
    with pytest.raises((DTypeError, ShapeError), match=said):
        mistake()  # type: ignore[operator]


def test_an_expression_has_no_truth_value() -> None:
    with pytest.raises(TewbError, match="no truth value"):
        bool(i < 3)


def test_nodes_are_frozen_in_tests() -> None:
    e = Add(i, j, i.dtype)
    with pytest.raises(AttributeError, match="Add.a is frozen"):
        e.a = j  # type: ignore[misc]
    assert replace(e, a=j).a is j and e.a is i


def test_rewriting_returns_what_did_not_change() -> None:
    b = Buffer("B", DType("int32"), (const(8),))
    loop = For(i, const(0), const(8), ForKind.SERIAL, BufferStore(b, i + j, (i,)))
    assert rewriter({})(loop) is loop
    assert substitute(loop, {x: x}) is loop
    assert script(substitute(loop, {j: const(5)})).endswith("B[i] = i + 5")


def test_structural_equality_matches_what_is_bound() -> None:
    inputs, outputs = matmul(4, 5, 6)
    one = tewb.lower(schedule_for(outputs), inputs + outputs)
    inputs2, outputs2 = matmul(4, 5, 6)
    two = tewb.lower(schedule_for(outputs2), inputs2 + outputs2)
    assert structural_equal(one, two)
    s = schedule_for(outputs2)
    s["C"].reorder("j", "i")
    assert "body" in str(first_difference(one, tewb.lower(s, inputs2 + outputs2)))
    assert not structural_equal(i + j, j + i)


def test_text_is_valid_python() -> None:
    import ast

    inputs, outputs = matmul(10, 12, 8)
    s = schedule_for(outputs)
    s.cache_write(outputs[0], "local")
    s["C"].tile("i", "j", 4, 4)
    ast.parse(str(tewb.lower(s, inputs + outputs)))
