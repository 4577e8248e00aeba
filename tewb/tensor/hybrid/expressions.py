"""Expressions of hybrid functions: Python's own syntax tree, one rule per construct."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from tewb.arith import Analyzer, detect_linear
from tewb.base import BoundError, DType, DTypeError, HybridError, Span, TewbError
from tewb.ir import (
    AssertStmt,
    Buffer,
    BufferLoad,
    Expr,
    IntImm,
    Origin,
    const,
    const_int,
    convert,
    ops,
    script,
)
from tewb.tensor.hybrid import refusals
from tewb.tensor.hybrid.names import CASTS, DECLARATIONS, FUNCTIONS, LOOPS, WORDS
from tewb.tensor.hybrid.shared import Shared, Table
from tewb.tensor.hybrid.text import Text
from tewb.tensor.hybrid.values import (
    Counted,
    LoopVariable,
    Parsed,
    Scalar,
    Slice,
    Value,
    Wrap,
    elementwise,
    kind_of,
)
from tewb.tensor.tensor import Tensor

BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.FloorDiv: lambda a, b: a // b,
    ast.Mod: lambda a, b: a % b,
    ast.Pow: lambda a, b: _power(a, b),
    ast.LShift: lambda a, b: _shifted(a, b),
    ast.RShift: lambda a, b: a >> b,
    ast.BitAnd: lambda a, b: a & b,
    ast.BitOr: lambda a, b: a | b,
    ast.BitXor: lambda a, b: a ^ b,
}


def _power(a: Any, b: Any) -> Any:
    if isinstance(a, int) and isinstance(b, int) and abs(b) > 64:
        raise ValueError(f"the exponent {b} is too large")
    return a**b


def _shifted(a: Any, b: Any) -> Any:
    if isinstance(a, int) and isinstance(b, int) and b > 64:
        raise ValueError(f"a shift by {b} is too large")
    return a << b


# On numbers known now, and on elements.
_BUILD: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    **BINARY,
    ast.Pow: lambda a, b: a**b,
    ast.LShift: ops.shift_left,
    ast.RShift: ops.shift_right,
}

COMPARE: dict[type[ast.cmpop], tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Expr]]] = {
    ast.Eq: (lambda a, b: a == b, ops.equal),
    ast.NotEq: (lambda a, b: a != b, ops.not_equal),
    ast.Lt: (lambda a, b: a < b, ops.less),
    ast.LtE: (lambda a, b: a <= b, ops.less_equal),
    ast.Gt: (lambda a, b: a > b, ops.greater),
    ast.GtE: (lambda a, b: a >= b, ops.greater_equal),
}


class Expressions:
    """What parsing one function needs to know, and its expressions. `outer` gives the meaning of names from
    outside of it; `own` are the names that it sets, with how often."""

    def __init__(self, text: Text, outer: Mapping[str, Any], own: Mapping[str, int], shared: Shared) -> None:
        self.text, self.outer, self.own, self.shared = text, outer, own, shared
        self.name = text.name
        self.scopes: list[dict[str, Value]] = [{}]
        self.ended: set[str] = set()
        self.analyzer = Analyzer()
        self.guards: list[Expr] = []  # what holds where the expression at hand is evaluated
        self.before: list[Wrap] = []  # checks and values that come before the statement at hand
        self.result = Parsed()
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
            try:
                return Table(value)
            except TypeError as e:
                raise self.refuse(node, str(e), "array.astype('float32') converts") from None
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

    # ---- expressions

    def expression(self, node: ast.expr) -> Value:
        rule = _EXPRESSIONS.get(type(node))
        if rule is None:
            raise self.not_here(node, refusals.EXPRESSIONS.get(type(node)))
        return rule(self, node)

    def constant(self, node: ast.Constant) -> Value:
        if not isinstance(node.value, bool | int | float | str):
            raise self.refuse(node, f"{node.value!r} is no number", "numbers are 1, 0.5, 1e-3, True, False")
        return node.value

    def tuple_(self, node: ast.Tuple | ast.List) -> Value:
        return tuple(self.expression(e) for e in node.elts)

    def binary(self, node: ast.BinOp) -> Value:
        return self.binary_values(node, node.op, self.expression(node.left), self.expression(node.right))

    def binary_values(self, node: ast.AST, op: ast.operator, a: Value, b: Value) -> Value:
        known = not any(isinstance(x, Expr | Slice) for x in (a, b))
        rule = (BINARY if known else _BUILD).get(type(op))
        if rule is None:
            what, hint = refusals.OPERATORS[type(op)]
            raise self.refuse(node, f"the operator {what} is not part of the hybrid language", hint)
        for x in (a, b):
            self.number(x, node)
        return self.applied(node, rule, a, b)

    def number(self, value: Value, node: ast.AST) -> None:
        """Refuse what arithmetic cannot take."""
        if isinstance(value, Buffer | Table):
            raise self.refuse(
                node,
                f"{value.name} is a tensor",
                f"take an element, {value.name}[i], or all of them, {value.name}[:]",
            )
        if isinstance(value, Counted | str | tuple | list):
            raise self.refuse(
                node, f"{kind_of(value)} is no number", "numbers and elements go into arithmetic"
            )

    def applied(self, node: ast.AST, f: Callable[..., Any], *values: Value) -> Value:
        """`f` of the values, element by element when there are slices. Its errors become ours."""
        try:
            if not any(isinstance(v, Slice) for v in values):
                return f(*values)
            made = elementwise(f, self.common_shape(node, values), *values)
            _ = made.dtype  # a mistake shows here
            return made
        except HybridError:
            raise
        except TewbError as e:
            raise self.refuse(node, e.message, e.hint) from None
        except (ZeroDivisionError, TypeError, ValueError, OverflowError) as e:
            raise self.refuse(node, str(e)) from None

    def common_shape(self, node: ast.AST, values: Sequence[Value]) -> tuple[Expr, ...]:
        raise NotImplementedError

    def unary(self, node: ast.UnaryOp) -> Value:
        value = (
            self.condition(node.operand) if isinstance(node.op, ast.Not) else self.expression(node.operand)
        )
        self.number(value, node)
        match node.op:
            case ast.USub():
                return self.applied(node, lambda x: -x, value)
            case ast.UAdd():
                return value
            case ast.Invert():
                return self.applied(node, lambda x: ~x, value)
        return ops.logical_not(value) if isinstance(value, Expr) else not value

    def truth(self, value: Value, node: ast.AST) -> Expr:
        e = self.convert(value, node)
        return e if e.dtype.is_bool else ops.not_equal(e, 0)

    def condition(self, node: ast.expr) -> Value:
        """A value where only its truth counts: a bool that is known now, or an expression."""
        value = self.logic(node, True) if isinstance(node, ast.BoolOp) else self.expression(node)
        return self.truth_of(value, node)

    def truth_of(self, value: Value, node: ast.AST) -> Value:
        if isinstance(value, Buffer | Table):
            raise self.refuse(node, f"{value.name} is a tensor", f"ask about an element: {value.name}[i] > 0")
        if isinstance(value, Slice):
            raise self.refuse(node, "a slice is neither true nor false", "ask about elements in a loop")
        if isinstance(value, Expr):
            cond = self.truth(value, node)
            return bool(cond.value) if isinstance(cond, IntImm) else cond
        return bool(value)

    def compare(self, node: ast.Compare) -> Value:
        """a < b < c is a < b and b < c; what comes later is only looked at when the first part holds."""
        result: Value = True
        left = self.expression(node.left)
        for op, right in zip(node.ops, node.comparators, strict=True):
            pair = COMPARE.get(type(op))
            if pair is None:
                what, hint = refusals.OPERATORS[type(op)]
                raise self.refuse(node, f"the operator {what} is not part of the hybrid language", hint)
            if isinstance(result, Expr):
                with self.assuming(result):
                    value = self.expression(right)
            else:
                value = self.expression(right)
            known = not any(isinstance(x, Expr | Slice) for x in (left, value))
            for x in (left, value):
                if not (known and isinstance(x, str)):
                    self.number(x, node)
            part = self.applied(node, pair[0] if known else pair[1], left, value)
            if isinstance(part, Slice) and len(node.ops) > 1:
                raise self.refuse(node, "a chain of comparisons takes no slices", "write (a < b) & (b < c)")
            result = part if result is True else self.both(result, part)
            left = value
        return result

    def both(self, a: Value, b: Value) -> Value:
        if isinstance(a, Expr) or isinstance(b, Expr):
            return ops.logical_and(convert(bool(a) if not isinstance(a, Expr) else a), convert(b))
        return a and b

    def logic(self, node: ast.BoolOp, only_truth: bool = False) -> Value:
        """and, or: the later values are only looked at when they decide."""
        is_and = isinstance(node.op, ast.And)
        result: Value = self.operand(node.values[0], only_truth)
        for part in node.values[1:]:
            if not isinstance(result, Expr):
                if bool(result) != is_and:
                    return result
                result = self.operand(part, only_truth)
                continue
            with self.assuming(result if is_and else ops.logical_not(result)):
                value = self.operand(part, only_truth)
            result = (ops.logical_and if is_and else ops.logical_or)(result, convert(value))
        return result

    def operand(self, node: ast.expr, only_truth: bool) -> Value:
        if isinstance(node, ast.BoolOp):
            return self.logic(node, only_truth)
        value = self.expression(node)
        number = (isinstance(value, Expr) and not value.dtype.is_bool) or type(value) in (int, float)
        if number and not only_truth:
            what = value.dtype if isinstance(value, Expr) else repr(value)
            raise self.refuse(node, f"and, or take conditions, not {what}", "compare: x != 0")
        return self.truth_of(value, node)

    def choice(self, node: ast.IfExp) -> Value:
        cond = self.condition(node.test)
        if not isinstance(cond, Expr):
            return self.expression(node.body if cond else node.orelse)
        with self.assuming(cond):
            then = self.expression(node.body)
        with self.assuming(ops.logical_not(cond)):
            other = self.expression(node.orelse)
        for value, side in ((then, node.body), (other, node.orelse)):
            if isinstance(value, Slice | tuple | Buffer | Table):
                raise self.refuse(
                    side, f"{kind_of(value)} cannot be chosen", "choose elements, or write an if"
                )
            self.number(value, side)
        return self.applied(node, ops.if_then_else, cond, then, other)

    def attribute(self, node: ast.Attribute) -> Value:
        value = self.expression(node.value)
        if isinstance(value, Buffer | Table) and node.attr == "shape":
            return tuple(n.value if isinstance(n, IntImm) else n for n in value.shape)
        if isinstance(value, Buffer | Table) and node.attr == "ndim":
            return len(value.shape)
        if isinstance(value, Buffer | Table | Expr) and node.attr == "dtype":
            return str(value.dtype)
        if isinstance(value, types.ModuleType):
            found = getattr(value, node.attr, None)
            if isinstance(found, bool | int | float) or hasattr(found, "parse_into"):
                return found
            raise self.refuse(
                node,
                f"{value.__name__}.{node.attr} is not part of the hybrid language",
                "numbers of modules are, as math.pi; functions are words: exp(x), sqrt(x)",
            )
        raise self.refuse(
            node, f".{node.attr} is not part of the hybrid language", "tensors have .shape, .ndim and .dtype"
        )

    # ---- elements

    def subscript(self, node: ast.Subscript) -> Value:
        base = self.expression(node.value)
        if isinstance(base, tuple | list):
            return self.part_of_tuple(node, base)
        if isinstance(base, Table):
            known = [self.expression(p) for p in _parts(node) if not isinstance(p, ast.Slice)]
            if len(known) == len(base.shape) == len(_parts(node)) and all(isinstance(i, int) for i in known):
                try:
                    return base.array[tuple(known)]
                except IndexError as e:
                    raise self.refuse(node, str(e), "indices run from 0 to size - 1", BoundError) from None
        buffer = self.memory(node, base)
        if any(isinstance(p, ast.Slice) for p in _parts(node)):
            return self.slice_of(node, buffer)
        return BufferLoad(buffer, self.indices(node, buffer), buffer.dtype)

    def slice_of(self, node: ast.Subscript, buffer: Buffer) -> Slice:
        raise NotImplementedError

    def part_of_tuple(self, node: ast.Subscript, base: Sequence[Value]) -> Value:
        if isinstance(node.slice, ast.Slice):
            ends = [
                None if p is None else self.expression(p)
                for p in (node.slice.lower, node.slice.upper, node.slice.step)
            ]
            if all(e is None or isinstance(e, int) for e in ends):
                return tuple(base[slice(*ends)])
            raise self.refuse(node.slice, "a part of a tuple needs numbers that are known here")
        index = self.expression(node.slice)
        number = index if isinstance(index, int) else const_int(index) if isinstance(index, Expr) else None
        if number is None or not -len(base) <= number < len(base):
            raise self.refuse(
                node.slice,
                f"this needs a number below {len(base)} that is known here",
                "const_range gives such numbers",
            )
        return base[number]

    def memory(self, node: ast.Subscript, base: Value) -> Buffer:
        if isinstance(base, Table):
            return self.table(base, node)
        if not isinstance(base, Buffer):
            raise self.refuse(
                node.value, f"this is {kind_of(base)} and has no elements", "tensors have elements: a[i]"
            )
        return base

    def table(self, table: Table, node: ast.AST) -> Buffer:
        try:
            return self.shared.memory(table)
        except HybridError as e:
            raise self.refuse(node, e.message, e.hint) from None

    def indices(self, node: ast.Subscript, buffer: Buffer) -> tuple[Expr, ...]:
        parts = _parts(node)
        self.check_rank(node, buffer)
        return tuple(self.index(node, buffer, d, p) for d, p in enumerate(parts))

    def check_rank(self, node: ast.Subscript, buffer: Buffer) -> None:
        wanted, given = len(buffer.shape), len(_parts(node))
        if given != wanted:
            row = ", ".join([f"i{d}" for d in range(min(given, wanted))] + [":"] * max(0, wanted - given))
            raise self.refuse(
                node, f"{buffer.name} has {wanted} dimensions, not {given}", f"{buffer.name}[{row}]"
            )

    def index(self, node: ast.Subscript, buffer: Buffer, d: int, part: ast.expr) -> Expr:
        """One index, proved or checked; a negative number that is known counts from the end."""
        size = buffer.shape[d]
        index = self.index_value(self.expression(part), part)
        number = const_int(index)
        if number is not None and number < 0:
            index = ops.add(index, size)
        self.check_index(node, buffer, d, index, size, number)
        return index

    def index_value(self, value: Value, node: ast.AST) -> Expr:
        if isinstance(value, Slice):
            raise self.refuse(node, "a slice cannot be an index", "index with each element in a loop")
        e = self.convert(value, node)
        if not e.dtype.is_int:
            raise self.refuse(node, f"an index is an integer, not {e.dtype}", "int32(x) converts")
        return e

    def check_index(
        self, node: ast.Subscript, b: Buffer, d: int, index: Expr, size: Expr, said: int | None = None
    ) -> None:
        """Prove that an access is in bounds, refuse it when it certainly is not, or leave a check for run time."""
        low, high = ops.greater_equal(index, 0), ops.less(index, size)
        if self.analyzer.can_prove(low) and self.analyzer.can_prove(high):
            return
        lo, hi = self.analyzer.const_bounds(index)
        n = const_int(size)
        outside = (lo is not None and lo < 0) or (hi is not None and n is not None and hi >= n)
        if outside and self.certainly_reached(index):
            asked = f"{said}" if said is not None and said < 0 else f"from {lo} to {hi}"
            raise self.refuse(
                node,
                f"this reads or writes outside of {b.name}: in dimension {d} the index runs {asked}, and the "
                f"size is {script(size)}"
                if asked.startswith("from")
                else f"this reads or writes outside of {b.name}: the index {asked} of dimension {d} counts from "
                f"the end, and the size is {script(size)}",
                "guard it with an if",
                BoundError,
            )
        text = f"{self.name} leaves {b.name} in dimension {d} ({self.span(node)}): {script(index)}"
        self.check(ops.logical_and(low, high), text)

    def certainly_reached(self, index: Expr) -> bool:
        """Whether the ends of an index, as the loops around say, are indices that the loops reach: it is
        linear over a box, and no branch stands between."""
        if self.guards or self.branches:
            return False
        extents = {iv.var: iv.dom.extent for iv in self.result.axis if iv.dom is not None}
        linear = detect_linear(index, list(extents))
        if linear is None or const_int(linear[1]) is None:
            return False
        return all(
            (const_int(extents[v]) or 0) > 0 and const_int(c) is not None for v, c in linear[0].items()
        )

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
            with self.analyzer.assume(cond):
                yield
        finally:
            self.guards.pop()

    # ---- calls

    def call(self, node: ast.Call) -> Value:
        function = self.callee(node)
        if not isinstance(function, str):
            raise self.refuse(
                node, f"the result of {function.name} gets a name first", f"t = {function.name}(...)"
            )
        if function in DECLARATIONS:
            raise self.refuse(node, f"{function} gives its tensor a name", f"t = {function}(...)")
        if node.keywords:
            raise self.refuse(
                node, f"{function} takes no keyword arguments", f"write the values in order: {function}(x)"
            )
        args = [self.expression(a) for a in node.args]
        if function in LOOPS or function == "const_range":
            return Counted(function, tuple(args))
        return self.function(node, function, args)

    def callee(self, node: ast.Call) -> Any:
        """A word of the language, or another hybrid function."""
        f = node.func
        if isinstance(f, ast.Attribute):
            found = self.attribute(f)
            if hasattr(found, "parse_into"):
                return found
        if not isinstance(f, ast.Name):
            raise self.refuse(
                node,
                "this cannot be called in the hybrid language",
                "call words and hybrid functions by name",
            )
        own = self.find(f.id)
        if own is not None:
            raise self.refuse(
                node, f"{f.id} is {kind_of(self.meaning(own))} here", "choose another name for it"
            )
        outer = self.outer.get(f.id)
        if hasattr(outer, "parse_into"):
            return outer
        if f.id in WORDS or f.id in ("len", "int", "float", "enumerate", "zip"):
            return f.id
        if isinstance(outer, Tensor | np.ndarray):
            raise self.refuse(node, f"{f.id} is a tensor", f"take an element: {f.id}[i]")
        if callable(outer):
            raise self.refuse(
                node, f"{f.id} is plain Python", f"define {f.id} with @te.hybrid.script to call it here"
            )
        raise self.refuse(
            node,
            f"there is no function {f.id}",
            f"there are {', '.join(sorted(FUNCTIONS))}, min, max and casts such as float32",
        )

    def function(self, node: ast.Call, name: str, args: list[Value]) -> Value:
        if name == "len":
            return self.length(node, args)
        if name in ("enumerate", "zip"):
            return self.sequences(node, name, args)
        for a in args:
            if isinstance(a, Buffer | Table):
                raise self.refuse(node, f"{name}: {a.name} is a tensor", f"take an element: {a.name}[i]")
            self.number(a, node)
        if name in ("min", "max"):
            if len(args) < 2:
                raise self.refuse(node, f"{name} takes two or more values", f"{name}(x, y)")
            return self.extreme(node, name, args)
        if name in CASTS or name in ("int", "float"):
            if len(args) != 1:
                raise self.refuse(node, f"{name} takes one value", f"{name}(x)")
            return self.applied(node, lambda x: _converted(name, x), args[0])
        return self.applied(node, FUNCTIONS[name][0], *args)

    def length(self, node: ast.Call, args: list[Value]) -> Value:
        match args:
            case [Buffer() | Table() as t] if t.shape:
                n = t.shape[0]
                return n.value if isinstance(n, IntImm) else n
            case [tuple() | list() as values]:
                return len(values)
        raise self.refuse(node, "len takes a tensor or a tuple", "len(a) is a.shape[0]")

    def sequences(self, node: ast.Call, name: str, args: list[Value]) -> Value:
        if not args or not all(isinstance(a, tuple | list) for a in args):
            raise self.refuse(
                node,
                f"a loop cannot run over {name}(...) of this",
                f"{name} takes tuples of tensors or numbers",
            )
        return tuple(zip(*args, strict=False)) if name == "zip" else tuple(enumerate(args[0]))

    def extreme(self, node: ast.AST, name: str, args: list[Value]) -> Value:
        if not any(isinstance(a, Expr | Slice | np.generic) for a in args):
            return min(args) if name == "min" else max(args)
        result = args[0]
        for a in args[1:]:
            result = self.applied(node, ops.minimum if name == "min" else ops.maximum, result, a)
        return result

    def convert(self, value: Value, node: ast.AST) -> Expr:
        if isinstance(value, Expr):
            return value
        if isinstance(value, bool | int | float | np.generic):
            try:
                return convert(value)
            except (TewbError, TypeError) as e:
                raise self.refuse(node, str(e)) from None
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


def _converted(name: str, x: Any) -> Expr:
    """Casts. int and float keep a wider dtype of their kind."""
    e = convert(x)
    if name == "int":
        name = e.dtype if e.dtype.is_int else "int32"
    elif name == "float":
        name = e.dtype if e.dtype.is_float else "float32"
    return ops.cast(e, name)


def _parts(node: ast.Subscript) -> list[ast.expr]:
    return node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]


_EXPRESSIONS: dict[type[ast.expr], Callable[[Any, Any], Value]] = {
    ast.Name: Expressions.look_up,
    ast.Constant: Expressions.constant,
    ast.Tuple: Expressions.tuple_,
    ast.List: Expressions.tuple_,
    ast.BinOp: Expressions.binary,
    ast.UnaryOp: Expressions.unary,
    ast.Compare: Expressions.compare,
    ast.BoolOp: Expressions.logic,
    ast.IfExp: Expressions.choice,
    ast.Attribute: Expressions.attribute,
    ast.Subscript: lambda p, n: p.subscript(n),
    ast.Call: lambda p, n: p.call(n),
}
