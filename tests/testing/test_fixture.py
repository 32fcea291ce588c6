"""The fixture `customerio_sandbox`, as the tests of other people use it."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from cio_mcp.testing.world import World

EXAMPLE = re.compile(r"<!-- a test -->\n```python\n(.*?)```", re.DOTALL)
SHOWN = EXAMPLE.findall(Path("docs/sandbox.md").read_text())[0]
SEND = {
    "transactional_message_id": 1,
    "identifiers": {"id": "u_1001"},
    "to": "ada@example.com",
    "message_data": {"order_id": "4711"},
}
EVENT = {"name": "purchase", "data": {"amount": 7}}


def post(world: World, path: str, body: Any) -> httpx.Response:
    if path.startswith("/api/"):
        return httpx.post(f"{world.url}{path}", json=body, auth=(world.site_id, world.track_api_key))
    headers = {"Authorization": f"Bearer {world.app_api_key}"}
    return httpx.post(f"{world.url}{path}", json=body, headers=headers)


def test_the_example_of_the_docs_holds(customerio_sandbox: World) -> None:
    names: dict[str, Any] = {}
    exec(SHOWN, names)
    (test,) = [value for name, value in names.items() if name.startswith("test_")]

    test(customerio_sandbox)


def test_what_the_code_under_test_did_can_be_read(customerio_sandbox: World) -> None:
    world = customerio_sandbox
    post(world, "/api/v1/customers/u%2F1/events", EVENT)
    world.request("PUT", "/api/v1/customers/u%2F1", {"plan": "pro"})

    assert world.person("u/1")["attributes"]["plan"] == "pro"
    assert [event["data"] for event in world.events("purchase")][:1] == [{"amount": 7}]
    assert [(one.method, one.path, one.status) for one in world.exchanges] == [
        ("POST", "/api/v1/customers/u%2F1/events", 200)
    ]
    with pytest.raises(AssertionError, match=r"GET /v1/customers/nobody/attributes.* was answered with 404"):
        world.person("nobody")


def test_each_world_is_fresh_and_private(customerio_sandboxes: Any) -> None:
    with customerio_sandboxes.fresh() as one, customerio_sandboxes.fresh() as other:
        one.request("PUT", "/api/v1/customers/new", {"plan": "pro"})
        one.add_fault("error")

        assert post(other, "/v1/send/email", SEND).status_code == 200
        assert post(one, "/v1/send/email", SEND).status_code == 500
        assert one.url != other.url
        with pytest.raises(AssertionError):
            other.person("new")
        url = one.url
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_faults_strike_the_code_under_test_and_not_the_test(customerio_sandbox: World) -> None:
    customerio_sandbox.add_fault("cut")
    with pytest.raises(httpx.RemoteProtocolError):
        post(customerio_sandbox, "/v1/send/email", SEND)
    customerio_sandbox.person("u_1001")
    cut = [one.status for one in customerio_sandbox.exchanges]
    customerio_sandbox.remove_faults()

    assert cut == [None]
    assert post(customerio_sandbox, "/v1/send/email", SEND).status_code == 200
    with pytest.raises(ValueError, match="status: input should be a valid integer"):
        customerio_sandbox.add_fault("error", status="500")


def test_a_wrong_request_is_told(customerio_sandbox: World) -> None:
    customerio_sandbox.assert_requests_valid()
    post(customerio_sandbox, "/v1/send/email", {})
    post(customerio_sandbox, "/v1/nonsense", {})

    with pytest.raises(AssertionError) as told:
        customerio_sandbox.assert_requests_valid()
    assert str(told.value).splitlines() == [
        "2 requests were refused:",
        "  POST /v1/send/email: 400",
        "  POST /v1/nonsense: 501",
    ]


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/v1/send/email", SEND, "messages went out"),
        ("/api/v1/customers/u_1001/events", EVENT, "events count"),
    ],
)
def test_what_is_done_twice_is_told(
    customerio_sandbox: World, path: str, body: dict[str, Any], words: str
) -> None:
    post(customerio_sandbox, path, body)
    post(customerio_sandbox, path, body | {"data" if "data" in body else "message_data": {"other": 1}})
    customerio_sandbox.assert_nothing_twice()
    post(customerio_sandbox, path, body)

    with pytest.raises(AssertionError, match=f"1 {words} .*twice"):
        customerio_sandbox.assert_nothing_twice()


def test_a_message_to_who_cannot_get_it_is_told(customerio_sandbox: World) -> None:
    post(customerio_sandbox, "/v1/send/email", SEND)
    customerio_sandbox.assert_all_deliverable()
    customerio_sandbox.request("POST", "/api/v1/customers/u_1001/suppress", {})
    post(customerio_sandbox, "/v1/send/email", SEND | {"to": "u_1001"})

    with pytest.raises(AssertionError, match="'u_1001': recipient is suppressed"):
        customerio_sandbox.assert_all_deliverable()


def test_its_clock_moves_on_and_it_tells_why_a_message_came(customerio_sandbox: World) -> None:
    world = customerio_sandbox
    world.request("PUT", "/api/v1/customers/new", {"email": "new@example.com"})
    world.request("POST", "/api/v1/customers/new/events", {"name": "signed_up"})
    before = len(world.messages(recipient="new@example.com"))
    happened = world.move_clock("+30d")
    after = world.messages(recipient="new@example.com")
    chain = world.explain(delivery=after[-1]["id"])

    assert len(after) > before
    assert happened["message"] == len(after) - before
    assert "signed_up" in " ".join(chain)
    with pytest.raises(ValueError, match="the clock only moves forward"):
        world.move_clock("2001-01-01")


IMPORTS = """
import sys

def test_that_uses_none_of_it(request):
    assert request.config.pluginmanager.has_plugin("cio-mcp")
    assert not {"cio_mcp.sandbox", "mcp", "pydantic", "uvicorn"} & {*sys.modules}
"""


@pytest.mark.processes
def test_parallel_runs_have_worlds_of_their_own_and_import_nothing_until_they_use_one(tmp_path: Path) -> None:
    (tmp_path / "test_imports.py").write_text(IMPORTS)
    (tmp_path / "test_shown.py").write_text(SHOWN)
    alone = ["-q", "-W", "error", "-p", "no:cacheprovider", "-p", "no:anyio"]
    command = [sys.executable, "-m", "pytest", *alone, "test_imports.py", "test_shown.py"]
    workers = [subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [worker.communicate()[0] for worker in workers]

    assert [worker.returncode for worker in workers] == [0, 0], said
    assert all("2 passed" in text for text in said)
