"""Tiles that are transposed in registers give what the definition says, for all sizes, dtypes and layouts."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.ir.test_parser import every_pass
from tests.lowering.passes import after
from tests.programs import assert_same_result, schedule_for
from tewb import te
from tewb.ir import Allocate, Shuffle, walk
from tewb.tensor import Tensor
from tewb.testing import evaluate

Program = tuple[list[Tensor], list[Tensor]]


def plain(n: int, m: int, dtype: str = "float32") -> Program:
    A = te.placeholder((n, m), name="A", dtype=dtype)
    return [A], [te.compute((m, n), lambda i, j: A[j, i], name="B")]


def mixed(n: int, m: int, dtype: str = "float32") -> Program:
    """A transposed read, a broadcast along either loop, and a read that lies right already."""
    A, c = te.placeholder((n, m), name="A", dtype=dtype), te.placeholder((n,), name="c", dtype=dtype)
    r, D = te.placeholder((m,), name="r", dtype=dtype), te.placeholder((m, n), name="D", dtype=dtype)
    zero = te.const(0, dtype)
    return [A, c, r, D], [
        te.compute((m, n), lambda i, j: te.max(A[j, i], zero) * c[j] + D[i, j] - r[i], name="B")
    ]


def several(n: int, m: int, dtype: str = "float32") -> Program:
    """Several transposed reads: one twice, one of neighbours, one of another dtype."""
    A, E = te.placeholder((n, m + 1), name="A", dtype=dtype), te.placeholder((n, m), name="E", dtype="int8")
    return [A, E], [
        te.compute((m, n), lambda i, j: A[j, i] * A[j, i] - A[j, i + 1] + E[j, i].astype(dtype), name="B")
    ]


def pair(n: int, m: int, dtype: str = "float32") -> Program:
    """Two results, one of which lies along each loop."""
    A = te.placeholder((n, m), name="A", dtype=dtype)
    D = te.placeholder((m, n), name="D", dtype=dtype)
    return [A, D], list(te.compute((m, n), lambda i, j: (A[j, i] + D[i, j], D[i, j]), name="B"))


def summed(n: int, m: int, dtype: str = "float32") -> Program:
    A = te.placeholder((3, n, m), name="A", dtype=dtype)
    k = te.reduce_axis((0, 3), name="k")
    return [A], [te.compute((m, n), lambda i, j: te.sum(A[k, j, i], axis=k), name="B")]


def chosen(n: int, m: int, dtype: str = "float32") -> Program:
    """A transposed read that some iterations must not make."""
    A = te.placeholder((n, m), name="A", dtype=dtype)
    D = te.placeholder((n, m), name="D", dtype=dtype)
    zero = te.const(0, dtype)
    return [A, D], [
        te.compute((m, n), lambda i, j: te.if_then_else(i > j, A[j, i], zero) + D[j, i], name="B")
    ]


def wide(n: int, m: int, dtype: str = "float32") -> Program:
    """A transposed read whose indices were made wider."""
    A = te.placeholder((n, m), name="A", dtype=dtype)
    return [A], [te.compute((m, n), lambda i, j: A[j.astype("int64"), i.astype("int64")], name="B")]


PROGRAMS: list[Callable[..., Program]] = [plain, mixed, several, pair, summed, chosen, wide]


def tiled(program: Program, rows: int, lanes: int, swap: bool = False) -> Any:
    """The first stage of `program` in tiles, the inner loops of which are transposed."""
    s = schedule_for(program[1])
    B = s["B"]
    io, ii = B.split("i", factor=rows)
    jo, ji = B.split("j", factor=lanes)
    k = [iv.name for iv in B.op.reduce_axis]
    tile = (ji, ii) if swap else (ii, ji)
    B.reorder(io, jo, *k, *tile)
    B.transpose(*tile)
    return s


def shuffles(s: Any, program: Program) -> int:
    body = tewb.lower(s, program[0] + program[1])["main"].body
    return sum(isinstance(n, Shuffle) for n in walk(body))


# ---------------------------------------------------------------- results


@pytest.mark.one_in(4)
@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("n, m", [(32, 16), (37, 21), (16, 61)])
@pytest.mark.parametrize("rows, lanes", [(8, 8), (2, 8), (8, 2), (4, 16)])
def test_tiles_compute_the_same(program: Any, n: int, m: int, rows: int, lanes: int) -> None:
    made = program(n, m)
    s = tiled(made, rows, lanes)
    assert shuffles(s, made) > 0
    assert_same_result(s, *made, debug=n == 37)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("program", [plain, mixed, several, pair, summed])
@pytest.mark.parametrize("rows, lanes", [(8, 8), (4, 16), (16, 4), (2, 4)])
def test_the_store_is_turned_when_the_loops_change_places(program: Any, rows: int, lanes: int) -> None:
    made = program(45, 50)
    s = tiled(made, rows, lanes, swap=True)
    text = str(tewb.lower(s, made[0] + made[1]))
    assert "B.tile" in text or "B.v0.tile" in text
    assert_same_result(s, *made)


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("dtype", "size"),
    [("float64", 8), ("int64", 8), ("float32", 16), ("int16", 32), ("uint16", 16), ("uint8", 64), ("int8", 32), ("bool", 64)],
)  # fmt: skip
@pytest.mark.parametrize("n, m", [(64, 64), (67, 130)])
def test_full_registers_of_every_dtype(dtype: str, size: int, n: int, m: int) -> None:
    made = plain(n, m, dtype)
    s = tiled(made, size, size)
    stages = size.bit_length() - 1
    assert shuffles(s, made) == stages * size if n == m else shuffles(s, made) > stages * size  # tails of 2
    assert_same_result(s, *made)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("seed", range(60))
def test_random_tiles_compute_the_same(seed: int) -> None:
    rng = random.Random(seed)
    dtype = rng.choice(["float32", "float64", "int32", "int16"])
    made = rng.choice(PROGRAMS)(rng.randint(1, 70), rng.randint(1, 70), dtype)
    s = schedule_for(made[1])
    B = s["B"]
    xo, yo, xi, yi = B.tile("i", "j", rng.choice([1, 2, 4, 8, 16]), rng.choice([1, 2, 4, 8, 16]))
    order = [xi, yi] if rng.random() < 0.6 else [yi, xi]
    B.reorder(xo, yo, *[iv.name for iv in B.op.reduce_axis], *order)
    step = tewb.schedule.Step("transpose", "B", {"rows": order[0].name, "lanes": order[1].name})
    if s.why_not(step) is None:
        s.apply(step)
    if rng.random() < 0.5:
        B.parallel(B.fuse(xo, yo) if rng.random() < 0.5 else xo)
    elif rng.random() < 0.3:
        B.unroll(yo)
    assert_same_result(s, *made, seed=seed, debug=seed % 4 == 0)


# ---------------------------------------------------------------- what it looks like


def test_a_tile_of_two_by_two_as_text() -> None:
    inputs, outputs = plain(2, 4)
    s = schedule_for(outputs)
    _, inner = s["B"].split("i", factor=2)
    s["B"].transpose(inner, "j")
    assert after("vectorize_loops", s, inputs + outputs) == (
        "for i.outer in range(2):\n"
        '    A.tile = T.allocate((2, 2, 2), "float32", scope="register")\n'
        "    for j in T.unroll(2):\n"
        "        A.tile[0, j, 0:2] = A[j, i.outer * 2:i.outer * 2 + 2]\n"
        "    A.tile[1, 0, 0:2] = T.Shuffle([A.tile[0, 0, 0:2], A.tile[0, 1, 0:2]], [0, 2])\n"
        "    A.tile[1, 1, 0:2] = T.Shuffle([A.tile[0, 0, 0:2], A.tile[0, 1, 0:2]], [1, 3])\n"
        "    for i.inner in T.unroll(2):\n"
        "        B[i.outer * 2 + i.inner, 0:2] = A.tile[1, i.inner, 0:2]"
    )


def test_pixels_of_three_channels_as_text() -> None:
    inputs, outputs = planes(2, 3)
    s = schedule_for(outputs)
    s["P"].transpose("c", "i")
    assert after("simplify again", s, inputs + outputs) == (
        'A = T.Buffer((6,), "float32", data=A.data)\n'
        'A.tile = T.allocate((3, 2), "float32", scope="register")\n'
        "A.tile[0, 0:2] = T.Shuffle([A[0:6]], [0, 3])\n"
        "A.tile[1, 0:2] = T.Shuffle([A[0:6]], [1, 4])\n"
        "A.tile[2, 0:2] = T.Shuffle([A[0:6]], [2, 5])\n"
        "P[0, 0:2] = A.tile[0, 0:2] + A.tile[0, 0:2]\n"
        "P[1, 0:2] = A.tile[1, 0:2] + A.tile[1, 0:2]\n"
        "P[2, 0:2] = A.tile[2, 0:2] + A.tile[2, 0:2]"
    )


def test_the_stages_are_loops_until_they_are_unrolled() -> None:
    inputs, outputs = plain(8, 8)
    s = schedule_for(outputs)
    s["B"].transpose("i", "j")
    text = after("vectorize_loops", s, inputs + outputs)
    assert "for pair in T.unroll(4)" in text and "for group in T.unroll(4)" in text
    zipped = "T.Shuffle([A.tile[0, group * 4 + pair, 0:8], A.tile[0, group * 4 + pair + 2, 0:8]], [0, 8, 1, 9, 4, 12, 5, 13])"
    assert zipped in text


@pytest.mark.one_in(3)
@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("swap", [False, True])
def test_every_pass_prints_and_parses_back(program: Any, swap: bool) -> None:
    made = program(21, 13)
    if swap and program is chosen:
        return
    texts = every_pass(tiled(made, 4, 8, swap), made[0] + made[1])
    assert any("T.Shuffle" in t for t in texts)


def test_only_what_every_iteration_loads_is_loaded_ahead() -> None:
    made = chosen(16, 16)
    held = [n.buffer.name for n in walk(tewb.lower(tiled(made, 8, 8), made[0] + made[1])["main"].body)
            if isinstance(n, Allocate)]  # fmt: skip
    assert set(held) == {"D.tile"}


def test_a_read_that_is_made_twice_is_turned_once() -> None:
    made = several(16, 16)
    text = after("vectorize_loops", tiled(made, 16, 16), made[0] + made[1])
    assert text.count("T.allocate") == 3  # A[j, i], A[j, i + 1] and E[j, i]


def test_vectors_can_be_switched_off() -> None:
    made = mixed(16, 16)
    s = tiled(made, 8, 8)
    with tewb.PassContext(config={"tir.disable_vectorize": True}):
        assert shuffles(s, made) == 0
        assert_same_result(s, *made)


# ---------------------------------------------------------------- elements side by side


def planes(n: int, channels: int, dtype: str = "float32") -> Program:
    A = te.placeholder((n, channels), name="A", dtype=dtype)
    return [A], [te.compute((channels, n), lambda c, i: A[i, c] + A[i, c], name="P")]


def pixels(n: int, channels: int, dtype: str = "float32") -> Program:
    A = te.placeholder((channels, n), name="A", dtype=dtype)
    return [A], [te.compute((n, channels), lambda i, c: A[c, i] * A[c, i], name="P")]


@pytest.mark.one_in(4)
@pytest.mark.parametrize("channels", [2, 3, 4, 5, 7, 8])
@pytest.mark.parametrize("program", [planes, pixels])
@pytest.mark.parametrize(
    "n, lanes, dtype", [(32, 16, "float32"), (37, 8, "float32"), (67, 8, "int64"), (130, 64, "uint8")]
)
def test_channels_are_taken_out_of_a_line_and_put_into_one(
    program: Any, channels: int, n: int, lanes: int, dtype: str
) -> None:
    made = program(n, channels, dtype)
    s = schedule_for(made[1])
    outer, inner = s["P"].split("i", factor=lanes)
    s["P"].reorder(outer, "c", inner)
    s["P"].transpose("c", inner)
    assert shuffles(s, made) > 0
    assert_same_result(s, *made)
    assert_same_result(s, *made, debug=True)
    every_pass(s, made[0] + made[1])


@pytest.mark.parametrize("height, width", [(4, 16), (5, 21)])
def test_nchw_and_nhwc_become_each_other(height: int, width: int) -> None:
    X = te.placeholder((2, 8, height, width), name="X")
    Y = te.compute((2, height, width, 8), lambda n, h, w, c: X[n, c, h, w], name="Y")
    Z = te.compute((2, 8, height, width), lambda n, c, h, w: te.max(Y[n, h, w, c], 0.0), name="Z")
    s = te.create_schedule(Z.op)
    for T, rows, lanes in ((Y, "w", "c"), (Z, "c", "w")):
        outer, inner = s[T].split("w", factor=8)
        rows, lanes = (inner.name if x == "w" else x for x in (rows, lanes))
        s[T].reorder("n", "h", outer, rows, lanes)
        s[T].transpose(rows, lanes)
    assert_same_result(s, [X], [Z])
    assert str(tewb.lower(s, [X, Z])).count("T.Shuffle") >= 2 * 24


# ---------------------------------------------------------------- among other primitives


def test_a_packed_panel_of_a_matmul_is_turned() -> None:
    n, m, k = 19, 40, 24
    A, B = te.placeholder((n, k), name="A"), te.placeholder((k, m), name="B")
    P = te.compute(((n + 7) // 8, k, 8), lambda o, x, i: A[te.min(o * 8 + i, n - 1), x], name="P")
    r = te.reduce_axis((0, k), name="r")
    C = te.compute((n, m), lambda i, j: te.sum(P[i // 8, r, i % 8] * B[r, j], axis=r), name="C")
    s = te.create_schedule(C.op)
    _, inner = s[P].split("x", factor=8)
    s[P].transpose(inner, "i")
    assert "A.tile" in str(tewb.lower(s, [A, B, C]))
    assert_same_result(s, [A, B], [C])


def test_a_copy_of_a_tile_is_turned_where_it_is_computed() -> None:
    A = te.placeholder((40, 36), name="A")
    T = te.compute((36, 40), lambda i, j: A[j, i] * 2.0, name="T")
    C = te.compute((36, 40), lambda i, j: T[i, j] + 1.0, name="C")
    s = te.create_schedule(C.op)
    xo, yo, xi, yi = s[C].tile("i", "j", 8, 8)
    s[T].compute_at(s[C], yo)
    s[T].transpose("i", "j")  # all of T is 36 x 40, and 8 x 8 of it are made at a time
    assert "A.tile" in str(tewb.lower(s, [A, C]))
    assert_same_result(s, [A], [C])


def test_copies_of_a_tile_that_is_unrolled_take_turns_on_the_stack() -> None:
    made = plain(64, 64)
    s = tiled(made, 8, 8)
    s["B"].unroll("j.outer")
    kernel = tewb.build(s, made[0] + made[1])
    assert str(tewb.lower(s, made[0] + made[1])).count("T.allocate") == 8
    assert kernel.get_source("ll0").count("alloca [128 x float]") == 1
    assert "alloca" not in kernel.get_source("ll")  # all of it went into registers
    assert_same_result(s, *made)


def test_the_benchmark_is_right_where_nothing_divides() -> None:
    from tests.bench.transpose import planes as apart
    from tests.bench.transpose import transpose

    for (s, args), shape, dtype in (
        (transpose(75, 1030), (75, 1030), "float32"),
        (apart(1000, 3), (1000, 3), "uint8"),
        (apart(130, 4), (130, 4), "uint8"),
    ):
        a = np.random.default_rng(0).integers(0, 200, shape).astype(dtype)
        b = np.zeros(shape[::-1], dtype)
        tewb.build(s, args)(a, b)
        np.testing.assert_array_equal(b, a.T)


def test_a_tile_that_grows_too_large_for_registers_is_taken_as_ever() -> None:
    A = te.placeholder((64, 64), name="A")
    T = te.compute((64, 64), lambda i, j: A[j, i] * 2.0, name="T")
    C = te.compute((64, 64), lambda i, j: T[i, j] + 1.0, name="C")
    s = te.create_schedule(C.op)
    yo = s[C].tile("i", "j", 8, 8)[1]
    s[T].compute_at(s[C], yo)
    s[T].transpose("i", "j")
    s[T].compute_root()
    assert "T.Shuffle" not in str(tewb.lower(s, [A, C]))
    assert_same_result(s, [A], [C])


def test_what_is_inlined_is_turned_with_its_reader() -> None:
    A = te.placeholder((20, 24), name="A")
    T = te.compute((20, 24), lambda i, j: A[i, j] - 1.0, name="T")
    B = te.compute((24, 20), lambda i, j: T[j, i] * 3.0, name="B")
    s = te.create_schedule(B.op)
    s[T].compute_inline()
    xo, yo, xi, yi = s[B].tile("i", "j", 8, 4)
    s[B].transpose(xi, yi)
    assert "A.tile" in str(tewb.lower(s, [A, B]))
    assert_same_result(s, [A], [B])


@te.hybrid.script
def turned(a, n, m):  # type: ignore[no-untyped-def]
    b = output_tensor((m, n), "float32")  # type: ignore[name-defined]  # noqa: F821
    for i in range(m):
        for j in range(n):
            b[i, j] = a[j, i] * 2.0
    return b


@pytest.mark.parametrize("n, m", [(16, 16), (21, 35)])
def test_loops_of_a_hybrid_function_are_turned(n: int, m: int) -> None:
    A = te.placeholder((n, m), name="A")
    B = turned(A, n, m)
    s = te.create_schedule(B.op)
    xo, yo, xi, yi = s[B].tile("i", "j", 8, 8)
    s[B].transpose(xi, yi)
    assert "T.Shuffle" in str(tewb.lower(s, [A, B]))
    a, b = np.random.rand(n, m).astype("float32"), np.zeros((m, n), "float32")
    tewb.build(s, [A, B])(a, b)
    np.testing.assert_array_equal(b, a.T * 2)


# ---------------------------------------------------------------- layouts of the caller


def views(n: int, m: int) -> dict[str, Any]:
    """Arrays of n x m with the same values and different strides."""
    a = np.arange(n * m, dtype="float32").reshape(n, m)
    wide = np.zeros((n, 2 * m), "float32")
    wide[:, ::2] = a
    framed = np.zeros((n + 3, m + 5), "float32")
    framed[2 : n + 2, 4 : m + 4] = a
    return {
        "rows": a,
        "columns": np.asfortranarray(a),
        "every second": wide[:, ::2],
        "part": framed[2 : n + 2, 4 : m + 4],
        "backwards": a[::-1, ::-1].copy()[::-1, ::-1],
        "broadcast": np.broadcast_to(a[0], (n, m)),
    }


@pytest.mark.one_in(4)
@pytest.mark.parametrize("kind", views(1, 1))
@pytest.mark.parametrize("out", ["rows", "columns", "every second", "part", "backwards"])
@pytest.mark.parametrize("n, m", [(16, 24), (13, 21)])
def test_views_of_any_strides_are_turned_right(kind: str, out: str, n: int, m: int) -> None:
    (A,), (B,) = plain(n, m)
    s = tiled(([A], [B]), 8, 8)
    binds = {
        t: te.decl_buffer(t.shape, t.dtype, t.name, strides=[te.var(f"{t.name}.s{d}") for d in range(2)])
        for t in (A, B)
    }
    kernel = tewb.build(s, [A, B], binds=binds)
    a, b = views(n, m)[kind], views(m, n)[out]
    b[...] = -1
    kernel(a, b)
    np.testing.assert_array_equal(b, a.T)


@pytest.mark.parametrize("kind", ["columns", "every second", "backwards"])
def test_channels_of_a_strided_image_are_taken_apart(kind: str) -> None:
    (A,), (P,) = planes(24, 3)
    s = schedule_for([P])
    outer, inner = s["P"].split("i", factor=8)
    s["P"].reorder(outer, "c", inner)
    s["P"].transpose("c", inner)
    strides = [te.var("s"), te.var("t")]
    kernel = tewb.build(s, [A, P], binds={A: te.decl_buffer(A.shape, name="A", strides=strides)})
    a, p = views(24, 3)[kind], np.zeros((3, 24), "float32")
    kernel(a, p)
    np.testing.assert_array_equal(p, a.T * 2)


def test_rows_further_apart_than_the_tile_is_wide_are_turned_as_declared() -> None:
    """A declared stride that makes the channels of a padded image lie apart from those of the next pixel."""
    (A,), (P,) = planes(24, 3)
    s = schedule_for([P])
    outer, inner = s["P"].split("i", factor=8)
    s["P"].reorder(outer, "c", inner)
    s["P"].transpose("c", inner)
    kernel = tewb.build(s, [A, P], binds={A: te.decl_buffer(A.shape, name="A", strides=[4, 1])})
    padded = np.arange(96, dtype="float32").reshape(24, 4)
    p = np.zeros((3, 24), "float32")
    kernel(padded[:, :3], p)
    np.testing.assert_array_equal(p, padded[:, :3].T * 2)


def test_symbolic_sizes_keep_their_guards() -> None:
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((n, m), name="A")
    B = te.compute((m, n), lambda i, j: A[j, i], name="B")
    s = tiled(([A], [B]), 8, 8)
    kernel = tewb.build(s, [A, B])
    for shape in [(8, 8), (24, 16), (3, 19), (1, 1), (17, 8)]:
        a, b = np.random.rand(*shape).astype("float32"), np.zeros(shape[::-1], "float32")
        kernel(a, b)
        np.testing.assert_array_equal(b, a.T)


def test_the_reference_agrees() -> None:
    (A,), (B,) = plain(5, 7)
    a = np.random.rand(5, 7).astype("float32")
    np.testing.assert_array_equal(evaluate([B], {A: a})[0], a.T)
