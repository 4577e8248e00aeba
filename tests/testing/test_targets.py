"""Targets of tests."""

from __future__ import annotations

from typing import Any

import pytest

import tewb
from tewb import nd, testing
from tewb.base import ArgumentError


def test_the_one_target_is_llvm() -> None:
    assert testing.enabled_targets() == [("llvm", nd.cpu(0))]
    assert testing.device_enabled("llvm")
    assert testing.device_enabled("llvm -mcpu=skylake")
    assert testing.device_enabled(tewb.target.Target("llvm"))
    assert not any(map(testing.device_enabled, ("cuda", "opencl -device=mali", "vulkan", "", "llvmx")))


@pytest.mark.parametrize("target", [None, 3, ["llvm"]])
def test_what_is_no_target_is_refused(target: Any) -> None:
    with pytest.raises(ArgumentError, match="is no target"):
        testing.device_enabled(target)


@testing.parametrize_targets("llvm", "cuda")
def test_runs_on_llvm_alone(target: str, dev: Any) -> None:
    assert (target, dev) == ("llvm", nd.cpu(0))


@testing.parametrize_targets
def test_old_tests_have_a_context(target: str, ctx: Any) -> None:
    assert (target, ctx) == ("llvm", nd.cpu(0))


@testing.parametrize_targets()
def test_without_a_device(target: str) -> None:
    assert target == "llvm"


@testing.exclude_targets("llvm", "cuda")
def test_excluded() -> None:
    raise AssertionError


@testing.exclude_targets("cuda")
@testing.known_failing_targets("cuda")
def test_fails_elsewhere_only() -> None:
    assert True


@testing.known_failing_targets("llvm")
def test_known_to_fail() -> None:
    raise AssertionError


def test_targets_are_checked_where_they_are_written() -> None:
    with pytest.raises(ArgumentError, match="3 is no target"):
        testing.parametrize_targets("llvm", 3)
