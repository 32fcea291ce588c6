"""The audit log of calls that act: writing and verification."""
