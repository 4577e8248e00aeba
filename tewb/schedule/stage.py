"""A stage: one operation of the program with the loops that will compute it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tewb.base import unique_name
from tewb.ir import ForKind, IterVar, Origin, Var, convert
from tewb.schedule.declare import PRIMITIVES
from tewb.schedule.loop_text import loops_text
from tewb.schedule.methods import StagePrimitives
from tewb.schedule.part_sizes import read_size
from tewb.schedule.relation import GUARD, Fuse, Relation, Singleton, Split
from tewb.tensor import Operation, PlaceholderOp, Tensor, TensorComputeOp, intrinsic_of

if TYPE_CHECKING:
    from tewb.schedule.schedule import Schedule

INLINE = "inline"


class LoopList(list[IterVar]):
    """A list of axes found by identity: `==` on axes builds an expression."""

    def __contains__(self, iv: object) -> bool:
        return any(own is iv for own in self)

    def index(self, iv: object, *_: object) -> int:
        return next(i for i, own in enumerate(self) if own is iv)

    def same_as(self, other: list[IterVar]) -> bool:
        """Whether both hold the same axes in the same order."""
        return len(self) == len(other) and all(a is b for a, b in zip(self, other, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class At:
    """The place inside loop `axis` of `stage`: before what is in it, or after."""

    stage: Stage
    axis: IterVar
    after: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class With:
    """The place beside `stage`, whose loops from the outermost to `axis` are shared."""

    stage: Stage
    axis: IterVar


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """What a primitive set on a loop, or on the whole stage when `axis` is None, with its other arguments."""

    primitive: str
    axis: IterVar | None
    values: tuple[Any, ...] = ()


_ITER_TYPES = {
    ForKind.VECTORIZED: IterVar.Vectorized,
    ForKind.UNROLLED: IterVar.Unrolled,
    ForKind.PARALLEL: IterVar.Parallelized,
    ForKind.DOT: IterVar.Tensorized,
}
_ATTACH_TYPES: dict[type, int] = {str: 2, At: 4}


class Text(str):
    """Text that is asked for its value, as old programs ask a StringImm."""

    __slots__ = ()

    @property
    def value(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True, eq=False)
class IterVarAttr:
    """What primitives said of a loop, under classic names."""

    stage: Stage
    axis: IterVar

    @property
    def iter_type(self) -> int:
        """How it runs, as `IterVar.Vectorized`; as its axis says when no primitive said."""
        if self.tensor_intrin is not None:
            return IterVar.Tensorized
        kind = self.stage.loop_kind(self.axis)
        return self.axis.iter_type if kind is None else _ITER_TYPES[kind]

    @property
    def pragma_keys(self) -> list[Text]:
        return [Text(m.values[0]) for m in self._marks("pragma")]

    @property
    def pragma_values(self) -> list[Any]:
        """As constants of expressions; texts have a `value` too."""
        values = [m.values[1] for m in self._marks("pragma")]
        return [Text(v) if isinstance(v, str) else v if v is None else convert(v) for v in values]

    @property
    def tensor_intrin(self) -> Any:
        """The tensor intrinsic that does it and what is inside."""
        return next((intrinsic_of(m.values[0]) for m in self._marks("tensorize")), None)

    @property
    def prefetch_data(self) -> list[Tensor]:
        return [m.values[0].op.output(0) for m in self._marks("prefetch")]

    @property
    def prefetch_offset(self) -> list[int]:
        return [m.values[1] for m in self._marks("prefetch")]

    @property
    def bind_thread(self) -> IterVar | None:
        """The thread axis that it is bound to."""
        return next((m.values[0] for m in self._marks("bind")), None)

    def _marks(self, primitive: str) -> list[Mark]:
        return [m for m in self.stage.marks_on(self.axis) if m.primitive == primitive]


class StageGroup:
    """Stages that are computed in one place: each that has no place of its own is computed where its group is."""

    __slots__ = ("group", "name", "own_place", "schedule", "stage")

    def __init__(self, schedule: Schedule, name: str, stage: Stage) -> None:
        self.schedule, self.name, self.stage = schedule, name, stage
        self.own_place: At | None = None
        self.group: StageGroup | None = None

    @property
    def place(self) -> At | None:
        """Where it is computed: its own place, or that of the group around it."""
        if self.own_place is None and self.group is not None:
            return self.group.place
        return self.own_place

    @property
    def members(self) -> list[Stage]:
        """Its stages, those in groups inside of it too."""
        return [s for s in self.schedule.stages if self in groups_around(s)]

    @property
    def num_child_stages(self) -> int:
        """How many stages and groups are right inside of it."""
        inner: list[Stage | StageGroup] = [*self.schedule.stages, *self.schedule.groups]
        return sum(1 for x in inner if x.group is self)

    @property
    def attach_type(self) -> int:
        return _ATTACH_TYPES.get(type(self.own_place), 1)

    @property
    def attach_ivar(self) -> IterVar | None:
        return None if self.own_place is None else self.own_place.axis

    @property
    def attach_stage(self) -> Stage | None:
        return None if self.own_place is None else self.own_place.stage

    def compute_at(self, parent: Stage | Tensor, scope: IterVar | str) -> None:
        """Compute its stages in loop `scope` of stage `parent`."""
        arguments = {"group": self.name, "parent": parent, "axis": scope}
        self.schedule.do("group_at", self.stage, arguments)

    def compute_root(self) -> None:
        """Compute its stages at the root, or where the group around it is."""
        self.schedule.do("group_root", self.stage, {"group": self.name})

    def __repr__(self) -> str:
        return f"StageGroup({self.name}: {', '.join(s.name for s in self.members)})"


def groups_around(inner: Stage | StageGroup) -> list[StageGroup]:
    """The groups that a stage or a group is in, innermost first."""
    return [] if inner.group is None else [inner.group, *groups_around(inner.group)]


class Stage(StagePrimitives):
    """The loops of one operation, and where they stand.

    `leaf_iter_vars` are the loops from outermost to innermost, `relations` how they came from the axes, `marks` what
    primitives set on them and on the stage. `attach` is None (at the root), INLINE, or a place in another stage: its
    `own_place`, or that of its `group`. One that shares the loops of another stage has it `With` that.
    `shaped_by` are the steps of the journal that shaped a loop, or (under None) the place of the stage; `made_by` and
    `place_step` are the latest of these steps.
    """

    __slots__ = ("_names", "first_op", "group", "leaf_iter_vars", "made_by", "marks", "name", "op", "own_place", "place_step",
                 "relations", "schedule", "shaped_by")  # fmt: skip

    def __init__(self, schedule: Schedule, op: Operation, name: str) -> None:
        self.schedule, self.name, self.first_op = schedule, name, op
        self.op = op
        self.reset(op)

    def reset(self, op: Operation) -> None:
        """Make this the untouched stage of `op`."""
        self.op = op
        self.schedule.operations_changed()
        self.relations: list[Relation] = []
        self.leaf_iter_vars = LoopList([*op.axis, *op.reduce_axis])
        self.own_place: At | With | str | None = None
        self.group: StageGroup | None = None
        self.marks: tuple[Mark, ...] = ()
        self.made_by: dict[IterVar, int] = {}
        self.place_step: int | None = None
        self.shaped_by: dict[IterVar | None, tuple[int, ...]] = {}
        self._names: dict[str, IterVar] = {}
        for iv in self.leaf_iter_vars:
            self.register(iv)
        if isinstance(op, TensorComputeOp):
            self.leaf_iter_vars = LoopList(op.loops)
            axis = op.tensorized_axis
            if axis is None:  # it does one element: a loop of one iteration
                one = self.schedule.result_cache.once(("singleton", self.name), (op,), Singleton.make)
                axis = one.iter
                self.relations.append(one)
                self.leaf_iter_vars = LoopList([*op.loops, axis])
                self.register(axis)
            self.mark("tensorize", axis, op.intrin.name)

    # ---- what it is

    @property
    def is_placeholder(self) -> bool:
        return isinstance(self.op, PlaceholderOp)

    @property
    def is_output(self) -> bool:
        return self in self.schedule.output_stages

    @property
    def attach(self) -> At | With | str | None:
        """Where it is computed."""
        if self.own_place is None and self.group is not None:
            return self.group.place
        return self.own_place

    @attach.setter
    def attach(self, place: At | With | str | None) -> None:
        self.own_place = place

    @property
    def is_inlined(self) -> bool:
        return self.attach == INLINE

    @property
    def attached(self) -> At | None:
        """The loop of another stage that it is computed at; None at the root, and inline."""
        return self.attach if isinstance(self.attach, At) else None

    @property
    def loop_around(self) -> At | None:
        """The loop of another stage in which it is computed, itself or with another one; None at the root, and inline."""
        at = self.attach
        if isinstance(at, With):
            at = at.stage.attach
        return at if isinstance(at, At) else None

    @property
    def is_after(self) -> bool:
        """Whether it is computed after what is in a loop of a stage that it reads."""
        return isinstance(self.own_place, At) and self.own_place.after

    @property
    def host(self) -> Stage | None:
        """The stage that it is computed with, or after in its loops; None where it is neither."""
        at = self.own_place
        return at.stage if isinstance(at, With) or (isinstance(at, At) and at.after) else None

    def outputs(self) -> tuple[Tensor, ...]:
        return self.op.outputs

    def reads(self) -> list[Stage]:
        """The stages whose tensors this one reads, without repetition."""
        return list(dict.fromkeys(self.schedule.stage_of(t) for t in self.op.inputs))

    def readers(self) -> list[Stage]:
        """The stages that read this one."""
        return list(self.schedule.readers_of(self))

    # ---- marks

    def mark(self, primitive: str, axis: IterVar | None = None, *values: Any) -> None:
        """Mark a loop, or this stage."""
        self.marks = (*self.marks, Mark(primitive, axis, values))

    def unmark(self, primitive: str) -> None:
        """Take the marks of a primitive away."""
        self.marks = tuple([m for m in self.marks if m.primitive != primitive])

    def unmark_kind(self, iv: IterVar) -> None:
        """Let a loop run serially again."""
        self.marks = tuple(
            [m for m in self.marks if m.axis is not iv or PRIMITIVES[m.primitive].loop_kind is None]
        )

    def marks_of(self, primitive: str) -> list[Mark]:
        """The marks that a primitive left."""
        return [m for m in self.marks if m.primitive == primitive]

    def marks_on(self, iv: IterVar) -> list[Mark]:
        """The marks on a loop."""
        return [m for m in self.marks if m.axis is iv]

    @property
    def annotations(self) -> dict[IterVar, str]:
        """Of a loop that does not run serially: the primitive that marked it."""
        kinds = [m for m in self.marks if PRIMITIVES[m.primitive].loop_kind is not None]
        return {m.axis: m.primitive for m in kinds if m.axis is not None}

    def loop_kind(self, iv: IterVar) -> ForKind | None:
        """How a loop runs, if a primitive marked it."""
        kinds = (PRIMITIVES[m.primitive].loop_kind for m in self.marks if m.axis is iv)
        return next((kind for kind in kinds if kind is not None), None)

    @property
    def scope(self) -> str:
        """The memory in which its values are kept: "global" unless a primitive set another one."""
        return next((m.values[0] for m in self.marks if m.primitive == "set_scope"), "global")

    @scope.setter
    def scope(self, scope: str) -> None:
        self.unmark("set_scope")
        if scope != "global":
            self.mark("set_scope", None, scope)

    # ---- axes and their names

    def register(self, iv: IterVar, step: int | None = None, parents: Sequence[IterVar] = ()) -> None:
        """Give `iv` its name in this stage: its own, with a number when it is taken. `step` made it from the
        loops `parents`."""
        self._names[unique_name(iv.name, self._names.__contains__)] = iv
        if step is not None:
            self.made_by[iv] = step
            self.shape(iv, *[i for p in parents for i in self.shaped_by.get(p, ())], step)

    def forget(self, iv: IterVar) -> None:
        """Let `iv` be no axis of this stage any more, and its name free."""
        self.schedule.remember({iv: (self.name, self.axis_name(iv))})
        self._names = {name: own for name, own in self._names.items() if own is not iv}
        self.made_by.pop(iv, None)
        self.shaped_by.pop(iv, None)

    def shape(self, iv: IterVar | None, *steps: int) -> None:
        """Remember that `steps` shaped the loop `iv`, or the place of this stage."""
        self.shaped_by[iv] = tuple(sorted({*self.shaped_by.get(iv, ()), *steps}))

    def place(self, step: int) -> None:
        """Remember that `step` placed this stage."""
        self.place_step = step
        self.shape(None, step)

    def axis_name(self, iv: IterVar) -> str:
        """The name of an axis in this stage."""
        return next((name for name, own in self._names.items() if own is iv), iv.name)

    def find_axis(self, what: object) -> IterVar | None:
        """An axis or loop of this stage: by identity, by name, or by the name that it had in this stage before an
        undo. (Loops of other stages may have the same names.)"""
        if isinstance(what, IterVar):
            former = self.schedule.former_name(what, self)
            return what if self.has_axis(what) else None if former is None else self._names.get(former)
        return self._names.get(what) if isinstance(what, str) else None

    def has_axis(self, iv: IterVar) -> bool:
        """Whether `iv` itself is an axis or loop of this stage."""
        return any(own is iv for own in self._names.values())

    def handles(self) -> dict[IterVar, tuple[str, str]]:
        """The axes and loops of this stage, each with the name of the stage and its own."""
        return {iv: (self.name, name) for name, iv in self._names.items()}

    @property
    def all_iter_vars(self) -> LoopList:
        return LoopList(self._names.values())

    def replaced_by(self, iv: IterVar) -> str | None:
        """What became of an axis that is no loop any more: "split into i.outer and i.inner"."""
        for r in self.relations:
            match r:
                case Split(parent, outer, inner) if parent is iv:
                    return f"split into {self.axis_name(outer)} and {self.axis_name(inner)}"
                case Fuse(outer, inner, fused) if iv is outer or iv is inner:
                    return f"fused into {self.axis_name(fused)}"
        return None

    def loops_of(self, axis: IterVar) -> LoopList:
        """The loops that `axis` became part of, outermost first."""
        loops = {axis}
        for r in self.relations:
            match r:
                case Split(parent, outer, inner) if parent in loops:
                    loops |= {outer, inner}
                case Fuse(outer, inner, fused) if outer in loops or inner in loops:
                    loops.add(fused)
        return LoopList([iv for iv in self.leaf_iter_vars if iv in loops])

    def replace_leaves(self, old: list[IterVar], new: list[IterVar]) -> None:
        """Put the loops `new` where `old` (adjacent) stood."""
        at = self.leaf_iter_vars.index(old[0])
        self.leaf_iter_vars = LoopList(
            [*self.leaf_iter_vars[:at], *new, *self.leaf_iter_vars[at + len(old) :]]
        )

    def carry(self, old: Sequence[IterVar], new: IterVar) -> None:
        """Compute at loop `new`, and keep at it, what was computed or kept at the loops `old`, which became it, or it is a
        part of."""
        inner: list[Stage | StageGroup] = [*self.schedule.stages, *self.schedule.groups]
        for x in inner:
            at = x.own_place
            if isinstance(at, At | With) and at.stage is self and any(at.axis is iv for iv in old):
                x.own_place = replace(at, axis=new)
        for s in self.schedule.stages:
            kept = s.stored
            if isinstance(kept, At) and kept.stage is self and any(kept.axis is iv for iv in old):
                s.unmark("store_at")
                s.mark("store_at", None, self, new)

    # ---- as classic programs look at it

    @property
    def origin_op(self) -> Operation:
        """The operation that the program was written with: a cache or a factored reduction computes another one."""
        return self.first_op

    @property
    def attach_type(self) -> int:
        """Where it is computed, as a number of classic TE: 1 at the root or where its group is, 2 inline, 4 in a loop."""
        return _ATTACH_TYPES.get(type(self.attach), 1)

    @property
    def attach_ivar(self) -> IterVar | None:
        """The loop that it is computed at."""
        return None if self.attached is None else self.attached.axis

    @property
    def attach_stage(self) -> Stage | None:
        """The stage whose loop it is computed at."""
        return None if self.attached is None else self.attached.stage

    @property
    def iter_var_attrs(self) -> dict[IterVar, IterVarAttr]:
        """What primitives said of its loops."""
        return {iv: IterVarAttr(self, iv) for iv in self.all_iter_vars if self.marks_on(iv)}

    # ---- what a person sees

    def loops(self) -> str:
        """This stage as it is now, in the words of `loop_text.py`: `i.outer(32), i.inner(32, vectorize); double buffered`."""
        return loops_text(self, self.schedule.extents(self))

    def origin(self, iv: IterVar | None = None) -> Origin:
        """Where the loop of `iv` (or this stage) came from."""
        if iv is None:
            return Origin(self.name, None, self.place_step, self.op.span, self._place_steps())
        step = self.made_by.get(iv)
        journal = self.schedule.journal
        span = journal[step].span if step is not None and step < len(journal) else self.op.span
        return Origin(self.name, self.axis_name(iv), step, span, self.shaped_by.get(iv, ()))

    def state(self) -> tuple[tuple[Hashable, ...], list[object]]:
        """A key for all that this stage is, and the objects that the key names by their ids."""
        at = self.attach
        place = (at.stage.name, id(at.axis), self.is_after) if isinstance(at, At) else at
        named: list[object] = [self.op, *self.relations, *self._names.values()]
        made_by = tuple([(id(iv), step) for iv, step in self.made_by.items()])
        journal = self.schedule.journal
        key = (
            self.name,
            tuple([(m.primitive, id(m.axis), *map(_key, m.values)) for m in self.marks]),
            place,
            tuple([id(o) for o in named]),
            tuple(self._names),
            tuple([id(iv) for iv in self.leaf_iter_vars]),
            made_by,
            tuple([journal[step].span for _, step in made_by if step < len(journal)]),
            self.place_step,
            tuple([(id(iv), steps) for iv, steps in self.shaped_by.items()]),
            self._place_steps(),
        )
        named += self.marks
        if isinstance(at, At):
            named.append(at.axis)
        return key, named

    def _place_steps(self) -> tuple[int, ...]:
        """The steps that shaped the place of this stage and of those that are computed inline in it."""
        own = self.shaped_by.get(None, ())
        inline = dict.fromkeys(s for s in self.reads() if s.is_inlined)
        pending = list(inline)
        while pending:
            new = [s for s in pending.pop().reads() if s.is_inlined and s not in inline]
            inline.update(dict.fromkeys(new))
            pending += new
        if not inline:
            return own
        return tuple(sorted({*own, *(i for s in inline for i in s.shaped_by.get(None, ()))}))

    def __repr__(self) -> str:
        return f"Stage({self.name}: {self.loops()})"

    # ---- what can be done to it: methods that are primitives come from `primitives/`

    def do(self, primitive: str, **arguments: object) -> Any:
        """Apply a primitive and record it. Raises ScheduleError and changes nothing if it is refused."""
        return self.schedule.do(primitive, self, arguments)


def _key(value: object) -> Hashable:
    """A value of a mark for a key: things are known by their ids."""
    return value if isinstance(value, int | str | None) else id(value)


def split_loop(
    stage: Stage,
    parent: IterVar,
    factor: int | str | None,
    nparts: int | str | None,
    disable_predication: bool = False,
    part: Var | None = None,
    tail: str = GUARD,
) -> Split:
    """The split of a loop of `stage`, not applied yet. Sizes that are known in kernels only are given as text."""
    inside, parts = (read_size(stage.schedule, n) if isinstance(n, str) else n for n in (factor, nparts))
    return Split.make(
        parent, inside, parts, stage.schedule.extents(stage)[parent], disable_predication, part, tail
    )


def flat(axes: Iterable[Any]) -> list[Any]:
    """Axes given one by one, or in lists."""
    return [iv for given in axes for iv in (flat(given) if isinstance(given, list | tuple) else [given])]


def fuse_loops(stage: Stage, outer: IterVar, inner: IterVar) -> Fuse:
    """The fusion of two loops of `stage`, not applied yet."""
    return Fuse.make(outer, inner, stage.schedule.extents(stage))
