"""Files of other versions: an older one is migrated after a copy was kept, a newer one is left alone."""

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cio_mcp.cli import main
from cio_mcp.sandbox import Sandbox
from cio_mcp.sandbox.state.schema import VERSION
from tests.planted import START
from tests.sandbox.conftest import Calling, Clock

pytestmark = pytest.mark.anyio

# The tables of the first files, which had no log.
OLD = """
CREATE TABLE IF NOT EXISTS people (
  cio_id TEXT PRIMARY KEY, id TEXT UNIQUE, email TEXT UNIQUE COLLATE NOCASE, attributes TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS phones ON people (json_extract(attributes, '$.phone'));
CREATE TABLE IF NOT EXISTS devices (
  cio_id TEXT NOT NULL, id TEXT NOT NULL, platform TEXT, last_used INTEGER, PRIMARY KEY (cio_id, id));
CREATE TABLE IF NOT EXISTS objects (
  number INTEGER PRIMARY KEY, object_type_id INTEGER NOT NULL, object_id TEXT NOT NULL,
  attributes TEXT NOT NULL DEFAULT '{}', UNIQUE (object_type_id, object_id));
CREATE TABLE IF NOT EXISTS relationships (
  number INTEGER PRIMARY KEY, cio_id TEXT NOT NULL, object INTEGER NOT NULL, attributes TEXT NOT NULL,
  UNIQUE (cio_id, object));
CREATE TABLE IF NOT EXISTS anonymous_relationships (
  anonymous_id TEXT NOT NULL, object INTEGER NOT NULL, attributes TEXT NOT NULL,
  PRIMARY KEY (anonymous_id, object));
CREATE TABLE IF NOT EXISTS members (
  segment_id INTEGER NOT NULL, cio_id TEXT NOT NULL, PRIMARY KEY (segment_id, cio_id));
CREATE TABLE IF NOT EXISTS events (
  number INTEGER PRIMARY KEY, cio_id TEXT, anonymous_id TEXT, type TEXT NOT NULL, name TEXT NOT NULL,
  data TEXT NOT NULL, timestamp INTEGER NOT NULL, event_id TEXT UNIQUE);
CREATE TABLE IF NOT EXISTS activities (
  number INTEGER PRIMARY KEY, cio_id TEXT, type TEXT NOT NULL, name TEXT, timestamp INTEGER NOT NULL,
  data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS suppressed (identifier TEXT PRIMARY KEY COLLATE NOCASE);
CREATE TABLE IF NOT EXISTS accepted (number INTEGER PRIMARY KEY, due REAL NOT NULL, what TEXT NOT NULL,
  body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS things (kind TEXT NOT NULL, id INTEGER NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS metrics (
  campaign_id INTEGER NOT NULL, action_id INTEGER NOT NULL, channel TEXT NOT NULL, day INTEGER NOT NULL,
  counts TEXT NOT NULL, PRIMARY KEY (action_id, day));
CREATE TABLE IF NOT EXISTS triggers (broadcast_id INTEGER NOT NULL, id INTEGER NOT NULL,
  created_at INTEGER NOT NULL, errors TEXT NOT NULL, PRIMARY KEY (broadcast_id, id));
CREATE TABLE IF NOT EXISTS deliveries (
  number INTEGER PRIMARY KEY, id TEXT UNIQUE, cio_id TEXT, created INTEGER, body TEXT NOT NULL);
"""
OLD_VERSION = 12345

DELIVERY = {
    "type": "email",
    "recipient": "una@example.com",
    "subject": "Hello",
    "transactional_message_id": 1,
    "failure_message": None,
    "fate": {"sent": 2, "delivered": 5, "opened": 60},
}


def an_old_file(path: Path) -> Path:
    """Make a file as the first version left it."""
    campaign = {"id": 7, "name": "Old campaign", "state": "draft", "actions": [], "workflow": []}
    campaign["journeys"] = {"started": 1.3}
    later = {"identifier": "una", "body": {"plan": "team"}}
    with closing(sqlite3.connect(path)) as db:
        db.executescript(OLD)
        db.execute(
            "INSERT INTO people VALUES ('c1', 'una', 'una@example.com', ?)", [json.dumps({"plan": "pro"})]
        )
        db.execute("INSERT INTO activities VALUES (5, 'c1', 'event', 'purchase', ?, '{}')", [int(START) - 60])
        db.execute("INSERT INTO things VALUES ('campaign', 7, ?)", [json.dumps(campaign)])
        db.execute("INSERT INTO metrics VALUES (7, 701, 'email', 20000, '{}')")
        row = ("d1", "c1", int(START) - 3600, json.dumps(DELIVERY))
        db.execute("INSERT INTO deliveries (id, cio_id, created, body) VALUES (?, ?, ?, ?)", row)
        write = (START + 60, json.dumps(later))
        db.execute("INSERT INTO accepted (due, what, body) VALUES (?, 'identify', ?)", write)
        db.execute(f"PRAGMA user_version = {OLD_VERSION}")
        db.commit()
    return path


async def test_an_older_file_is_what_it_was_and_lives_on(
    calling: Calling, clock: Clock, tmp_path: Path
) -> None:
    caller = calling(Sandbox(an_old_file(tmp_path / "sandbox.db"), clock=clock), clock)
    (message,) = await caller.messages()
    (event,) = await caller.activities("event")
    before = await caller.profile("una")
    clock.now += 60
    after = await caller.profile("una")
    campaigns = (await caller.ok("GET", "/v1/campaigns"))["campaigns"]

    created = int(START) - 3600
    assert message["metrics"] == {
        "created": created,
        "sent": created + 2,
        "secondary:delivered": created + 5,
        "opened": created + 60,
    }
    assert (event["name"], event["timestamp"]) == ("purchase", int(START) - 60)
    assert (before["attributes"]["plan"], after["attributes"]["plan"]) == ("pro", "team")
    assert [campaign["name"] for campaign in campaigns] == ["Old campaign"]
    assert "journeys" not in campaigns[0]
    assert [row["id"] for row in caller.sandbox.workspace.rows("SELECT id FROM people")] == ["una"]
    assert caller.sandbox.workspace.things("story") == []
    (first,) = caller.sandbox.workspace.rows("SELECT kind, number FROM log ORDER BY number LIMIT 1")
    assert tuple(first) == ("migrated", 1)


def test_a_copy_is_kept_as_it_was_for_its_owner_only_and_a_second_opening_changes_nothing(
    clock: Clock, tmp_path: Path
) -> None:
    path = an_old_file(tmp_path / "sandbox.db")
    for _ in range(2):
        Sandbox(path, clock=clock).close()
    (copy,) = (found for found in tmp_path.iterdir() if "of-version" in found.name)

    assert copy.name == f"sandbox.db.of-version-{OLD_VERSION}"
    assert copy.stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(copy)) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == OLD_VERSION
        assert db.execute("SELECT name FROM activities").fetchall() == [("purchase",)]


def test_a_newer_file_is_refused_in_one_sentence_and_not_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = an_old_file(tmp_path / "sandbox.db")
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA application_id = 99")
        db.commit()
    was = path.read_bytes()
    monkeypatch.setenv("CIO_SANDBOX_PATH", str(path))

    assert main(["call", "list_campaigns"]) == 2
    why = "it is of a newer cio-mcp; update this one, or name another file"
    assert capsys.readouterr().err == f"cio-mcp: CIO_SANDBOX_PATH: {path} cannot be used: {why}\n"
    assert path.read_bytes() == was
    assert [found.name for found in tmp_path.iterdir()] == ["sandbox.db"]


def test_a_file_of_another_program_is_refused_and_not_touched_whatever_its_version(tmp_path: Path) -> None:
    path = tmp_path / "cats.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE cats (name)")
        db.execute(f"PRAGMA user_version = {VERSION}")
        db.commit()
    was = path.read_bytes()

    with pytest.raises(sqlite3.DatabaseError, match="it is not a sandbox; name another file"):
        Sandbox(path)
    assert path.read_bytes() == was


async def test_a_file_of_a_version_between_keeps_its_log(
    calling: Calling, clock: Clock, tmp_path: Path
) -> None:
    path = tmp_path / "sandbox.db"
    caller = calling(Sandbox(path, clock=clock), clock)
    exported = caller.sandbox.control("GET", "/_sandbox/export", None)["tables"]
    with closing(sqlite3.connect(path)) as db:
        db.execute("DROP TABLE points")
        db.execute(f"PRAGMA user_version = {OLD_VERSION}")
        db.commit()
    again = calling(Sandbox(path, clock=clock), clock)

    assert again.sandbox.control("GET", "/_sandbox/export", None)["tables"] == exported


def test_a_migration_that_fails_leaves_the_file_as_it_was(clock: Clock, tmp_path: Path) -> None:
    path = an_old_file(tmp_path / "sandbox.db")
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE deliveries SET body = 'no json'")
        db.commit()
    with pytest.raises(sqlite3.DatabaseError, match="cannot be brought into the form of this version"):
        Sandbox(path, clock=clock)

    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == OLD_VERSION
        assert db.execute("SELECT count(*) FROM activities").fetchone()[0] == 1


def test_the_file_in_the_state_folder_of_an_older_version_is_gone_on_with(
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = Path(os.environ["XDG_STATE_HOME"]) / "cio-mcp"
    folder.mkdir(parents=True)
    an_old_file(folder / f"sandbox-{OLD_VERSION}.db")

    assert main(["call", "get_customer", "customer_id=una"]) == 0
    assert json.loads(capsys.readouterr().out)["email"] == "una@example.com"
    assert (folder / "sandbox.db").stat().st_mode & 0o077 == 0
