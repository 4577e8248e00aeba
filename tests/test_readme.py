"""The README is one page: its program runs, its error is ours, its commands name what exists, its picture moves."""

from __future__ import annotations

import re
import textwrap
import tomllib
from pathlib import Path
from typing import Any

from PIL import Image

from tests.programs import matmul, schedule_for
from tewb.base import ScheduleError

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text()
PICTURE = ROOT / "docs" / "images" / "session.gif"


def test_it_is_one_page() -> None:
    assert len(TEXT.splitlines()) <= 150


def test_the_ten_lines_run(capsys: Any) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", TEXT, re.S)
    found: dict[str, Any] = {}
    exec(program, found)
    assert "T.prim_func" in capsys.readouterr().out
    assert abs(found["c"] - found["a"]).max() < 1e-5


def test_the_error_that_it_shows_is_what_one_gets() -> None:
    (shown,) = re.findall(r"^ *```text\n(.*?)^ *```", TEXT, re.S | re.M)
    try:
        schedule_for(matmul(512, 512, 512)[1])["C"].parallel("k")
    except ScheduleError as e:
        said = str(e).rpartition("\n  at ")[0]
    assert textwrap.dedent(shown).strip() == said


def test_commands_name_extras_and_files_that_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = re.findall(r"\.\[(\w+)\]|tewb\[(\w+)\]", TEXT)
    assert len(named) >= 3
    for extra in named:
        assert set(filter(None, extra)) <= set(extras)
    paths = re.findall(r"`?(notebooks/[\w/.-]+|docs/[\w/.-]+|tewb/[\w/.]+|\.ci/run)", TEXT)
    assert "notebooks/00-start.ipynb" in paths
    for path in paths:
        assert (ROOT / path).exists(), path


def test_every_notebook_is_named() -> None:
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        assert f"notebooks/{notebook.name}" in TEXT


def test_the_picture_moves_and_is_small() -> None:
    assert "docs/images/session.gif" in TEXT
    assert PICTURE.stat().st_size < 3 << 20
    with Image.open(PICTURE) as film:
        assert film.n_frames > 5  # type: ignore[attr-defined]
        frames = set()
        for i in range(film.n_frames):  # type: ignore[attr-defined]
            film.seek(i)
            frames.add(film.convert("RGB").tobytes())
    assert len(frames) == i + 1
