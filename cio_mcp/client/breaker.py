"""An API that keeps failing is left alone for a while, then asked by one request at a time."""

from dataclasses import dataclass

import httpx

from cio_mcp.client.call import failed, now
from cio_mcp.errors import NotSent

# So many failures in a row open the circuit, for so many seconds until a probe may go.
FAILURES, PAUSE = 5, 15.0


@dataclass(frozen=True)
class Outage:
    """An open circuit: for how many seconds the API has failed, with what, and in how many a probe may go."""

    failing_for: float
    failing_with: str
    probe_in: float


@dataclass
class _Circuit:
    failures: int = 0
    since: float = 0.0
    why: str = ""
    probe_at: float = 0.0


class BreakerTransport(httpx.AsyncBaseTransport):
    """Answers calls at once, with nothing sent, while their bucket's API fails.

    A failure is a 5xx, a timeout or a broken connection; any other answer, a 429 among them, is none. Besides
    what is inside, it raises NotSent.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self._circuits: dict[str, _Circuit] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request` unless the circuit is open."""
        bucket = request.extensions["buckets"][0]
        if (circuit := self._circuits.get(bucket.label)) is None:
            circuit = self._circuits[bucket.label] = _Circuit()
        if circuit.failures >= FAILURES:
            if now() < circuit.probe_at:
                raise _not_sent(request, circuit)
            circuit.probe_at = now() + PAUSE  # this one is the probe; others wait for how it ends
        try:
            response = await self._inner.handle_async_request(request)
        except httpx.RequestError as error:
            self._failed(circuit, type(error).__name__)
            raise
        if failed(response.status_code):
            self._failed(circuit, f"status {response.status_code}")
        else:
            circuit.failures = 0
        return response

    def outage(self, label: str) -> Outage | None:
        """Return the outage of the bucket with this label, None while its circuit is closed."""
        circuit = self._circuits.get(label, _Circuit())
        if circuit.failures < FAILURES:
            return None
        return Outage(now() - circuit.since, circuit.why, max(0.0, circuit.probe_at - now()))

    def _failed(self, circuit: _Circuit, why: str) -> None:
        if not circuit.failures:
            circuit.since = now()
        circuit.failures += 1
        circuit.why = why
        circuit.probe_at = now() + PAUSE

    async def aclose(self) -> None:
        """Close the transport inside."""
        await self._inner.aclose()


def _not_sent(request: httpx.Request, circuit: _Circuit) -> NotSent:
    wait = circuit.probe_at - now()
    return NotSent(
        f"Not sent: {request.url.host} has failed {circuit.failures} times in a row, "
        f"for {now() - circuit.since:.0f} s now, last with {circuit.why}.",
        do=f"Call again in {wait:.0f} s.",
        retryable=True,
        retry_in=wait,
    )
