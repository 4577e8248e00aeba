"""Rules of the user rewrite named calls when a kernel is built."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tewb
from tests.codegen.elementwise import run
from tewb import te, tir
from tewb.base import ExternError, LowerError
from tewb.lowering.lower_intrinsics import _rules

x = np.arange(1, 9, dtype="float32")


@pytest.fixture(autouse=True)
def no_rules_are_left() -> Iterator[None]:
    yield
    _rules.clear()


def squared(call: Any) -> Any:
    return call.args[0] * call.args[0]


@pytest.mark.parametrize("lanes", [1, 4])
def test_a_rule_for_a_name_of_ones_own(lanes: int) -> None:
    tewb.ir.register_intrin_lowering("tir.squared", target="llvm", f=squared, level=99)
    got = run(lambda a: tir.call_intrin("float32", "tir.squared", a) + te.exp(a * 0), x, lanes=lanes)
    np.testing.assert_array_equal(got, x * x + 1)


@pytest.mark.parametrize("lanes", [1, 4])
def test_a_rule_that_calls_c(lanes: int) -> None:
    def to_c(call: Any) -> Any:
        assert call.op.name == "tir.exp"
        return te.call_pure_extern("float32", "cbrtf", call.args[0]) if call.dtype == "float32" else call

    before = run(te.exp, x, lanes=lanes)
    tewb.register_intrin_rule("llvm", "exp", to_c)
    np.testing.assert_allclose(run(te.exp, x, lanes=lanes), np.cbrt(x), rtol=1e-6)
    _rules.clear()
    np.testing.assert_array_equal(run(te.exp, x, lanes=lanes), before)


def test_rules_of_other_targets_and_lower_levels_are_not_used() -> None:
    tewb.ir.register_intrin_lowering("tir.squared", target="llvm", f=squared)
    tewb.ir.register_intrin_lowering("tir.squared", target="cuda", f=lambda call: call.args[0], level=99)

    @tewb.ir.register_intrin_lowering("tir.squared", target="default", level=1)  # type: ignore[untyped-decorator]
    def rule(call: Any) -> Any:
        return call.args[0]

    np.testing.assert_array_equal(run(lambda a: tir.call_intrin("float32", "tir.squared", a), x), x * x)


def test_mistakes() -> None:
    tewb.register_intrin_rule("llvm", "squared", lambda call: 3)
    with pytest.raises(LowerError, match="the rule for squared makes int32 of a call that is float32"):
        run(lambda a: tir.call_intrin("float32", "tir.squared", a), x)
    with pytest.raises(ExternError, match="there is a rule for squared already"):
        tewb.register_intrin_rule("llvm", "squared", squared)
    with pytest.raises(
        ExternError, match="takes the name of an intrinsic and a function, not 'tir.exp' and 3"
    ):
        tewb.ir.register_intrin_lowering("tir.exp", "llvm", f=3)  # type: ignore[arg-type]
