"""Keeping the journal of a workbench from one day to the next.

The page keeps a record in the notebook's own metadata where it reaches it (JupyterLab, Notebook 7); elsewhere it is a file
of this user, by the path of the notebook. A record belongs to a program: it is found again by the program's fingerprint,
and never shown for another one.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tewb.base import TewbError
from tewb.workbench.journal.saved_json import saved_of
from tewb.workbench.session import Session

Record = dict[str, Any]  # {"journal": text of History.to_json, "steps": how many, "when": seconds since 1970}


def record_of(session: Session) -> Record:
    """What is kept of a session now."""
    return {"journal": session.to_json(), "steps": len(session.journal), "when": int(time.time())}


def restore(session: Session, record: Mapping[str, Any]) -> int:
    """Go to the journal of a record. Returns how many steps that adds, 0 when there is nothing to add: no steps were
    kept, or the notebook's own code did others. Raises TewbError when they do not apply any more."""
    try:
        text = str(record["journal"])
        steps = [s.to_json() for s in saved_of(text).steps]
    except (KeyError, TypeError, TewbError) as e:
        raise TewbError("what is kept in the notebook is no journal", hint="it is ignored") from e
    start = [s.to_json() for s in session.journal]
    same = [_bare(s) for s in steps[: len(start)]] == [_bare(s) for s in start]
    if not same or len(steps) <= len(start):
        return 0
    session.from_json(text)
    return len(steps) - len(start)


def _bare(step: Mapping[str, Any]) -> tuple[Any, ...]:
    return step.get("primitive"), step.get("stage"), json.dumps(step.get("args"), sort_keys=True, default=str)


# ---------------------------------------------------------------- the notebook, as it was saved

LARGEST_NOTEBOOK = 64 << 20  # bytes


def saved_in_notebook(program: str) -> Record | None:
    """What the saved file of this kernel's notebook keeps of a program. The page has the same, and has it later: cells
    that run at once after the workbench's would build the schedule without it."""
    path = Path(_notebook_path() or "")
    try:
        if path.suffix != ".ipynb" or path.stat().st_size > LARGEST_NOTEBOOK:
            return None
        return dict(json.loads(path.read_text("utf-8"))["metadata"]["tewb"]["programs"][program])
    except (OSError, ValueError, TypeError, KeyError):
        return None


# ---------------------------------------------------------------- a file, where no notebook can be reached


def kept_file(program: str) -> Path | None:
    """The file for a program of the notebook that runs; None where nothing says which notebook that is."""
    notebook = _notebook_path()
    if notebook is None:
        return None
    home = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "tewb" / "journals"
    key = hashlib.sha256(f"{notebook} {program}".encode()).hexdigest()[:32]
    return home / f"{key}.json"


def _notebook_path() -> str | None:
    """The notebook of this kernel, as VS Code or the Jupyter server names it."""
    main = sys.modules.get("__main__")
    return getattr(main, "__vsc_ipynb_file__", None) or os.environ.get("JPY_SESSION_NAME")


def read_kept(program: str) -> Record | None:
    """The record in the file of a program, if there is one that can be read."""
    path = kept_file(program)
    try:
        return None if path is None else dict(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_kept(program: str, record: Record) -> bool:
    """Write the record of a program. False where that cannot be done."""
    path = kept_file(program)
    if path is None:
        return False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_suffix(f".{os.getpid()}")
        scratch.write_text(json.dumps(record), "utf-8")
        scratch.replace(path)
    except OSError:
        return False
    return True
