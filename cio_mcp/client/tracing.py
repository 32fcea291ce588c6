"""A span of OpenTelemetry for every request that leaves, beneath the one that the SDK opens for the call."""

import httpx
from opentelemetry.trace import ProxyTracerProvider, SpanKind, StatusCode, TracerProvider, get_tracer_provider

from cio_mcp import __version__
from cio_mcp.client.bodies import loaded
from cio_mcp.client.call import deadline_of


def with_spans(wire: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
    """Return `wire` with a span around each request, if this program has set OpenTelemetry up."""
    provider = get_tracer_provider()
    return wire if isinstance(provider, ProxyTracerProvider) else SpanTransport(wire, provider)


class SpanTransport(httpx.AsyncBaseTransport):
    """Opens a span around each request.

    A span holds the template of the path and never the path, which holds identifiers, nor a header, a body
    or an exception's words. Nothing of the trace is sent along to Customer.io.
    """

    def __init__(self, wire: httpx.AsyncBaseTransport, provider: TracerProvider) -> None:
        self._wire = wire
        self._tracer = provider.get_tracer("cio-mcp", __version__)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request` as it is."""
        template = request.extensions["route"]
        known = {
            "http.request.method": request.method,
            "url.template": template,
            "server.address": request.url.host,
            "http.request.resend_count": request.extensions["attempt"] - 1,
            "cio_mcp.limit": request.extensions["buckets"][0].name,
        }
        with self._tracer.start_as_current_span(
            f"{request.method} {template}",
            kind=SpanKind.CLIENT,
            attributes=known,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                response = await loaded(await self._wire.handle_async_request(request), deadline_of(request))
            except BaseException as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(StatusCode.ERROR)
                raise
            span.set_attribute("http.response.status_code", response.status_code)
            if response.is_error:
                span.set_attribute("error.type", str(response.status_code))
                span.set_status(StatusCode.ERROR)
            return response

    async def aclose(self) -> None:
        """Close the wire."""
        await self._wire.aclose()
