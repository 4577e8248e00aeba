"""The graph of operations: who reads whom, in which order, inside of which loops."""

from __future__ import annotations

from tests.programs import chain, schedule_for
from tewb.te.schedule import CreateAttachPath, CreateFeedGraph, CreateReadGraph, PostDFSOrder


def test_the_graph_and_its_order() -> None:
    (A,), (D,) = chain()
    s = schedule_for([D])
    B, C = s["B"].op, s["C"].op
    graph = CreateReadGraph([D.op])
    assert list(graph) == [D.op, C, B, A.op] or set(graph) == {D.op, C, B, A.op}
    assert [t.op for t in graph[C]] == [B, A.op] and graph[A.op] == []
    order = PostDFSOrder([D.op], graph)
    assert len(order) == 4 and order[-1] is D.op
    place = {op: n for n, op in enumerate(order)}
    assert all(place[t.op] < place[op] for op in order for t in graph[op])


def test_the_loops_around_each_stage() -> None:
    s = schedule_for(chain()[1])
    D = s["D"]
    io, ii = D.split("i", factor=4)
    s["C"].compute_at(D, ii)
    s["B"].compute_at(s["C"], "j")
    path = CreateAttachPath(s)
    assert path[s["C"].op] == [ii, io]
    assert path[s["B"].op] == [s["C"].op.axis[1], s["C"].op.axis[0], ii, io]
    assert path[D.op] == []


def test_the_readers_of_each_tensor() -> None:
    (A,), (D,) = chain()
    C = D.op.input_tensors[0]
    readers = CreateFeedGraph(CreateReadGraph([D.op]))
    assert readers[C] == [D.op] and C.op in readers[A] and D not in readers
