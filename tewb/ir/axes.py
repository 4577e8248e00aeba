"""Axes: the ranges that computations run over, and reductions along them."""

from __future__ import annotations

from enum import Enum
from typing import Any

from tewb.base import DType
from tewb.ir.expressions import Expr, Var
from tewb.ir.node import Node, node
from tewb.ir.operators import Operators


@node
class Range(Node):
    """The integers min, min+1, ..., min+extent-1."""

    min: Expr
    extent: Expr

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
    "threadIdx.x"."""

    __slots__ = ("dom", "kind", "thread_tag", "var")

    def __init__(self, dom: Range | None, var: Var, kind: AxisKind, thread_tag: str = "") -> None:
        self.dom, self.var, self.kind, self.thread_tag = dom, var, kind, thread_tag

    @property
    def name(self) -> str:
        return self.var.name

    @property
    def dtype(self) -> DType:
        return self.var.dtype

    def __repr__(self) -> str:
        dom = "" if self.dom is None else f", {self.dom!r}"
        return f"IterVar({self.name}{dom}, {self.kind.value})"


@node
class CommReducer(Node):
    """A commutative, associative combination of tuples: `result` of (lhs, rhs), and its `identity`."""

    lhs: tuple[Var, ...]
    rhs: tuple[Var, ...]
    result: tuple[Expr, ...]
    identity: tuple[Expr, ...]
    name: str


@node
class Reduce(Expr):
    """Component `index` of the combination of `source` over all values of `axes` for which `condition` holds."""

    combiner: Any
    source: tuple[Expr, ...]
    axes: tuple[IterVar, ...]
    condition: Expr
    index: int
    init: tuple[Expr, ...]
    dtype: DType
