# Packed functions of Python in the middle of a kernel, by the names of v0.5 and later ones.
import numpy as np
import tvm
from tvm import te


@tvm.register_func("tests.programs.twice")
def twice(x, y):
    assert isinstance(x, tvm.nd.NDArray)
    tvm.nd.array(x.asnumpy() * 2).copyto(y)


tvm.register_func("tests.programs.sorted", lambda x, y: y.copyfrom(np.sort(x.asnumpy())), override=True)

A = te.placeholder((6,), name="A")
B = tvm.extern(A.shape, [A], lambda ins, outs: tvm.call_packed("tests.programs.twice", ins[0], outs[0]), name="B")
C = te.extern(
    A.shape, [B], lambda ins, outs: tvm.tir.call_packed("tests.programs.sorted", ins[0], outs[0]), name="C", dtype="float32"
)
D = te.compute(A.shape, lambda i: C[i] + 1.0, name="D")
f = tvm.build(te.create_schedule(D.op), [A, D], "llvm")
a = tvm.nd.array(np.random.rand(6).astype("float32"))
d = tvm.nd.empty((6,), "float32")
f(a, d)
np.testing.assert_allclose(d.asnumpy(), np.sort(a.asnumpy() * 2) + 1)
assert tvm.get_global_func("tests.programs.twice") is not None
assert tvm.get_global_func("tests.programs.unheard", allow_missing=True) is None
