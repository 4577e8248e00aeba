"""Axes: the ranges that computations run over, and reductions along them."""

from __future__ import annotations

from enum import Enum
from typing import Any

from tewb.base import DType
from tewb.ir.expressions import EQ, NE, Expr, Var
from tewb.ir.node import Node, alias, node
from tewb.ir.operators import Operators


class _RangeClass(type):
    """Takes the classic arguments of a range too: Python's numbers are where it begins and ends."""

    def __call__(cls, min_value: Any, extent: Any = None, span: Any = None) -> Any:
        if isinstance(extent, Node) and isinstance(min_value, Node):
            more = () if cls is Range else (span,)  # what else a kind of range has
            return type.__call__(cls, min_value, extent, *more)
        from tewb.ir.ops import match, sub  # the constructors sit above the axes

        begin, end = match(0, min_value) if extent is None else match(min_value, extent)
        return type.__call__(cls, begin, sub(end, begin))


@node
class Range(Node, metaclass=_RangeClass):
    """The integers min, min+1, ..., min+extent-1. Of numbers, as in classic TE, `Range(2, 8)` goes from 2 to 7."""

    min: Expr
    extent: Expr

    @staticmethod
    def from_min_extent(min_value: Any, extent: Any, span: Any = None) -> Range:
        """The range of `extent` integers from `min_value` on."""
        from tewb.ir.ops import match  # the constructors sit above the axes

        return Range(*match(min_value, extent))

    def __repr__(self) -> str:
        return f"Range({self.min!r}, {self.extent!r})"


class AxisKind(Enum):
    """What an axis stands for, and so what may be done with it."""

    DATA = "data"  # iterations are independent
    REDUCE = "reduce"  # iterations are combined by a reducer
    OPAQUE = "opaque"  # the inside of an extern: may not be touched
    ORDERED = "ordered"  # iterations must run in order
    THREAD = "thread"  # blocks or threads, which loops are bound to


class IterVar(Operators):
    """An axis: a variable with the range it runs over and the kind of its iterations. That of threads has a tag, such as
    "threadIdx.x".

    The numbers are classic: `iter_type` is one of them, and `stage.iter_var_attrs` has those that primitives set.
    """

    __slots__ = ("dom", "kind", "thread_tag", "var")
    DataPar, ThreadIndex, CommReduce, Ordered, DimInfo = range(5)
    Unrolled, Vectorized, Parallelized, Tensorized = range(5, 9)

    def __init__(self, dom: Range | None, var: Var, kind: AxisKind, thread_tag: str = "") -> None:
        self.dom, self.var, self.kind, self.thread_tag = dom, var, kind, thread_tag

    @property
    def name(self) -> str:
        return self.var.name

    @property
    def dtype(self) -> DType:
        return self.var.dtype

    @property
    def iter_type(self) -> int:
        """The kind as a number of classic TE: `IterVar.DataPar`, `IterVar.CommReduce`, ..."""
        return _ITER_TYPES[self.kind]

    def __eq__(self, other: object) -> Expr:  # type: ignore[override]
        """A comparison of values. With another axis it is false in an `if`, as in `k in stage.op.axis`; with None too."""
        return _of_axes(Operators.__eq__(self, other), other)

    def __ne__(self, other: object) -> Expr:  # type: ignore[override]
        """A comparison of values. With another axis it is true in an `if`; with None too."""
        return _of_axes(Operators.__ne__(self, other), other)

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        dom = "" if self.dom is None else f", {self.dom!r}"
        return f"IterVar({self.name}{dom}, {self.kind.value})"


def _of_axes(comparison: Expr, other: object) -> Expr:
    """`comparison` of an axis with `other`, which has a truth value when `other` is an axis too."""
    if isinstance(other, IterVar) and isinstance(comparison, EQ | NE):
        object.__setattr__(comparison, "of_axes", True)
    return comparison


_ITER_TYPES = {
    AxisKind.DATA: IterVar.DataPar,
    AxisKind.REDUCE: IterVar.CommReduce,
    AxisKind.OPAQUE: IterVar.DimInfo,
    AxisKind.ORDERED: IterVar.Ordered,
    AxisKind.THREAD: IterVar.ThreadIndex,
}


@node
class CommReducer(Node):
    """A commutative, associative combination of tuples: `result` of (lhs, rhs), and its `identity`. Both may use
    variables from outside, axes of the compute among them, and elements of tensors."""

    lhs: tuple[Var, ...]
    rhs: tuple[Var, ...]
    result: tuple[Expr, ...]
    identity: tuple[Expr, ...]
    name: str
    identity_element = alias("identity")


@node
class Reduce(Expr):
    """Component `index` of the combination of `source` over all values of `axes` for which `condition` holds."""

    combiner: CommReducer
    source: tuple[Expr, ...]
    axes: tuple[IterVar, ...]
    condition: Expr
    index: int
    init: tuple[Expr, ...]
    dtype: DType
    axis, value_index = alias("axes"), alias("index")
