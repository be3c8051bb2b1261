"""JSON schemas of the components: what an editor completes by, and what `dg check yaml` goes by.

They come from the specs. What Pydantic says in code only, and a schema can say too, is added here: which metric fits
which task, what excludes what, how a day is written. A schema cannot compare two values: that is `relations.py`.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import Field
from pydantic.json_schema import models_json_schema

from ml_assets.spec import METRICS, SEARCH_LOSSES, FeatureSet, ProblemDeclaration, Spec, ValidationRule

Schema: TypeAlias = dict[str, Any]

PACKAGE = "ml_assets.components"
MODELS: Mapping[str, type[Spec]] = {"FeatureViews": FeatureSet, "ModelProblem": ProblemDeclaration}
"""Component class -> what its `attributes` must satisfy."""


class RuleList(Spec):
    """What a file of validation rules holds."""

    validation: tuple[ValidationRule, ...] = Field((), description="Rules; each judges one table.")


SCHEMA_FILE = Path(__file__).parent / "defs.schema.json"
RULES_SCHEMA_FILE = Path(__file__).parent / "rules.schema.json"
_DAGSTERS_OWN = {
    "requirements": "Environment variables that must be set, e.g. {env: [SHOP_DATABASE_URL]}.",
    "template_vars_module": "Not used by these components.",
    "post_processing": "Changes to the assets that are built, e.g. tags.",
}
_FIRST = ("name", "description", "features_from", "use_views", "cadence", "sources", "feature_views")
_DEFAULT_TASK = "regression"
METRIC_FIELDS = {"search": "loss", "promotion": "metric", "quality": "metric"}
"""Parts that go by a metric, each with the field that names it."""

DAY = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"
MIDNIGHT = DAY[:-1] + r"([T ]00:00(:00)?)?$"
HOUR = DAY[:-1] + r"([T ]([01]\d|2[0-3]):00(:00)?)?$"
MONTHLY = MIDNIGHT.replace("(0[1-9]|[12]\\d|3[01])", "(0[1-9]|1\\d|2[0-8])")
INSTANT = DAY[:-1] + r"[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})$"
_FORMATS = {"date": DAY, "date-time": INSTANT}


@cache
def attributes_schema(component: str) -> Schema:
    """Schema of a component's `attributes`, complete in itself."""
    model = MODELS[component]
    _, schema = models_json_schema([(model, "validation")], ref_template="#/$defs/{model}")
    return {**_attributes(schema["$defs"], component), "$defs": schema["$defs"]}


def defs_yaml_schema() -> Schema:
    """Schema of a whole document of a `defs.yaml`, whichever component it declares."""
    _, schema = models_json_schema([(m, "validation") for m in MODELS.values()], ref_template="#/$defs/{model}")
    definitions = schema["$defs"]
    parts = {name: _attributes(definitions, name) for name in MODELS}
    return {
        # Every editor knows draft 7, and nothing here needs a later one.
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "defs.yaml of ml_assets",
        "description": "One declared problem, or feature views that several share. Written by `ml-assets schema`.",
        "type": "object",
        "required": ["type"],
        "properties": {
            "type": {
                "description": "The component: a problem, or shared feature views.",
                "anyOf": [
                    {"enum": [f"{PACKAGE}.{name}" for name in MODELS]},
                    {"not": {"pattern": f"^{re.escape(PACKAGE)}\\."}},
                ],
                "examples": [f"{PACKAGE}.ModelProblem"],
            },
            "attributes": {"description": "The declaration.", "type": "object"},
            **{name: {"description": text} for name, text in _DAGSTERS_OWN.items()},
        },
        "additionalProperties": False,
        "allOf": [
            _if_then(
                {"properties": {"type": {"const": f"{PACKAGE}.{name}"}}, "required": ["type"]},
                {"required": ["attributes"], "properties": {"attributes": part}},
            )
            for name, part in parts.items()
        ],
        "$defs": definitions,
    }


@cache
def rules_schema() -> Schema:
    """Schema of a file of rules as if it stood in a declaration: its list is under `validation`."""
    _, schema = models_json_schema([(RuleList, "validation")], ref_template="#/$defs/{model}")
    definitions = {name: _strict(name, each) for name, each in schema["$defs"].items() if name != RuleList.__name__}
    return {**_strict("", schema["$defs"][RuleList.__name__]), "$defs": definitions}


def schema_text() -> str:
    """What `SCHEMA_FILE` holds."""
    return _text(defs_yaml_schema())


def rules_schema_text() -> str:
    """What `RULES_SCHEMA_FILE` holds."""
    schema = rules_schema()
    return _text(
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "title": "A file of validation rules of ml_assets",
            **{key: value for key, value in schema["properties"]["validation"].items() if key != "default"},
            "$defs": schema["$defs"],
        }
    )


def schema_comment(file: Path, schema: Path = SCHEMA_FILE) -> str:
    """The first line of a `defs.yaml`, or of a file of rules, by which editors find the schema."""
    path = Path(os.path.relpath(schema.resolve(), file.resolve().parent))
    return f"# yaml-language-server: $schema={path.as_posix()}"


def _text(schema: Schema) -> str:
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def _attributes(definitions: Schema, component: str) -> Schema:
    """The definition of a component's attributes, taken out of `definitions`, which are made strict in place."""
    for name in [n for n in definitions if n not in {model.__name__ for model in MODELS.values()}]:
        definitions[name] = _strict(name, definitions[name])
    own = _strict("", definitions.pop(MODELS[component].__name__))
    own["properties"] = {name: own["properties"][name] for name in sorted(own["properties"], key=_order)}
    own["allOf"] = list(_relations_of_problem() if component == "ModelProblem" else _readers_name_sources(_VIEWS))
    return own


def _order(field: str) -> int:
    """What a declaration begins with comes first; the rest stays in the order of the spec."""
    return _FIRST.index(field) if field in _FIRST else len(_FIRST)


def _strict(name: str, schema: Schema) -> Schema:
    schema = _clean(schema)
    if {"sql", "function"} <= set(schema["properties"]) and "allOf" not in schema:
        schema["allOf"] = [{"not": {"allOf": [_HAS_SQL, _HAS_FUNCTION]}}, _if_then(_PLAIN, _sources(maxItems=1))]
    if name == "Between":
        schema["anyOf"] = [_has("low", "number"), _has("high", "number")]
    if name == "Cadence":
        for moment in ("start", "end"):
            schema["properties"][moment] = _moment(schema["properties"][moment], nullable=moment == "end")
        schema["allOf"] = list(_grid())
    return schema


def _clean(node: Any) -> Any:
    """Without the titles that Pydantic makes of names, and with a pattern where it only names a format."""
    if isinstance(node, list):
        return [_clean(each) for each in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _clean(value) for key, value in node.items() if not (key == "title" and isinstance(value, str))}
    if isinstance(text := kept.get("description"), str):
        kept["description"] = " ".join(text.split())  # docstrings are wrapped for another reader
    if (form := kept.get("format")) in _FORMATS and "pattern" not in kept:
        kept["pattern"] = _FORMATS[form]
    if "patternProperties" in kept:
        kept.setdefault("additionalProperties", False)
    if "anyOf" in kept:
        kept = _without_choice_of_null(kept)
    return _by_kind(kept) if "oneOf" in kept and "discriminator" in kept else kept


def _without_choice_of_null(schema: Schema) -> Schema:
    """`X or null` as a field of X that may be empty; of a whole part of the declaration, that it is left out."""
    others = [each for each in schema["anyOf"] if each.get("type") != "null"]
    if len(others) != 1 or len(others) == len(schema["anyOf"]):
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    if "$ref" in others[0]:
        return {key: value for key, value in rest.items() if key != "default"} | others[0]
    listed = {"enum": [*others[0]["enum"], None]} if "enum" in others[0] else {}
    return rest | others[0] | {"type": [others[0]["type"], "null"]} | listed


def _by_kind(schema: Schema) -> Schema:
    """Said by its kind, a mistake in one form is reported for that form; of `oneOf`, that none fits."""
    forms: dict[str, str] = schema["discriminator"]["mapping"]
    kinds = {"type": "object", "required": ["kind"], "properties": {"kind": {"enum": sorted(forms)}}}
    conditions = [
        _if_then({"type": "object", "required": ["kind"], "properties": {"kind": {"const": kind}}}, {"$ref": form})
        for kind, form in forms.items()
    ]
    return {key: value for key, value in schema.items() if key != "oneOf"} | kinds | {"allOf": conditions}


def _moment(schema: Schema, *, nullable: bool) -> Schema:
    """A day or an hour, both of them text: which of the two, the kind of the cadence says."""
    text = {"type": ["string", "null"] if nullable else "string", "pattern": HOUR}
    return {key: value for key, value in schema.items() if key != "anyOf"} | text


def _grid() -> Iterator[Schema]:
    for kind, pattern in (("monthly", MONTHLY), ("weekly", MIDNIGHT), ("daily", MIDNIGHT)):
        moments = {moment: {"pattern": pattern} for moment in ("start", "end")}
        yield _if_then({"properties": {"kind": {"const": kind}}, "required": ["kind"]}, {"properties": moments})


def _if_then(condition: Schema, consequence: Schema, otherwise: Schema | None = None) -> Schema:
    return {"if": condition, "then": consequence} | ({"else": otherwise} if otherwise else {})


def _has(field: str, kind: str) -> Schema:
    return {"required": [field], "properties": {field: {"type": kind}}}


def _sources(**size: int) -> Schema:
    return {"properties": {"sources": size}} | ({"required": ["sources"]} if "minItems" in size else {})


_HAS_SQL, _HAS_FUNCTION = _has("sql", "string"), _has("function", "string")
_PLAIN: Schema = {"not": {"anyOf": [_HAS_SQL, _HAS_FUNCTION]}}
_VIEWS, _ROWS_AND_LABEL = ("feature_views",), ("rows", "label")


def _relations_of_problem() -> Iterator[Schema]:
    shared = _has("features_from", "string")
    alone = {
        "required": ["cadence", "sources"],
        "properties": {"sources": {"minItems": 1}, "use_views": {"type": "null"}},
        "anyOf": [
            _has("feature_views", "array") | {"properties": {"feature_views": {"minItems": 1}}},
            {"properties": {"rows": {"required": ["features"], "properties": {"features": {"minProperties": 1}}}}},
        ],
    }
    own = {"cadence": False, "sources": {"maxItems": 0}, "feature_views": {"maxItems": 0}}
    yield _if_then(shared, {"properties": own}, alone)
    yield from _readers_name_sources((*_VIEWS, *_ROWS_AND_LABEL))
    for task in METRICS:
        is_task: Schema = {"properties": {"task": {"const": task}}}
        yield _if_then(is_task | ({} if task == _DEFAULT_TASK else {"required": ["task"]}), _fits(task))


def _fits(task: str) -> Schema:
    """What a task leaves of the metrics, and of the label."""
    metrics, losses = list(METRICS[task]), list(SEARCH_LOSSES[task])  # type: ignore[index]
    properties: Schema = {
        "metric": {"enum": [*metrics, None]},
        "promotion": {"properties": {"metric": {"enum": metrics}}},
        "quality": {"properties": {"metric": {"enum": metrics}}},
        "search": {"properties": {"loss": {"enum": losses}}},
    }
    if task != "binary":
        properties["label"] = {"properties": {"positive": {"type": "null"}}}
    fits: Schema = {"properties": properties}
    if unsearchable := [metric for metric in metrics if metric not in losses]:
        named = {"properties": {"metric": {"enum": unsearchable}}, "required": ["metric"]}
        searches = {"required": ["search"], "properties": {"search": {"required": ["loss"]}}}
        fits["allOf"] = [_if_then(named, searches)]
    return fits


def _readers_name_sources(readers: tuple[str, ...]) -> Iterator[Schema]:
    """Among several sources each reader says which; the only one needs times where it is read as it is."""
    several = _has("sources", "array") | {"properties": {"sources": {"minItems": 2}}}
    timed = {"properties": {"sources": {"items": _has("event_time", "string")}}}
    one = {"properties": {"sources": {"maxItems": 1}}}
    for reader in readers:
        many = reader in _VIEWS
        named = _sources(minItems=1)
        yield _if_then(several, {"properties": {reader: {"items": named} if many else named}})
        plain = {"contains": _PLAIN} if many else _PLAIN
        yield _if_then(one | {"required": [reader], "properties": one["properties"] | {reader: plain}}, timed)
