"""`te.hybrid`: the classic names of hybrid script."""

from __future__ import annotations

from collections.abc import Sequence

from tewb.lowering import SIMPLIFY, Trace, lower_schedule, with_thread_loops
from tewb.schedule import Schedule
from tewb.tensor import Tensor
from tewb.tensor.hybrid import HybridFunction, HybridModule, dump, load, script

__all__ = ["HybridFunction", "HybridModule", "build", "load", "script"]


def build(
    sch: Schedule, inputs: Sequence[Tensor], outputs: Sequence[Tensor], name: str = "hybrid_func"
) -> HybridModule:
    """The loops of a schedule as a hybrid function of `inputs` that returns `outputs`.

    `get_source()` is its text, which `save(path)` writes and `te.hybrid.load(path)` reads again. Raises
    HybridError where the hybrid language has no words for the loops, as for packed functions.
    """
    trace: Trace = []
    lower_schedule(sch, [*inputs, *outputs], name, None, trace)
    loops = dict(trace)[SIMPLIFY.name]  # as the schedule says, before loops are vectorized and unrolled
    return HybridModule(dump(with_thread_loops(loops), name), name)
