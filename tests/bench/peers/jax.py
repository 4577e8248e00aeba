"""Functions of whole arrays, compiled by XLA. Inputs lie in its own arrays before the clock starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from tests.bench.peers import Kernel, Maker, Skip

DISTRIBUTION = "jax"

jax.config.update("jax_platforms", "cpu")


def compiled(function: Callable[..., Any]) -> Maker:
    def maker(*given: Any) -> Kernel:
        arrays = [jnp.asarray(a) for a in given]
        call = jax.jit(function).lower(*arrays).compile()
        return lambda: call(*arrays).block_until_ready()

    return maker


def conv(groups: int | None = None) -> Callable[..., Any]:
    def call(a: Any, w: Any) -> Any:
        count = groups or a.shape[0]
        w = w.reshape(w.shape[0], -1, 3, 3)
        return lax.conv_general_dilated(a[None], w, (1, 1), "SAME", feature_group_count=count)[0]

    return call


def blur(a: Any) -> Any:
    def mean(t: Any) -> Any:
        return t * np.float32(1 / 3) if t.dtype == jnp.float32 else t // np.uint16(3)

    x = mean(a[:, :-2] + a[:, 1:-1] + a[:, 2:])
    return mean(x[:-2] + x[1:-1] + x[2:])


def layernorm(a: Any, g: Any, b: Any) -> Any:
    mean = a.mean(axis=1, keepdims=True)
    v = jnp.square(a - mean).mean(axis=1, keepdims=True)
    return (a - mean) * lax.rsqrt(v + 1e-5) * g + b


def stencil(points: int) -> Callable[..., Any]:
    def call(a: Any) -> Any:
        wide = jnp.pad(a, 1)
        made = wide[1:-1, :-2] + a + wide[1:-1, 2:]
        return made if points == 3 else made + wide[:-2, 1:-1] + wide[2:, 1:-1]

    return call


def jacobi(a: Any) -> Any:
    for _ in range(10):
        mean = (a[:-2, 1:-1] + a[2:, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:]) * np.float32(0.25)
        a = a.at[1:-1, 1:-1].set(mean)
    return a


def conv_blocked(a: Any, w: Any) -> Kernel:
    """With the channels innermost, its own order, which inputs are in before the clock starts."""
    image = a.transpose(1, 2, 0, 3).reshape(1, *a.shape[1:3], -1)
    weights = w.transpose(2, 3, 1, 4, 0, 5).reshape(3, 3, image.shape[-1], -1)
    order = ("NHWC", "HWIO", "NHWC")
    kernel = compiled(lambda x, y: lax.conv_general_dilated(x, y, (1, 1), "SAME", dimension_numbers=order))(
        np.ascontiguousarray(image), np.ascontiguousarray(weights)
    )
    return lambda: np.asarray(kernel()).reshape(*a.shape[1:3], -1, 16).transpose(2, 0, 1, 3)


def bytes_product(a: Any, b: Any) -> Kernel:
    if b.ndim > 2:
        raise Skip("B is packed for tewb")
    return compiled(lambda a, b: jnp.matmul(a, b, preferred_element_type=jnp.int32))(a, b)


def attention(q: Any, k: Any, v: Any) -> Any:
    weights = jax.nn.softmax(q @ jnp.swapaxes(k, 1, 2) * np.float32(q.shape[2] ** -0.5), axis=2)
    return weights @ v


KERNELS: dict[str, Maker] = {
    "matmul": compiled(jnp.matmul),
    "batched matmul": compiled(jnp.matmul),
    "uint8 x int8": bytes_product,
    "Jacobi": compiled(jacobi),
    "conv2d NCHW16c": conv_blocked,
    "attention": compiled(attention),
    "conv2d 3x3": compiled(conv(1)),
    "depthwise 3x3": compiled(conv()),
    "relu": compiled(lambda a, b, c: jax.nn.relu(a * b + c)),
    "blur 3x3": compiled(blur),
    "softmax": compiled(lambda a: jax.nn.softmax(a, axis=1)),
    "layernorm": compiled(layernorm),
    "row sum": compiled(lambda a: a.sum(axis=1)),
    "transpose": compiled(jnp.transpose),
    "argmax": compiled(lambda a: jnp.argmax(a, axis=1)),
    "padded 3-point": compiled(stencil(3)),
    "padded 5-point": compiled(stencil(5)),
}
