"""What AVX-512 has an instruction for: a table in two registers, and scaling by a power of two.

The instructions are there for 512 bits; vectors of any number of lanes are cut into such pieces.
"""

from __future__ import annotations

from collections.abc import Sequence

from tewb.base import DType
from tewb.codegen.types import float_constant, value_type
from tewb.codegen.vector_math.build import Math
from tewb.codegen.vector_slices import joined, piece


def is_wide(m: Math) -> bool:
    """Whether the target has these instructions, for more than scalars."""
    return m.d.lanes > 1 and m.f.module.target.has("avx512f")


def table_bits(bits: int) -> int:
    """How many bits choose among the entries of a table of floats."""
    return 5 if bits == 32 else 4


def lookup(m: Math, table: Sequence[float], index: str) -> str:
    """table[k] for each lane, where k are the lowest `table_bits` of the integer; what is above does not matter."""
    width = _width(m)
    element = m.d.element
    name = f"llvm.x86.avx512.vpermi2var.{_kind(m)}.512"
    t, it = value_type(element.with_lanes(width)), value_type(m.i.with_lanes(width))
    halves = [
        "<" + ", ".join(f"{value_type(element)} {float_constant(v, element)}" for v in part) + ">"
        for part in (table[:width], table[width:])
    ]
    m.f.module.declare(name, f"{t} @{name}({t}, {it}, {t})")
    parts = [
        m.f.ins(f"call {t} @{name}({t} {halves[0]}, {it} {k}, {t} {halves[1]})")
        for k in _pieces(m, index, m.i, width)
    ]
    return joined(m.f, parts, width, m.d)


def scaled(m: Math, x: str, n: str) -> str:
    """x * 2**n for whole n, rounded once: infinities and subnormal results included."""
    width = _width(m)
    name = f"llvm.x86.avx512.mask.scalef.{_kind(m)}.512"
    t, mask = value_type(m.d.element.with_lanes(width)), f"i{width}"
    m.f.module.declare(name, f"{t} @{name}({t}, {t}, {t}, {mask}, i32)")
    both = zip(_pieces(m, x, m.d, width), _pieces(m, n, m.d, width), strict=True)
    parts = [
        # In all lanes, with the rounding of everything else.
        m.f.ins(f"call {t} @{name}({t} {a}, {t} {b}, {t} poison, {mask} -1, i32 4)")
        for a, b in both
    ]
    return joined(m.f, parts, width, m.d)


def _width(m: Math) -> int:
    return 512 // m.d.bits


def _kind(m: Math) -> str:
    return "ps" if m.d.bits == 32 else "pd"


def _pieces(m: Math, x: str, d: DType, width: int) -> list[str]:
    return [piece(m.f, x, d, start, width) for start in range(0, d.lanes, width)]
