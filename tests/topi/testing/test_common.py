"""Which schedule a target has, and a program run beside numpy."""

from __future__ import annotations

import numpy as np
import pytest

from tests.topi.compare import floats
from tewb import te, topi
from tewb.base import TewbError
from tewb.topi import testing


class OfAPhone:
    keys = ("arm_cpu", "cpu")


def test_the_schedule_of_a_target() -> None:
    assert testing.get_injective_schedule("llvm") is topi.x86.schedule_injective
    assert testing.get_reduce_schedule("llvm") is topi.x86.schedule_reduce
    assert testing.get_conv2d_nchw_implement("llvm") == (topi.nn.conv2d_nchw, topi.x86.schedule_conv2d_nchw)
    assert testing.dispatch(OfAPhone(), {"generic": 1, "cpu": 2, "arm_cpu": 3}) == 3
    assert testing.dispatch("llvm", {"generic": 1}) == 1
    with pytest.raises(TewbError):
        testing.dispatch("no such target", {"generic": 1})


def test_a_program_beside_numpy() -> None:
    A = te.placeholder((3, 5), name="A")
    a, out = floats(3, 5), np.zeros((3, 5), "float32")
    B = topi.exp(A)
    testing.compare_numpy_tvm([a, out], np.exp(a), "llvm", None, [A, B], topi.x86.schedule_injective)
    with pytest.raises(AssertionError):
        testing.compare_numpy_tvm([a, out], a, "llvm", None, [A, B], topi.x86.schedule_injective)
