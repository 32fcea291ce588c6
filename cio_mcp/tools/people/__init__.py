"""The toolset `people`: customers, whom Customer.io's pages also call people and profiles."""

from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.tools.people import devices, identities, profiles, relationships, search, subscriptions

tools = Toolbox(
    __name__,
    *(profiles.tools, search.tools, identities.tools),
    *(subscriptions.tools, devices.tools, relationships.tools),
)
