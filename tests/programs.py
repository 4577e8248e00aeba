"""Programs and random schedules that many tests share."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Sequence

import numpy as np

import tewb
from tewb import te
from tewb.base import LowerError, ScheduleError
from tewb.ir import IRModule, Var
from tewb.lowering import whole_arguments
from tewb.schedule import PRIMITIVES, Schedule, Step
from tewb.tensor import PlaceholderOp, Tensor
from tewb.testing import evaluate, random_array, tolerance

Program = tuple[list[Tensor], list[Tensor]]  # inputs, outputs


def matmul(n: int = 17, m: int = 13, k: int = 11, dtype: str = "float32") -> Program:
    A = te.placeholder((n, k), name="A", dtype=dtype)
    B = te.placeholder((k, m), name="B", dtype=dtype)
    r = te.reduce_axis((0, k), name="k")
    C = te.compute((n, m), lambda i, j: te.sum(A[i, r] * B[r, j], axis=r), name="C")
    return [A, B], [C]


def chain(n: int = 19, m: int = 10) -> Program:
    A = te.placeholder((n, m), name="A")
    B = te.compute((n, m), lambda i, j: A[i, j] * 2.0 + 1.0, name="B")
    C = te.compute((n, m), lambda i, j: te.max(B[i, j], 0.0) - A[i, j], name="C")
    D = te.compute((n, m), lambda i, j: C[i, j] * B[i, j], name="D")
    return [A], [D]


def blur(n: int = 18, m: int = 21) -> Program:
    A = te.placeholder((n, m), name="A")
    X = te.compute(
        (n, m), lambda i, j: A[i, te.max(j - 1, 0)] + A[i, j] + A[i, te.min(j + 1, m - 1)], name="X"
    )
    Y = te.compute(
        (n, m), lambda i, j: X[te.max(i - 1, 0), j] + X[i, j] + X[te.min(i + 1, n - 1), j], name="Y"
    )
    return [A], [Y]


def padded(n: int = 23) -> Program:
    A = te.placeholder((n,), name="A")
    P = te.compute((n + 4,), lambda i: te.if_then_else(te.all(i >= 2, i < n + 2), A[i - 2], 0.0), name="P")
    r = te.reduce_axis((0, 5), name="r")
    C = te.compute((n,), lambda i: te.sum(P[i + r], axis=r), name="C")
    return [A], [C]


def rows(n: int = 7, m: int = 12) -> Program:
    A = te.placeholder((n, m), name="A")
    k = te.reduce_axis((0, m), name="k")
    M = te.compute((n,), lambda i: te.max(A[i, k], axis=k), name="M")
    E = te.compute((n, m), lambda i, j: te.exp(A[i, j] - M[i]), name="E")
    k2 = te.reduce_axis((0, m), name="k")
    S = te.compute((n,), lambda i: te.sum(E[i, k2], axis=k2), name="S")
    P = te.compute((n, m), lambda i, j: E[i, j] / S[i], name="P")
    return [A], [P]


def transposed(n: int = 9, m: int = 14) -> Program:
    A = te.placeholder((n, m), name="A", dtype="int32")
    T = te.compute((m, n), lambda i, j: A[j, i] * 3, name="T")
    F = te.compute((m * n,), lambda i: T[i // n, i % n] + i, name="F")
    return [A], [F]


def turned(n: int = 21, m: int = 18) -> Program:
    A, D = te.placeholder((n, m), name="A"), te.placeholder((m, n), name="D")
    S = te.compute((n, m), lambda i, j: A[i, j] * 2.0, name="S")
    B = te.compute((m, n), lambda i, j: S[j, i] + D[i, j], name="B")
    C = te.compute((n, m), lambda i, j: B[j, i] - A[i, j], name="C")
    return [A, D], [C]


def two_outputs(n: int = 15) -> Program:
    A = te.placeholder((n, 4), name="A", dtype="int64")
    S = te.compute((n, 4), lambda i, j: A[i, j] - 5, name="S")
    P, Q = te.compute((n, 4), lambda i, j: (S[i, j] * 2, S[i, j] + A[i, j]), name="PQ")
    return [A], [P, Q]


def argmax(n: int = 6, m: int = 13) -> Program:
    A = te.placeholder((n, m), name="A")
    k = te.reduce_axis((0, m), name="k")
    larger = te.comm_reducer(
        lambda x, y: (te.select(x[1] >= y[1], x[0], y[0]), te.select(x[1] >= y[1], x[1], y[1])),
        lambda t0, t1: (te.const(-1, t0), te.min_value(t1)),
        name="argmax",
    )
    at, most = te.compute((n,), lambda i: larger((k.var, A[i, k]), axis=k), name="IV")
    return [A], [at, most]


def bytes_product(n: int = 5, m: int = 6, k: int = 9) -> Program:
    """A product of bytes, with 4 neighbours of k side by side: what a dot product takes."""
    A = te.placeholder((n, k), name="A", dtype="uint8")
    B = te.placeholder((k, m), name="B", dtype="int8")
    inside = lambda ko, q: ko * 4 + q < k  # noqa: E731
    P = te.compute(
        (-(-k // 4), m, 4),
        lambda ko, j, q: te.if_then_else(inside(ko, q), B[ko * 4 + q, j], te.const(0, "int8")),
        name="P",
    )
    r = te.reduce_axis((0, k), name="k")
    C = te.compute(
        (n, m),
        lambda i, j: te.sum(A[i, r].astype("int32") * P[r // 4, j, r % 4].astype("int32"), axis=r),
        name="C",
    )
    return [A, B], [C]


PROGRAMS: dict[str, Callable[..., Program]] = {
    f.__name__: f
    for f in (matmul, chain, blur, padded, rows, transposed, turned, two_outputs, argmax, bytes_product)
}


def random_program(name: str, rng: random.Random, most: int) -> Program:
    """A program of `PROGRAMS` with sizes from 1 to `most`."""
    program = PROGRAMS[name]
    sizes = [p for p in inspect.signature(program).parameters.values() if isinstance(p.default, int)]
    return program(*[rng.randint(1, most) for _ in sizes])


@te.hybrid.script
def add_one(a):
    b = output_tensor(a.shape, "float32")  # noqa: F821
    for i in range(a.shape[0]):
        b[i] = a[i] + 1.0
    return b


def schedule_for(outputs: list[Tensor]) -> Schedule:
    return te.create_schedule(list(dict.fromkeys(t.op for t in outputs)))


def lower_all(s: Schedule) -> IRModule:
    """The schedule lowered with all its inputs and outputs."""
    inputs = [st for st in s.stages if st.is_placeholder]
    return tewb.lower(s, [t for st in (*inputs, *s.output_stages) for t in st.op.outputs])


def random_step(s: Schedule, rng: random.Random) -> Step:
    """Some step, legal or not, that names stages and loops which exist."""
    stage = rng.choice([st for st in s.stages if not isinstance(st.op, PlaceholderOp)] or s.stages)
    if rng.random() < 0.1:
        stage = rng.choice(s.stages)
    primitive = PRIMITIVES[rng.choice(list(PRIMITIVES))]
    args: dict[str, object] = {}
    loops = [stage.axis_name(iv) for iv in stage.leaf_iter_vars]
    if primitive.name == "transpose" and len(loops) > 1 and rng.random() < 0.8:
        return Step("transpose", stage.name, {"rows": loops[-2], "lanes": loops[-1]})
    for p in primitive.params:
        options = p.choices(stage) if p.choices else []
        match p.kind:
            case "int" if p.name == "disable_predication":
                if rng.random() < 0.1 and not s.size_variables():  # whether those divide, a call tells
                    args[p.name] = 1
            case "layout":
                args[p.name] = rng.choice(options or ["lambda: [0]"])
            case "word":
                args[p.name] = rng.choice(options or ["group"])
            case "value":
                args[p.name] = rng.choice([0, 1, 16])
            case "int" if primitive.name == "prefetch":
                args[p.name] = rng.choice([0, 1, 3])
            case "int" if p.name == "offset":
                args[p.name] = rng.choice([0, 1, 2])
            case "axis" | "dimension":
                args[p.name] = rng.choice(options) if options else "i"
            case "axes":
                args[p.name] = rng.sample(options, min(len(options), rng.randint(2, 3)))
            case "int" if p.name == "output":
                args[p.name] = 0
            case "int" if p.name == "factor_axis":
                args[p.name] = rng.choice([0, 0, -1, 1])
            case "size" if (names := _size_names(s)) and rng.random() < 0.3:
                name = rng.choice(names)
                if p.default is not None or "factor" not in args:
                    args[p.name] = name if name in s.variables else f"{name} // {rng.choice([2, 3])} + 1"
            case "size" if primitive.name == "split":
                if (p.name == "factor") == (
                    (rng.random() < 0.5 and "nparts" not in args) or "factor" in args
                ):
                    args.setdefault(p.name, rng.choice([1, 2, 3, 4, 5, 8, 16]))
            case "int" | "size":
                args[p.name] = rng.choice([1, 2, 3, 4, 5, 8, 16])
            case "stage":
                args[p.name] = rng.choice(options) if options else stage.name
            case "place":
                loops = [s[args["parent"]].axis_name(iv) for iv in s[args["parent"]].leaf_iter_vars]
                args[p.name] = rng.choice(loops) if loops else "i"
            case "stages":
                args[p.name] = rng.sample(options, 1) if options else []
            case "scope":
                args[p.name] = rng.choice(["local", "global"])
    return Step(primitive.name, stage.name, args)


def _size_names(s: Schedule) -> list[str]:
    """The names of the variables of shapes, and of those that the schedule was given."""
    sizes = {*s.size_vars(), *s.variables.values()}
    return [name for name, v in s.size_variables().items() if v in sizes]


# What chance would hardly find: programs whose schedules may begin with these steps.
BEGINNINGS: dict[str, list[Step]] = {
    "bytes_product": [
        Step("split", "C", {"axis": "k", "factor": 4}),
        Step("dot", "C", {"axis": "k.inner"}),
        Step("reorder", "C", {"axes": ["k.outer", "j"]}),
        Step("vectorize", "C", {"axis": "j"}),
    ]
}


def random_schedule(
    outputs: list[Tensor],
    rng: random.Random,
    steps: int,
    beginning: Sequence[Step] = (),
    variables: Sequence[Var] = (),
) -> Schedule:
    """A schedule made of `steps` random legal primitives, or as many as were found, after those of `beginning`. Splits may
    have sizes of `variables`."""
    s = schedule_for(outputs)
    s.variables = {v.name: v for v in variables}
    for step in beginning:
        if s.why_not(step) is None:
            s.apply(step)
    steps += len(s.journal)
    for _ in range(steps * 6):
        if len(s.journal) >= steps:
            break
        step = random_step(s, rng)
        if s.why_not(step) is None:
            s.apply(step)
        elif step.primitive == "transpose":
            transpose_a_tile(s, step, rng)
    if _is_lowered(schedule_for(outputs)):
        while not _is_lowered(s):
            s.restore(s.journal[:-1])
    return s


def kept_around_loops(outputs: list[Tensor], rng: random.Random) -> Schedule:
    """A random schedule whose stages are computed in loops and kept around some of these, where that may be."""
    s = random_schedule(outputs, rng, rng.choice([0, 1, 3]))
    for stage in reversed([st for st in s.stages if not st.is_placeholder and not st.is_output]):
        loops = [
            {"parent": st.name, "axis": st.axis_name(iv)}
            for st in s.stages
            for iv in st.leaf_iter_vars
            if not st.is_placeholder
        ]
        rng.shuffle(loops)
        _first_legal(s, [Step("compute_at", stage.name, place) for place in loops[:6]])
        keep = [
            Step("store_root", stage.name),
            *(Step("store_at", stage.name, place) for place in loops if rng.random() < 0.5),
        ]
        rng.shuffle(keep)
        if stage.attached is not None:
            _first_legal(s, keep)
    for _ in range(rng.choice([0, 1, 2, 4])):
        _first_legal(s, [random_step(s, rng)])
    while not _is_lowered(s) and s.journal:
        s.restore(s.journal[:-1])
    return s


def _first_legal(s: Schedule, steps: Sequence[Step]) -> None:
    for step in steps:
        if s.why_not(step) is None:
            s.apply(step)
            return


def _is_lowered(s: Schedule) -> bool:
    """Whether a schedule has loops: some steps are judged when it is lowered."""
    try:
        sizes = {*s.size_vars()}
        tewb.lower(s, [*whole_arguments(s), *(v for v in s.variables.values() if v not in sizes)])
    except (LowerError, ScheduleError):
        return False
    return True


def transpose_a_tile(s: Schedule, step: Step, rng: random.Random) -> None:
    """Cut a tile out of two loops, and transpose it if there is something to transpose."""
    rows, lanes = (rng.choice([2, 4, 8]) for _ in range(2))
    x, y = step.args["rows"], step.args["lanes"]
    tile = Step("tile", step.stage, {"x": x, "y": y, "x_factor": rows, "y_factor": lanes})
    if s.why_not(tile) is not None:
        return
    s.apply(tile)
    xo, yo, xi, yi = s.journal[-1].results
    others = [n for iv in s[step.stage].leaf_iter_vars if (n := s[step.stage].axis_name(iv)) not in (xi, yi)]
    for after in (
        Step("reorder", step.stage, {"axes": [*others, xi, yi]}),
        Step("transpose", step.stage, {"rows": xi, "lanes": yi}),
    ):
        if s.why_not(after) is None:
            s.apply(after)


def assert_same_result(
    s: Schedule, inputs: list[Tensor], outputs: list[Tensor], seed: int = 0, terms: int = 64, **build: bool
) -> None:
    """The scheduled kernel gives what the definition says."""
    rng = np.random.default_rng(seed)
    arrays = [random_array([n.value for n in t.shape], t.dtype, rng) for t in inputs]
    expected = evaluate(outputs, dict(zip(inputs, arrays, strict=True)))
    results = [np.full(e.shape, 77).astype(e.dtype) for e in expected]
    tewb.build(s, [*inputs, *outputs], **build)(*arrays, *results)
    for t, got, want in zip(outputs, results, expected, strict=True):
        rtol, atol = tolerance(t.dtype, terms)
        np.testing.assert_allclose(got, want, rtol=rtol, atol=atol, err_msg=f"{t.name}: {s.journal}")
