"""Two partial results of a reduction become one, by the reducer of the program.

    a partial result of each part of k      ->      a tree of combinations, in the order of the parts

The first part begins with the program's `init`, if it has one, the others with the identity of the reducer. Where the order
of two results says which of them is kept, as of equal ones in an argmax, elements keep theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tewb.blocks.block_program import BlockProgram
from tewb.blocks.cuts import Cuts, parts_of
from tewb.blocks.given import data_axis
from tewb.ir import (
    Add,
    And,
    CommReducer,
    Expr,
    IterVar,
    Max,
    Min,
    Mul,
    Or,
    ProducerLoad,
    Reduce,
    Var,
    const_int,
    free_vars,
    substitute,
    walk,
)
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


def cuts_in_order(op: ComputeOp, cuts: Mapping[IterVar, Cuts]) -> dict[IterVar, Cuts]:
    """The cuts of the reduce axes of `op` that leave its elements in order from part to part.

        i, j in 4 x 4, both cut at 2:       (0, 0..1), (0, 2..3), (1, 0..1)      are elements in order, and
                                            (0..1, 0..1), (0..1, 2..3)           are not: 1, 0 comes before 0, 2

    All, where the combination of two results is the same from either side; else those of the axes up to the first that has a
    part of several iterations.
    """
    if is_commutative(reducer_of(op)):
        return {iv: cuts[iv] for iv in op.reduce_axis}
    kept: dict[IterVar, Cuts] = {}
    one_by_one = True
    for iv in op.reduce_axis:
        kept[iv] = cuts[iv] if one_by_one else ()
        one_by_one = one_by_one and iv not in op.domains and all(n == 1 for n in _extents(iv, kept[iv]))
    return kept


def _extents(iv: IterVar, cuts: Cuts) -> list[int]:
    assert iv.dom is not None
    return [n for _, n in parts_of(cuts, const_int(iv.dom.min) or 0, const_int(iv.dom.extent) or 0)]


def is_commutative(reducer: CommReducer) -> bool:
    """Whether two results may be exchanged: each value is a sum, product, largest, smallest, `and` or `or` of its own two."""
    return all(
        isinstance(e, Add | Mul | Max | Min | And | Or) and {e.a, e.b} == {x, y}
        for e, x, y in zip(reducer.result, reducer.lhs, reducer.rhs, strict=True)
    )


def reducer_of(op: ComputeOp) -> CommReducer:
    first = op.body[0]
    assert isinstance(first, Reduce)
    return first.combiner
