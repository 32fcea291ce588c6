"""Hides who people are, and takes back the pseudonyms under which they are shown.

A pseudonym is the address or number itself, sealed under a key that stays on this machine: the same for as
long as the key is kept, in every process, with no table of who is who.
"""

import json
import os
import re
import secrets
import tempfile
from base64 import b32decode, b32encode
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from cio_mcp.errors import InvalidArgument, Json, SettingsError
from cio_mcp.safety.privacy.contacts import Kind, replaced

# What stands in place of a named attribute's value. Nothing brings it back.
MASK = "[masked]"

# RFC 2606 keeps .invalid free: no message to a pseudonym that was not taken back can reach anybody.
DOMAIN = "masked.invalid"

KEY_BYTES = 64

# Sealed texts are filled up to a multiple of this, so that they tell little of how long an address is; ten
# bytes are sixteen letters of base 32, with nothing left over.
BLOCK = 10

_PSEUDONYM = re.compile(
    rf"(?P<phone>phone-)?(?P<sealed>[a-z2-7]+)(?:@|%(?:25)*40){re.escape(DOMAIN)}", re.IGNORECASE
)

# A pseudonym where a list of recipients has an address: alone between commas, or as Name <pseudonym>. Text in
# quotes and comments is passed over, since recipients would be shown what stands there.
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

# Without any of these, a text holds no address, no number, no escape and no JSON.
_PERHAPS = re.compile(r"[@\ufe6b\uff20+\uff0b%&\\{\[\"']|tel:", re.IGNORECASE)

# A name and its value in text that is not JSON as a whole, such as an error that quotes some.
_NAMED = re.compile(
    r"""(?P<name>(?P<quote>\\{0,7}["'])(?P<key>[^"'\\]{1,150})(?P=quote)\s*[:=]\s*)"""
    r"""(?:(?P=quote).*?(?:(?<!\\)(?P=quote)|\Z)|[\[{].*|[^\s,;}\]]+)""",
    re.DOTALL,
)


class Mask:
    """Hides addresses, phone numbers and the values of `attributes` in what leaves the server.

    `key` is what `load_key` returns. Names of attributes are compared without regard to case, `_` and blanks.
    """

    def __init__(self, key: bytes, attributes: Iterable[str]) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESSIV  # noqa: PLC0415 - 20 ms, if it is used

        self._cipher = AESSIV(key)
        self._attributes = frozenset(map(_folded, attributes))

    def hide(self, value: Json, answer: object = None) -> Json:
        """Return `value` with people hidden in it at any depth, in keys and in JSON within text too.

        `answer` is the model that `value` was dumped from: its own fields are no attributes of a customer, so
        a campaign keeps its name, and the result still fits the tool's output schema. What the model names in
        `opens_personal_data` leads to where nothing is hidden, and is hidden whole.
        """
        match value:
            case str():
                return self.hide_text(value)
            case list():
                models = answer if isinstance(answer, list) else [None] * len(value)
                return [self.hide(item, model) for item, model in zip(value, models, strict=True)]
            case dict() if isinstance(answer, BaseModel):
                opened = getattr(answer, "opens_personal_data", ())
                return {
                    name: MASK if item and name in opened else self.hide(item, getattr(answer, name, None))
                    for name, item in value.items()
                }
            case dict():
                return {self.hide_text(name): self._hide_named(name, item) for name, item in value.items()}
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
        """Return who is meant by `text`, an identifier or a list of recipients.

        Raises ValueError for a pseudonym that was not made under this key, and for one inside other text.
        """
        meant = _LISTED.sub(self._meant, text)
        if DOMAIN in meant.casefold():
            message = "a pseudonym must stand alone, between commas, or as Name <pseudonym>"
            raise ValueError(message)
        return meant

    @staticmethod
    def check(given: dict[str, Any]) -> None:
        """Refuse arguments that hold what stands for hidden values; `given` are what `reveal` has gone over.

        Nothing is put in its place there: an agent could write an address to where it can read it. As it is,
        Customer.io would store it over the value that was hidden, or send it to people.
        """
        faults = [
            f"{name}: holds a pseudonym or {MASK}; only arguments that name people take pseudonyms"
            for name, value in given.items()
            if DOMAIN in (text := json.dumps(value, default=str).casefold()) or MASK in text
        ]
        if faults:
            raise InvalidArgument(*faults)

    def _meant(self, listed: re.Match[str]) -> str:
        return listed["lead"] + self._opened(listed["pseudonym"]) if listed["pseudonym"] else listed[0]

    def _hide_named(self, name: str, value: Json) -> Json:
        if value in (None, "", [], {}):
            return value
        if type(value) in {str, int} and _PHONE_NUMBER.fullmatch(str(value)) and _PHONE_NAME.search(name):
            return self._pseudonym("phone", str(value))
        hidden = self.hide(value)
        is_pseudonym = isinstance(hidden, str) and _PSEUDONYM.fullmatch(hidden)
        return MASK if self._masks(name) and not is_pseudonym else hidden

    def _hide_quoted(self, named: re.Match[str]) -> str:
        quote = named["quote"]
        return f"{named['name']}{quote}{MASK}{quote}" if self._masks(named["key"]) else named[0]

    def _masks(self, name: str) -> bool:
        return _folded(name) in self._attributes

    def _replaced(self, text: str) -> str:
        return replaced(text, self._pseudonym)

    def _pseudonym(self, kind: Kind, text: str) -> str:
        """Return what stands for exactly `text`.

        Two spellings have two pseudonyms: an id that looks like an address is case-sensitive in Customer.io,
        and a pseudonym that gave back another spelling would act on another person.
        """
        if text.count("@") == 1 and text.casefold().endswith(f"@{DOMAIN}"):
            return text  # nobody's
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
            message = "this pseudonym was not made by this server; copy it exactly from an answer"
            raise ValueError(message) from None


def load_key(folder: Path) -> bytes:
    """Return the key that `folder` keeps for all processes; made once, readable by its owner alone.

    Raises SettingsError where it cannot be kept: pseudonyms would mean somebody else after a restart.
    """
    path = folder / "pseudonyms.key"
    try:
        if not path.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make(path)
        key = path.read_bytes()
    except OSError as error:
        reason = f"{path}: {error.strerror or error}"
        raise SettingsError(f"CIO_PII: the key for pseudonyms cannot be kept: {reason}") from None
    if len(key) != KEY_BYTES:
        raise SettingsError(f"CIO_PII: {path} is not a key; remove it, and all pseudonyms change")
    return key


def _make(path: Path) -> None:
    """Write a new key, whole before it has its name; another process may be first, and then its key stays."""
    number, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mode 0600
    try:
        with os.fdopen(number, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(number)
        with suppress(FileExistsError):
            path.hardlink_to(name)
    finally:
        Path(name).unlink()


@lru_cache
def _folded(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()
