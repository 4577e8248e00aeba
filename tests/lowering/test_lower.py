"""From a schedule and its arguments to a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import LowerError
from tewb.ir import Allocate, walk
from tewb.tensor import Tensor


def test_classic_code_runs_after_one_import() -> None:
    import tewb as tvm

    n = tvm.te.var("n")
    A = tvm.te.placeholder((n,), name="A")
    B = tvm.te.compute(A.shape, lambda *i: A(*i) * 2.0, name="B")
    s = tvm.te.create_schedule(B.op)
    xo, xi = s[B].split(B.op.axis[0], factor=8)
    s[B].parallel(xo)
    s[B].vectorize(xi)
    f = tvm.build(s, [A, B], target="llvm", name="double")
    dev = tvm.cpu(0)
    a, b = tvm.nd.array([1.0, 2.0, 3.0], dev), tvm.nd.empty((3,))
    f(a, b)
    assert b.numpy().tolist() == [2.0, 4.0, 6.0]
    assert f.time_evaluator(f.entry_name, dev, number=2)(a, b).mean > 0
    with pytest.raises(tvm.TVMError):
        s[B].split(B.op.axis[0], factor=2)


def test_a_tensor_that_is_both_kept_and_read() -> None:
    A = te.placeholder((6,), name="A")
    B = te.compute((6,), lambda i: A[i] + 1.0, name="B")
    C = te.compute((6,), lambda i: B[i] * 2.0, name="C")
    f = tewb.lower(te.create_schedule(C.op), [A, B, C])["main"]
    assert f.outputs == (1, 2)
    assert not any(isinstance(n, Allocate) for n in walk(f.body))


@tewb.register_func("test_lower.one_more", override=True)
def one_more(a: Any, b: Any) -> None:
    b[...] = a + 1


@te.hybrid.script
def one_more_in_loops(a):  # type: ignore[no-untyped-def]
    b = output_tensor(a.shape, "float32")  # type: ignore[name-defined]  # noqa: F821
    for i in range(a.shape[0]):
        b[i] = a[i] + 1.0
    return b


def by_call(A: Tensor, access: Any) -> Any:
    return te.extern(
        (10,), [A], lambda i, o: te.call_packed("test_lower.one_more", i[0], o[0]), name="B", access=access
    )


INTERMEDIATES: list[Callable[[Tensor], Any]] = [
    lambda A: te.compute((10,), lambda i: A[i] + 1.0, name="B"),
    lambda A: te.compute((10,), lambda i: (A[i] + 1.0, A[i]), name="B")[0],
    lambda A: by_call(A, te.access.elementwise),
    lambda A: by_call(A, te.access.whole),
    one_more_in_loops,
]


@pytest.mark.parametrize("intermediate", INTERMEDIATES)
@pytest.mark.parametrize("read", [lambda i: i + 2, lambda i: 2 * i])
def test_an_intermediate_among_the_arguments_is_whole(
    intermediate: Callable[[Tensor], Any], read: Callable[[Any], Any]
) -> None:
    A = te.placeholder((10,), name="A")
    B = intermediate(A)
    C = te.compute((5,), lambda i: B[read(i)] * 2.0, name="C")
    a, b, c = np.arange(10, dtype="float32"), np.full(10, -9, "float32"), np.zeros(5, "float32")
    tewb.build(te.create_schedule(C.op), [A, B, C])(a, b, c)
    assert b.tolist() == (a + 1).tolist()
    assert c.tolist() == [2 * (a[read(i)] + 1) for i in range(5)]


def test_what_makes_a_whole_argument_is_whole_too() -> None:
    A = te.placeholder((10,), name="A")
    B = te.compute((10,), lambda i: A[i] + 1.0, name="B")
    C = te.compute((5,), lambda i: B[i + 2] * 2.0, name="C")
    s = te.create_schedule(C.op)
    s.cache_write(B, "local")
    b = np.full(10, -9, "float32")
    tewb.build(s, [A, B, C])(np.arange(10, dtype="float32"), b, np.zeros(5, "float32"))
    assert b.tolist() == list(range(1, 11))


@pytest.mark.parametrize("intermediate", INTERMEDIATES[:3])
def test_an_argument_that_is_computed_where_not_all_of_it_is_needed(
    intermediate: Callable[[Tensor], Any],
) -> None:
    A = te.placeholder((10,), name="A")
    B = intermediate(A)
    C = te.compute((5,), lambda i: B[i + 2] * 2.0, name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], C.op.axis[0])
    with pytest.raises(
        LowerError, match="argument, and it is computed at loop i of C, which does not need all of it"
    ) as e:
        tewb.build(s, [A, B, C])
    assert "compute_root()" in str(e.value)
    tewb.lower(s, [A, C])


def test_an_argument_that_is_computed_in_tiles_of_which_all_are_needed() -> None:
    A = te.placeholder((10,), name="A")
    B = te.compute((10,), lambda i: A[i] + 1.0, name="B")
    C = te.compute((10,), lambda i: B[9 - i] * 2.0, name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], s[C].split(C.op.axis[0], 4)[0])
    b = np.full(10, -9, "float32")
    tewb.build(s, [A, B, C])(np.arange(10, dtype="float32"), b, np.zeros(10, "float32"))
    assert b.tolist() == list(range(1, 11))
