"""The pass context: options of lowering and building that hold inside a `with` block.

Keys have the classic names. An unknown key raises, so that a misspelt option never passes silently.
"""

from __future__ import annotations

import contextvars
from collections.abc import Mapping
from types import TracebackType

from tewb.base.errors import TewbError

DEFAULTS: dict[str, object] = {
    "tir.LoopPartition": True,
    "tir.disable_vectorize": False,  # vectorized loops run serially
    "tir.disable_storage_rewrite": False,  # every intermediate keeps memory of its own
    "tir.instrument_bound_checkers": False,  # every access is checked while a kernel runs
    "tewb.checked_externs": False,  # packed functions run on guarded copies that find accesses outside of their tiles
    "tewb.specialise_strides": True,  # symbolic strides get a second body, for those that are 1
    "tewb.object_cache": True,  # machine code is kept on disk, in TEWB_CACHE_DIR or the user's cache directory
    "tewb.build_timeout": 60.0,  # seconds that LLVM may work on one kernel
    "tewb.memory_limit": 8 << 30,  # bytes that the intermediates of one kernel call may take
}

_current: contextvars.ContextVar[PassContext] = contextvars.ContextVar("tewb_pass_context")


class PassContext:
    """Options for the lowering and building that happens inside its `with` block."""

    def __init__(self, opt_level: int = 2, config: Mapping[str, object] | None = None) -> None:
        unknown = set(config or {}) - set(DEFAULTS)
        if unknown:
            raise TewbError(
                f"unknown pass option {sorted(unknown)[0]!r}", hint=f"tewb has {', '.join(sorted(DEFAULTS))}"
            )
        self.opt_level = opt_level
        self.config = {**DEFAULTS, **(config or {})}
        self._tokens: list[contextvars.Token[PassContext]] = []

    def __enter__(self) -> PassContext:
        self._tokens.append(_current.set(self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        _current.reset(self._tokens.pop())

    @staticmethod
    def current() -> PassContext:
        """The innermost context, or one with the defaults."""
        return _current.get(None) or PassContext()


def option(key: str) -> object:
    """The value of one option in the current context."""
    here = _current.get(None)
    return DEFAULTS[key] if here is None else here.config[key]
