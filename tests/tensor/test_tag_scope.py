"""Tags of computes, from their own argument or from a scope."""

from __future__ import annotations

from typing import Any

import pytest

from tewb import te
from tewb.base import TewbError

A = te.placeholder((4,), name="A")


def plus(tag: str = "") -> Any:
    return te.compute((4,), lambda i: A[i] + 1, tag=tag)


def test_a_scope_tags_the_computes_in_it() -> None:
    with te.tag_scope("elemwise"):
        B = plus()
        C = A + A
    assert (B.op.tag, C.op.tag, plus().op.tag) == ("elemwise", "broadcast", "")
    assert te.tag_scope(tag="injective")(plus)().op.tag == "injective"


def test_scopes_and_tags_do_not_nest() -> None:
    with te.tag_scope("outer"):
        with pytest.raises(TewbError, match="the tag scope inner is inside of outer"), te.tag_scope("inner"):
            pass
        with pytest.raises(TewbError, match="has the tag own, and the scope around it gives outer"):
            plus("own")
    assert plus("own").op.tag == "own"
    with pytest.raises(TewbError, match="a tag is text"):
        te.tag_scope(3)  # type: ignore[arg-type]
