"""`autotvm`: templates with knobs, tasks, tuners and logs by their classic names, on the machinery of `tewb.tuning`."""

from tewb.autotvm import callback, dispatcher, measure, record, space, task, tuner
from tewb.autotvm.dispatcher import apply_history_best, get_config
from tewb.autotvm.measure import (
    LocalBuilder,
    LocalRunner,
    MeasureErrorNo,
    MeasureInput,
    MeasureResult,
    RPCRunner,
    measure_option,
)
from tewb.autotvm.record import LogFileError
from tewb.autotvm.space import ConfigEntity, ConfigSpace
from tewb.autotvm.task import (
    ApplyHistoryBest,
    DispatchContext,
    FallbackContext,
    args_to_workload,
    register_topi_compute,
    register_topi_schedule,
    template,
)
from tewb.compat import face

__all__ = [
    "ApplyHistoryBest", "ConfigEntity", "ConfigSpace", "DispatchContext", "FallbackContext", "LocalBuilder", "LocalRunner", "LogFileError",
    "MeasureErrorNo", "MeasureInput", "MeasureResult", "RPCRunner", "apply_history_best", "args_to_workload", "callback",
    "dispatcher", "get_config", "measure", "measure_option", "record", "register_topi_compute", "register_topi_schedule", "space",
    "task", "template", "tuner",
]  # fmt: skip

face.wear(__name__)
for _module in (callback, measure, record, task, tuner):
    face.wear(_module.__name__)
