"""How fast a schedule is and whether it is right: times, operation counts, the roofline, the check of results."""
