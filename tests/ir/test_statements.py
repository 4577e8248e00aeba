"""Statement nodes: what they hold, and how they are shown."""

from __future__ import annotations

import pytest

from tewb.base import DType
from tewb.ir import (
    ALLOCATED,
    Allocate,
    AssertStmt,
    AttrStmt,
    Buffer,
    BufferStore,
    DeclBuffer,
    Evaluate,
    For,
    ForKind,
    IfThenElse,
    LetStmt,
    Origin,
    Seq,
    Stmt,
    Var,
    While,
    const,
    parse,
    script,
)  # fmt: skip

i, p = Var("i", DType("int32")), Var("p", DType("bool"))
A = Buffer("A", DType("float32"), (const(8),))
STORE = BufferStore(A, const(1.0), (i,))


@pytest.mark.parametrize(("kind", "word"), [
    (ForKind.SERIAL, "range"), (ForKind.PARALLEL, "T.parallel"), (ForKind.VECTORIZED, "T.vectorized"),
    (ForKind.UNROLLED, "T.unroll"), (ForKind.DOT, "T.dot"),
])  # fmt: skip
def test_loops_of_every_kind(kind: ForKind, word: str) -> None:
    loop = For(i, const(0), const(8), kind, STORE)
    assert repr(loop).splitlines() == [f"for i in {word}(8):", "    A[i] = T.float32(1.0)"]
    text = '@T.prim_func\ndef main(A: T.Buffer((8,), "float32")):\n    T.func_attr({"outputs": ["A"]})\n    '
    again = parse(text + "\n    ".join(repr(loop).splitlines())).body  # type: ignore[union-attr]
    assert isinstance(again, For) and again.kind is kind


@pytest.mark.parametrize(
    ("s", "children"),
    [
        (STORE, 2),
        (While(p, STORE), 2),
        (IfThenElse(p, STORE), 2),
        (IfThenElse(p, STORE, STORE), 3),
        (Seq((STORE, STORE)), 2),
        (AttrStmt(A, "key", const(1), STORE), 2),
        (Allocate(A, STORE), 1),
        (DeclBuffer(A, STORE), 1),
        (LetStmt(i, const(3), STORE), 2),
        (AssertStmt(p, "why", STORE), 2),
        (Evaluate(const(0)), 1),
    ],
    ids=lambda v: type(v).__name__,
)
def test_children_are_expressions_and_statements(s: Stmt, children: int) -> None:
    assert (
        len([c for c in s.children() if not (isinstance(c, Var) and c is i and isinstance(s, LetStmt))])
        == children
    )
    assert s.map_children(lambda c: c) is s


def test_an_origin_is_carried_by_what_a_user_sees_and_is_no_child() -> None:
    origin = Origin("C", "i")
    for s in (
        BufferStore(A, const(1.0), (i,), origin),
        For(i, const(0), const(8), ForKind.SERIAL, STORE, origin),
        IfThenElse(p, STORE, None, origin),
        Allocate(A, STORE, origin),
    ):
        changed = s.map_children(lambda c: Seq((c,)) if isinstance(c, Stmt) else const(0, c.dtype))
        assert changed is not s and changed.origin is origin
        assert "Origin" not in script(s)


def test_an_ordinary_store_is_not_nontemporal() -> None:
    assert STORE.nontemporal == 0 and ALLOCATED == 64
    assert "nontemporal" in script(
        BufferStore(A, const(1.0), (i,), None, 16)
    ) and "nontemporal" not in script(STORE)


def test_a_sequence_has_its_statements_by_position() -> None:
    first, second = Evaluate(const(1)), Evaluate(const(2))
    both = Seq((first, second))
    assert both[0] is first and both[-1] is second and len(both) == 2
    assert list(both) == [first, second] and Seq(())
    with pytest.raises(IndexError):
        both[2]
