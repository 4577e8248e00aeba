"""A function from tensors alone, without a schedule."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tewb.base import LowerError, here
from tewb.ir import PrimFunc, Var
from tewb.lowering.lower import FROM_SCHEDULE, lower_schedule
from tewb.schedule import create_schedule
from tewb.tensor import Tensor


def create_prim_func(ops: Any, index_dtype_override: str | None = None) -> PrimFunc:
    """The function whose parameters are `ops`: tensors, and variables that are no sizes of them. It computes those that
    have inputs, in plain loops, and is built as it is:

        matmul = te.create_prim_func([A, B, C])
        tewb.build(matmul)(a, b, c)

    Its indices are int64 where they need it, whatever `index_dtype_override` says, which classic programs pass. Raises
    LowerError.
    """
    args = [ops] if isinstance(ops, Tensor) or not isinstance(ops, Iterable) else list(ops)
    wrong = [a for a in args if not isinstance(a, Tensor | Var)]
    if wrong:
        raise LowerError(
            f"create_prim_func takes tensors and variables, not {wrong[0]!r}",
            hint="te.create_prim_func([A, B, C])",
            span=here(),
        )
    if index_dtype_override not in (None, "int32", "int64"):
        raise LowerError(
            f"index_dtype_override is int32 or int64, not {index_dtype_override!r}",
            hint="leave it out: indices are int64 where they need it",
            span=here(),
        )
    outputs = list(dict.fromkeys(a.op for a in args if isinstance(a, Tensor) and not a.is_input))
    if not outputs:
        raise LowerError(
            "create_prim_func has nothing to compute: all tensors are inputs",
            hint="te.create_prim_func([A, B, C]) with a C that is computed",
            span=here(),
        )
    return lower_schedule(create_schedule(outputs), args)["main"].without_attr(FROM_SCHEDULE)
