# The first program of v0.5, with a host, a context and asnumpy.
from __future__ import absolute_import, print_function

import numpy as np
import tvm

tgt_host = "llvm"
tgt = "llvm"

n = tvm.var("n")
A = tvm.placeholder((n,), name="A")
B = tvm.placeholder((n,), name="B")
C = tvm.compute(A.shape, lambda i: A[i] + B[i], name="C")
print(type(C))

s = tvm.create_schedule(C.op)
bx, tx = s[C].split(C.op.axis[0], factor=64)
if tgt == "cuda" or tgt.startswith("opencl"):
    s[C].bind(bx, tvm.thread_axis("blockIdx.x"))
    s[C].bind(tx, tvm.thread_axis("threadIdx.x"))

fadd = tvm.build(s, [A, B, C], tgt, target_host=tgt_host, name="myadd")
ctx = tvm.context(tgt, 0)
m = 1024
a = tvm.nd.array(np.random.uniform(size=m).astype(A.dtype), ctx)
b = tvm.nd.array(np.random.uniform(size=m).astype(B.dtype), ctx)
c = tvm.nd.array(np.zeros(m, dtype=C.dtype), ctx)
fadd(a, b, c)
np.testing.assert_allclose(c.asnumpy(), a.asnumpy() + b.asnumpy())
assert fadd.entry_name == "myadd"
