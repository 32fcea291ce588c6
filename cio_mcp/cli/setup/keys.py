"""Keys: asked for out of sight, and each verified by one harmless call."""

import asyncio
from collections.abc import Mapping

from cio_mcp.cli.credentials import examine_credentials
from cio_mcp.cli.finding import Finding
from cio_mcp.cli.setup.dialogue import Dialogue, DialogueStop, choose
from cio_mcp.client.network import Network
from cio_mcp.errors import SettingsError
from cio_mcp.settings import CREDENTIALS, load, variable
from cio_mcp.settings.scopes import ALIAS, PREFIX

QUESTIONS = {
    "CIO_SITE_ID": "Site id (Track API)",
    "CIO_TRACK_API_KEY": "Track API key",
    "CIO_APP_API_KEY": "App API key",
}

# All variables by which an entry can say a credential: the new ones replace the old ones.
SPELLINGS = {
    *(
        f"{prefix}{name.upper()}{end}"
        for prefix in (PREFIX, ALIAS)
        for name in CREDENTIALS
        for end in ("", "_FILE")
    ),
    "CIO_KEYRING",
}

ABOUT = (
    "\nThe keys are in Customer.io under Settings > API credentials. What you type is not shown.\n"
    "Leave out what you do not have; without any it works on the sandbox, which reaches nobody."
)


def ask_and_verify(talk: Dialogue, environ: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the keys by their variables, and the settings with them, as they were verified.

    Raises DialogueStop if somebody would not go on with keys that do not open.
    """
    known = _known(environ)
    rest = {name: value for name, value in environ.items() if name not in SPELLINGS}
    if talk.asks:
        talk.say(ABOUT)
    while True:
        keys = _asked(talk, known)
        try:
            found = _verified(rest | keys)
        except SettingsError as error:
            if not talk.asks:
                raise
            talk.say(f"\n{error}\n")
            continue
        moved = next((dict(finding.sets) for finding in found if finding.sets), {})
        if moved:
            _show(talk, found)
            talk.say(f"So the region is {moved['CIO_REGION']}; trying the keys there.")
            rest |= moved
            found = _verified(rest | keys)
        _show(talk, found)
        if all(finding.state != "fault" for finding in found):
            return keys, rest | keys
        options = {"again": "type the keys again", "keep": "go on with them", "stop": "write nothing"}
        match choose(talk, "What now?", options, "again" if talk.asks else "stop"):
            case "keep":
                return keys, rest | keys
            case "stop":
                raise DialogueStop
        known = keys


def _show(talk: Dialogue, found: list[Finding]) -> None:
    for finding in found:
        talk.say(f"{finding.state:<5}  {finding.what}: {finding.detail}")
        if finding.state == "fault":
            talk.say(f"       fix: {finding.fix}")


def _known(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the credentials that are set already, by their variables."""
    try:
        settings = load({name: value for name, value in environ.items() if name in SPELLINGS})
    except SettingsError:
        return {}
    values = {variable(name): getattr(settings, name) for name in CREDENTIALS}
    return {name: value.get_secret_value() for name, value in values.items() if value}


def _asked(talk: Dialogue, known: Mapping[str, str]) -> dict[str, str]:
    if not talk.asks:
        return dict(known)
    keys: dict[str, str] = {}
    for name, question in QUESTIONS.items():
        if name == "CIO_TRACK_API_KEY" and "CIO_SITE_ID" not in keys:
            continue
        more = " (- removes it)" if name in known else ""
        answer = talk.ask(f"{question}{more}", known.get(name, ""), hidden=True)
        if answer and answer != "-":
            keys[name] = answer
    return keys


def _verified(environ: Mapping[str, str]) -> list[Finding]:
    """Return what one harmless call with each key finds; none without keys."""
    settings = load(environ)
    if not settings.has_credentials:
        return []

    async def examined() -> list[Finding]:
        async with Network() as wire:
            return [finding async for finding in examine_credentials(settings, wire)]

    return asyncio.run(examined())
