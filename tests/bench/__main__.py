"""Run all benchmarks, or those that are named: `python -m tests.bench matmul edit`."""

from __future__ import annotations

import importlib
import platform
import sys

import llvmlite
import numpy as np

import tewb

BENCHES = ("matmul", "edit", "calls", "callbacks", "strides", "workbench", "math")

if __name__ == "__main__":
    chosen = sys.argv[1:] or BENCHES
    print(
        f"tewb {tewb.__version__}, numpy {np.__version__}, llvmlite {llvmlite.__version__}, "
        f"Python {platform.python_version()}, {platform.machine()}"
    )
    for name in chosen:
        if name not in BENCHES:
            sys.exit(f"there is no benchmark {name}; there are {', '.join(BENCHES)}")
        importlib.import_module(f"tests.bench.{name}").main()
