"""Arguments as buffers: the layouts that `binds` declares, checked against the tensors they are for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tewb.base import LowerError, here
from tewb.ir import Buffer, Expr, Var, const, is_same_expression, ops, script, substitute
from tewb.schedule import Schedule
from tewb.tensor import ExternOp, Tensor


def bound_arguments(args: Sequence[Any], binds: Any) -> list[Any]:
    """`args` with the tensor in place of a buffer that `binds` gives it: classic TE takes either among the arguments."""
    owners = {id(b): t for t, b in binds.items()} if isinstance(binds, Mapping) else {}
    return [owners.get(id(a), a) if isinstance(a, Buffer) else a for a in args]


def check_binds(args: Sequence[Any], binds: Any) -> None:
    """Raise LowerError unless `binds` gives arguments of the kernel a buffer each, of their rank and dtype."""
    if not isinstance(binds, Mapping):
        raise LowerError(
            f"binds is a dict of tensors and buffers, not {binds!r}", hint="binds={A: A_buffer}", span=here()
        )
    owners: dict[Var, tuple[Tensor, Buffer]] = {}
    for t, b in binds.items():
        _check_pair(args, t, b)
        other, buffer = owners.setdefault(b.data, (t, b))
        if other is not t:
            raise LowerError(
                f"binds gives {other.name} and {t.name} one memory, that of buffer {buffer.name}",
                hint="declare a buffer for each; they may share te.vars for strides",
                span=here(),
            )


def _check_pair(args: Sequence[Any], t: Any, b: Any) -> None:
    given = getattr(b, "name", b)
    if not isinstance(t, Tensor):
        raise LowerError(
            f"binds gives buffer {given} to {t!r}, which is no tensor",
            hint="binds={A: A_buffer}",
            span=here(),
        )
    if not isinstance(b, Buffer):
        raise LowerError(
            f"binds gives {t.name} {b!r}, which is no buffer", hint="te.decl_buffer(shape, ...)", span=here()
        )
    if not any(t is a for a in args):
        raise LowerError(
            f"binds gives buffer {b.name} to {t.name}, which is no argument of the kernel",
            hint=f"only arguments have a layout of the caller: lower(s, [..., {t.name}])",
            span=here(),
        )
    if len(b.shape) != len(t.shape):
        raise LowerError(
            f"binds: buffer {b.name} has {len(b.shape)} dimensions, and {t.name} has {len(t.shape)}",
            hint=f"tewb.tir.decl_buffer({t.name}.shape, {t.name}.dtype)",
            span=here(),
        )
    if b.dtype is not t.dtype:
        raise LowerError(
            f"binds: buffer {b.name} is {b.dtype}, and {t.name} is {t.dtype}",
            hint=f"tewb.tir.decl_buffer({t.name}.shape, {t.name}.dtype)",
            span=here(),
        )


def argument_buffer(t: Tensor, declared: Buffer | None, sizes: set[Var]) -> tuple[Buffer, dict[Var, Expr]]:
    """The buffer of argument `t`, and the values of the variables that only its declaration uses.

    It has the tensor's shape. A size that is declared as a variable of its own becomes the tensor's size, so
    that strides such as `m` of a buffer (n, m) have a value. `sizes` are the variables of all arguments.
    """
    if declared is None:
        return Buffer(t.name, t.dtype, t.shape), {}
    if len(declared.shape) != len(t.shape):
        raise LowerError(
            f"binds: buffer {declared.name} has {len(declared.shape)} dimensions, and {t.name} is laid out in {len(t.shape)}",
            hint="declare it with the shape that transform_layout gives",
            span=here(),
        )
    values: dict[Var, Expr] = {}
    for d, (given, wanted) in enumerate(zip(declared.shape, t.shape, strict=True)):
        if is_same_expression(given, wanted):
            continue
        if not isinstance(given, Var) or given in sizes:
            raise LowerError(
                f"binds: dimension {d} of buffer {declared.name} is {script(given)}, and that of {t.name} is "
                f"{script(wanted)}",
                span=here(),
            )
        values[given] = wanted
    strides = tuple(substitute(e, values) for e in declared.strides)
    return declared.with_(shape=t.shape, strides=strides), values


def read_at_0_where_size_is_1(b: Buffer) -> Buffer:
    """An argument that broadcasts, as it is read: its memory, with a stride of 0 where the size is 1."""
    strides = [
        ops.select(ops.equal(n, 1), const(0, s.dtype), s) for n, s in zip(b.shape, b.strides, strict=True)
    ]
    return b.with_(name=f"{b.name}.repeated", strides=tuple(strides))


def wanted_alignments(schedule: Schedule) -> dict[Tensor, int]:
    """The alignment in bytes that externs declare for the memory of tensors, with in_buffers and out_buffers."""
    wanted: dict[Tensor, int] = {}
    for stage in schedule.stages:
        op = stage.op
        if isinstance(op, ExternOp):
            pairs = [*zip(op.inputs, op.in_buffers or (), strict=False)]
            pairs += zip(op.outputs, op.out_buffers or (), strict=False)
            for t, b in pairs:
                wanted[t] = max(wanted.get(t, 0), b.alignment)
    return wanted
