"""float16 and bfloat16: each operation rounds once to the nearest number, with and without the processor's help."""

from __future__ import annotations

import pickle
import sys
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import DType, bfloat16_bits, from_memory, to_memory
from tewb.codegen.narrow_floats import is_narrow
from tewb.ir import parse, script, structural_equal
from tewb.testing import evaluate, random_array

NARROW = ["float16", "bfloat16"]
# One processor with conversions of its own, and one without.
TARGETS = [None, "llvm -mcpu=x86-64"]


def runs_here(target: str | None) -> str | None:
    if target is not None and not tewb.runtime.Target.of(target).runs_here:
        pytest.skip("another architecture")
    return target


def everything(dtype: str) -> np.ndarray[Any, Any]:
    """All values of 16 bits."""
    bits = np.arange(65536, dtype=np.uint16)
    return bits.view(np.float16) if dtype == "float16" else bits


def same(got: Any, want: Any, dtype: str) -> None:
    d = DType(dtype)
    np.testing.assert_array_equal(from_memory(got, d), from_memory(want, d))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("dtype", NARROW)
def test_all_values_widen_and_come_back(dtype: str, target: str | None) -> None:
    a = everything(dtype)
    A = te.placeholder((65536,), dtype, name="A")
    W = te.compute(A.shape, lambda i: A[i].astype("float32"), name="W")
    B = te.compute(A.shape, lambda i: W[i].astype(dtype), name="B")
    s = te.create_schedule(B.op)
    for stage in (W, B):
        s[stage].vectorize(s[stage].split(stage.op.axis[0], factor=32)[1])
    wide, back = tewb.build(s, [A, W, B], target=runs_here(target))(a)
    np.testing.assert_array_equal(wide, from_memory(a, DType(dtype)).astype("float32"))
    same(back, a, dtype)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("lanes", [1, 16])
@pytest.mark.parametrize("dtype", NARROW)
def test_operations_round_once(dtype: str, lanes: int, target: str | None) -> None:
    n, d, rng = 4096, DType(dtype), np.random.default_rng(3)
    a = rng.choice(everything(dtype), n)
    x = from_memory(a, d).astype("float32")
    # Half of them lie halfway between two values, or next to that.
    f64 = rng.standard_normal(n) * 10.0 ** rng.uniform(-9, 6, n)
    with np.errstate(all="ignore"):
        up = x.astype("float64")
        f64[::2] = (
            up * (1 + 2.0 ** -(8 if dtype == "bfloat16" else 11)) * (1 + rng.integers(-1, 2, n) * 2.0**-50)
        )[::2]
    i32 = rng.integers(-(2**17), 2**17, n).astype("int32")
    A, F, N = (te.placeholder((n,), t, name=t) for t in (dtype, "float64", "int32"))

    def body(i: Any) -> tuple[Any, ...]:
        y = A[n - 1 - i]
        return (A[i] + y, A[i] - y, A[i] * y, A[i] / y, te.sqrt(A[i]), F[i].astype(dtype), N[i].astype(dtype),
                te.max(A[i], y), (A[i] < y).astype(dtype), te.abs(A[i]))  # fmt: skip

    outs = te.compute((n,), body, name="out")
    s = te.create_schedule(outs[0].op)
    if lanes > 1:
        s[outs[0]].vectorize(s[outs[0]].split(outs[0].op.axis[0], factor=lanes)[1])
    results = tewb.build(s, [A, F, N, *outs], target=runs_here(target))(a, f64, i32)
    y = x[::-1]
    with np.errstate(all="ignore"):
        expected = [
            x + y,
            x - y,
            x * y,
            x / y,
            np.sqrt(x),
            f64,
            i32.astype("float32"),
            np.maximum(x, y),
            x < y,
            np.abs(x),
        ]
        for got, want in zip(results, expected, strict=True):
            same(got, to_memory(want, d), dtype)


@pytest.mark.parametrize("dtype", NARROW)
def test_reductions_scalars_and_intrinsics_are_as_defined(dtype: str) -> None:
    A, k = te.placeholder((7, 33), dtype, name="A"), te.var("k", dtype)
    r = te.reduce_axis((0, 33), name="r")
    M = te.compute((7,), lambda i: te.max(A[i, r], axis=r), name="M")
    S = te.compute((7,), lambda i: te.sum(te.exp(A[i, r] - M[i]) * k, axis=r), name="S")
    s = te.create_schedule(S.op)
    a = random_array((7, 33), dtype, np.random.default_rng(0))
    (got,) = [tewb.build(s, [A, k, S])(a, 0.1)]
    (want,) = evaluate([S], {A: a}, {k: from_memory(to_memory(0.1, DType(dtype)), DType(dtype))})
    d = DType(dtype)
    np.testing.assert_allclose(from_memory(got, d), from_memory(want, d), rtol=2.0**-6)
    np.testing.assert_array_equal(np.isfinite(from_memory(got, d)), True)


def test_a_bfloat16_argument_is_its_bits_and_others_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "ml_dtypes", raising=False)  # outputs would be its arrays
    A = te.placeholder((4,), "bfloat16", name="A")
    B = te.compute((4,), lambda i: A[i] + te.const(1, "bfloat16"), name="B")
    kernel = tewb.build(te.create_schedule(B.op), [A, B])
    ones = bfloat16_bits(np.ones(4))
    for _ in range(3):
        assert kernel(ones).tolist() == bfloat16_bits([2.0] * 4).tolist()
    with pytest.raises(tewb.TewbError, match=r"A has dtype float32[\s\S]*numpy has no bfloat16"):
        kernel(np.ones(4, "float32"))


def test_arrays_of_ml_dtypes_go_in_and_come_out() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    A = te.placeholder((4,), "bfloat16", name="A")
    B = te.compute((4,), lambda i: A[i] * A[i], name="B")
    kernel = tewb.build(te.create_schedule(B.op), [A, B])
    for _ in range(3):
        result = kernel(np.arange(4).astype(ml_dtypes.bfloat16))
        assert result.dtype == ml_dtypes.bfloat16
        assert result.astype("float32").tolist() == [0, 1, 4, 9]


@pytest.mark.parametrize("dtype", NARROW)
def test_a_packed_function_sees_the_elements(dtype: str) -> None:
    @tewb.register_func("tests.narrow.copy", override=True)
    def copy(a: Any, b: Any, x: float) -> None:
        assert (a.dtype, x) == ("float16" if dtype == "float16" else "uint16", 0.5)
        b[...] = a

    A, x = te.placeholder((4,), dtype, name="A"), te.const(0.5, dtype)
    E = te.extern(
        (4,), [A], lambda i, o: te.call_packed("tests.narrow.copy", i[0], o[0], x), name="E", dtype=dtype
    )
    a = to_memory([1.0, 2.0, 3.0, 4.0], DType(dtype))
    same(tewb.build(te.create_schedule(E.op), [A, E])(a), a, dtype)


@pytest.mark.parametrize("dtype", NARROW)
def test_text_and_pickles_keep_them(dtype: str) -> None:
    A = te.placeholder((8,), dtype, name="A")
    B = te.compute((8,), lambda i: A[i] * te.const(0.1, dtype), name="B")
    s = te.create_schedule(B.op)
    f = tewb.lower(s, [A, B])["main"]
    assert structural_equal(parse(script(f)), f)
    kernel = tewb.build(s, [A, B])
    a = random_array((8,), dtype, np.random.default_rng(0))
    same(pickle.loads(pickle.dumps(kernel))(a), kernel(a), dtype)
    same(kernel(a), evaluate([B], {A: a})[0], dtype)


def test_constants_fold_as_kernels_compute() -> None:
    x = te.const(0.1, "float16") + te.const(0.2, "float16")
    assert x.value == float(np.float16(0.1) + np.float16(0.2))
    assert te.const(1 + 2.0**-9, "bfloat16").astype("float32").value == 1.0
    assert not is_narrow(DType("int16"))


def test_hybrid_functions_take_float16_and_refuse_bfloat16() -> None:
    @te.hybrid.script
    def twice(a):
        out = output_tensor(a.shape, "float16")  # noqa: F821
        for i in range(a.shape[0]):
            out[i] = a[i] + a[i]
        return out

    A = te.placeholder((5,), "float16", name="A")
    B = twice(A)
    a = np.arange(5, dtype="float16")
    assert tewb.build(te.create_schedule(B.op), [A, B])(a).tolist() == twice(a).tolist() == [0, 2, 4, 6, 8]
    with pytest.raises(tewb.TewbError, match="bfloat16, which hybrid functions cannot compute with"):
        twice(te.placeholder((5,), "bfloat16", name="A"))


@pytest.mark.slow
def test_measured_and_traced_in_a_session() -> None:
    A = te.placeholder((16,), "bfloat16", name="A")
    B = te.compute((16,), lambda i: te.exp(A[i]), name="B")
    session = tewb.Session(te.create_schedule(B.op), [A, B])
    measurement = session.measure()
    assert measurement.ok, measurement.message
