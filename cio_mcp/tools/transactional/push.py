"""Parts of a push: a device to add, and a custom payload."""

from typing import Annotated, Any

from pydantic import AfterValidator, ValidationInfo

from cio_mcp.toolkit.arguments.parse_context import context_of
from cio_mcp.toolkit.arguments.times import unix_seconds
from cio_mcp.toolkit.arguments.types import JsonObject
from cio_mcp.toolkit.people.audience import push_targets

PLATFORMS = ("ios", "android")


def _device(device: dict[str, Any], asked: ValidationInfo) -> dict[str, Any]:
    """Return a device in the App API's form ("sendPush")."""
    token, attributes = device.get("token"), device.get("attributes", {})
    fits = device.keys() <= {"token", "platform", "last_used", "attributes"}
    fits = fits and isinstance(token, str) and bool(token.strip()) and isinstance(attributes, dict)
    if not fits or device.get("platform") not in PLATFORMS:
        message = "must have token and platform (ios or android), and may have last_used and attributes"
        raise ValueError(message)
    if device.get("last_used") is None:
        return {name: value for name, value in device.items() if name != "last_used"}
    return device | {"last_used": unix_seconds(device["last_used"], context_of(asked).timezone)}


def _payload(payload: dict[str, Any]) -> dict[str, Any]:
    if not payload.keys() <= set(PLATFORMS) or not all(isinstance(part, dict) for part in payload.values()):
        message = "must have ios or android or both, each an object"
        raise ValueError(message)
    for platform, part in payload.items():
        if found := push_targets(part):
            fault = f"{platform}: {', '.join(found)} would name the recipients; use the argument to instead"
            raise ValueError(fault)
    return payload


CustomDevice = Annotated[JsonObject, AfterValidator(_device)]
CustomPayload = Annotated[JsonObject, AfterValidator(_payload)]
