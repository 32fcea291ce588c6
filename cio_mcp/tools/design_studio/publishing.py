"""Reviewing and publishing emails of Design Studio: publishing changes what messages say."""

import asyncio
from typing import Annotated, Literal

from pydantic import Field

from cio_mcp.client import AppApi, RequestKind
from cio_mcp.client.call import Replacement
from cio_mcp.errors import InvalidArgument, Refused
from cio_mcp.toolkit.answers.reading import Fields, made, needed
from cio_mcp.toolkit.answers.shapes import Acted, Cut, Quoted, Shape
from cio_mcp.toolkit.arguments.types import ItemKey
from cio_mcp.toolkit.people.consequences import Consequence, affects
from cio_mcp.toolkit.polling import Polling
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.texts.design_studio import (
    EMAIL,
    EmailId,
    Language,
    components_in,
    differing,
    differing_nodes,
    node_id,
    read_nodes,
    sent_in,
    texts_in,
    told_components,
)
from cio_mcp.toolkit.texts.difference import difference

tools = Toolbox(__name__)

# Findings that are told, the worst first.
FINDINGS, SEVERITIES = 20, ("error", "warning", "tip")

# Seconds for which publishing several languages is waited for.
WAIT = 10.0

# Documented: what makes publishing fail is the answer to the question how far it is.
FAILURES = {400, 409, 422}

LOOK = "Do not call again yet: call get_email, which says whether all of it is published."

# Of a linked email the API tells that it is, and not to what (App API, Design Studio).
GOES_LIVE = "the email that goes live, in the message that it is linked to (the API does not say which):"


class ReviewFinding(Shape):
    """A problem found in an email."""

    severity: str | None = None
    check: str | None = None
    title: str | None = None
    details: str | None = None


class Review(Quoted, Cut):
    """What Customer.io says against an email."""

    score: int | None = Field(None, description="0 to 100; at most 60 with an error.")
    counts: dict[str, int] | None = None
    findings: list[ReviewFinding] = Field(description="Worst first.")
    not_checked: list[str] | None = Field(None, description="Checks that were not completed.")


@tools.reads
async def review_email(app: AppApi, email_id: EmailId, language: Language = None) -> Review:
    """Let Customer.io review an email of Design Studio: links, images, accessibility, spam, Liquid."""
    node = await node_id(app, email_id, language)
    answer = Fields(await app.get(f"{EMAIL}/review", email_id=node))
    if answer.text("status") == "render_failed":
        raise Refused("Customer.io could not render this email.", do="get_email lists its faults by line.")
    findings = needed(answer.objects("findings"), "findings")
    failed = [item for item in findings if item.text("state") != "pass"]
    found = sorted((_finding(item) for item in failed), key=_rank)
    checks = answer.mapping("checks") or {}
    undone = [name for name, check in checks.items() if Fields(check).text("status") in {"degraded", "error"}]
    score = answer.fields("score")
    counts = score.fields("counts")
    more = f"{len(found) - FINDINGS} more findings" if len(found) > FINDINGS else None
    return Review(
        score=score.whole("score"),
        counts={name: count for name in counts.raw if (count := counts.whole(name)) is not None} or None,
        findings=found[:FINDINGS],
        not_checked=undone or None,
        left_out="some checks are still running: call again" if answer.text("status") == "partial" else more,
    )


def _finding(item: Fields) -> ReviewFinding:
    return ReviewFinding(
        severity=item.text("severity"),
        check=item.text("check"),
        title=item.text("title"),
        details=item.text("details", "summary"),
    )


def _rank(finding: ReviewFinding) -> int:
    known = finding.severity in SEVERITIES
    return SEVERITIES.index(finding.severity) if known and finding.severity else len(SEVERITIES)


class EmailPublished(Acted):
    """A published email."""

    outcome: Literal["published", "pending"] = Field(
        "published",
        description="published: the message uses it now; pending: get_publish_state tells when it does.",
    )
    email_id: str
    languages: list[str] | None = Field(None, description="Published translations, beside the email itself.")
    changes: dict[str, list[str]] | None = Field(
        None,
        description="What changed, by field: removed lines begin with -, added lines with +.",
    )
    publish_id: str | None = None


@tools.writes
@affects(Consequence.PUBLISHING)
async def publish_email(app: AppApi, email_id: EmailId) -> EmailPublished:
    """Publish an email of Design Studio, in all its languages, to the message it is linked to: live at once.

    Review it first with review_email and preview_message.
    """
    nodes = await read_nodes(app, email_id)
    if nodes[""].flag("is_linked") is False:
        raise InvalidArgument("email_id: this email is not linked to a message; call link_email first")
    answer = Fields(await app.get(f"{EMAIL}/unpublished_changes", email_id=email_id))
    if answer.flag("has_unpublished_changes") is False:
        raise InvalidArgument("email_id: all of this email is published already")
    then, now = await asyncio.gather(
        asyncio.gather(*(_published(app, node.text("id") or email_id) for node in nodes.values())),
        components_in(app, [texts_in(node)["html"] for node in nodes.values()]),
    )
    pairs = differing_nodes(nodes, [sent for sent, _ in then])
    included = {tag: html for _, components in then for tag, html in components.items()}
    pairs |= {f"component {tag}": pair for tag, pair in differing(included, now).items()}
    app.call.replaces = Replacement(pairs, [(GOES_LIVE, nodes[""].text("name") or email_id)])
    answer = Fields(
        await app.post(f"{EMAIL}/publish", {}, kind=RequestKind.ONCE, if_unknown=LOOK, email_id=email_id)
    )
    changes = {name: difference(*pair) for name, pair in pairs.items()}
    if answer.text("status") != "pending":
        return _done(email_id, answer, changes)
    publish_id = made(answer.text("publish_id"), "publish_id", LOOK)
    polling = Polling(app.call, WAIT, longest=3.0)
    while not polling.over:
        await polling.pause("Publishing")
        try:
            state = await _state(app, email_id, publish_id)
        except Refused as refused:
            if refused.status not in FAILURES:
                continue
            app.call.effects = 0  # of what was begun nothing is published
            raise
        if state.text("status") == "done":
            return _done(email_id, state, changes)
    return EmailPublished(
        outcome="pending", email_id=email_id, changes=changes or None, publish_id=publish_id
    )


def _done(email_id: str, answer: Fields, changes: dict[str, list[str]]) -> EmailPublished:
    mappings = answer.objects("mappings") or []
    languages = [language for item in mappings if (language := item.text("language"))]
    return EmailPublished(email_id=email_id, languages=languages or None, changes=changes or None)


async def _published(app: AppApi, node: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return what is sent of a node as it was published last, and its components; nothing if it never was."""
    versions = Fields(await app.get(f"{EMAIL}/versions", email_id=node)).listed("versions")
    made_then = [one for one in versions if one.flag("created_on_publish") and one.text("id")]
    newest = max(made_then, key=lambda one: one.seconds("created") or 0, default=None)
    if newest is None:
        return {}, {}
    path = f"{EMAIL}/versions/{{version_id}}"
    version = Fields(await app.get(path, email_id=node, version_id=newest.text("id")))
    return sent_in(version.fields("node")), told_components(version.objects("dependencies") or ())


async def _state(app: AppApi, email_id: str, publish_id: str) -> Fields:
    path = f"{EMAIL}/publish_status"
    return Fields(await app.get(path, {"publish_id": publish_id}, email_id=email_id))


class PublishState(Cut):
    """How far publishing is."""

    state: str = Field(description="pending or done.")
    languages: list[str] | None = Field(None, description="Published translations, beside the email itself.")


@tools.reads
async def get_publish_state(
    app: AppApi,
    email_id: EmailId,
    publish_id: Annotated[ItemKey, Field(description="From publish_email.")],
) -> PublishState:
    """Read the progress of publishing a Design Studio email. If it failed, an error gives the reason."""
    answer = await _state(app, email_id, publish_id)
    mappings = answer.objects("mappings") or []
    languages = [language for item in mappings if (language := item.text("language"))]
    return PublishState(state=needed(answer.text("status"), "status"), languages=languages or None)
