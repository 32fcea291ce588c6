"""The operations of the imitated APIs, by name: here a client's request meets one that is done again."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from cio_mcp.sandbox.contract import CONTRACT
from cio_mcp.sandbox.http import ApiRequest, Handler, Rejected
from cio_mcp.sandbox.routes import TABLES
from cio_mcp.sandbox.state.requests import KeptRequest
from cio_mcp.sandbox.state.workspace import Workspace


@dataclass(frozen=True)
class Operation:
    """One: its method, its path with the names of its parts, and what answers."""

    method: str
    path: str
    handler: Handler

    @property
    def name(self) -> str:
        """How it is named."""
        return f"{self.method} {self.path}"

    @cached_property
    def facts(self) -> dict[str, Any] | None:
        """What Customer.io's descriptions say of it."""
        return CONTRACT.of(self.method, self.path)

    def answer(self, asked: ApiRequest) -> Any:
        """Return the answer to a request that the API's descriptions know; raises Rejected.

        A handler's own words come first. Documented: which names and words there are.
        Assumed (unknown fields): any other is refused.
        """
        body = asked.json() if asked.body.strip() else None
        fault = CONTRACT.fault(self.facts, asked.ids, asked.query, body) if self.facts is not None else None
        try:
            answer = self.handler(asked)
        except Rejected:
            raise
        except Exception:
            if fault is None:
                raise
        if fault is None:
            return answer
        raise asked.refusal(fault)

    def kept(self, asked: ApiRequest) -> KeptRequest:
        """Return a request as it is kept."""
        body = asked.body.decode(errors="surrogateescape")
        return KeptRequest(
            self.name, {"path": asked.path, "ids": asked.ids, "query": asked.query, "body": body}
        )

    def answer_again(self, kept: KeptRequest, workspace: Workspace) -> None:
        """Answer a request that was kept; raises Rejected."""
        body = kept.body["body"].encode(errors="surrogateescape")
        self.answer(ApiRequest(kept.body["path"], kept.body["ids"], kept.body["query"], body, workspace))

    def ids(self, path: Sequence[str]) -> dict[str, str] | None:
        """Return the named parts of a path, each decoded once; None if it is not this operation's."""
        found = {}
        for wanted, part in zip(self._parts, path, strict=True):
            if wanted.startswith("{") and part:
                found[wanted[1:-1]] = unquote(part, errors="replace")
            elif wanted != part:
                return None
        return found

    @cached_property
    def _parts(self) -> list[str]:
        return self.path.split("/")[1:]


OPERATIONS = {one.name: one for one in (Operation(method, path, handler) for method, path, handler in TABLES)}

# By what tells most of them apart: the method, and in how many parts the path is.
_ALIKE = defaultdict[tuple[str, int], list[Operation]](list)
for _operation in OPERATIONS.values():
    _ALIKE[_operation.method, _operation.path.count("/")].append(_operation)


def asked_for(method: str, path: Sequence[str]) -> tuple[Operation | None, dict[str, str]]:
    """Return the first operation that fits a request, and the named parts of the path."""
    for operation in _ALIKE.get((method, len(path)), ()):
        if (ids := operation.ids(path)) is not None:
            return operation, ids
    return None, {}
