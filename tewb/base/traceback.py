"""What a notebook shows of an error: the lesson and the user's own lines, not the way through tewb."""

from __future__ import annotations

import linecache
from collections.abc import Callable
from types import TracebackType

from tewb.base.span import Span

Renderer = Callable[[BaseException], list[str]]

_MACHINERY = ("/IPython/", "/ipykernel/")  # what calls the user's code in a notebook
_MOST = 3  # places in the user's code: the cell, and the innermost


def compact(error: BaseException, span: Span | None = None) -> list[str]:
    """The lines that tell `error`: its message, then each line of the user's that led to it, marked.

    ScheduleError: split on stage C: axis i was already split into i.outer and i.inner
      loops now: i.outer(4), i.inner(8), j(32)
      hint: split i.outer or i.inner instead

    cell 6, line 4
          3 | xo, xi = s[C].split("i", 8)
    ----> 4 | s[C].split("i", 4)
    """
    told = str(error)
    if span is not None:
        told = told.removesuffix(f"\n  at {span}")
    lines = [f"{type(error).__name__}: {told}"]
    places = user_lines(error.__traceback__)
    if span is not None and span not in places:
        places.append(span)
    if len(places) > _MOST:
        places = [places[0], *places[1 - _MOST :]]
    for place in places:
        lines += ["", str(place), *_excerpt(place)]
    cause = error.__cause__
    if cause is not None and str(cause) not in told:
        lines += ["", f"because of {type(cause).__name__}: {cause}"]
    return lines


def user_lines(tb: TracebackType | None) -> list[Span]:
    """The lines of a traceback that are neither tewb's nor the notebook's machinery, outermost first."""
    found: list[Span] = []
    while tb is not None:
        place = Span(tb.tb_frame.f_code.co_filename, tb.tb_lineno)
        if not place.is_ours and not any(part in place.file for part in _MACHINERY) and not _is_magic(place):
            found.append(place)
        tb = tb.tb_next
    return found


def _is_magic(place: Span) -> bool:
    """Whether a line is the call that IPython makes of a magic: not what the user wrote."""
    return linecache.getline(place.file, place.line).startswith("get_ipython().run_")


def _excerpt(place: Span) -> list[str]:
    """A line of the user's with the one before it, numbered; the line itself is marked."""
    shown = []
    for number in (place.line - 1, place.line):
        text = linecache.getline(place.file, number).rstrip() if number > 0 else ""
        if text.strip():
            mark = "---->" if number == place.line else "     "
            shown.append(f"{mark} {number} | {text}")
    return shown


_renderer: list[Renderer] = []


def render(error: BaseException, span: Span | None) -> list[str]:
    """`error` as it is shown now: compact, unless something else was asked for."""
    return _renderer[-1](error) if _renderer else compact(error, span)


def render_with(renderer: Renderer | None) -> None:
    """Show errors by `renderer` from now on; None makes them compact again."""
    _renderer[:] = [] if renderer is None else [renderer]
