"""What a push can bring along: a device to add, and a payload of the caller's own."""

from typing import Annotated, Any

from pydantic import AfterValidator, ValidationInfo

from cio_mcp.toolkit.context import context_of
from cio_mcp.toolkit.params import JsonObject
from cio_mcp.toolkit.times import unix_seconds

PLATFORMS = ("ios", "android")

# What names those who get a message in Google's and Apple's payloads: Customer.io fills it in, and a topic
# or a condition would reach whoever subscribes to it.
TARGETS = {"token", "tokens", "topic", "condition", "to", "registration_ids", "notification_key"}


def _device(device: dict[str, Any], asked: ValidationInfo) -> dict[str, Any]:
    """Return a device as the App API takes it ("sendPush")."""
    token, attributes = device.get("token"), device.get("attributes", {})
    fits = device.keys() <= {"token", "platform", "last_used", "attributes"}
    fits = fits and isinstance(token, str) and bool(token.strip()) and isinstance(attributes, dict)
    if not fits or device.get("platform") not in PLATFORMS:
        message = "must be {token, platform, last_used?, attributes?}, with the platform ios or android"
        raise ValueError(message)
    if device.get("last_used") is None:
        return {name: value for name, value in device.items() if name != "last_used"}
    return device | {"last_used": unix_seconds(device["last_used"], context_of(asked).timezone)}


def _payload(payload: dict[str, Any]) -> dict[str, Any]:
    if not payload.keys() <= set(PLATFORMS) or not all(isinstance(part, dict) for part in payload.values()):
        message = "must be {ios: {...}, android: {...}}, or one of them"
        raise ValueError(message)
    for platform, part in payload.items():
        message = part.get("message")
        if found := sorted(
            TARGETS & (part.keys() | (message.keys() if isinstance(message, dict) else set()))
        ):
            fault = f"{platform}: {', '.join(found)} would name who gets it, which is what to is for"
            raise ValueError(fault)
    return payload


CustomDevice = Annotated[JsonObject, AfterValidator(_device)]
CustomPayload = Annotated[JsonObject, AfterValidator(_payload)]
