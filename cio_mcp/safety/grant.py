"""What one caller may do."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from cio_mcp.settings.scopes import TokenSettings
from cio_mcp.settings.values import Names


class Grant(TokenSettings):
    """The bounds of one caller, in the form of the settings of the same names.

    A grant can only narrow. A bound that is not set narrows nothing; a list that is set but empty allows
    nothing.
    """

    name: Annotated[str, Field(pattern=r"^[\w.@-]{1,64}$")]
    workspaces: Names = Field((), description="Only these of the server's workspaces, by their names.")
    expires: AwareDatetime | None = None

    def may_use(self, workspace: str) -> bool:
        """Return whether a workspace may be used. A server's only workspace has no name."""
        if "workspaces" not in self.model_fields_set:
            return True
        return workspace in self.workspaces if workspace else bool(self.workspaces)
