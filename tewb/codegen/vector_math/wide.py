"""Instructions of AVX-512: lookup in a table of two registers, and scaling by a power of two.

The instructions take 512 bits; vectors of any number of lanes are cut into slices of that width.
"""

from __future__ import annotations

from collections.abc import Sequence

from tewb.base import DType
from tewb.codegen.types import float_constant, value_type
from tewb.codegen.vector_math.build import Math
from tewb.codegen.vector_slices import join_slices, lane_slice


def has_wide_instructions(m: Math) -> bool:
    """Whether the target has these instructions, for more than scalars."""
    return m.d.lanes > 1 and m.f.module.target.has("avx512f")


def table_bits(bits: int) -> int:
    """How many bits choose among the entries of a table of floats."""
    return 5 if bits == 32 else 4


def lookup(m: Math, table: Sequence[float], index: str) -> str:
    """table[k] for each lane, where k are the lowest `table_bits` of the integer; higher bits are ignored."""
    width = _width(m)
    element = m.d.element
    name = f"llvm.x86.avx512.vpermi2var.{_kind(m)}.512"
    t, it = value_type(element.with_lanes(width)), value_type(m.i.with_lanes(width))
    halves = [
        "<" + ", ".join(f"{value_type(element)} {float_constant(v, element)}" for v in part) + ">"
        for part in (table[:width], table[width:])
    ]
    m.f.module.declare(name, f"{t} @{name}({t}, {it}, {t})")
    entries = [
        m.f.ins(f"call {t} @{name}({t} {halves[0]}, {it} {k}, {t} {halves[1]})")
        for k in _slices(m, index, m.i, width)
    ]
    return join_slices(m.f, entries, width, m.d)


def scaled(m: Math, x: str, n: str) -> str:
    """x * 2**n for whole n, rounded once: infinities and subnormal results included."""
    width = _width(m)
    name = f"llvm.x86.avx512.mask.scalef.{_kind(m)}.512"
    t, mask = value_type(m.d.element.with_lanes(width)), f"i{width}"
    m.f.module.declare(name, f"{t} @{name}({t}, {t}, {t}, {mask}, i32)")
    both = zip(_slices(m, x, m.d, width), _slices(m, n, m.d, width), strict=True)
    products = [
        # In all lanes, with the rounding of everything else.
        m.f.ins(f"call {t} @{name}({t} {a}, {t} {b}, {t} poison, {mask} -1, i32 4)")
        for a, b in both
    ]
    return join_slices(m.f, products, width, m.d)


def _width(m: Math) -> int:
    return 512 // m.d.bits


def _kind(m: Math) -> str:
    return "ps" if m.d.bits == 32 else "pd"


def _slices(m: Math, x: str, d: DType, width: int) -> list[str]:
    return [lane_slice(m.f, x, d, start, width) for start in range(0, d.lanes, width)]
