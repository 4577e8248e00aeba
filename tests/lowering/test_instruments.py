"""Objects that are told of passes, and that leave some out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import LowerError, PassContext, TewbError
from tewb.instrument import (
    DumpIR,
    PassInstrument,
    PassPrintingInstrument,
    PassTimingInstrument,
    PrintAfterAll,
    PrintBeforeAll,
    pass_instrument,
)
from tewb.lowering import PassInfo, module_pass
from tewb.lowering.pipeline import BUILD, LOWER, info_of
from tewb.transform import Sequential


def program() -> tuple[Any, list[Any]]:
    A = te.placeholder((10,), name="A")
    C = te.compute((10,), lambda i: A[i] * 2.0, name="C")
    B = te.compute((10,), lambda i: C[i] + 1.0, name="B")
    s = te.create_schedule(B.op)
    s[C].vectorize("i")
    s[B].unroll(s[B].split("i", factor=4)[1])
    return s, [A, B]


@pass_instrument
class Record:
    """Notes what it is told."""

    def __init__(self, without: str = "", name: str = "", notes: list[str] | None = None) -> None:
        self.without, self.name = without, name
        self.notes: list[str] = [] if notes is None else notes

    def enter_pass_ctx(self) -> None:
        self.notes.append(f"{self.name}enter")

    def exit_pass_ctx(self) -> None:
        self.notes.append(f"{self.name}exit")

    def should_run(self, mod: Any, info: Any) -> bool:
        return bool(info.name != self.without)

    def run_before_pass(self, mod: Any, info: Any) -> None:
        assert list(mod.functions) == ["main"]
        self.notes.append(f"{self.name}before {info.name}")

    def run_after_pass(self, mod: Any, info: Any) -> None:
        assert list(mod.functions) == ["main"]
        self.notes.append(f"{self.name}after {info.name}")


def pairs(passes: Any) -> list[str]:
    return [f"{when} {info_of(p).name}" for p in passes for when in ("before", "after")]


def test_instruments_are_told_of_the_block_and_of_every_pass() -> None:
    record = Record()
    assert isinstance(record, PassInstrument) and record.__doc__ == "Notes what it is told."
    with PassContext(instruments=[record]):
        module = tewb.lower(*program())
        tewb.build(module)
    assert record.notes == ["enter", *pairs(LOWER), *pairs(BUILD), "exit"]
    tewb.lower(*program())
    assert record.notes[-1] == "exit"


def test_blocks_inside_of_lowering_are_no_blocks_of_theirs() -> None:
    record = Record()
    with PassContext(instruments=[record]):
        tewb.lower(*program(), simple_mode=True)
        tewb.build(*program(), checked=True)
    assert record.notes.count("enter") == record.notes.count("exit") == 1
    assert record.notes.count("before tir.LoopPartition") == 2


def test_code_that_is_known_is_made_again() -> None:
    tewb.build(*program())
    record = Record()
    with PassContext(instruments=[record]):
        tewb.build(*program())
    assert "before tewb.align_stores" in record.notes


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", sorted({info_of(p).name for p in (*LOWER, *BUILD)}))
def test_a_pass_that_is_left_out_changes_no_result(name: str) -> None:
    needed = {info_of(p).name for p in (*LOWER, *BUILD) if p.left_out is None}
    record = Record(without=name)
    a, b = np.arange(10, dtype="float32"), np.zeros(10, "float32")
    with PassContext(instruments=[record]):
        if name in needed:
            with pytest.raises(LowerError, match=f"an instrument leaves out the pass {name}"):
                tewb.build(*program())
            return
        tewb.build(*program())(a, b)
    np.testing.assert_array_equal(b, a * 2 + 1)
    assert f"before {name}" not in record.notes
    with PassContext(instruments=[record], required_pass=["tir.Simplify", "tir.UnrollLoop"]):
        tewb.lower(*program())
    assert ("after tir.UnrollLoop" in record.notes) and ("after tir.Simplify" in record.notes)


def test_loops_whose_pass_is_left_out_are_serial() -> None:
    for name, word in (("tir.UnrollLoop", "T.unroll"), ("tir.VectorizeLoop", "T.vectorized")):
        with PassContext(instruments=[Record(without=name)]):
            assert word not in str(tewb.lower(*program()))


def test_several_are_told_in_order() -> None:
    notes: list[str] = []
    with PassContext(instruments=[Record(name="a ", notes=notes), Record(name="b ", notes=notes)]):
        tewb.lower(*program())
    assert notes[:4] == ["a enter", "b enter", "a before tir.Simplify", "b before tir.Simplify"]
    assert notes[-2:] == ["a exit", "b exit"]


class Fails:
    """Raises when it is told of `when`."""

    def __init__(self, when: str) -> None:
        setattr(self, when, self.fail)

    def fail(self, *_: Any) -> None:
        raise ZeroDivisionError


def test_errors_of_instruments_come_out_and_the_others_are_told() -> None:
    record = Record()
    with pytest.raises(ZeroDivisionError), PassContext(instruments=[record, Fails("enter_pass_ctx")]):
        pass
    assert record.notes == ["enter", "exit"]
    with pytest.raises(ZeroDivisionError), PassContext(instruments=[Fails("exit_pass_ctx"), record]):
        pass
    assert record.notes == ["enter", "exit"] * 2
    with pytest.raises(ZeroDivisionError), PassContext(instruments=[Fails("run_after_pass"), record]):
        tewb.lower(*program())
    assert PassContext.current().instruments == ()
    assert record.notes[-1] == "exit"


def test_instruments_are_exchanged_inside_of_a_block() -> None:
    first, second = Record(), Record()
    with PassContext(instruments=[first]) as context:
        context.override_instruments([second])
        tewb.lower(*program())
    assert first.notes == ["enter", "exit"]
    assert second.notes == ["enter", *pairs(LOWER), "exit"]


def test_trace_is_called_before_and_after_each_pass() -> None:
    seen: list[Any] = []
    with PassContext(trace=lambda mod, info, is_before: seen.append((info.name, is_before))):
        tewb.lower(*program())
    assert seen[:2] == [("tir.Simplify", True), ("tir.Simplify", False)] and len(seen) == 2 * len(LOWER)


@module_pass(opt_level=3, name="test.nothing", required=["test.first", "tir.UnrollLoop"])
def nothing(mod: Any, ctx: Any) -> Any:
    return mod


@module_pass(opt_level=0, name="test.first")
def first(mod: Any, ctx: Any) -> Any:
    return mod


def test_passes_of_a_program_are_told_of_too_and_can_be_disabled_and_required() -> None:
    module = tewb.lower(*program())

    def names(**options: Any) -> list[str]:
        record = Record()
        with PassContext(instruments=[record], **options):
            Sequential([nothing, first], name="both")(module)
        return [n.removeprefix("before ") for n in record.notes if n.startswith("before")]

    assert names() == ["both", "test.first"]
    whole = ["both", "test.first", "tir.UnrollLoop", "test.nothing", "test.first"]
    assert names(opt_level=3) == names(required_pass=["test.nothing"]) == whole
    assert names(opt_level=3, disabled_pass=["test.nothing"]) == ["both", "test.first"]
    record = Record()
    with PassContext(instruments=[record], config={"tir.add_lower_pass": [(1, first)]}):
        tewb.lower(*program())
    assert record.notes.count("before test.first") == 1
    with pytest.raises(LowerError, match="pass test.nothing requires test.first, which is no pass"):
        _at_3(module)


def _at_3(module: Any) -> None:
    with PassContext(opt_level=3):
        Sequential([nothing])(module)


def test_times_are_told() -> None:
    timing = PassTimingInstrument()
    with PassContext(instruments=[timing]):
        Sequential([first], name="both")(tewb.lower(*program()))
        text = timing.render()
    lines = text.splitlines()
    assert [line.partition(":")[0] for line in lines[-2:]] == ["both", "  test.first"]
    assert all(line.endswith("%)") and "us (" in line for line in lines)
    with PassContext(instruments=[timing]):
        assert timing.render() == ""


def test_modules_are_printed(capsys: Any) -> None:
    with PassContext(instruments=[PassPrintingInstrument(["tir.UnrollLoop"], ["tir.VectorizeLoop"])]):
        tewb.lower(*program())
    out = capsys.readouterr().out
    assert out.startswith("After tir.VectorizeLoop:\n") and out.count("Before tir.UnrollLoop:\n") == 1
    with PassContext(instruments=[PrintBeforeAll(), PrintAfterAll()]):
        tewb.lower(*program())
    out = capsys.readouterr().out
    assert out.count("Before Running Pass: ") == out.count("After Running Pass: ") == len(LOWER)


def test_modules_are_written_to_files(tmp_path: Path) -> None:
    folder = tmp_path / "passes"
    folder.mkdir()
    (folder / "999_old.py").write_text("")
    (folder / "mine.py").write_text("")
    with PassContext(instruments=[DumpIR(folder, refresh=True)]):
        module = tewb.lower(*program())
    names = sorted(p.name for p in folder.iterdir())
    assert names[0] == "000_tir.Simplify.py" and "mine.py" in names and "999_old.py" not in names
    assert (folder / names[len(LOWER) - 1]).read_text() == f"{module}\n"


def test_what_is_no_class_is_refused() -> None:
    with pytest.raises(TewbError, match="pass_instrument decorates a class, not 5"):
        pass_instrument(5)
    assert isinstance(pass_instrument()(Record)(), PassInstrument)


def test_an_instrument_has_all_methods_of_its_base() -> None:
    base = PassInstrument()
    module, info = tewb.IRModule({}), PassInfo(0, "x")
    assert base.should_run(module, info)
    told = (
        base.enter_pass_ctx(), base.exit_pass_ctx(), base.run_before_pass(module, info), base.run_after_pass(module, info),
    )  # fmt: skip
    assert told == (None,) * 4


def test_the_options_are_listed() -> None:
    listed = PassContext.list_configs()
    assert listed["tir.UnrollLoop.auto_max_step"] == {"type": "int"}
    assert listed["tir.disable_vectorize"] == {"type": "bool"}
