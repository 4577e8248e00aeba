"""A plugin of pytest for suites of classic TE: tests with the arguments `target` and `dev` run on "llvm".

pytest_plugins = ["tewb.testing.plugin"]              # in conftest.py; or pytest -p tewb.testing.plugin
"""

from __future__ import annotations

from typing import Any

import pytest

from tewb.runtime import Device, device
from tewb.testing.targets import enabled_targets, values

MARKS = {
    "gpu": "a test that can run on a GPU",
    "tensorcore": "a test of tensor cores",
    "cuda": "a test of CUDA",
    "opencl": "a test of OpenCL",
    "rocm": "a test of ROCm",
    "vulkan": "a test of Vulkan",
    "metal": "a test of Metal",
    "llvm": "a test of LLVM",
    "slow": "a test that takes long",
}


def pytest_configure(config: pytest.Config) -> None:
    """Make the marks of classic suites known."""
    for name, meaning in MARKS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give tests that ask for a target, and do not say which, all that there are."""
    marks = metafunc.definition.iter_markers("parametrize")
    taken = {name.strip() for mark in marks for name in _names(mark.args)}
    if "target" in metafunc.fixturenames and "target" not in taken:
        metafunc.parametrize("target", [values(t, ["target"]) for t, _ in enabled_targets()])


def _names(args: tuple[Any, ...]) -> list[str]:
    """The arguments that a mark `parametrize` gives values to."""
    first = args[0] if args else ""
    return first.split(",") if isinstance(first, str) else [*first]


@pytest.fixture
def dev(target: Any) -> Device:
    """The device of the target."""
    return device(target)


@pytest.fixture
def ctx(dev: Device) -> Device:
    """The device of the target, by its old name."""
    return dev
