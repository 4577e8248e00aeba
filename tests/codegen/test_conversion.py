"""Conversions between dtypes are those of numpy, and stop at the ends of integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.codegen.elementwise import FLOATS, INTS, run, special
from tests.codegen.llvm_functions import computed, function
from tewb import te
from tewb.base import DType
from tewb.codegen.conversion import convert


@pytest.fixture(autouse=True)
def quiet() -> Any:
    with np.errstate(all="ignore"):
        yield


@pytest.mark.one_in(3)
@pytest.mark.parametrize("source", [*INTS, *FLOATS, "bool"])
@pytest.mark.parametrize("target", [*INTS, *FLOATS, "bool"])
def test_casts(source: str, target: str) -> None:
    a = special(source, np.random.default_rng(4))
    if source in FLOATS and target not in FLOATS and target != "bool":
        a = np.nan_to_num(np.clip(a, 0 if target.startswith("u") else -100, 100))
    for lanes in (1, 8):
        np.testing.assert_array_equal(run(lambda x: te.cast(x, target), a, lanes=lanes), a.astype(target))


def test_a_float_outside_of_an_integer_stops_at_its_end() -> None:
    a = np.array([1e20, -1e20, np.nan, np.inf], "float32")
    np.testing.assert_array_equal(run(lambda x: te.cast(x, "int32"), a), [2**31 - 1, -(2**31), 0, 2**31 - 1])


@pytest.mark.parametrize("target", INTS)
@pytest.mark.parametrize("source", FLOATS)
def test_floats_stop_at_the_ends_of_every_integer(source: str, target: str) -> None:
    a = np.array([np.inf, -np.inf, np.nan, 1e30, -1e30, -0.9, 2.9, -2.9], source)
    info = np.iinfo(target)
    low = max(-2, info.min)
    want = [info.max, info.min, 0, info.max, info.min, 0, 2, low]
    for lanes in (1, 8):
        got = computed(
            lambda f, x, lanes=lanes: convert(f, x[0], DType(source).with_lanes(lanes), DType(target).with_lanes(lanes)),
            a, result=target, lanes=lanes,
        )  # fmt: skip
        np.testing.assert_array_equal(got, np.array(want, target))


def test_what_needs_no_instruction_has_none() -> None:
    f = function()
    for source, target in (("int32", "int32"), ("int32", "uint32"), ("uint8x4", "int8x4")):
        assert convert(f, "%x", DType(source), DType(target)) == "%x"
    assert f.lines == []


def test_signs_are_kept_where_the_source_has_one() -> None:
    f = function()
    for source, target in (("int8", "uint64"), ("uint8", "int64"), ("bool", "int8"), ("int64", "uint8")):
        convert(f, "%x", DType(source), DType(target))
    assert [line.split("= ")[1] for line in f.lines] == [
        "sext i8 %x to i64",
        "zext i8 %x to i64",
        "zext i1 %x to i8",
        "trunc i64 %x to i8",
    ]
