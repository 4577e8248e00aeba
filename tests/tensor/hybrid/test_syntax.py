"""What a syntax tree says without any meaning: names that are set, subscripts, slices."""

from __future__ import annotations

import ast

import pytest

from tests.tensor.hybrid.translate import parsed
from tewb.tensor.hybrid.syntax import element_load, has_slice, set_names, subscripts, written_names

BODY = ast.parse("""
x = y = 0
x += 1
for i, (j, k) in pairs:
    a[i][j] = b[k]
    z[0] += x
if x:
    w = 3
t.shape = 4
""").body


def test_how_often_names_are_set() -> None:
    assert set_names(BODY) == {"x": 3, "y": 1, "i": 1, "j": 1, "k": 1, "w": 1}


def test_names_whose_elements_are_set_are_written_too() -> None:
    assert written_names(BODY) == {"x", "y", "i", "j", "k", "w", "a", "z"}
    assert set_names([]) == {} and written_names([]) == set()


@pytest.mark.parametrize(
    ("text", "parts", "sliced"),
    [
        ("a[i]", ["i"], False),
        ("a[i, j + 1]", ["i", "j + 1"], False),
        ("a[1:n, 0]", ["1:n", "0"], True),
        ("a[:]", [":"], True),
        ("a[()]", [], False),
    ],
)
def test_subscripts(text: str, parts: list[str], sliced: bool) -> None:
    node = parsed(text)
    assert isinstance(node, ast.Subscript)
    assert [ast.unparse(p) for p in subscripts(node)] == parts and has_slice(node) is sliced


@pytest.mark.parametrize("text", ["x = 1", "a[i, 0] = 1"])
def test_a_target_is_read_where_it_stands(text: str) -> None:
    (assign,) = ast.parse(text).body
    assert isinstance(assign, ast.Assign)
    load = element_load(assign.targets[0])
    assert isinstance(load.ctx, ast.Load) and ast.unparse(load) == text.split(" =")[0]  # type: ignore[attr-defined]
    assert (load.lineno, load.col_offset) == (1, 0)
