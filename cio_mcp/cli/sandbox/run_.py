"""`cio-mcp sandbox run`: play a scenario, and say whether all came of it that was expected."""

import argparse
import asyncio
import json
import sys

from cio_mcp.cli.sandbox.scenarios import file
from cio_mcp.cli.sandbox.scenarios.play import StepResult, play
from cio_mcp.cli.sandbox.scenarios.steps import Scenario
from cio_mcp.errors import SettingsError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a file."""
    parser.description = (
        "Play a scenario on a fresh sandbox in memory: steps, a clock, faults, and what is expected. Exit "
        "status: 0 if all came as expected, 1 if not, 2 if the file holds no scenario. docs/sandbox.md "
        "says what it can contain."
    )
    parser.add_argument("file", nargs="?", help="a scenario in JSON, or in YAML with the extra yaml")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")
    parser.add_argument("--schema", action="store_true", help="print the JSON schema of scenarios instead")


def run(asked: argparse.Namespace) -> int:
    """Play it; returns the exit status."""
    if asked.schema:
        sys.stdout.write(json.dumps(Scenario.model_json_schema(), indent=2, ensure_ascii=False) + "\n")
        return 0
    if not asked.file:
        raise SettingsError("FILE: is missing; name a scenario, or ask for the --schema")
    scenario = file.read(asked.file)
    outcomes = asyncio.run(_play(scenario, quiet=asked.json))
    wrong = [outcome for outcome in outcomes if outcome.wrong is not None]
    if asked.json:
        told = {"name": scenario.name, "ok": not wrong, "steps": [outcome.told() for outcome in outcomes]}
        sys.stdout.write(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(
            f"{scenario.name}: {len(outcomes) - len(wrong)} of {len(outcomes)} steps as expected\n"
        )
    return 1 if wrong else 0


async def _play(scenario: Scenario, *, quiet: bool) -> list[StepResult]:
    outcomes = []
    async for outcome in play(scenario):
        outcomes.append(outcome)
        if not quiet:
            mark = "ok    " if outcome.wrong is None else "WRONG "
            sys.stdout.write(f"{mark}{outcome.step:>3}  {outcome.what}\n")
            sys.stdout.write(f"           {outcome.wrong}\n" if outcome.wrong is not None else "")
    return outcomes
