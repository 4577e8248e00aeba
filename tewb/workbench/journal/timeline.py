"""A timeline: the journals that undo and redo walk through."""

from __future__ import annotations

from tewb.schedule import Step, ends_of, same_calls

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
        copied = Timeline(self.now)
        copied.past = list(self.past)
        return copied

    def change(self, journal: Journal) -> None:
        """`journal` comes after now, and what was taken back is forgotten."""
        if journal == self.now and same_calls(journal, self.now):
            self.now = journal
            return
        self.past.append(self.now)
        self.now = journal
        self.future.clear()

    def follow(self, journal: Journal) -> bool:
        """Catch up with a journal that was changed elsewhere, step by step (and recipe by recipe) where it only grew.
        Returns whether it changed, be it only in words, or in the recipes that made the steps."""
        before = self.now
        if journal[: len(before)] == before:
            for n in ends_of(journal):
                if n > len(before):
                    self.change(journal[:n])
        self.change(journal)
        if journal != before:
            return True
        said = [n for n, step in enumerate(journal) if _words(step) != _words(before[n])]
        for n in said:
            self.relabel(n, journal[n])
        return bool(said) or not same_calls(journal, before)

    # ---- walking

    @property
    def before(self) -> Journal | None:
        """What undo leads to: the journal before the last change, or without the last step or recipe."""
        if self.past:
            return self.past[-1]
        return self.now[: ([0, *ends_of(self.now)])[-2]] if self.now else None

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
        """The steps that redo would add, one or a recipe at a time, as long as it only adds."""
        reached = self.now
        for journal in reversed(self.future):
            added = journal[len(reached) :]
            if journal[: len(reached)] != reached or len(ends_of(added)) != 1:
                break
            reached = journal
        return reached[len(self.now) :]

    def jump(self, n: int) -> None:
        """Go to the first `n` steps, of those now and those ahead.

        This is undoing or redoing several times where that leads there, and else a change of its own, which
        undo takes back; redo goes through the steps again in both cases.
        """
        here = len(self.now)
        if n >= here:
            self._forward_to(n)
            return
        if self._is_undone_to(n):
            while len(self.now) > n:
                self.back()
            return
        self.past.append(self.now)
        self.future += [self.now[:m] for m in reversed(ends_of(self.now)) if m > n]
        self.now = self.now[:n]

    def _is_undone_to(self, n: int) -> bool:
        """Whether undoing, which takes steps away each time, leads to the first `n` of the steps now."""
        length = len(self.now)
        for past in reversed(self.past):
            if len(past) >= length or past != self.now[: len(past)]:
                return False
            length = len(past)
            if length <= n:
                return length == n
        return False

    def _forward_to(self, n: int) -> None:
        """Redo until there are `n` steps: where that is inside of a recipe, redo goes on with the rest of it."""
        while len(self.now) < n:
            if len(self.future[-1]) > n:
                self.past.append(self.now)
                self.now = self.future[-1][:n]
            else:
                self.forward()

    def relabel(self, n: int, step: Step) -> None:
        """Put `step` in place of its equal, the one at index `n` of the journal now, wherever that is the same step."""
        same = self.now[: n + 1]

        def renewed(journal: Journal) -> Journal:
            return (*journal[:n], step, *journal[n + 1 :]) if journal[: n + 1] == same else journal

        self.now = renewed(self.now)
        self.past = [renewed(j) for j in self.past]
        self.future = [renewed(j) for j in self.future]


def _words(step: object) -> tuple[str, str]:
    """A person's own words about a step."""
    return getattr(step, "name", ""), getattr(step, "note", "")
