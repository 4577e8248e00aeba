"""Data: what a program does with its memory, access by access, to be played; and what a cache makes of it.

The accesses are one text of numbers, as small as it can be had without a library: each number is written as in source
maps (base 64, 5 bits a character, the lowest bit is the sign), and most are differences that fit into one character.
For each access: its site, less that of the access before; its first element, less that of the last access of this site;
how many of the loops around stand as at the access before, and for each of the others its value, less its last one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tewb.base import TewbError
from tewb.runtime import get_num_threads
from tewb.workbench.judge.ledger import caches, runs_python
from tewb.workbench.looks.sizes import bytes_shown
from tewb.workbench.session import Session
from tewb.workbench.speed.why_fast import question
from tewb.workbench.states.code import LOWERED
from tewb.workbench.trace.cache_use import LINE, cache_use
from tewb.workbench.trace.data_trace import LIMIT, DataTrace, TracedEvent, data_trace

_FIRST_CACHE = 32 << 10  # bytes, where the system does not say


@dataclass(frozen=True, slots=True)
class DataBuffer:
    """Memory that is touched: "input", "output" or "inside" (an intermediate). `strides` are in elements of `item` bytes;
    `elements` are those from the first to the last, gaps included. `part` is the number of its stage in the links of
    code, `use` what a cache makes of its accesses, as a sentence."""

    name: str
    kind: str
    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    item: int
    elements: int
    part: int
    use: str


@dataclass(frozen=True, slots=True)
class DataLoop:
    """A loop of the lowered code; `key` is its row in the loop tree. The iterations of a parallel loop are tasks."""

    name: str
    key: str | None
    extent: int
    parallel: bool


@dataclass(frozen=True, slots=True)
class DataSite:
    """A place in the code that makes accesses: of which buffer (by number), in which loops, at which line of the lowered
    code (from 0). `lanes` are the elements of one access after the first, each less the one before, as text."""

    buffer: int
    writes: bool
    loops: tuple[int, ...]
    line: int | None
    lanes: str


@dataclass(frozen=True, slots=True)
class DataCache:
    """The cache that is simulated: lines of `line` bytes. For a twin with smaller sizes it has fewer `lines` than the
    cache of this machine that it stands for."""

    name: str
    bytes: int
    line: int
    lines: int


@dataclass(frozen=True, slots=True)
class Data:
    """The accesses of a program. `said` is what is to be known of the sizes and the limit, `basis` what the sentences of
    buffers are about, `bound` whether traffic is what bounds the program, as Speed says it; `form` is the form of code that has the lines. `threads` share the tasks of parallel loops."""

    buffers: tuple[DataBuffer, ...]
    loops: tuple[DataLoop, ...]
    sites: tuple[DataSite, ...]
    count: int
    events: str
    complete: bool
    said: str
    basis: str
    bound: str
    cache: DataCache
    threads: int
    form: str
    problem: str | None


@dataclass(frozen=True, slots=True)
class Traced:
    """How the state `Data` stands to the schedule: whether it is of it as it is now, whether it is being made, and
    whether that would run Python code of the user's, which is done only when it is asked for."""

    fresh: bool
    running: bool
    runs_python: bool


def traced_state(session: Session, fresh: bool, running: bool) -> Traced:
    """How a trace stands to the schedule of a session."""
    calls = session.problem is None and runs_python(session.function)
    return Traced(fresh, running, calls)


def data_state(session: Session, sizes: str = "small", limit: int = LIMIT) -> Data:
    """The accesses of the program of a session, of a "small" twin or in its "full" sizes, and what its first cache makes
    of them."""
    return data_of(session, session, sizes, limit)


def data_of(session: Session, program: Session, sizes: str, limit: int) -> Data:
    """As `data_state`, of a copy of the session, which does not change while it is traced."""
    try:
        played = data_trace(program, limit, sizes)
        own, basis = _own_sizes(program, played, limit)
    except TewbError as e:
        hint = f" ({e.hint})" if e.hint else ""
        return Data((), (), (), 0, "", True, "", "", "", first_cache(1.0), 1, LOWERED, f"{e.message}{hint}")
    return state_of(session, played, _uses(own, played), basis, _bound(program))


def _bound(program: Session) -> str:
    """Whether traffic is what bounds a program; "" where its machine code cannot be read."""
    try:
        speed = question(program).answer()
    except TewbError:
        return ""
    return "" if speed.verdict is None else speed.verdict.of_traffic(speed.fetched)


def _uses(own: DataTrace, played: DataTrace) -> list[str]:
    """A sentence for each buffer; of the twin that is played where the accesses of the program did not come to it."""
    uses = cache_use(own, first_cache(own.ratio).lines, get_num_threads())
    sentences = [u.sentence for u in uses]
    if own is not played and any(not u.accesses for u in uses):
        small = cache_use(played, first_cache(played.ratio).lines, get_num_threads())
        for i, (u, other) in enumerate(zip(uses, small, strict=True)):
            if not u.accesses and other.accesses:
                sentences[i] = f"{other.sentence.removesuffix('.')} (of the twin)."
    return sentences


def _own_sizes(program: Session, played: DataTrace, limit: int) -> tuple[DataTrace, str]:
    """The trace that sentences are about, and words for it: the program's own sizes, where it can be had."""
    own = played
    if played.sizes:
        try:
            own = data_trace(program, limit, "full")
        except TewbError:
            own = played
    sizes = "its own sizes" if not own.sizes else f"sizes {own.sizes}"
    which = "" if own.complete else f", {len(own):,} accesses of it"
    return own, f"With {sizes}{which}, in {_size(own.ratio)}:"


def state_of(session: Session, trace: DataTrace, uses: Sequence[str], basis: str, bound: str = "") -> Data:
    """A trace as a state; `uses` are sentences for the buffers, `bound` is what bounds the program."""
    number = session.code_forms.loop_numbers.number
    said = []
    if trace.sizes:
        said.append(f"A small twin of the program is shown: {trace.sizes}; the cache is smaller with it.")
    if not trace.complete:
        said.append(f"The first {len(trace):,} accesses, shared among the outermost loops.")
    buffers = [
        DataBuffer(
            b.name, b.kind, b.dtype, b.shape, b.strides, b.item_bytes, b.elements, number(b.name), uses[i] if i < len(uses) else "",
        )
        for i, b in enumerate(trace.buffers)
    ]  # fmt: skip
    loops = [
        DataLoop(
            n.name,
            None if n.origin is None or n.origin.stage is None else f"{n.origin.stage}/{n.origin.axis}",
            n.extent,
            n.is_parallel,
        )
        for n in trace.loops
    ]
    sites = [
        DataSite(s.buffer, s.writes, s.loops, s.line, written(b - a for a, b in zip(s.lanes, s.lanes[1:], strict=False)))
        for s in trace.sites
    ]  # fmt: skip
    events = written(_numbers(trace.events, trace))
    return Data(
        tuple(buffers), tuple(loops), tuple(sites), len(trace), events, trace.complete, " ".join(said), basis, bound,
        first_cache(trace.ratio), get_num_threads() if any(n.is_parallel for n in trace.loops) else 1, LOWERED, None,
    )  # fmt: skip


def first_cache(ratio: float) -> DataCache:
    """The first cache of this machine; that of a twin whose sizes are smaller by `ratio` has fewer lines."""
    known = caches()
    size = known[0].bytes if known else _FIRST_CACHE
    return DataCache("L1" if known else "a cache", size, LINE, max(round(size // LINE / ratio), 4))


def _size(ratio: float) -> str:
    cache = first_cache(ratio)
    lines = "" if ratio == 1 else f", {cache.lines} lines of it"
    return f"{cache.name} ({bytes_shown(cache.bytes)}{lines})"


# ---------------------------------------------------------------- numbers as text

_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def written(numbers: Iterable[int]) -> str:
    """Numbers as text: 0 is A, 1 is C, -1 is D."""
    text = []
    for n in numbers:
        rest = abs(n) << 1 | (n < 0)
        while rest > 31:
            text.append(_DIGITS[rest & 31 | 32])
            rest >>= 5
        text.append(_DIGITS[rest])
    return "".join(text)


def _numbers(events: Iterable[TracedEvent], trace: DataTrace) -> Iterable[int]:
    """The numbers of all accesses, as the head of this file says."""
    site = 0
    places = [0] * len(trace.sites)
    values = [0] * len(trace.loops)
    around: tuple[tuple[int, int], ...] = ()
    for s, at, now in events:
        yield s - site
        yield at - places[s]
        site, places[s] = s, at
        before, around = around, tuple(zip(trace.sites[s].loops, now, strict=True))
        same = 0
        while same < min(len(before), len(around)) and before[same] == around[same]:
            same += 1
        yield same
        for loop, value in around[same:]:
            yield value - values[loop]
            values[loop] = value
