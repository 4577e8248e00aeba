"""Stages that are no computes: packed functions on tiles, and hybrid functions. Each has its text and its value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Template:
    """`code` defines what the stage needs; `call` makes its tensors from one (`{t}`), with `{more}` options."""

    code: str
    call: str
    reference: Callable[[Any], list[Any]]


def _window(a: Any) -> list[Any]:
    """Sums over the neighbours in the first dimension."""
    made = a.copy()
    made[1:] += a[:-1]
    made[:-1] += a[1:]
    return [made]


def _rows(a: Any) -> list[Any]:
    low = a.min(axis=1, keepdims=True, initial=0)
    return [(a - low).astype(a.dtype), np.broadcast_to(a.sum(axis=1, keepdims=True), a.shape).astype(a.dtype)]


def _shift(a: Any) -> list[Any]:
    """The neighbour before in the last dimension, and the first element itself."""
    made = a.copy()
    made[..., 1:] = np.maximum(a[..., 1:], a[..., :-1])
    return [made]


def _triangle(a: Any) -> list[Any]:
    made = np.zeros_like(a)
    for i in range(a.shape[-1]):
        made[..., i] = a[..., : i + 1].sum(axis=-1).astype(a.dtype)
    return [made]


def _hybrid(name: str, body: str) -> str:
    """A hybrid function for one and for two dimensions."""
    one = f"@te.hybrid.script\ndef {name}1(a):\n    b = output_tensor(a.shape, a.dtype)\n    for j in range(a.shape[0]):\n"
    two = f"@te.hybrid.script\ndef {name}2(a):\n    b = output_tensor(a.shape, a.dtype)\n    for i in range(a.shape[0]):\n"
    one += "".join(f"        {line}\n" for line in body.replace("@", "").splitlines())
    two += "        for j in range(a.shape[1]):\n"
    two += "".join(f"            {line}\n" for line in body.replace("@", "i, ").splitlines())
    return f"{one}    return b\n\n\n{two}    return b"


TEMPLATES = {
    "scale": Template(
        'def scale(a, b):\n    b[...] = a * 2 + 1\n\n\ntewb.register_func("fuzz.scale", scale, override=True)',
        'te.extern({t}.shape, [{t}], lambda i, o: te.call_packed("fuzz.scale", i[0], o[0]), '
        "access=te.access.elementwise{more})",
        lambda a: [(a * 2 + 1).astype(a.dtype)],
    ),
    "window": Template(
        """\
def window(a, b, ai, bi):
    for i in range(b.shape[0]):
        y = bi + i - ai
        b[i] = a[max(y - 1, 0) : y + 2].sum(axis=0, dtype=a.dtype)


tewb.register_func("fuzz.window", window, override=True)""",
        'te.extern({t}.shape, [{t}], lambda i, o, tile: te.call_packed("fuzz.window", i[0], o[0], '
        "tile.inputs[0].origin[0], tile.origin[0]), access=te.access.stencil((1, *(0,) * ({t}.ndim - 1))){more})",
        _window,
    ),
    "rows": Template(
        """\
def rows(a, low, total):
    low[...] = a - a.min(axis=1, keepdims=True, initial=0)
    total[...] = a.sum(axis=1, keepdims=True)


tewb.register_func("fuzz.rows", rows, override=True)""",
        'te.extern([{t}.shape, {t}.shape], [{t}], lambda i, o: te.call_packed("fuzz.rows", i[0], o[0], o[1]), '
        "access=te.access.rows{more})",
        _rows,
    ),
    "whole": Template(
        "def whole(a, b):\n    b[...] = np.cumsum(a, axis=0)\n\n\n"
        'tewb.register_func("fuzz.whole", whole, override=True)',
        'te.extern({t}.shape, [{t}], lambda i, o: te.call_packed("fuzz.whole", i[0], o[0]){more})',
        lambda a: [np.cumsum(a, axis=0).astype(a.dtype)],
    ),
    "hybrid_shift": Template(
        _hybrid("shift", "b[@j] = a[@j]\nif j > 0:\n    b[@j] = max(a[@j], a[@j - 1])"),
        "shift{rank}({t})",
        _shift,
    ),
    "hybrid_triangle": Template(
        _hybrid("triangle", "b[@j] = a[@j]\nfor k in range(j):\n    b[@j] = b[@j] + a[@k]"),
        "triangle{rank}({t})",
        _triangle,
    ),
    "scan": Template(
        """\
def running(t):
    state = te.placeholder(t.shape, t.dtype, name="state")
    first = te.compute((1, *t.shape[1:]), lambda k, *i: t(k, *i), name="first")
    following = te.compute(t.shape, lambda k, *i: te.max(state(k - 1, *i), t(k, *i)), name="next")
    return te.scan(first, following, state)""",
        "running({t})",
        lambda a: [np.maximum.accumulate(a, axis=0)],
    ),
}  # fmt: skip
