"""What a Dask worker does for a search, without Dask: trials in processes of its own, which end with the search."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.tuning.test_workers import task
from tewb.tuning import remote
from tewb.tuning.processor import Processor
from tewb.tuning.remote import Arrays, about_worker, do_trial, end_search, end_trials, receive
from tewb.tuning.task import Outcome
from tewb.tuning.workers import Limits, Workers

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="trials have processes of their own on POSIX")


def travelling(folder: Path, how: str) -> Any:
    """A task whose files have no folder."""
    t = task(folder, how)
    return replace(t, parameters=tuple([replace(p, file=Path(p.file).name) for p in t.parameters]))


def test_a_worker_says_what_it_is() -> None:
    assert about_worker() == Processor.here()


@pytest.mark.slow
def test_one_process_does_what_comes_after_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "IDLE", 1000.0)
    try:
        done = [
            do_trial("s", str(tmp_path), travelling(tmp_path, how), Limits()) for how in ("right", "wrong")
        ]
        assert [o.how for o in done] == ["timed", "wrong"]
        (child,) = remote._searches["s"].every
        process = child._free[0]._process
    finally:
        end_trials("s")
    assert process.poll() is not None and "s" not in remote._searches


@pytest.mark.slow
def test_a_trial_that_hangs_ends_with_its_search(tmp_path: Path) -> None:
    done: list[Outcome] = []
    hangs = travelling(tmp_path, "pause")
    thread = threading.Thread(target=lambda: done.append(do_trial("h", str(tmp_path), hangs, Limits())))
    thread.start()
    while "h" not in remote._searches or not any(w._busy for w in remote._searches["h"].every):
        time.sleep(0.01)
    end_trials("h")
    thread.join(60)
    assert [o.message for o in done] == ["its process ended with signal SIGKILL"]
    assert "h" not in remote._searches


@pytest.mark.slow
def test_a_process_that_nobody_asks_ends_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "IDLE", 0.01)
    closed = threading.Event()
    close = Workers.close
    monkeypatch.setattr(Workers, "close", lambda self: (close(self), closed.set())[0])
    do_trial("i", str(tmp_path), travelling(tmp_path, "right"), Limits())
    assert closed.wait(60)
    assert do_trial("i", str(tmp_path), travelling(tmp_path, "right"), Limits()).how == "timed"
    end_trials("i")


def test_the_end_of_a_search_that_never_was_here() -> None:
    end_trials("unknown")
    end_search("unknown")


def test_arrays_are_there_until_their_search_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import distributed

    folders = []
    for name in ("one", "other"):  # two workers of a process, which share what is known here
        worker = SimpleNamespace(local_directory=str(tmp_path / name))
        monkeypatch.setattr(distributed, "get_worker", lambda worker=worker: worker)
        folders.append(Path(receive("s", Arrays({"0.npy": np.ones(3)}))))
    assert all(np.load(f / "0.npy").sum() == 3 for f in folders) and len(set(folders)) == 2
    end_trials("s", False)  # nobody asked for long: the search may go on
    assert all(f.exists() for f in folders)
    end_search("s")
    assert not any(f.exists() for f in folders) and "s" not in remote._folders
