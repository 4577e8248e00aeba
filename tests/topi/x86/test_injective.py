"""Injective operators in vectors and threads."""

from __future__ import annotations

import numpy as np
import pytest

from tests.topi.compare import Case, check_schedule, floats, words
from tewb import te, topi
from tewb.topi import x86

SHAPES = [(3, 5), (2, 3, 70), (129,), (), (4, 1)]


@pytest.mark.parametrize("shape", SHAPES)
def test_results_stay(shape: tuple[int, ...]) -> None:
    v = floats(*shape)
    check_schedule(
        x86.schedule_injective, Case(lambda t: topi.nn.relu(topi.add(t, t)), lambda v: (v + v).clip(0), (v,))
    )


def test_transposed_tiles_and_joined_tensors() -> None:
    a, b = floats(67, 130), floats(3, 5)
    check_schedule(x86.schedule_injective, Case(topi.transpose, np.transpose, (a,)))
    joined = Case(lambda *t: topi.concatenate(t, 1), lambda *v: np.concatenate(v, 1), (b, floats(3, 9), b))
    check_schedule(x86.schedule_concatenate, joined)


def test_two_outputs() -> None:
    case = Case(lambda t: [topi.exp(t), topi.negative(t)], lambda v: [np.exp(v), -v], (floats(3, 5),))
    check_schedule(x86.schedule_injective, case)


def test_large_results_are_vectors_threads_and_go_past_the_caches() -> None:
    small, large = te.placeholder((8, 8), name="A"), te.placeholder((2048, 2048), name="A")
    assert words(x86.schedule_injective(topi.exp(small))) == {"vectorize"}
    assert {"vectorize", "parallel", "nontemporal"} <= words(x86.schedule_injective(topi.exp(large)))
    assert "transpose" in words(x86.schedule_injective(topi.transpose(large)))


def test_symbolic_sizes() -> None:
    n = te.var("n")
    A = te.placeholder((n, 3), name="A")
    assert {"vectorize", "parallel"} <= words(x86.schedule_injective(topi.exp(A)))
