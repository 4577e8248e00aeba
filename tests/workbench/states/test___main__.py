"""The TypeScript of the states is that of the states."""

from __future__ import annotations

from tewb.workbench.states.__main__ import TARGET, text


def test_the_file_is_what_would_be_written() -> None:
    assert TARGET.read_text() == text(), "run `python -m tewb.workbench.states`, then `npm run build`"
