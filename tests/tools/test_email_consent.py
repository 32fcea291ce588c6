"""A code for an email of Design Studio holds for all of the email that was shown."""

from typing import Any

import pytest

from cio_mcp.sandbox.state import design_studio
from tests.agent import Agent
from tests.contract.calls import NEWS_EMAIL, TRIAL_EMAIL
from tests.tools.test_design_studio import TO_21

pytestmark = pytest.mark.anyio


async def test_an_email_that_was_changed_after_its_preview_is_not_linked(asked: Agent) -> None:
    code = (await asked.call("link_email", **NEWS_EMAIL, **TO_21))["confirmation"]
    await asked.call("update_email", **NEWS_EMAIL, subject="Unseen")

    refusal = await asked.fail("link_email", **NEWS_EMAIL, **TO_21, confirmation=code)
    assert "the texts that were shown changed since its preview" in refusal
    assert (await asked.call("get_email", **NEWS_EMAIL))["linked"] is False


async def test_a_sender_is_shown_before_it_is_published_or_brought_back(asked: Agent) -> None:
    (version,) = (await asked.call("get_email", **TRIAL_EMAIL))["versions"]
    await asked.call("update_email", **TRIAL_EMAIL, subject="Seen")
    code = (await asked.call("publish_email", **TRIAL_EMAIL))["confirmation"]
    await asked.call("update_email", **TRIAL_EMAIL, sender_id=2)
    refusal = await asked.fail("publish_email", **TRIAL_EMAIL, confirmation=code)
    await asked.call("restore_email", **TRIAL_EMAIL, version_id=version["version_id"])
    await asked.call("update_email", **TRIAL_EMAIL, sender_id=2)
    preview = await asked.call("publish_email", **TRIAL_EMAIL)
    back = await asked.call("restore_email", **TRIAL_EMAIL, version_id=version["version_id"])

    assert "the texts that were shown changed since its preview" in refusal
    assert preview["changes"]["sender_id"] == ['- "1"', '+ "2"']
    assert preview["changes"]["sender"][-1].startswith('+ "Quill Support')
    assert preview["changes"].keys() == {"sender_id", "sender"}
    where = "in the message that it is linked to (the API does not say which)"
    assert f'the email that goes live, {where}: "Trial ending"' in preview["sets_off"]
    assert back["changes"]["sender_id"] == ["- 2", "+ 1"]


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ({"recipient": "x@example.com"}, "recipient"),
        ({"reply_to_id": 2}, "reply_to_id"),
        ({"cc": "x@example.com"}, "cc"),
        ({"bcc": "x@example.com"}, "bcc"),
        ({"fake_bcc": False}, "fake_bcc"),
        ({"headers": [{"name": "X-A", "value": "b"}]}, "headers"),
    ],
)
async def test_a_code_holds_for_no_other_envelope(asked: Agent, part: dict[str, Any], told: str) -> None:
    workspace = asked.wire.sandbox.workspace
    await asked.call("update_email", **TRIAL_EMAIL, subject="Seen")
    code = (await asked.call("publish_email", **TRIAL_EMAIL))["confirmation"]
    node = design_studio.found(workspace, design_studio.EMAIL, TRIAL_EMAIL["email_id"])
    assert node
    design_studio.update(workspace, node, {"envelope": part})

    assert "changed since its preview" in await asked.fail("publish_email", **TRIAL_EMAIL, confirmation=code)
    assert told in (await asked.call("publish_email", **TRIAL_EMAIL))["changes"]
