"""The loops around an extern: what one call of its body is given, at the edges too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.lowering.passes import after
from tewb import te
from tewb.ir import AttrStmt, walk


def tiled(
    factors: tuple[int, ...], shape: tuple[Any, ...] = (10, 6), name: str = "simplify", **options: Any
) -> list[str]:
    """The loops of E = f(X) in tiles, without the calls."""
    X = te.placeholder(shape, name="X")
    E = te.extern(shape, [X], lambda i, o: te.call_packed("f", i[0], o[0]), name="E", **options)
    s = te.create_schedule(E.op)
    for d, factor in enumerate(factors):
        s[E].split(f"d{d}", factor)
    return [line for line in after(name, s, [X, E]).splitlines() if "T.evaluate" not in line]


def region(line: str) -> tuple[str, str]:
    """What an extern region reads and writes."""
    reads, writes = (line.split(f"{what}=['")[1].split("']")[0] for what in ("reads", "writes"))
    return reads, writes


def test_without_an_access_there_is_one_call_on_whole_tensors() -> None:
    (line,) = tiled(())
    assert region(line) == ("X[10, 6]", "E[10, 6]")


def test_a_tile_that_is_all_of_a_tensor_is_the_tensor() -> None:
    (line,) = tiled((), access=te.access.elementwise)
    assert region(line) == ("X[10, 6]", "E[10, 6]")


def test_the_last_tile_is_clipped() -> None:
    *loops, line = tiled((4,), access=te.access.elementwise)
    assert loops == ["for d0.outer in range(3):"]
    size = "T.min(d0.outer * 4 + 4, 10) - d0.outer * 4"
    assert region(line) == (f"X.tile[{size}, 6] at d0.outer * 24", f"E.tile[{size}, 6] at d0.outer * 24")


def test_the_last_tile_is_shifted_and_whole() -> None:
    line = tiled((4,), access=te.access.elementwise, tail="shift")[-1]
    assert region(line)[1] == "E.tile[4, 6] at T.min(d0.outer * 4, 6) * 6"


def test_the_last_tile_is_padded_with_zeros() -> None:
    lines = [line.strip() for line in tiled((4,), access=te.access.elementwise, tail="pad")]
    assert sum("T.extern_region" in line for line in lines) == 2  # directly where it fits, else on copies
    assert (
        "if T.likely(d0.outer * 4 < 7):" in lines
        or "if d0.outer * 4 < 7:" in lines
        or lines[0].startswith("for")
    )
    assert [line for line in lines if "T.allocate" in line] == [
        'X.pack = T.allocate((4, 6), "float32")',
        'E.pack = T.allocate((4, 6), "float32")',
    ]
    assert (
        "X.pack[ax0, ax1] = T.if_then_else(d0.outer * 4 + ax0 < 10, X[d0.outer * 4 + ax0, ax1], T.float32(0.0))"
        in lines
    )
    stored = lines.index("E[d0.outer * 4 + ax0, ax1] = E.pack[ax0, ax1]")
    assert lines[stored - 1] == "if d0.outer * 4 + ax0 < 10:"


def test_tiles_that_divide_are_not_padded() -> None:
    text = "\n".join(tiled((5,), access=te.access.elementwise, tail="pad"))
    assert "pack" not in text and "min" not in text


def test_compact_tiles_are_copied_only_where_elements_lie_apart() -> None:
    lines = [line.strip() for line in tiled((5, 3), access=te.access.elementwise, compact=True)]
    assert "X.pack[ax0, ax1] = X[d0.outer * 5 + ax0, d1.outer * 3 + ax1]" in lines
    assert "E[d0.outer * 5 + ax0, d1.outer * 3 + ax1] = E.pack[ax0, ax1]" in lines
    assert "pack" not in "".join(tiled((5,), access=te.access.elementwise, compact=True))  # whole rows
    assert "pack" not in "".join(tiled((1, 3), access=te.access.elementwise, compact=True))  # one row


def test_a_stencil_at_the_edge_reads_what_is_there() -> None:
    reads, _ = region(tiled((5,), access=te.access.stencil(1))[-1])
    assert reads.startswith("X.tile[T.min(d0.outer * 5 + 6, 10) - T.max(d0.outer * 5 - 1, 0), 6] at ")


@pytest.mark.parametrize("checked", [False, True])
def test_checked_externs_say_where_their_parts_are(checked: bool) -> None:
    X = te.placeholder((8,), name="X")
    E = te.extern((8,), [X], lambda i, o: te.call_packed("f", i[0], o[0]), name="E", access=te.access.elementwise,
                  effect="pure")  # fmt: skip
    s = te.create_schedule(E.op)
    s[E].split("d0", 4)
    with tewb.PassContext(config={"tewb.checked_externs": checked}):
        body = tewb.lower(s, [X, E])["main"].body
    attributes = [(n.key, str(n.value)) for n in walk(body) if isinstance(n, AttrStmt)]
    parts = [(key, value) for key, value in attributes if key != "extern_scope"]
    assert [key for key, _ in parts] == (["extern_writes", "extern_reads"] if checked else [])
    assert all(value == "T.tvm_tuple(d0.outer * 4, d0.outer * 4, 4)" for _, value in parts)
    (scope,) = [n.node for n in walk(body) if isinstance(n, AttrStmt) and n.key == "extern_scope"]
    assert scope.effect == "pure"


def sums_of_three(a: Any, b: Any, ai: int, bi: int) -> None:
    """The sums of each row and its neighbours; beyond an edge are zeros."""
    for i in range(b.shape[0]):
        y = bi + i - ai
        b[i] = a[max(y - 1, 0) : y + 2].sum(axis=0)


@pytest.mark.parametrize("tail", ["pad", "clip"])
@pytest.mark.parametrize("factor", [2, 4, 7])
@pytest.mark.parametrize("reads_kept", [False, True])
def test_tiles_that_are_longer_than_what_is_needed_stay_in_memory(
    tail: str, factor: int, reads_kept: bool
) -> None:
    """Of a symbolic size an eighth is needed at a time, of which memory has no more."""
    tewb.register_func("tests.sums_of_three", sums_of_three, override=True)
    n = te.var("n")
    A = te.placeholder((n, 5), "int32", name="A")
    X = te.compute((n, 5), lambda i, j: A[i, j] + 1, name="X") if reads_kept else A
    S = te.extern(
        A.shape, [X],
        lambda i, o, tile: te.call_packed("tests.sums_of_three", i[0], o[0], tile.inputs[0].origin[0], tile.origin[0]),
        access=te.access.stencil((1, 0)), tail=tail, compact=False, effect="idempotent", name="S", dtype="int32",
    )  # fmt: skip
    C = te.compute((n, 5), lambda i, j: S[i, j] * 2, name="C")
    s = te.create_schedule(C.op)
    s[S].split("d0", factor)
    outer, _ = s[C].split("i", nparts=8)
    s[S].compute_at(s[C], outer)
    if reads_kept:
        s[X].compute_at(s[C], outer)
    kernel = tewb.build(s, [A, C], debug=True)
    for rows in (1, 2, 3, 5, 8, 20):
        a = np.random.default_rng(rows).integers(0, 9, (rows, 5)).astype("int32")
        c = np.zeros_like(a)
        kernel(a, c)
        p = np.pad(a + reads_kept, ((1, 1), (0, 0)))
        np.testing.assert_array_equal(c, 2 * (p[:-2] + p[1:-1] + p[2:]))
