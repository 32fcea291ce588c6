"""Scenarios: what is done to a sandbox of its own, and what should come of it. `file` reads, `play` runs."""
