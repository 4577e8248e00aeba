"""Programs are lowered to the text that their golden files hold."""

from __future__ import annotations

import pytest

from tests.goldens.programs import BUILT, GOLDENS
from tests.goldens.texts import FOLDER, path_of, text_of
from tewb.schedule import PRIMITIVES


@pytest.mark.parametrize("name", GOLDENS)
def test_lowered_text_is_as_reviewed(name: str) -> None:
    assert text_of(name) == path_of(name).read_text(), (
        "if it is meant to change: python -m tests.goldens, and review"
    )


def test_every_file_has_a_program_and_fits_on_a_screen() -> None:
    assert {p.stem for p in FOLDER.glob("*.txt")} == GOLDENS.keys() >= BUILT
    assert all(len(p.read_text().splitlines()) <= 80 for p in FOLDER.glob("*.txt"))


def test_every_primitive_has_a_program() -> None:
    assert {f"primitive_{name}" for name in PRIMITIVES} <= GOLDENS.keys()
