"""The way to a sandbox's controls: of one that is kept in a file, or of one that is served on a port."""

import argparse
import asyncio
import json
from contextlib import closing
from typing import Any

import httpx

from cio_mcp.app.build import open_sandbox
from cio_mcp.app.workspace import kept_sandbox
from cio_mcp.errors import SettingsError
from cio_mcp.settings import load

# An import of all that a sandbox holds may take as long as that.
PATIENCE = 120


class ControlRefusal(SettingsError):
    """A sandbox says that something cannot be done."""


def add_place(parser: argparse.ArgumentParser) -> None:
    """Take which sandbox is meant."""
    parser.add_argument(
        "--at",
        metavar="URL",
        help="the sandbox that is served there, such as http://127.0.0.1:8080 (default: the one in "
        "CIO_SANDBOX_PATH, else in the state folder)",
    )


def control(asked: argparse.Namespace, method: str, path: str, body: Any = None) -> Any:
    """Return what a control answers; raises ControlRefusal with its words for what cannot be done."""
    answer = asyncio.run(_ask(asked.at, method, f"/_sandbox/{path}", body))
    try:
        told = answer.json()
    except ValueError:
        raise SettingsError(f"--at {asked.at}: no sandbox answers there") from None
    if answer.is_success:
        return told
    errors = told.get("errors") if isinstance(told, dict) else None
    raise ControlRefusal(errors[0]["detail"] if errors else told.get("error", f"status {answer.status_code}"))


def undoing(point: int | None) -> str:
    """Return how to come back to what was before, which is a point, or None."""
    if point is None:
        return "the state before could not be saved: something that was due in it fails"
    return f"to undo that: cio-mcp sandbox point restore {point}"


async def _ask(at: str | None, method: str, path: str, body: Any) -> httpx.Response:
    content = None if body is None else json.dumps(body)
    if at:
        try:
            async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as http:
                return await http.request(method, at.rstrip("/") + path, content=content)
        except (httpx.RequestError, httpx.InvalidURL) as error:
            raise SettingsError(
                f"--at {at}: cannot be reached: {str(error) or type(error).__name__}"
            ) from None
    with closing(open_sandbox(kept_sandbox(load()))) as sandbox:
        wire = httpx.ASGITransport(app=sandbox.controlled)
        async with httpx.AsyncClient(transport=wire, base_url="https://sandbox.invalid") as http:
            return await http.request(method, path, content=content)
