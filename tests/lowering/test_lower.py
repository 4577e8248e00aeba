"""From a schedule and its arguments to a function."""

from __future__ import annotations

import pytest

import tewb
from tewb import te
from tewb.ir import Allocate, walk


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
