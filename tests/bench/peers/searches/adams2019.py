"""Halide's autoscheduler Adams2019: a beam of schedules, by a trained model."""

from __future__ import annotations

from tests.bench.peers.halide import DISTRIBUTION, searched

__all__ = ["DISTRIBUTION", "KERNELS"]

KERNELS = searched("Adams2019")
