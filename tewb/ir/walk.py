"""Walking and rewriting: passes are rules for some classes, and these walk everything else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from tewb.base import INT32
from tewb.ir.buffers import Buffer
from tewb.ir.expressions import Expr, IntImm, Let, Var
from tewb.ir.node import Node, replace
from tewb.ir.ops import cast
from tewb.ir.statements import BufferStore, Evaluate, For, Seq, Stmt

N = TypeVar("N", bound=Node)
Rules = Mapping[type, Callable[[Any], Any]]


def rewriter(rules: Rules) -> Callable[[N], N]:
    """A function that rewrites a tree: a node whose class has a rule becomes what the rule returns,
    any other node has its children rewritten. A rule that wants its children rewritten calls the
    function itself. What does not change comes back as the same object."""
    get = rules.get

    def rewrite(n: Any) -> Any:
        rule = get(n.__class__)
        return rule(n) if rule is not None else n.map_children(rewrite)

    return rewrite


def walk(n: Node) -> Iterator[Node]:
    """`n` and everything below it, parents first."""
    stack: list[Node] = [n]
    while stack:
        top = stack.pop()
        yield top
        stack.extend(reversed(top.children()))


def has_nontemporal(s: Stmt) -> bool:
    """Whether some store in `s` is to go past the caches."""
    return any(isinstance(n, BufferStore) and n.nontemporal for n in walk(s))


def visit(n: Node, f: Callable[[Any], None]) -> None:
    """Call `f` on `n` and everything below it, children first."""
    for c in n.children():
        visit(c, f)
    f(n)


def substitute(n: N, values: Mapping[Var, Expr]) -> N:
    """`n` with variables replaced, in the shapes, strides and offsets of its buffers too. A value takes the dtype of
    its variable. Variables are unique, so nothing can be captured."""
    if not values:
        return n
    get = {v: e if e.dtype is v.dtype else _like(v, e) for v, e in values.items()}.get
    known: dict[Buffer, Buffer] = {}

    def rewrite(x: Any) -> Any:
        if x.__class__ is Var:
            return get(x, x)
        made = x.map_children(rewrite)
        buffer = getattr(made, "buffer", None)
        if buffer is None or (place := placed(buffer)) is buffer:
            return made
        return replace(made, buffer=place)

    def placed(b: Buffer) -> Buffer:
        found = known.get(b)
        if found is None:
            found = known[b] = b.map_exprs(rewrite)
        return found

    made: N = rewrite(n)
    return made


def _like(v: Var, e: Expr) -> Expr:
    """`e` in the dtype of `v`, if they are integers."""
    if not (v.dtype.is_int and e.dtype.is_int):
        return e
    return cast(e, v.dtype.element.with_lanes(e.dtype.lanes))


def with_buffer(n: N, old: Buffer, new: Buffer) -> N:
    """`n` with buffer `old` replaced by `new`, which has the same memory."""

    def rewrite(x: Any) -> Any:
        made = x.map_children(rewrite)
        return replace(made, buffer=new) if getattr(made, "buffer", None) is old else made

    made: N = rewrite(n)
    return made


def free_vars(n: Node) -> list[Var]:
    """The variables that `n` uses and does not bind, in order of first use."""
    bound: set[Var] = set()
    seen: dict[Var, None] = {}
    for x in walk(n):
        if isinstance(x, Var):
            seen[x] = None
        elif isinstance(x, For | Let) or hasattr(x, "var"):
            bound.add(x.var)
    return [v for v in seen if v not in bound]


def uses(n: Node, variables: Iterable[Var]) -> bool:
    """Whether any of `variables` occurs in `n`."""
    wanted = set(variables)
    return any(x.__class__ is Var and x in wanted for x in walk(n))


def seq(*stmts: Stmt | None) -> Stmt:
    """Statements one after the other, flattened, without those that do nothing."""
    flat: list[Stmt] = []
    for s in stmts:
        if isinstance(s, Seq):
            flat.extend(s.stmts)
        elif s is not None and not is_noop(s):
            flat.append(s)
    if not flat:
        return NOOP
    return flat[0] if len(flat) == 1 else Seq(tuple(flat))


def is_noop(s: Stmt) -> bool:
    """Whether `s` does nothing: the evaluation of a constant."""
    return isinstance(s, Evaluate) and isinstance(s.value, IntImm)


NOOP = Evaluate(IntImm(0, INT32))
