"""Loops in Python, compiled by numba: `fastmath`, which lets it vectorise sums, and `prange` on several threads.

A matrix product is numba's `np.dot`, the BLAS that scipy brings: what its users write.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import prange

from tests.bench.memory import empty
from tests.bench.peers import THREADS, Kernel, Maker, Skip

DISTRIBUTION = "numba"

numba.set_num_threads(THREADS)
jit = numba.njit(fastmath=True, parallel=THREADS > 1)
serial = numba.njit(fastmath=True)


@jit
def _relu(a, b, c, out):
    for i in prange(a.size):
        out[i] = max(a[i] * b[i] + c[i], np.float32(0))


@numba.njit
def _dot(a, b, out):
    np.dot(a, b, out)


@jit
def _conv2d(a, w, out):
    """Rows of the output, to which a column of weights at a time is added: more rows at once
    are slower, as LLVM gives up proving that they do not overlap."""
    outs, channels = w.shape[0], w.shape[1]
    n, m = a.shape[1] - 2, a.shape[2] - 2
    for f in prange(outs):
        for i in range(n):
            row = np.zeros(m, np.float32)
            for k in range(channels):
                for r in range(3):
                    w0, w1, w2 = w[f, k, r, 0], w[f, k, r, 1], w[f, k, r, 2]
                    for j in range(m):
                        row[j] += a[k, i + r, j] * w0 + a[k, i + r, j + 1] * w1 + a[k, i + r, j + 2] * w2
            out[f, i] = row


@jit
def _pad(a, wide):
    for k in prange(a.shape[0]):
        wide[k, 1:-1, 1:-1] = a[k]


@jit
def _depthwise(a, w, out):
    n, m = a.shape[1] - 2, a.shape[2] - 2
    for f in prange(a.shape[0]):
        for i in range(n):
            for j in range(m):
                total = np.float32(0)
                for r in range(3):
                    for q in range(3):
                        total += a[f, i + r, j + q] * w[f, r, q]
                out[f, i, j] = total


@jit
def _blur_float(a, out):
    """Strips of rows, so that the sums of rows stay in the cache."""
    n, m = out.shape
    third = np.float32(1 / 3)
    for strip in prange((n + 31) // 32):
        first, last = strip * 32, min(n, strip * 32 + 32)
        x = np.empty((last - first + 2, m), np.float32)
        for i in range(last - first + 2):
            for j in range(m):
                x[i, j] = (a[first + i, j] + a[first + i, j + 1] + a[first + i, j + 2]) * third
        for i in range(last - first):
            for j in range(m):
                out[first + i, j] = (x[i, j] + x[i + 1, j] + x[i + 2, j]) * third


@jit
def _blur_short(a, out):
    n, m = out.shape
    three = np.uint16(3)
    for strip in prange((n + 31) // 32):
        first, last = strip * 32, min(n, strip * 32 + 32)
        x = np.empty((last - first + 2, m), np.uint16)
        for i in range(last - first + 2):
            for j in range(m):
                x[i, j] = np.uint16(a[first + i, j] + a[first + i, j + 1] + a[first + i, j + 2]) // three
        for i in range(last - first):
            for j in range(m):
                out[first + i, j] = np.uint16(x[i, j] + x[i + 1, j] + x[i + 2, j]) // three


@jit
def _softmax(a, out):
    for i in prange(a.shape[0]):
        row, made = a[i], out[i]
        top = row[0]
        for j in range(row.size):
            top = max(top, row[j])
        total = np.float32(0)
        for j in range(row.size):
            made[j] = np.exp(row[j] - top)
        for j in range(row.size):
            total += made[j]
        scale = np.float32(1) / total
        for j in range(row.size):
            made[j] *= scale


@jit
def _layernorm(a, g, b, out):
    m = a.shape[1]
    for i in prange(a.shape[0]):
        row = a[i]
        total = np.float32(0)
        for j in range(m):
            total += row[j]
        mean = total / np.float32(m)
        square = np.float32(0)
        for j in range(m):
            square += (row[j] - mean) * (row[j] - mean)
        scale = np.float32(1) / np.sqrt(square / np.float32(m) + np.float32(1e-5))
        for j in range(m):
            out[i, j] = (row[j] - mean) * scale * g[j] + b[j]


@jit
def _row_sum(a, out):
    for i in prange(a.shape[0]):
        total = np.float32(0)
        for j in range(a.shape[1]):
            total += a[i, j]
        out[i] = total


@jit
def _transpose(a, out):
    """Blocks of 32 x 32 for the cache, whose rows of the output are written one after the other."""
    n, m = a.shape
    for io in prange((m + 31) // 32):
        for jo in range((n + 31) // 32):
            for i in range(io * 32, min(m, io * 32 + 32)):
                for j in range(jo * 32, min(n, jo * 32 + 32)):
                    out[i, j] = a[j, i]


@jit
def _argmax(a, out):
    """The largest value first, in vectors, then where it is."""
    for i in prange(a.shape[0]):
        row = a[i]
        top = row[0]
        for j in range(row.size):
            top = max(top, row[j])
        at = 0
        while row[at] != top:
            at += 1
        out[i] = at


@jit
def _stencil(a, out, column):
    """The middle of a row without conditions; `column` adds the neighbours above and below."""
    n, m = a.shape
    for i in prange(n):
        out[i, 0] = a[i, 0] + a[i, 1]
        for j in range(1, m - 1):
            out[i, j] = a[i, j - 1] + a[i, j] + a[i, j + 1]
        out[i, m - 1] = a[i, m - 2] + a[i, m - 1]
        if column:
            if i > 0:
                for j in range(m):
                    out[i, j] += a[i - 1, j]
            if i < n - 1:
                for j in range(m):
                    out[i, j] += a[i + 1, j]


def batched(a: Any, b: Any) -> Kernel:
    """The size of a matrix is a constant of the code."""
    n = a.shape[2]
    out = empty(a.shape, a.dtype)

    @jit
    def multiply(a, b, out):
        for p in prange(a.shape[0]):
            for i in range(n):
                row = out[p, i]
                for j in range(n):
                    row[j] = a[p, i, 0] * b[p, 0, j]
                for k in range(1, n):
                    for j in range(n):
                        row[j] += a[p, i, k] * b[p, k, j]

    def run() -> Any:
        multiply(a, b, out)
        return out

    return run


@jit
def _bytes_product(a, b, out):
    """Rows of B are added to a row of the output."""
    for i in prange(a.shape[0]):
        row = np.zeros(b.shape[1], np.int32)
        for k in range(a.shape[1]):
            value = np.int32(a[i, k])
            for j in range(b.shape[1]):
                row[j] += value * np.int32(b[k, j])
        out[i] = row


def bytes_product(a: Any, b: Any) -> Kernel:
    if b.ndim > 2:
        raise Skip("B is packed for tewb")
    return into(_bytes_product, lambda a, b: (a.shape[0], b.shape[1]), np.int32)(a, b)


@jit
def _step(old, new):
    n, m = old.shape
    for i in prange(1, n - 1):
        for j in range(1, m - 1):
            new[i, j] = (old[i - 1, j] + old[i + 1, j] + old[i, j - 1] + old[i, j + 1]) * np.float32(0.25)


def jacobi(a: Any) -> Kernel:
    """Step by step; edges are the same in both arrays."""
    first, second = a.copy(), a.copy()

    def run() -> Any:
        _step(a, second)
        old, new = second, first
        for _ in range(9):
            _step(old, new)
            old, new = new, old
        return old

    return run


@jit
def _conv_blocked(a, w, wide, out):
    """16 channels are a vector; a row of the output is summed up in an array."""
    blocks, n, m = a.shape[:3]
    for b in prange(blocks):
        wide[b, 1:-1, 1:-1] = a[b]
    for f in prange(w.shape[0]):
        for i in range(n):
            sums = np.zeros((m, 16), np.float32)
            for b in range(blocks):
                for r in range(3):
                    for q in range(3):
                        for k in range(16):
                            for j in range(m):
                                value = wide[b, i + r, j + q, k]
                                for lane in range(16):
                                    sums[j, lane] += value * w[f, b, r, q, k, lane]
            out[f, i] = sums


def conv_blocked(a: Any, w: Any) -> Kernel:
    wide = np.zeros((a.shape[0], a.shape[1] + 2, a.shape[2] + 2, 16), a.dtype)
    out = empty((w.shape[0], *a.shape[1:]), a.dtype)

    def run() -> Any:
        _conv_blocked(a, w, wide, out)
        return out

    return run


@jit
def _attention(q, k, v, out):
    """Blocks of 128 rows, whose weights stay in the cache, between two products by BLAS."""
    heads, n, d = q.shape
    scale = np.float32(1 / np.sqrt(d))
    for task in prange(heads * (n // 128)):
        h, first = task // (n // 128), task % (n // 128) * 128
        s = np.dot(q[h, first : first + 128] * scale, k[h].T)
        for i in range(128):
            row = s[i]
            top = row[0]
            for j in range(n):
                top = max(top, row[j])
            for j in range(n):
                row[j] = np.exp(row[j] - top)
            total = np.float32(0)
            for j in range(n):
                total += row[j]
            for j in range(n):
                row[j] /= total
        out[h, first : first + 128] = np.dot(s, v[h])


def into(function: Callable[..., Any], shape: Callable[..., Any], dtype: Any = None) -> Maker:
    """A kernel whose last argument is its output, of a shape made from those of the inputs."""

    def maker(*given: Any) -> Kernel:
        out = empty(shape(*given), dtype or given[0].dtype)

        def run() -> Any:
            function(*given, out)
            return out

        return run

    return maker


def same(a: Any, *_: Any) -> Any:
    return a.shape


def smaller(a: Any) -> Any:
    """Of an image, without its border."""
    return a.shape[0] - 2, a.shape[1] - 2


def padded(function: Callable[..., Any]) -> Maker:
    """A convolution of images with a border of zeros, which the kernel writes into."""

    def maker(a: Any, w: Any) -> Kernel:
        wide = np.zeros((a.shape[0], a.shape[1] + 2, a.shape[2] + 2), a.dtype)
        out = empty((w.shape[0], *a.shape[1:]), a.dtype)

        def run() -> Any:
            _pad(a, wide)
            function(wide, w, out)
            return out

        return run

    return maker


def stencil(column: bool) -> Maker:
    def maker(a: Any) -> Kernel:
        out = empty(a.shape, a.dtype)

        def run() -> Any:
            _stencil(a, out, column)
            return out

        return run

    return maker


KERNELS: dict[str, Maker] = {
    "matmul": into(_dot, lambda a, b: (a.shape[0], b.shape[1])),
    "batched matmul": batched,
    "uint8 x int8": bytes_product,
    "Jacobi": jacobi,
    "conv2d NCHW16c": conv_blocked,
    "attention": into(_attention, same),
    "conv2d 3x3": padded(_conv2d),
    "depthwise 3x3": padded(_depthwise),
    "relu": into(_relu, same),
    "blur 3x3, 4096 x 4096, float32": into(_blur_float, smaller),
    "blur 3x3, 4096 x 4096, uint16": into(_blur_short, smaller),
    "softmax": into(_softmax, same),
    "layernorm": into(_layernorm, same),
    "row sum": into(_row_sum, lambda a: a.shape[0]),
    "transpose": into(_transpose, lambda a: a.shape[::-1]),
    "argmax": into(_argmax, lambda a: a.shape[0], np.int64),
    "padded 3-point": stencil(False),
    "padded 5-point": stencil(True),
}
