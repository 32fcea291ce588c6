"""Arguments: what a tool can be given, as types, and how what agents write becomes such values."""
