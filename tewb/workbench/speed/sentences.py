"""Why a loop is as fast as it is, in a sentence: which limit rules, why, and what would be gained without it."""

from __future__ import annotations

import math

from tewb.workbench.speed.cache_misses import Cache, Fetched
from tewb.workbench.speed.instructions import FLOAT_WORK
from tewb.workbench.speed.llvm_mca import Simulated
from tewb.workbench.speed.loop_places import is_reduction
from tewb.workbench.speed.loop_speed import CHAIN, FRONT, MEMORY, PORTS, LoopSpeed
from tewb.workbench.speed.memory_levels import MemoryLevels
from tewb.workbench.speed.processors import Processor
from tewb.workbench.speed.verdict import has_many_spills, is_narrow, number, wider

KIND_NAMES = {
    "fma": ("multiply-add", "multiply-adds"),
    "fp_add": ("addition", "additions"),
    "fp_mul": ("multiplication", "multiplications"),
    "fp_div": ("division", "divisions"),
    "fp_sqrt": ("square root", "square roots"),
    "fp_minmax": ("minimum or maximum", "minima and maxima"),
    "round": ("rounding or scaling", "roundings and scalings"),
    "compare": ("comparison", "comparisons"),
    "convert": ("conversion", "conversions"),
    "vec_int": ("vector operation on integers", "vector operations on integers"),
    "vec_mul": ("vector product of integers", "vector products of integers"),
    "vec_mul_slow": ("vector product of integers", "vector products of integers"),
    "vec_logic": ("vector operation on bits", "vector operations on bits"),
    "vec_shift": ("vector shift", "vector shifts"),
    "blend": ("choice between lanes", "choices between lanes"),
    "shuffle": ("shuffle of lanes", "shuffles of lanes"),
    "shuffle_wide": ("move across lanes", "moves across lanes"),
    "horizontal": ("sum across lanes", "sums across lanes"),
    "transfer": ("move between kinds of registers", "moves between kinds of registers"),
    "mask": ("operation on masks", "operations on masks"),
    "gather": ("gather", "gathers"),
    "scatter": ("scatter", "scatters"),
    "load": ("load", "loads"),
    "store": ("store", "stores"),
    "int": ("operation on integers", "operations on integers"),
    "int_mul": ("product of integers", "products of integers"),
    "int_div": ("division of integers", "divisions of integers"),
    "branch": ("jump", "jumps"),
    "call": ("call", "calls"),
    "move": ("copy of a register", "copies of registers"),
    "zero": ("register set to 0", "registers set to 0"),
    "prefetch": ("prefetch", "prefetches"),
    "nop": ("no operation", "no operations"),
    "return": ("return", "returns"),
    "other": ("other instruction", "other instructions"),
}


def counted(kind: str, count: int) -> str:
    """A number of instructions of a kind: "8 multiply-adds"."""
    return f"{count} {KIND_NAMES.get(kind, KIND_NAMES['other'])[count != 1]}"


def sentence_of(x: LoopSpeed, processor: Processor, widest: int, levels: MemoryLevels | None) -> str:
    """The sentence about a loop. `widest` is the width of the vectors of the processor in bits."""
    if x.calls:
        called = ", ".join(name.removesuffix("@PLT") for name in x.calls)
        return f"The inner loop {x.name} calls {called} in each iteration, and what happens there is not seen here."
    if not x.is_timed:
        told = f"; llvm-mca says {number(x.core)} cycles" if x.core else ", which are only counted"
        does = _does(x)
        return (
            f"tewb has figures of processors of x86-64 alone: {does[0].lower()}{does[1:]} in {len(x.body)} instructions of this "
            f"one{told}."
        )
    if x.rule == MEMORY and levels is not None:
        return _memory(x, levels)
    return {CHAIN: _chain, PORTS: _ports, FRONT: _front}[x.rule](x, processor, widest)


def _iteration(x: LoopSpeed) -> str:
    """What an iteration of the machine's loop does of the program's."""
    steps = round(x.steps)
    axis = x.place.axis if x.place is not None else "it"
    return f"{steps} steps of {axis}" if steps > 1 else f"a step of {axis}"


def _does(x: LoopSpeed) -> str:
    """What a loop does, as the beginning of a sentence."""
    return f"{_subject(x)} and runs once," if x.is_once else f"{_subject(x)} does {_iteration(x)}"


def _subject(x: LoopSpeed) -> str:
    return f"The code of {x.name} has no loop" if x.is_once else f"The inner loop {x.name}"


def _chain(x: LoopSpeed, processor: Processor, widest: int) -> str:
    if x.is_once:
        return (
            f"{_does(x)} in {number(x.cycles)} cycles, as long as its longest chain of operations, of which each "
            f"waits for the one before. With nothing to wait for it would be {number(x.without_waiting)}."
        )
    links = [x.body[i] for i in x.chain.instructions]
    main = max(links, key=lambda i: (processor.latency(i), i.kind in FLOAT_WORK))
    one = KIND_NAMES.get(main.kind, KIND_NAMES["other"])[0]
    takes = f"{_iteration(x)} take{'s' if round(x.steps) <= 1 else ''} {number(x.chain.cycles)} cycles"
    if x.chain_cycles < 0.95 * x.chain.cycles:
        takes += f" ({number(x.chain_cycles)} with what the next entry of the loop does meanwhile)"
    rest = f"With nothing to wait for it would be {number(x.without_waiting)}."
    if x.chain.through_memory:
        return (
            f"The inner loop {x.name} goes through memory: each step loads what the step before has stored, so {takes}. "
            f"{rest} A value that stays in a register (cache_write) does not make that way."
        )
    if main.kind not in _GATHERING:
        return (
            f"In the inner loop {x.name} each iteration waits for the one before, {number(x.chain.cycles)} cycles, most of it "
            f"for a {one}. {rest}"
        )
    each = x.chain.cycles / sum(i.kind == main.kind for i in links)
    said = f"The inner loop {x.name} {_GATHERING[main.kind]} one register: each {one} waits {number(each)} cycles for the one before, so {takes}."
    gain = x.chain_cycles / max(x.without_waiting, 0.01)
    if gain < 1.15:
        return said
    if x.place is not None and not is_reduction(x.place):
        return f"{said} Each step needs the result of the one before it: only steps of other loops could be done meanwhile. {rest}"
    several = f"{max(2, math.ceil(gain))} {'sums' if _GATHERING[main.kind] == 'adds into' else 'of them'}"
    then = (
        f"; then lines from further caches would rule, with {number(x.memory)} cycles"
        if x.memory > x.without_waiting
        else ""
    )
    return (
        f"{said} {several} side by side (rfactor, or another loop vectorized or unrolled inside) would be up to {number(gain)} "
        f"times as fast{then}."
    )


# What a chain of operations does to one register.
_GATHERING = {
    "fma": "adds into",
    "fp_add": "adds into",
    "vec_int": "adds into",
    "vec_mul": "adds into",
    "fp_minmax": "compares in",
    "fp_mul": "multiplies in",
}


def _ports(x: LoopSpeed, processor: Processor, widest: int) -> str:
    ruling = x.ports.kinds[:2] if x.ports.kinds else ("other",)
    what = " and ".join(
        counted(k, max(x.kinds.get(k, 0), _hidden(x, k))) for k in ruling if k != "int" or len(ruling) == 1
    )
    where = f"on {x.bits}-bit vectors" if x.lanes > 1 else "on one number at a time"
    arithmetic = ruling[0] in FLOAT_WORK or ruling[0] in ("vec_int", "vec_mul")
    busy = f"{what}{f' {where}' if arithmetic else ''} keep ports {', '.join(x.ports.busiest)} busy for {number(x.port_cycles)} cycles"
    said = f"{_does(x)} in {number(x.cycles)} cycles: {busy}"
    if len(x.ports.busiest) == 1:
        said = said.replace("keep ports", "keep port")
    if x.uses_simulation and x.port_cycles > 1.3 * x.ports.cycles:
        return (
            f"{_does(x)} in {number(x.cycles)} cycles, in which llvm-mca finds its ports busy. By "
            f"tewb's table {what} take {number(x.ports.cycles)} of them, and all {len(x.body)} instructions {number(x.front)} to begin."
        )
    vectors = wider(x, widest)
    if vectors:
        return f"{said}. {vectors}"
    if ruling[0] == "fma":
        return f"{said}, and more of them in a cycle the processor {processor.name} cannot do."
    if ruling[0] == "load" and x.kinds.get("fma", 0) + x.kinds.get("fp_add", 0):
        return f"{said}. A larger tile of sums in registers would load less for each of them."
    if ruling[0] in ("gather", "scatter"):
        return f"{said}. A {ruling[0]} goes to memory lane by lane: neighbours in memory on neighbouring lanes would need none."
    if ruling[0] == "shuffle_wide":
        return f"{said}. They widen or rearrange numbers; wider results on fewer of them would need less."
    return f"{said}."


def _hidden(x: LoopSpeed, kind: str) -> int:
    """Loads and stores that are part of other instructions."""
    return {"load": x.loads, "store": x.stores}.get(kind, 0)


def _front(x: LoopSpeed, processor: Processor, widest: int) -> str:
    vectors = wider(x, widest)
    fewer = f"Fewer instructions ({'' if x.is_once else 'unrolled, or '}on wider vectors) would be faster."
    return (
        f"{_does(x)} in {len(x.body)} instructions, of which the processor begins {processor.width} "
        f"in a cycle: {number(x.front)} cycles. {vectors or fewer}"
    )


def _memory(x: LoopSpeed, levels: MemoryLevels) -> str:
    cost = {id(f): levels.seconds(f.misses, f.is_sequential) * (2 if f.is_store else 1) for f in x.fetched}
    most = max(x.fetched, key=lambda f: cost[id(f)])
    source = source_of(most, levels)
    names = dict.fromkeys(
        f.buffer for f in sorted(x.fetched, key=lambda f: -cost[id(f)]) if cost[id(f)] > 0.2 * cost[id(most)]
    )
    said = (
        f"{_subject(x)}{' and' * x.is_once} waits for {source}: the lines of {listed([*names])} that {'it' if x.is_once else _iteration(x)} "
        f"need{'s' if round(x.steps) <= 1 else ''} take {number(x.memory)} cycles to come, its instructions {number(x.core)}."
    )
    crowded = next((f for f in x.fetched if f.crowded), None)
    if crowded is not None and crowded.crowded == levels.caches[0].name and most.buffer == crowded.buffer:
        return (
            f"{said} They would fit in {crowded.crowded}, but their distance is a power of two, so they fall into few of its sets and "
            f"drive each other out: a packed copy of {crowded.buffer} (cache_read) would stay there."
        )
    if not most.is_sequential:
        return (
            f"{said} {most.buffer} is not read as it lies in memory, so a line of 64 bytes comes for each few of its numbers; a tile, "
            "another order of the loops or a packed copy (cache_read) would use all of it."
        )
    if most.touched < 2 * most.numbers:
        return f"{said} Each number is used about once: only less data, or stages that share it while it is near (compute_at), would be faster."
    return f"{said} Tiles that fit in {levels.caches[0].name} would use lines again while they are near."


def listed(names: list[str]) -> str:
    """Names as a person lists them: A, B and C."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def source_of(f: Fetched, levels: MemoryLevels) -> str:
    """Where most of the time of some lines goes: the cache that has them, or memory."""
    best, most = levels.sources[-1].name, -1.0
    for i, (c, source) in enumerate(zip(levels.caches, levels.sources, strict=True)):
        further = f.misses[levels.caches[i + 1].name] if i + 1 < len(levels.caches) else 0.0
        seconds = (f.misses[c.name] - further) * (source.in_order if f.is_sequential else source.far_apart)
        if seconds > most:
            best, most = source.name, seconds
    return best


def notes_of(x: LoopSpeed, processor: Processor, widest: int, caches: tuple[Cache, ...]) -> list[str]:
    """What else is to be said of a loop."""
    notes = []
    if has_many_spills(x):
        notes.append(
            f"{x.spills} of its {len(x.body)} instructions save registers on the stack or load them back: a smaller tile would fit "
            f"in the registers."
        )
    has_steps_in_order = x.rule == CHAIN and x.place is not None and not is_reduction(x.place)
    is_said = x.rule in (PORTS, FRONT)  # in the sentence
    if x.is_timed and not is_said and not has_steps_in_order and (more := wider(x, widest)):
        notes.append(f"It computes on one number at a time. {more}")
    elif is_narrow(x, widest):
        notes.append(f"Its vectors have {x.bits} bits; the processor has registers of {widest}.")
    if x.bits == 512 and any(i.load and i.load.size == 64 for i in x.body):
        notes.append(
            "Loads of 64 bytes from arrays that do not begin at a multiple of 64 touch two lines each, and take twice as long."
        )
    if isinstance(x.simulated, str) and x.is_timed and not x.is_once:
        notes.append(
            f"The figures of ports are those of tewb's own table for {processor.name}: {x.simulated}."
        )
    elif isinstance(x.simulated, Simulated) and not x.is_exact and x.is_timed:
        notes.append(
            f"This llvm-mca does not know the processor; it was asked about {x.simulated.model} ({number(x.simulated.cycles)} cycles). "
            f"Ports are those of tewb's own table for {processor.name}."
        )
    return notes
