"""Layouts, and the way of shapes and indices from one to another."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te, tir
from tewb.base import ShapeError
from tewb.topi.utils import get_const_tuple

tvm: Any = tewb


def test_a_layout_knows_its_axes() -> None:
    layout = tir.layout("NCHW16c")
    assert isinstance(layout, tir.Layout) and tvm.tir.data_layout.Layout is tir.Layout
    assert [layout.factor_of(a) for a in "cCNO"] == [16, 16, -1, -1]
    assert [layout.index_of(a) for a in "NCHWcO"] == [0, 1, 2, 3, 4, -1]
    assert "c" in layout and "O" not in layout and "o" not in layout
    assert (len(layout), layout[0], layout[4], layout[-1], list(layout)) == (5, "N", "c", "c", [*"NCHWc"])
    assert str(layout) == "NCHW16c" and repr(layout) == "Layout(NCHW16c)"
    assert (
        layout == tir.layout("NCHW16c") != tir.layout("NCHW8c") and len({layout, tir.layout("NCHW16c")}) == 1
    )
    assert len(tir.layout("__undef__")) == len(tir.layout("")) == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("NCHWc", "'NCHWc' is no layout: it is made of capital letters, and small ones with a size"),
        ("NC16HW", "is no layout: it is made of"),
        ("NCHW0c", "is no layout: it is made of"),
        ("NCHWC", "C stands in it twice"),
        ("NCHW8c4c", "c stands in it twice"),
        ("NHW16c", "c is a part of C, which is not in it"),
        (7, "a layout is a text, not 7"),
    ],
)
def test_texts_that_are_no_layouts(text: Any, said: str) -> None:
    with pytest.raises(ShapeError, match=said):
        tir.layout(text)


@pytest.mark.parametrize(
    ("source", "target"),
    [("NCHW", "ABCD"), ("__undef__", "NCHW"), ("NCHW", "__undef__"), ("", "NCHW"), ("NCHW", ""), ("", ""), ("NCHW", "NCH")],
)  # fmt: skip
def test_other_dimensions_have_no_way_between_them(source: str, target: str) -> None:
    assert tir.bijective_layout(source, target) is None


def test_shapes_and_indices_go_there_and_back() -> None:
    way = tir.bijective_layout("NCHW", "NCHW16c")
    assert isinstance(way, tir.BijectiveLayout) and repr(way) == "BijectiveLayout(NCHW->NCHW16c)"
    assert get_const_tuple(way.forward_shape((1, 32, 7, 7))) == (1, 2, 7, 7, 16)
    assert get_const_tuple(way.backward_shape((1, 2, 7, 7, 16))) == (1, 32, 7, 7)
    assert get_const_tuple(way.forward_index([0, 18, 6, 6])) == (0, 1, 6, 6, 2)
    assert get_const_tuple(way.backward_index([0, 1, 6, 6, 2])) == (0, 18, 6, 6)
    n, c = te.var("n"), te.var("c")
    assert [str(e) for e in way.forward_index([n, c, 0, 0])] == ["n", "c // 16", "0", "0", "c % 16"]
    assert [str(e) for e in way.forward_shape([n, c * 16, 3, 3])] == ["n", "c", "3", "3", "16"]


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (
            lambda w: w.forward_shape((1, 30, 7, 7)),
            "30 elements are no multiple of 16, as layout NCHW16c splits",
        ),
        (lambda w: w.backward_shape((1, 2, 7, 7, 8)), "dimension c of layout NCHW16c has 16 elements, not 8"),
        (
            lambda w: w.forward_shape((1, 32, 7)),
            "a shape of 3 values does not fit layout NCHW, which has 4 axes",
        ),
        (lambda w: w.backward_index((1, 32, 7, 7)), "an index of 4 values does not fit layout NCHW16c"),
    ],
)
def test_what_does_not_fit_is_refused(ask: Any, said: str) -> None:
    with pytest.raises(ShapeError, match=said):
        ask(tir.bijective_layout("NCHW", "NCHW16c"))


def test_random_ways_move_each_element_once() -> None:
    r = random.Random(2)
    for _ in range(25):
        letters = r.sample("NCHW", r.randint(1, 3))

        def text(letters: list[str] = letters) -> str:
            axes = letters + [f"{r.choice([1, 2, 4])}{a.lower()}" for a in letters if r.random() < 0.5]
            return "".join(r.sample(axes, len(axes)))

        source, target = text(), text()
        way = tir.bijective_layout(source, target)
        assert way is not None
        sizes = {a: r.choice([4, 8]) for a in letters}
        inner = way.src_layout.factors
        shape = [
            inner[a] if a.islower() else sizes[a] // inner.get(a.lower(), 1) for a in way.src_layout.axes
        ]
        moved = get_const_tuple(way.forward_shape(shape))
        assert get_const_tuple(way.backward_shape(moved)) == tuple(shape)
        seen = np.zeros(moved, bool)
        for index in np.ndindex(*shape):
            there = get_const_tuple(way.forward_index(index))
            assert get_const_tuple(way.backward_index(there)) == index
            assert not seen[there]
            seen[there] = True
        assert seen.all()


def test_a_layout_lays_out_a_tensor_anew() -> None:
    way = tir.bijective_layout("NCHW", "NCHW4c")
    A = te.placeholder((2, 8, 3, 3), name="A")
    B = te.compute(way.forward_shape(A.shape), lambda *i: A[way.backward_index(i)], name="B")
    a = np.random.default_rng(0).random((2, 8, 3, 3), "float32")
    got = np.zeros((2, 2, 3, 3, 4), "float32")
    tewb.build(te.create_schedule(B.op), [A, B])(a, got)
    np.testing.assert_array_equal(got, a.reshape(2, 2, 4, 3, 3).transpose(0, 1, 3, 4, 2))
