"""Two partial results of a reduction become one, by the reducer of the program.

    a partial result of each part of k      ->      a tree of combinations, in the order of the parts

The first part begins with the program's `init`, if it has one, the others with the identity of the reducer.
"""

from __future__ import annotations

from collections.abc import Sequence

from tewb.blocks.block_program import BlockProgram
from tewb.blocks.given import data_axis
from tewb.ir import CommReducer, Expr, ProducerLoad, Reduce, Var, free_vars, substitute, walk
from tewb.tensor import ComputeOp, Tensor, placeholder


def combination(op: ComputeOp, extents: Sequence[int]) -> BlockProgram:
    """The program that combines two partial results of the reduction `op`, for a block of these extents."""
    reducer = reducer_of(op)
    axis = tuple(data_axis(iv.name, n, iv) for iv, n in zip(op.axis, extents, strict=True))
    here = tuple(iv.var for iv in axis)
    values: dict[Var, Expr] = {}
    inputs: list[Tensor] = []
    for side, variables in (("first", reducer.lhs), ("second", reducer.rhs)):
        for t, v in zip(op.outputs, variables, strict=True):
            inputs.append(placeholder(tuple(extents), str(t.dtype), f"{t.name}.{side}"))
            values[v] = ProducerLoad(inputs[-1], here, v.dtype)
    body = tuple(substitute(e, values) for e in reducer.result)
    made = ComputeOp(op.name, axis, body, op.tag)
    return BlockProgram(tuple(inputs), (), made.outputs)


def why_not_combined(op: ComputeOp) -> str | None:
    """Why partial results of a reduction cannot be combined; None when they can."""
    reducer = reducer_of(op)
    own = {*reducer.lhs, *reducer.rhs}
    if any(isinstance(n, ProducerLoad) for e in reducer.result for n in walk(e)):
        return f"the combination of {reducer.name} reads elements of tensors"
    used = [v.name for e in reducer.result for v in free_vars(e) if v not in own]
    return f"the combination of {reducer.name} uses {used[0]}" if used else None


def reducer_of(op: ComputeOp) -> CommReducer:
    first = op.body[0]
    assert isinstance(first, Reduce)
    return first.combiner
