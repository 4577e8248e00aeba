"""A lowered function as the text of a hybrid function: Python that runs, and that can be loaded again."""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence

from tewb import ir
from tewb.base import DType, HybridError, comment, fresh_identifier, literal
from tewb.ir import const_int, is_noop, ops, substitute, walk
from tewb.tensor.hybrid.loop_order import why_ordered
from tewb.tensor.hybrid.words import FUNCTIONS, WORDS

_INFIX: dict[type[ir.Expr], str] = {
    ir.Add: "+", ir.Sub: "-", ir.Mul: "*", ir.FloorDiv: "//", ir.FloorMod: "%", ir.EQ: "==", ir.NE: "!=", ir.LT: "<", ir.LE: "<=", ir.GT: ">",
    ir.GE: ">=", ir.And: "and", ir.Or: "or",
}  # fmt: skip

_BITS = {
    "bitwise_and": "&",
    "bitwise_or": "|",
    "bitwise_xor": "^",
    "shift_left": "<<",
    "shift_right": ">>",
}

_LOOPS = {
    ir.ForKind.SERIAL: "range",
    ir.ForKind.PARALLEL: "parallel",
    ir.ForKind.VECTORIZED: "vectorize",
    ir.ForKind.UNROLLED: "unroll",
    ir.ForKind.DOT: "range",
}


def dump(f: ir.PrimFunc, name: str) -> str:
    """The text of `f`, of a module with one hybrid function `name`. Its parameters are the inputs, and it
    returns the outputs. Raises HybridError for what the hybrid language cannot say: packed functions, and
    views of parts of a tensor."""
    return _TextWriter(name).function(f)


class _TextWriter:
    def __init__(self, name: str) -> None:
        self.function_name = fresh_identifier(name, WORDS)
        self.names: dict[object, str] = {}
        self.taken = {self.function_name}
        self.scalars: set[ir.Buffer] = set()  # memory for one element that is set at once: a variable
        self.lines: list[str] = []
        self.depth = 1

    def name(self, what: ir.Var | ir.Buffer) -> str:
        if what not in self.names:
            name = fresh_identifier(what.name, WORDS, self.taken)
            self.taken.add(name)
            self.names[what] = name
        return self.names[what]

    def emit(self, line: str) -> None:
        self.lines.append("    " * self.depth + line)

    # ---- the function

    def function(self, f: ir.PrimFunc) -> str:
        inputs = [p for i, p in enumerate(f.params) if i not in f.outputs]
        outputs = [p for i, p in enumerate(f.params) if i in f.outputs]
        parameters = ", ".join(self.name(p) for p in inputs)
        self.sizes([p for p in inputs if isinstance(p, ir.Buffer)])
        for p in outputs:
            assert isinstance(p, ir.Buffer)
            self.emit(f'{self.name(p)} = output_tensor({self.shape(p)}, "{p.dtype}")')
        self.block(f.body)
        self.emit(f"return {', '.join(self.name(p) for p in outputs)}")
        head = [
            f'"""{self.function_name}: loops that tewb lowered, as a hybrid function."""',
            "from tewb import te",
            "",
            "",
            "@te.hybrid.script",
            f"def {self.function_name}({parameters}):",
        ]
        return "\n".join([*head, *self.lines]) + "\n"

    def sizes(self, inputs: Sequence[ir.Buffer]) -> None:
        """Variables of shapes get their values from the inputs."""
        for b in inputs:
            for d, n in enumerate(b.shape):
                if isinstance(n, ir.Var) and n not in self.names:
                    self.emit(f"{self.name(n)} = {self.name(b)}.shape[{d}]")

    def shape(self, b: ir.Buffer) -> str:
        sizes = [self.expr(n) for n in b.shape]
        return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"

    # ---- statements

    def block(self, s: ir.Stmt) -> None:
        match s:
            case ir.Seq(stmts):
                for part in stmts:
                    self.block(part)
            case ir.BufferStore(buffer, value, indices):
                self.emit(f"{self.element(buffer, indices)} = {self.expr(value)}")
            case ir.For():
                self.loop(s)
            case ir.While(cond, body):
                self.indented(f"while {self.expr(cond)}:", body)
            case ir.IfThenElse(cond, then, other):
                self.indented(f"if {self.expr(cond)}:", then)
                if other is not None:
                    self.indented("else:", other)
            case ir.Allocate(buffer, body) if _is_variable(buffer, body):
                self.scalars.add(buffer)
                self.block(body)
            case ir.Allocate(buffer, body):
                scope = "" if buffer.scope == "global" else f", {literal(buffer.scope)}"
                self.emit(f'{self.name(buffer)} = allocate({self.shape(buffer)}, "{buffer.dtype}"{scope})')
                self.block(body)
            case ir.LetStmt(var, value, body):
                self.emit(f"{self.name(var)} = {self.expr(value)}")
                self.block(body)
            case ir.AssertStmt(cond, message, body):
                self.emit(f"assert {self.expr(cond)}, {message!r}")
                self.block(body)
            case ir.AttrStmt(node, _, _, body):
                if isinstance(node, ir.ExternRegion):
                    self.emit(comment(node.name))
                self.block(body)
            case ir.Evaluate(value):
                if not is_noop(s):
                    raise HybridError(
                        f"{value!r} has no form in a hybrid function",
                        hint="packed functions stay in te.extern",
                    )
            case _:
                raise HybridError(f"{type(s).__name__} has no form in a hybrid function")

    def indented(self, head: str, body: ir.Stmt) -> None:
        self.emit(head)
        self.depth += 1
        count = len(self.lines)
        self.block(body)
        if all(line.lstrip().startswith("#") for line in self.lines[count:]):
            self.emit("pass")
        self.depth -= 1

    def loop(self, s: ir.For) -> None:
        word = _LOOPS[s.kind]
        if s.kind in (ir.ForKind.PARALLEL, ir.ForKind.VECTORIZED) and why_ordered(s) is not None:
            self.emit(f"# the schedule runs this loop with {word}; its text alone does not show that it may")
            word = "range"
        bounds = self.expr(s.extent)
        if const_int(s.min) != 0:
            bounds = f"{self.expr(s.min)}, {self.expr(ops.add(s.min, s.extent))}"
        self.indented(f"for {self.name(s.var)} in {word}({bounds}):", s.body)

    # ---- expressions

    def element(self, b: ir.Buffer, indices: Sequence[ir.Expr]) -> str:
        if b.strides or const_int(b.elem_offset) != 0:
            raise HybridError(
                f"{b.name} is a view of a part of a tensor, which a hybrid function cannot say",
                hint="keep the stages around an extern or a hybrid function at the root",
            )
        if b in self.scalars:
            return self.name(b)
        return f"{self.name(b)}[{', '.join(self.expr(i) for i in indices) or '()'}]"

    def expr(self, e: ir.Expr) -> str:
        """`e` as Python, with the parentheses that it needs."""
        return ast.unparse(ast.parse(self.text(e), mode="eval"))

    def text(self, e: ir.Expr) -> str:
        sign = _INFIX.get(type(e))
        if sign is not None:
            return f"({self.text(e.a)} {sign} {self.text(e.b)})"  # type: ignore[attr-defined]
        match e:
            case ir.Var():
                return self.name(e)
            case ir.IntImm(value, dtype):
                return _integer(value, dtype)
            case ir.FloatImm(value, dtype):
                return _float(value, dtype)
            case ir.BufferLoad(buffer, indices):
                return self.element(buffer, indices)
            case ir.Not(a):
                return f"(not {self.text(a)})"
            case ir.Div(a, b, dtype):
                if dtype.is_float:
                    return f"({self.text(a)} / {self.text(b)})"
                return self.apply("truncdiv", a, b)
            case ir.Mod(a, b, dtype):
                return self.apply("fmod" if dtype.is_float else "truncmod", a, b)
            case ir.Min(a, b):
                return self.apply("min", a, b)
            case ir.Max(a, b):
                return self.apply("max", a, b)
            case ir.Select(cond, then, other):
                return self.apply("select", cond, then, other)
            case ir.Cast(value, dtype) if dtype.lanes == 1:
                return self.apply(str(dtype), value)
            case ir.Let(var, value, body):
                return self.text(substitute(body, {var: value}))
            case ir.Call(op, args):
                return self.call(e, op, args)
        raise HybridError(f"{type(e).__name__} has no form in a hybrid function: {e!r}")

    def call(self, e: ir.Expr, op: str, args: Sequence[ir.Expr]) -> str:
        if op in _BITS:
            return f"({self.text(args[0])} {_BITS[op]} {self.text(args[1])})"
        if op == "bitwise_not":
            return f"(~{self.text(args[0])})"
        if op == "if_then_else":
            cond, then, other = (self.text(a) for a in args)
            return f"({then} if {cond} else {other})"
        word = {"pow": "power"}.get(op, op)
        if word not in FUNCTIONS:
            raise HybridError(f"{op} has no form in a hybrid function: {e!r}")
        return self.apply(word, *args)

    def apply(self, word: str, *args: ir.Expr) -> str:
        return f"{word}({', '.join(self.text(a) for a in args)})"


def _is_variable(b: ir.Buffer, body: ir.Stmt) -> bool:
    first = body.stmts[0] if isinstance(body, ir.Seq) else body
    one = len(b.shape) == 1 and const_int(b.shape[0]) == 1 and b.scope == "local"
    if not one or not isinstance(first, ir.BufferStore) or first.buffer is not b:
        return False
    return not any(isinstance(n, ir.BufferLoad) and n.buffer is b for n in walk(first.value))


def _integer(value: int, dtype: DType) -> str:
    if dtype.is_bool:
        return str(bool(value))
    text = str(value) if value >= 0 else f"({value})"
    return text if dtype == "int32" else f"{dtype}({text})"


def _float(value: float, dtype: DType) -> str:
    text = repr(value)
    if math.isnan(value):
        text = "(1e999 - 1e999)"
    elif math.isinf(value):
        text = "1e999" if value > 0 else "(-1e999)"
    elif value < 0 or math.copysign(1.0, value) < 0:
        text = f"({text})"
    return text if dtype == "float32" else f"{dtype}({text})"
