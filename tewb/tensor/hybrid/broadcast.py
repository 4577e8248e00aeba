"""The shape of an operation on slices: sizes are equal or 1, as in numpy."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from tewb.ir import Expr, const_int, ops, script
from tewb.tensor.hybrid.translation import Translation
from tewb.tensor.hybrid.values import Slice, Value


def common_shape(translation: Translation, node: ast.AST, values: Sequence[Value]) -> tuple[Expr, ...]:
    """The shape that the slices among `values` are brought to."""
    shape: tuple[Expr, ...] = ()
    for v in values:
        if isinstance(v, Slice):
            longer, shorter = sorted((shape, v.shape), key=len, reverse=True)
            head = len(longer) - len(shorter)
            sizes = zip(longer[head:], shorter, strict=True)
            shape = (*longer[:head], *(same_size(translation, node, n, m) for n, m in sizes))
    return shape


def same_size(translation: Translation, node: ast.AST, n: Expr, m: Expr) -> Expr:
    """The size of a dimension in which two slices have `n` and `m` elements; checked when the function runs
    where the sizes are not known."""
    if const_int(n) == 1:
        return m
    if const_int(m) == 1 or translation.analyzer.can_prove(ops.equal(n, m)):
        return n
    if const_int(n) is not None and const_int(m) is not None:
        raise translation.refuse(
            node, f"slices of {script(n)} and {script(m)} elements do not go together", "sizes are equal or 1"
        )
    sizes = f"{script(n)} and {script(m)}"
    text = f"{translation.name}: slices of different sizes, {sizes} ({translation.span(node)})"
    translation.check(ops.equal(n, m), text)
    return n
