"""How a program is built and called: the order of its arguments, their layouts, the sizes, options and targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.fuzz import capabilities
from tests.fuzz.expressions import E, size, walk
from tests.fuzz.graphs import MOST_POINTS, Graph
from tests.fuzz.programs import Call, Layout, Stage


@dataclass
class Use:
    """The use of a graph."""

    graph: Graph

    def __post_init__(self) -> None:
        self.rng, self.habits = self.graph.rng, self.graph.habits
        self.scalars, self.inputs, self.stages = self.graph.scalars, self.graph.inputs, self.graph.stages

    def is_scalar(self, ident: str) -> bool:
        return any(s.ident == ident for s in self.scalars)

    def arguments(self) -> tuple[str, ...]:
        rng = self.rng
        read = {e for s in self.stages for e in _loaded(s)}
        results = [
            t
            for s in self.stages
            if not any(t in read for t in s.outputs) and not s.is_virtual
            for t in s.outputs
        ]
        more = [s for s in self.stages if not s.is_virtual and rng.random() < 0.1]
        results += [t for s in more for t in s.outputs if t not in results]
        if not results:  # the last stage is a large one, which is not stored
            results = list(next(s for s in reversed(self.stages) if not s.is_virtual).outputs)
        inputs = [i.ident for i in self.inputs if i.ident in read or rng.random() < 0.3]
        told = {n.data for t in (*inputs, *results) for n in self.shape_of(t) if n.op == "name"}
        scalars = [s.ident for s in self.scalars if s.ident not in told or rng.random() < 0.3]
        rest = [*inputs, *scalars]
        rng.shuffle(rest)
        rng.shuffle(results)
        chosen = [*rest, *results]
        if rng.random() < 0.3:
            rng.shuffle(chosen)
        return tuple(chosen)

    def shape_of(self, tensor: str) -> tuple[E, ...]:
        for i in self.inputs:
            if i.ident == tensor:
                return i.shape
        return next(s.shape for s in self.stages if tensor in s.outputs)

    def stride_kind(self, tensor: str) -> str:
        if any(n.op == "const" and n.data > 40000 for n in self.shape_of(tensor)):
            return self.rng.choice(["int32", "int64"])
        if not self.habits.views or not self.shape_of(tensor):
            return "-"
        fixed = all(n.op == "const" for n in self.shape_of(tensor))
        return self.rng.choice(["-", "int32", "int32", "int64", *["numbers"] * fixed])

    def layout(self, shape: tuple[E, ...], is_output: bool) -> Layout:
        rng = self.rng
        rank = len(shape)
        order = list(range(rank))
        steps, backwards = [1] * rank, [False] * rank
        if rng.random() < 0.6:
            if rng.random() < 0.4:
                rng.shuffle(order)
            if rng.random() < 0.4:
                steps = [rng.choice([1, 1, 2, 3]) for _ in order]
            if rng.random() < 0.4:
                backwards = [rng.random() < 0.5 for _ in order]
            if not is_output and rng.random() < 0.3:
                steps = [0 if rng.random() < 0.5 else s for s in steps]
        steps = [0 if n.op == "const" and n.data > 40000 else s for n, s in zip(shape, steps, strict=True)]
        return Layout(
            tuple(order), tuple(steps), tuple(backwards), int(rng.random() < 0.05), rng.random() < 0.6
        )

    def call(self, arguments: tuple[str, ...], fixed: set[str]) -> Call:
        """One call; the arrays of `fixed` have strides of their own."""
        rng = self.rng
        sizes = {s.ident: rng.choice([0, 1, 2, 3, 5, 8, 13, 16, 17, 31]) for s in self.scalars if s.is_size}
        while max(sizes.values(), default=0) > 1 and max(self.points_now(sizes)) > 6 * MOST_POINTS:
            sizes = {k: max(v // 2, 1) for k, v in sizes.items()}
        sizes |= self.graph.large_sizes
        made = {t for s in self.stages for t in s.outputs}
        tensors = [a for a in arguments if not self.is_scalar(a)]
        layouts = {t: self.layout(self.shape_of(t), t in made) for t in tensors}
        omit = rng.random() < 0.15 and self.may_omit(arguments, made)
        aliases: dict[str, tuple[str, bool]] = {}
        if not omit and rng.random() < 0.12:
            inputs = [
                i for i in self.inputs if i.ident in arguments and i.index_of is None and i.ident not in fixed
            ]
            pairs = [(i.ident, r) for i in inputs for r in tensors if r in made and self.shape_of(r) == i.shape and
                     self.dtype_of(r) == i.dtype]  # fmt: skip
            if pairs:
                i, r = rng.choice(pairs)
                aliases[i] = (r, rng.random() < 0.3)
        wild = self.habits.from_data and rng.random() < 0.3
        return Call(sizes, layouts, rng.randrange(1 << 30), wild, omit, aliases)

    def may_omit(self, arguments: tuple[str, ...], made: set[str]) -> bool:
        """Whether the results come last, and the other arguments tell their sizes."""
        first = next(n for n, a in enumerate(arguments) if a in made)
        given, results = arguments[:first], arguments[first:]
        told = {a for a in given if self.is_scalar(a)}
        told |= {n.data for a in given if not self.is_scalar(a) for n in self.shape_of(a) if n.op == "name"}
        needed = {
            e.data for r in results if r in made for n in self.shape_of(r) for e in walk(n) if e.op == "name"
        }
        return all(r in made for r in results) and needed <= told

    def points_now(self, sizes: dict[str, int]) -> list[int]:
        found = [1]
        for s in self.stages:
            if not s.is_virtual:
                total = 1
                for n in s.shape:
                    total *= size(n, sizes)
                for a in (
                    s.reduction.axes if s.reduction and not s.reduction.inside and not s.is_count else ()
                ):
                    total *= max(size(a.end, sizes) - size(a.begin, sizes), 1)
                found.append(total)
        return found

    def dtype_of(self, tensor: str) -> str:
        for s in self.stages:
            if tensor in s.outputs:
                return s.dtypes[s.outputs.index(tensor)]
        raise KeyError(tensor)

    def options(self) -> dict[str, Any]:
        rng = self.rng
        made: dict[str, Any] = {"tewb.object_cache": rng.random() < 0.03}
        if rng.random() < 0.03:
            made["opt_level"] = rng.choice([0, 1, 2, 3])
        for key, default in capabilities.pass_options().items():
            if isinstance(default, bool) and key != "tewb.object_cache" and rng.random() < 0.12:
                made[key] = not default
        return made

    def build(self) -> dict[str, Any]:
        rng = self.rng
        made: dict[str, Any] = {}
        if rng.random() < 0.12:
            made["debug"] = True
        if rng.random() < 0.25 and any(
            s.template in ("scale", "window", "rows", "whole") for s in self.stages
        ):
            made["checked"] = True
        if rng.random() < 0.12:
            made["target"] = rng.choice(capabilities.targets())
        return made


def _loaded(s: Stage) -> set[str]:
    found = set(s.reads)
    parts: list[E] = list(s.bodies)
    if s.reduction is not None:
        parts += [e for a in s.reduction.axes for e in (a.begin, a.end)]
        parts += [s.reduction.where] if s.reduction.where is not None else []
    found |= {n.data for e in parts for n in walk(e) if n.op == "load"}
    return found
