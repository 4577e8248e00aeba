"""Searching for schedules: programs with knobs, trials in processes of their own, and what they found.

`tune` searches what a program leaves open. Knobs are declared in `knobs`; `subject` is what has them, a function or a
journal; `task` is one trial at work, which `workers` do in processes (`worker` is one of them); `study` keeps what came
of them, and `result` shows it.

`autoschedule` (`auto`) needs no knobs: `sketches` has ideas for whole programs, `model_search` adds ideas one to another, and
`duels` decide which schedule is faster.

`board` is what the workbench shows of it: knobs that were pressed in a journal (`journal_knobs`), and the trials of the last
search.

Both run on a Dask cluster too: `cluster` gives trials to its workers, `remote` is what these do, `processor` tells them apart,
and `searches` runs one search for each kind.
"""

from tewb.tuning.auto import AutoResult, AutoTrial, autoschedule
from tewb.tuning.board import Board, board_of
from tewb.tuning.database import load_optuna
from tewb.tuning.knobs import Config, Knob
from tewb.tuning.result import TuneResult
from tewb.tuning.search import tune
from tewb.tuning.shared_arrays import kept_arrays
from tewb.tuning.study import Trial
from tewb.tuning.task import Outcome, Task
from tewb.tuning.workers import HereAlone, Limits, Workers

__all__ = [
    "AutoResult", "AutoTrial", "Board", "Config", "HereAlone", "Knob", "Limits", "Outcome", "Task", "Trial", "TuneResult", "Workers", "autoschedule", "board_of", "kept_arrays", "load_optuna", "tune",
]  # fmt: skip
