"""A trial at work: built, compared, timed; arrays as they lie in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tewb
from tests.tuning.programs import twice
from tewb import te
from tewb.runtime.aligned_memory import address_of_first
from tewb.tuning import task as module
from tewb.tuning.knobs import Config
from tewb.tuning.task import (
    Checked,
    Parameter,
    Task,
    aligned_copy,
    arguments_of,
    checked,
    keep_array,
    machine_for_itself,
    perform,
    samples_if_far,
)


def task(folder: Path, wanted: Any, **options: Any) -> Task:
    s, args = twice(Config(lambda knob: 0))
    a = np.arange(64, dtype="float32")
    given = Parameter("input", "A", *keep_array(folder, "a", a), "float32")
    made = Parameter("output", "B", *keep_array(folder, "b", wanted(a)), "float32", 1e-6, 1e-6)
    return Task(tewb.lower(s, args), (given, made), **options)


def test_a_right_result_is_timed(tmp_path: Path) -> None:
    heard: list[str] = []
    outcome = perform(task(tmp_path, lambda a: a * 2, repeat=3, seconds=1e-4), heard.append)
    assert outcome.how == "timed" and len(outcome.samples) == 3 and outcome.build_seconds > 0
    assert heard == ["building", "checking", "waiting", "timing"]


def test_a_wrong_result_is_not(tmp_path: Path) -> None:
    outcome = perform(task(tmp_path, lambda a: np.where(a == 5, 11, a * 2).astype("float32")))
    assert (outcome.how, outcome.samples) == ("wrong", ())
    assert outcome.message == "B differs: first at (5,): 10.0 instead of 11.0 (1 of 64 elements)"


@pytest.mark.parametrize(("wanted", "how"), [(496.0, "timed"), (5.0, "wrong")])
def test_results_without_dimensions_are_compared(tmp_path: Path, wanted: float, how: str) -> None:
    A, k = te.placeholder((32,), name="A"), te.reduce_axis((0, 32), name="k")
    B = te.compute((), lambda: te.sum(A[k], axis=k), name="B")
    given = Parameter("input", "A", *keep_array(tmp_path, "a", np.arange(32, dtype="float32")), "float32")
    made = Parameter("output", "B", *keep_array(tmp_path, "b", np.array(wanted, "float32")), "float32", 1e-6)
    module = tewb.lower(te.create_schedule(B.op), [A, B])
    outcome = perform(Task(module, (given, made), repeat=1, seconds=1e-4))
    assert outcome.how == how
    assert (
        how == "timed" or outcome.message == "B differs: first at (): 496.0 instead of 5.0 (1 of 1 elements)"
    )


def test_what_is_slower_than_the_limit_is_given_up(tmp_path: Path) -> None:
    slow = perform(task(tmp_path, lambda a: a * 2, repeat=9, seconds=1e-4, worst=0.0))
    assert slow.how == "slow" and len(slow.samples) < 9


def test_one_cold_call_gives_nothing_up(tmp_path: Path) -> None:
    """The first call is cold, and waits for a processor that others have: it took a second, and the next ones do not."""
    made = checked(*_of(task(tmp_path, lambda a: a * 2)), arguments_of, lambda phase: None)
    assert isinstance(made, Checked)
    made.call()
    for cold in (replace(made, first=1.0, worked=1e-6), replace(made, first=1.0, worked=1.0)):
        assert samples_if_far(cold, 0.1) == ()
    far = samples_if_far(replace(made, first=1.0, worked=1.0), 0.0)
    assert len(far) == 2 and max(far) < 0.5


def test_a_trial_is_given_up_while_it_has_the_machine_for_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        module, "samples_if_far", lambda made, limit: (heard.append("calling"), (1.0, 1.0))[1]
    )
    heard: list[str] = []
    outcome = perform(task(tmp_path, lambda a: a * 2, worst=0.0), heard.append)
    assert (outcome.how, outcome.samples) == ("slow", (1.0, 1.0))
    assert heard == ["building", "checking", "waiting", "timing", "calling"]


def test_with_no_samples_it_is_only_compared(tmp_path: Path) -> None:
    heard: list[str] = []
    outcome = perform(task(tmp_path, lambda a: a * 2, repeat=0, worst=0.0), heard.append)
    assert (outcome.how, outcome.samples) == ("timed", ()) and heard == ["building", "checking"]
    assert perform(task(tmp_path, lambda a: a * 3, repeat=0)).how == "wrong"


def _of(t: Task) -> Any:
    return t.module, t.parameters


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a,
        lambda a: a.T,
        lambda a: a.transpose(1, 2, 0),
        lambda a: a[::-1],
        lambda a: a[1, 2, 3, ...],
    ],
)
def test_arrays_lie_as_they_lay(tmp_path: Path, view: Any) -> None:
    from tewb.tuning.task import _load

    a = view(np.arange(24, dtype="int32").reshape(2, 3, 4))
    again = _load(Parameter("input", "A", *keep_array(tmp_path, "a", a), "int32"))
    np.testing.assert_array_equal(again, a)
    assert again.strides == tuple(abs(s) for s in a.strides)
    copy = aligned_copy(a)
    np.testing.assert_array_equal(copy, a)
    assert copy.strides == again.strides and address_of_first(copy) % 64 == 0


def test_one_process_at_a_time_is_timed() -> None:
    fcntl = pytest.importorskip("fcntl")
    with machine_for_itself():
        pass
    with machine_for_itself() as _:
        assert fcntl is not None
