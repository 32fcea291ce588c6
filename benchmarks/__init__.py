"""What is promised in figures, measured: `python -m benchmarks.NAME`."""
