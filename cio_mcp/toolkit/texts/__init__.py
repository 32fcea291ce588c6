"""Texts of messages: read by kind and id, made readable, rendered for a person."""
