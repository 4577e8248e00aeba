"""What an extern touches: the regions of its inputs that a region of its outputs needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tewb.base import ExternError
from tewb.ir import Expr, Range, const, ops

Region = tuple[Range, ...]
Box = tuple[tuple[Expr, Expr], ...]  # (min, extent) for each dimension


@dataclass(frozen=True, slots=True)
class Access:
    """A declared footprint.

    `footprint(out_ranges, in_shapes)` gives one region for each input, as (min, extent) pairs. `tiled`
    says whether the extern may be asked for a part of its output.
    """

    name: str
    tiled: bool
    footprint: Callable[[Box, Sequence[tuple[Expr, ...]]], Sequence[Box]]

    def regions(self, out: Region, shapes: Sequence[tuple[Expr, ...]]) -> list[Region]:
        """The region of each input that the region `out` of the outputs needs."""
        box = tuple((r.min, r.extent) for r in out)
        boxes = list(self.footprint(box, shapes))
        if len(boxes) != len(shapes):
            raise ExternError(f"access {self.name} gave {len(boxes)} regions for {len(shapes)} inputs")
        made = []
        for b, shape in zip(boxes, shapes, strict=True):
            if len(b) != len(shape):
                raise ExternError(
                    f"access {self.name} gave {len(b)} ranges for an input of {len(shape)} dimensions"
                )
            made.append(tuple(Range(ops.convert(lo), ops.convert(n)) for lo, n in b))
        return made

    def __repr__(self) -> str:
        return f"te.access.{self.name}"


def _whole(out: Box, shapes: Sequence[tuple[Expr, ...]]) -> list[Box]:
    return [tuple((const(0, s.dtype), s) for s in shape) for shape in shapes]


def _elementwise(out: Box, shapes: Sequence[tuple[Expr, ...]]) -> list[Box]:
    for shape in shapes:
        if len(shape) != len(out):
            raise ExternError(
                f"te.access.elementwise needs inputs of {len(out)} dimensions, as the output has, not {len(shape)}"
            )
    return [out for _ in shapes]


whole = Access("whole", False, _whole)
elementwise = Access("elementwise", True, _elementwise)


def as_access(access: Any) -> Access:
    """`access` as given to te.extern: a ready-made one, a function of (min, extent) pairs, or None (whole)."""
    if access is None:
        return whole
    if isinstance(access, Access):
        return access
    if callable(access):
        name = getattr(access, "__name__", "access")
        return Access(name, True, lambda out, shapes: access(*out))
    raise ExternError(f"access= takes te.access.elementwise, te.access.whole or a function, not {access!r}")
