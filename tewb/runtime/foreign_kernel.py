"""Foreign kernels: code for another machine, to look at."""

from __future__ import annotations

from typing import Any, NoReturn, Self

from tewb.base import ArgumentError
from tewb.runtime.abi import KernelSignature
from tewb.runtime.kernel import Kernel
from tewb.runtime.target import Target


class ForeignKernel(Kernel):
    """A function compiled for a target that this machine is not: it has code, and cannot be called.

    `get_source("asm")` is its assembly; `code` shows all that it was made from.
    """

    def __new__(cls, *args: Any) -> Self:
        return object.__new__(cls)  # without the entry of machine code that kernels have

    def __init__(self, signature: KernelSignature, code: Any, target: Target) -> None:
        self.name, self.signature, self.code, self.target = signature.name, signature, code, target

    def __call__(self, *args: Any, **keywords: Any) -> NoReturn:
        """Raises ArgumentError."""
        own = Target.host()
        raise ArgumentError(
            f"kernel {self.name} is made for {self.target}, and this machine is {own.cpu} ({own.triple}):"
            f" {self.target.why_not_here}",
            hint='get_source("asm") shows its code; build without a target to call it',
        )

    run = time = time_evaluator = __call__

    def __repr__(self) -> str:
        return f"ForeignKernel({self.name} for {self.target})"
