"""`cio-mcp pace`."""

from urllib.parse import urlsplit

import pytest

from cio_mcp.app.workspace import pace_file
from cio_mcp.cli import main
from cio_mcp.cli.pace import table
from cio_mcp.client.pacing import SharedBucket
from tests.redis_server import RedisServer


def test_nothing_sent_yet_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pace"]) == 0
    assert "No process has sent anything yet" in capsys.readouterr().out


def test_what_a_process_has_used_is_shown_to_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CIO_APP_API_KEY", "s3cret")
    monkeypatch.setenv("CIO_APP_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("CIO_DEADLINE", "0.2")
    main(["call", "list_campaigns"])
    capsys.readouterr()
    main(["pace", "--once"])

    out = capsys.readouterr().out
    assert "app" in out
    assert "of 10" in out
    assert "s3cret" not in out


def test_a_file_that_cannot_be_read_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    pace_file().parent.mkdir()
    pace_file().write_text("no database")

    assert main(["pace"]) == 2
    assert capsys.readouterr().err == (
        f"cio-mcp: {pace_file()}: cannot be read: file is not a database; cio-mcp doctor says what to do\n"
    )


@pytest.mark.processes
def test_what_a_replica_has_used_is_shown_from_redis(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CIO_SHARED_PACE", redis.address)
    assert main(["pace"]) == 0
    assert f"No process has sent anything yet ({urlsplit(redis.address).netloc.partition('@')[2]})" in (
        capsys.readouterr().out
    )

    monkeypatch.setenv("CIO_APP_API_KEY", "s3cret")
    monkeypatch.setenv("CIO_APP_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("CIO_DEADLINE", "0.2")
    main(["call", "list_campaigns"])
    capsys.readouterr()
    main(["pace", "--once"])

    out = capsys.readouterr().out
    assert "app" in out
    assert "of 10" in out
    assert "s3cret" not in out


def test_a_redis_that_is_away_is_told_without_its_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CIO_SHARED_PACE", "redis://:s3cret@127.0.0.1:9")

    assert main(["pace"]) == 2
    assert capsys.readouterr().err == (
        "cio-mcp: CIO_SHARED_PACE: Redis at 127.0.0.1:9 cannot be used (ConnectionError)\n"
    )


def test_a_bucket_is_one_line() -> None:
    text = table([SharedBucket("track", 100, 1.0, 37, 4, 2.4, 3), SharedBucket("app", 10, 1.0, 0, 0, 0.0, 1)])

    header, track, app = text.splitlines()
    assert header.split() == ["limit", "used", "waiting", "held", "back", "processes"]
    assert track.split() == ["track", "37", "of", "100", "4", "2", "s", "3"]
    assert app.split() == ["app", "0", "of", "10", "0", "-", "1"]
