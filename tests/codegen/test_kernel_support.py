"""Services are compiled once, and kernels call them: memory for intermediates, and failing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import BoundError
from tewb.codegen import kernel_support
from tewb.runtime import register_native


def through_memory(n: int) -> tuple[Any, list[Any]]:
    """A program whose intermediate is too large for the stack."""
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    C = te.compute((n,), lambda i: B[n - 1 - i] * 2.0, name="C")
    return te.create_schedule(C.op), [A, C]


def test_kernels_share_the_code_of_services() -> None:
    register_native()  # from now on the services call the same functions of the runtime
    tewb.build(*through_memory(99_999))(np.zeros(99_999, "float32"))
    made = kernel_support._load_support.cache_info().currsize
    for n in (100_000, 200_000):
        kernel = tewb.build(*through_memory(n))
        assert "@tewb.alloc" in kernel.get_source("ll0")
        assert "define ptr @tewb.alloc" not in kernel.get_source("ll0")
        a = np.arange(n, dtype="float32")
        np.testing.assert_array_equal(kernel(a), (a[::-1] + 1) * 2)
    assert kernel_support._load_support.cache_info().currsize == made


def test_a_kernel_without_intermediates_calls_no_service() -> None:
    A = te.placeholder((8,), name="A")
    B = te.compute((8,), lambda i: A[i] + 1.0, name="B")
    source = tewb.build(te.create_schedule(B.op), [A, B]).get_source("ll")
    assert "tewb." not in source.replace("tewb.ir", "")


def test_a_failing_access_is_explained_by_the_service() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((4,), lambda i: A[i + 5], name="B")
    kernel = tewb.build(te.create_schedule(B.op), [A, B], debug=True)
    with pytest.raises(BoundError, match="A"):
        kernel(np.zeros(6, "float32"), np.zeros(4, "float32"))
