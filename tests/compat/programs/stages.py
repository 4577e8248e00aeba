# Several stages: a softmax whose stages are placed in each other, with an axis given as a range.
import numpy as np
import tvm
from tvm import te

m, n = 8, 30
A = te.placeholder((m, n), name="A")
k = te.reduce_axis(tvm.ir.Range.from_min_extent(0, n), name="k")
M = te.compute((m,), lambda i: te.max(A[i, k], axis=k), name="M")
E = te.compute((m, n), lambda i, j: te.exp(A[i, j] - M[i]), name="E")
k2 = te.reduce_axis((0, n), name="k")
S = te.compute((m,), lambda i: te.sum(E[i, k2], axis=k2), name="S")
D = te.compute((m, n), lambda i, j: E[i, j] / S[i], name="D")
s = te.create_schedule([D.op])
for T in (S, E, M):
    s[T].compute_at(s[D], D.op.axis[0])
s[D].parallel(D.op.axis[0])
s[E].vectorize(s[E].split(E.op.axis[1], factor=8)[1])
f = tvm.build(s, [A, D], tvm.target.create("llvm"), name="softmax")
a = np.random.randn(m, n).astype("float32")
d = np.zeros((m, n), "float32")
f(a, d)
e = np.exp(a - a.max(1, keepdims=True))
np.testing.assert_allclose(d, e / e.sum(1, keepdims=True), rtol=1e-4)
assert [t.name for t in D.op.input_tensors] == ["E", "S"]
