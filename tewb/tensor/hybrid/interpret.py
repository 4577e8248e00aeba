"""A third way to run a hybrid function: operation by operation on numpy arrays, with every access looked at.

It walks the syntax tree, so it depends neither on the compiler nor on Python's own meaning of the text, and
gives values the dtypes that the compiled function gives them: a number takes the dtype of what it meets, a
scalar variable keeps the dtype of its first value.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from tewb.base import BoundError, DType, HybridError, TewbError
from tewb.ir import ops
from tewb.tensor.hybrid import refusals
from tewb.tensor.hybrid.expressions import BINARY, COMPARE
from tewb.tensor.hybrid.names import CASTS, DECLARATIONS, FUNCTIONS, LOOPS, cast_array, extreme
from tewb.tensor.hybrid.text import set_names
from tewb.tensor.hybrid.values import Counted

if TYPE_CHECKING:
    from tewb.tensor.hybrid.script import HybridFunction


def interpret(function: HybridFunction, values: Mapping[str, Any]) -> Any:
    """The outputs of `function` for arrays and numbers, as numpy arrays."""
    run = Interpreter(function, {n: _as_memory(n, v) for n, v in values.items()}, ())
    with np.errstate(all="ignore"):
        outputs = [m.data for m in run.outputs()]
    return outputs[0] if len(outputs) == 1 else tuple(outputs)


class Memory:
    """An array, and which of its elements have been written."""

    def __init__(self, name: str, data: Any, written: Any, writable: bool) -> None:
        self.name, self.data, self.written, self.writable = name, data, written, writable


class Interpreter:
    """One call of one function. `callers` are the lines that it was called from."""

    def __init__(self, function: HybridFunction, values: Mapping[str, Any], callers: tuple[str, ...]) -> None:
        self.function, self.text, self.callers = function, function.text, callers
        self.outer = function.outside()
        self.own = set_names(self.text.tree.body)
        self.scopes: list[dict[str, Any]] = [{}]
        self.loops: dict[str, Any] = {}
        self.returned: list[Memory] | None = None
        for name, value in values.items():
            typed = self.own.get(name) and isinstance(value, bool | int | float | np.generic)
            self.scopes[0][name] = self.typed(value) if typed else value

    def outputs(self) -> list[Memory]:
        self.block(self.text.tree.body)
        if self.returned is None:
            raise self.error(self.text.tree, "the function returns nothing", "return what output_tensor made")
        return self.returned

    # ---- errors

    def error(
        self, node: ast.AST, why: str, hint: str | None = None, kind: type[TewbError] = HybridError
    ) -> TewbError:
        made = self.text.error(node, why, hint, kind)
        if self.loops:
            made.message += "\n  with " + ", ".join(f"{n} = {_plain(v)}" for n, v in self.loops.items())
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
            return _as_memory(node.id, self.outer[node.id])
        if node.id in CASTS:
            return node.id
        raise self.error(node, f"{node.id} has no value here", "a name is set above, or around the function")

    # ---- statements

    def block(self, nodes: Iterable[ast.stmt]) -> None:
        for node in nodes:
            self.statement(node)

    def statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=[target], value=value):
                self.assign(target, value, node)
            case ast.AugAssign(target=target, op=op, value=value):
                load: Any = (
                    ast.Name(target.id, ast.Load())
                    if isinstance(target, ast.Name)
                    else ast.Subscript(getattr(target, "value"), getattr(target, "slice"), ast.Load())  # noqa: B009
                )
                old = self.value(ast.copy_location(load, target))
                self.store(target, self.binary(node, op, old, self.value(value)), node)
            case ast.If(test=test, body=body, orelse=orelse):
                self.branch(test, body, orelse)
            case ast.While(test=test, body=body, orelse=[]):
                while self.truth(test):
                    with self.scope():
                        self.block(body)
            case ast.For(orelse=[]):
                self.loop(node)
            case ast.Return(value=ast.expr() as value):
                self.returns(node, self.value(value))
            case ast.Assert(test=test, msg=msg):
                if not self.truth(test):
                    said = f": {msg.value!s}" if isinstance(msg, ast.Constant) else ""
                    raise self.error(node, f"the assertion does not hold{said}")
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                pass
            case _:
                what, hint = refusals.STATEMENTS.get(type(node), (type(node).__name__.lower(), None))
                raise self.error(node, f"{what} is not part of the hybrid language", hint)

    def branch(self, test: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt]) -> None:
        cond = self.value(test)
        if isinstance(cond, np.generic):
            with self.scope():
                self.block(body if cond else orelse)
        else:  # known when it is compiled: its names stay
            self.block(body if self.truth(test) else orelse)

    def assign(self, target: ast.expr, value: ast.expr, node: ast.stmt) -> None:
        if isinstance(value, ast.Call):
            function = self.callee(value)
            if function in DECLARATIONS:
                self.declare(target, value, function)
                return
            if not isinstance(function, str):
                self.call_function(target, value, function)
                return
        got = self.value(value)
        if isinstance(target, ast.Tuple | ast.List):
            if not isinstance(got, tuple | list) or len(got) != len(target.elts):
                raise self.error(target, "the sides of this assignment do not match")
            for t, v in zip(target.elts, got, strict=True):
                self.store(t, v, node)
        else:
            self.store(target, got, node)

    def store(self, target: ast.expr, value: Any, node: ast.stmt) -> None:
        if isinstance(target, ast.Subscript):
            self.store_element(target, value, node)
            return
        if not isinstance(target, ast.Name):
            raise self.error(target, "this cannot be assigned to", "names and elements can")
        scope = self.find(target.id)
        if target.id in self.loops:
            raise self.error(target, f"{target.id} is the variable of a loop and cannot be set")
        if scope is not None and isinstance(scope[target.id], np.generic):
            scope[target.id] = cast_array(value, scope[target.id].dtype.name)
        elif not isinstance(value, bool | int | float | np.generic) or self.own.get(target.id) == 1:
            self.scopes[-1][target.id] = value
        else:
            self.scopes[-1][target.id] = self.typed(value)

    def typed(self, value: Any) -> Any:
        """A number as a value of the dtype that it has when it is compiled."""
        if isinstance(value, np.generic):
            return value
        return cast_array(value, str(ops.convert(value).dtype))

    def declare(self, target: ast.expr, call: ast.Call, word: str) -> None:
        if not isinstance(target, ast.Name):
            raise self.error(target, f"{word} gives its tensor a name")
        given = {str(k.arg): self.value(k.value) for k in call.keywords}
        given.update(zip(("shape", "dtype", "scope"), [self.value(a) for a in call.args], strict=False))
        dtype = given.get("dtype", "float32")
        name = dtype if isinstance(dtype, str) else getattr(dtype, "__name__", str(dtype))
        if "shape" not in given:
            raise self.error(call, f"{word} needs a shape", f"{word}(shape, dtype)")
        shape = given["shape"]
        sizes = [int(n) for n in (shape if isinstance(shape, tuple | list) else (shape,))]
        if any(n < 0 for n in sizes):
            raise self.error(call, f"a size below 0: {tuple(sizes)}", "max(n, 0)")
        data = np.zeros(sizes, str(DType(name)))
        self.scopes[-1][target.id] = Memory(target.id, data, np.zeros(sizes, bool), True)

    def returns(self, node: ast.Return, value: Any) -> None:
        made = list(value) if isinstance(value, tuple | list) else [value]
        for m in made:
            if not isinstance(m, Memory) or not m.writable:
                raise self.error(node, "only what output_tensor made can be returned")
            self.all_written(node, m)
        self.returned = made

    def all_written(self, node: ast.AST, m: Memory) -> None:
        missing = np.argwhere(~m.written)
        if len(missing):
            first = ", ".join(str(i) for i in missing[0])
            raise self.error(
                node,
                f"{m.name}[{first}] is returned and was never written ({len(missing)} of {m.data.size} elements)",
                f"set all elements: {m.name}[{', '.join([':'] * m.data.ndim)}] = 0",
            )

    # ---- loops

    def loop(self, node: ast.For) -> None:
        over = self.value(node.iter)
        if isinstance(over, Counted):
            known = over.word == "const_range"
            numbers = range(*[int(b) for b in over.bounds])
            values: Iterable[Any] = numbers if known else (np.int32(i) for i in numbers)
        elif isinstance(over, Memory):
            values = (self.load(node.iter, over, (i,)) for i in range(over.data.shape[0]))
        elif isinstance(over, tuple | list):
            values = over
        else:
            raise self.error(node.iter, "a loop runs over range(...), a tensor or a tuple")
        element = isinstance(over, Memory)
        for value in values:
            with self.scope():
                shown = self.bind(node.target, value)
                if not element:
                    self.loops.update(shown)
                self.block(node.body)
            for name in shown:
                self.loops.pop(name, None)

    def bind(self, target: ast.expr, value: Any) -> dict[str, Any]:
        """Give a loop's names their values; returns the numbers among them."""
        if isinstance(target, ast.Name):
            self.scopes[-1][target.id] = value
            return {target.id: value} if isinstance(value, int | np.generic) else {}
        if not isinstance(target, ast.Tuple) or len(target.elts) != len(value):
            raise self.error(target, "this does not fit what the loop runs over")
        found: dict[str, Any] = {}
        for t, v in zip(target.elts, value, strict=True):
            found.update(self.bind(t, v))
        return found

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
                raise self.error(node, f"shift of {x.dtype} by {_plain(y)}", f"shift by 0 to {bits - 1}")
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

    def call_function(self, target: ast.expr, call: ast.Call, function: Any) -> None:
        args = [self.value(a) for a in call.args]
        keywords = {str(k.arg): self.value(k.value) for k in call.keywords}
        loops = "".join(f", {n} = {_plain(v)}" for n, v in self.loops.items())
        where = f"{self.text.name}{loops}, {self.text.span(call)}"
        values = {n: _read_only(v) for n, v in function.arguments(args, keywords).items()}
        inner = Interpreter(function, values, (*self.callers, where))
        made = inner.outputs()
        targets = target.elts if isinstance(target, ast.Tuple) else [target]
        if len(targets) != len(made):
            raise self.error(target, f"{function.name} returns {len(made)} tensors")
        for t, m in zip(targets, made, strict=True):
            if not isinstance(t, ast.Name):
                raise self.error(t, "the result of a hybrid function gets a name")
            self.scopes[-1][t.id] = m


def _as_memory(name: str, value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return Memory(name, value, np.ones(value.shape, bool), False)
    if isinstance(value, tuple | list):
        return tuple(_as_memory(f"{name}[{i}]", v) for i, v in enumerate(value))
    return value


def _read_only(value: Any) -> Any:
    """Memory of the caller as the called function sees it."""
    if isinstance(value, Memory):
        return Memory(value.name, value.data, value.written, False)
    return tuple(_read_only(v) for v in value) if isinstance(value, tuple | list) else value


def _is_integer(x: Any) -> bool:
    return isinstance(x, int | np.integer) or (isinstance(x, np.ndarray) and x.dtype.kind in "iu")


def _plain(x: Any) -> str:
    return str(x.item()) if isinstance(x, np.generic) else str(x)
