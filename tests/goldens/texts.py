"""The text of a golden file: the program as loops and, for some, as what code generation reads."""

from __future__ import annotations

from pathlib import Path

import tewb
from tests.goldens.programs import BUILT, GOLDENS
from tewb.ir import script
from tewb.lowering import BUILD, run

FOLDER = Path(__file__).resolve().parent


def path_of(name: str) -> Path:
    return FOLDER / f"{name}.txt"


def text_of(name: str) -> str:
    schedule, args, *binds = GOLDENS[name]()
    lowered = tewb.lower(schedule, args, binds=binds[0] if binds else None)["main"]
    text = script(lowered)
    if name in BUILT:
        text = f"{text}\n\n# ---------------------------------------------------------------- for code generation\n\n"
        text += script(run(lowered, BUILD))
    return text.rstrip() + "\n"
