"""What loops do, one access after the other: an interpreter of IR, the accesses over time, and caches."""
