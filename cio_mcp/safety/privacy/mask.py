"""Replaces people's addresses and phone numbers by pseudonyms, and pseudonyms by the originals.

A pseudonym is the address or number itself, encrypted with a key that stays on this machine. So it is the
same in every process as long as the key is kept, and no table of people is needed.
"""

import hmac
import json
import re
import secrets
from base64 import b32decode, b32encode
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from cio_mcp.errors import InvalidArgument, Json, SettingsError
from cio_mcp.files import create, narrow
from cio_mcp.safety.privacy.contacts import replaced
from cio_mcp.safety.privacy.forms import MASK, is_fixed, kind_of_values, masked_as
from cio_mcp.safety.privacy.numbers import ContactKind

# RFC 2606 reserves .invalid, so a message to a pseudonym that was not decrypted cannot reach anybody.
DOMAIN = "masked.invalid"

KEY_BYTES = 64

# Encrypted texts are padded to a multiple of this many bytes, so that they reveal little about an address's
# length. Ten bytes are exactly sixteen letters of base 32.
BLOCK = 10

_PSEUDONYM = re.compile(
    rf"(?P<phone>phone-)?(?P<sealed>[a-z2-7]+)(?:@|%(?:25)*40){re.escape(DOMAIN)}", re.IGNORECASE
)

# A pseudonym in place of an address in a list of recipients: alone between commas, or as Name <pseudonym>.
# Text in quotes and comments is skipped, since recipients would see it.
_LISTED = re.compile(
    r'"(?:[^"\\]|\\.)*(?:"|\Z)|\(.*|(?P<lead>(?:^|,)\s*|(?P<open><)\s*)'
    rf'(?P<pseudonym>[^\s,<>"()@]+(?:@|%(?:25)*40){re.escape(DOMAIN)})(?=\s*(?(open)>\s*)(?:,|\Z))',
    re.IGNORECASE | re.DOTALL,
)

_PHONE_NAME = re.compile(
    r"(?:phone|mobile|msisdn|whatsapp|(?:^|[_\W])(?:cell|tel|sms|fax))(?:[_\W]?(?:number|num|no))?$",
    re.IGNORECASE,
)
_PHONE_NUMBER = re.compile(r"\s*[+(]*\d(?:[\s().\-/]{0,5}\d){5,}\s*")

# A text without any of these has no address, number, escape or JSON in it.
_PERHAPS = re.compile(
    r"[@\ufe6b\uff20+\uff0b%&\\{\[\"']|tel:|=40|[(<]\s{0,3}at\b|\bdot\b|\d(?:[^\w\n]{0,3}\d){6}",
    re.IGNORECASE,
)

# A name and its value in a text that is not JSON as a whole, such as an error that quotes JSON.
_NAMED = re.compile(
    r"""(?P<name>(?P<quote>\\{0,7}["'])(?P<key>[^"'\\]{1,150})(?P=quote)\s*[:=]\s*)"""
    r"""(?:(?P=quote).*?(?:(?<!\\)(?P=quote)|\Z)|[\[{].*|[^\s,;}\]]+)""",
    re.DOTALL,
)


class Mask:
    """Hides addresses, phone numbers and the values of `attributes` in everything the server returns.

    `key` comes from `load_key`. Names of attributes are compared without regard to case, `_` and blanks.
    """

    def __init__(self, key: bytes, attributes: Iterable[str]) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESSIV  # noqa: PLC0415 - 20 ms, if it is used

        self._cipher = AESSIV(key)
        self._attributes = frozenset(map(_folded, attributes))

    def hide(self, value: Json, answer: object = None, kind: Any = Any) -> Json:
        """Return `value` with people hidden at any depth, also in keys and in JSON within text.

        `answer` is the model that `value` was dumped from. Its fields are not attributes of a customer, so a
        campaign keeps its name, and the result still matches the tool's output schema; `kind` is the type of
        the values of an object, if the model tells it. Fields that the model lists in `opens_personal_data`
        lead to data in which nothing is hidden, and are hidden completely; where attributes are to be hidden,
        so are those in `quotes_attributes`, whose texts have values of attributes in them.
        """
        match value:
            case str():
                return self.hide_text(value)
            case list():
                models = answer if isinstance(answer, list) else [None] * len(value)
                return [self.hide(item, model) for item, model in zip(value, models, strict=True)]
            case dict() if isinstance(answer, BaseModel):
                covered: frozenset[str] = getattr(answer, "opens_personal_data", frozenset())
                if self._attributes:
                    covered |= getattr(answer, "quotes_attributes", frozenset())
                return {
                    name: _covered(item)
                    if name in covered
                    else self.hide(item, getattr(answer, name, None), kind_of_values(type(answer), name))
                    for name, item in value.items()
                }
            case dict():
                parts = answer if isinstance(answer, dict) else {}
                return {
                    self.hide_text(name): self._hide_named(name, item, parts.get(name), kind)
                    for name, item in value.items()
                }
        return value

    def hide_text(self, text: str) -> str:
        """Return `text` with people hidden in it."""
        if not _PERHAPS.search(text):
            return text
        if text.lstrip()[:1] in {"{", "[", '"'}:
            with suppress(ValueError, RecursionError):
                found = json.loads(text)
                # In ASCII, since there may be halves of characters that no encoding takes.
                return json.dumps(hidden) if (hidden := self.hide(found)) != found else self._replaced(text)
        return self._replaced(_NAMED.sub(self._hide_quoted, text))

    def reveal(self, text: str) -> str:
        """Return `text`, an identifier or a list of recipients, with pseudonyms replaced by the originals.

        Raises ValueError for a pseudonym that was not made with this key, and for one inside other text.
        """
        meant = _LISTED.sub(self._meant, text)
        if DOMAIN in meant.casefold():
            message = "write a pseudonym alone, between commas, or as Name <pseudonym>"
            raise ValueError(message)
        return meant

    def check_guess(self, name: str, value: Json) -> None:
        """Raise ValueError if comparing an attribute with a value would confirm a guess of what is hidden."""
        if isinstance(value, str) and _PSEUDONYM.fullmatch(value):
            return
        if value not in (None, "") and (self._masks(name) or self.hide({name: value}) != {name: value}):
            message = (
                f"{name}: is hidden here, so no guess of it is compared; pass a pseudonym, or leave it out"
            )
            raise ValueError(message)

    @staticmethod
    def check(given: dict[str, Any]) -> None:
        """Refuse arguments that contain pseudonyms or masks; `given` has already been through `reveal`.

        They are not replaced there, since an agent could then write an address to a place where it can read
        it. They are not sent either: Customer.io would store them over the hidden value, or send them to
        people.
        """
        faults = [
            f"{name}: contains a pseudonym or {MASK}; only arguments that identify people take pseudonyms"
            for name, value in given.items()
            if not (value is None or isinstance(value, (bool, int, float)))
            and (DOMAIN in (text := json.dumps(value, default=str).casefold()) or MASK in text)
        ]
        if faults:
            raise InvalidArgument(*faults)

    def _meant(self, listed: re.Match[str]) -> str:
        return listed["lead"] + self._opened(listed["pseudonym"]) if listed["pseudonym"] else listed[0]

    def _hide_named(self, name: str, value: Json, answer: object, kind: Any) -> Json:
        if value in (None, "", [], {}) or is_fixed(kind):
            return value
        if type(value) in {str, int} and _PHONE_NUMBER.fullmatch(str(value)) and _PHONE_NAME.search(name):
            return self._pseudonym("phone", str(value))
        hidden = self.hide(value, answer)
        is_pseudonym = isinstance(hidden, str) and _PSEUDONYM.fullmatch(hidden)
        return masked_as(value, kind) if self._masks(name) and not is_pseudonym else hidden

    def _hide_quoted(self, named: re.Match[str]) -> str:
        quote = named["quote"]
        return f"{named['name']}{quote}{MASK}{quote}" if self._masks(named["key"]) else named[0]

    def _masks(self, name: str) -> bool:
        return _folded(name) in self._attributes

    def _replaced(self, text: str) -> str:
        return replaced(text, self._pseudonym)

    def _pseudonym(self, kind: ContactKind, text: str) -> str:
        """Return the pseudonym of exactly `text`.

        Two spellings have two pseudonyms: an id that looks like an address is case-sensitive in Customer.io,
        so a pseudonym that returned another spelling could act on another person.
        """
        if text.count("@") == 1 and text.casefold().endswith(f"@{DOMAIN}"):
            return text  # a pseudonym already
        plain = text.encode(errors="surrogatepass")
        filled = plain + b"\0" * (-(len(plain) + 16) % BLOCK)
        sealed = b32encode(self._cipher.encrypt(filled, [kind.encode()])).decode().lower()
        return f"{'phone-' if kind == 'phone' else ''}{sealed}@{DOMAIN}"

    def _opened(self, pseudonym: str) -> str:
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - as above

        try:
            parts = _PSEUDONYM.fullmatch(pseudonym)
            kind = b"phone" if parts and parts["phone"] else b"email"
            sealed = b32decode(parts["sealed"].upper() if parts else "")
            return self._cipher.decrypt(sealed, [kind]).rstrip(b"\0").decode(errors="surrogatepass")
        except (ValueError, InvalidTag):
            message = "this pseudonym is not from this server; copy it exactly from an answer"
            raise ValueError(message) from None


def _covered(value: Json) -> Json:
    if isinstance(value, list):
        return [MASK] * len(value)
    return MASK if value else value


def load_key(folder: Path) -> bytes:
    """Return the key in `folder`, which all processes use; created once, readable only by its owner.

    Raises SettingsError if it cannot be stored, since pseudonyms would be useless after a restart.
    """
    path = folder / "pseudonyms.key"
    try:
        if not path.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            create(path, secrets.token_bytes(KEY_BYTES))
        narrow(path)
        key = path.read_bytes()
    except OSError as error:
        reason = f"{path}: {error.strerror or error}"
        raise SettingsError(f"CIO_PII: the key for pseudonyms cannot be stored: {reason}") from None
    if len(key) != KEY_BYTES:
        raise SettingsError(f"CIO_PII: {path} is not a key; if you remove it, all pseudonyms change")
    return key


def workspace_key(key: bytes, workspace: str) -> bytes:
    """Return the key of one workspace: the same person has another pseudonym in each."""
    return hmac.digest(key, f"workspace {workspace}".encode(), "sha512")


@lru_cache
def _folded(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()
