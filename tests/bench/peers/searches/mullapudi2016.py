"""Halide's autoscheduler Mullapudi2016: groups of stages in tiles, by rules."""

from __future__ import annotations

from tests.bench.peers.halide import DISTRIBUTION, searched

__all__ = ["DISTRIBUTION", "KERNELS"]

KERNELS = searched("Mullapudi2016", last_level_cache_size=str(32 << 20), balance="10")
