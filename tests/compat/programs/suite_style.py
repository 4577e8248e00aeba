# Tests as suites of TVM write them, run by their own main.
import numpy as np
import pytest
import tvm
import tvm.testing
from tvm import te
from tvm.topi.utils import get_const_tuple


def run_unary(fte, fnp, shape):
    A = te.placeholder(shape, name="A")
    B = te.compute(A.shape, lambda *i: fte(A(*i)), name="B")
    assert get_const_tuple(B.shape) == shape
    assert int(B.shape[0]) == shape[0] and A.op.name == "A" and B.op.input_tensors[0].same_as(A)
    f = tvm.build(te.create_schedule(B.op), [A, B], "llvm")
    a = np.random.uniform(0.1, 2, shape).astype("float32")
    b = tvm.nd.array(np.zeros(shape, "float32"))
    f(tvm.nd.array(a), b)
    tvm.testing.assert_allclose(b.numpy(), fnp(a), rtol=1e-5)


def test_unary():
    for fte, fnp in [(te.exp, np.exp), (te.sqrt, np.sqrt), (te.tanh, np.tanh), (te.log, np.log)]:
        run_unary(fte, fnp, (3, 5))


def test_a_mistake_is_a_tvm_error():
    with pytest.raises(tvm.TVMError):
        A = te.placeholder((4,), name="A")
        B = te.compute((4,), lambda i: A[i] + 1.0, name="B")
        s = te.create_schedule(B.op)
        s[B].split(B.op.axis[0], 2)
        s[B].split(B.op.axis[0], 2)


def test_expressions():
    x = te.var("x")
    y = te.var("y", dtype="int32")
    assert isinstance(x + y, tvm.tir.Add) and (x + y).dtype == "int32"
    with pytest.raises((ValueError, TypeError, tvm.TVMError)):
        if x < y:
            pass
    assert bool(tvm.tir.const(3, "int32") == 3)


if __name__ == "__main__":
    test_unary()
    test_a_mistake_is_a_tvm_error()
    test_expressions()
