"""The program of one block: the computes that a block is made of, on the parts of the tensors.

    B[i] = A[i - 1] + A[i + 1]       ->       B[i] = A[i] + A[i + 2]       on a part of A that begins one before B

A start that is used as a number, as in B[i] = A[i] * i, becomes a parameter.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from tewb.arith import Analyzer
from tewb.blocks.decisions import decider, reads
from tewb.blocks.given import rebuilt
from tewb.blocks.parts import BlockOfCompute, BlockParts
from tewb.ir import (
    Expr,
    FloorMod,
    IterVar,
    ProducerLoad,
    Range,
    Reduce,
    Var,
    const_int,
    free_vars,
    ops,
    script,
    substitute,
)
from tewb.tensor import ComputeOp, Tensor, placeholder


@dataclass(frozen=True)
class BlockProgram:
    """A program whose parameters are the parts `inputs` of tensors, `variables` (starts of the block, and numbers that the
    kernel was given), and `outputs`."""

    inputs: tuple[Tensor, ...]
    variables: tuple[Var, ...]
    outputs: tuple[Tensor, ...]

    @property
    def parameters(self) -> list[Tensor | Var]:
        return [*self.inputs, *self.variables, *self.outputs]


def block_program(found: BlockParts, arrays: Sequence[Tensor], numbers: Sequence[Var]) -> BlockProgram:
    """The program of a block on the parts of `arrays`. `numbers` are the variables of the kernel that are no sizes."""
    made: dict[Tensor, Tensor] = {
        t: placeholder(found.parts[t].extents, str(t.dtype), t.name) for t in arrays
    }
    for block in reversed(found.computes):
        body = _on_parts(block, found, made)
        op = ComputeOp(block.op.name, block.axis, body, block.op.tag)
        op.attrs, op.span = block.op.attrs, block.op.span
        made.update(zip(block.op.outputs, op.outputs, strict=True))
    computed = [t.op for t in made.values() if isinstance(t.op, ComputeOp)]
    used = {v for op in computed for e in op.exprs() for v in free_vars(e)}
    variables = [v for v in (*found.starts.values(), *numbers) if v in used]
    root = found.computes[0].op
    return BlockProgram(
        tuple(made[t] for t in arrays), tuple(variables), tuple(made[t] for t in root.outputs)
    )


def _turned(index: Expr, start: Expr, size: Expr, here: Analyzer) -> Expr:
    """An index in a part that begins at `start` and turns."""
    if isinstance(index, FloorMod) and const_int(index.b) == const_int(size):
        index = index.a
    return decider(here)(here.simplify(ops.floormod(ops.sub(index, start), ops.cast(size, index.dtype))))


def _on_parts(block: BlockOfCompute, found: BlockParts, made: Mapping[Tensor, Tensor]) -> tuple[Expr, ...]:
    """Bodies that read parts, whose elements are counted from their beginning."""
    body, analyzer, here = block.body, Analyzer(), Analyzer()
    reduced = body[0].axes if isinstance(body[0], Reduce) else ()
    for iv in (*block.axis, *reduced):
        if iv.dom is not None and const_int(iv.dom.min) is not None and const_int(iv.dom.extent) is not None:
            here.bind_extent(iv.var, iv.dom.min, iv.dom.extent)

    def read(n: ProducerLoad) -> Expr:
        part = found.parts[n.producer]
        indices = [analyzer.simplify(ops.sub(i, s)) for i, s in zip(n.indices, part.start, strict=True)]
        for dimension, size in enumerate(n.producer.shape):
            if part.turns(dimension, size):
                indices[dimension] = _turned(n.indices[dimension], part.start[dimension], size, here)
        return ProducerLoad(made[n.producer], tuple(indices), n.dtype)

    shifted = ComputeOp.with_reads(read)
    axes: dict[IterVar, IterVar] = {}
    for iv in reduced:
        assert iv.dom is not None
        axes[iv] = IterVar(Range(shifted(iv.dom.min), shifted(iv.dom.extent)), iv.var, iv.kind)
    return rebuilt(body, axes, shifted)


def program_key(found: BlockParts) -> Hashable:
    """Equal for blocks that have one program, which differ in their starts only."""
    names: dict[Var, Expr] = {v: Var(f"start{n}", v.dtype) for n, v in enumerate(found.starts.values())}
    for n, block in enumerate(found.computes):
        first = block.body[0]
        own = [iv.var for iv in block.axis]
        if isinstance(first, Reduce):
            own += [*(iv.var for iv in first.axes), *first.combiner.lhs, *first.combiner.rhs]
        names |= {v: Var(f"v{n}_{m}", v.dtype) for m, v in enumerate(own)}
    key: list[Hashable] = [
        (id(t), part.extents, *(_text(e, names) for e in part.start)) for t, part in found.parts.items()
    ]
    for block in found.computes:
        exprs = list(block.body)
        if isinstance(first := block.body[0], Reduce):
            c = first.combiner
            ends = [e for iv in first.axes if iv.dom is not None for e in (iv.dom.min, iv.dom.extent)]
            exprs = [*first.source, *first.init, first.condition, *c.result, *c.identity, *ends]
        key.append((id(block.op), *(_text(e, names) for e in exprs), *(id(n.producer) for n in reads(exprs))))
    return tuple(key)


def _text(e: Expr, names: Mapping[Var, Expr]) -> str:
    return script(substitute(e, names))
