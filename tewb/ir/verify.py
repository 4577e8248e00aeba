"""What holds of a function between passes, as questions that can be asked of one.

Each promise is a function: given a function, it says what breaks it. Some hold always; a pass that takes something
away promises more (`lowering/pipeline.py`). The test suite asks after every pass, and so does a program with

    with tewb.PassContext(config={"tewb.verify": True}):

Nodes never change, and a pass leaves most of them as they are. So what was found sound is remembered from pass to pass
(`Sound`); a function with anything new that is wrong is looked at again, promise by promise, for the words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

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
    AttrStmt,
    BufferStore,
    DeclBuffer,
    Evaluate,
    For,
    ForKind,
    IfThenElse,
    LetStmt,
    ProducerStore,
    Stmt,
    While,
)
from tewb.ir.threads import is_barrier, launched
from tewb.ir.walk import LEAVES, free_vars, walk

Violations = Iterator[str]
Promise = Callable[[PrimFunc], Violations]


class OfEachNode:
    """A promise that each node of these kinds keeps by itself, wherever it stands. `look` says what breaks it."""

    def __init__(self, look: Callable[[Any], Violations], *kinds: type[Node]) -> None:
        self.look, self.kinds, self.__name__ = look, kinds, look.__name__

    def __call__(self, f: PrimFunc) -> Violations:
        for n in walk(f.body):
            if isinstance(n, self.kinds):
                yield from self.look(n)


def of_each(*kinds: type[Node]) -> Callable[[Callable[[Any], Violations]], OfEachNode]:
    """The decorator of promises that nodes of these kinds keep by themselves."""
    return lambda look: OfEachNode(look, *kinds)


@any_depth
def check_promises(f: PrimFunc, promises: Iterable[Promise], when: str, sound: Sound | None = None) -> None:
    """Raises InternalError, with the first violation, if `f` breaks a promise. `when` says after what it was asked;
    `sound` remembers what needs no second look."""
    promises = list(promises)
    if (sound or Sound()).includes(f, promises):
        return
    for promise in promises:
        for violation in promise(f):
            raise InternalError(f"after {when}, function {f.name}: {violation} ({promise.__name__})")


# ---------------------------------------------------------------- what is known to be sound


@dataclass(frozen=True, slots=True)
class _Needs:
    """What a statement uses and does not bind, and what it binds: variables, and memory by data pointers."""

    variables: frozenset[Var] = frozenset()
    memory: frozenset[Var] = frozenset()
    binds: frozenset[Var] = frozenset()
    allocates: frozenset[Var] = frozenset()
    is_sound: bool = True  # nothing inside is bound or allocated again inside of itself

    @staticmethod
    def of_all(parts: Iterable[_Needs]) -> _Needs:
        needs = list(parts)
        if len(needs) < 2:
            return needs[0] if needs else _NOTHING
        return _Needs(
            frozenset().union(*[n.variables for n in needs]),
            frozenset().union(*[n.memory for n in needs]),
            frozenset().union(*[n.binds for n in needs]),
            frozenset().union(*[n.allocates for n in needs]),
            all(n.is_sound for n in needs),
        )


_NOTHING = _Needs()


@dataclass(slots=True)
class _Asked:
    """Promises about nodes by themselves that were first asked together, and the nodes that keep them."""

    promises: list[OfEachNode]
    keep: set[Node] = field(default_factory=set)
    looks: dict[type[Node], list[Callable[[Any], Violations]]] = field(default_factory=dict)

    def are_kept(self, s: Stmt) -> bool:
        asks_statements_only = all(issubclass(kind, Stmt) for p in self.promises for kind in p.kinds)
        stack: list[Node] = [s]
        while stack:
            n = stack.pop()
            if n.__class__ in LEAVES or n in self.keep:
                continue
            self.keep.add(n)
            for look in self._looks(n.__class__):
                for _ in look(n):
                    return False
            below = n.children()
            stack.extend([c for c in below if isinstance(c, Stmt)] if asks_statements_only else below)
        return True

    def _looks(self, kind: type[Node]) -> list[Callable[[Any], Violations]]:
        looks = self.looks.get(kind)
        if looks is None:
            looks = self.looks[kind] = [p.look for p in self.promises if issubclass(kind, p.kinds)]
        return looks


class Sound:
    """What was found sound in the functions of one lowering, from pass to pass."""

    def __init__(self) -> None:
        self._asked: list[_Asked] = []
        self._needs: dict[Node, _Needs] = {}

    def includes(self, f: PrimFunc, promises: list[Promise]) -> bool:
        """Whether `f` keeps these promises, as far as can be told at once. What follows no is another look."""
        before = {p for asked in self._asked for p in asked.promises}
        new = [p for p in promises if isinstance(p, OfEachNode) and p not in before]
        self._asked += [_Asked(new)] if new else []
        if not all(asked.are_kept(f.body) for asked in self._asked):
            return False
        others = [p for p in promises if not isinstance(p, OfEachNode)]
        return others == [] or (
            set(others) <= {names_are_bound, memory_is_alive} and self._scopes_are_right(f)
        )

    def _scopes_are_right(self, f: PrimFunc) -> bool:
        needs, scope = self._needs_of(f.body), _parameters(f)
        return (
            needs.is_sound
            and needs.variables <= scope.variables
            and needs.memory <= scope.memory
            and not needs.binds & scope.variables
            and not needs.allocates & scope.memory
        )

    def _needs_of(self, s: Stmt) -> _Needs:
        needs = self._needs.get(s)
        if needs is None:
            inside = _Needs.of_all(self._needs_of(c) for c in s.children() if isinstance(c, Stmt))
            needs = self._needs[s] = self._around(s, inside)
        return needs

    def _around(self, s: Stmt, inside: _Needs) -> _Needs:
        """What `s` needs, of whose statements `inside` tells."""
        own = _Needs.of_all([self._used_by(e) for e in _own_expressions(s)])
        stored = frozenset((s.buffer.data,) if isinstance(s, BufferStore | DeclBuffer) else ())
        bound, alive = _bound_by(s), _memory_of(s)
        is_loop_or_let = isinstance(s, For | LetStmt) or launched(s) is not None
        return _Needs(
            own.variables | (inside.variables - bound),
            own.memory | stored | (inside.memory - alive),
            inside.binds | bound if is_loop_or_let else inside.binds,
            inside.allocates | alive if isinstance(s, Allocate) else inside.allocates,
            inside.is_sound and not bound & inside.binds and not alive & inside.allocates,
        )

    def _used_by(self, e: Expr) -> _Needs:
        needs = self._needs.get(e)
        if needs is None:
            loaded = [n.buffer.data for n in walk(e) if isinstance(n, BufferLoad)]
            needs = self._needs[e] = _Needs(frozenset(free_vars(e)), frozenset(loaded))
        return needs


def _bound_by(s: Stmt) -> frozenset[Var]:
    """What the statements inside of `s` may use for it."""
    match s:
        case For(v) | LetStmt(v):
            return frozenset((v,))
        case Allocate(b) | DeclBuffer(b):
            return frozenset((b.data,))
    axis = launched(s)
    return frozenset() if axis is None else frozenset((axis.var,))


def _memory_of(s: Stmt) -> frozenset[Var]:
    """The memory that is alive inside of `s` for it: of a buffer, or at a pointer that a let names."""
    if isinstance(s, Allocate | DeclBuffer) or (isinstance(s, LetStmt) and s.var.dtype.kind == "handle"):
        return _bound_by(s)
    return frozenset()


# ---------------------------------------------------------------- names and memory


@dataclass(frozen=True, slots=True)
class _Scope:
    """What may be used at a place: variables, and the memory of buffers by their data pointers."""

    variables: frozenset[Var]
    memory: frozenset[Var]

    def within(self, s: Stmt) -> _Scope:
        return _Scope(self.variables | _bound_by(s), self.memory | _memory_of(s))


def names_are_bound(f: PrimFunc) -> Violations:
    """A variable is a parameter, a size or stride of one, or bound by a loop or a let around its use; nothing is
    bound again inside of what binds it."""
    for s, scope in _statements(f.body, _parameters(f)):
        bound = s.var if isinstance(s, For | LetStmt) or launched(s) is not None else None  # type: ignore[attr-defined]
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
        inside = around.within(top)
        pending += [(c, inside) for c in reversed(top.children()) if isinstance(c, Stmt)]


def _own_expressions(s: Stmt) -> list[Expr]:
    """The expressions of a statement that are in none of its statements: those of a buffer's layout too."""
    own = [c for c in s.children() if isinstance(c, Expr)]
    if isinstance(s, Allocate | DeclBuffer):
        own += [*s.buffer.shape, *s.buffer.strides, s.buffer.elem_offset]
    return own


# ---------------------------------------------------------------- dtypes


@of_each(Node)
def dtypes_agree(n: Node) -> Violations:
    """Operands have the dtype that their operation says, conditions are bool, indices are integers, what is stored
    has the dtype of its buffer, and an access has an index for each dimension."""
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


# ---------------------------------------------------------------- what passes take away


@of_each(ProducerLoad, ProducerStore)
def no_producers(n: ProducerLoad | ProducerStore) -> Violations:
    """Tensors became buffers: nothing loads or stores elements of a tensor."""
    yield f"an element of tensor {n.producer.name} is left"


def no_loops(*kinds: ForKind) -> OfEachNode:
    """The promise that no loop is of these kinds."""

    def no_loop_left(n: For) -> Violations:
        if n.kind in kinds:
            yield f"loop {n.var.name} is still marked {n.kind.value}"

    no_loop_left.__name__ = f"no_{'_or_'.join(k.value for k in kinds)}_loops"
    return OfEachNode(no_loop_left, For)


@of_each(BufferLoad, BufferStore)
def one_index(n: BufferLoad | BufferStore) -> Violations:
    """Arrays are lines of elements: every access has one index."""
    if len(n.indices) != 1:
        yield f"{n.buffer.name} is accessed by {len(n.indices)} indices"


@of_each(AttrStmt, Evaluate)
def no_threads(n: AttrStmt | Evaluate) -> Violations:
    """Threads became loops: nothing launches threads, or waits for them."""
    axis = launched(n)
    if axis is not None:
        yield f"{axis.thread_tag} is still launched"
    if is_barrier(n):
        yield "a barrier is left"


# ---------------------------------------------------------------- provenance


@of_each(For, BufferStore)
def provenance_is_present(n: For | BufferStore) -> Violations:
    """Loops and stores of a scheduled program say which stage they came from."""
    if n.origin is None or n.origin.stage is None:
        yield f"nothing says where {_line(n)} came from"


ALWAYS: tuple[Promise, ...] = (names_are_bound, memory_is_alive, dtypes_agree, no_producers)


def _line(n: Node) -> str:
    """The first line of a node's text."""
    try:
        return repr(n).strip().splitlines()[0]
    except Exception:  # what is wrong may have no text
        return type(n).__name__
