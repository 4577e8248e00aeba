"""A timeline: the journals that undo and redo walk through."""

from __future__ import annotations

from tewb.schedule import Step

Journal = tuple[Step, ...]


class Timeline:
    """The journal of one branch now, those before it (the last one is next to undo), and those that were
    taken back (the last one is next to redo).

        past: (), a, ab     now: abc     future: abcde, abcd
    """

    def __init__(self, now: Journal) -> None:
        self.now = now
        self.past: list[Journal] = []
        self.future: list[Journal] = []

    def copy(self) -> Timeline:
        """A timeline that can be undone like this one, with nothing to redo."""
        made = Timeline(self.now)
        made.past = list(self.past)
        return made

    def change(self, journal: Journal) -> None:
        """`journal` comes after now, and what was taken back is forgotten."""
        if journal == self.now:
            self.now = journal
            return
        self.past.append(self.now)
        self.now = journal
        self.future.clear()

    def follow(self, journal: Journal) -> bool:
        """Catch up with a journal that was changed elsewhere, step by step where it only grew. Says if it did."""
        before = self.now
        if journal[: len(before)] == before:
            for n in range(len(before) + 1, len(journal)):
                self.change(journal[:n])
        self.change(journal)
        return journal != before

    # ---- walking

    @property
    def before(self) -> Journal | None:
        """What undo leads to: the journal before the last change, or without the last step."""
        if self.past:
            return self.past[-1]
        return self.now[:-1] if self.now else None

    def back(self) -> None:
        """Undo."""
        before = self.before
        assert before is not None
        self.future.append(self.now)
        self.now = before
        del self.past[-1:]

    def forward(self) -> None:
        """Redo."""
        self.past.append(self.now)
        self.now = self.future.pop()

    @property
    def ahead(self) -> Journal:
        """The steps that redo would add one by one, as long as it only adds."""
        found = self.now
        for journal in reversed(self.future):
            if journal[:-1] != found:
                break
            found = journal
        return found[len(self.now) :]

    def jump(self, n: int) -> None:
        """Go to the first `n` steps, of those now and those ahead.

        This is undoing or redoing several times where that leads there, and else a change of its own, which
        undo takes back; redo goes through the steps again in both cases.
        """
        here = len(self.now)
        for _ in range(n - here):
            self.forward()
        if n >= here:
            return
        passed = list(reversed(self.past[-(here - n) :]))
        if all(past == self.now[: here - 1 - i] for i, past in enumerate(passed)):
            for _ in range(here - n):
                self.back()
            return
        self.past.append(self.now)
        self.future += [self.now[:m] for m in range(here, n, -1)]
        self.now = self.now[:n]

    def relabel(self, n: int, step: Step) -> None:
        """Put `step` in place of its equal, the one at index `n` of the journal now, wherever that is the same step."""
        same = self.now[: n + 1]

        def renewed(journal: Journal) -> Journal:
            return (*journal[:n], step, *journal[n + 1 :]) if journal[: n + 1] == same else journal

        self.now = renewed(self.now)
        self.past = [renewed(j) for j in self.past]
        self.future = [renewed(j) for j in self.future]
