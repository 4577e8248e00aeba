"""Constants fold as data computes: integers wrap, floats are rounded to their dtype."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import DTypeError
from tewb.ir import Expr, FloatImm, IntImm, ops
from tewb.testing import evaluate

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
DTYPES = (*INTEGERS, "bool", "float32", "float64")

UNARY: dict[str, Callable[[Any], Any]] = {
    "neg": lambda x: -x,
    "abs": abs,
    "not": lambda x: ~x,
    **{f"as {dtype}": (lambda x, dtype=dtype: te.cast(x, dtype)) for dtype in DTYPES},
}
DIVISIONS: dict[str, Callable[[Any, Any], Any]] = {
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "truncdiv": te.truncdiv,
    "truncmod": te.truncmod,
    "/": lambda a, b: a / b,
}
SHIFTS: dict[str, Callable[[Any, Any], Any]] = {"<<": lambda a, b: a << b, ">>": lambda a, b: a >> b}
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    "==": ops.equal,
    "min": te.min,
    "max": te.max,
    **DIVISIONS,
    **SHIFTS,
}


def edges(dtype: str) -> list[Any]:
    if dtype == "bool":
        return [False, True]
    if dtype.startswith("float"):
        return [0.0, -0.0, 1.5, -2.5, 0.1, 16777217.0, 1e10, -1e10, 1e30, 3.4e38]
    lo, hi = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    return sorted({lo, lo + 1, 0, 1, 2, 3, 7, hi // 2 + 1, hi - 1, hi, *((-1, -2, -7) if lo else ())})


def on_data(f: Callable[..., Any], dtype: str, columns: list[list[Any]]) -> np.ndarray | None:
    """What a kernel computes for rows of values; None for what `f` refuses on data."""
    n = len(columns[0])
    inputs = [te.placeholder((n,), dtype, f"A{i}") for i in range(len(columns))]
    try:
        C = te.compute((n,), lambda i: f(*[A[i] for A in inputs]), name="C")
    except DTypeError:
        return None
    out = np.zeros(n, str(C.dtype))
    tewb.build(te.create_schedule(C.op), [*inputs, C])(*[np.array(c, dtype) for c in columns], out)
    return out


def assert_is(e: Expr, value: Any) -> None:
    """A constant is the element `value`; what did not fold has its dtype."""
    assert str(e.dtype) == str(value.dtype)
    if isinstance(e, IntImm | FloatImm):
        with np.errstate(over="ignore"):
            np.testing.assert_array_equal(np.array(e.value, dtype=value.dtype), value)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("dtype", DTYPES)
def test_one_constant_folds_as_data(dtype: str) -> None:
    values = edges(dtype)
    for f in UNARY.values():
        computed = on_data(f, dtype, [values])
        if computed is not None:
            for v, wanted in zip(values, computed, strict=True):
                assert_is(f(te.const(v, dtype)), wanted)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sign", BINARY)
def test_two_constants_fold_as_data(sign: str, dtype: str) -> None:
    f = BINARY[sign]
    pairs = list(itertools.product(edges(dtype), repeat=2))
    if sign in DIVISIONS:
        pairs = [(a, b) for a, b in pairs if b != 0]
    if sign in SHIFTS:
        bits = np.dtype(dtype).itemsize * 8 if dtype in INTEGERS else 1
        pairs = [(a, b) for a, b in pairs if 0 <= b < bits]
    computed = on_data(f, dtype, [list(c) for c in zip(*pairs, strict=True)])
    if computed is not None:
        for (a, b), wanted in zip(pairs, computed, strict=True):
            assert_is(f(te.const(a, dtype), te.const(b, dtype)), wanted)


OPERATIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    **{name: (1, f) for name, f in UNARY.items()},
    **{name: (2, f) for name, f in BINARY.items()},
    **{f"** {n}": (1, lambda x, n=n: x**n) for n in (0, 1, 2, 5)},
    **{
        name: (1, getattr(te, name))
        for name in ("floor", "ceil", "round", "trunc", "isnan", "isinf", "popcount")
    },
    "fmod": (2, te.fmod),
    "copysign": (2, te.copysign),
    "!=": (2, ops.not_equal),
    "select": (3, lambda c, a, b: te.select(c != 0, a, b)),
    "if_then_else": (3, lambda c, a, b: te.if_then_else(c != 0, a, b)),
    "and": (2, lambda a, b: te.all(a != 0, b != 0)),
    "or": (2, lambda a, b: te.any(a != 0, b != 0)),
}


def some_values(dtype: str, count: int, rng: np.random.Generator) -> np.ndarray:
    """Edges of a dtype, and numbers anywhere in it."""
    made = np.array(rng.choice(np.array([*edges(dtype), *edges(dtype)[:1]], object), count), dtype)
    if dtype.startswith("float"):
        rest = np.concatenate([rng.uniform(-100, 100, count - 3), [np.nan, np.inf, -np.inf]])
    else:
        info = np.iinfo("uint8" if dtype == "bool" else dtype)
        rest = rng.integers(info.min, info.max, count, info.dtype, endpoint=True)
    return np.where(rng.random(count) < 0.5, made, rest.astype(dtype)).astype(dtype)


def means_nothing(name: str, dtype: str, a: Any, b: Any) -> bool:
    """Whether constants are refused that data has a result for: such a program has a mistake in it."""
    if dtype.startswith("float"):
        return False
    if name in SHIFTS:
        bits = np.dtype(dtype).itemsize * 8 if dtype in INTEGERS else 32
        return not 0 <= int(b) < bits
    return name in DIVISIONS and b == 0


def kernel_of(
    f: Callable[..., Any], inputs: list[Any], arrays: list[Any], shape: tuple[int, ...]
) -> list[Any]:
    """What a kernel of `f`, whose results may be several, stores."""
    made = te.compute(shape, f, name="C")
    outputs = list(made) if isinstance(made, list | tuple) else [made]
    results = [np.zeros(shape, str(t.dtype)) for t in outputs]
    tewb.build(te.create_schedule(outputs[0].op), [*inputs, *outputs])(*arrays, *results)
    return results


@pytest.mark.one_in(5)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", OPERATIONS)
def test_constants_kernels_and_the_reference_agree_bit_for_bit(name: str, dtype: str) -> None:
    """A random operation on random operands: of data, of constants, of both, and in numpy."""
    arity, f = OPERATIONS[name]
    rng = np.random.default_rng([len(name), *name.encode(), *dtype.encode()])
    n = 8
    columns = [some_values(dtype, n, rng) for _ in range(arity)]
    if arity == 2:
        rows = [j for j in range(n) if not means_nothing(name, dtype, columns[0][j], columns[1][j])]
        columns = [c[rows] for c in columns]
        n = len(rows)
        if n == 0:
            return
    inputs = [te.placeholder((n,), dtype, f"A{i}") for i in range(arity)]
    try:
        f(*[A[0] for A in inputs])
    except DTypeError:
        with pytest.raises(DTypeError):  # refused of data, and so of constants
            f(*[te.const(c[0].item(), dtype) for c in columns])
        return
    (data,) = kernel_of(lambda i: f(*[A[i] for A in inputs]), inputs, columns, (n,))
    C = te.compute((n,), lambda i: f(*[A[i] for A in inputs]), name="C")
    (reference,) = evaluate([C], dict(zip(inputs, columns, strict=True)))
    same_bits(reference, data)
    constants = [[te.const(x.item(), dtype) for x in c] for c in columns]
    folded = kernel_of(lambda i: tuple(f(*row) for row in zip(*constants, strict=True)), [], [], (1,))
    same_bits(np.concatenate(folded), data)
    if arity == 2:
        for side in (0, 1):
            other = 1 - side
            half = kernel_of(
                lambda i, side=side, other=other: tuple(
                    f(*((c, inputs[other][j]) if side == 0 else (inputs[other][j], c)))
                    for j, c in enumerate(constants[side])
                ),
                [inputs[other]],
                [columns[other]],
                (1,),
            )
            same_bits(np.concatenate(half), data)


def same_bits(got: Any, wanted: Any) -> None:
    """Equal, zeros with their signs, and NaN for NaN."""
    assert got.dtype == wanted.dtype
    np.testing.assert_array_equal(got, wanted)
    if got.dtype.kind == "f":
        real = ~np.isnan(wanted)
        np.testing.assert_array_equal(np.signbit(got[real]), np.signbit(wanted[real]))


def test_the_reference_counts_the_bits_of_negative_numbers() -> None:
    A = te.placeholder((4,), "int8", "A")
    C = te.compute((4,), lambda i: te.popcount(A[i]), name="C")
    (counted,) = evaluate([C], {A: np.array([-1, -128, 0, 5], "int8")})
    np.testing.assert_array_equal(counted, np.array([8, 1, 0, 2], "int8"))
    assert counted.dtype == "int8"


@pytest.mark.parametrize(
    ("folded", "value"),
    [
        (lambda: -te.const(-128, "int8"), -128),
        (lambda: abs(te.const(-128, "int8")), -128),
        (lambda: -te.const(1, "uint8"), 255),
        (lambda: te.const(-128, "int8") // te.const(-1, "int8"), -128),
        (lambda: te.const(64, "int8") << te.const(1, "int8"), -128),
        (lambda: te.const(200, "uint8") * te.const(2, "uint8"), 144),
        (lambda: te.const(1.0) / te.const(4.0), 0.25),
        (lambda: te.const(0.1, "float32").astype("float64"), float(np.float32(0.1))),
        (lambda: te.const((1 << 62) + (1 << 38) + 1, "int64").astype("float32"), float(2**62 + 2**39)),
        (lambda: 1 << te.const(3), 8),
        (lambda: 6 ^ te.const(3), 5),
    ],
)
def test_constants_wrap_and_round(folded: Callable[[], Any], value: float) -> None:
    assert folded().value == value


@pytest.mark.parametrize(
    ("value", "dtype", "said"),
    [
        (300, "int8", "300 does not fit int8"),
        (-1, "uint64", "-1 does not fit uint64"),
        (10**5000, "int8", "a number of 16610 bits does not fit int8"),
        (10**5000, "float32", "a number of 16610 bits does not fit float32"),
        (0.5, "int32", "0.5 is not an integer"),
        (np.float32(2.5), "int32", "2.5 is not an integer"),
        (np.float64("nan"), "int32", "nan is not an integer"),
        ("3", "int32", "a str cannot be a constant of dtype int32"),
        (None, "float32", "a NoneType cannot be a constant of dtype float32"),
        (1j, "float32", "a complex cannot be a constant"),
        (1, "int\uff17", "unknown dtype"),
        (1, "int032", "unknown dtype"),
        (1, "float32x9999999999", "unknown dtype"),
        (1, "float17", "unknown dtype"),
    ],
    ids=lambda x: str(x)[:20] if isinstance(x, str) else type(x).__name__,
)
def test_what_is_no_constant_of_a_dtype_is_refused(value: Any, dtype: str, said: str) -> None:
    with pytest.raises(DTypeError, match=said):
        te.const(value, dtype)


def test_numpy_dtypes_go_by_their_names() -> None:
    assert te.placeholder((4,), np.int8).dtype == te.placeholder((4,), np.dtype("int8")).dtype == "int8"


def test_div_by_name_is_the_division_of_c() -> None:
    assert [te.div(te.const(a), b).value for a, b in ((7, 2), (-7, 2), (7, -2))] == [3, -3, -3]  # type: ignore[attr-defined]
    x, y = te.var("x", "int64"), te.var("y", "float32")
    assert tewb.ir.structural_equal(te.div(x, 3), te.truncdiv(x, 3))
    assert tewb.ir.structural_equal(tewb.tir.div(y, 3), y / 3) and te.div(y, 3).dtype == "float32"
    with pytest.raises(DTypeError, match="does not say how to round"):
        x / 3
