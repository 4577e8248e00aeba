"""Layouts as words."""

from __future__ import annotations

import pytest

from tewb.base import TewbError
from tewb.topi.layouts import Layout, spatial


def test_a_word_has_letters_and_blocks() -> None:
    word = Layout("OIHW4i16o")
    assert word.letters == "OIHWio" and word.blocks == {"i": 4, "o": 16}
    assert word.primal_sizes((2, 3, 1, 1, 4, 16), "f") == {"O": 32, "I": 12, "H": 1, "W": 1}
    assert word.primal_index((1, 2, 0, 0, 3, 5)) == {"O": 21, "I": 11, "H": 0, "W": 0}
    assert [int(i.value) if hasattr(i, "value") else i for i in word.from_primal({"O": 21, "I": 11, "H": 0, "W": 0})] == [
        1, 2, 0, 0, 3, 5,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("", "'' is no layout"),
        ("NCHW-", "made of upper-case letters"),
        ("NCHWC", "C stands twice"),
        ("NHW4c", "a dimension C that is not there"),
    ],
)
def test_words_that_are_no_layouts(word: str, message: str) -> None:
    with pytest.raises(TewbError, match=message):
        Layout(word)


def test_sizes_must_fit_the_word() -> None:
    with pytest.raises(TewbError, match="blocks of 16c, and the tensor of 8"):
        Layout("NC16c").sizes((1, 2, 8), "f")
    with pytest.raises(TewbError, match="has 2 dimensions and the tensor 3"):
        Layout("NC").sizes((1, 2, 8), "f")
    with pytest.raises(TewbError, match="f: the layout NCHW4h has no whole dimension H"):
        spatial("NCHW4h", "f", "HW")
