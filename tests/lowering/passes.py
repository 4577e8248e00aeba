"""The text after a pass, and a loop that is split: what tests of passes share."""

from __future__ import annotations

from typing import Any

import tewb
from tewb import te
from tewb.ir import PrimFunc


def vector(n: int = 10, factor: int = 4) -> tuple[Any, list[Any]]:
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    s = te.create_schedule(B.op)
    s[B].split("i", factor=factor)
    return s, [A, B]


def after(name: str, s: Any, args: list[Any]) -> str:
    trace: list[tuple[str, PrimFunc]] = []
    tewb.lower(s, args, trace=trace)
    lines = dict(trace)[name].script().splitlines()
    return "\n".join(line[4:] for line in lines[3:])
