"""Names for people: long ones cut so that what tells them from each other stays, and equal ones told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from tewb.runtime import ordinal

LONGEST = 30  # characters
_HEAD = 8  # that always stay, of the beginning
_BEFORE = 7  # that stay before the place where a name differs


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Each name with its short form: the name itself where it is short, else its beginning and the part that tells it
    from the others:

        normalised_activation_of_layer_12_after_scaling    ->    normalis…_layer_12_after_scaling
    """
    known = sorted(set(names))
    shown = {
        name: name if len(name) <= LONGEST else _cut(name, _differs_at(known, i))
        for i, name in enumerate(known)
    }
    taken = list(shown.values())
    return {name: short if taken.count(short) == 1 else name for name, short in shown.items()}


def told_apart(names: Sequence[str]) -> list[str]:
    """The names in their order, where those that are there several times say which of them they are: "C.k, 2nd of 3"."""
    count, seen = Counter(names), Counter[str]()
    told: list[str] = []
    for name in names:
        seen[name] += 1
        told.append(name if count[name] == 1 else f"{name}, {ordinal(seen[name])} of {count[name]}")
    return told


def _differs_at(known: list[str], at: int) -> int:
    """Where a name first differs from those most like it: its neighbours in the order of the alphabet."""
    near = [known[i] for i in (at - 1, at + 1) if 0 <= i < len(known)]
    return max((_same(known[at], other) for other in near), default=len(known[at]))


def _same(a: str, b: str) -> int:
    """How many characters are the same at the beginning of both."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _cut(name: str, differs: int) -> str:
    if differs <= _HEAD:  # no other is like it
        return f"{name[: LONGEST // 2 - 1]}…{name[-LONGEST // 2 :]}"
    room = LONGEST - _HEAD - 2
    start = min(max(differs - _BEFORE, _HEAD), len(name) - room - 1)
    end = start + room + 1 if start + room + 1 >= len(name) else start + room
    return f"{name[:_HEAD]}…{name[start:end]}{'' if end >= len(name) else '…'}"
