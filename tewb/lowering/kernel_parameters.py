"""The parameters of a kernel: a buffer for each tensor that the caller gives, and scalar variables.

    te.placeholder((n, 4), name="A"), te.var("n")    ->    A: Buffer((n, 4)), n

What a kernel cannot do with is an error. What a function that is only looked at does without is added to `wrong`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tewb.base import LowerError, here
from tewb.ir import Buffer, Expr, Var, free_vars
from tewb.lowering.argument_buffers import argument_buffer, read_at_0_where_size_is_1, wanted_alignments
from tewb.lowering.nest import Key
from tewb.lowering.specialise_bodies import in_all_bodies, strided_arguments, strided_buffer
from tewb.schedule import Schedule, Stage, scan_of
from tewb.tensor import (
    ExternOp,
    PlaceholderOp,
    StrideVar,
    Tensor,
    only_in_conditions,
    stores_into_inputs,
)


def kernel_parameters(
    schedule: Schedule,
    args: Sequence[Any],
    binds: Mapping[Tensor, Buffer],
    wrong: list[LowerError],
    given: Sequence[Buffer | Var] = (),
) -> tuple[list[Buffer | Var], dict[Key, Buffer], dict[Var, Expr]]:
    """The kernel's parameters, the buffers of the tensors among them, and the values of variables that only
    a declared layout has. Another body of the kernel has the parameters `given`."""
    params: list[Buffer | Var] = []
    keys: dict[Key, Buffer] = {}
    buffers = _Buffers(schedule, args, binds)

    def declare(a: Tensor, current: Tensor) -> Buffer:
        own = buffers.buffer_of(a, current)
        return in_all_bodies(own, given[len(params)], schedule.within) if given else own

    for n, a in enumerate(args):
        _check_argument(a, args[:n])
        if isinstance(a, Var):
            params.append(a)
            continue
        if isinstance(a.op, PlaceholderOp) and schedule.find(a) is None:
            params.append(declare(a, a))  # given, and not read
            continue
        stage = schedule[a]
        key = (stage, a.value_index)
        if key in keys:
            raise _given_twice(a)
        _check_memory(a, stage)
        declared = declare(a, stage.op.output(a.value_index))
        params.append(declared)
        if stage.is_inlined:
            reason = f"{a.name} is an argument, but it is computed inline and never stored"
            wrong.append(LowerError(reason, hint=f"s[{a.name}].compute_root()", span=here()))
        else:
            keys[key] = _buffer_in_loops(declared, a, stage)
    return params, keys, buffers.values


class _Buffers:
    """The buffers of tensors: those that the caller declared, or rows without gaps. `values` are those of variables that only a
    declared layout has."""

    def __init__(self, schedule: Schedule, args: Sequence[Any], binds: Mapping[Tensor, Buffer]) -> None:
        self.schedule, self.binds = schedule, binds
        self.values: dict[Var, Expr] = {}
        self.sizes = {a for a in args if isinstance(a, Var)}
        self.sizes |= {v for a in args if isinstance(a, Tensor) for n in a.shape for v in free_vars(n)}
        self.alignments = wanted_alignments(schedule)
        self.strided = strided_arguments(schedule)

    def buffer_of(self, a: Tensor, current: Tensor) -> Buffer:
        """The buffer of argument `a`, which is `current` in the schedule."""
        alignment, is_strided = self.alignments.get(current, 0), current in self.strided
        if a in self.binds:
            buffer, values = argument_buffer(current, self.binds[a], self.sizes)
            self.values.update(values)
            return buffer if alignment <= buffer.alignment else buffer.with_(alignment=alignment)
        return self.schedule.result_cache.once(
            ("argument", id(current), alignment, is_strided),
            (current,),
            lambda: (
                strided_buffer(current, alignment)
                if is_strided
                else Buffer(current.name, current.dtype, current.shape, alignment=alignment)
            ),
        )


def _check_argument(a: Any, before: Sequence[Any]) -> None:
    """Raise LowerError for what is no argument, or is one of those `before`."""
    if not isinstance(a, Var | Tensor):
        raise LowerError(
            f"arguments are tensors and te.vars, not {a!r}",
            hint="as in tewb.lower(s, [A, B, C])",
            span=here(),
        )
    if isinstance(a, StrideVar):
        raise only_in_conditions(a)
    if any(a is other for other in before):
        raise _given_twice(a)


def _given_twice(a: Var | Tensor) -> LowerError:
    return LowerError(
        f"{a.name} is given twice among the arguments", hint="name each argument once", span=here()
    )


def _check_memory(a: Tensor, stage: Stage) -> None:
    """Raise LowerError where the memory of a stage cannot be the caller's."""
    scan = scan_of(stage)
    if scan is not None:
        raise LowerError(
            f"{a.name} is a part of scan {scan.name}, which has its steps one at a time, and no argument",
            hint=f"{scan.name} holds all steps of it: give that",
            span=here(),
        )
    if stage.alignments and not stage.is_inlined:
        raise LowerError(
            f"{a.name} is an argument, so its strides are the caller's, and storage_align cannot choose them",
            hint=f"s.cache_read({a.name}, ...), and align the copy",
            span=here(),
        )


def _buffer_in_loops(declared: Buffer, a: Tensor, stage: Stage) -> Buffer:
    """The buffer by which the loops reach an argument: one that repeats elements is read, and never written."""
    if not declared.broadcasts:
        return declared
    if not stage.is_placeholder:
        raise LowerError(
            f"binds: buffer {declared.name} is auto_broadcast, and {a.name} is computed: each element of it is written",
            hint=f"declare the buffer of {a.name} without buffer_type; inputs broadcast",
            span=here(),
        )
    return read_at_0_where_size_is_1(declared)


# ---------------------------------------------------------------- tensors that are not among the arguments


def unseen_outputs(schedule: Schedule, keys: dict[Key, Buffer]) -> list[Buffer]:
    """The buffers, which are added to `keys`, of outputs that the caller need not see: those of externs that store into
    their inputs, and so have a result without them."""
    unseen = []
    for stage in schedule.output_stages:
        op = stage.op
        if any((stage, t.value_index) in keys for t in op.outputs):
            continue
        if isinstance(op, ExternOp) and stores_into_inputs(op):
            for t in op.outputs:
                unseen.append(Buffer(t.name, t.dtype, t.shape))
                keys[stage, t.value_index] = unseen[-1]
    return unseen


def missing_outputs(schedule: Schedule, keys: dict[Key, Buffer], wrong: list[LowerError]) -> list[Buffer]:
    """The buffers, which are added to `keys`, of outputs that are not among the arguments."""
    added = []
    for key, t in [((s, t.value_index), t) for s in schedule.output_stages for t in s.op.outputs]:
        if key not in keys:
            reason = f"{t.name} is an output and is not among the arguments"
            wrong.append(LowerError(reason, hint="lower(s, [A, B, C])", span=here()))
            keys[key] = Buffer(t.name, t.dtype, t.shape)
            added.append(keys[key])
    return added


def check_inputs(schedule: Schedule, keys: Mapping[Key, Buffer]) -> None:
    """Raise LowerError for an input that is read and not among the arguments."""
    given = {stage for stage, _ in keys}
    for stage in schedule.stages:
        if stage.is_placeholder and stage not in given and stage.readers() and scan_of(stage) is None:
            reason = f"{stage.name} is an input and is not among the arguments"
            raise LowerError(reason, hint="lower(s, [A, B, C])", span=here())
