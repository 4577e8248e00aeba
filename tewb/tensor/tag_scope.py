"""`te.tag_scope`: a tag for the computes that a piece of code makes, as topi's functions do."""

from __future__ import annotations

from contextlib import ContextDecorator
from contextvars import ContextVar, Token
from types import TracebackType

from tewb.base import TewbError, check_given, here

_tag: ContextVar[str] = ContextVar("tag", default="")


class tag_scope(ContextDecorator):
    """Tags the computes that are made inside of it, as a block or as a decorator.

        with te.tag_scope("elemwise"):
            B = te.compute(A.shape, lambda i: A[i] + 1)

        @te.tag_scope(tag="broadcast")
        def double(A): ...

    Scopes do not nest, and a compute in a scope has no tag of its own: TewbError.
    """

    def __init__(self, tag: str) -> None:
        check_given(isinstance(tag, str), "a tag", tag, "text", 'te.tag_scope("elemwise")', TewbError)
        self.tag = tag
        self._tokens: list[Token[str]] = []

    def __enter__(self) -> tag_scope:
        if _tag.get():
            raise TewbError(
                f"the tag scope {self.tag} is inside of {_tag.get()}, and scopes do not nest",
                hint="give the inner computes their tag: te.compute(..., tag=...) outside of the scope",
                span=here(),
            )
        self._tokens.append(_tag.set(self.tag))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        _tag.reset(self._tokens.pop())


def scope_tag(tag: str) -> str:
    """The tag of a compute that is given `tag`: that, or the tag of the scope around."""
    if tag and _tag.get():
        raise TewbError(
            f"the compute has the tag {tag}, and the scope around it gives {_tag.get()}",
            hint="leave out tag=, or move the compute out of the scope",
            span=here(),
        )
    return tag or _tag.get()
