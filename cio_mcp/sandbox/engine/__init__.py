"""What makes the sandbox live: its clock, what waits for a time, the log of causes, and journeys."""
