"""Masking keeps the type of every field of an answer, so that no client refuses the answer."""

from typing import Any

import jsonschema
import pytest

from cio_mcp.safety.privacy.mask import Mask
from cio_mcp.toolkit.answers.shapes import Answer, Preview
from cio_mcp.tools.every import SANDBOX_TOOLS, TOOLS
from tests.agent import an_agent
from tests.safety.test_privacy import KEY

# Words that an answer may use as names, too.
mask = Mask(KEY, ["name", "subject", "opened", "last_login_at"])
ANSWERS = dict.fromkeys([Preview, *(tool.result for tool in (*TOOLS, *SANDBOX_TOOLS))])


def filled(schema: dict[str, Any], parts: dict[str, Any]) -> Any:
    """Return what fits a schema and has in it all that may be, with hidden names where any name may be."""
    while choice := schema.get("anyOf"):
        schema = choice[0]
    if "$ref" in schema:
        return filled(parts[schema["$ref"].rpartition("/")[2]], parts)
    if fixed := schema.get("enum", [schema.get("const")])[0]:
        return fixed
    kind = schema.get("type", "string")
    if kind == "object":
        open_to = schema.get("additionalProperties")
        fields = {name: filled(part, parts) for name, part in schema.get("properties", {}).items()}
        if isinstance(open_to, dict):
            fields |= {name: filled(open_to, parts) for name in ("name", "mobile")}
        return fields
    if kind == "array":
        return [filled(schema.get("items", {}), parts)]
    return {"integer": 12345678, "number": 12345678, "boolean": True}.get(kind, "Ada")


@pytest.mark.repeating
@pytest.mark.parametrize("kind", ANSWERS, ids=lambda kind: kind.__name__)
def test_a_masked_answer_fits_its_schema(kind: type[Answer]) -> None:
    schema = kind.model_json_schema(mode="serialization")
    answer = kind.model_validate(filled(schema, schema.get("$defs", {})))
    hidden = mask.hide(answer.model_dump(mode="json", exclude_none=True), answer)

    jsonschema.Draft202012Validator(schema).validate(hidden)


@pytest.mark.anyio
@pytest.mark.parametrize("words", [{"dry_run": True}, {}])
async def test_an_email_whose_name_changes_is_told_with_its_name_masked(words: dict[str, Any]) -> None:
    async with an_agent(pii="mask", toolsets="all") as agent:
        email_id = (await agent.call("list_emails"))["emails"][0]["email_id"]
        answer = await agent.call("update_email", email_id=email_id, name="New name", **words)

    assert set(answer["changes"]["name"]) == {"[masked]"}


@pytest.mark.anyio
async def test_why_a_message_came_does_not_tell_what_a_hidden_attribute_became() -> None:
    async with an_agent(sandbox="on", pii="mask", pii_attributes="favourite") as agent:
        await agent.call("identify_customer", customer_id="u_1001", attributes={"favourite": "teal"})
        told = await agent.call("explain_sandbox_message", person="u_1001", message="newsletter 21")

    assert set(told["chain"]) == {"[masked]"}
