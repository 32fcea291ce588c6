"""Texts of clients' files: JSON, TOML or YAML. A change leaves everything else as somebody wrote it."""

import json
import tomllib
from dataclasses import dataclass
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

from cio_mcp.cli.clients import NAME, ClientFile, jsonc
from cio_mcp.errors import SettingsError

FORMS = {".json": "JSON", ".toml": "TOML", ".yaml": "YAML"}

# The libraries of the extra `clients`.
LIBRARIES = {".toml": "tomlkit", ".yaml": "ruamel"}


@dataclass(frozen=True)
class ClientText:
    """A client's file: its text, what that holds, and how its lines end. No file is an empty object."""

    text: str
    found: dict[str, Any]
    line_end: str = "\n"


def read_client_file(client: ClientFile) -> ClientText:
    """Return a client's file; raises SettingsError for anything that is not an object of servers by name."""
    path, form = client.path, FORMS[client.path.suffix]
    _need_library(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")  # some editors begin a file with its mark
        found = _loads(text, path) if text.strip() else {}
    except FileNotFoundError:
        text, found = "", {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}") from None
    except (ValueError, RecursionError) as error:
        message = f"{path}: is not {form} ({error}); correct it, or add by hand what config prints"
        raise SettingsError(message) from None
    if not isinstance(found, dict):
        raise SettingsError(f"{path}: is not a {form} object; correct it by hand")
    servers = _servers(client, found)
    ours = servers.get(NAME, {}) if isinstance(servers, dict) else None
    if not isinstance(ours, dict) or not isinstance(client.shape.read(ours).get("env", {}), dict):
        raise SettingsError(f"{path}: {client.key} is not a list of servers by name; correct it by hand")
    return ClientText(text.replace("\r\n", "\n"), found, "\r\n" if "\r\n" in text else "\n")


def own_entry(client: ClientFile, found: dict[str, Any]) -> dict[str, Any]:
    """Return the entry that starts this server as the client has it, empty if there is none."""
    entry: dict[str, Any] = _servers(client, found).get(NAME, {})
    return entry


def starting_entry(client: ClientFile, found: dict[str, Any]) -> dict[str, Any]:
    """Return the entry that starts this server under the names that most clients have."""
    return client.shape.read(own_entry(client, found))


def with_entry(client: ClientFile, found: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return what a client's file holds, with an entry of ours."""
    if not client.listed:
        return {**client.new, **found, client.key: {**(found.get(client.key) or {}), NAME: own}}
    servers: list[Any] = list(found.get(client.key) or [])
    names = [one.get("name") if isinstance(one, dict) else None for one in servers]
    ours = {"name": NAME, **own}
    if NAME in names:
        servers[names.index(NAME)] = ours
    else:
        servers.append(ours)
    return {**client.new, **found, client.key: servers}


def changed_text(client: ClientFile, before: ClientText, after: dict[str, Any]) -> str:
    """Return the text of a client's file that holds `after`, in the way it was written before."""
    match client.path.suffix:
        case ".json":
            text = jsonc.changed_object(before.text if before.text.strip() else "{}\n", after)
        case ".toml":
            import tomlkit  # noqa: PLC0415 - an extra

            document = tomlkit.parse(before.text)
            _update(document, after)
            text = tomlkit.dumps(document)
        case _:
            text = _yaml_changed(before.text, after)
    return text.replace("\n", before.line_end)


def file_text(client: ClientFile, value: dict[str, Any]) -> str:
    """Return an object as the client would have it."""
    if client.path.suffix == ".json":
        return jsonc.dumps(value) + "\n"
    _need_library(client.path)
    return changed_text(client, ClientText("", {}), value)


def _servers(client: ClientFile, found: dict[str, Any]) -> Any:
    servers = found.get(client.key)
    if servers is None:
        return {}
    if not client.listed:
        return servers
    if not isinstance(servers, list):
        return None
    return {one.get("name"): one for one in servers if isinstance(one, dict)}


def _loads(text: str, path: Path) -> Any:
    match path.suffix:
        case ".json":
            return jsonc.loads(text)
        case ".toml":
            return tomllib.loads(text)
    from ruamel.yaml import YAML  # noqa: PLC0415 - an extra
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415 - as above

    try:
        found = YAML(typ="safe", pure=True).load(text)
        return {} if found is None else json.loads(json.dumps(found, default=str))
    except YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None


def _need_library(path: Path) -> None:
    library = LIBRARIES.get(path.suffix)
    if library and find_spec(library) is None:
        raise SettingsError(f"{path}: to change it install the extra clients: pip install 'cio-mcp[clients]'")


def _yaml_changed(text: str, after: dict[str, Any]) -> str:
    from ruamel.yaml import YAML  # noqa: PLC0415 - an extra
    from ruamel.yaml.comments import CommentedMap  # noqa: PLC0415 - as above
    from ruamel.yaml.util import load_yaml_guess_indent  # noqa: PLC0415 - as above

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 100_000  # long lines stay lines
    _, indent, offset = load_yaml_guess_indent(text) if text.strip() else (None, None, None)
    yaml.indent(mapping=2, sequence=indent or 4, offset=2 if offset is None else offset)
    document = yaml.load(text) if text.strip() else None
    document = CommentedMap() if document is None else document
    _update(document, after)
    written = StringIO()
    yaml.dump(document, written)
    return written.getvalue()


def _update(old: Any, new: Any) -> None:
    """Make an object or a list hold what `new` does, in place: what is the same keeps how it is written."""
    if isinstance(new, dict):
        for name in [name for name in old if name not in new]:
            del old[name]
        there = {place: old[place] for place in new if place in old}
        wanted = new
    else:
        del old[len(new) :]
        there, wanted = dict(enumerate(old)), dict(enumerate(new))
    for place, value in wanted.items():
        if place not in there and isinstance(new, list):
            old.append(value)
        elif place in there and _alike(there[place], value):
            _update(there[place], value)
        elif place not in there or there[place] != value:
            old[place] = value


def _alike(old: Any, new: Any) -> bool:
    return any(isinstance(old, kind) and isinstance(new, kind) for kind in (dict, list))
