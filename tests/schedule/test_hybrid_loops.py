"""Stages computed in the loops of hybrid functions, and hybrid functions computed in loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import assert_same_result, lower_all
from tewb import te
from tewb.base import ScheduleError
from tewb.ir import Allocate, const_int, walk
from tewb.schedule.recompute import recompute_factor


@te.hybrid.script
def smooth(p):
    """Each element from its neighbours, with those at the edges repeated."""
    b = output_tensor(p.shape, "float32")  # noqa: F821
    for i in range(p.shape[0]):
        for j in range(p.shape[1]):
            up = p[i - 1, j] if i > 0 else p[i, j]
            down = p[i + 1, j] if i + 1 < p.shape[0] else p[i, j]
            b[i, j] = up + p[i, j] * 2.0 + down
    return b


@te.hybrid.script
def row_totals(p):
    s = output_tensor((p.shape[0],), "float32")  # noqa: F821
    for i in range(p.shape[0]):
        total = 0.0
        for j in range(p.shape[1]):
            total += p[i, j]
        s[i] = total
    return s


@te.hybrid.script
def lower_half(p):
    """Sums of the elements up to the diagonal: the inner loop is bounded by the outer one."""
    s = output_tensor((p.shape[0],), "float32")  # noqa: F821
    for i in range(p.shape[0]):
        s[i] = 0.0
        for j in range(i + 1):
            s[i] += p[i, j]
    return s


@te.hybrid.script
def running(p):
    s = output_tensor(p.shape, "float32")  # noqa: F821
    for i in range(p.shape[0]):
        s[i, 0] = p[i, 0]
        for j in range(1, p.shape[1]):
            s[i, j] = s[i, j - 1] + p[i, j]
    return s


@te.hybrid.script
def twice_read(p):
    s = output_tensor(p.shape, "float32")  # noqa: F821
    for i in range(p.shape[0]):
        for j in range(p.shape[1]):
            s[i, j] = p[i, j]
    for y in range(p.shape[0]):
        for x in range(p.shape[1]):
            s[y, x] += p[y, p.shape[1] - 1 - x]
    return s


@te.hybrid.script
def gather(p, at):
    b = output_tensor((at.shape[0],), "float32")  # noqa: F821
    for i in range(at.shape[0]):
        b[i] = p[at[i], 0]
    return b


@te.hybrid.script
def sum_and_difference(p):
    a = output_tensor(p.shape, "float32")  # noqa: F821
    b = output_tensor(p.shape, "float32")  # noqa: F821
    for i in range(p.shape[0]):
        for j in range(p.shape[1]):
            a[i, j] = p[i, j] + 1.0
            b[i, j] = a[i, j] - p[i, p.shape[1] - 1 - j]
    return a, b


def triple(a: Any, b: Any) -> None:
    b[...] = a * 3


tewb.register_func("test.places.triple", triple, override=True)


def producer(kind: str, n: int, m: int) -> tuple[Any, Any]:
    A = te.placeholder((n, m), name="A")
    if kind == "compute":
        return A, te.compute((n, m), lambda i, j: A[i, j] * 3.0, name="P")
    return A, te.extern(
        (n, m),
        [A],
        lambda i, o: te.call_packed("test.places.triple", i[0], o[0]),
        name="P",
        access=te.access.elementwise,
    )


def sizes(s: Any, args: Any) -> dict[str, list[int | None]]:
    f = tewb.lower(s, args)["main"]
    return {
        n.buffer.name: [const_int(d) for d in n.buffer.shape] for n in walk(f.body) if isinstance(n, Allocate)
    }


# ---------------------------------------------------------------- producers in hybrid loops


@pytest.mark.one_in(4)
@pytest.mark.parametrize("kind", ["compute", "extern"])
@pytest.mark.parametrize(("n", "m"), [(8, 6), (7, 5), (1, 3), (2, 9)])
@pytest.mark.parametrize("f", [smooth, row_totals, lower_half, running], ids=lambda f: f.name)
@pytest.mark.parametrize("depth", [0, 1])
def test_a_producer_in_a_loop_computes_the_same(f: Any, depth: int, n: int, m: int, kind: str) -> None:
    if f is lower_half:
        m = n
    A, P = producer(kind, n, m)
    H = f(P)
    if (f, depth) == (running, 1):
        return  # reads outside of the inner loop: refused below
    s = te.create_schedule(H.op)
    s[P].compute_at(s[H], H.op.axis[depth])
    assert_same_result(s, [A], [H], debug=True)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("kind", ["compute", "extern"])
@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("place", ["i.outer", "i.inner", "j.outer", "j.inner"])
@pytest.mark.parametrize("swap", [False, True])
def test_a_producer_in_loops_that_were_split(swap: bool, place: str, factor: int, kind: str) -> None:
    A, P = producer(kind, 7, 10)
    H = smooth(P)
    s = te.create_schedule(H.op)
    io, ii = s[H].split("i", factor=factor)
    jo, ji = s[H].split("j", factor=4)
    if swap:
        s[H].reorder(jo, io, ji, ii)
    s[P].compute_at(s[H], place)
    assert_same_result(s, [A], [H], debug=True)


def test_the_region_is_what_the_loop_reads() -> None:
    A, P = producer("compute", 9, 6)
    H = smooth(P)
    s = te.create_schedule(H.op)
    s[P].compute_at(s[H], "i")
    assert sizes(s, [A, H])["P"] == [3, 6]
    assert recompute_factor(s[P]) == pytest.approx(25 / 9)
    s[P].compute_at(s[H], "j")
    assert sizes(s, [A, H])["P"] == [3, 1]
    s[P].compute_root()
    io, _ = s[H].split("i", factor=4)
    s[P].compute_at(s[H], io)
    assert sizes(s, [A, H])["P"] == [6, 6]
    with tewb.PassContext(config={"tir.LoopPartition": False}):
        text = str(tewb.lower(s, [A, H]))
    assert "P[" in text and text.index("for i.outer") < text.index('P = T.allocate((6, 6), "float32"')


def test_two_producers_one_in_the_other() -> None:
    A = te.placeholder((9, 6), name="A")
    Q = te.compute((9, 6), lambda i, j: A[i, j] + 1.0, name="Q")
    P = te.compute((9, 6), lambda i, j: Q[i, j] * Q[i, 5 - j], name="P")
    H = smooth(P)
    s = te.create_schedule(H.op)
    io, ii = s[H].split("i", factor=4)
    s[P].compute_at(s[H], ii)
    s[Q].compute_at(s[H], io)
    assert sizes(s, [A, H]) | {"up": 0, "down": 0} == {"Q": [6, 6], "P": [3, 6], "up": 0, "down": 0}
    assert_same_result(s, [A], [H], debug=True)
    s[Q].compute_at(s[P], "i")
    assert_same_result(s, [A], [H], debug=True)
    s[H].parallel(io)
    assert_same_result(s, [A], [H])


def test_a_cache_of_an_input_in_a_parallel_loop() -> None:
    A = te.placeholder((11, 7), name="A")
    H = row_totals(A)
    s = te.create_schedule(H.op)
    C = s.cache_read(A, "local", [H])
    io, _ = s[H].split("i", factor=4)
    s[H].parallel(io)
    s[C].compute_at(s[H], io)
    assert sizes(s, [A, H])["A.local"] == [4, 7]
    assert_same_result(s, [A], [H], debug=True)


def test_part_of_a_producer_at_the_root() -> None:
    """A hybrid function that reads rows 2 to 4 needs no others."""

    @te.hybrid.script
    def middle(p):
        b = output_tensor((3, p.shape[1]), "float32")  # noqa: F821
        for i in range(3):
            for j in range(p.shape[1]):
                b[i, j] = p[i + 2, j]
        return b

    A, P = producer("compute", 9, 6)
    H = middle(P)
    s = te.create_schedule(H.op)
    assert sizes(s, [A, H])["P"] == [3, 6]
    assert_same_result(s, [A], [H], debug=True)


# ---------------------------------------------------------------- hybrid functions in loops


def read_by(H: Any, f: Callable[..., Any]) -> Any:
    return te.compute(H.shape, f, name="C")


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("n", "m"), [(8, 6), (7, 5), (1, 3)])
@pytest.mark.parametrize("f", [smooth, running, twice_read], ids=lambda f: f.name)
@pytest.mark.parametrize("place", ["i.outer", "i.inner", "j"])
def test_a_hybrid_function_in_a_loop_computes_the_same(place: str, f: Any, n: int, m: int) -> None:
    A = te.placeholder((n, m), name="A")
    H = f(A)
    C = read_by(H, lambda i, j: H[i, j] + H[te.max(i - 1, 0), j] + H[te.min(i + 1, n - 1), m - 1 - j])
    s = te.create_schedule(C.op)
    s[C].split("i", factor=3)
    s[H].compute_at(s[C], place)
    assert_same_result(s, [A], [C], debug=True)


def test_only_the_needed_region_is_made() -> None:
    A = te.placeholder((10, 6), name="A")
    H = smooth(A)
    C = read_by(H, lambda i, j: H[i, j] + H[te.min(i + 1, 9), j])
    s = te.create_schedule(C.op)
    io, ii = s[C].split("i", factor=4)
    s[H].compute_at(s[C], io)
    assert sizes(s, [A, C])["smooth"] == [5, 6]
    assert recompute_factor(s[H]) == pytest.approx(15 / 10)
    s[H].split("i", factor=2)
    s[H].vectorize("j")
    assert_same_result(s, [A], [C], debug=True)
    s[H].compute_at(s[C], ii)
    assert sizes(s, [A, C])["smooth"] == [
        3,
        6,
    ]  # where i is 11 the guard of the split stops C, and H was made
    assert_same_result(s, [A], [C], debug=True)


@pytest.mark.parametrize("place", ["i", "j"])
def test_a_hybrid_function_with_loops_of_its_own_in_a_loop(place: str) -> None:
    A = te.placeholder((10, 6), name="A")
    H = smooth(A)
    C = read_by(H, lambda i, j: H[te.max(i - 1, 0), 5 - j] + H[te.min(i + 1, 9), j])
    s = te.create_schedule(C.op)
    s[H].compute_at(s[C], place)
    _, inner = s[H].split(s[H].fuse("i", "j"), factor=4)
    s[H].vectorize(inner)
    assert_same_result(s, [A], [C], debug=True)


def test_dimensions_that_cannot_be_cut_are_whole() -> None:
    A = te.placeholder((10, 6), name="A")
    for f, cut in ((running, (True, False)), (smooth, (True, True)), (twice_read, (False, False))):
        H = f(A)
        assert tuple(iv is not None for iv in H.op.cut) == cut
        C = read_by(H, lambda i, j, H=H: H[i, j] * 2.0)
        s = te.create_schedule(C.op)
        s[H].compute_at(s[C], "j")
        wanted = [1 if c else n for c, n in zip(cut, (10, 6), strict=True)]
        assert sizes(s, [A, C])[f.name] == wanted
        times = 60 if f is twice_read else {running: 6, smooth: 1}[f]
        assert recompute_factor(s[H]) == times
        assert_same_result(s, [A], [C], debug=True)


@pytest.mark.parametrize("n", [1, 7, 8])
def test_a_loop_that_bounds_another_is_cut(n: int) -> None:
    A, P = producer("compute", n, n)
    H = lower_half(P)
    C = te.compute((n,), lambda i: H[i] + H[te.max(i - 1, 0)], name="C")
    s = te.create_schedule(C.op)
    io, _ = s[C].split("i", factor=4)
    s[H].compute_at(s[C], io)
    assert sizes(s, [A, C])["lower_half"] == [min(n, 5)]
    assert_same_result(s, [A], [C], debug=True)
    s[P].compute_at(s[H], "i")
    assert_same_result(s, [A], [C], debug=True)


def test_a_loop_that_makes_more_than_the_output_is_not_cut() -> None:
    @te.hybrid.script
    def relaxation(p):
        """Each round reads at both ends what the round before left in t."""
        b = output_tensor(p.shape, "float32")  # noqa: F821
        t = allocate(p.shape, "float32")  # noqa: F821
        for x in range(p.shape[0]):
            t[x] = p[x]
        for _ in range(3):
            for i in range(p.shape[0]):
                b[i] = t[p.shape[0] - 1 - i] * 0.5 + p[i]
            for y in range(p.shape[0]):
                t[y] = b[y]
        return b

    @te.hybrid.script
    def with_a_copy(p):
        b = output_tensor(p.shape, "float32")  # noqa: F821
        t = allocate(p.shape, "float32")  # noqa: F821
        for x in range(p.shape[0]):
            t[x] = 0.0
        for _ in range(3):
            for i in range(p.shape[0]):
                b[i] = p[i]
                t[i] = t[i] + p[i]
        return b

    A = te.placeholder((9,), name="A")
    for f in (relaxation, with_a_copy):
        H = f(A)
        assert H.op.cut == (None,)
        C = te.compute((9,), lambda i, H=H: H[i] + H[8 - i], name="C")
        s = te.create_schedule(C.op)
        s[H].compute_at(s[C], "i")
        assert sizes(s, [A, C])[f.name] == [9]
        assert_same_result(s, [A], [C], debug=True)


def test_several_outputs_are_cut_together() -> None:
    A = te.placeholder((7, 5), name="A")
    X, Y = sum_and_difference(A)
    C = te.compute((7, 5), lambda i, j: X[i, j] * Y[te.max(i - 1, 0), j], name="C")
    s = te.create_schedule(C.op)
    io, _ = s[C].split("i", factor=2)
    s[X].compute_at(s[C], io)
    found = sizes(s, [A, C])
    assert found["sum_and_difference.v0"] == found["sum_and_difference.v1"] == [3, 5]
    assert_same_result(s, [A], [C], debug=True)


def test_a_chain_through_a_hybrid_function() -> None:
    """P in the loops of H, and H in those of C, with sizes that do not divide."""
    A, P = producer("compute", 11, 7)
    H = smooth(P)
    C = read_by(H, lambda i, j: H[i, j] * 2.0)
    s = te.create_schedule(C.op)
    io, _ = s[C].split("i", factor=4)
    s[H].compute_at(s[C], io)
    s[P].compute_at(s[H], "i")
    assert_same_result(s, [A], [C], debug=True)
    s[P].compute_at(s[C], io)
    assert sizes(s, [A, C])["P"] == [6, 7]
    assert_same_result(s, [A], [C], debug=True)
    s[C].parallel(io)
    assert_same_result(s, [A], [C])


def test_a_hybrid_function_in_another() -> None:
    A = te.placeholder((9, 6), name="A")
    G = smooth(A)
    H = row_totals(G)
    s = te.create_schedule(H.op)
    s[G].compute_at(s[H], "i")
    assert sizes(s, [A, H])["smooth"] == [1, 6]
    assert_same_result(s, [A], [H], debug=True)


def test_symbolic_sizes() -> None:
    n = te.var("n")
    A = te.placeholder((n, 6), name="A")
    P = te.compute((n, 6), lambda i, j: A[i, j] * 3.0, name="P")
    H = smooth(P)
    C = read_by(H, lambda i, j: H[i, j] * 2.0)
    s = te.create_schedule(C.op)
    io, _ = s[C].split("i", factor=4)
    s[H].compute_at(s[C], io)
    s[P].compute_at(s[H], "i")
    kernel = tewb.build(s, [A, C], debug=True)
    for size in (1, 3, 4, 9):
        a = np.random.default_rng(size).standard_normal((size, 6)).astype("float32")
        c = np.zeros_like(a)
        kernel(a, c)
        np.testing.assert_allclose(c, smooth(a * 3) * 2, rtol=1e-5)


# ---------------------------------------------------------------- misuse


def refused(f: Any, place: str, said: str, *more: Any) -> Any:
    _, P = producer("compute", 8, 6)
    H = f(P, *more)
    s = te.create_schedule(H.op)
    with pytest.raises(ScheduleError, match=said) as e:
        s[P].compute_at(s[H], place)
        lower_all(s)
    return e.value


def test_reads_outside_of_the_loop_are_refused() -> None:
    e = refused(running, "j", r"running reads P outside of loop j too \(line \d+\)")
    assert "choose a loop that is around all of them" in str(e)
    refused(twice_read, "i", r"twice_read reads P outside of loop i too")


def test_reads_that_only_a_run_tells_are_refused() -> None:
    at = te.placeholder((4,), name="at", dtype="int32")
    e = refused(
        gather, "i", r"an iteration of i reads is known only when it runs: P\[at\[i\], 0\] \(line \d+\)", at
    )
    assert "compute P at the root" in str(e)


def test_a_reorder_may_not_move_a_read_out_of_the_loop() -> None:
    A, P = producer("compute", 8, 6)
    Q = te.compute((8, 6), lambda i, j: P[i, j] + 1.0, name="Q")

    @te.hybrid.script
    def both(p, q):
        b = output_tensor(p.shape, "float32")  # noqa: F821
        for i in range(p.shape[0]):
            for j in range(p.shape[1]):
                b[i, j] = p[i, j] + q[i, j]
        return b

    H = both(P, Q)
    s = te.create_schedule(H.op)
    s[Q].compute_at(s[H], "j")
    s[P].compute_at(s[H], "i")
    before = s.journal
    with pytest.raises(ScheduleError, match="Q also reads P, and is computed outside of loop i"):
        s[H].reorder("j", "i")
        lower_all(s)
    s.restore(before)
    s[H].split("i", factor=2)
    assert "P: at both.i.inner" in repr(s)
    assert_same_result(s, [A], [H])
    s.restore(before)
    with pytest.raises(ScheduleError, match="P is computed inside of loop i|Q is computed inside of loop i"):
        s[H].vectorize("i")
        lower_all(s)


@te.hybrid.script
def spread(a):
    b = output_tensor((a.shape[0], a.shape[1], 5), "float32")  # noqa: F821
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            for k in range(5):
                b[i, j, k] = a[i, j] + k
    return b


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("n", "m"), [(8, 16), (13, 7), (1, 1), (9, 10), ("n", "m")])
@pytest.mark.parametrize("nparts", [1, 2, 4])
def test_a_tile_is_split_again_whatever_is_left_over(n: int | str, m: int | str, nparts: int) -> None:
    """Guards of two splits stand between the loops that the tile moved past each other."""
    A = te.placeholder([te.var(x) if isinstance(x, str) else x for x in (n, m)], name="A")
    B = spread(A)
    s = te.create_schedule(B.op)
    s[B].tile("j", "i", 3, 5)
    s[B].split("i.inner", nparts=nparts)
    s[B].split("j.inner", factor=2)
    s[B].unroll("j.inner.inner")
    s[B].vectorize("k")
    kernel = tewb.build(s, [A, B])
    a = np.random.default_rng(0).random((n, m) if isinstance(n, int) else (6, 4)).astype("float32")
    b = np.full((*a.shape, 5), 9, "float32")
    kernel(a, b)
    np.testing.assert_array_equal(b, a[:, :, None] + np.arange(5, dtype="float32"))


@te.hybrid.script
def triangle(a):
    b = output_tensor(a.shape, a.dtype)  # noqa: F821
    for j in range(a.shape[0]):
        b[j] = a[j]
        for k in range(j):
            b[j] = b[j] + a[k]
    return b


def test_a_part_that_wide_indices_tell_runs_in_the_loop_as_written() -> None:
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((n * m,), "int32", name="A")
    B = triangle(A)

    def row(i: Any, j: Any) -> Any:
        k = te.reduce_axis((0, i + 1), name="k")
        return te.sum(B[te.min(i, n * m)] + B[0], axis=k)

    C = te.compute((n, n + 2), row, name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], C.op.reduce_axis[0])
    a = np.arange(12, dtype="int32")
    b = np.cumsum(a)
    wanted = [[(i + 1) * (b[i] + b[0])] * 5 for i in range(3)]
    np.testing.assert_array_equal(tewb.build(s, [n, m, A, C])(3, 4, a), wanted)
