"""The arguments of a call in the order of the parameters, and the refusal of one by its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tewb.base import ArgumentError
from tewb.runtime.abi import ParamSpec


def in_order(
    kernel: str, params: Sequence[ParamSpec], args: Sequence[Any], keywords: Mapping[str, Any]
) -> list[Any]:
    listed = ", ".join(p.name for p in params)
    if len(args) > len(params):
        raise ArgumentError(
            f"kernel {kernel} takes {len(params)} arguments ({listed}) and was given {len(args)}",
            hint="give them in this order, outputs too",
        )
    by_index = dict(enumerate(args))
    for key, value in keywords.items():
        index = position_of(kernel, params, key)
        if index in by_index:
            raise refusal(f"kernel {kernel}: {key} is given twice", params[index])
        by_index[index] = value
    missing = [p for i, p in enumerate(params) if i not in by_index]
    if missing:
        raise refusal(
            f"kernel {kernel} takes {len(params)} arguments ({listed}); missing: {', '.join(p.name for p in missing)}",
            *missing,
        )
    return [by_index[i] for i in range(len(params))]


def position_of(kernel: str, params: Sequence[ParamSpec], key: str) -> int:
    """The index of the parameter that is called `key`."""
    indices = [i for i, p in enumerate(params) if p.name == key]
    if not indices:
        raise ArgumentError(
            f"kernel {kernel} has no parameter {key}", hint=f"it has {', '.join(p.name for p in params)}"
        )
    if len(indices) > 1:
        raise refusal(
            f"kernel {kernel} has {len(indices)} parameters {key}, and {key}=... may be any of them",
            *(params[i] for i in indices),
            hint="pass all arguments by position",
        )
    return indices[0]


def refusal(reason: str, *about: ParamSpec, hint: str | None = None) -> ArgumentError:
    """An error about some of the arguments. It gives their positions, since names may repeat."""
    positions = ", and ".join(dict.fromkeys(p.place for p in sorted(about, key=lambda p: p.position)))
    return ArgumentError(f"{reason}\n  at {positions}", hint=hint)
