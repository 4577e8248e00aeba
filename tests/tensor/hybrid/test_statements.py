"""Statements: what comes before each of them, assertions, and lines that do nothing."""

from __future__ import annotations

import pytest

from tests.tensor.hybrid.translate import loops, translated
from tewb import te
from tewb.base import HybridError


def test_checks_come_right_before_the_statement_that_needs_them() -> None:
    lines = loops("b[0] = 1.0\nb[int32(a[0])] = 2.0\nb[1] = 3.0").splitlines()
    assert lines[0] == "b[0] = T.float32(1.0)" and "f leaves b in dimension 0" in lines[1]
    assert lines[2].strip().startswith("b[T.Cast")


def test_the_accesses_of_a_condition_are_checked_before_every_iteration() -> None:
    lines = loops("k = 0\nwhile a[k] > 0.0:\n    k += 1\nb[0] = 1.0").splitlines()
    checks = [n for n, line in enumerate(lines) if "f leaves A" in line]
    head = next(n for n, line in enumerate(lines) if "while" in line)
    assert len(checks) == 2 and checks[0] < head < checks[1]


def test_assertions() -> None:
    assert loops("assert a.ndim == 1\nb[0] = 1.0") == "b[0] = T.float32(1.0)"
    assert "'f: assertion failed at f.py, line 3'" in loops("assert a[0] > 0.0\nb[0] = 1.0")
    assert "'positive (f.py, line 3)'" in loops("assert a[0] > 0.0, 'positive'\nb[0] = 1.0")


def test_docstrings_and_pass_do_nothing() -> None:
    assert loops("'a docstring'\npass\nb[0] = 1.0") == "b[0] = T.float32(1.0)"


def test_a_parameter_that_is_set_is_a_variable() -> None:
    body = "b = output_tensor((8,), 'float32')\nk = k + 1\nb[:] = k\nreturn b"
    lines = str(translated(body, te.placeholder((8,), name="A"), 3, head="def f(a, k):").body).splitlines()
    assert lines[:3] == ['k = T.allocate((1,), "int32", scope="local")', "k[0] = 3", "k[0] = k[0] + 1"]


def test_sizes_of_tensors_are_not_negative() -> None:
    n = te.var("n")
    assert "T.max" not in loops("for i in range(a.shape[0]):\n    b[0] = 1.0", te.placeholder((n,), name="A"))
    assert "T.max" in loops(
        "for i in range(k):\n    b[0] = 1.0", te.placeholder((8,), name="A"), te.var("k"), head="def f(a, k):"
    )


@pytest.mark.parametrize(
    ("line", "said", "hint"),
    [
        ("assert False", "this assertion does not hold", "false for every input"),
        ("assert a[0] > 0.0, a[0]", "what an assert says is a text", "'i is too large'"),
        ("a[0] + 1.0", "an expression alone does nothing", "assign it"),
        ("[x for x in a]", "a comprehension is not part", "in a loop"),
        ("x: int = 3", "an annotation is not part of the hybrid language", "float32(0.0)"),
        ("break", "break is not part", "while"),
    ],
)
def test_statements_that_are_refused(line: str, said: str, hint: str) -> None:
    with pytest.raises(HybridError, match=said) as e:
        loops(line)
    assert hint in (e.value.hint or "")
