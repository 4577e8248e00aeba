"""Write the files again: python -m tests.goldens."""

from tests.goldens.programs import GOLDENS
from tests.goldens.texts import FOLDER, path_of, text_of

if __name__ == "__main__":
    for stale in {*FOLDER.glob("*.txt")} - {path_of(name) for name in GOLDENS}:
        stale.unlink()
    for name in GOLDENS:
        path_of(name).write_text(text_of(name))
