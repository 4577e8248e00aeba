"""Statements, and what wraps the rest of their block, joined to one statement."""

from __future__ import annotations

from tewb.base import FLOAT32
from tewb.ir import Allocate, Buffer, BufferStore, Seq, const, walk
from tewb.tensor.hybrid.emitted import as_list, joined

b = Buffer("b", FLOAT32, (const(8),))
FIRST, SECOND = (BufferStore(b, const(float(k)), (const(k),)) for k in range(2))


def test_what_wraps_holds_for_the_rest_of_the_block() -> None:
    t = Buffer("t", FLOAT32, (const(4),))
    body = joined([FIRST, lambda rest: Allocate(t, rest), SECOND])
    assert isinstance(body, Seq) and body.stmts[0] is FIRST
    kept = body.stmts[1]
    assert isinstance(kept, Allocate) and kept.body is SECOND


def test_one_statement_is_itself() -> None:
    assert joined([FIRST]) is FIRST and as_list(FIRST) == [FIRST]
    statements = [FIRST, SECOND]
    assert as_list(statements) is statements


def test_no_statements_do_nothing() -> None:
    assert not [n for n in walk(joined([])) if isinstance(n, BufferStore)]
