"""How a contest is printed: a line for each row, in a terminal or in the README's Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.bench.contest import Result
from tests.bench.harness import shown

WIDE = 32
"""Characters of the name of a row."""


def cell(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"


class Table:
    """Columns: numpy's time, then ratios to it: tewb's, each peer's, and the goal. `one` are the results on one thread,
    which a row on more threads names its scaling by."""

    def __init__(self, threads: int, peers: Sequence[str], one: Sequence[Result] = ()) -> None:
        self.threads, self.peers = threads, list(peers)
        self.alone = {r.row: r.median("tewb") for r in one} if threads > 1 else {}

    def heads(self) -> list[str]:
        count = f"{self.threads} thread{'s' if self.threads > 1 else ''}"
        scaling = ["scaling"] if self.alone else []
        return [count, "numpy", "tewb", "±", *scaling, *self.peers, "best peer", "goal", ""]

    def cells(self, r: Result) -> list[str]:
        numpy, best = r.median("numpy"), r.best_peer()
        spread = f"{r.spread('tewb'):.0%}" if "tewb" in r.seconds else ""
        return [
            r.row,
            shown(numpy) if numpy else "",
            cell(r.ratio("tewb")),
            spread,
            *([self.scaling(r)] if self.alone else []),
            *[cell(r.ratio(p)) for p in self.peers],
            f"{best} {cell(r.ratio(best))}" if best else "",
            # Goals are of one thread.
            cell(r.goal) if self.threads == 1 else "",
            self.mark(r),
        ]

    def scaling(self, r: Result) -> str:
        """tewb's time on one thread in that on these."""
        one, many = self.alone.get(r.row), r.median("tewb")
        return cell(one / many) if one and many else ""

    def mark(self, r: Result) -> str:
        """What tewb lacks in this row."""
        best, own = r.best_peer(), r.ratio("tewb")
        if own is None:
            return "no result"
        other = r.ratio(best) if best else None
        return "behind" if other is not None and own < other else ""

    def lines(self, results: Sequence[Result], head: bool = True) -> Iterator[str]:
        """For a terminal."""
        heads = self.heads()
        widths = [WIDE, 8, 6, 4, *[max(7, len(h)) for h in heads[4:-3]], 16, 5, 9]

        def line(cells: list[str]) -> str:
            return " ".join(
                [f"{cells[0]:<{WIDE}}", *[f"{c:>{w}}" for c, w in zip(cells[1:], widths[1:], strict=True)]]
            )

        if head:
            yield line(heads).rstrip()
        for r in results:
            yield line(self.cells(r)).rstrip()

    def markdown(self, results: Sequence[Result]) -> Iterator[str]:
        """For the README: without the spread, and the best of the row's ratios in bold."""
        heads = self.heads()
        keep = [i for i, h in enumerate(heads) if h not in ("±", "best peer", "")]
        yield f"| {' | '.join(heads[i] for i in keep)} |"
        yield "|" + "---|" * len(keep)
        for r in results:
            cells = self.cells(r)
            best = max(("tewb", *self.peers), key=lambda n: r.ratio(n) or 0.0)
            place = heads.index(best)
            cells[place] = f"**{cells[place]}**" if cells[place] else ""
            yield f"| {' | '.join(cells[i] or '-' for i in keep)} |"
