"""What cannot be kept around the loops that compute it."""

from __future__ import annotations

from typing import Any

import pytest

from tewb import te
from tewb.base import LowerError
from tewb.lowering.sliding_windows import checked_window
from tewb.schedule.bounds import infer_bounds


def program(size: int = 3, backwards: bool = False) -> Any:
    A = te.placeholder((20,), name="A")
    B = te.compute((20,), lambda i: A[i] * 2.0, name="B")
    C = te.compute((8,), lambda i: B[9 - i if backwards else i] + B[i + size], name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], "i")
    return s


def checked(s: Any, is_argument: bool = False) -> Any:
    return checked_window(s["B"], infer_bounds(s), is_argument)


def test_a_stage_at_its_own_place_has_none() -> None:
    assert checked(program()) is None and checked(program(), is_argument=True) is None


@pytest.mark.parametrize("word", ["rolling_buffer", "store_root"])
def test_memory_of_the_caller_is_no_window(word: str) -> None:
    s = program()
    getattr(s["B"], word)()
    assert checked(s).slides
    with pytest.raises(
        LowerError, match=r"B: it is an argument, so all of it is kept(.*\n)+.*take B off"
    ) as e:
        checked(s, is_argument=True)
    assert e.value.loops


def test_what_does_not_slide_is_whole_and_no_rolling_buffer() -> None:
    s = program(backwards=True)
    s["B"].store_root()
    assert not checked(s).slides
    s = program(backwards=True)
    s["B"].rolling_buffer()
    with pytest.raises(LowerError, match="rolling_buffer on stage B: "):
        checked(s)
