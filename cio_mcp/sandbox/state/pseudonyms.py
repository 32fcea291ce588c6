"""What stands for an identifier of somebody who was forgotten: it tells the same one, and not which."""

from cio_mcp.sandbox.engine import chance
from cio_mcp.sandbox.state.things import Things


def of(workspace: Things, identifier: str) -> str:
    """Return the pseudonym of an identifier, by which it is still known to be blocked, or forgotten."""
    return f"forgotten-{chance.digest(8, workspace.seed, 'forgotten', identifier.casefold()).hex()}"
