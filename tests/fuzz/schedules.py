"""Random primitives, read from their declarations, and what must hold when one is refused."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from tewb.base import InternalError, TewbError
from tewb.ir import const_int
from tewb.schedule import PRIMITIVES, Param, Primitive, Schedule, Stage
from tewb.schedule import Step as StepOfNames
from tewb.schedule.declare import Selection
from tewb.schedule.questions import first_fault
from tewb.schedule.threads import threads_around

FACTORS = (1, 2, 2, 3, 4, 4, 5, 7, 8, 8, 16, 32)
LANES = (2, 4, 8, 16)
ODD_NUMBERS = (0, -1, 64, 1000, 2**31 - 1, 2**31, 2**40)
Step = tuple[str, str, dict[str, Any]]
# Words that say where and when a stage is computed and kept, and what happens at edges: any of them may meet any other.
PLACING = (
    "compute_at", "compute_inline", "compute_with", "reverse_compute_at", "store_at", "store_root", "rolling_buffer",
    "double_buffer", "specialize", "otherwise", "rfactor", "parallel", "split", "cache_read", "cache_write",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Taste:
    """The few words that a schedule is made of, and the tail that its splits have more often than others."""

    words: tuple[str, ...]
    tail: str | None = None


def random_taste(rng: random.Random) -> Taste:
    """Some words of PLACING that meet in one schedule, with loops to put them in."""
    words = rng.sample(PLACING, rng.randint(2, 5))
    words += rng.sample([*PRIMITIVES], rng.randint(0, 3))
    return Taste(
        (*words, "split", "compute_at", rng.choice(["reorder", "split", "fuse", "vectorize"])),
        rng.choice(["shift", "predicate", "round_up", None]),
    )


class Finding(Exception):
    """Something that tewb should not do: a kind, for sorting, and the words."""

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(kind, words)
        self.kind, self.words = kind, words


def look(s: Schedule) -> Any:
    """All that a primitive may change."""
    return (
        [
            (
                st.name, id(st.op), st.loops(), repr(st.attach), len(st.relations), list(map(id, st.leaf_iter_vars)),
                [(m.primitive, id(m.axis), repr(m.values)) for m in st.marks],
            )
            for st in s.stages
        ],
        s.journal, s.version,
    )  # fmt: skip


def attempt(s: Schedule, step: Step, names: dict[str, Any]) -> bool:
    """Whether a step could be applied. Raises Finding when it is refused in a way that helps nobody."""
    primitive, stage, args = step
    given = {
        k: eval(v.lstrip("@!"), dict(names)) if isinstance(v, str) and v.startswith("@") else v
        for k, v in args.items()
    }
    before = look(s)
    try:
        s.do(primitive, s[stage], given)
        foreign = next((k for k, v in args.items() if isinstance(v, str) and v.startswith("@!")), None)
        if foreign is not None:
            raise Finding("foreign handle", f"{primitive} took a loop of another stage: {args[foreign]}")
        return not _taken_back(s)
    except Finding:
        raise
    except InternalError as e:
        raise Finding(f"{primitive}: InternalError", str(e)) from e
    except TewbError as e:
        if look(s) != before:
            raise Finding(f"{primitive}: refused, and changed", f"{step}: {e}") from e
        if not e.loops:
            raise Finding(f"{primitive}: refused without the loops now", f"{step}: {e}") from e
        return False
    except Exception as e:
        raise Finding(f"{primitive}: {type(e).__name__}", f"{step}: {e}") from e


def _taken_back(s: Schedule) -> bool:
    """Most steps that only a later one could make right are undone; some wait for that one."""
    number = len(s.journal) - 1
    if number not in s.doubts or number % 4 == 0 or first_fault(s) is None:
        return False
    s.restore(s.journal[:-1])
    return True


def random_step(
    s: Schedule, rng: random.Random, handles: dict[str, Any], large: bool = False, taste: Taste | None = None
) -> Step:
    """Some step: half of the time one that is legal, if a few draws find one, and with a `taste` nearly always. `handles` are
    tensors by their identifiers, for handles of axes; with `large`, factors often are, too."""
    step = draw(s, rng, handles, large, taste)
    for _ in range(rng.choice([0, 12] if taste is None else [0, 12, 24, 24])):
        try:
            if s.why_not(StepOfNames(step[0], step[1], step[2])) is None:
                break
        except Exception:
            break  # to be found out about
        step = draw(s, rng, handles, large, taste)
    return step


def draw(
    s: Schedule, rng: random.Random, handles: dict[str, Any], large: bool, taste: Taste | None = None
) -> Step:
    """Some primitive on some stage, with arguments of the kinds that it declares."""
    computed = [st for st in s.stages if not st.is_placeholder]
    stage = rng.choice(computed or s.stages)
    if rng.random() < 0.05:
        stage = rng.choice(s.stages)
    more = [p.name for p in PRIMITIVES.values() if p.results == "axis" or p.is_place]
    primitive = PRIMITIVES[rng.choice([*PRIMITIVES, *more] if taste is None else taste.words)]
    if primitive.name == "set_store_predicate" and not (stage.threads or threads_around(stage)):
        primitive = PRIMITIVES["bind"]  # a condition needs threads that it is about
    loops = [stage.axis_name(iv) for iv in stage.leaf_iter_vars]
    chosen = Selection(stage, rng.choice(loops) if loops else None, rng.choice(LANES))
    suggested = list(primitive.suggest(chosen))
    if stage.schedule.size_vars():  # a call may have fewer iterations than a part, and may be refused then
        suggested = [args for args in suggested if args.get("tail") != "shift"]
    if suggested and rng.random() < 0.4:
        args = {key: value for key, value in rng.choice(suggested).items() if value is not None}
    else:
        args = random_arguments(primitive, stage, rng, large)
    if primitive.name == "split" and taste is not None and rng.random() < 0.6:
        args = _with_tail(args, taste.tail, stage)
    return primitive.name, stage.name, with_handles(args, stage, rng, handles)


def _with_tail(args: dict[str, Any], tail: str | None, stage: Stage) -> dict[str, Any]:
    """The arguments of a split, with a tail if that may be."""
    if tail is None or (tail == "shift" and stage.schedule.size_vars()):
        return args
    return {k: v for k, v in args.items() if k != "disable_predication"} | {"tail": tail}


def random_arguments(primitive: Primitive, stage: Stage, rng: random.Random, large: bool) -> dict[str, Any]:
    """Arguments of the kinds that a primitive declares, whether they suit each other or not."""
    loops = [stage.axis_name(iv) for iv in stage.leaf_iter_vars]
    args: dict[str, Any] = {}
    for p in primitive.params:
        options = list(p.choices(stage)) if p.choices else []
        if p.default is None and rng.random() < 0.5:
            continue
        if p.name == "disable_predication" and (stage.schedule.size_vars() or rng.random() < 0.8):
            continue  # what sizes a call has, a split that is said to divide does not know
        if p.name == "tail" and primitive.name == "split" and stage.schedule.size_vars():
            options.remove("shift")  # as above
        match p.kind:
            case "axis" | "dimension":
                args[p.name] = rng.choice(options or loops or ["i"])
            case "axes":
                args[p.name] = rng.sample(options, min(len(options), rng.randint(2, 3)))
            case "place":
                parent = stage.schedule.find(args.get("parent"))
                others = [parent.axis_name(iv) for iv in parent.leaf_iter_vars] if parent else loops
                args[p.name] = rng.choice(others or ["i"])
            case "stage":
                args[p.name] = rng.choice(options or [x.name for x in stage.schedule.stages])
            case "stages":
                args[p.name] = rng.sample(options, rng.randint(1, len(options))) if options else []
            case "scope":
                args[p.name] = rng.choice(options or ["local", "global"])
            case "size" if stage.schedule.size_vars() and rng.random() < 0.2:
                sizes = {*stage.schedule.size_vars()}
                own = [name for name, v in stage.schedule.program_variables().items() if v in sizes]
                args[p.name] = f"{rng.choice(own)} // {rng.choice([1, 2, 3, 7])} + {rng.choice([1, 1, 2])}"
            case "int" | "size" | "value":
                args[p.name] = number(p, rng, 0.3 if large else 0.06)
            case "layout":
                args[p.name] = rng.choice([*options, random_layout(stage, rng)])
            case "call condition":
                args[p.name] = random_condition(stage, rng, options)
            case _ if options:
                args[p.name] = rng.choice(options)
    return args


def random_layout(stage: Stage, rng: random.Random) -> str:
    """Dimensions in some order, whole, cut, or two as one."""
    shape = stage.op.output(0).shape
    names = [f"i{d}" for d in range(len(shape))]
    parts: list[str] = []
    left = list(zip(names, shape, strict=True))
    while left:
        (name, _), *left = left
        size = const_int(left[0][1]) if left else None
        if size and rng.random() < 0.25:
            parts.append(f"{name} * {size + rng.choice([0, 0, 3])} + {left.pop(0)[0]}")
        elif rng.random() < 0.5:
            c = rng.choice([2, 3, 4, 8])
            parts += [f"{name} // {c}", f"{name} % {c}"]
        else:
            parts.append(name)
    rng.shuffle(parts)
    if rng.random() < 0.05:
        parts.append(rng.choice([*names, "0", "te.AXIS_SEPARATOR", "i0 - 1"]) if names else "0")
    return f"lambda {', '.join(names)}: [{', '.join(parts)}]"


def random_condition(stage: Stage, rng: random.Random, options: list[str]) -> str:
    """Comparisons of sizes and strides, with numbers of calls, alone or joined."""
    schedule, one = stage.schedule, rng.choice(options or ["n == 1"])
    sizes = {*schedule.size_vars()}
    own = [name for name, v in schedule.program_variables().items() if v in sizes]
    ends = [x for x in schedule.stages if (x.is_placeholder or x.is_output) and x.op.outputs[0].ndim]
    if ends and rng.random() < 0.5:
        end = rng.choice(ends)
        own.append(f"stride({end.name}, {rng.randrange(end.op.outputs[0].ndim)})")
    if own and rng.random() < 0.6:
        c = rng.choice([2, 3, 4, 8])
        one = rng.choice(
            [f"{rng.choice(own)} % {c} == {rng.randrange(c)}", f"{rng.choice(own)} >= {c}", f"{rng.choice(own)} == {c}",
             f"{rng.choice(own)} < {rng.choice(own)}", f"{rng.choice(own)} == {rng.choice(own)}",
             f"{rng.choice(own)} + {c} > 2 * {rng.choice(own)}"]
        )  # fmt: skip
    if rng.random() < 0.2:
        one = f"not {one}"
    if rng.random() < 0.25:
        return f"{one} {rng.choice(['and', 'or'])} {random_condition(stage, rng, options)}"
    return one


def number(p: Param, rng: random.Random, odd: float) -> int:
    if p.name == "disable_predication":
        return rng.choice((1, 1, 1, 2))
    if rng.random() < odd:
        return rng.choice(ODD_NUMBERS)
    return rng.choice((0, 0, 1, 2)) if isinstance(p.default, int) else rng.choice(FACTORS)


def with_handles(
    args: dict[str, Any], stage: Any, rng: random.Random, handles: dict[str, Any]
) -> dict[str, Any]:
    """Now and then an axis as the object that a user would pass, or one of another stage, which must be refused."""
    if "axis" not in args or "parent" in args or rng.random() > 0.2:
        return args
    copied = any(PRIMITIVES[step.primitive].results == "stage" for step in stage.schedule.journal)
    for ident, t in handles.items():
        own = getattr(t.op, "axis", ())
        mine = any(own_axis is iv for iv in stage.leaf_iter_vars for own_axis in own)
        for d, iv in enumerate(own):
            if mine and stage.axis_name(iv) == args["axis"] and any(iv is x for x in stage.leaf_iter_vars):
                return {**args, "axis": f"@{ident}.op.axis[{d}]"}
            if not (mine or copied) and rng.random() < 0.1 and not any(iv is x for x in stage.all_iter_vars):
                return {**args, "axis": f"@!{ident}.op.axis[{d}]"}
    return args
