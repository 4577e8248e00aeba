"""Run all benchmarks, or those that are named: `python -m tests.bench matmul edit`.

`--json FILE` keeps the numbers of the run; `--compare FILE` sets them beside those of an earlier one, by their
ratios, and marks what lost more than a tenth.
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import sys
import threading
from pathlib import Path

import llvmlite
import numpy as np

import tewb
from tests.bench.harness import ROWS

BENCHES = (
    "matmul", "convolution", "elementwise", "stencil", "blur", "rows", "argmax", "transpose", "math", "edit", "calls", "callbacks", "strides", "parallel", "workbench", "int8_matmul", "batched", "jacobi", "conv_blocked", "attention", "symbolic",
)  # fmt: skip


def about() -> str:
    """The versions and the machine of this run."""
    return (
        f"tewb {tewb.__version__}, numpy {np.__version__}, llvmlite {llvmlite.__version__}, "
        f"Python {platform.python_version()}, {platform.machine()}"
    )


def compare(old: dict[str, float]) -> None:
    """The ratios of this run beside those of an earlier one."""
    print(f"\n{'ratio':<44} {'before':>10} {'now':>10}")
    for row in ROWS:
        before, now = old.get(row.name), row.other / row.tewb
        if before is not None:
            print(f"{row.name:<44} {before:>10.2f} {now:>10.2f}{'   slower' if now < 0.9 * before else ''}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"any of {', '.join(BENCHES)}; all when none is given")
    parser.add_argument("--json", type=Path, help="keep the numbers in this file")
    parser.add_argument("--compare", type=Path, help="a file that --json wrote earlier")
    given = parser.parse_args()
    unknown = [n for n in given.names if n not in BENCHES]
    if unknown:
        sys.exit(f"there is no benchmark {unknown[0]}; there are {', '.join(BENCHES)}")
    print(about())
    for name in given.names or BENCHES:
        # Beside the main thread: from there a long kernel is given a thread of its own, to stay interruptible,
        # and on a busy machine that thread begins on the busier processor.
        runner = threading.Thread(target=importlib.import_module(f"tests.bench.{name}").main, daemon=True)
        runner.start()
        runner.join()
    ratios = {row.name: row.other / row.tewb for row in ROWS}
    if given.compare:
        compare(json.loads(given.compare.read_text())["ratios"])
    if given.json:
        seconds = {row.name: [row.tewb, row.other] for row in ROWS}
        given.json.write_text(json.dumps({"about": about(), "ratios": ratios, "seconds": seconds}, indent=1))


if __name__ == "__main__":
    main()
