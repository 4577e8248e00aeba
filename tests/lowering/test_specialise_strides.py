"""Specialisation of strides on programs that fit on a screen, as text."""

from __future__ import annotations

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
