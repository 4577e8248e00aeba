"""Features of processors: what LLVM knows of each by its name, and does not tell.

Listed are the features that codegen asks for, and those whose instructions LLVM chooses by itself, so that it is known
whether this machine can run the code. LLVM gets them together with the name, so that both agree.
"""

from __future__ import annotations

from functools import lru_cache

_CORE2 = ("cx16", "sse3", "ssse3")
_V2 = (*_CORE2, "popcnt", "sse4.1", "sse4.2")
_SANDY = (*_V2, "avx")
_V3 = (*_SANDY, "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe")
_V4 = (*_V3, "avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl")
_VNNI = (*_V4, "avx512vnni")
_ICE = (
    *_VNNI, "avx512bitalg", "avx512ifma", "avx512vbmi", "avx512vbmi2", "avx512vpopcntdq", "gfni", "sha", "vaes", "vpclmulqdq",
)  # fmt: skip
_SAPPHIRE = (*_ICE, "avx512bf16", "avx512fp16", "avxvnni")
_ALDER = (*_V3, "avxvnni", "gfni", "sha", "vaes", "vpclmulqdq")
_ARROW = (*_ALDER, "avxifma", "avxneconvert", "avxvnniint8")
_LUNAR = (*_ARROW, "avxvnniint16", "sha512", "sm3", "sm4")
_ZEN = (*_V3, "sha", "sse4a")
_ZEN3 = (*_ZEN, "vaes", "vpclmulqdq")
_ZEN4 = (*_ICE, "avx512bf16", "sse4a")
_K10 = ("cx16", "lzcnt", "popcnt", "sse3", "sse4a")
_BULLDOZER = (*_SANDY, "fma4", "lzcnt", "sse4a", "xop")
_PILEDRIVER = (*_BULLDOZER, "bmi", "f16c", "fma", "tbm")
_DOT = ("neon", "dotprod")
_I8MM = (*_DOT, "i8mm")

CPUS: dict[str, tuple[str, ...]] = {
    "x86-64": (), "x86-64-v2": _V2, "x86-64-v3": _V3, "x86-64-v4": _V4,
    "core2": _CORE2, "penryn": (*_CORE2, "sse4.1"), "nehalem": _V2, "corei7": _V2, "westmere": _V2,
    "sandybridge": _SANDY, "corei7-avx": _SANDY, "ivybridge": (*_SANDY, "f16c"), "core-avx-i": (*_SANDY, "f16c"),
    "haswell": _V3, "core-avx2": _V3, "broadwell": _V3, "skylake": _V3,
    "skylake-avx512": _V4, "skx": _V4, "cascadelake": _VNNI, "cooperlake": (*_VNNI, "avx512bf16"),
    "cannonlake": (*_V4, "avx512ifma", "avx512vbmi", "sha"), "icelake-client": _ICE, "icelake-server": _ICE, "rocketlake": _ICE,
    "tigerlake": (*_ICE, "avx512vp2intersect"), "sapphirerapids": _SAPPHIRE, "emeraldrapids": _SAPPHIRE,
    "graniterapids": (*_SAPPHIRE, "amx-fp16"), "knl": (*_V3, "avx512cd", "avx512f"),
    "alderlake": _ALDER, "raptorlake": _ALDER, "meteorlake": _ALDER, "gracemont": _ALDER,
    "arrowlake": _ARROW, "sierraforest": _ARROW, "grandridge": _ARROW, "lunarlake": _LUNAR, "arrowlake-s": _LUNAR,
    "atom": (*_CORE2, "movbe"), "bonnell": (*_CORE2, "movbe"), "silvermont": (*_V2, "movbe"), "goldmont": (*_V2, "movbe", "sha"),
    "tremont": (*_V2, "gfni", "movbe", "sha"),
    "k8": (), "opteron": (), "athlon64": (), "amdfam10": _K10, "barcelona": _K10,
    "bdver1": _BULLDOZER, "bdver2": _PILEDRIVER, "bdver3": _PILEDRIVER, "bdver4": (*_PILEDRIVER, "avx2", "bmi2", "movbe"),
    "btver1": (*_K10, "ssse3"), "btver2": (*_SANDY, "bmi", "f16c", "lzcnt", "movbe", "sse4a"),
    "znver1": _ZEN, "znver2": _ZEN, "znver3": _ZEN3, "znver4": _ZEN4,
    "znver5": (*_ZEN4, "avx512vp2intersect", "avxvnni"),
    "cortex-a53": ("neon",), "cortex-a57": ("neon",), "cortex-a72": ("neon",), "cortex-a73": ("neon",), "cortex-a76": _DOT,
    "neoverse-n1": _DOT, "neoverse-n2": _I8MM, "neoverse-v1": _I8MM, "neoverse-v2": _I8MM, "apple-m1": _DOT,
    "apple-m2": _I8MM, "apple-m3": _I8MM,
}  # fmt: skip

# Levels and families, which are no machines.
GENERIC = ("", "generic", "x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4")

# Turning off the first also turns off, in LLVM, the features that begin with the others. (What else a feature
# turns on need not be known: codegen then uses less than there is.)
_BASED_ON: dict[str, tuple[str, ...]] = {
    "avx": ("avx", "fma", "f16c"),
    "avx2": ("avx512", "avxvnni"),
    "avx512f": ("avx512",),
}


@lru_cache(maxsize=32)
def features_of(attributes: str) -> frozenset[str]:
    """The features that are on after the words of `attributes`, such as "+avx2,-avx512f"."""
    on: set[str] = set()
    for a in attributes.split(","):  # the last word on a feature counts
        if a.startswith("+"):
            on.add(a[1:])
        else:
            on -= {f for f in on if f == a[1:] or f.startswith(_BASED_ON.get(a[1:], ()))}
    return frozenset(on)
