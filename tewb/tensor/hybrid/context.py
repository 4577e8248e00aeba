"""What parsing one function needs to know: its names, its places, and what holds where."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from tewb.arith import Analyzer
from tewb.base import DType, DTypeError, HybridError, Span, TewbError, masked_elements
from tewb.ir import (
    AssertStmt,
    Buffer,
    BufferLoad,
    Expr,
    Origin,
    const,
    convert,
    ops,
)
from tewb.tensor.hybrid.names import CASTS, WORDS
from tewb.tensor.hybrid.shared import Shared, Table
from tewb.tensor.hybrid.text import Text
from tewb.tensor.hybrid.values import (
    LoopVariable,
    Parsed,
    Scalar,
    Value,
    Wrap,
    kind_of,
)
from tewb.tensor.tensor import Tensor


class Context:
    """One function while it is parsed. `outer` gives the meaning of names from outside of it; `own` are the
    names that it sets, with how often."""

    def __init__(self, text: Text, outer: Mapping[str, Any], own: Mapping[str, int], shared: Shared) -> None:
        self.text, self.outer, self.own, self.shared = text, outer, own, shared
        self.name = text.name
        self.scopes: list[dict[str, Value]] = [{}]
        self.ended: set[str] = set()
        self.analyzer = Analyzer()
        self.guards: list[Expr] = []  # what holds where the expression at hand is evaluated
        self.before: list[Wrap] = []  # checks and values that come before the statement at hand
        self.result = Parsed()
        self.made: set[Buffer] = set()  # memory that this function may write
        self.returned: Value = None
        self.depth = 0  # blocks around the statement at hand
        self.branches = 0  # ifs and whiles around the statement at hand

    # ---- errors and places

    def refuse(
        self, node: ast.AST, why: str, hint: str | None = None, kind: type[TewbError] = HybridError
    ) -> TewbError:
        return self.text.error(node, why, hint or "te.hybrid.script says what is allowed", kind)

    def not_here(self, node: ast.AST, entry: tuple[str, str] | None) -> TewbError:
        what, hint = entry or (type(node).__name__.lower(), None)
        return self.refuse(node, f"{what} is not part of the hybrid language", hint)

    def span(self, node: ast.AST) -> Span:
        return self.text.span(node)

    def origin(self, node: ast.AST, axis: str | None = None) -> Origin:
        return Origin(self.name, axis, None, self.span(node))

    # ---- names

    def look_up(self, node: ast.Name) -> Value:
        for scope in reversed(self.scopes):
            if node.id in scope:
                return self.meaning(scope[node.id])
        if node.id in self.ended:
            raise self.refuse(
                node,
                f"{node.id} was set inside of a block that has ended",
                "set it before the loop or the if",
            )
        if node.id in self.own:
            raise self.refuse(node, f"{node.id} is read before it is set", f"{node.id} = ... in a line above")
        if node.id in self.outer:
            return self.from_outside(self.outer[node.id], node)
        if node.id in CASTS:
            return node.id  # as a dtype: output_tensor(shape, float32)
        if node.id in WORDS:
            raise self.refuse(node, f"{node.id} is a function and no value", f"call it: {node.id}(...)")
        raise self.refuse(
            node, f"{node.id} has no value here", "a name is set above, or in the code around the function"
        )

    def find(self, name: str) -> Value:
        return next((s[name] for s in reversed(self.scopes) if name in s), None)

    def meaning(self, value: Value) -> Value:
        """A scalar variable is a buffer of one element, and its name means the element."""
        if isinstance(value, Scalar):
            return BufferLoad(value.buffer, (const(0),), value.buffer.dtype)
        return value.value if isinstance(value, LoopVariable) else value

    def from_outside(self, value: Any, node: ast.AST) -> Value:
        """A value of the code around the function, or an argument that is known now."""
        if isinstance(value, Tensor):
            return self.shared.input(value)
        if isinstance(value, np.ndarray):
            if masked_elements(value):
                raise self.refuse(node, "this is a masked array", "array.filled(value) gives an array")
            try:
                return Table(value)
            except DTypeError as e:
                raise self.refuse(node, e.message, "array.astype('float32') converts") from None
        if isinstance(value, tuple | list):
            return tuple(self.from_outside(v, node) for v in value)
        return value

    @contextmanager
    def scope(self) -> Iterator[None]:
        self.scopes.append({})
        try:
            yield
        finally:
            self.ended.update(self.scopes.pop())

    # ---- what holds, and numbers

    def check(self, holds: Expr, text: str) -> None:
        """Leave a check for run time, before the statement at hand."""
        for guard in reversed(self.guards):
            holds = ops.logical_or(ops.logical_not(guard), holds)
        self.before.append(lambda rest: AssertStmt(holds, text, rest))

    @contextmanager
    def assuming(self, cond: Expr) -> Iterator[None]:
        """An expression inside is only evaluated where `cond` holds."""
        self.guards.append(cond)
        try:
            with self.analyzer.assume(cond, wraps=True):
                yield
        finally:
            self.guards.pop()

    def convert(self, value: Value, node: ast.AST) -> Expr:
        if isinstance(value, Expr):
            return value
        if isinstance(value, bool | int | float | np.generic):
            try:
                return convert(value)
            except TewbError as e:
                raise self.refuse(node, e.message) from None
        what = f"{value.name}, a tensor," if isinstance(value, Buffer | Table) else kind_of(value)
        raise self.refuse(node, f"{what} is no number or element", "take an element: a[i]")

    def constant_of(self, value: Value, dtype: DType, node: ast.AST) -> Expr:
        """`value` as it is stored in memory of `dtype`."""
        if isinstance(value, bool | int) and dtype.is_int:
            try:
                return const(int(value), dtype)
            except DTypeError as e:
                raise self.refuse(node, e.message, f"{dtype}({value}) wraps") from None
        return ops.cast(self.convert(value, node), dtype)
