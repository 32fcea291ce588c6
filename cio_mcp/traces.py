"""Sending traces where OpenTelemetry's own variables say, once they say so; else nothing of it is imported.

The SDK opens a span for every message, with the context that a client sends along, and `client.spans` one
for every request to Customer.io.
"""

import logging
import os
from collections.abc import Mapping
from threading import Thread

from opentelemetry import trace

from cio_mcp import __version__

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")

_log = logging.getLogger(__name__)


def start(environ: Mapping[str, str] = os.environ) -> None:
    """Send traces from now on, if they are asked for and this program does not do so already.

    The variables may be meant for other programs on this host, so what cannot be done stops no start.
    """
    if not _asked(environ) or not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return
    if "grpc" in (protocol := next((environ[name] for name in PROTOCOLS if environ.get(name)), "")):
        _log.warning("no traces are sent: OTLP is sent over http/protobuf only, not %s", protocol)
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        _log.warning("no traces are sent: that needs the extra: pip install 'cio-mcp[otel]'")
        return
    resource = Resource.create({"service.version": __version__})
    if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: "cio-mcp"}))
    # Not at exit: where nobody takes the traces, that would hold the process up for many seconds.
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def flush(seconds: float) -> None:
    """Send what has not been sent yet, and wait for that up to so many seconds."""
    if send := getattr(trace.get_tracer_provider(), "force_flush", None):
        sending = Thread(target=send, daemon=True)
        sending.start()
        sending.join(seconds)


def _asked(environ: Mapping[str, str]) -> bool:
    exporter = environ.get("OTEL_TRACES_EXPORTER", "")
    off = environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or exporter not in {"", "otlp"}
    return not off and bool(exporter or any(environ.get(name) for name in ENDPOINTS))
