"""Programs for the edit loop: the schedule of the classic GEMM tutorial, and graphs of twenty stages."""

from __future__ import annotations

from typing import Any

from tewb import te

Program = tuple[Any, list[Any]]


def tutorial_gemm(n: int = 1024, block: int = 32) -> Program:
    """Blocking, array packing, a write cache, vectors, unrolling and threads, as the classic tutorial ends."""
    k = te.reduce_axis((0, n), "k")
    A = te.placeholder((n, n), name="A")
    B = te.placeholder((n, n), name="B")
    packed = te.compute((n // block, n, block), lambda o, x, i: B[x, o * block + i], name="packedB")
    C = te.compute((n, n), lambda x, y: te.sum(A[x, k] * packed[y // block, k, y % block], axis=k), name="C")
    s = te.create_schedule(C.op)
    CC = s.cache_write(C, "global")
    mo, no, mi, ni = s[C].tile(C.op.axis[0], C.op.axis[1], block, block)
    s[CC].compute_at(s[C], no)
    mc, nc = s[CC].op.axis
    (kaxis,) = s[CC].op.reduce_axis
    ko, ki = s[CC].split(kaxis, factor=4)
    s[CC].reorder(ko, mc, ki, nc)
    s[CC].unroll(ki)
    s[CC].vectorize(nc)
    s[C].parallel(mo)
    _, _, littlen = s[packed].op.axis
    s[packed].vectorize(littlen)
    s[packed].parallel(s[packed].op.axis[0])
    return s, [A, B, C]


def stencils(n: int = 1026) -> Program:
    """Twenty stages on images: blurs, differences of two branches, row sums and scales; tiled and vectorized."""
    A = te.placeholder((n, n), name="A")
    made = []
    t, m = A, n
    for r in range(5):
        m -= 2
        x = te.compute((m + 2, m), lambda i, j, t=t: t[i, j] + t[i, j + 1] + t[i, j + 2], name=f"x{r}")
        y = te.compute((m, m), lambda i, j, x=x: x[i, j] + x[i + 1, j] + x[i + 2, j], name=f"y{r}")
        k = te.reduce_axis((0, m), name="k")
        total = te.compute((m,), lambda i, y=y, k=k: te.sum(y[i, k], axis=k), name=f"sum{r}")
        t = te.compute(
            (m, m), lambda i, j, y=y, t=t, total=total: y[i, j] / total[i] - t[i + 1, j + 1], name=f"out{r}"
        )
        made.append((x, y, total, t))
    s = te.create_schedule(t.op)
    for x, y, total, out in made:
        yo, _, _, yi = s[y].tile("i", "j", 32, 64)
        s[y].parallel(yo)
        s[y].vectorize(s[y].split(yi, 16)[1])
        s[x].compute_at(s[y], "j.outer")
        s[x].vectorize(s[x].split("j", 16)[1])
        s[total].parallel(s[total].split("i", 8)[0])
        s[out].vectorize(s[out].split("j", 16)[1])
        s[out].parallel("i")
    return s, [A, t]


def network(channels: int = 32, size: int = 28) -> Program:
    """Twenty stages of a small network: convolutions with bias and relu, a residual sum, pooling, two dense
    layers and a softmax; tiled and vectorized."""
    X = te.placeholder((channels, size, size), name="X")
    args: list[Any] = [X]
    t = X
    convs, maps = [], []
    for layer in range(3):
        W = te.placeholder((channels, channels, 3, 3), name=f"W{layer}")
        bias = te.placeholder((channels,), name=f"bias{layer}")
        args += [W, bias]
        padded = te.compute(
            (channels, size + 2, size + 2),
            lambda c, i, j, t=t: te.if_then_else(
                te.all(i >= 1, i < size + 1, j >= 1, j < size + 1), t[c, i - 1, j - 1], 0.0
            ),
            name=f"pad{layer}",
        )
        rc, ri, rj = (te.reduce_axis((0, n), name) for n, name in ((channels, "rc"), (3, "ri"), (3, "rj")))
        conv = te.compute(
            (channels, size, size),
            lambda c, i, j, p=padded, W=W, rc=rc, ri=ri, rj=rj: te.sum(
                p[rc, i + ri, j + rj] * W[c, rc, ri, rj], axis=[rc, ri, rj]
            ),
            name=f"conv{layer}",
        )
        before = t
        t = te.compute(
            conv.shape,
            lambda c, i, j, conv=conv, bias=bias, before=before: (
                te.max(conv[c, i, j] + bias[c], 0.0) + before[c, i, j]
            ),
            name=f"block{layer}",
        )
        convs.append((padded, conv))
        maps.append(t)
    ri, rj = te.reduce_axis((0, size), "ri"), te.reduce_axis((0, size), "rj")
    pooled = te.compute((channels,), lambda c: te.sum(t[c, ri, rj], axis=[ri, rj]), name="pooled")
    dense, h, width = [], pooled, channels
    for layer, n in enumerate((256, 128)):
        V = te.placeholder((n, width), name=f"V{layer}")
        args.append(V)
        k = te.reduce_axis((0, width), "k")
        product = te.compute(
            (n,), lambda i, V=V, h=h, k=k: te.sum(V[i, k] * h[k], axis=k), name=f"dense{layer}"
        )
        dense.append(product)
        h = te.compute((n,), lambda i, p=product: te.max(p[i], 0.0), name=f"relu{layer}")
        maps.append(h)
        width = n
    scaled = te.compute((width,), lambda i: h[i] * 0.125, name="scaled")
    k = te.reduce_axis((0, width), "k")
    top = te.compute((1,), lambda i: te.max(scaled[k], axis=k), name="top")
    shifted = te.compute((width,), lambda i: scaled[i] - top[0], name="shifted")
    exps = te.compute((width,), lambda i: te.exp(shifted[i]), name="exps")
    k2 = te.reduce_axis((0, width), "k")
    total = te.compute((1,), lambda i: te.sum(exps[k2], axis=k2), name="total")
    out = te.compute((width,), lambda i: exps[i] / total[0], name="out")
    s = te.create_schedule(out.op)
    for padded, conv in convs:
        co, _ = s[conv].split("c", 8)
        jo, ji = s[conv].split("j", 14)
        s[conv].reorder(co, "i", jo, "rc", "ri", "rj", "c.inner", ji)
        s[conv].unroll("c.inner")
        s[conv].vectorize(ji)
        s[conv].parallel(co)
        s[padded].parallel("c")
    for f in (*maps, scaled, shifted, exps, out):
        last = f.op.axis[-1]
        s[f].vectorize(s[f].split(last, 16)[1])
    for d in dense:
        outer, inner = s[d].split("i", 16)
        s[d].reorder(outer, "k", inner)
        s[d].vectorize(inner)
    return s, [*args, out]
