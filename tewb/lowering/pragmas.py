"""Pragmas: the loops inside of a loop are marked as its pragmas say."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tewb.base import option
from tewb.ir import (
    AttrStmt,
    Evaluate,
    For,
    ForKind,
    Origin,
    Stmt,
    StringImm,
    const,
    const_int,
    replace,
    rewriter,
)
from tewb.lowering.unroll_loops import MAX_NODES, unrolled_nodes

MOST_NODES = MAX_NODES // 8


def heed_pragmas(
    body: Stmt, pragmas: Mapping[str, int | str], origins: Mapping[str, Origin] | None = None
) -> Stmt:
    """`body` of a loop with the loops in it marked as the pragmas of the loop say. Words that say nothing of loops are
    kept as attributes of it."""
    most, extent, depth = [
        _number(pragmas, f"auto_unroll_max_{what}") for what in ("step", "extent", "depth")
    ]
    if most or extent:
        body = unroll_small_loops(body, most or 0, extent or 0, depth)
    if pragmas.get("unroll_explicit") == 0:
        body = leave_unrolling(body)
    if "debug_skip_region" in pragmas:
        body = Evaluate(const(0))
    for key, value in pragmas.items():
        if key not in _OF_LOOPS:
            said = StringImm(value) if isinstance(value, str) else const(value)
            body = AttrStmt(const(0), f"pragma_{key}", said, body, (origins or {}).get(key))
    return body


_OF_LOOPS = ("auto_unroll_max_step", "auto_unroll_max_extent", "auto_unroll_max_depth", "unroll_explicit")


def _number(pragmas: Mapping[str, int | str], word: str) -> int | None:
    """The number that a pragma gives; None where there is none."""
    value = pragmas.get(word)
    return value if isinstance(value, int) else None


def heed_options(body: Stmt) -> Stmt:
    """`body` of a function with its loops marked as the current options say, which act as pragmas of everything."""
    wishes: dict[str, int | str] = {
        "auto_unroll_max_step": int(option("tir.UnrollLoop.auto_max_step")),
        "auto_unroll_max_extent": int(option("tir.UnrollLoop.auto_max_extent")),
        "auto_unroll_max_depth": int(option("tir.UnrollLoop.auto_max_depth")),
        "unroll_explicit": int(option("tir.UnrollLoop.explicit_unroll")),
    }
    return heed_pragmas(body, wishes)


def unroll_small_loops(body: Stmt, most: int, extent: int = 0, depth: int | None = None) -> Stmt:
    """Mark every serial loop `unroll` that comes to `most` steps or fewer, with those inside of it, or that has `extent`
    iterations or fewer. One that would become more than MOST_NODES nodes stays a loop, and one around more than
    `depth - 1` others that are unrolled.

    for i in 2:                                   for i in unroll(2):
        for j in 4: S         -- most=8 -->           for j in unroll(4): S
    """

    def loop(n: For) -> Stmt:
        rewritten = replace(n, body=rewrite(n.body))
        is_small = 0 < steps(n) <= most or 0 < (const_int(n.extent) or 0) <= extent
        if n.kind is not ForKind.SERIAL or not is_small:
            return rewritten
        if depth is not None and unrolled_depth(rewritten.body) >= depth:
            return rewritten
        unrolled = replace(rewritten, kind=ForKind.UNROLLED)
        return unrolled if unrolled_nodes(unrolled) <= MOST_NODES else rewritten

    rewrite: Callable[[Stmt], Stmt] = rewriter({For: loop})
    return rewrite(body)


def unrolled_depth(s: Stmt) -> int:
    """How many loops of `s` that are marked `unroll` are inside of each other, at most."""
    inner = max([unrolled_depth(c) for c in s.children() if isinstance(c, Stmt)], default=0)
    return inner + (isinstance(s, For) and s.kind is ForKind.UNROLLED)


def leave_unrolling(body: Stmt) -> Stmt:
    """Make loops marked `unroll` ordinary ones, which the machine-code compiler unrolls if it likes."""

    def loop(n: For) -> Stmt:
        rewritten = replace(n, body=rewrite(n.body))
        return replace(rewritten, kind=ForKind.SERIAL) if n.kind is ForKind.UNROLLED else rewritten

    rewrite: Callable[[Stmt], Stmt] = rewriter({For: loop})
    return rewrite(body)


def steps(s: Stmt) -> int:
    """How many times the innermost statements of `s` run; 0 when that is not constant."""
    if isinstance(s, For):
        count, inside = const_int(s.extent), steps(s.body)
        lanes = s.kind is ForKind.VECTORIZED
        return 0 if count is None else inside * (1 if lanes else count)
    inner_steps = [steps(c) for c in s.children() if isinstance(c, Stmt)]
    return 1 if not inner_steps else 0 if 0 in inner_steps else sum(inner_steps)
