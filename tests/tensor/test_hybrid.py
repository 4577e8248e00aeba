"""Hybrid script: plain Python on numpy, compiled on tensors, and both the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import BoundError, HybridError, ScheduleError

SCALE = 3


@te.hybrid.script
def outer_product(a, b):
    """The program of the first forum thread, with a branch."""
    c = output_tensor((a.shape[0], b.shape[0]), "float32")  # noqa: F821
    for i in range(a.shape[0]):
        for j in range(b.shape[0]):
            if i < j:
                c[i, j] = a[i] * b[j]
            else:
                c[i, j] = a[i] - b[j] * 2.0
    return c


@te.hybrid.script
def row_sums(a):
    s = output_tensor((a.shape[0],), "float32")  # noqa: F821
    for i in range(a.shape[0]):
        total = 0.0
        for j in range(a.shape[1]):
            total += a[i, j]
        s[i] = total
    return s


@te.hybrid.script
def running_sum(a):
    s = output_tensor((a.shape[0],), "float32")  # noqa: F821
    s[0] = a[0]
    for i in range(1, a.shape[0]):
        s[i] = s[i - 1] + a[i]
    return s


@te.hybrid.script
def neighbours(a):
    b = output_tensor((a.shape[0],), "float32")  # noqa: F821
    for i in range(a.shape[0]):
        left = a[i - 1] if i > 0 else 0.0
        right = a[i + 1] if i + 1 < a.shape[0] else 0.0
        b[i] = max(left, right) if 0.0 < a[i] <= 1.5 and not left > right else exp(a[i]) * SCALE  # noqa: F821
    return b


@te.hybrid.script
def strided(a):
    b = output_tensor((10,), "int32")  # noqa: F821
    for i in range(10):
        b[i] = 0
    for i in range(1, 10, 3):
        b[i] = a[i] // 2 + (a[i] % 3) * 2
    for i in range(9, 3, -2):
        b[i] += 1 << 2
    for i in const_range(2):  # noqa: F821
        b[-1] += i
    return b


@te.hybrid.script
def halving(a):
    n = output_tensor((a.shape[0],), "int32")  # noqa: F821
    for i in range(a.shape[0]):
        x = a[i]
        steps = 0
        while x > 1:
            x = x // 2
            steps += 1
        n[i] = steps
    return n


@te.hybrid.script
def wrapped(a):
    """Loop variables are int32, and wrap as int32 does."""
    out = output_tensor((4,), "int64")  # noqa: F821
    for i in range(4):
        for j in serial(i, i + 1):  # noqa: F821
            out[i] = (j + 2147483646) * 2 + j * 65536 * 65536 + (j << 31) + a[i]
    return out


@te.hybrid.script
def doubled(a):
    d = output_tensor(a.shape, "float32")  # noqa: F821
    for i in range(a.shape[0]):
        d[i] = a[i] * 2.0
    return d


@te.hybrid.script
def twice_and_sum(a):
    t = doubled(a)
    p = output_tensor(a.shape, "float32")  # noqa: F821
    q = output_tensor(a.shape, "float64")  # noqa: F821
    for i in range(a.shape[0]):
        p[i] = t[i] + a[i]
        q[i] = float64(t[i])  # noqa: F821
    return p, q


def compiled(
    f: Any, arrays: list[Any], schedule: Callable[[Any, Any], None] | None = None, **build: bool
) -> list[Any]:
    inputs = [te.placeholder(a.shape, name=f"in{i}", dtype=str(a.dtype)) for i, a in enumerate(arrays)]
    made = f(*inputs)
    outputs = list(made) if isinstance(made, list) else [made]
    s = te.create_schedule(outputs[0].op)
    if schedule is not None:
        schedule(s, outputs[0])
    results = [np.zeros([n.value for n in t.shape], t.dtype) for t in outputs]
    tewb.build(s, [*inputs, *outputs], **build)(*arrays, *results)
    return results


def floats(*shape: int) -> Any:
    return np.random.default_rng(1).standard_normal(shape).astype("float32")


CASES = [
    (outer_product, [floats(7), floats(5)]),
    (row_sums, [floats(6, 9)]),
    (running_sum, [floats(12)]),
    (neighbours, [floats(11)]),
    (strided, [np.arange(10, dtype="int32") * 7]),
    (halving, [np.array([1, 2, 9, 1000], "int32")]),
    (twice_and_sum, [floats(8)]),
    (wrapped, [np.array([5, -1, 2**31 - 1, 0], "int32")]),
]


@pytest.mark.parametrize(("f", "arrays"), CASES, ids=lambda x: getattr(x, "name", ""))
def test_compiled_equals_eager(f: Any, arrays: list[Any]) -> None:
    eager = f(*arrays)
    for got, want in zip(
        compiled(f, arrays, debug=True), eager if isinstance(eager, tuple) else [eager], strict=True
    ):
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=2e-6)


@pytest.mark.parametrize(("n", "m"), [(8, 16), (7, 13), (1, 5)])
def test_split_and_vectorized_outer_product(n: int, m: int) -> None:
    def schedule(s: Any, c: Any) -> None:
        i, j = s[c].op.axis
        jo, ji = s[c].split(j, factor=4)
        io, _ = s[c].split(i, factor=2)
        s[c].vectorize(ji)
        s[c].parallel(io)

    a, b = floats(n), floats(m)
    np.testing.assert_allclose(compiled(outer_product, [a, b], schedule)[0], outer_product(a, b), rtol=1e-6)


def test_fuse_and_reorder_of_a_perfect_nest() -> None:
    def fused(s: Any, c: Any) -> None:
        s[c].unroll(s[c].split(s[c].fuse(*s[c].op.axis), factor=3)[1])

    def swapped(s: Any, c: Any) -> None:
        i, j = s[c].op.axis
        io, ii = s[c].split(i, factor=4)
        s[c].reorder(j, io, ii)

    a, b = floats(7), floats(5)
    for schedule in (fused, swapped):
        np.testing.assert_allclose(
            compiled(outer_product, [a, b], schedule)[0], outer_product(a, b), rtol=1e-6
        )


def test_vectorized_loop_becomes_vectors() -> None:
    A = te.placeholder((16,), name="A")
    D = doubled(A)
    s = te.create_schedule(D.op)
    s[D].vectorize(D.op.axis[0])
    assert "[0:16]" in str(tewb.lower(s, [A, D]))


def test_imperfect_nests_are_not_reordered() -> None:
    @te.hybrid.script
    def between(a):
        c = output_tensor(a.shape, "float32")  # noqa: F821
        for i in range(a.shape[0]):
            c[i, 0] = 0.0
            for j in range(1, a.shape[1]):
                c[i, j] = a[i, j]
        return c

    C = between(te.placeholder((4, 5), name="A"))
    s = te.create_schedule(C.op)
    with pytest.raises(ScheduleError, match="other statements stand between"):
        s[C].reorder(*reversed(C.op.axis))
    with pytest.raises(ScheduleError, match="j.outer cannot move out of the loop around it"):
        s[C].tile(*C.op.axis, 2, 2)
    with pytest.raises(ScheduleError, match="not perfectly nested"):
        s[C].fuse(*C.op.axis)


def test_hybrid_reads_a_computed_stage_and_is_read() -> None:
    A = te.placeholder((9,), name="A")
    B = te.compute((9,), lambda i: A[i] + 1.0, name="B")
    D = doubled(B)
    E = te.compute((9,), lambda i: D[i] * 10.0, name="E")
    s = te.create_schedule(E.op)
    a, e = floats(9), np.zeros(9, "float32")
    tewb.build(s, [A, E])(a, e)
    np.testing.assert_allclose(e, (a + 1) * 20, rtol=1e-6)


def test_eager_run_leaves_nothing_behind() -> None:
    assert "output_tensor" not in globals()
    with pytest.raises(IndexError):
        outer_product(floats(3), np.zeros(()))
    assert "output_tensor" not in globals()


def tensor(*shape: int, dtype: str = "float32") -> Any:
    return te.placeholder(shape, name="A", dtype=dtype)


def test_an_unproved_access_is_checked_when_it_runs() -> None:
    @te.hybrid.script
    def gather(a, at):
        b = output_tensor((4,), "float32")  # noqa: F821
        for i in range(4):
            b[i] = a[at[i]]
        return b

    A, I = tensor(8), te.placeholder((4,), name="at", dtype="int32")  # noqa: E741
    B = gather(A, I)
    kernel = tewb.build(te.create_schedule(B.op), [A, I, B])
    b = np.zeros(4, "float32")
    kernel(np.arange(8, dtype="float32"), np.array([7, 0, 3, 1], "int32"), b)
    np.testing.assert_array_equal(b, [7, 0, 3, 1])
    with pytest.raises(BoundError, match="gather leaves A in dimension 0"):
        kernel(np.arange(8, dtype="float32"), np.array([7, 8, 3, 1], "int32"), b)


def test_an_index_that_is_known_to_pass_int32_is_computed_in_int64() -> None:
    def squares(A: Any) -> Any:
        out = output_tensor((70000,), "float32")  # noqa: F821
        for i in range(70000):
            out[i] = A[i * i // 65536]
        return out

    A = te.placeholder((80000,), name="A")
    C = te.hybrid.script(squares)(A)
    a, i = np.arange(80000, dtype="float32"), np.arange(70000, dtype="int64")
    np.testing.assert_array_equal(tewb.build(te.create_schedule(C.op), [A, C])(a), a[i * i // 65536])


def test_an_index_that_is_known_to_pass_int64_is_refused() -> None:
    def cubes(A: Any) -> Any:
        out = output_tensor((3000000,), "float32")  # noqa: F821
        for i in range(3000000):
            out[i] = A[i * i * i // 2 % 8]
        return out

    A = te.placeholder((8,), name="A")
    with pytest.raises(BoundError, match=r"the index of A passes int64: in dimension 0, .* reaches 26999973"):
        te.hybrid.script(cubes)(A)


def test_values_in_hybrid_functions_wrap_and_divide_by_0_to_0() -> None:
    def values(A: Any) -> Any:
        out = output_tensor((64,), "int32")  # noqa: F821
        for i in range(64):
            if (i + 46300) * (i + 46300) < 0:
                out[i] = i // (i - 50)
            else:
                out[i] = A[A[i] * 2 // 2] + (i + 5) // (i - 3)
        return out

    A = te.placeholder((64,), name="A", dtype="int32")
    C = te.hybrid.script(values)(A)
    kernel = tewb.build(te.create_schedule(C.op), [A, C])
    i, got = np.arange(64, dtype="int32"), np.zeros(64, "int32")
    kernel(i, got)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(
            got, np.where((i + 46300) * (i + 46300) < 0, i // (i - 50), i + (i + 5) // (i - 3))
        )
    with pytest.raises(BoundError, match="leaves A in dimension 0"):
        kernel(np.full(64, 2**30 + 3, "int32"), got)  # doubled and halved it is another number


# ---------------------------------------------------------------- a parameter that is an output


@te.hybrid.script
def product_into(a, b, c):  # as people wrote it in 2019
    c = output_tensor((4, 3), "float32")  # noqa: F821
    for i in range(a.shape[0]):
        for j in range(b.shape[0]):
            c[i, j] = a[i] * b[j]
    return c


def test_a_parameter_that_is_an_output_is_left_out() -> None:
    a, b = np.arange(4, dtype="float32"), np.arange(3, dtype="float32")
    A, B = te.placeholder((4,), name="A"), te.placeholder((3,), name="B")
    C = product_into(A, B)
    kernel = tewb.build(te.create_schedule(C.op), [A, B, C])
    for result in (product_into(a, b), product_into(a, b, None), product_into.check(a, b), kernel(a, b)):
        np.testing.assert_array_equal(result, np.outer(a, b))


def test_a_parameter_that_is_read_first_is_not_left_out() -> None:
    @te.hybrid.script
    def f(a, c):
        n = c + 1
        c = output_tensor((4,), "float32")  # noqa: F821
        for i in range(4):
            c[i] = a[i] + n
        return c

    with pytest.raises(HybridError, match="it takes 2 arguments and was given 1: c is missing"):
        f(np.zeros(4, "float32"))
    with pytest.raises(HybridError, match="was given 1: b is missing"):
        product_into(np.zeros(4, "float32"))
