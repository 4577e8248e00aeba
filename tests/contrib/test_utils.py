"""Temporary folders by the classic names."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from tewb.base import TewbError
from tewb.contrib import utils


def test_a_folder_has_paths_and_files_and_goes_with_its_object() -> None:
    temp = utils.tempdir()
    path = temp.relpath("a.txt")
    Path(path).write_text("x")
    assert (
        temp.listdir() == ["a.txt"]
        and (temp / "a.txt").read_text() == "x"
        and temp.path == Path(temp.temp_dir)
    )
    del temp
    gc.collect()
    assert not Path(path).exists()


def test_it_is_a_block_and_can_be_removed() -> None:
    with utils.tempdir() as temp:
        assert temp.path.exists()
    assert not temp.path.exists()
    temp.remove()


def test_a_folder_of_the_users_stays(tmp_path: Path) -> None:
    temp = utils.tempdir(tmp_path / "mine")
    temp.remove()
    kept = utils.tempdir(keep_for_debug=True)
    kept.remove()
    assert (tmp_path / "mine").exists() and kept.path.exists()
    kept.path.rmdir()


def test_which() -> None:
    assert Path(utils.which("python3")).exists()
    with pytest.raises(TewbError, match="no program nosuchprogram"):
        utils.which("nosuchprogram")
