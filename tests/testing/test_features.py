"""Decorators for tests that need something of the machine."""

from __future__ import annotations

from typing import Any

import pytest

from tewb import testing
from tewb.testing import features


def f() -> None:
    """A test."""


def is_skipped(decorated: Any) -> bool:
    return any(m.name == "skip" for m in getattr(decorated, "pytestmark", []))


def fresh() -> Any:
    def test() -> None:
        """A test."""

    return test


def test_what_is_there_skips_nothing() -> None:
    for feature in (
        testing.requires_llvm,
        testing.requires_package("numpy"),
        testing.requires_llvm_minimum_version(11),
    ):
        assert not is_skipped(feature(fresh()))
        assert not is_skipped(feature()(fresh()))
        assert feature.marks() == []


@pytest.mark.parametrize("name", [n for n in testing.__all__ if n.startswith("requires_")])
def test_each_decorator_decorates(name: str) -> None:
    feature = getattr(testing, name)
    if not isinstance(feature, testing.Feature):
        feature = feature(*(("numpy",) if name == "requires_package" else (11,)))
    test = fresh()
    assert feature(test) is test
    assert is_skipped(test) == bool(feature.marks())


@pytest.mark.parametrize(
    "feature",
    [testing.requires_gpu, testing.requires_cuda, testing.requires_opencl, testing.requires_nvcc_version(11),
     testing.requires_package("numpy", "tewb_no_such_package"), testing.requires_llvm_minimum_version(1000)],
)  # fmt: skip
def test_what_is_missing_skips_and_says_why(feature: Any) -> None:
    (mark,) = feature.marks()
    assert mark.name == "skip"
    assert "needs" in mark.kwargs["reason"]
    assert is_skipped(feature(fresh()))
    assert is_skipped(feature()(fresh()))


def test_features_of_processors_are_those_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    class Old:
        cpu, arch = "old", "x86_64"

        @staticmethod
        def has(*names: str) -> bool:
            return not names

    class Arm(Old):
        arch = "aarch64"

    monkeypatch.setattr(features.Target, "host", staticmethod(Old))
    assert testing.requires_x86.missing() is None
    assert testing.requires_x86_vnni.missing() == "this processor is old (x86_64)"
    monkeypatch.setattr(features.Target, "host", staticmethod(Arm))
    assert testing.requires_x86.missing() == "this processor is old (aarch64)"


def test_decorators_that_let_tests_run() -> None:
    test = fresh()
    assert testing.uses_gpu(test) is testing.uses_gpu()(test) is testing.slow(test) is test
    assert testing.skip_if_32bit(reason="memory")(test) is testing.skip_if_wheel_test(test) is test
    assert not is_skipped(test)
