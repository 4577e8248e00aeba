"""`python -m tewb.workbench.states` writes `frontend/src/states.ts` from the states that Python sends."""

from __future__ import annotations

from pathlib import Path

from tewb.workbench.states.checked import Checked
from tewb.workbench.states.data import Traced
from tewb.workbench.states.schema import typescript
from tewb.workbench.states.swept import Swept
from tewb.workbench.states.times import Measured
from tewb.workbench.states.views import all_states

TARGET = Path(__file__).parent.parent / "frontend" / "src" / "states.ts"
HEAD = "// Written by `python -m tewb.workbench.states` from the states that Python sends; do not edit.\n\n"


def text() -> str:
    """The file as it should be."""
    return HEAD + typescript([*all_states(), Measured, Checked, Swept, Traced])


if __name__ == "__main__":
    TARGET.write_text(text(), "utf-8")
