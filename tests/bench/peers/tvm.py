"""TVM: tensor expressions, scheduled by hand as blocks of its TensorIR, compiled by its LLVM.

Sums and maxima of rows run in 64 lanes that are written out, as `vectorize` takes no axis of a reduction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tvm
from tvm import s_tir, te

from tests.bench.peers import THREADS, Kernel, Maker, fastest

DISTRIBUTION = "apache-tvm"

LANES = 64


def target() -> Any:
    """The processor at hand, which TVM only knows by its name."""
    import llvmlite.binding as llvm

    return tvm.target.Target({"kind": "llvm", "mcpu": llvm.get_host_cpu_name(), "num-cores": THREADS})


def compiled(define: Callable[..., Any]) -> Maker:
    """A kernel of `define(*given)`: tensors of which the last is the output, and a function that schedules them."""

    def maker(*given: Any) -> Kernel:
        args, schedule = define(*given)
        s = s_tir.Schedule(te.create_prim_func(args))
        schedule(s)
        kernel = tvm.compile(s.mod, target=target())["main"]
        out = tvm.runtime.empty([int(n) for n in args[-1].shape], args[-1].dtype)
        tensors = [*map(tvm.runtime.tensor, given), out]
        view = np.from_dlpack(out)

        def run() -> Any:
            kernel(*tensors)
            return view

        return run

    return maker


def placeholders(given: tuple[Any, ...]) -> list[Any]:
    return [te.placeholder(a.shape, str(a.dtype), name=f"arg{i}") for i, a in enumerate(given)]


def in_vectors(s: Any, block: Any, lanes: int) -> None:
    """Vectors along the last axis of a block."""
    s.vectorize(s.split(s.get_loops(block)[-1], [None, lanes])[1])


def parallel(s: Any, loop: Any) -> None:
    if THREADS > 1:
        s.parallel(loop)


def matmul(rows: int, columns: int) -> Maker:
    """Tiles of rows x columns in registers, along panels of B, which are padded to whole ones."""

    def define(a: Any, b: Any) -> Any:
        A, B = placeholders((a, b))
        (n, depth), m = a.shape, b.shape[1]
        k = te.reduce_axis((0, depth), name="k")
        panels = -(-m // columns)
        P = te.compute(
            (panels, depth, columns),
            lambda p, k, j: te.if_then_else(
                p * columns + j < m, B[k, p * columns + j], te.const(0, "float32")
            ),
            name="P",
        )
        C = te.compute(
            (n, panels * columns),
            lambda i, j: te.sum(A[i, k] * P[te.indexdiv(j, columns), k, te.indexmod(j, columns)], axis=k),
            name="C",
        )
        whole = m == panels * columns
        out = C if whole else te.compute((n, m), lambda i, j: C[i, j], name="out")

        def schedule(s: Any) -> None:
            block = s.get_sblock("C")
            i, j, k = s.get_loops(block)
            io, ii = s.split(i, [None, rows])
            jo, ji = s.split(j, [None, columns])
            s.reorder(jo, io, k, ii, ji)
            store = s.cache_write(block, 0, "local")
            s.reverse_compute_at(store, io)
            s.vectorize(s.get_loops(store)[-1])
            panel = s.get_sblock("P")
            s.compute_at(panel, jo)
            if whole:
                s.vectorize(s.get_loops(panel)[-1])
            s.unroll(ii)
            s.vectorize(ji)
            parallel(s, jo)
            init = s.decompose_reduction(block, k)
            s.unroll(s.get_loops(init)[-2])

        return [A, B, out], schedule

    return compiled(define)


def batched(a: Any, b: Any) -> Any:
    """Eight chains of eight terms, written out."""
    A, B = placeholders((a, b))
    n = a.shape[2]
    C = te.compute(
        a.shape,
        lambda p, i, j: sum((A[p, i, k] * B[p, k, j] for k in range(1, n)), A[p, i, 0] * B[p, 0, j]),
        name="C",
    )

    def schedule(s: Any) -> None:
        p, i, j = s.get_loops(s.get_sblock("C"))
        parallel(s, p)
        s.unroll(i)
        s.vectorize(j)

    return [A, B, C], schedule


def padded(A: Any, a: Any) -> Any:
    channels, n, m = a.shape
    inside = lambda i, j: te.all(i > 0, i <= n, j > 0, j <= m)  # noqa: E731
    return te.compute(
        (channels, n + 2, m + 2),
        lambda k, i, j: te.if_then_else(inside(i, j), A[k, i - 1, j - 1], te.const(0, "float32")),
        name="P",
    )


def conv2d(channels: int, columns: int) -> Maker:
    """`channels` rows of the output in registers."""

    def define(a: Any, w: Any) -> Any:
        A, W = placeholders((a, w))
        P = padded(A, a)
        k, r, q = (te.reduce_axis((0, n), name=name) for n, name in zip(w.shape[1:], "krq", strict=True))
        C = te.compute(
            (len(w), *a.shape[1:]),
            lambda f, i, j: te.sum(P[k, i + r, j + q] * W[f, k, r, q], axis=[k, r, q]),
            name="C",
        )

        def schedule(s: Any) -> None:
            block = s.get_sblock("C")
            f, i, j, k, r, q = s.get_loops(block)
            fo, fi = s.split(f, [None, channels])
            jo, ji = s.split(j, [None, columns])
            s.reorder(fo, i, jo, k, r, q, fi, ji)
            store = s.cache_write(block, 0, "local")
            s.reverse_compute_at(store, jo)
            s.vectorize(s.get_loops(store)[-1])
            s.unroll(q)
            s.unroll(fi)
            s.vectorize(ji)
            parallel(s, fo)
            init = s.decompose_reduction(block, k)
            s.unroll(s.get_loops(init)[-2])
            parallel(s, s.get_loops(s.get_sblock("P"))[0])

        return [A, W, C], schedule

    return compiled(define)


def conv_blocked(a: Any, w: Any) -> Any:
    """16 channels are a vector, and 14 pixels are in registers."""
    A, W = placeholders((a, w))
    blocks, n, m, lanes = a.shape
    inside = lambda i, j: te.all(i > 0, i <= n, j > 0, j <= m)  # noqa: E731
    P = te.compute(
        (blocks, n + 2, m + 2, lanes),
        lambda b, i, j, c: te.if_then_else(inside(i, j), A[b, i - 1, j - 1, c], te.const(0, "float32")),
        name="P",
    )
    b, r, q, k = (te.reduce_axis((0, e), name=x) for e, x in zip(w.shape[1:5], "brqk", strict=True))
    C = te.compute(
        (w.shape[0], n, m, lanes),
        lambda f, i, j, c: te.sum(P[b, i + r, j + q, k] * W[f, b, r, q, k, c], axis=[b, r, q, k]),
        name="C",
    )

    def schedule(s: Any) -> None:
        block = s.get_sblock("C")
        f, i, j, c, b, r, q, k = s.get_loops(block)
        jo, ji = s.split(j, [None, 14])
        s.reorder(f, i, jo, b, r, q, k, ji, c)
        store = s.cache_write(block, 0, "local")
        s.reverse_compute_at(store, jo)
        s.vectorize(s.get_loops(store)[-1])
        s.unroll(ji)
        s.vectorize(c)
        parallel(s, s.fuse(f, i))
        init = s.decompose_reduction(block, b)
        s.unroll(s.get_loops(init)[-2])
        pad = s.get_loops(s.get_sblock("P"))
        s.vectorize(pad[-1])
        parallel(s, pad[0])

    return [A, W, C], schedule


def depthwise(a: Any, w: Any) -> Any:
    A, W = placeholders((a, w))
    P = padded(A, a)
    total = lambda f, i, j: sum((P[f, i + r, j + q] * W[f, r, q] for r in range(3) for q in range(3)), 0.0)  # noqa: E731
    C = te.compute(a.shape, total, name="C")

    def schedule(s: Any) -> None:
        block = s.get_sblock("C")
        f, i, j = s.get_loops(block)
        io, ii = s.split(i, [None, 4])
        jo, ji = s.split(j, [None, 16])
        s.reorder(f, io, jo, ii, ji)
        s.unroll(ii)
        s.vectorize(ji)
        parallel(s, f)
        s.compute_at(s.get_sblock("P"), f)

    return [A, W, C], schedule


def relu(*given: Any) -> Any:
    A, B, C = placeholders(given)
    out = te.compute(A.shape, lambda i: te.max(A[i] * B[i] + C[i], te.const(0, "float32")), name="out")

    def schedule(s: Any) -> None:
        chunk, _, lanes = s.split(s.get_loops(s.get_sblock("out"))[0], [None, 1024, 64])
        parallel(s, chunk)
        s.vectorize(lanes)

    return [A, B, C, out], schedule


def blur(a: Any) -> Any:
    (A,) = placeholders((a,))
    n, m = a.shape[0] - 2, a.shape[1] - 2

    def mean(x: Any) -> Any:
        return (
            x * te.const(1 / 3, "float32") if a.dtype == np.float32 else te.floordiv(x, te.const(3, "uint16"))
        )

    X = te.compute((n + 2, m), lambda i, j: mean(A[i, j] + A[i, j + 1] + A[i, j + 2]), name="X")
    Y = te.compute((n, m), lambda i, j: mean(X[i, j] + X[i + 1, j] + X[i + 2, j]), name="Y")

    def schedule(s: Any) -> None:
        strip, _ = s.split(s.get_loops(s.get_sblock("Y"))[0], [None, 64])
        parallel(s, strip)
        s.compute_at(s.get_sblock("X"), strip)
        for name in ("X", "Y"):
            in_vectors(s, s.get_sblock(name), 64 // a.itemsize)

    return [A, Y], schedule


class Rows:
    """Reductions and maps of rows, which go along with a row of the last."""

    def __init__(self, n: int, m: int) -> None:
        self.n, self.m = n, m
        self.wide: list[str] = []
        self.maps: list[str] = []
        self.small: list[str] = []

    def reduce(self, name: str, join: Any, value: Callable[[Any, Any], Any]) -> Any:
        k, lane = te.reduce_axis((0, self.m // LANES), name="k"), te.reduce_axis((0, LANES), name="lane")
        wide = te.compute(
            (self.n, LANES), lambda i, j: join(value(i, k * LANES + j), axis=k), name=f"{name}_lanes"
        )
        self.wide.append(f"{name}_lanes")
        self.small.append(name)
        return te.compute((self.n,), lambda i: join(wide[i, lane], axis=lane), name=name)

    def map(self, name: str, value: Callable[[Any, Any], Any]) -> Any:
        self.maps.append(name)
        return te.compute((self.n, self.m), value, name=name)

    def schedule(self, last: str, order: list[str]) -> Callable[[Any], None]:
        """`order` are the stages from the first to the one before the last."""

        def schedule(s: Any) -> None:
            row = s.get_loops(s.get_sblock(last))[0]
            parallel(s, row)
            for name in reversed(order):
                s.compute_at(s.get_sblock(name), row)
            for name in self.maps:
                in_vectors(s, s.get_sblock(name), LANES)
            for name in self.wide:
                block = s.get_sblock(name)
                *_, j, k = s.get_loops(block)
                s.reorder(k, j)
                s.vectorize(j)
                s.decompose_reduction(block, k)
                s.vectorize(s.get_loops(s.get_sblock(f"{name}_init"))[-1])

        return schedule


def exp(x: Any) -> Any:
    """e**x by a polynomial and a shift of the exponent: TVM's own is a call of C's for each element."""
    real = lambda c: te.const(c, "float32")  # noqa: E731
    x = te.max(te.min(x, real(88.0)), real(-87.0))
    whole = te.floor(x * real(1.44269504) + real(0.5))
    x = x - whole * real(0.693359375) - whole * real(-2.12194440e-4)
    made = real(1.9875691500e-4)
    for c in (1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1):
        made = made * x + real(c)
    power = (whole.astype("int32") + te.const(127, "int32")) << te.const(23, "int32")
    return (made * x * x + x + real(1.0)) * tvm.tirx.reinterpret("float32", power)


def softmax(a: Any) -> Any:
    (A,) = placeholders((a,))
    rows = Rows(*a.shape)
    top = rows.reduce("top", te.max, lambda i, j: A[i, j])
    E = rows.map("E", lambda i, j: exp(A[i, j] - top[i]))
    total = rows.reduce("total", te.sum, lambda i, j: E[i, j])
    out = rows.map("out", lambda i, j: E[i, j] / total[i])
    return [A, out], rows.schedule("out", ["top_lanes", "top", "E", "total_lanes", "total"])


def layernorm(a: Any, g: Any, b: Any) -> Any:
    A, G, B = placeholders((a, g, b))
    rows = Rows(*a.shape)
    share = te.const(1 / a.shape[1], "float32")
    total = rows.reduce("total", te.sum, lambda i, j: A[i, j])
    mean = te.compute(total.shape, lambda i: total[i] * share, name="mean")
    square = rows.reduce("square", te.sum, lambda i, j: (A[i, j] - mean[i]) * (A[i, j] - mean[i]))
    scale = te.compute(
        total.shape, lambda i: te.rsqrt(square[i] * share + te.const(1e-5, "float32")), name="scale"
    )
    out = rows.map("out", lambda i, j: (A[i, j] - mean[i]) * scale[i] * G[j] + B[j])
    order = ["total_lanes", "total", "mean", "square_lanes", "square", "scale"]
    return [A, G, B, out], rows.schedule("out", order)


def row_sum(a: Any) -> Any:
    (A,) = placeholders((a,))
    rows = Rows(*a.shape)
    return [A, rows.reduce("total", te.sum, lambda i, j: A[i, j])], rows.schedule("total", ["total_lanes"])


def argmax(a: Any) -> Any:
    """The largest value first, then the lowest place that has it."""
    (A,) = placeholders((a,))
    rows, none = Rows(*a.shape), te.const(a.shape[1], "int32")
    top = rows.reduce("top", te.max, lambda i, j: A[i, j])
    at = rows.reduce("at", te.min, lambda i, j: te.if_then_else(A[i, j] == top[i], j, none))
    return [A, at], rows.schedule("at", ["top_lanes", "top", "at_lanes"])


def stencil(points: int) -> Maker:
    """From strips with zeros around them."""

    def define(a: Any) -> Any:
        (A,) = placeholders((a,))
        n, m = a.shape
        inside = lambda i, j: te.all(i > 0, i <= n, j > 0, j <= m)  # noqa: E731
        P = te.compute(
            (n + 2, m + 2),
            lambda i, j: te.if_then_else(inside(i, j), A[i - 1, j - 1], te.const(0, "float32")),
            name="P",
        )

        def value(i: Any, j: Any) -> Any:
            row = P[i + 1, j] + P[i + 1, j + 1] + P[i + 1, j + 2]
            return row if points == 3 else row + P[i, j + 1] + P[i + 2, j + 1]

        B = te.compute((n, m), value, name="B")

        def schedule(s: Any) -> None:
            strip, _ = s.split(s.get_loops(s.get_sblock("B"))[0], [None, 16])
            parallel(s, strip)
            s.compute_at(s.get_sblock("P"), strip)
            in_vectors(s, s.get_sblock("B"), 16)

        return [A, B], schedule

    return compiled(define)


def transpose(columns: int, rows: int) -> Maker:
    """Blocks for the cache, and small tiles that are unrolled: rows are loaded as vectors."""

    def define(a: Any) -> Any:
        (A,) = placeholders((a,))
        out = te.compute(a.shape[::-1], lambda i, j: A[j, i], name="out")

        def schedule(s: Any) -> None:
            i, j = s.get_loops(s.get_sblock("out"))
            io, im, ii = s.split(i, [None, 256 // rows, rows])
            jo, jm, ji = s.split(j, [None, 256 // columns, columns])
            s.reorder(io, jo, im, jm, ji, ii)
            s.unroll(ji)
            s.vectorize(ii)
            parallel(s, io)

        return [A, out], schedule

    return compiled(define)


KERNELS: dict[str, Maker] = {
    "matmul": fastest(matmul(8, 32), matmul(4, 64)),
    "conv2d NCHW16c": compiled(conv_blocked),
    "batched matmul": compiled(batched),
    "conv2d 3x3": fastest(conv2d(8, 14), conv2d(8, 8), conv2d(16, 8)),
    "depthwise 3x3": compiled(depthwise),
    "relu": compiled(relu),
    "blur 3x3": compiled(blur),
    "softmax": compiled(softmax),
    "layernorm": compiled(layernorm),
    "row sum": compiled(row_sum),
    "argmax": compiled(argmax),
    "padded 3-point": stencil(3),
    "padded 5-point": stencil(5),
    "transpose": fastest(transpose(4, 8), transpose(8, 8), transpose(4, 16)),
}
