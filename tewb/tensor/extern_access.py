"""What an extern reads: the regions of its inputs that a region of its outputs needs."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tewb.arith import Analyzer
from tewb.base import ExternError, TewbWarning, here
from tewb.ir import Expr, Range, Var, const, const_int, ops, script, substitute

Region = tuple[Range, ...]
Shape = tuple[Expr, ...]
Box = tuple[tuple[Expr, Expr], ...]  # (min, extent) for each dimension
Footprint = Callable[[Box, Sequence[Shape]], Sequence[Box]]

TRIALS = 200


@dataclass(frozen=True, slots=True)
class ExternAccess:
    """A declared footprint.

    `footprint(out_ranges, in_shapes)` gives one region for each input, as (min, extent) pairs. `tiled`
    says whether the extern may be asked for a part of its output, and `axes` in how many of the leading
    dimensions (None: in all). A region that passes the edge of an input is clamped to it where it is used.
    """

    name: str
    tiled: bool
    footprint: Footprint
    axes: int | None = None
    ready_made: bool = False

    def regions(self, out: Region, shapes: Sequence[Shape]) -> list[Region]:
        """The region of each input that the region `out` of the outputs needs."""
        box = tuple((r.min, r.extent) for r in out)
        boxes = list(self.footprint(box, shapes))
        if len(boxes) != len(shapes):
            raise ExternError(
                f"access {self.name} gave {len(boxes)} regions for {len(shapes)} inputs",
                hint="one list of (min, extent) for each input",
            )
        regions = []
        for b, shape in zip(boxes, shapes, strict=True):
            if len(b) != len(shape):
                raise ExternError(
                    f"access {self.name} gave {len(b)} ranges for an input of {len(shape)} dimensions",
                    hint="one (min, extent) for each dimension of the input",
                )
            regions.append(tuple(Range(ops.convert(lo), ops.convert(n)) for lo, n in b))
        return regions

    def __repr__(self) -> str:
        return f"te.access.{self.name}"


# ---------------------------------------------------------------- ready-made


def _whole(out: Box, shapes: Sequence[Shape]) -> list[Box]:
    return [tuple((const(0, s.dtype), s) for s in shape) for shape in shapes]


def _same_rank(name: str, out: Box, shapes: Sequence[Shape]) -> None:
    for shape in shapes:
        if len(shape) != len(out):
            raise ExternError(
                f"te.access.{name} needs inputs of {len(out)} dimensions, as the output has, not {len(shape)}",
                hint="give access= a function that says which part of each input a part of the output reads, or te.access.whole",
            )


def _elementwise(out: Box, shapes: Sequence[Shape]) -> list[Box]:
    _same_rank("elementwise", out, shapes)
    return [out for _ in shapes]


def _rows(out: Box, shapes: Sequence[Shape]) -> list[Box]:
    for shape in shapes:
        if not shape or not out:
            raise ExternError(
                "te.access.rows needs inputs and outputs of at least one dimension",
                hint="te.access.whole is for single elements",
            )
    return [(out[0], *_whole((), [shape[1:]])[0]) for shape in shapes]


whole = ExternAccess("whole", False, _whole, ready_made=True)
elementwise = ExternAccess("elementwise", True, _elementwise, ready_made=True)
rows = ExternAccess("rows", True, _rows, axes=1, ready_made=True)


def stencil(halo: Any) -> ExternAccess:
    """Each element needs its neighbours up to `halo` away: a number, or one for each dimension, where a
    pair says (before, after). At the edges of the input the region is clamped."""
    reach = _reach(halo)

    def footprint(out: Box, shapes: Sequence[Shape]) -> list[Box]:
        name = f"stencil({halo})"
        _same_rank(name, out, shapes)
        sides = [reach] * len(out) if isinstance(reach, tuple) else reach
        if len(sides) != len(out):
            raise ExternError(
                f"te.access.{name} is for {len(sides)} dimensions, and the output has {len(out)}",
                hint=f"te.access.stencil({tuple([1] * len(out))})",
            )
        box = tuple(
            (ops.sub(lo, before), ops.add(n, before + after))
            for (lo, n), (before, after) in zip(out, sides, strict=True)
        )
        return [box for _ in shapes]

    return ExternAccess(f"stencil({halo!r})", True, footprint, ready_made=True)


def _reach(halo: Any) -> tuple[int, int] | list[tuple[int, int]]:
    def side(h: Any) -> tuple[int, int]:
        pair = (h, h) if isinstance(h, int) else h
        good = isinstance(pair, tuple | list) and len(pair) == 2
        if not good or not all(isinstance(x, int) and x >= 0 for x in pair):
            raise ExternError(
                f"te.access.stencil({halo!r}): {h!r} is no halo", hint="stencil(1), stencil((0, (2, 1)))"
            )
        return (pair[0], pair[1])

    return side(halo) if isinstance(halo, int) else [side(h) for h in _several(halo)]


def _several(halo: Any) -> Sequence[Any]:
    if not isinstance(halo, tuple | list):
        raise ExternError(
            f"te.access.stencil({halo!r}): that is no halo", hint="stencil(1), stencil((0, (2, 1)))"
        )
    return halo


# ---------------------------------------------------------------- functions of the user


def as_access(access: Any) -> ExternAccess:
    """`access` as given to te.extern: a ready-made one, a function of (min, extent) pairs, or None (whole)."""
    if access is None:
        return whole
    if isinstance(access, ExternAccess):
        return access
    if callable(access):
        name = getattr(access, "__name__", "access")
        return ExternAccess(name, True, lambda out, shapes: access(*out))
    raise ExternError(
        f"access= takes te.access.elementwise, stencil(halo), rows, whole or a function, not {access!r}",
        hint="access=te.access.elementwise",
    )


def checked_access(
    extern: str, access: ExternAccess, out: Shape, inputs: Sequence[Shape], names: Sequence[str]
) -> ExternAccess:
    """`access` once it is known to be monotone: a smaller output never needs a larger input.

    Tiles rely on it, for a tile at an edge is clipped after its inputs were chosen. Raises ExternError
    with a counterexample. A dimension for which it can neither be proved nor disproved (an index that is
    not affine) is taken whole, with a warning.
    """
    if access.ready_made:
        access.regions(tuple(Range(const(0, n.dtype), n) for n in out), inputs)
        return access
    nested = _NestedRegions.of(out)
    for n in {n for shape in (out, *inputs) for n in shape if isinstance(n, Var)}:
        nested.analyzer.bind(n, 0, None)
    large, small = access.regions(nested.large, inputs), access.regions(nested.small, inputs)
    unsure: set[tuple[int, int]] = set()
    for k, (wide, narrow) in enumerate(zip(large, small, strict=True)):
        for d, (big, part) in enumerate(zip(wide, narrow, strict=True)):
            if not nested.contains(big, part):
                nested.look_for_counterexample(
                    f"extern {extern}: access {access.name}", names[k], d, big, part
                )
                unsure.add((k, d))
                warnings.warn(
                    f"extern {extern}: access {access.name} of {names[k]}, dimension {d}, is not known to be "
                    f"monotone ({script(part.min)} from an output at {script(nested.small[0].min)}): "
                    "all of the dimension is read",
                    TewbWarning,
                    stacklevel=4,
                )
    return _with_whole(access, unsure) if unsure else access


def _with_whole(access: ExternAccess, unsure: set[tuple[int, int]]) -> ExternAccess:
    """`access` with some (input, dimension) taken whole."""

    def footprint(out: Box, shapes: Sequence[Shape]) -> list[Box]:
        boxes = []
        for k, (box, shape) in enumerate(zip(access.footprint(out, shapes), shapes, strict=True)):
            every = _whole((), [shape])[0]
            boxes.append(tuple(every[d] if (k, d) in unsure else box[d] for d in range(len(shape))))
        return boxes

    return replace(access, footprint=footprint)


@dataclass(frozen=True, slots=True)
class _NestedRegions:
    """A region of an output and a part of it, both symbolic."""

    large: Region
    small: Region
    variables: tuple[Var, ...]
    analyzer: Analyzer

    @staticmethod
    def of(shape: Shape) -> _NestedRegions:
        large, small, variables, analyzer = [], [], [], Analyzer()
        for d, n in enumerate(shape):
            start, before, extent, after = (
                Var(f"{name}{d}", n.dtype) for name in ("min", "before", "extent", "after")
            )
            for v, least in ((start, 0), (before, 0), (extent, 1), (after, 0)):
                analyzer.bind(v, least, None)
                variables.append(v)
            large.append(Range(start, ops.add(ops.add(before, extent), after)))
            small.append(Range(ops.add(start, before), extent))
        return _NestedRegions(tuple(large), tuple(small), tuple(variables), analyzer)

    def contains(self, big: Range, part: Range) -> bool:
        """Whether `part` is proved to lie in `big`, and neither is of negative extent."""
        prove = self.analyzer.can_prove
        return (
            prove(ops.greater_equal(part.extent, 0))
            and prove(ops.less_equal(big.min, part.min))
            and prove(ops.less_equal(ops.add(part.min, part.extent), ops.add(big.min, big.extent)))
        )

    def look_for_counterexample(self, what: str, name: str, d: int, big: Range, part: Range) -> None:
        rng = random.Random(0)
        for _ in range(TRIALS):
            values: dict[Var, Expr] = {
                v: const(rng.randrange(1 if v.name.startswith("extent") else 0, 12), v.dtype)
                for v in self.variables
            }

            def number(e: Expr, values: dict[Var, Expr] = values) -> int | None:
                return const_int(Analyzer().simplify(substitute(e, values)))

            lo, n, small_lo, small_n = (number(e) for e in (big.min, big.extent, part.min, part.extent))
            if lo is None or n is None or small_lo is None or small_n is None:
                continue
            if small_n >= 0 and lo <= small_lo and small_lo + small_n <= lo + n:
                continue
            shown = [
                ", ".join(f"[{a}, {a + b})" for r in region for a, b in [(number(r.min), number(r.extent))])  # type: ignore[operator]
                for region in (self.small, self.large)
            ]
            raise ExternError(
                f"{what} is not monotone: of {name}, dimension {d}, output {shown[0]} needs "
                f"[{small_lo}, {small_lo + small_n}), but the larger {shown[1]} needs [{lo}, {lo + n})",
                hint="a larger output must need all that its parts need",
                span=here(),
            )
