"""The accesses of a buffer as a picture for each moment, and in summary.

Reads are circles and writes are squares, so that colour says nothing that shape does not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape

from tewb.workbench.trace.access_trace import AccessTrace, TracedAccess, histogram
from tewb.workbench.views import plain
from tewb.workbench.views.assets import inline_styles

_STYLES = inline_styles("access.css")
_ROWS, _COLUMNS = 32, 48  # of a page: a larger buffer shows the page where something happens
_CELL = 12
_READ, _WRITE, _LINE = "#2f7fd6", "#d9660a", "#d9660a"
_FADING = ((8, 0.55), (64, 0.3), (1 << 62, 0.13))  # up to so many accesses ago: so dark


def columns(trace: AccessTrace) -> int:
    """How many elements stand side by side: a row of the buffer, or lines of 32 for a vector."""
    if len(trace.shape) > 1:
        return max(trace.shape[-1], 1)
    return max(min(trace.shape[0] if trace.shape else 1, 32), 1)


def frame(trace: AccessTrace, time: int) -> str:
    """The buffer at access `time` as SVG: what is touched now, the cache lines that it takes, and what was
    touched before, fading."""
    if not trace.accesses:
        return f"<div>{escape(trace.buffer)} is never touched</div>"
    a = trace.accesses[min(max(time, 0), len(trace) - 1)]
    page = _Page(trace, a.elements[0])
    said = caption(trace, a.time)
    svg = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(said)}" width="{page.width}" height="{page.height}" '
        f'viewBox="-1 -1 {page.width} {page.height}" style="{_STYLES["svg"]}">',
        f"<title>{escape(said)}</title>",
        f'<path d="{page.grid()}" fill="none" stroke="currentColor" stroke-opacity="0.18"/>',
    ]
    for opacity, elements in _before(trace, a.time):
        svg.append(f'<path d="{page.squares(elements, 1)}" fill="currentColor" fill-opacity="{opacity}"/>')
    lines = sorted({trace.line(e) for e in a.elements})
    of_lines = [e for n in lines for e in range(n * trace.line_elements, (n + 1) * trace.line_elements)]
    svg.append(f'<path d="{page.squares(of_lines, 0)}" fill="none" stroke="{_LINE}" stroke-dasharray="3 2"/>')
    now = page.circles(a.elements) if a.kind == "read" else page.squares(a.elements, 2)
    svg.append(f'<path d="{now}" fill="{_READ if a.kind == "read" else _WRITE}"/></svg>')
    return "".join(svg)


def caption(trace: AccessTrace, time: int) -> str:
    """An access as a sentence."""
    a = trace.accesses[time]
    loops = ", ".join(f"{name}={value}" for name, value in a.loops)
    first = trace.first_touch[time]
    words = [f"access {time + 1} of {len(trace)}: {a.kind} {_elements(trace, a)}"]
    if loops:
        words.append(f"at {loops}")
    lines = sorted({trace.line(e) for e in a.elements})
    shown = f"line {lines[0]}" if len(lines) == 1 else f"{len(lines)} lines from {lines[0]}"
    words.append(f"cache {shown}, {_ago(trace.line_distances[first], 'line')}")
    words.append(f"the element {_ago(trace.distances[first], 'element')}")
    return "; ".join(words)


def _elements(trace: AccessTrace, a: TracedAccess) -> str:
    def shown(element: int) -> str:
        return ", ".join(map(str, trace.index(element)))

    if len(a.elements) == 1:
        return f"{trace.buffer}[{shown(a.elements[0])}]"
    return f"{trace.buffer}[{shown(a.elements[0])}] to [{shown(a.elements[-1])}], {len(a.elements)} elements"


def _ago(distance: int | None, what: str) -> str:
    if distance is None:
        return "for the first time"
    return f"again after {distance} other {what}{'' if distance == 1 else 's'}"


def _before(trace: AccessTrace, time: int) -> list[tuple[float, list[int]]]:
    """The elements touched before `time`, in groups that fade."""
    last: dict[int, int] = {}
    for a in trace.accesses[:time]:
        for e in a.elements:
            last[e] = a.time
    groups: list[tuple[float, list[int]]] = [(opacity, []) for _, opacity in _FADING]
    for e, when in last.items():
        at = next(i for i, (most, _) in enumerate(_FADING) if time - when <= most)
        groups[at][1].append(e)
    return [g for g in groups if g[1]]


class _Page:
    """The part of a buffer around an element, as a grid of cells."""

    def __init__(self, trace: AccessTrace, element: int) -> None:
        self.across = columns(trace)
        self.total = max(math.prod(trace.shape), 1)
        rows = -(-self.total // self.across)
        row, column = divmod(element, self.across)
        self.top, self.left = row - row % _ROWS, column - column % _COLUMNS
        self.rows = min(_ROWS, rows - self.top)
        self.columns = min(_COLUMNS, self.across - self.left)
        self.width, self.height = self.columns * _CELL + 2, self.rows * _CELL + 2

    def _corners(self, elements: Iterable[int]) -> Iterable[tuple[int, int]]:
        """The upper left corners of those elements that are on the page."""
        for e in elements:
            row, column = divmod(e, self.across)
            x, y = column - self.left, row - self.top
            if 0 <= x < self.columns and 0 <= y < self.rows and e < self.total:
                yield x * _CELL, y * _CELL

    def squares(self, elements: Iterable[int], margin: int) -> str:
        side = _CELL - 2 * margin
        return "".join(
            f"M{x + margin} {y + margin}h{side}v{side}h-{side}z" for x, y in self._corners(elements)
        )

    def circles(self, elements: Iterable[int]) -> str:
        r = _CELL // 2 - 2
        return "".join(
            f"M{x + 2} {y + _CELL // 2}a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 -{2 * r} 0z"
            for x, y in self._corners(elements)
        )

    def grid(self) -> str:
        right, bottom = self.columns * _CELL, self.rows * _CELL
        across = "".join(f"M0 {y * _CELL}h{right}" for y in range(self.rows + 1))
        return across + "".join(f"M{x * _CELL} 0v{bottom}" for x in range(self.columns + 1))


def summary(trace: AccessTrace) -> str:
    """How soon elements and cache lines are touched again, and what small caches would hold."""
    html = [f"<div>{escape(str(trace))}</div>"]
    for title, distances in (("elements", trace.distances), ("cache lines", trace.line_distances)):
        counts = histogram(distances)
        most = max((n for _, n in counts), default=1)
        rows = [(name, n, "█" * math.ceil(24 * n / most)) for name, n in counts if n]
        html.append(_side_by_side(plain.table((f"other {title} in between", "touches", ""), rows)))
    if trace.accesses:
        rates = [(n, f"{trace.hits(n):.1%}") for n in (1, 2, 4, 8, 16, 64, 512)]
        html.append(_side_by_side(plain.table(("lines in a cache", "touches that it serves"), rates)))
    return "".join(html)


def _side_by_side(table: str) -> str:
    """A table beside the one before, where there is room."""
    return f'<div style="{_STYLES[".beside"]}">{table}</div>'
