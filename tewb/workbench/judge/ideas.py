"""Ideas: what a person who knows the hardware would try next on a schedule, each as steps with factors chosen.

A family of ideas is one function; it gives the same kind of steps with several factors, of which the estimate takes the best.
An idea need not be legal: what is refused is left out by whoever asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tewb.base import ScheduleError
from tewb.ir import ForKind
from tewb.schedule import At, Schedule, Stage
from tewb.workbench.judge.draft import Draft, Loop, StageLoops
from tewb.workbench.judge.factors import fitting
from tewb.workbench.judge.term_order import check_order, stages_in_order

SHORT = 9  # iterations that are written out
MOST_WRITTEN = 80  # of all loops together
LINE = 64  # bytes of a line of the cache
STRIPS = (8, 32)  # rows of a stage that its producers are computed for at a time


@dataclass(frozen=True, slots=True)
class Idea:
    """A kind of step, the stage that it is about, the reason in words, and what does it to a draft."""

    kind: str
    stage: str
    reason: str
    make: Callable[[Draft], None]


@dataclass(frozen=True, slots=True)
class Scene:
    """What ideas are had about: the schedule, the loops of its stages, and what the machine has: bytes of a vector, vector
    registers, threads, bytes of the cache that belongs to a core."""

    schedule: Schedule
    stages: tuple[StageLoops, ...]
    vector_bytes: int
    registers: int
    threads: int
    own_cache: int

    def lanes(self, st: StageLoops) -> int:
        """How many elements of the stage's result fill a vector."""
        return max(self.vector_bytes // st.nest.store.buffer.dtype.nbytes, 1)


def ideas(scene: Scene) -> Iterator[Idea]:
    """All ideas, those of a family one after the other. Where a reducer of several values depends on the order of its terms,
    what would change it is refused."""
    before = stages_in_order(scene.schedule)
    for idea in _of_all_families(scene):
        yield _in_order(idea, before) if before else idea


def _in_order(idea: Idea, before: Mapping[str, bool]) -> Idea:
    def make(d: Draft) -> None:
        idea.make(d)
        check_order(before, d.schedule)

    return replace(idea, make=make)


def _of_all_families(scene: Scene) -> Iterator[Idea]:
    for st in scene.stages:
        for family in (
            _vectors_of_sums, _vectors, _sums_in_lanes, _register_tile, _order, _outer_order, _turned, _dot, _pack,
            _cache_tile, _unrolled, _nontemporal, _partial_sums,
        ):  # fmt: skip
            yield from family(scene, st)
        yield from _fused(scene, st)
    yield from _row_by_row(scene)
    yield from _parallel(scene)


# ---------------------------------------------------------------- vectors and registers


def _tiles(scene: Scene, lanes: int, rows: Loop | None, columns: Loop) -> Iterator[tuple[int, int]]:
    """Register tiles: so many rows, and columns in vectors, that sums and a row of operands fit the registers."""
    shapes = [(14, 1), (12, 2), (8, 3), (6, 4), (4, 4), (4, 2)] if scene.registers >= 32 else []
    for r, vectors in [*shapes, (12, 1), (6, 2), (4, 3), (4, 1), (1, 4), (1, 2), (1, 1)]:
        is_there = r == 1 or (rows is not None and r <= rows.trips)
        if is_there and (vectors == 1 or vectors * lanes <= max(columns.trips, lanes)):
            yield _rows_in(rows, r), _columns_in(columns, vectors * lanes, lanes)
    whole = -(-columns.trips // lanes)
    if whole <= 4 and columns.trips % lanes:
        for r in (6, 4, 1):
            if r == 1 or (rows is not None and r <= rows.trips):
                yield _rows_in(rows, r), columns.trips


def _rows_in(rows: Loop | None, r: int) -> int:
    """How many rows a tile has that should have `r`, for which registers suffice."""
    return rows.part(r, most=r) if rows is not None and r > 1 else r


def _columns_in(columns: Loop, width: int, lanes: int) -> int:
    """How many columns a tile has that should have `width`, in whole vectors."""
    return columns.part(width, lanes, most=width)


def _rows_for(st: StageLoops, columns: Loop) -> Loop | None:
    """A loop in which what is loaded along `columns` is used again: by all of its iterations, or by neighbours, as a window
    that slides along it is."""
    loops = [n for n in st.free_data if n is not columns and n.trips > 1]
    along = [at for at, moves in enumerate(columns.loads) if moves]
    windows = [(at, k.loads[at]) for at in along for k in st.sums if k.loads[at]]
    again = (n for n in loops if _is_unmoved(n, columns))
    slid = (n for n in loops if any(n.loads[at] == step for at, step in windows))
    return next(again, None) or next(slid, None)


def _is_unmoved(rows: Loop, columns: Loop) -> bool:
    """Whether something that is loaded along `columns` is the same for all iterations of `rows`."""
    return any(c and not m for c, m in zip(columns.loads, rows.loads, strict=True))


def _vector_loops(st: StageLoops) -> list[Loop]:
    """Loops that could become vectors: those that walk along memory in all accesses, or else in the store."""
    data = [n for n in st.free_data if n.trips > 1]
    return [n for n in data if n.is_unit] or [n for n in data if n.store == 1]


def _vectors_of_sums(scene: Scene, st: StageLoops) -> Iterator[Idea]:
    """for i: for j: for k: sum   ->   for i.o: for j.o: for k: for i.i (unrolled): for j.i (vector): sum"""
    if not st.sums or not st.is_plain:
        return
    sums = [n.name for n in st.sums]
    for columns in _vector_loops(st)[:1]:
        rows = _rows_for(st, columns)
        for r, width in dict.fromkeys(_tiles(scene, scene.lanes(st), rows, columns)):
            yield from _one_tile(scene, st, rows if r > 1 else None, columns, (r, width), sums)


def _one_tile(
    scene: Scene, st: StageLoops, rows: Loop | None, columns: Loop, tile: tuple[int, int], sums: list[str]
) -> Iterator[Idea]:
    r, width, lanes = tile[0], min(tile[1], columns.trips), scene.lanes(st)

    def make(d: Draft) -> None:
        row_outer, row = d.split(st.name, rows, r) if rows is not None else ("", "")
        outer, lane = d.split(st.name, columns, width)
        taken = [n for n in (rows, columns) if n is not None]
        d.order(st.name, [*st.others(*taken), row_outer, outer, *sums, row, lane])
        if row:
            d.do("unroll", st.name, axis=row)
        d.do("vectorize", st.name, axis=lane)

    if rows is None:
        reason = f"{width} sums along {columns.name} are made at once, and stay in registers while {_running(sums)}"
        yield Idea("vectorize", st.name, reason, make)
        return
    reason = (
        f"a tile of {r} x {width} sums ({rows.name}, {columns.name}) stays in registers while {_running(sums)}, and what "
        f"is loaded along {columns.name} serves {r} rows"
    )
    yield Idea("register tile", st.name, reason, make)
    if not st.others(rows, columns) and r == rows.trips and width == columns.trips:
        return  # it is all of the result

    def local(d: Draft) -> None:
        _local_tile(d, st, rows, columns, (r, width), sums, lanes)

    def local_and_past(d: Draft) -> None:
        local(d)
        d.do("nontemporal", st.name)

    yield Idea("register tile", st.name, reason, local)
    whole_lines = columns.store == 1 and width * st.nest.store.buffer.dtype.nbytes % LINE == 0
    if whole_lines and _is_never_read(scene, st):
        reason = f"{reason}; then it is stored past the caches, for nothing reads {st.name} again"
        yield Idea("register tile", st.name, reason, local_and_past)


def _local_tile(
    d: Draft,
    st: StageLoops,
    rows: Loop,
    columns: Loop,
    tile: tuple[int, int],
    sums: list[str],
    lanes: int,
) -> None:
    """A register tile in a stage of its own, the result of which is copied when it is complete."""
    copy = d.new_stage("cache_write", st.name, scope="local")
    others = st.others(rows, columns)
    row_outer, row = d.split(st.name, rows, tile[0])
    outer, lane = d.split(st.name, columns, tile[1])
    far = (
        outer,
        row_outer,
    )  # so that operands can be packed around rows, where they are the same for all of these
    around = [n for n in (*others, *(far if _is_unmoved(rows, columns) else reversed(far))) if n]
    if not around:
        raise ScheduleError(f"one tile is all of {st.name}")
    d.order(st.name, [*around, row, lane])
    d.do("unroll", st.name, axis=row)
    d.do("vectorize", st.name, axis=lane)
    d.do("compute_at", copy, parent=st.name, axis=around[-1])
    d.order(copy, [*sums, *[f"{n}.c" for n in (*others, rows.name, columns.name)]])
    d.do("unroll", copy, axis=f"{rows.name}.c")
    column = f"{columns.name}.c"
    if tile[1] > lanes and tile[1] % lanes:  # whole vectors, and one that is masked
        vectors, column = d.do("split", copy, axis=column, factor=lanes)
        d.do("unroll", copy, axis=vectors)
    d.do("vectorize", copy, axis=column)


def _vectors(scene: Scene, st: StageLoops) -> Iterator[Idea]:
    """for i: for j: body   ->   for i: for j.o: for j.i (vector): body"""
    if st.sums or st.vector:
        return
    lanes = scene.lanes(st)
    for columns in _vector_loops(st)[:2]:
        inner = [n.name for n in st.loops if n is not columns and not n.is_free]
        for wanted in (lanes, 2 * lanes, 4 * lanes):
            width = min(_columns_in(columns, wanted, lanes), columns.trips)

            def make(d: Draft, columns: Loop = columns, width: int = width, inner: list[str] = inner) -> None:
                outer, lane = d.split(st.name, columns, width)
                if not inner:
                    d.order(st.name, [*[n for n in st.others(columns)], outer, lane])
                d.do("vectorize", st.name, axis=lane)

            reason = f"neighbours in {columns.name} are neighbours in memory: {width} at a time"
            yield Idea("vectorize", st.name, reason, make)


def _sums_in_lanes(scene: Scene, st: StageLoops) -> Iterator[Idea]:
    """for i: for k: sum   ->   for i: for k.o: for k.i (vector): sum"""
    if not st.sums or not st.is_plain:
        return
    along = [n for n in st.sums if 1 in n.loads and all(m in (0, 1) for m in n.loads)]
    for k in along[:1]:
        lanes = scene.lanes(st)
        for width in dict.fromkeys(_columns_in(k, n * lanes, lanes) for n in (4, 2, 1)):
            if width > k.trips:
                continue

            def make(d: Draft, k: Loop = k, width: int = width) -> None:
                outer, lane = d.split(st.name, k, width)
                d.order(st.name, [*st.others(), *[n.name for n in st.sums if n is not k], outer, lane])
                d.do("vectorize", st.name, axis=lane)

            reason = f"{width} parts of the sum over {k.name} grow in the lanes of vectors, and do not wait for each other"
            yield Idea("sums in lanes", st.name, reason, make)


def _register_tile(scene: Scene, st: StageLoops) -> Iterator[Idea]:
    """for i: for k: for j.i (vector): sum   ->   for i.o: for k: for i.i (unrolled): for j.i (vector): sum"""
    lane = st.vector
    if lane is None or not st.sums or st.is_unrolled or lane.is_sum:
        return
    sums = [n.name for n in st.sums if n.is_free]
    rows = _rows_for(st, lane)
    vectors = -(-lane.trips // scene.lanes(st))
    if rows is None or not sums:
        return
    for r in dict.fromkeys(_rows_in(rows, r) for r in (14, 12, 8, 6, 4, 2)):
        if r > rows.trips or (r + 1) * vectors > scene.registers - 1:
            continue

        def make(d: Draft, r: int = r) -> None:
            outer, row = d.split(st.name, rows, r)
            before = [n for n in st.others(rows, lane)]
            d.order(st.name, [*before, outer, *sums, row, lane.name])
            d.do("unroll", st.name, axis=row)

        reason = (
            f"{r} rows of {rows.name} at once: their sums stay in registers while {_running(sums)}, and what is "
            f"loaded along {lane.name} serves all of them"
        )
        yield Idea("register tile", st.name, reason, make)


def _unrolled(scene: Scene, st: StageLoops) -> Iterator[Idea]:
    """Short loops over sums around a vector are written out."""
    long = max((i for i, n in enumerate(st.loops) if n.is_free and n.trips > SHORT), default=-1)
    short = [n for n in st.loops[long + 1 :] if n.is_sum and n.is_free and n.trips > 1]
    while len(short) > 1 and _product(short) > 2 * SHORT:
        short.pop(0)
    written = [n for n in st.loops if n.kind is ForKind.UNROLLED]
    if st.vector is None or not short or _product([*written, *short]) > MOST_WRITTEN:
        return

    def make(d: Draft) -> None:
        for n in short:
            d.do("unroll", st.name, axis=n.name)

    names = " and ".join(n.name for n in short)
    yield Idea(
        "unroll", st.name, f"the {_product(short)} iterations of {names} are written out: no loop", make
    )


def _running(names: Sequence[str]) -> str:
    return f"{' and '.join(names)} run{'s' if len(names) == 1 else ''}"


def _product(loops: Sequence[Loop]) -> int:
    product = 1
    for n in loops:
        product *= n.trips
    return product


# ---------------------------------------------------------------- order


def _order(scene: Scene, st: StageLoops) -> Iterator[Idea]:
    """A loop that walks along memory becomes the innermost."""
    if any(not n.is_free for n in st.loops) or len(st.loops) < 2:
        return
    for n in st.loops[:-1]:
        if n.is_unit and n.trips > 1 and not st.loops[-1].is_unit:

            def make(d: Draft, n: Loop = n) -> None:
                d.order(st.name, [*[x.name for x in st.loops if x is not n], n.name])

            reason = f"from one iteration of {n.name} to the next all accesses go to neighbours, or stay"
            yield Idea("order", st.name, reason, make)


def _outer_order(scene: Scene, st: StageLoops) -> Iterator[Idea]:
    """Two neighbouring outer loops of a tile are exchanged; not of a stage in another's loops that has no sums, of which so
    little is made at a time that it is near in any order."""
    if st.vector is None or (st.stage.attach is not None and not st.sums):
        return
    for a, b in zip(st.loops, st.loops[1:], strict=False):
        if a.is_free and b.is_free and not a.is_sum and not b.is_sum and a.trips > 1 and b.trips > 1:

            def make(d: Draft, a: Loop = a, b: Loop = b) -> None:
                d.do("reorder", st.name, axes=[b.name, a.name])

            kept = [r for r, m in zip(st.reads, a.loads, strict=True) if not m]
            what = (
                f"what is read of {kept[0]} is in the nearest cache still"
                if kept
                else "caches see another order"
            )
            yield Idea("order", st.name, f"{b.name} outside of {a.name}: as {a.name} runs, {what}", make)


def _turned(scene: Scene, st: StageLoops) -> Iterator[Idea]:
    """A tile of a transposition is turned in registers."""
    if st.sums or any(not n.is_free for n in st.loops):
        return
    stores = next((n for n in st.loops if n.store == 1 and n.trips > 1), None)
    loads = next((n for n in st.loops if n is not stores and 1 in n.loads and n.trips > 1), None)
    if stores is None or loads is None or 1 in stores.loads:
        return
    lanes = scene.lanes(st)
    for wanted, width, far_apart in ((8, lanes, 0), (lanes, lanes, 0), (8, lanes, 256), (lanes, lanes, 64)):
        block = stores.part(far_apart, lanes) if far_apart else 0
        near_rows = loads.part(2 * lanes)
        r = fitting(near_rows, wanted, most=wanted) if block else _rows_in(loads, wanted)

        def make(
            d: Draft, r: int = r, width: int = width, block: int = block, near_rows: int = near_rows
        ) -> None:
            rows, columns = loads, stores
            far, near = "", ""
            if block:
                far, name = d.split(st.name, columns, block)
                columns = _renamed(columns, name, min(block, columns.trips))
                near, name = d.split(st.name, rows, near_rows)
                rows = _renamed(rows, name, min(near_rows, rows.trips))
            row_outer, row = d.split(st.name, rows, r)
            outer, lane = d.split(st.name, columns, width)
            d.order(st.name, [*st.others(loads, stores), near, far, row_outer, outer, row, lane])
            d.do("transpose", st.name, rows=row, lanes=lane)

        reason = (
            f"neighbours along {stores.name} are stored and neighbours along {loads.name} are loaded: tiles of {r} x {width} are "
            "turned in registers"
        )
        yield Idea("transpose", st.name, reason, make)


def _renamed(n: Loop, name: str, trips: int) -> Loop:
    return replace(n, name=name, trips=trips)


# ---------------------------------------------------------------- caches


def _source(st: StageLoops, name: str) -> Stage | None:
    """The stage of a buffer that is read."""
    return next((s for s in st.stage.reads() if s.name == name), None)


def _pack(scene: Scene, st: StageLoops) -> Iterator[Idea]:
    """for i.o: for j.o: for k: sum B[k, j]  ->  for j.o: P = B[:, j.o]; for i.o: for k: sum P[k, j.i]"""
    lane = st.vector
    sums = [n for n in st.sums if n.is_free]
    if lane is None or lane.is_sum or not sums:
        return
    for at, name in enumerate(st.reads):
        source = _source(st, name)
        far = [n for n in sums if abs(n.loads[at]) > lane.trips]
        if source is None or not far or lane.loads[at] != 1 or source.attach is not None:
            continue
        outer = [n for n in (*st.around, *st.free_data) if n.is_free and not n.is_sum and n.trips > 1]
        again = [n for n in outer if not n.loads[at]]
        moving = [n for n in outer if n.loads[at]]
        if again and moving and (not st.around or [*moving, *again] == outer == [*st.around]):
            yield _packed(st, name, source.name, moving, again, lane.trips, abs(far[0].loads[at]))


def _packed(
    st: StageLoops, buffer: str, source: str, moving: list[Loop], again: list[Loop], width: int, apart: int
) -> Idea:
    place = st.stage.attach
    host = place.stage.name if isinstance(place, At) else st.name

    def make(d: Draft) -> None:
        d.order(host, [n.name for n in (*moving, *again)])
        copy = d.new_stage("cache_read", source, scope="global", readers=[st.name], output=0)
        d.do("compute_at", copy, parent=host, axis=moving[-1].name)
        d.do("vectorize", copy, axis=d.loops(copy)[-1])

    reason = (
        f"the {width} columns of {buffer} that a tile reads lie {apart:,} elements apart from row to row: a copy side by side "
        f"serves all of {again[0].name}"
    )
    return Idea("pack", st.name, reason, make)


def _cache_tile(scene: Scene, st: StageLoops) -> Iterator[Idea]:
    """for j.o: for i.o: for k: sum   ->   for k.o: for j.o: for i.o: for k.i: sum"""
    lane = st.vector
    long = max((n for n in st.sums if n.is_free), key=lambda n: n.trips, default=None)
    outer = [n for n in st.free_data if n.trips > 1]
    if lane is None or lane.is_sum or long is None or not outer:
        return
    for size in dict.fromkeys(long.part(n) for n in (128, 256, 512)):
        if 2 * size > long.trips:
            continue

        def make(d: Draft, size: int = size) -> None:
            far, near = d.split(st.name, long, size)
            kept = [n.name for n in st.loops if n.is_free and n is not long]
            before = [n for n in kept if n in [x.name for x in outer]]
            after = [n for n in kept if n not in before]
            d.order(st.name, [far, *before, near, *after])

        reason = f"parts of {size} iterations of {long.name}: what they read stays in the caches while {outer[-1].name} runs"
        yield Idea("cache tile", st.name, reason, make)


def _dot(scene: Scene, st: StageLoops) -> Iterator[Idea]:
    """Products of bytes, four at a time, with the operand of the columns packed four rows to a lane."""
    wide = st.nest.store.buffer.dtype
    narrow = {load.buffer.dtype.nbytes for load in st.nest.loads()}
    if len(st.reads) != 2 or str(wide) != "int32" or narrow != {1} or any(not n.is_free for n in st.loops):
        return
    for columns in _vector_loops(st)[:1]:
        rows = _rows_for(st, columns)
        at = next((i for i, m in enumerate(columns.loads) if m == 1 and rows and not rows.loads[i]), None)
        source = None if at is None else _source(st, st.reads[at])
        if rows is None or source is None or len(st.sums) != 1 or len(source.op.output(0).shape) != 2:
            continue
        k = st.sums[0]
        for r, vectors in ((4, 4), (6, 4), (4, 2), (4, 1)):
            lanes = scene.lanes(st)
            if r <= rows.trips and vectors * lanes <= max(columns.trips, lanes) and k.trips > 4:
                tile = _rows_in(rows, r), _columns_in(columns, vectors * lanes, lanes)
                yield _dot_tile(st, source.name, rows, columns, k, *tile)


def _dot_tile(st: StageLoops, source: str, rows: Loop, columns: Loop, k: Loop, r: int, width: int) -> Idea:
    def make(d: Draft) -> None:
        row_outer, row = d.split(st.name, rows, r)
        outer, lane = d.split(st.name, columns, width)
        far, four = d.split(st.name, k, 4)
        d.order(st.name, [*st.others(rows, columns), outer, row_outer, far, row, lane, four])
        d.do("unroll", st.name, axis=row)
        d.do("vectorize", st.name, axis=lane)
        copy = d.new_stage("cache_read", source, scope="global", readers=[st.name], output=0)
        d.do("transform_layout", copy, mapping_function="lambda k, j: [k // 4, j, k % 4]")
        d.do("dot", st.name, axis=four)
        if outer:
            d.do("compute_at", copy, parent=st.name, axis=outer)
        *_, column, quarter = d.loops(copy)
        d.do("unroll", copy, axis=quarter)
        d.do("vectorize", copy, axis=column)

    reason = (
        f"four products of bytes are one instruction, where four neighbours of {k.name} lie side by side: {source} is packed "
        f"so, and {r} x {width} sums stay in registers"
    )
    return Idea("dot product", st.name, reason, make)


def _nontemporal(scene: Scene, st: StageLoops) -> Iterator[Idea]:
    """Results that nobody reads again, and that the core's own cache does not hold."""
    if st.vector is None or st.vector.is_sum or st.sums:
        return
    if st.vector.store == 1 and _is_never_read(scene, st):
        reason = f"nothing reads {st.name} again: its stores need not read the lines first, nor take place in the caches"
        yield Idea("non-temporal stores", st.name, reason, lambda d: (d.do("nontemporal", st.name), None)[1])


def _is_never_read(scene: Scene, st: StageLoops) -> bool:
    """Whether a result is for the caller only, and too large for the core's own cache."""
    size = _product([n for n in st.loops if not n.is_sum])
    return not st.stage.readers() and size * st.nest.store.buffer.dtype.nbytes > scene.own_cache


# ---------------------------------------------------------------- where stages run


def _fused(scene: Scene, st: StageLoops) -> Iterator[Idea]:
    """A stage that is written and then read becomes a part of its reader."""
    readers = st.stage.readers()
    if st.stage.attach is not None or not readers:
        return
    if not st.sums:
        reason = f"{st.name} is computed where it is used, and never stored"
        yield Idea("inline", st.name, reason, lambda d: (d.do("compute_inline", st.name), None)[1])
    reader = next((x for x in scene.stages if len(readers) == 1 and x.stage is readers[0]), None)
    if reader is None:
        return
    outer: list[Loop] = []
    for n in reader.loops:
        if not n.is_free or n.is_sum:
            break
        outer.append(n)
    reason = f"{st.name} is computed in parts, just before {reader.name} reads them from the nearest cache"
    for n in outer[:3]:

        def attach(d: Draft, n: Loop = n) -> None:
            d.do("compute_at", st.name, parent=reader.name, axis=n.name)

        yield Idea("fuse", st.name, f"{reason} (inside of {n.name})", attach)
    for rows in dict.fromkeys(outer[0].part(n) for n in STRIPS) if outer else ():
        if outer[0].trips < 2 * rows:
            continue

        def strips(d: Draft, rows: int = rows) -> None:
            far, _ = d.split(reader.name, outer[0], rows)
            d.do("compute_at", st.name, parent=reader.name, axis=far)

        yield Idea("fuse", st.name, f"{reason} ({rows} iterations of {outer[0].name} at a time)", strips)


def _row_by_row(scene: Scene) -> Iterator[Idea]:
    """All stages of a program go through its rows together."""
    for last in scene.stages:
        rest = [s for s in scene.stages if s is not last and s.stage.attach is None and s.stage.readers()]
        row = last.loops[0] if last.loops else None
        if last.stage.readers() or len(rest) < 2 or row is None or not row.is_free or row.is_sum:
            continue

        def make(d: Draft, rest: list[StageLoops] = rest, last: StageLoops = last, row: Loop = row) -> None:
            for st in reversed(rest):
                d.do("compute_at", st.name, parent=last.name, axis=row.name)

        names = ", ".join(s.name for s in rest)
        reason = f"{names} and {last.name} go through {row.name} together: a row stays in the nearest cache"
        yield Idea("fuse", last.name, reason, make)


def _partial_sums(scene: Scene, st: StageLoops) -> Iterator[Idea]:
    """for k: sum   ->   for k.o (parallel): for k.i: part[k.o] sums;   for k.o: sum part[k.o]"""
    is_whole = all(n.is_sum or n.trips < scene.threads for n in st.loops)
    if scene.threads < 2 or not st.sums or not is_whole or any(not n.is_free for n in st.loops):
        return
    if st.stage.attach is not None:
        return
    k = st.sums[0]
    parts = k.part(4 * scene.threads)
    if k.trips < 2 * parts:
        return

    def make(d: Draft) -> None:
        d.note_tail(k, -(-k.trips // parts))
        outer, inner = d.do("split", st.name, axis=k.name, nparts=parts)
        partial = d.new_stage("rfactor", st.name, axis=outer, factor_axis=0)
        d.order(partial, [outer, inner, *[n.name for n in st.sums if n is not k]])
        d.do("parallel", partial, axis=outer)

    reason = f"{parts} partial sums over {k.name}, each by itself, are shared by {scene.threads} threads"
    yield Idea("partial sums", st.name, reason, make)


def _iterations_in_a_line(st: StageLoops) -> int:
    """How many iterations of the outermost loop write into one line of the cache, for which threads would wait."""
    apart = abs(st.loops[0].store) * st.nest.store.buffer.dtype.nbytes
    return -(-LINE // apart) if 0 < apart < LINE else 1


def _parallel(scene: Scene) -> Iterator[Idea]:
    """The outermost loops of what is computed at the root are shared by threads."""
    whole = [
        st
        for st in scene.stages
        if st.stage.attach is None and st.loops and st.loops[0].is_free and not st.loops[0].is_sum
    ]
    whole = [st for st in whole if st.loops[0].trips > max(_iterations_in_a_line(st), 1)]
    is_shared = any(n.kind is ForKind.PARALLEL for st in scene.stages for n in st.loops)
    if scene.threads < 2 or not whole or is_shared:
        return

    def make(d: Draft) -> None:
        for st in whole:
            near = _iterations_in_a_line(st)
            outer, inner = d.split(st.name, st.loops[0], st.loops[0].part(near)) if near > 1 else ("", "")
            d.do("parallel", st.name, axis=outer or inner or st.loops[0].name)

    names = " and ".join(f"{st.loops[0].name} of {st.name}" for st in whole)
    reason = f"the iterations of {names} are shared by {scene.threads} threads"
    yield Idea("parallel", whole[-1].name, reason, make)
    second = whole[-1].loops[1] if len(whole[-1].loops) > 1 else None
    if len(whole) == 1 and second is not None and second.is_free and not second.is_sum:
        st = whole[0]

        def fused(d: Draft) -> None:
            (both,) = d.do("fuse", st.name, axes=[st.loops[0].name, second.name])
            d.do("parallel", st.name, axis=both)

        reason = f"{st.loops[0].name} and {second.name} together are shared by {scene.threads} threads"
        yield Idea("parallel", st.name, reason, fused)
