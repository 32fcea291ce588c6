"""Masking: hides people's identities in everything the server returns."""
