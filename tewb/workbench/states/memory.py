"""Memory: what every stage needs, holds and repeats, what externs touch, and the budget."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tewb.base import TewbError
from tewb.lowering import peak_bytes, run
from tewb.workbench.judge.ledger import Entry, ExternBoxes, Touched
from tewb.workbench.looks.lowered_ir import MEMORY_PASSES
from tewb.workbench.looks.sizes import bytes_shown
from tewb.workbench.session import Session


@dataclass(frozen=True, slots=True)
class Account:
    """One stage: bytes that its readers touch (`needed`), that are kept (`allocated`), and of the whole tensor, each as
    a number where it is known and in words; how often an element is computed, calls of packed functions, the cache that
    holds it."""

    stage: str
    kind: str
    needed: str
    allocated: str
    allocated_bytes: int | None
    declared: str
    scope: str
    lifetime: str
    computed: float | None
    calls: int | None
    cache: str | None
    step: int | None
    part: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """Memory in the lowered code: `bytes` is None where the size is symbolic."""

    name: str
    stage: str | None
    dtype: str
    scope: str
    shape: str
    bytes: int | None
    step: int | None


@dataclass(frozen=True, slots=True)
class TouchedTensor:
    """A tensor that an extern touches: its shape, and the box of one call; where sizes are constant, those and the
    boxes of the first calls as (first, extent) for each dimension, one after another."""

    tensor: str
    writes: bool
    shape: tuple[str, ...]
    strides: tuple[str, ...]
    box: tuple[str, ...]
    sizes: tuple[int, ...] | None
    tiles: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class ExternTouches:
    """What the calls of an extern touch, and whether they may be repeated (`effect`)."""

    stage: str
    effect: str
    calls: int | None
    touched: tuple[TouchedTensor, ...]
    step: int | None


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """A line of the budget that `session.expect` keeps: its text, whether it holds (None: not known), and the value."""

    text: str
    holds: bool | None
    value: float | None


@dataclass(frozen=True, slots=True)
class Memory:
    """All memory of the program. `peak` is the most that intermediates take at once, in bytes."""

    accounts: tuple[Account, ...]
    allocations: tuple[Allocation, ...]
    peak: int | None
    externs: tuple[ExternTouches, ...]
    budget: tuple[BudgetLine, ...]
    problem: str | None


def memory_state(session: Session) -> Memory:
    """The memory of a session's program."""
    *_, state = memory_in_pieces(session)
    assert state is not None
    return state


def memory_in_pieces(session: Session) -> Iterator[Memory | None]:
    """The memory of a session's program; None comes between the pieces of the work."""
    try:
        accounts = tuple([_account(session, e) for e in session.ledger()])
        yield None
        allocations = tuple(
            [
                Allocation(a.name, a.stage, a.dtype, a.scope, a.shape, a.bytes, a.step)
                for a in session.allocations()
            ]
        )
        f = session.function
        for p in MEMORY_PASSES:
            f = run(f, (p,))
            yield None
        peak = peak_bytes(f.body)
        externs = tuple(map(_touches, session.extern_boxes()))
        yield None
        budget = tuple([BudgetLine(str(c), c.ok, c.value) for c in session.checks()])
        yield Memory(accounts, allocations, peak, externs, budget, None)
    except TewbError as e:
        yield Memory((), (), None, (), (), e.message)


def _account(session: Session, e: Entry) -> Account:
    def shown(size: object, n: int | None) -> str:
        return f"{size} B" if n is None else bytes_shown(n)

    return Account(
        e.stage,
        e.kind,
        shown(e.needed, e.needed.bytes),
        shown(e.allocated, e.allocated.bytes),
        e.allocated.bytes,
        shown(e.declared, e.declared.bytes),
        e.scope,
        e.lifetime,
        e.recompute,
        e.calls,
        e.cache,
        e.step,
        session.code_forms.loop_numbers.number(e.stage),
    )


def _touches(b: ExternBoxes) -> ExternTouches:
    return ExternTouches(b.stage, b.effect, b.calls, tuple(map(_touched, b.touched)), b.step)


def _touched(t: Touched) -> TouchedTensor:
    tiles = tuple([tuple([n for pair in box for n in pair]) for box in t.tiles])
    return TouchedTensor(t.tensor, t.writes, t.shape, t.strides, t.box, t.sizes, tiles)
