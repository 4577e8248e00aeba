"""Expressions of hybrid functions on numpy arrays, with every access looked at."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from tewb.base import BoundError, DType, HybridError, TewbError
from tewb.ir import ops
from tewb.tensor.hybrid import refusals
from tewb.tensor.hybrid.names import CASTS, FUNCTIONS, LOOPS, cast_array, extreme
from tewb.tensor.hybrid.operators import BINARY, COMPARE
from tewb.tensor.hybrid.text import set_names
from tewb.tensor.hybrid.values import Counted

if TYPE_CHECKING:
    from tewb.tensor.hybrid.script import HybridFunction


class Memory:
    """An array, and which of its elements have been written."""

    def __init__(self, name: str, data: Any, written: Any, writable: bool) -> None:
        self.name, self.data, self.written, self.writable = name, data, written, writable


class Evaluator:
    """The expressions of one call of one function. `callers` are the lines that it was called from."""

    def __init__(self, function: HybridFunction, values: Mapping[str, Any], callers: tuple[str, ...]) -> None:
        self.function, self.text, self.callers = function, function.text, callers
        self.outer = function.outside()
        self.own = set_names(self.text.tree.body)
        self.scopes: list[dict[str, Any]] = [{}]
        self.loops: dict[str, Any] = {}
        for name, value in values.items():
            typed = self.own.get(name) and isinstance(value, bool | int | float | np.generic)
            self.scopes[0][name] = self.typed(value) if typed else value

    # ---- errors

    def error(
        self, node: ast.AST, why: str, hint: str | None = None, kind: type[TewbError] = HybridError
    ) -> TewbError:
        made = self.text.error(node, why, hint, kind)
        if self.loops:
            made.message += "\n  with " + ", ".join(f"{n} = {plain(v)}" for n, v in self.loops.items())
        for line in reversed(self.callers):
            made.message += f"\n  called from {line}"
        return kind(made.message, hint=hint, span=made.span)

    # ---- names

    @contextmanager
    def scope(self) -> Iterator[None]:
        self.scopes.append({})
        try:
            yield
        finally:
            self.scopes.pop()

    def find(self, name: str) -> dict[str, Any] | None:
        return next((s for s in reversed(self.scopes) if name in s), None)

    def look_up(self, node: ast.Name) -> Any:
        scope = self.find(node.id)
        if scope is not None:
            return scope[node.id]
        if node.id in self.own:
            raise self.error(
                node, f"{node.id} is read before it is set here", f"set {node.id} before the block"
            )
        if node.id in self.outer:
            return as_memory(node.id, self.outer[node.id])
        if node.id in CASTS:
            return node.id
        raise self.error(node, f"{node.id} has no value here", "a name is set above, or around the function")

    # ---- expressions

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=bool() | int() | float() | str()):
                return node.value
            case ast.Name():
                return self.look_up(node)
            case ast.Tuple(elts=elts) | ast.List(elts=elts):
                return tuple(self.value(e) for e in elts)
            case ast.BinOp(left=left, op=op, right=right):
                return self.binary(node, op, self.value(left), self.value(right))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self.not_(self.truth_value(operand))
            case ast.UnaryOp(op=op, operand=operand):
                x = self.number(self.value(operand), node)
                return -x if isinstance(op, ast.USub) else ~x if isinstance(op, ast.Invert) else x
            case ast.Compare():
                return self.compare(node)
            case ast.BoolOp(op=op, values=values):
                return self.logic(isinstance(op, ast.And), values)
            case ast.IfExp():
                return self.choice(node)
            case ast.Attribute():
                return self.attribute(node)
            case ast.Subscript():
                return self.subscript(node)
            case ast.Call():
                return self.call(node)
        what, hint = refusals.EXPRESSIONS.get(type(node), (type(node).__name__, None))
        raise self.error(node, f"{what} is not part of the hybrid language", hint)

    def number(self, value: Any, node: ast.AST) -> Any:
        if isinstance(value, Memory):
            raise self.error(node, f"{value.name} is a tensor", f"take an element: {value.name}[i]")
        if not isinstance(value, bool | int | float | np.generic | np.ndarray):
            raise self.error(node, "this is no number", "numbers and elements go into arithmetic")
        return value

    def binary(self, node: ast.AST, op: ast.operator, a: Any, b: Any) -> Any:
        f = BINARY.get(type(op))
        if f is None:
            raise self.error(node, f"the operator {type(op).__name__} is not part of the hybrid language")
        x, y = self.matched(self.number(a, node), self.number(b, node))
        if isinstance(op, ast.FloorDiv | ast.Mod) and _is_integer(y) and np.any(np.asarray(y) == 0):
            raise self.error(node, "division by zero", "guard it with an if")
        if isinstance(op, ast.LShift | ast.RShift) and isinstance(x, np.generic | np.ndarray):
            bits = x.dtype.itemsize * 8
            if np.any((np.asarray(y) < 0) | (np.asarray(y) >= bits)):
                raise self.error(node, f"shift of {x.dtype} by {plain(y)}", f"shift by 0 to {bits - 1}")
        try:
            return f(x, y)
        except (ZeroDivisionError, TypeError, ValueError) as e:
            raise self.error(node, str(e)) from None

    def matched(self, a: Any, b: Any) -> tuple[Any, Any]:
        """Two values in the dtype that they have in the compiled function."""
        weak = [type(v) in (bool, int, float) for v in (a, b)]
        if all(weak):
            return a, b
        if any(weak):
            number, other = (a, b) if weak[0] else (b, a)
            if type(number) is float and other.dtype.kind != "f":
                number, other = np.float32(number), other.astype("float32")
            elif type(number) is bool or other.dtype.kind == "b":
                number, other = self._common(self.typed(number), other)
            else:
                number = cast_array(number, other.dtype.name)
            return (number, other) if weak[0] else (other, number)
        return self._common(a, b)

    def _common(self, a: Any, b: Any) -> tuple[Any, Any]:
        d = ops.common_dtype(DType(a.dtype.name), DType(b.dtype.name))
        return a.astype(str(d)), b.astype(str(d))

    def compare(self, node: ast.Compare) -> Any:
        left = self.value(node.left)
        result: Any = True
        for op, comparator in zip(node.ops, node.comparators, strict=True):
            right = self.value(comparator)
            pair = COMPARE.get(type(op))
            if pair is None:
                raise self.error(node, f"{type(op).__name__} is not part of the hybrid language")
            texts = isinstance(left, str) and isinstance(right, str)
            x, y = (left, right) if texts else self.matched(self.number(left, node), self.number(right, node))
            result = pair[0](x, y)
            if len(node.ops) > 1 and not result:
                return result
            left = right
        return result

    def logic(self, is_and: bool, values: Sequence[ast.expr]) -> Any:
        result: Any = is_and
        typed = False
        for v in values:
            result = self.truth_value(v)
            typed = typed or isinstance(result, np.generic)
            if bool(result) != is_and:
                break
        return np.bool_(result) if typed else bool(result)

    def truth_value(self, node: ast.expr) -> Any:
        value = self.value(node)
        if isinstance(value, np.ndarray):
            raise self.error(node, "a slice is neither true nor false", "ask about elements in a loop")
        value = self.number(value, node)
        return np.bool_(value != 0) if isinstance(value, np.generic) else bool(value)

    def truth(self, node: ast.expr) -> bool:
        return bool(self.truth_value(node))

    def not_(self, value: Any) -> Any:
        return np.bool_(not value) if isinstance(value, np.generic) else not value

    def choice(self, node: ast.IfExp) -> Any:
        cond = self.truth_value(node.test)
        return self.value(node.body if cond else node.orelse)

    def attribute(self, node: ast.Attribute) -> Any:
        base = self.value(node.value)
        if isinstance(base, Memory) and node.attr in ("shape", "ndim"):
            return getattr(base.data, node.attr)
        if node.attr == "dtype" and isinstance(base, Memory | np.generic):
            return base.data.dtype.name if isinstance(base, Memory) else base.dtype.name
        found = getattr(base, node.attr, None) if isinstance(base, type(np)) else None
        if isinstance(found, bool | int | float) or hasattr(found, "parse_into"):
            return found
        raise self.error(
            node, f".{node.attr} is not part of the hybrid language", "tensors have .shape and .dtype"
        )

    # ---- elements

    def subscript(self, node: ast.Subscript) -> Any:
        base = self.value(node.value)
        if isinstance(base, tuple | list):
            if isinstance(node.slice, ast.Slice):
                return base[self.ends(node.slice)]
            return base[int(self.value(node.slice))]
        if not isinstance(base, Memory):
            raise self.error(node.value, "this is no tensor and has no elements")
        return self.load(node, base, self.indices(node, base))

    def load(self, node: ast.AST, m: Memory, at: tuple[Any, ...]) -> Any:
        written = m.written[at]
        if not np.all(written):
            if isinstance(written, np.ndarray):
                where = ", ".join(str(i) for i in np.argwhere(~written)[0])
                raise self.error(
                    node,
                    f"element {where} of this slice of {m.name} was never written",
                    f"set {m.name} before",
                )
            index = ", ".join(str(i) for i in at)
            raise self.error(
                node, f"{m.name}[{index}] is read and was never written", f"set {m.name}[{index}] before"
            )
        value = m.data[at]
        return value.copy() if isinstance(value, np.ndarray) else value

    def store_element(self, target: ast.Subscript, value: Any, node: ast.stmt) -> None:
        m = self.value(target.value)
        if not isinstance(m, Memory):
            raise self.error(target.value, "this is no tensor and has no elements")
        if not m.writable:
            raise self.error(
                target, f"{m.name} is an input and cannot be written", "write into an output_tensor"
            )
        at = self.indices(target, m)
        value = cast_array(self.number(value, node), m.data.dtype.name)
        try:
            m.data[at] = value
        except ValueError as e:
            raise self.error(node, str(e), "sizes are equal or 1") from None
        m.written[at] = True

    def indices(self, node: ast.Subscript, m: Memory) -> tuple[Any, ...]:
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if len(parts) != m.data.ndim:
            raise self.error(node, f"{m.name} has {m.data.ndim} dimensions, not {len(parts)}")
        return tuple(
            self.run(node, m, d, p) if isinstance(p, ast.Slice) else self.index(node, m, d, p)
            for d, p in enumerate(parts)
        )

    def index(self, node: ast.Subscript, m: Memory, d: int, part: ast.expr) -> int:
        value = self.value(part)
        if not _is_integer(value) or isinstance(value, np.ndarray):
            raise self.error(part, "an index is an integer", "int32(x) converts")
        size = m.data.shape[d]
        index = int(value) + size if isinstance(value, int) and value < 0 else int(value)
        if not 0 <= index < size:
            raise self.error(
                node,
                f"this leaves {m.name}: the index of dimension {d} is {int(value)}, and the size is {size}",
                "guard it with an if",
                BoundError,
            )
        return index

    def ends(self, part: ast.Slice) -> slice:
        return slice(
            *[None if p is None else int(self.value(p)) for p in (part.lower, part.upper, part.step)]
        )

    def run(self, node: ast.Subscript, m: Memory, d: int, part: ast.Slice) -> slice:
        size = m.data.shape[d]
        step = 1 if part.step is None else int(self.value(part.step))
        if step == 0:
            raise self.error(part, "the step of a slice is a number other than 0")
        ends: list[int | None] = []
        for p, low in ((part.lower, 0), (part.upper, -1 if step < 0 else 0)):
            if p is None:
                ends.append(None)
                continue
            value = self.value(p)
            e = int(value) + size if isinstance(value, int) and value < 0 else int(value)
            if not low <= e <= (size - 1 if step < 0 else size):
                raise self.error(
                    node,
                    f"this slice leaves {m.name}: it ends at {int(value)}, and the size of dimension {d} is {size}",
                    f"write {m.name}[:] for all elements",
                    BoundError,
                )
            ends.append(None if e == -1 else e)
        return slice(ends[0], ends[1], step)

    # ---- calls

    def callee(self, node: ast.Call) -> Any:
        if isinstance(node.func, ast.Attribute):
            found = self.attribute(node.func)
            if hasattr(found, "parse_into"):
                return found
        if not isinstance(node.func, ast.Name):
            raise self.error(node, "this cannot be called in the hybrid language")
        outer = self.outer.get(node.func.id)
        return outer if hasattr(outer, "parse_into") else node.func.id

    def call(self, node: ast.Call) -> Any:
        name = self.callee(node)
        args = [self.value(a) for a in node.args]
        if name in LOOPS or name == "const_range":
            return Counted(name, tuple(args))
        if name == "len":
            return len(args[0].data) if isinstance(args[0], Memory) else len(args[0])
        if name in ("enumerate", "zip"):
            return tuple(enumerate(args[0])) if name == "enumerate" else tuple(zip(*args, strict=False))
        args = [self.number(a, node) for a in args]
        if name in ("min", "max"):
            result = args[0]
            for a in args[1:]:
                result = extreme(name, *self.matched(result, a))
            return result
        if name in CASTS:
            return cast_array(args[0], name)
        if name in ("int", "float"):
            x = self.typed(args[0])
            return x if x.dtype.kind == ("f" if name == "float" else "i") else cast_array(x, f"{name}32")
        if name not in FUNCTIONS:
            raise self.error(node, f"there is no function {name}")
        function: Callable[..., Any] = FUNCTIONS[name][1]
        if len(args) == 2:
            args = list(self.matched(*args))
        elif len(args) == 1:
            args = [self.typed(args[0]) if not isinstance(args[0], np.ndarray) else args[0]]
        return function(*args)

    def typed(self, value: Any) -> Any:
        """A number as a value of the dtype that it has when it is compiled."""
        if isinstance(value, np.generic):
            return value
        return cast_array(value, str(ops.convert(value).dtype))


def as_memory(name: str, value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return Memory(name, value, np.ones(value.shape, bool), False)
    if isinstance(value, tuple | list):
        return tuple(as_memory(f"{name}[{i}]", v) for i, v in enumerate(value))
    return value


def _is_integer(x: Any) -> bool:
    return isinstance(x, int | np.integer) or (isinstance(x, np.ndarray) and x.dtype.kind in "iu")


def plain(x: Any) -> str:
    return str(x.item()) if isinstance(x, np.generic) else str(x)
