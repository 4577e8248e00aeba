# A pass of its own that vectorizes loops of eight iterations, added to lowering.
import numpy as np
import tvm
from tvm import te

A = te.placeholder((32,), name="A")
B = te.compute((32,), lambda i: A[i] * 3.0, name="B")
s = te.create_schedule(B.op)
s[B].split(B.op.axis[0], factor=8)
ir = tvm.lower(s, [A, B], simple_mode=True)["main"]
print(ir)
loops = []


def find_width8(op):
    if isinstance(op, tvm.tir.For):
        if isinstance(op.extent, tvm.tir.IntImm):
            if op.extent.value == 8:
                loops.append(op)


def vectorize8(op):
    if any(op.same_as(loop) for loop in loops):
        name, lo, li = op.loop_var.name, tvm.te.var(op.loop_var.name + ".o"), tvm.te.var(op.loop_var.name + ".i")
        body = tvm.tir.stmt_functor.substitute(op.body, {op.loop_var: lo * 8 + li})
        body = tvm.tir.For(li, 0, 8, tvm.tir.ForKind.VECTORIZED, body)
        return tvm.tir.For(lo, 0, 1, tvm.tir.ForKind.SERIAL, body)
    return None


@tvm.tir.transform.prim_func_pass(opt_level=0)
def vectorize(f, mod, ctx):
    loops.clear()
    tvm.tir.stmt_functor.post_order_visit(f.body, find_width8)
    return f.with_body(tvm.tir.stmt_functor.ir_transform(f.body, None, vectorize8, ["tir.For"]))


with tvm.transform.PassContext(config={"tir.add_lower_pass": [(1, vectorize)]}):
    text = str(tvm.lower(s, [A, B]))
    f = tvm.build(s, [A, B], target="llvm")
print(text)
assert len(loops) == 1 and "Broadcast" in text
b = np.zeros(32, "float32")
f(np.arange(32, dtype="float32"), b)
np.testing.assert_allclose(b, np.arange(32) * 3.0)
with tvm.transform.PassContext(opt_level=3, config={"tir.UnrollLoop": {"auto_max_step": 8, "explicit_unroll": True}}):
    assert str(tvm.lower(s, [A, B])).count("B[") == 8
assert tvm.transform.PassContext.current().opt_level == 2
