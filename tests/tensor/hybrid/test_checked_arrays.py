"""Arrays of a checked run know which of their elements were written, and whether they may be."""

from __future__ import annotations

import numpy as np

from tewb.tensor.hybrid.checked_arrays import CheckedArray, as_checked, read_only


def test_inputs_are_written_and_cannot_be_written_again() -> None:
    a = np.zeros((2, 3))
    c = as_checked("a", a)
    assert c.data is a and c.written.all() and c.written.shape == (2, 3) and not c.writable and c.name == "a"


def test_arrays_in_tuples_have_names_with_their_place() -> None:
    pair = as_checked("t", [np.zeros(1), (3, np.zeros(2))])
    assert isinstance(pair, tuple) and (pair[0].name, pair[1][0], pair[1][1].name) == ("t[0]", 3, "t[1][1]")
    assert as_checked("n", 4) == 4


def test_another_function_sees_what_was_written_and_writes_nothing() -> None:
    written = np.array([True, False])
    own = CheckedArray("t", np.zeros(2), written, True)
    seen, number = read_only((own, 7))
    assert seen.data is own.data and seen.written is written and not seen.writable and number == 7
    assert own.writable
