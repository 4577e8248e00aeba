"""Numbers on numpy with the dtypes that they have in a compiled function, for the ways to run without compiling.

numpy's own conversions differ: a number of Python takes the dtype of what it meets, and uint8 with int8 is int16.
Here they are those of expressions: 5 is an int32, 0.5 a float32, and operands get their common dtype.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tewb.arith import converted
from tewb.base import BOOL, INT32, DType
from tewb.ir import ops


def cast_array(x: Any, dtype: str) -> Any:
    """`x` converted as in a kernel: integers wrap, floats lose their fraction."""
    with np.errstate(all="ignore"):
        return converted(x, dtype)[()]


def typed(value: Any) -> Any:
    """A number as a value of the dtype that it has when it is compiled."""
    if _is_typed(value):
        return value
    return cast_array(value, str(ops.convert(value).dtype))


def matched(*values: Any, count_booleans: bool = False) -> tuple[Any, ...]:
    """Numbers, elements or slices in their common dtype. Those that are all known when the function is compiled are
    Python's, and stay as they are. With `count_booleans` two booleans are counted, as in arithmetic."""
    if not any(map(_is_typed, values)):
        return values
    dtypes = [DType(typed(v).dtype.name) for v in values]
    common = dtypes[0]
    for d in dtypes[1:]:
        common = common if d is common else ops.common_dtype(common, d)
    if common is BOOL and count_booleans:
        common = INT32
    return tuple(
        v if d is common and _is_typed(v) else cast_array(v, common)
        for v, d in zip(values, dtypes, strict=True)
    )


def beside(value: Any, other: int | float) -> Any:
    """The side of `x if c else 1` that was chosen, in the dtype that it has beside the number on the other side."""
    return matched(value, other)[0] if _is_typed(value) else value


def _is_typed(value: Any) -> bool:
    return isinstance(value, np.generic | np.ndarray)
