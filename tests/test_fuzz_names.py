"""Programs in which tensors, axes and variables all have one name compute what they compute under other names."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import PROGRAMS, random_schedule
from tewb import te
from tewb.ir import parse, structural_equal
from tewb.tensor import Tensor
from tewb.testing import evaluate, random_array, tolerance

SEEDS = range(10)
SIZES = {
    "matmul": 3,
    "chain": 2,
    "blur": 2,
    "rows": 2,
    "transposed": 2,
    "turned": 2,
    "argmax": 2,
    "bytes_product": 3,
}
SYMBOLIC = ("matmul", "chain", "blur", "rows", "padded", "argmax")
NAMED = ("placeholder", "compute", "extern", "reduce_axis", "var", "decl_buffer")


def other(n: int = 9, m: int = 6) -> Any:
    """Inputs and outputs of several dtypes and shapes, an intermediate, and two scalars."""
    A, B = te.placeholder((n, m), name="A"), te.placeholder((m,), name="B")
    E = te.placeholder((n, m), name="E", dtype="int32")
    x, y = te.var("x"), te.var("y")
    S = te.compute((n, m), lambda i, j: A[i, j] * 2.0 - B[j], name="S")
    T = te.compute((n, m), lambda i, j: S[i, j] + E[i, j].astype("float32") * x.astype("float32"), name="T")
    k = te.reduce_axis((0, m), name="k")
    R = te.compute((n,), lambda i: te.sum(T[i, k] - B[k], axis=k), name="R")
    U = te.compute((n, m), lambda i, j: E[i, j] * 3 - y + x, name="U")
    return [A, B, E], [T, R, U], {x: 5, y: -2}


def contiguous(a: Any) -> Any:
    return a.copy()


def strided(a: Any) -> Any:
    wide = np.zeros([2 * n for n in a.shape], a.dtype)
    view = wide[tuple(slice(None, None, 2) for _ in a.shape)]
    view[...] = a
    return view


def reversed_view(a: Any) -> Any:
    turn = tuple(slice(None, None, -1) for _ in a.shape)
    return a[turn].copy()[turn]


def misaligned(a: Any) -> Any:
    view = np.zeros(a.nbytes + 1, "uint8")[1:].view(a.dtype).reshape(a.shape)
    view[...] = a
    return view


LAYOUTS: list[Callable[[Any], Any]] = [contiguous, strided, reversed_view, misaligned]


@pytest.fixture
def one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is defined is called X."""

    def anonymous(make: Callable[..., Any]) -> Callable[..., Any]:
        def made(*args: Any, **keywords: Any) -> Any:
            return (
                make("X", *args[1:], **keywords) if make is var else make(*args, **{**keywords, "name": "X"})
            )

        return made

    var = te.var
    for function in NAMED:
        monkeypatch.setattr(te, function, anonymous(getattr(te, function)))


def check_calls(
    kernel: Any, args: list[Any], values: dict[Any, Any], wanted: dict[Tensor, Any], rng: random.Random
) -> None:
    """Calls with all kinds of arrays, the first one and later ones and some in place, give what is wanted."""

    def check(layout: Callable[[Any], Any], place: tuple[Any, Any] | None = None) -> None:
        given = {a: v if np.ndim(v) == 0 else layout(v) for a, v in values.items()}
        given |= {t: layout(np.full(w.shape, 77).astype(w.dtype)) for t, w in wanted.items()}
        if place is not None:
            given[place[1]] = given[place[0]]
        kernel(*[given[a] for a in args])
        for t, want in wanted.items():
            rtol, atol = tolerance(t.dtype, 64)
            np.testing.assert_allclose(given[t], want, rtol=rtol, atol=atol)

    def fits(a: Any, t: Tensor) -> bool:
        return np.ndim(values[a]) > 0 and values[a].shape == wanted[t].shape and a.dtype is t.dtype

    for layout in [contiguous, *rng.choices(LAYOUTS, k=3), contiguous]:
        check(layout)
    for pair in [(a, t) for a in values for t in wanted if fits(a, t)][:2]:
        check(rng.choice(LAYOUTS), pair)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", [*PROGRAMS, "other"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_program_with_one_name_computes_the_same(name: str, seed: int, one_name: None) -> None:
    rng = random.Random(f"names{name}{seed}")
    sizes = [rng.randint(1, 20) for _ in range(SIZES.get(name, 1))]
    inputs, outputs, scalars = other() if name == "other" else (*PROGRAMS[name](*sizes), {})
    s = random_schedule(outputs, rng, rng.randint(1, 7))
    args = [*inputs, *scalars, *outputs]
    rng.shuffle(args)
    arrays = {
        t: random_array([n.value for n in t.shape], t.dtype, np.random.default_rng(seed)) for t in inputs
    }
    wanted = dict(zip(outputs, evaluate(outputs, arrays, scalars), strict=True))
    module = tewb.lower(s, args)
    assert structural_equal(parse(str(module))["main"], module["main"])
    kernel = tewb.build(s, args, debug=seed % 4 == 0)
    check_calls(kernel, args, {**arrays, **scalars}, wanted, rng)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", SYMBOLIC)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_symbolic_program_with_one_name_computes_the_same(name: str, seed: int, one_name: None) -> None:
    rng = random.Random(f"symbolic names{name}{seed}")
    variables = [te.var(f"n{i}") for i in range(SIZES.get(name, 1))]
    inputs, outputs = PROGRAMS[name](*variables)
    s = random_schedule(outputs, rng, rng.randint(0, 4))
    args = [*inputs, *outputs]
    rng.shuffle(args)
    try:
        kernel = tewb.build(s, args)
    except tewb.TewbError as e:
        assert "not constant" in str(e)
        return
    for low, high in itertools.pairwise((1, 8, 30)):
        given, made = PROGRAMS[name](*[rng.randint(low, high) for _ in variables])
        arrays = [
            random_array([n.value for n in t.shape], t.dtype, np.random.default_rng(seed)) for t in given
        ]
        wanted = dict(zip(outputs, evaluate(made, dict(zip(given, arrays, strict=True))), strict=True))
        check_calls(kernel, args, dict(zip(inputs, arrays, strict=True)), wanted, rng)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", [*PROGRAMS, "other"])
@pytest.mark.parametrize("seed", range(4))
def test_the_steps_of_a_program_with_one_name_go_round(name: str, seed: int, one_name: None) -> None:
    """As code, as a string and as JSON they lead to the same program."""
    rng = random.Random(f"steps{name}{seed}")
    inputs, outputs, scalars = other() if name == "other" else (*PROGRAMS[name](), {})
    session = tewb.Session(random_schedule(outputs, rng, 8), [*inputs, *scalars, *outputs])
    assert session.verify()
    text, journal = session.ir, session.journal
    for kept in (session.code, session.schedule_code, session.to_string(), session.to_json()):
        session.reset()
        session.load(kept) if kept[0] != "{" else session.from_json(kept)
        assert session.journal == journal and session.ir == text
