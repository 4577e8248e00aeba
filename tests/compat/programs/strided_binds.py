# Arrays that lie with strides, bound to declared buffers; v0.5 and later names, an operation built without a schedule.
import numpy as np
import tvm
from tvm import te

n, m = 6, 5
A = te.placeholder((n, m), name="A")
B = te.compute((n, m), lambda i, j: A[i, j] + 1.0, name="B")
Ab = tvm.decl_buffer(A.shape, A.dtype, name="A", strides=[tvm.var("s0"), tvm.var("s1")])
Bb = tvm.tir.decl_buffer(B.shape, B.dtype, name="B", strides=[te.var("t0"), te.var("t1")])
x = np.arange(n * m * 4, dtype="float32").reshape(n * 2, m * 2)
for build in (
    lambda: tvm.build(B.op, [A, B], binds={A: Ab, B: Bb}),
    lambda: tvm.build(te.create_schedule(B.op), [A, B], "llvm", "llvm", "plus_one", {A: Ab, B: Bb}),
    lambda: tvm.build(tvm.create_schedule([B.op]), [A, B], target="llvm", target_host=None, name="f", binds={A: Ab, B: Bb}),
):
    out = np.zeros((m, n), "float32")
    build()(x[::2, ::2], out.T)
    np.testing.assert_array_equal(out.T, x[::2, ::2] + 1)
