"""Halide: the schedules of a practised hand, and those of its autoschedulers; the fastest counts.

Axes go from the innermost: a numpy array `a[i, j]` is `a[j, i]` here. Shapes are known when a pipeline is compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import halide as hl
import numpy as np

from tests.bench.memory import empty
from tests.bench.peers import THREADS, Kernel, Maker, Skip, fastest

DISTRIBUTION = "halide"

TARGET = hl.get_jit_target_from_environment()
LIBRARIES = Path(hl.install_dir()) / "lib64"
x, y, z, c = hl.Var("x"), hl.Var("y"), hl.Var("z"), hl.Var("c")
xo, yo, xi, yi, lane = (hl.Var(name) for name in ("xo", "yo", "xi", "yi", "lane"))


@dataclass
class Pipeline:
    """What to compute, in numpy's shape and type, and how by hand."""

    out: Any
    shape: tuple[int, ...]
    hand: Callable[[], None]
    dtype: Any = field(default=np.float32)


Define = Callable[..., Pipeline]


def compiled(define: Define, scheduler: str | None = None, **options: str) -> Maker:
    """A kernel of the pipeline that `define(parameters, given)` makes, scheduled by hand or by a scheduler of this name."""

    def maker(*given: Any) -> Kernel:
        params = []
        for a in given:
            p = hl.ImageParam(hl.Buffer(a).type(), a.ndim)
            for d, n in enumerate(reversed(a.shape)):
                p.dim(d).set_bounds(0, n).set_estimate(0, n)
            params.append(p)
        made = define(*params, *given)
        for d, n in enumerate(reversed(made.shape)):
            var = made.out.args()[d]
            made.out.output_buffer().dim(d).set_bounds(0, n)
            made.out.set_estimate(var, 0, n)
        pipeline = hl.Pipeline(made.out)
        if scheduler:
            hl.load_plugin(str(LIBRARIES / f"libautoschedule_{scheduler.lower()}.so"))
            known = {"parallelism": str(THREADS), **options}
            pipeline.apply_autoscheduler(TARGET, hl.AutoschedulerParams(scheduler, known))
        else:
            made.hand()
        names = [hl.Argument(p) for p in params]
        call = pipeline.compile_to_callable(names, TARGET)
        out = empty(made.shape, made.dtype)
        buffers = [*map(hl.Buffer, given), hl.Buffer(out)]

        def run() -> Any:
            call(*buffers)
            return out

        return run

    return maker


def best(define: Define, search: bool = True) -> Maker:
    """By hand, or by an autoscheduler; `search` by the one that looks through many schedules, too."""
    adams = [compiled(define, "Adams2019")] if search else []
    mullapudi = compiled(define, "Mullapudi2016", last_level_cache_size=str(32 << 20), balance="10")
    return fastest(compiled(define), mullapudi, *adams)


def searched(scheduler: str, **options: str) -> dict[str, Maker]:
    """The kernels of one autoscheduler alone, for the rows of `PROGRAMS`."""
    return {row: compiled(define, scheduler, **options) for row, define in PROGRAMS.items()}


def parallel(f: Any, axis: Any) -> None:
    if THREADS > 1:
        f.parallel(axis)


def matmul(A: Any, B: Any, a: Any, b: Any) -> Pipeline:
    """Tiles of 6 x 64 in registers, along a packed panel of B."""
    n, m = a.shape[0], b.shape[1]
    k = hl.RDom([(0, a.shape[1])])
    total, out = hl.Func("total"), hl.Func("out")
    total[x, y] += A[k.x, y] * B[x, k.x]
    out[x, y] = total[x, y]

    def hand() -> None:
        out.tile(x, y, xo, yo, xi, yi, 64, 6).reorder(xi, yi, yo, xo).vectorize(xi, 16).unroll(xi).unroll(yi)
        parallel(out, xo)
        total.compute_at(out, yo).vectorize(x, 16).unroll(x).unroll(y)
        total.update().reorder(x, y, k.x).vectorize(x, 16).unroll(x).unroll(y)
        panel = B.in_()
        panel.compute_at(out, xo).vectorize(panel.args()[0], 16)

    return Pipeline(out, (n, m), hand)


def bytes_product(A: Any, B: Any, a: Any, b: Any) -> Pipeline:
    """Four neighbours of k side by side make a dot product of bytes; tiles of 6 x 32 along packed panels of B."""
    if b.ndim > 2:
        raise Skip("B is packed for tewb")
    (n, depth), m = a.shape, b.shape[1]
    none = (hl.Expr(), hl.Expr())
    left = hl.BoundaryConditions.constant_exterior(A, hl.u8(0), [(0, depth), none])
    right = hl.BoundaryConditions.constant_exterior(B, hl.i8(0), [none, (0, depth)])
    q, k = hl.Var("q"), hl.RDom([(0, 4), (0, -(-depth // 4))])
    rows, panel, total, out = (hl.Func(name) for name in ("rows", "panel", "total", "out"))
    rows[x, y] = left[x, y]
    panel[q, x, y] = right[x, y * 4 + q]
    total[x, y] += hl.i32(rows[k.y * 4 + k.x, y]) * hl.i32(panel[k.x, x, k.y])
    out[x, y] = total[x, y]

    def hand() -> None:
        out.tile(x, y, xo, yo, xi, yi, 32, 6).reorder(xi, yi, yo, xo).vectorize(xi, 16).unroll(xi).unroll(yi)
        parallel(out, xo)
        total.compute_at(out, yo).vectorize(x, 16).unroll(x).unroll(y)
        total.update().reorder(k.x, x, y, k.y).atomic().vectorize(k.x).vectorize(x, 16).unroll(x).unroll(y)
        panel.compute_at(out, xo).bound(q, 0, 4).unroll(q).vectorize(x, 16)
        rows.compute_root().vectorize(x, 64)

    return Pipeline(out, (n, m), hand, np.int32)


def batched(A: Any, B: Any, a: Any, b: Any) -> Pipeline:
    """The terms of a sum are written out, and the rows of a product unrolled."""
    n = a.shape[2]
    out = hl.Func("out")
    out[x, y, z] = sum((A[k, y, z] * B[x, k, z] for k in range(1, n)), A[0, y, z] * B[x, 0, z])
    zo, zi = hl.Var("zo"), hl.Var("zi")

    def hand() -> None:
        out.split(z, zo, zi, 500).bound(x, 0, n).bound(y, 0, n).vectorize(x).unroll(y)
        parallel(out, zo)

    return Pipeline(out, a.shape, hand)


def bordered(A: Any, a: Any) -> Any:
    """An image, zero outside."""
    height, width = a.shape[1:]
    none = [(hl.Expr(), hl.Expr())]
    return hl.BoundaryConditions.constant_exterior(A, hl.f32(0), [(0, width), (0, height), *none])


def conv2d(A: Any, W: Any, a: Any, w: Any) -> Pipeline:
    """4 rows of 56 in registers: 7 vectors of 8 lanes each."""
    P = hl.Func("padded")
    P[x, y, c] = bordered(A, a)[x, y, c]
    r = hl.RDom([(0, 3), (0, 3), (0, w.shape[1])])
    total, out = hl.Func("total"), hl.Func("out")
    total[x, y, c] += P[x + r.x - 1, y + r.y - 1, r.z] * W[r.x, r.y, r.z, c]
    out[x, y, c] = total[x, y, c]
    co, ci = hl.Var("co"), hl.Var("ci")

    def hand() -> None:
        out.split(c, co, ci, 4).split(x, xo, xi, 56).reorder(xi, ci, xo, y, co).vectorize(xi, 8).unroll(
            xi
        ).unroll(ci)
        parallel(out, co)
        total.compute_at(out, xo).vectorize(x, 8).unroll(x).unroll(c)
        total.update().reorder(x, c, r.x, r.y, r.z).vectorize(x, 8).unroll(x).unroll(c).unroll(r.x)
        P.compute_root().vectorize(x, 16)
        parallel(P, c)

    return Pipeline(out, (len(w), *a.shape[1:]), hand)


def conv_blocked(A: Any, W: Any, a: Any, w: Any) -> Pipeline:
    """16 channels are a vector, and 14 pixels are in registers."""
    blocks, height, width, lanes = a.shape
    P, total, out = hl.Func("padded"), hl.Func("total"), hl.Func("out")
    none = (hl.Expr(), hl.Expr())
    edged = hl.BoundaryConditions.constant_exterior(A, hl.f32(0), [none, (0, width), (0, height), none])
    P[c, x, y, z] = edged[c, x, y, z]
    r = hl.RDom([(0, lanes), (0, 3), (0, 3), (0, blocks)])
    total[c, x, y, z] += P[r.x, x + r.y - 1, y + r.z - 1, r.w] * W[c, r.x, r.y, r.z, r.w, z]
    out[c, x, y, z] = total[c, x, y, z]

    def hand() -> None:
        out.split(x, xo, xi, 14).reorder(c, xi, xo, y, z).bound(c, 0, lanes).vectorize(c).unroll(xi)
        if THREADS > 1:
            both = hl.Var("both")
            out.fuse(y, z, both).parallel(both)
        total.compute_at(out, xo).bound(c, 0, lanes).vectorize(c).unroll(x)
        total.update().reorder(c, x, r.x, r.y, r.z, r.w).vectorize(c).unroll(x).unroll(r.x, 2)
        P.compute_root().bound(c, 0, lanes).vectorize(c)
        parallel(P, z)

    return Pipeline(out, (w.shape[0], height, width, lanes), hand)


def jacobi(rows: int, columns: int) -> Define:
    """All ten steps in tiles of the last: earlier steps make margins, which tiles share."""

    def define(A: Any, a: Any) -> Pipeline:
        n, m = a.shape
        stages = [hl.BoundaryConditions.repeat_edge(A, [(0, m), (0, n)])]
        inside = hl.likely((x > 0) & (x < m - 1) & (y > 0) & (y < n - 1))
        for number in range(10):
            old, new = stages[-1], hl.Func(f"step{number + 1}")
            mean = (old[x, y - 1] + old[x, y + 1] + old[x - 1, y] + old[x + 1, y]) * hl.f32(0.25)
            new[x, y] = hl.select(inside, mean, old[x, y])
            stages.append(new)
        out = stages[-1]

        def hand() -> None:
            out.tile(x, y, xo, yo, xi, yi, columns, rows).vectorize(xi, 16)
            parallel(out, yo)
            for stage in stages[1:-1]:
                stage.compute_at(out, xo).vectorize(x, 16)

        return Pipeline(out, a.shape, hand)

    return define


def depthwise(A: Any, W: Any, a: Any, w: Any) -> Pipeline:
    """4 rows at a time, from a padded channel."""
    P = hl.Func("padded")
    P[x, y, c] = bordered(A, a)[x, y, c]
    out = hl.Func("out")
    out[x, y, c] = sum(
        (P[x + q - 1, y + r - 1, c] * W[q, r, c] for r in range(3) for q in range(3)), hl.f32(0)
    )

    def hand() -> None:
        out.tile(x, y, xo, yo, xi, yi, 16, 4).vectorize(xi).unroll(yi)
        parallel(out, c)
        P.compute_at(out, c).vectorize(x, 16)

    return Pipeline(out, a.shape, hand)


def relu(A: Any, B: Any, C: Any, a: Any, *_: Any) -> Pipeline:
    out = hl.Func("out")
    out[x] = hl.max(A[x] * B[x] + C[x], hl.f32(0))

    def hand() -> None:
        out.split(x, xo, xi, 1 << 16).vectorize(xi, 32)
        parallel(out, xo)

    return Pipeline(out, a.shape, hand)


def blur(sliding: bool) -> Define:
    """Rows first, in strips: whole, or as a window of three rows that slides down the strip."""

    def define(A: Any, a: Any) -> Pipeline:
        def mean(s: Any) -> Any:
            return s * hl.f32(1 / 3) if a.dtype == np.float32 else s / hl.u16(3)

        across, out = hl.Func("across"), hl.Func("out")
        across[x, y] = mean(A[x, y] + A[x + 1, y] + A[x + 2, y])
        out[x, y] = mean(across[x, y] + across[x, y + 1] + across[x, y + 2])
        lanes = 64 // a.itemsize

        def hand() -> None:
            out.split(y, yo, yi, 64).vectorize(x, lanes)
            parallel(out, yo)
            if sliding:
                across.store_at(out, yo).compute_at(out, yi).vectorize(x, lanes)
            else:
                across.compute_at(out, yo).vectorize(x, lanes)

        return Pipeline(out, (a.shape[0] - 2, a.shape[1] - 2), hand, a.dtype)

    return define


class Rows:
    """Reductions of rows in 64 lanes, which are joined at the end; all stages go along with a row of the output."""

    def __init__(self, m: int) -> None:
        self.m = m
        self.lanes: list[tuple[Any, Any, Any]] = []
        self.maps: list[Any] = []

    def reduce(
        self, name: str, start: Any, join: Callable[[Any, Any], Any], value: Callable[[Any], Any]
    ) -> Any:
        """join over value(k) for k in m, as a function of y."""
        wide, one = hl.Func(f"{name}_lanes"), hl.Func(name)
        k, q = hl.RDom([(0, self.m // 64)]), hl.RDom([(0, 64)])
        wide[lane, y] = start
        wide[lane, y] = join(wide[lane, y], value(k.x * 64 + lane))
        one[y] = start
        one[y] = join(one[y], wide[q.x, y])
        self.lanes.append((wide, one, k))
        return one

    def map(self, name: str, value: Callable[[Any], Any]) -> Any:
        f = hl.Func(name)
        f[x, y] = value(x)
        self.maps.append(f)
        return f

    def schedule(self, out: Any) -> None:
        for wide, one, k in self.lanes:
            if one is not out:
                one.compute_at(out, y)
            wide.compute_at(out, y)
            wide.bound(lane, 0, 64).vectorize(lane, 16).unroll(lane)
            wide.update().reorder(lane, k.x).vectorize(lane, 16).unroll(lane)
        for f in self.maps:
            if f is not out:
                f.compute_at(out, y)
            f.vectorize(x, 64)
        parallel(out, y)


def add(a: Any, b: Any) -> Any:
    return a + b


LOWEST = hl.f32(-3.4e38)


def softmax(A: Any, a: Any) -> Pipeline:
    rows = Rows(a.shape[1])
    top = rows.reduce("top", LOWEST, hl.max, lambda k: A[k, y])
    e = rows.map("e", lambda j: hl.exp(A[j, y] - top[y]))
    total = rows.reduce("total", hl.f32(0), add, lambda k: e[k, y])
    out = rows.map("out", lambda j: e[j, y] * (hl.f32(1) / total[y]))
    return Pipeline(out, a.shape, lambda: rows.schedule(out))


def layernorm(A: Any, G: Any, B: Any, a: Any, *_: Any) -> Pipeline:
    m = a.shape[1]
    rows = Rows(m)
    total = rows.reduce("total", hl.f32(0), add, lambda k: A[k, y])
    mean, scale = hl.Func("mean"), hl.Func("scale")
    mean[y] = total[y] * hl.f32(1 / m)
    square = rows.reduce("square", hl.f32(0), add, lambda k: (A[k, y] - mean[y]) * (A[k, y] - mean[y]))
    scale[y] = hl.f32(1) / hl.sqrt(square[y] * hl.f32(1 / m) + hl.f32(1e-5))
    out = rows.map("out", lambda j: (A[j, y] - mean[y]) * scale[y] * G[j] + B[j])

    def hand() -> None:
        rows.schedule(out)
        mean.compute_at(out, y)
        scale.compute_at(out, y)

    return Pipeline(out, a.shape, hand)


def attention(Q: Any, K: Any, V: Any, q: Any, k: Any, v: Any) -> Pipeline:
    """Blocks of 64 rows of a head, whose weights stay in the cache; products in tiles of 8 x 32, K transposed once."""
    _, n, depth = q.shape
    turned, terms, scores = hl.Func("turned"), hl.Func("terms"), hl.Func("scores")
    d, r, m, t = hl.RDom([(0, depth)]), hl.RDom([(0, n)]), hl.RDom([(0, n // 64)]), hl.RDom([(0, n // 64)])
    q64, s64 = hl.RDom([(0, 64)]), hl.RDom([(0, 64)])
    turned[x, y, z] = K[y, x, z]
    terms[x, y, z] += Q[d.x, y, z] * turned[x, d.x, z]
    scores[x, y, z] = terms[x, y, z] * hl.f32(depth**-0.5)
    tops, top = hl.Func("tops"), hl.Func("top")
    tops[lane, y, z] = LOWEST
    tops[lane, y, z] = hl.max(tops[lane, y, z], scores[m.x * 64 + lane, y, z])
    top[y, z] = LOWEST
    top[y, z] = hl.max(top[y, z], tops[q64.x, y, z])
    e, sums, total = hl.Func("e"), hl.Func("sums"), hl.Func("total")
    e[x, y, z] = hl.exp(scores[x, y, z] - top[y, z])
    sums[lane, y, z] += e[t.x * 64 + lane, y, z]
    total[y, z] += sums[s64.x, y, z]
    mixed, out = hl.Func("mixed"), hl.Func("out")
    mixed[x, y, z] += e[r.x, y, z] * V[x, r.x, z]
    out[x, y, z] = mixed[x, y, z] / total[y, z]
    block = hl.Var("block")

    def product(f: Any, into: Any, at: Any, k: Any) -> None:
        f.compute_at(into, at).vectorize(x, 16).unroll(x).unroll(y)
        f.update().reorder(x, y, k.x).vectorize(x, 16).unroll(x).unroll(y)

    def hand() -> None:
        out.split(y, block, y, 64).tile(x, y, xo, yo, xi, yi, 32, 8).reorder(xi, yi, xo, yo, block, z)
        out.vectorize(xi, 16).unroll(xi).unroll(yi)
        parallel(out, z)
        product(mixed, out, xo, r)
        turned.compute_at(out, z).tile(x, y, xi, yi, 16, 16).vectorize(yi).unroll(xi)
        turned.reorder(yi, xi, x, y)
        scores.compute_at(out, block).tile(x, y, xo, yo, xi, yi, 32, 8).vectorize(xi, 16).unroll(xi).unroll(
            yi
        )
        product(terms, scores, xo, d)
        for wide, one, k in ((tops, top, m), (sums, total, t)):
            one.compute_at(out, block)
            wide.compute_at(out, block).bound(lane, 0, 64).vectorize(lane, 16).unroll(lane)
            wide.update().reorder(lane, k.x, y).vectorize(lane, 16).unroll(lane)
        e.compute_at(out, block).vectorize(x, 32)

    return Pipeline(out, q.shape, hand)


def row_sum(A: Any, a: Any) -> Pipeline:
    rows = Rows(a.shape[1])
    total = rows.reduce("total", hl.f32(0), add, lambda k: A[k, y])
    out = hl.Func("out")
    out[y] = total[y]
    return Pipeline(out, a.shape[:1], lambda: rows.schedule(out))


def argmax(A: Any, a: Any) -> Pipeline:
    """The largest value first, then the lowest place that has it."""
    rows = Rows(a.shape[1])
    top = rows.reduce("top", LOWEST, hl.max, lambda k: A[k, y])
    none = hl.i32(a.shape[1])
    at = rows.reduce("at", none, hl.min, lambda k: hl.select(A[k, y] == top[y], hl.i32(k), none))
    out = hl.Func("out")
    out[y] = at[y]
    return Pipeline(out, a.shape[:1], lambda: rows.schedule(out), np.int32)


def transpose(A: Any, a: Any) -> Pipeline:
    """Blocks of 16 x 16: rows are loaded and columns are stored as vectors, in tiles for the cache."""
    out = hl.Func("out")
    out[x, y] = A[y, x]
    bx, by = hl.Var("bx"), hl.Var("by")

    def hand() -> None:
        load = A.in_()
        column, row = load.args()
        out.tile(x, y, xo, yo, xi, yi, 256, 256).tile(xi, yi, bx, by, xi, yi, 16, 16).vectorize(xi).unroll(yi)
        parallel(out, yo)
        load.compute_at(out, bx).vectorize(column).unroll(row)

    return Pipeline(out, a.shape[::-1], hand)


def stencil(points: int) -> Define:
    def define(A: Any, a: Any) -> Pipeline:
        n, m = a.shape
        P = hl.BoundaryConditions.constant_exterior(A, hl.f32(0), [(0, m), (0, n)])
        out = hl.Func("out")
        value = P[x - 1, y] + P[x, y] + P[x + 1, y]
        out[x, y] = value if points == 3 else value + P[x, y - 1] + P[x, y + 1]

        def hand() -> None:
            out.vectorize(x, 16)
            parallel(out, y)

        return Pipeline(out, a.shape, hand)

    return define


KERNELS: dict[str, Maker] = {
    "matmul": best(matmul),
    "uint8 x int8": compiled(bytes_product),
    "batched matmul": best(batched),
    "Jacobi": fastest(compiled(jacobi(64, 512)), compiled(jacobi(128, 256)), compiled(jacobi(64, 256))),
    "conv2d NCHW16c": compiled(conv_blocked),
    "attention": compiled(attention),
    # Adams2019 searches for 80 and 20 seconds here, and finds 4.0 and 1.6 ms where the hand has 2.3 and 0.5.
    "conv2d 3x3": best(conv2d, search=False),
    "depthwise 3x3": best(depthwise, search=False),
    "relu": best(relu),
    "blur 3x3": fastest(compiled(blur(True)), best(blur(False))),
    "softmax": best(softmax),
    "layernorm": best(layernorm),
    "row sum": best(row_sum),
    "argmax": best(argmax),
    "transpose": best(transpose),
    "padded 3-point": best(stencil(3)),
    "padded 5-point": best(stencil(5)),
}

# What an autoscheduler is given, which adds schedules to programs of its own choice (`peers/searches/`).
PROGRAMS: dict[str, Define] = {
    "matmul": matmul,
    "batched matmul": batched,
    "Jacobi": jacobi(64, 512),
    "attention": attention,
    "conv2d 3x3": conv2d,
    "depthwise 3x3": depthwise,
    "blur 3x3": blur(False),
    "softmax": softmax,
    "layernorm": layernorm,
    "transpose": transpose,
    "uint8 x int8": bytes_product,
}
