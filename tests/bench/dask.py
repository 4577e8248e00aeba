"""What blocks cost: a kernel on dask arrays beside the same kernel on whole arrays, and two workers beside one.

Kernels, one thread each. A ratio of blocks to a kernel is 1 where neither the tasks nor the halos cost anything; two workers
reach 2 on two idle cores, where memory is not the limit.
"""

from __future__ import annotations

import gc
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import tewb
from tests.bench.harness import shown
from tests.bench.matmul import scheduled
from tests.bench.stencil import stencil
from tewb import te

Program = tuple[Any, list[Any]]
Arrays = list[tuple[tuple[int, ...], tuple[int, ...]]]  # the shape of each input, and of its chunks
REPEAT = 5


def exponentials(n: int) -> Program:
    """Sines of exponentials: many operations for each element."""
    A = te.placeholder((n, n), name="A")
    B = te.compute((n, n), lambda i, j: te.sin(te.exp(te.sin(te.exp(A[i, j])))), name="B")
    s = te.create_schedule(B.op)
    s[B].vectorize(s[B].split("j", factor=16)[1])
    return s, [A, B]


def sums(n: int) -> Program:
    """The sum of each row."""
    A, k = te.placeholder((n, n), name="A"), te.reduce_axis((0, n), name="k")
    S = te.compute((n,), lambda i: te.sum(A[i, k], axis=k), name="S")
    s = te.create_schedule(S.op)
    s[S].vectorize(s[S].split("k", factor=64)[1])
    return s, [A, S]


def programs() -> dict[str, tuple[Program, Arrays]]:
    n = 4096
    one: Arrays = [((n, n), (1024, 1024))]
    return {
        "sin(exp(sin(exp(x)))), 4096 x 4096": (exponentials(n), one),
        "stencil of 5 points, 4096 x 4096": (stencil(n, n, 5), one),
        "sums of rows, in 4 parts each": (sums(n), one),
        "matmul 1024, k in 4 parts": (
            scheduled(1024, 1024, 1024),
            [((1024, 1024), (512, 256)), ((1024, 1024), (256, 512))],
        ),
    }


def main() -> None:
    import dask
    import dask.array as da

    warnings.filterwarnings("ignore")  # what distributed says of the machine
    kernels = {name: (tewb.build(*program), arrays) for name, (program, arrays) in programs().items()}
    print(f"\n{'blocks in one thread':<44} {'blocks':>10} {'kernel':>10} {'ratio':>7}")
    for name, (kernel, arrays) in kernels.items():
        given = [np.random.default_rng(0).random(shape, "float32") for shape, _ in arrays]
        cut = [
            da.from_array(a, chunks=c).map_blocks(np.array).persist()  # chunks as a file gives them
            for a, (_, c) in zip(given, arrays, strict=True)
        ]
        y = kernel.map_blocks(*cut)
        with dask.config.set(scheduler="synchronous"):
            np.testing.assert_allclose(y.compute(), kernel(*given), rtol=1e-3)
            blocks, whole = least(y.persist, lambda: kernel(*given))  # noqa: B023
        print(f"{name:<44} {shown(blocks):>10} {shown(whole):>10} {whole / blocks:>7.2f}")
    print(f"\n{'workers with one thread each':<44} {'two':>10} {'one':>10} {'ratio':>7}")
    times = [on_workers(count, kernels) for count in (1, 2)]
    for name in kernels:
        one, two = (t[name] for t in times)
        print(f"{name:<44} {shown(two):>10} {shown(one):>10} {one / two:>7.2f}")


def least(*functions: Callable[[], Any]) -> list[float]:
    """The least time of each of some functions, which are called in turn."""
    found = [float("inf")] * len(functions)
    for _ in range(REPEAT):
        for n, f in enumerate(functions):
            gc.collect()
            start = time.perf_counter()
            f()
            found[n] = min(found[n], time.perf_counter() - start)
    return found


def on_workers(count: int, kernels: dict[str, tuple[Any, Arrays]]) -> dict[str, float]:
    """The least time of each kernel on a cluster of so many workers, whose memory holds the inputs; outputs stay there."""
    import dask
    import dask.array as da
    from distributed import Client, LocalCluster, wait

    found = {}
    with (
        dask.config.set({"distributed.worker.memory.terminate": False}),
        LocalCluster(
            n_workers=count, threads_per_worker=1, dashboard_address=None, memory_limit=0
        ) as cluster,
        Client(cluster) as client,
    ):
        client.wait_for_workers(count)
        for name, (kernel, arrays) in kernels.items():
            cut = [da.random.random(shape, chunks=c).astype("float32").persist() for shape, c in arrays]
            wait(cut)
            y = kernel.map_blocks(*cut)
            wait(y.persist())  # every worker has compiled
            (found[name],) = least(lambda: wait(y.persist()))  # noqa: B023
    return found
