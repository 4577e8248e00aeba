"""A stage: one operation of the program with the loops that will compute it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tewb.ir import IterVar, Origin
from tewb.schedule.marks import loops_text
from tewb.schedule.relation import Fuse, Relation, Split
from tewb.tensor import Operation, PlaceholderOp, Tensor

if TYPE_CHECKING:
    from tewb.schedule.prefetch import Prefetch
    from tewb.schedule.schedule import Schedule

INLINE = "inline"


class Loops(list[IterVar]):
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
    """The place inside `axis` of `stage`."""

    stage: Stage
    axis: IterVar


class Stage:
    """The loops of one operation, and where they stand.

    `leaf_iter_vars` are the loops from outermost to innermost, `relations` how they came from the axes,
    `annotations` how they run. `shaped_by` are the steps of the journal that shaped a loop, or (under None)
    the place of the stage; `made_by` and `place_step` are the latest that made them. `alignments` are the (factor,
    offset) that strides of dimensions were asked to have. `attach` is None (at the root), INLINE, or a place in
    another stage. `is_nontemporal` says that its results go to memory past the caches, `is_double` that it is
    computed one iteration ahead.
    """

    __slots__ = ("_names", "alignments", "annotations", "attach", "first_op", "is_double", "is_nontemporal", "leaf_iter_vars",
                 "made_by", "name", "op", "place_step", "pragmas", "prefetches", "relations", "schedule", "scope", "shaped_by")  # fmt: skip

    def __init__(self, schedule: Schedule, op: Operation, name: str) -> None:
        self.schedule, self.name, self.first_op = schedule, name, op
        self.op = op
        self.reset(op)

    def reset(self, op: Operation) -> None:
        """Make this the untouched stage of `op`."""
        self.op = op
        self.schedule.operations_changed()
        self.relations: list[Relation] = []
        self.leaf_iter_vars = Loops([*op.axis, *op.reduce_axis])
        self.annotations: dict[IterVar, str] = {}
        self.attach: At | str | None = None
        self.scope = "global"
        self.is_nontemporal = False
        self.is_double = False
        self.prefetches: list[Prefetch] = []
        self.pragmas: dict[tuple[IterVar, str], int] = {}
        self.alignments: dict[IterVar, tuple[int, int]] = {}
        self.made_by: dict[IterVar, int] = {}
        self.place_step: int | None = None
        self.shaped_by: dict[IterVar | None, tuple[int, ...]] = {}
        self._names: dict[str, IterVar] = {}
        for iv in self.leaf_iter_vars:
            self.register(iv)

    # ---- what it is

    @property
    def is_placeholder(self) -> bool:
        return isinstance(self.op, PlaceholderOp)

    @property
    def is_output(self) -> bool:
        return self in self.schedule.output_stages

    @property
    def is_inlined(self) -> bool:
        return self.attach == INLINE

    @property
    def attached(self) -> At | None:
        """The loop of another stage that it is computed at; None at the root, and inline."""
        return self.attach if isinstance(self.attach, At) else None

    def outputs(self) -> tuple[Tensor, ...]:
        return self.op.outputs

    def reads(self) -> list[Stage]:
        """The stages whose tensors this one reads, without repetition."""
        return list(dict.fromkeys(self.schedule.stage_of(t) for t in self.op.inputs))

    def readers(self) -> list[Stage]:
        """The stages that read this one."""
        return list(self.schedule.readers_of(self))

    # ---- axes and their names

    def register(self, iv: IterVar, step: int | None = None, parents: Sequence[IterVar] = ()) -> None:
        """Give `iv` its name in this stage: its own, with a number when it is taken. `step` made it from the
        loops `parents`."""
        name, n = iv.name, 0
        while name in self._names:
            n += 1
            name = f"{iv.name}_{n}"
        self._names[name] = iv
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
        """Remember that `step` said where this stage stands."""
        self.place_step = step
        self.shape(None, step)

    def axis_name(self, iv: IterVar) -> str:
        """The name of an axis in this stage."""
        return next((name for name, own in self._names.items() if own is iv), iv.name)

    def find_axis(self, what: object) -> IterVar | None:
        """An axis or loop of this stage: by identity, by name, or by the name that it had in this stage before an
        undo. (Loops of other stages have the same names, and are not meant.)"""
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
    def all_iter_vars(self) -> list[IterVar]:
        return list(self._names.values())

    def replaced_by(self, iv: IterVar) -> str | None:
        """What became of an axis that is no loop any more: "split into i.outer and i.inner"."""
        for r in self.relations:
            match r:
                case Split(parent, outer, inner) if parent is iv:
                    return f"split into {self.axis_name(outer)} and {self.axis_name(inner)}"
                case Fuse(outer, inner, fused) if iv is outer or iv is inner:
                    return f"fused into {self.axis_name(fused)}"
        return None

    def loops_of(self, axis: IterVar) -> Loops:
        """The loops that `axis` became part of, outermost first."""
        made = {axis}
        for r in self.relations:
            match r:
                case Split(parent, outer, inner) if parent in made:
                    made |= {outer, inner}
                case Fuse(outer, inner, fused) if outer in made or inner in made:
                    made.add(fused)
        return Loops([iv for iv in self.leaf_iter_vars if iv in made])

    def replace_leaves(self, old: list[IterVar], new: list[IterVar]) -> None:
        """Put the loops `new` where `old` (adjacent) stood."""
        at = self.leaf_iter_vars.index(old[0])
        self.leaf_iter_vars = Loops([*self.leaf_iter_vars[:at], *new, *self.leaf_iter_vars[at + len(old) :]])

    # ---- what a person sees

    def loops(self) -> str:
        """This stage as it is now, in the words of `marks.py`: `i.outer(32), i.inner(32, vectorize); double buffered`."""
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
        place = (at.stage.name, id(at.axis)) if isinstance(at, At) else at
        named: list[object] = [self.op, *self.relations, *self._names.values(), *self.prefetches]
        made = tuple([(id(iv), step) for iv, step in self.made_by.items()])
        journal = self.schedule.journal
        key = (
            self.name,
            self.scope,
            self.is_nontemporal,
            self.is_double,
            tuple([(id(p.source), id(p.axis), p.offset) for p in self.prefetches]),
            tuple([(id(iv), key, value) for (iv, key), value in self.pragmas.items()]),
            tuple([(id(iv), gap) for iv, gap in self.alignments.items()]),
            place,
            tuple([id(o) for o in named]),
            tuple(self._names),
            tuple([id(iv) for iv in self.leaf_iter_vars]),
            tuple([(id(iv), kind) for iv, kind in self.annotations.items()]),
            made,
            tuple([journal[step].span for _, step in made if step < len(journal)]),
            self.place_step,
            tuple([(id(iv), steps) for iv, steps in self.shaped_by.items()]),
            self._place_steps(),
        )
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

    # ---- the primitives; the checks and effects are in primitives.py

    def _do(self, primitive: str, **arguments: object) -> Any:
        return self.schedule.do(primitive, self, arguments)

    def split(
        self, parent: IterVar | str, factor: int | None = None, nparts: int | None = None
    ) -> tuple[IterVar, IterVar]:
        """Split a loop into an outer and an inner one, with `factor` inner or `nparts` outer iterations.

            for i in n:              for i.outer in (n + factor - 1) // factor:
                body(i)         ->       for i.inner in factor:
                                             if i.outer*factor + i.inner < n:     (where it does not divide)
                                                 body(i.outer*factor + i.inner)

        Returns (outer, inner). They are int64 where n, rounded up, passes int32; of a symbolic n that is checked when
        the kernel is called.
        """
        return self._do("split", axis=parent, factor=factor, nparts=nparts)  # type: ignore[no-any-return]

    def tile(
        self, x_parent: IterVar | str, y_parent: IterVar | str, x_factor: int, y_factor: int
    ) -> tuple[IterVar, IterVar, IterVar, IterVar]:
        """Split two loops and order them as a loop over tiles around the loops inside one tile.

            for x in n:                  for x.outer, y.outer:
                for y in m:         ->       for x.inner in x_factor:
                    body(x, y)                   for y.inner in y_factor: body

        Returns (x.outer, y.outer, x.inner, y.inner).
        """
        return self._do("tile", x=x_parent, y=y_parent, x_factor=x_factor, y_factor=y_factor)  # type: ignore[no-any-return]

    def fuse(self, *axes: IterVar | str) -> IterVar:
        """Fuse adjacent loops into one.

            for i in n:                       for i.j.fused in n*m:
                for j in m:  body(i, j)   ->      body(i.j.fused // m, i.j.fused % m)

        Returns the fused loop. It is int64 where it may have more iterations than int32 counts, as with symbolic sizes.
        """
        return self._do("fuse", axes=list(axes))  # type: ignore[no-any-return]

    def reorder(self, *axes: IterVar | str) -> None:
        """Put loops in the given order, in the places that they take now.

        for i: for j: for k: body    -- reorder(k, i) -->    for k: for j: for i: body
        """
        self._do("reorder", axes=list(axes))

    def vectorize(self, var: IterVar | str) -> None:
        """Run all iterations of a loop at once, as the lanes of vectors. Its extent must be constant.

        for i in 8: A[i] = B[i]    ->    A[0:8] = B[0:8]

        The terms of a reduction are combined in another order, so that float sums change within rounding:
        every lane combines its own terms, and in the end the lanes are joined by halves.

            for k.outer:                            C.lanes[0:8] = 0
                for k.inner in 8:                   for k.outer: C.lanes[0:8] += B[k.outer*8 : k.outer*8 + 8]
                    C += B[k.outer*8 + k.inner]  -> C.lanes[0:4] += C.lanes[4:8]
                                                    C.lanes[0:2] += C.lanes[2:4];  C = C.lanes[0] + C.lanes[1]

        More lanes than a vector has make several accumulators: 64 floats are 4 vectors of 512 bits. A reducer that
        takes the first of equals is not commutative, and may take another one then.

        More than 64 lanes are cut into vectors of 64, or of 16 where elements do not lie side by side; more than
        four such vectors are a loop, as the lowered program shows:

        for i in 528: A[i] = B[i]    ->    for i.vector in 8: A[i.vector*64 : i.vector*64 + 64] = B[...]
                                           A[512:528] = B[512:528]
        """
        self._do("vectorize", axis=var)

    def unroll(self, var: IterVar | str) -> None:
        """Write the iterations of a loop one after the other. Its extent must be constant. The unrolled loops of a
        program may become 60,000 nodes of IR in all: more are refused when it is lowered.

        for i in 2: body(i)    ->    body(0); body(1)
        """
        self._do("unroll", axis=var)

    def parallel(self, var: IterVar | str) -> None:
        """Run the iterations of a loop on the threads of the pool.

        for i in n: body(i)    ->    for i in parallel(n): body(i)
        """
        self._do("parallel", axis=var)

    def transpose(self, rows: IterVar | str, lanes: IterVar | str) -> None:
        """Vectorize two loops at once, as a tile of registers: `lanes`, the innermost loop, becomes lanes, and
        `rows`, right around it, the vectors of the tile. What is contiguous along `rows` instead is loaded or stored
        that way, and transposed by shuffles in registers. Extents are small powers of two.

        for r in 8:                           a0, ..., a7 = A[0, 0:8], ..., A[7, 0:8]
            for l in 8: B[r, l] = A[l, r]  ->     (3 stages of shuffles)
                                              B[0, 0:8], ..., B[7, 0:8] = a0, ..., a7

        Where the elements of a tile all lie side by side, `rows` may be any few: the channels of an image.
        """
        self._do("transpose", rows=rows, lanes=lanes)

    def dot(self, var: IterVar | str) -> None:
        """Add up the iterations of a reduce loop as one widening dot product: 4 products of 8-bit integers, or 2 of
        16-bit ones, in int32.

            for ki in 4:                                            C[j] = T.dot4(C[j], A[4*ko : 4*ko + 4],
                C[j] += int32(A[4*ko + ki]) * int32(P[j, ki])   ->                      P[j, 0:4])

        The loop is the innermost one, and both factors are read at neighbours in memory as it runs. Vectorized over
        j, it is one instruction for all lanes where the processor has it: here P holds the 4 neighbours of each
        lane side by side. A matrix is brought into that form by a stage of the program:

            P = te.compute((k // 4, n, 4), lambda ko, j, ki: B[ko * 4 + ki, j], name="P")
            C = te.compute((m, n), lambda i, j: te.sum(
                A[i, k].astype("int32") * P[k // 4, j, k % 4].astype("int32"), axis=k), name="C")

        The sum wraps as int32 does. Where a guard remains inside, or lanes are not side by side, the loop runs
        serially: the result is the same.
        """
        self._do("dot", axis=var)

    def compute_at(self, parent: Stage | Tensor, scope: IterVar | str) -> None:
        """Compute this stage inside loop `scope` of stage `parent`, just the part that is needed there.

        for j: B[j] = ...                 for i: B[i] = ...
        for i: C[i] = f(B[i])      ->            C[i] = f(B[i])
        """
        self._do("compute_at", parent=parent, axis=scope)

    def compute_inline(self) -> None:
        """Put the expression of this stage where its elements are read; it gets no loops and no memory.

        B[j] = g(j);  C[i] = f(B[i])    ->    C[i] = f(g(i))
        """
        self._do("compute_inline")

    def compute_root(self) -> None:
        """Compute this stage before everything that reads it, in loops of its own."""
        self._do("compute_root")

    def set_scope(self, scope: str) -> None:
        """Keep this stage's values in `scope` ("global" or "local")."""
        self._do("set_scope", scope=scope)

    def nontemporal(self) -> None:
        """Store the results of this stage to memory past the caches, in whole vectors.

            for i.outer:                                       for i.outer:
                B[i.outer*16 : i.outer*16 + 16] = x    ->          B[...] = T.nontemporal(x)

        An ordinary store first reads the line of memory that it changes, and keeps it in the caches in place of
        something else. A non-temporal one (the term of processors' manuals, LLVM and OpenMP, also called a streaming
        store) does neither: worth it for results larger than the last cache that nothing reads soon. The stage
        stands at the root and holds no reduction; one that other stages of the kernel read is allowed, and pays when
        it is as large as that.

        Vectorize the loop along the rows as well: these are stores of vectors of neighbours. Single elements and
        lanes that lie apart are stored as usual, since non-temporal stores of less than 16 bytes took half again as long
        as ordinary ones (relu(a*b + c) on 16M floats). So are vectors that begin between multiples of 16 bytes: the
        kernel asks for that when it runs, outside of the loops where it can.
        """
        self._do("nontemporal")

    def prefetch(self, tensor: Stage | Tensor, axis: IterVar | str, offset: int = 1) -> None:
        """At each iteration of loop `axis`, ask the memory for what the iteration `offset` later reads of `tensor`:
        one request for each line of the cache that the box holds.

        for i in n: B[i] = f(A[i, 0:16])    ->    for i in n: prefetch(A[i + offset, 0]); B[i] = f(A[i, 0:16])

        Results never change: a request past the end of an array reads nothing and cannot fail. What this stage
        does not read any more (a copy took its place), or computes in the same iteration, is not asked for.
        """
        self._do("prefetch", tensor=tensor, axis=axis, offset=offset)

    def pragma(self, var: IterVar | str, pragma_type: str, pragma_value: int = 1) -> None:
        """Say something of the loops inside of loop `var`, as classic schedules do:

        * `auto_unroll_max_step`: unroll those that come to so many steps or fewer;
        * `unroll_explicit`: 0 leaves unrolled ones to the machine-code compiler, 1 writes them out, which is the
          default.

            for i: for j in 4: body    -- pragma(i, "auto_unroll_max_step", 16) -->    for i: for j in unroll(4): body
        """
        self._do("pragma", axis=var, key=pragma_type, value=pragma_value)

    def double_buffer(self) -> None:
        """Compute the part that the next iteration of the loop around needs in this one, in memory for two parts.

            for k in n:                      B[0] = f(0)
                B = f(k)              ->     for k in n:
                use B                            if k + 1 < n: B[(k + 1) % 2] = f(k + 1)
                                                 use B[k % 2]

        The stage is computed at that loop: call compute_at first.
        """
        self._do("double_buffer")

    def storage_align(self, axis: IterVar | str, factor: int, offset: int = 0) -> None:
        """Keep this stage with gaps, so that the stride of dimension `axis` is `offset` more than a multiple of
        `factor` elements. Rows a power of two apart compete for the same lines of a cache.

        B = allocate((32, 1024))    -- storage_align(i, 32, 16) -->    B = allocate((32, 1024), strides=(1040, 1))
        """
        self._do("storage_align", axis=axis, factor=factor, offset=offset)


def split_loop(stage: Stage, parent: IterVar, factor: int | None, nparts: int | None) -> Split:
    """The split of a loop of `stage`, not made yet."""
    return Split.make(parent, factor, nparts, stage.schedule.extents(stage)[parent])


def fuse_loops(stage: Stage, outer: IterVar, inner: IterVar) -> Fuse:
    """The fusion of two loops of `stage`, not made yet."""
    return Fuse.make(outer, inner, stage.schedule.extents(stage))
