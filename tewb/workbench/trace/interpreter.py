"""An interpreter of lowered IR that reports every access: slow, exact, and for small programs.

Memory is one line of elements for each owner of memory; views are offsets and strides into it. Parallel
loops run their iterations in order.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tewb import ir
from tewb.arith import converted, row_major, truncated_quotient
from tewb.base import BoundError, TewbError, from_memory, is_in_numpy, memory_dtype, rounded, to_memory
from tewb.ir import LEAVES, const_int
from tewb.ir.ops import wrap
from tewb.lowering import with_thread_loops
from tewb.runtime import NDArray, registered_function
from tewb.testing import BITS, CALLS, nextafter, reinterpreted

Loops = list[tuple[str, int]]
# Called with the owner of the memory, "read" or "write", and the positions of the elements.
Listener = Callable[[ir.Var, str, list[int]], None]


class EnoughOfNest(Exception):
    """Raised by a listener that has seen enough of the outermost loop that runs now: what comes after it goes on."""


class IRInterpreter:
    """Runs statements on `memory`, which holds a line of elements for each owner, and calls `touched` for
    each access, with `loops` as they are then; `nest` has these loops as nodes, `statement` is what runs.

    Machine code that is not ours cannot be run. With `native_regions` it touches all of the buffers that it is given, as
    the region around it declares them, and gives 0; without, TewbError is raised.
    """

    def __init__(
        self,
        memory: dict[ir.Var, Any],
        values: Mapping[ir.Var, Any],
        touched: Listener,
        native_regions: bool = False,
    ) -> None:
        self.memory, self.touched, self.native_regions = memory, touched, native_regions
        self.values: dict[ir.Var, Any] = dict(values)
        self.loops: Loops = []
        self.nest: list[ir.For] = []
        self.statement: ir.Stmt | None = None
        self.each_iteration: Callable[[], None] = lambda: None
        self._region: ir.ExternRegion | None = None
        self._mask: Any = None  # lanes that are looked at
        self._known: dict[ir.Expr, Any] | None = None  # the values that parts of the statement have
        self._layouts: dict[ir.Buffer, tuple[list[ir.Expr | int], ir.Expr | int]] = {}

    def run(self, s: ir.Stmt) -> None:
        """Do a statement."""
        rule = _STATEMENTS.get(type(s))
        if rule is None:
            raise TewbError(f"{type(s).__name__} cannot be traced")
        self._known = {}
        self.statement = s
        rule(self, s)
        self._known = None

    def value(self, e: ir.Expr) -> Any:
        """The value of an expression: a Python integer, a numpy scalar, or an array of lanes. What a statement uses
        twice is evaluated once."""
        if self._known is None or e.__class__ in LEAVES:
            return self._value(e)
        if e not in self._known:
            self._known[e] = self._value(e)
        return self._known[e]

    def _value(self, e: ir.Expr) -> Any:
        binary = _BINARY.get(type(e))
        if binary is not None:
            result = binary(self.value(e.a), self.value(e.b))  # type: ignore[attr-defined]
            if result.__class__ is int:
                return wrap(result, e.dtype)
            return result if is_in_numpy(e.dtype.element) else rounded(result, e.dtype)[()]
        rule = _EXPRESSIONS.get(type(e))
        if rule is None:
            raise TewbError(f"{type(e).__name__} cannot be traced")
        return rule(self, e)

    # ---- memory

    def _positions(self, b: ir.Buffer, indices: tuple[ir.Expr, ...]) -> Any:
        """Where elements of `b` are in the memory of its owner."""
        layout = self._layouts.get(b)
        if layout is None:
            layout = self._layouts[b] = (
                [_known(x) for x in b.strides or row_major(b.shape)],
                _known(b.elem_offset),
            )
        strides, at = layout
        place = self._size(at)
        for e, step in zip(indices, strides, strict=True):
            i = self.value(e)
            wide = i.astype(np.int64) if isinstance(i, np.ndarray) else int(i)
            place = place + wide * self._size(step)
        return place

    def _size(self, e: ir.Expr | int) -> Any:
        return e if isinstance(e, int) else self.value(e)

    def _touch(self, owner: ir.Var, kind: str, place: Any) -> Any:
        """Report an access; returns the positions that are inside the memory."""
        if not isinstance(place, np.ndarray):
            self.touched(owner, kind, [int(place)])
            return int(place)
        lanes = place if self._mask is None else place[np.broadcast_to(self._mask, place.shape)]
        self.touched(owner, kind, [int(i) for i in lanes])
        return np.clip(place, 0, self.memory[owner].size - 1)

    def load(self, e: ir.BufferLoad) -> Any:
        owner = e.buffer.data
        place = self._touch(owner, "read", self._positions(e.buffer, e.indices))
        return from_memory(self.memory[owner][place], e.dtype)

    def store(self, s: ir.BufferStore) -> None:
        value = self.value(s.value)
        owner = s.buffer.data
        memory = self.memory[owner]
        place = self._touch(owner, "write", self._positions(s.buffer, s.indices))
        new = to_memory(value, s.buffer.dtype)
        if self._mask is not None and isinstance(place, np.ndarray):
            place, new = place[self._mask], np.broadcast_to(new, place.shape)[self._mask]
        memory[place] = new

    def allocate(self, s: ir.Allocate) -> None:
        b = s.buffer
        shape = [int(self.value(n)) for n in b.shape]
        size = math.prod(shape)
        if b.strides and size:  # with gaps
            size = 1 + sum((n - 1) * int(self.value(step)) for n, step in zip(shape, b.strides, strict=True))
        self.memory[b.data] = np.zeros(size, memory_dtype(b.dtype))
        self.run(s.body)

    # ---- control

    def loop(self, s: ir.For) -> None:
        if self.nest:
            return self.iterate(s)
        region, mask = self._region, self._mask
        try:
            self.iterate(s)
        except EnoughOfNest:
            self.loops.clear()
            self.nest.clear()
            self._region, self._mask = region, mask

    def iterate(self, s: ir.For) -> None:
        """Do the iterations of a loop in order."""
        low, count = int(self.value(s.min)), int(self.value(s.extent))
        self.loops.append((s.var.name, low))
        self.nest.append(s)
        for i in range(low, low + count):
            self.values[s.var] = i
            self.loops[-1] = (s.var.name, i)
            self.each_iteration()
            self.run(s.body)
        self.loops.pop()
        self.nest.pop()

    def while_(self, s: ir.While) -> None:
        while self.value(s.cond):
            self.run(s.body)

    def branch(self, s: ir.IfThenElse) -> None:
        if s.cond.dtype.lanes > 1:
            self.in_lanes(s)
        elif self.value(s.cond):
            self.run(s.then)
        elif s.other is not None:
            self.run(s.other)

    def in_lanes(self, s: ir.IfThenElse) -> None:
        """Stores in the lanes where a vector condition holds."""
        before, self._mask = self._mask, np.asarray(self.value(s.cond), bool)
        if self._mask.any():
            self.run(s.then)
        self._mask = before

    def seq(self, s: ir.Seq) -> None:
        for part in s.stmts:
            self.run(part)

    def let(self, s: ir.LetStmt) -> None:
        self.values[s.var] = self.value(s.value)
        self.run(s.body)

    def attr(self, s: ir.AttrStmt) -> None:
        if ir.launched(s) is not None:
            return self.run(with_thread_loops(ir.PrimFunc("launch", (), s, ())).body)
        before = self._region
        self._region = s.node if isinstance(s.node, ir.ExternRegion) else before
        self.run(s.body)
        self._region = before

    def assertion(self, s: ir.AssertStmt) -> None:
        if not np.all(self.value(s.cond)):
            raise BoundError(s.message)
        self.run(s.body)

    # ---- expressions

    def both(self, e: ir.And) -> Any:
        a = self.value(e.a)
        if isinstance(a, np.ndarray):
            return np.logical_and(a, self.wanted(a, e.b))
        return self.value(e.b) if a else False

    def either(self, e: ir.Or) -> Any:
        a = self.value(e.a)
        if isinstance(a, np.ndarray):
            return np.logical_or(a, self.wanted(~a, e.b))
        return True if a else self.value(e.b)

    def wanted(self, lanes: Any, e: ir.Expr) -> Any:
        """The value of `e`, evaluated only in the lanes that are wanted."""
        before, known = self._mask, self._known
        self._mask = np.logical_and(True if before is None else before, lanes)
        self._known = None if known is None else dict(known)
        value = self.value(e)
        self._mask, self._known = before, known
        return value

    def let_value(self, e: ir.Let) -> Any:
        self.values[e.var] = self.value(e.value)
        return self.value(e.body)

    def select(self, e: ir.Select) -> Any:
        cond, then, other = self.value(e.cond), self.value(e.then), self.value(e.other)
        return np.where(cond, then, other) if isinstance(cond, np.ndarray) else then if cond else other

    def choose(self, cond: ir.Expr, then: ir.Expr, other: ir.Expr) -> Any:
        """if_then_else: only the chosen side is evaluated, lane by lane."""
        c = self.value(cond)
        if not isinstance(c, np.ndarray):
            return self.value(then if c else other)
        yes, no = self.wanted(c, then), self.wanted(~c, other)
        return np.where(c, yes, no)

    def ramp(self, e: ir.Ramp) -> Any:
        lanes = self.value(e.base) + self.value(e.stride) * np.arange(e.lanes)
        return lanes.astype(str(e.dtype.element))

    def shuffle(self, e: ir.Shuffle) -> Any:
        parts = [np.broadcast_to(self.value(v), (v.dtype.lanes,)) for v in e.vectors]
        lanes = np.concatenate(parts)[list(e.indices)]
        return lanes if e.dtype.lanes > 1 else lanes[0]

    def call(self, e: ir.Call) -> Any:
        match e:
            case ir.Call("if_then_else", (cond, then, other)):
                return self.choose(cond, then, other)
            case ir.Call("tvm_call_packed", (ir.StringImm(name), *args)):
                return self.packed(name, args)
            case ir.Call("prefetch"):
                return 0  # touches no element
            case ir.Call("erf", (a,)):
                return rounded(np.vectorize(math.erf)(self.value(a)), e.dtype)[()]
            case ir.Call("reinterpret", (a,)):
                return reinterpreted(self.value(a), a.dtype, e.dtype)[()]
            case ir.Call("nextafter", (a, b)):
                return rounded(nextafter(self.value(a), self.value(b), e.dtype), e.dtype)[()]
            case ir.Call(op, (a,)) if op in BITS:
                return rounded(BITS[op](self.value(a), a.dtype), e.dtype)[()]
            case ir.Call(op, args) if op in CALLS:
                results = np.asarray(CALLS[op](*[self.value(a) for a in args]))
                return rounded(results, e.dtype)[()]
        if self.native_regions:
            return self.native(e)
        raise TewbError(
            f"{e.op} cannot be traced: what it touches only its machine code knows",
            hint="trace a program whose stages are computes, hybrid functions or packed functions",
        )

    def native(self, e: ir.Call) -> Any:
        """What code of others touches: all of each buffer whose address it is given. Its value is not known: 0."""
        for a in e.args:
            match a:
                case ir.Call("address_of", (ir.BufferLoad(buffer, indices),)):
                    self._touch_view(buffer, int(self._positions(buffer, indices)))
                case ir.Call("address_of", (ir.Buffer() as buffer,)):
                    self._touch_view(buffer, int(self.value(buffer.elem_offset)))
        return 0

    # ---- packed functions

    def packed(self, name: str, args: list[ir.Expr]) -> Any:
        """Call a packed function on views; what it returns. Each view is one access to all of its elements."""
        function = registered_function(name)
        given = []
        for a in args:
            match a:
                case ir.Call(
                    "tvm_stack_make_array", (ir.Var() as owner, ir.Call(_, sizes), strides, _, _, offset)
                ):
                    given.append(self._view(owner, sizes, strides, offset))
                case ir.StringImm(text):
                    given.append(text)
                case _:
                    given.append(self.value(a))
        return function(*given)

    def _view(self, owner: ir.Var, sizes: tuple[ir.Expr, ...], strides: ir.Expr, offset: ir.Expr) -> Any:
        shape = [int(self.value(n)) for n in sizes]
        if isinstance(strides, ir.Call):
            steps = [int(self.value(n)) for n in strides.args]
        else:
            steps = [math.prod(shape[d + 1 :]) for d in range(len(shape))]
        self._touch_all(owner, int(self.value(offset)), shape, steps)
        memory = self.memory[owner]
        begin = memory[int(self.value(offset)) :]
        view = np.lib.stride_tricks.as_strided(begin, shape, [step * memory.itemsize for step in steps])
        return view.view(NDArray)

    def _touch_view(self, b: ir.Buffer, at: int) -> None:
        steps = [int(self._size(n)) for n in b.strides or row_major(b.shape)]
        self._touch_all(b.data, at, [int(self.value(n)) for n in b.shape], steps)

    def _touch_all(self, owner: ir.Var, at: int, shape: list[int], steps: list[int]) -> None:
        """Report one access to all elements of a view."""
        grid = np.full(shape, at)
        for d, (n, step) in enumerate(zip(shape, steps, strict=True)):
            grid = grid + (np.arange(n) * step).reshape([n if k == d else 1 for k in range(len(shape))])
        kind = "write" if self._writes(owner.name) else "read"
        self.touched(owner, kind, [int(i) for i in grid.ravel()])

    def _writes(self, owner: str) -> bool:
        """Whether the extern region around says that it writes to this memory, or to a tile of it."""
        names = [re.split(r"\[", text)[0] for text in (self._region.writes if self._region else ())]
        return any(name == owner or name == f"{owner}.tile" for name in names)


def _known(e: ir.Expr) -> ir.Expr | int:
    value = const_int(e)
    return e if value is None else value


# ---------------------------------------------------------------- tables


def _divide(a: Any, b: Any) -> Any:
    """a / b of floats; of integers rounding toward zero."""
    if np.asarray(a).dtype.kind == "f" or np.asarray(b).dtype.kind == "f":
        return np.true_divide(a, b)
    quotient = truncated_quotient(a, b)
    return (
        int(quotient)
        if isinstance(a, int) and isinstance(b, int)
        else quotient.astype(np.result_type(a, b))[()]
    )


def _floor_divide(a: Any, b: Any) -> Any:
    """a // b of integers, and 0 where b is 0."""
    if isinstance(a, int) and isinstance(b, int):
        return a // b if b else 0
    return np.floor_divide(a, b)


def _remainder(a: Any, b: Any) -> Any:
    """a % b of integers, and 0 where b is 0."""
    if isinstance(a, int) and isinstance(b, int):
        return a % b if b else 0
    return np.mod(a, b)


def _cast(i: IRInterpreter, e: ir.Cast) -> Any:
    value = i.value(e.value)
    if value.__class__ is int and e.dtype.element in ("int32", "int64"):
        return wrap(value, e.dtype.element)
    return converted(value, e.dtype.element)[()]


def _least(a: Any, b: Any) -> Any:
    return min(a, b) if isinstance(a, int) and isinstance(b, int) else np.minimum(a, b)


def _most(a: Any, b: Any) -> Any:
    return max(a, b) if isinstance(a, int) and isinstance(b, int) else np.maximum(a, b)


_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ir.Add: lambda a, b: a + b, ir.Sub: lambda a, b: a - b, ir.Mul: lambda a, b: a * b, ir.FloorDiv: _floor_divide,
    ir.FloorMod: _remainder, ir.Div: _divide, ir.Mod: np.fmod, ir.Min: _least, ir.Max: _most, ir.EQ: lambda a, b: a == b,
    ir.NE: lambda a, b: a != b, ir.LT: lambda a, b: a < b, ir.LE: lambda a, b: a <= b, ir.GT: lambda a, b: a > b,
    ir.GE: lambda a, b: a >= b,
}  # fmt: skip

_EXPRESSIONS: dict[type, Callable[[IRInterpreter, Any], Any]] = {
    ir.Var: lambda i, e: i.values[e],
    ir.IntImm: lambda i, e: e.value,
    ir.FloatImm: lambda i, e: rounded(e.value, e.dtype)[()],
    ir.BufferLoad: IRInterpreter.load,
    ir.Cast: _cast,
    ir.Not: lambda i, e: np.logical_not(i.value(e.a)),
    ir.And: IRInterpreter.both,
    ir.Or: IRInterpreter.either,
    ir.Select: IRInterpreter.select,
    ir.Let: IRInterpreter.let_value,
    ir.Ramp: IRInterpreter.ramp,
    ir.Shuffle: IRInterpreter.shuffle,
    ir.Broadcast: lambda i, e: i.value(e.value),  # numpy repeats it where lanes meet it
    ir.Call: IRInterpreter.call,
}

_STATEMENTS: dict[type, Callable[[IRInterpreter, Any], Any]] = {
    ir.BufferStore: IRInterpreter.store,
    ir.For: IRInterpreter.loop,
    ir.While: IRInterpreter.while_,
    ir.IfThenElse: IRInterpreter.branch,
    ir.Seq: IRInterpreter.seq,
    ir.AttrStmt: IRInterpreter.attr,
    ir.Allocate: IRInterpreter.allocate,
    ir.DeclBuffer: lambda i, s: i.run(s.body),
    ir.LetStmt: IRInterpreter.let,
    ir.AssertStmt: IRInterpreter.assertion,
    ir.Evaluate: lambda i, s: i.value(s.value),
}
