"""What a tuner tells of each batch."""

from __future__ import annotations

import io

import pytest

from tests.autotvm.templates import QUICK, task
from tewb import autotvm


@pytest.mark.slow
def test_the_bar_says_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    show = autotvm.callback.progress_bar(1, "[Task]")
    file = io.StringIO()
    autotvm.tuner.RandomTuner(task()).tune(1, QUICK, callbacks=[show, autotvm.callback.log_to_file(file)])
    assert "[Task] 1/1" in capsys.readouterr().err and file.getvalue().startswith('{"input"')


def test_a_monitor_keeps_all_scores() -> None:
    t = task()
    monitor = autotvm.callback.Monitor()
    tuner = autotvm.tuner.GridSearchTuner(t)
    result = autotvm.MeasureResult((0.5,), 0, 1.0, 3.0)
    monitor(tuner, [], [result, result._replace(error_no=1)])
    assert monitor.trial_scores() == [t.flop / 0.5, 0.0] and monitor.trial_timestamps() == [3.0, 3.0]
    monitor.reset()
    assert monitor.trial_scores() == []
