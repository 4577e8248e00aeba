"""Classes of IR by their classic names: what tewb makes is an instance of them, and they take their classic arguments.

    tir.IntImm("int32", 3), tir.Add(x, y), tir.For(i, 0, 8, tir.ForKind.SERIAL, body)

Nodes made so are as they are written: nothing is folded. (The functions and operators of `te` fold.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tewb import ir
from tewb.base import DType, DTypeError, TewbError, here
from tewb.ir import Expr, Stmt, convert, ops, walk
from tewb.tensor import check_name, decl_buffer


class _Classic(type):
    """A class whose instances are those of a class of tewb, and which is called in the classic way."""

    node_class: type
    make: Callable[..., Any]

    def __call__(cls, *args: Any, span: Any = None, **fields: Any) -> Any:
        return cls.make(*args, **fields)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.node_class)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, cls.node_class)


def classic(node_class: type, make: Callable[..., Any], **more: Any) -> Any:
    """The classic class of `node_class`, whose instances `make` makes; with some attributes more."""
    namespace = {
        "__doc__": f"{node_class.__doc__}\n\n{make.__doc__ or ''}",
        "__match_args__": getattr(node_class, "__match_args__", ()),
        "make": staticmethod(make),
        "node_class": node_class,
        **more,
    }
    return _Classic(node_class.__name__, (), namespace)


def _exprs(values: Any) -> tuple[Expr, ...]:
    return tuple(convert(v) for v in (values if isinstance(values, list | tuple) else (values,)))


def _stmt(value: Any) -> Stmt:
    if isinstance(value, Stmt):
        return value
    if isinstance(value, Expr):
        return ir.Evaluate(value)
    raise TewbError(f"{value!r} is no statement", hint="tir.Evaluate(value)", span=here())


# ---------------------------------------------------------------- constants and variables


def _dtype(value: Any) -> DType:
    """A dtype, or the dtype of a type: a pointer is a handle."""
    return DType(getattr(value, "dtype", value))


def _var(name: str = "v", dtype: Any = "int32") -> ir.Var:
    return ir.Var(check_name(name), _dtype(dtype))


def _constant(dtype: Any, value: Any) -> Any:
    """(dtype, value)"""
    if not isinstance(dtype, str):
        dtype, value = value, dtype
    return ops.const(value, dtype)


# ---------------------------------------------------------------- expressions


def _binary(node_class: Any) -> Any:
    def make(a: Any, b: Any) -> Expr:
        x, y = ops.match(a, b)
        made: Expr = node_class(x, y, x.dtype)
        return made

    return classic(node_class, make)


def _compare(node_class: Any) -> Any:
    def make(a: Any, b: Any) -> Expr:
        x, y = ops.match(a, b)
        made: Expr = node_class(x, y, DType("bool").with_lanes(x.dtype.lanes))
        return made

    return classic(node_class, make)


def _logic(node_class: Any) -> Any:
    def make(*operands: Any) -> Expr:
        values = [ops.cast(x, DType("bool").with_lanes(convert(x).dtype.lanes)) for x in operands]
        made: Expr = node_class(*values, values[0].dtype)
        return made

    return classic(node_class, make)


def _cast(dtype: Any, value: Any) -> Expr:
    """(dtype, value)"""
    if not isinstance(dtype, str):
        dtype, value = value, dtype
    return ir.Cast(convert(value), DType(dtype))


def _let(var: ir.Var, value: Any, body: Any) -> Expr:
    result = convert(body)
    return ir.Let(var, convert(value), result, result.dtype)


def _call(dtype: Any, op: Any, args: Any) -> Expr:
    """(dtype, op, args)"""
    if isinstance(op, list | tuple):
        dtype, op, args = args, dtype, op
    return ir.Call(str(getattr(op, "name", op)).removeprefix("tir."), _exprs(args), DType(dtype))


def _ramp(base: Any, stride: Any, lanes: Any) -> Expr:
    x, y = ops.match(base, stride)
    return ir.Ramp(x, y, int(lanes), x.dtype.with_lanes(int(lanes)))


def _shuffle(vectors: Sequence[Any], indices: Sequence[Any]) -> Expr:
    return ops.shuffle(_exprs(vectors), [int(i) for i in indices])


def _reduce(
    combiner: Any, src: Any, rdom: Any, condition: Any = True, value_index: int = 0, init: Any = None
) -> Expr:
    source, axes = _exprs(src), tuple(rdom) if isinstance(rdom, list | tuple) else (rdom,)
    start = () if not init else _exprs(init)
    return ir.Reduce(
        combiner, source, axes, convert(condition), value_index, start, source[value_index].dtype
    )


def _reducer(lhs: Any, rhs: Any, result: Any, identity_element: Any, name: str = "reduce") -> ir.CommReducer:
    return ir.CommReducer(tuple(lhs), tuple(rhs), _exprs(result), _exprs(identity_element), name)


def _producer_load(producer: Any, indices: Any) -> Expr:
    loaded: Expr = producer(*indices)
    return loaded


# ---------------------------------------------------------------- statements

_KINDS = (ir.ForKind.SERIAL, ir.ForKind.PARALLEL, ir.ForKind.VECTORIZED, ir.ForKind.UNROLLED)
_NUMBERS = {"Serial": 0, "Parallel": 1, "Vectorized": 2, "Unrolled": 3}  # of them, as v0.7 had them


def _for(
    loop_var: ir.Var,
    min: Any,
    extent: Any,
    kind: Any,
    body: Any,
    thread_binding: Any = None,
    annotations: Any = None,
) -> Stmt:
    """(loop_var, min, extent, kind, body); `kind` is a ForKind, or its number. Until v0.7 there was a device before the
    body, 0 on a CPU."""
    if body.__class__ is int and isinstance(thread_binding, Stmt | Expr):
        body = thread_binding
    low, size = ops.match(min, extent)
    chosen = _KINDS[kind] if isinstance(kind, int) and 0 <= kind < len(_KINDS) else kind
    if not isinstance(chosen, ir.ForKind) or not isinstance(loop_var, ir.Var):
        raise DTypeError(
            f"For takes a variable and a kind of loop, not {loop_var!r} and {kind!r}",
            hint='tir.For(tir.Var("i", "int32"), 0, 8, tir.ForKind.SERIAL, body)',
        )
    dtype = loop_var.dtype
    return ir.For(loop_var, ops.cast(low, dtype), ops.cast(size, dtype), chosen, _stmt(body))


def _if(condition: Any, then_case: Any, else_case: Any = None) -> Stmt:
    return ir.IfThenElse(
        convert(condition), _stmt(then_case), None if else_case is None else _stmt(else_case)
    )


def _seq(seq: Any, *more: Any) -> Stmt:
    return ir.Seq(tuple(_stmt(s) for s in (seq if isinstance(seq, list | tuple) else (seq, *more))))


def _store(buffer: ir.Buffer, value: Any, indices: Any) -> Stmt:
    stored = convert(value)
    return ir.BufferStore(
        buffer, ops.cast(stored, buffer.dtype.with_lanes(stored.dtype.lanes)), _exprs(indices)
    )


def _memory(data: Any, dtype: DType) -> ir.Buffer:
    """The elements that a pointer points to, whose number is not known."""
    if isinstance(data, ir.Buffer):
        return data
    size = ir.Var(f"{data.name}_size", DType("int32"))
    return ir.Buffer(data.name, dtype, (size,), data=data)


def _load(dtype: Any, buffer_var: Any, index: Any, predicate: Any = None) -> Expr:
    """(dtype, buffer_var, index, predicate): of memory by its pointer, as until v0.9"""
    return ops.load(_memory(buffer_var, DType(dtype).element), _exprs(index))


def _store_at(buffer_var: Any, value: Any, index: Any, predicate: Any = None) -> Stmt:
    """(buffer_var, value, index, predicate): to memory by its pointer, as until v0.9"""
    stored = convert(value)
    return ir.BufferStore(_memory(buffer_var, stored.dtype.element), stored, _exprs(index))


def _producer_store(producer: Any, value: Any, indices: Any) -> Stmt:
    return ir.ProducerStore(producer, convert(value), _exprs(indices))


def _attr(node: Any, attr_key: str, value: Any, body: Any) -> Stmt:
    return ir.AttrStmt(node, attr_key, convert(value), _stmt(body))


def _let_stmt(var: ir.Var, value: Any, body: Any) -> Stmt:
    return ir.LetStmt(var, convert(value), _stmt(body))


def _assert(condition: Any, message: Any, body: Any) -> Stmt:
    return ir.AssertStmt(convert(condition), str(getattr(message, "value", message)), _stmt(body))


def _allocate(
    buffer_var: Any,
    dtype: Any,
    extents: Any = None,
    condition: Any = True,
    body: Any = None,
    annotations: Any = None,
) -> Stmt:
    """(buffer_var, dtype, extents, condition, body)"""
    if isinstance(buffer_var, ir.Buffer):
        return ir.Allocate(buffer_var, _stmt(dtype))
    buffer = ir.Buffer(buffer_var.name, DType(dtype), _exprs(extents), data=buffer_var)
    return ir.Allocate(buffer, _stmt(body))


def _while(condition: Any, body: Any) -> Stmt:
    return ir.While(convert(condition), _stmt(body))


def _decl(buffer: ir.Buffer, body: Any) -> Stmt:
    return ir.DeclBuffer(buffer, _stmt(body))


# ---------------------------------------------------------------- buffers and functions


def _buffer(data: Any, dtype: Any, shape: Any, *more: Any, **fields: Any) -> ir.Buffer:
    """(data, dtype, shape, strides, elem_offset, name, data_alignment, offset_factor)"""
    if isinstance(data, str):
        return ir.Buffer(data, DType(dtype), shape, *more, **fields)
    names = ("strides", "elem_offset", "name", "data_alignment", "offset_factor")
    given = {**dict(zip(names, more, strict=False)), **fields}
    return decl_buffer(shape, dtype, given.pop("name", data.name), data=data, **given)


def _function(
    params: Any,
    body: Any,
    ret_type: Any = None,
    buffer_map: Mapping[Any, ir.Buffer] | None = None,
    attrs: Mapping[str, Any] | None = None,
    outputs: tuple[int, ...] | None = None,
) -> ir.PrimFunc:
    """(params, body, ret_type, buffer_map, attrs); the parameters that `buffer_map` has are buffers, and those that
    the body stores to are the outputs."""
    name = str((attrs or {}).get("global_symbol", "main"))
    if isinstance(params, str):  # as tewb itself makes one: name, params, body, outputs
        name, params, body, outputs = params, body, ret_type, outputs or tuple(buffer_map or ())
    own = tuple((buffer_map or {}).get(p, p) if isinstance(buffer_map, Mapping) else p for p in params)
    own = tuple(getattr(p, "buffer", p) for p in own)  # what IRBuilder.pointer gives is a buffer here
    statement = _stmt(body)
    if outputs is None:
        stored = {n.buffer.data for n in walk(statement) if isinstance(n, ir.BufferStore)}
        outputs = tuple(i for i, p in enumerate(own) if isinstance(p, ir.Buffer) and p.data in stored)
    return ir.PrimFunc(name, own, statement, outputs, dict(attrs or {}))


Var = SizeVar = classic(ir.Var, _var)
IntImm, FloatImm = classic(ir.IntImm, _constant), classic(ir.FloatImm, _constant)
StringImm = classic(ir.StringImm, lambda value: ir.StringImm(str(value)))
Add, Sub, Mul, Div, Mod, FloorDiv, FloorMod, Min, Max = map(
    _binary, (ir.Add, ir.Sub, ir.Mul, ir.Div, ir.Mod, ir.FloorDiv, ir.FloorMod, ir.Min, ir.Max)
)
EQ, NE, LT, LE, GT, GE = map(_compare, (ir.EQ, ir.NE, ir.LT, ir.LE, ir.GT, ir.GE))
And, Or, Not = map(_logic, (ir.And, ir.Or, ir.Not))
Cast, Let, Call = classic(ir.Cast, _cast), classic(ir.Let, _let), classic(ir.Call, _call)
Select = classic(
    ir.Select, lambda condition, true_value, false_value: ops.select(condition, true_value, false_value)
)
Ramp, Shuffle = classic(ir.Ramp, _ramp), classic(ir.Shuffle, _shuffle)
Broadcast = classic(ir.Broadcast, lambda value, lanes: ops.broadcast(convert(value), int(lanes)))
Reduce, CommReducer = classic(ir.Reduce, _reduce), classic(ir.CommReducer, _reducer)
BufferLoad = classic(ir.BufferLoad, lambda buffer, indices: ops.load(buffer, tuple(indices)))
ProducerLoad, ProducerStore = (
    classic(ir.ProducerLoad, _producer_load),
    classic(ir.ProducerStore, _producer_store),
)
For, While, IfThenElse = (
    classic(ir.For, _for, **_NUMBERS),
    classic(ir.While, _while),
    classic(ir.IfThenElse, _if),
)
SeqStmt = Seq = classic(ir.Seq, _seq)
AttrStmt, LetStmt, AssertStmt = (
    classic(ir.AttrStmt, _attr),
    classic(ir.LetStmt, _let_stmt),
    classic(ir.AssertStmt, _assert),
)
Load, Store = classic(ir.BufferLoad, _load), classic(ir.BufferStore, _store_at)
BufferStore, Allocate = classic(ir.BufferStore, _store), classic(ir.Allocate, _allocate)
DeclBuffer = classic(ir.DeclBuffer, _decl)
Evaluate = classic(ir.Evaluate, lambda value: ir.Evaluate(convert(value)))
Buffer = classic(ir.Buffer, _buffer, READ=1, WRITE=2)
PrimFunc = classic(ir.PrimFunc, _function)
PrimExpr = Expr


def stmt_seq(*statements: Any) -> Stmt:
    """Statements one after the other."""
    return ir.seq(*map(_stmt, statements))


def stmt_list(statement: Stmt) -> list[Stmt]:
    """The statements of a sequence."""
    return list(statement.stmts) if isinstance(statement, ir.Seq) else [statement]
