"""Extern: outputs made by code of the user, a packed Python function or statements built by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tewb.base import HANDLE, INT32, DType, DTypeError, ExternError, here
from tewb.ir import (
    AxisKind,
    Buffer,
    Call,
    Evaluate,
    Expr,
    IterVar,
    Range,
    Stmt,
    StringImm,
    Var,
    const,
    const_int,
    convert,
    ops,
)
from tewb.tensor.access import Access, as_access
from tewb.tensor.placeholder import check_shape
from tewb.tensor.tensor import Operation, Tensor

Body = Callable[[list[Buffer], list[Buffer]], Stmt]

EFFECTS = ("pure", "idempotent", "stateful")


class ExternOp(Operation):
    """Outputs by `make_body(in_buffers, out_buffers)`, which builds the statement for one tile.

    `access` says what a tile reads. A tiled extern has one opaque axis for each output dimension, a
    whole one has none: it makes its outputs in one piece.
    """

    __slots__ = ("access", "axis", "effect", "in_buffers", "inputs", "make_body", "out_buffers")

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
    ) -> None:
        super().__init__(name, shapes, dtypes, tag)
        self.inputs, self.make_body, self.access, self.effect = inputs, make_body, access, effect
        self.in_buffers, self.out_buffers = in_buffers, out_buffers
        self.axis = (
            tuple(
                IterVar(Range(const(0, e.dtype), e), Var(f"d{i}", e.dtype), AxisKind.OPAQUE)
                for i, e in enumerate(shapes[0])
            )
            if access.tiled
            else ()
        )

    @property
    def tiled(self) -> bool:
        return self.access.tiled

    def with_inputs(self, swap: Mapping[Tensor, Tensor]) -> Operation:
        if not any(t in swap for t in self.inputs):
            return self
        inputs = tuple(swap.get(t, t) for t in self.inputs)
        shapes = [t.shape for t in self.outputs]
        dtypes = [t.dtype for t in self.outputs]
        made = ExternOp(
            self.name, inputs, shapes, dtypes, self.make_body, self.access, self.effect, self.in_buffers,
            self.out_buffers, self.tag,
        )  # fmt: skip
        made.axis, made.attrs, made.span = self.axis, self.attrs, self.span
        return made


def extern(
    shape: Any,
    inputs: Sequence[Tensor],
    fcompute: Callable[[list[Buffer], list[Buffer]], Any],
    name: str = "extern",
    dtype: Any = None,
    in_buffers: Any = None,
    out_buffers: Any = None,
    tag: str = "",
    attrs: Mapping[str, object] | None = None,
    access: Any = None,
    effect: str = "idempotent",
) -> Any:
    """Tensors of `shape` (one shape, or a list of shapes) that `fcompute(ins, outs)` makes.

    `fcompute` returns the statement for one tile: `te.call_packed(...)`, or IR built by hand. It is
    called with buffers for the whole tensors here, and again for each tile when the schedule is lowered.
    `access` declares which region of each input a region of the outputs needs; by default all of it.
    `effect` is pure, idempotent or stateful. Raises ExternError and DTypeError.
    """
    tensors = tuple(inputs)
    for t in tensors:
        if not isinstance(t, Tensor):
            raise ExternError(f"extern {name}: inputs are tensors, not {t!r}", span=here())
    if effect not in EFFECTS:
        raise ExternError(f"extern {name}: effect={effect!r} is not one of {', '.join(EFFECTS)}", span=here())
    several = isinstance(shape, tuple | list) and len(shape) > 0 and isinstance(shape[0], tuple | list)
    shapes = [check_shape(name, s) for s in (shape if several else [shape])]
    dtypes = _dtypes(name, dtype, tensors, len(shapes))
    footprint = as_access(access)
    if footprint.tiled and len({tuple(map(repr, s)) for s in shapes}) > 1:
        raise ExternError(
            f"extern {name}: {footprint!r} needs outputs of one shape",
            hint="use te.access.whole",
            span=here(),
        )
    ins = _declared(name, "in_buffers", in_buffers, [(t.shape, t.dtype, t.name) for t in tensors])
    outs = _declared(
        name, "out_buffers", out_buffers, [(s, d, name) for s, d in zip(shapes, dtypes, strict=True)]
    )

    def make_body(ins: list[Buffer], outs: list[Buffer]) -> Stmt:
        return _statement(name, fcompute(ins, outs))

    op = ExternOp(name, tensors, shapes, dtypes, make_body, footprint, effect, ins, outs, tag)
    op.attrs.update(attrs or {})
    make_body(*whole_buffers(op))  # a mistake in fcompute shows here, on the user's line
    if footprint.tiled:
        footprint.regions(tuple(Range(const(0, e.dtype), e) for e in shapes[0]), [t.shape for t in tensors])
    return op.outputs if several else op.output(0)


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


def call_extern(dtype: str, name: str, *args: Any) -> Expr:
    """A call of the C function `name` that returns `dtype`. A buffer is passed as the pointer to its data."""
    values = [a.data if isinstance(a, Buffer) else convert(a) for a in args]
    return Call("call_extern", (StringImm(name), *values), DType(dtype))


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
    """A buffer declared by hand. `strides` and `elem_offset` are in elements, `data_alignment` in bytes."""
    extents = check_shape(name, shape)
    steps = tuple(convert(s) for s in strides) if strides is not None else ()
    if steps and len(steps) != len(extents):
        raise ExternError(
            f"decl_buffer {name}: {len(steps)} strides for {len(extents)} dimensions", span=here()
        )
    offset = None if elem_offset is None else convert(elem_offset)
    return Buffer(name, DType(dtype), extents, steps, offset, scope, data, data_alignment, offset_factor)


def is_whole(region: Sequence[Range], shape: Sequence[Expr]) -> bool:
    """Whether a region is certainly all of a tensor."""
    return all(
        const_int(r.min) == 0
        and (r.extent is s or (const_int(s) is not None and const_int(r.extent) == const_int(s)))
        for r, s in zip(region, shape, strict=True)
    )
