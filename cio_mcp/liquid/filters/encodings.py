"""Filters that encode: addresses, base64, hashes, JSON."""

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus

from cio_mcp.liquid.filters.table import Table, whole, written, wrong

filters = Table()

# What JavaScript's encodeURI leaves as it is.
_IN_AN_ADDRESS = ";,/?:@&=+$-_.!~*'()#[]%"


def _bytes(value: Any) -> bytes:
    return written(value).encode("utf-8", "replace")


def _text(found: bytes) -> str:
    return found.decode("utf-8", "replace")


@filters("url_encode")
def url_encode(value: Any) -> str:
    return quote_plus(_bytes(value))


@filters("url_decode")
def url_decode(value: Any) -> str:
    return unquote_plus(written(value))


@filters("cgi_escape")
def cgi_escape(value: Any) -> str:
    return quote_plus(_bytes(value))


@filters("uri_escape")
def uri_escape(value: Any) -> str:
    return quote(_bytes(value), safe=_IN_AN_ADDRESS)


@filters("base64", "base64_encode")
def base64_encode(value: Any) -> str:
    return base64.b64encode(_bytes(value)).decode()


@filters("base64_url_safe_encode")
def base64_url_safe_encode(value: Any) -> str:
    return base64.urlsafe_b64encode(_bytes(value)).decode()


@filters("base64_decode", "base64_url_safe_decode")
def base64_decode(value: Any) -> str:
    text = written(value).translate(str.maketrans("-_", "+/"))
    try:
        return _text(base64.b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        raise wrong("the text is not base64") from None


@filters("hex_base64")
def hex_base64(value: Any) -> str:
    try:
        return base64.b64encode(bytes.fromhex(written(value))).decode()
    except ValueError:
        raise wrong("the text is not hexadecimal") from None


@filters("md5")
def md5(value: Any) -> str:
    return hashlib.md5(_bytes(value), usedforsecurity=False).hexdigest()


@filters("sha1")
def sha1(value: Any) -> str:
    return hashlib.sha1(_bytes(value), usedforsecurity=False).hexdigest()


@filters("sha256")
def sha256(value: Any) -> str:
    return hashlib.sha256(_bytes(value)).hexdigest()


@filters("hmac_sha1")
def hmac_sha1(value: Any, key: Any) -> str:
    return hmac.new(_bytes(key), _bytes(value), hashlib.sha1).hexdigest()


@filters("hmac_sha256")
def hmac_sha256(value: Any, key: Any) -> str:
    return hmac.new(_bytes(key), _bytes(value), hashlib.sha256).hexdigest()


@filters("json", "to_json", in_context=True)
def to_json(context: Any, value: Any, indent: Any = None) -> str:
    weight, deep = context.meter.weigh(value), min(10, whole(indent)) if indent else None
    context.meter.spend(weight * (1 + (deep or 0)))
    between = None if deep else (",", ":")
    return json.dumps(value, ensure_ascii=False, indent=deep, separators=between, default=written)


@filters("from_json")
def from_json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise wrong("the text is not JSON") from None
