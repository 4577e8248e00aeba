"""Runtimes by their classic names."""

from __future__ import annotations

from typing import Any

import pytest

import tewb
from tests.programs import matmul, schedule_for
from tewb.runtime import Runtime


@pytest.mark.parametrize("name", ["cpp", "crt", "c"])
def test_a_runtime_says_that_kernels_are_a_system_library(name: str) -> None:
    inputs, outputs = matmul(2, 2, 2)
    kernel = tewb.build(
        schedule_for(outputs), [*inputs, *outputs], runtime=Runtime(name, {"system-lib": True})
    )
    assert kernel.code.target.is_system_lib  # type: ignore[attr-defined]
    assert not Runtime(name).is_system_lib and not Runtime(name, {"system-lib": False}).is_system_lib


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: Runtime("rust"), "there is no runtime 'rust'"),
        (lambda: Runtime("cpp", {"sytem-lib": True}), "the runtime cpp has no option 'sytem-lib'"),
    ],
)
def test_other_words_are_refused(wrong: Any, said: str) -> None:
    with pytest.raises(tewb.TewbError, match=said):
        wrong()


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("llvm", False),
        ("llvm --system-lib", True),
        ("llvm -system-lib", True),
        ("llvm --system-lib=0", False),
        ({"kind": "llvm", "system-lib": True}, True),
        ({"kind": "llvm", "system-lib": False}, False),
    ],
)
def test_a_target_says_that_kernels_are_a_system_library(text: Any, is_one: bool) -> None:
    assert tewb.target.Target(text).is_system_lib is is_one
