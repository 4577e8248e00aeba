"""Instructions of x86-64 as LLVM prints them (AT&T syntax): what each reads and writes, and what kind of work it is.

    vfmadd231ss -6144(%r11), %xmm0, %xmm1        kind "fma": reads v0, v1 and memory at r11 - 6144; writes v1; scalar

A register has one name whatever part of it is used: `%eax` is rax, `%ymm3` is v3. What is not known is of kind "other".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

FLAGS = "flags"

_LETTERS = {f"{x}{end}": f"r{x}x" for x in "abcd" for end in ("l", "h", "x")}
_NAMED = {
    **_LETTERS,
    **{f"e{x}x": f"r{x}x" for x in "abcd"},
    **{f"{p}{x}{e}": f"r{x}" for x in ("si", "di", "bp", "sp") for p, e in (("", "l"), ("", ""), ("e", ""))},
}
_VECTOR_BITS = {"x": 128, "y": 256, "z": 512}
_OPERAND = re.compile(r"(?:[^,(]|\([^)]*\))+")
_MEMORY = re.compile(r"(?:%[a-z]s:)?([^(]*)\(([^)]*)\)")
_MARK = re.compile(r"\{([^}]*)\}")


@dataclass(frozen=True, slots=True)
class Address:
    """Where an instruction goes in memory: base + index * scale + offset. A symbol (a constant of the code) is its base."""

    base: str | None
    index: str | None
    scale: int
    offset: int
    size: int
    """Bytes that are loaded or stored there."""

    @property
    def registers(self) -> tuple[str, ...]:
        """The registers that it is computed from."""
        return tuple(r for r in (self.base, self.index) if r is not None and not r.startswith("."))

    @property
    def is_stack(self) -> bool:
        """Whether it is a fixed place on the stack, as those are where registers are saved."""
        return self.base in ("rsp", "sp") and self.index is None


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction. `bits` is the width of the registers that it works on, `lane` that of a number in them (0 where
    that is not said); a scalar instruction has the two alike. `constant` is an immediate operand."""

    text: str
    mnemonic: str
    kind: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    load: Address | None = None
    store: Address | None = None
    bits: int = 64
    lane: int = 0
    constant: int | None = None
    target: str | None = None
    """Where it jumps, or what it calls."""

    @property
    def is_vector(self) -> bool:
        """Whether it computes with floats, or with several numbers at once."""
        return self.kind in VECTOR_WORK

    @property
    def lanes(self) -> int:
        """How many numbers it works on at once."""
        return max(self.bits // self.lane, 1) if self.lane else 1


# What is arithmetic on floats and vectors, apart from moving them about.
FLOAT_WORK = ("fp_add", "fp_mul", "fma", "fp_div", "fp_sqrt", "fp_minmax", "round")
VECTOR_WORK = (*FLOAT_WORK, "vec_int", "vec_mul", "vec_logic", "vec_shift")

# Kinds by what a mnemonic begins with, without the "v" of vectors; the first that fits.
_VECTOR_KINDS = tuple(
    (re.compile(pattern), kind)
    for pattern, kind in (
        (r"p?gather", "gather"),
        (r"p?scatter", "scatter"),
        (r"fn?m(add|sub)|dpbf16", "fma"),
        (r"h(add|sub)p|phadd|phsub|dpp", "horizontal"),
        (r"(add|sub|addsub)[psb][sdh]", "fp_add"),
        (r"mul[ps][sdh]", "fp_mul"),
        (r"div[ps][sdh]", "fp_div"),
        (r"sqrt[ps][sdh]", "fp_sqrt"),
        (r"(max|min)[ps][sdh]", "fp_minmax"),
        (r"(round|rndscale|scalef|getexp|getmant|reduce|fixupimm|range|rcp|rsqrt)", "round"),
        (r"u?comis", "compare"),
        (r"cmp|pcmp|ptest|testp|fpclass", "compare"),
        (r"cvt", "convert"),
        (r"pmull[dq]", "vec_mul_slow"),
        (r"pmul|pmadd|pdp[bw]|gf2p8", "vec_mul"),
        (r"psadbw", "shuffle_wide"),
        (r"psll(dq|q|w|d|v)|psrl|psra|prol|pror|psh[lr]d", "vec_shift"),
        (r"p(add|sub|min|max|abs|avg|sign|popcnt|lzcnt)", "vec_int"),
        (r"p?(and|or|xor|andn)(p[sd]|[dq])?$|pternlog", "vec_logic"),
        (r"p?blend", "blend"),
        (r"pmov(msk|m2|2m)|movmsk|pextr|pinsr|extractps|insertps", "transfer"),
        (r"(insert|extract)[fi]|p?broadcast|perm|p?compress|p?expand|align|pmov", "shuffle_wide"),
        (r"p?shuf|p?unpck|pack|palign|mov(ddup|shdup|sldup|hlps|lhps)|psl|pack", "shuffle"),
    )
)
_INTEGER_KINDS = tuple(
    (re.compile(pattern), kind)
    for pattern, kind in (
        (r"j", "branch"),
        (r"call", "call"),
        (r"ret|ud2|int3", "return"),
        (r"(nop|endbr|vzero|data16|cs)", "nop"),
        (r"prefetch", "prefetch"),
        (r"i?div", "int_div"),
        (r"(i?mul|popcnt|lzcnt|tzcnt|bs[fr]|pdep|pext|crc32)", "int_mul"),
        (r"k(mov|and|or|xor|xnor|not|test|ortest|shift|add|unpck)", "mask"),
        (r"(add|sub|and|or|xor|cmp|test|inc|dec|neg|not|lea|shl|shr|sar|sal|rol|ror|rcl|rcr|bt|set|cmov|adc|sbb|bswap|movz"
         r"|movs[bwl]|movabs|mov[bwlq]?$|cltq|cltd|cqto|cwtl|cwtd|cbtw|bls|bextr|bzhi|sarx|shlx|shrx|rorx|andn|push|pop|xchg|mulx)", "int"),
    )
)  # fmt: skip

_NO_RESULT = re.compile(
    r"cmp[bwlq]?$|test[bwlq]$|bt[wlq]?$|v?u?comis|v?ptest|vtestp|kortest|ktest|prefetch|nop"
)
_REPLACES = re.compile(
    r"mov|lea|set|popcnt|lzcnt|tzcnt|bs[fr]|cvt|sqrt|pshuf|pmov|pabs|rcp|rsqrt|lddqu|shlx|shrx|sarx|rorx|mulx|andn|bzhi"
    r"|bextr|bls|pop|k(?!mov)"
)
_KEEPS = re.compile(r"vfn?m|vpdp|vdpbf16|vpternlog|v?p?gather|v?p?gather|vperm[ti]2|vpmadd52|vfixup")
_READS_FLAGS = re.compile(r"j(?!mp)|cmov|set|adc|sbb|rc[lr]")
_SETS_FLAGS = re.compile(
    r"(add|sub|and|or|xor|cmp|test|inc|dec|neg|shl|shr|sar|sal|adc|sbb|bt|imul|mul|bls)[a-z]*$|v?u?comis|v?ptest|vtestp|kortest|ktest"
)
_LANES = (
    (r"p(max|min)[su]d$", 32),
    (r"(ps|ss)$", 32),
    (r"(pd|sd)$", 64),
    (r"(ph|sh|bf16)$", 16),
    (r"b$", 8),
    (r"w$", 16),
    (r"d$", 32),
    (r"q$", 64),
)
_GENERAL_BITS = {"b": 8, "w": 16, "l": 32, "q": 64}
_SCALAR = re.compile(r"(?!v?p|v?broadcast)\w*(s[sdh]|si2s[sd][lq]?)$")
_GATHERED = re.compile(r"(?:gather|scatter)([dq])")
_WIDENS = re.compile(r"v?pmov[sz]x(b[wdq]|w[dq]|dq)")
_WIDENED = {"bw": 2, "bd": 4, "bq": 8, "wd": 2, "wq": 4, "dq": 2}


def canonical(register: str) -> str:
    """The one name of a register: "rax" of `%al`, "v3" of `%zmm3`."""
    name = register.lstrip("%")
    if name[1:3] == "mm" and name[0] in _VECTOR_BITS:
        return f"v{name[3:]}"
    numbered = re.fullmatch(r"(r\d+)[bwd]?", name)
    return numbered[1] if numbered else _NAMED.get(name, name)


@lru_cache(maxsize=1 << 14)
def parse_instruction(text: str) -> Instruction:
    """An instruction from its line of assembly."""
    mnemonic, _, rest = text.strip().partition(" " if "\t" not in text.strip() else "\t")
    mnemonic, rest = mnemonic.strip(), rest.strip()
    marks = _MARK.findall(rest)
    operands = [x.strip() for x in _OPERAND.findall(_MARK.sub("", rest)) if x.strip()]
    vector = _vector_bits(operands)
    kind = _kind(mnemonic, operands, vector)
    if kind in ("branch", "call"):
        reads = (FLAGS,) if kind == "branch" and _READS_FLAGS.match(mnemonic) else ()
        return Instruction(text.strip(), mnemonic, kind, reads, (), target=(operands or [""])[0].lstrip("*"))
    lane = _lane(mnemonic) if vector else 0
    bits = vector or _GENERAL_BITS.get(mnemonic[-1:], 64)
    gathered = _GATHERED.search(mnemonic)
    if vector and _SCALAR.match(mnemonic):
        bits = lane
    elif vector and gathered:
        bits = lane * (vector // max(lane, 32 if gathered[1] == "d" else 64))
    return _with_operands(text.strip(), mnemonic, kind, operands, marks, bits, lane)


def _with_operands(
    text: str, mnemonic: str, kind: str, operands: list[str], marks: list[str], bits: int, lane: int
) -> Instruction:
    size = _bytes(mnemonic, bits, lane, marks)
    registers = [canonical(x) for x in operands if x.startswith("%") and "(" not in x]
    constant = next((_number(x[1:]) for x in operands if x.startswith("$")), None)
    addresses = [_address(x, size) for x in operands if "(" in x or _is_symbol(x)]
    at = addresses[0] if addresses else None
    last = operands[-1] if operands else ""
    masks = [canonical(m) for m in marks if m.startswith("%k")]
    reads, writes = [*registers, *masks], list[str]()
    load = store = None
    if _NO_RESULT.match(mnemonic) or not operands:
        load = at
    elif last.startswith("%"):
        load = at if not mnemonic.startswith("lea") else None
        result = canonical(last)
        writes.append(result)
        keeps = _KEEPS.match(mnemonic) or (masks and "z" not in marks and result.startswith("v"))
        alone = (
            mnemonic.startswith("v")
            or _REPLACES.match(mnemonic)
            or (mnemonic.startswith("imul") and len(operands) == 3)
        )
        if alone and not keeps:
            reads.remove(result)
        if mnemonic.startswith("xchg"):
            writes += registers
    else:
        store = at
        load = at if kind == "int" and not re.match(r"mov|set", mnemonic) else None
    if at is not None:
        reads += at.registers
    if mnemonic.startswith(("mul", "div", "idiv", "cltq", "cltd", "cqto", "cwtl", "cwtd", "cbtw")) or (
        mnemonic.startswith("imul") and len(operands) == 1
    ):
        reads += ["rax", "rdx"]
        writes += ["rax", "rdx"]
    if _READS_FLAGS.match(mnemonic):
        reads.append(FLAGS)
    if _SETS_FLAGS.match(mnemonic) and (not lane or "comis" in mnemonic or "test" in mnemonic):
        writes.append(FLAGS)
    if kind == "zero":
        reads = []
    return Instruction(
        text,
        mnemonic,
        kind,
        tuple(dict.fromkeys(reads)),
        tuple(dict.fromkeys(writes)),
        load,
        store,
        bits,
        lane,
        constant,
    )


def _kind(mnemonic: str, operands: list[str], vector: int) -> str:
    if mnemonic.startswith("vzero"):
        return "nop"
    if vector:
        name = mnemonic.removeprefix("v")
        if (
            re.match(r"(p?xor|psub|pandn|pcmpgt)", name)
            and len(set(operands)) == 1
            and operands[0].startswith("%")
        ):
            return "zero"
        if re.match(
            r"(mov([aul][ph]?[sd]?|s[sdh]|dq[au]\d*|nt|u|d$|q$|w$|[hl]p[sd])|lddqu|p?broadcast)", name
        ):
            return _move_kind(name, operands)
        if vector == 128 and _WIDENS.match(name):
            return "shuffle"
        return next((kind for pattern, kind in _VECTOR_KINDS if pattern.match(name)), "other")
    if mnemonic.startswith(("xor", "sub")) and len(operands) == 2 and operands[0] == operands[1]:
        return "zero"
    if re.match(r"mov([bwlq]|nti[lq]?)?$", mnemonic) or re.match(r"mov[sz]", mnemonic):
        return _move_kind(mnemonic, operands)
    return next((kind for pattern, kind in _INTEGER_KINDS if pattern.match(mnemonic)), "other")


def _move_kind(name: str, operands: list[str]) -> str:
    """What a move is: from memory, to memory, between registers, or of a constant."""
    source, result = operands[0], operands[-1]
    if "(" in result:
        return "store"
    if "(" in source or _is_symbol(source):
        return "load"
    if source.startswith("$"):
        return "int"
    if "broadcast" in name:
        return "shuffle_wide"
    are_vectors = [x[1:2] in _VECTOR_BITS and "mm" in x for x in (source, result)]
    if are_vectors[0] != are_vectors[1]:
        return "transfer"
    if re.match(r"mov[sz][bwl]", name):
        return "int"
    return "shuffle" if re.match(r"mov(s[sdh]$|[hl]p)", name) and len(operands) == 3 else "move"


def _vector_bits(operands: list[str]) -> int:
    """The widest vector register among operands; 0 where there is none."""
    found = [_VECTOR_BITS[x] for x in re.findall(r"%([xyz])mm", " ".join(operands))]
    return max(found, default=0)


def _lane(mnemonic: str) -> int:
    name = re.sub(r"^v?cvt\w*2", "", mnemonic)
    return next((bits for pattern, bits in _LANES if re.search(pattern, name)), 0)


def _bytes(mnemonic: str, bits: int, lane: int, marks: list[str]) -> int:
    """The bytes that an instruction loads or stores."""
    if any(m.startswith("1to") for m in marks) or "broadcasts" in mnemonic or "pbroadcast" in mnemonic:
        return lane // 8 or 4
    if "broadcast" in mnemonic:
        return bits // 16
    wider = _WIDENS.match(mnemonic)
    if wider:
        return bits // 8 // _WIDENED[wider[1]]
    if re.search(r"cvt(ps2pd|ph2ps|dq2pd)", mnemonic):
        return bits // 16
    if re.match(r"v?mov[dq]$", mnemonic) and bits > 64:
        return 4 if mnemonic[-1] == "d" else 8
    return bits // 8


def _number(text: str) -> int | None:
    try:
        return int(text, 0)
    except ValueError:
        return None


def _is_symbol(operand: str) -> bool:
    return not operand.startswith(("%", "$")) and operand != ""


def _address(operand: str, size: int) -> Address:
    m = _MEMORY.fullmatch(operand)
    if m is None:
        return Address(f".{operand}", None, 1, 0, size)
    offset = _number(m[1]) if m[1] else 0
    base, index, scale = [*(x.strip() for x in m[2].split(",")), "", "", ""][:3]
    if base == "%rip" or offset is None:
        return Address(f".{m[1]}", canonical(index) if index else None, int(scale or 1), 0, size)
    return Address(
        canonical(base) if base else None, canonical(index) if index else None, int(scale or 1), offset, size
    )
