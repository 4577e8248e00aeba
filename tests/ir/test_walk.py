"""Walking and rewriting: shared parts once, in order, and the same object where nothing changes."""

from __future__ import annotations

import pytest

from tewb.base import DType
from tewb.ir import (
    NOOP,
    Buffer,
    BufferStore,
    Evaluate,
    Expr,
    For,
    ForKind,
    IntImm,
    Let,
    Node,
    Seq,
    Stmt,
    Var,
    conjuncts,
    const,
    everywhere,
    free_vars,
    load,
    ops,
    rewriter,
    script,
    seq,
    substitute,
    substitute_each,
    uses,
    walk,
)
from tewb.ir.walk import (
    Substitution,
    disjuncts,
    has_nontemporal,
    is_noop,
    shared_subexpressions,
    visit,
    walk_statements,
)

i, j = Var("i", DType("int32")), Var("j", DType("int32"))
x = Var("x", DType("float32"))


def store(index: Expr, value: Expr = j, nontemporal: int = 0) -> BufferStore:
    return BufferStore(Buffer("B", DType("int32"), (const(8),)), value, (index,), None, nontemporal)


def power(times: int) -> Expr:
    e: Expr = i
    for _ in range(times):
        e = ops.mul(e, e)
    return e


def test_rewriting_returns_what_did_not_change() -> None:
    b = Buffer("B", DType("int32"), (const(8),))
    loop = For(i, const(0), const(8), ForKind.SERIAL, BufferStore(b, i + j, (i,)))
    assert rewriter({})(loop) is loop
    assert substitute(loop, {x: x}) is loop
    assert script(substitute(loop, {j: const(5)})).endswith("B[i] = i + 5")


def test_a_shared_expression_is_rewritten_and_walked_once() -> None:
    seen: list[Node] = []

    def mul(n: Expr) -> Expr:
        seen.append(n)
        return n.map_children(rewrite)

    from tewb.ir import Mul

    rewrite = rewriter({Mul: mul})
    e = power(60)
    assert rewrite(e) is e and len(seen) == 60
    assert sum(1 for n in walk(e) if isinstance(n, Mul)) == 60
    visited: list[Node] = []
    visit(e, visited.append)
    assert sum(1 for n in visited if isinstance(n, Mul)) == 60 and visited[-1] is e


def test_a_statement_that_is_used_twice_comes_twice() -> None:
    s = store(i)
    assert sum(1 for n in walk(Seq((s, s))) if n is s) == 2


def test_parents_come_first_in_walk_and_last_in_visit() -> None:
    e = (i + 1) * j
    order: list[Node] = []
    visit(e, order.append)
    assert [script(n) for n in walk(e)] == ["(i + 1) * j", "i + 1", "i", "1", "j"]  # type: ignore[arg-type]
    assert [script(n) for n in order] == ["i", "1", "i + 1", "j", "(i + 1) * j"]  # type: ignore[arg-type]


def test_shared_parts_and_properties_of_all_parts() -> None:
    part = i + 1
    assert shared_subexpressions(part * part - j) == {part}
    no_j = everywhere(lambda n: n is not j)
    assert no_j(part * 2) and not no_j(part * j) and no_j(power(60))


@pytest.mark.parametrize(
    ("value", "text"),
    [(const(5), "5"), (const(5, "int64"), "5"), (Var("k", DType("int64")), 'T.Cast("int32", k)')],
)
def test_a_substituted_value_has_the_dtype_of_its_variable(value: Expr, text: str) -> None:
    assert script(substitute(i + 0 * j, {i: value})) == script(substitute(i, {i: value})) == text


def test_sizes_strides_and_offsets_of_buffers_are_substituted() -> None:
    b = Buffer("A", DType("float32"), (i, j), (j, const(1)), i)
    new = substitute(load(b, (const(0), const(1))), {i: const(3), j: const(4)}).buffer  # type: ignore[attr-defined]
    assert [script(e) for e in (*new.shape, *new.strides, new.elem_offset)] == ["3", "4", "4", "1", "3"]
    both = substitute(Seq((BufferStore(b, x, (i, j)), BufferStore(b, x, (j, i)))), {i: const(3)})
    first, second = both.stmts
    assert first.buffer is second.buffer is not b  # type: ignore[attr-defined]


def test_a_statement_for_each_value_of_a_variable_shares_what_does_not_use_it() -> None:
    a, b = (
        Buffer(name, DType("int32"), shape) for name, shape in (("A", (const(8), j)), ("B", (i, const(8))))
    )
    s = BufferStore(b, load(a, (j, j)) + (j + 1) * 2, (i, j))
    each = substitute_each(s, i, [const(0), j, const(3)])
    assert [script(n) for n in each] == [script(substitute(s, {i: v})) for v in (const(0), j, const(3))]
    assert each[0].value is each[1].value is s.value
    assert [script(n.buffer.shape[0]) for n in each] == ["0", "j", "3"]
    assert all(n is s for n in substitute_each(s, Var("k", DType("int32")), [const(0), const(1)]))
    assert substitute_each(s, i, []) == []


def test_substitutions_nest_and_are_forgotten() -> None:
    s = Substitution()
    with s.variable(i, const(3)):
        assert script(s(i + j)) == "3 + j"
        with s.variable(j, const(4)):
            assert script(s(i + j)) == "3 + 4"
        assert script(s(i + j)) == "3 + j"
    e = i + j
    assert s(e) is e
    old, new = (Buffer(name, DType("float32"), (const(4),)) for name in ("A", "L"))
    with s.memory(old, new):
        assert script(s(load(old, (i,)))) == "L[i]" and s.buffer(old) is new
    assert script(s(load(old, (i,)))) == "A[i]"


def test_free_variables_are_in_order_and_bound_ones_are_none() -> None:
    loop = For(i, const(0), j, ForKind.SERIAL, store(i, j + i))
    assert free_vars(loop) == [j] and free_vars(j * i + j) == [j, i]
    t = Var("t", DType("int32"))
    assert free_vars(Let(t, i, t + j, t.dtype)) == [i, j]
    assert uses(loop, [j]) and not uses(loop, [x]) and not uses(i, [])


def test_conditions_are_taken_apart_once_each() -> None:
    a, b, c = (ops.less(i, n) for n in (1, 2, 3))
    assert conjuncts(ops.logical_and(ops.logical_and(a, b), ops.logical_and(c, a))) == [a, b, c]
    either = ops.logical_or(a, ops.logical_and(b, c))
    assert conjuncts(either) == [either] and disjuncts(either) == [a, either.b]  # type: ignore[attr-defined]


def test_sequences_are_flat_and_without_what_does_nothing() -> None:
    a, b = store(i), store(j)
    assert seq() is NOOP and seq(None, NOOP) is NOOP and seq(a, None) is a
    flat = seq(a, seq(b, a), NOOP)
    assert isinstance(flat, Seq) and flat.stmts == (a, b, a)
    assert is_noop(Evaluate(IntImm(7, DType("int32")))) and not is_noop(Evaluate(i)) and not is_noop(a)


def test_statements_are_walked_without_their_expressions_and_those_that_come_twice_twice() -> None:
    a, b = store(i), store(j)
    both = seq(a, b, a)
    assert list(walk_statements(both)) == [both, a, b, a] == [n for n in walk(both) if isinstance(n, Stmt)]


def test_nontemporal_stores_are_found() -> None:
    assert has_nontemporal(seq(store(i), store(j, nontemporal=1))) and not has_nontemporal(store(i))


def test_deep_trees_do_not_end_the_stack() -> None:
    e: Expr = i
    for _ in range(20_000):
        e = ops.add(e, j)
    assert free_vars(substitute(e, {i: j})) == [j]
    assert rewriter({Var: lambda v: j})(e) is not e
