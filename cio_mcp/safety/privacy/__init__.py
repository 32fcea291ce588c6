"""Masking: who people are is hidden in what leaves the server."""
