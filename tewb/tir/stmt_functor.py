"""`tir.stmt_functor`: walking and rewriting, by the classic names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tewb.base import TewbError, any_depth, here
from tewb.compat import face
from tewb.ir import IRModule, Node, PrimFunc, Var, convert, visit, walk
from tewb.ir import substitute as substitute_vars

__all__ = ["ir_transform", "post_order_visit", "pre_order_visit", "substitute"]

face.wear(__name__)


def _node(x: Any) -> Node:
    return x.body if isinstance(x, PrimFunc | IRModule) else x if isinstance(x, Node) else convert(x)


def post_order_visit(stmt: Any, fvisit: Callable[[Any], Any]) -> None:
    """Call `fvisit` on everything in a statement or an expression, children first. What is shared comes once."""
    visit(_node(stmt), fvisit)


def pre_order_visit(stmt: Any, fvisit: Callable[[Any], Any]) -> None:
    """Call `fvisit` on everything in a statement or an expression, parents first; where it returns False, what is below
    is left out."""
    left_out: set[Node] = set()
    for n in walk(_node(stmt)):
        if n in left_out or fvisit(n) is False:
            left_out.update(n.children())


def substitute(node: Any, vmap: Mapping[Var, Any]) -> Any:
    """A statement, an expression or a function with variables replaced."""
    values = {v: convert(value) for v, value in vmap.items()}
    if isinstance(node, PrimFunc):
        return node.with_body(substitute_vars(node.body, values))
    return substitute_vars(_node(node), values)


@any_depth
def ir_transform(
    stmt: Any,
    preorder: Callable[[Any], Any] | None,
    postorder: Callable[[Any], Any] | None,
    only_enable: Sequence[str] | None = None,
) -> Any:
    """A statement with what `preorder` and `postorder` make of its nodes. Both return None to keep a node;
    `preorder` sees a node before what is below it, and if it returns another one, that is not entered. `only_enable`
    names the classes that they are called with: "tir.For"."""
    names = (
        None
        if only_enable is None
        else {name.rpartition(".")[2].replace("SeqStmt", "Seq") for name in only_enable}
    )

    def called(f: Callable[[Any], Any] | None, n: Any) -> Any:
        if f is None or (names is not None and type(n).__name__ not in names):
            return None
        result = f(n)
        if result is not None and not isinstance(result, Node):
            raise TewbError(
                f"ir_transform: {result!r} is neither a statement nor an expression",
                hint="return a node, or None to keep the one that is there",
                span=here(),
            )
        return result

    def rewrite(n: Any) -> Any:
        replaced = called(preorder, n)
        if replaced is not None:
            return replaced
        below = n.map_children(rewrite)
        after = called(postorder, below)
        return below if after is None else after

    if isinstance(stmt, PrimFunc):
        return stmt.with_body(rewrite(stmt.body))
    return rewrite(_node(stmt))
