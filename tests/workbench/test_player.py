"""The import path of the player of accesses."""

from __future__ import annotations

from tewb.workbench.demos import demo_session
from tewb.workbench.notebook import data_pane
from tewb.workbench.player import AccessPlayer


def test_the_player_of_notebooks_shows_a_buffer() -> None:
    assert AccessPlayer is data_pane.AccessPlayer
    assert len(AccessPlayer(demo_session("matmul", n=2), "A").trace) == 8
