"""Every construct of the hybrid language: compiled, as plain Python, and checked, with equal results."""

from __future__ import annotations

import linecache
import math
import threading
from typing import Any

import numpy as np
import pytest

import tewb
from tests.tensor.test_hybrid import compiled, floats, tensor
from tewb import te
from tewb.base import BoundError, HybridError

script = te.hybrid.script
TABLE = np.array([3, 1, 4, 1, 5, 9, 2, 6], "int32")
WEIGHTS = np.array([[0.5, 0.25], [2.0, 4.0]], "float32")
OFFSET = 2
n = 1000  # a global that functions below also use as a name of their own


def three_ways(f: Any, *arrays: Any, debug: bool = True) -> None:
    """Compiled, plain Python and the checked run agree."""
    want = f(*arrays)
    checked = f.check(*arrays)
    got = compiled(f, list(arrays), debug=debug)
    several = isinstance(want, tuple | list)
    for g, w, c in zip(got, want if several else [want], checked if several else [checked], strict=True):
        assert g.dtype == w.dtype == c.dtype
        np.testing.assert_allclose(g, w, rtol=3e-6)
        np.testing.assert_allclose(c, w, rtol=3e-6)


def ints(*shape: int, dtype: str = "int32", low: int = 0, high: int = 8) -> Any:
    return np.random.default_rng(2).integers(low, high, shape).astype(dtype)


# ruff: noqa: F821

# ---------------------------------------------------------------- loops


def test_steps_and_serial() -> None:
    @script
    def f(a):
        b = output_tensor((12,), "int32")
        b[:] = 0
        for i in serial(12):
            b[i] += a[i]
        for i in range(1, 12, 4):
            b[i] += 10
        for i in serial(11, -1, -3):
            b[i] += 100 + i
        for i in range(5, 2):
            b[i] = 7
        return b

    three_ways(f, ints(12))


def test_a_loop_over_ranges_tuples_and_lists_of_tensors() -> None:
    @script
    def f(tensors):
        b = output_tensor((8,), "int32")
        b[:] = 0
        for r in (range(0, 4), range(2, 8, 3)):
            for i in r:
                b[i] += 1
        for t in tensors:
            for i in range(8):
                b[i] += t[i]
        for k, t in enumerate(tensors):
            b[k] = b[k] * 10 + t[0]
        for (lo, hi), t in zip(((0, 2), (2, 6)), tensors):  # noqa: B905
            for i in range(lo, hi):
                b[i] -= t[i]
        for c in [3, 5]:
            b[c] += c
        for t in tensors[1:]:
            b[7] += t[7] * len(tensors)
        return b

    a, c = ints(8), ints(8) + 1
    A, C = tensor(8, dtype="int32"), te.placeholder((8,), name="C", dtype="int32")
    B = f([A, C])
    out = np.zeros(8, "int32")
    tewb.build(te.create_schedule(B.op), [A, C, B])(a, c, out)
    np.testing.assert_array_equal(out, f([a, c]))
    np.testing.assert_array_equal(out, f.check([a, c]))


def test_a_loop_over_the_elements_of_a_tensor() -> None:
    @script
    def f(a):
        b = output_tensor((2,), "float32")
        total = 0.0
        most = a[0]
        for x in a:
            total += x * 2.0
            most = max(most, x)
            x = x + 1.0
            total += x
        b[0] = total
        b[1] = most
        return b

    three_ways(f, floats(9))


def test_a_loop_bound_is_read_once() -> None:
    @script
    def f(a):
        b = output_tensor((8,), "int32")
        b[:] = 0
        x = a[0]
        for i in range(x, x + 3):
            x = 0
            b[i] = i + x
        for j in range(b[2] + 1, 8, 2):
            b[2] = 50
            b[j] += 1
        return b

    three_ways(f, np.array([2, 0], "int32"))


def test_while_with_a_condition_that_reads_memory() -> None:
    @script
    def f(a):
        b = output_tensor((a.shape[0],), "int32")
        for i in range(a.shape[0]):
            k = 0
            while k < a.shape[0] and a[k] != i:
                k += 1
            b[i] = k if k < a.shape[0] else -1
        return b

    three_ways(f, ints(9))


# ---------------------------------------------------------------- slices


def test_slices() -> None:
    @script
    def f(a):
        n, m = a.shape
        b = output_tensor((n, m), "float32")
        c = output_tensor((n, m), "float32")
        b[:, :] = 0.0
        c[:, :] = a[:, :]
        for i in range(n):
            b[i, :] = a[i, :] * 2
            b[i, 1:m] += a[i, 0 : m - 1]
        b[0, ::2] = exp(a[0, ::2])
        b[1, ::-1] = a[1, :] - 1.0
        b[2, -3:-1] = max(a[2, -3:-1], 0.25) + a[3, 0:2]
        b[:, 0] = -a[:, -1]
        b[1:3, 2:4] = a[0:1, 2:4] + a[1:3, 0:1]
        b[3, :] = 1
        c[0, :] += 1.0
        return b, c

    three_ways(f, floats(4, 6))


def test_overlapping_slices_go_through_a_temporary() -> None:
    @script
    def f(a):
        b = output_tensor((10,), "int32")
        b[:] = a[:]
        b[1:10] = b[0:9]
        b[0:9] = b[1:10] + b[0:9]
        b[::-1] = b[:]
        b[0:5] = b[5:10]
        b[2:4] += b[3]
        return b

    three_ways(f, ints(10))
    text = str(f(tensor(10, dtype="int32")).op.body)
    assert text.count("allocate") == 4  # b[0:5] = b[5:10] does not overlap


def test_slices_between_bounds_that_are_read() -> None:
    @script
    def f(a, at):
        b = output_tensor((10,), "float32")
        b[:] = 0.0
        lo = at[0]
        hi = at[1]
        b[lo:hi] = a[lo:hi]
        for i in range(3):
            b[i : i + 4] += a[i : i + 4]
        return b

    three_ways(f, floats(10), np.array([3, 7], "int32"))
    A, I = tensor(10), te.placeholder((2,), name="at", dtype="int32")  # noqa: E741
    B = f(A, I)
    kernel = tewb.build(te.create_schedule(B.op), [A, I, B])
    with pytest.raises(BoundError, match=r"the slice a\[lo:hi\] leaves A"):
        kernel(floats(10), np.array([3, 11], "int32"), np.zeros(10, "float32"))


def test_slices_of_a_tensor_of_any_size() -> None:
    @script
    def f(a):
        n = a.shape[0]
        b = output_tensor((n,), "float32")
        b[:] = a[:]
        b[1:n] = a[0 : n - 1]
        b[1:] += a[:-1]
        b[1:] = b[:-1]
        b[::-1] = b[:]
        return b

    A = te.placeholder((te.var("n"),), name="A")
    B = f(A)
    kernel = tewb.build(te.create_schedule(B.op), [A, B])
    for size in (1, 2, 7):
        a, b = floats(size), np.zeros(size, "float32")
        kernel(a, b)
        np.testing.assert_array_equal(b, f(a))
        np.testing.assert_array_equal(b, f.check(a))


def test_slice_loops_can_be_scheduled() -> None:
    @script
    def f(a):
        b = output_tensor(a.shape, "float32")
        b[:, :] = a[:, :] * 2.0
        return b

    A = tensor(6, 16)
    B = f(A)
    assert [iv.name for iv in B.op.axis] == ["b.0", "b.1"]
    s = te.create_schedule(B.op)
    s[B].parallel(B.op.axis[0])
    s[B].vectorize(B.op.axis[1])
    a, b = floats(6, 16), np.zeros((6, 16), "float32")
    tewb.build(s, [A, B])(a, b)
    np.testing.assert_array_equal(b, a * 2)


# ---------------------------------------------------------------- expressions


def test_operators() -> None:
    @script
    def f(a):
        b = output_tensor((8, 10), "int32")
        for i in range(8):
            x = a[i]
            b[i, 0] = x**3 - x**0
            b[i, 1] = (x << 2) + (x >> 1)
            b[i, 2] = (x & 6) | (x ^ 3)
            b[i, 3] = ~x + -x
            b[i, 4] = 1 if 1 <= x < 6 != i else 0
            b[i, 5] = 1 if not (x > 2 or i % 2 == 0) else 2
            b[i, 6] = x // 3 + x % 3
            b[i, 7] = x // -3 + x % -3
            b[i, 8] = abs(x) + min(x, 2, i) * max(x, 3)
            b[i, -1] = int32(float32(x) * 1.5) + 2**3
        return b

    three_ways(f, ints(8, low=-7))


def test_ternaries_do_not_evaluate_the_guarded_side() -> None:
    @script
    def f(a):
        b = output_tensor((8,), "float32")
        for i in range(8):
            left = a[i - 1] if i > 0 else 0.0
            right = a[i + 1] if i < 7 else 0.0
            far = a[i + 3] if i + 3 < a.shape[0] and a[i + 3] > 0.0 else -1.0
            b[i] = left + right * far
        return b

    three_ways(f, floats(8))

    @script
    def shifted(a):
        b = output_tensor((8,), "float32")
        for i in range(8):
            b[i] = a[i - 1] if i > 0 else 0.0
        return b

    def vectorized(s: Any, t: Any) -> None:
        s[t].vectorize(s[t].op.axis[0])

    np.testing.assert_array_equal(compiled(shifted, [floats(8)], vectorized)[0], shifted(floats(8)))


def test_swapping_two_elements() -> None:
    @script
    def f(a):
        b = output_tensor((4,), "int32")
        b[:] = a[:]
        b[0], b[1] = b[1], b[0]
        x, y = a[2], a[3]
        x, y = y, x
        b[2] = x * 10
        b[3] = y
        return b

    three_ways(f, np.array([1, 2, 3, 4], "int32"))


def test_swapped_elements_are_checked_before_they_are_read() -> None:
    @script
    def f(a, i):
        b = output_tensor((4,), "int32")
        b[:] = a[:]
        b[i[0]], b[1] = b[1], b[i[0]]
        return b

    text = str(f(tensor(4, dtype="int32"), tensor(1, dtype="int32")).op.body)
    assert text.index("f leaves b in dimension 0") < text.index("value1[0] = b[")
    three_ways(f, np.array([1, 2, 3, 4], "int32"), np.array([3], "int32"))


def test_what_an_if_asked_does_not_hold_after_a_write() -> None:
    """Until now the second question was folded to the answer of the first."""

    @script
    def f(a):
        b = output_tensor((8,), "int32")
        for i in range(8):
            x = a[i]
            b[i] = 0
            if x < 4:
                x = 20
                if x < 4:
                    b[i] = 1
                else:
                    b[i] = 2
        return b

    three_ways(f, ints(8))

    @script
    def g(a):
        b = output_tensor((8,), "int32")
        b[:] = 0
        x = a[0]
        if 0 <= x < 8:
            x = x + 5
            b[x] = 1
        return b

    A = tensor(1, dtype="int32")
    B = g(A)
    kernel = tewb.build(te.create_schedule(B.op), [A, B])
    kernel(np.array([1], "int32"), np.zeros(8, "int32"))
    with pytest.raises(BoundError, match="leaves b in dimension 0"):
        kernel(np.array([7], "int32"), np.zeros(8, "int32"))


def test_an_index_that_changes_with_memory_is_not_independent() -> None:
    @script
    def f(a):
        b = output_tensor((16,), "int32")
        b[:] = 0
        for i in range(8):
            x = a[i]
            b[i + x] = i
        return b

    B = f(tensor(8, dtype="int32"))
    assert B.op.axis[1].kind.value == "ordered"
    three_ways(f, ints(8))


ONE = [
    "exp", "exp2", "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "tanh", "sigmoid", "sin", "cos", "tan", "asin",
    "acos", "atan", "sinh", "cosh", "erf", "floor", "ceil", "round", "trunc", "nearbyint", "isnan", "isinf",
    "isfinite", "abs", "float32", "int16", "bool", "int", "float",
]  # fmt: skip
TWO = ["fmod", "atan2", "hypot", "copysign", "power", "min", "max"]
INTEGERS = [
    "truncdiv(x, y)",
    "truncmod(x, y)",
    "popcount(x)",
    "floor(x)",
    "select(x > y, x, y)",
    "likely(x > y)",
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_word_of_floats(dtype: str) -> None:
    words = [f"{w}(x)" for w in ONE] + [f"{w}(x, y)" for w in TWO] + ["fma(x, y, x)", "select(x > y, x, y)"]
    lines = "".join(f"        b[{k}, i] = {w}\n" for k, w in enumerate(words))
    head = f"def f(a, c):\n    b = output_tensor(({len(words)}, 9), a.dtype)\n    for i in range(9):\n"
    text = head + "        x, y = a[i], c[i]\n" + lines + "    return b\n"
    f = script(define(text, f"<words {dtype}>", known=True)["f"])
    rng = np.random.default_rng(3)
    three_ways(f, rng.uniform(0.1, 0.9, 9).astype(dtype), rng.uniform(0.1, 2, 9).astype(dtype))


def test_every_word_of_integers() -> None:
    lines = "".join(f"        b[{k}, i] = {w}\n" for k, w in enumerate(INTEGERS))
    head = f"def f(a, c):\n    b = output_tensor(({len(INTEGERS)}, 9), a.dtype)\n    for i in range(9):\n"
    text = head + "        x, y = a[i], c[i]\n" + lines + "    return b\n"
    f = script(define(text, "<words of integers>", known=True)["f"])
    three_ways(f, ints(9, low=-50, high=50), ints(9, low=-5, high=0))


# ---------------------------------------------------------------- dtypes

DTYPES = ["float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype(dtype: str) -> None:
    @script
    def f(a):
        b = output_tensor(a.shape, a.dtype)
        c = output_tensor(shape=(a.shape[0],), dtype="bool")
        for i in range(a.shape[0]):
            x = a[i]
            x = x + a[i] * 3
            x -= 1
            b[i] = x
            c[i] = x > 100 or not a[i] > 5
        return b, c

    three_ways(f, ints(20, dtype=dtype, high=120))


@pytest.mark.one_in(3)
@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_beside_elements_are_int32_and_float32(dtype: str) -> None:
    @script
    def f(a, small, wide):
        b = output_tensor((12, a.shape[0]), "float64")
        for i in range(a.shape[0]):
            b[0, i] = a[i] - 5
            b[1, i] = (a[i] * 3 + 128) // 2
            b[2, i] = a[i] * 0.5 + 0.1
            b[3, i] = a[i] if 0 < a[i] - 4 < 100 else 1
            b[4, i] = max(a[i], 7) + (a[i] if a[i] > 3 else 1000) * 2
            b[5, i] = select(a[i] > 3, a[i], 300) - a[i]
            b[6, i] = a[i] + small[i]
            b[7, i] = (small[i] + a[i]) * wide[i] % 100
            b[8, i] = a[i] + i + (a[i] > 3)
            x = a[i]
            x += 200
            b[9, i] = x
            x, y = x + 1, x - 1
            b[10, i] = x * 1.0
            b[11, i] = y * 1.0
        return b

    three_ways(f, ints(20, dtype=dtype, high=100), ints(20, dtype="int8", high=100), ints(20, dtype="uint16"))


def test_what_numbers_are_in_hybrid_functions() -> None:
    @script
    def f(a):
        b = output_tensor((3,), "int32")
        c = output_tensor((3,), "uint8")
        for i in range(3):
            b[i] = a[i] - 5
            c[i] = a[i]
            c[i] -= 5
        return b, c

    b, c = f(np.array([3, 200, 255], "uint8"))
    assert b.tolist() == [-2, 195, 250] and c.tolist() == [254, 195, 250]
    three_ways(f, np.array([3, 200, 255], "uint8"))


def test_bool_scalars_casts_and_outputs() -> None:
    @script
    def f(a):
        b = output_tensor((8,), bool)
        c = output_tensor((8,), "uint8")
        seen = False
        for i in range(8):
            seen = seen or a[i] > 5
            b[i] = bool(a[i]) and not seen
            c[i] = uint8(a[i]) + uint8(250)
        return b, c

    three_ways(f, ints(8))


# ---------------------------------------------------------------- functions and names


@script
def scaled(a, by=2, plus=0):
    s = output_tensor(a.shape, "int32")
    for i in range(a.shape[0]):
        s[i] = a[i] * by + plus
    return s


@script
def both_halves(a, k):
    lo = output_tensor(a.shape, "int32")
    hi = output_tensor(a.shape, "int32")
    k = k + 1
    for i in range(a.shape[0]):
        lo[i] = a[i] % k
        hi[i] = a[i] // k
    return lo, hi


def test_nested_functions_with_keywords_and_defaults() -> None:
    @script
    def f(a):
        t = scaled(a)
        t = scaled(t, plus=5)
        u = scaled(a=t, by=a[0] + 1)
        lo, hi = both_halves(u, k=3)
        b = output_tensor(dtype="int32", shape=a.shape)
        for i in range(a.shape[0]):
            v = scaled(t, by=i)
            b[i] = lo[i] * 100 + hi[i] + v[i]
        return b

    three_ways(f, ints(7))


def test_keywords_from_outside() -> None:
    a = ints(5)
    A = tensor(5, dtype="int32")
    B = scaled(plus=1, a=A)
    out = np.zeros(5, "int32")
    tewb.build(te.create_schedule(B.op), [A, B])(a, out)
    np.testing.assert_array_equal(out, scaled(a, plus=1))
    np.testing.assert_array_equal(out, scaled.check(plus=1, a=a))


def test_closures_over_numbers_and_arrays() -> None:
    factor, table = 2.5, np.array([1.0, 2.0, 3.0], "float32")

    @script
    def f(a):
        b = output_tensor((6,), "float32")
        for i in range(6):
            b[i] = a[i] * factor + table[i % 3] + OFFSET + math.pi
        for i in const_range(2):
            b[i] += WEIGHTS[i, 1] * table[-1]
        b[5] = TABLE[5]
        b[0:3] += table[:] * 2.0
        for x in table:
            b[4] += x
        return b

    three_ways(f, floats(6))


def test_a_closure_over_a_tensor() -> None:
    A, W = tensor(6), te.placeholder((6,), name="W")

    @script
    def f(a):
        b = output_tensor((6,), "float32")
        b[:] = a[:] * W[:]
        return b

    B = f(A)
    assert B.op.inputs == (A, W) or {t.name for t in B.op.inputs} == {"A", "W"}
    a, w, out = floats(6), floats(6) + 1, np.zeros(6, "float32")
    tewb.build(te.create_schedule(B.op), [A, W, B])(a, w, out)
    np.testing.assert_allclose(out, a * w)
    given = {"A": a, "W": w}
    np.testing.assert_allclose(B.op.run_eagerly([given[t.name] for t in B.op.inputs], {}), a * w)
    with pytest.raises(HybridError, match="reads W, a tensor of the code around it"):
        f(a)


@script
def names_of_globals(TABLE, script):
    """The parameters, `n` and `exp` have other meanings outside."""
    n = 3
    OFFSET = 0.0
    b = output_tensor((8,), "float32")
    for i in range(8):
        OFFSET += exp(TABLE[i]) / script
        b[i] = OFFSET * n
    return b


def test_names_that_globals_have_too() -> None:
    a = floats(8)
    want = np.cumsum(np.exp(a) / 4) * 3
    A = tensor(8)
    B = names_of_globals(A, 4)
    out = np.zeros(8, "float32")
    tewb.build(te.create_schedule(B.op), [A, B])(a, out)
    for got in (out, names_of_globals(a, 4), names_of_globals.check(a, 4)):
        np.testing.assert_allclose(got, want, rtol=1e-5)
    assert n == 1000


shape = te.placeholder((3,), name="shape")  # a global tensor with the name of an attribute


def test_names_around_the_function_are_read_when_it_runs() -> None:
    @script
    def f(a):
        b = output_tensor(a.shape, "float32")
        b[:] = a[:] * later
        return b

    with pytest.raises(HybridError, match="later has no value here"):
        f(tensor(4))
    later = 3.0
    three_ways(f, floats(4))
    later = 4.0
    three_ways(f, floats(4))
    assert later == 4.0


def test_a_parameter_that_is_set_is_a_variable() -> None:
    @script
    def f(a, k):
        b = output_tensor((6,), "int32")
        for i in range(6):
            k = k + a[i]
            b[i] = k
        return b

    a, A = ints(6), tensor(6, dtype="int32")
    B = f(A, 5)
    out = np.zeros(6, "int32")
    tewb.build(te.create_schedule(B.op), [A, B])(a, out)
    np.testing.assert_array_equal(out, np.cumsum(a) + 5)
    np.testing.assert_array_equal(f.check(a, 5), out)


def test_memory_of_a_size_that_is_counted_or_read() -> None:
    @script
    def f(a):
        b = output_tensor((5,), "int32")
        for i in range(5):
            t = allocate((i + 1,), "int32")
            k = a[i]
            u = allocate((k,), "int32")
            k = 0
            t[:] = i
            u[:] = 1
            for x in u:
                k += x
            b[i] = t[i] * 10 + k
        return b

    three_ways(f, np.array([3, 0, 2, 7, 1], "int32"))
    A = tensor(5, dtype="int32")
    B = f(A)
    with pytest.raises(BoundError, match="a size below 0"):
        tewb.build(te.create_schedule(B.op), [A, B])(np.full(5, -1, "int32"), np.zeros(5, "int32"))
    with pytest.raises(HybridError, match="a size below 0"):
        f.check(np.full(5, -1, "int32"))


def test_scalar_arguments_that_are_known_when_it_runs() -> None:
    @script
    def f(a, k, s):
        b = output_tensor((6,), "int32")
        for i in range(6):
            b[i] = a[i] * s if i < k else -1
        return b

    A, k = tensor(6, dtype="int32"), te.var("k")
    B = f(A, k, 3)
    out = np.zeros(6, "int32")
    tewb.build(te.create_schedule(B.op), [A, k, B])(ints(6), 4, out)
    np.testing.assert_array_equal(out, f(ints(6), 4, 3))
    np.testing.assert_array_equal(out, f.check(ints(6), 4, s=3))


def test_a_name_set_once_is_known_to_the_bounds() -> None:
    @script
    def f(a):
        n = a.shape[0] - 2
        b = output_tensor((n,), "float32")
        for i in range(n):
            j = i + 2
            b[i] = a[j]
        return b

    B = f(te.placeholder((te.var("m"),), name="A"))
    assert "assert" not in str(B.op.body)
    three_ways(f, floats(9))


# ---------------------------------------------------------------- where a function stands

CELL = """@te.hybrid.script
def from_cell(a):
    b = output_tensor((4,), "float32")
    for i in range(4):
        b[i] = a[i] + {what}
    return b
"""


def define(text: str, file: str, known: bool) -> Any:
    if known:  # as IPython does
        linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    scope: dict[str, Any] = {"te": te}
    exec(compile(text, file, "exec"), scope)
    return scope


def test_a_function_of_a_notebook_cell() -> None:
    f = define(CELL.format(what="1.0"), "<ipython-input-7-abc>", known=True)["from_cell"]
    three_ways(f, floats(4))
    bad = define(CELL.format(what="nothing"), "<ipython-input-8-abc>", known=True)["from_cell"]
    with pytest.raises(HybridError, match="nothing has no value here") as e:
        bad(tensor(4))
    assert "line 5" in str(e.value)


def test_a_function_of_a_file(tmp_path: Any, monkeypatch: Any) -> None:
    (tmp_path / "own_module.py").write_text("from tewb import te\n\n" + CELL.format(what="2.0"))
    monkeypatch.syspath_prepend(tmp_path)
    import own_module  # type: ignore[import-not-found]

    three_ways(own_module.from_cell, floats(4))


def test_a_function_made_by_exec_needs_its_source() -> None:
    with pytest.raises(HybridError, match="the source of from_cell cannot be found") as e:
        define(CELL.format(what="1.0"), "<made by exec>", known=False)
    assert "source=text" in str(e.value)
    text = CELL.format(what="1.0").split("\n", 1)[1]
    scope: dict[str, Any] = {}
    exec(text, scope)
    three_ways(te.hybrid.script(scope["from_cell"], source=text), floats(4))
    three_ways(te.hybrid.script(source=text)(scope["from_cell"]), floats(4))


# ---------------------------------------------------------------- plain Python


def test_a_failing_eager_run_leaves_nothing_behind() -> None:
    @script
    def f(a, deep):
        b = output_tensor((4,), "int32")
        for i in range(4):
            b[i] = a[i + deep]
        return b

    before = dict(f.function.__globals__)
    with pytest.raises(IndexError):
        f(ints(4), 3)
    assert f.function.__globals__ == before
    np.testing.assert_array_equal(f(ints(4), 0), ints(4))


def test_eager_runs_in_threads_and_inside_of_each_other() -> None:
    @script
    def f(a):
        b = output_tensor((50,), "int32")
        t = scaled(a)
        for i in range(50):
            b[i] = t[i]
        return b

    results: list[bool] = []

    def run(k: int) -> None:
        for _ in range(5):
            results.append(bool((f(np.full(50, k, "int32")) == 2 * k).all()))

    threads = [threading.Thread(target=run, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == [True] * 20


def test_integers_wrap_without_a_warning(recwarn: Any) -> None:
    @script
    def f(a):
        b = output_tensor((4,), "int8")
        for i in range(4):
            b[i] = a[i] * a[i] + 100
        return b

    three_ways(f, np.array([100, -128, 127, 1], "int8"))
    assert not recwarn.list
