"""Words of the top level of v0.5."""

from __future__ import annotations

from typing import Any

import tewb
from tewb import te

tvm: Any = tewb


def test_dtypes_were_words_of_the_module() -> None:
    assert (
        te.placeholder((2,), dtype=tvm.float32).dtype == "float32" and te.var("n", tvm.int32).dtype == "int32"
    )
    assert (tvm.int8, tvm.int64, tvm.float64, tvm.handle) == ("int8", "int64", "float64", "handle")
