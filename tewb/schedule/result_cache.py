"""Results that were computed for a schedule before, by all that they depend on.

Editing a schedule changes one stage and leaves the others as they were. What belongs to these (axes, bounds,
loop nests, their lowered forms) is taken from here, the same objects, so that whatever is computed from
them is found again too, down to the lines of text.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

from tewb.arith import Key, Keys
from tewb.ir import Expr, Range
from tewb.schedule.ranges_with_gaps import steps_in

T = TypeVar("T")

# Results that none of the last so many lowerings has used are forgotten.
_AGE = 24
_MOST = 20_000
_MOST_SHAPES = 200_000


class ResultCache:
    """Remembers results by key. A key names objects by id, and an entry keeps these alive: equal keys mean the
    same objects."""

    def __init__(self) -> None:
        self._known: dict[Hashable, list[Any]] = {}  # time of last use, what the key names, the result
        self._now = 0
        self._keys = Keys()

    def begin(self) -> None:
        """Start a new lowering. Now and then, results that the last ones did not use are forgotten."""
        self._now += 1
        numbers = self._keys.numbers
        self._keys = Keys(numbers if len(numbers) < _MOST_SHAPES else None)
        if self._now % 8 == 0:
            for key, entry in list(self._known.items()):
                if entry[0] < self._now - _AGE:
                    self._known.pop(key, None)

    def once(self, key: Hashable, named: Iterable[object], make: Callable[[], T]) -> T:
        """What `make` returns: the same object for the same key. `named` are the objects whose ids are in the
        key; what makes the result may use nothing else that changes."""
        entry = self._known.get(key)
        if entry is None:
            if len(self._known) > _MOST:
                self._known.clear()
            entry = self._known[key] = [self._now, tuple(named), make()]
        entry[0] = self._now
        result: T = entry[2]
        return result

    def shape(self, exprs: Iterable[Expr]) -> Key:
        """A key for the shapes of expressions. The expressions themselves must be among what is named."""
        return tuple([self._keys(e) for e in exprs])

    def ranges(self, ranges: Iterable[Range]) -> Key:
        """A key for ranges, likewise."""
        return tuple([(self._keys(r.min), self._keys(r.extent), self._gaps(r)) for r in ranges])

    def _gaps(self, r: Range) -> Key | None:
        steps = steps_in(r)
        if steps is None:
            return None
        return tuple([(n if isinstance(n, int) else self._keys(n), step) for n, step in steps])
