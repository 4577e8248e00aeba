"""A program as data: what it reads, computes and gives, how it is scheduled and built, and how it is called."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from tests.fuzz.expressions import E

Spread = tuple[float, int]  # the largest magnitude of a float, and the bits after its point


@dataclass(frozen=True, slots=True)
class Input:
    """A placeholder. `index_of` is the size that its values index into, when they are indices."""

    ident: str
    name: str
    dtype: str
    shape: tuple[E, ...]
    index_of: E | None = None
    special: bool = False  # NaN, infinities and the zero with a sign are among its values


@dataclass(frozen=True, slots=True)
class Scalar:
    """A `te.var`: a size, or a number that expressions use."""

    ident: str
    name: str
    dtype: str
    is_size: bool


@dataclass(frozen=True, slots=True)
class ReduceAxis:
    ident: str
    name: str
    dtype: str
    begin: E
    end: E


@dataclass(frozen=True, slots=True)
class Reduction:
    """`reducer` over `axes`. The bodies of the stage are its sources."""

    reducer: str
    axes: tuple[ReduceAxis, ...]
    where: E | None = None
    init: tuple[E, ...] | None = None
    inside: bool = False  # the axes are made inside of the compute, since they depend on its indices


@dataclass(frozen=True, slots=True)
class Stage:
    """A compute (`bodies` of `axes`), or a `template`: an extern or a hybrid function of the tensors `reads`."""

    ident: str
    name: str
    dtypes: tuple[str, ...]
    shape: tuple[E, ...]
    axes: tuple[str, ...] = ()
    bodies: tuple[E, ...] = ()
    reduction: Reduction | None = None
    template: str = ""
    reads: tuple[str, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()
    is_rounded: bool = False  # its values are near, not exact
    is_virtual: bool = False  # too large to be stored: it is inlined
    is_count: bool = False  # a sum of ones over loops so large that only their extents are of interest

    @property
    def outputs(self) -> tuple[str, ...]:
        return (
            (self.ident,)
            if len(self.dtypes) == 1
            else tuple(f"{self.ident}_{n}" for n in range(len(self.dtypes)))
        )


@dataclass(frozen=True, slots=True)
class Layout:
    """How an array lies in memory: the order of its axes from the outermost, steps between neighbours (0: all
    one element), which axes run backwards, bytes that it is off its alignment, and whether it ends at a guard
    page or begins at one."""

    order: tuple[int, ...] = ()
    steps: tuple[int, ...] = ()
    backwards: tuple[bool, ...] = ()
    shift: int = 0
    at_end: bool = True


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the sizes, the layout of each array, the seed of the values, whether indices in the data may be
    wrong, whether outputs are left out, and which input shares the memory of which output."""

    sizes: dict[str, int]
    layouts: dict[str, Layout]
    seed: int
    is_wild: bool = False
    omit: bool = False
    aliases: dict[str, tuple[str, bool]] = field(default_factory=dict)  # input: (output, reversed)


def is_straight(seed: str) -> bool:
    """Whether the indices of a program are its axes, so that intrinsics fit."""
    return random.Random(f"{seed} straight").random() < 0.2


@dataclass(frozen=True, slots=True)
class Program:
    """`strides` says of each argument what its buffer declares: nothing ("-"), symbols of a dtype, or "numbers", which
    are those of the first call."""

    seed: str
    scalars: tuple[Scalar, ...]
    inputs: tuple[Input, ...]
    stages: tuple[Stage, ...]
    arguments: tuple[str, ...]
    strides: dict[str, str]
    steps: tuple[Any, ...] | None
    wanted_steps: int
    options: dict[str, Any]
    build: dict[str, Any]
    calls: tuple[Call, ...]

    @property
    def results(self) -> tuple[str, ...]:
        """The stages' tensors among the arguments."""
        made = {t for s in self.stages for t in s.outputs}
        return tuple(a for a in self.arguments if a in made)

    @property
    def is_heavy(self) -> bool:
        """Whether its size alone may explain that it takes long."""
        shapes = [[n.data for n in s.shape if n.op == "const"] for s in self.stages]
        empty = any(min(n, default=1) == 0 and max(n) > 40000 for n in shapes)
        parts = any(
            isinstance(v, int) and v >= 2**31 - 1 for step in self.steps or () for v in step[2].values()
        )
        return empty or parts or any(s.is_count for s in self.stages)

    def stage_of(self, tensor: str) -> Stage:
        return next(s for s in self.stages if tensor in s.outputs)

    def shape_of(self, tensor: str) -> tuple[E, ...]:
        made = next((i.shape for i in self.inputs if i.ident == tensor), None)
        return made if made is not None else self.stage_of(tensor).shape

    def dtype_of(self, tensor: str) -> str:
        made = next((i.dtype for i in self.inputs if i.ident == tensor), None)
        if made is not None:
            return made
        stage = self.stage_of(tensor)
        return stage.dtypes[stage.outputs.index(tensor)]
