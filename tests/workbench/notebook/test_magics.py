"""`%load_ext tewb` in a shell of IPython: magics, and errors that are lessons."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from tewb.base import render_with

SETUP = """
import numpy as np
import tewb
from tewb import te
A, B = (te.placeholder((16, 16), name=n) for n in "AB")
k = te.reduce_axis((0, 16), name="k")
C = te.compute((16, 16), lambda i, j: te.sum(A[i, k] * B[k, j], axis=k), name="C")
s = te.create_schedule(C.op)
kernel = tewb.build(s, [A, B, C])
a, b, c = (np.ones((16, 16), "float32") for _ in range(3))
"""


@pytest.fixture
def shell() -> Iterator[Any]:
    made = InteractiveShell.instance()
    made.colors = "nocolor"
    made.run_cell("%load_ext tewb", store_history=True)
    made.run_cell(SETUP, store_history=True).raise_error()
    yield made
    render_with(None)
    InteractiveShell.clear_instance()


def said(shell: Any, cell: str) -> str:
    """What running a cell prints and shows, errors included."""
    with capture_output() as got:
        shell.run_cell(cell, store_history=True)
    shown = [str(o.data.get("text/plain", "")) for o in got.outputs]
    return "\n".join([got.stdout, got.stderr, *shown])


def html(shell: Any, cell: str) -> str:
    with capture_output() as got:
        shell.run_cell(cell).raise_error()
    (output,) = got.outputs
    return str(output.data["text/html"])


# ---------------------------------------------------------------- showing


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("s", "<b>schedule</b> of C; inputs A, B"),
        ("C", "float32(16, 16), 1 KiB"),
        ("kernel", "kernel: serial"),
        ("--ir s, [A, B, C]", "for k in range(16):"),
        ("--ir tewb.lower(s, [A, B, C])", "for k in range(16):"),
        ("--low kernel", "i * 16 + j"),
        ("--low tewb.Session(s, [A, B, C])", "i * 16 + j"),
        ("--ll kernel", "define"),
        ("--ll tewb.lower(s, [A, B, C])", "define"),
        ("--asm kernel", "ret"),
        ("--asm s, [A, B, C]", "ret"),
        ("--code s, [A, B, C]", "s = te.create_schedule(C.op)"),
        ("--graph s", "graph of C: float32[16, 16]"),
        ("--dataflow s, [A, B, C]", "graph of C: float32[16, 16]"),
        ("--tree s", "graph of C: float32[16, 16]"),
        ("--axes s", "graph of C: float32[16, 16]"),
        ("tewb.Session(s, [A, B, C])", "a snapshot"),
    ],
)
def test_show(shell: Any, line: str, found: str) -> None:
    assert found in html(shell, f"%tewb_show {line}")


def test_show_of_assembly_says_which_line_of_ir(shell: Any) -> None:
    text = html(shell, "%tewb_show --asm kernel")
    numbers = {int(n) for n in re.findall(r"# line (\d+)", text)}
    count = len(shell.ev("kernel.code.module").script().splitlines())
    assert numbers and max(numbers) <= count


def test_show_in_a_terminal_is_text(shell: Any) -> None:
    assert "C\n  i in 16\n    j in 16\n      k in 16  reduce" in said(shell, "%tewb_show s")
    assert "def main" in said(shell, "%tewb_show tewb.lower(s, [A, B, C])")
    assert "Kernel(main: A: float32[16, 16]" in said(shell, "%tewb_show kernel")


def test_show_of_other_things_is_their_own_look(shell: Any) -> None:
    assert "42" in said(shell, "%tewb_show 6 * 7")


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("%tewb_show", "%tewb_show shows something"),
        ("%tewb_show --machine kernel", "has no --machine"),
        ("%tewb_show --asm s", "hint: %tewb_show --asm s, \\[A, B, C\\]"),
        ("%tewb_show --ir C", "Tensor is not enough to make code from"),
        ("%tewb_traceback twice", "is full or compact, not twice"),
        ("%%tewb_time -x\nkernel(a, b, c)", "does not know -x"),
        ("%%tewb_time\nx = 1", "the cell ends with none"),
        ("%%tewb_time\nkernel(a)", "kernel"),
    ],
)
def test_misuse_of_magics_is_explained(shell: Any, cell: str, reason: str) -> None:
    text = said(shell, cell)
    assert re.search(reason, text) and "Error" in text and "get_ipython" not in text


# ---------------------------------------------------------------- timing


def test_time_of_the_last_expression(shell: Any) -> None:
    result = shell.run_cell("%%tewb_time -r 3\nx = 2\nkernel(a, b, c)").result
    assert len(result.timing.results) == 3 and result.ratio is None
    assert re.fullmatch(r"[\d.]+ \S+ ± [\d.]+ \S+ \(3 samples\)", repr(result))
    assert shell.user_ns["x"] == 2


def test_time_against_another_expression(shell: Any) -> None:
    result = shell.run_cell("%%tewb_time -r 2 --against np.matmul(a, b, out=c)\nkernel(a, b, c)").result
    assert result.ratio == result.other.median / result.timing.median
    assert "np.matmul(a, b, out=c): " in repr(result) and "ratio" in repr(result)


def test_time_of_a_kernel_and_of_a_session(shell: Any) -> None:
    assert repr(shell.run_cell("%%tewb_time -r 1\nkernel").result).startswith("main: ")
    assert "result equals numpy's" in str(
        shell.run_cell("%%tewb_time -r 1\ntewb.Session(s, [A, B, C])").result
    )


def test_time_of_a_kernel_with_symbolic_sizes_wants_its_call(shell: Any) -> None:
    cell = "%%tewb_time\nn = te.var('n')\nV = te.placeholder((n,), name='V')\nW = te.compute((n,), lambda i: V[i])\n"
    assert "hint: end the cell with its call" in said(
        shell, cell + "tewb.build(te.create_schedule(W.op), [V, W])"
    )


# ---------------------------------------------------------------- errors


def test_an_error_is_its_message_and_the_users_line(shell: Any) -> None:
    text = said(shell, "ok = 1\ns[C].split('i', 8)\ns[C].split('i', 4)\nlater = 2")
    cell = shell.execution_count - 1
    assert re.fullmatch(
        r"ScheduleError: split on stage C: .*already split into i.outer and i.inner\n"
        r"  loops now: i.outer\(2\), i.inner\(8\), j\(16\), k\(16\)\n"
        r"  hint: .*\n\n"
        rf"cell {cell}, line 3\n"
        r"      2 \| s\[C\].split\('i', 8\)\n"
        r"----> 3 \| s\[C\].split\('i', 4\)",
        text.strip(),
    ), text


def test_an_error_in_a_function_shows_both_lines(shell: Any) -> None:
    text = said(shell, "def tune(s):\n    s[C].split('q', 4)\n\ntune(s)")
    assert "----> 4 | tune(s)" in text and "----> 2 |     s[C].split('q', 4)" in text
    assert text.index("----> 4") < text.index("----> 2")


def test_an_error_in_a_timed_cell_names_the_line_that_the_user_sees(shell: Any) -> None:
    text = said(shell, "%%tewb_time\nx = 1\ns[C].split('q', 4)\nkernel(a, b, c)")
    assert f"cell {shell.execution_count - 1}, line 3" in text and "----> 3 | s[C].split('q', 4)" in text
    assert "get_ipython" not in text


def test_deep_recursion_in_user_code_is_cut(shell: Any) -> None:
    text = said(shell, "def down(n):\n    down(n - 1) if n else s[C].split('q', 4)\n\ndown(20)")
    assert text.count("---->") == 3 and "down(20)" in text


def test_the_full_traceback_on_demand(shell: Any) -> None:
    assert "site-packages" not in said(shell, "s[C].split('q', 4)")
    text = said(shell, "%tewb_traceback full")
    assert "Traceback" in text and "schedule.py" in text
    assert "schedule.py" in said(shell, "s[C].split('q', 4)")
    said(shell, "%tewb_traceback compact")
    assert "schedule.py" not in said(shell, "s[C].split('q', 4)")


def test_other_errors_keep_their_traceback(shell: Any) -> None:
    assert "Traceback" in said(shell, "1 / 0")


def test_loading_twice_is_no_harm(shell: Any) -> None:
    assert "Error" not in said(shell, "%load_ext tewb\n%reload_ext tewb")
