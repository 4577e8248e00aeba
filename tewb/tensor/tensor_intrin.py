"""Tensor intrinsics: a small compute, and the code that a processor or a library has for it.

    x, y = te.placeholder((4,), name="x"), te.placeholder((4,), name="y")
    z = te.compute((4,), lambda i: x[i] + y[i], name="z")
    add4 = te.decl_tensor_intrin(z.op, lambda ins, outs: te.call_extern("int32", c_add4, *ins, *outs), name="add4")

`s[C].tensorize(loop, add4)` puts that code where the loops inside of `loop` compute the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tewb.arith import Analyzer
from tewb.arith.intset import eval_set, interval
from tewb.base import DTypeError, ExternError, ShapeError, brief, here, unique_name
from tewb.ir import Buffer, Expr, ProducerLoad, Stmt, Var, convert, free_vars, ops, script, walk
from tewb.tensor.compute import ComputeOp
from tewb.tensor.extern import statement_of
from tewb.tensor.extern_calls import decl_buffer
from tewb.tensor.placeholder import PlaceholderOp
from tewb.tensor.tensor import Tensor, TensorSlice
from tewb.tensor.wide_indices import with_wide_accesses

PARTS = ("body", "reset", "update")

# Those that were declared, by name: the journal of a schedule, and its code, name them.
INTRINSICS: dict[str, TensorIntrin] = {}


class TensorIntrin:
    """The compute `op` on small tensors, and a function that makes the statement for it on given buffers.

    `name` is its own among all that were declared. `declared` are the buffers of the inputs and outputs, and `bound`
    those of them that the user declared.
    """

    __slots__ = ("bound", "declared", "fcompute", "name", "op", "scalar_params")

    def __init__(
        self,
        name: str,
        op: ComputeOp,
        fcompute: Callable[..., Any],
        declared: tuple[Buffer, ...],
        bound: tuple[Buffer, ...],
        scalar_params: tuple[Expr, ...],
    ) -> None:
        self.name, self.op, self.fcompute = name, op, fcompute
        self.declared, self.bound, self.scalar_params = declared, bound, scalar_params

    @staticmethod
    def named(name: str) -> TensorIntrin:
        """The intrinsic that was declared by that name. Raises ExternError where there is none."""
        return intrinsic_of(name)

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        return self.op.inputs

    @property
    def buffers(self) -> tuple[Buffer, ...]:
        """The buffers that `fcompute` was given first: those of the inputs, and then of the outputs."""
        return self.declared

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The inputs, and then the outputs."""
        return (*self.op.inputs, *self.op.outputs)

    @property
    def reduce_init(self) -> Stmt | None:
        return self.statements(*self._halves(self.declared))["reset"]

    @property
    def reduce_update(self) -> Stmt | None:
        return self.statements(*self._halves(self.declared))["update"]

    @property
    def body(self) -> Stmt | None:
        return self.statements(*self._halves(self.declared))["body"]

    def _halves(self, buffers: Sequence[Buffer]) -> tuple[list[Buffer], list[Buffer]]:
        count = len(self.op.inputs)
        return list(buffers[:count]), list(buffers[count:])

    def statements(
        self, ins: list[Buffer], outs: list[Buffer], values: Sequence[Expr] = ()
    ) -> dict[str, Stmt | None]:
        """What the user's function makes of buffers, and of `values` for the scalar parameters: the statements called
        `body`, `reset` and `update`, as far as it has them. Raises ExternError."""
        scalars = (list(values or self.scalar_params),) if self.scalar_params else ()
        made = self.fcompute(ins, outs, *scalars)
        several = made if isinstance(made, tuple | list) else (made, None, None)
        if len(several) != len(PARTS) or several[0] is None:
            raise ExternError(
                f"tensor intrinsic {self.name}: the function returned {brief(repr(made))}, which is neither a body nor "
                "a body with its reset and update",
                hint="return body, or (body, reset, update); reset may be None",
                span=here(),
            )
        what = f"tensor intrinsic {self.name}"
        return {
            part: None if s is None else with_wide_accesses(statement_of(what, s))
            for part, s in zip(PARTS, several, strict=True)
        }

    def __call__(self, *args: Any, reduce_axis: Any = None, scalar_inputs: Any = None) -> Any:
        """The intrinsic on parts of tensors, for the function of a compute: `A` or `A[i]` or `A[i, 0:n]` for each input. Its
        reduction goes on over the axes `reduce_axis`. What is no part of a tensor, and `scalar_inputs`, are values of its
        scalar parameters."""
        from tewb.tensor.tensor_compute import IntrinsicCall  # it stands on this file

        scalars: list[Any] = []
        if self.scalar_params:
            scalars = [a for a in args if not isinstance(a, Tensor | TensorSlice | ProducerLoad)]
        parts = tuple([a for a in args if not any(a is x for x in scalars)])
        return IntrinsicCall(self, parts, (*scalars, *(scalar_inputs or ())), reduce_axis)

    def __repr__(self) -> str:
        return f"TensorIntrin({self.name})"


def decl_tensor_intrin(
    op: Any,
    fcompute: Callable[..., Any],
    name: str = "tensor_intrin",
    scalar_params: Any = None,
    binds: Mapping[Tensor, Buffer] | None = None,
    default_buffer_params: Mapping[str, Any] | None = None,
) -> TensorIntrin:
    """An intrinsic that computes `op`, a compute of placeholders, by the statement that `fcompute(ins, outs)` returns.

    `fcompute` may return (body, reset, update) instead: then reduce loops outside of the intrinsic begin with
    `reset` and go on with `update`; where reset is None, the first of them is `body`. It is called with declared buffers here, and again when a schedule is
    lowered with buffers that have the strides and the offset of where they stand. `binds` declares buffers: their
    variables take what is there; one without strides promises dense memory. `default_buffer_params` are
    arguments of `decl_buffer` for the others. `scalar_params` are expressions that are handed to `fcompute`
    as a third argument. A name that is taken gets a number. Raises ExternError.
    """
    compute = _checked_op(name, op)
    own = unique_name(name, INTRINSICS.__contains__)
    declared, bound = _declared(own, compute, dict(binds or {}), dict(default_buffer_params or {}))
    scalars = tuple(map(convert, scalar_params or ()))
    intrin = TensorIntrin(own, compute, fcompute, declared, bound, scalars)
    if not callable(fcompute):
        raise ExternError(
            f"tensor intrinsic {own}: {fcompute!r} is no function of the buffers",
            hint='lambda ins, outs: te.call_packed("f", ins[0], outs[0])',
            span=here(),
        )
    intrin.statements(*intrin._halves(declared))  # a mistake in fcompute shows here, on the user's line
    INTRINSICS[own] = intrin
    return intrin


def _checked_op(name: str, op: Any) -> ComputeOp:
    """The compute of an intrinsic: of placeholders, each of which it reads from end to end."""
    given = op.op if isinstance(op, Tensor) else op
    if not isinstance(given, ComputeOp):
        raise ExternError(
            f"tensor intrinsic {name}: {brief(repr(op))} is no compute",
            hint="te.decl_tensor_intrin(z.op, ...) with z = te.compute(...)",
            span=here(),
        )
    computed = next((t for t in given.inputs if not isinstance(t.op, PlaceholderOp)), None)
    if computed is not None:
        raise ExternError(
            f"tensor intrinsic {name}: {given.name} reads {computed.name}, which is computed, and an intrinsic is one "
            "compute of placeholders",
            hint="write it as one te.compute",
            span=here(),
        )
    if given.domains:
        raise ExternError(
            f"tensor intrinsic {name}: a reduction of {given.name} has a range that depends on other axes or on data",
            hint="give it a range of its own: te.reduce_axis((0, 4))",
            span=here(),
        )
    _check_footprints(name, given)
    return given


def _check_footprints(name: str, op: ComputeOp) -> None:
    """The code of an intrinsic may read its buffers from end to end, so its compute does: memory beside of what it
    reads need not be there."""
    analyzer = Analyzer()
    axes = {
        iv.var: interval(iv.dom.min, iv.dom.extent)
        for iv in (*op.axis, *op.reduce_axis)
        if iv.dom is not None
    }
    for v in dict.fromkeys(v for t in (*op.inputs, *op.outputs) for n in t.shape for v in free_vars(n)):
        analyzer.bind(v, 1, None)
    for t in op.inputs:
        reads = [
            n.indices for e in op.exprs() for n in walk(e) if isinstance(n, ProducerLoad) and n.producer is t
        ]
        for d, size in enumerate(t.shape):
            touched = [eval_set(index[d], axes) for index in reads]
            first = any(x is not None and analyzer.can_prove(ops.equal(x.lo, 0)) for x in touched)
            last = any(
                x is not None and analyzer.can_prove(ops.equal(ops.add(x.hi, 1), size)) for x in touched
            )
            if not (first and last):
                raise ExternError(
                    f"tensor intrinsic {name}: {op.name} does not read dimension {d} of {t.name} from 0 to "
                    f"{script(ops.sub(size, 1))}",
                    hint=f"declare {t.name} with the shape that is read",
                    span=here(),
                )


def _declared(
    name: str, op: ComputeOp, binds: dict[Tensor, Buffer], defaults: dict[str, Any]
) -> tuple[tuple[Buffer, ...], tuple[Buffer, ...]]:
    """A buffer for each tensor, and those among them that the user declared."""
    tensors = (*op.inputs, *op.outputs)
    known = ", ".join(t.name for t in tensors)
    for t, b in binds.items():
        if t not in tensors:
            raise ExternError(
                f"tensor intrinsic {name}: binds has a buffer for {brief(repr(t))}, which is neither read nor computed",
                hint=f"it has {known}",
                span=here(),
            )
        if not isinstance(b, Buffer):
            raise ExternError(
                f"tensor intrinsic {name}: binds has {brief(repr(b))} for {t.name}, which is no buffer",
                hint="te.decl_buffer(shape, dtype, ...)",
                span=here(),
            )
        if b.dtype is not t.dtype:
            raise DTypeError(
                f"tensor intrinsic {name}: buffer {b.name} holds {b.dtype}, and {t.name} is {t.dtype}",
                hint=f"te.decl_buffer({t.name}.shape, {t.name}.dtype, ...)",
                span=here(),
            )
        analyzer = Analyzer()
        if len(b.shape) != len(t.shape) or not all(
            isinstance(n, Var) or analyzer.can_prove(ops.equal(n, m))
            for n, m in zip(b.shape, t.shape, strict=True)
        ):
            raise ShapeError(
                f"tensor intrinsic {name}: buffer {b.name} has the shape ({_sizes(b.shape)}), and {t.name} "
                f"({_sizes(t.shape)})",
                hint=f"te.decl_buffer({t.name}.shape, {t.name}.dtype, ...)",
                span=here(),
            )
    return tuple([binds.get(t) or _default(name, t, defaults) for t in tensors]), tuple(binds.values())


def _default(name: str, t: Tensor, defaults: dict[str, Any]) -> Buffer:
    try:
        return decl_buffer(t.shape, t.dtype, t.name, **defaults)
    except TypeError as e:
        raise ExternError(
            f"tensor intrinsic {name}: decl_buffer does not take default_buffer_params={brief(repr(defaults))}",
            hint='{"offset_factor": 1, "data_alignment": 64}',
            span=here(),
        ) from e


def _sizes(shape: Sequence[Expr]) -> str:
    return ", ".join(script(n) for n in shape)


def intrinsic_of(what: object) -> TensorIntrin:
    """A tensor intrinsic, or the one of that name. Raises ExternError for what is none."""
    known = (
        what if isinstance(what, TensorIntrin) else INTRINSICS.get(what) if isinstance(what, str) else None
    )
    if known is None:
        names = ", ".join(INTRINSICS) or "none"
        raise ExternError(
            f"{brief(repr(what))} is no tensor intrinsic",
            hint=f"te.decl_tensor_intrin declares one; there are: {names}"
            if isinstance(what, str)
            else "te.decl_tensor_intrin declares one",
            span=here(),
        )
    return known
