"""What processors do in a cycle: a small table of our own, for the kinds of work in `instructions.py`.

A processor has ports; a kind of work takes one of some ports for a cycle (or for `cycles`), and its result is there
after `latency` cycles. The figures are rounded from what is public: Intel's optimization manual and AMD's software
optimization guides, Agner Fog's "Instruction tables", and the measurements of uops.info. They stand for families, not for
models: within a family they differ by a cycle here and there. A processor that is not known has those of Skylake.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tewb.workbench.speed.instructions import Instruction


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of what an instruction does: a cycle (or `cycles`) on one of `ports`."""

    ports: tuple[str, ...]
    cycles: float = 1.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What a kind of work takes: the ports that can do it, cycles until its result is there (`again`: until work of the
    same kind may have it, if that is sooner), cycles for which a port is taken. `wide` is the same for 512 bits."""

    ports: str
    latency: float = 1
    cycles: float = 1.0
    wide: Figures | None = None
    again: float | None = None


@dataclass(frozen=True, slots=True)
class Processor:
    """A family of processors. `width`: instructions that begin in a cycle; `waiting`: how many can wait for their operands;
    `halves`: whether 512 bits are done as two times 256."""

    name: str
    width: int
    waiting: int
    kinds: Mapping[str, Figures]
    loads: str
    wide_loads: str
    store_addresses: str
    store_data: str
    load_latency: float = 5
    vector_load_latency: float = 7
    forward_latency: float = 5
    halves: bool = False
    stand_ins: tuple[str, ...] = ()
    """What LLVM calls processors of this family and those before it: an old llvm-mca knows some of them."""

    def figures(self, i: Instruction) -> Figures:
        """What the work of an instruction takes, without its loads and stores."""
        found = self.kinds.get(i.kind, _OTHER)
        if i.kind in ("fp_div", "fp_sqrt") and i.lane == 64:
            found = self.kinds.get(f"{i.kind}_64", found)
        if i.bits > 256 and found.wide is not None:
            return found.wide
        if i.bits <= 256 and i.kind in ("fp_div", "fp_sqrt") and i.bits <= 128:
            return Figures(found.ports, found.latency, max(found.cycles * 0.6, 3.0))
        return found

    def work(self, i: Instruction) -> list[Work]:
        """All that an instruction does, port by port."""
        done = []
        times = 2.0 if self.halves and i.bits > 256 else 1.0
        if i.kind in ("gather", "scatter"):
            return self._each_lane(i)
        if i.load is not None or i.kind == "prefetch":
            done.append(Work(_set(self.wide_loads if i.bits > 256 else self.loads), times))
        if i.store is not None:
            # The data of a store of 512 bits takes both ways, where there are two.
            wide = len(_set(self.store_data)) if i.bits > 256 and not self.halves else 1
            done += [Work(_set(self.store_addresses)), Work(_set(self.store_data), times * wide)]
        if i.kind not in _NO_WORK:
            f = self.figures(i)
            done.append(Work(_set(f.ports), f.cycles * times))
            if i.kind in _SEVERAL:
                done += [Work(_set(self.kinds[k].ports), times) for k in _SEVERAL[i.kind]]
        return done

    def _each_lane(self, i: Instruction) -> list[Work]:
        """A gather loads lane by lane, and puts the lanes together; a scatter stores them."""
        lanes = i.lanes
        put = [Work(_set(self.kinds["vec_int"].ports))] * (2 + lanes // 4)
        if i.kind == "gather":
            return [*put, *[Work(_set(self.wide_loads))] * lanes]
        return [*put, *[Work(_set(self.store_addresses)), Work(_set(self.store_data))] * lanes]

    def latency(self, i: Instruction) -> float:
        """Cycles from the operands in registers to the result."""
        if i.kind in _NO_WORK and i.kind != "load":
            return 0.0
        if i.kind == "load":
            return 0.0  # what it loads is there after the latency of a load
        if i.kind == "gather":
            return self.vector_load_latency + 12
        return self.figures(i).latency + sum(self.kinds[k].latency for k in _SEVERAL.get(i.kind, ()))

    def latency_after(self, i: Instruction, kind: str) -> float:
        """Cycles to the result when the operand that comes last is made by work of some kind."""
        again = self.figures(i).again
        return again if again is not None and kind == i.kind else self.latency(i)

    def slots(self, i: Instruction) -> float:
        """How many of the `width` places an instruction takes at the front."""
        halves = 2.0 if self.halves and i.bits > 256 else 1.0
        if i.kind in ("gather", "scatter"):
            return 3.0 + i.lanes
        return halves + len(_SEVERAL.get(i.kind, ()))


_NO_WORK = ("load", "store", "move", "zero", "nop", "prefetch", "return")
# Kinds that are several pieces of work, beside the first.
_SEVERAL = {
    "horizontal": ("shuffle", "fp_add"),
    "vec_mul_slow": ("vec_mul",),
    "compare": (),
    "call": ("int", "int"),
}
_OTHER = Figures("*", 1)


def _set(ports: str) -> tuple[str, ...]:
    return tuple(ports.split())


def _intel(
    vector: str, wide: str, adds: str, add_latency: float, shuffles: str, integer: str, ports_of_branches: str
) -> dict[str, Figures]:
    """The kinds of Intel's cores: they share most of their figures."""
    both, first = vector, wide.split()[0]
    return {
        "int": Figures(integer),
        "int_mul": Figures("p1", 3),
        "int_div": Figures("p1", 14, 6),
        "branch": Figures(ports_of_branches),
        "call": Figures(ports_of_branches, 20),
        "fp_add": Figures(
            adds, add_latency, wide=Figures(wide, 4), again=min(add_latency, 4) - (adds != both)
        ),
        "fp_mul": Figures(both, 4, wide=Figures(wide, 4)),
        "fma": Figures(both, 4, wide=Figures(wide, 4)),
        "fp_minmax": Figures(both, 4, wide=Figures(wide, 4)),
        "fp_div": Figures("p0", 11, 5, wide=Figures("p0", 17, 10)),
        "fp_div_64": Figures("p0", 14, 8, wide=Figures("p0", 22, 16)),
        "fp_sqrt": Figures("p0", 12, 6, wide=Figures("p0", 19, 12)),
        "fp_sqrt_64": Figures("p0", 18, 12, wide=Figures("p0", 30, 24)),
        "round": Figures(both, 8, 2, wide=Figures(wide, 5, 2)),
        "compare": Figures(f"{both} p5", 3, wide=Figures("p5", 3)),
        "convert": Figures(both, 4, wide=Figures(wide, 4)),
        "vec_int": Figures(f"{both} p5", wide=Figures(wide)),
        "vec_logic": Figures(f"{both} p5", wide=Figures(wide)),
        "vec_mul": Figures(both, 5, wide=Figures(wide, 5)),
        "vec_mul_slow": Figures(both, 5, wide=Figures(wide, 5)),
        "vec_shift": Figures(both, wide=Figures(first)),
        "blend": Figures(f"{both} p5", wide=Figures(wide)),
        "shuffle": Figures(shuffles, wide=Figures("p5")),
        "shuffle_wide": Figures("p5", 3, wide=Figures("p5", 3)),
        "transfer": Figures("p0 p5", 3),
        "horizontal": Figures(shuffles),
        "mask": Figures("p0"),
        "gather": Figures("p0 p5"),
        "scatter": Figures("p0 p5"),
        "other": Figures(integer),
    }


_SKYLAKE_KINDS = _intel("p0 p1", "p0 p5", "p0 p1", 4, "p5", "p0 p1 p5 p6", "p0 p6")
_INTELS = ("icelake-server", "skylake-avx512", "haswell")

SKYLAKE = Processor(
    "Skylake", 4, 97, _SKYLAKE_KINDS, "p2 p3", "p2 p3", "p2 p3 p7", "p4", stand_ins=_INTELS[1:]
)
ICE_LAKE = Processor(
    "Ice Lake", 5, 160, _intel("p0 p1", "p0 p5", "p0 p1", 4, "p1 p5", "p0 p1 p5 p6", "p0 p6"), "p2 p3", "p2 p3", "p7 p8",
    "p4 p9", stand_ins=_INTELS,
)  # fmt: skip
GOLDEN_COVE = Processor(
    "Golden Cove", 6, 97, _intel("p0 p1", "p0 p5", "p1 p5", 3, "p1 p5", "p0 p1 p5 p6 p10", "p0 p6"), "p2 p3 p11", "p2 p3",
    "p7 p8", "p4 p9", stand_ins=("sapphirerapids", "alderlake", *_INTELS),
)  # fmt: skip

_ZEN_KINDS = {
    "int": Figures("a0 a1 a2 a3"),
    "int_mul": Figures("a1", 3),
    "int_div": Figures("a2", 12, 6),
    "branch": Figures("a0 a3"),
    "call": Figures("a0 a3", 20),
    "fp_add": Figures("f2 f3", 3),
    "fp_mul": Figures("f0 f1", 3),
    "fma": Figures("f0 f1", 4),
    "fp_minmax": Figures("f2 f3", 1),
    "fp_div": Figures("f1", 10, 3.5),
    "fp_div_64": Figures("f1", 13, 5),
    "fp_sqrt": Figures("f1", 14, 5),
    "fp_sqrt_64": Figures("f1", 20, 9),
    "round": Figures("f2 f3", 3),
    "compare": Figures("f0 f1 f2 f3", 1),
    "convert": Figures("f2 f3", 3),
    "vec_int": Figures("f0 f1 f2 f3"),
    "vec_logic": Figures("f0 f1 f2 f3"),
    "vec_mul": Figures("f0 f3", 3),
    "vec_mul_slow": Figures("f0 f3", 3),
    "vec_shift": Figures("f1 f2"),
    "blend": Figures("f0 f1 f2 f3"),
    "shuffle": Figures("f1 f2"),
    "shuffle_wide": Figures("f1 f2", 3),
    "transfer": Figures("f1 f2", 3),
    "horizontal": Figures("f1 f2"),
    "mask": Figures("f0 f3"),
    "gather": Figures("f1 f2"),
    "scatter": Figures("f1 f2"),
    "other": Figures("a0 a1 a2 a3"),
}
ZEN3 = Processor(
    "Zen 3", 6, 64, _ZEN_KINDS, "l0 l1", "l0 l1", "s0 s1", "s0", 4, 7, 7, True, ("znver3", "znver2")
)
ZEN4 = Processor(
    "Zen 4", 6, 64, _ZEN_KINDS, "l0 l1", "l0 l1", "s0 s1", "s0", 4, 7, 7, True, ("znver4", "znver3", "znver2")
)

_FAMILIES = {
    **dict.fromkeys(("sapphirerapids", "emeraldrapids", "graniterapids", "graniterapids-d", "alderlake", "raptorlake",
                     "meteorlake", "arrowlake", "arrowlake-s", "lunarlake", "pantherlake"), GOLDEN_COVE),
    **dict.fromkeys(("icelake-client", "icelake-server", "tigerlake", "rocketlake"), ICE_LAKE),
    **dict.fromkeys(("skylake", "skylake-avx512", "cascadelake", "cooperlake", "cannonlake", "haswell", "broadwell"), SKYLAKE),
    **dict.fromkeys(("znver2", "znver3"), ZEN3),
    **dict.fromkeys(("znver4", "znver5"), ZEN4),
}  # fmt: skip


def processor_of(cpu: str) -> tuple[Processor, bool]:
    """The family of a processor that LLVM calls `cpu`, and whether it is known; else Skylake stands for it."""
    return (_FAMILIES[cpu], True) if cpu in _FAMILIES else (SKYLAKE, False)
