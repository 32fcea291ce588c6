"""`cio-mcp setup`: from nothing to a client that works, by questions, or by flags for a script."""

import argparse
import os
import sys
from collections.abc import Mapping
from importlib.util import find_spec

from pydantic import SecretStr

from cio_mcp.cli.clients import ClientFile, clients
from cio_mcp.cli.clients.command import start_command
from cio_mcp.cli.clients.entry import Change, DesiredEntry
from cio_mcp.cli.clients.start import Start, start_of
from cio_mcp.cli.clients.texts import read_client_file, starting_entry
from cio_mcp.cli.config import save, setting_text, try_entry
from cio_mcp.cli.setup.dialogue import Dialogue, DialogueStop, NoDialogue, Terminal, agree, choose
from cio_mcp.cli.setup.keys import SPELLINGS, ask_and_verify
from cio_mcp.cli.setup.places import PLACES, KeyPlace, place_of
from cio_mcp.errors import SettingsError
from cio_mcp.safety.bounds import Bounds
from cio_mcp.settings import CREDENTIALS, Settings, load, variable

PERMISSIONS, RECIPIENTS = "CIO_PERMISSIONS", "CIO_ALLOWED_RECIPIENTS"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take what would be asked otherwise."""
    parser.description = (
        "Connect an MCP client to a Customer.io workspace: asks for what it needs, checks each key with one "
        "harmless call, shows what changes in the client's file before it writes it, and starts the server "
        "once as the client will. Keys that are set here (CIO_SITE_ID, CIO_TRACK_API_KEY, CIO_APP_API_KEY) "
        "need not be typed."
    )
    parser.epilog = (
        "in a script, with the keys in the environment:\n  cio-mcp setup cursor --region eu --read-only --yes"
    )
    parser.add_argument("client", nargs="?", choices=clients(), metavar="client", help=", ".join(clients()))
    parser.add_argument("--region", choices=["us", "eu"], help="where the workspace is")
    parser.add_argument("--sandbox", action="store_true", help="use no keys: the embedded sandbox")
    reach = parser.add_mutually_exclusive_group()
    reach.add_argument("--read-only", action="store_true", help="let agents read, and nothing else")
    reach.add_argument("--full", action="store_true", help="let agents write, delete and send, too")
    parser.add_argument("--allow", metavar="WHOM", help="who may be reached, such as *@example.com,+4930*")
    parser.add_argument("--keys", choices=PLACES, help=f"where the keys go: {', '.join(PLACES)}")
    parser.add_argument(
        "--yes", action="store_true", help="ask nothing; take the safe choice where none is given"
    )
    parser.add_argument("--no-try", action="store_true", help="do not start the server to try the entry")


def run(asked: argparse.Namespace) -> int:
    """Ask, verify, write, try; returns 0, 1 if something does not work, 2 for wrong arguments."""
    if not asked.yes and not sys.stdin.isatty():
        raise SettingsError("setup: asks at a terminal; in a script give it the client and --yes")
    if asked.yes and not asked.client:
        raise SettingsError(f"setup: --yes needs a client: {', '.join(clients())}")
    return set_up(asked, NoDialogue() if asked.yes else Terminal())


def set_up(asked: argparse.Namespace, talk: Dialogue) -> int:
    """Set a client up with what is `asked` for and answered."""
    try:
        change, place, environ = _answered(asked, talk)
    except (DialogueStop, EOFError, KeyboardInterrupt) as end:
        talk.say("\nStopped: nothing was written.")
        return 1 if isinstance(end, DialogueStop) else 130
    with place.filled():
        save(change)
    if place.told(change.client):
        talk.say(place.told(change.client))
    status = 0 if asked.no_try else try_entry(change, environ)
    if status == 0:
        talk.say(_sentences(load(environ)))
    return status


def _answered(asked: argparse.Namespace, talk: Dialogue) -> tuple[Change, KeyPlace, dict[str, str]]:
    """Return what is to be written, where the keys go, and the settings with the keys in place."""
    name = asked.client or _client(talk)
    client = clients()[name]
    environ = _known(client)
    keys: dict[str, str] = {}
    if asked.sandbox:
        environ = _without(environ, SPELLINGS)
    else:
        region = asked.region or choose(
            talk, "Where is the workspace?", {"us": "us", "eu": "eu"}, environ.get("CIO_REGION", "us")
        )
        keys, environ = ask_and_verify(talk, environ | {"CIO_REGION": region})
    if keys:
        environ.pop("CIO_SANDBOX", None)
    environ = _reach(asked, talk, environ, live=bool(keys))
    place = place_of(_keys_go(asked, talk) if keys else "entry", name, client, keys)
    settings = load(environ)
    env = _env(settings, talk) | place.env
    gone = {*SPELLINGS, PERMISSIONS, RECIPIENTS, "CIO_SANDBOX"} - env.keys()
    change = DesiredEntry(start_command() | {"env": dict(sorted(env.items()))}, go=gone).merged(client)
    if change.needed:
        talk.say(f"\nThis changes {client.path}:\n\n{change.difference()}")
        if not agree(talk, "Write it?"):
            raise DialogueStop
    return change, place, environ


def _known(client: ClientFile) -> dict[str, str]:
    """Return what is set already: in the client's entry, or here, which wins."""
    entry = starting_entry(client, read_client_file(client).found)
    before: Mapping[str, str] = {}
    if entry:
        try:
            start = start_of(client, entry, os.environ)
            before = start.env if isinstance(start, Start) else {}
        except SettingsError:
            before = {}  # it refers to what only the client knows
    ours = {name: value for name, value in os.environ.items() if name.startswith(("CIO_", "CUSTOMERIO_"))}
    return {**before, **ours}


def _without(environ: Mapping[str, str], names: set[str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name not in names}


def _client(talk: Dialogue) -> str:
    known = clients()
    here = {
        name for name, client in known.items() if client.path.is_absolute() and client.path.parent.exists()
    }
    options = {name: f"{client.title}{' (found)' if name in here else ''}" for name, client in known.items()}
    return choose(
        talk, "Which client?", options, next((name for name in known if name in here), "claude-desktop")
    )


def _reach(
    asked: argparse.Namespace, talk: Dialogue, environ: dict[str, str], *, live: bool
) -> dict[str, str]:
    """Return the settings with what agents may do and whom they may reach."""
    if asked.full or asked.read_only or not live:
        read_only = asked.read_only
    else:
        options = {
            "read-only": "agents read; nothing can be changed, deleted or sent",
            "full": "agents write, too; deletions and sends to many are previewed first",
        }
        read_only = choose(talk, "What may agents do?", options, "read-only") == "read-only"
    if read_only:
        return environ | {PERMISSIONS: "read"}
    environ = _without(environ, {PERMISSIONS})
    if not live or asked.allow is not None:
        return _bounded(environ, asked.allow or "")
    talk.say("\nWho may be reached? Addresses, domains or patterns, such as *@example.com; empty: anybody.")
    while True:
        allowed = talk.ask("Allowed recipients", environ.get(RECIPIENTS, ""))
        try:
            return _bounded(environ, allowed)
        except SettingsError as error:
            if not talk.asks:
                raise
            talk.say(str(error))


def _bounded(environ: dict[str, str], allowed: str) -> dict[str, str]:
    """Return the settings with who may be reached; raises SettingsError for what is no recipient."""
    environ = environ | {RECIPIENTS: allowed} if allowed else _without(environ, {RECIPIENTS})
    Bounds.of(load(environ))
    return environ


def _keys_go(asked: argparse.Namespace, talk: Dialogue) -> str:
    """Return where the keys go; the keyring is offered only where it can be used."""
    offered = {kind: told for kind, told in PLACES.items() if kind != "keyring" or find_spec("keyring")}
    return asked.keys or choose(talk, "Where should the keys go?", offered, "file")


def _env(settings: Settings, talk: Dialogue) -> dict[str, str]:
    """Return what is new to the entry: what was answered and what is set here, but for secrets."""
    new = {"CIO_REGION", PERMISSIONS, RECIPIENTS, *os.environ} - {"CIO_KEYRING"}
    values = {name: getattr(settings, name) for name in settings.model_fields_set if variable(name) in new}
    secret = {name for name, value in values.items() if isinstance(value, SecretStr)}
    for name in sorted(secret - set(CREDENTIALS)):
        talk.say(f"{variable(name)} is set here and may hold a password: it is not written; add it by hand.")
    return {variable(name): setting_text(value) for name, value in values.items() if name not in secret}


def _sentences(settings: Settings) -> str:
    """Return three things to say to the agent, which the tools that are on can do."""
    acts = "Show me what recording a purchase of 20 euros for customer u_1001 would send, and send nothing."
    reads = [
        "Which campaigns are running, and how did they do over the last 30 days?",
        "Which segments are there, and how many people are in each?",
        "Why did ana@example.com not get our last email?",
    ]
    if not (settings.app_api_key or settings.uses_sandbox):
        reads = [
            "Which of your Customer.io tools are off, and why?",
            "What are Customer.io's rate limits, and how near are we?",
        ]
    if "write" in settings.permissions:
        reads = [*reads[:2], acts]
    lines = "".join(f"  - {sentence}\n" for sentence in reads)
    return f"\nTry one of these:\n{lines}"
