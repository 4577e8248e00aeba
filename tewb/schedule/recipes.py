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
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

from tewb.base import CallError, ScheduleError, Span, TewbError, brief, here
from tewb.schedule.declare import PRIMITIVES, REQUIRED, Param, loop_names
from tewb.schedule.journal import MOST_NESTED, RecipeCall, Step, given_text
from tewb.schedule.recipe_values import given_value, kept_value
from tewb.schedule.stage import Stage

if TYPE_CHECKING:
    from tewb.schedule.schedule import Schedule


class Recipes(MutableMapping[str, "Recipe"]):
    """The recipes by their names. `version` counts changes: what is known of a recipe may be otherwise after one, as it may
    call others."""

    def __init__(self) -> None:
        self._known: dict[str, Recipe] = {}
        self.version = 0

    def __getitem__(self, name: str) -> Recipe:
        return self._known[name]

    def __setitem__(self, name: str, recipe: Recipe) -> None:
        self._known[name] = recipe
        self.version += 1

    def __delitem__(self, name: str) -> None:
        del self._known[name]
        self.version += 1

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._known))

    def __len__(self) -> int:
        return len(self._known)

    def __repr__(self) -> str:
        return f"Recipes({', '.join(self._known)})"


RECIPES = Recipes()

_HINT = "def register_tile(s, C, x=4): first the schedule, then what it is given"


def recipe(function: Callable[..., Any] | None = None) -> Recipe:
    """Make a function of a schedule, and of stages, tensors, loops, numbers and words, a recipe: a step of the name of
    the function, in the journal, in menus, and as code.

    Calling it does all of its steps or, where one is refused, none. A recipe of the same name is replaced. The function is
    also called on copies of schedules, to show what it would lead to: it should only schedule. Raises ScheduleError for
    what cannot be a recipe.
    """
    if function is None:
        raise ScheduleError(
            "a recipe is made of a function", hint="@tewb.recipe without brackets", span=here()
        )
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
        self.given_as = {p.name: _given_as(p) for p in self.signature.parameters.values()}

    def _check(self) -> None:
        parameters = list(self.signature.parameters.values())
        refused = None
        if not self.name.isidentifier():
            refused = "it has no name: write it with def"
        elif self.name in PRIMITIVES:
            refused = f"{self.name} is a primitive, and needs its name for itself"
        elif not parameters:
            refused = "it takes no schedule"
        elif inspect.isgeneratorfunction(self.function) or inspect.iscoroutinefunction(self.function):
            refused = "a call of it would do nothing at once: write it without yield, and without async"
        else:
            star = next((p for p in parameters if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)), None)
            refused = None if star is None else f"{star} has no names of its own: name each parameter"
        if refused is not None:
            raise ScheduleError(f"recipe {self.name}: {refused}", hint=_HINT, span=here())

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Do its steps on a schedule, which comes first. Returns what the function returns. Raises ScheduleError, with all
        undone, when a step is refused."""
        span = here()
        bound = self._bound(args, kwargs, span)
        s, *_ = bound.arguments.values()
        if not hasattr(s, "journal") or not hasattr(s, "stages"):
            raise CallError(
                f"recipe {self.name}: its first argument is the schedule, not {brief(repr(s))}",
                hint=f"{self.name}{self.signature}",
                span=span,
            )
        return self._do(s, self._call(s, bound, span), lambda: self.function(*bound.args, **bound.kwargs))

    def _bound(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], span: Span | None
    ) -> inspect.BoundArguments:
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
        if len(around) >= MOST_NESTED:
            raise ScheduleError(f"recipes call each other more than {MOST_NESTED} deep", span=call.span)
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
        call.known = (self, RECIPES.version, before, s.journal[len(before) :], True)
        return result

    def _explained(self, e: TewbError, number: int, call: RecipeCall) -> TewbError:
        """The refusal of a step inside, at the line that called the recipe."""
        inside = e.span if e.span is not None and e.span != call.span else None
        line = "" if inside is None else f" (at {inside})"
        loops = f"\n  loops there: {e.loops}" if e.loops else ""
        message = f"recipe {self.name}, step {number}{line}: {brief(e.message, 1000)}{loops}"
        hint = e.hint or "none of its steps is done"
        error = type(e)(message, hint=hint, span=call.span or e.span)
        error.__cause__ = e.__cause__
        return error

    # ---- by names, as the journal and forms give arguments

    def apply(self, s: Schedule, kept: Mapping[str, Any], span: Span | None = None) -> Any:
        """Do it with arguments as a journal keeps them. Raises ScheduleError."""
        self._check_names(kept)
        span = span or here()
        given = {name: given_value(s, v) for name, v in kept.items()}
        in_order = [p.name for p in self.signature.parameters.values() if p.kind is p.POSITIONAL_ONLY]
        by_place = [s, *(given.pop(name) for name in in_order[1:] if name in given)]
        bound = self._bound(by_place, given, span)
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

    def why_not_these(self, s: Schedule, call: RecipeCall) -> str:
        """Why `makes` says no."""
        try:
            self.apply(s, call.args)
        except TewbError as e:
            return e.message
        return "done again, it makes others"

    @property
    def own_stage(self) -> Param | None:
        """The parameter that the chosen stage is for: the first stage that must be given."""
        return next((p for p in self.params if p.kind == "stage" and p.default is REQUIRED), None)

    def read_form(self, s: Schedule, stage: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of a form as a journal keeps them; the first stage that it takes is `stage` unless said."""
        own = self.own_stage
        given = {**({} if own is None else {own.name: stage}), **args}
        return self._read_fields(s, given, stage if own is None else str(given[own.name]))

    def edited(self, s: Schedule, call: RecipeCall, args: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of a call with those of a form in their places. What the form shows as it was is as it was."""
        args = {k: v for k, v in args.items() if k not in call.args or str(v) != given_text(call.args[k])}
        own = self.own_stage
        stage = args.get(own.name, call.args.get(own.name)) if own is not None else None
        owner = next(iter(stage.values()), "") if isinstance(stage, Mapping) else stage
        changed = self._read_fields(s, args, str(owner))
        for name, value in changed.items():
            before = call.args.get(name)
            if isinstance(before, list) and isinstance(value, str):
                changed[name] = [
                    _read_any(s, text.strip(), str(owner))
                    for text in value.strip("[]").split(",")
                    if text.strip()
                ]
            if isinstance(value, Mapping) and isinstance(before, Mapping) and len(before) == len(value) == 1:
                changed[name] = dict(zip(before, value.values(), strict=True))  # s[C] stays s[C]
        return {**call.args, **changed}

    def _read_fields(self, s: Schedule, given: Mapping[str, Any], owner: str) -> dict[str, Any]:
        self._check_names(given)
        return {
            p.name: _read(s, p, given[p.name], owner, self.given_as[p.name])
            for p in self.params
            if p.name in given
        }

    def fills(self, stage: str, loop: str | None) -> Step | None:
        """The step that does it on a stage and a loop, with what it takes when nothing is said; None where it needs more."""
        needed = [p for p in self.params if p.default is REQUIRED]
        if [p.kind for p in needed] in ([], ["stage"]):
            return Step(self.name, stage)
        if sorted(p.kind for p in needed) == ["axis", "stage"] and loop is not None:
            return Step(self.name, stage, {next(p.name for p in needed if p.kind == "axis"): loop})
        return None

    # ---- the steps of a journal

    def makes(self, s: Schedule, call: RecipeCall, steps: tuple[Step, ...]) -> bool:
        """Do `call` on `s` if it makes just these steps. False, and nothing done, if it does not."""
        before = s.journal
        known = call.known
        if known is not None and known[:-1] == (self, RECIPES.version, before, steps):
            for step in steps if known[-1] else ():
                s.apply(step, at_once=False)
            return bool(known[-1])
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                self.apply(s, call.args)
        except Exception:  # a function that was changed since may raise anything
            call.known = (self, RECIPES.version, before, steps, False)
            return False
        same = s.journal[len(before) :] == steps
        call.known = (self, RECIPES.version, before, steps, same)
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
    name = _type_name(p)
    if name in _KINDS:
        return _KINDS[name]
    if isinstance(p.default, bool | int | float | str):
        return _KINDS[type(p.default).__name__]
    return "any"


def _type_name(p: inspect.Parameter) -> str:
    """The type that a parameter is said to have, without its module; "" for none."""
    if p.annotation is p.empty:
        return ""
    said = p.annotation if isinstance(p.annotation, str) else getattr(p.annotation, "__name__", "")
    return said.replace("None", "").strip(" |").split("[")[0].split(".")[-1]


def _given_as(p: inspect.Parameter) -> str:
    """What a name of a stage stands for in a form: C, unless the type says s[C] or C.op."""
    return {"Stage": "stage", "Operation": "operation"}.get(_type_name(p), "tensor")


def _read(s: Schedule, p: Param, said: Any, owner: str, given_as: str) -> Any:
    """What was put into the field of a parameter; `owner` is the stage that loops belong to."""
    if said is None or isinstance(said, Mapping | list | bool | int | float):
        return said
    text = str(said)
    match p.kind:
        case "flag" if text in ("True", "False"):
            return text == "True"
        case "int" | "float":
            number = _number(text)
            return (
                {"size": text} if number is None and p.kind == "int" else text if number is None else number
            )
        case "stage":
            s[text]  # raises where there is none
            return {given_as: text}
        case "axis":
            return {"loop": text, "stage": owner}
        case "any":
            return _read_any(s, text, owner)
    return text


def _read_any(s: Schedule, text: str, owner: str) -> Any:
    """What a text means of which nothing is known: a number, a loop of the stage `owner`, a stage, or a word."""
    number, stage = _number(text), s.find(owner)
    if number is not None:
        return number
    if stage is not None and stage.find_axis(text) is not None:
        return {"loop": text, "stage": owner}
    return {"tensor": text} if s.find(text) is not None else text


def _number(text: str) -> float | None:
    for number in (int, float):
        with contextlib.suppress(ValueError):
            return number(text)
    return None
