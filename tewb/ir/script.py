"""IR as TVMScript text: valid Python, one canonical form, every line knowing its node.

Names may hold dots (`i.outer`): Python reads them as attributes, so the text still parses.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tewb.base import HANDLE, DType, InternalError
from tewb.ir import nodes as ir
from tewb.ir.node import Node
from tewb.ir.nodes import Buffer, Expr, IntImm, IRModule, PrimFunc, Stmt, Var
from tewb.ir.walk import walk


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text, the depth of its block, and the node that it shows (None for headers)."""

    depth: int
    text: str
    node: Node | None

    def __str__(self) -> str:
        return "    " * self.depth + self.text


def script(n: Node | PrimFunc | IRModule) -> str:
    """`n` as text. An expression is one line; statements and functions are blocks."""
    if isinstance(n, Expr):
        return _Names().expr(n)
    return "\n".join(str(line) for line in script_lines(n))


def script_lines(n: Node | PrimFunc | IRModule) -> list[Line]:
    """The lines of a statement, function or module, each with its node."""
    printer = _Printer()
    if isinstance(n, IRModule):
        for i, f in enumerate(n.functions.values()):
            if i:
                printer.emit("", None)
            printer.lines += script_lines(f)
    elif isinstance(n, PrimFunc):
        printer.function(n)
    elif isinstance(n, Stmt):
        printer.block(n)
    else:
        raise InternalError(f"script() was given a {type(n).__name__}")
    return printer.lines


# ---------------------------------------------------------------- expressions

# Binding strength, as in Python's grammar.
_OR, _AND, _NOT, _COMPARE, _SUM, _TERM, _ATOM = range(7)

_INFIX: dict[type, tuple[str, int]] = {
    ir.Add: ("+", _SUM),
    ir.Sub: ("-", _SUM),
    ir.Mul: ("*", _TERM),
    ir.FloorDiv: ("//", _TERM),
    ir.FloorMod: ("%", _TERM),
    ir.EQ: ("==", _COMPARE),
    ir.NE: ("!=", _COMPARE),
    ir.LT: ("<", _COMPARE),
    ir.LE: ("<=", _COMPARE),
    ir.GT: (">", _COMPARE),
    ir.GE: (">=", _COMPARE),
    ir.And: ("and", _AND),
    ir.Or: ("or", _OR),
}


class _Names:
    """Prints expressions, and gives every variable and buffer a name of its own."""

    def __init__(self) -> None:
        self.names: dict[object, str] = {}
        self.taken: set[str] = set()

    def name(self, what: Var | Buffer | ir.Producer) -> str:
        known = self.names.get(what)
        if known is not None:
            return known
        if isinstance(what, Buffer) and what.data in self.names:
            # A flat form of a declared buffer: the same memory, so the same name.
            self.names[what] = self.names[what.data].removesuffix(".data")
            return self.names[what]
        return self.fresh(what)

    def fresh(self, what: Var | Buffer | ir.Producer) -> str:
        """A name that nothing else has."""
        base = what.name or "v"
        unique, n = base, 0
        while unique in self.taken:
            n += 1
            unique = f"{base}_{n}"
        self.taken.add(unique)
        self.names[what] = unique
        return unique

    def release(self, what: Var | Buffer) -> None:
        """Forget a name when its scope ends, so that sister loops may share it."""
        self.taken.discard(self.names.pop(what, ""))

    def declare(self, buffer: Buffer) -> str:
        text = self.names.get(buffer) or self.fresh(buffer)
        self.names.setdefault(buffer.data, f"{text}.data")
        return text

    def expr(self, e: Expr) -> str:
        return self._strength(e)[0]

    def _at_least(self, e: Expr, strength: int) -> str:
        text, own = self._strength(e)
        return text if own >= strength else f"({text})"

    def _strength(self, e: Expr) -> tuple[str, int]:
        """The text of `e` and how strongly it holds together."""
        infix = _INFIX.get(type(e))
        if infix is not None:
            sign, own = infix
            a: Expr = e.a  # type: ignore[attr-defined]
            b: Expr = e.b  # type: ignore[attr-defined]
            left = own + 1 if own == _COMPARE else own
            return f"{self._at_least(a, left)} {sign} {self._at_least(b, own + 1)}", own
        match e:
            case Var():
                return self.name(e), _ATOM
            case IntImm(value, dtype):
                return _integer(value, dtype)
            case ir.FloatImm(value, dtype):
                return f"T.{dtype}({_float(value)})", _ATOM
            case ir.StringImm(value):
                return repr(value), _ATOM
            case ir.Not(a):
                return f"not {self._at_least(a, _NOT)}", _NOT
            case ir.Div(a, b, dtype) if dtype.is_float:
                return f"{self._at_least(a, _TERM)} / {self._at_least(b, _ATOM)}", _TERM
            case ir.BufferLoad(buffer, indices):
                return f"{self.name(buffer)}[{self.indices(indices)}]", _ATOM
            case ir.ProducerLoad(producer, indices):
                return f"{self.name(producer)}[{self.indices(indices)}]", _ATOM
        return self._call(e), _ATOM

    def _call(self, e: Expr) -> str:
        """Everything that is written as a call of something in `T`."""
        match e:
            case ir.Div(a, b):
                return self._apply("truncdiv", a, b)
            case ir.Mod(a, b):
                return self._apply("truncmod", a, b)
            case ir.Min(a, b):
                return self._apply("min", a, b)
            case ir.Max(a, b):
                return self._apply("max", a, b)
            case ir.Select(cond, then, other):
                return self._apply("Select", cond, then, other)
            case ir.Cast(value, dtype):
                return f'T.Cast("{dtype}", {self.expr(value)})'
            case ir.Ramp(base, stride, lanes):
                return f"T.Ramp({self.expr(base)}, {self.expr(stride)}, {lanes})"
            case ir.Broadcast(value, lanes):
                return f"T.Broadcast({self.expr(value)}, {lanes})"
            case ir.Let(var, value, body):
                return f"T.Let({self.expr(body)}, where={{{self.name(var)}: {self.expr(value)}}})"
            case ir.Call(op, args, dtype):
                return self._intrinsic(op, args, dtype)
            case ir.Reduce():
                return self._reduce(e)
        raise InternalError(f"the printer does not know {type(e).__name__}")

    def _apply(self, name: str, *args: Expr) -> str:
        return f"T.{name}({', '.join(self.expr(a) for a in args)})"

    def _intrinsic(self, op: str, args: tuple[Expr, ...], dtype: DType) -> str:
        # The dtype is written where the arguments do not say it.
        implied = bool(args) and args[-1].dtype is dtype
        text = [self.expr(a) for a in args] + ([] if implied or dtype is HANDLE else [f'dtype="{dtype}"'])
        return f"T.{op}({', '.join(text)})"

    def _reduce(self, e: ir.Reduce) -> str:
        axes = ", ".join(self.name(axis.var) for axis in e.axes)
        sources = ", ".join(self.expr(s) for s in e.source)
        where = "" if ir_true(e.condition) else f", where={self.expr(e.condition)}"
        part = f"[{e.index}]" if len(e.source) > 1 else ""
        return f"T.{e.combiner.name}({sources}, axis=[{axes}]{where}){part}"

    def indices(self, indices: tuple[Expr, ...]) -> str:
        return ", ".join(self._index(i) for i in indices) or "()"

    def _index(self, i: Expr) -> str:
        match i:
            case ir.Ramp(base, IntImm(1), lanes):
                text = self._at_least(base, _SUM)
                end = str(base.value + lanes) if isinstance(base, IntImm) else f"{text} + {lanes}"
                return f"{text}:{end}"
        return self.expr(i)


def ir_true(e: Expr) -> bool:
    """Whether `e` is the constant true."""
    return isinstance(e, IntImm) and e.value == 1


def _integer(value: int, dtype: DType) -> tuple[str, int]:
    if dtype.is_bool:
        return f"T.bool({bool(value)})", _ATOM
    if dtype == "int32":
        return str(value), _ATOM if value >= 0 else _SUM
    return f"T.{dtype}({value})", _ATOM


def _float(value: float) -> str:
    return repr(value) if math.isfinite(value) else f'"{value}"'


# ---------------------------------------------------------------- statements


class _Printer(_Names):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Line] = []
        self.depth = 0

    def emit(self, text: str, n: Node | None) -> None:
        self.lines.append(Line(self.depth, text, n))

    def indented(self, body: Stmt) -> None:
        self.depth += 1
        self.block(body)
        self.depth -= 1

    def block(self, s: Stmt, last: bool = True) -> None:
        """Print `s`. `last` says that nothing follows in this block, so a declaration may stand bare."""
        rule = _STATEMENTS.get(type(s))
        if rule is None:
            raise InternalError(f"the printer does not know {type(s).__name__}")
        rule(self, s, last)

    def function(self, f: PrimFunc) -> None:
        symbols = _symbols(f)
        self.emit("@T.prim_func", None)
        params = []
        for p in f.params:
            if isinstance(p, Var):
                params.append(f"{self.name(p)}: T.{p.dtype}")
        for v in symbols:
            self.name(v)
        shown = []
        for p in f.params:
            shown.append(f"{self.name(p)}: T.{p.dtype}" if isinstance(p, Var) else self._parameter(p))
        self.emit(f"def {f.name}({', '.join(shown)}):", None)
        self.depth += 1
        outputs = ", ".join(repr(self.name(f.params[i])) for i in f.outputs)
        self.emit(f'T.func_attr({{"outputs": [{outputs}]}})', None)
        for v in symbols:
            self.emit(f"{self.name(v)} = T.{v.dtype}()", None)
        self.block(f.body)
        self.depth -= 1

    def _parameter(self, b: Buffer) -> str:
        return f"{self.declare(b)}: {self._buffer('Buffer', b)}"

    def _buffer(self, what: str, b: Buffer, data: bool = False) -> str:
        def exprs(es: tuple[Expr, ...]) -> str:
            return ", ".join(self.expr(e) for e in es) + ("," if len(es) == 1 else "")

        parts = [f"({exprs(b.shape)})", f'"{b.dtype}"']
        if data:
            parts.append(f"data={self.expr(b.data)}")
        if b.strides:
            parts.append(f"strides=({exprs(b.strides)})")
        if not (isinstance(b.elem_offset, IntImm) and b.elem_offset.value == 0):
            parts.append(f"elem_offset={self.expr(b.elem_offset)}")
        if b.scope != "global":
            parts.append(f'scope="{b.scope}"')
        if b.alignment:
            parts.append(f"align={b.alignment}")
        return f"T.{what}({', '.join(parts)})"

    def store(self, s: ir.BufferStore | ir.ProducerStore, last: bool) -> None:
        target = s.buffer if isinstance(s, ir.BufferStore) else s.producer
        self.emit(f"{self.name(target)}[{self.indices(s.indices)}] = {self.expr(s.value)}", s)

    def loop(self, s: ir.For, last: bool) -> None:
        extent, low = self.expr(s.extent), self.expr(s.min)
        from_zero = isinstance(s.min, IntImm) and s.min.value == 0
        if from_zero:
            bounds = extent
        elif isinstance(s.min, IntImm) and isinstance(s.extent, IntImm):
            bounds = f"{low}, {s.min.value + s.extent.value}"
        else:
            bounds = f"{low}, {low} + {self._at_least(s.extent, _TERM)}"
        notes = "".join(f", {key}={value!r}" for key, value in s.annotations)
        name = self.name(s.var)
        self.emit(f"for {name} in {_LOOPS[s.kind]}({bounds}{notes}):", s)
        self.indented(s.body)
        self.release(s.var)

    def while_(self, s: ir.While, last: bool) -> None:
        self.emit(f"while {self.expr(s.cond)}:", s)
        self.indented(s.body)

    def if_(self, s: ir.IfThenElse, last: bool) -> None:
        self.emit(f"if {self.expr(s.cond)}:", s)
        self.indented(s.then)
        if s.other is not None:
            self.emit("else:", s)
            self.indented(s.other)

    def seq(self, s: ir.Seq, last: bool) -> None:
        for i, part in enumerate(s.stmts):
            self.block(part, last and i == len(s.stmts) - 1)

    def scoped(self, s: Any, target: str, value: str, last: bool) -> None:
        """A declaration that holds for the rest of its block, or, when more follows, for a `with`."""
        if last:
            self.emit(f"{target} = {value}", s)
            self.block(s.body)
        else:
            self.emit(f"with {value} as {target}:", s)
            self.indented(s.body)

    def allocate(self, s: ir.Allocate, last: bool) -> None:
        self.scoped(s, self.declare(s.buffer), self._buffer("allocate", s.buffer), last)
        self.release(s.buffer)

    def view(self, s: ir.DeclBuffer, last: bool) -> None:
        value = self._buffer("decl_buffer", s.buffer, data=True)
        self.scoped(s, self.fresh(s.buffer), value, last)
        self.release(s.buffer)

    def let(self, s: ir.LetStmt, last: bool) -> None:
        value = self.expr(s.value)
        self.scoped(s, self.name(s.var), f"T.let({value})", last)
        self.release(s.var)

    def attr(self, s: ir.AttrStmt, last: bool) -> None:
        if isinstance(s.node, ir.ExternRegion):
            region = s.node
            what = f"{region.name!r}, reads={list(region.reads)!r}, writes={list(region.writes)!r}"
            self.emit(f'with T.attr(T.extern_region({what}, effect="{region.effect}"), "{s.key}", 0):', s)
        else:
            node = self.expr(s.node) if isinstance(s.node, Expr) else repr(s.node)
            self.emit(f'with T.attr({node}, "{s.key}", {self.expr(s.value)}):', s)
        self.indented(s.body)

    def assertion(self, s: ir.AssertStmt, last: bool) -> None:
        self.emit(f"assert {self.expr(s.cond)}, {s.message!r}", s)
        self.block(s.body, last)

    def evaluate(self, s: ir.Evaluate, last: bool) -> None:
        self.emit(f"T.evaluate({self.expr(s.value)})", s)


_LOOPS = {
    ir.ForKind.SERIAL: "range",
    ir.ForKind.PARALLEL: "T.parallel",
    ir.ForKind.VECTORIZED: "T.vectorized",
    ir.ForKind.UNROLLED: "T.unroll",
}

_STATEMENTS: dict[type, Callable[[_Printer, Any, bool], None]] = {
    ir.BufferStore: _Printer.store,
    ir.ProducerStore: _Printer.store,
    ir.For: _Printer.loop,
    ir.While: _Printer.while_,
    ir.IfThenElse: _Printer.if_,
    ir.Seq: _Printer.seq,
    ir.Allocate: _Printer.allocate,
    ir.DeclBuffer: _Printer.view,
    ir.LetStmt: _Printer.let,
    ir.AttrStmt: _Printer.attr,
    ir.AssertStmt: _Printer.assertion,
    ir.Evaluate: _Printer.evaluate,
}


def _symbols(f: PrimFunc) -> list[Var]:
    """The variables of the buffers' shapes, strides and offsets that are not parameters themselves."""
    found: dict[Var, None] = {}
    for p in f.params:
        if isinstance(p, Buffer):
            for e in (*p.shape, *p.strides, p.elem_offset):
                found.update({v: None for v in walk(e) if isinstance(v, Var)})
    return [v for v in found if not any(v is p for p in f.params)]
