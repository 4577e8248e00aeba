# Mathematical functions and choices by their flat names, and intrinsics by name.
import numpy as np
import tvm

n = 9
A = tvm.placeholder((n,), name="A", dtype=tvm.float32)
fs = [
    (lambda x: tvm.exp(x) + tvm.log(x) + tvm.sqrt(x), lambda x: np.exp(x) + np.log(x) + np.sqrt(x)),
    (lambda x: tvm.tanh(x) * tvm.sigmoid(x), lambda x: np.tanh(x) / (1 + np.exp(-x))),
    (lambda x: tvm.select(x > 0.5, x, tvm.const(0.0, "float32")), lambda x: np.where(x > 0.5, x, 0)),
    (lambda x: tvm.if_then_else(tvm.all(x > 0.2, x < 0.8), x * 2, -x), lambda x: np.where((x > 0.2) & (x < 0.8), x * 2, -x)),
    (lambda x: tvm.call_pure_intrin("float32", "exp", x), np.exp),
    (lambda x: tvm.floor(x * 4) + tvm.ceil(x) - tvm.trunc(x) + tvm.round(x), lambda x: np.floor(x * 4) + np.ceil(x) - np.trunc(x) + np.rint(x)),
    (lambda x: tvm.power(x, tvm.const(2.0, "float32")) + tvm.abs(-x), lambda x: x**2 + x),
    (lambda x: tvm.max(x, 0.5) - tvm.min(x, tvm.const(0.25, x.dtype)), lambda x: np.maximum(x, 0.5) - np.minimum(x, 0.25)),
    (lambda x: x.astype("int32").astype("float"), lambda x: np.trunc(x)),
]
a = np.random.uniform(0.1, 1.0, n).astype("float32")
for fte, fnp in fs:
    B = tvm.compute((n,), lambda i: fte(A[i]), name="B")
    b = np.zeros(n, "float32")
    tvm.build(tvm.create_schedule(B.op), [A, B], "llvm", None, "f")(a, b)
    np.testing.assert_allclose(b, fnp(a), rtol=1e-5, atol=1e-6)
