"""What a notebook shows of an error: the lesson and the user's own lines, not the frames of tewb."""

from __future__ import annotations

import linecache
from collections.abc import Callable
from types import TracebackType

from tewb.base.span import Span

Renderer = Callable[[BaseException], list[str]]

_MACHINERY = ("/IPython/", "/ipykernel/")  # what calls the user's code in a notebook
_MOST = 3  # lines of the user's code: the first, and the innermost


def compact(error: BaseException, span: Span | None = None) -> list[str]:
    """The lines that explain `error`: its message, then each of the user's lines that led to it, marked.

    ScheduleError: split on stage C: axis i was already split into i.outer and i.inner
      loops now: i.outer(4), i.inner(8), j(32)
      hint: split i.outer or i.inner instead

    cell 6, line 4
          3 | xo, xi = s[C].split("i", 8)
    ----> 4 | s[C].split("i", 4)
    """
    message = str(error)
    if span is not None:
        message = message.removesuffix(f"\n  at {span}")
    lines = [f"{type(error).__name__}: {message}"]
    user_spans = user_lines(error.__traceback__)
    if span is not None and span not in user_spans:
        user_spans.append(span)
    if len(user_spans) > _MOST:
        user_spans = [user_spans[0], *user_spans[1 - _MOST :]]
    for user_span in user_spans:
        lines += ["", str(user_span), *_excerpt(user_span)]
    cause = error.__cause__
    if cause is not None and str(cause) not in message:
        lines += ["", f"because of {type(cause).__name__}: {cause}"]
    return lines


def user_lines(tb: TracebackType | None) -> list[Span]:
    """The lines of a traceback that are neither tewb's nor the notebook's machinery, outermost first."""
    spans: list[Span] = []
    while tb is not None:
        span = Span(tb.tb_frame.f_code.co_filename, tb.tb_lineno)
        if not span.is_ours and not any(folder in span.file for folder in _MACHINERY) and not _is_magic(span):
            spans.append(span)
        tb = tb.tb_next
    return spans


def _is_magic(span: Span) -> bool:
    """Whether a line is the call into which IPython turned a magic, not what the user wrote."""
    return linecache.getline(span.file, span.line).startswith("get_ipython().run_")


def _excerpt(span: Span) -> list[str]:
    """The user's line, marked, with the one before it; both are numbered."""
    shown = []
    for number in (span.line - 1, span.line):
        text = linecache.getline(span.file, number).rstrip() if number > 0 else ""
        if text.strip():
            mark = "---->" if number == span.line else "     "
            shown.append(f"{mark} {number} | {text}")
    return shown


_renderer: list[Renderer] = []


def render(error: BaseException, span: Span | None) -> list[str]:
    """`error` as it is to be shown: compact, unless `render_with` chose another form."""
    return _renderer[-1](error) if _renderer else compact(error, span)


def render_with(renderer: Renderer | None) -> None:
    """Show errors by `renderer` from now on; None makes them compact again."""
    _renderer[:] = [] if renderer is None else [renderer]
