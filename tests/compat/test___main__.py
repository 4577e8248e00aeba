"""The command `python -m tewb.compat`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_command_runs_a_script(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text("import sys, tvm\nprint(tvm.te.var('n'), sys.argv[1:])\nsys.exit(4)\n")
    done = subprocess.run(
        [sys.executable, "-m", "tewb.compat", str(path), "a"], capture_output=True, text=True
    )
    assert (done.stdout, done.stderr, done.returncode) == ("n ['a']\n", "", 4)
