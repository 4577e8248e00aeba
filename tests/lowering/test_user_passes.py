"""Passes of the user's: as objects that are called with modules, in sequences, and inside of lowering."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te, tir
from tewb.base import LowerError, PassContext
from tewb.ir import BufferStore, For, IRModule, PrimFunc, ops, replace, rewriter, walk
from tewb.lowering import module_pass, prim_func_pass
from tewb.transform import PrintIR, Sequential


def program() -> tuple[Any, list[Any]]:
    A = te.placeholder((10,), name="A")
    B = te.compute((10,), lambda i: A[i] + 1.0, name="B")
    s = te.create_schedule(B.op)
    s[B].unroll(s[B].split("i", factor=4)[1])
    return s, [A, B]


def doubled(body: Any) -> Any:
    """Each value that is stored, twice."""

    def store(n: BufferStore) -> BufferStore:
        return replace(n, value=ops.mul(n.value, 2.0))

    return rewriter({BufferStore: store})(body)


@prim_func_pass(opt_level=1, name="test.doubled")
def doubling(func: PrimFunc, mod: IRModule, ctx: PassContext) -> PrimFunc:
    assert mod[func.name] is func and ctx.opt_level == PassContext.current().opt_level
    return func.with_body(doubled(func.body))


@pytest.mark.parametrize("phase", range(4))
@pytest.mark.parametrize("f", [doubled, doubling], ids=["a function of a body", "a pass"])
def test_passes_run_at_each_phase(phase: int, f: Any) -> None:
    with PassContext(config={"tir.add_lower_pass": [(phase, f)]}):
        kernel = tewb.build(*program())
        again = tewb.build(tewb.lower(*program()))
    a = np.arange(10, dtype="float32")
    np.testing.assert_array_equal(kernel(a), (a + 1) * 2)
    np.testing.assert_array_equal(again(a), (a + 1) * 2)
    np.testing.assert_array_equal(tewb.build(*program())(a), a + 1)


def test_a_phase_sees_what_the_passes_before_have_left() -> None:
    seen: list[tuple[int, int, bool]] = []

    def look(phase: int) -> Any:
        def f(body: Any) -> Any:
            loops = [n for n in walk(body) if isinstance(n, For)]
            seen.append((phase, len(loops), "likely" in str(body)))
            return body

        return phase, f

    with PassContext(config={"tir.add_lower_pass": [look(n) for n in (3, 2, 1, 0)]}):
        trace: list[Any] = []
        tewb.lower(*program(), trace=trace)
    assert seen == [(0, 2, True), (1, 2, True), (2, 1, False), (3, 1, False)]
    assert [name for name, _ in trace if name.startswith("phase")] == [f"phase {n}: f" for n in range(4)]


def test_passes_of_the_current_context_do_not_stay_in_schedules_or_caches() -> None:
    s, args = program()
    before = str(tewb.lower(s, args))
    with PassContext(config={"tir.add_lower_pass": [(1, doubled)]}):
        assert str(tewb.lower(s, args)) != before
    assert str(tewb.lower(s, args)) == before


@pytest.mark.parametrize(
    "wrong", [lambda body: None, lambda body: 3, module_pass(lambda m, c: None, name="f")]
)
def test_a_pass_that_returns_nothing_is_named(wrong: Any) -> None:
    with (
        PassContext(config={"tir.add_lower_pass": [(0, wrong)]}),
        pytest.raises(LowerError, match="returned (None|3)"),
    ):
        tewb.lower(*program())


def test_a_pass_that_makes_what_cannot_be_is_named() -> None:
    def unbound(body: Any) -> Any:
        return rewriter({For: lambda n: n.body})(body)

    with (
        PassContext(config={"tir.add_lower_pass": [(1, unbound)]}),
        pytest.raises(
            LowerError, match="the lowering pass unbound made a function that cannot be: .*i.outer"
        ),
    ):
        tewb.build(*program())


def test_a_pass_is_called_with_a_module() -> None:
    module = tewb.lower(*program())
    once = doubling(module)
    assert isinstance(once, IRModule) and str(once).count("* T.float32(2") == str(module).count("B[")
    assert doubling.info.name == "test.doubled" and repr(doubling) == "ModulePass(test.doubled)"
    with pytest.raises(LowerError, match="pass test.doubled takes a module"):
        doubling(module["main"])  # type: ignore[arg-type]


def test_a_sequence_leaves_out_what_the_context_says(capsys: pytest.CaptureFixture[str]) -> None:
    module = tewb.lower(*program())
    passes = Sequential([doubling, PrintIR("after"), doubling])
    assert str(passes(module)).count("* T.float32(2") == 2 * str(module).count("B[")
    printed = capsys.readouterr().out
    assert printed == f"after\n{doubling(module)}\n"
    with PassContext(opt_level=0):
        assert str(passes(module)) == str(module)
    with PassContext(opt_level=1):
        assert str(passes(module)) != str(module)


def test_classes_can_be_passes() -> None:
    @prim_func_pass(opt_level=0)
    class Times:
        def __init__(self, n: int) -> None:
            self.n = n

        def transform_function(self, func: PrimFunc, mod: IRModule, ctx: PassContext) -> PrimFunc:
            for _ in range(self.n):
                func = func.with_body(doubled(func.body))
            return func

    @module_pass(opt_level=0)
    class Nothing:
        def transform_module(self, mod: IRModule, ctx: PassContext) -> IRModule:
            return mod

    kernel = tewb.build(Sequential([Times(2), Nothing()])(tewb.lower(*program())))
    np.testing.assert_array_equal(kernel(np.zeros(10, "float32")), np.full(10, 4.0))


def test_a_pass_may_use_the_builder() -> None:
    def nothing(body: Any) -> Any:
        ib = tir.ir_builder.create()
        ib.emit(body)
        return ib.get()

    with PassContext(config={"tir.add_lower_pass": [(2, nothing)]}):
        np.testing.assert_array_equal(tewb.build(*program())(np.zeros(10, "float32")), np.ones(10))
