# Index and value of the largest element, by a reduction of pairs; names of v0.5.
import numpy as np
import tvm


def fcombine(x, y):
    lhs = tvm.select((x[1] >= y[1]), x[0], y[0])
    rhs = tvm.expr.Select((x[1] >= y[1]), x[1], y[1])
    return lhs, rhs


def fidentity(t0, t1):
    return tvm.const(-1, t0), tvm.min_value(t1)


argmax = tvm.comm_reducer(fcombine, fidentity, name="argmax")
m, n = tvm.var("m"), tvm.var("n")
idx = tvm.placeholder((m, n), name="idx", dtype="int32")
val = tvm.placeholder((m, n), name="val", dtype="int32")
k = tvm.reduce_axis((0, n), "k")
T0, T1 = tvm.compute((m,), lambda i: argmax((idx[i, k], val[i, k]), axis=k), name="T")
s = tvm.create_schedule(T0.op)
f = tvm.build(s, [idx, val, T0, T1])
v = np.random.permutation(48).reshape(6, 8).astype("int32")
i = np.tile(np.arange(8, dtype="int32"), (6, 1))
t0, t1 = np.zeros(6, "int32"), np.zeros(6, "int32")
f(i, v, t0, t1)
np.testing.assert_array_equal(t0, v.argmax(axis=1))
np.testing.assert_array_equal(t1, v.max(axis=1))
assert isinstance(T0.op.body[0], tvm.expr.Reduce) and T1.value_index == 1
