"""What can be seen of a program, as data: its code from TE to assembly, what changed in it, and sizes."""
