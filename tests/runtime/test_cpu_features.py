"""Features of processors by their names, and what turning one off turns off with it."""

from __future__ import annotations

import pytest

from tewb.runtime.cpu_features import CPUS, features_of


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ("x86-64", "core2"), ("core2", "nehalem"), ("nehalem", "sandybridge"), ("sandybridge", "ivybridge"),
        ("ivybridge", "haswell"), ("haswell", "skylake-avx512"), ("skylake-avx512", "cascadelake"),
        ("cascadelake", "icelake-server"), ("icelake-server", "sapphirerapids"), ("haswell", "alderlake"),
        ("alderlake", "lunarlake"), ("znver1", "znver3"), ("znver3", "znver4"), ("bdver1", "bdver4"),
        ("cortex-a53", "neoverse-n1"), ("neoverse-n1", "neoverse-v1"),
    ],
)  # fmt: skip
def test_later_processors_have_all_that_earlier_ones_had(less: str, more: str) -> None:
    assert set(CPUS[less]) < set(CPUS[more])


def test_what_only_one_maker_has_is_listed() -> None:
    assert "sse4a" in CPUS["znver2"] and "sse4a" not in CPUS["icelake-server"]
    assert "avx512vbmi" in CPUS["znver4"] and "avx512vbmi" not in CPUS["cascadelake"]


def test_the_last_word_on_a_feature_counts() -> None:
    assert features_of("+avx,-avx,+sse3") == {"sse3"}
    assert features_of("-avx2,+avx2") == {"avx2"}
    assert features_of("+avx,+avx2,+avx512f,+fma,-avx") == frozenset()
