"""Patches: what is different between two states of a view with a long text, for a page that has the first.

An edit changes a few lines of some thousand. The page puts the new state together (`frontend/src/patches.ts`): a patch is a
matter of the way there, and states stay whole for all who read them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

LONG = 4000  # characters of a text that is worth it

Cut = list[Any]  # from which line (from 0) up to before which one, and the lines instead of these


def patch(old: Any, new: Any) -> dict[str, Any] | None:
    """What makes `old` into `new`: {"fields": those that differ, "lines": {field: cuts}}. None where it
    would not be smaller than `new`."""
    if not (isinstance(old, Mapping) and isinstance(new, Mapping) and old.keys() == new.keys()):
        return None
    texts = [name for name, text in new.items() if _is_long(text) and _is_long(old[name])]
    if not texts:
        return None
    lines = {
        name: cuts(old[name].split("\n"), new[name].split("\n")) for name in texts if old[name] != new[name]
    }
    if sum(len(line) for found in lines.values() for _, _, instead in found for line in instead) * 2 > sum(
        len(new[name]) for name in texts
    ):
        return None
    fields = {name: x for name, x in new.items() if name not in texts and x != old[name]}
    return {"fields": fields, "lines": lines}


def _is_long(x: object) -> bool:
    return isinstance(x, str) and len(x) > LONG


def patched(old: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """The state that a patch leads to, as the page puts it together."""
    state = {**old, **found["fields"]}
    for name, all_cuts in found["lines"].items():
        lines, at, made = state[name].split("\n"), 0, []
        for start, end, instead in all_cuts:
            made += [*lines[at:start], *instead]
            at = end
        state[name] = "\n".join([*made, *lines[at:]])
    return state


def cuts(old: Sequence[str], new: Sequence[str]) -> list[Cut]:
    """What is to be cut out of lines, and put in there, to make `old` into `new`. Lines that both have once, in
    the same order, stay."""
    most = min(len(old), len(new))
    start = next((i for i in range(most) if old[i] != new[i]), most)
    end = next((i for i in range(most - start) if old[-1 - i] != new[-1 - i]), most - start)
    a, b = old[start : len(old) - end], new[start : len(new) - end]
    found: list[Cut] = []
    i = j = 0
    for at, to in [*_in_order(a, b), (len(a), len(b))]:
        if at > i or to > j:
            found.append([start + i, start + at, list(b[j:to])])
        i, j = at + 1, to + 1
    return found


def _in_order(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """Places of equal lines, rising in both: of those that occur once, the longest such row."""
    places = _once(b)
    pairs = [(i, places[line]) for line, i in _once(a).items() if line in places]
    ends: list[int] = []  # the lowest end of a row, of each length
    lengths = []
    for _, j in pairs:
        length = bisect_left(ends, j)
        ends[length : length + 1] = [j]
        lengths.append(length)
    row: list[tuple[int, int]] = []
    wanted = len(ends) - 1
    for pair, length in zip(reversed(pairs), reversed(lengths), strict=True):
        if length == wanted and (not row or pair[1] < row[-1][1]):
            row.append(pair)
            wanted -= 1
    return row[::-1]


def _once(lines: Sequence[str]) -> dict[str, int]:
    """The place of each line that occurs once."""
    found: dict[str, int] = {}
    again = set()
    for i, line in enumerate(lines):
        if line in found:
            again.add(line)
        found[line] = i
    return {line: i for line, i in found.items() if line not in again}
