"""Programs with knobs that tests search."""

from __future__ import annotations

from typing import Any

import tewb
from tewb import te
from tewb.tuning import Config


def product(cfg: Config, n: int = 24) -> tuple[Any, list[Any]]:
    """C = A B, with factors, an order and a mark left open: 8 * 8 * 6 * 2 points."""
    A, B = te.placeholder((n, n), name="A"), te.placeholder((n, n), name="B")
    k = te.reduce_axis((0, n), name="k")
    C = te.compute((n, n), lambda i, j: te.sum(A[i, k] * B[k, j], axis=k), name="C")
    s = te.create_schedule(C.op)
    outer, inner = s[C].split("i", cfg.split("y", n))
    left, lanes = s[C].split("j", cfg.split("x", n))
    s[C].reorder(outer, left, *cfg.order("inside", [inner, lanes, k]))
    if cfg.flag("vector"):
        s[C].vectorize(lanes)
    return s, [A, B, C]


def twice(cfg: Config, n: int = 64) -> tuple[Any, list[Any]]:
    """B = 2 A, which may be right, wrong, a crash, a hang, take all memory or be refused."""
    A = te.placeholder((n,), name="A")
    how = cfg.choice("how", ["right", "wrong", "abort", "pause", "large", "refused", "again"])
    if how in ("abort", "pause"):
        B = te.extern(
            (n,), [A], lambda ins, outs: tewb.tir.call_extern("int32", how), dtype="float32", name="B"
        )
    elif how == "large":
        X = te.compute((1 << 30,), lambda i: A[i % n] * 1.0, name="X")
        B = te.compute((n,), lambda i: X[i * (1 << 24)] + X[i * ((1 << 24) + 1)], name="B")
    else:
        B = te.compute((n,), lambda i: A[i] * (3.0 if how == "wrong" else 2.0), name="B")
    s = te.create_schedule(B.op)
    if how == "refused":
        s[B].reorder(B.op.axis[0], "no such loop")
    return s, [A, B]
