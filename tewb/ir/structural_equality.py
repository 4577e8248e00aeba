"""Structural equality: the same shape, with bound variables and buffers matched up in order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tewb.base import Map, TewbError, any_depth, here
from tewb.ir.axes import CommReducer, IterVar, Reduce
from tewb.ir.buffers import Buffer, Producer
from tewb.ir.expressions import Expr, FloatImm, Let, Var
from tewb.ir.functions import IRModule, PrimFunc
from tewb.ir.node import Node
from tewb.ir.ops import const
from tewb.ir.origin import Origin
from tewb.ir.statements import Allocate, AttrStmt, For, LetStmt, Seq
from tewb.ir.threads import launched


class StructuralDifference(TewbError, ValueError):
    """Two nodes that were said to be the same, and are not."""


def structural_equal(a: Any, b: Any, map_free_vars: bool = False) -> bool:
    """Whether two nodes, functions or modules are the same up to the names of what they bind.

    Free variables must be the same objects unless `map_free_vars`. Buffers are matched up as what is bound, also free ones,
    as in classic TE: one load of any buffer equals that of another one that is laid out alike. Provenance, and how
    statements in sequence are grouped, is not compared. Lists, tuples and dicts of nodes are compared by what is in them, and a number is the
    constant that it is in an expression.
    """
    return first_difference(a, b, map_free_vars=map_free_vars) is None


@any_depth
def is_same_expression(a: Any, b: Any) -> bool:
    """Whether two expressions, or tuples of them, have one value: `structural_equal`, of the same buffers."""
    return a is b or _Matcher(False, same_buffers=True).differ(a, b) is None


def assert_structural_equal(a: Any, b: Any, map_free_vars: bool = False) -> None:
    """Raise StructuralDifference, which is a ValueError, where `structural_equal` is false."""
    path = first_difference(a, b, map_free_vars=map_free_vars)
    if path is not None:
        raise StructuralDifference(
            f"they differ at {path}:\n{a}\nand\n{b}", hint="first_difference(a, b) tells where", span=here()
        )


@any_depth
def structural_hash(n: Any, map_free_vars: bool = False) -> int:
    """A number that is the same for nodes that are structurally equal. (Names do not count, nor which variable is
    which.)"""
    memo: dict[int, int] = {}

    def of(x: Any) -> int:
        match x:
            case IRModule():
                return hash(tuple((name, of(f)) for name, f in x.functions.items()))
            case PrimFunc():
                return hash((tuple(of(p) for p in x.params), x.outputs, of(x.body)))
            case Buffer():
                return hash((x.dtype, x.scope, of(x.shape), of(x.strides), of(x.elem_offset)))
            case Var():
                return hash(x.dtype)
            case Seq():
                flat = _statements(x)
                return of(flat[0]) if len(flat) == 1 else of(flat)
            case tuple() | list():
                return hash(tuple(of(y) for y in x))
            case IterVar():
                return hash(x.thread_tag or (x.kind, of(x.dom)))
            case FloatImm():
                return hash((x.dtype, "nan" if math.isnan(x.value) else x.value))
            case Node():
                if id(x) not in memo:
                    left_out = ("origin", "name") if isinstance(x, CommReducer) else ("origin",)
                    values = [getattr(x, f) for f in x.field_names if f not in left_out]
                    memo[id(x)] = hash((type(x).__name__, *map(of, values)))
                return memo[id(x)]
            case Producer():
                return id(x)
        try:
            return hash(x)
        except TypeError:  # such as the node of an attribute
            return hash(type(x))

    def of_content(x: Any) -> int:
        match x:
            case bool() | int() | float():
                return of(const(x))
            case tuple() | list():
                return hash(tuple(of_content(y) for y in x))
            case dict() | Map():
                return hash((len(x), sum(of_content(y) for y in x.values())))
        return of(x)

    return of_content(n)


@any_depth
def first_difference(a: Any, b: Any, *, map_free_vars: bool = False) -> str | None:
    """Where `a` and `b` first differ, as a path such as `body.stmts[1].value`; None when they are equal."""
    path = _Matcher(map_free_vars).differ(a, b)
    return path if path is None else path.removeprefix(".") or "."


class _Matcher:
    def __init__(self, map_free: bool, same_buffers: bool = False) -> None:
        self.map_free, self.same_buffers = map_free, same_buffers
        self.vars: dict[Var, Var] = {}
        self.back: dict[Var, Var] = {}
        # Pairs of nodes, by id, that are equal with the variables bound as they are now.
        self.equal: set[tuple[int, int]] = set()

    def bind(self, a: Var, b: Var) -> bool:
        if a in self.vars or b in self.back:
            return self.vars.get(a) is b and self.back.get(b) is a
        self.vars[a], self.back[b] = b, a
        return a.dtype is b.dtype

    def differ(self, a: Any, b: Any) -> str | None:
        """The path from `a` and `b` to where they differ, empty where they differ themselves; None when they are
        equal."""
        here = ""
        if isinstance(a, Var) and isinstance(b, Var):
            if a in self.vars or b in self.back or self.map_free:
                return None if self.bind(a, b) else here
            return None if a is b else here
        if isinstance(a, Seq) or isinstance(b, Seq):
            return _below(".stmts", self.fields(_statements(a), _statements(b)))
        if type(a) is not type(b):
            a, b = _alike(a, b), _alike(b, a)
            if type(a) is not type(b):
                return here
        if isinstance(a, Buffer):
            return self.buffer(a, b)
        if isinstance(a, IRModule):
            return self.fields(list(a.functions.items()), list(b.functions.items()))
        if isinstance(a, PrimFunc):
            return self.function(a, b)
        if isinstance(a, FloatImm):
            same = a.dtype is b.dtype and (
                a.value == b.value or (math.isnan(a.value) and math.isnan(b.value))
            )
            return None if same else here
        if isinstance(a, Producer):
            return None if a is b else here
        if isinstance(a, Node):
            pair = (id(a), id(b))
            if pair in self.equal:
                return None
            difference = self.node(a, b)
            if difference is None:
                self.equal.add(pair)
            return difference
        if isinstance(a, tuple | list):
            return self.fields(a, b)
        if isinstance(a, dict | Map):
            return self.mapping(a, b)
        if isinstance(a, IterVar):
            return self.axis(a, b)
        return None if a == b else here

    def mapping(self, a: Any, b: Any) -> str | None:
        """Text and numbers are keys by themselves; nodes are those that stand at the same place."""
        if len(a) != len(b):
            return ""
        for (key, value), (other, at_place) in zip(a.items(), b.items(), strict=True):
            if isinstance(key, str | int):
                if key not in b:
                    return f"[{key!r}]"
                at_place = b[key]
            elif self.differ(key, other) is not None:
                return f"[{key!r}]"
            difference = self.differ(value, at_place)
            if difference is not None:
                return f"[{key!r}]{difference}"
        return None

    def axis(self, a: IterVar, b: IterVar) -> str | None:
        """Axes bind their variables."""
        if a.thread_tag or b.thread_tag:
            return "" if a.thread_tag != b.thread_tag else self.differ(a.var, b.var)
        if a.kind is not b.kind:
            return ""
        difference = self.differ(a.dom, b.dom)
        if difference is not None:
            return f".dom{difference}"
        return None if self.bind(a.var, b.var) else ".var"

    def node(self, a: Node, b: Node) -> str | None:
        match a, b:
            case (For() | Let() | LetStmt(), For() | Let() | LetStmt()):
                return self.scope(a, b, a.var, b.var)
            case (AttrStmt(), AttrStmt()) if launched(a) is not None and launched(b) is not None:
                return self.scope(a, b, a.var, b.var)
            case (Allocate(), Allocate()):
                return self.scope(a, b, a.buffer.data, b.buffer.data)
            case (Reduce(), Reduce()):
                return self.binders(a, b, [iv.var for iv in a.axes], [iv.var for iv in b.axes])
            case (CommReducer(), CommReducer()):
                return self.binders(a, b, (*a.lhs, *a.rhs), (*b.lhs, *b.rhs))
        return self.node_fields(a, b)

    def scope(self, a: Node, b: Node, x: Var, y: Var) -> str | None:
        """Compare where `x` and `y` are bound to each other: inside only, so that sister loops may share one
        variable, or have one each."""
        before = self.vars.pop(x, None), self.back.pop(y, None)
        self.equal = set()
        difference = self.node_fields(a, b) if self.bind(x, y) else ".var"
        self.equal = set()
        del self.vars[x], self.back[y]
        if before[0] is not None:
            self.vars[x] = before[0]
        if before[1] is not None:
            self.back[y] = before[1]
        return difference

    def binders(self, a: Node, b: Node, xs: Sequence[Var], ys: Sequence[Var]) -> str | None:
        """Compare two nodes of which each has variables for itself: the axes of a reduction, what a combiner combines."""
        if len(xs) != len(ys):
            return ""
        outside = self.vars, self.back, self.equal
        self.vars, self.back, self.equal = dict(self.vars), dict(self.back), set()
        for x, y in zip(xs, ys, strict=True):
            self.back.pop(self.vars.pop(x, x), None)
            self.vars.pop(self.back.pop(y, y), None)
            self.bind(x, y)
        difference = self.node_fields(a, b)
        self.vars, self.back, self.equal = outside
        return difference

    def node_fields(self, a: Node, b: Node) -> str | None:
        for f in a.field_names:
            if f != "origin" and not (f == "name" and isinstance(a, CommReducer)):
                difference = self.differ(getattr(a, f), getattr(b, f))
                if difference is not None:
                    return f".{f}{difference}"
        return None

    def fields(self, a: Any, b: Any) -> str | None:
        if len(a) != len(b):
            return ""
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            if isinstance(x, Origin):
                continue
            difference = self.differ(x, y)
            if difference is not None:
                return f"[{i}]{difference}"
        return None

    def function(self, a: PrimFunc, b: PrimFunc) -> str | None:
        """A function binds its parameters for itself: another may have the same."""
        outside = self.vars, self.back, self.equal
        self.vars, self.back, self.equal = {}, {}, set()
        difference = self.signature(a, b) or _below(".body", self.differ(a.body, b.body))
        self.vars, self.back, self.equal = outside
        return difference

    def signature(self, a: PrimFunc, b: PrimFunc) -> str | None:
        if len(a.params) != len(b.params) or a.outputs != b.outputs:
            return ".params"
        for i, (p, q) in enumerate(zip(a.params, b.params, strict=True)):
            if isinstance(p, Var) and isinstance(q, Var):
                if not self.bind(p, q):
                    return f".params[{i}]"
            elif type(p) is not type(q):
                return f".params[{i}]"
        for i, (p, q) in enumerate(zip(a.params, b.params, strict=True)):
            if isinstance(p, Buffer) and isinstance(q, Buffer):
                difference = self.parameter(p, q)
                if difference is not None:
                    return f".params[{i}]{difference}"
        return None

    def parameter(self, a: Buffer, b: Buffer) -> str | None:
        """Parameters bind the variables of their shapes, strides and offset at first use."""
        free, self.map_free = self.map_free, True
        difference = self.buffer(a, b)
        self.map_free = free
        return difference

    def buffer(self, a: Buffer, b: Buffer) -> str | None:
        """Buffers are equal when they lay out the same memory in the same way."""
        if self.same_buffers and a.data is not b.data:
            return ""
        if a.dtype is not b.dtype or a.scope != b.scope or not self.bind(a.data, b.data):
            return ""
        return self.differ((a.shape, a.strides, a.elem_offset), (b.shape, b.strides, b.elem_offset))


def _alike(a: Any, b: Any) -> Any:
    """`a` as what `b` is: sequences are tuples, mappings dicts, and a number is a constant where the other is one."""
    if isinstance(a, tuple | list):
        return tuple(a)
    if isinstance(a, Map):
        return dict(a.items())
    return const(a) if isinstance(a, bool | int | float) and isinstance(b, Expr) else a


def _below(step: str, path: str | None) -> str | None:
    return path if path is None else step + path


def _statements(s: Any) -> list[Any]:
    """The statements of `s` one after the other."""
    return [x for inner in s.stmts for x in _statements(inner)] if isinstance(s, Seq) else [s]
