"""Whether each credential opens its API, and what is in the way if it does not."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import httpx

from cio_mcp.app.workspace import HOSTS, TO_OPEN, accesses
from cio_mcp.cli.finding import Finding
from cio_mcp.client import AppApi, TrackApi
from cio_mcp.client.access import OTHER_REGION, Access
from cio_mcp.client.network import FailureCause, proxy_of
from cio_mcp.client.probe import ProbeResult, probe
from cio_mcp.settings import Settings

PATHS = {api.name: api.harmless for api in (TrackApi, AppApi)}

# What only Customer.io's own answer holds: a portal or another server answers 200, too.
PROOF = {"track": "region", "app": "messages"}

# Customer.io orders updates by time; a clock off by more than this gives wrong times to events.
SKEW = 60

NETWORK = (
    "check the network; where only a proxy leads out, set HTTPS_PROXY=http://host:port, or "
    "http://user:password@host:port; check NO_PROXY, CIO_TRACK_URL and CIO_APP_URL where set"
)
CERTIFICATE = (
    "add the authority that signed it to the system's certificates, or name its file in SSL_CERT_FILE"
)


async def examine_credentials(settings: Settings, wire: httpx.AsyncBaseTransport) -> AsyncIterator[Finding]:
    """Check each credential by one harmless call; a key that does not open is tried in the other region."""
    opened = [access for access in accesses(settings) if not access.sends_only]
    answers = [await probe(wire, access, PATHS[access.api]) for access in opened]
    for access, answer in zip(opened, answers, strict=True):
        access.worked = _opens(access, answer)  # which is evidence for the other key, too
    for access, answer in zip(opened, answers, strict=True):
        url = httpx.URL(access.base_url)
        if proxy := proxy_of(url):
            yield Finding("proxy", "note", f"requests to {url.host} go through {proxy}")
        yield await _judge(wire, access, answer)
    if date := next((answer.date for answer in answers if answer.date), None):
        yield _clock(date)
    if settings.sends_only:
        detail = "a service account token: it opens sends only, of which none is harmless enough to try it"
        yield Finding("app key", "note", detail, "set an App API key for all other tools")
    for api in TO_OPEN.keys() - {access.api for access in accesses(settings)}:
        yield Finding(f"{api} key", "note", "not set; its tools are off", TO_OPEN[api])


async def _judge(wire: httpx.AsyncBaseTransport, access: Access, answer: ProbeResult) -> Finding:
    what, host = f"{access.api} key", httpx.URL(access.base_url).host
    if answer.failure:
        fix = CERTIFICATE if answer.failure.cause is FailureCause.CERTIFICATE else NETWORK
        return Finding("network", "fault", str(answer.failure), fix)
    home = await _home(wire, access, answer)
    if home != access.region:
        detail = f"belongs to a workspace in region {home}"
        return Finding(what, "fault", detail, f"set CIO_REGION={home}", {"CIO_REGION": str(home)})
    match answer.status:
        case 200 if _opens(access, answer):
            return Finding(what, "ok", f"opens {host}")
        case 429:
            return Finding(what, "ok", f"opens {host}, which is at its limit now")
        case 401:
            return Finding(what, "fault", f"{host} answered 401", access.explain_401())
    return Finding(what, "fault", f"{host} answered {answer.status}, not as Customer.io does", NETWORK)


async def _home(wire: httpx.AsyncBaseTransport, access: Access, answer: ProbeResult) -> str | None:
    """Return the region that a key belongs to, as far as Customer.io tells; else the one that is set.

    Track tells it outright or by a redirect. App only answers 401, so the other region is asked too.
    """
    if access.region is None:
        return None
    other = OTHER_REGION[access.region]
    if _opens(access, answer):
        return str(answer.body.get("region", access.region))
    if answer.status in {301, 302, 307, 308}:
        return other
    elsewhere = replace(access, base_url=HOSTS[access.api, other])
    if answer.status == 401 and _opens(elsewhere, await probe(wire, elsewhere, PATHS[access.api])):
        return other
    return access.region


def _opens(access: Access, answer: ProbeResult) -> bool:
    return answer.status == 200 and isinstance(answer.body, dict) and PROOF[access.api] in answer.body


def _clock(server: datetime) -> Finding:
    skew = (datetime.now(UTC) - server).total_seconds()
    if abs(skew) <= SKEW:
        return Finding("clock", "ok", "agrees with Customer.io's")
    detail = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} Customer.io's"
    return Finding("clock", "fault", detail, "set the system's time; events would get wrong times")
