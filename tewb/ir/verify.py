"""Verification: promises about a function that hold between passes, each of them executable.

A promise yields what a function violates. Some always hold; a pass that removes something promises more
(`lowering/pipeline.py`). The test suite verifies them after every pass, and so does a program with

    with tewb.PassContext(config={"tewb.verify": True}):
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from tewb.base import DType, InternalError, any_depth
from tewb.ir.buffers import Buffer, BufferLoad, ProducerLoad
from tewb.ir.expressions import (
    And,
    Binary,
    Broadcast,
    Cast,
    Compare,
    Expr,
    Let,
    Not,
    Or,
    Ramp,
    Select,
    Var,
)
from tewb.ir.functions import PrimFunc
from tewb.ir.node import Node
from tewb.ir.statements import (
    Allocate,
    AssertStmt,
    BufferStore,
    DeclBuffer,
    For,
    ForKind,
    IfThenElse,
    LetStmt,
    ProducerStore,
    Stmt,
    While,
)
from tewb.ir.walk import free_vars, walk

Violations = Iterator[str]
Promise = Callable[[PrimFunc], Violations]


@any_depth
def check_promises(f: PrimFunc, promises: Iterable[Promise], when: str) -> None:
    """Raises InternalError, with the first violation, if `f` breaks a promise. `when` names what ran before."""
    for promise in promises:
        for violation in promise(f):
            raise InternalError(f"after {when}, function {f.name}: {violation} ({promise.__name__})")


# ---------------------------------------------------------------- names and memory


@dataclass(frozen=True, slots=True)
class _Scope:
    """What may be used at a place: variables, and the memory of buffers by their data pointers."""

    variables: frozenset[Var]
    memory: frozenset[Var]

    def with_variable(self, v: Var) -> _Scope:
        return _Scope(self.variables | {v}, self.memory)

    def with_memory(self, b: Buffer) -> _Scope:
        return _Scope(self.variables | {b.data}, self.memory | {b.data})


def names_are_bound(f: PrimFunc) -> Violations:
    """A variable is a parameter, a size or stride of one, or bound by a loop or a let around its use; nothing is
    bound again inside of what binds it."""
    for s, scope in _statements(f.body, _parameters(f)):
        bound = s.var if isinstance(s, For | LetStmt) else None
        if bound is not None and bound in scope.variables:
            yield f"{bound.name} is bound again inside of what binds it"
        for e in _own_expressions(s):
            for v in free_vars(e):
                if v not in scope.variables:
                    yield f"{v.name} is used where nothing binds it, in {_line(s)}"


def memory_is_alive(f: PrimFunc) -> Violations:
    """A buffer that is read or written is a parameter, or is allocated around the access; no memory is allocated
    again inside of itself."""
    for s, scope in _statements(f.body, _parameters(f)):
        if isinstance(s, Allocate) and s.buffer.data in scope.memory:
            yield f"{s.buffer.name} is allocated again inside of its own memory"
        stored = [s.buffer] if isinstance(s, BufferStore | DeclBuffer) else []
        loaded = [n.buffer for e in _own_expressions(s) for n in walk(e) if isinstance(n, BufferLoad)]
        for b in (*stored, *loaded):
            if b.data not in scope.memory:
                yield f"{b.name} is used where its memory is not alive, in {_line(s)}"


def _parameters(f: PrimFunc) -> _Scope:
    variables = {p for p in f.params if isinstance(p, Var)}
    buffers = [p for p in f.params if isinstance(p, Buffer)]
    variables |= {v for b in buffers for e in (*b.shape, *b.strides, b.elem_offset) for v in free_vars(e)}
    memory = {b.data for b in buffers} | {v for v in variables if v.dtype.kind == "handle"}
    return _Scope(frozenset(variables | memory), frozenset(memory))


def _statements(s: Stmt, scope: _Scope) -> Iterator[tuple[Stmt, _Scope]]:
    """The statements of a body, parents first, each with what its own expressions may use."""
    pending = [(s, scope)]
    while pending:
        top, around = pending.pop()
        yield top, around
        inside = around
        match top:
            case For(v) | LetStmt(v):
                inside = around.with_variable(v)
                if isinstance(top, LetStmt) and v.dtype.kind == "handle":
                    inside = _Scope(inside.variables, inside.memory | {v})
            case Allocate(b) | DeclBuffer(b):
                inside = around.with_memory(b)
        pending += [(c, inside) for c in reversed(top.children()) if isinstance(c, Stmt)]


def _own_expressions(s: Stmt) -> list[Expr]:
    """The expressions of a statement itself, without those of the statements inside; of a buffer it declares, the
    layout too."""
    own = [c for c in s.children() if isinstance(c, Expr)]
    if isinstance(s, Allocate | DeclBuffer):
        own += [*s.buffer.shape, *s.buffer.strides, s.buffer.elem_offset]
    return own


# ---------------------------------------------------------------- dtypes


def dtypes_agree(f: PrimFunc) -> Violations:
    """Operands have the dtype that their operation requires, conditions are bool, indices are integers, stored values
    have the dtype of the buffer, and an access has an index for each dimension."""
    for n in walk(f.body):
        yield from (f"{violation} in {_line(n)}" for violation in _dtype_violations(n))


def _dtype_violations(n: Node) -> Violations:
    match n:
        case Compare(a=a, b=b):
            if a.dtype != b.dtype:
                yield f"{a.dtype} is compared with {b.dtype}"
            yield from _is(n.dtype, DType("bool").with_lanes(a.dtype.lanes), "a comparison")
        case Binary(a=a, b=b):
            yield from _is(a.dtype, n.dtype, "the left side")
            yield from _is(b.dtype, n.dtype, "the right side")
        case And(a, b) | Or(a, b):
            yield from (v for x in (a, b) for v in _is(x.dtype, n.dtype, "a condition"))
            yield from _is_bool(n.dtype)
        case Not(a):
            yield from _is(a.dtype, n.dtype, "the operand")
        case Select(cond, then, other):
            yield from _is_bool(cond.dtype)
            yield from (v for x in (then, other) for v in _is(x.dtype, n.dtype, "a choice"))
        case Cast(value):
            if value.dtype.lanes != n.dtype.lanes:
                yield f"{value.dtype} is converted to {n.dtype}"
        case Let(v, value, body):
            yield from _is(value.dtype, v.dtype, f"the value of {v.name}")
            yield from _is(body.dtype, n.dtype, "the body of a let")
        case Ramp(base, stride, lanes) if base.dtype.lanes == 1:
            yield from _is(stride.dtype, base.dtype, "the stride of a ramp")
            yield from _is(n.dtype, base.dtype.with_lanes(lanes), "a ramp")
        case Broadcast(value, lanes) if value.dtype.lanes == 1:
            yield from _is(n.dtype, value.dtype.with_lanes(lanes), "a broadcast")
        case BufferLoad(buffer, indices):
            yield from _access(buffer, indices, n.dtype)
        case BufferStore(buffer, value, indices):
            yield from _access(buffer, indices, value.dtype)
        case IfThenElse(cond) | AssertStmt(cond) | While(cond):
            yield from _is_bool(cond.dtype)
        case For(v, low, extent):
            yield from (v for e in (low, extent) for v in _is(e.dtype, n.var.dtype, "a bound of the loop"))
        case LetStmt(v, value):
            yield from _is(value.dtype, v.dtype, f"the value of {v.name}")


def _is(dtype: DType, expected: DType, what: str) -> Violations:
    if dtype != expected:
        yield f"{what} is {dtype}, not {expected},"


def _is_bool(dtype: DType) -> Violations:
    if dtype.element != "bool":
        yield f"a condition is {dtype}"


def _access(b: Buffer, indices: tuple[Expr, ...], dtype: DType) -> Violations:
    if len(indices) != len(b.shape):
        yield f"{b.name} has {len(b.shape)} dimensions, and {len(indices)} indices"
    yield from (f"an index of {b.name} is {i.dtype}" for i in indices if not i.dtype.is_int)
    lanes = max((i.dtype.lanes for i in indices), default=1)
    yield from _is(dtype, b.dtype.with_lanes(lanes), f"an element of {b.name}")


# ---------------------------------------------------------------- what passes remove


def no_producers(f: PrimFunc) -> Violations:
    """Tensors became buffers: nothing loads or stores elements of a tensor."""
    for n in walk(f.body):
        if isinstance(n, ProducerLoad | ProducerStore):
            yield f"an element of tensor {n.producer.name} is left"


def no_loops(*kinds: ForKind) -> Promise:
    """The promise that no loop is of these kinds."""

    def no_loop_left(f: PrimFunc) -> Violations:
        for n in walk(f.body):
            if isinstance(n, For) and n.kind in kinds:
                yield f"loop {n.var.name} is still marked {n.kind.value}"

    no_loop_left.__name__ = f"no_{'_or_'.join(k.value for k in kinds)}_loops"
    return no_loop_left


def one_index(f: PrimFunc) -> Violations:
    """Arrays are lines of elements: every access has one index."""
    for n in walk(f.body):
        if isinstance(n, BufferLoad | BufferStore) and len(n.indices) != 1:
            yield f"{n.buffer.name} is accessed by {len(n.indices)} indices"


# ---------------------------------------------------------------- provenance


def provenance_is_present(f: PrimFunc) -> Violations:
    """Loops and stores of a scheduled program say which stage they came from."""
    for n in walk(f.body):
        if isinstance(n, For | BufferStore) and (n.origin is None or n.origin.stage is None):
            yield f"nothing says where {_line(n)} came from"


ALWAYS: tuple[Promise, ...] = (names_are_bound, memory_is_alive, dtypes_agree, no_producers)


def _line(n: Node) -> str:
    """The first line of a node's text."""
    try:
        return repr(n).strip().splitlines()[0]
    except Exception:  # what is wrong may have no text
        return type(n).__name__
