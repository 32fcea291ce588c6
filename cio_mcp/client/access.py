"""Access to an API: its address and credentials, and what a 401 can mean."""

import html
import json
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, Self
from urllib.parse import quote, quote_plus

# What is shorter is no key, and could be part of any word.
SHORTEST_KEY = 8

OTHER_REGION: dict[str, Literal["us", "eu"]] = {"us": "eu", "eu": "us"}


@dataclass
class Access:
    """Where an API is and what opens it.

    `base_url` is scheme, host and an optional path; `authorization` the whole header; `region` is None
    where the address is not one of Customer.io's own; `workspace` is whose budget of requests it uses.
    `sends_only` is what a service account token opens: sends, for the workspace that `workspace_id` names.
    `worked` turns true with the first success of this API, and `sibling` is the other API's access: together
    they are the evidence for `explain_401`.
    """

    api: Literal["track", "app"]
    base_url: str
    authorization: str = field(repr=False)
    region: Literal["us", "eu"] | None = "us"
    workspace: str = ""
    suspicion: str = ""
    sends_only: bool = False
    workspace_id: int | None = None
    worked: bool = False
    sibling: Self | None = field(default=None, repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """The headers that open the API (App API, "securitySchemes")."""
        found = {"Authorization": self.authorization}
        return found | ({"X-Workspace-Id": str(self.workspace_id)} if self.sends_only else {})

    def without_keys(self, body: bytes) -> bytes:
        """Return an answer's body without what opens the API, in any form in which it may be sent back."""
        for secret in self._echoes:
            if secret in body:
                body = body.replace(secret, b"[key]")
        return body

    @cached_property
    def _echoes(self) -> list[bytes]:
        scheme, _, sent = self.authorization.partition(" ")
        keys = [sent]
        if scheme == "Basic":
            pair = b64decode(sent, validate=True).decode("latin-1")
            keys += [pair, pair.partition(":")[2]]
        forms = {
            form for key in keys for form in (key, quote(key, safe=""), quote_plus(key), html.escape(key))
        }
        forms |= {b64encode(key.encode()).decode().rstrip("=") for key in keys} | {
            repr(key)[1:-1] for key in keys
        }
        forms |= {json.dumps(key)[1:-1] for key in keys}
        return [form.encode() for form in sorted(forms, key=len, reverse=True) if len(form) >= SHORTEST_KEY]

    def explain_401(self) -> str:
        """Say what a 401 can mean here and what to do, ruling out what the evidence rules out.

        Only App keys can be limited to IP addresses, and neither API says why it answers 401
        (customer.io/docs, Common API errors).
        """
        if self.worked:
            moved = ", or is limited to other IP addresses than this machine's" if self.api == "app" else ""
            return f"This key worked before in this process: it has been revoked or replaced{moved}."
        causes = [self.suspicion] if self.suspicion else []
        if self.api == "track":
            causes.append("CIO_SITE_ID and CIO_TRACK_API_KEY must be a Track pair (not an App API key)")
        elif self.sends_only:
            causes.append("CIO_APP_API_KEY must be a service account token that has not been revoked")
            causes.append("CIO_WORKSPACE_ID must be the id of a workspace that it may send for")
        else:
            causes.append("CIO_APP_API_KEY must be an App API key (not a Track API key)")
            causes.append(
                "an App API key can be limited to IP addresses, and this machine's may not be among them"
            )
        if self.region and not (self.sibling and self.sibling.worked):
            causes.append(f"the workspace may be in the other region: CIO_REGION={OTHER_REGION[self.region]}")
        return f"Check, in this order: {'; '.join(causes)}."
