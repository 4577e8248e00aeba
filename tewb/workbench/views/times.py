"""Times: the table of a measurement, and the plot of time per step of the journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from tewb.runtime import shown
from tewb.workbench.measure.measurement import Measurement, Row
from tewb.workbench.measure.verify import Verdict
from tewb.workbench.session import Session
from tewb.workbench.views.html import panel
from tewb.workbench.views.roofline import BOTTOM, LEFT, RIGHT, TOP, WIDTH, Scale, log_scale, svg, ticks

HEIGHT = 220


# ---------------------------------------------------------------- the table


def times_panel(m: Measurement | None, note: str = "", plots: str = "") -> str:
    """The last measurement, each contestant with its check beside its numbers, and `plots` below.

    No time is shown for a wrong result.
    """
    if m is None:
        text = note or "press Measure to check the result and time the kernel"
        return panel("Measured", f'<span class="tw-dim">{escape(text)}</span>{plots}', "times")
    head = "".join(f"<th>{h}</th>" for h in ("", "result", "median ± spread", "cold", "GFLOP/s", "GB/s"))
    rows = "".join(_row(r) for r in m.rows)
    return panel("Measured", f"<table><tr>{head}</tr>{rows}</table>{_ratios(m, note)}{plots}", "times")


def progress_bar(done: float, what: str) -> str:
    """How far a measurement is (0 to 1), and with what."""
    return (
        f'<progress class="tw-progress" max="1" value="{done:.3f}" aria-label="measuring"></progress>'
        f'<span class="tw-dim">{escape(what)}</span>'
    )


def _row(r: Row) -> str:
    mark, kind = ("✓", "tw-good") if r.ok else ("✗", "tw-bad")
    check = f'<td><span class="{kind}">{mark} {escape(r.check)}</span></td>'
    warm, cold = r.warm, r.cold
    numbers = [
        str(warm or ""),
        shown(cold.median) if cold else "",
        f"{r.gflops:.3g}" if r.gflops else "",
        f"{r.gbytes:.3g}" if r.gbytes else "",
    ]
    cells = "".join(f'<td class="tw-number">{n}</td>' for n in numbers)
    return f"<tr><td>{escape(r.name)}</td>{check}{cells}</tr>"


def _ratios(m: Measurement, note: str) -> str:
    if m.ratio is None:
        return f'<div class="tw-dim">{escape(note)}</div>' if note else ""
    pinned = "" if m.pinned_ratio is None else f" pinned / tewb: <b>{m.pinned_ratio:.2f}</b>"
    said = "; ".join(x for x in (m.threads, note) if x)
    return (
        f'<div>numpy / tewb: <b>{m.ratio:.2f}</b>{pinned} <span class="tw-dim">({escape(said)})</span></div>'
    )


def verdict(v: Verdict) -> str:
    """What the check after an edit found, read aloud when it is bad; it lights up with the step that it names."""
    kind = {True: "tw-good", False: "tw-bad", None: "tw-dim"}[v.ok]
    step = "" if v.step is None else f" tw-s{v.step}"
    role = ' role="alert"' if v.ok is False else ""
    return f'<div class="tw-verdict {kind}{step}"{role}>{escape(str(v))}</div>'


# ---------------------------------------------------------------- the history


@dataclass(frozen=True, slots=True)
class Moment:
    """A measured prefix of the journal: how many steps it has, the last of them, and what was measured."""

    steps: int
    label: str
    measured: Measurement


def history(session: Session) -> list[Moment]:
    """The measurements of the journal and of its prefixes, shortest first."""
    journal, moments = session.journal, []
    for n in range(len(journal) + 1):
        m = session.timings.get(journal[:n])
        if m is not None:
            moments.append(Moment(n, str(journal[n - 1]) if n else "no steps", m))
    return moments


def history_plot(session: Session) -> str:
    """Time for each step of the journal that was measured, with numpy's time as a line, as an inline SVG.

    A wrong result has a cross and no time.
    """
    moments, x = history(session), _steps(session)
    right = [(m, m.measured.kernel.median) for m in moments if m.measured.kernel]
    numpy = [(m, m.measured.numpy.median) for m in moments if m.measured.numpy]
    wrong = _wrong_marks([m for m in moments if not m.measured.ok], x)
    seconds = [t for _, t in (*right, *numpy)]
    if not seconds:
        text = f'<text x="{WIDTH / 2}" y="{HEIGHT / 2}" text-anchor="middle">no times yet</text>'
        return svg("Time per step", _words(moments), text + wrong, HEIGHT)
    low, high = min(seconds) / 1.6, max(seconds) * 1.6
    y = log_scale(low, high, HEIGHT - BOTTOM, TOP)
    shapes = [_grid(session, x, y, low, high)]
    shapes.append(_line("tw-reference", numpy, x, y) + _numpy_label(numpy, y))
    shapes.append(_line("tw-way", right, x, y))
    shapes += [_point(m, x, y, newest=m is moments[-1], low=low) for m, _ in right]
    return svg("Time per step", _words(moments), "".join(shapes) + wrong, HEIGHT)


def _steps(session: Session) -> Scale:
    """Where the state after so many steps stands."""
    last = max(len(session.journal), 1)
    start, end = LEFT + 14, WIDTH - RIGHT - 14
    return lambda n: start + (end - start) * n / last


def _grid(session: Session, x: Scale, y: Scale, low: float, high: float) -> str:
    bottom, right, count = HEIGHT - BOTTOM, WIDTH - RIGHT, len(session.journal)
    svg = []
    for v in ticks(low, high):
        svg.append(f'<line class="tw-grid" x1="{LEFT}" y1="{y(v):.1f}" x2="{right}" y2="{y(v):.1f}"/>')
        svg.append(f'<text x="{LEFT - 4}" y="{y(v) + 4:.1f}" text-anchor="end">{shown(v)}</text>')
    every = count // 20 + 1
    for n in range(0, count + 1, every):
        title = escape(str(session.journal[n - 1]) if n else "no steps")
        svg.append(
            f'<text x="{x(n):.1f}" y="{bottom + 13}" text-anchor="middle">{n}<title>{title}</title></text>'
        )
    svg.append(f'<polyline class="tw-axis" points="{LEFT},{TOP} {LEFT},{bottom} {right},{bottom}"/>')
    svg.append(
        f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 8}" text-anchor="middle">steps of the journal</text>'
    )
    return "".join(svg)


def _line(kind: str, times: Sequence[tuple[Moment, float]], x: Scale, y: Scale) -> str:
    """The times joined; numpy's line goes on to both sides, where its time is the same."""
    points = [(x(m.steps), y(t)) for m, t in times]
    if kind == "tw-reference":
        points = [(LEFT, points[0][1]), *points, (WIDTH - RIGHT, points[-1][1])]
    elif len(points) < 2:
        return ""
    return f'<polyline class="{kind}" points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in points)}"/>'


def _numpy_label(numpy: Sequence[tuple[Moment, float]], y: Scale) -> str:
    last, seconds = numpy[-1]
    said = f"{last.measured.reference} {shown(seconds)}"
    return f'<text x="{WIDTH - RIGHT}" y="{y(seconds) - 5:.1f}" text-anchor="end">{escape(said)}</text>'


def _point(m: Moment, x: Scale, y: Scale, newest: bool, low: float) -> str:
    """The time of a moment, with a bar of its spread."""
    t = m.measured.kernel
    assert t is not None
    at, ends = f"{x(m.steps):.1f}", (max(t.median - t.spread, low), t.median + t.spread)
    bar = f'<line class="tw-bar" x1="{at}" y1="{y(ends[0]):.1f}" x2="{at}" y2="{max(y(ends[1]), TOP):.1f}"/>'
    kind, radius = ("tw-newest", 5) if newest else ("tw-point", 3.5)
    said = escape(f"after step {m.steps}, {m.label}: {t}")
    return f'{bar}<circle class="{kind}" cx="{at}" cy="{y(t.median):.1f}" r="{radius}"><title>{said}</title></circle>'


def _wrong_marks(moments: Sequence[Moment], x: Scale) -> str:
    return "".join(
        f'<text class="tw-wrong" x="{x(m.steps):.1f}" y="{TOP + 10}" text-anchor="middle">✗'
        f"<title>{escape(f'after step {m.steps}, {m.label}: {m.measured.message}')}</title></text>"
        for m in moments
    )


def _words(moments: Sequence[Moment]) -> str:
    """What the plot shows, in words."""
    if not moments:
        return "Nothing measured yet."
    said = []
    for m in moments:
        t = m.measured.kernel
        said.append(f"after {m.steps} steps {'a wrong result' if t is None else shown(t.median)}")
    numpy = moments[-1].measured.numpy
    return f"{'; '.join(said)}.{f' numpy takes {shown(numpy.median)}.' if numpy else ''}".capitalize()
