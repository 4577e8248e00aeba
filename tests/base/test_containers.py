"""Containers behave as Python's own."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from tewb import te
from tewb.base import ADT, Array, DTypeError, Map, ShapeTuple, String
from tewb.ir import IntImm, StringImm


def test_an_array_is_a_sequence() -> None:
    a = Array([1, "b", 2.5])
    assert (len(a), a[0], a[-1], list(a)) == (3, 1, 2.5, [1, "b", 2.5])
    assert type(a[1:]) is Array
    assert (a[1:], a[::-1], a[:0]) == (["b", 2.5], (2.5, "b", 1), [])
    assert a == [1, "b", 2.5] == a
    assert a != [1, "b"]
    assert (a != (1, "b", 2.5)) is False
    assert a != {1}
    before, behind = [0], [3]
    assert (a + behind, before + a, a * 2) == ([1, "b", 2.5, 3], [0, 1, "b", 2.5], [1, "b", 2.5] * 2)
    assert all(type(x) is Array for x in (a + behind, before + a, a * 2))
    assert hash(a) == hash(Array([1, "b", 2.5]))
    assert repr(a) == "[1, 'b', 2.5]"
    first, *others = a
    assert (first, others) == (1, ["b", 2.5])
    with pytest.raises(IndexError):
        a[3]
    with pytest.raises(TypeError):
        a[0] = 1  # type: ignore[index]


def test_an_array_compares_constants_by_value_and_expressions_by_identity() -> None:
    n, m = te.var("n"), te.var("m")
    a = Array([IntImm(3, "int32"), n, StringImm("x")])
    assert a == [3, n, "x"]
    assert a != [3, m, "x"]
    assert (3 in a, n in a, m in a, "x" in a, n + 1 in a) == (True, True, False, True, False)
    assert (a.index(n), a.count(n), a.count(m)) == (1, 1, 0)
    assert hash(a) == hash(Array([3, n, "x"]))
    assert Array([[1, n]]) == [(1, n)]


def test_a_map_is_a_mapping() -> None:
    n, m = te.var("n"), te.var("m")
    a = Map({n: 1, "b": [2], 3: "c"})
    assert (len(a), a[n], a["b"], a[3], a[IntImm(3, "int32")]) == (3, 1, [2], "c", "c")
    assert (n in a, m in a, n + 0 in a, "x" in a) == (True, False, True, False)
    assert (list(a), list(a.values())) == ([n, "b", 3], [1, [2], "c"])
    assert dict(a.items())[n] == 1
    assert a.get(m, 5) == 5
    assert a == {n: 1, "b": [2], 3: "c"}
    assert a != {n: 1}
    assert hash(a) == hash(Map([(3, "c"), ("b", [2]), (n, 1)]))
    assert repr(Map({"a": 1})) == "{'a': 1}"
    with pytest.raises(KeyError, match="nothing"):
        a["nothing"]
    with pytest.raises(TypeError):
        a["b"] = 1  # type: ignore[index]


def test_a_string_is_text() -> None:
    s = String("xyz")
    assert isinstance(s, str)
    assert s.startswith("xy")
    assert (s + "1", s, hash(s), {s: 1}["xyz"]) == ("xyz1", "xyz", hash("xyz"), 1)
    assert s.same_as(s)


def test_a_shape_is_a_tuple_of_ints() -> None:
    s = ShapeTuple([2, IntImm(3, "int32"), -4])
    assert s == [2, 3, -4] == s
    assert s == (2, 3, -4)
    assert s == ShapeTuple(s)
    assert s != (2, 3)
    assert (len(s), s[1], list(s), hash(s)) == (3, 3, [2, 3, -4], hash((2, 3, -4)))
    assert type(s[1:]) is ShapeTuple
    assert repr(s) == "ShapeTuple([2, 3, -4])"


@pytest.mark.parametrize("n", [1.5, "x", None, te.var("n")])
def test_a_shape_holds_whole_numbers_only(n: Any) -> None:
    with pytest.raises(DTypeError, match="is no whole number, and a ShapeTuple holds nothing else"):
        ShapeTuple([n])


def test_an_adt_has_a_tag() -> None:
    a = ADT(1, [2, "x"])
    assert (a.tag, len(a), a[1]) == (1, 2, "x")
    assert a == ADT(1, [2, "x"])
    assert a != ADT(2, [2, "x"])


@pytest.mark.parametrize(
    "x",
    [Array([1, "a", Array([2])]), Map({"a": 1, 2: Array([3])}), String("x"), ShapeTuple((1, 2)), ADT(1, [2]), Array(), Map()],
)  # fmt: skip
def test_containers_are_pickled(x: Any) -> None:
    y = pickle.loads(pickle.dumps(x))
    assert type(y) is type(x)
    assert y == x
    assert hash(y) == hash(x)
    assert getattr(y, "tag", None) == getattr(x, "tag", None)


def test_text_is_the_value_of_itself() -> None:
    assert String("unroll").value == "unroll" and type(String("unroll").value) is str
