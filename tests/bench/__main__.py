"""Run all benchmarks, or those that are named: `python -m tests.bench matmul edit`."""

from __future__ import annotations

import importlib
import platform
import sys
import threading

import llvmlite
import numpy as np

import tewb

BENCHES = (
    "matmul", "convolution", "elementwise", "stencil", "blur", "rows", "argmax", "transpose", "math",
    "edit", "calls", "callbacks", "strides", "workbench",
)  # fmt: skip

if __name__ == "__main__":
    chosen = sys.argv[1:] or BENCHES
    print(
        f"tewb {tewb.__version__}, numpy {np.__version__}, llvmlite {llvmlite.__version__}, "
        f"Python {platform.python_version()}, {platform.machine()}"
    )
    for name in chosen:
        if name not in BENCHES:
            sys.exit(f"there is no benchmark {name}; there are {', '.join(BENCHES)}")
        # Beside the main thread: from there a long kernel is given a thread of its own, to stay interruptible,
        # and on a busy machine that thread begins on the busier processor.
        runner = threading.Thread(target=importlib.import_module(f"tests.bench.{name}").main, daemon=True)
        runner.start()
        runner.join()
