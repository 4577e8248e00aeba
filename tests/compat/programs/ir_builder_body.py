# The body of an extern, written statement by statement.
import numpy as np
import tvm
from tvm import te

n = 11
A = te.placeholder((n,), name="A")
B = te.placeholder((n,), name="B")


def body(ins, outs):
    ib = tvm.tir.ir_builder.create()
    a, b = ib.buffer_ptr(ins[0]), ib.buffer_ptr(ins[1])
    c = ib.buffer_ptr(outs[0])
    with ib.for_range(0, n, name="i", for_type="serial") as i:
        with ib.if_scope(ib.likely(tvm.tir.indexmod(i, 2) == 0)):
            c[i] = a[i] + b[i]
        with ib.else_scope():
            tmp = ib.allocate("float32", (1,), name="tmp", scope="local")
            tmp[0] = a[i] - b[i]
            c[i] = tmp[0]
    return ib.get()


C = te.extern(A.shape, [A, B], body, name="interleave", dtype="float32")
f = tvm.build(te.create_schedule(C.op), [A, B, C], "llvm")
a, b, c = np.random.rand(n).astype("float32"), np.random.rand(n).astype("float32"), np.zeros(n, "float32")
f(a, b, c)
np.testing.assert_allclose(c, np.where(np.arange(n) % 2 == 0, a + b, a - b), rtol=1e-6)

ib = tvm.ir_builder.create()
x = ib.pointer("float32", name="x")
with ib.for_range(0, 4) as i:
    x[i] = x[i] + 1.0
body = ib.get()
assert isinstance(body, tvm.stmt.For) and isinstance(body.body, tvm.tir.BufferStore) and body.loop_var.dtype == "int32"
