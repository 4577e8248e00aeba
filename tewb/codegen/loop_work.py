"""How much work a loop is, which decides how its machine code runs: unrolled, in chunks, polling the cancel flag."""

from __future__ import annotations

from tewb.ir import (
    BufferLoad,
    BufferStore,
    Call,
    Evaluate,
    Expr,
    For,
    IfThenElse,
    Node,
    Seq,
    Stmt,
    Var,
    While,
    const,
    const_int,
    ops,
    replace,
    walk,
    walk_statements,
)

COARSE = 20_000  # operations between two polls of the cancel flag
WIDE = 256  # bytes of the vectors that make an iteration long
PART = 1 << 27  # operations between two polls in a loop of short iterations: less than a tenth of a second
LONG = 500  # accesses of an iteration: comparing all of their pairs takes 0.1 s
FEW = 16  # iterations of a loop that LLVM may unroll completely
CHUNK = 10 * COARSE  # operations that a thread takes from a parallel loop at a time


def operations(s: Node, known: dict[Node, int | None] | None = None) -> int | None:
    """An estimate of the operations that a statement takes, or None when a loop's extent is not constant. Those of
    statements are looked up in `known`, and added to it."""
    known = {} if known is None else known
    if s not in known:
        known[s] = _operations(s, known)
    return known[s]


def _operations(s: Node, known: dict[Node, int | None]) -> int | None:
    match s:
        case For():
            count, body = const_int(s.extent), operations(s.body, known)
            return None if count is None or body is None else count * body
        case While():
            return None
        case Seq(stmts):
            counts = [operations(p, known) for p in stmts]
            return None if None in counts else sum(p for p in counts if p is not None)
        case IfThenElse(_, then, Stmt() as other):
            sides = operations(then, known), operations(other, known)
            return None if None in sides else 1 + max(n for n in sides if n is not None)
        case Evaluate(Call("prefetch")):
            return 1
        case Evaluate():
            return 1000
        case BufferStore():
            # About four lanes go through in a cycle; a call takes as long as many additions.
            weights = (
                n.dtype.lanes * (40 if isinstance(n, Call) else 1)
                for n in walk(s.value)
                if isinstance(n, Expr)
            )
            return sum(weights) // 4 + 1
    counts = [operations(c, known) for c in s.children() if isinstance(c, Stmt)]
    return None if None in counts else 1 + sum(p for p in counts if p is not None)


def has_wide_iterations(loop: For) -> bool:
    """Whether an iteration has so many vector instructions that unrolling the loop would gain nothing. It would
    take long: a loop that packs a panel grew 16 times, which took a third of the time to build a matmul."""
    count = const_int(loop.extent)
    if count is not None and count <= FEW:
        return False
    stores = [n for n in walk_statements(loop.body) if isinstance(n, For | While | BufferStore)]
    if not all(isinstance(n, BufferStore) and n.value.dtype.lanes > 1 for n in stores):
        return False
    return sum(_vector_bytes(n.value) for n in stores if isinstance(n, BufferStore)) >= WIDE


def _vector_bytes(e: Expr) -> int:
    """The bytes of all vectors that are loaded or computed for a value, not for its indices."""
    nodes: dict[Expr, None] = {e: None}
    pending = [e]
    while pending:
        top = pending.pop()
        new = [] if isinstance(top, BufferLoad) else [c for c in top.children() if c not in nodes]
        nodes.update(dict.fromkeys(new))
        pending += new
    return sum([n.dtype.nbytes for n in nodes if n.dtype.lanes > 1])


def in_chunks(s: For) -> For:
    """A loop as a loop of loops, the outer one of which polls the cancel flag.

    for i in n: S    ->    for i.part in n//1000 + 1: for i in i.part*1000 ... min(i.part*1000 + 1000, n): S

    The last part may be empty. For negative n there are no parts; n - 1, which might wrap, is not computed.
    """
    d = s.var.dtype
    chunk = const(1 << (PART // (operations(s.body) or 1)).bit_length() - 1, d)
    part = Var(f"{s.var.name}.part", d)
    done = ops.mul(part, chunk)
    inner = replace(s, min=ops.add(s.min, done), extent=ops.minimum(chunk, ops.sub(s.extent, done)))
    count = ops.add(ops.floordiv(s.extent, chunk), 1)
    return replace(s, var=part, min=const(0, d), extent=count, body=inner)


def hidden(x: str, t: str) -> str:
    """An empty instruction with the value `x`, which is opaque to LLVM. In a loop whose count it does not know, it does
    not compare accesses with one another: all pairs of 2,000 accesses took it 45 s."""
    return f'call {t} asm "", "=r,0"({t} {x}) memory(none)'


def has_many_accesses(body: Stmt) -> bool:
    """Whether a body was written out to so many accesses that vectorizing its loop would gain LLVM nothing."""
    accesses = 0
    for n in walk(body):
        if isinstance(n, For | While):
            return False
        accesses += isinstance(n, BufferLoad | BufferStore)
    return accesses > LONG


def is_coarse(body: Stmt, known: dict[Node, int | None] | None = None) -> bool:
    """Whether one iteration takes so long that polling the cancel flag costs nothing; `known` are `operations`."""
    work = operations(body, known)
    return work is None or work >= COARSE
