"""Sessions of a matrix product, with steps applied: what tests of the journal share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tewb.schedule import RECIPES
from tewb.workbench.demos import demo_session


def session(text: str = "", n: int = 32) -> Any:
    s = demo_session("matmul", n=n)
    if text:
        s.load(text)
    return s


def steps(s: Any) -> list[str]:
    return [str(step) for step in s.journal]


TILED = "C:tile(i,j,8,16);C:reorder(i.outer,j.outer,k,i.inner,j.inner);C:vectorize(j.inner);C:unroll(i.inner)"


TILE = "tile(C, x=i, y=j, x_factor=8, y_factor=16)"


def applied(s: Any, text: str) -> Any:
    """Apply the steps of a compact string one by one, as a person does."""
    for step in session(text).journal:
        s.apply(step)
    return s


@contextmanager
def recipes() -> Iterator[None]:
    """Recipes that are made inside of the block are forgotten after it."""
    before = dict(RECIPES)
    try:
        yield
    finally:
        RECIPES.clear()
        RECIPES.update(before)
