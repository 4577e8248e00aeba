"""The classic path of the operators that move elements."""

from tewb import topi
from tewb.topi import transform


def test_they_are_those_of_topi() -> None:
    assert all(getattr(transform, name) is getattr(topi, name) for name in transform.__all__)
