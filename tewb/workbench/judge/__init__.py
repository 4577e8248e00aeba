"""What could be done next, what the schedule costs, and why things are as they are."""
