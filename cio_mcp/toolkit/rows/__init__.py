"""Rows: many calls of one tool in one, each checked as a call of its own is.

`given` takes them, `form` has their cells read in `reading`, `checks` says what there is to send, `delivery`
sends it, and `outcomes` tells what became.
"""
