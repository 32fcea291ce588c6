"""What a 401 is explained by, given what the client has seen before."""

from dataclasses import dataclass, replace
from typing import Literal

import httpx
import pytest

from cio_mcp.client import AppApi, CustomerIO, TrackApi
from cio_mcp.client.access import Access
from cio_mcp.client.pacing import Limits
from cio_mcp.errors import CustomerIOError, Refused
from tests.client.wires import APP_URL, TRACK_URL, Script
from tests.client.wires import End as Fault

pytestmark = pytest.mark.anyio

TRACK = Access("track", TRACK_URL, "Basic c2l0ZTpmYWtlLXRyYWNrLWtleQ==")
APP = Access("app", APP_URL, "Bearer fake-app-key")
SECRETS = ("c2l0ZTpmYWtlLXRyYWNrLWtleQ", "fake-track-key", "fake-app-key")
UNAUTHORIZED = httpx.Response(401, json={"meta": {"error": "Unauthorized"}})

FAMILY = {"track": "(not an App API key)", "app": "(not a Track API key)"}
IP_LIMIT = "limited to IP addresses"
REGION = "CIO_REGION="
REVOKED = "revoked or replaced"
MOVED = "other IP addresses than this machine's"
ALL = {FAMILY["track"], FAMILY["app"], IP_LIMIT, REGION, REVOKED, MOVED}

ApiName = Literal["track", "app"]


@dataclass
class Workspace:
    """A client of two accesses whose answers a test tells one by one."""

    track: Access
    app: Access

    def __post_init__(self) -> None:
        self.track, self.app = replace(self.track), replace(self.app)
        self.track.sibling, self.app.sibling = self.app, self.track
        self.wire = Script()
        self.client = CustomerIO(
            self.wire, [self.track, self.app], limits=Limits(), deadline=30, user_agent="cio-mcp/test"
        )

    async def ask(self, api: ApiName, answer: Fault) -> CustomerIOError | None:
        """Return the error of a read that gets `answer`."""
        self.wire.ends = [answer] * (4 if answer != 200 else 1)
        opened = self.client.api(TrackApi if api == "track" else AppApi, self.client.begin())
        try:
            await opened.get("/somewhere")
        except CustomerIOError as error:
            return error
        finally:
            self.wire.ends = []
        return None

    async def explain(self, api: ApiName) -> str:
        """Return the advice that comes with a 401."""
        error = await self.ask(api, UNAUTHORIZED)
        assert isinstance(error, Refused)
        assert (error.status, error.reason, error.retryable) == (401, "Unauthorized", False)
        assert not any(secret in f"{error} {error.facts()}" for secret in SECRETS)
        return error.do


@pytest.mark.parametrize(
    ("api", "before", "causes"),
    [
        ("track", [], {FAMILY["track"], REGION}),
        ("app", [], {FAMILY["app"], IP_LIMIT, REGION}),
        ("track", ["app"], {FAMILY["track"]}),
        ("app", ["track"], {FAMILY["app"], IP_LIMIT}),
        ("track", ["track"], {REVOKED}),
        ("app", ["app"], {REVOKED, MOVED}),
        ("track", ["app", "track"], {REVOKED}),
        ("app", ["track", "app"], {REVOKED, MOVED}),
    ],
)
async def test_a_401_is_explained_by_what_the_evidence_leaves_possible(
    api: ApiName, before: list[ApiName], causes: set[str]
) -> None:
    workspace = Workspace(TRACK, APP)
    for worked in before:
        assert await workspace.ask(worked, 200) is None

    text = await workspace.explain(api)

    assert {cause for cause in ALL if cause in text} == causes


@pytest.mark.parametrize(
    "answer",
    [
        401,
        403,
        404,
        503,
        httpx.ConnectError,
        httpx.Response(200, text="<html>Log in to the network</html>"),
    ],
)
async def test_an_answer_that_any_server_on_the_way_could_give_proves_no_key(answer: Fault) -> None:
    workspace = Workspace(TRACK, APP)
    assert await workspace.ask("app", answer) is not None

    assert REVOKED not in await workspace.explain("app")
    assert REGION in await workspace.explain("track")


@pytest.mark.parametrize(("region", "other"), [("us", "eu"), ("eu", "us")])
async def test_the_region_that_is_suggested_is_the_other_one(region: Literal["us", "eu"], other: str) -> None:
    workspace = Workspace(replace(TRACK, region=region), replace(APP, region=region))

    for api in ("track", "app"):
        assert f"CIO_REGION={other}" in await workspace.explain(api)


async def test_an_address_of_ones_own_has_no_region_to_suggest() -> None:
    workspace = Workspace(replace(TRACK, region=None), replace(APP, region=None))

    assert REGION not in await workspace.explain("track")
    assert REGION not in await workspace.explain("app")


async def test_what_is_suspected_of_a_key_is_the_first_thing_to_check() -> None:
    workspace = Workspace(TRACK, replace(APP, suspicion="the key looks odd"))

    assert (await workspace.explain("app")).startswith("Check, in this order: the key looks odd; ")


def test_an_access_can_be_printed_without_its_key() -> None:
    assert not any(secret in repr(access) for access in (TRACK, APP) for secret in SECRETS)
