"""Loops and sizes beyond int32: they are counted in 64 bits, or refused with the numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import tewb
from tests.pages import between_pages
from tewb import te
from tewb.arith import row_major
from tewb.base import ArgumentError, BoundError, ScheduleError, ShapeError
from tewb.ir import For, IterVar, const_int, convert, walk
from tewb.schedule import Schedule
from tewb.tensor import Tensor

LAST = 2**31 - 1


def ones_summed(sizes: Sequence[Any]) -> tuple[Schedule, list[Tensor], list[IterVar]]:
    """The sum of as many ones as the reduce axes have iterations, modulo 2**32."""
    A = te.placeholder((4,), "uint8", name="A")
    axes = [te.reduce_axis((0, n), name) for n, name in zip(sizes, "ijk", strict=False)]
    C = te.compute((1,), lambda x: te.sum(A[0].astype("uint32"), axis=axes), name="C")
    return te.create_schedule(C.op), [A, C], axes


def loops(s: Schedule, args: list[Tensor]) -> list[tuple[str, int]]:
    """The dtypes and constant extents of all loops."""
    body = tewb.lower(s, args, simple_mode=True)["main"].body
    return [(str(n.var.dtype), n.extent.value) for n in walk(body) if isinstance(n, For)]  # type: ignore[attr-defined]


def count(s: Schedule, args: list[Tensor], *sizes: int) -> int:
    made = np.zeros(1, "uint32")
    tewb.build(s, [*args[:-2], *args[-2:]])(*sizes, np.ones(4, "uint8"), made)
    return int(made[0])


@pytest.mark.parametrize("n", [46341, 50000, 70000])
def test_fused_loop_that_passes_int32_counts_in_int64(n: int) -> None:
    s, args, (i, j) = ones_summed([n, n])
    s[args[1]].fuse(i, j)
    assert loops(s, args) == [("int64", n * n)]


def test_fused_loop_just_inside_of_int32_stays_int32() -> None:
    s, args, (i, j) = ones_summed([46340, 46340])
    s[args[1]].fuse(i, j)
    assert loops(s, args) == [("int32", 46340**2)]


def test_three_fused_loops_count_in_int64_from_where_they_must() -> None:
    s, args, axes = ones_summed([40000, 40000, 40000])
    s[args[1]].fuse(*axes)
    assert loops(s, args) == [("int64", 40000**3)]


def test_fused_loop_that_passes_int32_runs_all_of_it() -> None:
    s, args, (i, j) = ones_summed([65536, 65537])
    fused = s[args[1]].fuse(i, j)
    s[args[1]].split(fused, factor=2**20)
    assert count(s, args) == 65536 * 65537 % 2**32


@pytest.mark.parametrize("n", [46341, 65537])
def test_loops_of_more_iterations_than_int32_in_all(n: int) -> None:
    """Every element of a row is written as often as there are columns; the last one last of all."""
    A = te.placeholder((n,), "int32", name="A")
    j = te.reduce_axis((0, n), "j")
    C = te.compute((n,), lambda i: te.sum(A[i] + j, axis=j), name="C")
    s = te.create_schedule(C.op)
    s[C].reorder(j, C.op.axis[0])
    inner = s[C].split(C.op.axis[0], factor=16)[1]
    s[C].vectorize(inner)
    a = np.arange(n, dtype="int32") - n
    with np.errstate(over="ignore"):
        wanted = a * np.int32(n) + np.array(n * (n - 1) // 2, "int64").astype("int32")
    np.testing.assert_array_equal(tewb.build(s, [A, C])(a), wanted)


@pytest.mark.parametrize("size", [16, 1000, 2**30, LAST, 2**31, 2**40])
@pytest.mark.parametrize("n", [LAST, 2**30 + 1])
def test_splits_near_the_end_of_int32_run_all_iterations(n: int, size: int) -> None:
    for split in ("factor", "nparts"):
        s, args, (i,) = ones_summed([n])
        s[args[1]].split(i, **{split: size})
        assert count(s, args) == n


def test_rounded_up_split_counts_in_int64_where_it_passes_int32_and_else_does_not() -> None:
    s, args, (i,) = ones_summed([LAST])
    s[args[1]].split(i, factor=16)
    assert {dtype for dtype, _ in loops(s, args)} == {"int64"}
    s, args, (i,) = ones_summed([LAST - 15])
    s[args[1]].split(i, factor=16)
    assert {dtype for dtype, _ in loops(s, args)} == {"int32"}


@pytest.mark.parametrize(
    "begin, end",
    [(-(2**31), LAST), (LAST - 9, LAST), (2**31 - 5, 2**31 + 5), (2**33, 2**33 + 6), (-(2**31) - 5, 4)],
)
def test_reduce_axes_may_begin_and_end_anywhere(begin: int, end: int) -> None:
    A = te.placeholder((4,), "uint8", name="A")
    k = te.reduce_axis((begin, end), "k")
    C = te.compute((1,), lambda x: te.sum(A[k % 4].astype("uint32"), axis=k), name="C")
    s = te.create_schedule(C.op)
    s[C].split(k, factor=2**20)
    assert count(s, [A, C]) == (end - begin) % 2**32


def test_value_of_an_axis_keeps_its_dtype_in_wider_loops() -> None:
    n = 46341
    C = te.compute((n, n), lambda i, j: i + j, name="C")
    assert C.dtype == "int32"
    D = te.compute((2, 2), lambda i, j: C[i * (n - 1), j * (n - 1)], name="D")
    s = te.create_schedule(D.op)
    s[C].compute_inline()
    np.testing.assert_array_equal(tewb.build(s, [D])(), [[0, n - 1], [n - 1, 2 * n - 2]])
    s = te.create_schedule(C.op)
    f = s[C].fuse(*C.op.axis)
    assert f.dtype == "int64"
    assert "T.Cast" in str(tewb.lower(s, [C]))


def test_elements_that_cannot_be_counted_are_refused() -> None:
    with pytest.raises(ShapeError, match="more than memory can address"):
        te.placeholder((2**30, 2**30), "float64", name="A")


@pytest.mark.parametrize("shape", [(4, 70000, 70000), (70000, 4, 70000), (2**31 + 7,), (3, 2**31 + 7)])
def test_strides_of_large_arrays_are_those_of_numpy(shape: tuple[int, ...]) -> None:
    strides = [const_int(e) for e in row_major([convert(n) for n in shape])]
    assert strides == [math.prod(shape[d + 1 :]) for d in range(len(shape))]


# ---------------------------------------------------------------- symbolic sizes


def symbolic(
    schedule: Callable[[Any, Tensor, list[IterVar]], Any], sizes: Callable[[Any], Sequence[Any]]
) -> Callable[[int], int]:
    """A kernel that counts the iterations of its loops."""
    n = te.var("n")
    s, args, axes = ones_summed(sizes(n))
    schedule(s, args[1], axes)
    kernel = tewb.build(s, [n, *args])

    def run(size: int) -> int:
        made = np.zeros(1, "uint32")
        kernel(size, np.ones(4, "uint8"), made)
        return int(made[0])

    return run


def test_fused_loops_of_symbolic_sizes_run_beyond_int32() -> None:
    run = symbolic(lambda s, C, axes: s[C].split(s[C].fuse(*axes), factor=64), lambda n: [n, n])
    for n in (0, 1, 7, 100, 46341):
        assert run(n) == n * n


def test_product_of_sizes_is_checked_when_the_kernel_is_called() -> None:
    run = symbolic(lambda s, C, axes: None, lambda n: [n * n])
    for _ in range(3):  # in Python, and in machine code
        assert run(9) == 81
        with pytest.raises(
            ArgumentError, match=r"loop i needs n \* n, which is 2147488281 and does not fit int32"
        ):
            run(46341)


def test_rounding_of_a_symbolic_split_is_checked_when_the_kernel_is_called() -> None:
    run = symbolic(lambda s, C, axes: s[C].split(axes[0], factor=16), lambda n: [n])
    for _ in range(3):
        assert run(2**20 + 5) == 2**20 + 5
        with pytest.raises(ArgumentError, match=r"n \+ 15, which is 2147483662 and does not fit int32"):
            run(LAST)


@pytest.mark.parametrize("factor", [2**20, LAST, 2**40])
def test_large_factor_of_a_symbolic_split_counts_in_int64(factor: int) -> None:
    run = symbolic(lambda s, C, axes: s[C].split(axes[0], factor=factor), lambda n: [n])
    for n in (0, 5, 2**20 + 1, LAST):
        assert run(n) == n


def test_shape_that_is_a_product_is_checked_when_the_kernel_is_called() -> None:
    n = te.var("n")
    A = te.placeholder((n * n,), "uint8", name="A")
    k = te.reduce_axis((0, 4), "k")
    C = te.compute((1,), lambda x: te.sum(A[k].astype("int32"), axis=k), name="C")
    q = te.var("q")
    B = te.decl_buffer(A.shape, "uint8", name="A", strides=[q])
    kernel = tewb.build(te.create_schedule(C.op), [n, A, C], binds={A: B})
    for _ in range(3):
        assert kernel(3, np.ones(9, "uint8"))[0] == 4
        with pytest.raises(ArgumentError, match=r"A needs n \* n, which is 2147488281"):
            kernel(46341, np.broadcast_to(np.uint8(1), (46341 * 46341,)))


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_bytes_of_an_intermediate_do_not_wrap(dtype: str) -> None:
    sizes = [te.var(name, dtype) for name in "nmk"]
    A = te.placeholder((4,), "float64", name="A")
    T = te.compute(sizes, lambda i, j, k: A[(i + j + k) % 4], name="T")
    axes = [te.reduce_axis((0, n)) for n in sizes]
    B = te.compute((1,), lambda i: te.sum(T[tuple(axes)], axis=axes), name="B")
    kernel = tewb.build(te.create_schedule(B.op), [*sizes, A, B])
    for _ in range(3):
        assert kernel(2, 3, 4, np.ones(4))[0] == 24
        with pytest.raises(ArgumentError, match=r"T \(bytes\) needs .*, which is 18446744073709551616"):
            kernel(2**23, 2**23, 2**15, np.ones(4))


@pytest.mark.parametrize(
    "primitive", ["rfactor", "cache_write", "parallel", "vectorize", "unroll", "compute_at"]
)
def test_primitives_on_loops_beyond_int32(primitive: str) -> None:
    s, args, (i, j) = ones_summed([65536, 65537])
    C = args[1]
    if primitive == "cache_write":
        T = s.cache_write(C, "local")
        s[T].split(s[T].fuse(*T.op.reduce_axis), factor=2**24)
    elif primitive == "compute_at":
        T = s.cache_write(C, "local")
        s[T].compute_at(s[C], C.op.axis[0])
        s[T].fuse(*T.op.reduce_axis)
    else:
        outer, inner = s[C].split(s[C].fuse(i, j), factor=16)
        if primitive == "rfactor":
            T = s.rfactor(C, inner)
            assert T.op.axis[0].dtype == "int64"
        elif primitive == "parallel":
            T = s.rfactor(C, s[C].split(outer, nparts=8)[0])
            s[T].parallel(T.op.axis[0])
        else:
            getattr(s[C], primitive)(inner)
    assert count(s, args) == 65536 * 65537 % 2**32


# ---------------------------------------------------------------- sizes below 0


def fused(s: Schedule, C: Tensor, axes: list[IterVar]) -> None:
    s[C].fuse(*axes)


def fused_and_split(s: Schedule, C: Tensor, axes: list[IterVar]) -> None:
    s[C].vectorize(s[C].split(s[C].fuse(*axes), factor=4)[1])


def parts_fused(s: Schedule, C: Tensor, axes: list[IterVar]) -> None:
    outer, inner = s[C].split(axes[0], nparts=2)
    s[C].reorder(outer, inner, axes[1])
    s[C].fuse(inner, axes[1])


def factored(s: Schedule, C: Tensor, axes: list[IterVar]) -> None:
    s.rfactor(C, s[C].fuse(*axes))


@pytest.mark.parametrize("schedule", [fused, fused_and_split, parts_fused, factored])
@pytest.mark.parametrize("less", [0, 5])
def test_loops_of_fewer_than_no_iterations_are_empty_as_one_too(schedule: Any, less: int) -> None:
    run = symbolic(schedule, lambda n: [n - less, n - less])
    for n in (-4, 0, 2, 5, 6, 9):
        assert run(n) == max(n - less, 0) ** 2


def test_empty_loops_that_are_fused_read_nothing() -> None:
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((n, m), "int32", name="A")
    i, j = te.reduce_axis((0, n - 5), "i"), te.reduce_axis((0, m - 5), "j")
    C = te.compute((1,), lambda x: te.sum(A[i, j], axis=[i, j]), name="C")
    s = te.create_schedule(C.op)
    s[C].fuse(i, j)
    kernel = tewb.build(s, [A, C])
    for shape in [(2, 2), (4, 3), (2, 9), (5, 5), (6, 8)]:
        a = np.arange(np.prod(shape), dtype="int32").reshape(shape)
        assert kernel(between_pages(a))[0] == a[: max(shape[0] - 5, 0), : max(shape[1] - 5, 0)].sum()


def test_sizes_of_arrays_are_fused_as_they_are() -> None:
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((n, m), "int32", name="A")
    B = te.compute((n, m), lambda i, j: A[i, j] + 1, name="B")
    s = te.create_schedule(B.op)
    s[B].fuse(*B.op.axis)
    assert "T.max" not in str(tewb.lower(s, [A, B])) + s[B].loops()


@pytest.mark.parametrize("primitive", ["", "split", "nparts", "vectorize", "rfactor"])
def test_ranges_between_numbers_are_checked_when_the_kernel_is_called(primitive: str) -> None:
    n, m = te.var("n"), te.var("m")
    A, k = te.placeholder((4,), "uint8", name="A"), te.reduce_axis((n, m), "k")
    C = te.compute((1,), lambda x: te.sum(A[0].astype("uint32"), axis=k), name="C")
    s = te.create_schedule(C.op)
    if primitive:
        inner = s[C].split(k, **({"nparts": 16} if primitive == "nparts" else {"factor": 4}))[1]
        if primitive == "vectorize":
            s[C].vectorize(inner)
        elif primitive == "rfactor":
            s.rfactor(C, inner)
    kernel = tewb.build(s, [n, m, A, C])
    for _ in range(3):  # in Python, and in machine code
        for begin, end in [(0, 3), (3, 0), (-(2**20), -(2**20) + 9), (7, 7), (-(2**20), 2**20 - 1)]:
            assert kernel(begin, end, np.ones(4, "uint8"))[0] == max(end - begin, 0)
        for begin, end in [(-5, LAST), (-(2**31), LAST), (LAST, -(2**31))]:
            with pytest.raises(ArgumentError, match=r"loop k[.a-z]* needs .* does not fit int32"):
                kernel(begin, end, np.ones(4, "uint8"))


def test_number_less_a_constant_is_checked_when_the_kernel_is_called() -> None:
    run = symbolic(lambda s, C, axes: None, lambda n: [n - 5])
    for _ in range(3):
        assert run(-(2**31) + 5) == run(4) == 0
        with pytest.raises(ArgumentError, match=r"does not fit int32"):
            run(-(2**31) + 4)


def told(dtype: str, factor: int | None) -> Callable[[int, int], int]:
    """A kernel that counts the iterations of a loop whose ends are elements."""
    P, A = te.placeholder((2,), dtype, name="P"), te.placeholder((4,), "uint8", name="A")
    axes: list[IterVar] = []

    def row(x: Any) -> Any:
        axes.append(te.reduce_axis((P[0], P[1]), "k"))
        return te.sum(A[0].astype("uint32"), axis=axes[0])

    C = te.compute((1,), row, name="C")
    s = te.create_schedule(C.op)
    if factor is not None:
        s[C].split(axes[0], factor=factor)
    kernel = tewb.build(s, [P, A, C])
    return lambda begin, end: int(kernel(np.array([begin, end], dtype), np.ones(4, "uint8"))[0])


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
@pytest.mark.parametrize("factor", [None, 16])
def test_ranges_of_elements_that_cannot_be_counted_are_refused(dtype: str, factor: int | None) -> None:
    run, last = told(dtype, factor), int(np.iinfo(dtype).max)
    for begin, end in [(0, 0), (3, 1), (4, 4 + 2**20)]:
        assert run(begin, end) == max(end - begin, 0)
    for begin, end in [(-(2**62), 2**62)] if dtype == "int64" else [(last, 0), (last - 3, last)]:
        with pytest.raises(BoundError, match="more iterations of k than int"):
            run(begin, end)


@pytest.mark.parametrize("factor", [None, 16, 2**20, 2**33])
def test_ranges_of_int32_elements_are_counted_in_int64(factor: int | None) -> None:
    run = told("int32", factor)
    for begin, end in [
        (0, LAST),
        (LAST - 5, LAST),
        (-(2**31), -(2**31) + 7),
        (-(2**31), LAST),
        (7, -(2**31)),
    ]:
        assert run(begin, end) == max(end - begin, 0)


def test_value_of_an_axis_that_elements_tell_keeps_its_dtype() -> None:
    P = te.placeholder((3,), "int32", name="P")

    def row(i: Any) -> Any:
        k = te.reduce_axis((P[i], P[i + 1]), "k")
        return te.sum(k * 3, axis=k)

    C = te.compute((2,), row, name="C")
    assert C.dtype == "int32"
    made = tewb.build(te.create_schedule(C.op), [P, C])(np.array([LAST - 5, LAST, LAST], "int32"))
    assert list(made) == [(np.arange(LAST - 5, LAST, dtype="int32") * np.int32(3)).sum(dtype="int32"), 0]


# ---------------------------------------------------------------- beyond int64

WIDE: list[Callable[[Any, Tensor, list[IterVar]], Any]] = [
    lambda s, C, axes: s[C].fuse(*axes),
    lambda s, C, axes: s[C].split(s[C].fuse(*axes), factor=64),
    lambda s, C, axes: s[C].split(s[C].fuse(*axes), nparts=4),
    lambda s, C, axes: s.rfactor(C, s[C].split(s[C].fuse(*axes), factor=4)[1]),
]


@pytest.mark.parametrize("schedule", WIDE)
def test_fused_loops_of_int64_sizes_are_checked_when_the_kernel_is_called(schedule: Any) -> None:
    n, m = te.var("n", "int64"), te.var("m", "int64")
    s, args, axes = ones_summed([n, m])
    schedule(s, args[1], axes)
    kernel = tewb.build(s, [n, m, *args])
    one = np.ones(4, "uint8")
    for _ in range(3):  # in Python, and in machine code
        assert kernel(5, 9, one)[0] == 45
        assert kernel(0, 2**40, one)[0] == kernel(2**40, 0, one)[0] == 0
        with pytest.raises(ArgumentError, match=r"which is 184467440737095516.. and does not fit int64"):
            kernel(2**32, 2**32, one)


def test_products_of_int64_sizes_are_checked_when_the_kernel_is_called() -> None:
    sizes = [te.var(name, "int64") for name in "nmk"]
    s, args, _ = ones_summed([sizes[0] * sizes[1] * sizes[2]])
    kernel = tewb.build(s, [*sizes, *args])
    for _ in range(3):
        assert kernel(2, 3, 4, np.ones(4, "uint8"))[0] == 24
        with pytest.raises(ArgumentError, match=r"which is 18446744073709551616 and does not fit int64"):
            kernel(2**22, 2**21, 2**21, np.ones(4, "uint8"))


def test_products_of_int32_sizes_in_int64_need_no_check() -> None:
    n, m = te.var("n"), te.var("m")
    s, args, (i, j) = ones_summed([n, m])
    s[args[1]].fuse(i, j)
    assert tewb.build(s, [n, m, *args]).signature.limits == ()


def test_ranges_and_parts_of_int64_sizes_are_checked_when_the_kernel_is_called() -> None:
    n, m = te.var("n", "int64"), te.var("m", "int64")
    A, k = te.placeholder((4,), "uint8", name="A"), te.reduce_axis((n, m), "k")
    C = te.compute((1,), lambda x: te.sum(A[0].astype("uint32"), axis=k), name="C")
    s = te.create_schedule(C.op)
    s[C].split(k, factor=16)
    kernel = tewb.build(s, [n, m, A, C])
    for _ in range(3):
        assert kernel(-(2**63), -(2**63) + 9, np.ones(4, "uint8"))[0] == 9
        for begin, end in [(-(2**63), 2**63 - 1), (0, 2**63 - 3)]:
            with pytest.raises(ArgumentError, match="does not fit int64"):
                kernel(begin, end, np.ones(4, "uint8"))


def test_constant_loops_that_nothing_counts_are_refused() -> None:
    s, args, axes = ones_summed([2**32, 2**20, 2**12])
    with pytest.raises(ScheduleError, match="4294967296 x 1048576 x 4096 iterations are more than int64"):
        s[args[1]].fuse(*axes)
    s, args, (i,) = ones_summed([2**63 - 1])
    with pytest.raises(ScheduleError, match="9223372036854775807 iterations, which are 9223372036854775808"):
        s[args[1]].split(i, factor=16)
    with pytest.raises(ShapeError, match="18446744073709551615 are more than int64 counts"):
        te.reduce_axis((-(2**63), 2**63 - 1))


# Ends of an axis i, a tensor L and a number m; the ends of numpy in int64.
Ends = Callable[[Any, Any, Any], tuple[Any, Any]]
RANGES: dict[str, Ends] = {
    "element times number": lambda i, L, m: (0, L[i] * m),
    "axis times numbers": lambda i, L, m: (0, i * m * m),
    "axis times constant": lambda i, L, m: (0, i * (1 << 30)),
    "both sides": lambda i, L, m: (L[i] * -2, L[i] * 3),
    "beyond int32": lambda i, L, m: (L[i] + (LAST - 9), L[i] + LAST),
    "from a number": lambda i, L, m: (m, m + i),
    "backward": lambda i, L, m: (i - 1, L[i]),
}
HOW: dict[str, Callable[[Any, Tensor, IterVar], Any]] = {
    "": lambda s, C, k: None,
    "factor": lambda s, C, k: s[C].split(k, factor=16),
    "nparts": lambda s, C, k: s[C].split(k, nparts=7),
    "vectorize": lambda s, C, k: s[C].vectorize(s[C].split(k, factor=8)[1]),
    "rfactor": lambda s, C, k: s.rfactor(C, s[C].split(k, factor=4)[1]),
    "cache_write": lambda s, C, k: s.cache_write(C, "local"),
    "lanes": lambda s, C, k: s[C].vectorize(C.op.axis[0]),
}


@pytest.mark.parametrize("ends", RANGES)
@pytest.mark.parametrize("how", HOW)
def test_dependent_ranges_that_pass_int32_run_all_iterations(ends: str, how: str) -> None:
    A, L = te.placeholder((4,), "uint8", name="A"), te.placeholder((3,), "int32", name="L")
    m, axes = te.var("m"), list[IterVar]()

    def row(i: Any) -> Any:
        axes.append(te.reduce_axis(RANGES[ends](i, L, m), "k"))
        return te.sum(A[0].astype("uint32"), axis=axes[0])

    C = te.compute((3,), row, name="C")
    s = te.create_schedule(C.op)
    HOW[how](s, C, axes[0])
    made = tewb.build(s, [A, L, m, C])(np.ones(4, "uint8"), np.array([0, 5, 40000], "int32"), 40000)
    long = np.array([0, 5, 40000])
    wanted = [max(e - b, 0) % 2**32 for b, e in (RANGES[ends](i, long, 40000) for i in range(3))]
    assert [int(n) for n in made] == wanted
