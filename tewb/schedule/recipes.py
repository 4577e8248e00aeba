"""Recipes: a run of steps as one named step with parameters.

    @tewb.recipe
    def register_tile(s, C, x=4, y=16):
        i, j = s[C].op.axis
        xo, yo, xi, yi = s[C].tile(i, j, x, y)
        s[C].unroll(xi)
        s[C].vectorize(yi)

    register_tile(s, C, y=8)

A recipe is a function of a schedule, and of stages, tensors, loops, numbers and words. What it does is done as a whole:
when one of its steps is refused, none of them stays. Each step remembers the call that made it (`Step.calls`), so that
the journal can show a call as one step, and has the steps all the same where the function is not known.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tewb.base import CallError, ScheduleError, Span, TewbError, brief, here
from tewb.schedule.declare import PRIMITIVES, REQUIRED, Param, loop_names
from tewb.schedule.journal import RecipeCall, Step
from tewb.schedule.recipe_values import given_value, kept_value
from tewb.schedule.stage import Stage

if TYPE_CHECKING:
    from tewb.schedule.schedule import Schedule

RECIPES: dict[str, Recipe] = {}

_HINT = "def register_tile(s, C, x=4): first the schedule, then what it is given"


def recipe(function: Callable[..., Any]) -> Recipe:
    """Make a function of a schedule, and of stages, tensors, loops, numbers and words, a recipe: a step of the name of
    the function, in the journal, in menus, and as code.

    Calling it does all of its steps or, where one is refused, none. A recipe of the same name is replaced. The function is
    also called on copies of schedules, to show what it would lead to: it should only schedule. Raises ScheduleError for
    what cannot be a recipe.
    """
    made = Recipe(function)
    RECIPES[made.name] = made
    return made


class Recipe:
    """A recipe: call it as the function that it is made of.

    `source` is the code that it was written as in the page of the workbench, which is read and not run; None for a
    function of Python. `params` describe what it takes besides the schedule, for forms.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        source: str | None = None,
        signature: inspect.Signature | None = None,
    ) -> None:
        if not inspect.isroutine(function) and signature is None:
            raise ScheduleError(
                f"a recipe is made of a function, not of {brief(repr(function))}", hint=_HINT, span=here()
            )
        functools.update_wrapper(self, function)
        self.function, self.source = function, source
        self.name: str = function.__name__
        self.doc = inspect.getdoc(function) or ""
        self.signature = signature or inspect.signature(function)
        self._check()
        self.params = tuple(_params(self.signature))

    def _check(self) -> None:
        parameters = list(self.signature.parameters.values())
        refused = None
        if not self.name.isidentifier():
            refused = "it has no name: write it with def"
        elif self.name in PRIMITIVES:
            refused = f"{self.name} is a primitive, and needs its name for itself"
        elif not parameters:
            refused = "it takes no schedule"
        else:
            star = next((p for p in parameters if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)), None)
            refused = None if star is None else f"{star} has no names of its own: name each parameter"
        if refused is not None:
            raise ScheduleError(f"recipe {self.name}: {refused}", hint=_HINT, span=here())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Do its steps on a schedule, which comes first. Returns what the function returns. Raises ScheduleError, with all
        undone, when a step is refused."""
        span = here()
        bound = self._bound(span, *args, **kwargs)
        s, *_ = bound.arguments.values()
        if not hasattr(s, "journal") or not hasattr(s, "stages"):
            raise CallError(
                f"recipe {self.name}: its first argument is the schedule, not {brief(repr(s))}",
                hint=f"{self.name}{self.signature}",
                span=span,
            )
        return self._do(s, self._call(s, bound, span), lambda: self.function(*args, **kwargs))

    def _bound(self, span: Span | None, *args: Any, **kwargs: Any) -> inspect.BoundArguments:
        """The arguments by name, those that are left out as well."""
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as e:
            hint = f"{self.name}{self.signature}"
            raise CallError(f"recipe {self.name}: {e}", hint=hint, span=span) from None
        bound.apply_defaults()
        return bound

    def _call(self, s: Schedule, bound: inspect.BoundArguments, span: Span | None) -> RecipeCall:
        """The call with its arguments as a journal keeps them."""
        try:
            given = {name: kept_value(s, value) for name, value in list(bound.arguments.items())[1:]}
        except TewbError as e:
            raise ScheduleError(f"recipe {self.name}: {e.message}", hint=e.hint, span=span) from None
        return RecipeCall(self.name, given, span)

    def _do(self, s: Schedule, call: RecipeCall, work: Callable[[], Any]) -> Any:
        """Do `work` as one call: all of it, or nothing."""
        before, around = s.journal, s.calls
        s.calls = (*around, call)
        try:
            result = work()
            if s.journal[: len(before)] != before:
                raise ScheduleError("it undid steps that were there before", hint="a recipe adds steps")
        except BaseException as e:
            number = len(s.journal) - len(before) + 1
            s.calls = around
            if s.journal is not before:
                s.restore(before)
            if isinstance(e, TewbError):
                raise self._explained(e, number, call) from e
            raise
        finally:
            s.calls = around
        call.known = (self, before, s.journal[len(before) :], True)
        return result

    def _explained(self, e: TewbError, number: int, call: RecipeCall) -> TewbError:
        """The refusal of a step inside, at the line that called the recipe."""
        inside = e.span if e.span is not None and e.span != call.span else None
        line = "" if inside is None else f" (at {inside})"
        loops = f"\n  loops there: {e.loops}" if e.loops else ""
        message = f"recipe {self.name}, step {number}{line}: {e.message}{loops}"
        hint = e.hint or "none of its steps is done"
        error = type(e)(message, hint=hint, span=call.span or e.span)
        error.__cause__ = e.__cause__
        return error

    # ---- by names, as the journal and forms give arguments

    def apply(self, s: Schedule, kept: Mapping[str, Any], span: Span | None = None) -> Any:
        """Do it with arguments as a journal keeps them. Raises ScheduleError."""
        self._check_names(kept)
        span = span or here()
        first = next(iter(self.signature.parameters))
        bound = self._bound(span, **{first: s}, **{name: given_value(s, v) for name, v in kept.items()})
        call = self._call(s, bound, span)
        try:
            return self._do(s, call, lambda: self.function(*bound.args, **bound.kwargs))
        except TewbError:
            raise
        except Exception as e:  # of the user's own function
            raise ScheduleError(f"recipe {self.name}: {type(e).__name__}: {e}", span=call.span) from e

    def _check_names(self, kept: Mapping[str, Any]) -> None:
        known = [p.name for p in self.params]
        unknown = next((name for name in kept if name not in known), None)
        if unknown is not None:
            takes = ", ".join(known) or "nothing"
            raise CallError(f"recipe {self.name} has no parameter {unknown}", hint=f"it takes {takes}")

    def apply_step(self, s: Schedule, step: Step) -> Any:
        """Do it with the arguments of a form: names of stages and loops, as text."""
        return self.apply(s, self.read_form(s, step.stage, step.args), step.span)

    def refusal(self, trial: Schedule, step: Step) -> TewbError | None:
        """Why `apply_step` would be refused on `trial`, which it changes; None when it is not."""
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                self.apply_step(trial, step)
        except TewbError as e:
            return e
        return None

    def why_not_again(self, s: Schedule, call: RecipeCall) -> str:
        """Why `made` says no."""
        try:
            self.apply(s, call.args)
        except TewbError as e:
            return e.message
        return "done again, it makes others"

    def read_form(self, s: Schedule, stage: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of a form as a journal keeps them; the first stage that it takes is `stage` unless said."""
        self._check_names(args)
        first = next((p for p in self.params if p.kind == "stage"), None)
        kept: dict[str, Any] = {} if first is None or first.default is not REQUIRED else {first.name: stage}
        kept |= args
        owner = str(kept[first.name]) if first is not None and first.name in kept else stage
        return {p.name: _read(s, p, kept[p.name], owner) for p in self.params if p.name in kept}

    def fills(self, stage: str, loop: str | None) -> Step | None:
        """The step that does it on a stage and a loop, with what it takes when nothing is said; None where it needs more."""
        needed = [p for p in self.params if p.default is REQUIRED]
        if [p.kind for p in needed] == ["stage"]:
            return Step(self.name, stage)
        if sorted(p.kind for p in needed) == ["axis", "stage"] and loop is not None:
            return Step(self.name, stage, {next(p.name for p in needed if p.kind == "axis"): loop})
        return None

    # ---- the steps of a journal

    def made(self, s: Schedule, call: RecipeCall, steps: tuple[Step, ...]) -> bool:
        """Do `call` on `s` if it makes just these steps. False, and nothing done, if it does not."""
        before = s.journal
        known = call.known
        if known is not None and known[:3] == (self, before, steps):
            for step in steps if known[3] else ():
                s.apply(step, at_once=False)
            return bool(known[3])
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                self.apply(s, call.args)
        except Exception:  # a function that was changed since may raise anything
            call.known = (self, before, steps, False)
            return False
        same = s.journal[len(before) :] == steps
        call.known = (self, before, steps, same)
        if not same:
            s.restore(before)
        return same


def _params(signature: inspect.Signature) -> Iterator[Param]:
    """What forms show of the parameters after the schedule: the first of no known kind is a stage."""
    has_stage = False
    for p in list(signature.parameters.values())[1:]:
        kind = _kind(p)
        if kind == "any" and not has_stage:
            kind = "stage"
        has_stage |= kind == "stage"
        default = REQUIRED if p.default is p.empty else p.default
        yield Param(p.name, kind, _DOCS[kind], default, choices=_CHOICES.get(kind))


_DOCS = {
    "stage": "a stage", "axis": "a loop of the stage", "int": "a number", "float": "a number",
    "flag": "True or False", "word": "a word", "any": "a stage, a loop, a number or a word",
}  # fmt: skip
_KINDS = {
    "int": "int", "float": "float", "bool": "flag", "str": "word", "Stage": "stage", "Tensor": "stage", "Operation": "stage",
    "IterVar": "axis",
}  # fmt: skip


def _stage_names(stage: Stage) -> list[str]:
    return [s.name for s in stage.schedule.stages]


def _all_names(stage: Stage) -> list[str]:
    return [*loop_names(stage), *_stage_names(stage)]


_CHOICES: dict[str, Callable[[Stage], list[str]]] = {
    "stage": _stage_names, "axis": loop_names, "flag": lambda stage: ["True", "False"], "any": _all_names,
}  # fmt: skip


def _kind(p: inspect.Parameter) -> str:
    """What a parameter takes, by its annotation, or else by its default."""
    if p.annotation is not p.empty:
        said = p.annotation if isinstance(p.annotation, str) else getattr(p.annotation, "__name__", "")
        name = said.replace("None", "").strip(" |").split("[")[0].split(".")[-1]
        if name in _KINDS:
            return _KINDS[name]
    if isinstance(p.default, bool | int | float | str):
        return _KINDS[type(p.default).__name__]
    return "any"


def _read(s: Schedule, p: Param, said: Any, owner: str) -> Any:
    """What was put into the field of a parameter; `owner` is the stage that loops belong to."""
    if said is None or isinstance(said, Mapping | list | bool | int | float):
        return said
    text = str(said)
    stage = s.find(owner)
    is_loop = stage is not None and stage.find_axis(text) is not None
    if p.kind == "flag" and text in ("True", "False"):
        return text == "True"
    if p.kind in ("int", "float", "any"):
        for number in (int, float):
            try:
                return number(text)
            except ValueError:
                continue
    if p.kind == "stage" or (p.kind == "any" and s.find(text) is not None):
        s[text]  # raises where there is none
        return {"tensor": text}
    if p.kind == "axis" or (p.kind == "any" and is_loop):
        return {"loop": text, "stage": owner}
    return {"size": text} if p.kind == "int" else text
