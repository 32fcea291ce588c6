"""For other people's tests: the sandbox as a test double of Customer.io, by a fixture of pytest.

pytest imports this package in every run of whoever has cio-mcp installed, so it imports nothing.
"""
