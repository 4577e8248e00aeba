"""Instructions of AArch64, as far as they can be counted without figures of processors: what loads, stores, computes and
jumps, and how wide its registers are."""

from __future__ import annotations

import re

from tewb.workbench.speed.instructions import Address, Instruction

_KINDS = tuple(
    (re.compile(pattern), kind)
    for pattern, kind in (
        (r"(ld[1-4]|ldr|ldp|ldu|ldn|ldff|ldaxr|ldar)", "load"),
        (r"(st[1-4]|str|stp|stu|stn|stlr)", "store"),
        (r"prf", "prefetch"),
        (r"(b|b\.\w+|cbn?z|tbn?z|br)$", "branch"),
        (r"blr?$", "call"),
        (r"ret", "return"),
        (r"f(n?m(la|ls|add|sub)|mla|mls|cmla)", "fma"),
        (r"f(add|sub|abd)", "fp_add"),
        (r"fn?mul", "fp_mul"),
        (r"fdiv", "fp_div"),
        (r"fsqrt", "fp_sqrt"),
        (r"f(max|min)", "fp_minmax"),
        (r"([su]dot|[su]?mmla|[su]m(ul|la|ls)l|mul|mla|mls)", "vec_mul"),
        (r"(add|sub|and|orr|eor|cmp|tst|mov|lsl|lsr|asr|csel|inc|dec|while|ptest|cnt)", "int"),
    )
)
_WIDTHS = {"q": 128, "v": 128, "z": 128, "d": 64, "s": 32, "h": 16, "b": 8, "x": 64, "w": 32}
_LANES = {"d": 64, "s": 32, "h": 16, "b": 8}


def parse_arm(text: str) -> Instruction:
    """An instruction of AArch64. Registers that scale (`z0`) count as their least width, 128 bits."""
    mnemonic, _, rest = text.strip().partition("\t" if "\t" in text.strip() else " ")
    kind = next((kind for pattern, kind in _KINDS if pattern.match(mnemonic)), "other")
    register = re.search(r"\b([qvzdshbxw])\d+(?:\.\d*([dshb]))?", rest)
    bits = _WIDTHS[register[1]] if register else 64
    if kind == "int" and register and register[1] in "vz":
        kind = "vec_int"
    lane = (
        _LANES[register[2]] if register and register[2] else bits if register and register[1] in "dsh" else 0
    )
    target = rest.split(",")[-1].strip() if kind in ("branch", "call") else None
    times = 2 if mnemonic.startswith(("ldp", "stp")) else 1
    at = Address("sp" if re.search(r"\[sp\b", rest) else None, None, 1, 0, bits // 8 * times)
    return Instruction(
        text.strip(), mnemonic, kind, (), (), at if kind == "load" else None, at if kind == "store" else None, bits, lane,
        target=target,
    )  # fmt: skip
