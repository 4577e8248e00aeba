"""What a result says of itself at the end of a cell: its text where it has one, else its fields in a line."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, TypeVar

from tewb.base.python_text import brief

T = TypeVar("T")

_FEW = 4  # elements that are written out
_LONGEST = 200  # characters of a line


def readable(cls: type[T]) -> type[T]:
    """Give a dataclass a repr for people: what `str` says where the class defines it, else one line of its fields."""
    has_text = "__str__" in vars(cls)
    cls.__repr__ = cls.__str__ if has_text else in_a_line  # type: ignore[method-assign]
    return cls


def in_a_line(x: object) -> str:
    """A dataclass as one line: the fields that are not as they are by default, what is long cut."""
    said = [(f, getattr(x, f.name)) for f in fields(x) if f.repr]  # type: ignore[arg-type]
    inside = ", ".join(f"{f.name}={_shown(value)}" for f, value in said if not _is_default(f, value))
    return f"{type(x).__name__}({brief(inside, _LONGEST)})"


def _is_default(f: Field[Any], value: object) -> bool:
    default = f.default if f.default_factory is MISSING else f.default_factory()
    return type(default) is type(value) and repr(default) == repr(value)


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple | set | frozenset | dict) and len(value) > _FEW:
        return f"<{len(value)} of them>"
    if isinstance(value, list | tuple) and any(map(is_dataclass, value)):
        return f"[{', '.join(map(_shown, value))}]"
    return brief(repr(value), _LONGEST // 3)


def digits(x: float, zeros: bool = False) -> str:
    """A number with three digits that count, without an exponent where it is large: `0.0046`, `12.3`, `1,230`.
    With `zeros`, those at the end too: `2.00`."""
    if 999.5 <= abs(x) < 1e15:
        return f"{x:,.0f}"
    return f"{x:#.3g}".rstrip(".") if zeros else f"{x:.3g}"
