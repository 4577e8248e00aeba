"""A lowered function as data: its lines with what they came from, its allocations and its extern regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tewb.arith import Analyzer
from tewb.base import readable
from tewb.ir import (
    Allocate,
    AttrStmt,
    DeclBuffer,
    Expr,
    ExternRegion,
    For,
    Node,
    Origin,
    PrimFunc,
    const_int,
    script,
    script_lines,
    walk,
)
from tewb.lowering import BUILD, peak_bytes, run
from tewb.schedule import elements_spanned
from tewb.workbench.looks.sizes import bytes_shown

# The passes after which it is known what memory is taken: none after hoist_allocations moves any.
MEMORY_PASSES = BUILD[: [p.name for p in BUILD].index("hoist_allocations") + 1]


@readable
@dataclass(frozen=True, slots=True)
class IRLine:
    """A line of IR text: its depth and text, a remark, and where it came from."""

    depth: int
    text: str
    remark: str
    origin: Origin | None
    node: Node | None

    def __str__(self) -> str:
        return f"{'    ' * self.depth}{self.text}{f'  # {self.remark}' if self.remark else ''}"


@readable
@dataclass(frozen=True, slots=True)
class AllocationInfo:
    """Memory of an intermediate, with the gaps that alignment makes. `elements` and `bytes` are None when the size is symbolic."""

    name: str
    stage: str | None
    dtype: str
    scope: str
    shape: str
    elements: int | None
    bytes: int | None
    step: int | None

    def __str__(self) -> str:
        size = "symbolic size" if self.bytes is None else bytes_shown(self.bytes)
        return f"{self.name}: {self.dtype}{self.shape}, {size}, {self.scope}"


@readable
@dataclass(frozen=True, slots=True)
class RegionInfo:
    """An extern_scope: what it reads and writes, and whether it may be repeated."""

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    effect: str
    step: int | None

    def __str__(self) -> str:
        return f"{self.name}: reads {', '.join(self.reads) or 'nothing'}; writes {', '.join(self.writes) or 'nothing'}; {self.effect}"


def ir_lines(f: PrimFunc) -> list[IRLine]:
    """The text of `f`, line by line, with sizes in bytes and where each line came from."""
    lines = []
    for line in script_lines(f):
        origin = getattr(line.node, "origin", None)
        lines.append(IRLine(line.depth, line.text, remark(line.node), origin, line.node))
    return lines


def allocations(f: PrimFunc) -> list[AllocationInfo]:
    """Every allocation of memory in `f`, outermost first; one that was unrolled is listed once."""
    listed: dict[tuple[str, str], AllocationInfo] = {}
    for n in walk(f.body):
        if isinstance(n, Allocate) and n.buffer.scope != "register":
            info = _allocation(n)
            listed.setdefault((info.name, info.shape), info)
    return list(listed.values())


def peak_bytes_of(f: PrimFunc) -> int | None:
    """The most bytes that the intermediates of `f` take at once in the kernel, where those that are not alive
    together share memory; in one iteration of parallel loops. None when a size is symbolic."""
    return peak_bytes(run(f, MEMORY_PASSES).body)


def regions(f: PrimFunc) -> list[RegionInfo]:
    """Every extern_scope region of `f`."""
    listed: dict[tuple[object, ...], RegionInfo] = {}
    for n in walk(f.body):
        if isinstance(n, AttrStmt) and isinstance(n.node, ExternRegion):
            r = n.node
            step = n.origin.step if n.origin else None
            listed.setdefault(
                (r.name, r.reads, r.writes), RegionInfo(r.name, r.reads, r.writes, r.effect, step)
            )
    return list(listed.values())


def _elements(shape: Sequence[Expr]) -> int | None:
    total = 1
    for n in shape:
        size = const_int(n)
        if size is None:
            return None
        total *= size
    return total


def _allocation(n: Allocate) -> AllocationInfo:
    b = n.buffer
    # With gaps between its rows a buffer takes more elements than it has.
    kept = (Analyzer().simplify(elements_spanned(b.shape, b.strides)),) if b.strides else b.shape
    elements = _elements(kept)
    shape = "(" + ", ".join(script(s) for s in b.shape) + ("," if len(b.shape) == 1 else "") + ")"
    origin = n.origin
    return AllocationInfo(
        b.name,
        origin.stage if origin else None,
        str(b.dtype),
        b.scope,
        shape,
        elements,
        None if elements is None else elements * b.dtype.nbytes,
        origin.step if origin else None,
    )


def remark(n: Node | None) -> str:
    """What a line of IR says besides its text: bytes of an allocation, a guard, a view."""
    match n:
        case Allocate():
            info = _allocation(n)
            return (
                "symbolic size"
                if info.bytes is None
                else f"{info.elements} elements, {bytes_shown(info.bytes)}"
            )
        case DeclBuffer():
            return "a view: no memory of its own"
        case For() if n.origin and n.origin.step is not None:
            return f"step {n.origin.step + 1}"
    return ""
