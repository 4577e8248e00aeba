"""The roofline as a drawing: log axes, the roof, and the way that the schedule's point went."""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape
from zlib import crc32

from tewb.workbench.measure.roofline import Point, Roofline
from tewb.workbench.views.assets import asset
from tewb.workbench.views.html import panel

CSS = asset("roofline.css")

WIDTH, HEIGHT = 460, 280
LEFT, RIGHT, TOP, BOTTOM = 50, 14, 14, 40

Scale = Callable[[float], float]


def roofline_panel(r: Roofline) -> str:
    """The roofline as a panel of the workbench."""
    return panel("Roofline", roofline_svg(r), "roofline")


def roofline_svg(r: Roofline) -> str:
    """The roofline as an inline SVG that takes the colours of the theme around it (with `CSS`)."""
    low_x, high_x, low_y, high_y = _limits(r)
    x = log_scale(low_x, high_x, LEFT, WIDTH - RIGHT)
    y = log_scale(low_y, high_y, HEIGHT - BOTTOM, TOP)
    corners = [(low_x, r.peaks.roof(low_x)), (r.peaks.ridge, r.peaks.gflops), (high_x, r.peaks.gflops)]
    shapes = [_grid(x, y, (low_x, high_x, low_y, high_y))]
    shapes.append(f'<polyline class="tw-roof" points="{_path(corners, x, y)}"/>')
    shapes += _roof_labels(r, x, y)
    way = [(p.intensity, p.gflops) for p in r.points]
    if len(way) > 1:
        shapes.append(f'<polyline class="tw-way" points="{_path(way, x, y)}"/>')
    shapes += [_dot(p, x, y, "tw-point", 3) for p in r.points[:-1]]
    shapes += [_dot(p, x, y, kind, 5) for p, kind in ((r.numpy, "tw-numpy"), (r.cold, "tw-cold")) if p]
    if r.newest:
        shapes.append(_dot(r.newest, x, y, "tw-newest", 5.5))
        shapes += _point_labels(r, x, y)
    return svg("Roofline", describe(r), "".join(shapes))


def describe(r: Roofline) -> str:
    """What the drawing shows, in words."""
    p = r.peaks
    threads = "one thread" if p.threads == 1 else f"{p.threads} threads"
    said = f"On {threads} this machine reaches {p.gflops:.3g} GFLOP/s of {p.dtype} and {p.gbytes:.3g} GB/s from memory."
    if r.newest is None:
        return f"{said} No point: {r.note}."
    n = r.newest
    said += f" The newest of {len(r.points)} points ({n.label}) reaches {n.gflops:.3g} GFLOP/s"
    said += f" at {n.intensity:.3g} operations per byte, {r.share or 0:.0%} of the roof."
    if r.numpy:
        said += f" {r.numpy.label}: {r.numpy.gflops:.3g} GFLOP/s."
    return said + (f" With cold caches {r.cold.gflops:.3g} GFLOP/s." if r.cold else "")


def _limits(r: Roofline) -> tuple[float, float, float, float]:
    """The ranges of intensity and GFLOP/s that show the ridge and all points, with room around them."""
    shown = [*r.points, *(p for p in (r.numpy, r.cold) if p)]
    xs = [r.peaks.ridge, *(p.intensity for p in shown)]
    ys = [r.peaks.gflops, r.peaks.gflops / 100, *(p.gflops for p in shown)]
    return min(xs) / 6, max(xs) * 6, min(ys) / 1.5, max(ys) * 2


def _grid(x: Scale, y: Scale, limits: tuple[float, float, float, float]) -> str:
    low_x, high_x, low_y, high_y = limits
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    svg = []
    for v in ticks(low_x, high_x):
        svg.append(f'<line class="tw-grid" x1="{x(v):.1f}" y1="{TOP}" x2="{x(v):.1f}" y2="{bottom}"/>')
        svg.append(f'<text x="{x(v):.1f}" y="{bottom + 13}" text-anchor="middle">{v:g}</text>')
    for v in ticks(low_y, high_y):
        svg.append(f'<line class="tw-grid" x1="{LEFT}" y1="{y(v):.1f}" x2="{right}" y2="{y(v):.1f}"/>')
        svg.append(f'<text x="{LEFT - 4}" y="{y(v) + 4:.1f}" text-anchor="end">{v:g}</text>')
    svg.append(f'<polyline class="tw-axis" points="{LEFT},{TOP} {LEFT},{bottom} {right},{bottom}"/>')
    middle = (LEFT + right) / 2
    svg.append(f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">operations per byte</text>')
    svg.append(
        f'<text transform="translate(12 {(TOP + bottom) / 2}) rotate(-90)" text-anchor="middle">GFLOP/s</text>'
    )
    return "".join(svg)


def _roof_labels(r: Roofline, x: Scale, y: Scale) -> list[str]:
    p = r.peaks
    return [
        f'<text x="{WIDTH - RIGHT - 2}" y="{y(p.gflops) - 5:.1f}" text-anchor="end">{p.gflops:.3g} GFLOP/s</text>',
        # below the slope, where neither it nor the axis is
        f'<text x="{x(p.ridge / 2) + 8:.1f}" y="{y(p.gflops / 2) + 12:.1f}">{p.gbytes:.3g} GB/s</text>',
    ]


def _point_labels(r: Roofline, x: Scale, y: Scale) -> list[str]:
    """What the newest point and numpy's reach, beside them; on different sides, as they are in one line."""
    n = r.newest
    assert n is not None
    svg = [_label(f"{n.gflops:.3g}", x(n.intensity) + 9, y(n.gflops) + 4, "start", "tw-said")]
    if r.numpy:
        svg.append(_label("numpy", x(r.numpy.intensity) - 9, y(r.numpy.gflops) + 4, "end", ""))
    return svg


def _label(text: str, x: float, y: float, anchor: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _dot(p: Point, x: Scale, y: Scale, kind: str, radius: float) -> str:
    said = escape(f"{p.label}: {p.gflops:.3g} GFLOP/s")
    return (
        f'<circle class="{kind}" cx="{x(p.intensity):.1f}" cy="{y(p.gflops):.1f}" r="{radius}">'
        f"<title>{said}</title></circle>"
    )


def _path(points: list[tuple[float, float]], x: Scale, y: Scale) -> str:
    return " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in points)


# ---------------------------------------------------------------- what every plot needs


def svg(title: str, description: str, body: str, height: int = HEIGHT) -> str:
    """An inline SVG with a name and a description for those who do not see it."""
    name = f"tw-{crc32((title + description).encode()):x}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tw-plot" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-labelledby="{name}-title" aria-describedby="{name}-desc">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-desc">{escape(description)}</desc>{body}</svg>'
    )


def log_scale(low: float, high: float, start: float, end: float) -> Scale:
    """The function that takes `low` to `start` and `high` to `end`, by the logarithm."""
    width = math.log(high / low)
    return lambda v: start + (end - start) * math.log(v / low) / width


def ticks(low: float, high: float) -> list[float]:
    """Powers of ten between `low` and `high`; with 2 and 5 between them when there are few."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    wanted = (1,) if math.log10(high / low) > 2.5 else (1, 2, 5)
    # Ten to a negative power is not exact; the text of it is.
    return [v for e in exponents for m in wanted if low <= (v := float(f"{m}e{e}")) <= high]
