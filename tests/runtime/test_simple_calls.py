"""The short way of a call: arrays just as the kernel takes them, and none else."""

from __future__ import annotations

import numpy as np

from tewb.runtime.abi import KernelSignature, ParamSpec, SymbolicSize
from tewb.runtime.simple_calls import simple_plan, simple_slots

FOUR = (SymbolicSize(4, "4"),)
A = ParamSpec("A", "buffer", "float32", FOUR, position=1)
B = ParamSpec("B", "buffer", "float32", FOUR, is_output=True, position=2)
PLAN = simple_plan(KernelSignature("f", (A, B)))


def test_slots_are_the_addresses_of_arrays_that_fit() -> None:
    a, b = np.zeros(4, "float32"), np.zeros(4, "float32")
    assert PLAN is not None and simple_slots(PLAN, (a, b)) == [a.ctypes.data, b.ctypes.data]


def test_others_go_the_long_way() -> None:
    a, whole = np.zeros(4, "float32"), np.zeros(8, "float32")
    assert PLAN is not None
    read_only = np.zeros(4, "float32")
    read_only.flags.writeable = False
    for b in (a, whole[::2], np.zeros(5, "float32"), np.zeros(4, "float64"), read_only, [0.0] * 4):
        assert simple_slots(PLAN, (a, b)) is None
    assert simple_slots(PLAN, (whole[:4], whole[2:6])) is None and simple_slots(PLAN, (a,)) is None


def test_symbolic_shapes_and_numbers_have_no_short_way() -> None:
    n = ParamSpec("A", "buffer", "float32", (SymbolicSize(None, "n", "n"),))
    assert simple_plan(KernelSignature("f", (n,))) is None
    assert simple_plan(KernelSignature("f", (ParamSpec("x", "scalar", "float32"),))) is None
