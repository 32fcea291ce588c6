"""Forgetting a person: what tells who they are, and what they did and got, is blanked; causes are kept.

`traces` tells by what a workspace knows somebody, `blanking` blanks that in one workspace, `copied` in what
its points hold, `everywhere` in one, its points and its file.
"""
