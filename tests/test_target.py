"""`target`: processors by their classic names."""

from __future__ import annotations

import pytest

import tewb
from tewb.base import CodegenError
from tewb.runtime import Target

ARM = "llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-v1"


def test_nothing_given_is_this_machine() -> None:
    assert tewb.target.Target() == tewb.target.create(None) == Target.host()


def test_a_target_is_one_of_its_own_text() -> None:
    arm = tewb.target.create(ARM)
    assert arm.cpu == "neoverse-v1" and "aarch64" in arm.triple
    assert tewb.target.create(arm) is arm or tewb.target.create(arm) == arm
    assert tewb.target.create(arm, host=ARM) == arm


def test_what_is_no_target_is_refused() -> None:
    with pytest.raises(CodegenError, match="--nonsense is not known") as e:
        tewb.target.Target("llvm --nonsense")
    assert e.value.hint


def test_the_current_target_by_its_name_of_v06() -> None:
    assert tewb.target.current_target() is None
    with pytest.raises(CodegenError, match="there is no current target"):
        tewb.target.current_target(allow_none=False)
    with tewb.target.create("llvm") as target:
        assert tewb.target.current_target() is target
