"""What a target says: its kind and its options, read from a text, a dict, JSON or a tag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tewb.base import CodegenError, brief, here

Options = dict[str, Any]

# The kinds of target that classic programs name. tewb makes code for the first; the next two become it, with a
# warning; the others can be named, and are refused when code is to be made.
LLVM = "llvm"
BY_LLVM = {
    "c": "tewb writes no C: the kernel is made by LLVM",
    "stackvm": "tewb has no interpreter for kernels: the kernel is made by LLVM",
}
ELSEWHERE = (
    "cuda", "nvptx", "rocm", "opencl", "metal", "vulkan", "webgpu", "opengl", "mali", "intel_graphics", "adreno", "bifrost",
    "sdaccel", "aocl", "aocl_sw_emu", "hexagon", "ext_dev", "hybrid", "composite", "vta", "ccompiler", "cudnn", "ethos-n",
)  # fmt: skip
KINDS = (LLVM, *BY_LLVM, *ELSEWHERE)

# Options that say which processor it is, and those that say nothing about the code made here.
PROCESSOR = ("mtriple", "mcpu", "mattr")
IGNORED = (
    "keys", "libs", "device", "model", "link-params", "num-cores", "opt-level", "host", "tag", "mfloat-abi", "mabi", "system-lib",
    "runtime", "interface-api", "unpacked-api", "max-num-threads", "thread_warp_size", "vector-width", "workspace-byte-alignment",
    "constants-byte-alignment", "executor", "from_device", "target_device_type", "feature", "features", "cl-opt", "jit",
    "fast-math", "fast-math-nnan", "fast-math-ninf", "fast-math-nsz", "fast-math-arcp", "fast-math-contract", "fast-math-reassoc",
    "target", "system-lib-prefix", "max-function-args", "vscale",
)  # fmt: skip
_LISTS = ("keys", "libs", "mattr")

_RASPBERRY = "llvm -mtriple=aarch64-linux-gnu -model=bcm2711 -keys=arm_cpu,cpu -mattr=+neon -mcpu="
TAGS: dict[str, str] = {
    "raspberry-pi/3b-aarch64": _RASPBERRY + "cortex-a53",
    "raspberry-pi/4b-aarch64": _RASPBERRY + "cortex-a72",
    "apple/m1-cpu": "llvm -mtriple=arm64-apple-darwin -mcpu=apple-m1",
    "aws/cpu/c5.large": "llvm -mcpu=skylake-avx512 -num-cores=1",
    "aws/cpu/c5.xlarge": "llvm -mcpu=skylake-avx512 -num-cores=2",
    "aws/cpu/c5.9xlarge": "llvm -mcpu=skylake-avx512 -num-cores=18",
}


def read(target: str | Mapping[str, Any]) -> tuple[str, Options]:
    """The kind of a target and its options: of a text ("llvm -mcpu=core-avx2"), of a tag, of a dict, or of one as JSON.
    Raises CodegenError."""
    if isinstance(target, Mapping):
        return _read_dict(target)
    text = TAGS.get(target.strip(), target)
    if text.lstrip().startswith("{"):
        import json  # takes 2 ms to load, and is rarely needed

        try:
            return _read_dict(json.loads(text))
        except (json.JSONDecodeError, AttributeError) as e:
            raise _no_target(target, f"it is no JSON of a dict: {e}") from None
    words = text.split()
    if not words or words[0] not in KINDS:
        raise _no_target(target, "tewb builds for the CPU")
    options: Options = {}
    for word in words[1:]:
        name, _, value = word.lstrip("-").partition("=")
        if not word.startswith("-"):
            raise _unknown(target, word)
        options[name] = value.strip("'\"")
    return words[0], checked(target, words[0], options)


def _read_dict(given: Mapping[str, Any]) -> tuple[str, Options]:
    options = dict(given)
    if "tag" in options and "kind" not in options and options["tag"] in TAGS:
        kind, tagged = read(TAGS[options["tag"]])
        return kind, checked(given, kind, {**tagged, **options})
    kind = options.pop("kind", None)
    if kind not in KINDS:
        raise _no_target(given, "tewb builds for the CPU")
    return kind, checked(given, kind, {name: _as_text(value) for name, value in options.items()})


def _as_text(value: Any) -> Any:
    """The value of an option as the text of a target has it."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ",".join(map(str, value))
    return str(int(value)) if isinstance(value, bool | int) else value


def checked(target: object, kind: str, options: Options) -> Options:
    """`options`. Raises CodegenError for one that no target for LLVM has."""
    if kind in (LLVM, *BY_LLVM):
        for name in options:
            if name not in PROCESSOR and name not in IGNORED:
                raise _unknown(target, f"-{name}" if isinstance(target, str) else name)
    return options


def as_attribute(name: str, value: Any) -> Any:
    """The value of an option as `target.attrs` has it: a list, a number or a text."""
    if name in _LISTS:
        return [word for word in str(value).split(",") if word]
    return int(value) if isinstance(value, str) and value.lstrip("-").isdigit() else value


def _unknown(target: object, word: str) -> CodegenError:
    shown = brief(
        word if not isinstance(target, str) else next((w for w in target.split() if word in w), word)
    )
    return CodegenError(
        f"target {brief(repr(target))}: {shown} is not known",
        hint="targets are written llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-v1 -mattr=+dotprod",
        span=here(),
    )


def _no_target(target: object, why: str) -> CodegenError:
    return CodegenError(f"target {brief(repr(target))}: {why}", hint='target="llvm"', span=here())
