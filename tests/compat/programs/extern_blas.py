# A product by BLAS, and a bias added by a compute after it.
import numpy as np
import tvm
from tvm import te
from tvm.contrib import cblas

n, l, m = 16, 8, 12
bias = te.var("bias", dtype="float32")
A = te.placeholder((n, l), name="A")
B = te.placeholder((l, m), name="B")
C = cblas.matmul(A, B)
D = te.compute(C.shape, lambda i, j: C[i, j] + bias, name="D")
s = te.create_schedule(D.op)
f = tvm.build(s, [A, B, D, bias], "llvm")
a, b = np.random.rand(n, l).astype("float32"), np.random.rand(l, m).astype("float32")
d = tvm.nd.array(np.zeros((n, m), dtype="float32"))
f(tvm.nd.array(a), tvm.nd.array(b), d, 10.0)
np.testing.assert_allclose(d.numpy(), a @ b + 10, rtol=1e-4)
