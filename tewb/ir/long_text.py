"""Names for subexpressions of long expressions, so that the length of their text is proportional to the number of
nodes."""

from __future__ import annotations

from collections.abc import Sequence

from tewb.ir.expressions import Add, And, Div, Expr, FloorDiv, FloorMod, Let, Mul, Or, Sub, Var
from tewb.ir.node import Node
from tewb.ir.walk import LEAVES, everywhere, visit

PAGE = 400  # nodes that are written in one piece, counted as often as they are written
NESTED = 32  # levels of brackets: Python reads 200 pairs, and a level may write three
CHAIN = 150  # operators one after the other, without brackets
SHARED = 24  # nodes of a part that gets a name when it is used twice

_SUM, _TERM = (Add, Sub), (Mul, Div, FloorDiv, FloorMod)


def is_long(exprs: Sequence[Expr], bracketed: bool = False) -> bool:
    """Whether expressions are too long to be written in one piece; `bracketed` if every operation is in brackets."""
    if _is_short(exprs):
        return False
    left = PAGE
    stack: list[tuple[Node, int]] = [(e, NESTED) for e in exprs]
    while stack:
        n, levels = stack.pop()
        left -= 1
        if left < 0 or levels < 0:
            return True
        stack += [
            (c, levels if not (i or bracketed) and _goes_on(n, c) else levels - 1)
            for i, c in enumerate(n.children())
        ]
    return False


def _is_short(exprs: Sequence[Expr]) -> bool:
    """Whether there are so few nodes, in so few levels, that these can neither fill a page nor nest too far. Nearly all
    expressions are so."""
    left = PAGE
    level: list[Node] = list(exprs)
    for _ in range(NESTED):
        left -= len(level)
        if left < 0:
            return False
        level = [c for n in level if n.__class__ not in LEAVES for c in n.children()]
        if not level:
            return True
    return False


def _goes_on(n: Node, first: Node) -> bool:
    """Whether the first operand of `n` is written without brackets, as in a + b + c."""
    return any(isinstance(n, kind) and isinstance(first, kind) for kind in (_SUM, _TERM, And, Or))


def subexpressions_to_name(exprs: Sequence[Expr], bracketed: bool = False) -> list[Expr]:
    """The subexpressions of long expressions that get names, innermost first: those that are used several times and
    are not short, and those that are nested deeply. What uses the variable of a `Let` inside of the expressions gets
    no name, because it has no value outside."""
    uses: dict[Node, int] = {}
    order: list[Node] = []
    lets: set[Node] = set()

    def see(n: Node) -> None:
        if n.__class__ in LEAVES:
            return
        order.append(n)
        if isinstance(n, Let):
            lets.add(n.var)
        for c in n.children():
            uses[c] = uses.get(c, 0) + 1

    for e in dict.fromkeys(exprs):
        visit(e, see)
    order = list(dict.fromkeys(order))
    is_free = everywhere(lambda n: not isinstance(n, Var) or n not in lets)
    nodes: dict[Node, int] = {}
    nested: dict[Node, int] = {}
    chain: dict[Node, int] = {}
    named: list[Expr] = []
    for n in order:
        children = n.children()
        nodes[n] = 1 + sum([nodes.get(c, 1) for c in children])
        levels = [
            nested.get(c, 0) + (0 if not (i or bracketed) and _goes_on(n, c) else 1)
            for i, c in enumerate(children)
            if c.__class__ not in LEAVES
        ]
        nested[n] = max(levels, default=0)
        chain[n] = 1 + max([chain.get(c, 0) for c in children], default=0)
        shared = uses.get(n, 0) > 1 and nodes[n] >= SHARED
        deep = nested[n] >= NESTED or chain[n] >= CHAIN
        if isinstance(n, Expr) and (shared or deep) and (not lets or is_free(n)):
            named.append(n)
            nodes[n], nested[n], chain[n] = 1, 0, 0
    return named
