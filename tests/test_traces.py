"""Traces as a collector gets them over OTLP, from a real server."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.transports.messages import call
from tests.transports.test_stdio import a_server, hear, say
from tests.transports.test_transports import client, serving

pytestmark = [pytest.mark.anyio, pytest.mark.processes]

PERSON = "someone@private.example"


@dataclass
class Collector:
    """A collector on loopback: where it is, and what it was sent."""

    url: str
    bodies: list[bytes] = field(default_factory=list)

    @property
    def batches(self) -> Iterator[Any]:
        for body in self.bodies:
            yield from ExportTraceServiceRequest.FromString(body).resource_spans

    @property
    def spans(self) -> dict[str, Any]:
        scopes = (scope for batch in self.batches for scope in batch.scope_spans)
        return {span.name: span for scope in scopes for span in scope.spans}


@contextmanager
def a_collector() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(f"http://127.0.0.1:{server.server_port}")
    Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()


def attributes(span: Any) -> dict[str, str]:
    return {pair.key: pair.value.string_value for pair in span.attributes}


@pytest.mark.parametrize("transport", ["stdio", "sse", "http"])
async def test_a_call_and_its_requests_are_one_trace_that_is_sent_at_the_latest_at_the_end(
    transport: str,
) -> None:
    with a_collector() as collector:
        where = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "600000"}
        if transport == "stdio":
            with a_server(**where) as process:
                say(process, call("identify_customer", customer_id=PERSON))
                meta = hear(process)["result"]["_meta"]
                process.stdin.close()
                assert process.wait(timeout=10) == 0
        else:
            with serving(**where) as found:
                async with client(found, transport, "2026-07-28") as mcp:
                    meta = (await mcp.call_tool("identify_customer", {"customer_id": PERSON})).meta
                found.process.send_signal(signal.SIGTERM)
                assert found.process.wait(timeout=10) == 0
        traced = collector.spans["tools/call identify_customer"]
        request = collector.spans["PUT /api/v1/customers/{customer_id}"]

        assert meta["cio-mcp/request"] == attributes(traced)["cio_mcp.request"]
        assert attributes(traced)["cio_mcp.outcome"] == "accepted"
        assert (request.trace_id, request.parent_span_id) == (traced.trace_id, traced.span_id)
        assert {attributes(batch.resource)["service.name"] for batch in collector.batches} == {"cio-mcp"}
        assert not any(PERSON.encode() in body or b"private" in body for body in collector.bodies)


@pytest.mark.parametrize("by_signal", [True, False])
def test_a_collector_that_never_answers_holds_up_no_end(by_signal: bool) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        a_server(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{silent.getsockname()[1]}") as process,
    ):
        say(process, call("list_campaigns"))
        assert hear(process)["result"]["structuredContent"]
        process.send_signal(signal.SIGTERM) if by_signal else process.stdin.close()

        assert process.wait(timeout=5) == 0


# Starts sending, as a program that has not imported anything else of OpenTelemetry's SDK.
START = """
import logging, sys
from opentelemetry import trace
from cio_mcp.traces import start
logging.basicConfig()
{before}
start()
print('opentelemetry.sdk.trace' in sys.modules, type(trace.get_tracer_provider()).__name__)
"""
ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
MISSING = "sys.modules['opentelemetry.sdk.trace'] = None"


@pytest.mark.parametrize(
    ("environ", "before", "loaded", "warning"),
    [
        ({}, "", False, ""),
        ({"OTEL_SERVICE_NAME": "mail"}, "", False, ""),
        (ENDPOINT | {"OTEL_SDK_DISABLED": "true"}, "", False, ""),
        (ENDPOINT | {"OTEL_TRACES_EXPORTER": "none"}, "", False, ""),
        (ENDPOINT | {"OTEL_TRACES_EXPORTER": "console"}, "", False, ""),
        (ENDPOINT | {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "", False, "not grpc"),
        (ENDPOINT, MISSING, False, "pip install 'cio-mcp[otel]'"),
        (ENDPOINT, "", True, ""),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/v1/traces"}, "", True, ""),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, "", True, ""),
    ],
)
def test_traces_are_on_only_where_the_variables_ask_for_them_and_stop_no_start(
    environ: dict[str, str], before: str, loaded: bool, warning: str
) -> None:
    run = started(environ, before)

    assert run.stdout.split()[-1] == ("TracerProvider" if loaded else "ProxyTracerProvider")
    assert run.stdout.startswith("True") == (loaded or before == MISSING)
    assert (warning in run.stderr) if warning else not run.stderr


def test_a_program_that_traces_already_goes_on_as_it_did() -> None:
    before = "class Own(trace.NoOpTracerProvider): pass\ntrace.set_tracer_provider(Own())"

    assert started(ENDPOINT, before).stdout == "False Own\n"


def started(environ: dict[str, str], before: str) -> "subprocess.CompletedProcess[str]":
    program = START.format(before=before)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=clean | environ, capture_output=True, text=True, check=True)
