"""What the schema says of one place in a declaration: its fields, choices, type, example, and whether a value is bent.

Only looks up. Which mistake is made of it is the business of `shape.py`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from ml_assets.components.places import KeyPath
from ml_assets.components.schema import Schema

_NOUNS = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}


def field_at(root: Schema, attributes: Any, path: KeyPath) -> Schema:
    """The schema of a place, in the form that its `kind` chooses; {} where the schema knows no such place."""
    node, value = _resolved(root, root, attributes), attributes
    for step in path:
        inside = value[step] if _holds(value, step) else None
        node, value = _resolved(root, _child(node, step), inside), inside
    return node


def bent(root: Schema, attributes: Any) -> Iterator[KeyPath]:
    """Places of values that are of another type, or written otherwise, than the schema says.

    Pydantic turns the text "10" into a number, and the number 20130101 into a day: a declaration must not.
    """
    yield from _bent(root, _resolved(root, root, attributes), attributes, ())


def nouns(node: Schema) -> str:
    """What a value has to be, in words."""
    if "enum" in node:
        return "one of " + ", ".join(str(value) for value in node["enum"] if value is not None)
    wanted = [kind for kind in _types(node) if kind != "null"]
    if "number" in wanted and "integer" in wanted:
        wanted.remove("integer")
    *most, last = [_NOUNS[kind] for kind in wanted] or [""]
    return f"{', '.join(most)} or {last}" if most else last


def example(node: Schema) -> str:
    """An example as YAML in one line."""
    found = node.get("examples")
    if not found:
        return ""
    text = yaml.safe_dump(found[0], default_flow_style=True, sort_keys=False, width=10_000)
    return text.removesuffix("\n").removesuffix("\n...")


def choices(node: Schema) -> list[Any]:
    """All values that a place can have, where they are listed."""
    return [value for value in node.get("enum", [node["const"]] if "const" in node else []) if value is not None]


def _bent(root: Schema, node: Schema, value: Any, path: KeyPath) -> Iterator[KeyPath]:
    if not _is_as_declared(node, value):
        yield path
    elif isinstance(value, Mapping | list):
        for step, inside in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from _bent(root, _resolved(root, _child(node, step), inside), inside, (*path, step))


def _is_as_declared(node: Schema, value: Any) -> bool:
    allowed = set(_types(node))
    if allowed and not _json_types(value) & allowed:
        return False
    return not isinstance(value, str) or re.search(node.get("pattern", ""), value) is not None


def _json_types(value: Any) -> set[str]:
    match value:
        case None:
            return {"null"}
        case bool():
            return {"boolean"}
        case int():
            return {"integer", "number"}
        case float():
            return {"integer", "number"} if value.is_integer() else {"number"}
        case Mapping():
            return {"object"}
        case list():
            return {"array"}
    return {"string"}


def _types(node: Schema) -> list[str]:
    found: list[str] = []
    for each in [node, *node.get("anyOf", ())]:
        kind = each.get("type", [])
        found += [kind] if isinstance(kind, str) else kind
    return list(dict.fromkeys(found))


def _child(node: Schema, step: str | int) -> Schema:
    if isinstance(step, int):
        found = node.get("items")
    elif step in (properties := node.get("properties", {})):
        found = properties[step]
    else:
        found = next(iter(node.get("patternProperties", {}).values()), node.get("additionalProperties"))
    return found if isinstance(found, dict) else {}


def _resolved(root: Schema, node: Schema, value: Any) -> Schema:
    """References followed, the form chosen by its kind; the field's own description and examples kept."""
    own = {key: text for key, text in node.items() if key in ("description", "examples", "default")}
    if "$ref" in node:
        return {**_resolved(root, root["$defs"][node["$ref"].removeprefix("#/$defs/")], value), **own}
    forms = node.get("discriminator", {}).get("mapping", {})
    if isinstance(value, Mapping) and str(value.get("kind")) in forms:
        return {**_resolved(root, {"$ref": forms[value["kind"]]}, value), **own}
    return node


def _holds(value: Any, step: str | int) -> bool:
    if isinstance(value, list):
        return isinstance(step, int) and step < len(value)
    return isinstance(value, Mapping) and step in value
