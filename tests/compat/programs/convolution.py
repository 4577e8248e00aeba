# A padded convolution in the layout of images last, inlined and tiled.
import numpy as np
import tvm
from tvm import te

batch, in_channel, out_channel, in_size, kernel, pad, stride = 2, 3, 4, 8, 3, 1, 1
A = te.placeholder((in_size, in_size, in_channel, batch), name="A")
W = te.placeholder((kernel, kernel, in_channel, out_channel), name="W")
out_size = (in_size - kernel + 2 * pad) // stride + 1
Apad = te.compute(
    (in_size + 2 * pad, in_size + 2 * pad, in_channel, batch),
    lambda yy, xx, cc, nn: tvm.tir.if_then_else(
        tvm.tir.all(yy >= pad, yy - pad < in_size, xx >= pad, xx - pad < in_size),
        A[yy - pad, xx - pad, cc, nn],
        tvm.tir.const(0.0, "float32"),
    ),
    name="Apad",
)
rc = te.reduce_axis((0, in_channel), name="rc")
ry = te.reduce_axis((0, kernel), name="ry")
rx = te.reduce_axis((0, kernel), name="rx")
B = te.compute(
    (out_size, out_size, out_channel, batch),
    lambda yy, xx, ff, nn: te.sum(
        Apad[yy * stride + ry, xx * stride + rx, rc, nn] * W[ry, rx, rc, ff], axis=[ry, rx, rc]
    ),
    name="B",
)
s = te.create_schedule(B.op)
s[Apad].compute_inline()
hi, wi, fi, ni = s[B].op.axis
ho, wo, hi, wi = s[B].tile(hi, wi, x_factor=4, y_factor=4)
s[B].reorder(ho, wo, fi, hi, wi, ni)
s[B].parallel(s[B].fuse(ho, wo))
func = tvm.build(s, [A, W, B], "llvm")

a = np.random.uniform(size=(in_size, in_size, in_channel, batch)).astype("float32")
w = np.random.uniform(size=(kernel, kernel, in_channel, out_channel)).astype("float32")
b = tvm.nd.array(np.zeros((out_size, out_size, out_channel, batch), dtype="float32"))
func(tvm.nd.array(a), tvm.nd.array(w), b)
p = np.pad(a, ((1, 1), (1, 1), (0, 0), (0, 0)))
expected = np.zeros(b.shape, "float32")
for y in range(out_size):
    for x in range(out_size):
        expected[y, x] = np.einsum("yxcn,yxcf->fn", p[y : y + 3, x : x + 3], w)
np.testing.assert_allclose(b.numpy(), expected, rtol=1e-4)
