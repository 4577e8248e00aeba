"""The allocation ledger as HTML: the account of every stage, the budget, and what externs touch, drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from tewb.workbench.judge.ledger import Check, Entry, ExternBoxes, Touched
from tewb.workbench.views.html import panel


def ledger(entries: Sequence[Entry], checks: Sequence[Check] = ()) -> str:
    """The panel of the ledger, with the budget below it."""
    head = "".join(
        f"<th>{t}</th>"
        for t in ("stage", "needed B", "allocated B", "declared B", "fits", "scope", "computed", "calls", "lifetime")
    )  # fmt: skip
    rows = "".join(_row(e) for e in entries)
    return panel("Ledger", f"<table><tr>{head}</tr>{rows}</table>{budget(checks)}", "ledger")


def _row(e: Entry) -> str:
    more = e.allocated.bytes is not None and e.needed.bytes is not None and e.allocated.bytes > e.needed.bytes
    computed = "?" if e.recompute is None else f"{e.recompute:.3g} times"
    calls = "?" if e.calls is None else str(e.calls) if e.calls else ""
    numbers = [str(e.needed), str(e.allocated), str(e.declared)]
    cells = [
        f'<td class="tw-number{" tw-bad" if more and n == 1 else ""}">{escape(t)}</td>'
        for n, t in enumerate(numbers)
    ]
    step = "" if e.step is None else f' class="tw-s{e.step}"'
    return (
        f"<tr{step}><td>{escape(e.stage)}</td>{''.join(cells)}<td>{e.cache or '?'}</td><td>{e.scope}</td>"
        f'<td class="tw-number">{computed}</td><td class="tw-number">{calls}</td><td>{escape(e.lifetime)}</td></tr>'
    )


def budget(checks: Sequence[Check]) -> str:
    """The lines of the budget; one that does not hold is red."""
    kinds = {True: ("tw-good", "✓"), False: ("tw-bad", "✗"), None: ("tw-dim", "?")}
    rows = "".join(f'<li class="{kinds[c.ok][0]}">{kinds[c.ok][1]} {escape(str(c))}</li>' for c in checks)
    return f'<ul class="tw-checks">{rows}</ul>' if rows else ""


# ---------------------------------------------------------------- what externs touch


def boxes(externs: Sequence[ExternBoxes]) -> str:
    """The panel of what every extern touches, drawn on its tensors."""
    body = "".join(_extern(x) for x in externs) or '<span class="tw-dim">none</span>'
    return panel("What externs touch", body, "boxes")


def _extern(x: ExternBoxes) -> str:
    calls = "an unknown number of calls" if x.calls is None else f"{x.calls} call{'s' * (x.calls != 1)}"
    figures = "".join(
        f"<figure>{_drawn(t)}<figcaption>{_caption(t)}</figcaption></figure>" for t in x.touched
    )
    step = "" if x.step is None else f' class="tw-s{x.step}"'
    return (
        f"<div{step}><b>{escape(x.stage)}</b> {x.effect}, {calls}</div><div class='tw-boxes'>{figures}</div>"
    )


def _caption(t: Touched) -> str:
    verb = "writes" if t.writes else "reads"
    return (
        f"{verb} <b>{escape(t.tensor)}</b>[{escape(', '.join(t.box))}]<br>"
        f'<span class="tw-dim">of ({escape(", ".join(t.shape))}), strides ({escape(", ".join(t.strides))})</span>'
    )


WIDTH, HEIGHT, MOST_PLANES = 180.0, 120.0, 6


def _drawn(t: Touched) -> str:
    """A tensor with the boxes of its calls, the first one stronger. The last two dimensions are a plane;
    planes of the leading dimensions stand below each other."""
    if not t.sizes or 0 in t.sizes:
        return ""
    leading = t.sizes[:-2]
    planes = min(math.prod(leading), MOST_PLANES)
    rows, columns = (t.sizes[-2] if len(t.sizes) > 1 else 1), t.sizes[-1]
    height = max(min(HEIGHT / planes, WIDTH * rows / columns), 8.0)
    across, down = WIDTH / columns, height / rows
    shapes = []
    for p in range(planes):
        top = p * (height + 4) + 1
        shapes.append(_rect(0, top, WIDTH, height, ""))
        for i, tile in enumerate(t.tiles):
            if not _in_plane(p, leading, tile[:-2]):
                continue
            (y, h), (x, w) = tile[-2] if len(tile) > 1 else (0, 1), tile[-1]
            kind = ("tw-writes" if t.writes else "tw-reads") + (" tw-first" if i == 0 else "")
            shapes.append(_rect(x * across, top + y * down, w * across, h * down, kind))
    total = planes * (height + 4) + 2
    said = f"{t.tensor}: box {', '.join(t.box)}"
    return (
        f'<svg role="img" aria-label="{escape(said)}" width="{WIDTH + 2:g}" height="{total:g}" '
        f'viewBox="-1 0 {WIDTH + 2:g} {total:g}">{"".join(shapes)}</svg>'
    )


def _in_plane(p: int, leading: Sequence[int], box: Sequence[tuple[int, int]]) -> bool:
    """Whether a box has elements in plane number `p` of the leading dimensions."""
    for n, (first, extent) in reversed(list(zip(leading, box, strict=True))):
        p, at = divmod(p, n)
        if not first <= at < first + extent:
            return False
    return True


def _rect(x: float, y: float, w: float, h: float, kind: str) -> str:
    name = f' class="{kind}"' if kind else ""
    return f'<rect{name} x="{x:.4g}" y="{y:.4g}" width="{w:.4g}" height="{h:.4g}"/>'
