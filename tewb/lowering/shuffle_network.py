"""Shuffles that transpose a square of vectors, as data: which vectors meet, and which lanes each takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShuffleStage:
    """Vectors that are `distance` apart, v and v + distance, become two others in their places: the lanes `low` and
    `high` of both, counted through the first and then the second."""

    distance: int
    low: tuple[int, ...]
    high: tuple[int, ...]


def transposition(n: int, width: int, chunk: int) -> list[ShuffleStage]:
    """The stages that transpose all n x n blocks of n vectors of `width` lanes; n and width are powers of two.

        0 1 2 3        0 8 1 9            0 4 8 c
        4 5 6 7   ->   4 c 5 d     ->     1 5 9 d        (one block of 4 x 4: two stages, both `zip`)
        8 9 a b        2 a 3 b            2 6 a e
        c d e f        6 e 7 f            3 7 b f

    Each of the log2(n) stages trades one bit of the number of a vector for one bit of the number of a lane. Where lanes
    of one chunk trade places, the two vectors are zipped within each chunk, from the greatest distance down;
    where chunks do, the even ones of both vectors come before the odd ones, from the smallest distance up. Both
    are single instructions of x86 (unpack, shuffle of 128-bit parts) and of AArch64 (zip, moves of registers).
    """
    chunk = min(chunk, n)
    stages = []
    distance = chunk // 2
    while distance >= 1:
        stages.append(_zip(distance, width, chunk))
        distance //= 2
    distance = chunk
    while distance < n:
        stages.append(_unzip(distance, n, width, chunk))
        distance *= 2
    return stages


def _zip(distance: int, width: int, chunk: int) -> ShuffleStage:
    """In each chunk, a lane of the first vector and one of the second in turn."""

    def lanes(begin: int) -> tuple[int, ...]:
        pairs = ((at + k, width + at + k) for at in range(begin, width, chunk) for k in range(chunk // 2))
        return tuple(lane for pair in pairs for lane in pair)

    return ShuffleStage(distance, lanes(0), lanes(chunk // 2))


def _unzip(distance: int, n: int, width: int, chunk: int) -> ShuffleStage:
    """In each block of n lanes, every second chunk of the first vector, then every second one of the second."""

    def lanes(begin: int) -> tuple[int, ...]:
        return tuple(
            at + k
            for block in range(0, width, n)
            for vector in (0, width)
            for at in range(vector + block + begin, vector + block + n, 2 * chunk)
            for k in range(chunk)
        )

    return ShuffleStage(distance, lanes(0), lanes(chunk))
