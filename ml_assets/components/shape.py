"""What is wrong with the fields of a declaration, each by itself: unknown, missing, of the wrong type or value.

Pydantic finds it; here it is said once each, at its place, with the nearest name or an example. What two fields have
to do with each other is the business of `relations.py`.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ml_assets.components.mistakes import Mistake, nearest, shown_path
from ml_assets.components.places import KeyPath
from ml_assets.components.schema import Schema, attributes_schema, schema_at

_NOUNS = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}
_PATTERNS = {
    r"^[a-z][a-z0-9_]{0,62}$": "Use at most 63 lower-case letters, digits and _, a letter first",
    r"^[A-Za-z_][A-Za-z0-9_ ]{0,62}$": "Use at most 63 letters, digits, _ and spaces, no digit first",
    r"^[A-Z][A-Z0-9_]*$": "Name an environment variable: upper-case letters, digits and _",
    r"^([\w./-]+\.py|\w+(\.\w+)*):\w+$": "Write `file.py:name` or `package.module:name`",
}
_LIMITS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "of at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "of at most"),
}


def field_mistakes(component: str, model: type[BaseModel], attributes: Mapping[str, Any]) -> Iterator[Mistake]:
    """Every mistake that concerns one field, once each; values that Pydantic would bend into shape are mistakes, too.

    Args:
        component: Class name, for its schema.
        model: What the attributes must satisfy.
        attributes: As read from YAML.

    Yields:
        Mistakes with paths from the top of the attributes.
    """
    schema = attributes_schema(component)
    found: dict[KeyPath, list[ErrorDetails]] = defaultdict(list)
    try:
        model.model_validate(attributes)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            found[_place(detail, attributes)].append(detail)
    for path, details in found.items():
        below = any(other[: len(path)] == path and other != path for other in found)
        if below and details[0]["type"] == "too_short":
            continue  # Pydantic counts what is left of a list after its bad items
        yield _mistake(path, details, attributes, schema)
    for path, text in _bent(attributes, (), schema):
        if not any(path[: len(known)] == known for known in found if known):
            yield Mistake(path, f"`{shown_path(path, attributes)}` is {_value(attributes, path)}", text)


def _place(detail: ErrorDetails, attributes: Any) -> KeyPath:
    """Where in the YAML an error is; Pydantic's own steps through unions are left out."""
    path, value = [], attributes
    *steps, last = detail["loc"] or ("",)
    for step in steps:
        if (isinstance(value, Mapping) and step in value) or (isinstance(value, list) and isinstance(step, int)):
            value = value[step]  # type: ignore[index]
            path.append(step)
    if detail["type"] == "missing" or (isinstance(value, Mapping) and last in value):
        path.append(last)
    elif isinstance(value, list) and isinstance(last, int):
        path.append(last)
    if detail["type"] == "union_tag_invalid":
        path.append("kind")
    if detail["type"] == "union_tag_not_found" and isinstance(detail["input"], Mapping):
        path.append("kind")
    return tuple(path)


def _mistake(path: KeyPath, details: list[ErrorDetails], attributes: Any, schema: Schema) -> Mistake:
    detail, name = details[0], f"`{shown_path(path, attributes)}`"
    kind, context = detail["type"], detail.get("ctx", {})
    node = schema_at(schema, attributes, path)
    if kind == "value_error":
        return _said(path, str(context["error"]), attributes)
    if detail["loc"] and detail["loc"][-1] == "[key]":
        return Mistake(path, f"`{shown_path(path[:-1], attributes)}` has the key {path[-1]!r}", _key(path, detail))
    if kind in ("missing", "union_tag_not_found"):
        return Mistake(path, f"{name} is missing", f"Add it: {_described(node)}")
    if kind == "extra_forbidden":
        known = schema_at(schema, attributes, path[:-1]).get("properties", {})
        return Mistake(path, f"{name} is no field", nearest(path[-1], known))
    value = _value(attributes, path)
    if kind == "literal_error":
        return Mistake(path, f"{name} is {value}", nearest(detail["input"], _choices(node)))
    if kind == "union_tag_invalid":
        tags = [tag.strip().strip("'") for tag in str(context["expected_tags"]).split(",")]
        return Mistake(path, f"{name} is {value}", nearest(context["tag"], tags))
    if kind == "string_pattern_mismatch":
        pattern = str(context["pattern"])
        return Mistake(path, f"{name} is {value}", _PATTERNS.get(pattern, f"It must match {pattern}"))
    return Mistake(path, f"{name} is {value}", _wanted(details, node))


def _said(path: KeyPath, message: str, attributes: Any) -> Mistake:
    """A validator's own words, at the field that they name first."""
    value = attributes
    for step in path:
        value = value[step]
    if isinstance(value, Mapping):
        words = re.findall(r"\w+", message)
        path = next(((*path, word) for word in words if word in value), path)
    place = shown_path(path, attributes)
    culprit, _, remedy = message.partition("; ")
    culprit = culprit if place in ("", culprit.split(" ")[0].strip("`")) else f"`{place}`: {culprit}"
    return Mistake(path, culprit, remedy[:1].upper() + remedy[1:])


def _wanted(details: list[ErrorDetails], node: Schema) -> str:
    detail = details[0]
    kind, context = detail["type"], detail.get("ctx", {})
    example = _example(node)
    if kind in _LIMITS:
        key, text = _LIMITS[kind]
        return f"Give {_nouns(node) or 'a value'} {text} {context[key]}{example}"
    if kind in ("too_short", "string_too_short"):
        return f"Give at least {context['min_length']}{example}"
    if kind in ("too_long", "string_too_long"):
        return f"Give at most {context['max_length']}{example}"
    if kind.startswith(("date", "timezone")) and (said := context.get("error")):
        return f"Give a day or time ({said}){example}"
    return f"Give {_nouns(node) or detail['msg']}{example}"


def _key(path: KeyPath, detail: ErrorDetails) -> str:
    if not isinstance(path[-1], str):
        return "YAML does not read it as text: put it in quotes"
    return _PATTERNS.get(str(detail.get("ctx", {}).get("pattern")), detail["msg"])


def _bent(value: Any, path: KeyPath, schema: Schema) -> Iterator[tuple[KeyPath, str]]:
    """Leaves that are of another type, or written otherwise, than the schema says."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _bent(inner, (*path, key), schema)
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _bent(inner, (*path, position), schema)
