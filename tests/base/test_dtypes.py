"""Dtypes are strings that know their parts, one object for each; what tewb lacks is refused by name."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from tewb.base import DType, DTypeError

NUMBERS = [
    "float16",
    "float32",
    "float64",
    *(f"{k}{bits}" for k in ("int", "uint") for bits in (8, 16, 32, 64)),
]


def test_dtypes_are_strings_that_know_their_parts() -> None:
    d = DType("float32x16")
    assert (d, d.kind, d.bits, d.lanes, d.nbytes, d.element) == ("float32x16", "float", 32, 16, 64, "float32")
    assert (
        DType("uint1") is DType("bool") and DType("uint1x4") is DType("boolx4") and DType("uint16").bits == 16
    )
    assert DType("float32") is DType("float32x1") and DType("bool").nbytes == 1
    assert (DType("int"), DType("uint"), DType("float")) == ("int32", "uint32", "float32")
    for wrong in ("float31", "intx", "complex64", "uint128", "floatx4", float, int):
        with pytest.raises(TypeError, match="unknown dtype"):
            DType(wrong)


@pytest.mark.parametrize("name", NUMBERS)
def test_widths_and_ends_are_those_of_numpy(name: str) -> None:
    ours, theirs = DType(name), np.dtype(name)
    assert ours.nbytes == theirs.itemsize and ours.bits == 8 * theirs.itemsize
    if ours.is_int:
        limits = np.iinfo(name)
        assert (ours.min_value(), ours.max_value()) == (limits.min, limits.max)
    assert DType(theirs) is DType(theirs.type) is ours  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "ends"),
    [("int1", (-1, 0)), ("int2", (-2, 1)), ("int4", (-8, 7)), ("uint2", (0, 3)), ("uint4", (0, 15))],
)
def test_integers_of_less_than_a_byte_take_one(name: str, ends: tuple[int, int]) -> None:
    d = DType(name)
    assert (d.ends, d.nbytes, d.with_lanes(8).nbytes, d.is_int, d.is_sub_byte) == (ends, 1, 8, True, True)
    assert DType("bool").is_sub_byte and not any(DType(n).is_sub_byte for n in (*NUMBERS, "handle", "void"))


def test_kinds() -> None:
    names = ("bfloat16", "float64", "uint8", "bool", "handle")
    assert [(d.is_float, d.is_int, d.is_bool) for d in map(DType, names)] == [
        (True, False, False),
        (True, False, False),
        (False, True, False),
        (False, False, True),
        (False, False, False),
    ]
    assert DType("bool").ends == (0, 1) and DType("handle").nbytes == 8


def test_lanes_are_added_and_taken_away() -> None:
    assert DType("int8").with_lanes(64) is DType("int8x64")
    assert DType("int8x64").with_lanes(1) is DType("int8x64").element is DType("int8")
    assert DType("boolx4").nbytes == 4 and DType("bool1x4") is DType("boolx4")


def test_copies_are_the_same_object() -> None:
    d = DType("uint16x8")
    assert pickle.loads(pickle.dumps(d)) is copy.deepcopy(d) is d


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("flaot32", 'did you mean "float32"?'),
        ("int33", 'did you mean "int3'),
        ("handle64", "a dtype is written as text"),
        ("bool8", 'did you mean "bool"?'),
        ("float32x0", 'did you mean "float32"?'),
        ("int32x99999999", "a dtype is written as text"),
    ],
)
def test_what_tewb_lacks_is_refused_with_a_hint_and_the_line(name: str, hint: str) -> None:
    with pytest.raises(DTypeError, match=f"unknown dtype '{name}'") as e:
        DType(name)
    assert hint in (e.value.hint or "") and e.value.span is not None and e.value.span.file == __file__
