"""What targets say, in texts, dicts, JSON and tags."""

from __future__ import annotations

from typing import Any

import pytest

from tewb.base import CodegenError
from tewb.runtime.target_options import as_attribute, read


@pytest.mark.parametrize(
    ("given", "kind", "options"),
    [
        ("llvm", "llvm", {}),
        ("llvm -mcpu=core-avx2 -mattr=+avx2,+fma", "llvm", {"mcpu": "core-avx2", "mattr": "+avx2,+fma"}),
        ("llvm --system-lib -keys=cpu", "llvm", {"system-lib": "", "keys": "cpu"}),
        ("llvm -mtriple='aarch64-linux-gnu'", "llvm", {"mtriple": "aarch64-linux-gnu"}),
        ({"kind": "llvm", "mcpu": "haswell", "mattr": ["+avx2", "+fma"]}, "llvm", {"mcpu": "haswell", "mattr": "+avx2,+fma"}),
        ({"kind": "llvm", "num-cores": 4}, "llvm", {"num-cores": "4"}),
        ('{"kind": "llvm", "mcpu": "haswell"}', "llvm", {"mcpu": "haswell"}),
        ("cuda -arch=sm_70", "cuda", {"arch": "sm_70"}),
        ({"kind": "opencl", "device": "mali"}, "opencl", {"device": "mali"}),
    ],
)  # fmt: skip
def test_texts_dicts_and_json(given: Any, kind: str, options: dict[str, str]) -> None:
    assert read(given) == (kind, options)


def test_tags_stand_for_texts() -> None:
    assert read("raspberry-pi/4b-aarch64")[1]["mcpu"] == "cortex-a72"
    assert read({"tag": "raspberry-pi/4b-aarch64", "mcpu": "cortex-a76"})[1]["mcpu"] == "cortex-a76"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "tewb builds for the CPU"),
        ("gcc", "tewb builds for the CPU"),
        ({"mcpu": "haswell"}, "tewb builds for the CPU"),
        ('{"kind": "llvm"', "it is no JSON of a dict"),
        ('{"kind": 3}', "tewb builds for the CPU"),
        ("llvm -mcpuu=x", "-mcpuu=x is not known"),
        ({"kind": "llvm", "mcpuu": "x"}, "mcpuu is not known"),
        ("llvm haswell", "haswell is not known"),
    ],
)
def test_what_is_no_target_is_refused(given: Any, said: str) -> None:
    with pytest.raises(CodegenError, match=said) as error:
        read(given)
    assert error.value.hint


def test_attributes_are_lists_numbers_and_texts() -> None:
    assert as_attribute("mattr", "+avx2,+fma") == ["+avx2", "+fma"]
    assert as_attribute("num-cores", "4") == 4
    assert as_attribute("mcpu", "znver4") == "znver4"
