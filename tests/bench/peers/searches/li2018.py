"""Halide's autoscheduler Li2018: tiles of the outputs, by rules."""

from __future__ import annotations

from tests.bench.peers.halide import DISTRIBUTION, searched

__all__ = ["DISTRIBUTION", "KERNELS"]

KERNELS = searched("Li2018")
