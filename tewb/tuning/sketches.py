"""Ideas for whole programs, beside those for single steps in `tewb/workbench/judge/ideas.py`: stages that go through tiles of
the last one together, a row of short loops that is written out, and where inside of another a stage is best computed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from tewb.ir import ForKind, ProducerLoad, Var, uses, walk
from tewb.schedule import At
from tewb.workbench.judge.draft import Draft, Loop, StageLoops
from tewb.workbench.judge.ideas import Idea, Scene, ideas

LAST = ("parallel", "partial sums")  # kinds of ideas that are had when all else is decided
TILES = ((2, 0), (4, 0), (6, 0), (8, 0), (16, 128), (32, 256), (64, 512), (64, 0), (128, 256))
BLOCKS = (16, 64)  # rows that all stages are computed for at a time
WRITTEN, VECTORS = 16, 32  # iterations of a loop over data that are written out, and vectors in them


def all_ideas(scene: Scene) -> Iterator[Idea]:
    """The ideas that change loops; which of them threads share is decided after them, by `ideas_for_threads`."""
    yield from (i for i in ideas(scene) if i.kind not in LAST)
    for st in scene.stages:
        yield from _rows_written_out(scene, st)
        yield from _further_out(scene, st)
    for last in scene.stages:
        rest = [s for s in scene.stages if s is not last and s.stage.attach is None and s.stage.readers()]
        if rest and not last.stage.readers():
            yield from _tiles(scene, last, rest)
            yield from _blocks(scene, last, rest)


def ideas_for_threads(scene: Scene) -> Iterator[Idea]:
    """Ways to share the program among threads."""
    yield from (i for i in ideas(scene) if i.kind in LAST)


def _outer_data(st: StageLoops) -> list[Loop]:
    """The outermost loops of a stage, as far as they go over data and nothing was said of them."""
    found: list[Loop] = []
    for n in st.loops:
        if not n.is_free or n.is_sum:
            break
        found.append(n)
    return found


def _tiles(scene: Scene, last: StageLoops, rest: list[StageLoops]) -> Iterator[Idea]:
    """for i, j: T1;  for i, j: T2   ->   for tiles of T2: { T1 for the tile, in vectors;  T2 in the tile, in vectors }"""
    data = _outer_data(last)
    if last.sums or len(data) < 2 or len(data) != len(last.loops):
        return
    *before, i, j = data
    lanes = scene.lanes(last)
    if j.store != 1:
        return
    for rows, columns in TILES:
        if rows >= i.trips or (columns and columns >= j.trips):
            continue
        reason = f"tiles of {rows} x {columns or lanes} of {last.name}: what the stages before it make for one stays near"
        yield Idea(
            "fuse",
            last.name,
            reason,
            _tile(last, rest, [n.name for n in before], (i, j), (rows, columns), lanes),
        )


def _tile(
    last: StageLoops,
    rest: list[StageLoops],
    before: list[str],
    loops: tuple[Loop, Loop],
    tile: tuple[int, int],
    lanes: int,
) -> Callable[[Draft], None]:
    """In registers where the tile has no columns of its own: it is one vector wide, and its rows are written out."""

    def make(d: Draft) -> None:
        i, j = loops
        rows, columns = tile
        far_i, near_i = d.split(last.name, i, rows)
        far_j, near_j = d.split(last.name, j, columns or lanes)
        d.order(last.name, [*before, far_i, far_j, near_i, near_j])
        if columns:
            _, near_j = d.do("split", last.name, axis=near_j, factor=lanes)
        elif rows <= WRITTEN:
            d.do("unroll", last.name, axis=near_i)
        d.do("vectorize", last.name, axis=near_j)
        for st in reversed(rest):
            d.do("compute_at", st.name, parent=last.name, axis=far_j or far_i)
            _in_vectors(d, st, lanes, whole=not columns and rows <= WRITTEN)

    return make


def _in_vectors(d: Draft, st: StageLoops, lanes: int, whole: bool) -> None:
    """A stage without sums in vectors; in one each row, with the rows written out, where `whole`."""
    if st.sums or not st.is_plain or not st.loops or st.loops[-1].store != 1:
        return
    lane = st.loops[-1].name
    if whole and len(st.loops) > 1:
        d.do("unroll", st.name, axis=st.loops[-2].name)
    elif not whole:
        _, lane = d.do("split", st.name, axis=lane, factor=lanes)
    d.do("vectorize", st.name, axis=lane)


def _blocks(scene: Scene, last: StageLoops, rest: list[StageLoops]) -> Iterator[Idea]:
    """Every stage at an outer loop of the last, or for some iterations of it at a time; what the loop does not move, outside."""
    loops = _outer_data(last)[:3]
    for at, n in enumerate(loops):
        if n.trips < 2 or n is last.loops[-1]:
            continue
        for rows in (1, *BLOCKS):
            if (rows > 1 and 2 * rows > n.trips) or (rows == 1 and at == 0 and len(rest) > 1):
                continue  # ideas have the whole outermost loop

            outside = loops[at - 1].name if at else None

            def make(d: Draft, n: Loop = n, rows: int = rows, outside: str | None = outside) -> None:
                where = n.name if rows == 1 else d.split(last.name, n, rows)[0]
                moved = _moved_by(scene, last, n.name)
                for st in reversed(rest):
                    place = where if st.name in moved else outside
                    if place is not None:
                        d.do("compute_at", st.name, parent=last.name, axis=place)

            names = ", ".join(s.name for s in rest)
            reason = f"{names} and {last.name} go through {n.name} together, {rows} at a time"
            yield Idea("fuse", last.name, reason, make)


def _moved_by(scene: Scene, last: StageLoops, loop: str) -> set[str]:
    """The stages of which another part is needed from one iteration of a loop to the next; all of them where the loop is
    none of the axes of `last`."""
    axes = {iv.var for iv in last.stage.op.axis if last.stage.axis_name(iv) == loop}
    if not axes:
        return {st.name for st in scene.stages}
    moving: dict[Any, set[Var]] = {last.stage: axes}
    for st in reversed(scene.stages[: scene.stages.index(last)]):
        shifts = set[Var]()
        for reader in st.stage.readers():
            loads = [
                n for e in getattr(reader.op, "body", ()) for n in walk(e) if isinstance(n, ProducerLoad)
            ]
            for n in loads:
                if (
                    n.producer.op.name == st.name
                ):  # of a stage whose result is copied, the operation is another one
                    pairs = zip(st.stage.op.axis, n.indices, strict=True)
                    shifts |= {iv.var for iv, i in pairs if uses(i, list(moving.get(reader, ())))}
        moving[st.stage] = shifts
    return {stage.name for stage, shifts in moving.items() if shifts}


def _further_out(scene: Scene, st: StageLoops) -> Iterator[Idea]:
    """A stage that is computed inside of another is computed less often, for more at a time."""
    place = st.stage.attach
    if not isinstance(place, At) or place.stage.scope == "local" or not st.around:
        return
    host = place.stage
    outside = [n for n in st.around if n.trips > 1]
    for n in reversed(outside[:-1]):

        def make(d: Draft, n: Loop = n) -> None:
            d.do("compute_at", st.name, parent=host.name, axis=n.name)

        reason = f"{st.name} is computed once for each iteration of {n.name}, and read again from there"
        yield Idea("fuse", st.name, reason, make)


def _rows_written_out(scene: Scene, st: StageLoops) -> Iterator[Idea]:
    """for i: for j (vector): body   ->   for i (unrolled): for j (vector): body"""
    if st.vector is None or st.sums:
        return
    rows = next((n for n in reversed(st.loops) if n.is_free and n.trips > 1), None)
    if rows is not None and _has_stages_in(scene, st, rows):
        return
    tile = [
        n.trips for n in st.loops if n.kind in (ForKind.VECTORIZED, ForKind.UNROLLED) and n is not st.vector
    ]
    vectors = -(-st.vector.trips // scene.lanes(st)) * math.prod(tile)
    if rows is not None and rows.trips <= WRITTEN and rows.trips * vectors <= VECTORS:
        reason = f"the {rows.trips} rows of {rows.name} are written out: no loop, and what they share is loaded once"
        yield Idea("unroll", st.name, reason, lambda d: (d.do("unroll", st.name, axis=rows.name), None)[1])


def _has_stages_in(scene: Scene, st: StageLoops, loop: Loop) -> bool:
    """Whether other stages are computed in a loop of a stage, or in one inside of it."""
    inside = {n.name for n in st.loops[st.loops.index(loop) :]}
    places = [x.stage.attach for x in scene.stages]
    return any(
        isinstance(p, At) and p.stage is st.stage and st.stage.axis_name(p.axis) in inside for p in places
    )
