"""What one caller may do of what the server does."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from cio_mcp.settings.scopes import TokenSettings
from cio_mcp.settings.values import Names


class Grant(TokenSettings):
    """Bounds of one caller, in the words of the settings of the same names.

    A grant can only narrow: what is not set is not narrowed, and a list that is set and empty leaves nothing.
    """

    name: Annotated[str, Field(pattern=r"^[\w.@-]{1,64}$")]
    workspaces: Names = Field((), description="Only these of the server's workspaces, by their names.")
    expires: AwareDatetime | None = None

    def may_use(self, workspace: str) -> bool:
        """Say whether a workspace may be used; one that stands alone has no name, and is for all."""
        if "workspaces" not in self.model_fields_set:
            return True
        return workspace in self.workspaces if workspace else bool(self.workspaces)
