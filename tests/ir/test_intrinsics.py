"""Math functions on expressions, and the calls that codegen knows."""

from __future__ import annotations

import pytest

from tewb.base import DType, DTypeError
from tewb.ir import Buffer, Call, Var, const, convert, intrinsics, load, script

x, d, i = (Var(name, DType(dtype)) for name, dtype in (("x", "float32"), ("d", "float64"), ("i", "int32")))


@pytest.mark.parametrize("name", intrinsics.UNARY_FLOAT)
def test_a_function_of_a_float_keeps_its_dtype_and_refuses_integers(name: str) -> None:
    f = getattr(intrinsics, name)
    for v in (x, d):
        assert script(f(v)) == f"T.{name}({v.name})" and f(v).dtype == v.dtype
    assert f.__name__ == name and name in (f.__doc__ or "")
    with pytest.raises(DTypeError, match=f"{name} takes floats, not int32") as e:
        f(i)
    assert e.value.hint == f"{name}(x.astype('float32'))"


@pytest.mark.parametrize("name", intrinsics.ROUNDING)
def test_an_integer_is_rounded_already(name: str) -> None:
    assert getattr(intrinsics, name)(i) is i and getattr(intrinsics, name)(x).dtype == "float32"


@pytest.mark.parametrize("name", intrinsics.PREDICATES)
def test_a_question_about_a_float_is_a_condition(name: str) -> None:
    f = getattr(intrinsics, name)
    assert f(x).dtype == "bool" and f(Var("v", DType("float32x4"))).dtype == "boolx4"
    assert f(i).value == (name == "isfinite") and f(convert(True)).dtype == "bool"
    with pytest.raises(DTypeError, match=f"{name} takes numbers, not handle"):
        f("text")


@pytest.mark.parametrize("name", intrinsics.BINARY_FLOAT)
def test_two_floats_are_brought_to_one_dtype(name: str) -> None:
    f = getattr(intrinsics, name)
    assert f(x, d).dtype == "float64" and f(x, 2).dtype == "float32"
    with pytest.raises(DTypeError, match=f"{name} takes floats, not int32"):
        f(i, 2)


def test_a_fused_product_has_three_operands_of_one_dtype() -> None:
    e = intrinsics.fma(x, 2, d)
    assert isinstance(e, Call) and {a.dtype for a in e.args} == {"float64"}
    with pytest.raises(DTypeError, match="fma takes floats, not int32"):
        intrinsics.fma(i, i, 1)


def test_bits_are_counted_of_integers() -> None:
    assert intrinsics.popcount(i).dtype == "int32"
    with pytest.raises(DTypeError, match="popcount takes integers, not float32"):
        intrinsics.popcount(x)


def test_the_dtype_that_text_leaves_out() -> None:
    def implied(name: str, *args: object) -> object:
        return intrinsics.implied_dtype(name, args)  # type: ignore[arg-type]

    assert implied("exp", x) == "float32" and implied("if_then_else", i < 3, x, d) == "float64"
    assert implied("tvm_tuple", x) == "handle" and implied("is_aligned", x) == "bool"
    assert implied("dot4", i, x, x) == "int32" and implied("exp") is None and implied("dot4") is None


def test_an_address_is_asked_without_reading_the_element() -> None:
    A = Buffer("A", DType("float32"), (const(9),))
    e = intrinsics.is_aligned(load(A, (i,)), 16)  # type: ignore[arg-type]
    assert script(e) == "T.is_aligned(T.address_of(A[i]), 16)" and e.dtype == "bool"


def test_classic_names_of_builtins_lose_their_prefix() -> None:
    assert intrinsics.call_intrin("float32", "tir.exp", x).op == "exp"  # type: ignore[attr-defined]
    assert intrinsics.call_intrin("int32", "popcount", 3).dtype == "int32"


def test_every_call_belongs_to_one_kind() -> None:
    kinds = (
        intrinsics.PURE,
        *map(frozenset, (intrinsics.STACK, intrinsics.EFFECTS, intrinsics.ADDRESSES, intrinsics.DOTS)),
        frozenset(intrinsics.PURE_CALLS),
    )
    assert sum(map(len, kinds)) == len(intrinsics.CALLS)


def test_constants_are_rounded_and_asked_at_once() -> None:
    half, nan = const(2.5), const(float("nan"))
    rounded = {name: getattr(intrinsics, name)(half).value for name in intrinsics.ROUNDING}
    assert rounded == {"floor": 2, "ceil": 3, "round": 2, "trunc": 2, "nearbyint": 2}
    assert (
        str(intrinsics.floor(const(-0.0))) == "T.float32(-0.0)"
        and intrinsics.ceil(const(float("inf"))).value > 9
    )
    assert [f(nan).value for f in (intrinsics.isnan, intrinsics.isinf, intrinsics.isfinite)] == [1, 0, 0]
