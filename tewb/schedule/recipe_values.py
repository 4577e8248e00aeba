"""What is given to a recipe, as values that a journal can keep: numbers and words, and names of tensors, stages and loops.

C           {"tensor": "C"}, of several outputs also "output"        C.op     {"operation": "C"}
s[C]        {"stage": "C"}                                           i        {"loop": "i", "stage": "C"}
te.var("n") {"size": "n"}
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tewb.base import ScheduleError, brief, here
from tewb.ir import AxisKind, Expr, IterVar, StringImm, ops
from tewb.schedule.part_sizes import read_size, size_text
from tewb.schedule.stage import Stage
from tewb.schedule.thread import thread_text
from tewb.tensor import Operation, Tensor

if TYPE_CHECKING:
    from tewb.schedule.schedule import Schedule

_HINT = "a recipe takes stages, tensors, loops, numbers, words, and lists of them"


def kept_value(schedule: Schedule, what: Any) -> Any:
    """What was given to a recipe on `schedule`, as a journal keeps it. Raises ScheduleError."""
    match what:
        case None | bool() | str():
            return what
        case float() if math.isfinite(what):
            return what
        case StringImm():
            return str(what.value)
        case list() | tuple():
            return [kept_value(schedule, one) for one in what]
        case Tensor():
            output = {"output": what.value_index} if getattr(what, "value_index", 0) else {}
            return {"tensor": schedule[what].name, **output}
        case Operation():
            return {"operation": schedule[what].name}
        case Stage():
            return {"stage": schedule[what].name}
        case IterVar():
            return _kept_loop(schedule, what)
    return _kept_number(schedule, what)


def _kept_loop(schedule: Schedule, iv: IterVar) -> Any:
    if iv.kind is AxisKind.THREAD:
        return thread_text(schedule.thread_names, iv)
    owner = schedule.owner_of(iv)
    known = None if owner is None else owner.find_axis(iv)
    if owner is None or known is None:
        raise ScheduleError(
            f"this {iv.name} is a loop of no stage here: was it made by another schedule?",
            hint=_HINT,
            span=here(),
        )
    return {"loop": owner.axis_name(known), "stage": owner.name}


def _kept_number(schedule: Schedule, what: Any) -> Any:
    try:
        return operator.index(ops.whole(what))
    except TypeError:
        pass
    if isinstance(what, Expr):
        return {"size": size_text(schedule, what)}
    raise ScheduleError(f"{brief(repr(what))} cannot be given to a recipe", hint=_HINT, span=here())


def given_value(schedule: Schedule, kept: Any) -> Any:
    """What a kept value means on `schedule` as it is now. Raises ScheduleError for what is not there."""
    if isinstance(kept, list):
        return [given_value(schedule, one) for one in kept]
    if not isinstance(kept, Mapping):
        return kept
    if "size" in kept:
        return read_size(schedule, str(kept["size"]))
    if "loop" in kept:
        stage = schedule[kept.get("stage")]
        iv = stage.find_axis(kept["loop"])
        if iv is None:
            raise ScheduleError(
                f"stage {stage.name} has no loop {kept['loop']} here", loops=stage.loops(), hint=_HINT
            )
        return iv
    if "tensor" in kept:
        outputs, output = schedule[kept["tensor"]].first_op.outputs, kept.get("output", 0)
        if not isinstance(output, int) or not 0 <= output < len(outputs):
            raise ScheduleError(f"{kept['tensor']} has {len(outputs)} outputs, and none of number {output}")
        return outputs[output]
    if "operation" in kept:
        return schedule[kept["operation"]].first_op
    if "stage" in kept:
        return schedule[kept["stage"]]
    raise ScheduleError(f"{brief(repr(kept))} is nothing that is given to a recipe", hint=_HINT)
