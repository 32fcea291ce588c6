"""Playing a scenario on a sandbox of its own."""

import json
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote

import httpx

from cio_mcp.app.sandbox_wire import SandboxWire
from cio_mcp.cli.sandbox.scenarios.steps import (
    AnyStep,
    ClockStep,
    FaultsStep,
    LiftStep,
    MessagesStep,
    PersonStep,
    RequestStep,
    Scenario,
)
from cio_mcp.sandbox import Sandbox
from cio_mcp.sandbox.faults.fault import Fault
from cio_mcp.sandbox.moments import ahead, settled
from cio_mcp.sandbox.state import deliveries

SANDBOX = "https://sandbox.invalid"
MISSING = object()


@dataclass(frozen=True)
class StepResult:
    """What came of a step: its number, what it was, and what was wrong, None where nothing was."""

    step: int
    what: str
    wrong: str | None

    def told(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)


class Unexpected(Exception):
    """Something else came of a step; says what."""


class ScenarioRun:
    """A sandbox on which steps are played. Time passes there only by steps that move its clock."""

    def __init__(self, scenario: Scenario) -> None:
        now = int(time.time())
        self._now = now if scenario.start is None else settled(scenario.start, now)
        self._sandbox = Sandbox(clock=lambda: self._now, seed=scenario.story)
        wire = SandboxWire(self._sandbox.controlled)
        self._http = httpx.AsyncClient(transport=wire, base_url=SANDBOX)
        # What is expected is looked at past the faults.
        past = httpx.ASGITransport(app=self._sandbox.api)
        self._unstruck = httpx.AsyncClient(transport=past, base_url=SANDBOX)

    async def play(self, step: AnyStep) -> None:
        """Do a step; raises Unexpected."""
        match step:
            case RequestStep():
                for _ in range(step.times):
                    await self._request(step)
            case ClockStep():
                await self._move(step.clock)
            case FaultsStep():
                await self.add(step.fault)
            case LiftStep():
                await self._control("DELETE", "faults" if step.lift == "all" else f"faults/{step.lift}")
            case MessagesStep():
                self._messages(step)
            case PersonStep():
                await self._person(step)

    async def add(self, fault: Fault | list[Fault] | str) -> None:
        """Put faults into force; raises Unexpected."""
        faults = fault if isinstance(fault, list) else [fault]
        body = fault if isinstance(fault, str) else [one.told() for one in faults if isinstance(one, Fault)]
        await self._control("POST", "faults", body)

    async def aclose(self) -> None:
        """End it."""
        await self._http.aclose()
        await self._unstruck.aclose()
        self._sandbox.close()

    async def _request(self, step: RequestStep) -> None:
        method, _, path = step.request.partition(" ")
        try:
            answer = await self._ask(method, path, step.body, step.patience)
        except httpx.TransportError as error:
            if step.status != "none":
                raise Unexpected(f"no answer came: {error}") from None
            return
        if not (answer.is_success if step.status is None else answer.status_code == step.status):
            wanted = "success" if step.status is None else step.status
            said = answer.text.strip()[:300]
            raise Unexpected(f"status: {wanted} was expected, and it is {answer.status_code}: {said}")
        if step.answer is not None and (wrong := _difference(step.answer, _json(answer), "answer")):
            raise Unexpected(wrong)

    async def _move(self, to: int | str) -> None:
        try:
            moment = ahead(to, self._sandbox.workspace.now())
        except ValueError as wrong:
            raise Unexpected(str(wrong)) from None
        self._sandbox.workspace.advance(moment)
        # Real time has passed as well, so that what is limited by real time goes on.
        self._now = moment
        self._sandbox.clock.set(moment)

    def _messages(self, step: MessagesStep) -> None:
        workspace = self._sandbox.workspace
        with workspace.transaction():  # the API tells of those of half a year alone
            every = [message for _, message in deliveries.listed(workspace, 0, workspace.now())]
        found = [message for message in every if _difference(step.messages, message, "") is None]
        if step.count is None and not found:
            raise Unexpected(f"there is none among {len(every)} messages")
        if step.count is not None and len(found) != step.count:
            raise Unexpected(f"{step.count} were expected, and there are {len(found)}")

    async def _person(self, step: PersonStep) -> None:
        path = f"/v1/customers/{quote(step.person, safe='')}/attributes?id_type={step.id_type}"
        answer = await self._ask("GET", path, unstruck=True)
        if answer.is_success is not step.exists:
            raise Unexpected("they exist" if answer.is_success else "they do not exist")
        if step.exists and (
            wrong := _difference(step.attributes, answer.json()["customer"]["attributes"], "")
        ):
            raise Unexpected(wrong)

    async def _control(self, method: str, path: str, body: Any = None) -> None:
        answer = await self._ask(method, f"/_sandbox/{path}", body)
        if not answer.is_success:
            raise Unexpected(answer.json()["error"])

    async def _ask(
        self, method: str, path: str, body: Any = None, patience: float = 30, *, unstruck: bool = False
    ) -> httpx.Response:
        keys = self._sandbox.credentials
        pair = b64encode(f"{keys.site_id}:{keys.track_api_key}".encode()).decode()
        opens = f"Basic {pair}" if path.startswith("/api/") else f"Bearer {keys.app_api_key}"
        http = self._unstruck if unstruck else self._http
        headers = {"Authorization": opens}
        return await http.request(method, path, json=body, headers=headers, timeout=patience)


async def play(scenario: Scenario) -> AsyncIterator[StepResult]:
    """Yield what comes of each step; one that goes wrong does not keep the next from being played."""
    stage = ScenarioRun(scenario)
    try:
        try:
            await stage.add(scenario.faults)
        except Unexpected as unexpected:
            yield StepResult(0, "faults", str(unexpected))
            return
        for number, step in enumerate(scenario.steps, 1):
            wrong = None
            try:
                await stage.play(step)
            except Unexpected as unexpected:
                wrong = str(unexpected)
            yield StepResult(number, step.says or _what(step), wrong)
    finally:
        await stage.aclose()


def _what(step: AnyStep) -> str:
    name, value = next(iter(step.model_dump(exclude_unset=True).items()))
    return value if name == "request" else f"{name} {value}"


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return answer.text


def _difference(expected: Any, found: Any, at: str) -> str | None:
    """Return what is expected and not found, None where all is; what is found may be more."""
    if isinstance(expected, dict) and isinstance(found, dict):
        below = (
            _difference(value, found.get(name, MISSING), f"{at}.{name}".removeprefix("."))
            for name, value in expected.items()
        )
        return next(filter(None, below), None)
    if isinstance(expected, list) and isinstance(found, list):
        lacking = [one for one in expected if all(_difference(one, other, "") for other in found)]
        return f"{at}: {_short(lacking[0])} is not among {len(found)}" if lacking else None
    if type(expected) is type(found) and expected == found:
        return None
    return f"{at or 'it'}: {_short(expected)} was expected, and it is {_short(found)}"


def _short(value: Any) -> str:
    text = "missing" if value is MISSING else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:200]}…"
