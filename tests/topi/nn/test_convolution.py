"""The convolution of any number of dimensions and layouts."""

from __future__ import annotations

from tests.topi.compare import Case, check, floats
from tewb.topi.nn.convolution import convolution
from tewb.topi.testing.convolutions import conv2d_nchw_python


def test_any_order_of_dimensions() -> None:
    a, w = floats(2, 4, 5, 3), floats(6, 4, 3, 2)
    check(
        [
            Case(
                lambda t, k: convolution("f", t, k, 1, 1, 1, 1, "WCNH", "IWOH", None, "f", ""),
                lambda t, k: conv2d_nchw_python(a, w, 1, 1).transpose(3, 1, 0, 2),
                (a.transpose(3, 1, 0, 2).copy(), w.transpose(1, 3, 0, 2).copy()),
            )
        ],
        rtol=1e-4,
        atol=1e-5,
    )
