# Looks into lowered code: what it prints, which loops and stores it has, and whether two are the same.
import tvm
from tvm import te, tir

n = te.size_var("n")
A = te.placeholder((n, 16), name="A")
B = te.compute(A.shape, lambda i, j: A[i, j] * 2.0, name="B")
C = te.compute(A.shape, lambda i, j: B[i, j] + 1.0, name="C")
s = te.create_schedule(C.op)
xo, xi = s[C].split(C.op.axis[1], factor=4)
s[C].vectorize(xi)
s[B].compute_inline()
mod = tvm.lower(s, [A, C], name="look", simple_mode=True)
print(mod)
print(mod.astext())
print(tvm.lower(s, [A, B, C], simple_mode=True))
print(tvm.lower(s, [A], simple_mode=True))
func = mod["look"]
loops, stores = [], 0


def visit(node):
    global stores
    if isinstance(node, tir.For):
        loops.append((node.loop_var.name, node.kind == tir.ForKind.SERIAL))
    if isinstance(node, tir.BufferStore):
        stores += 1
        assert node.buffer.name == "C" and len(node.indices) == 2
        assert isinstance(node.value, tir.Add)


tvm.tir.stmt_functor.post_order_visit(func.body, visit)
assert ("i", True) in loops and ("j.outer", True) in loops and stores == 1, (loops, stores)
assert func.buffer_map[func.params[0]].name == "A"
again = tvm.lower(s, [A, C], name="look", simple_mode=True)
assert tvm.ir.structural_equal(func, again["look"], True)
tvm.ir.assert_structural_equal(mod, again)
assert tvm.ir.structural_hash(func) == tvm.ir.structural_hash(again["look"])
s[C].unroll(xo)
try:
    tvm.ir.assert_structural_equal(mod, tvm.lower(s, [A, C], name="look"))
except ValueError as e:
    assert "differ" in str(e)
else:
    raise AssertionError("they are not the same")
for gv, f in mod.functions.items():
    assert gv.name_hint == "look" and f.attrs is not None
