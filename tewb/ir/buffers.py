"""Buffers: memory seen as arrays, and the loads of their elements."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

from tewb.base import HANDLE, DType, DTypeError, ExternError
from tewb.ir import ops
from tewb.ir.expressions import Call, Expr, IntImm, Var
from tewb.ir.node import alias, node
from tewb.ir.origin import Origin
from tewb.ir.symbolic import Elementwise, Symbolic


class Buffer:
    """A region of memory seen as an array.

    `shape` and `strides` are in elements; empty `strides` means compact row-major. `elem_offset` is
    the distance in elements of the first element from `data`. Several buffers may view one `data`.
    A buffer in `scope` "register" is accessed at constant indices once loops are unrolled, and takes no memory.
    An argument that `broadcasts` is read at 0 in each dimension whose size is 1 in a call.
    """

    __slots__ = ("alignment", "broadcasts", "data", "dtype", "elem_offset", "name", "offset_factor", "origin", "scope", "shape",
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
        broadcasts: bool = False,
    ) -> None:
        self.name, self.dtype, self.shape, self.strides = name, dtype, shape, strides
        self.elem_offset = elem_offset if elem_offset is not None else IntImm(0, DType("int32"))
        self.scope = scope
        self.data = data if data is not None else Var(name, HANDLE)
        self.alignment, self.offset_factor, self.origin = alignment, offset_factor, origin
        self.broadcasts = broadcasts

    def __getitem__(self, indices: Any) -> Expr:
        return ops.load(self, indices)

    READ, WRITE = 1, 2

    def same_as(self, other: object) -> bool:
        """Whether `other` is this very buffer."""
        return self is other

    @property
    def buffer_type(self) -> int:
        """The classic number: 2 of one that broadcasts, else 1."""
        return 2 if self.broadcasts else 1

    @property
    def data_alignment(self) -> int:
        """The bytes that its address is a multiple of."""
        return self.alignment or max(self.dtype.bits // 8, 1)

    def get_flattened_buffer(self) -> Buffer:
        """This memory as one row of its elements."""
        size = reduce(ops.mul, self.shape, ops.const(1, "int32"))
        return self if len(self.shape) == 1 else self.with_(shape=(size,), strides=())

    def vload(self, begin: Any, dtype: str | None = None, predicate: None = None) -> Expr:
        """The elements from `begin` on, as many as `dtype` has lanes: neighbours in the last dimension."""
        d = self.dtype if dtype is None else DType(dtype)
        if d.element is not self.dtype:
            raise DTypeError(
                f"{self.name} holds {self.dtype}, not {d}", hint=f"vload(begin, '{self.dtype}x4')"
            )
        return ops.load(self, self._row(begin, d.lanes))

    def vstore(self, begin: Any, value: Any, predicate: None = None) -> Any:
        """The statement that stores a value, or the lanes of a vector, at `begin` and behind it."""
        from tewb.ir.statements import BufferStore

        e = ops.convert(value)
        d = self.dtype.with_lanes(e.dtype.lanes)
        index = ops.load(self, self._row(begin, d.lanes)).indices  # type: ignore[attr-defined]
        return BufferStore(self, ops.cast(e, d), index)

    def _row(self, begin: Any, lanes: int) -> tuple[Any, ...]:
        index = tuple(begin) if isinstance(begin, tuple | list) else (begin,)
        return (*index[:-1], ops.ramp(index[-1], 1, lanes)) if index else index

    def offset_of(self, indices: Any) -> list[Expr]:
        """Where an element is in memory: a list of one number, that of elements from `data` on. Raises ShapeError and
        DTypeError for wrong indices."""
        index = ops.load(self, tuple(indices) if isinstance(indices, list | tuple) else indices).indices  # type: ignore[attr-defined]
        offset: Expr = self.elem_offset
        step: Expr = IntImm(1, DType("int32"))
        steps = list(self.strides)
        for n in () if steps else reversed(self.shape):
            steps.insert(0, step)
            step = ops.mul(step, n)
        for i, step in zip(index, steps, strict=True):
            offset = ops.add(offset, ops.mul(i, step))
        return [offset]

    def access_ptr(
        self,
        access_mask: str | int = "rw",
        ptr_type: str = "handle",
        content_lanes: int = 1,
        offset: Any = 0,
        extent: Any = None,
    ) -> Expr:
        """The pointer to its first element, or to the one `offset` elements further. What code does with it
        (`access_mask`: "r", "w" or "rw", or the sum of READ and WRITE) and the type of the pointer do not matter here."""
        if access_mask not in ("r", "w", "rw", "wr", 1, 2, 3):
            raise ExternError(
                f"access_ptr of {self.name}: {access_mask!r} is no access",
                hint='access_ptr("r"), "w" or "rw"',
            )
        there = self
        if not ops.is_const(ops.convert(offset), 0):
            one = (IntImm(1, DType("int32")),)
            there = self.with_(shape=one, strides=one, elem_offset=ops.add(self.elem_offset, offset))
        zeros = tuple(ops.const(0, n.dtype) for n in there.shape)
        return Call("address_of", (BufferLoad(there, zeros, there.dtype),), HANDLE)

    def with_(self, **changes: Any) -> Buffer:
        """A copy with some fields changed."""
        fields = {f: getattr(self, f) for f in self.__slots__}
        return Buffer(**{**fields, **changes})

    def map_exprs(self, f: Callable[[Expr], Expr]) -> Buffer:
        """This buffer with `f` on its sizes, strides and offset; the same object when nothing changes."""
        old = (*self.shape, *self.strides, self.elem_offset)
        if all([e.__class__ is IntImm for e in old]):  # as most are, and this is asked in each pass
            return self
        new = tuple(e if isinstance(e, IntImm) else f(e) for e in old)
        if all(a is b for a, b in zip(old, new, strict=True)):
            return self
        rank = len(self.shape)
        return self.with_(shape=new[:rank], strides=new[rank:-1], elem_offset=new[-1])

    def __repr__(self) -> str:
        return f"Buffer({self.name}, {self.dtype}, {self.shape})"


class Producer(Symbolic, Elementwise):
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
    buffer_var, index = alias("buffer.data"), property(lambda self: self.indices[-1])  # of flat memory


@node
class ProducerLoad(Expr):
    """The element of a tensor at `indices`; lowering turns it into a BufferLoad."""

    producer: Any
    indices: tuple[Expr, ...]
    dtype: DType
    tensor = alias("producer")
