"""The process of one contestant. It makes a row's kernel, checks the result, and times a sample when asked.

    python -m tests.bench.worker CONTESTANT

answers lines of JSON with lines of JSON: `{"do": "prepare", "module": ..., "row": ...}`, `{"do": "sample"}`,
`{"do": "drop"}`. The environment says how many threads there are (`contest.environment`). An answer with "error"
says in one line what went wrong, one with "absent" that there is no such kernel.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import json
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.bench import peers
from tests.bench.memory import copy, empty
from tests.bench.workload import Workload, listed

Answer = dict[str, Any]


def numpy_kernel(row: Workload, given: list[Any]) -> peers.Kernel:
    return lambda: row.numpy(*given)


def tewb_kernel(row: Workload, given: list[Any]) -> peers.Kernel:
    import tewb

    s, args = row.program(peers.THREADS)
    kernel = tewb.build(s, args)
    # Shapes that are variables of the program are those of numpy's results, which come first.
    wanted = listed(row.numpy(*given))
    outs = []
    for number, tensor in enumerate(args[len(given) :]):
        shape = wanted[number].shape if number < len(wanted) else tuple(n.value for n in tensor.shape)
        outs.append(empty(shape, str(tensor.dtype)))

    def run() -> Any:
        kernel(*given, *outs)
        return tuple(outs)

    return run


class Contestant:
    """What a worker does. Calls of a sample last `least` seconds together."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.kernel: peers.Kernel | None = None
        self.calls = 1
        self.peer: Any = None
        if name not in ("numpy", "tewb"):
            ours = f"tests.bench.peers.{name}"
            known = "." not in name and importlib.util.find_spec(ours)
            self.peer = importlib.import_module(ours if known else name)

    def version(self) -> str:
        distribution = self.peer.DISTRIBUTION if self.peer else self.name
        if distribution == "tewb":
            import tewb

            return f"tewb {tewb.__version__}"
        return f"{distribution} {importlib.metadata.version(distribution)}"

    def prepare(self, module: str, row: str, least: float) -> Answer:
        """Make the kernel, check what it computes, and find how many calls fill a sample."""
        rows: list[Workload] = importlib.import_module(module).WORKLOADS
        workload = next(w for w in rows if w.name == row)
        maker = self.maker(workload)
        if maker is None:
            return {"absent": "no kernel"}
        given = [copy(a) for a in workload.given(np.random.default_rng(0))]
        self.kernel = maker(*given)
        workload.check(self.kernel(), workload.numpy(*given))
        once = min(timed(self.kernel, 1) for _ in range(2))
        self.calls = max(1, round(least / max(once, 1e-7)))
        return {"calls": self.calls}

    def maker(self, workload: Workload) -> Callable[..., peers.Kernel] | None:
        if self.name == "numpy":
            return lambda *given: numpy_kernel(workload, list(given))
        if self.name == "tewb":
            return lambda *given: tewb_kernel(workload, list(given))
        return peers.find(self.peer.KERNELS, workload.name)

    def sample(self) -> Answer:
        """Seconds of one call, a mean over calls that follow each other."""
        assert self.kernel is not None
        if self.calls > 1:
            self.kernel()  # what the others left in the caches is gone
        return {"seconds": timed(self.kernel, self.calls)}

    def drop(self) -> Answer:
        self.kernel = None
        return {}


def timed(f: Callable[[], Any], calls: int) -> float:
    start = peers.clock()
    for _ in range(calls):
        f()
    return (peers.clock() - start) / calls


def one_line(e: BaseException) -> str:
    """The error, without its later lines."""
    lines = [line.strip() for line in str(e).splitlines() if line.strip()]
    return f"{type(e).__name__}: {' '.join(lines)[:160]}" if lines else type(e).__name__


def serve(name: str, out: Any) -> None:
    def say(answer: Answer) -> None:
        print(json.dumps(answer), file=out, flush=True)

    try:
        contestant = Contestant(name)
        say({"version": contestant.version()})
    except BaseException as e:
        return say({"error": one_line(e)})
    for line in sys.stdin:
        ask = json.loads(line)
        try:
            say(getattr(contestant, ask.pop("do"))(**ask))
        except peers.Skip as e:
            say({"absent": str(e)})
        except BaseException as e:
            contestant.drop()
            say({"error": one_line(e)})


if __name__ == "__main__":
    # What libraries print goes to the error stream: the answers have the output to themselves.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    # Beside the main thread: from there a long kernel of tewb is given a thread of its own, to stay interruptible.
    runner = threading.Thread(target=serve, args=(sys.argv[1], answers), daemon=True)
    runner.start()
    runner.join()
