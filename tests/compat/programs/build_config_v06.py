# Options and passes over statements, as v0.6 had them.
import numpy as np
import tvm

n = 10
A = tvm.placeholder((n,), name="A")
B = tvm.compute((n,), lambda i: A[i] + tvm.const(1, "float32"), name="B")
s = tvm.create_schedule(B.op)
seen = []


def count_loops(stmt):
    def visit(node):
        if isinstance(node, tvm.stmt.For):
            seen.append(node.loop_var.name)

    tvm.ir_pass.PostOrderVisit(stmt, visit)
    return stmt


with tvm.build_config(auto_unroll_max_step=16, unroll_explicit=True, add_lower_pass=[(0, count_loops)]):
    stmt = tvm.lower(s, [A, B], simple_mode=True)
    fadd = tvm.build(s, [A, B], "llvm", name="add_one")
print(stmt)
assert seen == ["i", "i"] and str(stmt).count("B[") == n
b = np.zeros(n, "float32")
fadd(np.arange(n, dtype="float32"), b)
np.testing.assert_array_equal(b, np.arange(n) + 1)

x = tvm.var("x")
assert tvm.ir_pass.Equal(tvm.ir_pass.Simplify(x * 4 + x), tvm.ir_pass.Simplify(x * 5))
stmt = tvm.make.Evaluate(tvm.make.Add(x, 1))
stmt = tvm.ir_pass.Substitute(stmt, {x: tvm.const(2, "int32")})
assert tvm.ir_pass.Simplify(stmt.value).value == 3
