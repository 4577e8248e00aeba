"""The command of the benchmarks: what it prints and keeps, and that a contestant that fails leaves the others alone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.bench.contest import Contest, Result
from tests.bench.peers import Skip, fastest, find
from tests.bench.table import Table
from tests.bench.workload import Workload, reusing

ROOT = Path(__file__).resolve().parents[1]

BROKEN = """
import os, time
from tests.bench.peers import Skip
DISTRIBUTION = "numpy"

def wrong(a):
    return lambda: a.sum(axis=1) + 1

def raises(a):
    raise ValueError("this shape\\nhas no kernel")

def dies(a):
    os.abort()

def hangs(a):
    time.sleep(60)

def skips(a):
    raise Skip("it has no sums")

def dies_later(a):
    calls = []
    def run():
        calls.append(1)
        if len(calls) > 4:
            os._exit(3)
        return a.sum(axis=1)
    return run

KERNELS = {"": WHICH}
"""

ROW = """
import numpy as np
from tewb import te
from tests.bench.workload import Workload, floats

def sums(threads):
    A, k = te.placeholder((7, 5), name="A"), te.reduce_axis((0, 5), name="k")
    B = te.compute((7,), lambda i: te.sum(A[i, k], axis=k), name="B")
    return te.create_schedule(B.op), [A, B]

WORKLOADS = [Workload(f"sums {n}", sums, floats((7, 5)), lambda a: a.sum(axis=1), goal=1.5) for n in (1, 2)]
"""


def run_command(*args: str) -> str:
    command = [sys.executable, "-m", "tests.bench", *args]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Workload]]:
    """Two rows that take microseconds, in a module that the workers can import."""
    (tmp_path / "tiny_rows.py").write_text(ROW)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    made: dict[str, Any] = {}
    exec(ROW, made)
    return [("tiny_rows", w) for w in made["WORKLOADS"]]


@pytest.mark.slow
def test_the_command_prints_the_table_and_keeps_its_numbers(tmp_path: Path) -> None:
    kept, row = tmp_path / "kept.json", "padded 3-point stencil, 512 x 500"
    common = [row, "--peers", "none", "--quick"]
    out = run_command(*common, "--threads", "1,2", "--markdown", "--json", str(kept))
    assert re.search(rf"^{row} +[\d.]+ [mu]s +[\d.]+ +\d+% +[\d.]+$", out, re.M), (
        out
    )  # the last is the scaling
    assert re.search(rf"^\| {row} \| [\d.]+ [mu]s \| \*\*[\d.]+\*\* \|", out, re.M), out
    found = json.loads(kept.read_text())
    assert [(r["row"], r["threads"]) for r in found["table"]] == [(row, 1), (row, 2)]
    assert all(len(samples) == 3 for r in found["table"] for samples in r["seconds"].values())
    assert found["ratios"].keys() == {row, f"{row}, 2 threads"}
    assert "numpy" in found["about"] and "tewb" in found["about"]
    found["ratios"][row] = 1e6
    kept.write_text(json.dumps(found))
    out = run_command(*common, "--compare", str(kept))
    assert re.search(rf"^{row} +1000000.00 +[\d.]+   slower$", out, re.M), out


@pytest.mark.slow
def test_a_name_that_is_neither_file_nor_row_is_refused() -> None:
    with pytest.raises(AssertionError, match="no benchmark and no row 'sorting'"):
        run_command("sorting")


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    "which, reason",
    [
        ("wrong", "AssertionError: Not equal to tolerance"),
        ("raises", "ValueError: this shape has no kernel"),
        ("dies", "the process ended (SIGABRT)"),
        pytest.param("hangs", "no answer in 12 s", marks=pytest.mark.slow),
        ("dies_later", "the process ended (exit 3)"),
        ("missing_name", "not here: NameError: name 'missing_name' is not defined"),
    ],
)
def test_a_broken_peer_does_not_stop_the_table(
    tiny: list[tuple[str, Workload]], tmp_path: Path, which: str, reason: str
) -> None:
    (tmp_path / "broken_peer").mkdir()
    (tmp_path / "broken_peer" / "kernels.py").write_text(BROKEN.replace("WHICH", which))
    said: list[str] = []
    who = dict.fromkeys(("numpy", "tewb", "broken_peer.kernels"), sys.executable)
    contest = Contest(who, repeat=2, limit=12 if which == "hangs" else 60, say=said.append)
    results = list(contest.run(tiny[: 1 if which == "hangs" else 2], threads=1))
    for r in results:
        assert len(r.seconds["numpy"]) == len(r.seconds["tewb"]) == 2
        assert "broken_peer.kernels" in r.absent
        assert r.best_peer() is None
    assert reason in results[0].absent["broken_peer.kernels"]
    assert all("\n" not in line for line in said)
    assert reason in said[0].replace("is not here", "not here")


@pytest.mark.slow
def test_a_peer_that_skips_a_row_says_nothing(tiny: list[tuple[str, Workload]], tmp_path: Path) -> None:
    (tmp_path / "broken_peer").mkdir()
    (tmp_path / "broken_peer" / "kernels.py").write_text(BROKEN.replace("WHICH", "skips"))
    said: list[str] = []
    contest = Contest({"numpy": sys.executable, "broken_peer.kernels": sys.executable}, 1, say=said.append)
    (r, _) = contest.run(tiny, threads=1)
    assert r.absent == {"broken_peer.kernels": "it has no sums"}
    assert said == []


def test_wrong_results_of_tewb_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tiny_rows.py").write_text(
        ROW.replace("lambda a: a.sum(axis=1)", "lambda a: a.sum(axis=1) + 1")
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    made: dict[str, Any] = {}
    exec(ROW, made)
    contest = Contest({"tewb": sys.executable}, 1, say=lambda _: None)
    (r,) = contest.run([("tiny_rows", made["WORKLOADS"][0])], threads=1)
    assert "AssertionError" in r.absent["tewb"]


def result(threads: int = 1, **seconds: float) -> Result:
    return Result("a row", threads, 1.25, None, {name: [s] for name, s in seconds.items()})


def test_a_row_where_a_peer_is_faster_is_marked() -> None:
    table, r = Table(1, ["numba", "jax"], 10), result(numpy=1.0, tewb=0.5, numba=0.25)
    assert table.head().split() == [
        "1",
        "thread",
        "numpy",
        "tewb",
        "±",
        "numba",
        "jax",
        "best",
        "peer",
        "goal",
    ]
    assert table.line(r).split() == [
        "a",
        "row",
        "1",
        "s",
        "2.00",
        "0%",
        "4.00",
        "numba",
        "4.00",
        "1.25",
        "behind",
    ]
    assert list(table.markdown([r])) == [
        "| 1 thread | numpy | tewb | numba | jax | goal |",
        "|---|---|---|---|---|---|",
        "| a row | 1 s | 2.00 | **4.00** | - | 1.25 |",
    ]


def test_a_row_where_tewb_is_fastest_has_no_mark() -> None:
    line = Table(1, ["numba"], 10).line(result(numpy=1.0, tewb=0.25, numba=0.5))
    assert line.split()[-3:] == ["numba", "2.00", "1.25"]


def test_a_row_without_tewb_says_so() -> None:
    assert Table(1, [], 10).line(result(numpy=1.0)).endswith("no result")


def test_scaling_compares_with_one_thread() -> None:
    table = Table(2, [], 10, one=[result(tewb=1.0)])
    assert (
        dict(zip(table.heads, table.cells(result(2, numpy=1.0, tewb=0.5)), strict=True))["scaling"] == "2.00"
    )


def test_the_longest_beginning_of_a_row_finds_its_kernel() -> None:
    short, long = (lambda: lambda: 1), (lambda: lambda: 2)
    assert find({"conv2d": short, "conv2d NCHW16c": long}, "conv2d NCHW16c, 64") is long
    assert find({"conv2d": short, "conv2d NCHW16c": long}, "conv2d 3x3") is short
    assert find({"conv2d": short}, "int8 conv2d") is None


def test_the_fastest_passes_over_what_cannot_be_made() -> None:
    def fails() -> Any:
        raise Skip("no")

    kernel = fastest(fails, lambda: lambda: sum(range(100000)), lambda: lambda: "quick", seconds=0.05)()
    assert kernel() == "quick"
    with pytest.raises(Skip, match="no"):
        fastest(fails)()


def test_an_output_is_allocated_once() -> None:
    add = reusing(np.add)
    a = np.arange(3.0)
    assert add(a, a) is add(a, a)
    np.testing.assert_array_equal(add(a, a), a + a)
