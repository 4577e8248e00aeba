"""Instructions of AVX-512 on vectors of any number of lanes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.codegen.llvm_functions import computed, function, text_of
from tests.codegen.vector_math.exactness import DTYPES
from tewb.base import DType
from tewb.codegen.vector_math.build import Math
from tewb.codegen.vector_math.wide import has_wide_instructions, lookup, scaled, table_bits
from tewb.runtime import Target

WIDE = "llvm -mtriple=x86_64-linux-gnu -mcpu=znver4"
wide = pytest.mark.skipif(not Target.host().has("avx512f"), reason="needs a processor with AVX-512")


@pytest.mark.parametrize(
    ("target", "dtype", "has"),
    [
        (WIDE, "float32x2", True),
        (WIDE, "float64x16", True),
        (WIDE, "float32", False),
        ("llvm -mtriple=x86_64-linux-gnu -mcpu=haswell", "float32x8", False),
        ("llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-v1", "float32x8", False),
    ],
)
def test_who_has_them(target: str, dtype: str, has: bool) -> None:
    assert has_wide_instructions(Math(function(target), DType(dtype))) is has


@wide
@pytest.mark.parametrize("lanes", [2, 8, 24])
@pytest.mark.parametrize("dtype", DTYPES)
def test_lookup_takes_the_lowest_bits(dtype: str, lanes: int) -> None:
    d = DType(dtype).with_lanes(lanes)
    table = [float(np.sqrt(k)) for k in range(2 ** table_bits(d.bits))]
    index = np.arange(-24, 24).astype(f"int{d.bits}")
    got = computed(lambda f, x: lookup(Math(f, d), table, x[0]), index, result=dtype, lanes=lanes)
    np.testing.assert_array_equal(got, np.array(table, dtype)[index & (len(table) - 1)])


@wide
@pytest.mark.parametrize("lanes", [2, 8, 24])
@pytest.mark.parametrize("dtype", DTYPES)
def test_scaling_reaches_infinities_and_subnormal_numbers(dtype: str, lanes: int) -> None:
    info, d = np.finfo(dtype), DType(dtype).with_lanes(lanes)
    n = np.resize(np.array([0, 1, -1, info.maxexp, info.minexp - 3, -3000, 3000, 10], dtype), 24)
    x = np.resize(np.array([1.5, -3, 1 + info.eps, 2, 1.25, -1, 1, np.nan], dtype), 24)
    with np.errstate(all="ignore"):
        want = np.ldexp(x, n.astype("int32"))
    np.testing.assert_array_equal(computed(lambda f, a: scaled(Math(f, d), *a), x, n, lanes=lanes), want)


@pytest.mark.parametrize(("lanes", "calls"), [(2, 1), (16, 1), (17, 2), (40, 3)])
def test_vectors_are_cut_into_slices_of_512_bits(lanes: int, calls: int) -> None:
    d = DType("float32").with_lanes(lanes)

    def write(f: Any, x: Any) -> str:
        return scaled(Math(f, d), *x)

    assert (
        text_of(write, [d, d], d, WIDE).count("= call <16 x float> @llvm.x86.avx512.mask.scalef.ps.512")
        == calls
    )
