"""What extern regions say of themselves: the boxes of memory that foreign code reads and writes, as text.

    with region(reads=['A.tile[1, 8] at i.outer * 16 + i.inner * 8'])    ->    reads=['A.tile[1, 8] at i.outer * 16']

The text is for people, and loops that it names may be unrolled, cut or dropped on the way to what they see. So a region
carries its boxes as expressions, which passes rewrite as all others, and is told from these at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace as with_fields
from typing import Any

from tewb.base import HANDLE
from tewb.ir import (
    AttrStmt,
    Buffer,
    BufferStore,
    Call,
    Evaluate,
    Expr,
    ExternRegion,
    Stmt,
    const,
    const_int,
    replace,
    rewriter,
)
from tewb.schedule import Stage
from tewb.tensor import box_text, extern_region

SCOPE, BOX = "extern_scope", "tvm_tuple"


def extern_scope(
    stage: Stage, effect: str, ins: Sequence[Buffer], outs: Sequence[Buffer], body: Stmt
) -> AttrStmt:
    """`body` as the region of foreign code that reads `ins` and writes `outs`."""
    boxes = [(*b.shape, b.elem_offset) for b in (*ins, *outs)]
    known = all(const_int(e) is not None for box in boxes for e in box)
    value = const(0) if known else Call(BOX, tuple([Call(BOX, box, HANDLE) for box in boxes]), HANDLE)
    return AttrStmt(extern_region(stage.name, ins, outs, effect), SCOPE, value, body, stage.origin())


def describe_externs(body: Stmt) -> Stmt:
    """Tell the regions of `body` from the boxes that they carry, and drop these."""

    def attribute(n: AttrStmt) -> Stmt:
        inner: Stmt = rewrite(n.body)
        match n.node, n.value:
            case ExternRegion() as region, Call("tvm_tuple", boxes) if n.key == SCOPE:
                return replace(n, node=_described(region, boxes), value=const(0), body=inner)
        return n if inner is n.body else replace(n, body=inner)

    rules = {AttrStmt: attribute, BufferStore: _same, Evaluate: _same}  # no region is in an expression
    rewrite: Callable[[Any], Any] = rewriter(rules)
    result: Stmt = rewrite(body)
    return result


def _same(n: Stmt) -> Stmt:
    return n


def _described(region: ExternRegion, boxes: Sequence[Expr]) -> ExternRegion:
    """A region whose texts are those of its boxes now."""
    texts = [
        box_text(before.split("[")[0], box.args[:-1], box.args[-1])
        for before, box in zip((*region.reads, *region.writes), boxes, strict=True)
        if isinstance(box, Call)
    ]
    count = len(region.reads)
    return with_fields(region, reads=tuple(texts[:count]), writes=tuple(texts[count:]))
