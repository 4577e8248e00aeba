"""Words on operations."""

from tewb.topi import tag


def test_elementwise_is_broadcast_is_injective() -> None:
    assert [tag.is_broadcast(t) for t in (tag.ELEMWISE, tag.BROADCAST, tag.INJECTIVE, "")] == [
        True,
        True,
        False,
        False,
    ]
    assert [tag.is_injective(t) for t in (tag.ELEMWISE, tag.INJECTIVE, tag.COMM_REDUCE)] == [
        True,
        True,
        False,
    ]
