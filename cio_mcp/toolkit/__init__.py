"""What tools are built from: the registry, and under it one room for each matter.

A room imports only those before it: arguments, answers, metrics, texts, people, rows. The registry and what
stands beside it may import them all.
"""
