"""Why a kernel is as fast as it is: its inner loops in assembly, what the processor can do of them in a cycle, and what
comes from which cache."""
