"""The `@node` decorator: fields, children, copies, and that nothing is changed in place."""

from __future__ import annotations

import pytest

from tewb.base import DType
from tewb.ir import Add, Call, Evaluate, Expr, IfThenElse, Node, Seq, Stmt, Var, node, replace

i, j = Var("i", DType("int32")), Var("j", DType("int32"))


def test_nodes_are_frozen_in_tests() -> None:
    e = Add(i, j, i.dtype)
    with pytest.raises(AttributeError, match="Add.a is frozen"):
        e.a = j  # type: ignore[misc]
    assert replace(e, a=j).a is j and e.a is i


@node
class Pair(Node):
    """Two expressions, of which the second may be missing, and a name."""

    first: Expr
    second: Expr | None = None
    more: tuple[Expr, ...] = ()
    name: str = "pair"


def test_fields_are_the_constructor_with_defaults_at_the_end() -> None:
    p = Pair(i)
    assert (p.first, p.second, p.more, p.name) == (i, None, (), "pair")
    assert Pair(i, j, (i, j), "x").more == (i, j)
    with pytest.raises(TypeError):
        Pair()  # type: ignore[call-arg]
    with pytest.raises((AttributeError, TypeError)):
        p.other = 3  # type: ignore[attr-defined]


def test_children_are_the_expressions_left_to_right() -> None:
    assert Pair(i, None, (j, i)).children() == (i, j, i)
    assert Pair(i, j).children() == (i, j) and i.children() == ()
    s: Stmt = IfThenElse(i, Evaluate(i), None)
    assert len(s.children()) == 2
    assert Seq((s, s)).children() == (s, s)


def test_mapped_children_make_a_new_node_only_where_one_changed() -> None:
    p = Pair(i, None, (i, j), "kept")
    assert p.map_children(lambda c: c) is p
    q = p.map_children(lambda c: j if c is i else c)
    assert (q.first, q.second, q.more, q.name) == (j, None, (j, j), "kept") and type(q) is Pair
    same = Pair(j, None, (j,))
    assert same.map_children(lambda c: j if c is i else c) is same
    assert p.more is p.map_children(lambda c: c).more


def test_a_subclass_has_the_fields_of_its_base_first() -> None:
    @node
    class Base(Node):
        first: Expr

    @node
    class Triple(Base):
        name: str
        third: Expr = i

    t = Triple(j, "name")
    assert Triple.field_names == ("first", "name", "third")
    assert t.children() == (j, i) and Triple.__match_args__ == Triple.field_names
    assert Triple.__qualname__.endswith("Triple")


def test_nodes_are_equal_to_themselves_alone() -> None:
    a, b = Call("f", (i,), i.dtype), Call("f", (i,), i.dtype)
    assert len({a, b}) == 2 and a in {a} and hash(a) != hash(b)
    assert Pair(i) != Pair(i)


def test_replace_takes_known_fields_only() -> None:
    p = replace(Pair(i), second=j)
    assert (p.first, p.second) == (i, j)
    assert replace(p) is not p
