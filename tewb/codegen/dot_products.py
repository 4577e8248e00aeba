"""Widening dot products: four products of bytes, or two of 16-bit integers, added to an int32 lane.

Processors have one instruction for it, for some signs of the operands. The other signs follow by arithmetic modulo
2**32, so that every processor gives the same result: a byte with its upper bit flipped is the byte of the other sign,
128 away from it, and four bytes are two pairs of 16-bit integers. Instructions that saturate are never used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tewb.base import INT32, DType
from tewb.codegen.function import Function
from tewb.codegen.vector_slices import join_slices, lane_slice
from tewb.runtime import Target

Typed = tuple[str, DType]
Signs = tuple[bool, bool]  # whether an operand is signed


@dataclass(frozen=True, slots=True)
class Instructions:
    """The instructions of a target: names by the signs of the operands, for vectors of `lanes` sums. With `multiplies`
    they only compute the sums of pairs and do not add them to a total."""

    lanes: int
    bytes: dict[Signs, str]
    pairs: dict[Signs, str]
    multiplies: bool = False


def instructions(target: Target, lanes: int) -> Instructions:
    """The instructions of `target` for vectors of `lanes` sums, or the widest that it has below that."""
    if target.arch == "x86_64":
        return _x86(target, lanes)
    if target.arch == "aarch64" and target.has("dotprod"):
        names = {(True, True): "llvm.aarch64.neon.sdot", (False, False): "llvm.aarch64.neon.udot"}
        if target.has("i8mm"):
            names[False, True] = "llvm.aarch64.neon.usdot"
        return Instructions(4, {signs: f"{name}.v4i32.v16i8" for signs, name in names.items()}, {})
    return Instructions(4, {}, {})


def _x86(target: Target, lanes: int) -> Instructions:
    most = target.vector_bytes // 4 if target.has("avx512bw") else min(target.vector_bytes // 4, 8)
    width = next((w for w in (4, 8) if lanes <= w < most), most)
    bits = 32 * width
    signed, mixed = (True, True), (False, True)
    if target.has("avxvnniint8", "avxvnni") and width <= 8:
        name = "llvm.x86.avx2.vpdpb{}d.{}"
        names = {signed: name.format("ss", bits), (False, False): name.format("uu", bits)}
        names[mixed] = f"llvm.x86.avx512.vpdpbusd.{bits}"
        return Instructions(width, names, {signed: f"llvm.x86.avx512.vpdpwssd.{bits}"})
    if target.has("avx512vnni", "avx512vl") or (target.has("avxvnni") and width <= 8):
        name = "llvm.x86.avx512.vpdp{}." + str(bits)
        return Instructions(width, {mixed: name.format("busd")}, {signed: name.format("wssd")})
    if width == 8 and not target.has("avx2"):
        return _x86(target, 4)
    multiply = {4: "sse2.pmadd.wd", 8: "avx2.pmadd.wd", 16: "avx512.pmaddw.d.512"}[width]
    return Instructions(width, {}, {signed: f"llvm.x86.{multiply}"}, multiplies=True)


def dot_product(f: Function, operands: Sequence[Typed]) -> str:
    """The value of dot4 or dot2 on `operands`: the total and the two factors, as values with their dtypes."""
    (total, kind), a, b = operands
    group, lanes = 32 // a[1].bits, kind.lanes
    # The factor that all lanes share comes first: its sign is the one that may be flipped.
    if b[1].lanes == group:
        a, b = b, a
    products = _DotProducts(
        f, instructions(f.module.target, lanes), group, a[1].kind == "int", b[1].kind == "int"
    )
    words = [_words(f, x, d, group) for x, d in (a, b)]
    if products.flips:
        words[0] = _flipped(f, words[0], a[1].lanes // group)
    sums = []
    for start in range(0, lanes, products.lanes):
        totals = _word_slice(f, total, lanes, start, products.lanes)
        x, y = (
            _word_slice(f, w, d.lanes // group, 0 if d.lanes == group else start, products.lanes)
            for w, (_, d) in zip(words, (a, b), strict=True)
        )
        sums.append(products.dot(totals, x, y))
    return join_slices(f, sums, products.lanes, INT32.with_lanes(lanes))


def _int_vector(lanes: int, bits: int = 32) -> str:
    return f"<{lanes} x i{bits}>"


def _words(f: Function, x: str, d: DType, group: int) -> str:
    """The neighbours of each lane as one 32-bit integer."""
    count = d.lanes // group
    return f.ins(f"bitcast <{d.lanes} x i{d.bits}> {x} to {'i32' if count == 1 else _int_vector(count)}")


def _flipped(f: Function, words: str, count: int) -> str:
    """Words with the upper bit of each byte flipped. (A scalar is flipped before it fills a vector: the
    opposite order sends LLVM's backend for x86 into an endless loop.)"""
    t = "i32" if count == 1 else _int_vector(count)
    return f.ins(f"xor {t} {words}, {_in_all_lanes(0x80808080, count)}")


def _in_all_lanes(value: int, lanes: int, bits: int = 32) -> str:
    """A constant in all lanes."""
    literal = str(value - (1 << bits) if value >= 1 << (bits - 1) else value)
    return literal if lanes == 1 else "<" + ", ".join([f"i{bits} {literal}"] * lanes) + ">"


def _word_slice(f: Function, x: str, lanes: int, start: int, count: int) -> str:
    """`count` lanes of a vector of words from `start` on. A scalar fills them all."""
    d = INT32.with_lanes(lanes)
    return f.splat(x, d.with_lanes(count)) if lanes == 1 else lane_slice(f, x, d, start, count)


class _DotProducts:
    """Dot products on vectors of as many lanes as an instruction takes, of factors with the signs `a`, `b`."""

    def __init__(self, f: Function, has: Instructions, group: int, a: bool, b: bool) -> None:
        self.f, self.has, self.group, self.lanes = f, has, group, has.lanes
        self.a, self.b = a, b
        self.t = _int_vector(has.lanes)

    def dot(self, total: str, x: str, y: str) -> str:
        """`total` and the products of the words `x` and `y`."""
        if self.group == 2:
            return self.pairs(total, x, y, self.a, self.b)
        product = self.native(total, x, y, self.a != self.flips)
        if product is None:
            return self.two_pairs(total, x, y)
        if not self.flips:
            return product
        # x was moved by 128, so the product is off by 128 times the sum of y: the product of y with a vector of bytes
        # 0x80, which are 128 or -128, depending on the sign.
        much = self.native("zeroinitializer", _in_all_lanes(0x80808080, self.lanes), y, not self.a)
        return self.f.ins(f"sub {self.t} {product}, {much}")

    @property
    def flips(self) -> bool:
        """Whether the only instruction for this sign of b takes the other sign of a."""
        return self.group == 4 and self.name(self.a) is None and self.name(not self.a) is not None

    def name(self, a: bool) -> str | None:
        return self.has.bytes.get((a, self.b)) or self.has.bytes.get((self.b, a))

    def native(self, total: str, x: str, y: str, a: bool) -> str | None:
        """By one instruction, for either order of the factors."""
        name = self.name(a)
        if (a, self.b) not in self.has.bytes:
            x, y = y, x
        return None if name is None else self.call(name, total, x, y, 8)

    def call(self, name: str, total: str, x: str, y: str, bits: int) -> str:
        f, narrow = self.f, _int_vector(self.lanes * 32 // bits, bits)
        types = [self.t, narrow, narrow]
        values = [total, *(f.ins(f"bitcast {self.t} {w} to {narrow}") for w in (x, y))]
        if self.has.multiplies:
            types, values = types[1:], values[1:]
        f.module.declare(name, f"{self.t} @{name}({', '.join(types)})")
        given = ", ".join(f"{t} {v}" for t, v in zip(types, values, strict=True))
        product = f.ins(f"call {self.t} @{name}({given})")
        return f.ins(f"add {self.t} {total}, {product}") if self.has.multiplies else product

    def two_pairs(self, total: str, x: str, y: str) -> str:
        """Bytes as two vectors of pairs: those at even places, and those at odd ones."""
        for odd in (False, True):
            a, b = self.widened(x, self.a, odd), self.widened(y, self.b, odd)
            total = self.pairs(total, a, b, True, True)  # 0..255 too is a signed 16-bit integer
        return total

    def widened(self, words: str, signed: bool, odd: bool) -> str:
        """The even or the odd bytes of words as 16-bit integers."""
        f, narrow = self.f, _int_vector(2 * self.lanes, 16)
        eights = _in_all_lanes(8, 2 * self.lanes, 16)
        x = f.ins(f"bitcast {self.t} {words} to {narrow}")
        if not odd:
            x = f.ins(f"shl {narrow} {x}, {eights}")
        x = f.ins(f"{'ashr' if signed else 'lshr'} {narrow} {x}, {eights}")
        return f.ins(f"bitcast {narrow} {x} to {self.t}")

    def pairs(self, total: str, x: str, y: str, a: bool, b: bool) -> str:
        """`total` and the products of the 16-bit halves of words."""
        f, t = self.f, self.t
        name = self.has.pairs.get((a, b))
        if name is not None:
            return self.call(name, total, x, y, 16)
        for upper in (False, True):
            halves = [self.half(w, signed, upper) for w, signed in ((x, a), (y, b))]
            product = f.ins(f"mul {t} {halves[0]}, {halves[1]}")
            total = f.ins(f"add {t} {total}, {product}")
        return total

    def half(self, words: str, signed: bool, upper: bool) -> str:
        f, by = self.f, _in_all_lanes(16, self.lanes)
        if not upper:
            words = f.ins(f"shl {self.t} {words}, {by}")
        return f.ins(f"{'ashr' if signed else 'lshr'} {self.t} {words}, {by}")
