"""Names of what tewb does not have: programs that only ask go on, and use says what to do instead."""

from __future__ import annotations

from typing import Any

import pytest

import tewb
from tewb.base import TewbError
from tewb.compat.absent import Absent

relay: Any = Absent("relay", "write the operators with te.compute")


def test_asking_goes_on() -> None:
    assert not isinstance(3, relay.Expr)
    assert not isinstance(3, (relay.Expr, relay.op.Op))

    def f(x: relay.Expr | int, y: int | relay.Expr = 1) -> relay.Expr:
        return x

    assert f(2) == 2
    assert not hasattr(relay, "__wrapped__")
    assert "write the operators with te.compute" in repr(relay)


@pytest.mark.parametrize(
    "use",
    [
        lambda: relay(),
        lambda: relay.op.nn.conv2d(1, 2, strides=3),
        lambda: relay.Expr[int],
        lambda: list(relay.ops),
        lambda: relay.scope().__enter__(),
    ],
)
def test_use_says_what_to_do_instead(use: Any) -> None:
    with pytest.raises(TewbError, match=r"tewb has no relay.*\n  hint: write the operators") as error:
        use()
    assert error.value.span is not None and error.value.span.file == __file__


def test_a_class_cannot_be_derived_from_it() -> None:
    with pytest.raises(TewbError, match="tewb has no relay.ExprMutator"):

        class Mine(relay.ExprMutator):  # type: ignore[misc]
            pass


def test_a_with_block_and_a_decorator_say_so_too() -> None:
    with pytest.raises(TewbError, match="tewb has no relay.build_config"), relay.build_config:
        pass
    with pytest.raises(TewbError, match="tewb has no relay.register"):

        @relay.register
        def f() -> None: ...


def test_modules_that_are_only_imported() -> None:
    import tewb.contrib.nvcc
    import tewb.relay.testing  # type: ignore[import-not-found]

    from tewb import auto_scheduler, relay, rpc  # type: ignore[attr-defined]
    from tewb.contrib import ndk  # type: ignore[attr-defined]

    for use in (relay.var, rpc.connect, auto_scheduler.register_workload, ndk.create_shared):
        with pytest.raises(TewbError, match="tewb has no"):
            use("x")
    assert tewb.relay is relay


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("contrib.random.uniform", "numpy.random"),
        ("contrib.sort.argsort", "numpy.argsort"),
        ("contrib.peak.measure_peak_all", "roofline"),
        ("contrib.mps.matmul", "te.call_extern"),
        ("contrib.xgboost.train", "pip install xgboost"),
        ("tir.schedule.Schedule", "te.create_schedule"),
        ("topi.random.uniform", "numpy.random"),
        ("topi.signal.stft", "numpy.fft"),
        ("runtime.params.save_param_dict", "numpy.savez"),
        ("datatype.register", "tvm.DataType"),
    ],
)
def test_a_module_that_is_absent_says_what_is_there_instead(name: str, said: str) -> None:
    found: Any = tewb
    for part in name.split("."):
        found = getattr(found, part)
    with pytest.raises(TewbError) as e:
        found()
    assert said in str(e.value)


def test_old_modules_are_others() -> None:
    classic: Any = tewb
    assert classic.ir.attrs.structural_equal is tewb.ir.structural_equal
    assert classic.testing.utils.assert_allclose is tewb.testing.assert_allclose
