"""Accesses: loads and stores of elements, of neighbours and of scattered lanes, all of them or those of a mask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeGuard

from tewb.base import INT64, CodegenError, DType
from tewb.codegen.conversion import from_memory_type, to_memory_type
from tewb.codegen.function import Function
from tewb.codegen.single_lane import lane_of
from tewb.codegen.strided_loads import is_picked, picked_elements
from tewb.codegen.types import memory_type, value_type
from tewb.ir import (
    Broadcast,
    BufferLoad,
    BufferStore,
    Expr,
    Node,
    Ramp,
    Stmt,
    Var,
    const_int,
    everywhere,
    is_contiguous,
    ops,
)
from tewb.runtime.abi import BOUNDS

_GROUP = 16  # lanes of a long vector with a symbolic stride that are written out one by one


class Accesses:
    """Writes accesses into `f`. `values` holds the SSA name of every buffer's data, and `index` writes an index as an
    i64, or as a vector of them; `wide` one that may lie outside."""

    def __init__(
        self,
        f: Function,
        values: dict[Var, str],
        index: Callable[[Expr], str],
        wide: Callable[[Expr], str],
        debug: bool,
    ) -> None:
        self.f, self.values, self.index, self.wide, self.debug = f, values, index, wide, debug
        # The lanes that may be accessed: those of one side of a choice, or of a guard.
        self.mask: str | None = None
        self.own: dict[Var, int] = {}  # the elements of buffers on the stack
        self.is_there = everywhere(self._is_there)

    def add_stack_buffer(self, data: Var, count: int) -> None:
        """Record that a buffer of `count` elements is on the stack."""
        self.own[data] = count
        self.is_there = everywhere(self._is_there)

    # ---- addresses

    def element_address(self, e: Any, index: Expr) -> str:
        """The address of element `index` of a buffer."""
        at = self.index(index)
        base = self.values.get(e.buffer.data)
        if base is None:
            raise CodegenError(f"the buffer {e.buffer.name} has no memory here")
        return self.f.ins(f"getelementptr inbounds {memory_type(e.buffer.dtype)}, ptr {base}, i64 {at}")

    def element_addresses(self, e: Any, index: Expr) -> list[str]:
        """The addresses of the elements of a vector index."""
        if isinstance(index, Ramp):
            return self.ramp_addresses(e, index)
        wide = self.index(index)
        vector = value_type(INT64.with_lanes(index.dtype.lanes))
        base, element = self.values[e.buffer.data], memory_type(e.buffer.dtype)
        addresses = []
        for lane in range(index.dtype.lanes):
            at = self.f.ins(f"extractelement {vector} {wide}, i64 {lane}")
            addresses.append(self.f.ins(f"getelementptr inbounds {element}, ptr {base}, i64 {at}"))
        return addresses

    def ramp_addresses(self, e: Any, index: Ramp) -> list[str]:
        """The addresses of the elements of a ramp, relative to the first: long index expressions are emitted once."""
        f, element = self.f, memory_type(e.buffer.dtype)
        first = self.element_address(e, index.base)
        constant = const_int(index.stride)
        stride = "" if constant is not None else self.index(index.stride)
        addresses = [first]
        for lane in range(1, index.lanes):
            at = f.ins(f"mul nsw i64 {stride}, {lane}") if constant is None else str(constant * lane)
            addresses.append(f.ins(f"getelementptr inbounds {element}, ptr {first}, i64 {at}"))
        return addresses

    # ---- loads

    def load(self, e: BufferLoad) -> str:
        """The value of a load."""
        (index,) = e.indices
        if self.debug:
            self.check(e, index)
        if index.dtype.lanes == 1:
            return self._read(self.element_address(e, index), e.buffer.dtype.with_lanes(e.dtype.lanes))
        if is_contiguous(index):
            assert isinstance(index, Ramp)
            return self._read(self.element_address(e, index.base), e.dtype, self._is_inside(e, index))
        if isinstance(index, Broadcast):
            return self.f.splat(self._read(self.element_address(e, index.value), e.buffer.dtype), e.dtype)
        if is_long_walk(index) and index.lanes % _GROUP == 0:
            return self.gather(e, index)
        if self.mask is None and isinstance(index, Ramp) and is_picked(index, e.buffer.dtype):
            return self.pick(e, index)
        result = "poison"
        t, scalar = value_type(e.dtype), value_type(e.buffer.dtype)
        for lane, address in enumerate(self.element_addresses(e, index)):
            one = self._read(address, e.buffer.dtype)
            result = self.f.ins(f"insertelement {t} {result}, {scalar} {one}, i64 {lane}")
        return result

    def pick(self, e: BufferLoad, index: Ramp) -> str:
        """The elements of a ramp of a small stride, from vectors of neighbours."""
        first, element = self.element_address(e, index.base), memory_type(e.buffer.dtype)

        def neighbours(at: int, count: int) -> str:
            address = self.f.ins(f"getelementptr inbounds {element}, ptr {first}, i64 {at}")
            return self._read(address, e.buffer.dtype.with_lanes(count))

        return picked_elements(self.f, index, e.buffer.dtype, neighbours)

    def gather(self, e: BufferLoad, index: Ramp) -> str:
        """The elements of a long ramp, gathered on the stack by a loop over groups of lanes. Written by whole vectors,
        they are read by whole vectors without a store-forwarding stall."""
        f, element, scalar = self.f, memory_type(e.buffer.dtype), value_type(e.buffer.dtype)
        group = e.buffer.dtype.with_lanes(_GROUP)
        first, stride = self.element_address(e, index.base), self.index(index.stride)
        slot = f.stack(element, index.lanes)
        for number in f.each(index.lanes // _GROUP):
            lane = f.ins(f"mul nsw i64 {number}, {_GROUP}")
            at = f.ins(f"mul nsw i64 {stride}, {lane}")
            address = f.ins(f"getelementptr inbounds {element}, ptr {first}, i64 {at}")
            part = "poison"
            for k in range(_GROUP):
                part = f.ins(
                    f"insertelement {value_type(group)} {part}, {scalar} {self._read(address, e.buffer.dtype)}, i64 {k}"
                )
                address = f.ins(f"getelementptr inbounds {element}, ptr {address}, i64 {stride}")
            self.write(f.ins(f"getelementptr inbounds {element}, ptr {slot}, i64 {lane}"), part, group)
        return self._read(slot, e.dtype)

    def _read(self, address: str, d: DType, whole: bool = False) -> str:
        t = memory_type(d)
        if self.mask is None or whole or d.lanes == 1:
            x = self.f.ins(f"load {t}, ptr {address}, align {d.element.nbytes}")
        else:
            x = self._read_masked(address, d)
        return from_memory_type(self.f, x, d)

    def _read_masked(self, address: str, d: DType) -> str:
        """The lanes of the mask, zero elsewhere."""
        t, b1 = memory_type(d), f"<{d.lanes} x i1>"
        name = f"llvm.masked.load.v{d.lanes}{_bits_of(d)}.p0"
        self.f.module.declare(name, f"{t} @{name}(ptr, i32, {b1}, {t})")
        align = f"i32 {d.element.nbytes}"
        return self.f.ins(f"call {t} @{name}(ptr {address}, {align}, {b1} {self.mask}, {t} zeroinitializer)")

    # ---- stores

    def write(self, address: str, value: str, d: DType, nontemporal: int = 0) -> None:
        """Store a value of dtype `d`; past the caches if `nontemporal`, the alignment of the address in bytes."""
        t = memory_type(d)
        value = to_memory_type(self.f, value, d)
        hint = f", !nontemporal {self.f.module.nontemporal()}" if nontemporal else ""
        self.f.do(f"store {t} {value}, ptr {address}, align {max(d.element.nbytes, nontemporal)}{hint}")

    def write_row(self, s: BufferStore, index: Ramp, value: str) -> None:
        """Store a vector at neighbours; under a mask only those lanes. A buffer on the stack that is written
        as a whole, old values where lanes are masked, can still live in registers."""
        address, d, mask = self.element_address(s, index.base), s.value.dtype, self.mask
        if mask is None:
            self.write(address, value, d, s.nontemporal)
            return
        t, b1 = memory_type(d), f"<{d.lanes} x i1>"
        if self._is_inside(s, index):
            v = value_type(d)
            old = self._read(address, d, whole=True)
            self.write(address, self.f.ins(f"select {b1} {mask}, {v} {value}, {v} {old}"), d)
            return
        value = to_memory_type(self.f, value, d)
        name = f"llvm.masked.store.v{d.lanes}{_bits_of(d)}.p0"
        self.f.module.declare(name, f"void @{name}({t}, ptr, i32, {b1})")
        self.f.do(f"call void @{name}({t} {value}, ptr {address}, i32 {d.element.nbytes}, {b1} {mask})")

    def scatter(self, s: Any, index: Ramp, value: str, d: DType) -> None:
        """Store the lanes of `value` at the elements of a long ramp, from the stack by a loop."""
        f, element = self.f, memory_type(s.buffer.dtype)
        first, stride = self.element_address(s, index.base), self.index(index.stride)
        slot = f.stack(element, index.lanes)
        self.write(slot, value, d)
        for lane in f.each(index.lanes):
            at = f.ins(f"mul nsw i64 {stride}, {lane}")
            address = f.ins(f"getelementptr inbounds {element}, ptr {first}, i64 {at}")
            x = f.ins(
                f"load {element}, ptr " + f.ins(f"getelementptr inbounds {element}, ptr {slot}, i64 {lane}")
            )
            f.do(f"store {element} {x}, ptr {address}")

    # ---- masks and checks

    def may_miss(self, n: Expr | Stmt) -> bool:
        """Whether `n` loads a single element for a vector, which may only exist when some lane needs it."""
        return not self.is_there(n)

    def _is_there(self, n: Node) -> bool:
        """Whether the single element that a node loads, if it loads one, exists even where no lane needs it."""
        if not isinstance(n, BufferLoad) or n.dtype.lanes > 1:
            return True
        at = const_int(n.indices[0])
        return at is not None and 0 <= at < self.own.get(n.buffer.data, 0)

    def any_lane(self, mask: str, lanes: int) -> str:
        """Whether any lane of a mask is set."""
        return self._reduced("or", mask, lanes)

    def all_lanes(self, mask: str, lanes: int) -> str:
        """Whether all lanes of a mask are set."""
        return self._reduced("and", mask, lanes)

    def _reduced(self, op: str, mask: str, lanes: int) -> str:
        name = f"llvm.vector.reduce.{op}.v{lanes}i1"
        self.f.module.declare(name, f"i1 @{name}(<{lanes} x i1>)")
        return self.f.ins(f"call i1 @{name}(<{lanes} x i1> {mask})")

    def _is_inside(self, e: BufferLoad | BufferStore, index: Ramp) -> bool:
        """Whether all lanes are certainly elements of a buffer on the stack."""
        first, size = const_int(index.base), self.own.get(e.buffer.data, 0)
        return first is not None and first >= 0 and first + index.lanes <= size

    def check(self, e: Any, index: Expr) -> None:
        """In debug mode: fail unless the index is inside of the buffer."""
        size, low = e.buffer.shape[0], e.buffer.elem_offset
        ends = (
            [lane_of(index, 0), lane_of(index, index.dtype.lanes - 1)] if index.dtype.lanes > 1 else [index]
        )
        if index.dtype.lanes > 1 and not isinstance(index, Ramp | Broadcast):
            ends = [lane_of(index, lane) for lane in range(index.dtype.lanes)]
        bound = self.index(size)
        for end in ends:
            at = self.wide(end if const_int(low) == 0 else ops.sub(ops.cast(end, INT64), low))
            inside = self.f.ins(f"icmp ult i64 {at}, {bound}")
            self.f.require(inside, BOUNDS, f"an access to {e.buffer.name}", at, bound)


def is_long_walk(index: Expr) -> TypeGuard[Ramp]:
    """Whether a vector index is a ramp of symbolic stride with so many lanes that writing them out one by one
    would take long to compile."""
    return isinstance(index, Ramp) and index.lanes > _GROUP and const_int(index.stride) is None


def _bits_of(d: DType) -> str:
    """An element type as it is spelled in the names of LLVM's memory intrinsics."""
    return f"{'f' if d.kind == 'float' else 'i'}{max(d.bits, 8)}"
