"""The pass context: every option changes something, what would change nothing is refused, and blocks nest."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import assert_same_result
from tewb import te
from tewb.base import ArgumentError, ExternError, PassContext, TewbError, option
from tewb.base.config import DEFAULTS, WITHOUT_EFFECT


def guarded() -> tuple[Any, list[Any]]:
    """B = A + 1 over 10 elements in tiles of 4: the last tile has a guard."""
    A = te.placeholder((10,), name="A")
    B = te.compute((10,), lambda i: A[i] + 1.0, name="B")
    s = te.create_schedule(B.op)
    s[B].split("i", factor=4)
    return s, [A, B]


def stages() -> tuple[Any, list[Any]]:
    """Intermediates that could share memory."""
    A = te.placeholder((64,), name="A")
    found = [A]
    for _ in range(5):
        before = found[-1]
        found.append(te.compute((64,), lambda i, t=before: t[i] * t[63 - i], name=f"S{len(found)}"))
    return te.create_schedule(found[-1].op), [A, found[-1]]


def ir() -> str:
    return str(tewb.lower(*guarded()))


def vectorized() -> str:
    s, args = guarded()
    s["B"].vectorize("i.inner")
    return str(tewb.lower(s, args))


def unrolled() -> str:
    s, args = guarded()
    s["B"].unroll("i.inner")
    return str(tewb.lower(s, args))


def nested(steps: int) -> str:
    A = te.placeholder((2, 2), name="A")
    B = te.compute((2, 2), lambda i, j: A[i, j] + 1.0, name="B")
    now = PassContext.current().config
    with PassContext(config={**now, "tir.UnrollLoop.auto_max_step": steps}):
        return str(tewb.lower(te.create_schedule(B.op), [A, B]))


def strided() -> str:
    A = te.placeholder((8, 8), name="A")
    B = te.compute((8, 8), lambda i, j: A[i, j] + 1.0, name="B")
    layout = te.decl_buffer((8, 8), name="A", strides=[te.var("s"), te.var("t")])
    return str(tewb.lower(te.create_schedule(B.op), [A, B], binds={A: layout}))


def memory() -> str:
    return tewb.build(*stages()).get_source("ll0")


def checks() -> str:
    return tewb.build(*guarded()).get_source("ll0")


def liar() -> str:
    """What happens when an extern leaves a part of its output unwritten."""
    A = te.placeholder((8,), name="A")
    B = te.extern(
        (8,), [A], lambda ins, outs: tewb.tir.call_packed("test_config.nothing", ins[0], outs[0]), name="B"
    )
    tewb.register_func("test_config.nothing", lambda x, y: None, override=True)
    kernel = tewb.build(te.create_schedule(B.op), [A, B])
    try:
        kernel(np.zeros(8, "float32"), np.zeros(8, "float32"))
    except ExternError as e:
        return e.message
    return "nothing"


def large() -> str:
    """What happens when an intermediate takes a MiB."""
    A = te.placeholder((1 << 18,), name="A")
    B = te.compute(A.shape, lambda i: A[i] + 1.0, name="B")
    C = te.compute(A.shape, lambda i: B[(1 << 18) - 1 - i], name="C")
    kernel = tewb.build(te.create_schedule(C.op), [A, C])
    try:
        kernel(np.zeros(1 << 18, "float32"))
    except ArgumentError as e:
        return e.message
    return "nothing"


# For each option what it shows in, and a value other than its default.
SHOWN: dict[str, tuple[Callable[[], str], Any]] = {
    "tir.LoopPartition": (ir, False),
    "tir.LoopPartition.partition_const_loop": (ir, False),
    "tir.UnrollLoop.auto_max_step": (ir, 4),
    "tir.UnrollLoop.auto_max_depth": (lambda: nested(4), 1),
    "tir.UnrollLoop.auto_max_extent": (ir, 4),
    "tir.UnrollLoop.explicit_unroll": (unrolled, False),
    "tir.add_lower_pass": (ir, [(3, lambda body: tewb.tir.Evaluate(tewb.tir.const(0)))]),
    "tir.disable_vectorize": (vectorized, True),
    "tir.disable_storage_rewrite": (memory, True),
    "tir.instrument_bound_checkers": (checks, True),
    "tewb.checked_externs": (liar, True),
    "tewb.specialise_strides": (strided, False),
    "tewb.memory_limit": (large, 1000),
}


@pytest.mark.parametrize("key", SHOWN)
def test_every_option_changes_something(key: str) -> None:
    show, value = SHOWN[key]
    before = show()
    with PassContext(config={key: DEFAULTS[key]}):
        assert show() == before
    with PassContext(config={key: value}):
        assert show() != before
    assert show() == before


def test_there_are_no_options_but_these() -> None:
    elsewhere = {
        "tewb.object_cache",
        "tewb.build_timeout",
        "tewb.verify",
    }  # tested with the cache, LLVM's process, and verify
    assert {*SHOWN, *elsewhere} == set(DEFAULTS)


@pytest.mark.parametrize(
    ("dicts", "flat"),
    [
        ({"tir.LoopPartition": {}}, {}),
        ({"tir.LoopPartition": {"partition_const_loop": True}}, {}),
        ({"tir.LoopPartition": {"partition_const_loop": False}}, {"tir.LoopPartition.partition_const_loop": False}),
        ({"tir.UnrollLoop": {"auto_max_step": 4}}, {"tir.UnrollLoop.auto_max_step": 4}),
        ({"tir.UnrollLoop": {"auto_max_step": 4, "explicit_unroll": False}},
         {"tir.UnrollLoop.auto_max_step": 4, "tir.UnrollLoop.explicit_unroll": False}),
        ({"tir.disable_vectorize": 1}, {"tir.disable_vectorize": True}),
        ({"tewb.memory_limit": np.int64(5)}, {"tewb.memory_limit": 5}),
    ],
)  # fmt: skip
def test_options_that_are_dicts_are_their_keys(dicts: Any, flat: Any) -> None:
    assert PassContext(config=dicts).config == {**DEFAULTS, **flat} == PassContext(config=flat).config
    with PassContext(config=dicts):
        first = tewb.build(*guarded()).get_source("ll0")
    with PassContext(config=flat):
        assert tewb.build(*guarded()).get_source("ll0") == first


def test_loops_of_constant_extent_can_stay_whole_while_others_are_cut() -> None:
    n = te.var("n")
    A = te.placeholder((n, 10), name="A")
    B = te.compute((n, 10), lambda i, j: A[i, j] + 1.0, name="B")
    s = te.create_schedule(B.op)
    s[B].split("i", factor=8)
    s[B].split("j", factor=4)
    whole = str(tewb.lower(s, [A, B]))
    with PassContext(config={"tir.LoopPartition": {"partition_const_loop": False}}):
        text = str(tewb.lower(s, [A, B]))
        kernel = tewb.build(s, [A, B])
    assert "T.likely" not in whole and text.count("T.likely(j.outer * 4 + j.inner < 10)") == 2
    assert "for i.outer in range(n // 8):" in text
    a, b = np.random.rand(21, 10).astype("float32"), np.zeros((21, 10), "float32")
    kernel(a, b)
    np.testing.assert_array_equal(b, a + 1)


@pytest.mark.parametrize("config", [
    {"tir.UnrollLoop": {"auto_max_step": 16}},
    {"tir.UnrollLoop": {"explicit_unroll": False}},
    {"tir.LoopPartition": {"partition_const_loop": False}},
    {"tir.LoopPartition": False, "tir.UnrollLoop.auto_max_step": 64},
])  # fmt: skip
def test_options_keep_results(config: Any) -> None:
    A = te.placeholder((13, 21), name="A")
    k = te.reduce_axis((0, 21), "k")
    B = te.compute((13, 21), lambda i, j: A[i, j] * 2.0, name="B")
    C = te.compute((13, 13), lambda i, j: te.sum(B[i, k] * A[j, k], axis=k), name="C")
    D = te.compute((13, 13), lambda i, j: C[j, i] + 1.0, name="D")
    s = te.create_schedule(D.op)
    s[C].vectorize(s[C].split("j", factor=4)[1])
    rows, lanes = s[D].split("i", factor=4)[1], s[D].split("j", factor=4)[1]
    s[D].reorder("i.outer", "j.outer", rows, lanes)
    s[D].transpose(rows, lanes)
    with PassContext(config=config):
        assert_same_result(s, [A], [D])


@pytest.mark.parametrize("key", WITHOUT_EFFECT)
def test_options_that_need_not_change_anything_are_taken(key: str) -> None:
    for value in (True, {"x": 2}, 5):
        assert PassContext(config={key: value}).config == DEFAULTS
    name, _, subkey = key.rpartition(".")
    if name in ("tir.LoopPartition", "tir.UnrollLoop"):
        assert PassContext(config={name: {subkey: True}}).config == DEFAULTS
    assert len(WITHOUT_EFFECT[key].split()) > 3


def test_a_context_shows_what_it_changes() -> None:
    context = PassContext(3, {"tir.disable_vectorize": True}, disabled_pass="tir.StorageRewrite")
    assert repr(context) == (
        "PassContext(opt_level=3, config={'tir.disable_vectorize': True, 'tir.disable_storage_rewrite': True})"
    )
    assert (
        context.disabled_pass == ("tir.StorageRewrite",)
        and context.required_pass == context.instruments == ()
    )


def test_simple_mode_leaves_loops_whole() -> None:
    with PassContext(config={"tir.LoopPartition": False}):
        whole = ir()
    assert str(tewb.lower(*guarded(), simple_mode=True)) == whole != ir()


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"tir.LoopPartiton": False}, "unknown pass option 'tir.LoopPartiton'.*nearest is tir.LoopPartition;"),
        ({"tir.UnrollLoop": True}, "unknown pass option 'tir.UnrollLoop'.*nearest is tir.UnrollLoop"),
        ({"tir.UnrollLoop": {"auto_max_steps": 8}}, "'tir.UnrollLoop.auto_max_steps'.*nearest is tir.UnrollLoop.auto_max_step;"),
        ({"tir.HoistIfThenElze": {"support_block_scope_hosting": True}}, "'tir.HoistIfThenElze'.*nearest is tir.HoistIfThenElse"),
        ({"tir.noalais": True}, "'tir.noalais'.*nearest is tir.noalias"),
        ({"tir.add_lower_pass": print}, "a list of pairs of a phase and a function, not <built-in function print>"),
        ({"tir.add_lower_pass": [(0, 3)]}, "a list of pairs of a phase and a function"),
        ({"tir.add_lower_pass": [(4, print)]}, "4 is no phase of lowering"),
        ({"relay.FuseOps.max_depth": 4}, "unknown pass option 'relay.FuseOps.max_depth'.*the nearest is t"),
        ({7: 7}, "unknown pass option 7"),
        ({"tir.disable_vectorize": {"x": 1}}, "unknown pass option 'tir.disable_vectorize'"),
        ({"tir.disable_vectorize": "yes"}, "option tir.disable_vectorize takes True or False, not 'yes'"),
        ({"tir.disable_vectorize": 2}, "takes True or False, not 2"),
        ({"tir.disable_vectorize": [True]}, "takes True or False"),
        ({"tir.LoopPartition": {"partition_const_loop": None}}, "tir.LoopPartition.partition_const_loop takes True or False"),
        ({"tewb.memory_limit": -1}, "tewb.memory_limit takes a number from 0"),
        ({"tewb.memory_limit": 1e9}, "tewb.memory_limit takes a number from 0"),
        ({"tewb.memory_limit": True}, "tewb.memory_limit takes a number from 0"),
        ({"tir.UnrollLoop": {"auto_max_step": 5000}}, "auto_max_step takes a number from 0 to 4096, not 5000"),
        ([("tir.LoopPartition", False)], "config is a dict of options"),
    ],
)  # fmt: skip
def test_what_would_do_nothing_is_refused(config: Any, said: str) -> None:
    with pytest.raises(TewbError, match=f"(?s){said}.*test_config.py, line"):
        PassContext(opt_level=3, config=config)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"required_pass": ["FoldConstant"]}, "required_pass: there is no pass FoldConstant.*the nearest is"),
        ({"disabled_pass": ["tir.VectoriseLoop"]}, "the pass tir.VectoriseLoop cannot be left out.*is tir.VectorizeLoop"),
        ({"disabled_pass": ["tir.FlattenBuffer"]}, "the pass tir.FlattenBuffer cannot be left out"),
        ({"instruments": [object()]}, "is no instrument: it has none of the methods enter_pass_ctx"),
        ({"instruments": 5}, "instruments is a list of them, not 5"),
        ({"trace": 5}, "trace is a function of a module, a pass and a bool, not 5"),
        ({"disabled_pass": ["tir.UnrollLoop"]}, "the pass tir.UnrollLoop cannot be left out.*nearest that can is tir"),
        ({"disabled_pass": 5}, "disabled_pass is a list of names of passes, not 5"),
        ({"required_pass": 5}, "required_pass is a list of names of passes, not 5"),
        ({"opt_level": 4}, "opt_level=4 is no number from 0 to 3"),
        ({"opt_level": -1}, "opt_level=-1 is no number from 0 to 3"),
        ({"opt_level": 2.5}, "opt_level=2.5 is no number"),
        ({"opt_level": None}, "opt_level=None is no number"),
        ({"opt_level": True}, "opt_level=True is no number"),
        ({"opt_level": "3"}, "opt_level='3' is no number"),
    ],
)  # fmt: skip
def test_arguments_that_tewb_has_no_use_for_are_refused(given: Any, said: str) -> None:
    with pytest.raises(TewbError, match=f"(?s){said}.*test_config.py, line"):
        PassContext(**given)


def test_empty_classic_arguments_are_fine() -> None:
    context = PassContext(opt_level=3, required_pass=[], disabled_pass=None, instruments=[], config={})
    assert context.config == DEFAULTS and context.opt_level == 3


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("tir.LoopPartition", "tir.LoopPartition", False),
        ("tir.VectorizeLoop", "tir.disable_vectorize", True),
        ("tir.StorageRewrite", "tir.disable_storage_rewrite", True),
    ],
)
def test_some_passes_can_be_left_out(name: str, key: str, value: bool) -> None:
    assert PassContext(disabled_pass=[name]).config == PassContext(config={key: value}).config
    assert PassContext(disabled_pass=name).config[key] is value


def test_options_of_a_context_do_not_change() -> None:
    with pytest.raises(TypeError):
        PassContext.current().config["tir.disable_vectorize"] = True  # type: ignore[index]
    assert option("tir.disable_vectorize") is False


# ---------------------------------------------------------------- opt_level


def sums() -> tuple[Any, list[Any]]:
    A = te.placeholder((64, 64), name="A")
    k = te.reduce_axis((0, 64), "k")
    B = te.compute((64,), lambda i: te.sum(A[i, k] * A[k, i], axis=k), name="B")
    return te.create_schedule(B.op), [A, B]


@pytest.mark.parametrize("cached", [True, False])
def test_the_level_is_how_much_llvm_optimises(
    cached: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEWB_CACHE_DIR", str(tmp_path))
    a = np.random.default_rng(0).standard_normal((64, 64)).astype("float32")
    texts: dict[int, str] = {}
    config = {"tewb.object_cache": cached}
    for _ in range(2):
        for level in range(4):
            with tewb.transform.PassContext(opt_level=level, config=config):
                kernel = tewb.build(*sums())
            np.testing.assert_allclose(kernel(a), (a * a.T).sum(1), rtol=1e-4)
            assert texts.setdefault(level, kernel.get_source("asm")) == kernel.get_source("asm")
            assert kernel.get_source("ll0") == tewb.build(*sums()).get_source("ll0")
    assert len({texts[0], texts[1], texts[2]}) == 3
    with PassContext(config=config):
        assert tewb.build(*sums()).get_source("asm") == texts[2]
    assert tewb.build(*sums()).get_source("asm") == texts[2]
    assert len(list(tmp_path.rglob("*.obj"))) >= (4 if cached else 1)


def test_without_optimisation_loops_stay_as_they_are() -> None:
    with PassContext(opt_level=0):
        plain = tewb.build(*sums())
    call = "call i32 @main.body("
    assert call in plain.get_source("ll") and call not in tewb.build(*sums()).get_source("ll")


# ---------------------------------------------------------------- blocks


def test_blocks_nest_and_take_nothing_from_the_ones_around() -> None:
    outer, inner = PassContext(3, {"tir.disable_vectorize": True}), PassContext(1)
    with outer:
        with inner:
            assert PassContext.current() is inner and option("tir.disable_vectorize") is False
            with outer:
                assert PassContext.current() is outer
            assert PassContext.current() is inner
        assert PassContext.current() is outer and option("tir.disable_vectorize") is True
    assert PassContext.current().opt_level == 2 and option("tir.disable_vectorize") is False


def test_an_error_in_a_block_ends_it() -> None:
    with pytest.raises(KeyError), PassContext(0), PassContext(1, {"tir.LoopPartition": False}):
        raise KeyError
    assert PassContext.current().opt_level == 2 and option("tir.LoopPartition") is True


def test_an_error_while_building_ends_the_options_of_building() -> None:
    A = te.placeholder((8,), name="A")
    B = te.compute((8,), lambda i: A[i] + 1.0, name="B")
    s = te.create_schedule(B.op)
    for _ in range(2):
        with pytest.raises(TewbError):
            tewb.build(s, [A], checked=True)
        assert option("tewb.checked_externs") is False


def test_checked_builds_keep_the_options_around() -> None:
    with PassContext(opt_level=0, config={"tir.LoopPartition": False}):
        text = tewb.build(*guarded(), checked=True).get_source("ll")
        assert text == tewb.build(*guarded(), checked=True).get_source("ll")
    assert text != tewb.build(*guarded(), checked=True).get_source("ll")


def test_a_block_holds_in_its_own_thread() -> None:
    """One context in many threads at once, which leave it in any order."""
    context = PassContext(3, {"tir.disable_vectorize": True})
    seen: list[Any] = []
    entered, leave = threading.Barrier(4), [threading.Event() for _ in range(3)]

    def work(n: int) -> None:
        before = option("tir.disable_vectorize")
        try:
            with context, context:
                entered.wait(60)
                leave[n].wait(60)
                seen.append((before, option("tir.disable_vectorize"), PassContext.current().opt_level))
            seen.append(PassContext.current().opt_level)
        except BaseException as e:
            seen.append(e)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    for t in threads:
        t.start()
    with context:
        entered.wait(60)
        for event, t in zip(reversed(leave), reversed(threads), strict=True):
            event.set()
            t.join(60)
        assert option("tir.disable_vectorize") is True
    assert seen == [(False, True, 3), 2] * 3
    assert option("tir.disable_vectorize") is False


def test_the_options_of_a_kernel_are_those_of_its_build() -> None:
    with PassContext(config={"tir.instrument_bound_checkers": True}):
        kernel = tewb.build(*guarded())
    assert kernel.get_source("ll0") != tewb.build(*guarded()).get_source("ll0")
