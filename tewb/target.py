"""`target`: the processors that code is made for, by the classic names."""

from __future__ import annotations

from tewb.base import CodegenError, here
from tewb.runtime import Target as _Target


def create(target: _Target | str | None = None, host: _Target | str | None = None) -> _Target:
    """The target that a text describes: Target("llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-v1").

    `host` is the processor that calls the code. Here it is the one that runs it, so it is the same target.
    """
    chosen = _Target.of(target)
    if host is not None and _Target.of(host) != chosen:
        raise CodegenError(
            f"the host, {host}, is not the target, {target}: code runs on the processor that calls it",
            hint="leave host out",
            span=here(),
        )
    return chosen


Target = create

__all__ = ["Target", "create"]
