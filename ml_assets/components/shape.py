"""What is wrong with the fields of a declaration, each by itself: unknown, missing, of the wrong type or value.

Pydantic finds it; here it is said once each, at its place, with the nearest name or an example. What two fields have
to do with each other is the business of `relations.py`.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ml_assets.components.fields import bent, choices, example, field_at, nouns
from ml_assets.components.mistakes import Mistake, nearest, shown_path, shown_value
from ml_assets.components.places import KeyPath
from ml_assets.components.schema import MODELS, RuleList, Schema, attributes_schema, rules_schema
from ml_assets.spec import Spec
from ml_assets.spec.validation import YAML_FILE

_PATTERNS = {
    r"^[a-z][a-z0-9_]{0,62}$": "Use at most 63 lower-case letters, digits and _, a letter first",
    r"^[A-Za-z_][A-Za-z0-9_ ]{0,62}$": "Use at most 63 letters, digits, _ and spaces, no digit first",
    r"^[A-Z][A-Z0-9_]*$": "Name an environment variable: upper-case letters, digits and _",
    YAML_FILE: "Name a *.yaml file beside defs.yaml",
    r"^([\w./-]+\.py|\w+(\.\w+)*):\w+$": "Write `file.py:name` or `package.module:name`",
}
_LIMITS = {
    "greater_than": ("gt", "above {}"),
    "greater_than_equal": ("ge", "of at least {}"),
    "less_than": ("lt", "below {}"),
    "less_than_equal": ("le", "of at most {}"),
}


def field_mistakes(component: str, attributes: Mapping[str, Any]) -> Iterator[Mistake]:
    """Every mistake that concerns one field, once each; values that Pydantic would bend into shape are mistakes, too.

    Args:
        component: `FeatureViews` or `ModelProblem`.
        attributes: As read from YAML.

    Yields:
        Mistakes with paths from the top of the attributes. What Pydantic says of the whole (path ()) is among them.
    """
    yield from _field_mistakes(MODELS[component], attributes_schema(component), attributes)


def rule_mistakes(rules: list[Any]) -> Iterator[Mistake]:
    """The same of the rules in a file of their own, with paths as if they stood under `validation`."""
    yield from _field_mistakes(RuleList, rules_schema(), {"validation": rules})


def _field_mistakes(model: type[Spec], schema: Schema, attributes: Mapping[str, Any]) -> Iterator[Mistake]:
    warped = list(bent(schema, attributes))
    found: dict[KeyPath, list[ErrorDetails]] = defaultdict(list)
    try:
        model.model_validate(attributes)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            found[_place(detail, attributes)].append(detail)
    except (TypeError, AttributeError, LookupError):
        # A validator of the spec that looks into raw values met one of a type that it does not expect.
        if not warped:
            raise
    warped = [path for path in warped if path not in found]
    for path, details in found.items():
        # Pydantic counts what is left of a list after its bad items, and relates values that it bent.
        consequence = details[0]["type"] in ("too_short", "value_error")
        if not consequence or not any(_below(path, other) for other in [*found, *warped]):
            yield _mistake(path, details[0], attributes, schema)
    for path in warped:
        if not any(_below(known, path) for known, details in found.items() if details[0]["type"] != "value_error"):
            yield _other(path, field_at(schema, attributes, path), attributes)


def _below(path: KeyPath, other: KeyPath) -> bool:
    return len(other) > len(path) and other[: len(path)] == path


def _place(detail: ErrorDetails, attributes: Any) -> KeyPath:
    """Where in the YAML an error is; Pydantic's own steps through unions are left out."""
    path: list[str | int] = []
    value = attributes
    for step in detail["loc"]:
        is_inside = step in value if isinstance(value, Mapping) else isinstance(value, list) and isinstance(step, int)
        if is_inside:
            value = value[step]
        elif detail["type"] != "missing" or step != detail["loc"][-1]:
            continue
        path.append(step)
    if detail["type"] == "union_tag_invalid" or (
        detail["type"] == "union_tag_not_found" and isinstance(detail["input"], Mapping)
    ):
        path.append("kind")
    return tuple(path)


def _mistake(path: KeyPath, detail: ErrorDetails, attributes: Any, schema: Schema) -> Mistake:
    kind, context, node = detail["type"], detail.get("ctx", {}), field_at(schema, attributes, path)
    name, is_value = f"`{shown_path(path, attributes)}`", f"is {shown_value(detail['input'])}"
    if kind == "value_error":
        return _said(path, str(context["error"]), attributes)
    if detail["loc"] and detail["loc"][-1] == "[key]":
        where = f"`{shown_path(path[:-1], attributes)}` has the key {shown_value(detail['input'])}"
        return Mistake(path, where, _PATTERNS.get(str(context.get("pattern")), "Put it in quotes: keys are text"))
    if kind in ("missing", "union_tag_not_found"):
        return Mistake(path, f"{name} is missing", _add(path, node, schema, attributes))
    if kind == "extra_forbidden":
        known = field_at(schema, attributes, path[:-1]).get("properties", {})
        return Mistake(path, f"{name} is no field", nearest(path[-1], known))
    if kind == "literal_error":
        return Mistake(path, f"{name} {is_value}", nearest(detail["input"], choices(node)))
    if kind == "union_tag_invalid":
        tags = [tag.strip().strip("'") for tag in str(context["expected_tags"]).split(",")]
        return Mistake(path, f"{name} is {shown_value(context['tag'])}", nearest(context["tag"], tags))
    if kind == "string_pattern_mismatch":
        pattern = str(context["pattern"])
        return Mistake(path, f"{name} {is_value}", _PATTERNS.get(pattern, f"It must match {pattern}"))
    return Mistake(path, f"{name} {is_value}", _wanted(detail, node))


def _other(path: KeyPath, node: Schema, attributes: Any) -> Mistake:
    """A value that is of another type than its field."""
    value = attributes
    for step in path:
        value = value[step]
    quoted = "without quotes" if isinstance(value, str) and nouns(node) not in ("", "text") else ""
    shown = f", e.g. {example(node)}" if example(node) else ""
    wanted = ", ".join(part for part in (f"Give {nouns(node)}", quoted) if part)
    return Mistake(path, f"`{shown_path(path, attributes)}` is {shown_value(value)}", wanted + shown)


def _said(path: KeyPath, message: str, attributes: Any) -> Mistake:
    """A validator's own words, at the field that they name first."""
    value = attributes
    for step in path:
        value = value[step]
    named = next((word for word in re.findall(r"\w+", message) if isinstance(value, Mapping) and word in value), None)
    place = (*path, named) if named and path else path
    culprit, _, remedy = message.partition("; ")
    where = f"`{shown_path(path, attributes)}`: " if path else ""
    remedy = remedy[:1].upper() + remedy[1:] if remedy else f"Correct `{place[-1]}`" if place else ""
    return Mistake(place, where + culprit, remedy, whole=path)


def _add(path: KeyPath, node: Schema, schema: Schema, attributes: Any) -> str:
    if path[-1] == "kind" and (forms := field_at(schema, attributes, path[:-1]).get("discriminator")):
        return f"Add one of {', '.join(forms['mapping'])}"
    text = str(node.get("description", "")).split("\n")[0].rstrip(".")
    return "Add it" + (f": {text}" if text else "") + (f", e.g. {example(node)}" if example(node) else "")


def _wanted(detail: ErrorDetails, node: Schema) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    shown = f", e.g. {example(node)}" if example(node) else ""
    if kind in _LIMITS:
        key, text = _LIMITS[kind]
        return f"Give {nouns(node) or 'a value'} {text.format(context[key])}{shown}"
    if kind in ("too_short", "string_too_short", "too_long", "string_too_long"):
        unit = "character(s)" if kind.startswith("string") else "of them"
        limit = f"least {context['min_length']}" if "min_length" in context else f"most {context['max_length']}"
        return f"Give at {limit} {unit}{shown}"
    if kind.startswith(("date", "timezone")):
        reason = "with a UTC offset" if kind.startswith("timezone") else context.get("error", "in full")
        return f"Give a day or time ({reason}){shown}"
    return f"Give {nouns(node) or detail['msg']}{shown}"
