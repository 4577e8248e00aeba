"""How many random examples a test tries by itself, where each is too small to be a test."""

from __future__ import annotations

runs_everything = False  # what `pytest -m ""` asks for; tests/conftest.py sets it


def examples(n: int) -> int:
    """`n` where everything runs, a quarter of it by default."""
    return n if runs_everything else -(-n // 4)
