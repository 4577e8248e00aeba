"""What of many examples the default run tries: some of the parameter sets of a test, fewer rounds of a loop."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

runs_everything = False  # what `pytest -m ""` asks for; tests/conftest.py sets it


def examples(n: int) -> int:
    """`n` where everything runs, a quarter of it by default."""
    return n if runs_everything else -(-n // 4)


def spread(items: Sequence[Any], count: int) -> list[Any]:
    """`count` of the parameter sets of a test, the same in every process, with as many values of each parameter as
    so few can have."""
    seen: set[tuple[str, int]] = set()
    with_new, others = [], []
    for item in sorted(items, key=lambda item: zlib.crc32(item.nodeid.encode())):
        values = {(name, id(value)) for name, value in item.callspec.params.items()}
        (others if values <= seen else with_new).append(item)
        seen |= values
    return [*with_new, *others][:count]
