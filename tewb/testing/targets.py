"""Targets of tests: the one that there is, "llvm", and decorators for tests that name others."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from tewb.base import ArgumentError, brief, here
from tewb.runtime import Device, Target, cpu, device

ENABLED = "llvm"


def enabled_targets() -> list[tuple[str, Device]]:
    """The targets that tests run on, each with its device."""
    return [(ENABLED, cpu(0))]


def device_enabled(target: Any) -> bool:
    """Whether tests can run on a target: "llvm", with any options. Raises ArgumentError for what is no target."""
    if not isinstance(target, str | Target):
        raise ArgumentError(f"{brief(repr(target))} is no target", hint='device_enabled("llvm")', span=here())
    return kind_of(target) == ENABLED


def kind_of(target: Any) -> str:
    """The first word of a target: "llvm" of "llvm -mcpu=skylake"."""
    words = str(target).split()
    return words[0] if words else ""


def arguments(names: Sequence[str]) -> list[str]:
    """Those of the arguments `names` of a test that are the target and its device, which old tests call ctx."""
    return [n for n in ("target", "dev", "ctx") if n in names]


def values(target: str, names: Sequence[str]) -> Any:
    """The parameter set of pytest for the arguments `names` of a test on `target`, skipped where it cannot run."""
    import pytest

    given = [target if n == "target" else device(target) for n in names]
    if device_enabled(target):
        return pytest.param(*given, id=target)
    return pytest.param(
        *given, id=target, marks=pytest.mark.skip(reason=f"tewb makes code for the CPU, not for {target}")
    )


def parametrize_targets(*args: Any) -> Any:
    """A decorator for tests with the arguments `target` and `dev`, one run for each target:
    `@parametrize_targets("llvm", "cuda")`, or `@parametrize_targets` for all that there are. The run of a target that
    tewb does not have is skipped."""
    if len(args) == 1 and callable(args[0]):
        return _on_targets(args[0], [t for t, _ in enabled_targets()])
    targets = [*args] or [t for t, _ in enabled_targets()]
    for t in targets:
        device_enabled(t)
    return lambda test: _on_targets(test, targets)


def _on_targets(test: Any, targets: Sequence[str]) -> Any:
    import pytest

    names = arguments([*inspect.signature(test).parameters]) or ["target"]
    return pytest.mark.parametrize(",".join(names), [values(t, names) for t in targets])(test)


def exclude_targets(*args: str) -> Callable[[Any], Any]:
    """A decorator for tests that do not run on these targets."""

    def decorate(test: Any) -> Any:
        import pytest

        is_out = ENABLED in map(kind_of, args)
        return pytest.mark.skip(reason=f"the test excludes {ENABLED}")(test) if is_out else test

    return decorate


def known_failing_targets(*args: str) -> Callable[[Any], Any]:
    """A decorator for tests that are known to fail on these targets."""

    def decorate(test: Any) -> Any:
        import pytest

        fails = ENABLED in map(kind_of, args)
        return pytest.mark.xfail(reason=f"known to fail on {ENABLED}")(test) if fails else test

    return decorate
