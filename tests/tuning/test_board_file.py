"""The file of a board: lines of one search, which are read as they were written; others are passed over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tewb.runtime import Timing
from tewb.tuning.board_file import BoardFile, read
from tewb.tuning.study import Trial

FIRST = Trial(0, {"ideas": "tile"}, "timed", Timing((1.0, 2.0)), steps=({"primitive": "split"},))
SECOND = Trial(1, {"ideas": "pack"}, "failed", None, "no memory")


def test_what_was_kept_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "board.jsonl"
    assert read(path) is None
    file = BoardFile.begun(path)
    file.add(FIRST, True)
    file.add(SECOND, False)
    file.pin((1,))
    file.pin((1, 0))
    found = read(path)
    assert found is not None and found[0] == file
    kept = found[1]
    assert (list(kept.trials.values()), kept.leads, kept.pinned) == ([FIRST, SECOND], [0], (1, 0))


def test_lines_of_other_searches_and_broken_ones_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "board.jsonl"
    before = BoardFile.begun(path)
    file = BoardFile.begun(path)
    before.add(SECOND, True)  # a search in another kernel, which goes on
    BoardFile(path, "of knobs").pin((7,))
    file.add(FIRST, True)
    with path.open("a") as f:
        f.write(f'{{"search": "{file.search}", "trial": {{"number": "x"}}}}\n[1]\n{{"search"')
    found = read(path)
    assert found is not None and found[0] == file and found[1].trials == {0: FIRST} and found[1].pinned == ()
    found = read(path, "of knobs")
    assert found is not None and found[1].pinned == (7,)
    BoardFile.begun(path)  # another search without knobs: what was pinned in those over knobs stays
    found = read(path, "of knobs")
    assert found is not None and found[1].pinned == (7,)
    assert (last := read(path)) is not None and not last[1].trials


@pytest.mark.parametrize(
    "make", [lambda f: f.write_bytes(b"\xff\xfe"), lambda f: f.mkdir(), lambda f: f.touch()]
)
def test_what_is_no_file_of_a_board(tmp_path: Path, make: Any) -> None:
    make(tmp_path / "board.jsonl")
    assert read(tmp_path / "board.jsonl") is None


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    file = BoardFile.begun(tmp_path / "none" / "board.jsonl")
    file.add(FIRST, True)
    file.pin((0,))
    assert read(file.path) is None
