"""The audit log: written for every call that acts, and verified."""
