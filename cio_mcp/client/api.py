"""Customer.io's two HTTP APIs as verbs: paths filled safely, credentials added, every failure one error."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self, TypeVar

import httpx
from pydantic_core import to_json

from cio_mcp.client.access import Access
from cio_mcp.client.bodies import TooMuch, json_of
from cio_mcp.client.call import SINGLE, Call, Outgoing, RequestKind, WouldSend, now
from cio_mcp.client.identifiers import in_app, in_track_path
from cio_mcp.client.pacing import Limits
from cio_mcp.client.paths import fill, query_of
from cio_mcp.client.read_cache import ReadCache, changes_texts
from cio_mcp.client.refusals import error_in, not_found, refusal, throttled
from cio_mcp.errors import CustomerIOError, Refused, UnknownOutcome

# What a request asks for in its address. What is None or empty was not asked for, and is left out.
Query = Mapping[str, object]

_Body = TypeVar("_Body", bound=dict[str, Any] | list[Any])

# Seconds that one attempt may take: where there can be others, it must not use up the call's time alone.
ATTEMPT = httpx.Timeout(10.0, connect=5.0).as_dict()
ONLY_ATTEMPT = httpx.Timeout(60.0, connect=5.0).as_dict()

SAFE_TO_REPEAT = "Calling again with the same arguments is safe."


class Api:
    """One of the two APIs, as one call sees it. Paths are templates: `"/v1/campaigns/{id}"` takes `id=`.

    `kept` has what calls of the workspace share.
    """

    name: ClassVar[Literal["track", "app"]]
    harmless: ClassVar[str]  # the path of a read that shows whether the key opens the API

    def __init__(
        self,
        wire: httpx.AsyncBaseTransport,
        headers: httpx.Headers,
        access: Access,
        limits: Limits,
        kept: ReadCache,
        call: Call,
    ) -> None:
        self._wire = wire
        self._headers = headers
        self._access = access
        self._limits = limits
        self.kept = kept
        self.call = call

    @classmethod
    def opened_by(cls, access: Access) -> bool:
        """Say whether an access opens this API."""
        return access.api == cls.name and not access.sends_only

    def beside(self) -> Self:
        """Return this API for a call that nobody waits for: it has a minute, behind those of others."""
        call = Call(now() + 60.0, self.call.caller, requests=SINGLE)
        return type(self)(self._wire, self._headers, self._access, self._limits, self.kept, call)

    async def get(self, path: str, query: Query | None = None, **ids: object) -> dict[str, Any] | list[Any]:
        """Read an object or a list; raises Refused, NotSent, or UnknownOutcome when no answer came."""
        return await self._send("GET", path, ids, (dict, list), query=query, kind=RequestKind.READ)

    async def issue(self, path: str, **ids: object) -> dict[str, Any]:
        """Have a credential made, by a GET that is no mere reading; raises as `get` does."""
        return await self._send("GET", path, ids, (dict,), kind=RequestKind.REPEATABLE)

    async def put(self, path: str, body: dict[str, Any], **ids: object) -> dict[str, Any]:
        """Write what can be written again with the same effect; raises as `get` does."""
        return await self._send("PUT", path, ids, (dict,), body=body, kind=RequestKind.REPEATABLE)

    async def delete(self, path: str, **ids: object) -> dict[str, Any]:
        """Delete; that the thing is already gone counts as done on a repeat. Raises as `get` does."""
        return await self._send("DELETE", path, ids, (dict,), kind=RequestKind.REPEATABLE)

    async def post(
        self,
        path: str,
        body: dict[str, Any],
        *,
        kind: RequestKind,
        query: Query | None = None,
        if_unknown: str = SAFE_TO_REPEAT,
        **ids: object,
    ) -> dict[str, Any]:
        """Post `body`; `kind` says what repeating it would do.

        `if_unknown` tells the agent what to do when no answer came. Raises as `get` does.
        """
        return await self._send(
            "POST", path, ids, (dict,), query=query, body=body, kind=kind, if_unknown=if_unknown
        )

    async def _send(
        self,
        method: str,
        route: str,
        ids: dict[str, object],
        bodies: tuple[type[_Body], ...],
        *,
        kind: RequestKind,
        query: Query | None = None,
        body: dict[str, Any] | None = None,
        if_unknown: str = SAFE_TO_REPEAT,
    ) -> _Body:
        path = fill(route, ids)
        url = self._access.base_url.rstrip("/") + path + (query_of(query) if query else "")
        outgoing = Outgoing(method, url, body)
        if self.call.dry_run and kind is not RequestKind.READ:
            raise WouldSend(outgoing)
        request = httpx.Request(
            method,
            url,
            content=None if body is None else to_json(body),
            headers=self._headers,
            extensions={
                "timeout": ATTEMPT if kind in {RequestKind.READ, RequestKind.REPEATABLE} else ONLY_ATTEMPT,
                "call": self.call,
                "kind": kind,
                "outgoing": outgoing,
                "route": route,
                "buckets": self._limits.buckets(method, route, path, self._access.workspace),
                "bulk": self.call.next_is_bulk(),
                "if_unknown": if_unknown,
            },
        )
        if body is not None:
            request.headers["content-type"] = "application/json"
        changes = kind is not RequestKind.READ
        self.call.effects += changes  # until it is certain that there is none
        try:
            response = await self._wire.handle_async_request(request)
            # A proxy or an error page may send our own credentials back.
            if (body_shown := self._access.without_keys(response.content)) is not response.content:
                response = _with_body(response, body_shown)
            # The call holds its newest response: as a cycle, a large body would wait for the collector.
            request.extensions.pop("call", None)
            left = response.headers.get("x-ratelimit-remaining", "")
            self.call.quota_left = int(left) if left.isdecimal() else None
            self.call.answered = response.status_code
            if not response.is_success:
                raise self._refusal(response)
            answer = _body(response, bodies)
        except CustomerIOError as error:
            self.call.effects -= changes and error.outcome != "unknown"
            raise
        finally:
            if changes_texts(method, route):
                self.kept.forget()
        self._access.worked = True
        return answer

    def _refusal(self, response: httpx.Response) -> Refused:
        status, route = response.status_code, response.request.extensions["route"]
        if status == 429:
            return throttled(response)
        do = self._access.explain_401() if status == 401 else not_found(route) if status == 404 else ""
        return refusal(status, response.content, do=do)


class TrackApi(Api):
    """The Track API: what happened. Basic authentication with site id and API key."""

    name = "track"
    harmless = "/api/v1/accounts/region"

    person = staticmethod(in_track_path)


class AppApi(Api):
    """The App API: what is configured and what was sent. Bearer authentication with an App API key."""

    name = "app"
    harmless = "/v1/transactional"

    person = staticmethod(in_app)


class SendApi(AppApi):
    """The part of the App API that a service account token opens too: sending one message to one person."""

    @classmethod
    def opened_by(cls, access: Access) -> bool:
        """Say whether an access opens this part of the API."""
        return access.api == cls.name

    @property
    def reads(self) -> bool:
        """Say whether the rest of the App API is open as well."""
        return AppApi.opened_by(self._access)


def _with_body(response: httpx.Response, body: bytes) -> httpx.Response:
    headers = [
        pair
        for pair in response.headers.raw
        if pair[0].lower() not in {b"content-length", b"content-encoding"}
    ]
    return httpx.Response(
        response.status_code,
        headers=headers,
        content=body,
        request=response.request,
        extensions=response.extensions,
    )


def _body(response: httpx.Response, bodies: tuple[type[_Body], ...]) -> _Body:
    """Return the JSON of a success, one of these bodies; raises when somebody else seems to answer."""
    request, kind = response.request, response.request.extensions["kind"]
    fault, do = "is not a JSON object", "Is a proxy in the way? Check CIO_TRACK_URL and CIO_APP_URL."
    try:
        answer = json_of(response)
        if isinstance(answer, bodies):
            if kind is RequestKind.READ or not (error := error_in(answer, response.status_code)):
                return answer
            fault = f"says: {error}"
    except TooMuch:
        fault, do = "is too large or nested too deeply to be read", "Ask for less in one call."
    except ValueError:
        pass
    what = f"{request.url.host} answered {response.status_code} with something that {fault}"
    if kind is RequestKind.READ:
        raise Refused(f"{what}.", do=do)
    raise UnknownOutcome(
        f"Unknown outcome: {what}.",
        do=request.extensions["if_unknown"],
        retryable=kind is RequestKind.REPEATABLE,
        status=response.status_code,
    )
