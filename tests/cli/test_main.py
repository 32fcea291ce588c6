"""The command line."""

import subprocess
import sys

import pytest

from cio_mcp import __version__
from cio_mcp.cli import main
from cio_mcp.cli.demo import demonstrate
from tests.agent import an_agent


def test_help_names_every_command_and_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])

    text = capsys.readouterr().out
    assert end.value.code == 0
    assert all(word in text for word in ("serve", "demo", "CIO_SITE_ID", "CIO_DEADLINE", "sandbox"))


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])

    assert capsys.readouterr().out == f"cio-mcp {__version__}\n"


def test_a_wrong_setting_stops_the_start_with_one_line_on_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CIO_SITE_ID", "site")

    status = main([])

    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert err.startswith("cio-mcp: CIO_TRACK_API_KEY: is missing")
    assert err.count("\n") == 1


def test_help_does_not_pay_for_the_server() -> None:
    code = "import sys; from cio_mcp.cli import _parser; _parser().format_help(); print('mcp' in sys.modules)"

    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "False\n"
    )


def test_the_demo_shows_every_tool_and_ends_well() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "cio_mcp", "demo"], capture_output=True, text=True, check=False
    )

    assert (run.returncode, run.stderr) == (0, "")
    assert all(
        name in run.stdout
        for name in ("identify_customer", "track_event", "trigger_broadcast", "delete_customer", "Done:")
    )
    assert "\x1b[" not in run.stdout


@pytest.mark.anyio
async def test_the_demo_fails_when_an_answer_is_not_what_it_should_be(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with an_agent() as agent:
        agent.wire.fail(403)

        status = await demonstrate(agent.app.server)

    assert status == 1
    assert "Failed: track_anonymous_event" in capsys.readouterr().out
