"""Email addresses, parsed once and strictly; the parsed form is what is judged and what is sent."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Annotated

import idna
from pydantic import AfterValidator

from cio_mcp.toolkit.arguments.types import Address, CustomerKey

HOW = 'write addresses as a@example.com, or "Name" <a@example.com>, with commas between them'

# Liquid that names the customer's own address, and nobody else.
THEIR_OWN = re.compile(r"\{\{ *customer\.email *\}\}")

# One recipient: an address alone, or in angle brackets after a name, which may be quoted.
_RECIPIENT = re.compile(
    r"""\s*(?:(?:"(?P<quoted>[^"\\]*)"|(?P<plain>[^"<>@,;:()\[\]\\]*))\s*<(?P<angled>[^<>\s"]*)>"""
    r"""|(?P<bare>[^<>\s",;]+))\s*(?:,(?=.)|$)"""
)

# Addresses on which all readers agree. They need no library, which takes long to import.
_PLAIN = re.compile(
    r"[A-Za-z0-9_-]+(?:[.+][A-Za-z0-9_-]+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,24}", re.ASCII
)

# Parts of an address that relays read as a route or an encoding.
_ROUTING = re.compile(r"[%!]|=\?|\{\{|\{%")

# A name that needs no quotes.
_WORDS = re.compile(r"[\w ]+")


@dataclass(frozen=True)
class Recipient:
    """One recipient of an email; `liquid` if Customer.io will find out the address."""

    address: str
    name: str = ""
    liquid: bool = False

    def __str__(self) -> str:
        if not self.name:
            return self.address
        name = self.name if _WORDS.fullmatch(self.name) else f'"{self.name}"'
        return f"{name} <{self.address}>"


def recipients(text: str) -> list[Recipient]:
    """Return the recipients in a text; raises ValueError for what two readers could read differently.

    Text with Liquid is one recipient, whose address and number only Customer.io knows.
    """
    if "{{" in text or "{%" in text:
        return [Recipient(text.strip(), liquid=True)]
    found, at = [], 0
    while at < len(text):
        part = _RECIPIENT.match(text, at)
        if part is None:
            raise ValueError(HOW)
        at = part.end()
        name = (part["quoted"] or part["plain"] or "").strip()
        # A sign that only looks like an @ becomes one where a reader makes signs plain (NFKC).
        plain = unicodedata.normalize("NFKC", name)
        if "@" in plain or "=?" in plain or any(unicodedata.category(char)[0] == "C" for char in name):
            message = f"a name must not contain an address or be encoded; {HOW}"
            raise ValueError(message)
        address = part["bare"] if part["angled"] is None else part["angled"]
        found.append(Recipient(parsed_address(address), name))
    if not found:
        raise ValueError(HOW)
    return found


def parsed_address(address: str) -> str:
    """Return an address with its domain in ASCII (IDNA 2008); raises ValueError unless all read it alike."""
    if len(address) <= 64 and _PLAIN.fullmatch(address) and ".xn--" not in address and "@xn--" not in address:
        return address
    if address.count("@") != 1 or _ROUTING.search(address):
        raise ValueError(HOW)
    # Reserved domains are for tests; an address is not looked up.
    import email_validator  # noqa: PLC0415

    try:
        found = email_validator.validate_email(
            address,
            check_deliverability=False,
            globally_deliverable=False,
            allow_smtputf8=False,
        )
    except email_validator.EmailNotValidError:
        raise ValueError(HOW) from None
    if found.ascii_email is None or "." not in found.ascii_domain:
        raise ValueError(HOW)
    return found.ascii_email


def domain(name: str) -> str:
    """Return a domain in ASCII (IDNA 2008), labels with `*` as they are; raises ValueError."""
    return ".".join(label.lower() if label.isascii() else _label(label) for label in name.split("."))


def _label(label: str) -> str:
    try:
        return idna.encode(label, uts46=True).decode()
    except idna.IDNAError:
        message = f"{label} is not part of a domain"
        raise ValueError(message) from None


def _normal(text: str) -> str:
    return ", ".join(map(str, recipients(text)))


# The recipients of an email; and one address, alone.
Recipients = Annotated[Address, AfterValidator(_normal)]
OneAddress = Annotated[CustomerKey, AfterValidator(parsed_address)]
