"""Kernels on dask arrays give what they give on whole arrays, wherever chunks end."""

from __future__ import annotations

import builtins
import pickle
import random
import warnings
from typing import Any

import dask
import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tewb
from tests import programs
from tests.blocks.programs import PROGRAMS, Case, argmax, floats, schedule
from tewb import te
from tewb.base import ArgumentError, BlockError, TewbWarning
from tewb.testing import evaluate, random_array, tolerance


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    with dask.config.set(scheduler="synchronous"):
        yield


def checked(case: Case, arrays: list[Any], **options: Any) -> Any:
    """What the kernel of a case gives on blocks, compared with what it gives on whole arrays."""
    kernel = case.kernel()
    want, got = (
        x if isinstance(x, tuple) else (x,)
        for x in (kernel(*case.given), kernel.map_blocks(*arrays, **options))
    )
    for whole, blocks, values in zip(want, got, dask.compute(*got), strict=True):
        assert (blocks.shape, blocks.dtype) == (values.shape, values.dtype) == (whole.shape, whole.dtype)
        if case.exact:
            np.testing.assert_array_equal(values, whole)
        else:
            np.testing.assert_allclose(values, whole, rtol=1e-5, atol=1e-6)
    return got


def chunkings(shape: tuple[int, ...]) -> Any:
    """All ways to cut an array."""

    def along(n: int) -> Any:
        cuts = st.sets(st.integers(1, max(n - 1, 1)), max_size=4)
        return cuts.map(lambda c: tuple(int(x) for x in np.diff([0, *sorted(c & set(range(1, n))), n])))

    return st.tuples(*map(along, shape))


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", PROGRAMS)
@settings(max_examples=3, deadline=None, derandomize=True)
@given(data=st.data())
def test_chunks_may_end_anywhere(name: str, data: Any) -> None:
    case = PROGRAMS[name](np.random.default_rng(data.draw(st.integers(0, 1000))))
    arrays = [
        da.from_array(a, chunks=data.draw(chunkings(a.shape))) if isinstance(a, np.ndarray) else a
        for a in case.given
    ]
    checked(case, arrays, split_every=data.draw(st.integers(2, 4)))


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_chunks_may_end_anywhere_at_length(name: str, data: Any) -> None:
    test_chunks_may_end_anywhere.hypothesis.inner_test(name, data)


@pytest.mark.one_in(10)
@pytest.mark.parametrize("name", programs.PROGRAMS)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.filterwarnings("ignore:.*is left out in some blocks")
def test_random_schedules_compute_the_same_on_blocks(name: str, seed: int) -> None:
    rng = random.Random(f"blocks {name} {seed}")
    inputs, outputs = programs.random_program(name, rng, 20)
    s = programs.random_schedule(outputs, rng, rng.randint(1, 7), [])
    if any(step.primitive == "transform_layout" for step in s.journal):
        s = programs.schedule_for(outputs)
    values = [random_array([n.value for n in t.shape], t.dtype, np.random.default_rng(seed)) for t in inputs]
    chunks = [tuple(rng.randint(1, n) for n in a.shape) for a in values]
    kernel = tewb.build(s, [*inputs, *outputs])
    got = kernel.map_blocks(*(da.from_array(a, chunks=c) for a, c in zip(values, chunks, strict=True)))
    found = dask.compute(*(got if isinstance(got, tuple) else (got,)))
    expected = evaluate(outputs, dict(zip(inputs, values, strict=True)))
    for t, x, y in zip(outputs, found, expected, strict=True):
        rtol, atol = tolerance(t.dtype, 64)
        np.testing.assert_allclose(x, y, rtol=rtol, atol=atol, err_msg=f"{t.name}: {s.journal}")


# ---------------------------------------------------------------- where the output is cut


def stencil(n: int = 40) -> Case:
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[te.max(i - 1, 0)] + A[i] + A[te.min(i + 1, n - 1)], name="B")
    return Case(schedule(B), [A, B], [floats(np.random.default_rng(0), n)])


def matmul(n: int = 12) -> Case:
    A, B = te.placeholder((n, n), name="A"), te.placeholder((n, n), name="B")
    k = te.reduce_axis((0, n), name="k")
    C = te.compute((n, n), lambda i, j: te.sum(A[i, k] * B[k, j], axis=k), name="C")
    rng = np.random.default_rng(0)
    return Case(schedule(C), [A, B, C], [floats(rng, n, n), floats(rng, n, n)])


def test_the_output_has_the_chunks_of_the_input() -> None:
    case = stencil()
    y = checked(case, [da.from_array(case.given[0], chunks=((7, 20, 13),))])[0]
    assert y.chunks == ((7, 20, 13),)


def test_the_output_may_have_other_chunks() -> None:
    case = stencil()
    y = checked(case, [da.from_array(case.given[0], chunks=7)], chunks=16)[0]
    assert y.chunks == ((16, 16, 8),)


def test_a_product_over_blocks_has_partial_sums_in_a_tree() -> None:
    case = matmul()
    a, b = case.given
    y = checked(case, [da.from_array(a, chunks=(5, 2)), da.from_array(b, chunks=(4, 7))], split_every=2)[0]
    assert y.chunks == ((5, 5, 2), (7, 5))
    names = {key[0] for key in y.dask if isinstance(key, tuple)}
    assert sum("-tree-" in name for name in names) == 2  # 6 partial sums: 3, 2, and the last is the result


def test_numpy_arrays_are_one_chunk() -> None:
    case = matmul()
    a, b = case.given
    assert checked(case, [da.from_array(a, chunks=(5, 12)), b])[0].chunks == ((5, 5, 2), (12,))


def test_a_block_reads_only_the_halo_of_its_neighbours() -> None:
    case = stencil()
    y = case.kernel().map_blocks(da.from_array(case.given[0], chunks=10))
    cut = [task for key, task in dict(y.dask).items() if "-piece" in str(key)]
    parts = [part for task in cut for part in task[2].parts]
    assert len(parts) == 6  # an element on each side of the three places where it is cut
    assert {s.stop - s.start for (s,) in parts} == {1} and len(cut) == 4


def test_blocks_inside_share_one_kernel() -> None:
    y = stencil(1000).kernel().map_blocks(da.zeros(1000, chunks=10, dtype="float32"))
    assert sum("-kernel-" in str(key) for key in y.dask) == 3  # the first, the last, and all others


def test_equal_calls_have_equal_names_and_others_have_others() -> None:
    case, x = stencil(), da.zeros(40, chunks=10, dtype="float32")
    kernel = case.kernel()
    assert kernel.map_blocks(x).name == kernel.map_blocks(x).name == case.kernel().map_blocks(x).name
    others = [
        kernel.map_blocks(x, chunks=5),
        kernel.map_blocks(x + 1),
        stencil(40).kernel().map_blocks(x[::-1]),
    ]
    assert len({kernel.map_blocks(x).name, *(y.name for y in others)}) == 4


def test_arrays_without_elements() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    k = te.reduce_axis((0, n), name="k")
    S = te.compute((1,), lambda _: te.sum(A[k], axis=k), name="S")
    for t in (B, S):
        checked(Case(schedule(t), [A, t], [np.zeros(0, "float32")]), [da.zeros(0, dtype="float32")])
    x = da.from_array(np.ones(4, "float32"), chunks=((0, 3, 0, 1),))
    checked(Case(schedule(B), [A, B], [np.ones(4, "float32")]), [x])


def test_arrays_without_dimensions() -> None:
    A, x = te.placeholder((), name="A"), te.placeholder((5,), name="x")
    y = te.compute((5,), lambda i: x[i] * A(), name="y")
    z = te.compute((), lambda: A() + x[4], name="z")
    given = [np.float32(2), np.arange(5, dtype="float32")]
    for t in (y, z):
        kernel = tewb.build(schedule(t), [A, x, t])
        blocks = kernel.map_blocks(given[0], da.from_array(given[1], chunks=2)).compute()
        np.testing.assert_array_equal(blocks, kernel(*given))


def test_arrays_of_more_elements_than_int32_counts() -> None:
    n = te.var("n", "int64")
    A = te.placeholder((n,), "int8", name="A")
    B = te.compute((n,), lambda i: (i % 7).astype("int8") + A[i], name="B")
    x = da.ones(5_000_000_000, chunks=1_000_000_000, dtype="int8")
    y = tewb.build(schedule(B), [A, B]).map_blocks(x, chunks=10_000_000)
    np.testing.assert_array_equal(y[-10:].compute(), np.arange(4_999_999_990, 5_000_000_000) % 7 + 1)


def test_steps_that_no_block_can_take_are_left_out_with_a_word() -> None:
    case = matmul()
    C = case.args[-1]
    D = te.compute(C.shape, lambda i, j: C[i, j] + 1.0, name="D")
    s = schedule(D)
    s[C].compute_at(s[D], "i")
    s[D].vectorize("j")
    case = Case(s, [*case.args[:2], D], case.given)
    checked(case, [da.from_array(a, chunks=(5, 12)) for a in case.given[:1]] + case.given[1:])
    with pytest.warns(
        TewbWarning, match=r"compute_at\(C, parent=D, axis=i\) is left out in some blocks, which changes no"
    ):
        checked(case, [da.from_array(a, chunks=5) for a in case.given])


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (
            lambda A, i: A[i * i % 40],
            r"a block of B reads all of A in dimension 0, 0.00016 MB in several chunks, for the "
            r"index i \* i % 40 is not followed along i. chunks= says where B is cut",
        ),
        (lambda A, i: A[A[i].astype("int32")], r"all of A in dimension 0, .* the index .*A\[i\].* along i"),
    ],
)
def test_a_large_tensor_that_is_read_whole_is_named(read: Any, said: str) -> None:
    A = te.placeholder((40,), name="A")
    B = te.compute((40,), lambda i: read(A, i), name="B")
    kernel = tewb.build(schedule(B), [A, B])
    x = da.ones(40, chunks=10, dtype="float32")
    with dask.config.set({"array.chunk-size": "64 B"}):
        with pytest.warns(TewbWarning, match=said) as found:
            kernel.map_blocks(x)
        assert len(found) == 1 and found[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kernel.map_blocks(x)
        with dask.config.set({"array.chunk-size": "64 B"}):
            kernel.map_blocks(x, chunks=5)
            kernel.map_blocks(x.rechunk(-1))


def test_an_argmax_that_keeps_its_order_names_what_a_block_reads_whole() -> None:
    A = te.placeholder((8, 8), name="A")
    i, j = te.reduce_axis((0, 8), name="i"), te.reduce_axis((0, 8), name="j")
    at, value = te.compute((1,), lambda _: argmax()((i.var * 8 + j.var, A[i, j]), axis=[i, j]), name="T")
    kernel = tewb.build(schedule(at), [A, at, value])
    with (
        dask.config.set({"array.chunk-size": "64 B"}),
        pytest.warns(TewbWarning, match="reads all of A in dimension 1, .* index j is not followed along j"),
    ):
        kernel.map_blocks(da.ones((8, 8), chunks=4, dtype="float32"))


def test_threads_share_a_kernel() -> None:
    case = stencil()
    with dask.config.set(scheduler="threads"):
        checked(case, [da.from_array(case.given[0], chunks=2)])


# ---------------------------------------------------------------- dask.array.map_blocks


def test_dask_maps_a_pickled_kernel() -> None:
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((n, m), name="A")
    B = te.compute((n, m), lambda i, j: te.exp(A[i, j]), name="B")
    kernel = pickle.loads(pickle.dumps(tewb.build(schedule(B), [A, B])))
    a = np.random.default_rng(0).random((10, 12), "float32")
    y = da.map_blocks(kernel, da.from_array(a, chunks=(3, 5)), dtype="float32")
    np.testing.assert_array_equal(y.compute(), kernel(a))
    assert y.name == da.map_blocks(kernel, da.from_array(a, chunks=(3, 5)), dtype="float32").name


# ---------------------------------------------------------------- what is refused


def wholes() -> dict[str, tuple[Any, str]]:
    """Programs that only work as a whole, each with what is said of it."""
    X = te.placeholder((10, 6), name="X")
    S = te.placeholder((10, 6), name="S")
    first = te.compute((1, 6), lambda _, i: X[0, i], name="first")
    R = te.scan(first, te.compute((10, 6), lambda t, i: S[t - 1, i] + X[t, i], name="next"), S, name="R")

    @tewb.register_func("tests.blocks.sort", override=True)
    def sort(x: Any, y: Any) -> None:
        y[...] = np.sort(x, axis=0)

    P = te.compute((10, 6), lambda i, j: X[i, j] * 2.0, name="P")
    E = te.extern((10, 6), [P], lambda i, o: te.call_packed("tests.blocks.sort", i[0], o[0]), name="E")

    @te.hybrid.script
    def doubled(x):  # type: ignore[no-untyped-def]
        y = output_tensor((10, 6), "float32")  # type: ignore[name-defined]  # noqa: F821
        for i in range(10):
            for j in range(6):
                y[i, j] = x[i, j] * 2.0
        return y

    return {
        "scan": (
            (X, R),
            r"scan R takes its steps along .* one after the other, and X has chunks \(\(5, 5\), \(6,\)\)",
        ),
        "extern": ((X, E), "extern E is a function that takes whole arrays, and X has chunks"),
        "hybrid": ((X, doubled(X)), "hybrid doubled works on whole arrays, and X has chunks"),
    }


@pytest.mark.parametrize("kind", ["scan", "extern", "hybrid"])
def test_what_works_as_a_whole_takes_one_chunk(kind: str) -> None:
    (X, R), said = wholes()[kind]
    Y = te.compute((10, 6), lambda i, j: R[9 - i, j] + 1.0, name="Y")
    case = Case(schedule(Y), [X, Y], [floats(np.random.default_rng(0), 10, 6)])
    with pytest.raises(BlockError, match=said + r"[\s\S]*hint: give it X as one chunk, X.rechunk\(-1\)"):
        case.kernel().map_blocks(da.from_array(case.given[0], chunks=(5, 6)))
    assert checked(case, case.given, chunks=(3, 4))[0].chunks == ((3, 3, 3, 1), (4, 2))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (lambda x: [x], r"takes 2 arguments \(A, alpha\), and was given 1"),
        (
            lambda x: [x.astype("float64"), 1],
            r"argument 1, A, has dtype float64, and the kernel takes float32[\s\S]*astype",
        ),
        (lambda x: [x[0], 1], "argument 1, A, has 1 dimensions, and the kernel takes 2"),
        (lambda x: [x[:3], 1], r"A has size 4 in dimension 1, and the kernel takes 3 \(n\)"),
        (lambda x: [x, "much"], "argument 2, alpha, is a number, not 'much'"),
        (
            lambda x: [x[x[:, 0] > 0], 1],
            r"argument 1, A, has chunks of unknown size[\s\S]*compute_chunk_sizes",
        ),
    ],
)
def test_wrong_arguments_are_named(given: Any, said: str) -> None:
    n, alpha = te.var("n"), te.var("alpha", "float32")
    A = te.placeholder((n, n), name="A")
    B = te.compute((n, n), lambda i, j: A[i, j] * alpha, name="B")
    with pytest.raises(ArgumentError, match=said):
        tewb.build(schedule(B), [A, alpha, B]).map_blocks(*given(da.ones((4, 4), chunks=2, dtype="float32")))


def test_chunks_that_are_none_are_refused() -> None:
    x = da.ones(40, chunks=10, dtype="float32")
    with pytest.raises(ArgumentError, match=r"chunks=\(3, 3\) do not cut B of shape \(40,\)"):
        stencil().kernel().map_blocks(x, chunks=(3, 3))
    case = PROGRAMS["two_outputs"](np.random.default_rng(0))
    with pytest.raises(ArgumentError, match="has 2 outputs, and chunks= is for one"):
        case.kernel().map_blocks(case.given[0], chunks=3)


def test_a_reducer_that_needs_more_than_two_results_is_refused() -> None:
    A, w = te.placeholder((6, 9), name="A"), te.placeholder((6,), name="w")
    k = te.reduce_axis((0, 9), name="k")

    def weighted(i: Any) -> Any:
        add = te.comm_reducer(lambda x, y: x + y * w[i], lambda t: te.const(0, t), name="weighted")
        return add(A[i, k], axis=k)

    B = te.compute((6,), weighted, name="B")
    rng = np.random.default_rng(0)
    case = Case(schedule(B), [A, w, B], [floats(rng, 6, 9), floats(rng, 6)])
    a, v = case.given
    with pytest.raises(
        BlockError, match=r"over k, .*the combination of weighted reads elements of tensors[\s\S]*rechunk"
    ):
        case.kernel().map_blocks(da.from_array(a, chunks=(2, 3)), v)
    checked(case, [da.from_array(a, chunks=(2, 9)), v])


def test_a_kernel_without_its_program_is_refused() -> None:
    case, x = stencil(), da.ones(40, chunks=10, dtype="float32")
    module = tewb.lower(case.schedule, case.args)
    for kernel in (tewb.build(module), pickle.loads(pickle.dumps(case.kernel()))):
        with pytest.raises(ArgumentError, match=r"does not know its program[\s\S]*dask.array.map_blocks"):
            kernel.map_blocks(x)


def test_without_dask_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    load = builtins.__import__

    def without(name: str, *args: Any) -> Any:
        if name.split(".")[0] == "dask":
            raise ImportError("No module named 'dask'")
        return load(name, *args)

    kernel = stencil().kernel()
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(
        ArgumentError, match=r"needs dask, which is not installed here[\s\S]*pip install 'tewb\[dask\]'"
    ):
        kernel.map_blocks(np.zeros(40, "float32"))


def test_a_worker_finds_where_an_index_is_wrong() -> None:
    A, at = te.placeholder((8,), name="A"), te.placeholder((8,), "int32", name="at")
    C = te.compute((8,), lambda i: A[at[i]], name="C")
    y = tewb.build(schedule(C), [A, at, C]).map_blocks(
        np.zeros(8, "float32"), da.full(8, 9, chunks=4, dtype="int32")
    )
    with pytest.raises(tewb.base.BoundError, match=r"C reads outside of A in dimension 0: at\[i\]"):
        y.compute()


def test_argmax_is_the_first_of_equal_ones() -> None:
    A, k = te.placeholder((3, 8), name="A"), te.reduce_axis((0, 8), name="k")
    at, value = te.compute((3,), lambda i: argmax()((k.var, A[i, k]), axis=k), name="T")
    case = Case(schedule(at), [A, at, value], [np.zeros((3, 8), "float32")])
    got = checked(case, [da.zeros((3, 8), chunks=(2, 3), dtype="float32")])
    assert got[0].compute().tolist() == [0, 0, 0]


@pytest.mark.parametrize("chunks", [(2, 2), (4, 2), (1, 2), ((1, 3), (1, 2, 1)), (3, 4)])
@pytest.mark.parametrize("at", [(0, 3), (0, 1), (2, 0)])
def test_argmax_over_two_axes_is_the_first_in_the_order_of_elements(chunks: Any, at: Any) -> None:
    A = te.placeholder((4, 4), name="A")
    i, j = te.reduce_axis((0, 4), name="i"), te.reduce_axis((0, 4), name="j")
    first, value = te.compute((1,), lambda _: argmax()((i.var * 4 + j.var, A[i, j]), axis=[i, j]), name="T")
    a = np.zeros((4, 4), "float32")
    a[at] = a[1, 0] = 1
    case = Case(schedule(first), [A, first, value], [a])
    assert checked(case, [da.from_array(a, chunks=chunks)])[0].compute() == a.argmax()


@pytest.mark.parametrize("dtype", ["bool", "uint8", "float16", "bfloat16", "int64", "float64"])
def test_elements_of_all_dtypes(dtype: str) -> None:
    A, k = te.placeholder((9,), dtype, name="A"), te.reduce_axis((0, 9), name="k")
    B = te.compute((9,), lambda i: A[8 - i], name="B")
    S = te.compute((1,), lambda _: te.max(A[k], axis=k), name="S")
    T = te.compute((9,), lambda i: A[i] == S[0], name="T")
    of_memory = tewb.base.memory_dtype(dtype)
    a = (np.arange(9) * 7 % 9).astype("float32" if dtype == "bfloat16" else of_memory)
    a = a.view("uint32").__rshift__(16).astype("uint16") if dtype == "bfloat16" else a
    for t in (B, T) if dtype == "bool" else (B, S, T):
        if dtype != "bool" or t is B:
            checked(Case(schedule(t), [A, t], [a]), [da.from_array(a, chunks=4)])


@pytest.mark.parametrize("split_every", [1, 2.0, None, np.int64(0)])
def test_partial_results_are_combined_two_or_more_at_a_time(split_every: Any) -> None:
    case = matmul()
    with pytest.raises(
        ArgumentError, match="split_every=.*: partial results are combined two or more at a time"
    ):
        case.kernel().map_blocks(*case.given, split_every=split_every)


def test_a_number_of_numpy_says_how_many_are_combined() -> None:
    case = matmul()
    arrays = [da.from_array(a, chunks=3) for a in case.given]
    kernel = case.kernel()
    assert (
        checked(case, arrays, split_every=np.int64(2))[0].name
        == kernel.map_blocks(*arrays, split_every=2).name
    )


def test_a_number_that_dask_has_not_computed_is_refused_and_an_array_without_dimensions_is_lazy() -> None:
    computed: list[int] = []
    x = da.from_array(np.arange(8, dtype="float32"), chunks=4)
    largest = x.map_blocks(lambda c: (computed.append(1), c)[1], meta=np.zeros(0, "float32")).max()
    A, alpha, a = te.placeholder((8,), name="A"), te.var("alpha", "float32"), te.placeholder((), name="a")
    B = te.compute((8,), lambda i: A[i] * alpha, name="B")
    C = te.compute((8,), lambda i: A[i] * a(), name="C")
    with pytest.raises(
        ArgumentError,
        match=r"argument 2, alpha, is a number, and was given one that dask has not computed[\s\S]*float\(x\)",
    ):
        tewb.build(schedule(B), [A, alpha, B]).map_blocks(x, largest)
    y = tewb.build(schedule(C), [A, a, C]).map_blocks(x, largest)
    assert not computed
    np.testing.assert_array_equal(y.compute(), np.arange(8) * 7)


def test_a_buffer_among_the_arguments_is_its_tensor() -> None:
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((n, m), name="A")
    B = te.compute((n, m), lambda i, j: A[i, j] + 1.0, name="B")
    ins, outs = (
        tewb.tir.decl_buffer((n, m), "float32", name=name, strides=[te.var("s"), te.var("t")])
        for name in ("Ab", "Bb")
    )
    a = floats(np.random.default_rng(0), 6, 8)
    for args in ([A, B], [ins, B], [ins, outs]):
        kernel = tewb.build(schedule(B), args, binds={A: ins, B: outs})
        np.testing.assert_array_equal(kernel.map_blocks(da.from_array(a, chunks=(4, 3))).compute(), a + 1)


def test_an_intrinsic_is_computed_as_it_is_declared() -> None:
    x, y = te.placeholder((4,), name="x"), te.placeholder((4,), name="y")
    z = te.compute((4,), lambda i: x[i] + y[i], name="z")
    intrin = te.decl_tensor_intrin(
        z.op, lambda ins, outs: te.call_extern("int32", "add4", ins[0], ins[1], outs[0])
    )
    A, B = te.placeholder((6, 4), name="A"), te.placeholder((6, 4), name="B")
    C = te.compute((6, 4), lambda i: intrin(A[i, 0:4], B[i, 0:4]), name="C")
    D = te.compute((6, 4), lambda i, j: A[i, j] + B[i, j], name="D")
    kernel = tewb.build(schedule(D), [A, B, D])
    kernel.source = tewb.driver.Source.now(schedule(C), [A, B, C], False)  # add4 is linked in real programs
    a = floats(np.random.default_rng(0), 6, 4)
    got = kernel.map_blocks(da.from_array(a, chunks=(4, 3)), a).compute()
    np.testing.assert_array_equal(got, a + a)


def test_a_kernel_of_a_debug_build_has_blocks_that_check() -> None:
    case = stencil()
    kernel = tewb.build(case.schedule, case.args, debug=True)
    y = kernel.map_blocks(da.from_array(case.given[0], chunks=10))
    np.testing.assert_array_equal(y.compute(), kernel(*case.given))
    blocks = [x for x in dict(y.dask).values() if "BlockKernel" in repr(x)]
    assert blocks and all("debug=True" in repr(x) for x in blocks if "HowBuilt" in repr(x))


def test_a_layout_inside_stays_inside_and_that_of_an_output_is_refused() -> None:
    A, k = te.placeholder((6, 8), name="A"), te.reduce_axis((0, 8), name="k")
    S = te.compute((6,), lambda i: te.sum(A[i, k], axis=k), name="S")
    B = te.compute((6, 8), lambda i, j: A[i, j] - S[i], name="B")
    case = Case(schedule(B), [A, B], [floats(np.random.default_rng(0), 6, 8)])
    case.schedule[S].transform_layout(lambda i: [i // 4, i % 4])
    checked(case, [da.from_array(case.given[0], chunks=(4, 8))])
    with pytest.warns(TewbWarning, match=r"the steps give S the shape \(.*\), and a block of it has \(4\)"):
        checked(case, [da.from_array(case.given[0], chunks=(4, 4))])
    case.schedule[B].transform_layout(lambda i, j: [j, i])
    with pytest.raises(BlockError, match=r"step transform_layout\(B, .*\) gives B another layout"):
        case.kernel().map_blocks(case.given[0])


def test_sizes_that_are_told_by_others() -> None:
    """n follows from n + 2 and from 2*n, as in calls of the kernel."""
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((n + 2, 2 * m), name="A")
    B = te.compute((n, m), lambda i, j: A[i, 2 * j] + A[i + 1, 2 * j + 1] + A[i + 2, 2 * j], name="B")
    a = floats(np.random.default_rng(0), 12, 10)
    kernel = tewb.build(schedule(B), [A, B])
    for chunks in ((12, 10), (5, 3), (1, 1)):
        np.testing.assert_array_equal(kernel.map_blocks(da.from_array(a, chunks=chunks)).compute(), kernel(a))
    with pytest.raises(
        ArgumentError, match=r"A has size 9 in dimension 1, and the kernel takes 8 \(2 \* m\)"
    ):
        kernel.map_blocks(a[:, :9])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x: da.ma.masked_less(x, 0.5), "is a masked array that hides .* elements"),
        (lambda x: x.map_blocks(lambda c: c[1:], dtype="float32"), "a chunk is not as large as dask says"),
        (lambda x: x.map_blocks(lambda c: c.astype("float64"), dtype="float32"), "a chunk has dtype float64"),
    ],
)
@pytest.mark.parametrize("chunks", [40, 10])
def test_chunks_that_are_not_what_dask_says(change: Any, said: str, chunks: int) -> None:
    case = stencil()
    y = case.kernel().map_blocks(change(da.from_array(case.given[0], chunks=chunks)))
    with pytest.raises(ArgumentError, match=said):
        y.compute(scheduler="synchronous")


def test_masks_that_hide_nothing() -> None:
    case = stencil()
    y = case.kernel().map_blocks(da.ma.masked_array(da.from_array(case.given[0], chunks=10)))
    np.testing.assert_array_equal(y.compute(scheduler="synchronous"), case.kernel()(case.given[0]))


@pytest.mark.parametrize("chunks", [0, ((float("nan"),) * 2,)])
def test_chunks_of_no_size(chunks: Any) -> None:
    with pytest.raises(ArgumentError, match=r"do not cut B of shape \(40,\)"):
        stencil().kernel().map_blocks(da.ones(40, chunks=10, dtype="float32"), chunks=chunks)


@pytest.mark.parametrize(
    "built",
    [
        lambda s, args: tewb.Session(s, args).build(),
        lambda s, args: tewb.autoschedule((s, args), model_only=True).build(),
        lambda s, args: tewb.tune((s, args), {"1.factor": [2, 4]}, repeat=1, workers=0).build(),
    ],
    ids=["session", "autoschedule", "tune"],
)
def test_kernels_of_the_workbench_and_of_searches_know_their_program(built: Any) -> None:
    A = te.placeholder((16,), name="A")
    B = te.compute((14,), lambda i: A[i] + A[i + 2], name="B")
    s = te.create_schedule(B.op)
    s[B].split("i", factor=4)
    a = np.arange(16, dtype="float32")
    np.testing.assert_array_equal(built(s, [A, B]).map_blocks(da.from_array(a, chunks=5)), a[:-2] + a[2:])
