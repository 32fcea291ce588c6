"""Whether the server can do its work now."""

import asyncio
from collections.abc import AsyncIterator

from cio_mcp.app.application import App
from cio_mcp.client import AppApi, CustomerIO, TrackApi
from cio_mcp.client.call import now
from cio_mcp.errors import CustomerIOError
from cio_mcp.transports.http.authentication import Authenticator

# What was found holds for so many seconds, so that a load balancer's questions do not use up the limits.
HOLDS = 30.0


class Health:
    """Checks that each credential opens its API, at most twice a minute however often it is asked."""

    def __init__(self, app: App, authenticator: Authenticator | None) -> None:
        self._app, self._authenticator = app, authenticator
        self._found: list[str] = []
        self._until = 0.0
        self._looking = asyncio.Lock()

    async def degraded(self) -> list[str]:
        """Return what the server works without for now: worth a look, but keep sending it traffic."""
        paces = {opened.client.trouble for opened in self._app.workspaces.values()}
        found = [f"the shared pace: {trouble}" for trouble in paces if trouble]
        others = [
            await self._app.store.trouble(),
            self._authenticator.trouble() if self._authenticator else None,
            self._app.copier.trouble if self._app.copier else None,
        ]
        return [*found, *filter(None, others)]

    async def problems(self) -> list[str]:
        """Return what keeps the server from working, in words without secrets; empty if nothing does."""
        if self._app.draining:
            return ["the server is shutting down"]
        async with self._looking:
            if now() >= self._until:
                self._found = [problem async for problem in self._look()]
                self._until = now() + HOLDS
        return self._found

    async def _look(self) -> AsyncIterator[str]:
        for name, opened in self._app.workspaces.items():
            for api in (TrackApi, AppApi):
                if opened.client.opens(api) and (problem := await _check(opened.client, api)):
                    yield f"{name} {problem}" if name else problem


async def _check(client: CustomerIO, api: type[TrackApi] | type[AppApi]) -> str | None:
    try:
        await client.api(api, client.begin("health")).get(api.harmless)
    except CustomerIOError as error:
        return f"{api.name}: {error.what}"
    return None
