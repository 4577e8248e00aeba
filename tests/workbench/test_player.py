"""The import path of the player of accesses."""

from __future__ import annotations

from tewb.workbench.demos import demo_session
from tewb.workbench.player import AccessPlayer
from tewb.workbench.views import access_player


def test_the_player_of_notebooks_shows_a_buffer() -> None:
    assert AccessPlayer is access_player.AccessPlayer
    player = AccessPlayer(demo_session("matmul", n=2), "A")
    assert len(player.trace) == player.slider.max + 1 == 8
