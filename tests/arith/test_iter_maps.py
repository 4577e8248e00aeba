"""Iterator maps: splits and fusions by themselves, and random maps against all of their iterations."""

from __future__ import annotations

import itertools
import random
from typing import Any

import numpy as np
import pytest

from tests.arith.grid import on_grid
from tewb import arith, te
from tewb.arith.iter_maps import (
    IterMapLevel,
    IterMark,
    IterSplitExpr,
    IterSumExpr,
    detect_iter_map,
    inverse_affine_iter_map,
    iter_map_simplify,
    normalize_iter_map_to_expr,
    normalize_to_iter_sum,
)
from tewb.base import TewbError
from tewb.ir import Range, const_int

x, y, z = te.var("x"), te.var("y"), te.var("z")


def over(**extents: int) -> dict[Any, Range]:
    return {{"x": x, "y": y, "z": z}[n]: Range.from_min_extent(0, e) for n, e in extents.items()}


def shown(indices: Any, iters: Any, level: IterMapLevel = IterMapLevel.Bijective) -> list[str]:
    """Extent, scale and base of each index; or why there is no map."""
    found = detect_iter_map(indices, iters, True, level)
    return found.errors or [
        " ".join(f"{s.extent}*{s.scale}" for s in one.args) + f" + {one.base}" for one in found.indices
    ]


@pytest.mark.parametrize(
    ("indices", "iters", "expected"),
    [
        ([x * 8 + y], over(x=4, y=8), ["32*1 + 0"]),
        ([x // 4, x % 4], over(x=16), ["4*1 + 0", "4*1 + 0"]),
        ([(x * 8 + y) // 4, (x * 8 + y) % 4], over(x=4, y=8), ["8*1 + 0", "4*1 + 0"]),
        ([x * 2 + 5, y], over(x=4, y=1), ["4*2 + 5", " + 0"]),
        ([x + 3], {x: Range.from_min_extent(2, 5)}, ["5*1 + 5"]),
        ([x + z * 8], over(x=8), ["8*1 + z * 8"]),
        ([(x + z * 8) // 4, x % 4], over(x=8), ["2*1 + z * 2", "4*1 + 0"]),
        ([x // 5], over(x=16), ["16 values are divided into parts of 5"]),
        ([x * 8 + y], over(x=4, y=7), ["parts of scale 8 and 7 do not lie beside each other"]),
        ([x, x], over(x=4), ["x is used twice"]),
        ([x], over(x=4, y=2), ["y is not used"]),
        ([x % 4], over(x=16), ["parts of x are left out, or overlap"]),
        ([x * y], over(x=4, y=4), ["y is not a constant"]),
        ([te.max(x, 3)], over(x=4), ["T.max(x, 3) is no sum, quotient or remainder of loop variables"]),
        ([x // -2], over(x=4), ["it divides by -2"]),
        ([(x + 1) // 4], over(x=16), ["1 is no multiple of 4"]),
        ([x * 3 // 2], over(x=4), ["multiples of 3 are divided by 2"]),
        ([y - x], over(x=4, y=4), ["an iterator runs backwards beside another one"]),
    ],
)  # fmt: skip
def test_indices_as_iterators(indices: Any, iters: Any, expected: list[str]) -> None:
    assert shown(indices, iters) == expected


def test_levels_of_checking() -> None:
    for level, is_found in (
        (IterMapLevel.Bijective, False),
        (IterMapLevel.Surjective, True),
        (IterMapLevel.NoCheck, True),
    ):
        assert bool(detect_iter_map([x // 8, x % 2], over(x=16, y=2), True, level).indices) == is_found
    assert not detect_iter_map([x // 2, x % 4], over(x=16), True, IterMapLevel.Surjective).indices
    assert detect_iter_map([x // 2, x % 4], over(x=16), True, IterMapLevel.NoCheck).indices


def test_a_predicate_must_be_certain() -> None:
    assert detect_iter_map([x], over(x=4), x < 4).indices
    found = detect_iter_map([x], over(x=4), x < 3)
    assert found.errors == ["the predicate x < 3 leaves iterations out"] and not found.indices
    assert const_int(found.padding_predicate) == 0 and "leaves iterations out" in repr(found)


def test_the_parts_are_told() -> None:
    (one,) = detect_iter_map([x * 8 + y], over(x=4, y=8)).indices
    (split,) = one.args
    assert isinstance(split, IterSplitExpr) and isinstance(split.source, IterMark)
    inner = split.source.source
    assert isinstance(inner, IterSumExpr) and [const_int(s.scale) for s in inner.args] == [8, 1]
    assert str(normalize_iter_map_to_expr(one)) == "x * 8 + y"
    assert repr(inner.args[1]) == "IterSplitExpr(IterMark(y, 8), 1, 8, 1)"
    total = normalize_to_iter_sum(y + z + x * 8, over(x=4, y=7))
    assert [const_int(s.scale) for s in total.args] == [8, 1] and str(total.base) == "z"


def test_loops_of_one_iteration_may_stay() -> None:
    one = {x: Range.from_min_extent(3, 1)}
    assert str(detect_iter_map([x], one).indices[0].base) == "3"
    kept = detect_iter_map([x], one, simplify_trivial_iterators=False).indices[0]
    assert len(kept.args) == 1


def test_what_is_no_sum_is_refused() -> None:
    with pytest.raises(TewbError, match=r"x \* y is no sum of parts of loops: y is not a constant"):
        normalize_to_iter_sum(x * y, over(x=4, y=4))


def test_simpler_indices() -> None:
    assert [str(e) for e in iter_map_simplify([(x * 8 + y) // 4 * 4], over(x=4, y=8))] == [
        "x * 8 + y // 4 * 4"
    ]
    assert [str(e) for e in iter_map_simplify([x * y], over(x=4, y=4))] == ["x * y"]


def test_the_names_are_on_the_face() -> None:
    assert arith.detect_iter_map is detect_iter_map  # type: ignore[attr-defined]
    assert arith.iter_affine_map.IterMark is IterMark  # type: ignore[attr-defined]


def random_index(r: random.Random, depth: int) -> Any:
    if depth == 0:
        return r.choice([x, y, z])
    e = random_index(r, depth - 1)
    n = r.choice([2, 2, 3, 4])
    return r.choice(
        [
            lambda: e // n, lambda: e % n, lambda: e * n, lambda: e + n, lambda: e,
            lambda: e * n + random_index(r, depth - 1), lambda: x * 8 + y, lambda: (y * 4 + z) // n, lambda: x * 8 + y * 2 + z,
        ]
    )()  # fmt: skip


def test_random_maps_are_what_they_are_said_to_be() -> None:
    r = random.Random(6)
    found = {level: 0 for level in IterMapLevel}
    for _ in range(600):
        iters = {v: Range.from_min_extent(r.choice([0, 0, 2]), r.choice([1, 2, 4, 4, 8])) for v in (x, y, z)}
        ranges = {
            v: (const_int(d.min), const_int(d.min) + const_int(d.extent) - 1)  # type: ignore[operator]
            for v, d in iters.items()
        }
        indices = [random_index(r, r.randint(0, 3)) for _ in range(r.randint(1, 3))]
        level = r.choice(list(IterMapLevel))
        result = detect_iter_map(indices, iters, True, level).indices
        if not result:
            continue
        found[level] += 1
        values = [on_grid(e, ranges).ravel() for e in indices]  # type: ignore[arg-type]
        for sums, own in zip(result, values, strict=True):
            again = on_grid(normalize_iter_map_to_expr(sums), ranges).ravel()  # type: ignore[arg-type]
            np.testing.assert_array_equal(again, own)
        if level is IterMapLevel.NoCheck:
            continue
        points = set(zip(*[v.tolist() for v in values], strict=True))
        boxes = []
        for sums in result:
            base = const_int(sums.base)
            assert base is not None
            steps = [(const_int(s.extent), const_int(s.scale)) for s in sums.args]
            boxes.append([base + k * c for n, c in steps for k in range(n)] if steps else [base])  # type: ignore[operator, arg-type]
        assert points == set(itertools.product(*boxes))
        if level is IterMapLevel.Bijective:
            assert len(points) == values[0].size
            back = inverse_affine_iter_map(result, indices)
            for v, e in back.items():
                np.testing.assert_array_equal(on_grid(e, ranges), on_grid(v, ranges))  # type: ignore[arg-type]
            missing = [v for v in (x, y, z) if v not in back]
            assert all(const_int(iters[v].extent) == 1 for v in missing)
    assert all(n > 7 for n in found.values()), found
