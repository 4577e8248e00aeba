"""Benchmarks: `python -m tests.bench` prints ratios of one run. They assert results, never times."""
