"""The kinds of values that settings take."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, SecretStr


@dataclass(frozen=True)
class Window:
    """Marks the type of a setting as a cap: recipients of sends, or deletions, in so many seconds."""

    seconds: float
    of: Literal["sends", "deletions"] = "sends"


@dataclass(frozen=True)
class Cap:
    """At most so many recipients or deletions in any so many seconds, by the variable `setting`."""

    setting: str
    seconds: float
    most: int


# The names by which a program on this machine reaches a server here.
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def is_loopback(host: str) -> bool:
    """Say whether a host's name or address stays on this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def is_safe(url: str) -> bool:
    """Say whether nobody on the way can read or change what is fetched from `url`: https, or loopback."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
        plain = parts.port != 0 and not (parts.username or parts.password or parts.fragment)
    except ValueError:
        return False
    quotable = url.isascii() and url.isprintable() and not set(url) & set(' "\\')
    return (
        quotable
        and plain
        and bool(host)
        and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host or "")))
    )


def check_audience(names: Sequence[str]) -> None:
    """Raise ValueError unless the first of `names` is an address that OAuth's metadata can hold."""
    if not names:
        message = (
            "CIO_OAUTH_AUDIENCE: is missing; CIO_OAUTH_ISSUER is set, so set the address that JWTs for this "
            "server name (aud)"
        )
        raise ValueError(message)
    if not is_safe(names[0]) or "?" in names[0]:
        message = f"CIO_OAUTH_AUDIENCE: {NOT_SAFE}, such as https://cio.example.com/mcp"
        raise ValueError(message)


def _base_url(url: HttpUrl) -> HttpUrl:
    if url.query or url.fragment or url.username or url.password:
        message = "must be a plain address: scheme, host, port and path"
        raise ValueError(message)
    return url


def _safe_url(url: str) -> str:
    if not is_safe(url):
        raise ValueError(NOT_SAFE)
    return url


# What a shell, a container or an editor replaces by the key: ${KEY}, $KEY, %KEY%, {{ key }}, <key>.
_PLACEHOLDER = re.compile(r"\$\{.*\}|\$\w+|%\w+%|\{\{.*\}\}|<.*>")


def _key(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'`":
        message = "has quotation marks around it; leave them out"
        raise ValueError(message)
    if _PLACEHOLDER.fullmatch(text):
        message = "is a placeholder that was never replaced; write the key itself"
        raise ValueError(message)
    if not (text.isascii() and text.isprintable()) or " " in text:
        message = "holds characters that no key has: a space, a line break, or a letter that is not ASCII"
        raise ValueError(message)
    return secret


def _names(given: object) -> object:
    """Split a text at its commas."""
    if not isinstance(given, str):
        return given
    names = tuple(filter(None, map(str.strip, given.split(","))))
    if not names:  # a list that bounds would else bound nothing
        message = "names nothing; write names with commas between them, or leave it out"
        raise ValueError(message)
    return names


def _origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            message = f"{origin}: write an origin as a browser sends it, such as https://app.example.com"
            raise ValueError(message)
    return tuple(origin.lower() for origin in origins)


def _networks(networks: tuple[str, ...]) -> tuple[str, ...]:
    for network in networks:
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError:
            message = f"{network}: is not an address or a range of them, such as 10.0.0.0/8"
            raise ValueError(message) from None
    return networks


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = "is not a known time zone; use a name such as Europe/Berlin, or UTC"
        raise ValueError(message) from None
    return name


def _sharing(given: str) -> str | SecretStr:
    if given.lower() in {"auto", "off"}:
        return given.lower()
    if not given.startswith(("redis://", "rediss://", "unix://")):
        message = "must be auto, off, or the address of a Redis such as redis://host:6379/0"
        raise ValueError(message)
    return SecretStr(given)  # it may hold a password


def _readers(given: str) -> str | SecretStr:
    if given.lower() in {"loopback", "open", "off"}:
        return given.lower()
    if len(given) < 16:  # a misspelt word, more likely than a token
        message = "must be loopback, open, off, or a token of at least 16 characters"
        raise ValueError(message)
    return _key(SecretStr(given))


def _collector(url: str) -> str:
    if not is_safe(url if not url.startswith("syslog://") else f"https{url.removeprefix('syslog')}"):
        message = "must be an https address, or syslog://host:port"
        raise ValueError(message)
    return url


def _lower(given: str) -> str:
    # pydantic reads the source of a signature where it is str.lower's own, for a tenth of the settings' time.
    return given.lower()


def _upper(given: str) -> str:
    return given.upper()


# Scheme, host and port; * stands for any port. No path, and nothing at the end.
_ORIGIN = re.compile(
    r"[a-z][a-z0-9+.-]*://(?!\*)(?:\[[0-9a-f:.]+\]|[^\s/:*?#@\[\]]+)(?::(?:\d+|\*))?", re.IGNORECASE
)

NOT_SAFE = "must be a plain https address (http on loopback only)"

Key = Annotated[SecretStr, AfterValidator(_key)]
BaseUrl = Annotated[HttpUrl, AfterValidator(_base_url)]
SafeUrl = Annotated[str, AfterValidator(_safe_url)]  # kept as written: an issuer is compared letter by letter
Collector = Annotated[str, AfterValidator(_collector)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Lower = BeforeValidator(_lower)  # words are taken in any case
Upper = BeforeValidator(_upper)
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Count = Annotated[int, Field(ge=0)]
UserPath = Annotated[Path, AfterValidator(Path.expanduser)]
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
Confirmable = Annotated[
    tuple[
        Literal["identify", "subscriptions", "devices", "relationships", "segments", "events", "bulk"], ...
    ],
    BeforeValidator(_names),
]
Origins = Annotated[Names, AfterValidator(_origins)]
Networks = Annotated[Names, AfterValidator(_networks)]
RootPath = Annotated[str, Field(pattern=r"^(/[\w.~-]+)*$")]
Sharing = Annotated[Literal["auto", "off"] | SecretStr, BeforeValidator(_sharing)]
MetricsReaders = Annotated[Literal["loopback", "open", "off"] | SecretStr, BeforeValidator(_readers)]
