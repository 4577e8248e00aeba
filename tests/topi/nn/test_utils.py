"""Padding of convolutions in full."""

from tewb.topi.nn import utils


def test_what_padding_means() -> None:
    assert utils.get_pad_tuple(1, (3, 3)) == (1, 1, 1, 1) and utils.get_pad_tuple((1, 2), (3, 3)) == (
        1,
        2,
        1,
        2,
    )
    assert utils.get_pad_tuple((1, 2, 3, 4), (3, 3)) == (1, 2, 3, 4)
    assert utils.get_pad_tuple("VALID", (3, 3)) == (0, 0, 0, 0) and utils.get_pad_tuple("SAME", (2, 5)) == (
        1,
        2,
        0,
        2,
    )
    assert utils.get_pad_tuple1d("SAME", 3) == (1, 1) and utils.get_pad_tuple1d(2, (3,)) == (2, 2)
    assert utils.get_pad_tuple3d(1, (3, 3, 3)) == (1,) * 6
    assert utils.get_pad_tuple_generic("SAME", (3, 3, 3)) == (1,) * 6
