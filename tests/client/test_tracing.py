"""A span for every request that leaves, as an exporter gets it."""

from collections.abc import Iterator

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from cio_mcp.client import RequestKind
from cio_mcp.client.tracing import SpanTransport, with_spans
from cio_mcp.errors import UnknownOutcome
from tests.client.wires import Script, connected

pytestmark = pytest.mark.anyio

WHO = {"customer_id": "someone@private.example"}
ONE = "/v1/customers/{customer_id}/attributes"


class Exported(InMemorySpanExporter):
    """Spans that have ended, and the provider that they go through."""

    def __init__(self) -> None:
        super().__init__()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self))


@pytest.fixture
def exported() -> Iterator[Exported]:
    found = Exported()
    yield found
    found.provider.shutdown()


def told(span: ReadableSpan, *names: str) -> list[object]:
    return [(span.attributes or {}).get(name) for name in names]


async def test_each_attempt_is_a_span_with_method_template_status_and_number(exported: Exported) -> None:
    wire = Script([429, httpx.ConnectError, 500])
    async with connected(SpanTransport(wire, exported.provider)) as there:
        await there.app().get(ONE, {"id_type": "email"}, **WHO)
    spans = exported.get_finished_spans()
    names = ("http.response.status_code", "http.request.resend_count", "error.type")

    assert {span.name for span in spans} == {f"GET {ONE}"}
    assert {span.kind for span in spans} == {SpanKind.CLIENT}
    assert [told(span, *names) for span in spans] == [
        [429, 0, "429"],
        [None, 1, "ConnectError"],
        [500, 2, "500"],
        [200, 3, None],
    ]
    assert [span.status.is_ok for span in spans] == [False, False, False, True]
    assert told(spans[0], "http.request.method", "url.template", "server.address", "cio_mcp.limit") == [
        *("GET", ONE, "api.customer.io", "app")
    ]


async def test_a_span_holds_nothing_of_who_or_what_a_request_was_about(exported: Exported) -> None:
    wire = Script([httpx.ReadTimeout])
    async with connected(SpanTransport(wire, exported.provider)) as there:
        await there.track().put("/api/v1/customers/{customer_id}", {"plan": "s3cret"}, **WHO)
        wire.ends = [httpx.ReadTimeout]
        with pytest.raises(UnknownOutcome):
            await there.app().post("/v1/send/email", {"to": "private.example"}, kind=RequestKind.ONCE)
    everything = "".join(span.to_json() for span in exported.get_finished_spans())

    assert len(exported.get_finished_spans()) == 3
    for personal in ("private", "s3cret", "c2l0ZTprZXk="):
        assert personal not in everything


def test_without_opentelemetry_nothing_is_in_the_way() -> None:
    wire = Script()

    assert with_spans(wire) is wire
