"""Every error that tewb raises.

TewbError (RuntimeError)          a mistake in the program that tewb was given
+-- DTypeError                    dtypes that do not go together
+-- ExpressionError               Python that needs a number, and an expression has none yet
|   +-- TruthError                `if`, `and`, `or`, `not` of an expression (a ValueError too, as in classic TE)
+-- MemberError                   a name that an object does not have, and another has
+-- ShapeError                    ranks, extents or shapes that do not go together
+-- ScheduleError                 a primitive that cannot be applied
|   +-- CallError                 a primitive that was called with too few arguments, or others (a TypeError too)
+-- BoundError                    an extent or a region that cannot be determined, or an access outside of one
+-- LowerError                    a schedule that cannot be turned into loops
+-- CodegenError                  IR that cannot become machine code
+-- ArgumentError                 arrays that a kernel cannot take
|   +-- NameNotFoundError         a function that a module does not have
+-- BlockError                    a program that cannot be cut into blocks
+-- ExternError                   extern declarations and packed functions
+-- HybridError                   Python that is outside the hybrid subset
+-- ParseError                    text that is not IR, or not a schedule
InternalError (RuntimeError)      a promise of ours that did not hold: a bug in tewb
TewbWarning (UserWarning)         something that works, but not as well as it could
"""

from __future__ import annotations

from tewb.base.span import Span, here
from tewb.base.traceback import render


class TewbError(RuntimeError):
    """A small lesson: what was asked, why it cannot be, the loops as they are now, a hint, the user's line."""

    def __init__(
        self, message: str, *, loops: str | None = None, hint: str | None = None, span: Span | None = None
    ) -> None:
        self.message, self.loops, self.hint, self.span = message, loops, hint, span
        super().__init__(message, loops, hint, span)

    def __str__(self) -> str:
        lines = [self.message]
        if self.loops:
            lines.append(f"  loops now: {self.loops}")
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        if self.span:
            lines.append(f"  at {self.span}")
        return "\n".join(lines)

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a traceback."""
        return render(self, self.span)

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.message, self.loops, self.hint, self.span))


def _rebuild(
    cls: type[TewbError], message: str, loops: str | None, hint: str | None, span: Span | None
) -> TewbError:
    return cls(message, loops=loops, hint=hint, span=span)


class _WhereItWasSaid(TewbError):
    """An error of what a line says, wherever it is noticed: its span is the user's line."""

    def __init__(
        self, message: str, *, loops: str | None = None, hint: str | None = None, span: Span | None = None
    ) -> None:
        super().__init__(message, loops=loops, hint=hint, span=span or here())


class DTypeError(_WhereItWasSaid, TypeError):
    """Dtypes that do not go together."""


class ExpressionError(_WhereItWasSaid, TypeError):
    """Python that needs a number, and an expression has none yet."""


class MemberError(_WhereItWasSaid, AttributeError):
    """A name that an object does not have, and another has."""


class TruthError(ExpressionError, ValueError):
    """Python that asks whether an expression holds, and that is known in a kernel only."""


class ShapeError(TewbError, ValueError):
    """Ranks, extents or shapes that do not go together."""


class ScheduleError(TewbError):
    """A primitive that cannot be applied."""


class CallError(ScheduleError, TypeError):
    """A primitive that was called with too few arguments, or with others than it has."""


class BoundError(TewbError):
    """An extent or a region that cannot be determined, or an access outside of one."""


class LowerError(TewbError):
    """A schedule that cannot be turned into loops."""


class CodegenError(TewbError):
    """IR that cannot become machine code."""


class ArgumentError(TewbError, ValueError):
    """Arrays that a kernel cannot take."""


class NameNotFoundError(ArgumentError, AttributeError):
    """A function that a module does not have."""


class BlockError(TewbError):
    """A program that cannot be cut into blocks."""


class ExternError(TewbError):
    """Extern declarations and packed functions."""


class HybridError(TewbError):
    """Python that is outside the hybrid subset."""


class ParseError(TewbError):
    """Text that is not IR, or not a schedule."""


class InternalError(RuntimeError):
    """A promise of ours that did not hold; the message says which. Please report it."""


class TewbWarning(UserWarning):
    """Something that works, but not as well as it could."""
