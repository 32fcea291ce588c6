"""Patterns of paths, for what holds for some requests only."""

from collections.abc import Sequence
from fnmatch import fnmatchcase


def fits(route: str, method: str, path: Sequence[str]) -> bool:
    """Say whether a request is one of a route's: a path, after a method or not, or `*` for all.

    `path` are its segments. A segment is `*` or `{name}` on either side for any, and a last `*` is all that
    follow.
    """
    wanted, _, pattern = route.rpartition(" ")
    return wanted in {"", method} and _fits(pattern.removeprefix("/").split("/"), path)


def _fits(pattern: Sequence[str], path: Sequence[str]) -> bool:
    if pattern[-1] == "*" and len(path) >= len(pattern):
        pattern, path = pattern[:-1], path[: len(pattern) - 1]
    return len(pattern) == len(path) and all(
        wanted[:1] == "{" or segment[:1] == "{" or fnmatchcase(segment, wanted)
        for wanted, segment in zip(pattern, path, strict=True)
    )
