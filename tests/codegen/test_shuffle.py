"""Shuffles as machine code, on text, beside numpy and the interpreter of the workbench."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import tewb
from tewb.base import DType
from tewb.ir import IRModule, PrimFunc, parse
from tewb.workbench.trace.interpreter import IRInterpreter

TEXT = """
@T.prim_func
def main(A: T.Buffer((64,), "{dtype}"), B: T.Buffer(({count},), "{dtype}")):
    T.func_attr({{"outputs": ["B"]}})
    B[{place}] = T.Shuffle([{vectors}], {lanes})
"""


def function(dtype: str, vectors: list[tuple[int, int]], lanes: list[int]) -> PrimFunc:
    """Vectors, each of which begins somewhere in A and has some lanes."""
    given = ", ".join(f"A[{at}:{at + n}]" if n > 1 else f"A[{at}]" for at, n in vectors)
    place = f"0:{len(lanes)}" if len(lanes) > 1 else "0"
    made = parse(TEXT.format(dtype=dtype, count=len(lanes), place=place, vectors=given, lanes=lanes))
    assert isinstance(made, PrimFunc)
    return made


def expected(a: Any, vectors: list[tuple[int, int]], lanes: list[int]) -> Any:
    return np.concatenate([a[at : at + n] for at, n in vectors])[lanes]


@pytest.mark.parametrize("seed", range(40))
def test_lanes_of_any_vectors(seed: int) -> None:
    rng = random.Random(seed)
    dtype = rng.choice(["float32", "float64", "int8", "uint16", "int64", "bool"])
    vectors = [(rng.randint(0, 30), rng.choice([1, 2, 3, 4, 8, 16])) for _ in range(rng.randint(1, 6))]
    total = sum(n for _, n in vectors)
    lanes = [rng.randrange(total) for _ in range(rng.choice([1, 2, 3, 4, 8, 16]))]
    a = np.random.default_rng(seed).integers(0, 2 if dtype == "bool" else 100, 64).astype(dtype)
    f = function(dtype, vectors, lanes)
    b = np.zeros(len(lanes), dtype)
    tewb.build(IRModule({"main": f}), debug=seed % 3 == 0)(a, b)
    np.testing.assert_array_equal(b, expected(a, vectors, lanes))


@pytest.mark.parametrize("vectors", [[(0, 4)], [(0, 4), (8, 4)], [(3, 1), (5, 1)], [(0, 4), (9, 1), (16, 2)]])
def test_the_interpreter_agrees(vectors: list[tuple[int, int]]) -> None:
    total = sum(n for _, n in vectors)
    lanes = [total - 1, 0, total // 2]
    f = function("float32", vectors, lanes)
    a, b = np.random.rand(64).astype("float32"), np.zeros(3, "float32")
    A, B = f.params
    IRInterpreter({A.data: a, B.data: b}, {}, lambda *_: None).run(f.body)  # type: ignore[union-attr]
    np.testing.assert_array_equal(b, expected(a, vectors, lanes))


def test_a_choice_from_lane_to_lane_between_shuffles() -> None:
    """Both sides load, so the lanes that are not chosen must be safe: one by one, through the shuffle."""
    text = """
@T.prim_func
def main(A: T.Buffer((8,), "float32"), B: T.Buffer((4,), "float32")):
    T.func_attr({"outputs": ["B"]})
    B[0:4] = T.if_then_else(T.Ramp(0, 1, 4) < T.Broadcast(2, 4), T.Shuffle([A[0:4], A[4:8]], [7, 0, 6, 1]), A[4:8])
"""
    f = parse(text)
    assert isinstance(f, PrimFunc)
    a, b = np.arange(8, dtype="float32"), np.zeros(4, "float32")
    tewb.build(IRModule({"main": f}))(a, b)
    np.testing.assert_array_equal(b, [7, 0, 6, 7])


def test_a_shuffle_is_one_instruction() -> None:
    f = function("float32", [(0, 8), (8, 8)], [0, 8, 1, 9, 4, 12, 5, 13])
    source = tewb.build(IRModule({"main": f})).get_source("ll")
    assert source.count("shufflevector") == 1
    assert f.script().count("T.Shuffle") == 1 and DType("float32x8") is not None
