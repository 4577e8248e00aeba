"""A smaller program that fails in the same way: whatever can go is taken away, greedily, while the kind of the
finding stays what it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tests.fuzz.expressions import E, cast, const, is_float, load, substitute, walk
from tests.fuzz.programs import Layout, Program, Stage

Attempt = Callable[[Program], Any]


def minimise(outcome: Any, attempt: Attempt, seconds: float = 60.0) -> Any:
    """The outcome of the smallest program that was found in some seconds."""
    until = time.monotonic() + seconds
    progress = True
    while progress:
        progress = False
        for smaller in _smaller(outcome.program, outcome.call):
            if time.monotonic() > until:
                return outcome
            if smaller == outcome.program:
                continue
            try:
                found = attempt(smaller)
            except (KeyError, StopIteration, IndexError):
                continue
            if found.kind == outcome.kind and found.program is not None:
                outcome, progress = found, True
                break
    return outcome


def _smaller(p: Program, call: int) -> Iterator[Program]:
    """Programs with something less, what takes away most first."""
    if len(p.calls) > 1:
        yield replace(p, calls=(p.calls[call],))
    steps = p.steps or ()
    for half in (len(steps) // 2, len(steps) // 4):
        if half > 1:
            for at in range(0, len(steps), half):
                yield replace(p, steps=steps[:at] + steps[at + half :])
    for n in reversed(range(len(steps))):
        yield replace(p, steps=steps[:n] + steps[n + 1 :])
    yield from _without_results(p)
    yield from _without_unused(p)
    plain = {k: "-" for k in p.strides}
    for change in ({"options": {"tewb.object_cache": False}}, {"build": {}}, {"strides": plain}):
        if any(getattr(p, k) != v for k, v in change.items()):
            yield replace(p, **change)  # type: ignore[arg-type]
    for k in [k for k in p.options if k != "tewb.object_cache"]:
        yield replace(p, options={o: v for o, v in p.options.items() if o != k})
    for k in p.build:
        yield replace(p, build={o: v for o, v in p.build.items() if o != k})
    for k in [k for k, v in p.strides.items() if v != "-"]:
        yield replace(p, strides={**p.strides, k: "-"})
    yield from _plainer_names(p)
    yield from _plainer_calls(p)
    for n, s in enumerate(p.stages):
        for smaller in _smaller_stages(s, p):
            yield _with_stage(p, n, smaller)
    yield from _smaller_sizes(p)


def _with_stage(p: Program, n: int, s: Stage) -> Program:
    return replace(p, stages=(*p.stages[:n], s, *p.stages[n + 1 :]))


def _sizes(p: Program) -> list[E]:
    return [n for t in (*p.inputs, *p.stages) for n in t.shape]


def _loaded(p: Program) -> set[str]:
    parts = [e for s in p.stages for e in _parts(s)]
    return {n.data for e in parts for n in walk(e) if n.op == "load"} | {t for s in p.stages for t in s.reads}


def _parts(s: Stage) -> list[E]:
    parts = list(s.bodies)
    if s.reduction is not None:
        parts += [e for a in s.reduction.axes for e in (a.begin, a.end)]
        parts += [s.reduction.where] if s.reduction.where is not None else []
    return parts


def _without_results(p: Program) -> Iterator[Program]:
    """Without a last stage, or with a middle one as the result."""
    for n in reversed(range(len(p.stages))):
        s = p.stages[n]
        if not set(s.outputs) & (_loaded(p) | set()) and len(p.stages) > 1:
            rest = p.stages[:n] + p.stages[n + 1 :]
            arguments = [a for a in p.arguments if a not in s.outputs]
            before = replace(p, stages=rest, arguments=tuple(arguments))
            if not before.results:
                read = _loaded(before)
                arguments += [t for r in rest if not set(r.outputs) & read for t in r.outputs]
            yield _complete(replace(before, arguments=tuple(arguments)))


def _complete(p: Program) -> Program:
    """With strides and layouts for all arguments."""
    new = [a for a in p.arguments if a not in p.strides and not any(s.ident == a for s in p.scalars)]
    ranks = {a: len(p.shape_of(a)) for a in new}
    layouts = {a: Layout(tuple(range(r)), (1,) * r, (False,) * r) for a, r in ranks.items()}
    calls = tuple(
        replace(
            c, layouts={k: v for k, v in {**layouts, **c.layouts}.items() if k in p.arguments},
            aliases={k: v for k, v in c.aliases.items() if k in p.arguments and v[0] in p.arguments},
        )
        for c in p.calls
    )  # fmt: skip
    strides = {k: v for k, v in {**{a: "-" for a in new}, **p.strides}.items() if k in p.arguments}
    return replace(p, strides=strides, calls=calls)


def _without_unused(p: Program) -> Iterator[Program]:
    """Without inputs and stages that nobody reads."""
    read = _loaded(p)
    dead = [s for s in p.stages if not set(s.outputs) & (read | set(p.arguments))]
    if dead:
        yield replace(p, stages=tuple(s for s in p.stages if s not in dead))
    unread = [i.ident for i in p.inputs if i.ident not in read]
    if unread:
        arguments = tuple(a for a in p.arguments if a not in unread)
        yield _complete(
            replace(p, inputs=tuple(i for i in p.inputs if i.ident not in unread), arguments=arguments)
        )
    used = {n.data for e in _sizes(p) for n in walk(e)} | {
        n.data for s in p.stages for e in _parts(s) for n in walk(e)
    }
    scalars = tuple(s for s in p.scalars if s.ident in used)
    if scalars != p.scalars:
        gone = {s.ident for s in p.scalars} - {s.ident for s in scalars}
        calls = tuple(replace(c, sizes={k: v for k, v in c.sizes.items() if k not in gone}) for c in p.calls)
        yield replace(
            p, scalars=scalars, calls=calls, arguments=tuple(a for a in p.arguments if a not in gone)
        )
    kept = [a for a in p.arguments if a in p.results and a in read]
    for a in kept if len(p.results) > 1 else []:
        if set(p.stage_of(a).outputs) <= read:
            yield _complete(
                replace(p, arguments=tuple(x for x in p.arguments if x not in p.stage_of(a).outputs))
            )


def _plainer_names(p: Program) -> Iterator[Program]:
    """Every thing has a name of its own."""
    stages = tuple(replace(s, name=s.ident) for s in p.stages)
    inputs = tuple(replace(i, name=i.ident, special=False) for i in p.inputs)
    scalars = tuple(replace(s, name=s.ident) for s in p.scalars)
    if (stages, inputs, scalars) != (p.stages, p.inputs, p.scalars):
        # Steps say the names of stages.
        yield replace(p, inputs=inputs, scalars=scalars)
        if not p.steps:
            yield replace(p, stages=stages, inputs=inputs, scalars=scalars)


def _plainer_calls(p: Program) -> Iterator[Program]:
    c = p.calls[0]
    for change in ({"aliases": {}}, {"omit": False}, {"is_wild": False}):
        if any(getattr(c, k) != v for k, v in change.items()):
            yield replace(p, calls=(replace(c, **change), *p.calls[1:]))  # type: ignore[arg-type]
    for t, layout in c.layouts.items():
        if any(n.op == "const" and n.data > 40000 for n in p.shape_of(t)):
            continue
        rank = len(layout.order)
        plain = Layout(tuple(range(rank)), (1,) * rank, (False,) * rank, 0, layout.at_end)
        if layout != plain:
            yield replace(p, calls=(replace(c, layouts={**c.layouts, t: plain}), *p.calls[1:]))
    for n, v in c.sizes.items():
        for less in {1, v // 2, v - 1} - {v}:
            if less > 0:
                yield replace(p, calls=(replace(c, sizes={**c.sizes, n: less}), *p.calls[1:]))


# ---------------------------------------------------------------- stages


def _smaller_stages(s: Stage, p: Program) -> Iterator[Stage]:
    r = s.reduction
    if r is not None:
        if r.where is not None:
            yield replace(s, reduction=replace(r, where=None))
        if r.init is not None:
            yield replace(s, reduction=replace(r, init=None))
        if len(r.axes) > 1 and r.reducer != "first":
            gone = {a.ident for a in r.axes[1:]}
            yield replace(
                s, reduction=replace(r, axes=r.axes[:1]), bodies=tuple(_without_names(b, gone) for b in s.bodies)
            )  # fmt: skip
        for n, a in enumerate(r.axes):
            if a.end.op == "const" and a.begin.op == "const" and a.end.data - a.begin.data > 1:
                for less in {a.begin.data + 1, (a.begin.data + a.end.data) // 2, a.end.data - 1}:
                    axes = (*r.axes[:n], replace(a, end=const(less, a.end.dtype)), *r.axes[n + 1 :])
                    yield replace(s, reduction=replace(r, axes=axes))
    for k, v in s.options:
        plain = {"tail": "clip", "compact": False, "effect": "idempotent"}[k]
        if v != plain:
            yield replace(s, options=tuple((o, plain if o == k else w) for o, w in s.options))
    for n, b in enumerate(s.bodies):
        if r is not None and r.reducer == "first" and n == 0:
            continue
        for smaller in _smaller_expressions(b):
            yield replace(s, bodies=(*s.bodies[:n], smaller, *s.bodies[n + 1 :]))


def _without_names(e: E, gone: set[str]) -> E:
    return substitute(e, lambda x: const(0, x.dtype) if x.op == "name" and x.data in gone else None)


def _smaller_expressions(e: E) -> Iterator[E]:
    """`e` with one part replaced by something simpler of its dtype."""
    for part in list(walk(e))[:40]:
        for simpler in _simpler(part):
            yield _swap(e, part, simpler)


def _swap(e: E, old: E, new: E) -> E:
    return substitute(e, lambda x: new if x is old else None)


def _simpler(e: E) -> Iterator[E]:
    if e.op in ("const", "name"):
        return
    zero = const(False if e.dtype == "bool" else 1.0 if is_float(e.dtype) else 1, e.dtype)
    if e.op != "load":
        yield from (a for a in e.args if a.dtype == e.dtype)
        for inner in (x for a in e.args for x in walk(a)):
            if inner.op == "load":
                yield cast(inner, e.dtype)
                break
    yield zero
    if e.op == "load":
        for n, a in enumerate(e.args):
            if a.op != "name":
                for x in walk(a):
                    if x.op == "name":
                        yield load(e.data, e.dtype, *e.args[:n], x, *e.args[n + 1 :])
                        break
            if a.op != "const":
                yield load(e.data, e.dtype, *e.args[:n], const(0, "int32"), *e.args[n + 1 :])


# ---------------------------------------------------------------- sizes


def _smaller_sizes(p: Program) -> Iterator[Program]:
    """With a constant size made smaller wherever it stands in a shape."""
    found = {n.data for t in (*p.inputs, *p.stages) for n in t.shape if n.op == "const" and n.data > 1}
    for x in p.scalars if len(p.calls) == 1 else ():
        if x.is_size:
            yield _with_constant(p, x.ident, const(p.calls[0].sizes[x.ident], x.dtype))
    for old in sorted(found, reverse=True):
        for new in dict.fromkeys((1, 2, old // 2, old - 1)):
            if 0 < new < old:
                yield _resized(p, old, new)


def _with_constant(p: Program, ident: str, value: E) -> Program:
    """With a number in the place of a symbolic size."""

    def put(e: E) -> E:
        return substitute(e, lambda x: value if x.op == "name" and x.data == ident else _folded(x, put))

    def in_stage(s: Stage) -> Stage:
        r = s.reduction
        if r is not None:
            axes = tuple(replace(a, begin=put(a.begin), end=put(a.end)) for a in r.axes)
            r = replace(r, axes=axes, where=put(r.where) if r.where is not None else None)
        return replace(s, shape=tuple(map(put, s.shape)), bodies=tuple(map(put, s.bodies)), reduction=r)

    inputs = tuple(
        replace(i, shape=tuple(map(put, i.shape)), index_of=put(i.index_of) if i.index_of else None)
        for i in p.inputs
    )
    return replace(p, inputs=inputs, stages=tuple(map(in_stage, p.stages)))


def _folded(e: E, put: Callable[[E], E]) -> E | None:
    """A sum or product of sizes that are constants now."""
    if e.op not in ("+", "-", "*") or not e.dtype.startswith("int"):
        return None
    a, b = (put(x) for x in e.args)
    if a.op == b.op == "const":
        return const(
            a.data + b.data if e.op == "+" else a.data - b.data if e.op == "-" else a.data * b.data, e.dtype
        )
    return replace(e, args=(a, b))


def _resized(p: Program, old: int, new: int) -> Program:
    def shape(of: tuple[E, ...]) -> tuple[E, ...]:
        return tuple(const(new, n.dtype) if n.op == "const" and n.data == old else n for n in of)

    def ends(s: Stage) -> Stage:
        s = replace(s, shape=shape(s.shape))
        if s.reduction is None:
            return s
        axes = tuple(replace(a, end=shape((a.end,))[0]) for a in s.reduction.axes)
        bodies = tuple(
            substitute(b, lambda x: const(new - 1, x.dtype) if x.op == "const" and x.data == old - 1 and not is_float(x.dtype) and
                       x.dtype != "bool" else None)
            for b in s.bodies
        )  # fmt: skip
        return replace(s, reduction=replace(s.reduction, axes=axes), bodies=bodies)

    inputs = tuple(
        replace(i, shape=shape(i.shape), index_of=shape((i.index_of,))[0] if i.index_of is not None else None)
        for i in p.inputs
    )
    return replace(p, inputs=inputs, stages=tuple(ends(s) for s in p.stages))
