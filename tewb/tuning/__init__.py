"""Searching for schedules: programs with knobs, trials in processes of their own, and what they found."""

from tewb.tuning.knobs import Config, Knob
from tewb.tuning.result import TuneResult
from tewb.tuning.study import Trial
from tewb.tuning.tune import tune

__all__ = ["Config", "Knob", "Trial", "TuneResult", "tune"]
