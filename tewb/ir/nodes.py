"""The nodes of the IR: expressions, statements, buffers and functions.

Raw classes store. The constructors in `ops.py`, and the operators on expressions, check dtypes and
fold constants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tewb.base import BOOL, HANDLE, DType, Span, TewbError
from tewb.ir.node import Node, node


class Operators:
    """Arithmetic and comparison operators that build expressions (for Expr, IterVar and tensor elements)."""

    __slots__ = ()

    def __add__(self, other: Any) -> Expr:
        return ops.add(self, other)

    def __radd__(self, other: Any) -> Expr:
        return ops.add(other, self)

    def __sub__(self, other: Any) -> Expr:
        return ops.sub(self, other)

    def __rsub__(self, other: Any) -> Expr:
        return ops.sub(other, self)

    def __mul__(self, other: Any) -> Expr:
        return ops.mul(self, other)

    def __rmul__(self, other: Any) -> Expr:
        return ops.mul(other, self)

    def __truediv__(self, other: Any) -> Expr:
        return ops.div(self, other)

    def __rtruediv__(self, other: Any) -> Expr:
        return ops.div(other, self)

    def __floordiv__(self, other: Any) -> Expr:
        return ops.floordiv(self, other)

    def __rfloordiv__(self, other: Any) -> Expr:
        return ops.floordiv(other, self)

    def __mod__(self, other: Any) -> Expr:
        return ops.floormod(self, other)

    def __rmod__(self, other: Any) -> Expr:
        return ops.floormod(other, self)

    def __pow__(self, other: Any) -> Expr:
        return ops.power(self, other)

    def __rpow__(self, other: Any) -> Expr:
        return ops.power(other, self)

    def __neg__(self) -> Expr:
        return ops.neg(self)

    def __abs__(self) -> Expr:
        return ops.absolute(self)

    def __lshift__(self, other: Any) -> Expr:
        return ops.shift_left(self, other)

    def __rshift__(self, other: Any) -> Expr:
        return ops.shift_right(self, other)

    def __and__(self, other: Any) -> Expr:
        return ops.bitwise_and(self, other)

    def __rand__(self, other: Any) -> Expr:
        return ops.bitwise_and(other, self)

    def __or__(self, other: Any) -> Expr:
        return ops.bitwise_or(self, other)

    def __ror__(self, other: Any) -> Expr:
        return ops.bitwise_or(other, self)

    def __xor__(self, other: Any) -> Expr:
        return ops.bitwise_xor(self, other)

    def __rxor__(self, other: Any) -> Expr:
        return ops.bitwise_xor(other, self)

    def __invert__(self) -> Expr:
        return ops.bitwise_not(self)

    def __lt__(self, other: Any) -> Expr:
        return ops.less(self, other)

    def __le__(self, other: Any) -> Expr:
        return ops.less_equal(self, other)

    def __gt__(self, other: Any) -> Expr:
        return ops.greater(self, other)

    def __ge__(self, other: Any) -> Expr:
        return ops.greater_equal(self, other)

    def __eq__(self, other: object) -> Expr:  # type: ignore[override]
        return ops.equal(self, other)

    def __ne__(self, other: object) -> Expr:  # type: ignore[override]
        return ops.not_equal(self, other)

    __hash__ = object.__hash__

    def astype(self, dtype: str) -> Expr:
        """This value converted to `dtype`."""
        return ops.cast(self, dtype)

    def __bool__(self) -> bool:
        raise TewbError(
            "an expression has no truth value: it stands for all the values a loop gives it",
            hint="write te.if_then_else(c, a, b) for a choice, te.all(a, b) for `and`, te.any(a, b) for `or`",
        )

    def __iter__(self) -> Iterator[Any]:
        raise TypeError(f"{type(self).__name__} is not iterable")


class Expr(Node, Operators):
    """A value of type `dtype`."""

    __slots__ = ()
    dtype: DType

    def __repr__(self) -> str:
        from tewb.ir.script import script  # the printer sits above the nodes

        return script(self)


class Stmt(Node):
    """Something that is done."""

    __slots__ = ()

    def __repr__(self) -> str:
        from tewb.ir.script import script  # the printer sits above the nodes

        return script(self)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a visible node came from: stage, axis, journal step (counted from 0), the user's line.

    `step` is the one that made it; `steps` are all that shaped it. `gone` are the (stage, axis) of loops that
    stood around it and that lowering took away: unrolled, vectorized, or of one iteration.
    """

    stage: str | None = None
    axis: str | None = None
    step: int | None = None
    span: Span | None = None
    steps: tuple[int, ...] = ()
    gone: tuple[tuple[str | None, str | None], ...] = ()


# ---------------------------------------------------------------- leaves


@node
class Var(Expr):
    """A named scalar that something else gives its value: a loop, a parameter, a let."""

    name: str
    dtype: DType


@node
class IntImm(Expr):
    """An integer or boolean constant; `value` fits `dtype`."""

    value: int
    dtype: DType


@node
class FloatImm(Expr):
    """A floating-point constant."""

    value: float
    dtype: DType


@node
class StringImm(Expr):
    """A string, as an argument of a call."""

    value: str
    dtype: DType = HANDLE


@node
class Range(Node):
    """The integers min, min+1, ..., min+extent-1."""

    min: Expr
    extent: Expr

    def __repr__(self) -> str:
        return f"Range({self.min!r}, {self.extent!r})"


class AxisKind(Enum):
    """What an axis stands for, and so what may be done with it."""

    DATA = "data"  # iterations are independent
    REDUCE = "reduce"  # iterations are combined by a reducer
    OPAQUE = "opaque"  # the inside of an extern: may not be touched
    ORDERED = "ordered"  # iterations must run in order


class IterVar(Operators):
    """An axis: a variable with the range it runs over and the kind of its iterations."""

    __slots__ = ("dom", "kind", "var")

    def __init__(self, dom: Range | None, var: Var, kind: AxisKind) -> None:
        self.dom, self.var, self.kind = dom, var, kind

    @property
    def name(self) -> str:
        return self.var.name

    @property
    def dtype(self) -> DType:
        return self.var.dtype

    def __repr__(self) -> str:
        dom = "" if self.dom is None else f", {self.dom!r}"
        return f"IterVar({self.name}{dom}, {self.kind.value})"


# ---------------------------------------------------------------- arithmetic


@node
class Cast(Expr):
    """`value` converted to `dtype`: floats truncate toward zero, integers wrap, bool is value != 0."""

    value: Expr
    dtype: DType


class Binary(Expr):
    """An operation on two values of one dtype."""

    __slots__ = ()
    a: Expr
    b: Expr


@node
class Add(Binary):
    """a + b; integers wrap."""

    a: Expr
    b: Expr
    dtype: DType


@node
class Sub(Binary):
    """a - b; integers wrap."""

    a: Expr
    b: Expr
    dtype: DType


@node
class Mul(Binary):
    """a * b; integers wrap."""

    a: Expr
    b: Expr
    dtype: DType


@node
class Div(Binary):
    """a / b for floats; for integers rounding toward zero, b nonzero."""

    a: Expr
    b: Expr
    dtype: DType


@node
class Mod(Binary):
    """Remainder of integer `Div`: the sign of a. For floats that of C's fmod."""

    a: Expr
    b: Expr
    dtype: DType


@node
class FloorDiv(Binary):
    """a // b, rounding toward minus infinity; b is nonzero."""

    a: Expr
    b: Expr
    dtype: DType


@node
class FloorMod(Binary):
    """a - b * (a // b): the sign of b; b is nonzero."""

    a: Expr
    b: Expr
    dtype: DType


@node
class Min(Binary):
    """The smaller of a and b; NaN if either is NaN, as numpy.minimum."""

    a: Expr
    b: Expr
    dtype: DType


@node
class Max(Binary):
    """The larger of a and b; NaN if either is NaN, as numpy.maximum."""

    a: Expr
    b: Expr
    dtype: DType


class Compare(Expr):
    """A comparison of two values of one dtype; the result is bool with their lanes."""

    __slots__ = ()
    a: Expr
    b: Expr


@node
class EQ(Compare):
    """a == b"""

    a: Expr
    b: Expr
    dtype: DType = BOOL


@node
class NE(Compare):
    """a != b"""

    a: Expr
    b: Expr
    dtype: DType = BOOL


@node
class LT(Compare):
    """a < b"""

    a: Expr
    b: Expr
    dtype: DType = BOOL


@node
class LE(Compare):
    """a <= b"""

    a: Expr
    b: Expr
    dtype: DType = BOOL


@node
class GT(Compare):
    """a > b"""

    a: Expr
    b: Expr
    dtype: DType = BOOL


@node
class GE(Compare):
    """a >= b"""

    a: Expr
    b: Expr
    dtype: DType = BOOL


@node
class And(Expr):
    """Both; the second is looked at only when the first is true (scalars)."""

    a: Expr
    b: Expr
    dtype: DType = BOOL


@node
class Or(Expr):
    """Either; the second is looked at only when the first is false (scalars)."""

    a: Expr
    b: Expr
    dtype: DType = BOOL


@node
class Not(Expr):
    """The opposite."""

    a: Expr
    dtype: DType = BOOL


@node
class Select(Expr):
    """`then` where cond holds, else `other`; both are evaluated, so both must be safe."""

    cond: Expr
    then: Expr
    other: Expr
    dtype: DType


@node
class Let(Expr):
    """`body` with `var` standing for `value`."""

    var: Var
    value: Expr
    body: Expr
    dtype: DType


# ---------------------------------------------------------------- vectors


@node
class Ramp(Expr):
    """The vector base, base+stride, ..., base+(lanes-1)*stride."""

    base: Expr
    stride: Expr
    lanes: int
    dtype: DType


@node
class Broadcast(Expr):
    """The vector that repeats a scalar."""

    value: Expr
    lanes: int
    dtype: DType


@node
class Shuffle(Expr):
    """Lanes of `vectors`, counted through all of them one after the other: first those of the first vector.
    The result has a lane for each of `indices`; a scalar counts as a vector of one lane."""

    vectors: tuple[Expr, ...]
    indices: tuple[int, ...]
    dtype: DType


# ---------------------------------------------------------------- memory and calls


class Buffer:
    """A region of memory seen as an array.

    `shape` and `strides` are in elements; empty `strides` means compact row-major. `elem_offset` is
    the distance in elements of the first element from `data`. Several buffers may view one `data`.
    What is in `scope` "register" has constant indices once loops are unrolled, and takes no memory.
    """

    __slots__ = ("alignment", "data", "dtype", "elem_offset", "name", "offset_factor", "origin", "scope", "shape",
                 "strides")  # fmt: skip

    def __init__(
        self,
        name: str,
        dtype: DType,
        shape: tuple[Expr, ...],
        strides: tuple[Expr, ...] = (),
        elem_offset: Expr | None = None,
        scope: str = "global",
        data: Var | None = None,
        alignment: int = 0,
        offset_factor: int = 0,
        origin: Origin | None = None,
    ) -> None:
        self.name, self.dtype, self.shape, self.strides = name, dtype, shape, strides
        self.elem_offset = elem_offset if elem_offset is not None else IntImm(0, DType("int32"))
        self.scope = scope
        self.data = data if data is not None else Var(name, HANDLE)
        self.alignment, self.offset_factor, self.origin = alignment, offset_factor, origin

    def __getitem__(self, indices: Any) -> Expr:
        return ops.load(self, indices)

    def with_(self, **changes: Any) -> Buffer:
        """A copy with some fields changed."""
        fields = {f: getattr(self, f) for f in self.__slots__}
        return Buffer(**{**fields, **changes})

    def map_exprs(self, f: Callable[[Expr], Expr]) -> Buffer:
        """This buffer with `f` on its sizes, strides and offset; the same object when nothing changes."""
        old = (*self.shape, *self.strides, self.elem_offset)
        new = tuple(e if isinstance(e, IntImm) else f(e) for e in old)
        if all(a is b for a, b in zip(old, new, strict=True)):
            return self
        rank = len(self.shape)
        return self.with_(shape=new[:rank], strides=new[rank:-1], elem_offset=new[-1])

    def __repr__(self) -> str:
        return f"Buffer({self.name}, {self.dtype}, {self.shape})"


class Producer:
    """Something whose elements a `ProducerLoad` reads: a tensor."""

    __slots__ = ()
    name: str
    dtype: DType
    shape: tuple[Expr, ...]


@node
class BufferLoad(Expr):
    """The element of `buffer` at `indices`; vector indices load vectors."""

    buffer: Buffer
    indices: tuple[Expr, ...]
    dtype: DType


@node
class ProducerLoad(Expr):
    """The element of a tensor at `indices`; lowering turns it into a BufferLoad."""

    producer: Any
    indices: tuple[Expr, ...]
    dtype: DType


@node
class Call(Expr):
    """A call of an intrinsic, of a packed function or of a C function, by name."""

    op: str
    args: tuple[Expr, ...]
    dtype: DType


@node
class CommReducer(Node):
    """A commutative, associative combination of tuples: `result` of (lhs, rhs), and its `identity`."""

    lhs: tuple[Var, ...]
    rhs: tuple[Var, ...]
    result: tuple[Expr, ...]
    identity: tuple[Expr, ...]
    name: str


@node
class Reduce(Expr):
    """Combination of `source` over all values of `axes` for which `condition` holds; its part `index`."""

    combiner: Any
    source: tuple[Expr, ...]
    axes: tuple[IterVar, ...]
    condition: Expr
    index: int
    init: tuple[Expr, ...]
    dtype: DType


# ---------------------------------------------------------------- statements


class ForKind(Enum):
    """How the iterations of a loop run."""

    SERIAL = "serial"
    PARALLEL = "parallel"
    VECTORIZED = "vectorized"
    UNROLLED = "unroll"
    DOT = "dot"  # serially, or all of them as one dot product


@node
class BufferStore(Stmt):
    """buffer[indices] = value

    `nontemporal` wishes for a store that goes to memory past the caches. It is 0 for an ordinary store, else what
    is known of the address: it is a multiple of so many bytes (1: nothing is known).
    """

    buffer: Buffer
    value: Expr
    indices: tuple[Expr, ...]
    origin: Origin | None = None
    nontemporal: int = 0


@node
class ProducerStore(Stmt):
    """tensor[indices] = value; lowering turns it into a BufferStore."""

    producer: Any
    value: Expr
    indices: tuple[Expr, ...]
    origin: Origin | None = None


@node
class For(Stmt):
    """`body` for var = min, min+1, ..., min+extent-1."""

    var: Var
    min: Expr
    extent: Expr
    kind: ForKind
    body: Stmt
    annotations: tuple[tuple[str, object], ...] = ()
    origin: Origin | None = None


@node
class While(Stmt):
    """`body` again and again as long as `cond` holds."""

    cond: Expr
    body: Stmt
    origin: Origin | None = None


@node
class IfThenElse(Stmt):
    """`then` when cond holds, else `other`. A vector as cond guards each lane of the stores in `then`."""

    cond: Expr
    then: Stmt
    other: Stmt | None = None
    origin: Origin | None = None


@node
class Seq(Stmt):
    """Statements one after the other; build it with `seq()`, which flattens."""

    stmts: tuple[Stmt, ...]


@node
class AttrStmt(Stmt):
    """`body` with a fact about it: `key` says which, `node` and `value` say what."""

    node: Any
    key: str
    value: Expr
    body: Stmt
    origin: Origin | None = None


ALLOCATED = 64  # bytes: the address of every allocation is a multiple of them


@node
class Allocate(Stmt):
    """`buffer` exists inside `body`, at a multiple of ALLOCATED bytes; its contents start undefined."""

    buffer: Buffer
    body: Stmt
    origin: Origin | None = None


@node
class DeclBuffer(Stmt):
    """`buffer` is a view, inside `body`, of memory that something else owns."""

    buffer: Buffer
    body: Stmt
    origin: Origin | None = None


@node
class LetStmt(Stmt):
    """`body` with `var` standing for `value`."""

    var: Var
    value: Expr
    body: Stmt
    origin: Origin | None = None


@node
class AssertStmt(Stmt):
    """Fail with `message` unless cond holds, then `body`."""

    cond: Expr
    message: str
    body: Stmt
    origin: Origin | None = None


@node
class Evaluate(Stmt):
    """`value`, for what its calls do."""

    value: Expr
    origin: Origin | None = None


# ---------------------------------------------------------------- functions


@dataclass(frozen=True, slots=True)
class ExternRegion:
    """What an extern_scope region is: its name, the buffers it reads and writes (as text), its effect."""

    name: str
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    effect: str = "idempotent"


@dataclass(frozen=True, slots=True, eq=False)
class PrimFunc:
    """A function on buffers and scalars. `outputs` are the positions of the parameters that it writes."""

    name: str
    params: tuple[Buffer | Var, ...]
    body: Stmt
    outputs: tuple[int, ...] = ()

    def script(self) -> str:
        """This function as TVMScript text."""
        from tewb.ir.script import script  # the printer sits above the nodes

        return script(self)

    def __str__(self) -> str:
        return self.script()


class IRModule:
    """Functions by name."""

    __slots__ = ("functions",)

    def __init__(self, functions: dict[str, PrimFunc]) -> None:
        self.functions = functions

    def __getitem__(self, name: str) -> PrimFunc:
        return self.functions[name]

    def script(self) -> str:
        """This module as TVMScript text."""
        from tewb.ir.script import script  # the printer sits above the nodes

        return script(self)

    def __str__(self) -> str:
        return self.script()


from tewb.ir import ops  # noqa: E402  (the operators above call the constructors, which build these nodes)
