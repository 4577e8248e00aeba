# Sums of rows: split, factored, with a reducer of its own, and with a condition.
import numpy as np
import tvm
from tvm import te

n, m = 12, 40
A = te.placeholder((n, m), name="A")
k = te.reduce_axis((0, m), "k")
B = te.compute((n,), lambda i: te.sum(A[i, k], axis=k), name="B")
x = np.random.rand(n, m).astype("float32")


def run(s, args):
    out = tvm.nd.array(np.zeros(n, "float32"))
    tvm.build(s, args)(tvm.nd.array(x), out)
    return out.numpy()


s = te.create_schedule(B.op)
ko, ki = s[B].split(B.op.reduce_axis[0], factor=8)
xo, xi = s[B].split(B.op.axis[0], factor=4)
s[B].reorder(xo, ko, xi, ki)
np.testing.assert_allclose(run(s, [A, B]), x.sum(axis=1), rtol=1e-5)

s = te.create_schedule(B.op)
ko, ki = s[B].split(B.op.reduce_axis[0], factor=8)
BF = s.rfactor(B, ki)
assert s[B].op.body[0].axis[0] is s[B].op.reduce_axis[0]
np.testing.assert_allclose(run(s, [A, B]), x.sum(axis=1), rtol=1e-5)

product = te.comm_reducer(lambda x, y: x * y, lambda t: tvm.tir.const(1, dtype=t), name="product")
k = te.reduce_axis((0, m), name="k")
P = te.compute((n,), lambda i: product(A[i, k], axis=k), name="P")
np.testing.assert_allclose(run(te.create_schedule(P.op), [A, P]), x.prod(axis=1), rtol=1e-4)

k = te.reduce_axis((0, m), name="k")
Q = te.compute((n,), lambda i: te.sum(A[i, k], axis=k, where=tvm.te.any(k < 5, k >= 30)), name="Q")
np.testing.assert_allclose(run(te.create_schedule(Q.op), [A, Q]), x[:, :5].sum(1) + x[:, 30:].sum(1), rtol=1e-5)
