"""Checked externs: twenty callbacks that lie about what they touch are caught, and honest ones are not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

import tewb
from tewb import te
from tewb.base import ExternError, LowerError
from tewb.runtime import remove_global_func


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    yield
    if tewb.get_global_func("test.liar", allow_missing=True):
        remove_global_func("test.liar")


def build(
    f: Callable[..., None],
    access: Any = te.access.elementwise,
    dtype: str = "float32",
    tile: tuple[int, int] = (4, 3),
    inputs: int = 1,
    **options: Any,
) -> Any:
    tewb.register_func("test.liar", f, override=True)
    tensors = [te.placeholder((10, 7), name=f"A{i}", dtype=dtype) for i in range(inputs)]
    E = te.extern((10, 7), tensors, lambda i, o: te.call_packed("test.liar", *i, o[0]), name="E", access=access,
                  dtype=dtype, **options)  # fmt: skip
    s = te.create_schedule(E.op)
    if s[E].leaf_iter_vars:
        s[E].tile("d0", "d1", *tile)
    return tewb.build(s, [*tensors, E], checked=True)


def call(kernel: Any, dtype: str = "float32", inputs: int = 1) -> list[Any]:
    arrays = [np.random.randint(1, 100, (10, 7)).astype(dtype) for _ in range(inputs)]
    out = np.zeros((10, 7), dtype)
    kernel(*arrays, out)
    return [*arrays, out]


# ---------------------------------------------------------------- honest ones


def test_honest_callbacks_pass_and_their_results_arrive() -> None:
    def double(a: Any, b: Any) -> None:
        b[...] = a * 2

    for dtype in ("float32", "float64", "int8", "uint16", "int64"):
        for tail in ("clip", "pad", "shift"):
            a, e = call(build(double, dtype=dtype, tail=tail), dtype)
            np.testing.assert_array_equal(e, (a * 2).astype(dtype))
    a, e = call(build(double, access=None))
    np.testing.assert_array_equal(e, a * 2)
    a, e = call(build(double, tile=(4, 7)))
    np.testing.assert_array_equal(e, a * 2)


def test_parallel_tiles_of_symbolic_rows_are_checked() -> None:
    """Bodies for unit strides and for others share their loops: each thread knows its own loop variables only."""

    def rows(a: Any, low: Any, total: Any) -> None:
        low[...] = a - a.min(axis=1, keepdims=True, initial=0)
        total[...] = a.sum(axis=1, keepdims=True)

    tewb.register_func("test.liar", rows, override=True)
    n = te.var("n", "int64")
    A = te.placeholder((n, n), "float64", name="A")
    low, total = te.extern(
        [A.shape, A.shape], [A], lambda i, o: te.call_packed("test.liar", i[0], o[0], o[1]), name="E",
        access=te.access.rows, compact=True, dtype=["float64", "float64"],
    )  # fmt: skip
    s = te.create_schedule(low.op)
    outer, _ = s[low].split("d0", factor=4)
    outer, _ = s[low].split(outer, factor=5)
    s[low].parallel(outer)
    binds = {A: te.decl_buffer(A.shape, A.dtype, "A", strides=[te.var("p"), te.var("q")])}
    kernel = tewb.build(s, [A, low, total], binds=binds, checked=True, debug=True)
    for a in (np.arange(49.0 * 49).reshape(49, 49), np.arange(49.0 * 49).reshape(49, 49).T, np.ones((3, 3))):
        results = [np.zeros(a.shape) for _ in range(2)]
        kernel(a, *results)
        np.testing.assert_array_equal(results[0], a - np.minimum(a.min(axis=1, keepdims=True), 0))
        np.testing.assert_array_equal(results[1], np.broadcast_to(a.sum(axis=1, keepdims=True), a.shape))


def test_an_honest_stencil_passes() -> None:
    def smooth(a: Any, b: Any) -> None:
        b[...] = a.mean() if a.size else 0

    call(build(smooth, access=te.access.stencil(1)))


def test_not_a_number_is_a_value_like_others() -> None:
    def invert(a: Any, b: Any) -> None:
        b[...] = np.nan

    assert np.isnan(call(build(invert))[-1]).all()


def test_the_padding_of_a_tile_may_stay_unwritten() -> None:
    def front(a: Any, b: Any) -> None:
        b[...] = a

    tewb.register_func("test.liar", lambda a, b, n, m: b[:n, :m].__setitem__(..., a[:n, :m]), override=True)
    A = te.placeholder((10, 7), name="A")
    E = te.extern((10, 7), [A], lambda i, o, t: te.call_packed("test.liar", i[0], o[0], *t.extents), name="E",
                  access=te.access.elementwise, tail="pad")  # fmt: skip
    s = te.create_schedule(E.op)
    s[E].tile("d0", "d1", 4, 3)
    a, e = call(tewb.build(s, [A, E], checked=True))
    np.testing.assert_array_equal(a, e)


def test_a_stateful_extern_runs_once_for_a_tile() -> None:
    calls: list[int] = []

    def count(a: Any, b: Any) -> None:
        calls.append(1)
        b[...] = len(calls)

    call(build(count, effect="stateful"))
    assert len(calls) == 9


# ---------------------------------------------------------------- twenty liars


def wider(v: Any, before: int = 0, after: int = 1) -> Any:
    """A view that is larger than it should be."""
    start = v.__array_interface__["data"][0] - before * v.strides[0]
    base = np.frombuffer((memoryview_at(start)), dtype=v.dtype)
    return as_strided(base, (v.shape[0] + before + after, *v.shape[1:]), v.strides)


def memoryview_at(address: int) -> Any:
    import ctypes

    return (ctypes.c_char * 512).from_address(address)


def right(v: Any, n: int = 1) -> Any:
    """A view with `n` more columns."""
    return as_strided(v, (v.shape[0], v.shape[1] + n), v.strides)


def w_below(a: Any, b: Any) -> None:
    wider(b)[...] = 1


def w_above(a: Any, b: Any) -> None:
    wider(b, 1, 0)[...] = 1


def w_right(a: Any, b: Any) -> None:
    right(b)[...] = 1


def w_base(a: Any, b: Any) -> None:
    b[...] = a
    (b if b.base is None else b.base)[...] = 3


def w_far(a: Any, b: Any) -> None:
    b[...] = a
    flat = as_strided(b, (40,), (b.itemsize,))
    flat[39] = 5


def w_input(a: Any, b: Any) -> None:
    b[...] = a
    a[0, 0] += 1


def w_beside_input(a: Any, b: Any) -> None:
    b[...] = a
    right(a)[0, -1] = -7


def w_flat(a: Any, b: Any) -> None:
    b[...] = a
    as_strided(b, (b.size + 1,), (b.itemsize,))[...] = 2


def w_swapped(a: Any, b: Any) -> None:
    a[...] = b


def r_right(a: Any, b: Any) -> None:
    b[...] = right(a)[:, 1:]


def r_below(a: Any, b: Any) -> None:
    b[...] = wider(a)[1:]


def r_above(a: Any, b: Any) -> None:
    b[...] = wider(a, 1, 0)[:-1]


def r_sum(a: Any, b: Any) -> None:
    b[...] = right(a).sum()


def r_max(a: Any, b: Any) -> None:
    b[...] = right(a, 2).max()


def r_base(a: Any, b: Any) -> None:
    b[...] = a.base.sum() % 1000


def r_condition(a: Any, b: Any) -> None:
    b[...] = a
    if right(a)[0, -1] > 100:
        b[0, 0] = -1


def r_old(a: Any, b: Any) -> None:
    b[...] = b + a


def r_beside_output(a: Any, b: Any) -> None:
    b[...] = a + right(b)[:, 1:].max()


def u_half(a: Any, b: Any) -> None:
    b[: max(b.shape[0] - 1, 0)] = a[: max(b.shape[0] - 1, 0)]


def u_nothing(a: Any, b: Any) -> None:
    pass


def n_random(a: Any, b: Any) -> None:
    b[...] = next(COUNTER)


COUNTER = iter(range(10**6))

LIARS: list[tuple[Callable[..., None], str]] = [
    (w_below, r"wrote element \[4, 0\] of its output, outside of its tile \[0:4, 0:3\]"),
    (w_above, r"wrote element \[-1, 0\] of its output, outside of its tile"),
    (w_right, r"wrote element \[0, 3\] of its output, outside of its tile"),
    (w_base, "wrote element .* of its output, outside of its tile"),
    (w_far, "wrote element .* of its output, outside of its tile"),
    (w_input, r"wrote element \[0, 0\] of its input, which is not its to write"),
    (w_beside_input, r"wrote element \[0, 3\] of its input, outside of its tile"),
    (w_flat, r"wrote element .* of its output, outside of its tile"),
    (w_swapped, "of its input, which is not its to write"),
    (
        r_right,
        r"read its input outside of the declared region \[0:4, 0:3\].* for element \[0, 2\] of its output",
    ),
    (r_below, r"read its input outside of the declared region .* element \[3, 0\] of its output"),
    (r_above, r"read its input outside of the declared region .* element \[0, 0\] of its output"),
    (r_sum, "read its input outside of the declared region"),
    (r_max, "read its input outside of the declared region"),
    (r_base, "read its input outside of the declared region"),
    (r_condition, r"read its input outside of the declared region .* element \[0, 0\]"),
    (r_old, r"read before it was written element \[0, 0\] of its output"),
    (r_beside_output, "read outside of the tile of its output"),
    (u_half, r"did not write element \[3, 0\] of its output"),
    (u_nothing, r"did not write element \[0, 0\] of its output"),
    (n_random, r"gave two values in two runs for element \[0, 0\] of its output"),
]


@pytest.mark.parametrize(("liar", "said"), LIARS, ids=lambda x: getattr(x, "__name__", ""))
def test_a_lying_callback_is_caught_and_named(liar: Callable[..., None], said: str) -> None:
    kernel = build(liar)
    for _ in range(2):  # and the kernel lives on
        with pytest.raises(ExternError, match=f"packed function test.liar, called for extern E, .*{said}"):
            call(kernel)


@pytest.mark.parametrize("dtype", ["int32", "uint8", "float64"])
def test_liars_are_caught_in_every_dtype(dtype: str) -> None:
    for liar, said in (
        (w_below, "wrote element"),
        (r_right, "outside of the declared"),
        (u_half, "did not write"),
    ):
        with pytest.raises(ExternError, match=said):
            call(build(liar, dtype=dtype), dtype)


def test_the_input_to_blame_is_named() -> None:
    def liar(a: Any, b: Any, c: Any) -> None:
        c[...] = a + right(b)[:, 1:]

    with pytest.raises(ExternError, match="read its input 1 outside of the declared region"):
        call(build(liar, inputs=2), inputs=2)


def test_a_read_only_input_cannot_be_written() -> None:
    kernel = build(w_input)
    a = np.zeros((10, 7), "float32")
    a.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        kernel(a, np.zeros((10, 7), "float32"))


def test_a_lowered_module_cannot_be_checked() -> None:
    A = te.placeholder((4,), name="A")
    E = te.extern((4,), [A], lambda i, o: te.call_packed("test.liar", i[0], o[0]), name="E")
    with pytest.raises(LowerError, match="checked=True takes a schedule"):
        tewb.build(tewb.lower(te.create_schedule(E.op), [A, E]), checked=True)
