"""How a contest is printed: a line for each row, in a terminal or in the README's Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.bench.contest import Result
from tests.bench.harness import shown

LEVEL = 0.98  # of the best peer: runs differ by that much


def cell(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"


class Table:
    """Columns: numpy's time, then ratios to it: tewb's, each peer's, and the goal. `wide` are the characters of
    the longest name; `one` the results on one thread, which more threads are compared with."""

    def __init__(self, threads: int, peers: Sequence[str], wide: int, one: Sequence[Result] = ()) -> None:
        self.threads, self.peers = threads, list(peers)
        self.alone = {r.row: r.median("tewb") for r in one} if threads > 1 else {}
        count = f"{threads} thread{'s' if threads > 1 else ''}"
        scaling = ["scaling"] if self.alone else []
        goal = ["goal"] if threads == 1 else []  # goals are of one thread
        self.heads = [count, "numpy", "tewb", "±", *scaling, *self.peers, "best peer", *goal, ""]
        known = {"numpy": 8, "tewb": 6, "±": 4, "best peer": 14, "goal": 5, "": 9}
        self.widths = [wide, *[known.get(h, max(7, len(h))) for h in self.heads[1:]]]

    def cells(self, r: Result) -> list[str]:
        numpy, best = r.median("numpy"), r.best_peer()
        return [
            r.row,
            shown(numpy) if numpy else "",
            cell(r.ratio("tewb")),
            f"{r.spread('tewb'):.0%}" if "tewb" in r.seconds else "",
            *([self.scaling(r)] if self.alone else []),
            *[cell(r.ratio(p)) for p in self.peers],
            f"{best} {cell(r.ratio(best))}" if best else "",
            *([cell(r.goal)] if self.threads == 1 else []),
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
        return "behind" if other is not None and own < LEVEL * other else ""

    def head(self) -> str:
        return self._text(self.heads)

    def line(self, r: Result) -> str:
        return self._text(self.cells(r))

    def _text(self, cells: list[str]) -> str:
        """For a terminal."""
        name, *numbers = zip(cells, self.widths, strict=True)
        return " ".join([f"{name[0]:<{name[1]}}", *[f"{c:>{w}}" for c, w in numbers]]).rstrip()

    def markdown(self, results: Sequence[Result]) -> Iterator[str]:
        """For the README: without the spread, and the best of the row's ratios in bold."""
        keep = [i for i, h in enumerate(self.heads) if h not in ("±", "best peer", "")]
        yield f"| {' | '.join(self.heads[i] for i in keep)} |"
        yield "|" + "---|" * len(keep)
        for r in results:
            cells = self.cells(r)
            place = self.heads.index(max(("tewb", *self.peers), key=lambda n: r.ratio(n) or 0.0))
            cells[place] = f"**{cells[place]}**" if cells[place] else ""
            yield f"| {' | '.join(cells[i] or '-' for i in keep)} |"
