"""TVMScript text back to IR: the inverse of `script.py`.

The text is read through Python's `ast`, and nothing in it is run. Every form that the printer writes becomes the node
that prints in this form, without folding.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from tewb.base import HANDLE, DType, ParseError, UnreadableError, any_depth, python_tree
from tewb.ir.axes import AxisKind, IterVar
from tewb.ir.buffers import Buffer
from tewb.ir.expressions import Expr, IntImm, Var
from tewb.ir.functions import ExternRegion, IRModule, PrimFunc
from tewb.ir.parse_expr import ExpressionParser, element_dtype
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
    Seq,
    Stmt,
    While,
)
from tewb.ir.threads import REAL, is_real, is_virtual, launch

Wrap = Callable[[Stmt], Stmt]  # a declaration: takes the statements for which it holds

_LOOPS = {
    "range": ForKind.SERIAL,
    "T.parallel": ForKind.PARALLEL,
    "T.vectorized": ForKind.VECTORIZED,
    "T.unroll": ForKind.UNROLLED,
    "T.dot": ForKind.DOT,
}
_LOOP_HINT = "loops run over range(n), T.parallel(n), T.vectorized(n), T.unroll(n) or T.dot(n)"
_FUNCTION_HINT = "@T.prim_func above `def name(A: T.Buffer(...), n: T.int32):`"
_BUFFER_WORDS = ("strides", "elem_offset", "scope", "align", "offset_factor")


@any_depth
def parse(text: str) -> PrimFunc | IRModule:
    """The function, or the module, that prints as `text`.

    `structural_equal(parse(script(f)), f)` holds; provenance is not in the text. Raises ParseError, with the
    line and a caret, for text that is not IR.
    """
    parser = _FunctionParser(text if isinstance(text, str) else "")
    try:
        return parser.program(python_tree(text))
    except UnreadableError as e:
        raise parser.problem(e.line, e.column, e.why) from None
    except RecursionError:
        raise ParseError(
            "this text is nested too deeply",
            hint="give parts of it names with let, or cut it into statements",
        ) from None


class _FunctionParser(ExpressionParser):
    """Parses functions and statements, on top of expressions."""

    # ---- functions

    def program(self, tree: ast.Module) -> PrimFunc | IRModule:
        match tree.body:
            case [ast.FunctionDef() as f]:
                return self.function(f)
            case [ast.ClassDef() as c]:
                return self.module(c)
        where: ast.AST = tree.body[1] if len(tree.body) > 1 else tree
        raise self.refuse(
            where, "text is one function or one module", f"{_FUNCTION_HINT}, or @I.ir_module class"
        )

    def module(self, node: ast.ClassDef) -> IRModule:
        if [self.dotted(d) for d in node.decorator_list] != ["I.ir_module"]:
            raise self.refuse(
                node, f"class {node.name} is not marked as a module", "@I.ir_module above `class Module:`"
            )
        functions: dict[str, PrimFunc] = {}
        for member in node.body:
            if isinstance(member, ast.Pass):
                continue
            if not isinstance(member, ast.FunctionDef):
                raise self.refuse(member, "a module holds functions", _FUNCTION_HINT)
            f = self.function(member)
            if f.name in functions:
                raise self.refuse(
                    member, f"there are two functions {f.name}", "functions of a module differ in name"
                )
            functions[f.name] = f
        return IRModule(functions)

    def function(self, node: ast.FunctionDef) -> PrimFunc:
        if [self.dotted(d) for d in node.decorator_list] != ["T.prim_func"]:
            raise self.refuse(node, f"function {node.name} is not marked as IR", _FUNCTION_HINT)
        arguments = node.args
        if (
            len(arguments.args) < len([a for a in ast.walk(arguments) if isinstance(a, ast.arg)])
            or arguments.defaults
        ):
            raise self.refuse(node, "parameters are plain names with their types", _FUNCTION_HINT)
        with self.scope():
            facts, body = self.facts(node.body)
            params = self.parameters(arguments.args, body)
            while body and self.symbol(body[0]) is not None:
                body = body[1:]
            names = [a.arg for a in arguments.args]
            wrong = [o for o in facts["outputs"] if o not in names]
            if wrong:
                raise self.refuse(
                    node.body[0], f"output {wrong[0]!r} is not a parameter", f"parameters: {', '.join(names)}"
                )
            outputs = tuple(names.index(o) for o in facts["outputs"])
            name = node.name if facts["global_symbol"] is None else facts["global_symbol"]
            return PrimFunc(name, params, self.block(body, node), outputs)

    def facts(self, body: list[ast.stmt]) -> tuple[dict[str, Any], list[ast.stmt]]:
        """What T.func_attr says, and the statements after it."""
        facts: dict[str, Any] = {"outputs": [], "global_symbol": None}
        match body[0]:
            case ast.Expr(ast.Call() as call) if self.word(call) == "func_attr":
                usage = 'T.func_attr({"outputs": ["C"]})'
                self.arguments(call, usage, 1)
                attributes = self.literal(call.args[0])
                if (
                    not isinstance(attributes, dict)
                    or not attributes.keys() <= facts.keys()
                    or not _are_names(attributes)
                ):
                    raise self.refuse(
                        call.args[0], "these are not the attributes of a function", f"write {usage}"
                    )
                return {**facts, **attributes}, body[1:]
        return facts, body

    def parameters(self, declared: list[ast.arg], body: list[ast.stmt]) -> tuple[Buffer | Var, ...]:
        """The parameters. Scalars, and the sizes `n = T.int32()`, come first: buffers' shapes use them."""
        params: dict[str, Buffer | Var] = {}
        for a in declared:
            dtype = self.scalar_type(a)
            if dtype is not None:
                self.names[a.arg] = params[a.arg] = Var(a.arg, dtype)
        for s in body:
            symbol = self.symbol(s)
            if symbol is None:
                break
            self.names[symbol.name] = symbol
        for a in declared:
            if a.arg not in params:
                self.names[a.arg] = params[a.arg] = self.buffer_parameter(a)
        if len(params) < len(declared):
            raise self.refuse(declared[-1], "two parameters have one name", "parameters differ in name")
        return tuple(params[a.arg] for a in declared)

    def scalar_type(self, a: ast.arg) -> DType | None:
        """The dtype of a parameter `n: T.int32`; None for a buffer."""
        name = self.dotted(a.annotation) if a.annotation is not None else None
        if a.annotation is None or (name is None and self.word(a.annotation) != "Buffer"):
            raise self.refuse(
                a,
                f"parameter {a.arg} does not say what it is",
                f'{a.arg}: T.Buffer((4,), "float32"), or {a.arg}: T.int32',
            )
        return None if name is None else self.known_dtype(name.removeprefix("T."), a.annotation)

    def symbol(self, s: ast.stmt) -> Var | None:
        """The size that `n = T.int32()` introduces; None for any other statement."""
        match s:
            case ast.Assign([ast.Name() | ast.Attribute() as target], ast.Call(args=[], keywords=[]) as call):
                word, name = self.word(call), self.dotted(target)
                if word is not None and name is not None:
                    return Var(name, self.known_dtype(word, call))
        return None

    def buffer_parameter(self, a: ast.arg) -> Buffer:
        assert isinstance(a.annotation, ast.Call)
        return self.new_buffer(a.arg, a.annotation, "T.Buffer")

    def new_buffer(self, name: str, node: ast.Call, function: str, data: bool | None = None) -> Buffer:
        """A buffer from a call such as T.Buffer((4, n), "float32", strides=(n, 1)). `data` says whether the call
        names the memory; None when it may."""
        usage = f'{function}((4, 4), "float32"{", data=A.data" if data else ""})'
        words = (*_BUFFER_WORDS, "data") if data is None else _BUFFER_WORDS
        keywords = self.arguments(node, usage, 2, words, ["data"] if data else [])
        shape, dtype = self.exprs(node.args[0]), self.dtype(node.args[1])
        strides = self.exprs(keywords["strides"]) if "strides" in keywords else ()
        if strides and len(strides) != len(shape):
            raise self.refuse(
                keywords["strides"], f"{len(strides)} strides for {len(shape)} dimensions", "one for each"
            )
        return Buffer(
            name,
            dtype,
            shape,
            strides,
            self.expr(keywords["elem_offset"]) if "elem_offset" in keywords else None,
            self.string(keywords["scope"]) if "scope" in keywords else "global",
            self.memory(keywords["data"]) if "data" in keywords else None,
            self.integer(keywords["align"]) if "align" in keywords else 0,
            self.integer(keywords["offset_factor"]) if "offset_factor" in keywords else 0,
        )

    def memory(self, node: ast.expr) -> Var:
        data = self.look_up(node)
        if not isinstance(data, Var) or data.dtype is not HANDLE:
            raise self.refuse(node, f"{ast.unparse(node)} is not memory", "write A.data for the memory of A")
        return data

    # ---- blocks

    def block(self, nodes: Sequence[ast.stmt], owner: ast.AST) -> Stmt:
        """The statements of a block. A declaration holds for the rest of it."""
        parsed: list[Stmt | Wrap | None] = []
        with self.scope():
            for node in nodes:
                parsed.append(self.statement(node))
        tail: list[Stmt] = []
        for node, step in zip(reversed(nodes), reversed(parsed), strict=True):
            if isinstance(step, Stmt):
                tail.append(step)
            elif step is not None:
                tail = [step(self.sequence(tail, node))]
        return self.sequence(tail, owner)

    def sequence(self, backwards: list[Stmt], before: ast.AST) -> Stmt:
        stmts = tuple(reversed(backwards))
        if not stmts:
            raise self.refuse(before, "nothing follows for which this holds", "add a statement, or `pass`")
        return stmts[0] if len(stmts) == 1 else Seq(stmts)

    def statement(self, node: ast.stmt) -> Stmt | Wrap | None:
        """A statement, a declaration that takes the rest of its block, or None for a name of a view."""
        rule = _STATEMENTS.get(type(node))
        if rule is None:
            raise self.refuse(
                node,
                f"Python's {type(node).__name__} is not part of the IR",
                "statements are A[i] = x, for, while, if, with, assert, T.evaluate(...) and declarations",
            )
        return rule(self, node)

    # ---- statements

    def assign(self, node: ast.Assign) -> Stmt | Wrap | None:
        if len(node.targets) > 1:
            raise self.refuse(node, "this assigns twice", "one target for each =")
        target = node.targets[0]
        if isinstance(target, ast.Subscript):
            return self.store(target, node.value)
        name = self.dotted(target)
        if name is None:
            raise self.refuse(
                target, "this cannot be assigned", "A[i] = x stores, and x = T.let(value) names"
            )
        if self.word(node.value) == "expr":
            assert isinstance(node.value, ast.Call)
            self.arguments(node.value, "T.expr(x)", 1)
            self.names[name] = self.expr(node.value.args[0])
            return None
        if self.word(node.value) == "Buffer":
            assert isinstance(node.value, ast.Call)
            self.names[name] = self.new_buffer(name, node.value, "T.Buffer", data=True)
            return None
        return self.declaration(name, node.value)

    def store(self, target: ast.Subscript, value: ast.expr) -> Stmt:
        buffer = self.buffer(target.value)
        indices = self.indices(target, buffer)
        value, nontemporal = self.stored_value(value)
        dtype, e = element_dtype(buffer, indices), self.expr(value)
        if e.dtype is not dtype:
            hint = (
                f'write T.Cast("{dtype}", ...)'
                if e.dtype.lanes == dtype.lanes
                else "write T.Broadcast(value, lanes)"
            )
            raise self.refuse(
                value, f"{self.dotted(target.value)} takes {dtype} here, and this is {e.dtype}", hint
            )
        return BufferStore(buffer, e, indices, None, nontemporal)

    def stored_value(self, value: ast.expr) -> tuple[ast.expr, int]:
        """What is stored, and how: T.nontemporal(value) or T.nontemporal(value, align=16) bypasses the caches."""
        if self.word(value) != "nontemporal" or not isinstance(value, ast.Call):
            return value, 0
        keywords = self.arguments(value, "T.nontemporal(value, align=16)", 1, ["align"])
        alignment = self.integer(keywords["align"]) if "align" in keywords else 1
        if alignment < 1 or alignment & (alignment - 1):
            raise self.refuse(
                keywords["align"], f"an address is no multiple of {alignment} bytes", "write align=16"
            )
        return value.args[0], alignment

    def declaration(self, name: str, node: ast.expr) -> Wrap:
        """`name = T.allocate(...)`, `T.decl_buffer(...)`, `T.let(...)` or `T.launch_thread(...)`."""
        word = self.word(node)
        if word not in ("allocate", "decl_buffer", "let", "launch_thread") or not isinstance(node, ast.Call):
            raise self.refuse(
                node,
                f"{name} is not declared by this",
                f"write {name} = T.allocate(...), T.decl_buffer(...), T.Buffer(..., data=...) or T.let(value)",
            )
        if word == "launch_thread":
            return self.launch(name, node)
        if word == "let":
            self.arguments(node, "T.let(value)", 1)
            value = self.expr(node.args[0])
            self.names[name] = var = Var(name, value.dtype)
            return lambda body: LetStmt(var, value, body)
        buffer = self.new_buffer(name, node, f"T.{word}", data=word == "decl_buffer")
        self.names[name] = buffer
        cls = DeclBuffer if word == "decl_buffer" else Allocate
        return lambda body: cls(buffer, body)

    def launch(self, name: str, node: ast.Call) -> Wrap:
        """`name = T.launch_thread("threadIdx.x", 64)`."""
        self.arguments(node, 'T.launch_thread("threadIdx.x", 64)', 2)
        tag, extent = self.string(node.args[0]), self.expr(node.args[1])
        if not is_real(tag) and not is_virtual(tag):
            raise self.refuse(node.args[0], f"there are no threads {tag}", f"there are {', '.join(REAL)}")
        if extent.dtype.kind != "int" or extent.dtype.lanes > 1:
            raise self.refuse(node.args[1], "this is no number of threads", "an integer")
        axis = IterVar(None, Var(name, extent.dtype), AxisKind.THREAD, tag)
        self.names[name] = axis.var
        return lambda body: launch(axis, extent, body)

    def with_(self, node: ast.With) -> Stmt:
        """A declaration, an attribute or a check that holds for the block below it."""
        item = node.items[0]
        call, target = item.context_expr, item.optional_vars
        word = self.word(call)
        if len(node.items) == 1 and isinstance(call, ast.Call):
            name = None if target is None else self.dotted(target)
            if target is None and word == "attr":
                return self.attribute(call, node)
            if target is None and word == "Assert":
                self.arguments(call, 'T.Assert(condition, "message")', 2)
                cond, message = self.condition(call.args[0], in_lanes=True), self.string(call.args[1])
                return AssertStmt(cond, message, self.block(node.body, node))
            if name is not None:
                with self.scope():
                    wrap = self.declaration(name, call)
                    return wrap(self.block(node.body, node))
        raise self.refuse(
            call,
            "this does not open a block",
            "with T.attr(...), T.Assert(...), or T.allocate(...), T.decl_buffer(...), T.let(...) `as` a name",
        )

    def attribute(self, call: ast.Call, node: ast.With) -> Stmt:
        self.arguments(call, 'T.attr(node, "key", value)', 3)
        about, key, value = (
            self.attribute_node(call.args[0]),
            self.string(call.args[1]),
            self.expr(call.args[2]),
        )
        return AttrStmt(about, key, value, self.block(node.body, node))

    def attribute_node(self, node: ast.expr) -> object:
        if isinstance(node, ast.Call) and self.word(node) == "extern_region":
            usage = "T.extern_region('E', reads=['A[4]'], writes=['B[4]'], effect=\"pure\")"
            keywords = self.arguments(node, usage, 1, required=["reads", "writes", "effect"])
            reads, writes = self.strings(keywords["reads"]), self.strings(keywords["writes"])
            return ExternRegion(self.string(node.args[0]), reads, writes, self.string(keywords["effect"]))
        if isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, str)):
            return node.value
        return self.look_up(node) if self.dotted(node) is not None else self.expr(node)

    def strings(self, node: ast.expr) -> tuple[str, ...]:
        if not isinstance(node, ast.List):
            raise self.refuse(node, "a list of text was expected here", "such as ['A[4]']")
        return tuple(self.string(e) for e in node.elts)

    def loop(self, node: ast.For) -> Stmt:
        name = self.dotted(node.target)
        runs = self.dotted(node.iter.func) if isinstance(node.iter, ast.Call) else None
        kind = _LOOPS.get(runs or "")
        if kind is None or not isinstance(node.iter, ast.Call):
            raise self.refuse(node.iter, "a loop cannot run over this", _LOOP_HINT)
        if name is None or node.orelse:
            raise self.refuse(node.target, "a loop has one variable, and no else", _LOOP_HINT)
        if node.iter.keywords:
            raise self.refuse(node.iter, "a loop takes its range and nothing else", _LOOP_HINT)
        low, extent = self.bounds(node.iter)
        var = Var(name, extent.dtype)
        with self.scope():
            self.names[name] = var
            body = self.block(node.body, node)
        return For(var, low, extent, kind, body)

    def bounds(self, node: ast.Call) -> tuple[Expr, Expr]:
        """The first value and the number of values of `range(n)` or `range(a, a + n)`."""
        low: Expr | None = None
        extent: Expr | None = None
        if len(node.args) == 1:
            extent = self.expr(node.args[0])
            low = IntImm(0, extent.dtype)
        elif len(node.args) == 2:
            low, extent = self.span(*node.args)
        if (
            low is None
            or extent is None
            or extent.dtype.kind not in ("int", "uint")
            or extent.dtype.lanes > 1
        ):
            raise self.refuse(node, "these are not the bounds of a loop", "integers: (n) or (a, a + n)")
        return low, extent

    def while_(self, node: ast.While) -> Stmt:
        if node.orelse:
            raise self.refuse(node, "a while has no else", "put it after the loop")
        return While(self.condition(node.test), self.block(node.body, node))

    def if_(self, node: ast.If) -> Stmt:
        other = self.block(node.orelse, node) if node.orelse else None
        cond = self.condition(node.test, in_lanes=other is None)
        return IfThenElse(cond, self.block(node.body, node), other)

    def assertion(self, node: ast.Assert) -> Wrap:
        cond = self.condition(node.test, in_lanes=True)
        if node.msg is None:
            raise self.refuse(node, "this assert does not say what is wrong", 'assert condition, "message"')
        message = self.string(node.msg)
        return lambda body: AssertStmt(cond, message, body)

    def evaluate(self, node: ast.Expr) -> Stmt:
        if self.word(node.value) != "evaluate" or not isinstance(node.value, ast.Call):
            raise self.refuse(node, "an expression alone is no statement", "write T.evaluate(...)")
        self.arguments(node.value, "T.evaluate(value)", 1)
        return Evaluate(self.expr(node.value.args[0]))

    def nothing(self, node: ast.Pass) -> Stmt:
        return Seq(())


def _are_names(facts: dict[Any, Any]) -> bool:
    """Whether the attributes of a function are text, and lists of it."""
    outputs = facts.get("outputs", [])
    return isinstance(facts.get("global_symbol", ""), str) and (
        isinstance(outputs, list) and all(isinstance(o, str) for o in outputs)
    )


_STATEMENTS: dict[type, Callable[[_FunctionParser, Any], Stmt | Wrap | None]] = {
    ast.Assign: _FunctionParser.assign,
    ast.For: _FunctionParser.loop,
    ast.While: _FunctionParser.while_,
    ast.If: _FunctionParser.if_,
    ast.With: _FunctionParser.with_,
    ast.Assert: _FunctionParser.assertion,
    ast.Expr: _FunctionParser.evaluate,
    ast.Pass: _FunctionParser.nothing,
}
