"""Specialisation of strides on programs that fit on a screen, as text."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.ir import IfThenElse, PrimFunc, walk


def copy(
    shape: tuple[int, ...], *strides: Any, vectorize: bool = False
) -> tuple[Any, list[Any], dict[Any, Any]]:
    """B = A * 2, with A of the given strides."""
    A = te.placeholder(shape, name="A")
    B = te.compute(shape, lambda *i: A(*i) * 2.0, name="B")
    s = te.create_schedule(B.op)
    if vectorize:
        s[B].vectorize(s[B].leaf_iter_vars[-1])
    return s, [A, B], {A: te.decl_buffer(shape, name="A", strides=list(strides))}


def after(name: str, s: Any, args: list[Any], binds: Any) -> str:
    trace: list[tuple[str, PrimFunc]] = []
    tewb.lower(s, args, binds=binds, trace=trace)
    lines = dict(trace)[name].script().splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith(("    if ", "    for ")))
    return "\n".join(line[4:] for line in lines[first:])


def changed(s: Any, args: list[Any], binds: Any) -> bool:
    trace: list[tuple[str, PrimFunc]] = []
    tewb.lower(s, args, binds=binds, trace=trace)
    passes = dict(trace)
    assert "specialise_strides" in passes
    return passes["specialise_strides"] is not passes["partition_loops"]


def test_the_body_is_there_twice() -> None:
    s, args, binds = copy((8, 16), te.var("r"), te.var("c"))
    assert after("specialise_strides", s, args, binds) == (
        "if c == 1:\n"
        "    for i0 in range(8):\n"
        "        for i1 in range(16):\n"
        "            B[i0, i1] = A_1[i0, i1] * T.float32(2.0)\n"
        "else:\n"
        "    for i0 in range(8):\n"
        "        for i1 in range(16):\n"
        "            B[i0, i1] = A[i0, i1] * T.float32(2.0)"
    )
    assert 'A_1 = T.Buffer((8, 16), "float32", data=A.data, strides=(r, 1))' in str(
        tewb.lower(s, args, binds=binds)
    )


def test_the_fast_side_loads_vectors() -> None:
    s, args, binds = copy((8, 16), te.var("r"), te.var("c"), vectorize=True)
    assert "A_1[i0, 0:16]" in after("simplify again", s, args, binds)
    code = tewb.build(s, args, binds=binds).get_source("ll0")
    assert code.count("load <16 x float>") == 1 and code.count("store <16 x float>") == 2


def test_one_condition_covers_all_strides() -> None:
    A, B = te.placeholder((8,), name="A"), te.placeholder((8,), name="B")
    C = te.compute((8,), lambda i: A[i] + B[i], name="C")
    a, b = te.var("a"), te.var("b")
    binds = {t: te.decl_buffer((8,), name=t.name, strides=[v]) for t, v in ((A, a), (B, b), (C, a))}
    text = after("specialise_strides", te.create_schedule(C.op), [A, B, C], binds)
    assert text.startswith("if a == 1 and b == 1:\n") and text.count("if ") == 1


def tiles(n: int, m: int, k: int, rows: int = 4) -> tuple[Any, list[Any], dict[Any, Any]]:
    """A product in tiles of registers, of a packed panel and packed rows; A, B and C have any strides."""
    A, B = te.placeholder((n, k), name="A"), te.placeholder((k, m), name="B")
    r = te.reduce_axis((0, k), name="r")
    C = te.compute((n, m), lambda i, j: te.sum(A[i, r] * B[r, j], axis=r), name="C")
    s = te.create_schedule(C.op)
    L = s.cache_write(C, "local")
    P, Q = s.cache_read(B, "global", [L]), s.cache_read(A, "global", [L])
    i, j, ai, li = s[C].tile("i", "j", rows, 8)
    s[C].reorder(j, i, ai, li)
    s[C].unroll(ai)
    s[C].vectorize(li)
    s[L].compute_at(s[C], i)
    outer, inner, step = s[L].leaf_iter_vars
    s[L].reorder(step, outer, inner)
    s[L].unroll(outer)
    s[L].vectorize(inner)
    s[P].compute_at(s[C], j)
    s[Q].compute_at(s[C], j)
    args = [A, B, C]
    strides = {t: [te.var(f"{t.name}.s"), te.var(f"{t.name}.t")] for t in args}
    return s, args, {t: te.decl_buffer(t.shape, name=t.name, strides=own) for t, own in strides.items()}


def test_long_statements_between_packed_panels_are_there_once() -> None:
    lines = [line.strip() for line in after("specialise_strides", *tiles(16, 16, 64)).splitlines()]
    assert sum("C.local[i.c, j.c] +" in line or "A.global[i.outer * 4" in line for line in lines) == 1
    choices = [line for line in lines if line.startswith("if ")]
    assert set(choices) == {"if A.t == 1 and B.t == 1 and C.t == 1:"}
    assert len(choices) == 3  # around the packing of A, that of B, and the stores of C


def test_short_statements_are_there_twice() -> None:
    lines = after("specialise_strides", *tiles(16, 16, 64, rows=1)).splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [
        "if A.t == 1 and B.t == 1 and C.t == 1:",
        "else:",
    ]


@pytest.mark.parametrize("shape", [(16, 16, 64), (13, 11, 64)])
def test_what_stands_once_computes_the_same_for_all_strides(shape: tuple[int, int, int]) -> None:
    n, m, k = shape
    s, args, binds = tiles(*shape)
    kernel = tewb.build(s, args, binds=binds)
    rng = np.random.default_rng(0)
    a, b = rng.random((n, k), "float32"), rng.random((k, m), "float32")
    for turn in itertools.product(
        (np.asarray, np.asfortranarray, lambda x: np.repeat(x, 2, 1)[:, ::2]), repeat=3
    ):
        given = [f(x) for f, x in zip(turn, (a, b, np.zeros((n, m), "float32")), strict=True)]
        kernel(*given)
        np.testing.assert_allclose(given[-1], a @ b, rtol=1e-5)


@pytest.mark.parametrize("last", [1, 3])
def test_constant_innermost_strides_stay_as_they_are(last: int) -> None:
    assert not changed(*copy((8, 16), te.var("r"), last))


def test_a_size_as_innermost_stride_is_no_reason() -> None:
    n = te.var("n")
    A = te.placeholder((n, n), name="A")
    B = te.compute((n, n), lambda i, j: A[i, j] * 2.0, name="B")
    binds = {A: te.decl_buffer((n, n), name="A", strides=[1, n])}
    assert not changed(te.create_schedule(B.op), [A, B], binds)


def test_compact_functions_stay_as_they_are() -> None:
    s, args, _ = copy((8, 16), 16, 1)
    assert not changed(s, args, None)


def test_calls_of_packed_functions_are_not_doubled() -> None:
    A = te.placeholder((8,), name="A")
    E = te.extern((8,), [A], lambda i, o: te.call_packed("test.none", i[0], o[0]), name="E")
    binds = {A: te.decl_buffer((8,), name="A", strides=[te.var("s")])}
    assert not changed(te.create_schedule(E.op), [A, E], binds)


def test_specialisation_can_be_switched_off() -> None:
    s, args, binds = copy((8, 16), te.var("r"), te.var("c"))
    with tewb.PassContext(config={"tewb.specialise_strides": False}):
        f = tewb.lower(s, args, binds=binds)["main"]
    assert not any(isinstance(n, IfThenElse) for n in walk(f.body))
    a, b = np.random.rand(16, 8).astype("float32").T, np.zeros((8, 16), "float32")
    tewb.build(tewb.ir.IRModule({"main": f}))(a, b)
    np.testing.assert_array_equal(b, a * 2)


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("step", [1, 2, -1, 0])
def test_both_sides_compute_the_same(step: int, debug: bool) -> None:
    s, args, binds = copy((8, 16), te.var("r"), te.var("c"), vectorize=True)
    base = np.random.rand(9, 40).astype("float32")
    a = np.lib.stride_tricks.as_strided(base[:, 20:], (8, 16), (160, 4 * step))
    b = np.zeros((8, 16), "float32")
    tewb.build(s, args, binds=binds, debug=debug)(a, b)
    np.testing.assert_array_equal(b, a * 2)
