"""A builder of statements by hand, one after the other; those that enclose others are `with` blocks.

ib = IRBuilder()
with ib.for_range(0, n, name="i") as i:
    B[i] = A[i] + 1
body = ib.get()

After the builder of classic TVM.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tewb.base import DType, DTypeError, ShapeError, TewbError, here
from tewb.ir import ops
from tewb.ir.buffers import Buffer
from tewb.ir.expressions import Expr, Var
from tewb.ir.statements import (
    Allocate,
    AssertStmt,
    AttrStmt,
    BufferStore,
    Evaluate,
    For,
    ForKind,
    IfThenElse,
    LetStmt,
    Stmt,
    While,
)
from tewb.ir.walk import seq

_KINDS = {
    "serial": ForKind.SERIAL,
    "parallel": ForKind.PARALLEL,
    "vectorize": ForKind.VECTORIZED,
    "unroll": ForKind.UNROLLED,
}


class BufferVar:
    """A buffer that is read and written by indexing: `a[i] = a[i] + 1`. A single index into a buffer of more
    dimensions counts its elements in row-major order."""

    __slots__ = ("_builder", "buffer")

    def __init__(self, builder: IRBuilder, buffer: Buffer) -> None:
        self._builder, self.buffer = builder, buffer

    @property
    def dtype(self) -> DType:
        return self.buffer.dtype

    def asobject(self) -> Var:
        """The pointer to the memory."""
        return self.buffer.data

    asnode = asobject

    def as_expr(self) -> Expr:
        """The pointer, as an argument of a call."""
        return self.buffer.data

    def __getitem__(self, index: Any) -> Expr:
        return ops.load(self.buffer, self._indices(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        converted = ops.cast(ops.convert(value), self.buffer.dtype)
        self._builder.emit(BufferStore(self.buffer, converted, self._indices(index)))

    def _indices(self, index: Any) -> tuple[Expr, ...]:
        given = tuple(ops.convert(i) for i in (index if isinstance(index, tuple) else (index,)))
        shape = self.buffer.shape
        if len(given) == len(shape):
            return given
        if len(given) != 1:
            raise ShapeError(
                f"{self.buffer.name} has {len(shape)} dimensions and got {len(given)} indices",
                hint=f"{self.buffer.name}[{', '.join('ijklmn'[: len(shape)])}]",
                span=here(),
            )
        (at,) = given
        inner: list[Expr] = []
        for n in reversed(shape[1:]):
            inner.append(ops.floormod(at, n))
            at = ops.floordiv(at, n)
        return (at, *reversed(inner))


class IRBuilder:
    """Collects statements. `get()` returns what was built and starts anew."""

    def __init__(self) -> None:
        # A scope is a list of statements and of functions that wrap what follows them in their scope.
        self._scopes: list[list[Stmt | Callable[[Stmt], Stmt]]] = [[]]
        self._last_if: tuple[list[Stmt | Callable[[Stmt], Stmt]], int] | None = None

    def emit(self, stmt: Any) -> None:
        """Add a statement, or an expression for its effect."""
        statement = stmt if isinstance(stmt, Stmt) else Evaluate(ops.convert(stmt))
        self._scopes[-1].append(statement)

    def get(self) -> Stmt:
        """All that was built. Raises TewbError inside of a `with` block."""
        if len(self._scopes) > 1:
            raise TewbError(
                "the builder is inside of a with block", hint="call get() after all of them", span=here()
            )
        body = _closed(self._scopes.pop())
        self._scopes.append([])
        return body

    @contextmanager
    def _inside(self, finish: Callable[[Stmt], Stmt]) -> Iterator[None]:
        """What is emitted in the block becomes one statement by `finish`. An exception drops the block."""
        depth = len(self._scopes)
        self._scopes.append([])
        try:
            yield
        except BaseException:
            del self._scopes[depth:]
            raise
        body = _closed(self._scopes.pop())
        self._scopes[-1].append(finish(body))

    @contextmanager
    def new_scope(self) -> Iterator[None]:
        """A block of its own for attributes and allocations."""
        with self._inside(lambda body: body):
            yield

    @contextmanager
    def for_range(
        self,
        begin: Any,
        end: Any,
        name: str = "i",
        dtype: str | None = None,
        kind: str = "serial",
        for_type: str | None = None,
    ) -> Iterator[Var]:
        """A loop from `begin` up to, not including, `end`; kind is serial, parallel, vectorize or unroll. (Until v0.7 it
        was called `for_type`.)"""
        kind = kind if for_type is None else for_type
        if kind not in _KINDS:
            raise TewbError(f"for_range: kind={kind!r} is not one of {', '.join(_KINDS)}", span=here())
        low, high = ops.match(*[_integer("for_range", ops.convert(ops.whole(e))) for e in (begin, end)])
        if dtype is not None:
            low, high = ops.cast(low, dtype), ops.cast(high, dtype)
        v = Var(name, low.dtype)
        with self._inside(lambda body: For(v, low, ops.sub(high, low), _KINDS[kind], body)):
            yield v

    @contextmanager
    def if_scope(self, cond: Any) -> Iterator[None]:
        """What runs when `cond` holds."""
        test = ops.convert(cond)
        with self._inside(lambda body: IfThenElse(test, body)):
            yield
        self._last_if = (self._scopes[-1], len(self._scopes[-1]) - 1)

    @contextmanager
    def else_scope(self) -> Iterator[None]:
        """What runs when the condition of the if_scope right before does not hold."""
        scope = self._scopes[-1]
        if self._last_if is None or self._last_if[0] is not scope or self._last_if[1] != len(scope) - 1:
            raise TewbError(
                "else_scope must come right after an if_scope",
                hint="with ib.if_scope(c): ...  with ib.else_scope(): ...",
                span=here(),
            )
        before = scope[-1]
        assert isinstance(before, IfThenElse)
        with self._inside(lambda body: IfThenElse(before.cond, before.then, body)):
            yield
        del scope[-2]

    @contextmanager
    def while_loop(self, cond: Any) -> Iterator[None]:
        """What runs as long as `cond` holds."""
        test = ops.convert(cond)
        with self._inside(lambda body: While(test, body)):
            yield

    # ---- what wraps the rest of its scope

    def scope_attr(self, node: Any, attr_key: str, value: Any) -> None:
        """Put the rest of this scope under an attribute."""
        converted = ops.convert(value)
        self._scopes[-1].append(lambda body: AttrStmt(node, attr_key, converted, body))

    def allocate(self, dtype: str, shape: Any, name: str = "buf", scope: str = "global") -> BufferVar:
        """Memory for the rest of this scope."""
        sizes = shape if isinstance(shape, tuple | list) else (shape,)
        shape = tuple(_integer("allocate", ops.convert(ops.whole(n))) for n in sizes)
        buffer = Buffer(name, DType(dtype), shape, scope=scope)
        self._scopes[-1].append(lambda body: Allocate(buffer, body))
        return BufferVar(self, buffer)

    def let(self, name: str, value: Any) -> Var:
        """A name for a value in the rest of this scope."""
        converted = ops.convert(value)
        v = Var(name, converted.dtype)
        self._scopes[-1].append(lambda body: LetStmt(v, converted, body))
        return v

    def assert_that(self, cond: Any, message: str) -> None:
        """Fail with `message`, before the rest of this scope, unless `cond` holds."""
        test = ops.convert(cond)
        self._scopes[-1].append(lambda body: AssertStmt(test, message, body))

    # ---- access

    def buffer_ptr(self, buffer: Buffer, shape: Any = None) -> BufferVar:
        """A declared buffer, to be indexed."""
        return BufferVar(self, buffer)

    def pointer(self, content_type: str, name: str = "ptr", scope: str = "global") -> BufferVar:
        """Memory that somebody else has, as many elements as there are."""
        size = Var(f"{name}_size", DType("int32"))
        return BufferVar(self, Buffer(name, DType(content_type), (size,), scope=scope or "global"))

    def likely(self, expr: Any) -> Expr:
        """A condition that nearly always holds."""
        return ops.likely(expr)


def _integer(what: str, e: Expr) -> Expr:
    if e.dtype.is_int:
        return e
    raise DTypeError(
        f"{what} counts with integers, not with {e!s} of {e.dtype}",
        hint="n // 4 divides and rounds down",
        span=here(),
    )


def _closed(scope: list[Stmt | Callable[[Stmt], Stmt]]) -> Stmt:
    statements: list[Stmt] = []
    for entry in reversed(scope):
        if isinstance(entry, Stmt):
            statements.insert(0, entry)
        else:
            statements = [entry(seq(*statements))]
    return seq(*statements)
