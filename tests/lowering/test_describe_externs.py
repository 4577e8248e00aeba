"""The texts of extern regions name what stands in the code around them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import tewb
from tewb import te, tir
from tewb.ir import AttrStmt, ExternRegion, For, Node, PrimFunc, Var, const, launched, script
from tewb.lowering.describe_externs import describe_externs, extern_scope
from tewb.lowering.lower import scheduled_loops


def regions(n: Node, around: tuple[str, ...] = ()) -> Iterator[tuple[ExternRegion, tuple[str, ...]]]:
    """Every region, with the names of the loops and threads around it."""
    match n:
        case For(v):
            around = (*around, v.name)
        case AttrStmt() if launched(n) is not None:
            around = (*around, n.var.name)
        case AttrStmt(ExternRegion() as region):
            yield region, around
    for c in n.children():
        yield from regions(c, around)


def texts(f: PrimFunc) -> list[str]:
    """The texts of all regions of a function. Fails for one that names what does not stand around it."""
    sizes = [
        v.name
        for p in f.params
        for v in (p.shape if isinstance(p, tir.Buffer) else (p,))
        if isinstance(v, Var)
    ]
    found = []
    for region, around in regions(f.body):
        for text in (*region.reads, *region.writes):
            said = text[text.index("[") :].replace("] at ", "]")
            names = {
                x for x in re.findall(r"[A-Za-z_][\w.]*", said) if x not in ("T.min", "T.max", "T.int64")
            }
            assert names <= {*around, *sizes}, (text, around)
            found.append(text)
    return found


def program(n: Any = 6) -> tuple[Any, Any, Any, Any]:
    A = te.placeholder((n, 8), name="A")
    E = te.extern(
        (n, 8),
        [A],
        lambda ins, outs: tir.call_packed("f", ins[0], outs[0]),
        access=te.access.elementwise,
        name="E",
    )
    C = te.compute((n, 8), lambda i, j: E[i, j] + 1.0, name="C")
    return te.create_schedule(C.op), A, E, C


def unrolled(s: Any, E: Any, C: Any) -> None:
    o, i = s[C].split("i", factor=2)
    s[C].unroll(i)
    s[E].compute_at(s[C], i)


def of_one_iteration(s: Any, E: Any, C: Any) -> None:
    o, i = s[C].split("i", factor=1)
    s[E].compute_at(s[C], i)


def with_loops_of_its_own(s: Any, E: Any, C: Any) -> None:
    s[E].compute_at(s[C], s[C].split("i", factor=3)[0])
    s[E].unroll(s[E].split(s[E].op.axis[0], factor=1)[0])


def cut(s: Any, E: Any, C: Any) -> None:
    o, i = s[C].split("i", factor=4)
    s[E].compute_at(s[C], i)


@pytest.mark.parametrize(
    "schedule", [unrolled, of_one_iteration, with_loops_of_its_own, cut], ids=lambda f: f.__name__
)
@pytest.mark.parametrize("n", [6, "n"])
def test_regions_name_loops_that_are_there(schedule: Callable[..., None], n: Any) -> None:
    s, A, E, C = program(te.var("n") if n == "n" else n)
    schedule(s, E, C)
    for simple in (True, False):
        assert texts(tewb.lower(s, [A, C], simple_mode=simple)["main"])


def test_each_copy_of_an_unrolled_loop_has_a_region_of_its_own() -> None:
    s, A, E, C = program()
    unrolled(s, E, C)
    assert texts(tewb.lower(s, [A, C])["main"]) == [
        "A.tile[1, 8] at i.outer * 16", "E[1, 8]", "A.tile[1, 8] at i.outer * 16 + 8", "E[1, 8]"
    ]  # fmt: skip


def test_regions_of_tensorized_and_hybrid_stages_name_loops_that_are_there() -> None:
    A = te.placeholder((6, 8), name="A")
    C = te.compute((6, 8), lambda i, j: A[i, j] + 1.0, name="C")
    x = te.placeholder((4,), name="x")
    y = te.compute((4,), lambda i: x[i] + 1.0, name="y")
    strided = {t: te.decl_buffer((4,), name=t.name, strides=[1], offset_factor=1) for t in (x, y)}
    body = lambda ins, outs: tir.call_packed("g", ins[0], outs[0])  # noqa: E731
    intrinsic = te.decl_tensor_intrin(y.op, lambda ins, outs: tir.Evaluate(body(ins, outs)), binds=strided)
    s = te.create_schedule(C.op)
    s[C].unroll(s[C].op.axis[0])
    s[C].tensorize(s[C].split("j", factor=4)[1], intrinsic)
    assert "C.tile[4] at j.outer * 4 + 8" in texts(tewb.lower(s, [A, C])["main"])


def test_what_a_region_carries_is_gone_when_it_is_told() -> None:
    s, A, E, C = program()
    unrolled(s, E, C)
    (attr,) = [n for n in tewb.ir.walk(scheduled_loops(s, [A, C]).body) if isinstance(n, AttrStmt)]
    assert not isinstance(attr.value, tewb.tir.IntImm)
    (told,) = [n for n in tewb.ir.walk(describe_externs(attr)) if isinstance(n, AttrStmt)]
    assert script(told.value) == "0" and told.body is attr.body
    assert describe_externs(told) is told


def test_a_region_of_constants_carries_nothing() -> None:
    s, A, E, C = program()
    b = te.decl_buffer((4, 8), name="b")
    scope = extern_scope(s[E], "pure", [b], [b], tir.Evaluate(const(0)))
    assert script(scope.value) == "0" and scope.node.reads == ("b[4, 8]",)
