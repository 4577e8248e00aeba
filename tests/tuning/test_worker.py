"""The process that does trials: what it says, as messages with their lengths before them."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

from tests.tuning.test_workers import task
from tewb.tuning.task import Outcome
from tewb.tuning.worker import HEAD


def test_it_answers_each_task_and_ends_with_its_input(tmp_path: Path) -> None:
    requests = b"".join(pickle.dumps(task(tmp_path, how)) for how in ("right", "wrong"))
    done = subprocess.run(
        [sys.executable, "-c", "from tewb.tuning.worker import main; main()"],
        input=requests,
        capture_output=True,
        check=True,
        timeout=250,
    )
    said, rest = [], done.stdout
    while rest:
        end = HEAD + int.from_bytes(rest[:HEAD])
        said.append(pickle.loads(rest[HEAD:end]))
        rest = rest[end:]
    ended = [s.how for s in said if isinstance(s, Outcome)]
    assert ended == ["timed", "wrong"]
    assert [s for s in said if isinstance(s, str)] == [
        "building",
        "checking",
        "waiting",
        "timing",
        "building",
        "checking",
    ]
