"""Faults: what goes wrong on demand, with requests and with deliveries, and when.

`fault` is one of them as people write it, `book` keeps them in the workspace and counts, `layer` lets them
strike requests.
"""
