"""What schedules ask of a graph."""

from __future__ import annotations

from tewb import te, topi
from tewb.topi.generic import stages

A, B = te.placeholder((4, 6), name="A"), te.placeholder((5, 6), name="B")
left = topi.exp(A)
product = topi.nn.dense(left, B)
out = topi.nn.relu(topi.add(product, 1.0))


def test_the_work_of_a_graph() -> None:
    assert stages.anchor_of(out, stages.is_tagged("dense")) is product
    assert stages.anchor_of(out, stages.is_tagged("conv")) is None
    assert stages.follows(out, product) and stages.follows(product, product)
    assert not stages.follows(topi.transpose(product), product)
    assert stages.read_by_reductions([out]) == {left.op}


def test_readers_stand_in_front_of_what_they_read() -> None:
    names = [t.op.name for t in stages.graph([out])]
    assert names == ["T_relu", "T_add", "T_matmul_NT", "T_exp"]
    deep = A
    for _ in range(1200):
        deep = topi.negative(deep)
    assert len(stages.graph([deep])) == 1200


def test_sizes_and_reads() -> None:
    assert stages.elements(out) == 20 and stages.elements(te.placeholder((te.var("n"), 3))) == 0
    assert [n.producer.op.name for n in stages.loads(product)] == ["T_exp", "B"]
    assert stages.extent_of(product.op.axis[0]) == 4
