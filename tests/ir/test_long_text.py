"""Which expressions are too long for one piece of text, and which parts of them get names."""

from __future__ import annotations

import itertools

from tewb.base import DType
from tewb.ir import Expr, Let, Var, ops, walk
from tewb.ir.long_text import CHAIN, NESTED, PAGE, SHARED, is_long, subexpressions_to_name

i, j = Var("i", DType("int32")), Var("j", DType("int32"))


def chain(operators: int) -> Expr:
    """i - j - j - ..."""
    e: Expr = i
    for _ in range(operators):
        e = ops.sub(e, j)
    return e


def nest(levels: int) -> Expr:
    """j - (j - (j - ...))"""
    e: Expr = i
    for _ in range(levels):
        e = ops.sub(j, e)
    return e


def power(times: int) -> Expr:
    e: Expr = i
    for _ in range(times):
        e = ops.mul(e, e)
    return e


def test_a_page_is_not_long_and_more_is() -> None:
    assert not is_long([chain(PAGE // 2 - 1)]) and is_long([chain(PAGE // 2 + 1)])
    assert not is_long([]) and not is_long([i])


def test_brackets_in_brackets_are_long() -> None:
    assert not is_long([nest(NESTED)]) and is_long([nest(NESTED + 1)])
    assert is_long([chain(NESTED + 1)], bracketed=True) and not is_long([chain(NESTED + 1)])


def test_shared_parts_count_as_often_as_they_are_written() -> None:
    assert not is_long([power(5)]) and is_long([power(12)])


def test_parts_that_are_used_twice_get_names_if_they_are_not_short() -> None:
    long, short = chain(SHARED), i + j
    assert subexpressions_to_name([ops.mul(long, long)]) == [long]
    assert subexpressions_to_name([ops.mul(short, short)]) == []
    assert subexpressions_to_name([long, long]) == []  # one expression, given twice
    named = subexpressions_to_name([power(64)])
    assert named and len(named) < 64


def test_deep_parts_get_names_innermost_first() -> None:
    named = subexpressions_to_name([nest(3 * NESTED)])
    assert len(named) >= 2
    for inner, outer in itertools.pairwise(named):
        assert any(n is inner for n in walk(outer))
    assert subexpressions_to_name([chain(CHAIN - 2)]) == [] and subexpressions_to_name([chain(CHAIN + 1)])


def test_what_uses_a_name_of_the_expression_itself_gets_none() -> None:
    t = Var("t", i.dtype)
    inside: Expr = t
    for _ in range(SHARED):
        inside = ops.sub(inside, j)
    e = Let(t, i, ops.mul(inside, inside), i.dtype)
    assert subexpressions_to_name([e]) == []
