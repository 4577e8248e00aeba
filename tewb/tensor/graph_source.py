"""The graph of a program as Python code: what a user would write to define it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from tewb import ir
from tewb.arith import Analyzer
from tewb.base import INT32, ExternError, fresh_identifier, literal, python_lines
from tewb.ir import free_vars, is_const, is_long, ops, subexpressions_to_name, uses, walk
from tewb.tensor.compute import ComputeOp
from tewb.tensor.domains import Domain
from tewb.tensor.extern import ExternOp, Tile, TilePart, whole_buffers
from tewb.tensor.placeholder import PlaceholderOp
from tewb.tensor.reduce import is_ready_made
from tewb.tensor.scan import ScanOp
from tewb.tensor.tensor import Operation, Tensor
from tewb.tensor.tensor_compute import Part, TensorComputeOp

Fresh = Callable[[str], str]

_INFIX: dict[type, str] = {
    ir.Add: "+", ir.Sub: "-", ir.Mul: "*", ir.FloorDiv: "//", ir.FloorMod: "%", ir.EQ: "==", ir.NE: "!=", ir.LT: "<", ir.LE: "<=", ir.GT: ">",
    ir.GE: ">=",
}  # fmt: skip
_BITS = {"bitwise_and": "&", "bitwise_or": "|", "bitwise_xor": "^", "shift_left": "<<", "shift_right": ">>"}


class GraphSource:
    """Writes the definitions of operations. `tensors` holds the identifier of every tensor written so far."""

    def __init__(self, fresh: Fresh) -> None:
        self.fresh = fresh
        self.lines: list[str] = []
        self.tensors: dict[Tensor, str] = {}
        self.vars: dict[ir.Var, str] = {}
        self.reducers: dict[ir.CommReducer, str] = {}
        self.axes: list[ir.Var] = []  # of the compute that is written
        self.named: dict[ir.Expr, str] = {}  # subexpressions of a body that have names

    def define(self, op: Operation) -> None:
        """Add the lines that define `op`. Raises ExternError for a body that only its own code knows."""
        for t in op.outputs:
            for n in t.shape:
                self.declare(free_vars(n))
        names = [self.fresh(t.name) for t in op.outputs]
        value = self._definition(op)
        one_of_list = isinstance(op, ScanOp) and len(names) == 1
        self.lines.append(f"{', '.join(names)}{',' if one_of_list else ''} = {value}")
        self.tensors.update(zip(op.outputs, names, strict=True))

    def declare(self, variables: Sequence[ir.Var]) -> None:
        """Add `n = te.var("n")` for variables that are new."""
        for v in variables:
            if v not in self.vars:
                self.vars[v] = self.fresh(v.name)
                self.lines.append(f'{self.vars[v]} = te.var({literal(v.name)}, "{v.dtype}")')

    def _definition(self, op: Operation) -> str:
        if isinstance(op, PlaceholderOp):
            t = op.output(0)
            return f'te.placeholder({self.shape(t.shape)}, name={literal(op.name)}, dtype="{t.dtype}")'
        if isinstance(op, TensorComputeOp):
            return self.tensor_compute(op)
        if isinstance(op, ComputeOp):
            return self.compute(op)
        if isinstance(op, ExternOp):
            return self.extern(op)
        if isinstance(op, ScanOp):
            return self.scan(op)
        return self.hybrid(op)

    def shape(self, extents: Sequence[ir.Expr]) -> str:
        return "(" + ", ".join(self.expr(n) for n in extents) + ("," if len(extents) == 1 else "") + ")"

    def scan(self, op: ScanOp) -> str:
        groups = (op.init, op.update, op.states)
        parts = ", ".join(f"[{', '.join(self.tensors[t] for t in group)}]" for group in groups)
        return f"te.scan({parts}, name={literal(op.name)})"

    # ---- computes

    def compute(self, op: ComputeOp) -> str:
        local: dict[ir.Var, str] = {}
        for iv in op.reduce_axis:
            if iv.var not in self.vars and iv not in op.domains:
                self.reduce_axis(iv)
        own = {iv.var for iv in (*op.axis, *op.domains)}
        self.axes = [iv.var for iv in op.axis]
        inner = {v for e in op.exprs() for v in free_vars(e)}
        self.declare([v for v in inner if v not in self.vars and v not in own])
        saved = dict(self.vars)
        for iv in op.axis:
            local[iv.var] = self.local(iv.name, local.values())
        self.vars.update(local)
        axes = [self.inner_axis(iv, op.domains[iv]) for iv in op.reduce_axis if iv in op.domains]
        named = self.name_subexpressions(op)
        bodies = [self.body(e) for e in op.body]
        self.vars, self.named = saved, {}
        params = ", ".join(local.values())
        if isinstance(op.body[0], ir.Reduce) and len(op.body) > 1:
            value = bodies[0]
        else:
            value = bodies[0] if len(bodies) == 1 else f"({', '.join(bodies)})"
        if named:  # the last of several expressions, of which the others have names
            value = f"({', '.join(named)}, {value})[-1]"
        element = f"lambda {params}: {value}"
        if axes:  # their ranges use the indices
            element = self.fresh(f"{op.name}_element")
            lines = [f"def {element}({params}):", *axes, f"    return {value}"]
            self.lines += lines
        return f"te.compute({self.shape(op.output(0).shape)}, {element}, name={literal(op.name)})"

    def tensor_compute(self, op: TensorComputeOp) -> str:
        """A compute made of an intrinsic, which was declared by its name."""
        for iv in op.reduce_axis[: op.outer_reductions]:
            if iv.var not in self.vars:
                self.reduce_axis(iv)
        axes = op.outer_axis
        own = {iv.var for iv in axes}
        ends = [e for p in op.parts for e in (*p.start, *[n for _, n in p.extents])]
        ends += op.scalars.values()
        self.declare([v for e in ends for v in free_vars(e) if v not in own])
        saved, local = dict(self.vars), dict[ir.Var, str]()
        for iv in axes:
            local[iv.var] = self.local(iv.name, local.values())
        self.vars.update(local)
        given = [self.part(p) for p in op.parts]
        given += [self.expr(e) for e in op.scalars.values()]
        if op.outer_reductions:
            over = ", ".join(self.vars[iv.var] for iv in op.reduce_axis[: op.outer_reductions])
            given.append(f"reduce_axis=[{over}]")
        self.vars = saved
        call = f"te.TensorIntrin.named({literal(op.intrin.name)})({', '.join(given)})"
        params = "".join(f" {name}" if n == 0 else f", {name}" for n, name in enumerate(local.values()))
        return (
            f"te.compute({self.shape(op.output(0).shape)}, lambda{params}: {call}, name={literal(op.name)})"
        )

    def part(self, p: Part) -> str:
        """The part of a tensor that an intrinsic is called on."""
        extents = dict(p.extents)
        inside = []
        for d, low in enumerate(p.start):
            if d in extents:
                end = Analyzer().simplify(ops.add(*ops.match(low, extents[d])))
                inside.append(f"{self.expr(low)}:{self.expr(end)}")
            else:
                inside.append(self.expr(low))
        return f"{self.tensors[p.tensor]}[{', '.join(inside)}]"

    def inner_axis(self, iv: ir.IterVar, domain: Domain) -> str:
        """The line in the function of an element that makes a reduce axis whose range depends on something."""
        ends = [self.expr(e) for e in domain.exprs]
        self.vars[iv.var] = name = self.local(iv.name, self.vars.values())
        return f"    {name} = te.reduce_axis(({', '.join(ends)}), name={literal(iv.name)})"

    def name_subexpressions(self, op: ComputeOp) -> list[str]:
        """`name := expression` for subexpressions of bodies that would be too long in one piece."""
        exprs = [x for e in op.body for x in _outside_of_combination(e)]
        if not is_long(exprs, bracketed=True):
            return []
        assignments = []
        for number, e in enumerate(subexpressions_to_name(exprs, bracketed=True), 1):
            name, text = self.local(f"expr_{number}", self.named.values()), self.expr(e)
            assignments.append(f"{name} := {text}")
            self.named[e] = name
        return assignments

    def local(self, wanted: str, others: Iterable[str]) -> str:
        """A name for a parameter of a lambda: it hides nothing that the expression uses, none of the `others`, and may
        be used again."""
        used = {*self.tensors.values(), *self.vars.values(), *self.reducers.values(), *others}
        name = fresh_identifier(wanted)
        return self.fresh(wanted) if name in used else name

    def reduce_axis(self, iv: ir.IterVar) -> None:
        assert iv.dom is not None
        self.declare([v for e in (iv.dom.min, iv.dom.extent) for v in free_vars(e)])
        end = self.expr(iv.dom.min + iv.dom.extent)
        name = self.fresh(iv.name)
        self.lines.append(
            f"{name} = te.reduce_axis(({self.expr(iv.dom.min)}, {end}), name={literal(iv.name)})"
        )
        self.vars[iv.var] = name

    def body(self, e: ir.Expr) -> str:
        if not isinstance(e, ir.Reduce):
            return self.expr(e)
        several = len(e.source) > 1
        source = ", ".join(self.expr(s) for s in e.source)
        axes = ", ".join(self.vars[iv.var] for iv in e.axes)
        extra = "" if is_const(e.condition, 1) else f", where={self.expr(e.condition)}"
        if e.init:
            init = ", ".join(self.expr(i) for i in e.init)
            extra += f", init=({init},)" if several else f", init={init}"
        return f"{self.reducer(e.combiner)}({f'({source})' if several else source}, axis=[{axes}]{extra})"

    def reducer(self, c: ir.CommReducer) -> str:
        if is_ready_made(c):
            return f"te.{c.name}"
        if uses(c, self.axes):  # it is the reducer of one compute, and stands in its function
            return self.new_reducer(c)
        if c not in self.reducers:
            name = self.fresh(c.name)
            self.lines.append(f"{name} = {self.new_reducer(c)}")
            self.reducers[c] = name
        return self.reducers[c]

    def new_reducer(self, c: ir.CommReducer) -> str:
        """The expression that makes a reducer."""
        several, saved = len(c.lhs) > 1, dict(self.vars)
        outside = {self.vars[v] for v in free_vars(c)}
        outside |= {self.tensors[n.producer] for n in walk(c) if isinstance(n, ir.ProducerLoad)}
        x, y = (self.fresh(side) if side in outside else side for side in "xy")
        for side, group in ((x, c.lhs), (y, c.rhs)):
            self.vars.update({v: f"{side}[{i}]" if several else side for i, v in enumerate(group)})
        result = ", ".join(self.expr(r) for r in c.result)
        identity = ", ".join(self.expr(i) for i in c.identity)
        self.vars = saved
        dtypes = ", ".join(f"t{i}" for i in range(len(c.lhs)))
        if several:
            result, identity = f"({result})", f"({identity})"
        return (
            f"te.comm_reducer(lambda {x}, {y}: {result}, lambda {dtypes}: {identity}, name={literal(c.name)})"
        )

    # ---- expressions

    def expr(self, e: ir.Expr) -> str:
        if e in self.named:
            return self.named[e]
        sign = _INFIX.get(type(e))
        if sign is not None:
            return f"({self.expr(e.a)} {sign} {self.expr(e.b)})"  # type: ignore[attr-defined]
        match e:
            case ir.Var():
                return self.vars[e]
            case ir.IntImm(value, dtype):
                return str(value) if dtype == "int32" else f'te.const({value}, "{dtype}")'
            case ir.FloatImm(value, dtype):
                shown = repr(value) if math.isfinite(value) else f'float("{value}")'
                return f'te.const({shown}, "{dtype}")'
            case ir.ProducerLoad(tensor, indices):
                inside = ", ".join(self.expr(i) for i in indices)
                return f"{self.tensors[tensor]}[{inside}]" if indices else f"{self.tensors[tensor]}()"
            case ir.Div(a, b):
                return (
                    f"({self.expr(a)} / {self.expr(b)})" if e.dtype.is_float else self.call("truncdiv", a, b)
                )
            case ir.Mod(a, b):
                return self.call("truncmod", a, b)
            case ir.Min(a, b):
                return self.call("min", a, b)
            case ir.Max(a, b):
                return self.call("max", a, b)
            case ir.And(a, b):
                return self.call("all", a, b)
            case ir.Or(a, b):
                return self.call("any", a, b)
            case ir.Not(a):
                return f"(~{self.expr(a)})"
            case ir.Select(c, a, b):
                return self.call("select", c, a, b)
            case ir.Cast(a, dtype):
                return f'te.cast({self.expr(a)}, "{dtype}")'
            case ir.Call(op, (a, b)) if op in _BITS:
                return f"({self.expr(a)} {_BITS[op]} {self.expr(b)})"
            case ir.Call("bitwise_not", (a,)):
                return f"(~{self.expr(a)})"
            case ir.Call("pow", (a, b)):
                return self.call("power", a, b)
            case ir.Call("tvm_call_packed", (ir.StringImm(name), *args)):
                passed = "".join(f", {self._packed_value(a)}" for a in args)
                return f'te.call_packed({literal(name)}{passed}, dtype="{e.dtype}")'
            case ir.Call(op, args):
                return self.call(op, *args)
        raise ExternError(f"{type(e).__name__} has no form in te")

    def call(self, name: str, *args: ir.Expr) -> str:
        return f"te.{name}({', '.join(self.expr(a) for a in args)})"

    def _packed_value(self, e: ir.Expr) -> str:
        return literal(e.value) if isinstance(e, ir.StringImm) else self.expr(e)

    # ---- externs and hybrid functions

    def extern(self, op: ExternOp) -> str:
        ins, outs = whole_buffers(op)
        body = op.make_body(ins, outs, self._named_tile(op))
        names = {b.data: f"ins[{i}]" for i, b in enumerate(ins)} | {
            b.data: f"outs[{i}]" for i, b in enumerate(outs)
        }
        match body:
            case ir.Evaluate(ir.Call("tvm_call_packed", (ir.StringImm(name), *args))):
                passed = ", ".join(self._packed_argument(op, a, names) for a in args)
            case _:
                raise ExternError(f"extern {op.name} is built by its own code, which has no source here")
        shapes = [self.shape(t.shape) for t in op.outputs]
        shape = shapes[0] if len(shapes) == 1 else f"[{', '.join(shapes)}]"
        dtypes = [f'"{t.dtype}"' for t in op.outputs]
        dtype = dtypes[0] if len(dtypes) == 1 else f"[{', '.join(dtypes)}]"
        inputs = ", ".join(self.tensors[t] for t in op.inputs)
        call = (
            f"lambda ins, outs{', tile' if op.uses_tile else ''}: te.call_packed({literal(name)}, {passed})"
        )
        if not op.access.ready_made:
            raise ExternError(f"extern {op.name} has an access function, which has no source here")
        choices = (f', tail="{op.tail}"' if op.tail != "clip" else "") + (
            ", compact=True" if op.compact else ""
        )
        return (
            f"te.extern({shape}, [{inputs}], {call}, name={literal(op.name)}, dtype={dtype}, "
            f'access=te.access.{op.access.name}, effect="{op.effect}"{choices})'
        )

    def _named_tile(self, op: ExternOp) -> Tile:
        """A tile of variables that are written as the fields they stand for."""

        def part(name: str, t: Tensor) -> TilePart:
            return TilePart(
                *(
                    tuple(field(f"{name}.{what}[{d}]") for d in range(t.ndim))
                    for what in ("origin", "extents")
                )
            )

        def field(name: str) -> ir.Var:
            v = ir.Var(name, INT32)
            self.vars[v] = name
            return v

        ins = (part(f"tile.inputs[{i}]", t) for i, t in enumerate(op.inputs))
        outs = (part(f"tile.outputs[{i}]", t) for i, t in enumerate(op.outputs))
        return Tile(tuple(ins), tuple(outs))

    def _packed_argument(self, op: ExternOp, a: ir.Expr, names: Mapping[ir.Var, str]) -> str:
        match a:
            case ir.Call("tvm_stack_make_array", (ir.Var() as data, *_)) if data in names:
                return names[data]
        return self._packed_value(a)

    def hybrid(self, op: Operation) -> str:
        source = getattr(op, "source", None)
        if source is None:
            raise ExternError(f"{op.name} has no source")
        self.lines += ["", *python_lines(str(source).rstrip()), ""]
        values = ", ".join(self._hybrid_argument(a) for a in getattr(op, "arguments", op.inputs))
        return f"{getattr(op, 'function_name', op.name)}({values})"

    def _hybrid_argument(self, a: object) -> str:
        if isinstance(a, Tensor):
            return self.tensors[a]
        return self.expr(a) if isinstance(a, ir.Expr) else repr(a)


def _outside_of_combination(e: ir.Expr) -> tuple[ir.Expr, ...]:
    """What may be written before a body, as an expression with a name."""
    return (*e.source, e.condition, *e.init) if isinstance(e, ir.Reduce) else (e,)
