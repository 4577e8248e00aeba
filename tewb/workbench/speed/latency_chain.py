"""The latency chain of a loop: how many cycles an iteration must wait for the one before, with any number of ports.

Iterations are played one after the other, and each instruction begins when its operands are there. What a loop needs in
the end for each further iteration is its chain. Values pass through registers, and through memory where a load reads
what a store wrote: addresses are known as registers plus constants, counted through the steps of the loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tewb.workbench.speed.instructions import FLAGS, Address, Instruction
from tewb.workbench.speed.processors import Processor

_ROUNDS = 24  # iterations that are played; the chain is looked for in the second half of them
_SETTLED = 8


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain: its cycles for each iteration, the instructions that it passes (by their numbers, in the order of an
    iteration), and whether it passes through memory."""

    cycles: float
    instructions: tuple[int, ...]
    through_memory: bool


Symbolic = tuple[
    tuple[tuple[str, int], ...], int
]  # registers as they were at first, with factors; a constant


class _Play:
    """The state of a processor without ports: when each register and place of memory is ready, and who made it."""

    def __init__(self, processor: Processor) -> None:
        self.processor = processor
        self.ready: dict[str, float] = {}
        self.made_by: dict[str, int] = {}
        self.value: dict[str, Symbolic] = {}
        self.memory: dict[Symbolic, tuple[float, int]] = {}
        self.cause: list[
            tuple[int, bool]
        ] = []  # of each instruction played: the one it waited for, through memory?
        self.kinds: list[str] = []
        self.fresh = 0

    def symbolic(self, register: str) -> Symbolic:
        return self.value.get(register, (((register, 1),), 0))

    def place(self, a: Address) -> Symbolic:
        terms: dict[str, int] = {}
        offset = a.offset
        for register, factor in ((a.base, 1), (a.index, a.scale)):
            if register is not None:
                symbols, constant = self.symbolic(register)
                offset += constant * factor
                for name, times in symbols:
                    terms[name] = terms.get(name, 0) + times * factor
        return tuple(sorted(terms.items())), offset

    def play(self, i: Instruction) -> float:
        """Do an instruction; returns when its result is there."""
        p = self.processor
        direct = [r for r in i.reads if i.load is None or r not in i.load.registers or i.kind == "gather"]
        begin, waited = max(
            ((self.ready.get(r, 0.0), self.made_by.get(r, -1)) for r in direct), default=(0.0, -1)
        )
        through_memory = False
        if i.load is not None:
            latency = p.vector_load_latency if any(w.startswith("v") for w in i.writes) else p.load_latency
            at = max(
                ((self.ready.get(r, 0.0), self.made_by.get(r, -1)) for r in i.load.registers),
                default=(0.0, -1),
            )
            loaded, by = at[0] + latency, at[1]
            stored = self.memory.get(self.place(i.load))
            if stored is not None and stored[0] + p.forward_latency > loaded:
                loaded, by = stored[0] + p.forward_latency, stored[1]
            if loaded > begin:
                begin, waited, through_memory = loaded, by, stored is not None and by == stored[1]
        before = self.kinds[waited] if waited >= 0 and not through_memory else ""
        done = begin + p.latency_after(i, before)
        number = len(self.cause)
        self.kinds.append(i.kind)
        self.cause.append((waited, through_memory))
        self.keep(i, done, number)
        return done

    def keep(self, i: Instruction, done: float, number: int) -> None:
        if i.store is not None:
            self.memory[self.place(i.store)] = (done, number)
        moved = self.moved(i)
        for r in i.writes:
            self.ready[r], self.made_by[r] = done, number
            if r != FLAGS:
                self.fresh += 1
                self.value[r] = moved if moved is not None else (((f"#{self.fresh}", 1),), 0)

    def moved(self, i: Instruction) -> Symbolic | None:
        """The value of a result that is a register plus a constant."""
        from_one = [r for r in i.writes if r != FLAGS]
        if len(from_one) != 1 or i.load is not None:
            return None
        if i.kind == "move" or (i.mnemonic in ("movq", "movl") and len(i.reads) == 1):
            return self.symbolic(i.reads[0])
        added = _constant_step(i, from_one[0])
        if added is None:
            return None
        symbols, constant = self.symbolic(from_one[0])
        return symbols, constant + added


def _constant_step(i: Instruction, register: str) -> int | None:
    if i.reads != (register,):
        return None
    name = i.mnemonic[:3]
    if name in ("inc", "dec"):
        return 1 if name == "inc" else -1
    if name in ("add", "sub") and i.constant is not None and i.store is None:
        return i.constant if name == "add" else -i.constant
    return None


def latency_chain(body: Sequence[Instruction], processor: Processor) -> Chain:
    """The longest chain from one iteration of a loop to the next."""
    play = _Play(processor)
    ends: list[float] = []
    last, latest = -1, 0.0
    for _ in range(_ROUNDS):
        for i in body:
            done = play.play(i)
            if done >= latest and i.kind != "branch":
                last, latest = len(play.cause) - 1, done
        ends.append(latest)
    cycles = (ends[-1] - ends[_SETTLED - 1]) / (_ROUNDS - _SETTLED)
    if cycles < 0.01:
        return Chain(0.0, (), False)
    passed, through_memory = _passed(play.cause, last, len(body))
    return Chain(round(cycles, 2), passed, through_memory)


def longest_chain(body: Sequence[Instruction], processor: Processor) -> Chain:
    """The longest chain of operations that wait for each other in code that runs once."""
    play = _Play(processor)
    done = [play.play(i) for i in body]
    at = max(range(len(done)), key=lambda n: done[n], default=-1)
    cycles = done[at] if done else 0.0
    passed, through_memory = set[int](), False
    while at >= 0:
        passed.add(at)
        at, by_memory = play.cause[at]
        through_memory |= by_memory
    return Chain(round(cycles, 2), tuple(sorted(passed)), through_memory)


def _passed(cause: list[tuple[int, bool]], last: int, size: int) -> tuple[tuple[int, ...], bool]:
    """The instructions on the way to the last result, of iterations in the middle of the play."""
    passed, through_memory, at = set[int](), False, last
    while at >= 0:
        if size * _SETTLED <= at < size * (_ROUNDS - 2):
            passed.add(at % size)
            through_memory |= cause[at][1]
        at = cause[at][0]
    return tuple(sorted(passed)), through_memory
