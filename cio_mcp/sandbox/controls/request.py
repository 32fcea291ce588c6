"""What is asked of a control."""

import reprlib
from dataclasses import dataclass
from typing import Any

from cio_mcp.sandbox.state.workspace import Workspace

# How each kind of value is called.
NUMBER: Any = int | float
LONGEST = 1000
WORDS = {str: "a text", bool: "true or false", NUMBER: "a number"}


@dataclass(frozen=True)
class ControlRequest:
    """What is asked of a control: a part of the path, and a body."""

    workspace: Workspace
    which: str
    body: Any

    def fields(self, **kinds: type) -> list[Any]:
        """Return fields of the body, None where they are missing.

        Raises ValueError for another kind of value, a text that is too long, and for an unknown field.
        """
        body = {} if self.body is None else self.body
        if not isinstance(body, dict) or body.keys() - kinds.keys():
            raise ValueError(f"the body must be an object with nothing but {' and '.join(kinds)}")
        for name, value in body.items():
            # JSON's true is not a number.
            if not isinstance(value, kinds[name]) or isinstance(value, bool) is not (kinds[name] is bool):
                raise ValueError(f"{name} must be {WORDS[kinds[name]]}; it is {reprlib.repr(value)}")
            if isinstance(value, str) and len(value) > LONGEST:
                raise ValueError(
                    f"{name} must be a text of at most {LONGEST} characters; it has {len(value)}"
                )
        return [body.get(name) for name in kinds]
