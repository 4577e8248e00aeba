"""Whatever a primitive says of a loop or a stage is seen, in the same words, wherever loops are shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tewb import te
from tewb.base import ScheduleError
from tewb.contrib import tedd
from tewb.schedule import PRIMITIVES, Schedule, Step
from tewb.workbench import Session
from tewb.workbench.judge.palette import preview
from tewb.workbench.judge.why import explain
from tewb.workbench.notebook.reprs import html, text
from tewb.workbench.views import plain
from tewb.workbench.views.graph import dot
from tewb.workbench.views.loops import LoopView


def product() -> Session:
    A, B = te.placeholder((64, 64), name="A"), te.placeholder((64, 64), name="B")
    k = te.reduce_axis((0, 64), name="k")
    C = te.compute((64, 64), lambda i, j: te.sum(A[i, k] * B[k, j], axis=k), name="C")
    D = te.compute((64, 64), lambda i, j: C[i, j] + 1.0, name="D")
    return Session(te.create_schedule(D.op), [A, B, D])


def bytes_product() -> Session:
    A, B = te.placeholder((64, 64), "int8", "A"), te.placeholder((64, 64), "int8", "B")
    k = te.reduce_axis((0, 64), name="k")
    C = te.compute(
        (64, 64), lambda i, j: te.sum(A[i, k].astype("int32") * B[j, k].astype("int32"), axis=k), name="C"
    )
    s = te.create_schedule(C.op)
    s[C].split(k, 4)
    return Session(s, [A, B, C])


def turned() -> Session:
    A = te.placeholder((64, 64), name="A")
    C = te.compute((64, 64), lambda i, j: A[j, i], name="C")
    s = te.create_schedule(C.op)
    s[C].tile(*C.op.axis, 8, 8)
    return Session(s, [A, C])


def tensorized() -> Session:
    A = te.placeholder((64, 64), name="A")
    C = te.compute((64, 64), lambda i, j: A[i, j] * 2.0, name="C")
    s = te.create_schedule(C.op)
    s[C].split(C.op.axis[1], 8)
    return Session(s, [A, C])


def twice(ins: Any, outs: Any) -> Any:
    return te.call_extern("int32", "abs", 1)


x = te.placeholder((8,), name="x")
te.decl_tensor_intrin(te.compute((8,), lambda i: x[i] * 2.0).op, twice, "tests.twice8")


def cached() -> Session:
    A = te.placeholder((64, 64), name="A")
    D = te.compute((64, 64), lambda i, j: A[i, j] + 1.0, name="D")
    s = te.create_schedule(D.op)
    C = s.cache_read(A, "local", [D])
    i, _ = s[D].op.axis
    s[C].compute_at(s[D], i)
    return Session(s, [A, D])


def on_threads() -> Session:
    """C is computed by threads of which each has all of it."""
    s = product()
    s.apply(Step("bind", "D", {"axis": "j", "thread": "threadIdx.x"}))
    s.apply(Step("compute_at", "C", {"parent": "D", "axis": "j"}))
    s.apply(Step("set_scope", "C", {"scope": "shared"}))
    return s


def grouped() -> Session:
    session = product()
    session.apply(Step("create_group", "C", {"inputs": ["A"]}))
    return session


Steps = dict[str, Any]

# Of each primitive: a program, its arguments, the stage that shows it, and what is seen there.
SEEN: dict[str, tuple[Callable[[], Session], str, Steps, str, list[str]]] = {
    "split": (product, "C", {"axis": "i", "factor": 16}, "C", ["i.outer", "i.inner"]),
    "tile": (product, "C", {"x": "i", "y": "j", "x_factor": 8, "y_factor": 8}, "C", ["i.outer", "j.inner"]),
    "fuse": (product, "C", {"axes": ["i", "j"]}, "C", ["i.j.fused"]),
    "reorder": (product, "C", {"axes": ["j", "i"]}, "C", []),
    "vectorize": (product, "C", {"axis": "j"}, "C", ["vectorize"]),
    "unroll": (product, "C", {"axis": "j"}, "C", ["unroll"]),
    "parallel": (product, "C", {"axis": "i"}, "C", ["parallel"]),
    "transpose": (turned, "C", {"rows": "i.inner", "lanes": "j.inner"}, "C", ["transpose", "vectorize"]),
    "dot": (bytes_product, "C", {"axis": "k.inner"}, "C", ["dot"]),
    "tensorize": (tensorized, "C", {"axis": "j.inner", "intrin": "tests.twice8"}, "C", ["tensorize tests.twice8"]),
    "compute_at": (product, "C", {"parent": "D", "axis": "i"}, "C", ["at D.i"]),
    "compute_inline": (cached, "A.local", {}, "A.local", ["inline"]),
    "compute_root": (cached, "A.local", {}, "A.local", []),
    "create_group": (product, "C", {"inputs": ["A"]}, "C", []),
    "group_at": (grouped, "C", {"group": "group", "parent": "D", "axis": "i"}, "C", ["at D.i"]),
    "group_root": (grouped, "C", {"group": "group"}, "C", []),
    "set_scope": (product, "C", {"scope": "local"}, "C", ["in local memory"]),
    "cache_read": (product, "A", {"scope": "local", "readers": ["C"]}, "A.local", ["in local memory"]),
    "cache_write": (product, "C", {"scope": "local"}, "C.local", ["in local memory"]),
    "nontemporal": (product, "D", {}, "D", ["non-temporal stores"]),
    "rfactor": (product, "C", {"axis": "k"}, "C.rf", ["k"]),
    "storage_align": (product, "C", {"axis": "i", "factor": 32, "offset": 16}, "C", ["stride of i 16 (mod 32)"]),
    "prefetch": (product, "C", {"tensor": "A", "axis": "i", "offset": 8}, "C", ["prefetch A 8 ahead"]),
    "pragma": (product, "C", {"axis": "i", "key": "auto_unroll_max_step", "value": 16}, "C", ["auto_unroll_max_step 16"]),
    "rolling_buffer": (cached, "A.local", {}, "A.local", ["rolling buffer"]),
    "double_buffer": (cached, "A.local", {}, "A.local", ["double buffered"]),
    "transform_layout": (product, "C", {"mapping_function": "lambda i, j: [j, i]"}, "C", ["laid out by lambda i, j: [j, i]"]),
    "bind": (product, "C", {"axis": "i", "thread": "threadIdx.x"}, "C", ["bind threadIdx.x"]),
    "env_threads": (product, "D", {"threads": ["threadIdx.x(8)"]}, "D", ["inside of threadIdx.x(8)"]),
    "set_store_predicate": (on_threads, "C", {"predicate": "threadIdx.x == 0"}, "C", ["stored if threadIdx.x == 0"]),
}  # fmt: skip


def loops_in_an_error(s: Schedule, stage: str) -> str:
    with pytest.raises(ScheduleError) as e:
        s[stage].split("no such loop", 4)
    return str(e.value.loops)


def tree(session: Session, stage: str) -> str:
    view = LoopView(lambda steps: None)
    view.show(session.stages)
    return str(next(row for row in view.tree if row["name"] == stage))


def loop_listing(session: Session, stage: str) -> str:
    return plain.loops(next(s for s in session.stages if s.name == stage))


def tedd_row(s: Schedule, stage: str) -> str:
    rows = tedd.viz_schedule_tree(s, output_dot_string=True).splitlines()
    row = next(r for r in rows if r.lstrip().startswith("Stage_") and f"{{{stage}\\ (" in r)
    name = row.split()[0]
    return "\n".join(r for r in rows if r.lstrip().startswith(name)).replace("\\", "")


def graph_node(s: Schedule, stage: str) -> str:
    return next(r for r in dot(s).splitlines() if r.lstrip().startswith(f'"{stage}" [label='))


def everywhere(session: Session, stage: str) -> dict[str, str]:
    """What each place that shows loops says of a stage."""
    s = session.schedule
    return {
        "error": loops_in_an_error(s, stage),
        "repr": repr(s[stage]),
        "schedule": repr(s),
        "tree": tree(session, stage),
        "listing": loop_listing(session, stage),
        "terminal": text(s),
        "notebook": html(s[stage]),
        "snapshot": session.snapshot().html,
        "graph": graph_node(s, stage),
        "tedd": tedd_row(s, stage),
        "explanation": str(explain(session, "illegal", Step("split", stage, {"axis": "x", "factor": 4}))),
    }


def test_every_primitive_is_listed() -> None:
    assert SEEN.keys() == PRIMITIVES.keys()


@pytest.mark.parametrize("name", PRIMITIVES)
def test_a_primitive_is_seen_everywhere(name: str) -> None:
    make, stage, args, shown_at, words = SEEN[name]
    session, before = make(), make()
    session.apply(Step(name, stage, args))
    places = everywhere(session, shown_at)
    for place, said in places.items():
        for word in words:
            if place == "tedd":  # it draws where a stage is computed as an edge
                word = word.replace("at D.", "at ")
            assert word in said, f"{place}: {said}"
    shown = "\n".join(preview(before, Step(name, stage, args)).loops)
    for word in words:
        assert word in shown, shown


def test_many_marks_are_told_one_after_the_other() -> None:
    s = cached().schedule
    C = s["A.local"]
    outer, inner = C.op.axis
    C.storage_align(outer, 32, 16)
    C.double_buffer()
    C.vectorize(inner)
    assert C.loops() == (
        "at D.i: ax0(64), ax1(64, vectorize); in local memory; stride of ax0 16 (mod 32); double buffered"
    )
