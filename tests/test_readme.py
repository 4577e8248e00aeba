"""The README's program runs, and its commands name what exists."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text()


def test_the_ten_lines_run(capsys: Any) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", TEXT, re.S)
    found: dict[str, Any] = {}
    exec(program, found)
    assert "T.prim_func" in capsys.readouterr().out
    assert abs(found["c"] - found["a"]).max() < 1e-5


def test_commands_name_extras_and_files_that_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for extra in re.findall(r"\.\[(\w+)\]|tewb\[(\w+)\]", TEXT):
        assert set(filter(None, extra)) <= set(extras)
    for path in re.findall(r"`?(notebooks/[\w/.-]+|tewb/[\w/.]+|\.ci/run)", TEXT):
        assert (ROOT / path).exists(), path
