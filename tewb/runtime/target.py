"""Targets: the processors that code is made for, and what codegen must know about them.

A target is written as classic TE writes it, in the options of LLVM's tools:

    llvm                                                    this machine
    llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-v1       another one: its code can be looked at, not called
    llvm -mcpu=x86-64-v3                                    this one, with fewer instructions
    llvm -mattr=-avx512vnni                                 the same, without some of them
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import llvmlite.binding as llvm

from tewb.base import CodegenError, brief, here

# What LLVM does not tell: the features of a processor by its name. Listed are those that codegen asks for, or
# that decide whether this machine can run the code; LLVM gets them together with the name, so that both
# agree.
_V2 = ("cx16", "popcnt", "sse3", "sse4.1", "sse4.2", "ssse3")
_V3 = (*_V2, "avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe")
_V4 = (*_V3, "avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl")
_VNNI = (*_V4, "avx512vnni")
_DOT = ("neon", "dotprod")
_I8MM = (*_DOT, "i8mm")
_CPUS: dict[str, tuple[str, ...]] = {
    "x86-64": (), "x86-64-v2": _V2, "x86-64-v3": _V3, "x86-64-v4": _V4,
    "nehalem": _V2, "westmere": _V2, "haswell": _V3, "core-avx2": _V3, "broadwell": _V3, "skylake": _V3,
    "znver1": _V3, "znver2": _V3, "znver3": _V3, "alderlake": (*_V3, "avxvnni"), "raptorlake": (*_V3, "avxvnni"),
    "lunarlake": (*_V3, "avxvnni", "avxvnniint8"), "sierraforest": (*_V3, "avxvnni", "avxvnniint8"),
    "skylake-avx512": _V4, "cascadelake": _VNNI, "icelake-client": _VNNI, "icelake-server": _VNNI,
    "sapphirerapids": (*_VNNI, "avxvnni"), "znver4": _VNNI, "znver5": (*_VNNI, "avxvnni"),
    "cortex-a53": ("neon",), "cortex-a72": ("neon",), "cortex-a76": _DOT, "neoverse-n1": _DOT, "neoverse-n2": _I8MM,
    "neoverse-v1": _I8MM, "neoverse-v2": _I8MM, "apple-m1": _DOT, "apple-m2": _I8MM, "apple-m3": _I8MM,
}  # fmt: skip
# Turning off the first also turns off, in LLVM, the features that begin with the others. (What else a feature
# turns on need not be known: codegen then uses less than there is.)
_BASED_ON: dict[str, tuple[str, ...]] = {
    "avx": ("avx", "fma", "f16c"),
    "avx2": ("avx512", "avxvnni"),
    "avx512f": ("avx512",),
}
# Features of every processor of an architecture. Without them LLVM's backend aborts, and the process with it.
_ALWAYS = ("-sse", "-sse2", "-neon", "-fp-armv8")
# Options of classic TE that say nothing about the code made here.
_IGNORED = ("keys", "libs", "device", "model", "link-params", "num-cores", "opt-level", "host")
# A triple, a processor, or features with commas between; an option may be empty.
_NAMES = re.compile(r"([+-]?[A-Za-z0-9][A-Za-z0-9._-]{0,63}(,[+-]?[A-Za-z0-9][A-Za-z0-9._-]{0,63})*)?")

IS_NEAR = sys.platform != "win32"


@lru_cache(maxsize=1)
def host() -> tuple[str, str, str]:
    """The triple, CPU name and feature string of this machine."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.get_default_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


@dataclass(frozen=True, slots=True)
class Target:
    """A processor: LLVM's triple, its CPU name, and features in LLVM's words ("+avx2,-avx512f")."""

    triple: str
    cpu: str
    attributes: str = ""

    @staticmethod
    def host() -> Target:
        """This machine."""
        return Target(*host())

    @staticmethod
    def of(target: Target | str | None) -> Target:
        """The target that `target` describes, as in the text at the top of this file, or is; None is this machine.

        Raises CodegenError for a text that describes none.
        """
        if target is not None and not isinstance(target, Target | str):
            raise CodegenError(
                f"a {type(target).__name__} is not a target", hint='target="llvm"', span=here()
            )
        return target if isinstance(target, Target) else _parse(target or "llvm")

    @property
    def arch(self) -> str:
        """x86_64, aarch64, or what the triple begins with."""
        first = self.triple.split("-")[0]
        return {"arm64": "aarch64", "amd64": "x86_64"}.get(first, first)

    @property
    def features(self) -> frozenset[str]:
        """The features that are on."""
        return _features(self.attributes)

    def has(self, *features: str) -> bool:
        """Whether all of `features` are on."""
        return self.features.issuperset(features)

    @property
    def vector_bytes(self) -> int:
        """The width of its vector registers that code is made for, in bytes."""
        if self.arch == "x86_64":
            return 64 if self.has("avx512f") else 32 if self.has("avx") else 16
        return 16

    @property
    def cache_line(self) -> int:
        """Bytes that move between caches together."""
        return 128 if self.arch == "aarch64" and "apple" in self.triple else 64

    @property
    def runs_here(self) -> bool:
        """Whether this machine is known to have every instruction that the code may use."""
        own = Target.host()
        if (self.triple, self.cpu, self.attributes) == (own.triple, own.cpu, own.attributes):
            return True
        is_known_cpu = self.cpu == own.cpu or self.cpu in _CPUS
        return self.has_our_system and is_known_cpu and self.features <= own.features

    @property
    def has_our_system(self) -> bool:
        """Whether its architecture and operating system are those of this machine."""
        return self._system() == Target.host()._system()

    def _system(self) -> tuple[str, str]:
        """Architecture and operating system."""
        systems = ("linux", "darwin", "macos", "windows")
        system = next((s for s in systems if s in self.triple), self.triple)
        return self.arch, "darwin" if system == "macos" else system

    def machine(self, level: int = 2, linked: bool = False) -> Any:
        """A new target machine of LLVM (an engine takes its own). Code that is `linked` goes to a file."""
        try:
            llvm_target = llvm.Target.from_triple(self.triple)
        except RuntimeError as e:
            raise CodegenError(
                f"LLVM has no target {brief(self.triple)}", hint="such as aarch64-linux-gnu", span=here()
            ) from e
        return llvm_target.create_target_machine(
            cpu=self.cpu, features=self.attributes, **self.options(level, linked)
        )

    def options(self, level: int, linked: bool = False) -> dict[str, Any]:
        """The other arguments of an LLVM target machine."""
        jit = self.runs_here and not linked
        # Constants and calls are within 2 GB of the code: LLVM's linker ensures that. By default, code in
        # memory loads an address of 64 bits for each constant. (This linker does not support Windows.)
        if jit and not IS_NEAR:
            return {"opt": level, "jit": jit}
        return {"opt": level, "jit": jit, "reloc": "pic", "codemodel": "small"}

    @property
    def data_layout(self) -> str:
        """Its data layout, in LLVM's notation."""
        return _data_layout(self)

    def __str__(self) -> str:
        return f"llvm -mtriple={self.triple} -mcpu={self.cpu}"


@lru_cache(maxsize=32)
def _features(attributes: str) -> frozenset[str]:
    on: set[str] = set()
    for a in attributes.split(","):  # the last word on a feature counts
        if a.startswith("+"):
            on.add(a[1:])
        else:
            on -= {f for f in on if f == a[1:] or f.startswith(_BASED_ON.get(a[1:], ()))}
    return frozenset(on)


@lru_cache(maxsize=32)
def _data_layout(target: Target) -> str:
    return str(target.machine().target_data)


@lru_cache(maxsize=64)
def _parse(text: str) -> Target:
    words = text.split()
    if not words or words[0] != "llvm":
        raise CodegenError(
            f"target {brief(repr(text))}: tewb builds for the CPU", hint='target="llvm"', span=here()
        )
    options: dict[str, str] = {}
    for word in words[1:]:
        name, _, value = word.lstrip("-").partition("=")
        if not word.startswith("-") or (name not in ("mtriple", "mcpu", "mattr") and name not in _IGNORED):
            raise CodegenError(
                f"target {brief(repr(text))}: {brief(word)} is not known",
                hint="targets are written llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-v1 -mattr=+dotprod",
                span=here(),
            )
        if name in ("mtriple", "mcpu", "mattr") and not _NAMES.fullmatch(value):
            raise CodegenError(
                f"target {brief(repr(text))}: {brief(repr(value))} is not a name that LLVM knows",
                hint="names are letters, digits, dots and dashes, and features stand behind + or -",
                span=here(),
            )
        options[name] = value
    features = options.get("mattr", "")
    unsigned = [a for a in features.split(",") if features and a[:1] not in ("+", "-")]
    if unsigned:
        raise CodegenError(
            f"target {brief(repr(text))}: the feature {brief(repr(unsigned[0]))} is neither on nor off",
            hint="-mattr=+name turns one on, and -mattr=-name turns it off",
            span=here(),
        )
    always = next((a for a in features.split(",") if a in _ALWAYS), None)
    if always is not None:
        raise CodegenError(
            f"target {brief(repr(text))}: code is made for processors with {always[1:]}",
            hint=f"leave {always} out",
            span=here(),
        )
    own = Target.host()
    triple = options.get("mtriple", own.triple)
    cpu = options.get("mcpu", "native" if triple == own.triple else "")
    base = own if cpu in ("native", own.cpu) and triple == own.triple else _named(triple, cpu)
    target = Target(base.triple, base.cpu, ",".join(a for a in (base.attributes, features) if a))
    if not target.runs_here:
        llvm.initialize_all_targets()
        llvm.initialize_all_asmprinters()
        target.machine()  # LLVM knows this triple
    return target


def _named(triple: str, cpu: str) -> Target:
    """The processor `cpu`, or the simplest of its architecture, with the features that it is known to have."""
    arch = Target(triple, "").arch
    name = cpu.replace("native", "") or ("x86-64" if arch == "x86_64" else "generic")
    return Target(triple, name, ",".join(f"+{f}" for f in _CPUS.get(name, ())))
