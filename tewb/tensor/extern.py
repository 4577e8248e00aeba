"""Extern: outputs that code of the user computes, a packed Python function or statements built by hand."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tewb.base import DType, DTypeError, ExternError, here
from tewb.ir import (
    AxisKind,
    Buffer,
    BufferStore,
    Evaluate,
    Expr,
    IterVar,
    Range,
    Stmt,
    Var,
    const,
    const_int,
    structural_equal,
    walk_statements,
)
from tewb.tensor.extern_access import ExternAccess, Region, as_access, checked_access
from tewb.tensor.placeholder import check_shape
from tewb.tensor.tensor import Operation, Tensor
from tewb.tensor.wide_indices import with_wide_accesses

Body = Callable[[list[Buffer], list[Buffer], "Tile"], Stmt]

EFFECTS = ("pure", "idempotent", "stateful")
TAILS = ("clip", "pad", "shift")


@dataclass(frozen=True, slots=True)
class TilePart:
    """The part of a tensor that a buffer stands for: its first element, and its size in the tensor (with
    `tail="pad"` the buffer may be larger)."""

    origin: tuple[Expr, ...]
    extents: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Tile:
    """The parts of the tensors that one call of an extern reads and writes, in elements. `origin` and `extents` are those of
    the first output."""

    inputs: tuple[TilePart, ...]
    outputs: tuple[TilePart, ...]

    @property
    def origin(self) -> tuple[Expr, ...]:
        return self.outputs[0].origin

    @property
    def extents(self) -> tuple[Expr, ...]:
        return self.outputs[0].extents


class ExternOp(Operation):
    """Outputs by `make_body(in_buffers, out_buffers, tile)`, which builds the statement for one tile.

    `access` says what a tile reads. A tiled extern has one opaque axis for each output dimension that may
    be cut, a whole one has none: it computes its outputs in one piece. `tail` says what becomes of tiles that
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
        access: ExternAccess,
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
        op = ExternOp(
            self.name, inputs, shapes, dtypes, self.make_body, self.access, self.effect, self.in_buffers,
            self.out_buffers, self.tag, self.tail, self.compact, self.uses_tile,
        )  # fmt: skip
        op.axis, op.attrs, op.span = self.axis, self.attrs, self.span
        return op


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
    (some elements are computed twice), "pad" gives it full size, with zeros beyond the edges of inputs, and
    discards results beyond the edge. `compact` copies strided tiles, so that the code sees dense memory.

    Several outputs that are tiled agree in the dimensions that are cut. Without `dtype` the outputs have
    that of the inputs, which must be one. Raises ExternError and DTypeError.
    """
    tensors = tuple(inputs)
    for t in tensors:
        if not isinstance(t, Tensor):
            raise ExternError(
                f"extern {name}: inputs are tensors, not {t!r}",
                hint="te.extern(shape, [A, B], lambda ins, outs: ...)",
                span=here(),
            )
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
            raise ExternError(
                f"extern {name}: buffer {b.name} is declared for two tensors",
                hint="declare a buffer of its own for each",
                span=here(),
            )
    if not callable(fcompute):
        raise ExternError(
            f"extern {name}: {fcompute!r} is no function of the buffers",
            hint='lambda ins, outs: te.call_packed("f", ins[0], outs[0])',
            span=here(),
        )
    uses_tile = _takes_three(fcompute)

    def make_body(ins: list[Buffer], outs: list[Buffer], tile: Tile) -> Stmt:
        result = fcompute(ins, outs, tile) if uses_tile else fcompute(ins, outs)
        return with_wide_accesses(statement_of(f"extern {name}", result))

    if footprint.tiled:
        footprint = checked_access(
            name, footprint, shapes[0], [t.shape for t in tensors], [t.name for t in tensors]
        )
    op = ExternOp(
        name, tensors, shapes, dtypes, make_body, footprint, effect, ins, outs, tag, tail, compact, uses_tile
    )
    op.attrs.update(attrs or {})
    make_body(*whole_buffers(op), whole_tile(op))  # a mistake in fcompute shows here, on the user's line
    return list(op.outputs) if len(op.outputs) > 1 else op.output(0)


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


def _cut_together(name: str, access: ExternAccess, shapes: list[tuple[Expr, ...]]) -> ExternAccess:
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

    def part(t: Tensor) -> TilePart:
        return TilePart(tuple(const(0, n.dtype) for n in t.shape), t.shape)

    return Tile(tuple(map(part, op.inputs)), tuple(map(part, op.outputs)))


def whole_buffers(op: ExternOp) -> tuple[list[Buffer], list[Buffer]]:
    """Buffers for the whole inputs and outputs: those that were declared, or compact ones."""
    ins = list(op.in_buffers or (Buffer(t.name, t.dtype, t.shape) for t in op.inputs))
    outs = list(op.out_buffers or (Buffer(t.name, t.dtype, t.shape) for t in op.outputs))
    return ins, outs


def stores_into_inputs(op: ExternOp) -> bool:
    """Whether the statement of an extern stores into its inputs, so that there is a result without its outputs."""
    ins, outs = whole_buffers(op)
    memories = {b.data for b in ins}
    body = op.make_body(ins, outs, whole_tile(op))
    return any(isinstance(n, BufferStore) and n.buffer.data in memories for n in walk_statements(body))


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
        raise DTypeError(
            f"extern {name}: {len(given)} dtypes for {count} outputs",
            hint="give one dtype for all outputs, or a list with one for each",
            span=here(),
        )
    return [DType(d) for d in given]


def _declared(
    name: str, what: str, given: Any, expected: list[tuple[tuple[Expr, ...], DType, str]]
) -> tuple[Buffer, ...] | None:
    if given is None:
        return None
    buffers = tuple(given) if isinstance(given, tuple | list) else (given,)
    if len(buffers) != len(expected):
        raise ExternError(
            f"extern {name}: {len(buffers)} {what} for {len(expected)} tensors",
            hint="one buffer for each tensor, in their order",
            span=here(),
        )
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


def statement_of(what: str, result: Any) -> Stmt:
    """What the function of an extern or an intrinsic (`what`) returned, as a statement. Raises ExternError."""
    if isinstance(result, Stmt):
        return result
    if isinstance(result, Expr):
        return Evaluate(result)
    if result is not None and hasattr(result, "get"):  # an ir_builder
        built = result.get()
        if isinstance(built, Stmt):
            return built
    raise ExternError(
        f"{what}: the function returned {result!r}, not a statement",
        hint='return te.call_packed("name", ins[0], outs[0])',
        span=here(),
    )


def is_whole(region: Sequence[Range], shape: Sequence[Expr]) -> bool:
    """Whether a region is certainly all of a tensor."""
    return all(
        const_int(r.min) == 0
        and (r.extent is s or (const_int(s) is not None and const_int(r.extent) == const_int(s)))
        for r, s in zip(region, shape, strict=True)
    )
