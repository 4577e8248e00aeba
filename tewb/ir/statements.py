"""Statements: from stores to loops and the memory that they use."""

from __future__ import annotations

from enum import Enum
from typing import Any

from tewb.ir.buffers import Buffer
from tewb.ir.expressions import Expr, Var
from tewb.ir.node import Node, alias, node
from tewb.ir.origin import Origin


class Stmt(Node):
    """Something that runs for its effect."""

    __slots__ = ()

    def __repr__(self) -> str:
        from tewb.ir.script import script  # the printer sits above the nodes

        return script(self)


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

    `nontemporal` asks for a store that bypasses the caches. It is 0 for an ordinary store, else the number of bytes
    of which the address is known to be a multiple (1: nothing is known).
    """

    buffer: Buffer
    value: Expr
    indices: tuple[Expr, ...]
    origin: Origin | None = None
    nontemporal: int = 0
    buffer_var, index = alias("buffer.data"), property(lambda self: self.indices[-1])  # of flat memory


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
    origin: Origin | None = None
    loop_var = alias("var")

    @property
    def for_type(self) -> int:
        """How it runs, as a number of v0.7: that of `tir.For.Parallel` and the like."""
        return list(ForKind).index(self.kind)


@node
class While(Stmt):
    """`body`, repeated as long as `cond` holds."""

    cond: Expr
    body: Stmt
    origin: Origin | None = None
    condition = alias("cond")


@node
class IfThenElse(Stmt):
    """`then` when cond holds, else `other`. A vector as cond guards each lane of the stores in `then`."""

    cond: Expr
    then: Stmt
    other: Stmt | None = None
    origin: Origin | None = None
    condition, then_case, else_case = alias("cond"), alias("then"), alias("other")


@node
class Seq(Stmt):
    """Statements one after the other; build it with `seq()`, which flattens."""

    stmts: tuple[Stmt, ...]
    seq = alias("stmts")

    def __getitem__(self, position: int) -> Stmt:
        return self.stmts[position]

    def __len__(self) -> int:
        return len(self.stmts)

    def __bool__(self) -> bool:
        return True  # as every statement, with a length or not


THREAD_EXTENT = "thread_extent"
VIRTUAL_THREAD = "virtual_thread"
# The key of a timer: its value is the element of an array to which the ticks that pass in `body` are added; the next
# element counts how often it ran.
TIMER = "tewb.timer"
# The key of a fact about a parallel loop, inside of it: its value is how many iterations a thread takes at least.
GRAIN = "tewb.grain"


@node
class AttrStmt(Stmt):
    """`body` with a fact about it: `key` says which, `node` and `value` say what. A launch (`threads.py`) binds the
    variable of its thread axis."""

    node: Any
    key: str
    value: Expr
    body: Stmt
    origin: Origin | None = None
    attr_key = alias("key")

    @property
    def var(self) -> Var:
        """The variable that a launch binds. Raises AttributeError for other attributes."""
        if self.key not in (THREAD_EXTENT, VIRTUAL_THREAD) or not hasattr(self.node, "thread_tag"):
            raise AttributeError(f"the attribute {self.key} binds no variable")
        return self.node.var  # type: ignore[no-any-return]


ALLOCATED = 64  # bytes: the address of every allocation is a multiple of this


@node
class Allocate(Stmt):
    """`buffer` exists inside `body`, at a multiple of ALLOCATED bytes; its contents start undefined."""

    buffer: Buffer
    body: Stmt
    origin: Origin | None = None
    buffer_var, dtype, extents = alias("buffer.data"), alias("buffer.dtype"), alias("buffer.shape")


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
    """Fail with `message` unless cond holds, in every lane of a vector; then `body`."""

    cond: Expr
    message: str
    body: Stmt
    origin: Origin | None = None
    condition = alias("cond")


@node
class Evaluate(Stmt):
    """`value`, for the effect of its calls."""

    value: Expr
    origin: Origin | None = None
