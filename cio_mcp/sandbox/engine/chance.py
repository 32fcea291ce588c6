"""Chance and identifiers: a hash of the sandbox's seed and of what they are about, the same in every run.

What is hashed names one person and one message, so that one more person changes nothing for the others.
"""

import base64
import uuid
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b

# The bytes of which a number from 0 to 1 is made.
SIZE = 7
UNIT = 2.0 ** (-8 * SIZE)


def digest(size: int, *parts: object) -> bytes:
    """Return as many bytes that depend on the parts alone."""
    return blake2b("\x1f".join(map(str, parts)).encode(), digest_size=size).digest()


def share(*parts: object) -> float:
    """Return a number from 0 to 1 (excluded), as likely here as there."""
    return int.from_bytes(digest(SIZE, *parts), "big") * UNIT


def shares(*parts: object) -> Callable[..., float]:
    """Return `share` of these parts and of what else it is given: sooner, where many begin with the same."""
    begun = blake2b("\x1f".join(map(str, parts)).encode(), digest_size=SIZE)

    def of(*more: object) -> float:
        whole = begun.copy()
        whole.update(_further(more))
        return int.from_bytes(whole.digest(), "big") * UNIT

    return of


@lru_cache(maxsize=1024)
def _further(parts: tuple[object, ...]) -> bytes:
    return "".join(f"\x1f{part}" for part in parts).encode()


def cio_id(*parts: object) -> str:
    """Return an identifier of a person as Customer.io gives one."""
    return digest(6, *parts).hex()


def delivery_id(*parts: object) -> str:
    """Return an identifier of a delivery as Customer.io gives one."""
    return base64.urlsafe_b64encode(digest(20, *parts)).decode()


def token(*parts: object) -> str:
    """Return a token that nobody guesses who does not know the seed."""
    return base64.urlsafe_b64encode(digest(24, *parts)).decode()


def uuid_of(*parts: object) -> str:
    """Return a UUID."""
    return str(uuid.UUID(bytes=digest(16, *parts), version=4))
