"""Expressions as data: each has a dtype, a text in `te`, and a value in numpy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

INTS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
FLOATS = ("float32", "float64")
DTYPES = (*INTS, "bool", *FLOATS)


@dataclass(frozen=True, slots=True)
class E:
    """`op` on `args`; `data` is the value of a constant, the identifier of a name, or the tensor of a load."""

    op: str
    dtype: str
    args: tuple[E, ...] = ()
    data: Any = None


def const(value: Any, dtype: str) -> E:
    return E("const", dtype, (), value)


def name(identifier: str, dtype: str) -> E:
    return E("name", dtype, (), identifier)


def load(tensor: str, dtype: str, *indices: E) -> E:
    return E("load", dtype, indices, tensor)


def cast(e: E, dtype: str) -> E:
    return e if e.dtype == dtype else E("cast", dtype, (e,))


def binary(op: str, a: E, b: E) -> E:
    """`a op b`; a difference of small constants, as sizes often are, is a constant."""
    if (
        op == "-"
        and a.op == b.op == "const"
        and a.dtype == b.dtype in ("int32", "int64")
        and 0 < b.data <= a.data
    ):
        return const(a.data - b.data, a.dtype)
    return E(op, "bool" if op in COMPARISONS else common(a.dtype, b.dtype), (a, b))


def is_float(dtype: str) -> bool:
    return dtype.startswith("float")


def least(dtype: str) -> int:
    return 0 if dtype == "bool" else int(np.iinfo(dtype).min)


def most(dtype: str) -> int:
    return 1 if dtype == "bool" else int(np.iinfo(dtype).max)


def walk(e: E) -> Iterator[E]:
    yield e
    for a in e.args:
        yield from walk(a)


def substitute(e: E, f: Callable[[E], E | None]) -> E:
    """`e` with every part that `f` has something for replaced by that."""
    new = f(e)
    return new if new is not None else replace(e, args=tuple(substitute(a, f) for a in e.args))


# ---------------------------------------------------------------- text

NUMBERS = ("int32", "float32")  # of numbers in Python
COMPARISONS = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal,
               "!=": np.not_equal}  # fmt: skip
_INFIX = ("+", "-", "*", "/", "//", "%", "&", "|", "^", "<<", ">>", *COMPARISONS)
_TAKES_NUMBERS = (*_INFIX, "te.min", "te.max", "te.truncdiv", "te.truncmod")


def text(e: E) -> str:
    """`e` as Python with `te`."""
    match e.op:
        case "const":
            return f'te.const({_number(e.data)}, "{e.dtype}")'
        case "name":
            return str(e.data)
        case "load":
            return f"{e.data}[{', '.join(_index_text(a) for a in e.args)}]" if e.args else f"{e.data}()"
        case "cast":
            return f'{text(e.args[0])}.astype("{e.dtype}")'
        case "neg":
            return f"(-{text(e.args[0])})"
        case "~":
            return f"(~{text(e.args[0])})"
    parts = [text(a) for a in e.args]
    if e.op in _TAKES_NUMBERS:
        parts = _with_plain_numbers(e, parts)
    if e.op in ("te.min", "te.max") and e.args[1].op == "name" and e.args[1].data.startswith("k"):
        parts[1] += ".var"  # as it stands it would be the axis to reduce over
    if e.op in _INFIX:
        return f"({parts[0]} {e.op} {parts[1]})"
    return f"{e.op}({', '.join(parts)})"


def _index_text(e: E) -> str:
    return str(e.data) if e.op == "const" and e.dtype == "int32" else text(e)


def _with_plain_numbers(e: E, parts: list[str]) -> list[str]:
    """A constant of the dtype that a number has by itself is written as that number, when it stands beside an
    expression; so is one of float64 beside another float64, where a number keeps its digits."""
    a, b = e.args
    plain = [
        x.op == "const" and y.op != "const" and (x.dtype in NUMBERS or x.dtype == y.dtype == "float64")
        for x, y in ((a, b), (b, a))
    ]
    return [_number(x.data) if p else t for x, t, p in zip(e.args, parts, plain, strict=True)]


def _number(value: Any) -> str:
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return f'float("{value}")'
    return repr(value)


def size_text(e: E) -> str:
    """A size of a shape: constants are plain numbers."""
    if e.op == "const":
        return str(e.data)
    return f"({' '.join((size_text(e.args[0]), e.op, size_text(e.args[1])))})" if e.args else text(e)


# ---------------------------------------------------------------- values


def _truncated(a: Any, b: Any, remainder: bool) -> Any:
    """a / b toward zero, or what remains; 0 for a divisor of 0."""
    safe = np.where(b == 0, np.ones_like(b), b)
    rest = np.where(b == 0, np.zeros_like(a), np.fmod(a, safe))
    return rest if remainder else np.where(b == 0, np.zeros_like(a), (a - rest) // safe)


def converted(x: Any, dtype: str) -> Any:
    """Floats become integers toward zero and stop at the ends of the range; NaN is 0."""
    if dtype == "bool":
        return x != 0
    if x.dtype.kind != "f" or is_float(dtype):
        return x.astype(dtype)
    low, high = least(dtype), most(dtype)
    cut = np.nan_to_num(np.trunc(x.astype("float64")), nan=0.0)
    inside = (cut > low) & (cut < float(high))
    ends = np.where(cut <= low, np.array(low, dtype), np.array(high, dtype))
    return np.where(inside, np.where(inside, cut, 0).astype(dtype), ends)


def common(a: str, b: str) -> str:
    """The dtype that operands are brought to: floats win, then the wider, then the one without a sign."""
    if a == b:
        return "int32" if a == "bool" else a
    floats = [d for d in (a, b) if is_float(d)]
    if floats:
        return max(floats)
    bits = {d: 1 if d == "bool" else 8 * np.dtype(d).itemsize for d in (a, b)}
    if bits[a] != bits[b]:
        return max(a, b, key=bits.__getitem__)
    return b if a.startswith("int") else a


def _popcount(x: Any) -> Any:
    return np.bitwise_count(x.view(f"uint{8 * x.dtype.itemsize}"))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.true_divide, "//": np.floor_divide, "%": np.mod,
    "&": np.bitwise_and, "|": np.bitwise_or, "^": np.bitwise_xor, "<<": np.left_shift, ">>": np.right_shift,
    "te.min": np.minimum, "te.max": np.maximum, "neg": np.negative, "~": np.invert, "te.abs": np.abs,
    "te.truncdiv": lambda a, b: _truncated(a, b, False), "te.truncmod": lambda a, b: _truncated(a, b, True),
    "te.popcount": _popcount, "te.floor": np.floor, "te.ceil": np.ceil, "te.trunc": np.trunc, "te.round": np.rint,
    "te.exp": np.exp, "te.sqrt": np.sqrt, "te.tanh": np.tanh, "te.isnan": np.isnan, "te.isfinite": np.isfinite,
    **COMPARISONS,
}  # fmt: skip


class Reader:
    """What the value of a load is: `read(tensor, indices, mask, certain)`; lanes outside of `mask` are not looked at."""

    def read(self, tensor: str, indices: list[Any], mask: Any, certain: bool) -> Any:
        raise NotImplementedError


def value(e: E, names: dict[str, Any], reader: Reader, mask: Any = True, certain: bool = True) -> Any:
    """The value of `e` at many points at once. `mask` says where it is evaluated, and `certain` whether what is
    not chosen by a `select` above would be looked at by nobody."""
    match e.op:
        case "const":
            return np.array(e.data, e.dtype)
        case "name":
            return np.asarray(names[e.data]).astype(e.dtype)
        case "load":
            indices = [value(_counted(a), names, reader, mask, certain) for a in e.args]
            return reader.read(e.data, indices, mask, certain)
        case "cast":
            return converted(value(e.args[0], names, reader, mask, certain), e.dtype)
        case "te.if_then_else":
            c = value(e.args[0], names, reader, mask, certain)
            x = value(e.args[1], names, reader, np.logical_and(mask, c), certain)
            y = value(e.args[2], names, reader, np.logical_and(mask, ~c), certain)
            return np.where(c, converted(x, e.dtype), converted(y, e.dtype))
        case "te.select":
            c = value(e.args[0], names, reader, mask, certain)
            x, y = (value(a, names, reader, mask, False) for a in e.args[1:])
            return np.where(c, converted(x, e.dtype), converted(y, e.dtype))
        case "te.all" | "te.any":
            a = value(e.args[0], names, reader, mask, certain)
            here = np.logical_and(mask, a if e.op == "te.all" else ~a)
            b = value(e.args[1], names, reader, here, False)
            return np.logical_and(a, b) if e.op == "te.all" else np.logical_or(a, b)
    parts = [value(a, names, reader, mask, certain) for a in e.args]
    if e.op in _TAKES_NUMBERS:
        together = (
            e.args[0].dtype if e.args[0].dtype == e.args[1].dtype else common(*(a.dtype for a in e.args))
        )
        together = e.dtype if e.op not in COMPARISONS else together
        parts = [converted(p, together) for p in parts]
    return np.asarray(FUNCTIONS[e.op](*parts)).astype(e.dtype)


_COUNTS = frozenset(("+", "-", "*", "//", "%", "te.min", "te.max", "neg"))


def _counted(index: E) -> E:
    """An index as it is counted: the arithmetic of its axes, sizes and elements does not wrap."""
    args = tuple(_counted(a) for a in index.args) if index.op in _COUNTS else index.args
    return E(
        index.op,
        "int64" if index.op in _COUNTS and index.dtype in ("int8", "int16", "int32") else index.dtype,
        args,
        index.data,
    )


def size(e: E, sizes: dict[str, int]) -> int:
    """A size as a number (without wrapping)."""
    if e.op == "const":
        return int(e.data)
    if e.op == "name":
        return sizes[e.data]
    a, b = (size(x, sizes) for x in e.args)
    return {"+": a + b, "-": a - b, "*": a * b}[e.op]
