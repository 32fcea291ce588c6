"""JSON schemas that every host can read."""

from typing import Any

_NULL = {"type": "null"}


def flat_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a pydantic schema without `$ref`, titles, null alternatives and entries that add nothing.

    Some hosts hide every tool of a server whose schemas use these, and each byte costs the model's context.
    """
    definitions = schema.pop("$defs", {})

    def clean(node: Any) -> Any:
        if isinstance(node, list):
            return [clean(item) for item in node]
        if not isinstance(node, dict):
            return node
        if _NULL in (arms := node.get("anyOf", [])):
            rest = [arm for arm in arms if arm != _NULL]
            node = {**node, "anyOf": rest} if len(rest) > 1 else {**rest[0], **node, "anyOf": None}
        if reference := node.get("$ref"):
            node = {**definitions[reference.rpartition("/")[2]], **node}
        return {
            key: {name: clean(property_) for name, property_ in value.items()}
            if key == "properties"
            else clean(value)
            for key, value in node.items()
            if not _says_nothing(key, value)
        }

    cleaned: dict[str, Any] = clean(schema)
    cleaned.pop("description", None)  # the tool's own description says it already
    return cleaned


def _says_nothing(key: str, value: object) -> bool:
    if key == "default":
        return value is None or value is False or value == []
    return key in {"$ref", "title"} or value is None or (key == "additionalProperties" and value is True)


def without(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return an object's schema without a property."""
    return schema | {"properties": {key: value for key, value in schema["properties"].items() if key != name}}


def either_schema(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return one object schema for two kinds of answer, which differ in `outcome`."""
    outcomes = [schema["properties"]["outcome"] for schema in (one, other)]
    outcome = {
        "type": "string",
        "enum": [word for kind in outcomes for word in _words(kind)],
        "description": " ".join(
            f"{kind['const']}: {kind['description']}" if "const" in kind else kind["description"]
            for kind in outcomes
        ),
    }
    return {
        "type": "object",
        "properties": {**one["properties"], **other["properties"], "outcome": outcome},
        "required": ["outcome"],
    }


def _words(kind: dict[str, Any]) -> list[str]:
    return [kind["const"]] if "const" in kind else kind["enum"]
