"""What loops do, one access after the other: an interpreter of IR, and the accesses of one buffer over time."""
