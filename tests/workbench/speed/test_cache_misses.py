"""Cache misses predicted from footprints, beside those of a cache that is played access by access."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest

from tests.workbench.speed import programs
from tewb import te
from tewb.arith import evaluate_integers
from tewb.ir import Buffer, BufferLoad, BufferStore, For, IfThenElse, Node, PrimFunc, Stmt, walk
from tewb.workbench.demos import demo_session
from tewb.workbench.session import Session
from tewb.workbench.speed.cache_misses import LINE, Cache, predict_misses


@cache
def accesses(name: str) -> tuple[PrimFunc, list[tuple[str, int]]]:
    """A program as it is scheduled, and every access of it in its order: the buffer, and its line."""
    f = PROGRAMS[name]().passes[0][1]
    return f, list(_accesses(f))


def _accesses(f: PrimFunc) -> Iterator[tuple[str, int]]:
    begins: dict[Buffer, int] = {}  # of buffers, at different sets

    def lines(s: Node, env: dict[Any, Any]) -> list[tuple[str, Any]]:
        """The accesses of a statement without loops, in order; in all iterations of the innermost loop at once."""
        if not isinstance(s, BufferStore):
            assert not isinstance(s, IfThenElse)
            return [x for c in s.children() if isinstance(c, Stmt) for x in lines(c, env)]
        found = []
        for n in (*dict.fromkeys(n for n in walk(s.value) if isinstance(n, BufferLoad)), s):
            shape = [int(evaluate_integers(e, {})) for e in n.buffer.shape]
            begin = begins.setdefault(n.buffer, len(begins) * (2**20 + 37 * LINE))
            at: Any = 0
            for index, extent in zip(n.indices, shape, strict=True):
                at = at * extent + evaluate_integers(index, env)
            found.append((n.buffer.name, (begin + at * n.buffer.dtype.nbytes) // LINE))
        return found

    def run(s: Node, env: dict[Any, Any]) -> Iterator[tuple[str, int]]:
        match s:
            case For():
                first, count = (int(evaluate_integers(e, env)) for e in (s.min, s.extent))
                if not any(isinstance(n, For | IfThenElse) for n in walk(s.body)):
                    found = lines(s.body, {**env, s.var: np.arange(first, first + count)})
                    columns = [np.broadcast_to(at, (count,)).tolist() for _, at in found]
                    for row in zip(*columns, strict=True):
                        yield from zip([name for name, _ in found], row, strict=True)
                    return
                for i in range(first, first + count):
                    yield from run(s.body, {**env, s.var: np.int64(i)})
            case BufferStore():
                yield from ((name, int(at)) for name, at in lines(s, env))
            case IfThenElse():
                if evaluate_integers(s.cond, env):
                    yield from run(s.then, env)
            case _:
                for c in s.children():
                    if isinstance(c, Stmt):
                        yield from run(c, env)

    yield from run(f.body, {})


def played(name: str, c: Cache) -> Counter[str]:
    """The misses of a cache that lets go of what was used longest ago, in each of its sets."""
    sets: list[OrderedDict[int, None]] = [OrderedDict() for _ in range(c.sets)]
    misses: Counter[str] = Counter()
    for buffer, line in accesses(name)[1]:
        kept = sets[line % c.sets]
        if line not in kept:
            misses[buffer] += 1
        kept[line] = None
        kept.move_to_end(line)
        if len(kept) > (c.ways or c.lines):
            kept.popitem(last=False)
    return misses


def predicted(f: PrimFunc, c: Cache, cold: bool = True) -> Counter[str]:
    found: Counter[str] = Counter()
    for x in predict_misses(f, [c], {}, cold):
        found[x.buffer] += round(x.misses[c.name])
    return found


def blur_in_strips() -> Session:
    s = demo_session("blur", n=40)
    s.apply({"primitive": "split", "stage": "Y", "args": {"axis": "i", "factor": 8}})
    s.apply({"primitive": "compute_at", "stage": "X", "args": {"parent": "Y", "axis": "i.outer"}})
    return s


def strided() -> Session:
    A = te.placeholder((16, 64), name="A")
    B = te.compute((16, 16), lambda i, j: A[i, j * 4], name="B")
    return Session(te.create_schedule(B.op), [A, B])


def reread() -> Session:
    """An array of 256 lines, read twice."""
    A = te.placeholder((1024,), name="A")
    B = te.compute((1024,), lambda i: A[i] + 1.0, name="B")
    C = te.compute((1024,), lambda i: B[i] * A[i], name="C")
    return Session(te.create_schedule(C.op), [A, C])


PROGRAMS: dict[str, Callable[[], Session]] = {
    "matmul": lambda: programs.matmul(24),
    "matmul of columns of powers of two": lambda: programs.matmul(16),
    "tiled": lambda: programs.matmul(24, (8, 8), "io jo k ii ji"),
    "tiled another way": lambda: programs.matmul(24, (6, 12), "jo io ii k ji"),
    "row sum": lambda: programs.row_sum(8, 40),
    "dot": lambda: programs.dot(300),
    "add": lambda: programs.add(500),
    "transpose": lambda: programs.transpose(32),
    "larger transpose": lambda: programs.transpose(64),
    "blur": lambda: demo_session("blur", n=32),
    "blur in strips": blur_in_strips,
    "strided": strided,
    "read twice": reread,
}
CACHES = (Cache("tiny", 8), Cache("small", 48), Cache("with sets", 96, 6), Cache("large", 1024, 8))


@pytest.mark.parametrize("c", CACHES, ids=lambda c: c.name)
@pytest.mark.parametrize("name", PROGRAMS)
def test_as_a_cache_that_is_played(name: str, c: Cache) -> None:
    real, guess = played(name, c), predicted(accesses(name)[0], c)
    assert guess.total() == pytest.approx(real.total(), rel=0.25)
    for buffer, misses in real.items():
        assert guess[buffer] == pytest.approx(misses, rel=0.6, abs=0.05 * real.total() + 2), buffer


def test_what_fits_is_there_from_the_call_before() -> None:
    f = programs.add(500).passes[0][1]
    assert predicted(f, Cache("large", 1024), cold=False).total() == 0
    assert predicted(f, Cache("small", 48), cold=False).total() == 96  # three arrays of 32 lines


def test_rows_a_power_of_two_apart_drive_each_other_out_of_a_cache_with_sets() -> None:
    f, _ = accesses("larger transpose")  # rows of 256 bytes: every fourth set
    open_, with_sets = (predict_misses(f, [c], {}, cold=True) for c in (Cache("a", 128), Cache("a", 128, 2)))
    assert [round(x.misses["a"]) for x in open_ if x.buffer == "A"] == [256]
    (crowded,) = [x for x in with_sets if x.buffer == "A"]
    assert round(crowded.misses["a"]) == 64 * 64 == played("larger transpose", Cache("a", 128, 2))["A"]
    assert crowded.crowded == "a"
    assert all(not x.crowded for x in with_sets if x.buffer != "A")


def test_indices_from_memory_go_anywhere() -> None:
    f = programs.gather(4096).passes[0][1]
    (a,) = [x for x in predict_misses(f, [Cache("small", 16)], {}, cold=True) if x.buffer == "A"]
    assert not a.is_sequential and 200 < a.misses["small"] <= 4096


def test_symbolic_sizes_have_the_values_that_are_given() -> None:
    n = te.var("n")
    f = programs.add(n).passes[0][1]
    c = Cache("small", 16)
    assert [round(x.misses["small"]) for x in predict_misses(f, [c], {"n": 1600})] == [100, 100, 100]


def test_a_loop_of_no_iterations_fetches_nothing() -> None:
    n = te.var("n")
    f = programs.add(n).passes[0][1]
    assert sum(x.misses["small"] for x in predict_misses(f, [Cache("small", 16)], {"n": 0}, cold=True)) == 0


def test_accesses_far_apart_do_not_count_what_lies_between() -> None:
    A = te.placeholder((2, 100_000), name="A")
    B = te.compute((64,), lambda i: A[0, i] + A[1, i + 90_000], name="B")
    f = Session(te.create_schedule(B.op), [A, B]).passes[0][1]
    found = {x.buffer: x.misses["small"] for x in predict_misses(f, [Cache("small", 16)], {}, cold=True)}
    assert found["B"] == 4 and 8 <= found["A"] <= 10


def test_buffers_without_elements_are_no_trouble() -> None:
    n = te.var("n")
    A, at = te.placeholder((n,), name="A"), te.placeholder((8,), name="at", dtype="int32")
    B = te.compute((8,), lambda i: A[te.max(te.min(at[i], n - 1), 0)], name="B")
    f = Session(te.create_schedule(B.op), [A, at, B]).passes[0][1]
    found = predict_misses(f, [Cache("small", 16)], {"n": 0}, cold=True)
    assert sum(x.misses["small"] for x in found if x.buffer == "A") == 0
