"""The user's names in Python text: literals that mean them, identifiers that are free, one line each."""

from __future__ import annotations

import ast
import keyword

import pytest

from tewb.base import comment, fresh_identifier, identifier, literal, printable, unique_name

NAMES = ["x", "", "a b", 'a"b\\', "a\nb\0", "\u2028", "\ud800", "\ufb01x", "\u00b2", "3", "lambda", "名"]


@pytest.mark.parametrize("name", NAMES)
def test_a_literal_means_its_text(name: str) -> None:
    text = literal(name)
    assert text.isprintable() and ast.literal_eval(text) == name


@pytest.mark.parametrize("name", NAMES)
def test_a_comment_is_one_line_that_python_skips(name: str) -> None:
    assert comment(name).isprintable() and not ast.parse(comment(name)).body


@pytest.mark.parametrize("name", NAMES)
def test_identifiers_are_read_back_as_they_are(name: str) -> None:
    fresh = fresh_identifier(name)
    (line,) = ast.parse(f"{fresh} = 1").body
    assert isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == fresh
    assert identifier(name).isidentifier() and not keyword.iskeyword(fresh)


def test_identifiers_keep_what_they_can() -> None:
    named = {"a b": "a_b", "i.outer": "i_outer", "3": "_3", "": "v", "名": "名", "\ufb01": "fi", "²": "_2"}
    assert {n: identifier(n) for n in named} == named
    assert identifier("lambda") == "lambda"


def test_fresh_identifiers_avoid_reserved_and_taken_ones() -> None:
    assert fresh_identifier("range") == "range_1" and fresh_identifier("tewb") == "tewb_1"
    assert fresh_identifier("a b", {"a_b"}, {"a_b_1": 0}) == "a_b_2"


def test_printable_text_is_the_same_object() -> None:
    text = "printable"
    assert printable(text) is text and printable("a\tb\n") == "a\\tb\\n"


def test_unique_names_count_from_one() -> None:
    taken = {"x", "x_1", "x.1"}
    assert [unique_name(n, taken.__contains__) for n in ("y", "x", "x_1")] == ["y", "x_2", "x_1_1"]
    assert unique_name("x", taken.__contains__, ".") == "x.2"
