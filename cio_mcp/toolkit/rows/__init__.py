"""Rows: many calls of one tool in one, each checked as a call of its own is.

`given` reads them, `checks` finds what to send, `delivery` sends it, and `outcomes` tells what became.
"""
