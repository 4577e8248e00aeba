"""IR as TVMScript text: valid Python, one canonical form, every line knowing its node.

Names may hold dots (`i.outer`): Python reads them as attributes, so the text still parses, and `parser.py`
gives the program back.
"""

from __future__ import annotations

import itertools
import keyword
import math
import re
import unicodedata
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from tewb.base import INT32, DType, InternalError, any_depth, literal, printable, unique_name, with_article
from tewb.ir import expressions as ir
from tewb.ir.axes import Reduce
from tewb.ir.buffers import Buffer, BufferLoad, Producer, ProducerLoad
from tewb.ir.expressions import Expr, IntImm, Var
from tewb.ir.functions import ExternRegion, IRModule, PrimFunc
from tewb.ir.intrinsics import implied_dtype
from tewb.ir.long_text import is_long, subexpressions_to_name
from tewb.ir.node import Node
from tewb.ir.statements import (
    Allocate,
    AssertStmt,
    AttrStmt,
    BufferStore,
    DeclBuffer,
    Evaluate,
    For,
    ForKind,
    IfThenElse,
    LetStmt,
    ProducerStore,
    Seq,
    Stmt,
    While,
)
from tewb.ir.structural_equality import structural_equal
from tewb.ir.threads import launched
from tewb.ir.walk import walk


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text, the depth of its block, and the node that it shows (None for headers)."""

    depth: int
    text: str
    node: Node | None

    def __str__(self) -> str:
        return "    " * self.depth + self.text


@any_depth
def script(n: Node | PrimFunc | IRModule) -> str:
    """`n` as text. An expression is one line for people, and cut where it is long. Statements and functions are
    complete blocks."""
    if isinstance(n, Expr):
        return _ExpressionPrinter().cut(n)
    return "\n".join(str(line) for line in script_lines(n))


@any_depth
def script_lines(n: Node | PrimFunc | IRModule) -> list[Line]:
    """The lines of a statement, function or module, each with its node."""
    printer = _Printer()
    if isinstance(n, IRModule):
        printer.module(n)
    elif isinstance(n, PrimFunc):
        printer.function(n)
    elif isinstance(n, Stmt):
        printer.block(n)
    else:
        raise InternalError(f"script() was given {with_article(type(n).__name__)}")
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


MOST = 4000  # characters of an expression on a line of its own


class _ExpressionPrinter:
    """Prints expressions, and gives every variable and buffer a name of its own."""

    def __init__(self) -> None:
        self.names: dict[object, str] = {}
        self.taken: set[str] = set()
        self.stand_ins: dict[Expr, str] = {}  # what is written instead of some subexpressions
        self.views: dict[Buffer, set[Var]] = {}  # buffers of a function that nothing declares

    def name(self, what: Var | Buffer | Producer) -> str:
        name = self.names.get(what)
        if name is not None:
            return name
        if isinstance(what, Buffer) and what.data in self.names and what not in self.views:
            # In a statement on its own, a flat form of a declared buffer: the same memory, so the same name.
            self.names[what] = self.names[what.data].removesuffix(".data")
            return self.names[what]
        return self.fresh(what)

    def fresh(self, what: Var | Buffer | Producer, dots: bool = True) -> str:
        """A name that nothing else has and that Python can read; a parameter's name has no dots."""
        base = _identifier(what.name or "v")
        if not dots:
            base = base.replace(".", "_")
        unique = unique_name(base, self.taken.__contains__)
        self.taken.add(unique)
        self.names[what] = unique
        return unique

    def release(self, what: Var | Buffer) -> None:
        """Forget a name when its scope ends, so that sister loops may share it."""
        self.taken.discard(self.names.pop(what, ""))

    def declare(self, buffer: Buffer, dots: bool = True) -> str:
        """The name of a buffer that brings its memory with it."""
        text = self.names.get(buffer) or self.fresh(buffer, dots)
        self.taken.add(self.names.setdefault(buffer.data, f"{text}.data"))
        return text

    def expr(self, e: Expr) -> str:
        return self._strength(e)[0]

    def cut(self, e: Expr) -> str:
        """`e` on one line. A long one is cut to its two ends, with dots for what is nested deeply."""
        if is_long([e]):
            self.stand_ins = dict.fromkeys(subexpressions_to_name([e]), "...")
            self.stand_ins.pop(e, None)
        text = self.expr(e)
        return text if len(text) <= MOST else f"{text[: MOST // 2]} ... {text[-MOST // 2 :]}"

    def _at_least(self, e: Expr, strength: int) -> str:
        text, own = self._strength(e)
        return text if own >= strength else f"({text})"

    def _strength(self, e: Expr) -> tuple[str, int]:
        """The text of `e` and how strongly it holds together."""
        if self.stand_ins and e in self.stand_ins:
            return self.stand_ins[e], _ATOM
        infix = _INFIX.get(type(e))
        if infix is not None:
            sign, own = infix
            a: Expr = e.a  # type: ignore[attr-defined]
            b: Expr = e.b  # type: ignore[attr-defined]
            left = own + 1 if own == _COMPARE else own
            return f"{self._at_least(a, left)} {sign} {self._at_least(b, own + 1)}", own
        if e.__class__ is Var:
            return self.name(e), _ATOM
        match e:
            case Var(name):  # of a kind of its own, which is none of a program
                return name, _ATOM
            case IntImm(value, dtype):
                return _integer(value, dtype)
            case BufferLoad(buffer, indices):
                return f"{self.name(buffer)}[{self.indices(indices)}]", _ATOM
            case ir.FloatImm(value, dtype):
                return f"T.{dtype}({_float(value)})", _ATOM
            case ir.StringImm(value):
                return repr(value), _ATOM
            case ir.Not(a):
                return f"not {self._at_least(a, _NOT)}", _NOT
            case ir.Div(a, b, dtype) if dtype.is_float:
                return f"{self._at_least(a, _TERM)} / {self._at_least(b, _ATOM)}", _TERM
            case ProducerLoad(producer, indices):
                return f"{self.name(producer)}[{self.indices(indices)}]", _ATOM
        return self._call(e), _ATOM

    def _call(self, e: Expr) -> str:
        """Everything that is written as a call of something in `T`."""
        match e:
            case ir.Call(op, args, dtype):
                return self._intrinsic(op, args, dtype)
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
            case ir.Shuffle(vectors, indices):
                return f"T.Shuffle([{', '.join(self.expr(v) for v in vectors)}], {list(indices)})"
            case ir.Let(var, value, body):
                return f"T.Let({self.expr(body)}, where={{{self.name(var)}: {self.expr(value)}}})"
            case Reduce():
                return self._reduce(e)
        raise InternalError(f"the printer does not know {type(e).__name__}")

    def _apply(self, name: str, *args: Expr) -> str:
        return f"T.{name}({', '.join(self.expr(a) for a in args)})"

    def _intrinsic(self, op: str, args: tuple[Expr, ...], dtype: DType) -> str:
        # The dtype is written where the arguments do not say it.
        implied = implied_dtype(op, args) is dtype
        text = [self.expr(a) for a in args] + ([] if implied else [f'dtype="{dtype}"'])
        return f"T.{op}({', '.join(text)})"

    def _reduce(self, e: Reduce) -> str:
        axes = ", ".join(self.name(axis.var) for axis in e.axes)
        sources = ", ".join(self.expr(s) for s in e.source)
        where = "" if ir_true(e.condition) else f", where={self.expr(e.condition)}"
        component = f"[{e.index}]" if len(e.source) > 1 else ""
        return f"T.{e.combiner.name}({sources}, axis=[{axes}]{where}){component}"

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
    if dtype is INT32:
        return str(value), _ATOM if value >= 0 else _SUM
    if dtype.is_bool:
        return f"T.bool({bool(value)})", _ATOM
    return f"T.{dtype}({value})", _ATOM


def _float(value: float) -> str:
    return repr(value) if math.isfinite(value) else f'"{value}"'


def _identifier(name: str) -> str:
    """`name` as Python can read it: identifiers with dots between."""

    def readable(word: str) -> str:
        word = unicodedata.normalize("NFKC", word)  # as Python reads identifiers
        if word.isidentifier() and not keyword.iskeyword(word):
            return word
        return "_" + re.sub(r"[^A-Za-z0-9_]", "_", word)

    return ".".join(readable(word) for word in name.split("."))


# ---------------------------------------------------------------- statements


# Loop nests that were printed before, by the loop and all names that were in use: most of a program stays the
# same when one stage is edited. Entries keep alive the objects whose ids are in their keys.
_printed_loops: dict[Hashable, tuple[tuple[object, ...], list[Line]]] = {}
_buffers_of_statements: dict[int, tuple[Stmt, dict[Buffer, None], set[Buffer]]] = {}


def _forget_half(cache: dict[Any, Any], most: int = 512) -> None:
    """Keep a cache small: drop its older half when it has `most` entries."""
    if len(cache) >= most:
        for key in list(cache)[: most // 2]:
            cache.pop(key, None)


class _Printer(_ExpressionPrinter):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Line] = []
        self.depth = 0

    def emit(self, text: str, n: Node | None) -> None:
        self.lines.append(Line(self.depth, text, n))

    def name_subexpressions(self, exprs: list[Expr]) -> None:
        """Give names to subexpressions of the expressions of a statement, where these are long. A name means the same
        as the expression itself."""
        self.stand_ins = {}
        if not is_long(exprs):
            return
        fresh = (name for i in itertools.count(1) if (name := f"expr_{i}") not in self.taken)
        for e, name in zip(subexpressions_to_name(exprs), fresh, strict=False):
            self.emit(f"{name} = T.expr({self.expr(e)})", None)
            self.stand_ins[e] = name

    def indented(self, body: Stmt) -> None:
        self.depth += 1
        self.inside(body)
        self.depth -= 1

    def block(self, s: Stmt, last: bool = True) -> None:
        """Print `s`. `last` says that nothing follows in this block, so a declaration may stand bare."""
        rule = _STATEMENTS.get(type(s))
        if rule is None:
            raise InternalError(f"the printer does not know {type(s).__name__}")
        if not isinstance(s, Seq):
            self.name_subexpressions([c for c in s.children() if isinstance(c, Expr)])
        if self.depth == 1 and not self.views and isinstance(s, For):
            self.loop_nest(s)
        else:
            rule(self, s, last)

    def loop_nest(self, s: For) -> None:
        """Print a loop nest of a function, or repeat its text from before if all names are the same."""
        named = tuple(self.names)
        key = (id(s), tuple(map(id, named)), tuple(self.names.values()), frozenset(self.taken))
        printed = _printed_loops.get(key)
        if printed is not None:
            self.lines += printed[1]
            return
        start, count, names = len(self.lines), len(self.taken), len(self.names)
        self.loop(s, False)
        if (len(self.taken), len(self.names)) != (count, names):
            return  # it gave names to what it does not bind
        _forget_half(_printed_loops)
        _printed_loops[key] = ((s, *named), self.lines[start:])

    def module(self, m: IRModule) -> None:
        self.emit("@I.ir_module", None)
        self.emit("class Module:", None)
        for i, f in enumerate(m.functions.values()):
            if i:
                self.emit("", None)
            self.lines += [Line(line.depth + 1, line.text, line.node) for line in script_lines(f)]
        if not m.functions:
            self.lines.append(Line(1, "pass", None))

    def function(self, f: PrimFunc) -> None:
        symbols = _symbols(f)
        self.emit("@T.prim_func", None)
        for p in f.params:
            if isinstance(p, Var):
                self.fresh(p, dots=False)
        for v in symbols:
            self.name(v)
        shown = ", ".join(self._parameter(p) for p in f.params)
        name = _identifier(f.name).replace(".", "_")
        self.emit(f"def {name}({shown}):", None)
        self.depth += 1
        symbol = f'"global_symbol": {f.name!r}, ' if name != f.name else ""
        outputs = ", ".join(repr(self.name(f.params[i])) for i in f.outputs)
        self.emit(f'T.func_attr({{{symbol}"outputs": [{outputs}]}})', None)
        for v in symbols:
            self.emit(f"{self.name(v)} = T.{v.dtype}()", None)
        self._views_of_parameters(f)
        self.block(f.body)
        self.depth -= 1

    def _parameter(self, p: Buffer | Var) -> str:
        if isinstance(p, Var):
            return f"{self.name(p)}: T.{p.dtype}"
        shared = p.data in self.names
        return f"{self.declare(p, dots=False)}: {self._buffer('Buffer', p, data=shared)}"

    # ---- views: buffers that are used, and that no parameter and no statement declares

    def _views_of_parameters(self, f: PrimFunc) -> None:
        """Define the views that hold in all of the function. The flat form of a parameter takes over its name
        when the body never uses the parameter's own form."""
        used, declared = _used_buffers(f)
        self.views = {b: _view_vars(b) for b in used if b not in declared}
        owners = {p.data: p for p in f.params if isinstance(p, Buffer)}
        for view in self.views:
            owner = owners.get(view.data)
            if owner is None or owner.name != view.name:
                continue
            if _same_layout(view, owner):
                self.names[view] = self.names[owner]
            elif owner not in used:
                self.emit(f"{self.names[owner]} = {self._buffer('Buffer', view, data=True)}", None)
                self.names[view] = self.names[owner]
                used[owner] = None  # a second flat form gets a name of its own
        self.define_views()

    def define_views(self) -> list[Buffer]:
        """Define the views of which all variables have a value by now; returns them."""
        ready = [b for b, needs in self.views.items() if b not in self.names and needs <= self.names.keys()]
        for b in ready:
            value = self._buffer("Buffer", b, data=True)
            self.emit(f"{self.fresh(b)} = {value}", None)
        return ready

    def inside(self, body: Stmt) -> None:
        """Print `body`, for which some variable has just got its value."""
        defined = self.define_views()
        self.block(body)
        for b in defined:
            self.release(b)

    def _buffer(self, function: str, b: Buffer, data: bool = False) -> str:
        def exprs(es: tuple[Expr, ...]) -> str:
            return ", ".join(self.expr(e) for e in es) + ("," if len(es) == 1 else "")

        arguments = [f"({exprs(b.shape)})", f'"{b.dtype}"']
        if data:
            arguments.append(f"data={self.expr(b.data)}")
        if b.strides:
            arguments.append(f"strides=({exprs(b.strides)})")
        offset = b.elem_offset
        if not (isinstance(offset, IntImm) and offset.value == 0 and offset.dtype is INT32):
            arguments.append(f"elem_offset={self.expr(offset)}")
        if b.scope != "global":
            arguments.append(f"scope={literal(b.scope)}")
        if b.alignment:
            arguments.append(f"align={b.alignment}")
        if b.offset_factor:
            arguments.append(f"offset_factor={b.offset_factor}")
        return f"T.{function}({', '.join(arguments)})"

    def store(self, s: BufferStore | ProducerStore, last: bool) -> None:
        target = s.buffer if isinstance(s, BufferStore) else s.producer
        value = self.expr(s.value)
        if isinstance(s, BufferStore) and s.nontemporal:
            alignment = f", align={s.nontemporal}" if s.nontemporal > 1 else ""
            value = f"T.nontemporal({value}{alignment})"
        self.emit(f"{self.name(target)}[{self.indices(s.indices)}] = {value}", s)

    def loop(self, s: For, last: bool) -> None:
        extent, low = self.expr(s.extent), self.expr(s.min)
        from_zero = isinstance(s.min, IntImm) and s.min.value == 0
        if from_zero:
            bounds = extent
        elif isinstance(s.min, IntImm) and isinstance(s.extent, IntImm):
            bounds = f"{low}, {s.min.value + s.extent.value}"
        else:
            bounds = f"{low}, {low} + {self._at_least(s.extent, _TERM)}"
        name = self.name(s.var)
        self.emit(f"for {name} in {_LOOPS[s.kind]}({bounds}):", s)
        self.indented(s.body)
        self.release(s.var)

    def while_(self, s: While, last: bool) -> None:
        self.emit(f"while {self.expr(s.cond)}:", s)
        self.indented(s.body)

    def if_(self, s: IfThenElse, last: bool) -> None:
        self.emit(f"if {self.expr(s.cond)}:", s)
        self.indented(s.then)
        if s.other is not None:
            self.emit("else:", s)
            self.indented(s.other)

    def seq(self, s: Seq, last: bool) -> None:
        for i, stmt in enumerate(s.stmts):
            self.block(stmt, last and i == len(s.stmts) - 1)
        if not s.stmts:
            self.emit("pass", s)

    def scoped(self, s: Any, target: str, value: str, last: bool) -> None:
        """A declaration that holds for the rest of its block, or, when more follows, for a `with`."""
        if last:
            self.emit(f"{target} = {value}", s)
            self.inside(s.body)
        else:
            self.emit(f"with {value} as {target}:", s)
            self.indented(s.body)

    def allocate(self, s: Allocate, last: bool) -> None:
        self.scoped(s, self.declare(s.buffer), self._buffer("allocate", s.buffer), last)
        self.release(s.buffer)
        self.release(s.buffer.data)

    def view(self, s: DeclBuffer, last: bool) -> None:
        value = self._buffer("decl_buffer", s.buffer, data=True)
        self.scoped(s, self.fresh(s.buffer), value, last)
        self.release(s.buffer)

    def let(self, s: LetStmt, last: bool) -> None:
        value = self.expr(s.value)
        self.scoped(s, self.name(s.var), f"T.let({value})", last)
        self.release(s.var)

    def launch(self, s: AttrStmt, last: bool) -> None:
        value = f"T.launch_thread({literal(s.node.thread_tag)}, {self.expr(s.value)})"
        self.scoped(s, self.name(s.var), value, last)
        self.release(s.var)

    def attr(self, s: AttrStmt, last: bool) -> None:
        if launched(s) is not None:
            return self.launch(s, last)
        if isinstance(s.node, ExternRegion):
            region = s.node
            arguments = f"{region.name!r}, reads={list(region.reads)!r}, writes={list(region.writes)!r}"
            node = f"T.extern_region({arguments}, effect={literal(region.effect)})"
        elif isinstance(s.node, Expr):
            node = self.expr(s.node)
        else:
            node = self.name(s.node) if isinstance(s.node, Buffer) else printable(repr(s.node))
        self.emit(f"with T.attr({node}, {literal(s.key)}, {self.expr(s.value)}):", s)
        self.indented(s.body)

    def assertion(self, s: AssertStmt, last: bool) -> None:
        cond = self.expr(s.cond)
        if last:
            self.emit(f"assert {cond}, {s.message!r}", s)
            self.block(s.body)
        else:
            self.emit(f"with T.Assert({cond}, {s.message!r}):", s)
            self.indented(s.body)

    def evaluate(self, s: Evaluate, last: bool) -> None:
        self.emit(f"T.evaluate({self.expr(s.value)})", s)


_LOOPS = {
    ForKind.SERIAL: "range",
    ForKind.PARALLEL: "T.parallel",
    ForKind.VECTORIZED: "T.vectorized",
    ForKind.UNROLLED: "T.unroll",
    ForKind.DOT: "T.dot",
}

_STATEMENTS: dict[type, Callable[[_Printer, Any, bool], None]] = {
    BufferStore: _Printer.store,
    ProducerStore: _Printer.store,
    For: _Printer.loop,
    While: _Printer.while_,
    IfThenElse: _Printer.if_,
    Seq: _Printer.seq,
    Allocate: _Printer.allocate,
    DeclBuffer: _Printer.view,
    LetStmt: _Printer.let,
    AttrStmt: _Printer.attr,
    AssertStmt: _Printer.assertion,
    Evaluate: _Printer.evaluate,
}


def _symbols(f: PrimFunc) -> list[Var]:
    """The variables of the buffers' shapes, strides and offsets that are not parameters themselves."""
    variables: dict[Var, None] = {}
    for p in f.params:
        if isinstance(p, Buffer):
            for e in (*p.shape, *p.strides, p.elem_offset):
                variables.update({v: None for v in walk(e) if isinstance(v, Var)})
    return [v for v in variables if not any(v is p for p in f.params)]


def _used_buffers(f: PrimFunc) -> tuple[dict[Buffer, None], set[Buffer]]:
    """The buffers that the body of `f` uses, in order, and those that are declared."""
    used: dict[Buffer, None] = {}
    declared = {p for p in f.params if isinstance(p, Buffer)}
    pending: list[Stmt] = [f.body]
    while pending:
        s = pending.pop()
        if isinstance(s, Seq):
            pending.extend(reversed(s.stmts))
        elif isinstance(s, Allocate):
            declared.add(s.buffer)
            pending.append(s.body)
        else:
            its_own, inside = _buffers_of(s)
            used.update(its_own)
            declared |= inside
    return used, declared


def _buffers_of(s: Stmt) -> tuple[dict[Buffer, None], set[Buffer]]:
    """The buffers that a statement uses, and those that it declares; remembered, as its text is."""
    cached = _buffers_of_statements.get(id(s))
    if cached is not None:
        return cached[1:]
    used: dict[Buffer, None] = {}
    declared: set[Buffer] = set()
    for n in walk(s):
        kind = n.__class__
        if kind in (BufferLoad, BufferStore):
            used[n.buffer] = None  # type: ignore[attr-defined]
        elif kind in (Allocate, DeclBuffer):
            declared.add(n.buffer)  # type: ignore[attr-defined]
        elif isinstance(n, AttrStmt) and isinstance(n.node, Buffer):
            used[n.node] = None
    _forget_half(_buffers_of_statements)
    _buffers_of_statements[id(s)] = (s, used, declared)
    return used, declared


def _view_vars(b: Buffer) -> set[Var]:
    """The variables that must have a value before `b` can be defined."""
    layout = (*b.shape, *b.strides, b.elem_offset)
    return {b.data} | {v for e in layout for v in walk(e) if isinstance(v, Var)}


def _same_layout(a: Buffer, b: Buffer) -> bool:
    """Whether two buffers on one memory are the same."""
    return (a.dtype, a.scope) == (b.dtype, b.scope) and structural_equal(
        (a.shape, a.strides, a.elem_offset), (b.shape, b.strides, b.elem_offset)
    )
