"""Data types by name: `float32`, `bfloat16`, `int8`, `bool`, `handle`, and vectors such as `float32x16`."""

from __future__ import annotations

import difflib
import re

from tewb.base.errors import DTypeError
from tewb.base.python_text import brief
from tewb.base.span import here

_PATTERN = re.compile(r"(float|bfloat|int|uint|bool|handle|void)([1-9][0-9]?)?(?:x([1-9][0-9]{0,6}))?")
_UINT1 = re.compile(r"uint1(?=x|$)")  # classic TE has two names for truth values
_WIDTHS = {
    "float": {16, 32, 64},
    "bfloat": {16},
    "int": {1, 2, 4, 8, 16, 32, 64},
    "uint": {2, 4, 8, 16, 32, 64},
}
_HAS = "tewb has float16/32/64, bfloat16, int8..64, uint8..64, their kin of 1, 2 and 4 bits, and bool"


class DType(str):
    """A dtype that equals its name as a string and knows its parts.

    `kind` is float, bfloat, int, uint, bool, handle or void (what a C function returns); `bits` is the width of one lane; `lanes` is 1 for a
    scalar. `nbytes` is what a value takes in memory, where lanes of less than 8 bits have a byte each. uint1 is bool by
    another name. Raises DTypeError for a name that tewb does not have.
    """

    __slots__ = (
        "bits",
        "element",
        "ends",
        "is_bool",
        "is_float",
        "is_int",
        "is_sub_byte",
        "kind",
        "lanes",
        "nbytes",
    )
    kind: str
    bits: int
    lanes: int
    nbytes: int
    ends: tuple[int, int]  # the smallest and the largest value of an integer or boolean dtype
    is_sub_byte: bool  # bool, and integers of 1, 2 and 4 bits
    element: DType
    is_float: bool
    is_int: bool
    is_bool: bool

    _known: dict[str, DType] = {}  # noqa: RUF012  (one table for all dtypes, filled on first use)

    def __new__(cls, name: str) -> DType:
        known = cls._known.get(name) if isinstance(name, str) else None
        if known is not None:
            return known
        given: object = name
        if given is float or given is int:
            raise _unknown(given.__name__, "Python's own numbers have 64 bits, or any number of them")
        # numpy's own dtypes and scalar types go by their names.
        return cls._make(str(getattr(name, "__name__", name)))

    @classmethod
    def _make(cls, name: str) -> DType:
        match = _PATTERN.fullmatch(_UINT1.sub("bool", name))
        if match is None:
            raise _unknown(name, _HAS)
        kind, lanes = match[1], int(match[3] or 1)
        width = match[2] or ("32" if name in _WIDTHS else "")  # classic words: "float", "int", "uint"
        if (
            lanes < 1
            or (kind in _WIDTHS and int(width or 0) not in _WIDTHS[kind])
            or (kind in ("handle", "void") and width)
        ):
            raise _unknown(name, _HAS)
        if kind == "bool" and width not in ("", "1"):
            raise _unknown(name, "a boolean is written bool")
        element = f"{kind}{width}" if kind in _WIDTHS else kind
        canonical = element if lanes == 1 else f"{element}x{lanes}"
        if canonical in cls._known:
            cls._known[name] = cls._known[canonical]
            return cls._known[name]
        self = str.__new__(cls, canonical)
        self.kind, self.lanes = kind, lanes
        self.bits = {"bool": 1, "handle": 64, "void": 8}.get(kind) or int(width)
        self.nbytes = max(1, self.bits // 8) * lanes
        self.is_float, self.is_int, self.is_bool = (
            kind in ("float", "bfloat"),
            kind in ("int", "uint"),
            kind == "bool",
        )
        self.is_sub_byte = self.bits < 8
        half = 1 << (self.bits - 1)
        self.ends = (-half, half - 1) if kind == "int" else (0, 2 * half - 1)
        self.element = self if lanes == 1 else DType(element)
        cls._known[canonical] = cls._known[name] = self
        return self

    def with_lanes(self, lanes: int) -> DType:
        """The same element type with `lanes` lanes."""
        return self.element if lanes == 1 else DType(f"{self.element}x{lanes}")

    def min_value(self) -> int:
        """Smallest value of an integer or boolean dtype."""
        return self.ends[0]

    def max_value(self) -> int:
        """Largest value of an integer or boolean dtype."""
        return self.ends[1]

    def __reduce__(self) -> tuple[type[DType], tuple[str]]:
        return (DType, (str(self),))


def _unknown(name: str, known: str) -> DTypeError:
    names = ("bool", *(f"{kind}{bits}" for kind, widths in _WIDTHS.items() for bits in widths))
    close = difflib.get_close_matches(str(name), names, 1)
    hint = f'did you mean "{close[0]}"?' if close else 'a dtype is written as text, "float32"'
    return DTypeError(f"unknown dtype {brief(repr(name))}; {known}", hint=hint, span=here())


INT32 = DType("int32")
INT64 = DType("int64")
UINT64 = DType("uint64")
FLOAT16 = DType("float16")
BFLOAT16 = DType("bfloat16")
FLOAT32 = DType("float32")
FLOAT64 = DType("float64")
BOOL = DType("bool")
HANDLE = DType("handle")
