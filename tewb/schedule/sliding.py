"""Sliding windows: what earlier iterations have computed of a stage is kept, and memory goes round.

    B = allocate((n + 2,))                          B = allocate((4,))
    for i in n:                                     for i in n:
        for r in 3: B[i + r] = f(i + r)     ->          for r in 3: if i == 0 or r == 2: B[(i + r) % 4] = f(i + r)
        C[i] = B[i] + B[i + 1] + B[i + 2]               C[i] = B[i % 4] + B[(i + 1) % 4] + B[(i + 2) % 4]

A stage is stored around some loops and computed inside of them. In an iteration of these loops all elements of its box
are there. An iteration that comes later computes only what is in its own box and not in that of an earlier one: for each
loop, of the iteration before, with the loops inside where they are, or at their ends if these move along with it.

Memory may go round in a dimension whose range never moves back while elements are kept: what is read later lies, as what
is stored meanwhile, in the box of one iteration, and two elements of a box that is no larger than the memory have places
of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tewb.arith import Analyzer
from tewb.ir import (
    LT,
    Add,
    Expr,
    IterVar,
    Max,
    Min,
    Mul,
    Range,
    Sub,
    Var,
    const,
    const_int,
    is_same_expression,
    ops,
    script,
    substitute,
    uses,
)
from tewb.schedule.bounds import Bounds
from tewb.schedule.extern_tiles import tile_of
from tewb.schedule.stage import Stage
from tewb.schedule.stage_bounds import StageBounds, makes_whole_parts
from tewb.schedule.stage_guards import values_and_guards
from tewb.tensor import ComputeOp, ExternOp
from tewb.tensor.hybrid import HybridOp

APART = "there is nothing to keep"
DIAGONAL = "its part moves in several dimensions at once, and what is new in it is no box"
CHEAP = 16 << 10  # bytes: so much more memory is well spent on a number of places that is a power of two


@dataclass(frozen=True, slots=True)
class LoopBetween:
    """A loop around the place where a stage is computed, inside of that where it is stored. How often it runs may depend on those
    around it."""

    name: str
    var: Var
    extent: Expr
    depends: bool


@dataclass(frozen=True, slots=True)
class Slide:
    """What an iteration of `loop`, over `var`, finds in memory: in the dimensions of `ends`, which move along, all that lies
    before these ends. Where nothing moves it is everything."""

    loop: str
    var: Var
    ends: tuple[tuple[int, Expr], ...]

    def is_new(self, place: Sequence[Expr], analyzer: Analyzer) -> Expr:
        """Whether the iteration before has not computed the element at `place`."""
        first = ops.less(self.var, const(1, self.var.dtype))
        beyond = [analyzer.simplify(ops.sub(place[d], end)) for d, end in self.ends]
        return ops.any_of(first, *[ops.greater_equal(e, const(0, e.dtype)) for e in beyond])


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a stage that an iteration needs: its `box`, the loops along which it slides, how many places memory has
    in each dimension in which it goes round (None in others), and why it does not slide along other loops, by their names."""

    stage: Stage
    box: tuple[Range, ...]
    slides: tuple[Slide, ...]
    places: tuple[int | None, ...]
    whole: Mapping[str, str]

    @property
    def goes_round(self) -> bool:
        return any(n is not None for n in self.places)

    @property
    def is_apart(self) -> bool:
        """Whether iterations need parts that do not overlap."""
        return bool(self.whole) and all(why == APART for why in self.whole.values())

    def __str__(self) -> str:
        return "; ".join(self.facts())

    def facts(self) -> list[str]:
        """What slides and goes round, and what does not, each in a sentence."""
        axes = [iv.name for iv in self.stage.op.axis]
        rounds = [f"{n} of {axis}" for axis, n in zip(axes, self.places, strict=False) if n is not None]
        facts = [f"slides along {s.loop}" for s in self.slides]
        facts += [f"memory goes round: {', '.join(rounds)}"] if rounds else []
        for loop, why in self.whole.items():
            facts.append(f"{why} along {loop}" if why == APART else f"computed whole along {loop}: {why}")
        return facts

    def shape(self, region: Sequence[Range]) -> tuple[Expr, ...]:
        """The shape of memory that holds `region`."""
        sizes = zip(self.places, (r.extent for r in region), strict=True)
        return tuple([size if n is None else const(n, size.dtype) for n, size in sizes])

    def is_new(self, place: Sequence[Expr], analyzer: Analyzer) -> list[Expr]:
        """The conditions under which no earlier iteration has computed the element at `place`."""
        return [s.is_new(place, analyzer) for s in self.slides]

    def new_part(self, tile: Sequence[Range], analyzer: Analyzer) -> tuple[list[Range], list[Expr]]:
        """The part of a tile that no earlier iteration has computed, and the conditions under which there is one."""
        part, conditions = list(tile), list[Expr]()
        for s in self.slides:
            first = ops.less(s.var, const(1, s.var.dtype))
            if not s.ends:
                conditions.append(first)
            for d, end in s.ends:
                low, high = part[d].min, ops.add(part[d].min, part[d].extent)
                low = ops.select(first, low, ops.minimum(ops.maximum(low, end), high))
                extent = analyzer.simplify(ops.sub(high, low))
                part[d] = Range(low, extent)
                conditions.append(ops.greater_equal(extent, const(1, extent.dtype)))
        return part, [c for c in conditions if not analyzer.can_prove(c)]

    def is_kept(self, place: Sequence[Expr], region: Sequence[Range]) -> list[tuple[int, Expr]]:
        """The conditions under which memory that holds `region` has a place for the element at `place`, each with its
        dimension: none where it goes round, or holds no less than the box."""
        kept = []
        for d, (r, part) in enumerate(zip(region, self.box, strict=True)):
            same = is_same_expression(r.min, part.min) and is_same_expression(r.extent, part.extent)
            if self.places[d] is None and not same:
                kept.append((d, ops.greater_equal(place[d], r.min)))
                kept.append((d, ops.less(place[d], ops.add(r.min, r.extent))))
        return kept

    def in_memory(self, indices: Sequence[Expr], first: Sequence[Expr]) -> tuple[Expr, ...]:
        """The place of an element in memory, which begins at the element `first` where it does not go round."""
        return tuple(
            [
                ops.sub(i, low) if n is None else ops.floormod(i, n)
                for i, low, n in zip(indices, first, self.places, strict=True)
            ]
        )


def window_of(stage: Stage, bounds: Bounds) -> Window | None:
    """The window of a stage that is stored around loops in which it is computed, or None for any other."""
    between = bounds.between(stage)
    if not between:
        return None
    own, analyzer = bounds.stages[stage], bounds.analyzer
    loops = [_loop(s, iv, bounds) for s, iv in reversed(between)]
    box = [] if isinstance(stage.op, HybridOp) else [own.ranges[iv] for iv in stage.op.axis]
    if _has_own_code(stage, stage) and not _makes_any_part(stage):
        return _without_slides(stage, box, loops)
    guards = _guards_around(stage, between, bounds)
    if isinstance(guards, str):
        found: dict[str, Slide | str] = {loop.name: guards for loop in loops}
    else:
        found = {
            loop.name: slide(stage.name, box, loops, n, guards, analyzer) for n, loop in enumerate(loops)
        }
    if isinstance(stage.op, ExternOp):
        found = {name: x if isinstance(x, str) or len(x.ends) < 2 else DIAGONAL for name, x in found.items()}
    slides = [x for x in found.values() if isinstance(x, Slide)]
    kept = loops[
        next((n for n, loop in enumerate(loops) if isinstance(found[loop.name], Slide)), len(loops)) :
    ]
    places: tuple[int | None, ...] = (None,) * len(stage.op.output(0).shape)
    if _is_seen_by_computes(stage, bounds):
        places = tuple([places_in(r, loops, kept, analyzer) for r in box])
        if not stage.is_rolling:
            places = _cheap(stage, places, own)
    why = {name: x for name, x in found.items() if isinstance(x, str)}
    return Window(stage, tuple(box), tuple(slides), places, why)


def _makes_any_part(stage: Stage) -> bool:
    """Whether the code of an extern makes just the part that it is asked for, however large."""
    return isinstance(stage.op, ExternOp) and stage.op.access.tiled and stage.op.tail == "clip"


def _without_slides(stage: Stage, box: Sequence[Range], loops: Sequence[LoopBetween]) -> Window:
    """The window of a stage whose code makes the whole part each time."""
    why = f"the code of {stage.name} makes the whole part that it is asked for"
    places = (None,) * len(stage.op.output(0).shape)
    return Window(stage, tuple(box), (), places, {loop.name: why for loop in loops})


def _loop(stage: Stage, iv: IterVar, bounds: Bounds) -> LoopBetween:
    own = bounds.stages[stage]
    depends = uses(own.extents[iv], own.dependent_vars)
    return LoopBetween(loop_name(stage, iv), own.vars[iv], own.extents[iv], depends)


def loop_name(stage: Stage, iv: IterVar) -> str:
    """A loop by its name and that of its stage: `i.outer of C`."""
    return f"{stage.axis_name(iv)} of {stage.name}"


def _is_seen_by_computes(stage: Stage, bounds: Bounds) -> bool:
    """Whether all that touches the elements of a stage asks for each of them where it is: calls get views of memory."""
    return not any(_has_own_code(s, stage) for s in (stage, *bounds.readers_of(stage)))


def _has_own_code(s: Stage, kept: Stage) -> bool:
    """Whether the code of `s` sees `kept`, of which it is a reader or itself, in parts. Tiles that are transposed find the
    elements of a rolling buffer one by one, in memory that always goes round."""
    return s.marks_of("tensorize") != [] if kept.is_rolling else makes_whole_parts(s)


def _guards_around(
    stage: Stage, between: Sequence[tuple[Stage, IterVar]], bounds: Bounds
) -> list[Expr] | str:
    """The conditions under which an iteration of the loops `between` reaches the place of `stage`, or why they are not
    known."""
    inner = {bounds.stages[s].vars[iv] for s, iv in bounds.around(stage)}
    guards: list[Expr] = []
    for s in dict.fromkeys(s for s, _ in between):
        own = bounds.stages[s]
        if isinstance(s.op, ComputeOp):
            values, found = values_and_guards(own.ranges, own.extents, s.relations, own.vars, bounds.analyzer)
            window = window_of(s, bounds)
            if window is not None:
                place = [values[x] for x in s.op.axis]
                found += [(between[0][1], g) for g in window.is_new(place, bounds.analyzer)]
        elif isinstance(s.op, ExternOp):
            if window_of(s, bounds) is not None:
                return f"{s.name} makes new parts only, and asks for nothing where there are none"
            loops: dict[IterVar, Expr] = dict(own.vars)
            found = tile_of(s, loops, own.ranges, own.extents, bounds.analyzer)[1]
        else:
            return f"which iterations of {s.name} come before which is known to its own code only"
        deeper = [v for v in own.vars.values() if v not in inner]
        guards += [g for _, g in found if not uses(g, deeper)]
    return guards


# ---------------------------------------------------------------- along one loop


def slide(
    name: str,
    box: Sequence[Range],
    loops: Sequence[LoopBetween],
    position: int,
    guards: Sequence[Expr],
    analyzer: Analyzer,
) -> Slide | str:
    """What an iteration of the loop at `position` finds of stage `name`, whose part `box` it needs, or why it computes the
    whole part. `loops` are those in which it is kept, outermost first, and `guards` the conditions around it."""
    loop, inner = loops[position], loops[position + 1 :]
    changing = next((x for x in inner if x.depends or uses(x.extent, [loop.var])), None)
    if changing is not None:
        return f"how often {changing.name} runs differs from one iteration of {loop.name} to the next"
    mine = [r for r in box if _moves(r, [loop.var])]
    along = [x for x in inner if any(_moves(r, [x.var]) for r in mine)]
    before = {loop.var: ops.sub(loop.var, const(1, loop.var.dtype))}
    found: Slide | str = ""
    if along:
        found = _found(name, box, loop, {**before, **_at_ends(along)}, guards, analyzer)
    return found if isinstance(found, Slide) else _found(name, box, loop, before, guards, analyzer)


def _at_ends(loops: Sequence[LoopBetween]) -> dict[Var, Expr]:
    return {x.var: ops.sub(x.extent, const(1, x.extent.dtype)) for x in loops}


def _found(
    name: str,
    box: Sequence[Range],
    loop: LoopBetween,
    before: Mapping[Var, Expr],
    guards: Sequence[Expr],
    analyzer: Analyzer,
) -> Slide | str:
    """What the iteration has left of which the loops have the values `before`."""
    ends: list[tuple[int, Expr]] = []
    for d, r in enumerate(box):
        if not _moves(r, before):
            continue
        if not _grows(r.min, before, analyzer):
            return (
                f"the part of {name} that an iteration of {loop.name} needs begins at {script(r.min)} in dimension "
                f"{d}, which does not slide forwards"
            )
        end = substitute(ops.add(r.min, r.extent), dict(before))
        ends.append((d, analyzer.simplify(end)))
    if any(analyzer.can_prove(ops.less_equal(end, box[d].min)) for d, end in ends):
        return APART
    for g in guards:
        ends_it = isinstance(g, LT) and not uses(g.b, before) and _grows(g.a, before, analyzer)
        if uses(g, before) and not ends_it and not analyzer.can_prove(substitute(g, dict(before))):
            return f"some iterations of {loop.name} are left out before others: {script(g)}"
    return Slide(loop.name, loop.var, tuple(ends))


def _moves(r: Range, variables: Mapping[Var, Expr] | Sequence[Var]) -> bool:
    return uses(r.min, variables) or uses(r.extent, variables)


def _grows(
    e: Expr, before: Mapping[Var, Expr], analyzer: Analyzer, now: Mapping[Var, Expr] | None = None
) -> bool:
    """Whether `e` is never less with the values `now` (or those that variables have) than it was with those `before`."""
    after = now or {}
    if not uses(e, before) and not uses(e, after):
        return True
    first, then = substitute(e, dict(before)), substitute(e, dict(after))
    if analyzer.can_prove(ops.less_equal(first, then)):
        return True
    match e:
        case Max(a, b) | Min(a, b) | Add(a, b):
            return _grows(a, before, analyzer, now) and _grows(b, before, analyzer, now)
        case Sub(a, b) if not uses(b, before) and not uses(b, after):
            return _grows(a, before, analyzer, now)
        case Mul(a, b) if (const_int(b) or 0) > 0:
            return _grows(a, before, analyzer, now)
    return False


# ---------------------------------------------------------------- memory that goes round


def places_in(
    r: Range, loops: Sequence[LoopBetween], kept: Sequence[LoopBetween], analyzer: Analyzer
) -> int | None:
    """How many places memory needs in a dimension where an iteration needs the range `r`; None for one for each element.
    Elements are kept from one iteration of the loops `kept` to the next."""
    size = const_int(r.extent)
    if size is None or size < 1 or not _moves(r, [x.var for x in loops]):
        return None
    return size if all(_goes_on(r.min, kept[n:], analyzer) for n in range(len(kept))) else None


def _goes_on(begin: Expr, loops: Sequence[LoopBetween], analyzer: Analyzer) -> bool:
    """Whether a range begins no earlier in the first iteration of the loops inside of the first one than it did in their
    last, an iteration of the first before."""
    loop, inner = loops[0], loops[1:]
    before = {loop.var: ops.sub(loop.var, const(1, loop.var.dtype)), **_at_ends(inner)}
    now: dict[Var, Expr] = {x.var: const(0, x.var.dtype) for x in inner}
    return _grows(begin, before, analyzer, now)


def _cheap(stage: Stage, places: Sequence[int | None], own: StageBounds) -> tuple[int | None, ...]:
    """Numbers of places that are powers of two where that is cheap, and None where the region that is kept has no more
    elements."""
    region = own.regions[0]
    row = stage.op.output(0).dtype.nbytes
    for r, n in zip(region, places, strict=True):
        row *= n or const_int(r.extent) or 1
    chosen: list[int | None] = []
    for r, n in zip(region, places, strict=True):
        power = 0 if n is None else 1 << (n - 1).bit_length()
        if n is not None and (power - n) * (row // n) <= CHEAP:
            n = power
        most = const_int(r.extent)
        chosen.append(None if n is not None and most is not None and most <= n else n)
    return tuple(chosen)


def shapes_in_memory(stage: Stage, bounds: Bounds) -> list[tuple[Expr, ...]]:
    """The shape of the memory of each output of a stage."""
    regions, window = bounds.stages[stage].regions, window_of(stage, bounds)
    if window is None or not window.goes_round:
        return [tuple([r.extent for r in region]) for region in regions]
    return [window.shape(region) for region in regions]
