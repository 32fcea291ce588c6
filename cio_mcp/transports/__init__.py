"""The ways in: stdin and stdout, and HTTP."""
