"""Reading a scenario from a file of JSON, or of YAML with the extra."""

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cio_mcp.cli.sandbox.scenarios.steps import KINDS, Scenario
from cio_mcp.errors import SettingsError
from cio_mcp.sandbox.faults.fault import why

YAML = {".yaml", ".yml"}


def read(file: str) -> Scenario:
    """Return the scenario in a file; raises SettingsError for one that holds none."""
    path = Path(file).expanduser()
    try:
        text = path.read_text(encoding="utf-8")
        found = _yaml(text) if path.suffix in YAML else json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(f"{file}: cannot be read: {error}") from None
    try:
        return Scenario.model_validate(found)
    except ValidationError as error:
        raise SettingsError(f"{file}: {why(error, kinds=KINDS)}") from None


def _yaml(text: str) -> Any:
    """Return what YAML says; raises ValueError."""
    try:
        from ruamel.yaml import YAML as Reader  # noqa: N811, PLC0415 - an extra
        from ruamel.yaml.error import YAMLError  # noqa: PLC0415
    except ImportError:
        raise ValueError("YAML needs the extra: pip install 'cio-mcp[yaml]'") from None
    reader = Reader(typ="safe", pure=True)
    try:
        # Through JSON, so that both say the same: YAML alone knows times.
        return json.loads(json.dumps(reader.load(text), default=str))
    except YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
