# Sizes that are known when the kernel runs, its source, and its module in a variable of v0.5's kind.
import numpy as np
import tvm
from tvm import te

n, m = te.var("n"), te.var("m")
A = te.placeholder((n, m), name="A")
B = te.placeholder((n, m), name="B")
C = te.compute((n, m), lambda i, j: A[i, j] * B[i, j] + tvm.te.max(A[i, j], B[i, j]), name="C")
s = te.create_schedule(C.op)
fused = s[C].fuse(*C.op.axis)
xo, xi = s[C].split(fused, nparts=4)
s[C].parallel(xo)
mod = tvm.build(s, [A, B, C], "llvm", name="mul_max")
for shape in ((3, 5), (1, 1), (17, 4)):
    a, b = np.random.rand(*shape).astype("float32"), np.random.rand(*shape).astype("float32")
    c = np.zeros(shape, "float32")
    mod(a, b, c)
    np.testing.assert_allclose(c, a * b + np.maximum(a, b), rtol=1e-6)
assert "mul_max" in mod.get_source("ll") and "mul_max" in mod.get_source("asm")
try:
    mod(a, b, np.zeros((2, 2), "float32"))
except tvm.TVMError as e:
    print(e)
else:
    raise AssertionError("sizes must agree")
