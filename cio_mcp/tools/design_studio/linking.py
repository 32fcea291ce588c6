"""Linking emails of Design Studio to the messages that they are published to."""

from typing import Annotated, Literal

from pydantic import Field

from cio_mcp.client import AppApi, RequestKind
from cio_mcp.client.call import Replacement
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers.reading import Fields, beside
from cio_mcp.toolkit.answers.shapes import Acted
from cio_mcp.toolkit.arguments.types import ObjectId
from cio_mcp.toolkit.people.consequences import Consequence, affects
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.texts.design_studio import EMAIL, EmailId, differing_nodes, read_nodes

tools = Toolbox(__name__)

# What an email is linked to, as the API names its id.
TARGETS = {
    "campaign_action": "action_id",
    "newsletter": "newsletter_id",
    "transactional_message": "transactional_message_id",
}

# Where the name of a target is read, and what holds it.
NAMED = {
    "newsletter": ("/v1/newsletters/{target_id}", "newsletter"),
    "transactional_message": ("/v1/transactional/{target_id}", "message"),
}


class EmailLinked(Acted):
    """An email that is linked to a message."""

    outcome: Literal["linked"] = Field("linked", description="publish_email puts it into the message.")
    email_id: str
    template_id: int | None = None


@tools.writes
@affects(Consequence.PUBLISHING)
async def link_email(
    app: AppApi,
    email_id: EmailId,
    target: Literal["campaign_action", "newsletter", "transactional_message"],
    target_id: Annotated[
        ObjectId,
        Field(description="Id of the message; of a campaign or broadcast, its action."),
    ],
    replace_other: Annotated[
        bool, Field(description="Link even if the target has other Design Studio content.")
    ] = False,
) -> EmailLinked:
    """Link an email of Design Studio to one message, for good: the API cannot unlink. Then publish_email."""
    nodes = await read_nodes(app, email_id)
    if nodes[""].text("language"):
        raise InvalidArgument("email_id: belongs to a translation; link the email itself")
    linked_to = await _linked_to(app, target, target_id)
    follows: list[tuple[str, str]] = [
        ("it cannot be unlinked by the API:", nodes[""].text("name") or email_id),
        linked_to,
    ]
    app.call.replaces = Replacement(differing_nodes(nodes, [{}] * len(nodes)), follows)
    answer = Fields(
        await app.post(
            f"{EMAIL}/link",
            {"target": {"type": target, TARGETS[target]: target_id}}
            | ({"force": True} if replace_other else {}),
            kind=RequestKind.ONCE,
            if_unknown="Do not call again yet: call get_email to see whether it is linked.",
            email_id=email_id,
        )
    )
    return EmailLinked(email_id=email_id, template_id=answer.whole("template_id"))


async def _linked_to(app: AppApi, target: str, target_id: int) -> tuple[str, str]:
    """Return what an email is linked to, in words: of an action, the campaign or broadcast."""
    if target in NAMED:
        path, envelope = NAMED[target]
        named = Fields(await app.get(path, target_id=target_id)).wrapped(envelope).text("name")
        return f"it is linked to the {target.replace('_', ' ')}:", named or str(target_id)
    for kind in ("campaign", "broadcast"):
        listed, _ = await beside(f"{kind}s", app.get(f"/v1/{kind}s"))
        for one in Fields(listed or {}).objects(f"{kind}s") or []:
            if any(action.whole("id") == target_id for action in one.objects("actions") or []):
                return f"it is linked to action {target_id} of the {kind}:", one.text("name") or ""
    return "it is linked to an action of no campaign or broadcast that can be read:", str(target_id)
