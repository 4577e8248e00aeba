"""How a primitive is declared: its documentation, its parameters, and functions for all that is its own.

    @primitive(AXIS, Param("factor", "int", "iterations of the inner loop"), results="axis")
    def split(stage: Stage, axis: IterVar | str, factor: int) -> tuple[IterVar, IterVar]:
        '''The documentation, with the loops before and after.'''
        return stage.do("split", axis=axis, factor=factor)

    @split.legal
    def _refusal(stage: Stage, v: Values) -> Refusal | None: ...

The function becomes a method of stages (or of schedules, if its first parameter is `schedule`). Menus, forms, errors,
the palette, the journal, code and the fuzzer read `PRIMITIVES`. What a primitive does not declare has a default: one
without an effect leaves a mark on its loop or stage.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tewb.base import CallError, ScheduleError, Span, TewbError, brief, here, readable
from tewb.ir import Expr, ForKind, IntImm, IterVar, StringImm, const_int, ops
from tewb.schedule.conditions import call_condition_text
from tewb.schedule.index_map import map_text
from tewb.schedule.journal import Step
from tewb.schedule.methods import SchedulePrimitives, StagePrimitives
from tewb.schedule.part_sizes import size_text
from tewb.schedule.thread import condition_text, thread_text
from tewb.tensor import intrinsic_of

if TYPE_CHECKING:
    from tewb.schedule.code import Names
    from tewb.schedule.stage import Mark, Stage

REQUIRED = object()


@readable
@dataclass(frozen=True, slots=True)
class Param:
    """A parameter: its kind says what it takes, `choices` what a form offers for a stage.

    Kinds: axis (a loop of the stage), axes (several), dimension (an axis of its tensor), int, size (an int, or what a
    kernel is called with, as text), stage, place (a loop of the stage given as
    `parent`), stages (several), scope, thread (an axis of threads), threads (several), condition (on threads), call condition (on sizes and strides), word,
    value (a number or a word), intrin (a tensor intrinsic, by its name), layout (a function of indices, as text). `code` is how its value is written in a call, where that is not usual for
    its kind: `s[{}]`. What is `rare` a form shows when it is asked for more. `unsaid` is the choice that is meant where nothing is said.
    """

    name: str
    kind: str
    doc: str
    default: object = REQUIRED
    choices: Callable[[Stage], list[str]] | None = None
    code: str | None = None
    rare: bool = False
    unsaid: str | None = None


def loop_names(stage: Stage) -> list[str]:
    """The names of the loops of a stage, outermost first."""
    return [stage.axis_name(iv) for iv in stage.leaf_iter_vars]


def computed_in(place: str, stage: Stage, parent: Stage, loop: str | None = None) -> tuple[Step, ...]:
    """The step that computes a stage at a loop of another, at its outermost one if none is said; none where that has no loops."""
    loops = loop_names(parent)[:1] if loop is None else [loop]
    return tuple([Step(place, stage.name, {"parent": parent.name, "axis": axis}) for axis in loops])


def in_a_reader(stage: Stage) -> tuple[Step, ...]:
    """The step that computes a stage in the loops of one that reads it, if one does that has loops."""
    return tuple([s for reader in stage.readers() for s in computed_in("compute_at", stage, reader)][:1])


AXIS: Param = Param("axis", "axis", "a loop of the stage", choices=loop_names)
AXES: Param = Param("axes", "axes", "loops of the stage, in order", choices=loop_names)


@readable
@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a primitive cannot be applied, and what would help; `instead` are steps that the hint names, legal or not.

    With `later`, a later call can still make it right: programs go on, and it is judged when they are lowered. The
    workbench tells it at once. What only the workbench refuses is right in programs, and `in_doubt` is off.
    """

    reason: str
    hint: str | None = None
    later: bool = False
    in_doubt: bool = True
    instead: tuple[Step, ...] = ()

    def error(self, primitive: str, stage: Stage, span: Span | None) -> ScheduleError:
        """The refusal of a call of `primitive` on `stage`."""
        return ScheduleError(
            f"{primitive} on stage {stage.name}: {self.reason}",
            loops=stage.loops(),
            hint=self.hint,
            span=span,
        )


@dataclass(frozen=True, slots=True)
class Selection:
    """What a person has chosen: a stage, and one of its loops by name (None where it has none). `lanes` of its elements
    fill a vector."""

    stage: Stage
    loop: str | None
    lanes: int

    @property
    def loops(self) -> list[str]:
        """The loops of the stage, outermost first."""
        return loop_names(self.stage)

    @property
    def position(self) -> int:
        """The position of the loop among those of the stage; 0 for none."""
        return self.loops.index(self.loop) if self.loop in self.loops else 0

    def extent(self, loop: str | None) -> int | None:
        """How often a loop of the stage runs, if that is a constant."""
        iv = self.stage.find_axis(loop)
        return None if iv is None else const_int(self.stage.schedule.extents(self.stage)[iv])


Values = dict[str, Any]
Results = list[Any]
Arguments = dict[str, Any]  # in names, as a step has them


@dataclass(frozen=True, slots=True)
class Repair:
    """A step after which a refused call may be legal. `retry` gives the arguments to try then, from the names of
    what the step makes; without it they are those that were refused."""

    step: Step
    retry: Callable[[Sequence[str]], Iterable[Arguments]] | None = None


Legal = Callable[["Stage", Values], Refusal | None]
Effect = Callable[["Stage", Values, int], Results]
Suggest = Callable[[Selection], Iterable[Arguments]]
Repairs = Callable[[Selection, Arguments], Iterable[Repair]]
MarkWords = Callable[["Stage", "Mark"], str]
Invariant = Callable[["Stage"], Refusal | None]
Code = Callable[[Step, "Names"], str]


# ---------------------------------------------------------------- what a primitive does if it does not say otherwise


def _nothing(selection: Selection, args: Arguments) -> Iterator[Repair]:
    yield from ()


def _words(stage: Stage, mark: Mark) -> str:
    return " ".join([mark.primitive, *(str(getattr(v, "name", v)) for v in mark.values if v is not None)])


def _marked(stage: Stage, mark: Mark) -> str:
    return f"is marked {mark.primitive}"


@readable
@dataclass(frozen=True, slots=True)
class Primitive:
    """A primitive, as its file in `primitives/` declares it.

    `call` is the method that a user calls. `results` is axis, stage or none: what kind of thing it makes. `loop_kind` is how
    a loop that it marks runs, `is_place` whether it says where a stage is computed or kept, `on_inputs` whether it can be
    applied to an input, `is_of_bodies` whether it says for which calls the next steps are. The functions are explained at the decorators of `Declaration`.
    """

    name: str
    params: tuple[Param, ...]
    doc: str
    call: Callable[..., Any]
    legal: Legal
    effect: Effect
    suggest: Suggest
    results: str = "none"
    loop_kind: ForKind | None = None
    is_place: bool = False
    on_inputs: bool = False
    is_of_bodies: bool = False
    repairs: Repairs = _nothing
    mark_text: MarkWords = _words
    mark_phrase: MarkWords = _marked
    invariant: Invariant | None = None
    code: Code | None = None
    properties: tuple[Callable[[Stage], Any], ...] = ()

    def __str__(self) -> str:
        return f"{self.name}({', '.join(p.name for p in self.params)}): {self.doc.splitlines()[0] if self.doc else ''}"

    @property
    def is_for_threads(self) -> bool:
        """Whether it is about the threads of another machine, which programs for this one seldom name."""
        return any(p.kind in ("thread", "threads") for p in self.params)

    @property
    def owner(self) -> type:
        """The class whose methods it is among."""
        return _owner_of(self.call)


@functools.cache
def _owner_of(call: Callable[..., Any]) -> type:
    of_stage = next(iter(inspect.signature(call).parameters)) == "stage"
    return StagePrimitives if of_stage else SchedulePrimitives


PRIMITIVES: dict[str, Primitive] = {}


def primitive(
    *params: Param,
    results: str = "none",
    loop_kind: ForKind | None = None,
    is_place: bool = False,
    on_inputs: bool = False,
    is_of_bodies: bool = False,
) -> Callable[[Callable[..., Any]], Declaration]:
    """Declare the primitive that the decorated function calls; see `Primitive` for the keywords."""

    def declare(call: Callable[..., Any]) -> Declaration:
        name = call.__name__
        PRIMITIVES[name] = own = Primitive(
            name, params, call.__doc__ or "", call, _once(name, params), _leaves_mark(name, params, loop_kind), _fits(params),
            results, loop_kind, is_place, on_inputs, is_of_bodies,
        )  # fmt: skip
        call.__qualname__ = f"{own.owner.__name__.removesuffix('Primitives')}.{name}"
        setattr(own.owner, name, _explained(call))
        return Declaration(name)

    return declare


def _explained(call: Callable[..., Any]) -> Callable[..., Any]:
    """The method of a primitive: `call`, which says of arguments that are missing, or that it does not have, what it takes."""

    @functools.wraps(call)
    def method(*args: Any, **kwargs: Any) -> Any:
        try:
            return call(*args, **kwargs)
        except TypeError:
            wrong = _not_bound(call, args, kwargs)
            if wrong is None:
                raise
            raise wrong from None

    return method


def _not_bound(call: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> CallError | None:
    """What is wrong with the number and the names of the arguments of a call, or None."""
    signature = inspect.signature(call)
    try:
        signature.bind(*args, **kwargs)
        return None
    except TypeError as e:
        reason = str(e)
    owner, name, span = args[0], call.__name__, here()
    parameters = list(signature.parameters.values())[1:]
    missing = [p.name for p in parameters[len(args) - 1 :] if _is_needed(p) and p.name not in kwargs]
    unknown = [word for word in kwargs if word not in signature.parameters]
    if unknown:
        reason = f"it has no argument {unknown[0]}"
    elif missing:
        reason = f"{' and '.join(filter(None, [', '.join(missing[:-1]), missing[-1]]))} {'is' if len(missing) == 1 else 'are'} missing"
    elif len(args) - 1 > len(parameters):
        reason = f"{len(args) - 1} arguments are given, and it takes {len(parameters)}"
    shown = [
        p.name if _is_needed(p) else f"*{p.name}" if p.kind is p.VAR_POSITIONAL else f"{p.name}="
        for p in parameters
    ]
    is_stage = isinstance(owner, StagePrimitives)
    on = f"s[{owner.name}]" if is_stage else "s"
    return CallError(
        f"{name}{f' on stage {owner.name}' if is_stage else ''}: {reason}",
        loops=owner.loops() if is_stage else None,
        hint=f"{on}.{name}({', '.join(shown)})",
        span=span,
    )


def _is_needed(p: inspect.Parameter) -> bool:
    return p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)


@dataclass(frozen=True, slots=True)
class Declaration:
    """Decorators for the functions that are particular to a primitive. Each returns its function as it is."""

    name: str

    def _add(self, **functions: Any) -> None:
        PRIMITIVES[self.name] = replace(PRIMITIVES[self.name], **functions)

    def legal(self, f: Legal) -> Legal:
        """Why it cannot be done now, or None. May change nothing."""
        self._add(legal=f)
        return f

    def effect(self, f: Effect) -> Effect:
        """Does it to a stage, as step number so and so of the journal; returns what it makes."""
        self._add(effect=f)
        return f

    def suggest(self, f: Suggest) -> Suggest:
        """Arguments that a person may want there, legal or not: at least one choice, so that it is listed."""
        self._add(suggest=f)
        return f

    def repairs(self, f: Repairs) -> Repairs:
        """What may make a refused call with these arguments legal."""
        self._add(repairs=f)
        return f

    def mark_text(self, f: MarkWords) -> MarkWords:
        """How its mark is shown next to the loop or the stage: `prefetch A 8 ahead`."""
        self._add(mark_text=f)
        return f

    def mark_phrase(self, f: MarkWords) -> MarkWords:
        """What a refusal says of a loop with its mark: `is marked unroll`."""
        self._add(mark_phrase=f)
        return f

    def invariant(self, f: Invariant) -> Invariant:
        """Why the loops and places, as they are now, do not agree with the mark that it left on a stage."""
        self._add(invariant=f)
        return f

    def code(self, f: Code) -> Code:
        """The call as Python, where the general form of `code.py` does not do."""
        self._add(code=f)
        return f

    def stage_property(self, f: Callable[[Stage], Any]) -> Callable[[Stage], Any]:
        """Declare a property of stages that shows the marks of this primitive."""
        self._add(properties=(*PRIMITIVES[self.name].properties, f))
        setattr(StagePrimitives, f.__name__, property(f))
        return f


def _loop_param(params: tuple[Param, ...]) -> str | None:
    return next((p.name for p in params if p.kind == "axis"), None)


def _once(name: str, params: tuple[Param, ...]) -> Legal:
    """What is computed may be marked, each loop or the stage once."""
    axis = _loop_param(params)

    def legal(stage: Stage, v: Values) -> Refusal | None:
        if stage.is_placeholder:
            return not_computed(stage)
        if axis is not None and stage.is_inlined:
            return Refusal(f"{stage.name} is computed inline and has no loops", "call compute_root first")
        loop = None if axis is None else v[axis]
        if not any(m.axis is loop for m in stage.marks_of(name)):
            return None
        return Refusal(
            f"{'it' if loop is None else 'loop ' + stage.axis_name(loop)} is marked {name} already"
        )

    return legal


def _leaves_mark(name: str, params: tuple[Param, ...], loop_kind: ForKind | None) -> Effect:
    """Leaves a mark on the loop, or on the stage, with the other arguments."""

    axis = _loop_param(params)
    others = [p.name for p in params if p.kind != "axis"]

    def effect(stage: Stage, v: Values, step: int) -> Results:
        loop = None if axis is None else v[axis]
        if loop is not None and loop_kind is not None:
            stage.unmark_kind(loop)  # the last word counts
        stage.mark(name, loop, *[v.get(other) for other in others])
        stage.shape(loop, step)
        if loop is not None and loop_kind is not None:
            stage.made_by[loop] = step
        return []

    return effect


def _fits(params: tuple[Param, ...]) -> Suggest:
    """The chosen loop, and the first choice of each other argument that must be given."""

    def suggest(selection: Selection) -> Iterator[Arguments]:
        args: Arguments = {}
        for p in params:
            if p.kind == "axis":
                args[p.name] = selection.loop
            elif p.default is REQUIRED:
                choices = p.choices(selection.stage) if p.choices else []
                args[p.name] = selection.lanes if p.kind == "int" else next(iter(choices), None)
        yield args

    return suggest


@dataclass(frozen=True, slots=True)
class PrimitiveCall:
    """A primitive with its arguments looked up in a schedule."""

    primitive: Primitive
    stage: Stage
    values: Values
    problem: Refusal | None

    @staticmethod
    def resolve(
        primitive: Primitive, stage: Stage, arguments: Mapping[str, object], span: Span | None
    ) -> PrimitiveCall:
        """Look up what `arguments` name. A name that does not exist becomes the refusal."""
        unknown = set(arguments) - {p.name for p in primitive.params}
        if unknown:
            names = [p.name for p in primitive.params]
            raise ScheduleError(
                f"{primitive.name} has no parameter {min(map(str, unknown))}",
                hint=f"it has {', '.join(names)}" if names else "it has none",
                span=span,
            )
        values: Values = {}
        problem: Refusal | None = None
        for p in primitive.params:
            given = arguments.get(p.name, p.default)
            if given is None:
                given = p.default
            if given is REQUIRED:
                problem = problem or Refusal(f"{p.name} is missing: {p.doc}", _usage(primitive))
                continue
            value = _LOOKUP[p.kind](stage, given, values) if given is not None else None
            if isinstance(value, Refusal):
                problem = problem or value
            else:
                values[p.name] = value
        return PrimitiveCall(primitive, stage, values, problem)

    def refusal(self) -> Refusal | None:
        """Why this call cannot be done now, or None. What asks for bounds waits for a schedule that has some."""
        try:
            return self.problem or self.primitive.legal(self.stage, self.values)
        except ScheduleError as e:
            return Refusal(e.message, e.hint, later=True)

    def step(self, span: Span | None) -> Step:
        """This call in names."""
        args = {p.name: self._named(p, self.values.get(p.name)) for p in self.primitive.params}
        args = {k: v for k, v in args.items() if v is not None}
        return Step(self.primitive.name, self.stage.name, args, span=span)

    def _named(self, p: Param, value: Any) -> Any:
        if value is None:
            return None
        match p.kind:
            case "axis" | "dimension":
                return self.stage.axis_name(value)
            case "axes":
                return [self.stage.axis_name(iv) for iv in value]
            case "place":
                return self.values["parent"].axis_name(value)
            case "stage":
                return value.name
            case "stages":
                return [s.name for s in value]
        return value

    def perform(self, number: int) -> tuple[Any, tuple[str, ...]]:
        """Apply this call as step `number`; returns the new loops or tensors, and their names."""
        results = self.primitive.effect(self.stage, self.values, number)
        if self.primitive.results == "axis":
            names = tuple(self.stage.axis_name(iv) for iv in results)
        else:
            names = tuple(self.stage.schedule[t].name for t in results)
        result = None if not results else results[0] if len(results) == 1 else tuple(results)
        return result, names


COPY = "inputs have no loops, and a copy has"


def _usage(primitive: Primitive) -> str:
    """How a primitive is called: `split(axis, factor=)`."""
    given = [p.name if p.default is REQUIRED else f"{p.name}=" for p in primitive.params]
    return f"{primitive.name}({', '.join(given)})"


# ---------------------------------------------------------------- looking up arguments


def not_computed(stage: Stage) -> Refusal:
    """Why an input has no loops and no place."""
    return Refusal(
        f"{stage.name} is an input: its values are given, not computed",
        f"{COPY}: s.cache_read({stage.name}, ...)",
    )


def _axis(stage: Stage, what: object, values: Values) -> IterVar | Refusal:
    iv = stage.find_axis(what)
    if iv is None and isinstance(what, IterVar):
        return _not_of(stage, what)
    if iv is None:
        name = str(what)
        names = loop_names(stage)
        close = difflib.get_close_matches(name, names, 1)
        without = COPY if stage.is_placeholder else "it has no loops"
        hint = f"did you mean {close[0]}?" if close else f"it has {', '.join(names)}" if names else without
        return Refusal(f"it has no axis {brief(name)}", hint)
    if iv not in stage.leaf_iter_vars:
        name = stage.axis_name(iv)
        became = stage.replaced_by(iv) or "used up"
        loops = became.split(" into ")[-1].replace(" and ", " or ")
        return Refusal(f"axis {name} was already {became}", f"use {loops} instead")
    return iv


def loop_of(stage: Stage, what: object) -> IterVar:
    """A loop of `stage`, by its handle or its name. Raises ScheduleError for what is none."""
    loop = _axis(stage, what, {})
    if isinstance(loop, Refusal):
        name = what.name if isinstance(what, IterVar) else brief(str(what))
        why = f": {loop.reason}" if stage.find_axis(what) is not None or isinstance(what, IterVar) else ""
        hint = loop.hint or "choose one of its loops"
        raise ScheduleError(
            f"stage {stage.name} has no loop {name}{why}", loops=stage.loops(), hint=hint, span=here()
        )
    return loop


def _not_of(stage: Stage, iv: IterVar) -> Refusal:
    """Why a loop of another stage, or of another schedule, is none of this stage, whatever its name."""
    owner = stage.schedule.owner_of(iv)
    hint = None
    if stage.find_axis(iv.name) is not None:
        hint = f'{stage.name} has a loop {iv.name} of its own: take that handle, or the name "{iv.name}"'
    if owner is None:
        return Refusal(f"this {iv.name} is a loop of no stage here: was it made by another schedule?", hint)
    if owner is stage:
        return Refusal(f"it has no loop {iv.name} any more", hint)
    return Refusal(f"this {iv.name} is a loop of {owner.name}, not of {stage.name}", hint)


def _dimension(stage: Stage, what: object, values: Values) -> IterVar | Refusal | None:
    """An axis of the tensor; None when it has none at all, which legality explains better."""
    iv = stage.find_axis(what)
    own = [stage.axis_name(x) for x in stage.op.axis]
    if own and iv is None and isinstance(what, IterVar) and stage.schedule.owner_of(what) is not stage:
        return _not_of(stage, what)
    if own and (iv is None or not any(x is iv for x in stage.op.axis)):
        name = what.name if isinstance(what, IterVar) else str(what)
        return Refusal(f"{name} is not an axis of the tensor {stage.name}", f"it has {', '.join(own)}")
    return iv if own else None


def _axes(stage: Stage, what: object, values: Values) -> list[IterVar] | Refusal:
    axes = []
    for one in what if isinstance(what, list | tuple) else [what]:
        iv = _axis(stage, one, values)
        if isinstance(iv, Refusal):
            return iv
        axes.append(iv)
    return axes


def _int(stage: Stage, what: object, values: Values) -> int | Refusal:
    hint = "n // 4 divides and rounds down" if isinstance(what, float) else "a number, such as 8"
    refusal = Refusal(f"{what!r} is not a whole number", hint)
    try:
        number = operator.index(ops.whole(what))
    except TypeError:
        return refusal
    return refusal if isinstance(what, bool) else number


def _size(stage: Stage, what: object, values: Values) -> int | str | Refusal:
    """A number, or the text of an expression of variables."""
    number = _int(stage, what, values)
    if not isinstance(number, Refusal) or not isinstance(what, Expr | str):
        return number
    try:
        return size_text(stage.schedule, what)
    except ScheduleError as e:
        return Refusal(e.message, e.hint)


def _stage(stage: Stage, what: object, values: Values) -> Any:
    try:
        return stage.schedule[what]
    except TewbError as e:
        return Refusal(e.args[0], e.args[2])


def _stages(stage: Stage, what: object, values: Values) -> Any:
    stages = [_stage(stage, one, values) for one in (what if isinstance(what, list | tuple) else [what])]
    return next((x for x in stages if isinstance(x, Refusal)), stages)


def _place(stage: Stage, what: object, values: Values) -> Any:
    parent = values.get("parent")
    if parent is None:
        return Refusal("the stage to compute it in is missing", "compute_at(s[C], axis) names both")
    iv = _axis(parent, what, values)
    return Refusal(f"in stage {parent.name}, {iv.reason}", iv.hint) if isinstance(iv, Refusal) else iv


_SCOPES = ("global", "shared", "warp", "local", "texture", "wmma", "m16n8k8", "constant")


def _scope(stage: Stage, what: object, values: Values) -> str | Refusal:
    """A kind of memory, and words that say more: `shared.dyn`, `local.inp_buffer`, `global:tag`, `local_TB2`."""
    if isinstance(what, str) and re.fullmatch(rf"({'|'.join(_SCOPES)})([.:_]\w+)*", what):
        return what
    return Refusal(f"{what!r} is not a memory scope", f"scopes are {', '.join(_SCOPES)}")


def _thread(stage: Stage, what: object, values: Values) -> str | Refusal:
    try:
        return thread_text(stage.schedule.thread_names, what, stage.schedule.size_vars)
    except ScheduleError as e:
        return Refusal(e.message, e.hint)


def _threads(stage: Stage, what: object, values: Values) -> list[str] | Refusal:
    threads = [_thread(stage, one, values) for one in (what if isinstance(what, list | tuple) else [what])]
    refused = next((x for x in threads if isinstance(x, Refusal)), None)
    return refused or [str(x) for x in threads]


def _condition(stage: Stage, what: object, values: Values) -> str | Refusal:
    try:
        return condition_text(stage.schedule.thread_names, what)
    except ScheduleError as e:
        return Refusal(e.message, e.hint)


def _call_condition(stage: Stage, what: object, values: Values) -> str | Refusal:
    try:
        return call_condition_text(stage.schedule, what)
    except TewbError as e:
        return Refusal(e.message, e.hint)


def _word(stage: Stage, what: object, values: Values) -> str | Refusal:
    return what if isinstance(what, str) else Refusal(f"{what!r} is not a word", "give it as text")


def _value(stage: Stage, what: object, values: Values) -> int | str | Refusal:
    if isinstance(what, IntImm | StringImm):
        what = what.value
    return (
        what if isinstance(what, str) else _int(stage, int(what) if isinstance(what, bool) else what, values)
    )


def _intrin(stage: Stage, what: object, values: Values) -> str | Refusal:
    """The name of a tensor intrinsic."""
    try:
        return intrinsic_of(what).name
    except TewbError as e:
        return Refusal(e.message, e.hint)


def _layout(stage: Stage, what: object, values: Values) -> str | Refusal:
    """The text of a function from the indices of a tensor to those in memory."""
    sizes = {v.name: v for v in stage.schedule.size_vars()}
    try:
        return map_text(what, len(stage.op.output(0).shape), sizes)
    except TewbError as e:
        return Refusal(e.message, e.hint)


def read_argument(stage: Stage, p: Param, given: object, values: Mapping[str, Any]) -> Any:
    """What `given` is as an argument of a stage for a parameter, where `values` are those before it, or a Refusal."""
    return _LOOKUP[p.kind](stage, given, dict(values)) if p.kind in _LOOKUP else given


_LOOKUP: dict[str, Callable[[Any, Any, Values], Any]] = {
    "axis": _axis,
    "axes": _axes,
    "dimension": _dimension,
    "int": _int,
    "size": _size,
    "stage": _stage,
    "stages": _stages,
    "place": _place,
    "scope": _scope,
    "thread": _thread,
    "threads": _threads,
    "condition": _condition,
    "call condition": _call_condition,
    "word": _word,
    "value": _value,
    "intrin": _intrin,
    "layout": _layout,
}
