"""Which schedule a target has, and a program run beside numpy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tewb.driver import build
from tewb.runtime import Target
from tewb.topi import generic, nn, x86


def dispatch(target: Any, dispatch_map: Mapping[str, Any]) -> Any:
    """The entry of the first key of the target that the map has, or the one for "generic"."""
    keys = getattr(target, "keys", None)
    if keys is None:  # a text, or a target that has no keys of its own
        Target.of(target)
        keys = ("cpu",)
    for key in keys() if callable(keys) else keys:
        if key in dispatch_map:
            return dispatch_map[key]
    return dispatch_map["generic"]


def get_injective_schedule(target: Any) -> Callable[..., Any]:
    """The schedule of injective operators."""
    schedule: Callable[..., Any] = dispatch(
        target, {"generic": generic.schedule_injective, "cpu": x86.schedule_injective}
    )
    return schedule


get_elemwise_schedule = get_broadcast_schedule = get_injective_schedule


def get_reduce_schedule(target: Any) -> Callable[..., Any]:
    """The schedule of reductions."""
    schedule: Callable[..., Any] = dispatch(
        target, {"generic": generic.schedule_reduce, "cpu": x86.schedule_reduce}
    )
    return schedule


def get_conv2d_nchw_implement(target: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The operator conv2d_nchw and its schedule."""
    implementation: tuple[Callable[..., Any], Callable[..., Any]] = dispatch(
        target,
        {
            "generic": (nn.conv2d_nchw, generic.schedule_conv2d_nchw),
            "cpu": (x86.conv2d_nchw, x86.schedule_conv2d_nchw),
        },
    )
    return implementation


def compare_numpy_tvm(
    inputs: list[Any], output: Any, target: Any, device: Any, compute: Any, schedule: Any
) -> None:
    """Run `compute`, given as tensors, on the arrays `inputs`, the last of which is the output that is filled, and compare it
    with `output`. Raises AssertionError where they differ."""
    s = schedule([compute[-1]])
    kernel = build(s, list(compute), target)
    arrays = [np.ascontiguousarray(x) for x in inputs]
    kernel(*arrays)
    np.testing.assert_allclose(arrays[-1], output, rtol=1e-3, atol=1e-3)
