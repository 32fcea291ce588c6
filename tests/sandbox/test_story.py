"""The story as docs/story.md tells it: who is there, twelve questions, and what stays as it is."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cio_mcp.sandbox import Sandbox
from cio_mcp.sandbox.state import copies
from tests.agent import Agent
from tests.planted import START, the_story
from tests.sandbox.conftest import Caller, Calling, Clock
from tests.story_figures import figures

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "story.md").read_text()
DAY = 86_400
ALL = {"start": START - 95 * DAY, "end": START + DAY}

NAMED = {
    *("ada@example.com", "bruno@example.com", "chidi@example.org", "dana@example.net", "emil@example.com"),
    *("fatima@example.org", "goro@example.com", "hana@example.net", "ines@example.com", "jomo@example.org"),
    *("kim@example.com", "lena@example.org"),
}
MESSAGES = {
    "campaign": ["Welcome series", "Trial ending", "Win-back", "Old newsletter opt-in"],
    "broadcast": ["Spring sale", "Product news", "Team plan renewal"],
    "newsletter": ["Quill in spring", "Summer offer", "Survey for beta testers"],
    "transactional": [
        *("Order confirmation", "Password reset", "Shipping update", "Sign-in code", "Note shared"),
        *("Invoice ready", "Pick-up reminder"),
    ],
}


def table(head: str) -> list[list[str]]:
    """Return the rows of a table of the page, by the first word of its head."""
    (found,) = re.findall(rf"^\| {head} \|.*\n\|[ -|]*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in found.splitlines()]


WHYS, FIGURES = table("why"), table("figure")


@pytest.fixture(scope="module")
def story() -> Iterator[Sandbox]:
    """Provide the whole story, which nobody changes."""
    with closing(the_story(lambda: START)) as sandbox:
        yield sandbox


def test_the_named_people_and_messages_are_those_that_they_were(story: Sandbox) -> None:
    rows = story.workspace.rows("SELECT id, email FROM people ORDER BY rowid")
    assert {row["email"] for row in rows[:12]} == NAMED
    assert [row["id"] for row in rows[:12]] == [*(f"u_{1000 + number}" for number in range(1, 12)), None]
    for kind, names in MESSAGES.items():
        assert [thing["name"] for thing in story.workspace.things(kind)] == names
    actions = [step for campaign in story.workspace.things("campaign") for step in campaign["workflow"]]
    known = [(step["id"], step["name"]) for step in actions if step["type"] != "delay"]
    assert known == [
        *((101, "Welcome"), (103, "First note"), (105, "Invite your team")),
        *((201, "Three days left"), (203, "Last day"), (301, "We miss you")),
    ]


@pytest.mark.parametrize("row", WHYS, ids=lambda row: row[0])
def test_the_reasons_are_told(story: Sandbox, row: list[str]) -> None:
    _, asked, answer = row
    found = re.fullmatch(r'`cio-mcp sandbox explain (\S+) "(.+)"`', asked)
    assert found
    body = {"person": found[1], "message": found[2]}

    told = "\n".join(story.control("POST", "/_sandbox/explain", body)["chain"])

    assert answer in told, told


def test_four_of_the_reasons_are_of_absent_mails() -> None:
    absent = [row for row in WHYS if re.search(r"not|\bno\b|never", row[0])]
    assert (len(WHYS), len(absent), len(FIGURES)) == (6, 4, 6)


def test_the_figures_are_those_of_an_independent_count(story: Sandbox) -> None:
    export = json.loads(json.dumps(story.control("GET", "/_sandbox/export", None)))

    assert [row[1] for row in FIGURES] == figures(export)
    script = (ROOT / "tests" / "story_figures.py").read_text()
    assert re.findall(r"^(?:from|import) (\w+)", script, re.MULTILINE) == [
        *("json", "sys", "collections", "collections", "pathlib", "typing"),
    ]


def numbers(row: int) -> list[int]:
    return [int(found) for found in re.findall(r"\d+", FIGURES[row][1])]


async def test_the_tools_tell_the_same_figures(storied: Agent) -> None:
    everybody = await storied.call("get_segment", segment_id=4)
    pro = await storied.call("get_segment", segment_id=1)
    team = await storied.call("search_customers", attributes={"plan": "team"}, limit=100)
    welcome = await storied.call("get_journey_metrics", campaign_id=1, **ALL)
    spring = await storied.call("get_message_metrics", kind="newsletter", source_id=20)
    actions = [
        await storied.call("get_message_metrics", kind="campaign", source_id=1, action_id=number, **ALL)
        for number in (101, 103, 105)
    ]
    addresses = await storied.call("find_suppressed_addresses", kind="bounces", limit=100)

    assert [everybody["count"], pro["count"], len(team["customers"])] == numbers(0)
    assert [welcome["totals"][name] for name in ("started", "converted")] == numbers(1)
    names = ("sent", "delivered", "opened", "clicked")
    assert [spring["totals"][name] for name in names] == numbers(2)
    assert [action["totals"]["converted"] for action in actions] == numbers(3)
    assert [len(addresses["addresses"])] == numbers(4)


async def test_what_customers_spent_is_what_they_bought(calling: Calling, clock: Clock) -> None:
    caller = calling(the_story(clock), clock)
    rows = caller.sandbox.workspace.rows("SELECT id FROM people WHERE id NOT NULL")
    people: list[dict[str, Any]] = []
    for first in range(0, len(rows), 100):
        ids = [row["id"] for row in rows[first : first + 100]]
        people += (await caller.ok("POST", "/v1/customers/attributes", {"ids": ids}))["customers"]
    spent = [json.loads(person["attributes"].get("total_spent", "0")) for person in people]
    bought = [json.loads(person["attributes"].get("purchases", "0")) for person in people]

    assert [sum(bought), sum(spent)] == numbers(5)


async def test_metrics_and_journeys_add_up_from_deliveries(calling: Calling, clock: Clock) -> None:
    caller = calling(the_story(clock), clock, pause=0)
    span = f"start={int(ALL['start'])}&end={int(ALL['end'])}"
    every = {message["id"]: message for message in await messages(caller)}

    for number in (1, 2):
        path = f"/v1/campaigns/{number}/metrics?version=2&res=days&{span}"
        series = (await caller.ok("GET", path))["metric"]["series"]
        mine = [message for message in every.values() if message.get("campaign_id") == number]
        reached = Counter(name.removeprefix("secondary:") for message in mine for name in message["metrics"])
        for name in (
            "created",
            "sent",
            "delivered",
            "opened",
            "clicked",
            "converted",
            "bounced",
            "undeliverable",
        ):
            assert sum(series[name]) == reached[name], (number, name)
        path = f"/v1/campaigns/{number}/journey_metrics?resolution=days&{span}"
        journeys = (await caller.ok("GET", path))["journey_metric"]
        people = {message["customer_identifiers"]["cio_id"] for message in mine}
        assert sum(journeys["messaged"]) == len(people)
        links = (await caller.ok("GET", f"/v1/campaigns/{number}/metrics/links?period=months"))["links"]
        clicks = sum(sum(link["metric"]["series"]["clicked"]) for link in links)
        assert clicks == reached["clicked"]


async def messages(caller: Caller) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    start = ""
    while True:
        page = await caller.ok(
            "GET", f"/v1/messages?limit=1000&start_ts={int(ALL['start'])}&end_ts={int(ALL['end'])}{start}"
        )
        found += page["messages"]
        if not page["next"]:
            return found
        start = f"&start={page['next']}"


async def test_nobody_is_sent_anything_before_they_are_there(story: Sandbox) -> None:
    early = story.workspace.rows(
        "SELECT deliveries.id FROM deliveries JOIN log ON log.cio_id = deliveries.cio_id "
        "WHERE log.kind = 'profile_create' AND deliveries.created < log.at"
    )
    assert early == []


def test_no_event_of_the_log_has_a_later_cause(story: Sandbox) -> None:
    later = story.workspace.rows(
        "SELECT log.number FROM log JOIN log AS before ON before.number = log.cause "
        "WHERE before.number >= log.number OR before.at > log.at"
    )
    assert later == []


@pytest.mark.parametrize("name", [":memory:", "sandbox.db"])
def test_a_world_that_is_begun_soon_after_another_is_as_it_was_at_its_beginning(
    clock: Clock, tmp_path: Path, name: str
) -> None:
    clock.now += 3600 * len(name)  # no world of another test is as new
    paths = [name if name == ":memory:" else tmp_path / f"{number}-{name}" for number in range(3)]
    with closing(Sandbox(paths[0], clock=clock)) as first:
        before = exported(first)
        with first.workspace.transaction():
            first.workspace.accept("identify", {"identifier": "new", "body": {}})
        clock.now += 30
        with closing(Sandbox(paths[1], clock=clock)) as second:
            assert [len(one.workspace.rows("SELECT * FROM people")) for one in (first, second)] == [201, 200]
            assert second.clock.read().ahead == 0
            assert second.workspace.rows("SELECT since, seen FROM world")[0]["since"] == clock.now
            clock.now -= 30
            assert exported(second) == before
            clock.now += 30
        clock.now += 60
        with closing(Sandbox(paths[2], clock=clock)) as third:
            planted = [one.workspace.thing("story", 1) for one in (first, third)]
            assert planted[1] == {"id": 1, "planted": clock.now} != planted[0]


def exported(sandbox: Sandbox) -> str:
    with sandbox.workspace.locked():
        return copies.written(copies.take(sandbox.workspace))


def test_what_was_in_a_file_without_a_story_stays_beside_it(clock: Clock, tmp_path: Path) -> None:
    path = tmp_path / "sandbox.db"
    with closing(Sandbox(path, clock=clock, seed=False)) as blank, blank.workspace.transaction():
        blank.workspace.apply("identify", {"identifier": "new", "body": {"plan": "pro"}})

    with closing(Sandbox(path, clock=clock)) as storied:
        assert [thing["id"] for thing in storied.workspace.things("campaign")] == [1, 2, 3, 4]
        (people,) = storied.workspace.rows("SELECT count(*) FROM people")[0]
        assert people == 201


EXPORT = f"""
from hashlib import sha256
from cio_mcp.sandbox import Sandbox
from cio_mcp.sandbox.state.copies import take, written
print(sha256(written(take(Sandbox(clock=lambda: {START}).workspace)).encode()).hexdigest())
"""


@pytest.mark.processes
def test_every_process_plants_the_same_story_to_the_byte() -> None:
    # The order of a set depends on this.
    planting = [
        subprocess.Popen(
            [sys.executable, "-c", EXPORT], env=os.environ | {"PYTHONHASHSEED": seed}, stdout=subprocess.PIPE
        )
        for seed in "123"
    ]
    exports = {process.communicate()[0] for process in planting}

    assert len(exports) == 1
    assert exports != {b""}
