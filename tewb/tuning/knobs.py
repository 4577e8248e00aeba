"""Knobs: what a program leaves open, declared where its schedule is written.

    def program(cfg):
        ...
        x = cfg.split("tile_x", 512, default=8)     one factor, 1 to 512
        y = cfg.split("tile_y", 512, lanes=16)      a multiple of 16
        if cfg.flag("pack"):
            ...
        s[C].reorder(*cfg.order("loops", [io, jo, k]))
        return s, [A, B, C]

A program is run once for each point of its space. Which knobs there are may depend on the values of others: each is
asked for when the program comes to it (define-by-run).
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from tewb.base import ArgumentError, brief, check_given, here, is_count
from tewb.ir import Expr, IterVar, const_int, ops

T = TypeVar("T")
Point = Mapping[str, Any]
MOST_ORDERS = 5040  # those of seven loops


class UnknownValueError(ArgumentError):
    """A knob has no such value."""


@dataclass(frozen=True, slots=True)
class Knob:
    """Something that a program leaves open: its values, as points have them, of which one is the default.

    `is_ordered` says that neighbours are alike, as factors are: a search may go up and down.
    """

    name: str
    values: tuple[Any, ...]
    default: int
    is_ordered: bool

    def index_of(self, value: Any) -> int:
        """Where a value stands. Raises ArgumentError for one that is none."""
        wanted = plain(value)
        for i, v in enumerate(self.values):
            if type(v) is type(wanted) and v == wanted:
                return i
        shown = ", ".join(map(repr, self.values[:12])) + (", ..." if len(self.values) > 12 else "")
        raise UnknownValueError(
            f"knob {self.name} has no value {value!r}", hint=f"its values are {shown}", span=here()
        )


Chooser = Callable[[Knob], int]


class Config:
    """The knobs of one run of a program: each is chosen by `choose(knob)`, a number of its values, as it is asked for.

    `point` has the values that were chosen, by name, `knobs` the knobs in the order in which they were met. The same
    name asked for again has the same value. Raises ArgumentError for a knob without values, or declared in two ways.
    """

    def __init__(self, choose: Chooser) -> None:
        self._choose = choose
        self.knobs: dict[str, Knob] = {}
        self.point: dict[str, Any] = {}

    def split(
        self,
        name: str,
        extent: Any,
        default: int | None = None,
        *,
        lanes: int = 1,
        most: int | None = None,
        divides: bool = False,
    ) -> int:
        """A factor to split a loop of `extent` iterations by: powers of two and divisors, from `lanes` (whose multiples
        they are) to `most`. With `divides`, divisors only. The extent is a number, or that of an axis of a stage; one that
        is symbolic counts as 1024."""
        size = _size_of(name, extent)
        lanes, limit = _count(name, "lanes", lanes), None if most is None else _count(name, "most", most)
        if size is None:
            size, divides = 1024, False
        if size < 1:
            raise ArgumentError(f"knob {name}: a loop of {size} iterations cannot be split", span=here())
        values = factors(size, lanes, size if limit is None else min(size, limit), divides)
        return self._ask(name, values, default, True)  # type: ignore[no-any-return]

    def choice(self, name: str, values: Sequence[T], default: T | None = None) -> T:
        """One of some values: numbers, strings, or whatever a journal can hold. Lists are tuples in a point."""
        given = _listed(name, values)
        known = [plain(v) for v in given]
        for v in known:
            _check_is_plain(name, v)
        numbers = [v for v in known if isinstance(v, int | float) and not isinstance(v, bool)]
        chosen = self._ask(name, known, default, known == sorted(numbers))
        return given[self.knobs[name].index_of(chosen)]  # type: ignore[no-any-return]

    def flag(self, name: str, default: bool = False) -> bool:
        """True or False."""
        return self._ask(name, [False, True], default, False)  # type: ignore[no-any-return]

    def order(self, name: str, items: Sequence[T], default: Sequence[int] | None = None) -> list[T]:
        """The items in another order, of which all are tried: at most seven. `default` is a permutation of their numbers.
        The value of the knob is the permutation."""
        items = _listed(name, tuple(items) if isinstance(items, str) else items)
        n = len(items)
        if math.factorial(n) > MOST_ORDERS:
            raise ArgumentError(
                f"knob {name}: {n} items have {math.factorial(n):,} orders", hint="leave open where only some of them stand", span=here()
            )  # fmt: skip
        orders = list(itertools.permutations(range(n)))
        chosen = self._ask(name, orders, default, False)
        return [items[i] for i in chosen]

    def _ask(self, name: str, values: Sequence[Any], default: Any, is_ordered: bool) -> Any:
        check_given(isinstance(name, str) and bool(name), "name", name, "the name of a knob", 'cfg.split("tile_x", 512)', ArgumentError)  # fmt: skip
        if not values:
            raise ArgumentError(f"knob {name} has no values", hint="widen its limits", span=here())
        knob = Knob(name, tuple(values), 0, is_ordered)
        if default is not None:
            knob = Knob(name, knob.values, knob.index_of(default), is_ordered)
        elif is_ordered:
            knob = Knob(name, knob.values, len(values) // 2, True)
        known = self.knobs.get(name)
        if known is None:
            self.knobs[name] = knob
            self.point[name] = knob.values[self._choose(knob)]
        elif known.values != knob.values:
            raise ArgumentError(
                f"knob {name} is asked for twice, with other values", hint="knobs with other values have other names", span=here()
            )  # fmt: skip
        return self.point[name]


def plain(value: Any) -> Any:
    """A value as points have it, which files may have kept: numbers are Python's, and lists are tuples."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return tuple(map(plain, value)) if isinstance(value, list | tuple) else value


def _check_is_plain(name: str, value: Any) -> None:
    """Raise ArgumentError for a value that is not known again in another run of the program, or from a file."""
    parts = (
        list(value)
        if isinstance(value, tuple)
        else [*value, *value.values()]
        if isinstance(value, dict)
        else []
    )
    for part in parts:
        _check_is_plain(name, part)
    if not (value is None or isinstance(value, bool | int | float | str | tuple | dict)):
        raise ArgumentError(
            f"knob {name}: {brief(repr(value))} is no value that a journal can hold",
            hint=f'give words, and look up what they stand for: {{"a": f, "b": g}}[cfg.choice("{name}", ["a", "b"])]',
            span=here(),
        )


def _listed(name: str, values: Any) -> list[Any]:
    """Values in a list. Raises ArgumentError for what is none."""
    is_right = isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping | Set)
    check_given(is_right, f"knob {name}: what it is one of", values, "a list of values", f'cfg.choice("{name}", [4, 8])', ArgumentError)  # fmt: skip
    return list(values)


def _size_of(name: str, extent: Any) -> int | None:
    """The iterations of a loop, None where they are symbolic. Raises ArgumentError for what is no number."""
    domain = extent.dom if isinstance(extent, IterVar) else None
    size = ops.whole(plain(extent if domain is None else domain.extent))
    if isinstance(size, Expr) and size.dtype.is_int:
        return const_int(size)
    is_right = isinstance(size, int) and not isinstance(size, bool)
    check_given(is_right, f"knob {name}: the extent of its loop", extent, "a number of iterations", f'cfg.split("{name}", 512)', ArgumentError)  # fmt: skip
    return size  # type: ignore[no-any-return]


def _count(name: str, what: str, given: Any) -> int:
    """A number from 1. Raises ArgumentError for what is none."""
    number = ops.whole(plain(given))
    check_given(
        is_count(number), f"knob {name}: {what}", given, "a number from 1", f"{what}=16", ArgumentError
    )
    return number  # type: ignore[no-any-return]


def factors(size: int, lanes: int = 1, most: int | None = None, divides: bool = False) -> list[int]:
    """The powers of two and the divisors of `size`, from `lanes`, whose multiples they are, to `most`; with `divides`,
    divisors only."""
    limit = size if most is None else most
    divisors = {d for i in range(1, math.isqrt(size) + 1) if size % i == 0 for d in (i, size // i)}
    powers = set() if divides else {2**i for i in range(limit.bit_length())}
    return sorted(v for v in divisors | powers if v <= limit and v % lanes == 0)


def by_default(knob: Knob) -> int:
    """The default of a knob."""
    return knob.default


def at(point: Point) -> Chooser:
    """A chooser that takes the values of a point, and the default of knobs that it does not have."""

    def choose(knob: Knob) -> int:
        return knob.index_of(point[knob.name]) if knob.name in point else knob.default

    return choose


def every_point(run: Callable[[Chooser], object]) -> Iterator[dict[str, Any]]:
    """The points of a space one after the other: of a tree of which the program shows one path at a time. The next path
    turns the last knob that has a further value."""
    path: list[int] = []
    while True:
        met: dict[str, Knob] = {}

        def choose(knob: Knob, path: list[int] = path, met: dict[str, Knob] = met) -> int:
            met[knob.name] = knob
            return path[len(met) - 1] if len(met) <= len(path) else 0

        with contextlib.suppress(Exception):  # whatever it is: it is seen again when the point is tried
            run(choose)
        knobs = list(met.values())
        chosen = (path + [0] * len(knobs))[: len(knobs)]
        yield {knob.name: knob.values[i] for knob, i in zip(knobs, chosen, strict=True)}
        while chosen and chosen[-1] + 1 == len(knobs[len(chosen) - 1].values):
            chosen.pop()
        if not chosen:
            return
        chosen[-1] += 1
        path = chosen
