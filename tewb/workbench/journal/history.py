"""History: the journal of a session as something that can be walked, edited, kept and exchanged.

A session is a history with looks: `Session` inherits this. Everything here leads to a journal that the schedule
restores, so nothing can be in a state that its primitives do not lead to. Steps are counted from 1, as they are
shown; where a step is asked for, its name will do as well.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

from tewb.base import ParseError, ScheduleError, TewbError, brief, check_given, here, lazy, one_of
from tewb.ir import Var
from tewb.lowering import lower_schedule
from tewb.schedule import RECIPES, JournalWriter, Recipe, RecipeCall, Run, Schedule, runs_of
from tewb.workbench.journal.compact import compact, is_compact, read_compact
from tewb.workbench.journal.make_recipe import Varying, check_name, make_recipe, varying_values
from tewb.workbench.journal.read_code import keep_written, read_code, written_recipe
from tewb.workbench.journal.replay import Conflict, replay
from tewb.workbench.journal.saved_json import Saved, saved_json, saved_of
from tewb.workbench.journal.text_errors import text_error
from tewb.workbench.journal.timeline import Journal, Timeline
from tewb.workbench.journal.write_code import known_names, schedule_text, schedule_writer

_histories: weakref.WeakKeyDictionary[Schedule, weakref.WeakSet[History]] = weakref.WeakKeyDictionary()


class History:
    """The journals of a schedule: the current one, those to undo and redo, other branches, and the pinned one.

    `on_branch` is the name of the branch that the schedule shows.
    """

    def __init__(self, schedule: Schedule, args: Sequence[Any], name: str) -> None:
        self.schedule, self._args, self._name = schedule, tuple(args), name
        self._learn_variables()
        self.on_branch = "main"
        self._start = schedule.journal
        self._timelines = {self.on_branch: Timeline(schedule.journal)}
        self._pinned: Self | None = None
        self._listeners: list[Callable[[], None]] = []
        _histories.setdefault(schedule, weakref.WeakSet()).add(self)

    @property
    def name(self) -> str:
        """The name of the kernel. It may be changed: all that is shown has the new one. Raises ScheduleError for no name."""
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        check_given(isinstance(name, str), "the name of a session", name, "text", 'session.name = "main"')
        self._name = name
        self._changed()

    @property
    def args(self) -> tuple[Any, ...]:
        """The kernel's arguments. Others may be given instead: all that is shown is that of a kernel which takes these."""
        return self._args

    @args.setter
    def args(self, args: Sequence[Any]) -> None:
        is_right = isinstance(args, list | tuple)
        check_given(
            is_right, "the arguments of a session", args, "a list of tensors", "session.args = [A, B, C]"
        )
        self._args = tuple(args)
        self._learn_variables()
        self._forget()
        self.schedule.version += 1  # what was found for the others does not hold
        self._changed()

    def _forget(self) -> None:
        """Drop what was measured of a program with other arguments."""

    def _learn_variables(self) -> None:
        """Steps may name the variables among the arguments."""
        for a in self._args:
            if isinstance(a, Var):
                self.schedule.variables.setdefault(a.name, a)

    def copy(self) -> Self:
        """An independent session of the same program, with the same journal."""
        raise NotImplementedError

    @property
    def _timeline(self) -> Timeline:
        return self._timelines[self.on_branch]

    # ---- telling and following

    def on_change(self, f: Callable[[], None]) -> None:
        """Call `f` after every change."""
        check_given(callable(f), "a listener", f, "a function without arguments", "on_change(lambda: ...)")
        self._listeners.append(f)

    def _changed(self) -> None:
        for f in self._listeners:
            f()
        for other in list(_histories.get(self.schedule, ())):  # another session of the same schedule
            if other is not self:
                other.sync()

    def refresh(self) -> None:
        """Show the schedule as it is now, after other code changed it."""
        self._notice()
        self._changed()

    def sync(self) -> bool:
        """Catch up with what other code did to the schedule, and tell listeners if it did anything.

        Each step that was added can be undone by itself; any other change is undone as one.
        """
        noticed = self._notice()
        if noticed:
            self._changed()
        return noticed

    def _notice(self) -> bool:
        journal = self.schedule.journal
        return journal is not self._timeline.now and self._timeline.follow(journal)

    # ---- walking

    @property
    def can_undo(self) -> bool:
        return bool(self.schedule.journal) or bool(self._timeline.past)

    @property
    def can_redo(self) -> bool:
        self._notice()
        return bool(self._timeline.future)

    @property
    def ahead(self) -> Journal:
        """The steps that were undone and that redo would add, one by one."""
        self._notice()
        return self._timeline.ahead

    def undo(self) -> bool:
        """Undo the last change: a step, an edit of the journal, a load. False when there is none."""
        self._notice()
        before = self._timeline.before
        if before is None:
            return False
        self.schedule.restore(before)
        self._timeline.back()
        self._settle()
        return True

    def redo(self) -> bool:
        """Redo the change that was undone last. False when there is none."""
        self._notice()
        if not self._timeline.future:
            return False
        self.schedule.restore(self._timeline.future[-1])
        self._timeline.forward()
        self._settle()
        return True

    def jump(self, step: int | str) -> None:
        """Go to the state after the first `step` steps: back, or forward into steps that were undone.

        0 is the program without a schedule. Raises ScheduleError when there is no such step.
        """
        self._notice()
        within = (*self._timeline.now, *self._timeline.ahead)
        n = 0 if isinstance(step, int) and step == 0 else self._number(step, within)
        self.schedule.restore(within[:n])
        self._timeline.jump(n)
        self._settle()

    def reset(self) -> None:
        """Go back to the schedule that the session began with. What is undone can be redone."""
        self._notice()
        start, now = self._start, self._timeline.now
        if now[: len(start)] == start:
            self.jump(len(start))
        else:
            self.take(start)

    def _settle(self) -> None:
        """The schedule shows what the timeline says: from now on the two are compared by identity."""
        self._timeline.now = self.schedule.journal
        self._changed()

    def take(self, journal: Journal) -> None:
        """Go to another journal. Raises ScheduleError, and changes nothing, when it cannot be done."""
        self.schedule.restore(journal)
        self._timeline.change(self.schedule.journal)
        self._settle()

    def _number(self, step: int | str, journal: Journal) -> int:
        """The number of a step that is given by number or name."""
        if isinstance(step, str):
            number = next((i for i, s in enumerate(journal, 1) if step and s.name == step), None)
            if number is None:
                named = ", ".join(s.name for s in journal if s.name)
                hint = (
                    f"there are {named}" if named else "no step has a name yet: label_step(1, name) gives one"
                )
                raise ScheduleError(f"no step is called {step or repr(step)}", hint=hint)
            return number
        if isinstance(step, bool) or not isinstance(step, int) or not 1 <= step <= len(journal):
            some = f"steps 1 to {len(journal)}" if journal else "no steps yet"
            raise ScheduleError(f"there is no step {step!r}", hint=f"the journal has {some}")
        return step

    # ---- editing

    def delete_step(self, step: int | str, force: bool = False, count: int = 1) -> tuple[Conflict, ...]:
        """Delete one step, or `count` from there on, and replay those after it. The name of a recipe means all of its
        steps.

        When some of them no longer apply, nothing changes and ScheduleError names them all; with `force` they
        are dropped, and returned.
        """
        self._notice()
        journal = self._timeline.now
        chosen = self._chosen(step, count, journal)
        order = [i for i in range(len(journal)) if i not in chosen]
        return self._reorder(order, f"{_said(journal, chosen)} cannot be deleted", force)

    def move_step(
        self, step: int | str, to: int | str, force: bool = False, count: int = 1
    ) -> tuple[Conflict, ...]:
        """Move a step, or `count` from there on, to position `to` and replay the journal in the new order. The name of a
        recipe means all of its steps. Conflicts are as in `delete_step`."""
        self._notice()
        journal = self._timeline.now
        chosen, place = self._chosen(step, count, journal), self._number(to, journal)
        order = [i for i in range(len(journal)) if i not in chosen]
        order[place - 1 : place - 1] = chosen
        return self._reorder(order, f"{_said(journal, chosen)} cannot become step {place}", force)

    def _chosen(self, step: int | str, count: int, journal: Journal) -> range:
        """The indices of `count` steps from one on, or of all steps of a recipe that is named."""
        run = next((r for r in runs_of(journal) if r.call.recipe == step), None)
        if run is not None and all(s.name != step for s in journal):
            return range(run.first, run.end)
        n = self._number(step, journal)
        if isinstance(count, bool) or not isinstance(count, int) or count < 1 or n - 1 + count > len(journal):
            raise ScheduleError(
                f"there are no {count!r} steps from step {n} on", hint=f"the journal has {len(journal)} steps"
            )
        return range(n - 1, n - 1 + count)

    def _reorder(self, order: list[int], refusal: str, force: bool) -> tuple[Conflict, ...]:
        applied, conflicts = replay(self.schedule, self._timeline.now, order, self._stuck)
        if conflicts and not force:
            raise _conflict_error(refusal, conflicts, "with force=True these steps are dropped")
        self.take(applied)
        return conflicts

    def _stuck(self, schedule: Schedule) -> TewbError | None:
        """Why a schedule of this program cannot be lowered, or None."""
        try:
            lower_schedule(schedule, self.args, self.name)
        except TewbError as e:
            return e
        return None

    def label_step(self, step: int | str, name: str | None = None, note: str | None = None) -> None:
        """Give a step a name, by which it can be found, or a note. None leaves it as it is; "" removes it.

        Words do not change the schedule, so undo leaves them.
        """
        for what, text in (("name", name), ("note", note)):
            hint = f'label_step(1, {what}="vectorized")'
            check_given(text is None or isinstance(text, str), what, text, "text", hint)
        self._notice()
        journal = self._timeline.now
        n = self._number(step, journal)
        other = next((i for i, s in enumerate(journal, 1) if name and s.name == name and i != n), None)
        if other is not None:
            raise ScheduleError(
                f"step {other} is called {name} already", hint="names find steps: each has its own"
            )
        old = journal[n - 1]
        new = replace(old, name=old.name if name is None else name, note=old.note if note is None else note)
        self._timeline.relabel(n - 1, new)
        self.schedule.journal = self._timeline.now
        self._changed()

    # ---- recipes

    @property
    def runs(self) -> tuple[Run, ...]:
        """The calls of recipes in the journal, each with the index of its first step and their number; those that another
        one made come after it."""
        return tuple(runs_of(self.schedule.journal))

    def varying(self, step: int | str, count: int = 1) -> list[Varying]:
        """The values in `count` steps from one on that may become parameters of a recipe."""
        self._notice()
        chosen = self._chosen(step, count, self._timeline.now)
        _check_whole(self._timeline.now, chosen)
        start, steps = self._before(chosen)
        depth = _depth_of(self._timeline.now, chosen)
        return varying_values(start, steps, chosen.start + 1, depth)

    def make_recipe(
        self, name: str, step: int | str, count: int = 1, parameters: Mapping[str, str] | None = None
    ) -> Recipe:
        """Make a recipe of `count` steps from one on, which are a call of it from now on.

        `parameters` gives names to the values that it takes as parameters, by their keys in `varying()`: {"1.factor": "x"};
        if it is not given, they are the numbers. The stages are parameters, and loops that are no axes of them. Raises
        ScheduleError, and changes nothing, when the name is taken, or when the steps are not all of a call.
        """
        check_name(name, "a recipe")
        self._notice()
        journal = self._timeline.now
        chosen = self._chosen(step, count, journal)
        _check_whole(journal, chosen)
        known = RECIPES.get(name)
        in_use = any(call.recipe == name for s in journal for call in s.calls)
        if known is not None and (known.source is None or in_use):
            raise ScheduleError(f"there is a recipe {name} already", hint="choose another name", span=here())
        if name in known_names(self.schedule, self.args).taken:
            raise ScheduleError(
                f"{name} has another meaning in the program", hint="choose another name", span=here()
            )
        start, steps = self._before(chosen)
        depth = _depth_of(journal, chosen)
        made = make_recipe(start, steps, chosen.start + 1, name, parameters, depth)
        new, call = written_recipe(made.source), RecipeCall(name, made.args)
        start, _ = self._before(chosen)
        if not new.makes(start, call, steps):
            why = new.why_not_these(self._before(chosen)[0], call)
            raise ScheduleError(
                f"steps {chosen.start + 1} to {chosen.stop} cannot be written as a recipe: {why}",
                hint="choose other steps",
                span=here(),
            )
        RECIPES[name] = new
        called = tuple([replace(s, calls=(*s.calls[:depth], call, *s.calls[depth:])) for s in steps])
        self.take((*journal[: chosen.start], *called, *journal[chosen.stop :]))
        return new

    def edit_recipe(
        self, step: int | str, arguments: Mapping[str, Any], count: int | None = None, force: bool = False
    ) -> tuple[Conflict, ...]:
        """Call the recipe that made a step again with other arguments, and replay the steps after it. `count` is the number
        of its steps, where recipes are inside of each other; else it is the outermost. Arguments are numbers, words, and
        names of stages and loops. Those that are not given stay. Conflicts are as in `delete_step`."""
        hint = 'edit_recipe(1, {"x": 8})'
        is_right = isinstance(arguments, Mapping)
        check_given(is_right, "arguments", arguments, "a dict of values by their names", hint)
        self._notice()
        journal, run = self._timeline.now, self._run_at(step, count)
        recipe = RECIPES.get(run.call.recipe)
        if recipe is None:
            raise ScheduleError(
                f"recipe {run.call.recipe} is not known here, only its steps",
                hint=f"run the cell that defines it: @tewb.recipe def {run.call.recipe}(...)",
                span=here(),
            )
        trial, _ = self._before(range(run.first, run.end))
        trial.calls = journal[run.first].calls[: run.depth]
        recipe.apply(trial, recipe.edited(trial, run.call, arguments))
        new = trial.journal[run.first :]
        edited = (*journal[: run.first], *new, *journal[run.end :])
        applied, conflicts = replay(self.schedule, edited, range(len(edited)), self._stuck)
        if conflicts and not force:
            raise _conflict_error(
                f"{run.call} cannot be changed so", conflicts, "with force=True these steps are dropped"
            )
        self.take(applied)
        return conflicts

    def open_recipe(self, step: int | str, count: int | None = None) -> None:
        """Let the steps of a recipe be steps of their own again."""
        self._notice()
        journal, run = self._timeline.now, self._run_at(step, count)
        own = [
            replace(s, calls=(*s.calls[: run.depth], *s.calls[run.depth + 1 :]))
            for s in journal[run.first : run.end]
        ]
        self.take((*journal[: run.first], *own, *journal[run.end :]))

    def _run_at(self, step: int | str, count: int | None) -> Run:
        """The outermost call that made a step, or the one that made `count` steps from there on."""
        journal = self._timeline.now
        at = self._chosen(step, 1, journal).start
        for run in runs_of(journal):
            fits = run.first <= at < run.end if count is None else (run.first, run.count) == (at, count)
            if fits:
                return run
        raise ScheduleError(
            f"no recipe made step {at + 1}, {journal[at]}"
            if count is None
            else f"no recipe made just {count} steps from step {at + 1} on",
            hint="session.runs has the calls of recipes",
        )

    def _before(self, chosen: range) -> tuple[Schedule, Journal]:
        """A copy of the schedule before some steps, and these."""
        journal = self._timeline.now
        start = self.schedule.untouched(self.schedule.result_cache)
        start.restore(journal[: chosen.start])
        return start, journal[chosen.start : chosen.stop]

    # ---- branches and the pin

    @property
    def branches(self) -> dict[str, Journal]:
        """The journal of every branch, in the order in which they began."""
        self._notice()
        return {name: t.now for name, t in self._timelines.items()}

    def branch(self, name: str) -> None:
        """Begin a branch with the journal of now, and go on there; the branch so far stays as it is."""
        if not isinstance(name, str) or not name.strip():
            said = "" if isinstance(name, str) else f", which is text, not {brief(repr(name))}"
            raise ScheduleError(f"a branch needs a name{said}", hint='branch("tiled")', span=here())
        if name in self._timelines:
            raise ScheduleError(f"there is a branch {name} already", hint=f"switch({name!r}) goes there")
        self._notice()
        self._timelines[name] = self._timeline.copy()
        self.on_branch = name
        self._changed()

    def switch(self, name: str) -> None:
        """Show the schedule of another branch. Each branch has its own undo and redo."""
        self._notice()
        self.schedule.restore(self._existing(name).now)
        self.on_branch = name
        self._settle()

    def delete_branch(self, name: str) -> None:
        """Delete a branch, but not the current one."""
        self._existing(name)
        if name == self.on_branch:
            raise ScheduleError(f"{name} is the branch that is shown", hint="switch to another one first")
        del self._timelines[name]
        self._changed()

    def _existing(self, name: str) -> Timeline:
        return self._timelines[one_of("branch", name, self._timelines)]

    def pin(self) -> Self:
        """Keep the current schedule, in a session of its own, to compare later ones with."""
        self._notice()
        pinned = self._pin(self._timeline.now)
        self._changed()
        return pinned

    def _pin(self, journal: Journal) -> Self:
        beside = self.copy()
        beside.take(journal)
        self._pinned = beside
        return beside

    def unpin(self) -> None:
        """Forget the pinned schedule."""
        self._pinned = None
        self._changed()

    @property
    def pinned(self) -> Self | None:
        """The session of the pinned schedule, or None."""
        return self._pinned

    # ---- exchanging

    @property
    def schedule_code(self) -> str:
        """The part of the code that schedules, on `s`: what `load` reads after it was edited."""
        if self.schedule.part_sizes or self.runs:
            return schedule_text(self.schedule, self.args)
        return "".join(f"{line}\n" for line in self._writer.lines(self.schedule.journal))

    @lazy
    def _writer(self) -> JournalWriter:
        return schedule_writer(self.schedule, self.args)

    def to_string(self) -> str:
        """The journal as one short line: `C:tile(i,j,8,32);C:vectorize(j.inner)`."""
        return compact(self.schedule.journal)

    def to_json(self) -> str:
        """Journal, names, notes, branches and pin as JSON."""
        others = {name: journal for name, journal in self.branches.items() if name != self.on_branch}
        pinned = self._pinned.schedule.journal if self._pinned else None
        return saved_json(Saved(self.schedule.journal, self.on_branch, others, pinned))

    def from_json(self, text: str) -> None:
        """Do what `to_json` wrote for the same program: its branches are added, or come after those of that name.

        Raises ScheduleError, and changes nothing, when some of its steps do not apply; each is named.
        """
        saved = saved_of(text)
        self._notice()
        for source in saved.recipes:
            keep_written(written_recipe(source))
        steps = self._possible(saved.steps, saved.branch)
        others = {name: self._possible(journal, name) for name, journal in saved.others.items()}
        pinned = None if saved.pinned is None else self._possible(saved.pinned, "the pinned schedule")
        if pinned is not None:
            self._pin(pinned)
        for name, journal in others.items():
            self._timelines.setdefault(name, Timeline(journal)).change(journal)
        if saved.branch:
            self._timelines.setdefault(saved.branch, self._timeline.copy())
            self.on_branch = saved.branch
        self.take(steps)

    def _possible(self, steps: Journal, where: str) -> Journal:
        """The steps as the schedule records them. Raises ScheduleError with every conflict."""
        applied, conflicts = replay(self.schedule, steps, range(len(steps)), self._stuck)
        if conflicts:
            raise _conflict_error(f"{where or 'this journal'} cannot be loaded", conflicts, None)
        return applied

    def load(self, text: str) -> None:
        """Replace the schedule by the one that `text` describes: JSON, a compact string, or Python code.

        Code is read, not run. Raises ParseError with the line and a caret for text or code that cannot be
        read or applied, ScheduleError for JSON steps that cannot be; then nothing changes. Names and notes
        of steps that stay are kept.
        """
        hint = 'load(session.to_json()), or load("C:split(i,8)")'
        check_given(isinstance(text, str), "a schedule to load", text, "text", hint, ParseError)
        if text.lstrip()[:1] in ("{", "["):
            return self.from_json(text)
        self._notice()
        if is_compact(text):
            read = read_compact(text, self.schedule)
        else:
            known = known_names(self.schedule, self.args)
            read = read_code(text, self.schedule, known.tensors, known.variables)
        steps = tuple(step for step, _ in read)
        _, conflicts = replay(self.schedule, steps, range(len(steps)), self._stuck)
        if conflicts:
            raise text_error(text, read[conflicts[0].number - 1][1], conflicts[0].reason)
        self.take(_with_words(steps, self._timeline.now))


def _said(journal: Journal, chosen: range) -> str:
    """Some steps, for a refusal."""
    first = f"step {chosen.start + 1}, {journal[chosen.start]},"
    return first if len(chosen) == 1 else f"steps {chosen.start + 1} to {chosen.stop}"


def _check_whole(journal: Journal, chosen: range) -> None:
    """Raise ScheduleError where some steps are a part of a call, and go on outside of it."""
    for run in runs_of(journal):
        common = len(range(max(run.first, chosen.start), min(run.end, chosen.stop)))
        if common not in (0, run.count, len(chosen)):
            raise ScheduleError(
                f"steps {chosen.start + 1} to {chosen.stop} cut {run.call} apart",
                hint=f"it made steps {run.first + 1} to {run.end}: take all of them, or only some of them",
            )


def _depth_of(journal: Journal, chosen: range) -> int:
    """How many calls are around some steps, and made others too."""
    around = [r for r in runs_of(journal) if r.first <= chosen.start and chosen.stop <= r.end]
    return sum(1 for r in around if r.count > len(chosen))


def _conflict_error(refusal: str, conflicts: Sequence[Conflict], hint: str | None) -> ScheduleError:
    count = "1 step does" if len(conflicts) == 1 else f"{len(conflicts)} steps do"
    listed = "".join(f"\n  {c}" for c in conflicts)
    return ScheduleError(f"{refusal}: {count} not apply then{listed}", hint=hint)


def _with_words(steps: Journal, old: Journal) -> Journal:
    """`steps` with the names and notes that their equals in `old` have."""
    pool, labelled = list(old), []
    for step in steps:
        at = next((i for i, o in enumerate(pool) if o == step), None)
        if at is not None:
            known = pool.pop(at)
            step = replace(step, name=known.name, note=known.note)
        labelled.append(step)
    return tuple(labelled)
