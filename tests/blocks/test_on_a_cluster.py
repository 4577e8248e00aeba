"""Kernels on the workers of a cluster, which are processes of this machine."""

from __future__ import annotations

import pickle
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np
import pytest

import tewb
from tests.blocks.programs import PROGRAMS, schedule
from tewb import te

MB = 1 << 20


@contextmanager
def cluster(workers: int, **options: Any) -> Iterator[Any]:
    """The client of a cluster on ports that are free, without a page, which ends with the block."""
    from distributed import Client, LocalCluster

    settings = {"distributed.comm.timeouts.connect": "120s", "distributed.worker.memory.terminate": False}
    with warnings.catch_warnings(), dask.config.set(settings):
        warnings.simplefilter("ignore")  # what distributed says of the machine
        made = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            scheduler_port=0,
            dashboard_address=None,
            **options,
        )
        with made, Client(made, timeout=120) as client:
            if workers:
                client.wait_for_workers(workers, timeout=120)
            yield client


@pytest.fixture(scope="module")
def two_processes() -> Iterator[Any]:
    with cluster(2, processes=True, memory_limit=0) as client:
        yield client


def smooth() -> Any:
    """A kernel that takes the mean of three rows, and keeps the first and the last."""
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((n, m), name="A")

    def mean(i: Any, j: Any) -> Any:
        return te.if_then_else(
            te.all(i >= 1, i < n - 1), (A[i - 1, j] + A[i, j] + A[i + 1, j]) / 3.0, A[i, j]
        )

    B = te.compute((n, m), mean, name="B")
    s = schedule(B)
    s[B].vectorize(s[B].split("j", 16)[1])
    return tewb.build(s, [A, B])


def test_workers_in_this_process() -> None:
    case = PROGRAMS["product"](np.random.default_rng(3))
    kernel = case.kernel()
    with cluster(2, processes=False):
        got = kernel.map_blocks(*(da.from_array(a, chunks=5) for a in case.given)).compute()
    np.testing.assert_array_equal(got, kernel(*case.given))


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_workers_give_what_one_kernel_gives(two_processes: Any, name: str) -> None:
    case = PROGRAMS[name](np.random.default_rng(5))
    kernel = case.kernel()
    got = kernel.map_blocks(
        *(da.from_array(a, chunks=6) if isinstance(a, np.ndarray) else a for a in case.given)
    )
    wanted, found = (x if isinstance(x, tuple) else (x,) for x in (kernel(*case.given), got))
    for x, y in zip(dask.compute(*found), wanted, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-5)


@pytest.mark.slow
def test_a_kernel_is_compiled_where_it_arrives(two_processes: Any) -> None:
    kernel = smooth()
    a = np.random.default_rng(0).random((60, 40), "float32")
    sent = two_processes.scatter(kernel, broadcast=True)
    for worker in two_processes.scheduler_info()["workers"]:
        got = two_processes.submit(lambda k, x: k(x), sent, a, workers=[worker], pure=False).result(
            timeout=240
        )
        np.testing.assert_array_equal(got, kernel(a))
    y = da.map_blocks(kernel, da.from_array(a, chunks=(60, 7)), dtype="float32")
    np.testing.assert_array_equal(y.compute(), kernel(a))
    assert b"\x7fELF" not in pickle.dumps(kernel)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted as Linux does")
def test_an_array_four_times_the_memory_of_its_worker(tmp_path: Path) -> None:
    """From Zarr to Zarr, with the memory of the worker held below its limit from the beginning to the end."""
    limit, rows, columns = 320 * MB, 16 * 1024, 20 * 1024
    kernel = smooth()
    with cluster(1, processes=True, memory_limit=limit) as client:
        row = da.arange(rows, chunks=512, dtype="float32")[:, None]
        x = da.broadcast_to(row, (rows, columns), chunks=(row.chunks[0], 4096))
        assert x.nbytes >= 4 * limit
        x.to_zarr(str(tmp_path / "x.zarr"))
        kernel.map_blocks(da.from_zarr(str(tmp_path / "x.zarr"))).to_zarr(str(tmp_path / "y.zarr"))
        y = da.from_zarr(str(tmp_path / "y.zarr"))[:, 4000:4200]
        assert (
            float(abs(y - row).max().compute()) < 1e-2
        )  # of rows that rise evenly, the mean is the one between
        # VmHWM is of this program; ru_maxrss would be that of the process which it was forked from too.
        most = client.run(
            lambda: 1024 * int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
        )

        assert len(most) == 1  # the same worker as at the beginning, which never died
        assert max(most.values()) < limit
