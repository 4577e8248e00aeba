"""Loops marked `dot` become one statement on neighbours, or are serial."""

from __future__ import annotations

import pytest

from tewb.ir import For, ForKind, parse, script
from tewb.lowering.form_dot_products import form_dot_products

SUM = 'C[0] = C[0] + T.Cast("int32", {}) * T.Cast("int32", {})'


def formed(body: str, loop: str = "k in T.dot(4)") -> str:
    text = f"""
@T.prim_func
def main(
    A: T.Buffer((64,), "uint8"), B: T.Buffer((64,), "int8"), C: T.Buffer((16,), "int32"),
    D: T.Buffer((64,), "uint16"), E: T.Buffer((64,), "int16"), F: T.Buffer((64,), "int32"), m: T.int32
):
    T.func_attr({{"outputs": ['C']}})
    for {loop}:
        {body}
"""
    return script(form_dot_products(parse(text).body))  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("body", "loop", "dot"),
    [
        (SUM.format("A[k]", "B[k + 4]"), "k in T.dot(4)", "C[0] = T.dot4(C[0], A[0:4], B[4:8])"),
        (SUM.format("D[k]", "E[k]"), "k in T.dot(2)", "C[0] = T.dot2(C[0], D[0:2], E[0:2])"),
        (SUM.format("A[m * 4 + k]", "B[k]"), "k in T.dot(4)", "C[0] = T.dot4(C[0], A[4 * m:4 * m + 4], B[0:4])"),
        (
            'C[0] = T.Cast("int32", A[k]) * T.Cast("int32", B[k]) + C[0]',
            "k in T.dot(4)",
            "C[0] = T.dot4(C[0], A[0:4], B[0:4])",
        ),
        (
            'C[0:4] = C[0:4] + T.Broadcast(T.Cast("int32", A[k]), 4) * T.Cast("int32x4", B[T.Ramp(k, 4, 4)])',
            "k in T.dot(4)",
            "C[0:4] = T.dot4(C[0:4], A[0:4], B[0:16])",
        ),
    ],
    ids=["bytes", "16 bits", "symbolic", "the sum on the right", "lanes"],
)  # fmt: skip
def test_a_loop_over_neighbours_is_one_statement(body: str, loop: str, dot: str) -> None:
    assert formed(body, loop) == dot


@pytest.mark.parametrize(
    ("body", "loop"),
    [
        (SUM.format("A[k]", "B[k]"), "k in T.dot(3)"),
        (SUM.format("A[k]", "B[k]"), "k in T.dot(8)"),
        (SUM.format("A[k]", "B[k]"), "k in T.dot(m)"),
        (SUM.format("A[k * 2]", "B[k]"), "k in T.dot(4)"),
        (SUM.format("A[3 - k]", "B[k]"), "k in T.dot(4)"),
        (SUM.format("A[5]", "B[k]"), "k in T.dot(4)"),
        (SUM.format("A[k]", "E[k]"), "k in T.dot(4)"),
        (SUM.format("F[k]", "F[k]"), "k in T.dot(4)"),
        ('C[0] = C[0] + T.Cast("int32", T.Cast("int8", A[k])) * T.Cast("int32", B[k])', "k in T.dot(4)"),
        ('C[0] = C[1] + T.Cast("int32", A[k]) * T.Cast("int32", B[k])', "k in T.dot(4)"),
        ('C[k] = C[k] + T.Cast("int32", A[k]) * T.Cast("int32", B[k])', "k in T.dot(4)"),
        ('C[0] = C[0] - T.Cast("int32", A[k]) * T.Cast("int32", B[k])', "k in T.dot(4)"),
        (
            'C[0:4] = C[0:4] + T.Broadcast(T.Cast("int32", A[k]), 4) * T.Cast("int32x4", B[T.Ramp(k, 5, 4)])',
            "k in T.dot(4)",
        ),
    ],
    ids=[
        "3 bytes", "8 bytes", "symbolic extent", "every second", "backwards", "one element", "two widths",
        "32 bits", "a sign is lost", "another total", "a total each", "a difference", "groups apart",
    ],
)  # fmt: skip
def test_any_other_loop_runs_serially(body: str, loop: str) -> None:
    text = formed(body, loop)
    assert text.splitlines()[0] == "for " + loop.replace("T.dot", "range") + ":"
    assert "dot" not in text


def test_loops_inside_and_around_are_kept() -> None:
    text = formed(f"for q in T.dot(4):\n            {SUM.format('A[q]', 'B[k * 4 + q]')}", "k in range(3)")
    assert text.splitlines() == ["for k in range(3):", "    C[0] = T.dot4(C[0], A[0:4], B[4 * k:4 * k + 4])"]


def test_nothing_to_do_returns_the_same_statement() -> None:
    f = parse(
        '@T.prim_func\ndef main(C: T.Buffer((4,), "int32")):\n    T.func_attr({"outputs": [\'C\']})\n'
        "    for k in range(4):\n        C[k] = k\n"
    )
    loop = f.body  # type: ignore[union-attr]
    assert isinstance(loop, For) and loop.kind is ForKind.SERIAL
    assert form_dot_products(loop) is loop
