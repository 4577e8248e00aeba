# Hybrid functions by their old and their new names, on tensors and on arrays.
import numpy as np
import tvm
from tvm import te
from tvm.te import hybrid


@tvm.hybrid.script
def outer_product(a, b):
    c = output_tensor((a.shape[0], b.shape[0]), a.dtype)
    for i in range(a.shape[0]):
        for j in range(b.shape[0]):
            c[i, j] = a[i] * b[j]
    return c


@hybrid.script
def blur(a):
    b = output_tensor((a.shape[0],), "float32")
    n = a.shape[0]
    for i in range(n):
        left = a[max(i - 1, 0)]
        right = a[min(i + 1, n - 1)]
        b[i] = (left + a[i] + right) / float32(3)
    return b


a, b = te.placeholder((8,), name="a"), te.placeholder((5,), name="b")
c = outer_product(a, b)
s = te.create_schedule(c.op)
i, j = c.op.axis
s[c].reorder(j, i)
x, y = np.random.rand(8).astype("float32"), np.random.rand(5).astype("float32")
z = np.zeros((8, 5), "float32")
tvm.build(s, [a, b, c])(x, y, z)
np.testing.assert_allclose(z, np.outer(x, y), rtol=1e-6)

d = blur(a)
w = np.zeros(8, "float32")
tvm.build(te.create_schedule(d.op), [a, d], "llvm", name="blur")(x, w)
p = np.pad(x, 1, mode="edge")
np.testing.assert_allclose(w, (p[:-2] + p[1:-1] + p[2:]) / 3, rtol=1e-5)
