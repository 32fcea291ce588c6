"""Write the contract facts anew: `python -m tests.contract.regenerate FOLDER_OF_OPENAPI_FILES`.

The facts say what each operation that the sandbox imitates takes, in a form of our own:

- a type is `"string"`, `"integer"`, `"number"`, `"boolean"`, `"null"`, `"object"` (of whatever), `"any"`; a
  list of types is any of them;
- `{"enum": [...]}` is one of these values, `{"list": T}` a list of T;
- `{"fields": {name: T}}` is an object of these fields and no others, but for `"more": T`; `"required"` names
  those that may not be missing;
- `"#name"` is a type under `shapes`, where those stand that occur several times;
- an operation has `path`, `query` and `headers` as fields, `body` as a type, in `defaults` what is assumed
  where a field of the query or body is left out, and in `exceptions` what was changed by hand.

`exceptions.json` names each place where the service takes something else than a schema says, and the source.
"""

import json
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import reduce
from pathlib import Path
from typing import Any

from cio_mcp.sandbox.contract import FACTS, anonymous
from cio_mcp.sandbox.routes import TABLES

EXCEPTIONS = Path(__file__).with_name("exceptions.json")

METHODS = {"get", "put", "post", "delete"}
WIDTH = 110

# What of an operation is a type; one that is shorter than this is written out wherever it occurs.
PLACES = {"path", "query", "headers", "body"}
SHORT = 100


def facts(folder: Path) -> dict[str, Any]:
    """Return the facts about what the sandbox imitates, from the OpenAPI files in a folder."""
    known = dict(_operations(folder))
    wanted = {anonymous(f"{method} {path}") for method, path, _ in TABLES}
    if unknown := wanted - known.keys():
        sys.exit(f"in no OpenAPI file: {', '.join(sorted(unknown))}")
    operations = dict(sorted(known[key] for key in wanted))
    shapes: dict[str, Any] = {}
    for exception in json.loads(EXCEPTIONS.read_text(encoding="utf-8")):
        _except(operations, exception)
        shapes |= exception.get("shapes", {})
    return Shapes(operations, shapes).told()


def _except(operations: dict[str, Any], exception: dict[str, Any]) -> None:
    """Put what an exception says in its places; stops where a schema says the same by now."""
    for operation in exception["operations"]:
        fact = operations[operation]
        for at in exception["at"]:
            *way, last = (int(step) if step.isdecimal() else step for step in at.split("/"))
            place = reduce(lambda found, step: found[step], way, fact)
            before = place[last] if isinstance(last, int) else place.get(last)
            added = exception.get("add", [])
            after = exception["is"] if not added else [*before, *added]
            if before == after or any(word in before for word in added):
                sys.exit(f"{exception['name']}: the schema of {operation} says so itself by now")
            place[last] = after
        fact.setdefault("exceptions", []).append(exception["name"])


def _operations(folder: Path) -> Iterator[tuple[str, tuple[str, dict[str, Any]]]]:
    for file in sorted(folder.glob("*.json")):
        document = json.loads(file.read_text(encoding="utf-8"))
        for path, item in document.get("paths", {}).items():
            for method in METHODS & item.keys():
                name = f"{method.upper()} {path}"
                yield anonymous(name), (name, _operation(document, item[method], item.get("parameters", [])))


def _operation(document: dict[str, Any], operation: dict[str, Any], shared: list[Any]) -> dict[str, Any]:
    schema = Schema(document)
    told: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    for raw in (*shared, *operation.get("parameters", [])):
        parameter = schema.resolved(raw)
        place = {"header": "headers"}.get(parameter["in"], parameter["in"])
        if parameter["name"] == "Accept-Language":
            continue  # every browser's
        fields = told.setdefault(place, {"fields": {}})
        fields["fields"][parameter["name"]] = schema.fact(parameter.get("schema", {}))
        if parameter.get("required") and place != "path":
            fields.setdefault("required", []).append(parameter["name"])
        if "default" in (inner := schema.resolved(parameter.get("schema", {}))):
            defaults[parameter["name"]] = inner["default"]
    content = schema.resolved(operation.get("requestBody", {})).get("content", {})
    if "application/json" in content:
        body = content["application/json"]["schema"]
        told["body"] = schema.fact(body)
        defaults |= schema.defaults(body)
    return told | ({"defaults": defaults} if defaults else {})


class Schema:
    """Reads JSON Schemas of one document as facts."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        """Return what a reference refers to."""
        while "$ref" in node:
            found: Any = self._document
            for step in node["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            node = found
        return node

    def fact(self, node: dict[str, Any]) -> Any:
        """Return the type that a schema says."""
        node = self.resolved(node)
        own = [self._object(node)] if "properties" in node else []
        if parts := node.get("allOf"):
            return _all([*map(self.fact, parts), *own])
        if arms := node.get("oneOf") or node.get("anyOf"):
            return _all([_any(map(self.fact, arms)), *own])
        if words := node.get("enum", [node["const"]] if "const" in node else None):
            return {"enum": words}
        return self._of_kind(node, node.get("type") or ("object" if own else "any"))

    def _of_kind(self, node: dict[str, Any], kind: str | list[str]) -> Any:
        match kind:
            case list():
                return _any(self._of_kind(node, one) for one in kind)
            case "object":
                return self._object(node)
            case "array":
                return {"list": self.fact(node.get("items", {}))}
        return kind

    def _object(self, node: dict[str, Any]) -> Any:
        fields = {
            name: self.fact(property_)
            for name, property_ in node.get("properties", {}).items()
            if not self.resolved(property_).get("readOnly")
        }
        more = node.get("additionalProperties", not fields)
        more = "any" if more is True else more and self.fact(more)
        for placeholder in [name for name in fields if name.startswith("<")]:
            more = fields.pop(placeholder)
        if not fields and more == "any":
            return "object"
        told: dict[str, Any] = {"fields": fields} | ({"more": more} if more else {})
        if required := [name for name in node.get("required", []) if name in fields or more]:
            told["required"] = sorted(required)
        return told

    def defaults(self, node: dict[str, Any]) -> dict[str, Any]:
        """Return what is assumed for the fields of an object that are left out."""
        node = self.resolved(node)
        found: dict[str, Any] = {}
        for part in (key for name in ("allOf", "oneOf", "anyOf") for key in node.get(name) or []):
            found |= self.defaults(part)
        for name, property_ in node.get("properties", {}).items():
            if "default" in (inner := self.resolved(property_)):
                found[name] = inner["default"]
        return found


def _any(arms: Iterable[Any]) -> Any:
    """Return what is any of these types; the arms of `oneOf` overlap, so that none excludes another."""
    found: list[Any] = []
    for arm in arms:
        found += [one for one in (arm if isinstance(arm, list) else [arm]) if one not in found]
    return found[0] if len(found) == 1 else "any" if "any" in found else found


def _all(parts: list[Any]) -> Any:
    """Return the object that has the fields of all parts; alternatives among them multiply it."""
    for number, part in enumerate(parts):
        if isinstance(part, list) and len(parts) > 1:
            return _any(_all([*parts[:number], arm, *parts[number + 1 :]]) for arm in part)
    objects = [part for part in parts if isinstance(part, dict)]
    if len(objects) < 2:
        return objects[0] if objects else parts[0]
    told: dict[str, Any] = {"fields": {}}
    for part in objects:
        told["fields"] |= part["fields"]
        told |= {"more": part["more"]} if "more" in part else {}
    required = {name for part in objects for name in part.get("required", [])}
    return told | ({"required": sorted(required)} if required else {})


class Shapes:
    """Gives names to the types that occur several times and are long."""

    def __init__(self, operations: dict[str, Any], named: dict[str, Any]) -> None:
        self._operations = operations
        self._count: Counter[str] = Counter()
        self._names: dict[str, str] = {}
        self._told = named

    def told(self) -> dict[str, Any]:
        """Return the operations, and the types that they refer to."""
        for operation in self._operations.values():
            for place in PLACES & operation.keys():
                for _, part in _parts(operation[place]):
                    self._look(part)
        operations = {
            name: {
                place: self._parts_short(value, place) if place in PLACES else value
                for place, value in operation.items()
            }
            for name, operation in self._operations.items()
        }
        return {"shapes": dict(sorted(self._told.items())), "operations": operations}

    def _look(self, fact: Any) -> None:
        text = json.dumps(fact)
        self._count[text] += 1
        if self._count[text] == 1:  # the parts of what has a name count once
            for _, part in _parts(fact):
                self._look(part)

    def _short(self, fact: Any, name: str) -> Any:
        """Return a type with names in place of what has one; `name` is the field that it is of."""
        text = json.dumps(fact)
        if len(text) < SHORT or self._count[text] == 1:
            return self._parts_short(fact, name)
        if text not in self._names:
            taken = sum(other.rstrip("0123456789") == name for other in self._told)
            self._names[text] = f"{name}{taken + 1}" if taken else name
            self._told[self._names[text]] = None  # the name is taken
            self._told[self._names[text]] = self._parts_short(fact, name)
        return f"#{self._names[text]}"

    def _parts_short(self, fact: Any, name: str) -> Any:
        match fact:
            case list():
                return [self._short(arm, name) for arm in fact]
            case {"list": kind}:
                return {"list": self._short(kind, name)}
            case {"fields": fields}:
                short = {field: self._short(kind, field) for field, kind in fields.items()}
                return fact | {"fields": short}
        return fact


def _parts(fact: Any) -> Iterator[tuple[str, Any]]:
    """Yield the types that a type is made of, each with the name of its field."""
    match fact:
        case list():
            yield from (("", arm) for arm in fact)
        case {"list": kind}:
            yield "", kind
        case {"fields": fields}:
            yield from fields.items()


def pretty(value: Any, indent: str = "", name: str = "") -> str:
    """Return JSON with what fits a line on one line, and lists of words filled."""
    line = json.dumps(value, ensure_ascii=False)
    if len(indent + name + line) < WIDTH or not isinstance(value, (dict, list)):
        return name + line
    deeper = indent + "  "
    if isinstance(value, list) and all(isinstance(item, str) and " " not in item for item in value):
        inside = textwrap.fill(
            line[1:-1], WIDTH, initial_indent=deeper, subsequent_indent=deeper, break_on_hyphens=False
        )
        return f"{name}[\n{inside}\n{indent}]"
    if isinstance(value, list):
        inside = ",\n".join(f"{deeper}{pretty(item, deeper)}" for item in value)
        return f"{name}[\n{inside}\n{indent}]"
    fields = (deeper + pretty(item, deeper, f"{json.dumps(field)}: ") for field, item in value.items())
    return name + "{\n" + ",\n".join(fields) + f"\n{indent}}}"


if __name__ == "__main__":
    FACTS.write_text(pretty(facts(Path(sys.argv[1]))) + "\n", encoding="utf-8")
