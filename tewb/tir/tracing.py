"""Values that are shown to a packed function whenever a kernel computes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tewb.base import ExternError, here
from tewb.ir import Expr, convert
from tewb.runtime import register_func, registered_function
from tewb.tensor import call_packed


def trace(args: Any, trace_action: str = "tvm.default_trace_action") -> Expr:
    """The last of `args`, which are shown to the packed function `trace_action` whenever it is computed.

    What the function returns takes the place of the value, unless it is None. The default one prints its arguments.
    Raises ExternError.
    """
    if not isinstance(args, list | tuple) or not args:
        raise ExternError(
            f"trace takes a list that ends with the value to trace, not {args!r}",
            hint='tir.trace([i, A[i]], "action")',
            span=here(),
        )
    value = convert(args[-1])
    return call_packed(_tracer(trace_action), *args, dtype=str(value.dtype))


def _tracer(action: str) -> str:
    """The name of a packed function that shows its arguments to `action`, which is looked up when it is called."""
    name = f"tewb.trace {action}"

    def show(*args: Any) -> Any:
        f: Callable[..., Any] = (
            _print if action == "tvm.default_trace_action" else registered_function(action)
        )
        answer = f(*args)
        return args[-1] if answer is None else answer

    register_func(name, show, override=True)
    return name


def _print(*args: Any) -> None:
    print(list(args))
