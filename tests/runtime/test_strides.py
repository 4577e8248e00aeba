"""Strided buffers: every layout of numpy runs without a copy, in compute, extern and hybrid, or is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tewb
from tests.examples import examples
from tewb import te
from tewb.base import ArgumentError, BoundError, ExternError, LowerError
from tewb.runtime import arguments, remove_global_func

N, M = 6, 8
SEEN: list[Any] = []


@pytest.fixture(autouse=True)
def packed() -> Iterator[None]:
    SEEN.clear()

    def double(a: Any, b: Any) -> None:
        SEEN.append((a, b))
        b[...] = a * 2

    tewb.register_func("test.strides.double", double, override=True)
    yield
    remove_global_func("test.strides.double")


@pytest.fixture
def no_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    def copy(*_: Any) -> None:
        raise AssertionError("an array was copied")

    monkeypatch.setattr(arguments, "compact_copy", copy)
    monkeypatch.setattr(arguments, "same_layout_copy", copy)


# ---------------------------------------------------------------- programs: B = A * 2


def by_compute(A: Any) -> Any:
    return te.compute(A.shape, lambda *i: A(*i) * 2.0, name="B")


def by_packed(A: Any, **options: Any) -> Any:
    def body(ins: Any, outs: Any) -> Any:
        return te.call_packed("test.strides.double", ins[0], outs[0])

    return te.extern(A.shape, [A], body, name="B", dtype="float32", **options)


def by_tiles(A: Any) -> Any:
    return by_packed(A, access=te.access.elementwise)


def by_statements(A: Any) -> Any:
    def body(ins: Any, outs: Any) -> Any:
        ib = tewb.tir.ir_builder.create()
        a, b = ib.buffer_ptr(ins[0]), ib.buffer_ptr(outs[0])
        with ib.for_range(0, A.shape[0], name="i") as i, ib.for_range(0, A.shape[1], name="j") as j:
            b[i, j] = a[i, j] * 2.0
        return ib.get()

    return te.extern(A.shape, [A], body, name="B", dtype="float32")


@te.hybrid.script
def doubled(a):
    b = output_tensor(a.shape, a.dtype)  # noqa: F821
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            b[i, j] = a[i, j] * 2.0
    return b


def by_hybrid(A: Any) -> Any:
    return doubled(A)


WAYS = [by_compute, by_packed, by_tiles, by_statements, by_hybrid]


def declared(t: Any, name: str, strides: Any, **options: Any) -> Any:
    return te.decl_buffer(t.shape, t.dtype, name, strides=strides, **options)


def variables(name: str, rank: int = 2, dtype: str = "int32") -> list[Any]:
    return [te.var(f"{name}{d}", dtype) for d in range(rank)]


def kernel(
    way: Callable[[Any], Any], strides: Any = None, out: Any = None, shape: Any = (N, M), **options: Any
) -> Any:
    """The kernel of `way` with buffers of the strides given (None: symbols) for the input and the output."""
    A = te.placeholder(shape, name="A")
    B = way(A)
    s = te.create_schedule(B.op)
    if way is by_tiles:
        s[B].tile(*s[B].leaf_iter_vars[:2], 4, 4)
    binds = {A: declared(A, "A", strides or variables("p")), B: declared(B, "B", out or variables("q"))}
    return tewb.build(s, [A, B], binds=binds, **options)


# ---------------------------------------------------------------- layouts: a view of shape (N, M)

BASE = np.arange(40 * 40, dtype="float32").reshape(40, 40)

LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "contiguous": lambda x: x.reshape(-1)[: N * M].reshape(N, M),
    "transposed": lambda x: x[:M, :N].T,
    "every second column": lambda x: x[:N, : 2 * M : 2],
    "rows with an offset": lambda x: x[3 : 3 + N, 5 : 5 + M],
    "negative strides": lambda x: x[N - 1 :: -1, M - 1 :: -1],
    "columns backwards": lambda x: x[:N, 2 * M :: -2][:, :M],
    "transposed backwards": lambda x: x[M - 1 :: -1, :N].T,
}
BROADCASTS: dict[str, Callable[[Any], Any]] = {
    "a row": lambda x: np.broadcast_to(x[2, :M], (N, M)),
    "a column": lambda x: np.broadcast_to(x[:N, 3:4], (N, M)),
    "a number": lambda x: np.broadcast_to(x[3:4, 3:4], (N, M)),
    "windows": lambda x: np.lib.stride_tricks.sliding_window_view(x[0], M)[:N],
}


def check(k: Any, a: Any, out: Any) -> None:
    memory = BASE * 0 - 1
    b = out(memory)
    k(a, b)
    np.testing.assert_array_equal(b, a * 2)
    want = BASE * 0 - 1
    out(want)[...] = a * 2
    np.testing.assert_array_equal(memory, want)  # and nothing else was written


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_every_layout_runs_without_a_copy(way: Any, debug: bool, no_copies: None) -> None:
    k = kernel(way, debug=debug)
    for view in (LAYOUTS | BROADCASTS).values():
        for out in LAYOUTS.values():
            check(k, view(BASE), out)


@pytest.mark.parametrize("way", WAYS)
def test_constant_strides(way: Any, no_copies: None) -> None:
    for name in ("transposed", "every second column", "negative strides", "a row", "windows"):
        view = (LAYOUTS | BROADCASTS)[name]
        strides = [s // 4 for s in view(BASE).strides]
        out = LAYOUTS["transposed"] if name in BROADCASTS else view
        k = kernel(way, strides, [s // 4 for s in out(BASE).strides], debug=name == "windows")
        check(k, view(BASE), out)


@pytest.mark.parametrize("way", WAYS)
def test_symbolic_shapes(way: Any, no_copies: None) -> None:
    n, m = te.var("n"), te.var("m")
    k = kernel(way, shape=(n, m))
    for view in (LAYOUTS | BROADCASTS).values():
        check(k, view(BASE), LAYOUTS["columns backwards"])
    check(k, BASE[:1, :30].T[::-2], lambda x: x[10:25, 7:8])


@pytest.mark.parametrize("way", WAYS)
def test_constant_and_symbolic_strides_mix(way: Any, no_copies: None) -> None:
    k = kernel(way, [te.var("row"), 1], [te.var("out"), 2])
    check(k, LAYOUTS["rows with an offset"](BASE), LAYOUTS["every second column"])


@pytest.mark.parametrize("way", WAYS)
def test_compact_arrays_and_strided_ones_mix(way: Any, no_copies: None) -> None:
    A = te.placeholder((N, M), name="A")
    H = te.compute((N, M), lambda i, j: A[i, j] + 1.0, name="H")
    B = way(H)
    C = te.compute((N, M), lambda i, j: B[i, j] - 3.0, name="C")
    s = te.create_schedule(C.op)
    k = tewb.build(
        s, [A, B, C], binds={A: declared(A, "A", variables("p")), C: declared(C, "C", variables("r"))}
    )
    a, b, c = BASE[:M, :N].T, np.zeros((N, M), "float32"), np.zeros((N, 3 * M), "float32")[:, ::3]
    k(a, b, c)
    np.testing.assert_array_equal(b, (a + 1) * 2)
    np.testing.assert_array_equal(c, b - 3)


def test_packed_functions_see_the_caller_s_memory() -> None:
    a, b = BASE[:M, :N].T, np.zeros((N, 2 * M), "float32")[:, ::2]
    kernel(by_packed)(a, b)
    ((seen, made),) = SEEN
    assert (seen.strides, made.strides) == (a.strides, b.strides)
    assert np.shares_memory(seen, a) and np.shares_memory(made, b)
    SEEN.clear()
    kernel(by_tiles)(a, b)
    assert {s.shape for s, _ in SEEN} == {(4, 4), (2, 4)}
    assert {s.strides for s, _ in SEEN} == {a.strides} and all(np.shares_memory(s, a) for s, _ in SEEN)


def test_a_scheduled_matmul_on_any_layout(no_copies: None) -> None:
    from tests.bench.matmul import scheduled

    s, args = scheduled(20, 70, 9)
    k = tewb.build(s, args, binds={t: declared(t, t.name, variables(t.name)) for t in args})
    rng = np.random.default_rng(0)
    a = rng.integers(-9, 9, (9, 20)).astype("float32").T
    b = rng.integers(-9, 9, (9, 140)).astype("float32")[::-1, ::2]
    for c in (
        np.zeros((20, 70), "float32"),
        np.zeros((70, 20), "float32").T,
        np.zeros((20, 141), "float32")[:, 140:0:-2],
    ):
        for x in (a, np.ascontiguousarray(a)):
            for y in (b, np.ascontiguousarray(b)):
                k(x, y, c)
                np.testing.assert_array_equal(c, x @ y)


@pytest.mark.parametrize("dtype", ["float32", "int8", "bool", "float64"])
def test_long_vectors_of_every_dtype_walk_with_symbolic_strides(dtype: str, no_copies: None) -> None:
    A = te.placeholder((3, 64), name="A", dtype=dtype)
    B = te.compute((3, 64), lambda i, j: te.if_then_else(i == 1, A[0, j], A[i, j]), name="B")
    s = te.create_schedule(B.op)
    s[B].vectorize("j")
    for debug in (False, True):
        k = tewb.build(
            s, [A, B], binds={t: declared(t, t.name, variables(t.name)) for t in (A, B)}, debug=debug
        )
        a = (np.random.default_rng(0).random((64, 3)) * 2).astype(dtype).T
        b = np.zeros((3, 128), dtype)[:, ::-2]
        k(a, b)
        np.testing.assert_array_equal(b, a[[0, 0, 2]])


def test_parallel_loops_know_the_strides() -> None:
    A = te.placeholder((N, M), name="A")
    B = by_compute(A)
    s = te.create_schedule(B.op)
    s[B].parallel(s[B].leaf_iter_vars[0])
    for debug in (False, True):
        k = tewb.build(
            s, [A, B], binds={t: declared(t, t.name, variables(t.name)) for t in (A, B)}, debug=debug
        )
        check(k, BASE[:M, :N].T, LAYOUTS["negative strides"])


@pytest.mark.timeout(60)
def test_a_view_that_repeats_itself_is_copied_once() -> None:
    """A misaligned array is copied, and its copy repeats itself as it does: 2**31 times the same is not written out."""
    A = te.placeholder((3, 2**31 + 9), "int64", name="A")
    B = te.compute((3,), lambda i: A[i, 2**31 - i.astype("int64")], name="B")
    k = tewb.build(
        te.create_schedule(B.op), [A, B], binds={A: declared(A, "A", variables("p", dtype="int64"))}
    )
    memory = np.zeros(25, "uint8")
    column = np.ndarray((3, 1), "int64", memory, 1)
    column[...] = [[5], [6], [7]]
    b = np.zeros(3, "int64")
    k(np.broadcast_to(column, (3, 2**31 + 9)), b)
    np.testing.assert_array_equal(b, [5, 6, 7])


@pytest.mark.parametrize(
    ("out", "strides"),
    [
        ([1, N], (1, N)),
        ([-2 * M, 2], (-2 * M, 2)),
        ([te.var("s"), -1], (M, -1)),
        ([2, te.var("t")], (2, 1 + 2 * (N - 1))),
        ([te.var("q"), te.var("r")], (M, 1)),
    ],
)
def test_an_output_of_declared_strides_is_made_when_it_is_left_out(out: Any, strides: Any) -> None:
    k = kernel(by_compute, [M, 1], out)
    a = np.ascontiguousarray(BASE[:N, :M])
    for _ in range(3):  # the first call goes another way than the others
        b = k(a)
        assert tuple(s // 4 for s in b.strides) == strides
        np.testing.assert_array_equal(b, a * 2)


# ---------------------------------------------------------------- random layouts


@st.composite
def views(draw: Any, shape: tuple[int, ...], broadcast: bool) -> tuple[Any, Any]:
    """An array of its own memory and a view of it of `shape`: any order, steps, directions and offset."""
    order = draw(st.permutations(range(len(shape))))
    steps = [draw(st.sampled_from([1, 2, 3, -1, -2])) for _ in shape]
    gone = [broadcast and draw(st.booleans()) for _ in shape]
    sizes = [
        1 if g else n * abs(k) + draw(st.integers(0, 2)) for n, k, g in zip(shape, steps, gone, strict=True)
    ]
    base = np.arange(int(np.prod(sizes)), dtype="float32").reshape([sizes[d] for d in order])
    view = base.transpose(np.argsort(order)) if order else base
    for d, (n, k, g) in enumerate(zip(shape, steps, gone, strict=True)):
        if not g:
            extra = sizes[d] - n * abs(k)
            part = slice(extra, None) if k > 0 else slice(None, sizes[d] - extra)
            index = [slice(None)] * d + [part]
            view = view[tuple(index)]
            view = view[tuple([slice(None)] * d + [slice(None, None, k)])]
            view = view[tuple([slice(None)] * d + [slice(0, n)])]
    return base, np.broadcast_to(view, shape) if broadcast else view


RANDOM: dict[tuple[str, bool], Any] = {}


def random_kernel(way: Any, debug: bool) -> Any:
    """Compiled once: sizes and strides are symbols."""
    key = (way.__name__, debug)
    if key not in RANDOM:
        RANDOM[key] = kernel(way, shape=(te.var("n"), te.var("m")), debug=debug)
    return RANDOM[key]


@settings(max_examples=examples(60), deadline=None)
@given(st.data())
@pytest.mark.parametrize("way", WAYS)
def test_random_layouts(way: Any, data: Any) -> None:
    shape = (data.draw(st.integers(0, 9)), data.draw(st.integers(0, 9)))
    _, a = data.draw(views(shape, broadcast=True))
    memory, b = data.draw(views(shape, broadcast=False))
    memory[...] = -1  # no result is negative
    random_kernel(way, data.draw(st.booleans()))(a, b)
    np.testing.assert_array_equal(b, a * 2)
    assert (memory != -1).sum() == b.size


# ---------------------------------------------------------------- symbols


def shared_kernel() -> Any:
    A, B = te.placeholder((N, M), name="A"), te.placeholder((N, M), name="B")
    C = te.compute((N, M), lambda i, j: A[i, j] + B[i, j], name="C")
    row, column = te.var("row"), te.var("column")
    binds = {t: declared(t, t.name, [row, column]) for t in (A, B)}
    return tewb.build(te.create_schedule(C.op), [A, B, C], binds=binds)


def test_arrays_that_share_strides_must_agree() -> None:
    k, c = shared_kernel(), np.zeros((N, M), "float32")
    a = BASE[:N, : 2 * M : 2]
    k(a, a, c)
    np.testing.assert_array_equal(c, a * 2)
    with pytest.raises(ArgumentError, match="row is 40 from A's stride 0, but B's stride 0 is 8"):
        k(a, np.zeros((N, M), "float32"), c)
    with pytest.raises(
        ArgumentError, match=r"(?s)column is 2 from A's stride 1, but B's stride 1 is 1.*must agree"
    ):
        k(a, BASE[:N, :M], c)


def test_variables_of_one_name_are_two_symbols() -> None:
    A, B = te.placeholder((N, M), name="A"), te.placeholder((N, M), name="B")
    C = te.compute((N, M), lambda i, j: A[i, j] + B[i, j], name="C")
    binds = {t: declared(t, t.name, [te.var("s"), te.var("t")]) for t in (A, B)}
    k, c = tewb.build(te.create_schedule(C.op), [A, B, C], binds=binds), np.zeros((N, M), "float32")
    assert k.signature.symbols == ("s", "t", "s_1", "t_1")
    k(BASE[:M, :N].T, BASE[:N, :M], c)
    np.testing.assert_array_equal(c, BASE[:M, :N].T + BASE[:N, :M])


def test_a_stride_that_is_a_size_or_an_expression() -> None:
    n, m = te.var("n"), te.var("m")
    A, W = te.placeholder((n, m), name="A"), te.placeholder((m,), name="W")
    B = te.compute((n, m), lambda i, j: A[i, j] * W[j], name="B")
    k = tewb.build(te.create_schedule(B.op), [A, W, B], binds={A: declared(A, "A", [m * 2, 1])})
    a, w, b = (
        np.ones((N, 2 * M), "float32")[:, :M],
        np.arange(M, dtype="float32"),
        np.zeros((N, M), "float32"),
    )
    k(a, w, b)
    np.testing.assert_array_equal(b, a * w)
    with pytest.raises(ArgumentError, match=r"A's stride 0 is 24, and m \* 2 is 16"):
        k(np.ones((N, 3 * M), "float32")[:, :M], w, b)
    k = tewb.build(te.create_schedule(B.op), [A, W, B], binds={A: declared(A, "A", [m, 1])})
    k(np.ones((N, M), "float32"), w, b)
    np.testing.assert_array_equal(b, a * w)


def test_a_stride_that_is_an_argument_is_compared() -> None:
    A, step = te.placeholder((N, M), name="A"), te.var("step")
    B = by_compute(A)
    k = tewb.build(te.create_schedule(B.op), [A, step, B], binds={A: declared(A, "A", [step, 1])})
    a, b = np.ones((N, 2 * M), "float32")[:, :M], np.zeros((N, M), "float32")
    k(a, 16, b)
    np.testing.assert_array_equal(b, a * 2)
    with pytest.raises(ArgumentError, match="step is 15 from the argument, but A's stride 0 is 16"):
        k(a, 15, b)


def test_declared_buffers_that_share_strides_must_agree() -> None:
    A, W = te.placeholder((N, M), name="A"), te.placeholder((N, M), name="W")
    s = te.var("s")
    ins = [te.decl_buffer((N, M), name=n, strides=[s, 1]) for n in ("x", "y")]
    E = te.extern(
        (N, M),
        [A, W],
        lambda i, o: te.call_packed("test.strides.double", i[1], o[0]),
        in_buffers=ins,
        name="E",
    )
    binds = {t: declared(t, t.name, variables(t.name)) for t in (A, W)}
    k, e = tewb.build(te.create_schedule(E.op), [A, W, E], binds=binds), np.zeros((N, M), "float32")
    a = np.ones((N, M), "float32")
    k(a, a, e)
    assert (e == 2).all()
    with pytest.raises(BoundError, match="extern E: stride 0 of y is declared A0, and that of W is W0"):
        k(a, np.ones((N, 2 * M), "float32")[:, :M], e)


def test_dimensions_of_one_element_have_any_stride() -> None:
    k = kernel(by_compute, shape=(te.var("n"), te.var("m")))
    for a in (BASE[:1, :M], BASE[:N, 3:4], BASE[:1, ::7][:, :1], BASE[:0, :M], BASE[:N, :0]):
        b = np.zeros(a.shape, "float32")
        k(a, b)
        np.testing.assert_array_equal(b, a * 2)
    k = kernel(by_compute, [77, 1], [1, 99], shape=(1, 1))
    b = np.zeros((1, 1), "float32")
    k(BASE[:1, 1:2], b)
    assert b[0, 0] == 2


def test_strides_that_a_symbol_cannot_hold() -> None:
    A = te.placeholder((2,), name="A", dtype="int8")
    B = te.compute((2,), lambda i: A[i] + A[i], name="B")
    k = tewb.build(te.create_schedule(B.op), [A, B], binds={A: declared(A, "A", [te.var("s")])})
    far = np.lib.stride_tricks.as_strided(np.zeros(1, "int8"), (2,), (1 << 31,))
    with pytest.raises(
        ArgumentError,
        match=r'(?s)s is 2147483648 from A\'s stride 0, which does not fit int32.*te.var\("s", "int64"\)',
    ):
        k(far, np.zeros(2, "int8"))


def test_bytes_between_elements_are_copied_away() -> None:
    record = np.zeros((N, M), [("x", "float32"), ("y", "int8")])
    record["x"] = BASE[:N, :M]
    b = np.zeros((N, M), "float32")
    kernel(by_compute)(record["x"], b)
    np.testing.assert_array_equal(b, record["x"] * 2)
    kernel(by_compute)(b, record["x"])
    np.testing.assert_array_equal(record["x"], b * 2)
    with pytest.raises(
        ArgumentError, match=r"A has strides \(10, 1.25\) \(in elements\), and the kernel takes \(3, 2\)"
    ):
        kernel(by_compute, [3, 2])(record["x"], b)


# ---------------------------------------------------------------- offsets and alignment


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("offset", [16, "start"])
def test_the_pointer_has_the_offset_in_it(way: Any, offset: Any) -> None:
    A = te.placeholder((N, M), name="A")
    B = way(A)
    s = te.create_schedule(B.op)
    if way is by_tiles:
        s[B].tile(*s[B].leaf_iter_vars[:2], 4, 4)
    start = te.var("start", "int64") if isinstance(offset, str) else offset
    binds = {t: declared(t, t.name, variables(t.name), elem_offset=start, offset_factor=8) for t in (A, B)}
    for debug in (False, True):
        k = tewb.build(s, [A, B], binds=binds, debug=debug)
        check(k, BASE[3 : 3 + N, 2 : 2 + M], LAYOUTS["rows with an offset"])


def test_an_offset_variable_reads_as_zero() -> None:
    start = te.var("start")
    A = te.placeholder((M,), name="A")
    B = te.compute((M,), lambda i: A[i] + start.astype("float32"), name="B")
    binds = {A: declared(A, "A", [1], elem_offset=start)}
    b = np.zeros(M, "float32")
    tewb.build(te.create_schedule(B.op), [A, B], binds=binds)(BASE[0, 3 : 3 + M], b)
    np.testing.assert_array_equal(b, BASE[0, 3 : 3 + M])


def aligned(shape: tuple[int, ...], alignment: int, more: int = 0) -> Any:
    size = int(np.prod(shape)) * 4
    raw = np.zeros(size + 2 * alignment, np.uint8)
    first = -raw.ctypes.data % alignment + more
    return raw[first : first + size].view("float32").reshape(shape)


def test_alignment_is_checked_at_the_call_and_used() -> None:
    A = te.placeholder((N, 16), name="A")
    B = by_compute(A)
    binds = {A: declared(A, "A", None, data_alignment=64)}
    k = tewb.build(te.create_schedule(B.op), [A, B], binds=binds)
    assert "noalias align 64 %" in k.get_source("ll0")
    a, b = aligned((N, 16), 64), np.zeros((N, 16), "float32")
    a[...] = 3
    k(a, b)
    assert (b == 6).all()
    with pytest.raises(
        ArgumentError,
        match=r"(?s)A must begin at a multiple of 64 bytes.*data_alignment=64.*leaves 12.*hint: copy A .*data_alignment=4",
    ):
        k(aligned((N, 16), 64, 12), b)


def test_copies_of_aligned_arrays_are_aligned() -> None:
    A = te.placeholder((N, 16), name="A")
    B = by_packed(A)
    k = tewb.build(te.create_schedule(B.op), [A, B], binds={A: declared(A, "A", None, data_alignment=256)})
    a, b = aligned((16, N), 256), np.zeros((N, 16), "float32")
    a[...] = np.arange(N)
    k(a.T, b)
    np.testing.assert_array_equal(b, a.T * 2)
    assert SEEN[0][0].ctypes.data % 256 == 0
    both = aligned((N, 16), 256)
    both[...] = 5
    k(both, both)
    assert (both == 10).all()


# ---------------------------------------------------------------- in_buffers and out_buffers


@pytest.mark.parametrize("access", [None, te.access.elementwise], ids=["whole", "tiles"])
@pytest.mark.parametrize("strided", [False, True], ids=["compact", "strided"])
@pytest.mark.parametrize("debug", [False, True])
def test_declared_buffers_with_strides(access: Any, strided: bool, debug: bool) -> None:
    A = te.placeholder((N, M), name="A")
    a = te.decl_buffer((N, M), name="a", strides=variables("x"), elem_offset=te.var("xo"))
    b = te.decl_buffer((N, M), name="b", strides=variables("y"), elem_offset=te.var("yo"))

    def body(ins: Any, outs: Any) -> Any:
        assert len(ins[0].strides) == len(outs[0].strides) == 2
        return te.call_packed("test.strides.double", ins[0], outs[0])

    B = te.extern((N, M), [A], body, in_buffers=[a], out_buffers=[b], access=access, name="B")
    s = te.create_schedule(B.op)
    if access is not None:
        s[B].tile(*s[B].leaf_iter_vars[:2], 4, 5)
    binds = {t: declared(t, t.name, variables(t.name)) for t in (A, B)} if strided else None
    k = tewb.build(s, [A, B], binds=binds, debug=debug)
    for view in (LAYOUTS | BROADCASTS).values():
        for out in LAYOUTS.values():
            check(k, view(BASE), out)
    if strided:
        assert all(np.shares_memory(x, BASE) for x, _ in SEEN)


def test_statements_on_declared_buffers() -> None:
    A = te.placeholder((N, M), name="A")
    a = te.decl_buffer((N, M), name="a", strides=variables("x"), elem_offset=te.var("xo"))
    b = te.decl_buffer((N, M), name="b", strides=variables("y"), elem_offset=te.var("yo"))

    def body(ins: Any, outs: Any) -> Any:
        ib = tewb.tir.ir_builder.create()
        x, y = ib.buffer_ptr(a), ib.buffer_ptr(b)  # the declared ones themselves
        with (
            ib.for_range(0, outs[0].shape[0], name="i") as i,
            ib.for_range(0, outs[0].shape[1], name="j") as j,
        ):
            y[i, j] = x[i, j] * 2.0
        return ib.get()

    B = te.extern((N, M), [A], body, in_buffers=[a], out_buffers=[b], access=te.access.elementwise, name="B")
    s = te.create_schedule(B.op)
    s[B].tile(*s[B].leaf_iter_vars[:2], 4, 5)
    k = tewb.build(s, [A, B], binds={t: declared(t, t.name, variables(t.name)) for t in (A, B)})
    for view in (LAYOUTS | BROADCASTS).values():
        check(k, view(BASE), LAYOUTS["negative strides"])


@pytest.mark.parametrize("access", [None, te.access.elementwise], ids=["whole", "tiles"])
def test_declared_buffers_without_strides_are_dense(access: Any) -> None:
    A = te.placeholder((N, M), name="A")
    B = by_packed(A, in_buffers=[te.decl_buffer((N, M), name="a")], out_buffers=[te.decl_buffer((N, M), name="b")],
                  access=access)  # fmt: skip
    s = te.create_schedule(B.op)
    if access is not None:
        s[B].tile(*s[B].leaf_iter_vars[:2], 4, 4)
    k = tewb.build(s, [A, B], binds={t: declared(t, t.name, variables(t.name)) for t in (A, B)})
    check(k, BASE[:M, :N].T, LAYOUTS["every second column"])
    assert all(x.flags.c_contiguous and y.flags.c_contiguous for x, y in SEEN)


def test_constant_declared_strides_are_checked() -> None:
    A = te.placeholder((N, M), name="A")
    rows = te.decl_buffer((N, M), name="rows", strides=[2 * M, 1])
    B = by_packed(A, in_buffers=[rows])
    s = te.create_schedule(B.op)
    with pytest.raises(ExternError, match="extern B: stride 0 of rows is declared 16, and that of A is 8"):
        tewb.build(s, [A, B])
    k = tewb.build(s, [A, B], binds={A: declared(A, "A", variables("p"))})
    b = np.zeros((N, M), "float32")
    a = np.ones((N, 2 * M), "float32")[:, :M]
    k(a, b)
    np.testing.assert_array_equal(b, a * 2)
    with pytest.raises(BoundError, match="extern B: stride 0 of rows is declared 16, and that of A is p0"):
        k(np.ones((N, M), "float32"), b)


def test_offset_factors_of_tiles_are_checked() -> None:
    def build(columns: int, factor: int) -> Any:
        A = te.placeholder((N, M), name="A")
        tile = te.decl_buffer((N, M), name="tile", strides=variables("x"), elem_offset=te.var("o"), offset_factor=factor)  # fmt: skip
        B = by_packed(A, in_buffers=[tile], access=te.access.elementwise)
        s = te.create_schedule(B.op)
        s[B].tile(*s[B].leaf_iter_vars[:2], N, columns)
        return tewb.build(s, [A, B])

    b = np.zeros((N, M), "float32")
    build(4, 4)(BASE[:N, :M], b)
    np.testing.assert_array_equal(b, BASE[:N, :M] * 2)
    with pytest.raises(
        BoundError, match="extern B: tile is declared with offset_factor=4, and its part of A begins at"
    ):
        build(2, 4)(BASE[:N, :M], b)


def test_alignment_that_an_extern_declares() -> None:
    A = te.placeholder((N, 16), name="A")
    B = by_packed(A, in_buffers=[te.decl_buffer((N, 16), name="a", data_alignment=128)])
    k = tewb.build(te.create_schedule(B.op), [A, B])
    b = np.zeros((N, 16), "float32")
    k(aligned((N, 16), 128), b)
    with pytest.raises(ArgumentError, match="A must begin at a multiple of 128 bytes"):
        k(aligned((N, 16), 128, 64), b)
    H = te.compute((N, 16), lambda i, j: A[i, j] + 1.0, name="H")
    B = by_packed(H, in_buffers=[te.decl_buffer((N, 16), name="a", data_alignment=128)])
    with pytest.raises(
        ExternError, match="buffer a declares data_alignment=128, and the memory of H is aligned to 64"
    ):
        tewb.build(te.create_schedule(B.op), [A, B])


# ---------------------------------------------------------------- outputs that overlap


def test_an_output_with_stride_zero_is_refused() -> None:
    place = np.zeros(M, "float32")
    b = np.lib.stride_tricks.as_strided(place, (N, M), (0, 4))
    for k in (kernel(by_compute), kernel(by_compute, out=[0, 1])):
        with pytest.raises(ArgumentError, match="B is an output and has stride 0"):
            k(BASE[:N, :M], b)
    assert (place == 0).all()


def test_an_output_whose_elements_overlap_is_refused() -> None:
    memory = np.zeros(N * M, "float32")
    b = np.lib.stride_tricks.as_strided(memory, (N, M), (8, 4))
    with pytest.raises(
        ArgumentError, match=r"B is an output whose own elements overlap: shape \(6, 8\), strides \(8, 4\)"
    ):
        kernel(by_compute)(BASE[:N, :M], b)
    interleaved = np.lib.stride_tricks.as_strided(np.zeros(99, "float32"), (2, 3), (12, 8))  # 0 2 4, 3 5 7
    kernel(by_compute, shape=(2, 3))(BASE[:2, :3], interleaved)
    np.testing.assert_array_equal(interleaved, BASE[:2, :3] * 2)


TURNED = np.zeros((3 * M, N), "float32")[::3].T


@pytest.mark.parametrize(
    "out",
    [
        TURNED,
        TURNED[::-1],
        TURNED[:, ::-1],
        np.zeros((N, M), "float32")[:, ::-1],
        np.zeros((N, 2 * M), "float32")[:, ::-2],
    ],
)
def test_outputs_backwards_and_by_columns_take_the_short_way(
    out: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    k = kernel(by_compute)
    long_ways: list[int] = []
    run = tewb.runtime.Kernel._call_in_python
    monkeypatch.setattr(
        tewb.runtime.Kernel,
        "_call_in_python",
        lambda self, values: (long_ways.append(1), run(self, values))[1],
    )
    for _ in range(3):
        out[...] = 0
        k(BASE[:N, :M], out)
        np.testing.assert_array_equal(out, BASE[:N, :M] * 2)
    assert len(long_ways) <= 1  # the first, which makes the entry


@pytest.mark.parametrize("strides", [(4, 8), (-4, 8), (4, -8), (-8, -4)])
def test_an_output_whose_columns_overlap_is_refused(strides: tuple[int, int]) -> None:
    memory = np.zeros(9 * N * M, "float32")[4 * N * M :]
    b = np.lib.stride_tricks.as_strided(memory, (N, M), strides)
    k = kernel(by_compute)
    for _ in range(3):
        with pytest.raises(ArgumentError, match="B is an output whose own elements overlap"):
            k(BASE[:N, :M], b)
    assert (memory == 0).all()


def test_two_outputs_that_overlap_are_refused() -> None:
    A = te.placeholder((N,), name="A")
    P, Q = te.compute((N,), lambda i: (A[i] + 1.0, A[i] + 2.0), name="PQ")
    binds = {t: declared(t, t.name, variables(f"s{k}", 1)) for k, t in enumerate((P, Q))}
    strided = tewb.build(te.create_schedule(P.op), [A, P, Q], binds=binds)
    compact = tewb.build(te.create_schedule(P.op), [A, P, Q])
    a, memory = BASE[0, :N], np.zeros(4 * N, "float32")
    for k in (strided, compact):
        with pytest.raises(ArgumentError, match=r"the outputs PQ.v0 and PQ.v1 share memory"):
            k(a, memory[: 2 * N : 2], memory[2 : 2 + N])
        k(a, memory[: 2 * N : 2], memory[1 : 2 * N : 2])  # side by side, with no element in common
        np.testing.assert_array_equal(memory[: 2 * N].reshape(N, 2), np.stack([a + 1, a + 2], 1))


@pytest.mark.parametrize("way", WAYS)
def test_an_input_that_overlaps_the_output_is_read_before(way: Any) -> None:
    for a, b in [
        (lambda x: x[:M, :N].T, lambda x: x[:N, :M]),
        (lambda x: x[N - 1 :: -1, :M], lambda x: x[:N, :M]),
        (lambda x: x[1 : N + 1, 1 : 2 * M : 2], lambda x: x[:N, :M]),
        (lambda x: np.broadcast_to(x[0, :M], (N, M)), lambda x: x[:N, :M]),
    ]:
        memory = BASE.copy()
        kernel(way)(a(memory), b(memory))
        np.testing.assert_array_equal(b(memory), a(BASE) * 2)


def test_interleaved_input_and_output_are_apart(no_copies: None) -> None:
    memory = BASE[:N, : 2 * M].copy()
    kernel(by_compute)(memory[:, ::2], memory[:, 1::2])
    np.testing.assert_array_equal(memory[:, 1::2], BASE[:N, : 2 * M : 2] * 2)


# ---------------------------------------------------------------- wrong declarations


def test_a_stride_that_nothing_tells() -> None:
    A = te.placeholder((N, M), name="A")
    B = by_compute(A)
    with pytest.raises(LowerError, match="the strides of A use s, and no array tells its value"):
        tewb.lower(te.create_schedule(B.op), [A, B], binds={A: declared(A, "A", [te.var("s") * 2, 1])})


def test_arrays_of_other_constant_strides_are_refused() -> None:
    k = kernel(by_compute, [1, 2 * N])
    with pytest.raises(
        ArgumentError, match=r"A has strides \(8, 1\) \(in elements\), and the kernel takes \(1, 12\)"
    ):
        k(np.zeros((N, M), "float32"), np.zeros((N, M), "float32"))


def test_long_vectors_are_written_out_in_groups() -> None:
    A = te.placeholder((3, 64), name="A")
    B = by_compute(A)
    s = te.create_schedule(B.op)
    s[B].vectorize(s[B].leaf_iter_vars[-1])
    with tewb.PassContext(config={"tewb.specialise_strides": False}):
        k = tewb.build(s, [A, B], binds={t: declared(t, t.name, variables(t.name)) for t in (A, B)})
    code = k.get_source("ll0")
    assert code.count("load float") == 16 + 1 and code.count("store float") == 1
