# What tools about IR use: an analyzer, JSON, and nodes by their classes.
import tvm
from tvm import te, tir

analyzer = tvm.arith.Analyzer()
x, y = te.var("x"), te.var("y")
analyzer.bind(x, tvm.ir.Range.from_min_extent(0, 16))
assert analyzer.can_prove(tir.floordiv(x, 16) == 0)
assert analyzer.const_int_bound(x * 2 + 1).max_value == 31
with analyzer.constraint_scope(y > 3):
    assert analyzer.can_prove(y >= 4)
assert analyzer.can_prove_equal(x * 2 + x, x * 3)
assert analyzer.modular_set(x * 4 + 2).coeff == 4
assert str(analyzer.simplify(tir.Add(tir.IntImm("int32", 0), x))) == "x"
A = te.placeholder((4, 4), name="A")
B = te.compute((4, 4), lambda i, j: tir.Select(i == j, A[i, j], tir.const(0, "float32")), name="B")
json_text = tvm.ir.save_json(B)
loaded = tvm.ir.load_json(json_text)
assert loaded.op.name == "B" and loaded.shape[0].value == 4
mod = tvm.lower(te.create_schedule(B.op), [A, B])
assert tvm.ir.structural_equal(tvm.ir.load_json(tvm.ir.save_json(mod)), mod)
select = B.op.body[0]
assert isinstance(select, tir.Select) and isinstance(select.condition, tir.EQ)
assert isinstance(select.true_value, tir.ProducerLoad) and select.false_value.value == 0
