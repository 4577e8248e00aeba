"""Expressions from text, and the carets below what is none."""

from __future__ import annotations

import ast

import pytest

from tewb.base import DType, ParseError
from tewb.ir import Buffer, Expr, Var, const, script
from tewb.ir.parse_expr import ExpressionParser

i = Var("i.outer", DType("int32"))
x = Var("x", DType("float32"))
A = Buffer("A", DType("float32"), (const(8), const(8)))


def parsed(text: str) -> Expr:
    parser = ExpressionParser(text)
    parser.names.update({"i.outer": i, "x": x, "A": A, "p": Var("p", DType("bool")), "é": x})
    return parser.expr(ast.parse(text, mode="eval").body)


@pytest.mark.parametrize(
    "text",
    [
        "i.outer * 4 + 1",
        "A[i.outer, 0:4]",
        "T.min(i.outer, 3) // 2 % 5",
        "T.truncdiv(i.outer, 3)",
        "T.if_then_else(i.outer < 3 and p, x, T.float32(0.5))",
        'T.Cast("int64", i.outer) - T.int64(-9223372036854775808)',
        "not p or i.outer == 3",
        'T.float32("nan")',
        "T.Select(p, x, x)",
        "A[T.Ramp(i.outer, 2, 4), 0]",
        "T.Broadcast(x, 8)",
        "T.exp(x) * A[0, 0]",
    ],
)
def test_text_comes_back(text: str) -> None:
    assert script(parsed(text)) == text


def test_nothing_is_folded() -> None:
    assert script(parsed("1 + 2 * 3")) == "1 + 2 * 3" and script(parsed("i.outer + 0")) == "i.outer + 0"


def test_names_hold_dots_and_a_buffer_has_its_data() -> None:
    assert parsed("i.outer") is i and parsed("A.data") is A.data


@pytest.mark.parametrize(
    ("text", "said", "caret"),
    [
        ("i.inner + 1", "i.inner is not declared", "^^^^^^^"),
        ("i.outer + x", "the sides of [+] are int32 and float32", "^^^^^^^^^^^"),
        ("A[i.outer]", "A has 2 dimensions, not 1", "^^^^^^^^^^"),
        ("A[x, 0]", "an index of dtype float32", "^"),
        ("open('f')", "open is not a function of the IR", "^^^^^^^^^"),
        ("x if p else x", "Python's IfExp is not part of the IR", "^^^^^^^^^^^^^"),
        ("[1, 2]", "Python's List is not part of the IR", "^^^^^^"),
        ("T.nothing(x)", "there is no function T.nothing", "^^^^^^^^^"),
        ("T.Ramp(i.outer, 1, 99999999)", "a vector of 99999999 lanes", "^^^^^^^^"),
        ("T.int8(300)", "300 is not a constant of int8", "^^^^^^^^^^^"),
        ("i.outer ** 2", "Python's Pow is not an operator of the IR", "^^^^^^^^^^^^"),
        ("i.outer and p", "a condition is bool, not int32", "^^^^^^^^^^^^^"),
    ],
)
def test_what_is_no_expression_is_shown_and_explained(text: str, said: str, caret: str) -> None:
    with pytest.raises(ParseError, match=said) as e:
        parsed(text)
    message, line, marks = e.value.message.splitlines()[:3]
    assert message.startswith("line 1, column ") and line.strip() == text and caret in marks
    assert e.value.hint


def test_a_close_name_is_suggested() -> None:
    with pytest.raises(ParseError) as e:
        parsed("i.oter + 1")
    assert e.value.hint == "did you mean i.outer?"


def test_the_caret_counts_characters_and_not_bytes() -> None:
    with pytest.raises(ParseError) as e:
        parsed("é + aé")
    line, marks = e.value.message.splitlines()[1:3]
    assert marks.index("^") == line.index("aé") and marks.count("^") == 2


def test_what_a_scope_declares_is_forgotten() -> None:
    parser = ExpressionParser("x")
    with parser.scope():
        parser.names["x"] = x
        assert parser.expr(ast.parse("x", mode="eval").body) is x
    with pytest.raises(ParseError, match="x is not declared"):
        parser.expr(ast.parse("x", mode="eval").body)
