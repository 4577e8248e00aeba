"""PyTorch's functions, into outputs that are allocated once where they take one, and torch.compile where it can compile
(it asks for a C++ compiler); the faster of both counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from tests.bench.peers import THREADS, Kernel, Maker, Skip, fastest

DISTRIBUTION = "torch"

torch.set_num_threads(THREADS)
torch.set_grad_enabled(False)


def tensors(given: tuple[Any, ...]) -> list[Any]:
    return [torch.from_numpy(a) for a in given]


def eager(function: Callable[..., Any]) -> Maker:
    """A function that allocates its result."""

    def maker(*given: Any) -> Kernel:
        inputs = tensors(given)
        return lambda: function(*inputs).numpy()

    return maker


def into(function: Callable[..., Any]) -> Maker:
    """A function that takes `out=`."""

    def maker(*given: Any) -> Kernel:
        inputs = tensors(given)
        out = torch.empty_like(function(*inputs, out=None))
        return lambda: function(*inputs, out=out).numpy()

    return maker


def compiled(function: Callable[..., Any]) -> Maker:
    def maker(*given: Any) -> Kernel:
        torch.compiler.reset()
        inputs = tensors(given)
        call = torch.compile(function, dynamic=False)
        return lambda: call(*inputs).numpy()

    return maker


def both(function: Callable[..., Any], out: Callable[..., Any] | None = None) -> Maker:
    return fastest(into(out) if out else eager(function), compiled(function))


def relu(a: Any, b: Any, c: Any, out: Any = None) -> Any:
    return torch.addcmul(c, a, b, out=out).relu_()


def conv2d(a: Any, w: Any) -> Any:
    return F.conv2d(a[None], w, padding=1)[0]


def depthwise(a: Any, w: Any) -> Any:
    return F.conv2d(a[None], w[:, None], padding=1, groups=len(w))[0]


def blur(a: Any) -> Any:
    x = (a[:, :-2] + a[:, 1:-1] + a[:, 2:]) * np.float32(1 / 3)
    return (x[:-2] + x[1:-1] + x[2:]) * np.float32(1 / 3)


def blur_pooled(a: Any) -> Any:
    return F.avg_pool2d(a[None, None], 3, stride=1)[0, 0]


def blur_short(a: Any) -> Any:
    """torch has no sums of uint16: they are made in int32, and vectors of them are compiled."""
    a = a.to(torch.int32)
    x = (a[:, :-2] + a[:, 1:-1] + a[:, 2:]) // 3
    return ((x[:-2] + x[1:-1] + x[2:]) // 3).to(torch.uint16)


def stencil(points: int) -> Callable[..., Any]:
    def call(a: Any) -> Any:
        wide = F.pad(a, (1, 1, 1, 1))
        made = wide[1:-1, :-2] + a + wide[1:-1, 2:]
        return made if points == 3 else made + wide[:-2, 1:-1] + wide[2:, 1:-1]

    return call


def transpose(a: Any) -> Kernel:
    given = torch.from_numpy(a)
    out = torch.empty(a.shape[::-1])
    return lambda: out.copy_(given.T).numpy()


def layernorm(a: Any, g: Any, b: Any) -> Any:
    return F.layer_norm(a, g.shape, g, b, 1e-5)


def jacobi(a: Any) -> Any:
    for _ in range(10):
        mean = (a[:-2, 1:-1] + a[2:, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:]) * 0.25
        a = torch.cat([a[:1], torch.cat([a[1:-1, :1], mean, a[1:-1, -1:]], 1), a[-1:]])
    return a


def jacobi_in_place(a: Any) -> Kernel:
    """Step by step; edges are the same in both arrays."""
    given, first, second = torch.from_numpy(a), torch.from_numpy(a.copy()), torch.from_numpy(a.copy())

    def step(old: Any, new: Any) -> None:
        inside = new[1:-1, 1:-1]
        torch.add(old[:-2, 1:-1], old[2:, 1:-1], out=inside)
        inside.add_(old[1:-1, :-2]).add_(old[1:-1, 2:]).mul_(0.25)

    def run() -> Any:
        step(given, second)
        old, new = second, first
        for _ in range(9):
            step(old, new)
            old, new = new, old
        return old.numpy()

    return run


def conv_blocked(a: Any, w: Any) -> Kernel:
    """In torch's order of channels, which inputs are in before the clock starts; oneDNN blocks them itself."""
    image = torch.from_numpy(a).permute(0, 3, 1, 2).reshape(1, -1, *a.shape[1:3])
    weights = torch.from_numpy(w).permute(0, 5, 1, 4, 2, 3).reshape(w.shape[0] * 16, -1, 3, 3)
    blocks = (-1, 16, *a.shape[1:3])
    return lambda: F.conv2d(image, weights, padding=1).reshape(blocks).permute(0, 2, 3, 1).numpy()


def bytes_product(a: Any, b: Any) -> Kernel:
    """torch multiplies int8 by int8: 128 is taken off A first, and given back as 128 times the sums of B's columns."""
    if b.ndim > 2:
        raise Skip("B is packed for tewb")
    left, right = torch.from_numpy(a), torch.from_numpy(b)
    out = torch.empty((a.shape[0], b.shape[1]), dtype=torch.int32)

    def run() -> Any:
        torch._int_mm((left ^ 128).view(torch.int8), right, out=out)
        return out.add_(right.sum(0, dtype=torch.int32), alpha=128).numpy()

    return run


def attention(q: Any, k: Any, v: Any) -> Any:
    return F.scaled_dot_product_attention(q[None], k[None], v[None])[0]


KERNELS: dict[str, Maker] = {
    "matmul": into(torch.matmul),
    "batched matmul": into(torch.bmm),
    "uint8 x int8": bytes_product,
    "Jacobi": fastest(jacobi_in_place, compiled(jacobi)),
    "conv2d NCHW16c": conv_blocked,
    "attention": eager(attention),
    "conv2d 3x3": eager(conv2d),
    "depthwise 3x3": eager(depthwise),
    "relu": both(lambda a, b, c: torch.relu(a * b + c), relu),
    "blur 3x3, 4096 x 4096, float32": fastest(eager(blur), eager(blur_pooled), compiled(blur)),
    "blur 3x3, 4096 x 4096, uint16": both(blur_short),
    "softmax": both(lambda a: torch.softmax(a, 1), lambda a, out: torch.softmax(a, 1, out=out)),
    "layernorm": both(layernorm),
    "row sum": both(lambda a: a.sum(1), lambda a, out: torch.sum(a, 1, out=out)),
    "transpose": fastest(transpose, compiled(lambda a: a.T.contiguous())),
    "argmax": both(lambda a: a.argmax(1), lambda a, out: torch.argmax(a, 1, out=out)),
    "padded 3-point": both(stencil(3)),
    "padded 5-point": both(stencil(5)),
}
