"""Buffers that an extern declares, and the memory that they are bound to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tewb.arith import Analyzer
from tewb.base import ExternError
from tewb.ir import (
    AssertStmt,
    Buffer,
    Expr,
    Stmt,
    Var,
    const,
    const_int,
    is_same_expression,
    ops,
    script,
    substitute,
)
from tewb.lowering.bind_buffers import bind_buffers, bound_variables, compact_strides
from tewb.lowering.check_statements import check_statements
from tewb.schedule import Stage
from tewb.tensor import ExternOp, Tile

KNOWN_ALIGNMENT = 64  # bytes; of every intermediate, on the stack or from the heap


def dense_where_declared(declared: Sequence[Buffer] | None, strided: Sequence[bool]) -> list[bool]:
    """Which of the strided views must be copied: those whose declared buffer has no strides."""
    if declared is None:
        return [False] * len(strided)
    return [s and not b.strides for b, s in zip(declared, strided, strict=True)]


def extern_body(
    stage: Stage, op: ExternOp, ins: list[Buffer], outs: list[Buffer], tile: Tile, analyzer: Analyzer
) -> Stmt:
    """The statement of an extern on the memory `ins` and `outs`. Raises ExternError as `body_on_memory` does."""
    if op.in_buffers is None and op.out_buffers is None:
        body = op.make_body(ins, outs, tile)
        return check_statements(f"extern {stage.name}", body, [*ins, *outs], analyzer)
    declared = [*(op.in_buffers or ins), *(op.out_buffers or outs)]
    names = [t.name for t in (*op.inputs, *stage.op.outputs)]

    def make(buffers: list[Buffer]) -> Stmt:
        return op.make_body(buffers[: len(ins)], buffers[len(ins) :], tile)

    return body_on_memory(stage, f"extern {stage.name}", make, declared, [*ins, *outs], names, analyzer)


def body_on_memory(
    stage: Stage,
    what: str,
    make: Callable[[list[Buffer]], Stmt],
    declared: Sequence[Buffer],
    memory: Sequence[Buffer],
    names: Sequence[str],
    analyzer: Analyzer,
) -> Stmt:
    """The statement that `make` makes of buffers, for `memory`: parts of the tensors of these names.

    It gets buffers with the offset and the strides that the memory has; its uses of declared buffers
    are replaced by these. Constant strides and offset factors that were declared are checked, here or when the
    kernel runs. Raises ExternError, which says `what` is at fault.
    """
    pairs: dict[Buffer, Buffer] = {}
    buffers = []
    for b, there in zip(declared, memory, strict=True):
        # With strides declared, the function may ask for them, compact memory or not.
        buffers.append(there.with_(strides=compact_strides(there)) if b.strides else there)
        if b is not there:
            pairs[b] = buffers[-1]
    body = bind_buffers(make(buffers), pairs)
    tensors = dict(zip(declared, names, strict=True))
    values = bound_variables(pairs)
    checks: list[tuple[Expr, str]] = []
    for b, there in pairs.items():
        _check_memory(stage, what, b, there, tensors[b])
        checks += _promises(stage, what, b, there, tensors[b], values, analyzer)
    body = check_statements(what, body, [*memory, *buffers], analyzer)
    for cond, message in reversed(checks):
        body = AssertStmt(cond, message, body, stage.origin())
    return body


def _check_memory(stage: Stage, what: str, declared: Buffer, there: Buffer, tensor: str) -> None:
    """Raise ExternError for an alignment that intermediates do not have; arguments are checked at the call."""
    alignment = max(KNOWN_ALIGNMENT, there.alignment)
    if declared.alignment > alignment:
        raise ExternError(
            f"{what}: buffer {declared.name} declares data_alignment={declared.alignment}, and the "
            f"memory of {tensor} is aligned to {alignment} bytes",
            hint=f"declare {declared.name} with data_alignment={alignment} or less",
            span=stage.op.span,
        )


def _promises(
    stage: Stage,
    what: str,
    declared: Buffer,
    there: Buffer,
    tensor: str,
    values: dict[Var, Expr],
    analyzer: Analyzer,
) -> Iterator[tuple[Expr, str]]:
    """The conditions that the declaration promises and that are not certain, each with the message for its failure.

    Raises ExternError for those that certainly fail.
    """
    promises: list[tuple[Expr, str, str]] = []
    for d, stride in enumerate(declared.strides):
        given, wanted, n = compact_strides(there)[d], substitute(stride, values), there.shape[d]
        if not is_same_expression(given, wanted) and const_int(n) != 1:
            said = f"stride {d} of {declared.name} is declared {script(wanted)}, and that of {tensor} is {script(given)}"
            same = ops.equal(ops.cast(given, "int64"), ops.cast(wanted, "int64"))
            hint = f"strides=[te.var(...)] lets {declared.name} lie in any way"
            promises.append((ops.logical_or(ops.less_equal(n, 1), same), said, hint))
    if declared.offset_factor > 1:
        rest = ops.floormod(there.elem_offset, const(declared.offset_factor, there.elem_offset.dtype))
        said = (
            f"{declared.name} is declared with offset_factor={declared.offset_factor}, and its part of {tensor} "
            f"begins at element {script(there.elem_offset)}"
        )
        promises.append(
            (ops.equal(rest, 0), said, f"declare {declared.name} with offset_factor=1: it may begin anywhere")
        )
    for cond, said, hint in promises:
        simple = analyzer.simplify(cond)
        if ops.is_const(simple, 0):
            raise ExternError(f"{what}: {said}", hint=hint, span=stage.op.span)
        if not ops.is_const(simple, 1):
            yield simple, f"{what}: {said}"
