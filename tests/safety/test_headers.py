"""Headers of an email reach nobody whom the call does not name, and begin no other header."""

import json
from typing import Any

import pytest

from cio_mcp.app.build import build
from cio_mcp.errors import SettingsError
from cio_mcp.settings import load
from tests.agent import Agent, an_agent

pytestmark = pytest.mark.anyio

TO_ADA: dict[str, Any] = {"to": "ada@example.com", "customer_id": "u_1001", "transactional_message_id": 1}
EVE = "eve@example.org"


@pytest.mark.parametrize(
    "name",
    [
        *("To", "Cc", "Bcc", "BCC", "bcc ", " Bcc", "Bcc:", "Apparently-To", "Resent-To", "Resent-Bcc"),
        *("From", "Sender", "Reply-To", "Return-Path", "Errors-To", "Envelope-To", "Delivered-To"),
        *("Disposition-Notification-To", "Return-Receipt-To", "Received", "Subject", "Date", "Message-ID"),
        *("Content-Type", "MIME-Version", "DKIM-Signature", "Authentication-Results", "ARC-Seal"),
        *("X-SMTPAPI", "x-smtpapi", "X-MSYS-API", "X-MC-BccAddress", "X-Mailgun-Recipient-Variables"),
        *("X-PM-Bcc", "X-SES-CONFIGURATION-SET", "X-MJ-CustomID", "X-Envelope-To", "X-Rcpt-To", "X-Bcc"),
        *("X-Forwarded-To", "X-Original-To", "X-Return-Path", "X-Reply-To", "X-To", "X-Cc", "X-Sender"),
        *("X-Virtual-MTA", "X-KumoMTA-Pool", "X-Postal-Tag", "X-Copy-List", "X-Deliver-Also", "X-IP-Pool"),
        *("X-Failed-Recipients", "X-Routing-Key", "X-MailChannels-Sender-Id", "X-Redirect", "x-ses-tag"),
        *("", " ", "X Y", "X-\u0411cc", "\uff22cc", "B\u200bcc", "X-A\r\nBcc", "List-Id\nBcc"),
    ],
)
async def test_a_header_that_names_people_or_routes_is_refused(agent: Agent, name: str) -> None:
    text = await agent.fail("send_transactional_email", **TO_ADA, headers={name: EVE})

    assert "headers: " in text
    assert agent.sent == []


@pytest.mark.parametrize(
    "value", ["a\r\nBcc: eve@example.org", "a\nBcc: eve", "a\x00", "a\x85b", "a\u2028b", 5, None, ["a"]]
)
async def test_the_value_of_a_header_is_one_line_of_text(agent: Agent, value: object) -> None:
    text = await agent.fail("send_transactional_email", **TO_ADA, headers={"X-Campaign": value})

    assert "headers: X-Campaign: must" in text
    assert agent.sent == []


@pytest.mark.parametrize(
    "name",
    [
        *("List-Unsubscribe", "List-Unsubscribe-Post", "list-id", "Precedence", "Auto-Submitted"),
        *("Feedback-ID", "In-Reply-To", "References", "X-Campaign", "X-Entity-Ref-ID", "X-Priority"),
    ],
)
async def test_a_header_that_says_how_a_message_is_meant_is_sent(agent: Agent, name: str) -> None:
    await agent.call("send_transactional_email", **TO_ADA, headers={name: "<https://example.com/out>"})

    assert agent.last[2]["headers"] == {name: "<https://example.com/out>"}


async def test_a_relays_header_is_an_operators_decision() -> None:
    tags = {"headers": {"X-MC-Tags": "spring", "x-ses-configuration-set": "a"}}
    async with an_agent(allowed_headers="x-mc-tags, X-SES-Configuration-Set", max_recipients="1") as agent:
        await agent.call("send_transactional_email", **TO_ADA, **tags)
        left = agent.last[2]["headers"]
        text = await agent.fail("send_transactional_email", **TO_ADA, headers={"X-MC-BccAddress": EVE})
        await agent.fail("send_transactional_email", **TO_ADA, headers={"X-PM-Tag": "a"})
        broken = await agent.fail(
            "send_transactional_email", **TO_ADA, headers={"X-MC-Tags": f"a\nBcc: {EVE}"}
        )

    assert left == tags["headers"]
    assert "CIO_ALLOWED_HEADERS" in text
    assert "must not contain control characters" in broken


@pytest.mark.parametrize("name", ["Bcc", "X-MC-BccAddress", "X-SMTPAPI", "X-To", "X-MC-*", "*", "List-Id"])
def test_no_operator_allows_a_header_that_names_people_or_routes(name: str) -> None:
    with pytest.raises(SettingsError, match="CIO_ALLOWED_HEADERS"):
        build(load({"CIO_SANDBOX": "on", "CIO_ALLOWED_HEADERS": name}))


@pytest.mark.parametrize("field", ["to", "cc", "bcc", "from_address", "reply_to", "subject", "preheader"])
async def test_no_line_of_an_email_holds_a_line_break(agent: Agent, field: str) -> None:
    broken = f"ada@example.com\r\nBcc: {EVE}"

    text = await agent.fail("send_transactional_email", **TO_ADA | {field: broken})

    assert f"{field}: must not contain control characters or line breaks" in text
    assert agent.sent == []


@pytest.mark.parametrize(
    "name",
    [
        "a.txt\r\nBcc: eve@example.org",
        "=?utf-8?q?a=0D=0ABcc:_eve=40example.org?=",
        "../../a.txt",
        "..\\a.txt",
        'a"; filename="b.exe',
        "a\u202etxt.exe",
        "a\u2067fdp.exe",
    ],
)
async def test_no_name_of_a_file_starts_a_header_leads_elsewhere_or_misleads(agent: Agent, name: str) -> None:
    text = await agent.fail("send_transactional_email", **TO_ADA, attachments={name: "YQ=="})

    assert ": a file name must not " in text
    assert agent.sent == []


@pytest.mark.parametrize(
    "word",
    [
        "=?utf-8?q?=0D=0ABcc:_eve=40example.org?=",
        "a =?UTF-8*en?B?DQpCY2M6?= b",
        "=?utf-8?q?=0D=0ABcc: eve=40example.org?=",
    ],
)
async def test_no_line_of_an_email_is_encoded_for_mail(agent: Agent, word: str) -> None:
    for argument in ({"subject": word}, {"preheader": word}, {"headers": {"X-Note": word}}):
        assert "must not be encoded" in await agent.fail("send_transactional_email", **TO_ADA | argument)

    assert agent.sent == []
    for subject in ("2 + 2 =? 4 ?=", "=?", '\U0001f389 "Now" \u201cor\u201d never', "a=b?q?c=d"):
        await agent.call("send_transactional_email", **TO_ADA | {"subject": subject})


async def test_a_customer_who_was_imported_under_an_encoded_name_can_be_deleted(agent: Agent) -> None:
    await agent.call("delete_customer", customer_id="=?utf-8?q?Ada?=")


@pytest.mark.parametrize("name", ["\u200f2026-01-01 \u05ea.pdf", "50% (final) 'x'.pdf", "\U0001f600.png"])
async def test_ordinary_names_of_files_are_sent(agent: Agent, name: str) -> None:
    await agent.call("send_transactional_email", **TO_ADA, attachments={name: "YQ=="})

    assert list(json.loads(agent.wire.requests[-1].content)["attachments"]) == [name]


async def test_under_a_list_of_recipients_a_header_reaches_nobody_else() -> None:
    async with an_agent(allowed_recipients="example.com", max_recipients="1") as agent:
        await agent.fail("send_transactional_email", **TO_ADA, headers={"Bcc": ", ".join([EVE] * 500)})

    assert agent.sent == []
