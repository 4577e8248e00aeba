"""Why this fast: which limit rules in programs whose reason is known."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.workbench.speed import programs
from tewb.base import TewbError
from tewb.runtime import Target
from tewb.workbench.demos import demo_session
from tewb.workbench.session import Session
from tewb.workbench.speed import why_fast
from tewb.workbench.speed.cache_misses import Cache
from tewb.workbench.speed.llvm_mca import Simulated
from tewb.workbench.speed.loop_speed import CHAIN, MEMORY, PORTS, UNKNOWN, LoopSpeed
from tewb.workbench.speed.memory_levels import MemoryLevels, Source
from tewb.workbench.speed.why_fast import Speed, question, why_this_fast

AVX512, AVX2 = "llvm -mcpu=skylake-avx512", "llvm -mcpu=haswell"
LEVELS = MemoryLevels(
    (Cache("L1", 512, 8), Cache("L2", 16384, 16), Cache("L3", 2**19)),
    (Source("L2", 1e-9, 2e-9), Source("L3", 3e-9, 6e-9), Source("memory", 6e-9, 12e-9)),
    3.0,
)


@pytest.fixture(autouse=True)
def _without_llvm_mca(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answers are those of the table, whatever this machine has."""
    monkeypatch.setattr("tewb.workbench.speed.llvm_mca.find_llvm_mca", lambda: None)


def first(session: Session, target: str = AVX512) -> tuple[Speed, LoopSpeed]:
    found = why_this_fast(session, target)
    return found, found.loops[0]


def with_memory(session: Session, monkeypatch: pytest.MonkeyPatch) -> Speed:
    """The answer on a machine with the caches of LEVELS, with the figures of Skylake."""
    monkeypatch.setattr(why_fast, "memory_levels", lambda: LEVELS)
    monkeypatch.setattr(why_fast, "machine_peaks", lambda *_: why_fast.Peaks(100.0, 10.0))
    asked = question(session)
    there = asked.compiled().for_target(Target(AVX512))
    return replace(asked, compiled=lambda: there).answer()


@pytest.mark.parametrize(
    ("make", "rule", "loop", "lanes", "said"),
    [
        (programs.matmul, CHAIN, "C.k", 1, r"adds into one register: each multiply-add waits 4 cycles .* \d+ sums side by side .* times as fast"),
        (programs.row_sum, CHAIN, "R.k", 1, r"each addition waits 4 cycles for the one before, so 16 steps of k take 64 cycles"),
        (programs.dot, CHAIN, "R.k", 1, r"8 steps of k take 32 cycles|16 steps of k take 64 cycles"),
        (programs.tiled_matmul, PORTS, "C.k", 16, r"8 multiply-adds on 512-bit vectors keep ports p0, p5 busy for 4 cycles"),
        (programs.exp, PORTS, "E.i", 8, r"multiply-adds"),
        (programs.gather, PORTS, "G.i", 8, r"gathers? .*lane by lane"),
        (programs.divide, PORTS, "D.i", 8, r"divisions on 256-bit vectors keep port p0 busy"),
        (lambda: programs.dot(4096, "int8", "int32"), PORTS, "R.k", 8, r"(vector products of integers|moves across lanes|shuffles)"),
    ],
)  # fmt: skip
def test_what_rules(make: Callable[[], Session], rule: str, loop: str, lanes: int, said: str) -> None:
    found, x = first(make())
    assert (x.rule, x.name.split(",")[0]) == (rule, loop)
    assert re.search(said, found.sentence), found.sentence
    assert x.lanes == lanes


def test_the_steps_of_a_scan_cannot_stand_side_by_side() -> None:
    found, x = first(programs.prefix_sum())
    assert x.rule == CHAIN and x.chain.cycles / x.steps == 4
    assert (
        "Each step needs the result of the one before it" in found.sentence
        and "rfactor" not in found.sentence
    )


@pytest.mark.parametrize(
    ("make", "rule", "said"),
    [
        (lambda: programs.add(2**24), MEMORY, r"C\.i waits for memory: the lines of C, A and B .* Each number is used about once"),
        (lambda: programs.add(1024), PORTS, r"C\.i does"),
        (lambda: programs.transpose(1024), MEMORY, r"the lines of A .*(not read as it lies in memory|few of its sets)"),
        (lambda: programs.row_sum(64, 256), CHAIN, r"each addition waits"),
    ],
)  # fmt: skip
def test_memory_rules_when_lines_come_from_far(
    make: Callable[[], Session], rule: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = with_memory(make(), monkeypatch)
    assert found.loops[0].rule == rule
    assert re.search(said, found.sentence), found.sentence


def test_a_memory_bound_loop_takes_as_long_as_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    found = with_memory(programs.add(2**24), monkeypatch)
    lines = 2**24 * 4 / 64
    assert found.predicted == pytest.approx(
        (2 + 2) * lines * 6e-9, rel=0.02
    )  # a store fetches, and writes back
    assert found.roof.intensity == pytest.approx(1 / 12) and found.roof.roof == pytest.approx(10 / 12)


def test_counts_of_a_loop_are_those_of_its_assembly() -> None:
    found, x = first(programs.tiled_matmul(64))
    assert (x.kinds["fma"], x.loads, x.stores, x.spills) == (8, 6, 0, 0)
    assert (x.bits, x.lanes, x.steps) == (512, 16, 1)
    assert (
        sum(y.iterations for y in found.loops) == 64 // 4 * (64 // 32) * 64
    )  # LLVM wrote out j.outer: two copies
    assert {(y.name, y.core, y.iterations) for y in found.loops} == {("C.k", 4, x.iterations)}
    assert x.core == 4


def test_a_tile_that_does_not_fit_in_registers_spills() -> None:
    found, x = first(programs.tiled_matmul(64, 8, 64))  # 32 sums, and there are 32 registers
    assert x.spills > 10 and f"{x.spills} of its {len(x.body)} instructions save registers" in str(found)
    assert first(programs.tiled_matmul(64, 4, 64))[1].spills == 0


def test_iterations_of_symbolic_sizes_are_those_of_the_session() -> None:
    found, x = first(programs.sized_row_sum())
    assert x.shown.startswith("R.k, 1st of ")
    assert 8 * x.iterations * x.steps == pytest.approx(
        8 * 4000, rel=0.01
    )  # LLVM wrote out the rows: eight copies


def test_narrow_vectors_are_told_of() -> None:
    found, x = first(programs.exp(), AVX2)
    assert x.bits == 256 and not any("registers of" in n for n in found.notes)
    found, _ = first(programs.exp())
    assert any("256 bits; the processor has registers of 512" in n for n in found.notes)


def test_loops_of_aarch64_are_counted() -> None:
    found, x = first(programs.matmul(), "llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-n1")
    assert x.rule == UNKNOWN and x.name == "C.k"
    assert x.loads >= 2 and x.kinds["fma"] >= 1 and x.bits == 32
    assert found.sentence.startswith("tewb has figures of processors of x86-64 alone: the inner loop C.k")
    assert found.predicted is None


def test_an_unknown_processor_has_the_figures_of_skylake() -> None:
    found, _ = first(programs.dot(), "llvm -mcpu=x86-64-v3")
    assert any("not in tewb's table" in n and "Skylake" in n for n in found.notes)


def test_without_llvm_mca_the_table_is_all_there_is() -> None:
    found, x = first(programs.dot())
    assert x.simulated == "llvm-mca is not on this machine" and not x.uses_simulation
    assert any("tewb's own table for Skylake: llvm-mca is not on this machine" in n for n in found.notes)


def test_with_llvm_mca_of_this_processor_its_ports_count(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Simulated(33.0, 7.5, {"P0": 7.5}, "skylake-avx512")
    monkeypatch.setattr("tewb.workbench.speed.loop_speed.simulate", lambda *_: told)
    _, x = first(programs.tiled_matmul())
    assert x.uses_simulation and x.port_cycles == 7.5 == x.core
    assert "in which llvm-mca finds its ports busy" in first(programs.tiled_matmul())[0].sentence
    other = replace(told, model="haswell")
    monkeypatch.setattr("tewb.workbench.speed.loop_speed.simulate", lambda *_: other)
    _, x = first(programs.tiled_matmul())
    assert not x.uses_simulation and x.port_cycles == 4


def test_code_without_loops_has_limits_and_a_time_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    found = with_memory(programs.unrolled(8), monkeypatch)
    (x,) = found.loops
    assert (x.name, x.is_once, x.iterations, x.steps) == ("C", True, 1, 1)
    assert x.cycles == max(x.chain.cycles, x.port_cycles, x.front, x.memory) > 0
    assert x.kinds["fma"] == 64  # 512 products in vectors of eight
    assert found.sentence.startswith("The code of C has no loop")
    assert found.predicted == pytest.approx(x.cycles / 3e9)
    assert found.roof.gflops == pytest.approx(1024 / found.predicted / 1e9) and found.roof.roof
    assert found.times == {("C", None): found.predicted}
    assert found.verdict is not None and "cycles in all" in str(found.verdict)
    assert "iteration" not in str(found.verdict).split("(")[1]


def test_code_without_loops_of_another_processor_is_counted() -> None:
    found = why_this_fast(programs.unrolled(4), "llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-v1")
    assert "the code of C has no loop and runs once, in" in found.sentence and found.predicted is None


def test_code_without_loops_and_calls_of_foreign_functions_say_so() -> None:
    assert "has no loop" in why_this_fast(programs.add(4), AVX512).sentence
    assert (
        "functions of C or Python, whose time is not seen"
        in why_this_fast(demo_session("extern"), AVX512).sentence
    )


def test_the_verdict_on_a_program_that_calls_is_on_what_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    found = with_memory(programs.matmul(16), monkeypatch)
    assert found.verdict is not None and "beside the calls" not in str(found.verdict)
    found = with_memory(programs.calling(), monkeypatch)
    assert re.search(
        r"takes \d+% of the time beside the calls of C or Python, which are not seen here\. What",
        str(found.verdict),
    )


@pytest.mark.parametrize(
    ("tile", "order"),
    [(None, ""), ((4, 32), "io jo k ii ji"), ((8, 8), "io jo ii ji k"), ((4, 16), "k io jo ii ji")],
)
def test_all_inner_loops_together_do_the_work_of_the_program(
    tile: tuple[int, int] | None, order: str
) -> None:
    found = why_this_fast(programs.matmul(64, tile, order), AVX2)
    fmas = [x.iterations * sum(i.lanes for i in x.body if i.kind == "fma") for x in found.loops]
    copies = int(found.loops[0].shown.rpartition(" of ")[2]) if " of " in found.loops[0].shown else 1
    assert sum(fmas) == pytest.approx(64**3 * len(found.loops) / copies)  # six loops are told of at most


def test_copies_of_a_loop_do_its_iterations_together_and_as_often_as_conditions_hold() -> None:
    n, m = 64, 2048
    found = why_this_fast(programs.rolling(n, m), AVX2)
    done = {
        name: sum(x.iterations * x.steps for x in found.loops if x.name == name) for name in ("B.j", "C.j")
    }
    assert done == {
        "B.j": pytest.approx((n + 2 * n // 16) * m),
        "C.j": pytest.approx(n * m),
    }  # two rows more a strip
    assert len([x for x in found.loops if x.name == "B.j"]) > 1


def test_what_cannot_be_lowered_says_why() -> None:
    s = programs.dot()
    s.args = s.args[:1]
    s.schedule.version += 1
    with pytest.raises(TewbError, match="not among the arguments"):
        why_this_fast(s)


def test_a_measurement_stands_beside_the_prediction(monkeypatch: pytest.MonkeyPatch) -> None:
    session = programs.dot(4096)
    monkeypatch.setattr(why_fast, "memory_levels", lambda: LEVELS)
    monkeypatch.setattr(why_fast, "machine_peaks", lambda *_: why_fast.Peaks(100.0, 10.0))
    asked = replace(question(session), measured=1.0)
    found = asked.answer()
    assert found.measured == 1.0 and any(n.startswith("Measured: 1 s, ") for n in found.notes)


def test_loops_of_one_name_are_told_apart() -> None:
    """LLVM makes a loop of the program several: its vectors, and what is left of them."""
    found = why_this_fast(programs.tiled_matmul(), AVX512)
    names = [x.shown for x in found.loops]
    assert len(names) == len(set(names)) and any(" of " in name for name in names), names
    assert found.loops[0].name in found.sentence
