"""What a program should give, computed with numpy from its definition. Nothing of tewb is asked.

A stage is a function from indices to values, so one that is too large to be stored is only looked at where it
is read. A read outside of a tensor is noted as a `wild` one, and gives 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tests.fuzz import templates
from tests.fuzz.expressions import Reader, is_float, least, most, size, value
from tests.fuzz.programs import Call, Program, ReduceAxis, Reduction, Stage

Arrays = dict[str, Any]


class Reference(Reader):
    """The values of a program for the arrays and numbers of one call."""

    def __init__(
        self, program: Program, call: Call, arrays: Mapping[str, Any], numbers: Mapping[str, Any]
    ) -> None:
        self.program, self.sizes = program, call.sizes
        self.arrays: Arrays = dict(arrays)
        self.names: dict[str, Any] = {**numbers}
        self.must_raise = False  # a result needs an element that is not there
        self.may_raise = False  # somebody may look at one
        self._stage: Stage | None = None

    def results(self) -> Arrays:
        """The arrays of all stages that are stored."""
        with np.errstate(all="ignore"):
            for s in self.program.stages:
                if not s.is_virtual:
                    self._stage = s
                    self._compute(s)
        return self.arrays

    def _compute(self, s: Stage) -> None:
        if s.template:
            made = templates.TEMPLATES[s.template].reference(self.arrays[s.reads[0]])
            self.arrays.update(zip(s.outputs, made, strict=True))
            return
        shape = tuple(size(n, self.sizes) for n in s.shape)
        if 0 in shape:
            self.arrays.update((t, np.zeros(shape, d)) for t, d in zip(s.outputs, s.dtypes, strict=True))
            return
        grid = [
            np.arange(n).reshape([n if d == e else 1 for e in range(len(shape))]) for d, n in enumerate(shape)
        ]
        for t, made in zip(s.outputs, self._at(s, grid, True, True, shape), strict=True):
            self.arrays[t] = np.broadcast_to(made, shape).copy()

    def _at(
        self, s: Stage, indices: list[Any], mask: Any, certain: bool, shape: tuple[int, ...]
    ) -> list[Any]:
        """The values of the outputs of a stage at indices."""
        names = {**self.names, **dict(zip(s.axes, indices, strict=True))}
        mask = np.broadcast_to(mask, shape)
        if s.reduction is not None:
            return self._reduced(s, s.reduction, names, mask, certain, shape)
        return [value(b, names, self, mask, certain) for b in s.bodies]

    def _reduced(
        self, s: Stage, r: Reduction, names: dict[str, Any], mask: Any, certain: bool, shape: tuple[int, ...]
    ) -> list[Any]:
        start = [np.asarray(e.data) for e in r.init] if r.init else identity(r.reducer, s.dtypes)
        state = [np.broadcast_to(x, shape).astype(d) for x, d in zip(start, s.dtypes, strict=True)]
        if s.is_count:
            total = 1
            for a in r.axes:
                total *= max(int(value(a.end, names, self)) - int(value(a.begin, names, self)), 0)
            d = s.dtypes[0]
            return [
                np.broadcast_to(np.array(total % 2 ** (8 * np.dtype(d).itemsize), "uint64").astype(d), shape)
            ]
        for here, inside in self._points(r.axes, names, mask, certain):
            if r.where is not None:
                inside = inside & value(r.where, here, self, inside, certain)
            new = [value(b, here, self, inside, certain) for b in s.bodies]
            made = COMBINE[r.reducer](state, new)
            state = [np.where(inside, x, old).astype(old.dtype) for x, old in zip(made, state, strict=True)]
        return state

    def _points(
        self, axes: tuple[ReduceAxis, ...], names: dict[str, Any], mask: Any, certain: bool
    ) -> Iterator[tuple[dict[str, Any], Any]]:
        """The iterations of reduce axes, whose ranges may depend on axes before them, with where they happen."""
        if not axes:
            yield names, mask
            return
        begin, end = (
            value(e, names, self, mask, certain).astype("int64") for e in (axes[0].begin, axes[0].end)
        )
        count = np.where(mask, end - begin, 0)
        for x in range(int(count.max()) if count.size else 0):
            yield from self._points(
                axes[1:], {**names, axes[0].ident: begin + x}, mask & (x < count), certain
            )

    def read(self, tensor: str, indices: list[Any], mask: Any, certain: bool) -> Any:
        sizes = [size(n, self.sizes) for n in self.program.shape_of(tensor)]
        wide = [np.asarray(i).astype("int64") for i in indices]
        outside = np.zeros((), bool)
        for i, n in zip(wide, sizes, strict=True):
            outside = outside | (i < 0) | (i >= n)
        if np.any(np.logical_and(mask, outside)):
            self.may_raise = True
            # What is inlined is a formula, which has no ends; and of x % 1 nobody needs the x.
            is_input = any(i.ident == tensor for i in self.program.inputs)
            if certain and is_input and self._stage is not None and _is_copy(self._stage, self.program):
                self.must_raise = True
        places = [np.clip(i, 0, max(n - 1, 0)) for i, n in zip(wide, sizes, strict=True)]
        if min(sizes, default=1) == 0:
            return np.zeros(np.broadcast_shapes(*(p.shape for p in places)), self.program.dtype_of(tensor))
        if tensor in self.arrays:
            return self.arrays[tensor][tuple(places)]
        s = self.program.stage_of(tensor)
        shape = np.broadcast_shapes(*(p.shape for p in places), np.shape(mask))
        return self._at(s, places, mask, certain, shape)[s.outputs.index(tensor)]


def _is_copy(s: Stage, p: Program) -> bool:
    """Whether a stage gives elements as they are, so that it needs all that it reads."""
    parts = [e.args[0] if e.op == "cast" else e for e in s.bodies]
    return all(e.op == "load" for e in parts) and set(s.outputs) <= set(p.results) and s.reduction is None


# ---------------------------------------------------------------- reducers


def _lowest(dtype: str) -> Any:
    return np.array(-np.inf if is_float(dtype) else least(dtype), dtype)


def _highest(dtype: str) -> Any:
    return np.array(np.inf if is_float(dtype) else most(dtype), dtype)


def identity(reducer: str, dtypes: tuple[str, ...]) -> list[Any]:
    """What a reduction over nothing gives."""
    d = dtypes[0]
    match reducer:
        case "te.prod":
            return [np.array(1, d)]
        case "te.min":
            return [_highest(d)]
        case "te.max":
            return [_lowest(d)]
        case "both":
            return [np.array(most(d) if least(d) == 0 else -1, d)]
        case "first":
            return [_highest(d), _lowest(dtypes[1])]
        case "widest":
            return [_highest(d), _lowest(dtypes[1])]
    return [np.zeros((), d)]


def _first(x: list[Any], y: list[Any]) -> list[Any]:
    mine = (x[1] > y[1]) | ((x[1] == y[1]) & (x[0] <= y[0]))
    return [np.where(mine, x[0], y[0]), np.where(mine, x[1], y[1])]


COMBINE: dict[str, Any] = {
    "te.sum": lambda x, y: [x[0] + y[0]],
    "te.prod": lambda x, y: [x[0] * y[0]],
    "te.min": lambda x, y: [np.minimum(x[0], y[0])],
    "te.max": lambda x, y: [np.maximum(x[0], y[0])],
    "exclusive": lambda x, y: [x[0] ^ y[0]],
    "both": lambda x, y: [x[0] & y[0]],
    "first": _first,
    "widest": lambda x, y: [np.minimum(x[0], y[0]), np.maximum(x[1], y[1])],
}

REDUCERS = {
    "exclusive": 'exclusive = te.comm_reducer(lambda x, y: x ^ y, lambda d: te.const(0, d), name="exclusive")',
    "both": 'both = te.comm_reducer(lambda x, y: x & y, lambda d: ~te.const(0, d), name="both")',
    "first": """\
def _first(x, y):
    mine = te.any(x[1] > y[1], te.all(x[1] == y[1], x[0] <= y[0]))
    return te.select(mine, x[0], y[0]), te.select(mine, x[1], y[1])


first = te.comm_reducer(_first, lambda d, e: (te.max_value(d), te.min_value(e)), name="first")""",
    "widest": """\
widest = te.comm_reducer(lambda x, y: (te.min(x[0], y[0]), te.max(x[1], y[1])),
                         lambda d, e: (te.max_value(d), te.min_value(e)), name="widest")""",
}
