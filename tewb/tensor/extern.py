"""Extern: outputs made by code of the user, a packed Python function or statements built by hand."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tewb.base import HANDLE, INT32, CType, DType, DTypeError, ExternError, here, native, register_native
from tewb.ir import (
    AxisKind,
    Buffer,
    BufferLoad,
    Call,
    Evaluate,
    Expr,
    ExternRegion,
    IterVar,
    Range,
    Stmt,
    StringImm,
    Var,
    const,
    const_int,
    convert,
    ops,
    script,
    structural_equal,
)
from tewb.tensor.access import Access, Region, as_access, checked_access
from tewb.tensor.placeholder import check_shape
from tewb.tensor.tensor import Operation, Tensor

Body = Callable[[list[Buffer], list[Buffer], "Tile"], Stmt]

EFFECTS = ("pure", "idempotent", "stateful")
TAILS = ("clip", "pad", "shift")


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a tensor that a buffer stands for: where it begins, and how much of it is real (with
    `tail="pad"` a buffer may be larger)."""

    origin: tuple[Expr, ...]
    extents: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Tile:
    """What one call of an extern is about, in elements of the tensors. `origin` and `extents` are those of
    the first output."""

    inputs: tuple[Part, ...]
    outputs: tuple[Part, ...]

    @property
    def origin(self) -> tuple[Expr, ...]:
        return self.outputs[0].origin

    @property
    def extents(self) -> tuple[Expr, ...]:
        return self.outputs[0].extents


class ExternOp(Operation):
    """Outputs by `make_body(in_buffers, out_buffers, tile)`, which builds the statement for one tile.

    `access` says what a tile reads. A tiled extern has one opaque axis for each output dimension that may
    be cut, a whole one has none: it makes its outputs in one piece. `tail` says what becomes of tiles that
    pass an edge, `compact` whether tiles are copied to memory of their own.
    """

    __slots__ = ("access", "axis", "compact", "effect", "in_buffers", "inputs", "make_body", "out_buffers", "tail",
                 "uses_tile")  # fmt: skip

    def __init__(
        self,
        name: str,
        inputs: tuple[Tensor, ...],
        shapes: list[tuple[Expr, ...]],
        dtypes: list[DType],
        make_body: Body,
        access: Access,
        effect: str,
        in_buffers: tuple[Buffer, ...] | None,
        out_buffers: tuple[Buffer, ...] | None,
        tag: str = "",
        tail: str = "clip",
        compact: bool = False,
        uses_tile: bool = False,
    ) -> None:
        super().__init__(name, shapes, dtypes, tag)
        self.inputs, self.make_body, self.access, self.effect = inputs, make_body, access, effect
        self.in_buffers, self.out_buffers = in_buffers, out_buffers
        self.tail, self.compact, self.uses_tile = tail, compact, uses_tile
        self.axis = (
            tuple(
                IterVar(Range(const(0, e.dtype), e), Var(f"d{i}", e.dtype), AxisKind.OPAQUE)
                for i, e in enumerate(shapes[0][: access.axes])
            )
            if access.tiled
            else ()
        )

    @property
    def tiled(self) -> bool:
        return self.access.tiled

    def out_regions(self, ranges: Sequence[Range]) -> list[Region]:
        """The region of each output for a range of each axis; dimensions without an axis are whole."""
        k = len(ranges)
        return [(*ranges, *whole_region(t.shape[k:])) for t in self.outputs]

    def in_regions(self, ranges: Sequence[Range]) -> list[Region]:
        """The region of each input that a range of each axis needs, not yet clamped to the input."""
        return self.access.regions(self.out_regions(ranges)[0], [t.shape for t in self.inputs])

    def with_inputs(self, swap: Mapping[Tensor, Tensor]) -> Operation:
        if not any(t in swap for t in self.inputs):
            return self
        inputs = tuple(swap.get(t, t) for t in self.inputs)
        shapes = [t.shape for t in self.outputs]
        dtypes = [t.dtype for t in self.outputs]
        made = ExternOp(
            self.name, inputs, shapes, dtypes, self.make_body, self.access, self.effect, self.in_buffers,
            self.out_buffers, self.tag, self.tail, self.compact, self.uses_tile,
        )  # fmt: skip
        made.axis, made.attrs, made.span = self.axis, self.attrs, self.span
        return made


def whole_region(shape: Sequence[Expr]) -> Region:
    """All of a tensor."""
    return tuple(Range(const(0, n.dtype), n) for n in shape)


def extern(
    shape: Any,
    inputs: Sequence[Tensor],
    fcompute: Callable[..., Any],
    name: str = "extern",
    dtype: Any = None,
    in_buffers: Any = None,
    out_buffers: Any = None,
    tag: str = "",
    attrs: Mapping[str, object] | None = None,
    access: Any = None,
    effect: str = "idempotent",
    tail: str = "clip",
    compact: bool = False,
) -> Any:
    """Tensors of `shape` (one shape, or a list of shapes) that `fcompute(ins, outs)` makes.

    `fcompute` returns the statement for one tile: `te.call_packed(...)`, or IR built by hand. It is
    called with buffers for the whole tensors here, and again for each tile when the schedule is lowered;
    a third parameter receives the `Tile`: its origin and extents in the tensors.

    `access` declares which region of each input a region of the outputs needs: `te.access.elementwise`,
    `stencil(halo)`, `rows`, `whole` (the default), or a function that takes one (min, extent) for each
    output dimension and returns for each input a list of (min, extent).
    `effect` is pure, idempotent or stateful: a stateful extern is never called twice for one element.
    `tail` is what becomes of a tile that passes an edge: "clip" makes it smaller, "shift" moves it inside
    (elements are made twice), "pad" gives it full size, with zeros for what is not there and results
    beyond the edge thrown away. `compact` copies strided tiles, so that the code sees dense memory.

    Several outputs that are tiled agree in the dimensions that are cut. Without `dtype` the outputs have
    that of the inputs, which must be one. Raises ExternError and DTypeError.
    """
    tensors = tuple(inputs)
    for t in tensors:
        if not isinstance(t, Tensor):
            raise ExternError(f"extern {name}: inputs are tensors, not {t!r}", span=here())
    _check_choice(name, "effect", effect, EFFECTS)
    _check_choice(name, "tail", tail, TAILS)
    if tail == "shift" and effect == "stateful":
        raise ExternError(
            f'extern {name}: tail="shift" makes elements twice, and a stateful extern must not',
            hint='tail="clip"',
            span=here(),
        )
    several = isinstance(shape, tuple | list) and len(shape) > 0 and isinstance(shape[0], tuple | list)
    shapes = [check_shape(name, s) for s in (shape if several else [shape])]
    dtypes = _dtypes(name, dtype, tensors, len(shapes))
    footprint = _cut_together(name, as_access(access), shapes)
    ins = _declared(name, "in_buffers", in_buffers, [(t.shape, t.dtype, t.name) for t in tensors])
    outs = _declared(
        name, "out_buffers", out_buffers, [(s, d, name) for s, d in zip(shapes, dtypes, strict=True)]
    )
    declared = (*(ins or ()), *(outs or ()))
    for i, b in enumerate(declared):
        if any(b is other for other in declared[:i]):
            raise ExternError(f"extern {name}: buffer {b.name} is declared for two tensors", span=here())
    uses_tile = _takes_three(fcompute)

    def make_body(ins: list[Buffer], outs: list[Buffer], tile: Tile) -> Stmt:
        return _statement(name, fcompute(ins, outs, tile) if uses_tile else fcompute(ins, outs))

    if footprint.tiled:
        footprint = checked_access(
            name, footprint, shapes[0], [t.shape for t in tensors], [t.name for t in tensors]
        )
    op = ExternOp(
        name, tensors, shapes, dtypes, make_body, footprint, effect, ins, outs, tag, tail, compact, uses_tile
    )
    op.attrs.update(attrs or {})
    make_body(*whole_buffers(op), whole_tile(op))  # a mistake in fcompute shows here, on the user's line
    return op.outputs if several else op.output(0)


def _check_choice(name: str, what: str, given: str, known: Sequence[str]) -> None:
    if given not in known:
        raise ExternError(f"extern {name}: {what}={given!r} is not one of {', '.join(known)}", span=here())


def _takes_three(fcompute: Callable[..., Any]) -> bool:
    """Whether `fcompute` has a third parameter without default, for the tile."""
    try:
        parameters = inspect.signature(fcompute).parameters.values()
    except (TypeError, ValueError):
        return False
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in positional and p.default is p.empty for p in parameters) == 3


def _cut_together(name: str, access: Access, shapes: list[tuple[Expr, ...]]) -> Access:
    """`access` with as many axes as all outputs share; ready-made ones that cut all dimensions need one shape."""
    if not access.tiled:
        return access
    wanted = len(shapes[0]) if access.axes is None else access.axes
    shared = 0
    while shared < wanted and all(
        shared < len(s) and structural_equal(s[shared], shapes[0][shared]) for s in shapes
    ):
        shared += 1
    if shared == wanted and (access.axes is not None or all(len(s) == wanted for s in shapes)):
        return access
    if access.ready_made or not shared:
        need = "one shape" if access.axes is None else f"the same first {wanted} dimensions"
        raise ExternError(
            f"extern {name}: {access!r} needs outputs of {need}", hint="use te.access.whole", span=here()
        )
    return dataclasses.replace(access, axes=shared)


def whole_tile(op: ExternOp) -> Tile:
    """The tile that is all of the tensors."""

    def part(t: Tensor) -> Part:
        return Part(tuple(const(0, n.dtype) for n in t.shape), t.shape)

    return Tile(tuple(map(part, op.inputs)), tuple(map(part, op.outputs)))


def whole_buffers(op: ExternOp) -> tuple[list[Buffer], list[Buffer]]:
    """Buffers for the whole inputs and outputs: those that were declared, or compact ones."""
    ins = list(op.in_buffers or (Buffer(t.name, t.dtype, t.shape) for t in op.inputs))
    outs = list(op.out_buffers or (Buffer(t.name, t.dtype, t.shape) for t in op.outputs))
    return ins, outs


def _dtypes(name: str, dtype: Any, inputs: tuple[Tensor, ...], count: int) -> list[DType]:
    if dtype is None:
        kinds = {t.dtype for t in inputs}
        if len(kinds) != 1:
            listed = ", ".join(f"{t.name}: {t.dtype}" for t in inputs) or "no inputs"
            raise DTypeError(
                f"extern {name}: the output's dtype does not follow from {listed}",
                hint="give dtype=",
                span=here(),
            )
        return [kinds.pop()] * count
    given = [dtype] * count if isinstance(dtype, str) else list(dtype)
    if len(given) != count:
        raise DTypeError(f"extern {name}: {len(given)} dtypes for {count} outputs", span=here())
    return [DType(d) for d in given]


def _declared(
    name: str, what: str, given: Any, expected: list[tuple[tuple[Expr, ...], DType, str]]
) -> tuple[Buffer, ...] | None:
    if given is None:
        return None
    buffers = tuple(given) if isinstance(given, tuple | list) else (given,)
    if len(buffers) != len(expected):
        raise ExternError(f"extern {name}: {len(buffers)} {what} for {len(expected)} tensors", span=here())
    for b, (shape, dtype, tensor) in zip(buffers, expected, strict=True):
        if not isinstance(b, Buffer):
            raise ExternError(
                f"extern {name}: {what} for {tensor} is {b!r}, which is no buffer",
                hint="te.decl_buffer(shape, ...)",
                span=here(),
            )
        if b.dtype is not dtype or len(b.shape) != len(shape):
            raise ExternError(
                f"extern {name}: {what} {b.name} is {b.dtype} of {len(b.shape)} dimensions, and {tensor} is "
                f"{dtype} of {len(shape)}",
                span=here(),
            )
    return buffers


def _statement(name: str, made: Any) -> Stmt:
    if isinstance(made, Stmt):
        return made
    if isinstance(made, Expr):
        return Evaluate(made)
    if made is not None and hasattr(made, "get"):  # an ir_builder
        built = made.get()
        if isinstance(built, Stmt):
            return built
    raise ExternError(
        f"extern {name}: the function returned {made!r}, not a statement",
        hint='return te.call_packed("name", ins[0], outs[0])',
        span=here(),
    )


def call_packed(name: str, *args: Any) -> Expr:
    """A call of the packed function `name`. Buffers arrive as numpy views, scalars as numbers."""
    if not isinstance(name, str):
        raise ExternError(
            f"call_packed takes the name of a registered function first, not {name!r}", span=here()
        )
    return Call("tvm_call_packed", (StringImm(name), *[_argument(a) for a in args]), INT32)


def call_extern(dtype: str, function: Any, *args: Any) -> Expr:
    """A call of a C function that returns `dtype` ("void" for nothing).

    `function` is the name of a C symbol of this process, a ctypes function, a numba cfunc, or a capsule
    with its signature as name, such as those of scipy.linalg.cython_blas. A buffer is passed as the
    pointer to its first element, a string as a C string. Where the C types are known, numbers and
    dtypes are checked, and a number is passed by reference where C wants a pointer. Raises ExternError.
    """
    known = native(function) if isinstance(function, str) else register_native(function)
    name = known.symbol if known else str(function)
    result = DType(dtype)
    if known is None or known.parameters is None:
        return Call("call_extern", (StringImm(name), *[_c_value(a) for a in args]), result)
    if len(args) != len(known.parameters):
        raise ExternError(
            f"{name} takes {len(known.parameters)} arguments, not {len(args)}",
            hint=f"its C types are ({', '.join(map(str, known.parameters))})",
            span=here(),
        )
    if known.result is not None and known.result is not result:
        raise ExternError(f"{name} returns {known.result}, not {result}", span=here())
    values = [_c_argument(name, i, a, c) for i, (a, c) in enumerate(zip(args, known.parameters, strict=True))]
    return Call("call_extern", (StringImm(name), *values), result)


def _c_value(a: Any) -> Expr:
    if isinstance(a, Buffer):
        return address_of(a)
    return convert(a)


def _c_argument(name: str, position: int, a: Any, c: CType) -> Expr:
    """`a` as the C type `c`: a buffer or a string where a pointer is wanted, a number by reference there."""
    what = f"argument {position + 1} of {name}"
    if isinstance(a, Buffer):
        if not c.pointer or (c.dtype is not None and c.dtype is not a.dtype):
            raise ExternError(f"{what} is {c}, and {a.name} is a buffer of {a.dtype}", span=here())
        return address_of(a)
    value = convert(a)
    if isinstance(value, StringImm):
        if not c.pointer or c.dtype not in (None, "int8"):
            raise ExternError(f"{what} is {c}, not a string", span=here())
        return value
    if value.dtype is HANDLE:
        if not c.pointer:
            raise ExternError(f"{what} is {c}, not a pointer", span=here())
        return value
    if c.dtype is None:
        raise ExternError(f"{what} is a pointer, not the number {a!r}", span=here())
    if value.dtype.is_float and not c.dtype.is_float:
        raise ExternError(f"{what} is {c}, and {a!r} is {value.dtype}", span=here())
    value = ops.cast(value, c.dtype)
    return Call("by_reference", (value,), HANDLE) if c.pointer else value


def address_of(b: Buffer) -> Expr:
    """The pointer to the first element of a buffer."""
    zeros = tuple(const(0, n.dtype) for n in b.shape)
    return Call("address_of", (BufferLoad(b, zeros, b.dtype),), HANDLE)


def _argument(a: Any) -> Expr:
    return stack_array(a) if isinstance(a, Buffer) else convert(a)


def stack_array(b: Buffer) -> Expr:
    """A buffer as the argument of a packed call: data, shape, strides (0 when compact), ndim, a zero that
    carries the dtype, and the element offset."""

    def dims(values: Sequence[Expr]) -> Expr:
        return Call("tvm_stack_make_shape", tuple(ops.cast(v, "int64") for v in values), HANDLE)

    strides = dims(b.strides) if b.strides else const(0)
    parts = (b.data, dims(b.shape), strides, const(len(b.shape)), const(0, b.dtype), b.elem_offset)
    return Call("tvm_stack_make_array", parts, HANDLE)


def decl_buffer(
    shape: Any,
    dtype: str = "float32",
    name: str = "buffer",
    data: Var | None = None,
    strides: Any = None,
    elem_offset: Any = None,
    scope: str = "global",
    data_alignment: int = 0,
    offset_factor: int = 0,
) -> Buffer:
    """A buffer declared by hand, for `binds` and for the in_buffers and out_buffers of an extern.

    `strides` and `elem_offset` are in elements; a te.var among them takes its value from the array.
    `offset_factor` promises that the elem_offset is a multiple of it. `data_alignment` is in bytes, a power
    of two: the address of an argument is checked at each call. Raises ExternError.
    """
    extents = check_shape(name, shape)
    steps = tuple(convert(s) for s in strides) if strides is not None else ()
    if steps and len(steps) != len(extents):
        raise ExternError(
            f"decl_buffer {name}: {len(steps)} strides for {len(extents)} dimensions", span=here()
        )
    for e in steps:
        if not e.dtype.is_int:
            raise ExternError(f"decl_buffer {name}: the stride {e!r} is no integer", span=here())
    offset = None if elem_offset is None else convert(elem_offset)
    if offset is not None and not offset.dtype.is_int:
        raise ExternError(f"decl_buffer {name}: the elem_offset {offset!r} is no integer", span=here())
    if data_alignment < 0 or data_alignment & (data_alignment - 1):
        raise ExternError(
            f"decl_buffer {name}: data_alignment={data_alignment} is no power of two", span=here()
        )
    first = 0 if offset is None else const_int(offset)
    if offset_factor and first is not None and first % offset_factor:
        raise ExternError(
            f"decl_buffer {name}: elem_offset={first} is no multiple of offset_factor={offset_factor}",
            span=here(),
        )
    return Buffer(name, DType(dtype), extents, steps, offset, scope, data, data_alignment, offset_factor)


def is_whole(region: Sequence[Range], shape: Sequence[Expr]) -> bool:
    """Whether a region is certainly all of a tensor."""
    return all(
        const_int(r.min) == 0
        and (r.extent is s or (const_int(s) is not None and const_int(r.extent) == const_int(s)))
        for r, s in zip(region, shape, strict=True)
    )


def extern_region(
    name: str, reads: Sequence[Buffer], writes: Sequence[Buffer], effect: str = "idempotent"
) -> ExternRegion:
    """What an `extern_scope` says of the statement in it: the parts of buffers that it reads and writes, and
    whether it may be repeated."""
    return ExternRegion(name, tuple(map(_box_text, reads)), tuple(map(_box_text, writes)), effect)


def _box_text(b: Buffer) -> str:
    """A buffer's part as `A[3, 4, 8]`, or with its place, `A.tile[1, 4, 8] at i * 32`."""
    sizes = ", ".join(script(n) for n in b.shape)
    at = "" if const_int(b.elem_offset) == 0 else f" at {script(b.elem_offset)}"
    return f"{b.name}[{sizes}]{at}"
