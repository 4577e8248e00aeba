"""Signs in words, and their products."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.topi.compare import Case, check, floats
from tewb import te, topi
from tewb.base import ShapeError

a, b = floats(3, 64), floats(5, 64)


def packed(v: Any) -> Any:
    bits = np.packbits(v >= 0, axis=1).reshape(len(v), -1, 4)
    return np.ascontiguousarray(bits[..., ::-1]).view("uint32")[..., 0]


def signs(v: Any) -> Any:
    return np.where(v >= 0, 1, -1)


def test_products_of_signs() -> None:
    def product(x: Any, y: Any) -> Any:
        return topi.nn.binary_dense(topi.nn.binarize_pack(x), topi.nn.binarize_pack(y, 1))

    check(
        [
            Case(topi.nn.binarize_pack, packed, (a,)),
            Case(product, lambda x, y: (signs(x) @ signs(y).T).astype("float32"), (a, b)),
        ]
    )


def test_misuse() -> None:
    with pytest.raises(ShapeError, match="axis 1 of A has .*33 elements"):
        topi.nn.binarize_pack(te.placeholder((2, 33), name="A"))
