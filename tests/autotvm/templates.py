"""Templates that tests tune."""

from __future__ import annotations

from typing import Any

from tewb import autotvm, te

QUICK = autotvm.measure_option("local", autotvm.LocalRunner(repeat=1, min_repeat_ms=0.01))


def task(n: int = 6) -> Any:
    return autotvm.task.create("tests/product", args=(n, "float32"), target="llvm")


@autotvm.template("tests/product")  # type: ignore[untyped-decorator, unused-ignore]
def product(n: int, dtype: str) -> Any:
    A, B = te.placeholder((n, n), name="A", dtype=dtype), te.placeholder((n, n), name="B", dtype=dtype)
    k = te.reduce_axis((0, n), name="k")
    C = te.compute((n, n), lambda i, j: te.sum(A[i, k] * B[k, j], axis=k), name="C")
    s = te.create_schedule(C.op)
    y, x = s[C].op.axis
    cfg = autotvm.get_config()
    cfg.define_split("tile_y", y, num_outputs=2)
    cfg.define_split("tile_x", x, num_outputs=2)
    cfg.define_knob("unroll", [False, True])
    yo, yi = cfg["tile_y"].apply(s, C, y)
    xo, xi = cfg["tile_x"].apply(s, C, x)
    s[C].reorder(yo, xo, k, yi, xi)
    if cfg["unroll"].val:
        s[C].unroll(xi)
    if cfg["tile_x"].size[-1] == n:
        cfg.raise_error("the tile is the whole row")
    return s, [A, B, C]


def copies(n: int = 8) -> Any:
    return autotvm.task.create("tests/copy", args=(n,), target="llvm")


@autotvm.template("tests/copy")  # type: ignore[untyped-decorator, unused-ignore]
def copy(n: int) -> Any:
    """A transposition: nothing is added or multiplied."""
    A = te.placeholder((n, n), name="A")
    B = te.compute((n, n), lambda i, j: A[j, i], name="B")
    s = te.create_schedule(B.op)
    cfg = autotvm.get_config()
    cfg.define_split("tile", s[B].op.axis[1], num_outputs=2)
    cfg["tile"].apply(s, B, s[B].op.axis[1])
    return s, [A, B]
