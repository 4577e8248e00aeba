"""The journal of steps: undo, redo and branches, replaying, and a schedule as code, compact text or JSON."""
