"""Walking and rewriting: passes are rules for some classes, and these walk everything else.

Expressions are graphs: `e = e * e` sixty times is sixty nodes, and stands for 2**60 factors. So a node that is used
in several places is visited once, and what it becomes is used in these places again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from tewb.base import INT32, any_depth
from tewb.ir.axes import CommReducer
from tewb.ir.buffers import Buffer
from tewb.ir.expressions import And, Expr, FloatImm, IntImm, Let, Or, StringImm, Var
from tewb.ir.node import Node, replace
from tewb.ir.ops import cast
from tewb.ir.statements import BufferStore, Evaluate, For, Seq, Stmt

N = TypeVar("N", bound=Node)
Rules = Mapping[type, Callable[[Any], Any]]

# The nodes that have nothing below them: cheap to visit again.
LEAVES = frozenset((Var, IntImm, FloatImm, StringImm))


def rewriter(rules: Rules) -> Callable[[N], N]:
    """A function that rewrites a tree: a node whose class has a rule becomes what the rule returns,
    any other node has its children rewritten. A rule that wants its children rewritten calls the
    function itself. What does not change comes back as the same object.

    Within one statement, or one expression that the function is called with, a shared expression is rewritten
    once: rules for expressions must not depend on where it stands.
    """
    get = rules.get
    memo: dict[Any, Any] = {}
    inside = False

    def rewrite(n: Any) -> Any:
        cls = n.__class__
        if cls in LEAVES:
            rule = get(cls)
            return n if rule is None else rule(n)
        if not inside:
            return whole(n)
        rewritten = memo.get(n)
        if rewritten is not None:
            return rewritten
        rule = get(cls)
        if isinstance(n, Stmt):
            memo.clear()
            rewritten = rule(n) if rule is not None else n.map_children(rewrite)
            memo.clear()
        else:
            rewritten = memo[n] = rule(n) if rule is not None else n.map_children(rewrite)
        return rewritten

    @any_depth
    def whole(n: Any) -> Any:
        nonlocal inside
        inside = True
        try:
            return rewrite(n)
        finally:
            inside = False
            memo.clear()

    return rewrite


def walk(n: Node) -> Iterator[Node]:
    """`n` and everything below it, parents first. An expression that is shared comes once."""
    stack: list[Node] = [n]
    seen: set[Node] = set()
    while stack:
        top = stack.pop()
        if top.__class__ in LEAVES:
            yield top
        elif top not in seen:
            if not isinstance(top, Stmt):
                seen.add(top)
            yield top
            stack.extend(reversed(top.children()))


def walk_statements(s: Stmt) -> Iterator[Stmt]:
    """`s` and the statements in it, parents first."""
    stack = [s]
    while stack:
        top = stack.pop()
        yield top
        stack.extend([c for c in reversed(top.children()) if isinstance(c, Stmt)])


def has_nontemporal(s: Stmt) -> bool:
    """Whether some store in `s` is to bypass the caches."""
    return any(isinstance(n, BufferStore) and n.nontemporal for n in walk_statements(s))


def visit(n: Node, f: Callable[[Any], None]) -> None:
    """Call `f` on `n` and everything below it, children first. An expression that is shared comes once."""
    stack: list[tuple[Node, bool]] = [(n, False)]
    seen: set[Node] = set()
    while stack:
        top, ready = stack.pop()
        if ready:
            f(top)
        elif top not in seen:
            if not isinstance(top, Stmt) and top.__class__ not in LEAVES:
                seen.add(top)
            stack.append((top, True))
            stack.extend([(c, False) for c in reversed(top.children())])


def shared_subexpressions(n: Node) -> frozenset[Node]:
    """The expressions below `n` that are used in several places."""
    seen: set[Node] = set()
    shared: set[Node] = set()
    for top in walk(n):
        for c in top.children():
            if c.__class__ not in LEAVES:
                (shared if c in seen else seen).add(c)
    return frozenset(shared)


def everywhere(holds: Callable[[Node], bool]) -> Callable[[Node], bool]:
    """A function that tells whether `holds` is true of a node and of everything below it. It remembers the nodes that
    it has seen: asking about a node, and then about each that encloses it, takes one walk in all."""
    answers: dict[Node, bool] = {}

    def answer(n: Node) -> bool:
        stack: list[tuple[Node, bool]] = [(n, False)]
        while stack:
            top, ready = stack.pop()
            if ready:
                answers[top] = all([answers[c] for c in top.children()])
            elif top not in answers:
                if holds(top):
                    stack.append((top, True))
                    stack.extend([(c, False) for c in top.children()])
                else:
                    answers[top] = False
        return answers[n]

    return answer


def substitute(n: N, values: Mapping[Var, Expr]) -> N:
    """`n` with variables replaced, in the shapes, strides and offsets of its buffers too. A value takes the dtype of
    its variable. Variables are unique, so nothing can be captured."""
    return _substituted(n, values) if values else n


@any_depth
def _substituted(n: N, values: Mapping[Var, Expr]) -> N:
    return substituter(values)(n)


@any_depth
def substitute_each(n: N, v: Var, values: Iterable[Expr]) -> list[N]:
    """`n` for each of these values of a variable. What does not use it is looked at once."""
    made: list[N] = []
    same: dict[Node, Node] = {}
    buffers: dict[Buffer, Buffer] = {}
    for e in values:
        memo, own = dict(same), dict(buffers)
        made.append(_substituter({v: _like(v, e)}, own, memo)(n))
        if len(made) == 1:
            same = {old: new for old, new in memo.items() if new is old}
            buffers = {old: new for old, new in own.items() if new is old}
    return made


def substituter(values: Mapping[Var, Expr]) -> Callable[[N], N]:
    """The function that replaces these variables, for several expressions that share parts."""
    return _substituter({v: _like(v, e) for v, e in values.items()}, {})


def _substituter(
    values: Mapping[Var, Expr], buffers: dict[Buffer, Buffer], memo: dict[Node, Node] | None = None
) -> Callable[[N], N]:
    """The function that replaces variables by values of their dtypes, and these buffers. It adds the buffers that it
    meets, and to `memo` what all nodes that it meets become."""
    get = values.get
    memo = {} if memo is None else memo

    def rewrite(x: Any) -> Any:
        if x.__class__ in LEAVES:
            return get(x, x) if x.__class__ is Var else x
        substituted = memo.get(x)
        if substituted is not None:
            return substituted
        substituted = x.map_children(rewrite)
        buffer = getattr(substituted, "buffer", None)
        if buffer is not None and (new_buffer := with_values(buffer)) is not buffer:
            substituted = replace(substituted, buffer=new_buffer)
        memo[x] = substituted
        return substituted

    def with_values(b: Buffer) -> Buffer:
        new_buffer = buffers.get(b)
        if new_buffer is None:
            new_buffer = buffers[b] = b.map_exprs(rewrite)
        return new_buffer

    return rewrite


class Substitution:
    """Variables and buffers that are replaced in the expressions of a scope, and in those inside of it: one that nests
    deep is not walked once for each scope."""

    def __init__(self) -> None:
        self._values: dict[Var, Expr] = {}
        self._buffers: dict[Buffer, Buffer] = {}
        self._rewrite: Callable[[Any], Any] = _substituter(self._values, self._buffers)

    def __call__(self, n: N) -> N:
        rewritten: N = self._rewrite(n)
        return rewritten

    def buffer(self, b: Buffer) -> Buffer:
        """What stands for `b` here."""
        if b not in self._buffers:
            self._buffers[b] = b.map_exprs(self._rewrite)
        return self._buffers[b]

    @contextmanager
    def variable(self, v: Var, value: Expr) -> Iterator[None]:
        """Inside of the block `value` stands for `v`."""
        with self._scope({}):
            self._values[v] = _like(v, value)
            try:
                yield
            finally:
                del self._values[v]

    @contextmanager
    def memory(self, old: Buffer, new: Buffer) -> Iterator[None]:
        """Inside of the block `new`, which has the same memory, stands for `old`."""
        with self._scope({old: new}):
            yield

    @contextmanager
    def _scope(self, buffers: dict[Buffer, Buffer]) -> Iterator[None]:
        """Buffers keep their stand-ins in scopes inside. What was met in a scope is forgotten with it, since copies of
        a statement use the same variables and buffers."""
        outside = self._buffers, self._rewrite
        self._buffers = {**self._buffers, **buffers}
        self._rewrite = _substituter(self._values, self._buffers)
        try:
            yield
        finally:
            self._buffers, self._rewrite = outside


def _like(v: Var, e: Expr) -> Expr:
    """`e` in the dtype of `v`, if they are integers."""
    if e.dtype is v.dtype or not (v.dtype.is_int and e.dtype.is_int):
        return e
    return cast(e, v.dtype.element.with_lanes(e.dtype.lanes))


def free_vars(n: Node) -> list[Var]:
    """The variables that `n` uses and does not bind, in order of first use."""
    bound: set[Var] = set()
    seen: dict[Var, None] = {}
    for x in walk(n):
        if isinstance(x, Var):
            seen[x] = None
        elif isinstance(x, For | Let) or hasattr(x, "var"):
            bound.add(x.var)
        elif isinstance(x, CommReducer):
            bound.update(x.lhs, x.rhs)
    return [v for v in seen if v not in bound]


def uses(n: Node, variables: Iterable[Var]) -> bool:
    """Whether any of `variables` occurs in `n`."""
    wanted = set(variables)
    return any(x.__class__ is Var and x in wanted for x in walk(n))


def conjuncts(e: Expr) -> list[Expr]:
    """The conditions that all hold where `e` does, in order: `a and b and c` has three."""
    return _terms(e, And)


def disjuncts(e: Expr) -> list[Expr]:
    """The conditions of which one holds where `e` does."""
    return _terms(e, Or)


def _terms(e: Expr, kind: type[And] | type[Or]) -> list[Expr]:
    terms: dict[Expr, None] = {}
    stack, seen = [e], set[Expr]()
    while stack:
        top = stack.pop()
        if not isinstance(top, kind):
            terms[top] = None
        elif top not in seen:
            seen.add(top)
            stack += [top.b, top.a]
    return list(terms)


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
