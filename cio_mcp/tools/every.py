"""All tools together. To import them takes a third of a call at the shell, which needs only one toolset."""

from cio_mcp.tools import (
    broadcasts,
    bulk,
    campaigns,
    content,
    data_quality,
    deliverability,
    design_studio,
    events,
    messages,
    metrics,
    newsletters,
    objects,
    people,
    sandbox,
    segments,
    status,
    transactional,
    workspace,
)

TOOLSETS = (
    *(people.tools, objects.tools, segments.tools, events.tools, bulk.tools),
    *(campaigns.tools, broadcasts.tools, newsletters.tools, content.tools),
    design_studio.tools,
    *(transactional.tools, messages.tools, deliverability.tools, metrics.tools),
    *(data_quality.tools, workspace.tools, status.tools),
)

TOOLS = [tool for toolset in TOOLSETS for tool in toolset]

# Tools that are there on an embedded sandbox only: no live list has them.
SANDBOX_TOOLS = list(sandbox.tools)
