"""Statements are simplified in one walk: loops of one iteration that are removed, and buffers that become simple."""

from __future__ import annotations

import cProfile
import pstats
from typing import Any

from tewb.arith import simplify_stmt
from tewb.base import DType
from tewb.ir import (
    Allocate,
    Buffer,
    BufferLoad,
    BufferStore,
    For,
    ForKind,
    Origin,
    Stmt,
    Var,
    const,
    ops,
    script,
    seq,
    walk,
)

INT, FLOAT = DType("int32"), DType("float32")
A = Buffer("A", FLOAT, (const(64),))


def loop(v: Var, lo: Any, n: int, body: Stmt, origin: Origin | None = None) -> Stmt:
    return For(v, lo, const(n), ForKind.SERIAL, body, origin)


def store(buffer: Buffer, index: Any, origin: Origin | None = None) -> Stmt:
    return BufferStore(buffer, const(1.0, FLOAT), (index,), origin)


def nested(depth: int) -> Stmt:
    """Loops of one iteration inside of each other, each around memory of an odd size and a store."""
    body = seq()
    for k in range(depth):
        v = Var(f"i{k}", INT)
        b = Buffer(f"B{k}", FLOAT, (ops.add(v, 1),))
        stores = seq(body, store(b, v), store(A, ops.add(v, k % 64)))
        body = loop(v, const(0), 1, Allocate(b, stores), Origin("S", v.name, k, None, (k,)))
    return body


def calls(depth: int) -> int:
    profile = cProfile.Profile()
    s = nested(depth)
    profile.runcall(simplify_stmt, s)
    return pstats.Stats(profile).total_calls  # type: ignore[attr-defined, no-any-return]


def test_loops_of_one_iteration_inside_of_each_other_are_walked_once() -> None:
    assert calls(40) < 2.6 * calls(20)


def test_every_statement_remembers_the_loops_that_are_removed_around_it() -> None:
    made = simplify_stmt(nested(5))
    stores = [n for n in walk(made) if isinstance(n, BufferStore)]
    assert not any(isinstance(n, For) for n in walk(made))
    innermost, last = stores[0].origin, stores[-1].origin
    assert innermost is not None and last is not None
    assert innermost.gone == tuple([("S", f"i{k}") for k in (4, 3, 2, 1, 0)])
    assert innermost.steps == (0, 1, 2, 3, 4) and innermost.step == 4
    assert last.gone == (("S", "i4"),) and last.steps == (4,)


def test_a_loop_that_stays_remembers_those_that_are_removed_around_it() -> None:
    u, v, w = (Var(name, INT) for name in "uvw")
    inside = loop(w, const(0), 8, store(A, w), Origin("S", "w", 2, None, (2,)))
    middle = loop(v, const(0), 1, inside, Origin("S", "v", 1, None, ()))  # no step shaped it
    made: Any = simplify_stmt(loop(u, const(0), 1, middle, Origin("S", "u", 0, None, (0,))))
    assert made.origin == Origin("S", "w", 2, None, (0, 2), (("S", "u"), ("S", "v")))
    assert made.body.origin.gone == (("S", "u"), ("S", "v"))


def test_copies_of_a_statement_are_simplified_apart() -> None:
    """They use the same variables and the same buffers, and not the same values."""
    u, v = Var("u", INT), Var("v", INT)
    b = Buffer("B", FLOAT, (ops.add(v, 1),))
    value = BufferLoad(b, (v,), FLOAT)
    inner = Allocate(b, seq(store(b, v), BufferStore(A, value, (ops.add(u, v),))))
    copies = seq(*[loop(v, const(k), 1, inner) for k in (2, 5)])
    made = simplify_stmt(loop(u, const(7), 1, copies))
    loaded = [n.value for n in walk(made) if isinstance(n, BufferStore) and isinstance(n.value, BufferLoad)]
    sizes = [n.buffer for n in walk(made) if isinstance(n, Allocate)]
    assert [repr(x.buffer.shape) for x in loaded] == ["(3,)", "(6,)"]
    assert [x.buffer for x in loaded] == sizes
    assert "A[9] = B" in script(made) and "A[12] = B" in script(made)


def test_a_buffer_is_the_same_one_inside_of_more_loops() -> None:
    """What a loop makes of a buffer stays so in the loops inside of it, which are removed too."""
    u, v = Var("u", INT), Var("v", INT)
    view = Buffer("B", FLOAT, (const(4),), (), ops.mul(u, 4))
    body = seq(store(view, const(0)), loop(v, const(1), 1, store(view, v)), store(view, const(2)))
    made = simplify_stmt(loop(u, const(3), 1, body))
    found = [n.buffer for n in walk(made) if isinstance(n, BufferStore)]
    assert found[0] is found[1] is found[2] and found[0] is not view
