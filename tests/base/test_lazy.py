"""Attributes that are made when they are first asked for, without a lock."""

from __future__ import annotations

import threading

from tewb.base import lazy


class Square:
    def __init__(self, side: int) -> None:
        self.side, self.asked = side, 0

    @lazy
    def area(self) -> int:
        """The area."""
        self.asked += 1
        return self.side**2


def test_it_is_made_once() -> None:
    s = Square(3)
    assert (s.area, s.area, s.asked) == (9, 9, 1)
    s.__dict__["area"] = 10
    assert s.area == 10 and Square.area.__doc__ == "The area."


def test_one_object_does_not_wait_for_another() -> None:
    waits, may_end = threading.Event(), threading.Event()

    class Slow(Square):
        @lazy
        def area(self) -> int:
            waits.set()
            assert may_end.wait(20)
            return -1

    slow, quick = Slow(1), Slow(2)
    t = threading.Thread(target=lambda: slow.area)
    t.start()
    assert waits.wait(20)
    other = threading.Thread(target=lambda: (may_end.set(), quick.area))
    other.start()
    other.join(20)
    t.join(20)
    assert not other.is_alive() and (slow.area, quick.area) == (-1, -1)
