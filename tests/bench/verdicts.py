"""What the workbench says of programs, pane beside pane: what Speed, Advice and Data each give as the reason, with several
schedules, and how far the predicted times are from measured ones.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

import tewb
from tests.bench import argmax, attention, blur, convolution, elementwise, int8_matmul, jacobi, matmul, rows, stencil, transpose
from tests.bench.workload import Workload

WORKLOADS = {}
MODULES = (matmul, convolution, blur, rows, transpose, int8_matmul, elementwise, stencil, jacobi, argmax, attention)


def programs(per: int = 2) -> Iterator[tuple[str, Workload]]:
    for m in MODULES:
        for w in m.WORKLOADS[:per]:
            yield w.name, w
