"""Parts that run past the end of a stage: what they read, and the stages inside of them."""

from __future__ import annotations

import pytest

import tewb
from tests.programs import assert_same_result, lower_all
from tests.schedule.test_rounded_tails import chain
from tewb import te
from tewb.base import LowerError


def test_padded_memory_is_read_without_a_guard_and_inputs_with_one() -> None:
    A, B = chain(4, 43)
    s = te.create_schedule(B.op)
    for name in ("T", "U"):
        _, inner = s[name].split("j", 8, tail="round_up")
        s[name].vectorize(inner)
    text = str(lower_all(s))
    assert text.count('T.allocate((4, 48), "float32")') == 2
    assert (
        text.count("likely") == 1
        and "T.if_then_else(T.likely(T.Ramp(0, 1, 8) < T.Broadcast(3, 8)), A[i, 40:48]" in text
    )
    assert_same_result(s, [A], [B], debug=True)


def test_pieces_past_the_edge_of_a_tensor_are_whole() -> None:
    A, B = chain(4, 43)
    s = te.create_schedule(B.op)
    outer, inner = s["B"].split("j", 8)
    s["B"].vectorize(inner)
    for name in ("T", "U"):
        s[name].compute_at(s["B"], outer)
        s[name].vectorize(s[name].split("j", 8, tail="round_up")[1])
    text = str(lower_all(s))
    assert "if T.likely" not in text
    whole = "U[0, 0:8] = T[0, 0:8] - T.Broadcast(T.float32(2.0), 8)"
    assert text.count(whole) == 2  # in the parts that are whole, and in the last
    assert_same_result(s, [A], [B], debug=True)


def test_an_accumulator_is_a_whole_tile_at_the_edge() -> None:
    A, P = te.placeholder((9, 5), name="A"), te.placeholder((5, 21), name="P")
    Q = te.compute((5, 21), lambda k, j: P[k, j], name="Q")
    k = te.reduce_axis((0, 5), "k")
    C = te.compute((9, 21), lambda i, j: te.sum(A[i, k] * Q[k, j], k), name="C")
    s = te.create_schedule(C.op)
    local = s.cache_write(C, "local")
    outer, inner = s[C].split("j", 8)
    s[C].vectorize(inner)
    s[local].compute_at(s[C], outer)
    _, lanes = s[local].split("j.c", 8, tail="round_up")
    s[local].reorder("k", lanes)
    s[local].vectorize(lanes)
    s[Q].vectorize(s[Q].split("j", 8, tail="round_up")[1])
    text = str(lower_all(s))
    assert text.count("likely") == 1 and "if T.likely" not in text  # where Q reads P
    assert_same_result(s, [A, P], [C], debug=True)


def test_an_extern_in_a_part_past_the_end_is_refused() -> None:
    A = te.placeholder((43,), name="A")
    E = te.extern(
        (43,), [A], lambda i, o: tewb.tir.call_packed("f", i[0], o[0]), name="E", access=te.access.elementwise
    )
    T = te.compute((43,), lambda i: E[i] + 1, name="T")
    B = te.compute((43,), lambda i: T[i] * 2, name="B")
    s = te.create_schedule(B.op)
    outer, _ = s[T].split("i", 8, tail="round_up")
    s[E].compute_at(s[T], outer)
    with pytest.raises(
        LowerError, match="E, which is computed in its loops, is made by code that sees a part of memory"
    ):
        tewb.lower(s, [A, B])
