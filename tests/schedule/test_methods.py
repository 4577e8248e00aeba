"""The methods of stages and schedules that are primitives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs import matmul, schedule_for
from tewb.schedule import PRIMITIVES, Schedule, Stage
from tewb.schedule.methods import SchedulePrimitives, StagePrimitives

ROOT = Path(__file__).resolve().parents[2]

SNIPPET = """
from typing import Any, assert_type

from tewb import te
from tewb.ir import IterVar
from tewb.tensor import Tensor

A = te.placeholder((8, 8), name="A")
C = te.compute((8, 8), lambda i, j: A[i, j] + 1, name="C")
s = te.create_schedule(C.op)
assert_type(s[C].split("i", factor=4), tuple[IterVar, IterVar])
assert_type(s[C].tile("i", "j", 4, 4), tuple[IterVar, IterVar, IterVar, IterVar])
assert_type(s[C].fuse("i", "j"), IterVar)
assert_type(s.cache_read(A, "local", [C]), Tensor)
assert_type(s[C].is_double, bool)
s[C].vectorize()
s[C].split("i", factor="4")
s[C].nonsense()
"""


def test_mypy_knows_the_methods(tmp_path: Path) -> None:
    (tmp_path / "snippet.py").write_text(SNIPPET)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(tmp_path / "snippet.py")]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280).stdout.splitlines()
    errors = [line.partition("error: ")[2] for line in said if "error: " in line]
    assert errors == [
        'Missing positional argument "var" in call to "vectorize" of "StagePrimitives"  [call-arg]',
        'Argument "factor" to "split" of "StagePrimitives" has incompatible type "str"; expected "int | Expr | None"  [arg-type]',
        '"Stage" has no attribute "nonsense"  [attr-defined]',
    ], said


def test_stages_and_schedules_have_them_and_nothing_else_does() -> None:
    for p in PRIMITIVES.values():
        owner, other = (Stage, Schedule) if p.owner is StagePrimitives else (Schedule, Stage)
        assert callable(getattr(owner, p.name)) and not hasattr(other, p.name), p.name
        assert p.owner in (StagePrimitives, SchedulePrimitives)


def test_a_method_does_and_records_its_primitive() -> None:
    s = schedule_for(matmul()[1])
    outer, inner = s["C"].split("i", 4)
    assert (outer.name, inner.name) == ("i.outer", "i.inner")
    assert [(step.primitive, step.stage) for step in s.journal] == [("split", "C")]
    assert s["C"].split.__doc__ == Stage.split.__doc__ and "Split" in (Stage.split.__doc__ or "")


def test_a_misspelled_attribute_is_an_error() -> None:
    stage = schedule_for(matmul()[1])["C"]
    with pytest.raises(AttributeError):
        stage.vectorise = True  # type: ignore[attr-defined]
