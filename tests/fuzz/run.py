"""One program: define it, schedule it, build it, call it on guarded arrays, and compare with the reference.

`run` tells `report` how far it is, so that whoever watches knows what a process died of.
"""

from __future__ import annotations

import itertools
import linecache
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import tewb
from tests.fuzz import script
from tests.fuzz.arrays import Guarded
from tests.fuzz.expressions import INTS, is_float, least, most, size, walk
from tests.fuzz.gpu_steps import gpu_steps
from tests.fuzz.interpreted import MOST_ELEMENTS, interpreted
from tests.fuzz.joined_steps import joined_steps
from tests.fuzz.programs import Call, Program, is_straight
from tests.fuzz.reference import Reference
from tests.fuzz.schedules import Finding, Step, attempt, random_step, random_taste
from tests.fuzz.tensor_steps import fitted, fitting, tensor_steps
from tewb import te
from tewb.base import ArgumentError, BoundError, CodegenError, InternalError, TewbError
from tewb.ir import parse, structural_equal
from tewb.ir import script as as_text
from tewb.schedule import Schedule
from tewb.schedule.code import schedule_code
from tewb.schedule.questions import first_fault
from tewb.tensor import INTRINSICS

Report = Callable[[str, Any], None]
_texts = itertools.count()


@dataclass(frozen=True, slots=True)
class Outcome:
    """`kind` is "right", "refused" (with words that help), or the kind of a finding."""

    kind: str
    words: str = ""
    program: Program | None = None
    call: int = 0
    arrays: dict[str, Any] | None = None

    @property
    def is_finding(self) -> bool:
        return self.kind not in ("right", "refused")


def run(p: Program, report: Report = lambda stage, data: None) -> Outcome:
    """What becomes of a program. Its steps are chosen here, when it has none yet."""
    steps: list[Step] = list(p.steps or ())
    try:
        report("define", None)
        names = _define(p)
        if names is None:
            return Outcome("refused", "define", p)
        report("schedule", None)
        steps = _schedule(p, names, report)
        p = replace(p, steps=tuple(steps))
        report("build", p)
        kernel = _build(p, names)
        if isinstance(kernel, str):
            return Outcome("refused", kernel, p)
        for number, call in enumerate(p.calls):
            report("call", number)
            found = _call(p, kernel, call, number, report, names)
            if found is not None:
                return found
        return Outcome("right", "", p)
    except Finding as e:
        known = names.get("_steps", steps) if "names" in locals() and names else steps
        return Outcome(e.kind, e.words, replace(p, steps=tuple(known)))


def execute(text: str, names: dict[str, Any]) -> None:
    """Run lines whose source the hybrid front end can read."""
    file = f"<fuzz {next(_texts)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    exec(compile(text, file, "exec"), names)


def _define(p: Program) -> dict[str, Any] | None:
    for name in [n for n in INTRINSICS if n.startswith("fitting")]:
        del INTRINSICS[name]  # those of the program before
    names: dict[str, Any] = {"tewb": tewb, "te": te, "np": np, "fitting": fitting, "__name__": "fuzz"}
    try:
        execute(script.definition(p), names)
    except TewbError as e:
        # An index that is outside whatever happens, a constant divisor that is 0, and a negative number beside
        # an unsigned one are told at once.
        if isinstance(e, BoundError) or "division by zero" in str(e) or "does not fit uint" in str(e):
            return None
        raise Finding(f"define: {type(e).__name__}", str(e)) from e
    except Exception as e:
        raise Finding(f"define: {type(e).__name__}", str(e)) from e
    return names


def _schedule(p: Program, names: dict[str, Any], report: Report) -> list[Step]:
    s: Schedule = names["s"]
    done: list[Step] = []
    names["_steps"] = done
    extra = random.Random(f"{p.seed} extra")

    def do(step: Step) -> None:
        if step[0] == "transform_layout" and any(s.find(names[a]) is s.find(step[1]) for a in p.arguments):
            return  # the arrays of a call have the layout of the definition
        report("steps", (*done, step))
        done.append(step)  # it stays when it is a finding
        if not attempt(s, step, names):
            done.pop()

    if p.steps is not None:
        for step in p.steps:
            if s.find(step[1]) is None:
                continue
            do(step)
        return _replayed(p, names, done, extra)
    rng = random.Random(f"{p.seed} steps")
    handles = {t: names[t] for stage in p.stages for t in stage.outputs}
    for stage in p.stages:
        if stage.is_virtual and (of := s.find(names[stage.outputs[0]])) is not None:
            do(("compute_inline", of.name, {}))
    large = {step[1] for step in done}
    if rng.random() < 0.15:
        for step in gpu_steps(s, rng):
            if step[1] not in large:
                do(step)
    elif rng.random() < (0.75 if is_straight(p.seed) else 0.1):
        for step in tensor_steps(s, rng):
            if step[1] not in large:
                do(step)
    joining = random.Random(f"{p.seed} joined")
    if joining.random() < 0.3:
        for step in joined_steps(s, joining):
            if step[1] not in large:
                do(step)
    tasting = random.Random(f"{p.seed} taste")
    taste = random_taste(tasting) if tasting.random() < 0.5 else None
    wanted = p.wanted_steps + len(large) if taste is None else p.wanted_steps + tasting.choice([4, 6, 8])
    for _ in range(8 * p.wanted_steps if taste is None else 3 * wanted):
        if len(done) >= wanted:
            break
        step = random_step(s, rng, handles, p.is_heavy, taste)
        if step[0] == "tensorize" and "axis" in step[2]:
            step = fitted(step[1], step[2]["axis"], rng)
        if step[1] not in large:
            do(step)
    if taste is not None and tasting.random() < 0.8:
        _without_faults(s, done)
    return _replayed(p, names, done, extra)


def _without_faults(s: Schedule, done: list[Step]) -> None:
    """Undo the last steps, until what is left fits together."""
    while done and len(done) == len(s.journal) and first_fault(s) is not None:
        s.restore(s.journal[:-1])
        done.pop()


def _replayed(p: Program, names: dict[str, Any], done: list[Step], rng: random.Random) -> list[Step]:
    """`done`, when the journal, and the schedule as code, lead to the same loops again. Raises Finding."""
    s: Schedule = names["s"]
    loops = [(stage.name, stage.loops()) for stage in s.stages]

    def compare(what: str, again: Callable[[], Schedule]) -> None:
        try:
            found = again()
        except Exception as e:
            raise Finding(f"{what}: {type(e).__name__}", str(e)) from e
        if [(stage.name, stage.loops()) for stage in found.stages] != loops:
            raise Finding(f"{what}: other loops", f"{s}\n{found}")

    def by_code() -> Schedule:
        tensors = {t for stage in p.stages for t in stage.outputs[:1]} | {i.ident for i in p.inputs}
        stages = {stage.name: t for t in sorted(tensors) if (stage := s.find(names[t])) is not None}
        first = te.create_schedule(list(s.outputs))
        made = {**names, "s": first}
        for n, stage in enumerate([x for x in first.stages if x.name not in stages]):  # the parts of a scan
            stages[stage.name] = f"part_{n}"
            made[f"part_{n}"] = stage.op.output(0)
        variables = {names[x.ident]: x.ident for x in p.scalars}
        exec("\n".join(schedule_code(s, stages, set(names), variables)), made)
        return made["s"]  # type: ignore[no-any-return]

    if s.journal and rng.random() < 0.2:
        compare("replay", s.copy)
        compare("code", by_code)
    return done


def _build(p: Program, names: dict[str, Any]) -> Any:
    """The kernel, or why there is none."""
    try:
        with eval(script.options_text(p), names):
            if random.Random(f"{p.seed} text").random() < 0.1:
                _check_text(p, names)
            return eval(script.build_text(p), names)
    except Finding:
        raise
    except InternalError as e:
        raise Finding("build: InternalError", str(e)) from e
    except TewbError as e:
        if not e.hint or type(e) is TewbError or isinstance(e, CodegenError):
            raise Finding(f"build: {type(e).__name__}" + " without a hint" * (not e.hint), str(e)) from e
        return f"build: {type(e).__name__}: {str(e).splitlines()[0]}"
    except Exception as e:
        raise Finding(f"build: {type(e).__name__}", str(e)) from e


def _check_text(p: Program, names: dict[str, Any]) -> None:
    """The lowered function is what its text says. Raises Finding."""
    module = eval(script.build_text(replace(p, build={})).replace("tewb.build", "tewb.lower", 1), names)
    text = as_text(module)
    try:
        if not structural_equal(parse(text), module):
            raise Finding("text: another function", text)
    except TewbError as e:
        raise Finding(f"text: {type(e).__name__}", f"{e}\n{text}") from e


# ---------------------------------------------------------------- calls


def _call(
    p: Program, kernel: Any, call: Call, number: int, report: Report, names: dict[str, Any]
) -> Outcome | None:
    """Call the kernel twice on the same arrays (the second call goes another way) and look at the results."""
    rng = np.random.default_rng(call.seed)
    made = arrays_of(p, call, rng)
    numbers = {s.ident: call.sizes.get(s.ident, _number(s.dtype, rng)) for s in p.scalars}
    inputs = {
        t: np.broadcast_to(_distinct(g.view).copy(), g.view.shape)
        for t, g in made.items()
        if t not in p.results
    }
    wanted = Reference(p, call, inputs, numbers)
    results = wanted.results()
    told = {t: {"shape": a.shape, "data": _literal(a)} for t, a in inputs.items()}
    told |= {
        t: {"shape": g.view.shape, "data": None, "wanted": _literal(results[t])}
        for t, g in made.items()
        if t in p.results
    }
    told |= {k: {"number": v} for k, v in numbers.items()}
    report("arrays", told)
    if not (number or call.aliases or wanted.may_raise):
        problem = _interpreted(p, names, inputs, numbers, results)
        if problem:
            return Outcome("interpreted", problem, p, number, told)
    for attempt_number in range(2):
        before = {t: g.bytes.copy() for t, g in made.items()}
        args = [
            made[a].view if a in made else numbers[a]
            for a in p.arguments
            if not (call.omit and a in p.results)
        ]
        try:
            given = kernel(*args)
        except BoundError as e:
            if wanted.may_raise:
                return None
            return Outcome("call: false BoundError", str(e), p, number, told)
        except ArgumentError as e:
            if (
                p.is_heavy or 2 in numbers.values() or "MiB are left" in str(e)
            ):  # too many iterations, or a 2 for a bool, are told
                return None
            return Outcome("call: ArgumentError", str(e), p, number, told)
        except Exception as e:
            return Outcome(f"call: {type(e).__name__}", str(e), p, number, told)
        if wanted.must_raise:
            return Outcome("call: an index outside was accepted", "", p, number, told)
        if call.omit:
            several = given if isinstance(given, tuple) else (given,)
            got = dict(zip([a for a in p.arguments if a in p.results], several, strict=True))
        else:
            got = {t: made[t].view for t in p.results}
        if not wanted.may_raise:
            for t in p.results:
                problem = _difference(got[t], results[t], p.stage_of(t).is_rounded)
                if problem:
                    return Outcome("wrong value", f"call {attempt_number}: {t}{problem}", p, number, told)
        for t, g in made.items():
            if call.aliases.get(t) is not None:
                continue
            is_input = t not in p.results or call.omit
            changed = (g.bytes != before[t]) & (True if is_input else ~g.owned())
            if changed.any():
                where = "an input changed" if is_input else "a gap of an output changed"
                return Outcome(f"call: {where}", f"{t}: bytes {np.flatnonzero(changed)[:8]}", p, number, told)
        if call.aliases:
            return None
    return None


def _interpreted(
    p: Program,
    names: dict[str, Any],
    inputs: dict[str, Any],
    numbers: dict[str, Any],
    results: dict[str, Any],
) -> str:
    """What is wrong about the lowered program in the interpreter, of some programs that are small; nothing for others."""
    small = sum(a.size for a in (*inputs.values(), *results.values())) <= MOST_ELEMENTS
    points = max((np.prod([size(n, p.calls[0].sizes) for n in s.shape]) for s in p.stages), default=0)
    if (
        not small
        or points > MOST_ELEMENTS
        or p.is_heavy
        or random.Random(f"{p.seed} interpreted").random() > 0.4
    ):
        return ""
    with eval(script.options_text(p), names):
        module = eval(script.build_text(replace(p, build={})).replace("tewb.build", "tewb.lower", 1), names)
    given = {**inputs, **{t: np.zeros_like(results[t]) for t in p.results}}
    tensors = [a for a in p.arguments if a in given]
    values = {names[s.ident]: numbers[s.ident] for s in p.scalars}
    try:
        after = interpreted(module["main"], [given[t].copy() for t in tensors], values)
    except AssertionError as e:
        return str(e)
    for t, got in zip(tensors, after or (), strict=bool(after)):
        problem = _difference(got, results[t], p.stage_of(t).is_rounded) if t in p.results else ""
        if problem:
            return f"{t}{problem}"
    return ""


def arrays_of(p: Program, call: Call, rng: np.random.Generator) -> dict[str, Any]:
    """The arrays of a call, filled, by their tensors."""
    made: dict[str, Any] = {}
    for t in [*p.results, *[a for a in p.arguments if a not in p.results]]:
        if t not in call.layouts:
            continue
        shape = tuple(size(n, call.sizes) for n in p.shape_of(t))
        if t in call.aliases:
            of, backwards = call.aliases[t]
            made[t] = made[of]
            if backwards:
                made[t] = _Reversed(made[of])
            _fill(p, t, made[t].view, call, rng)
            continue
        made[t] = Guarded(shape, p.dtype_of(t), call.layouts[t], rng)
        if t not in p.results:
            _fill(p, t, made[t].view, call, rng)
        elif p.dtype_of(t) == "bool":
            made[t].view[...] = False
    return made


class _Reversed:
    """The memory of another array, walked backwards."""

    def __init__(self, other: Guarded) -> None:
        self.bytes, self.owned = other.bytes, other.owned
        self.view = other.view[tuple(slice(None, None, -1) for _ in other.view.shape)]


def _fill(p: Program, tensor: str, view: Any, call: Call, rng: np.random.Generator) -> None:
    """Values for an input: also where several elements are one."""
    i = next(i for i in p.inputs if i.ident == tensor)
    # A dimension of stride 0 has one element; to fill it once is enough, however large it is.
    real = _distinct(view)
    if i.index_of is not None:
        n = max(size(i.index_of, call.sizes), 1)
        values = rng.integers(0, min(n, most(i.dtype) + 1), real.shape).astype(i.dtype)
        if call.is_wild and values.size and tensor not in _lengths(p):
            flat = values.reshape(-1)
            wrong = [
                x for x in (-1, n, least(i.dtype), most(i.dtype)) if least(i.dtype) <= x <= most(i.dtype)
            ]
            flat[rng.integers(flat.size)] = wrong[rng.integers(len(wrong))]
        real[...] = values
    else:
        real[...] = random_values(real.shape, i.dtype, i.special, rng)


def _lengths(p: Program) -> set[str]:
    """The tensors that tell how far a reduction goes: a wrong one would make it run for hours."""
    axes = [a for s in p.stages if s.reduction is not None for a in s.reduction.axes]
    return {e.data for a in axes for end in (a.begin, a.end) for e in walk(end) if e.op == "load"}


def _distinct(view: Any) -> Any:
    """The part of a view where every element has a place of its own."""
    return view[(*(slice(0, 1) if s == 0 else slice(None) for s in view.strides), ...)]


def random_values(shape: tuple[int, ...], dtype: str, special: bool, rng: np.random.Generator) -> Any:
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype in INTS:
        small = rng.integers(max(least(dtype), -8), 16, shape).astype(dtype)
        any_ = rng.integers(least(dtype), most(dtype), shape, dtype, endpoint=True)
        return np.where(rng.random(shape) < rng.choice([0.0, 0.2, 0.9]), any_, small)
    values = rng.integers(-32, 33, shape).astype(dtype) / 4
    if special:
        odd = rng.choice(np.array([np.nan, np.inf, -np.inf, -0.0], dtype), shape)
        values = np.where(rng.random(shape) < 0.2, odd, values)
    return values.astype(dtype)


def _number(dtype: str, rng: np.random.Generator) -> Any:
    if dtype == "bool" and rng.random() < 0.3:
        return 2  # as true as 1 is
    return random_values((), dtype, False, rng).item()


def _difference(got: Any, wanted: Any, rounded: bool) -> str:
    """Where two arrays differ, or nothing."""
    if got.shape != wanted.shape:
        return f" has shape {got.shape}, and should have {wanted.shape}"
    if rounded:
        eps = {"float16": 4e-3, "float32": 1e-5, "float64": 1e-12}[got.dtype.name]
        same = np.isclose(got, wanted, rtol=eps, atol=eps, equal_nan=True)
    elif is_float(str(got.dtype)):
        same = (got == wanted) | (np.isnan(got) & np.isnan(wanted))
    else:
        same = got == wanted
        if got.dtype == bool:
            same = same & (got.copy().view(np.uint8) < 2)
    if same.all():
        return ""
    at = tuple(int(x) for x in np.argwhere(~same)[0])
    wrong = int(same.size - same.sum())
    return f"[{', '.join(map(str, at))}] is {got[at]!r} and should be {wanted[at]!r} ({wrong} of {same.size} are wrong)"


def _literal(a: Any) -> str | None:
    """An array as text, when it is short."""
    a = _distinct(a)
    return None if a.size > 200 else np.array2string(
        a, separator=", ", threshold=1000, max_line_width=10**6, formatter={"all": lambda x: _plain(x)}
    ).replace("\n", "")  # fmt: skip


def _plain(x: Any) -> str:
    value = x.item()
    return (
        f"np.{value}"
        if isinstance(value, float) and (value != value or abs(value) == float("inf"))
        else repr(value)
    )
