"""Functions that are chosen by the target around a call."""

from __future__ import annotations

from typing import Any

import pytest

import tewb
from tewb.base import TewbError
from tewb.target import Target

target: Any = tewb.target


def test_the_keys_of_the_target_choose() -> None:
    @target.generic_func
    def add(data: int) -> int:
        return data + 1

    @add.register(["cuda", "gpu"])
    def add_gpu(data: int) -> int:
        return data + 2

    @add.register("cpu")
    def add_cpu(data: int) -> int:
        return data + 10

    assert add(1) == 2 and add.__name__ == "add" and add_gpu(1) == 3 and add_cpu(1) == 11
    with Target("llvm"):
        assert add(1) == 11
    with pytest.raises(TewbError, match="add has a function for cpu already"):
        add.register(add_gpu, "cpu")
    add.register(add_gpu, "llvm")
    with Target("llvm"):
        assert add(1) == 3
    with pytest.raises(TewbError, match="add has a default already"):
        add.set_default(add_gpu)


def test_a_function_by_its_name_may_get_its_default_later() -> None:
    schedule = target.get_native_generic_func("tests.schedule_any")
    with pytest.raises(TewbError, match="has no function for no target at all"):
        schedule(1)

    @target.override_native_generic_func("tests.schedule_any")
    def default(outs: int) -> int:
        return outs

    assert default is schedule and schedule(3) == 3 and schedule.get_packed_func()(4) == 4
