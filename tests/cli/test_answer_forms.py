"""`cio-mcp doctor --answers`: what it says of Customer.io's answers, and what it does not."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from cio_mcp.app.build import build, open_sandbox
from cio_mcp.cli import main
from cio_mcp.cli.answer_forms import Look, looks
from cio_mcp.settings import load
from tests.agent import Clock

pytestmark = pytest.mark.anyio

Change = Callable[[dict[str, Any]], object]


async def seen(path: str, change: Change) -> tuple[dict[str, Look], list[str]]:
    """Return the looks, by operation, at a sandbox whose answer at `path` is changed, and its requests."""
    sandbox = open_sandbox(load({}), clock=Clock())
    port = httpx.ASGITransport(app=sandbox.app)
    requests: list[str] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        requests.append(f"{request.method} {request.url.path}")
        response = await port.handle_async_request(request)
        await response.aread()
        if request.url.path != path:
            return response
        body = response.json()
        change(body)
        return httpx.Response(200, json=body)

    keys = {"CIO_APP_API_KEY": sandbox.credentials.app_api_key or ""}
    app = build(load(keys), wire=httpx.MockTransport(answer))
    found = {look.operation: look async for look in looks(app.workspaces[""].client)}
    await app.aclose()
    sandbox.close()
    return found, requests


def test_every_answer_of_the_sandbox_has_a_known_form(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIO_SANDBOX", "on")

    assert main(["doctor", "--answers"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert "without values" in head
    assert {line.split()[0] for line in lines} == {"known", "unseen"}
    assert sum(line.startswith("known") for line in lines) > 30


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (lambda body: body["segments"][0].pop("name"), "answer.segments[].name: is missing"),
        (lambda body: body["segments"][0].update(name=7), "answer.segments[].name: is int, known as text"),
        (
            lambda body: body["segments"][0].update(owner="ada@example.com"),
            "answer.segments[].owner: is not known, text",
        ),
        (
            lambda body: body["segments"][0].update({"ada@example.com": 1}),
            "answer.segments[].(a name that is not shown): is not known, int",
        ),
        (lambda body: body.update(segments={}), "answer.segments: is object, known as list"),
    ],
)
async def test_an_answer_of_another_form_is_told_by_path_and_never_by_value(
    change: Change, difference: str
) -> None:
    found, _ = await seen("/v1/segments", change)

    assert difference in found["GET /v1/segments"].differences
    assert "ada@" not in "".join(map(str, found.values()))
    assert [look.operation for look in found.values() if look.differences] == ["GET /v1/segments"]


async def test_looking_at_answers_changes_nothing() -> None:
    _, requests = await seen("", lambda _: None)

    assert len(requests) > 30
    assert {request for request in requests if not request.startswith("GET ")} == {
        "POST /v1/customers",
        "POST /v1/customers/attributes",
        "POST /v1/objects",
        "POST /v1/design_studio/emails/7d9f3a10-0000-4000-8000-000000000001/preview",
    }
