"""Derivatives compared with differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np


def check_numerical_grads(
    function: Callable[..., Any],
    input_values: Sequence[Any] | Mapping[str, Any],
    grad_values: Sequence[Any] | Mapping[str, Any],
    function_value: Any = None,
    delta: float = 1e-3,
    atol: float = 1e-2,
    rtol: float = 0.1,
) -> None:
    """Compare `grad_values`, the derivatives of `function` by its inputs, with central differences of `delta`.

    `function` takes numpy arrays, by position or, of a dict, by name, and returns a number: `function_value` at
    `input_values`, which need not be given. For each input the distance may be `atol` times the root of the number of
    elements, and `rtol` times the length of the derivative. Raises AssertionError for a larger one, ValueError for
    infinity or NaN.
    """
    by_name = isinstance(input_values, Mapping)
    items = input_values.items() if isinstance(input_values, Mapping) else enumerate(input_values)
    values = {name: np.array(x) for name, x in items}
    grads = grad_values if isinstance(grad_values, Mapping) else dict(enumerate(grad_values))

    def at(changed: dict[Any, Any]) -> Any:
        return function(**changed) if by_name else function(*changed.values())

    if function_value is None:
        function_value = at(values)
    if np.asarray(function_value).size != 1:
        raise ValueError(f"function returns one number, and not an array of {np.shape(function_value)}")
    for name, grad in grads.items():
        given = np.asarray(grad, "float64")
        if given.shape != values[name].shape:
            raise AssertionError(
                f"the derivative by {name!r} has shape {given.shape}, and the input {values[name].shape}"
            )
        _compare(name, given, _differences(at, values, name, delta), atol, rtol)


def _differences(at: Callable[[dict[Any, Any]], Any], values: dict[Any, Any], name: Any, delta: float) -> Any:
    """The derivative of a function of `values` by one of them."""
    x = values[name]
    result = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        ends, steps = [], []
        for step in (delta, -delta):
            moved = x.copy()
            moved[place] = moved[place] + step
            steps.append(float(moved[place]))
            ends.append(float(np.asarray(at({**values, name: moved})).reshape(())))
        result[place] = (ends[0] - ends[1]) / (steps[0] - steps[1])  # the step that the dtype has made
    return result


def _compare(name: Any, given: Any, numerical: Any, atol: float, rtol: float) -> None:
    distance, length = np.linalg.norm(given - numerical), np.linalg.norm(given)
    if not np.isfinite(distance) or not np.isfinite(length):
        raise ValueError(f"infinity or NaN in the derivative by {name!r}")
    if distance > atol * np.sqrt(given.size) + rtol * length:
        worst = np.unravel_index(np.argmax(abs(given - numerical)), given.shape)
        raise AssertionError(
            f"the derivative by {name!r} differs from differences by {distance:.3g}, where it has the length "
            f"{length:.3g}; most at {tuple(int(n) for n in worst)}: {given[worst]:.6g}, and {numerical[worst]:.6g} by "
            "differences"
        )
