"""te.scan: steps computed from those before them, scheduled, against numpy and the reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.scan_programs import cumulative_sum, lstm_cell, random, size
from tewb import te
from tewb.base import BoundError, DTypeError, ShapeError, TewbError
from tewb.schedule import ScanFixPointAnalysis, ScanGetBody
from tewb.tensor.json_text import load_json, save_json
from tewb.testing.reference import evaluate
from tewb.workbench.session import Session

SIZES = [(1, 1), (7, 5), (9, 16), (4, 33)]


def run(s: Any, args: list[Any], *arrays: Any, shape: tuple[int, ...], dtype: str = "float32") -> Any:
    result = np.full(shape, 77, dtype)
    tewb.build(s, args)(*arrays, result)
    return result


def fixed(result: Any) -> list[int]:
    points = ScanFixPointAnalysis(result.op)
    return [points[iv].value for iv in result.op.spatial_axis_]


# ---------------------------------------------------------------- programs


@pytest.mark.parametrize("symbolic", [False, True])
@pytest.mark.parametrize("m, n", SIZES)
def test_cumulative_sum(m: int, n: int, symbolic: bool) -> None:
    X, _, init, update, res = cumulative_sum(size(m, "m", symbolic), size(n, "n", symbolic))
    s = te.create_schedule(res.op)
    x = random(m, n)
    np.testing.assert_allclose(run(s, [X, res], x, shape=(m, n)), x.cumsum(0), rtol=1e-5, atol=1e-5)
    s[init].split(init.op.axis[1], factor=3)
    outer, inner = s[update].split(update.op.axis[1], factor=4)
    s[update].vectorize(inner)
    s[update].parallel(outer)
    np.testing.assert_allclose(run(s, [X, res], x, shape=(m, n)), x.cumsum(0), rtol=1e-5, atol=1e-5)
    if not symbolic:
        np.testing.assert_allclose(evaluate([res], {X: x})[0], x.cumsum(0), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("vector", [False, True])
def test_powers_of_a_matrix(vector: bool) -> None:
    m, n = 6, 5
    A = te.placeholder((n, n), name="A")
    state = te.placeholder((m, n, n), name="state")
    init = te.compute((1, n, n), lambda _, i, j: te.if_then_else(i == j, 1.0, 0.0), name="init")
    k = te.reduce_axis((0, n), name="k")
    update = te.compute(
        (m, n, n), lambda t, i, j: te.sum(state[t - 1, i, k] * A[k, j], axis=k), name="update"
    )
    P = te.scan(init, update, state, name="P")
    s = te.create_schedule(P.op)
    if vector:
        _, i, j = s[update].op.axis
        outer, inner = s[update].split(j, 3)
        s[update].reorder(outer, i, s[update].op.reduce_axis[0], inner)
        s[update].vectorize(inner)
    a = random(n, n)
    wanted = np.stack([np.linalg.matrix_power(a.astype("float64"), p) for p in range(m)])
    np.testing.assert_allclose(run(s, [A, P], a, shape=(m, n, n)), wanted, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(evaluate([P], {A: a})[0], wanted, rtol=1e-4, atol=1e-4)


def lstm_in_numpy(x: Any, w: Any) -> tuple[Any, Any]:
    steps, n = x.shape[0], x.shape[2]
    h, c = np.zeros((steps, n)), np.zeros((steps, n))
    for t in range(1, steps):
        i, f, g, o = x[t].astype("float64") + w.astype("float64") @ h[t - 1]
        c[t] = c[t - 1] / (1 + np.exp(-i)) + np.tanh(g) / (1 + np.exp(-f))
        h[t] = np.tanh(c[t]) / (1 + np.exp(-o))
    return h, c


def plain(s: Any, hidden: Any, gates: Any, c: Any, h: Any, res: Any) -> None:
    pass


def at_the_time(s: Any, hidden: Any, gates: Any, c: Any, h: Any, res: Any) -> None:
    s[gates].compute_inline()
    s[hidden].compute_at(s[res], res.op.scan_axis)
    outer, inner = s[hidden].split(hidden.op.axis[2], factor=4)
    s[hidden].reorder(outer, hidden.op.reduce_axis[0], hidden.op.axis[1], inner)
    s[hidden].vectorize(inner)
    s[h].vectorize(h.op.axis[1])


def in_the_cells(s: Any, hidden: Any, gates: Any, c: Any, h: Any, res: Any) -> None:
    s[hidden].compute_at(s[gates], gates.op.axis[1])
    s[gates].unroll(gates.op.axis[1])
    s[c].parallel(c.op.axis[1])
    local = s.cache_write(h, "local")
    outer, _ = s[h].split(h.op.axis[1], factor=3)
    s[local].compute_at(s[h], outer)


@pytest.mark.parametrize("schedule", [plain, at_the_time, in_the_cells])
@pytest.mark.parametrize("symbolic", [False, True])
def test_a_cell_of_two_states(schedule: Callable[..., None], symbolic: bool) -> None:
    steps, n = 6, 7
    X, W, hidden, gates, c, h, (H, C) = lstm_cell(size(steps, "steps", symbolic), n)
    s = te.create_schedule(H.op)
    schedule(s, hidden, gates, c, h, H)
    x, w = random(steps, 4, n), random(4, n, n)
    got = [np.full((steps, n), 77, "float32") for _ in range(2)]
    tewb.build(s, [X, W, H, C])(x, w, *got)
    for g, wanted in zip(got, lstm_in_numpy(x, w), strict=True):
        np.testing.assert_allclose(g, wanted, rtol=1e-4, atol=1e-5)
    if schedule is plain and not symbolic:
        np.testing.assert_allclose(evaluate([H, C], {X: x, W: w})[0], got[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("n", [2, 3, 20])
def test_two_steps_to_begin_with(n: int) -> None:
    state = te.placeholder((n,), "int64", name="F")
    init = te.compute((2,), lambda t: te.cast(t, "int64"), name="init")
    update = te.compute((n,), lambda t: state[t - 1] + state[t - 2], name="update")
    F = te.scan(init, update, state, name="fibonacci")
    wanted = [0, 1]
    while len(wanted) < n:
        wanted.append(wanted[-1] + wanted[-2])
    s = te.create_schedule(F.op)
    np.testing.assert_array_equal(run(s, [F], shape=(n,), dtype="int64"), wanted)
    np.testing.assert_array_equal(evaluate([F], {})[0], wanted)


@pytest.mark.parametrize("cached", [False, True])
def test_steps_over_a_grid(cached: bool) -> None:
    steps, n, m = 5, 6, 9
    A = te.placeholder((n, m), name="A")
    state = te.placeholder((steps, n, m), name="U")
    init = te.compute((1, n, m), lambda _, i, j: A[i, j], name="init")

    def next_step(t: Any, i: Any, j: Any) -> Any:
        inside = te.all(i > 0, i < n - 1, j > 0, j < m - 1)
        around = (
            state[t - 1, i - 1, j] + state[t - 1, i + 1, j] + state[t - 1, i, j - 1] + state[t - 1, i, j + 1]
        )
        return te.if_then_else(inside, around * 0.25, state[t - 1, i, j])

    update = te.compute((steps, n, m), next_step, name="update")
    J = te.scan(init, update, state, name="jacobi")
    assert fixed(J) == [0, 0]
    last = te.compute((n, m), lambda i, j: J[steps - 1, i, j] * 2.0, name="last")
    s = te.create_schedule(last.op)
    if cached:
        copy = s.cache_read(state, "local", [update])
        _, i, j = s[update].op.axis
        s[copy].compute_at(s[update], i)
        s[update].vectorize(j)
    a = random(n, m)
    u = a.astype("float64")
    for _ in range(steps - 1):
        v = u.copy()
        v[1:-1, 1:-1] = (u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:]) / 4
        u = v
    np.testing.assert_allclose(run(s, [A, last], a, shape=(n, m)), 2 * u, rtol=1e-5, atol=1e-5)


def test_a_reduction_over_all_earlier_steps() -> None:
    n = 7
    X = te.placeholder((n,), name="X")
    state = te.placeholder((n,), name="S")
    init = te.compute((1,), lambda t: X[0], name="init")

    def total(t: Any) -> Any:
        k = te.reduce_axis((0, t), name="k")
        return te.sum(state[k] * X[t], axis=k)

    S = te.scan(init, te.compute((n,), total, name="update"), state, name="S")
    x = random(n)
    wanted = [float(x[0])]
    for t in range(1, n):
        wanted.append(sum(wanted) * float(x[t]))
    s = te.create_schedule(S.op)
    np.testing.assert_allclose(run(s, [X, S], x, shape=(n,)), wanted, rtol=1e-4)
    np.testing.assert_allclose(evaluate([S], {X: x})[0], wanted, rtol=1e-4)


def test_inputs_as_init_and_update_are_copied() -> None:
    A, B = te.placeholder((2, 3), name="A"), te.placeholder((5, 3), name="B")
    res = te.scan(A, B, te.placeholder((5, 3)), name="res")
    a, b = random(2, 3), random(5, 3)
    got = run(te.create_schedule(res.op), [A, B, res], a, b, shape=(5, 3))
    np.testing.assert_array_equal(got, np.concatenate([a, b[2:]]))


def test_json_and_source_keep_a_scan() -> None:
    X, _, _, _, res = cumulative_sum(4, 6)
    again = load_json(save_json([X, res]))
    x = random(4, 6)
    np.testing.assert_allclose(evaluate([again[1]], {again[0]: x})[0], x.cumsum(0), rtol=1e-5)
    assert str(tewb.lower(te.create_schedule(again[1].op), again)) == str(
        tewb.lower(te.create_schedule(res.op), [X, res])
    )
    session = Session(te.create_schedule(res.op), [X, res])
    names: dict[str, Any] = {}
    exec(session.code, names)
    assert str(names["module"]) == str(session.module)


def test_the_workbench_knows_scans() -> None:
    X, W, hidden, gates, c, h, (H, C) = lstm_cell(6, 7)
    s = te.create_schedule(H.op)
    at_the_time(s, hidden, gates, c, h, H)
    session = Session(s, [X, W, H, C])
    stages = {x.name: x for x in session.stages}
    assert (stages["lstm"].kind, stages["h"].place) == ("scan", "at lstm.lstm.idx")
    assert [loop.name for loop in stages["lstm"].loops] == ["lstm.init", "lstm.idx"]
    accounts = {e.stage: e for e in session.ledger()}
    assert accounts["h"].allocated.bytes == accounts["h0"].allocated.bytes == 0
    assert accounts["hidden"].allocated.bytes == 4 * 4 * 7  # of one step
    assert "its own step of h" in str(session.explain("allocation", "h"))
    assert session.verify().ok


def test_the_body_and_the_axes_of_a_scan() -> None:
    _, _, hidden, gates, c, h, (H, C) = lstm_cell(5, 4)
    op = H.op
    assert (op.states[0].name, op.input_tensors[2]) == ("h_state", h)
    assert C.op is op and [o.name for o in ScanGetBody(op)] == ["hidden", "gates", "c", "h"]
    assert [o.name for o in (hidden.op, gates.op, c.op, h.op)] == ["hidden", "gates", "c", "h"]
    assert fixed(H) == [0, 0]
    assert (op.scan_axis.name, op.scan_axis.dom.min, op.scan_axis.dom.extent) == ("lstm.idx", 1, 4)
    assert fixed(cumulative_sum(4, 6)[-1]) == [1]
    with pytest.raises(TewbError, match="is no scan"):
        ScanGetBody(hidden.op)


# ---------------------------------------------------------------- misuse


def steps(index: Callable[[Any], Any], first: int = 1, n: int = 8) -> Any:
    state = te.placeholder((n,), name="S")
    init = te.compute((first,), lambda t: te.const(1.0), name="init")
    update = te.compute((n,), lambda t: state[index(t)] + 1.0, name="update")
    return te.scan(init, update, state, name="res")


def test_a_step_reads_earlier_steps_only() -> None:
    with pytest.raises(BoundError, match=r"update reads S\[t, ...\] at the step that is being made"):
        steps(lambda t: t)
    with pytest.raises(BoundError, match="not known to be an earlier one"):
        steps(lambda t: te.max(t - 1, t // 2 + 2))
    with pytest.raises(BoundError, match=r"update reads outside of S: in dimension 0, t - 2 runs from -1"):
        steps(lambda t: t - 2)
    steps(lambda t: t - 2, first=2)
    steps(lambda t: te.max(t - 3, 0))


def test_what_does_not_fit_together_is_refused() -> None:
    state = te.placeholder((5, 4), name="S")
    init = te.compute((1, 4), lambda t, i: te.const(0.0), name="init")
    update = te.compute((5, 4), lambda t, i: state[t - 1, i], name="update")
    none = te.compute((0, 4), lambda t, i: te.const(0.0), name="none")
    many = te.compute((6, 4), lambda t, i: te.const(0.0), name="many")
    narrow = te.compute((1, 3), lambda t, i: te.const(0.0), name="narrow")
    ints = te.compute((1, 4), lambda t, i: te.const(0), name="ints")
    with pytest.raises(ShapeError, match="init none gives 0 steps"):
        te.scan(none, update, state)
    with pytest.raises(ShapeError, match="init many gives 6 steps, and state S has 5"):
        te.scan(many, update, state)
    with pytest.raises(ShapeError, match=r"init narrow has shape \(1, 3\), and state S has \(5, 4\)"):
        te.scan(narrow, update, state)
    with pytest.raises(DTypeError, match="init ints is int32, and state S is float32"):
        te.scan(ints, update, state)
    with pytest.raises(TewbError, match="1 init, 1 update and 2 states"):
        te.scan([init], [update], [state, state])
    with pytest.raises(TewbError, match="state update is computed"):
        te.scan(init, update, update)
    with pytest.raises(TewbError, match="init is a tensor or a list of tensors, not 3"):
        te.scan(3, update, state)


def test_cells_of_other_steps_are_refused() -> None:
    state = te.placeholder((5,), name="S")
    init = te.compute((1,), lambda t: te.const(0.0), name="init")
    cell = te.compute((5,), lambda t: state[t - 1] * 2.0, name="cell")
    update = te.compute((5,), lambda t: cell[te.max(t - 1, 0)], name="update")
    with pytest.raises(BoundError, match="update reads cell.*within a step t only what belongs to that step"):
        te.scan(init, update, state)


def test_an_extern_in_a_scan_is_refused() -> None:
    state = te.placeholder((5,), name="S")
    E = te.extern((5,), [state], lambda ins, outs: te.call_packed("f", ins[0], outs[0]), name="E")
    init = te.compute((1,), lambda t: te.const(0.0), name="init")
    with pytest.raises(TewbError, match="E depends on a state and is no compute"):
        te.scan(init, te.compute((5,), lambda t: E[t], name="update"), state)


def test_an_earlier_read_outside_of_a_scan_is_refused_by_its_schedule() -> None:
    A = te.placeholder((8,), name="A")
    B = te.compute((8,), lambda i: A[i - 1], name="B")
    with pytest.raises(
        BoundError, match=r"B reads outside of A: in dimension 0, i - 1 runs from -1 to 6"
    ) as e:
        te.create_schedule(B.op)
    assert "update of te.scan" in (e.value.hint or "") and e.value.span is B.op.span
    masked = te.compute((8,), lambda i: te.select(i > 1, 1.0, 0.0) * A[i - 2])
    with pytest.raises(BoundError, match="runs from -2 to 5"):
        te.create_schedule(masked.op)
    guarded = te.compute((8,), lambda i: te.select(i > 1, A[i - 2], 0.0))
    assert guarded.op.unproved == ()
    te.create_schedule(guarded.op)
