"""`dot`: the same results as without it, one statement where it can be, and a reason where it may not be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.bench import int8_matmul
from tests.programs import assert_same_result, bytes_product, lower_all, schedule_for
from tewb import te
from tewb.base import ScheduleError
from tewb.ir import Buffer, Call, ForKind, IRModule, parse, script, structural_equal, walk
from tewb.lowering import BUILD, run
from tewb.schedule import Step
from tewb.workbench.trace.interpreter import IRInterpreter


def product(n: int, m: int, k: int, a: str = "uint8", b: str = "int8") -> Any:
    """C[i, j] = sum of A[i, k] * B[j, k]: both factors are neighbours in k."""
    A, B = te.placeholder((n, k), name="A", dtype=a), te.placeholder((m, k), name="B", dtype=b)
    r = te.reduce_axis((0, k), name="k")
    C = te.compute(
        (n, m), lambda i, j: te.sum(A[i, r].astype("int32") * B[j, r].astype("int32"), axis=r), name="C"
    )
    return te.create_schedule(C.op), [A, B], [C]


def dotted(outputs: list[Any], lanes: int | None) -> Any:
    s = schedule_for(outputs)
    C = s["C"]
    ko, ki = C.split("k", factor=4)
    if lanes is None:
        C.dot(ki)
        return s
    jo, ji = C.split("j", factor=lanes)
    C.reorder(jo, ko, ji, ki)
    C.vectorize(ji)
    C.dot(ki)
    return s


def dots(s: Any, args: list[Any]) -> list[Call]:
    """The dot products in the code of a schedule."""
    f = run(tewb.lower(s, args)["main"], BUILD)
    assert not any(getattr(n, "kind", None) is ForKind.DOT for n in walk(f.body))
    assert structural_equal(parse(script(f)), f)
    return [n for n in walk(f.body) if isinstance(n, Call) and n.op in ("dot4", "dot2")]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("lanes", [None, 1, 4, 16])
@pytest.mark.parametrize("size", [(5, 16, 8), (3, 48, 20), (4, 21, 9), (7, 5, 31), (1, 1, 4)])
def test_a_packed_product_computes_the_same(size: tuple[int, int, int], lanes: int | None) -> None:
    inputs, outputs = bytes_product(*size)
    s = dotted(outputs, lanes)
    assert dots(s, inputs + outputs)
    for debug in (False, True):
        assert_same_result(s, inputs, outputs, debug=debug)


@pytest.mark.parametrize("a", ["uint8", "int8"])
@pytest.mark.parametrize("b", ["uint8", "int8"])
def test_all_values_are_exact_at_the_extremes(a: str, b: str) -> None:
    s, inputs, outputs = product(6, 6, 12, a, b)
    _, ki = s["C"].split("k", factor=4)
    s["C"].dot(ki)
    x, y = (np.resize(np.array([np.iinfo(d).min, np.iinfo(d).max], d), (6, 12)) for d in (a, b))
    c = np.zeros((6, 6), "int32")
    tewb.build(s, [*inputs, *outputs])(x, y, c)
    np.testing.assert_array_equal(c, x.astype("int32") @ y.T.astype("int32"))


@pytest.mark.parametrize("a", ["uint16", "int16"])
@pytest.mark.parametrize("b", ["uint16", "int16"])
def test_pairs_of_16_bits_compute_the_same(a: str, b: str) -> None:
    s, inputs, outputs = product(3, 5, 7, a, b)
    _, ki = s["C"].split("k", factor=2)
    s["C"].dot(ki)
    assert [d.op for d in dots(s, inputs + outputs)] == ["dot2"]
    assert_same_result(s, inputs, outputs)


def test_a_vectorized_loop_is_one_statement_for_all_lanes() -> None:
    inputs, outputs = bytes_product(4, 32, 16)
    s = dotted(outputs, 16)
    lowered = script(tewb.lower(s, inputs + outputs))
    assert "for k.inner in T.dot(4):" in lowered
    assert structural_equal(parse(lowered), tewb.lower(s, inputs + outputs))
    (made,) = dots(s, inputs + outputs)
    assert sorted(str(x.dtype) for x in made.args) == ["int32x16", "int8x64", "uint8x4"]
    assert s["C"].loops() == "i(4), j.outer(2), k.outer(4), j.inner(16, vectorize), k.inner(4, dot)"


def test_the_iterations_past_the_end_run_without_it() -> None:
    inputs, outputs = bytes_product(4, 16, 18)
    s = dotted(outputs, 16)
    text = script(IRModule({"main": run(tewb.lower(s, inputs + outputs)["main"], BUILD)}))
    assert "for k.outer in range(4)" in text and text.count("T.dot4") == 1


def test_lanes_that_are_not_side_by_side_run_serially() -> None:
    s, inputs, outputs = product(4, 16, 8)
    ko, ki = s["C"].split("k", factor=4)
    s["C"].reorder(ko, "j", ki)
    s["C"].vectorize("j")
    s["C"].dot(ki)
    assert dots(s, inputs + outputs) == []
    assert_same_result(s, inputs, outputs)


def test_strided_arguments_run_serially_and_compute_the_same() -> None:
    inputs, outputs = bytes_product(4, 16, 8)
    s = dotted(outputs, 16)
    A, B = inputs
    binds = {A: te.decl_buffer(A.shape, A.dtype, "A", strides=[te.var("s"), te.var("t")])}
    kernel = tewb.build(s, [A, B, *outputs], binds=binds)
    rng = np.random.default_rng(0)
    a = rng.integers(0, 256, (4, 16)).astype("uint8")
    b, c = rng.integers(-128, 128, (8, 16)).astype("int8"), np.zeros((4, 16), "int32")
    for given in (a[:, ::2], np.ascontiguousarray(a[:, ::2])):
        kernel(given, b, c)
        np.testing.assert_array_equal(c, given.astype("int32") @ b.astype("int32"))


def test_the_packed_copy_is_computed_in_the_loops() -> None:
    inputs, outputs = bytes_product(9, 40, 21)
    s = dotted(outputs, 8)
    C = s["C"]
    C.reorder("j.outer", "i")
    s["P"].compute_at(C, "j.outer")
    s["P"].vectorize("j")
    assert dots(s, inputs + outputs)
    assert_same_result(s, inputs, outputs)


@pytest.mark.one_in(2)
@pytest.mark.parametrize("a", ["uint8", "int8"])
@pytest.mark.parametrize("b", ["uint8", "int8"])
@pytest.mark.parametrize("size", [(8, 64, 32), (5, 70, 13)])
def test_a_register_tile_of_any_signs_computes_the_same(size: tuple[int, int, int], a: str, b: str) -> None:
    n, m, k = size
    A, P = te.placeholder((n, k), name="A", dtype=a), te.placeholder((-(-k // 4), m, 4), name="P", dtype=b)
    r = te.reduce_axis((0, k), name="k")
    C = te.compute(
        (n, m),
        lambda i, j: te.sum(A[i, r].astype("int32") * P[r // 4, j, r % 4].astype("int32"), axis=r),
        name="C",
    )
    s = te.create_schedule(C.op)
    L = s.cache_write(C, "local")
    io, jo, ii, ji = s[C].tile("i", "j", 2, 32)
    s[C].unroll(ii)
    s[C].vectorize(ji)
    s[L].compute_at(s[C], jo)
    ko, ki = s[L].split("k", factor=4)
    s[L].reorder(ko, "i.c", "j.c", ki)
    s[L].unroll("i.c")
    s[L].vectorize("j.c")
    s[L].dot(ki)
    assert dots(s, [A, P, C])
    assert_same_result(s, [A, P], [C])


@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize("size", [(8, 128, 16), (9, 70, 13), (3, 5, 5)])
def test_the_benchmark_is_exact(size: tuple[int, int, int], prepared: bool) -> None:
    n, m, k = size
    rng = np.random.default_rng(0)
    a = rng.integers(0, 256, (n, k)).astype("uint8")
    b = rng.integers(-128, 128, (k, m)).astype("int8")
    for threads in (1, 2):
        s, args = int8_matmul.matmul(n, m, k, prepared, threads=threads)
        c = np.zeros((n, m), "int32")
        tewb.build(s, args)(a, int8_matmul.packed(b) if prepared else b, c)
        np.testing.assert_array_equal(c, a.astype("int32") @ b.astype("int32"))


def test_the_interpreter_computes_the_same() -> None:
    inputs, outputs = bytes_product(3, 16, 9)
    f = run(tewb.lower(dotted(outputs, 16), inputs + outputs)["main"], BUILD)
    rng = np.random.default_rng(0)
    a = rng.integers(0, 256, (3, 9)).astype("uint8")
    b, c = rng.integers(-128, 128, (9, 16)).astype("int8"), np.zeros(48, "int32")
    data = [p.data for p in f.params if isinstance(p, Buffer)]
    memory = dict(zip(data, (a.ravel(), b.ravel(), c), strict=True))
    read: set[int] = set()
    listen = lambda owner, kind, places: read.update(places) if owner is data[0] else None  # noqa: E731
    IRInterpreter(memory, {}, listen).run(f.body)
    np.testing.assert_array_equal(c.reshape(3, 16), a.astype("int32") @ b.astype("int32"))
    assert read == set(range(27))


def test_the_loops_are_a_hybrid_function_too() -> None:
    inputs, outputs = bytes_product(3, 4, 8)
    source = str(te.hybrid.build(dotted(outputs, None), inputs, outputs).get_source())
    assert "range(4)" in source and "dot" not in source


def test_the_journal_replays_and_the_code_says_it() -> None:
    inputs, outputs = bytes_product(4, 16, 8)
    s = tewb.Session(dotted(outputs, 16), inputs + outputs)
    assert "s[C].dot(k_inner)" in s.schedule_code
    text = s.to_string()
    before = s.ir
    s.undo()
    assert "T.dot" not in s.ir
    s.redo()
    assert s.ir == before
    s.load(text)
    assert s.ir == before
    assert s.verify().ok
    said = [a.step for a in s.palette("C", "k.inner") if a.step.primitive == "dot"]
    assert said == [Step("dot", "C", {"axis": "k.inner"})]


# ---------------------------------------------------------------- refusals


def split(s: Any, factor: int = 4) -> Any:
    return s["C"].split("k", factor=factor)[1]


def moved_inside(s: Any) -> None:
    s["C"].dot(split(s))
    s["C"].reorder("k.inner", "j")


def not_innermost(s: Any) -> None:
    ki = split(s)
    s["C"].reorder("k.outer", ki, "j")
    s["C"].dot(ki)


def computed_inside(s: Any) -> None:
    s["C"].dot(split(s))
    s["P"].compute_at(s["C"], "k.inner")


def computed_at_it(s: Any) -> None:
    ki = split(s)
    s["P"].compute_at(s["C"], ki)
    s["C"].dot(ki)


def inlined_before(s: Any) -> None:
    s["P"].compute_inline()
    s["C"].dot(split(s))


def inlined_after(s: Any) -> None:
    s["C"].dot(split(s))
    s["P"].compute_inline()


@pytest.mark.parametrize(
    ("misuse", "said"),
    [
        (lambda s: s["C"].dot("j"), "j is no reduce axis.*hint: mark a reduce axis \\(k\\)"),
        (lambda s: s["P"].dot("q"), "q is no reduce axis.*dot products are te.sum"),
        (lambda s: s["C"].dot("k"), "take 4 at a time, and k has 12 iterations.*hint: split k by 4"),
        (
            lambda s: s["C"].dot(split(s, 2)),
            "take 4 at a time, and k.inner has 2 iterations.*hint: take all 4 in one loop",
        ),
        (lambda s: s["A"].dot("k"), "it has no axis k"),
        (not_innermost, "j is inside of k.inner.*hint: reorder\\(j, k.inner\\)"),
        (moved_inside, "loop k.inner is marked dot, and a dot product is innermost"),
        (computed_inside, "loop k.inner of C is marked dot, and nothing but products is inside"),
        (computed_at_it, "P is computed at loop k.inner.*hint: compute P further out"),
        (inlined_before, "P is computed inline, and a dot product reads memory.*compute_root"),
        (inlined_after, "C reads P in a dot product, and so from memory"),
    ],
)
def test_misuse_is_refused_with_a_reason(misuse: Callable[[Any], Any], said: str) -> None:
    _, outputs = bytes_product(5, 6, 12)
    s = schedule_for(outputs)
    with pytest.raises(ScheduleError, match=f"(?s){said}"):
        misuse(s)
        lower_all(s)


def reduction(
    value: Callable[[Any, Any, Any], Any], kind: Any = te.sum, a: str = "int8", b: str = "int8"
) -> Any:
    """C[i] = kind of value(A, B, k) in a loop of 4, ready to be marked."""
    A, B = te.placeholder((8, 8), name="A", dtype=a), te.placeholder((8, 8), name="B", dtype=b)
    k = te.reduce_axis((0, 4), name="k")
    C = te.compute((4,), lambda i: kind(value(lambda x: A[i, x], lambda x: B[x, i], k), axis=k), name="C")
    return te.create_schedule(C.op)


def wide(e: Any) -> Any:
    return e.astype("int32")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: reduction(lambda a, b, k: wide(a(k)) * wide(b(k))),
         "the elements B\\[k, i\\] are no neighbours in memory as k runs.*hint: pack B: .*k % 4"),
        (lambda: reduction(lambda a, b, k: wide(a(2 * k)) * wide(a(k))), "A\\[i, 2 \\* k\\] are no neighbours"),
        (lambda: reduction(lambda a, b, k: wide(a(k)) + wide(a(k))), "which is no product of two 8-bit"),
        (lambda: reduction(lambda a, b, k: a(k) * a(k)), "adds up in int8, and dot products in int32"),
        (lambda: reduction(lambda a, b, k: wide(a(k)) * wide(a(k)), te.max), "C is no plain sum"),
        (lambda: reduction(lambda a, b, k: wide(a(k)) * wide(b(k)), b="int16"), "no product of two 8-bit or two 16-bit"),
        (lambda: reduction(lambda a, b, k: a(k) * a(k), a="float32"), "adds up in float32"),
    ],
)  # fmt: skip
def test_sums_that_are_no_dot_products_are_refused(made: Callable[[], Any], said: str) -> None:
    s = made()
    with pytest.raises(ScheduleError, match=f"(?s){said}"):
        s["C"].dot("k")
    assert len(s.journal) == 0


def test_externs_and_hybrid_functions_have_no_dot_products() -> None:
    @te.hybrid.script
    def doubled(a):  # type: ignore[no-untyped-def]
        b = output_tensor((8,), "float32")  # type: ignore[name-defined]  # noqa: F821
        for i in range(8):
            b[i] = a[i] * 2.0
        return b

    A = te.placeholder((8,), name="A")
    H = doubled(A)
    s = te.create_schedule(H.op)
    with pytest.raises(ScheduleError, match="i is no reduce axis"):
        s[H].dot("i")
