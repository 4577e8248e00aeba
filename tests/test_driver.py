"""`lower` and `build`: what they take, in which order, and IR that is only looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import LowerError
from tewb.ir import IRModule, PrimFunc, structural_equal
from tewb.runtime import Target


def scaled(n: int = 8) -> tuple[Any, list[Any]]:
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] * 2.0, name="B")
    C = te.compute((n,), lambda i: B[i] + 1.0, name="C")
    return te.create_schedule(C.op), [A, B, C]


def runs(kernel: Any, n: int = 8) -> bool:
    a, c = np.arange(n, dtype="float32"), np.zeros(n, "float32")
    kernel(a, c)
    return bool((c == a * 2 + 1).all())


# ---------------------------------------------------------------- for looking


def test_outputs_may_be_missing_for_looking() -> None:
    s, (A, B, C) = scaled()
    module = tewb.lower(s, [A], simple_mode=True)
    text = str(module)
    assert "C = T.alloc_buffer((8,), " in text or "C = T.allocate" in text or "with T.allocate" in text
    assert "C[i] = B[i] + " in text and len(module["main"].params) == 1
    with pytest.raises(LowerError, match="C is an output and is not among the arguments\n  hint"):
        tewb.build(module)


def test_variables_may_be_free_for_looking() -> None:
    A, x = te.placeholder((8,), name="A"), te.var("x", "float32")
    B = te.compute((8,), lambda i: A[i] * x, name="B")
    module = tewb.lower(te.create_schedule(B.op), [A, B])
    assert "B[i] = A[i] * x" in str(module) and len(module["main"].params) == 2
    with pytest.raises(LowerError, match="the value of x is not known"):
        tewb.build(module)


def test_inlined_tensors_may_be_arguments_for_looking() -> None:
    s, args = scaled()
    s[args[1]].compute_inline()
    module = tewb.lower(s, args, simple_mode=True)
    assert "C[i] = A[i] * " in str(module) and [p.name for p in module["main"].params] == ["A", "B", "C"]
    for build in (lambda: tewb.build(module), lambda: tewb.build(s, args)):
        with pytest.raises(LowerError, match="B is an argument, but it is computed inline and never stored"):
            build()


def test_looking_changes_nothing_for_kernels_that_are_built_next() -> None:
    s, (A, B, C) = scaled()
    before = str(tewb.lower(s, [A, C]))
    tewb.lower(s, [A])
    assert str(tewb.lower(s, [A, C])) == before
    assert runs(tewb.build(s, [A, C]))


def test_ir_shows_itself_by_the_classic_methods(capsys: pytest.CaptureFixture[str]) -> None:
    s, (A, B, C) = scaled()
    module = tewb.lower(s, [A, C])
    for n in (module, module["main"], module["main"].body):
        assert n.astext() == n.astext(show_meta_data=False) == n.script(show_meta=False) == str(n)
        n.show(black_format=False)
        assert capsys.readouterr().out == f"{n}\n"


# ---------------------------------------------------------------- what they take


def test_what_build_takes() -> None:
    s, (A, B, C) = scaled()
    module = tewb.lower(s, [A, C], "f")
    f = module["f"]
    for inputs, args in [
        (s, [A, C]), (C.op, [A, C]), ([C.op], (A, C)), (module, None), (f, None), ([f], None), ({"llvm": module}, None),
        (IRModule({"g": f}), None), (tewb.lower(f), None), (tewb.lower(module), None), (IRModule.from_expr(f), None),
    ]:  # fmt: skip
        assert runs(tewb.build(inputs, args)), inputs


def test_several_functions_make_one_module() -> None:
    s, (A, B, C) = scaled()
    f = tewb.lower(s, [A, C], "f")["f"]
    assert runs(tewb.build([f, tewb.lower(s, [A, C], "g")]))
    with pytest.raises(LowerError, match="two functions are named f"):
        tewb.build([f, f])
    with pytest.raises(LowerError, match="3 is no function"):
        tewb.build([f, 3])
    with pytest.raises(LowerError, match="the module has no function"):
        tewb.build(IRModule())


@pytest.mark.parametrize(
    "arguments",
    [("llvm", None, None, "f"), ("llvm", "llvm", "f"), (None, None, "f"), ("llvm", "llvm", "cpp", "f")],
)
def test_the_order_of_the_arguments_of_build(arguments: tuple[Any, ...]) -> None:
    """(target, target_host, runtime, name) since v0.7, and (target, target_host, name) before."""
    s, (A, B, C) = scaled()
    kernel = tewb.build(s, [A, C], *arguments)
    assert kernel.name == "f" and runs(kernel)


def test_binds_stand_behind_the_name_in_both_orders() -> None:
    s, (A, B, C) = scaled()
    layout = {A: te.decl_buffer((8,), name="A", strides=[2])}
    a = np.arange(16, dtype="float32")[::2]
    for arguments in (("llvm", None, None, "f", layout), ("llvm", None, "f", layout)):
        np.testing.assert_array_equal(tewb.build(s, [A, C], *arguments)(a), a * 2 + 1)


def test_the_order_of_the_arguments_of_lower() -> None:
    s, (A, B, C) = scaled()
    layout = {A: te.decl_buffer((8,), name="A", strides=[2])}
    module = tewb.lower(s, [A, C], "f", layout, True)
    assert list(module.functions) == ["f"] and "strides=(2,)" in str(module)


def test_functions_have_attributes_which_passes_keep() -> None:
    s, (A, B, C) = scaled()
    f = tewb.lower(s, [A, C])["main"]
    of_a_schedule = {"tir.noalias": True, "from_legacy_te_schedule": True}
    assert dict(f.attrs) == {"global_symbol": "main", **of_a_schedule}
    named = f.with_attr("global_symbol", "g").with_attr({"mine": 1})
    assert named.name == "g" and dict(named.attrs) == {"global_symbol": "g", **of_a_schedule, "mine": 1}
    assert tewb.lower(named)["main"].attrs == named.attrs
    assert dict(named.without_attr("mine").attrs) == {"global_symbol": "g", **of_a_schedule}
    assert f.name == "main" and f.attrs["global_symbol"] == "main" and "mine" not in f.attrs
    assert tewb.build(named).name == "g"
    assert named.buffer_map[named.params[0]].name == "A" and named.same_as(named) and not named.same_as(f)
    by_hand = te.schedule.SchedulePostProcToPrimFunc([A, C], te.schedule.ScheduleOps(s), None)
    assert dict(by_hand.attrs) == {"from_legacy_te_schedule": True}


def test_a_module_names_its_functions() -> None:
    s, (A, _, C) = scaled()
    f = tewb.lower(s, [A, C])["main"]
    kernel = tewb.build(IRModule({"first": f, "second": f.with_attr("global_symbol", "other")}))
    assert kernel.name == "first" and kernel["second"].name == "second"


def test_modules_are_tables_of_functions() -> None:
    s, (A, B, C) = scaled()
    f = tewb.lower(s, [A, C])["main"]
    module = IRModule.from_expr(f)
    module["other"] = f
    (main, other) = module.get_global_vars()
    assert (main.name_hint, other) == ("main", "other") and module[main] is f and "other" in module  # type: ignore[attr-defined]
    module.update(IRModule({"third": f}))
    assert module.get_global_var("third") == "third" and len(module.functions) == 3
    with pytest.raises(
        tewb.TewbError, match="the module has no function fourth\n  hint: it has main, other, third"
    ):
        module.get_global_var("fourth")
    with pytest.raises(
        tewb.TewbError, match=r"no function othr\n  hint: did you mean other\? it has main, other"
    ):
        module["othr"]
    with pytest.raises(tewb.TewbError, match="has 3 functions"):
        module.body  # noqa: B018
    assert IRModule({"main": f}).body is f.body and module.with_attr("x", 1).attrs == {"x": 1}


def test_lowering_a_function_again_changes_nothing() -> None:
    s, (A, B, C) = scaled(10)
    s[C].vectorize(s[C].split(C.op.axis[0], factor=4)[1])
    module = tewb.lower(s, [A, C])
    assert structural_equal(tewb.lower(module), module)
    trace: list[tuple[str, PrimFunc]] = []
    tewb.lower(module["main"], trace=trace)
    assert "simplify" in dict(trace)


def test_what_is_neither_schedule_nor_function_is_refused() -> None:
    s, (A, B, C) = scaled()
    for wrong in (C, [C], [], "C", None):
        with pytest.raises(LowerError, match="lower takes a schedule"):
            tewb.lower(wrong, [A, C])
    with pytest.raises(LowerError, match="a lowered module has forgotten"):
        tewb.build(tewb.lower(s, [A, C]), checked=True)
    with pytest.raises(LowerError, match="needs the arguments"):
        tewb.build(s)


def test_a_target_object_is_taken() -> None:
    s, (A, B, C) = scaled()
    assert runs(tewb.build(s, [A, C], Target("llvm", host="llvm")))
