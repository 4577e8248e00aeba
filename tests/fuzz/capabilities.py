"""What this tewb has: the fuzzer uses all of it, and asks instead of knowing."""

from __future__ import annotations

import platform
from functools import cache
from typing import Any


@cache
def can_depend() -> bool:
    """Whether the extent of a reduction may depend on the index of the element."""
    import tewb
    from tewb import te
    from tewb.base import TewbError

    def below(i: Any) -> Any:
        k = te.reduce_axis((0, i + 1), name="k")
        return te.sum(A[k], axis=k)

    try:
        A = te.placeholder((4,), name="A")
        B = te.compute((4,), below, name="B")
        tewb.build(te.create_schedule(B.op), [A, B])
    except TewbError:
        return False
    return True


@cache
def pass_options() -> dict[str, object]:
    """The options of a pass context and their defaults."""
    from tewb.base.config import DEFAULTS

    return dict(DEFAULTS)


@cache
def targets() -> tuple[str, ...]:
    """Targets whose code runs on this machine."""
    from tewb.runtime import Target

    wanted = ["llvm"]
    if platform.machine() == "x86_64":
        wanted += [
            "llvm -mcpu=x86-64",
            "llvm -mattr=-avx512f",
            "llvm -mattr=-avx2",
            "llvm -mattr=-avx512vnni,-avxvnni",
        ]
    return tuple(t for t in wanted if Target.of(t).runs_here)
