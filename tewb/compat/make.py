"""`tvm.make`: statements and expressions as v0.5 and v0.6 made them. Since v0.7 they are the classes of `tvm.tir`."""

from __future__ import annotations

from typing import Any

from tewb import tir
from tewb.ir import Range, seq

__all__ = [
    "Add", "Allocate", "And", "AssertStmt", "AttrStmt", "Block", "Broadcast", "Call", "Cast", "Div", "EQ", "Evaluate", "FloatImm",
    "For", "GE", "GT", "IfThenElse", "IntImm", "LE", "LT", "LetStmt", "Max", "Min", "Mod", "Mul", "NE", "Not", "Or",
    "Ramp", "Select", "StringImm", "Sub", "Var", "node", "range_by_min_extent",
]  # fmt: skip

Add, And, AssertStmt, AttrStmt, Broadcast, Cast, Div, EQ, GE, GT, LE, LT, NE = (
    tir.Add, tir.And, tir.AssertStmt, tir.AttrStmt, tir.Broadcast, tir.Cast, tir.Div, tir.EQ, tir.GE, tir.GT, tir.LE, tir.LT,
    tir.NE,
)  # fmt: skip
Evaluate, FloatImm, IfThenElse, IntImm, LetStmt, Max, Min, Mod, Mul, Not, Or, Ramp, Select, StringImm, Sub, Var = (
    tir.Evaluate, tir.FloatImm, tir.IfThenElse, tir.IntImm, tir.LetStmt, tir.Max, tir.Min, tir.Mod, tir.Mul, tir.Not, tir.Or,
    tir.Ramp, tir.Select, tir.StringImm, tir.Sub, tir.Var,
)  # fmt: skip
range_by_min_extent = Range.from_min_extent


def Block(first: Any, rest: Any) -> Any:
    """Two statements, one after the other."""
    return seq(first, rest)


def For(loop_var: Any, min_val: Any, extent: Any, for_type: int, device_api: int, body: Any) -> Any:
    """A loop; `for_type` is 0 for serial, 1 for parallel, 2 for vectorized, 3 for unrolled. `device_api` is 0 here."""
    return tir.For(loop_var, min_val, extent, for_type, body)


def Allocate(buffer_var: Any, dtype: Any, extents: Any, condition: Any, body: Any) -> Any:
    """Memory for `body`."""
    return tir.Allocate(buffer_var, dtype, extents, condition, body)


def Call(
    dtype: Any, name: str, args: Any, call_type: Any = None, func: Any = None, value_index: int = 0
) -> Any:
    """A call of the builtin `name`."""
    return tir.Call(dtype, name, args)


def node(type_key: str, **fields: Any) -> Any:
    """The object of a classic class by its name: `node("Range", min=0, extent=4)`."""
    if type_key == "Range":
        return Range.from_min_extent(fields["min"], fields["extent"])
    return getattr(tir, type_key)(**fields)
