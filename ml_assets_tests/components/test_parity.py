"""The JSON schema and the check refuse alike: what a schema can express, both say; the rest is listed.

Random mistakes are planted into a declaration, and the validator of `dg check yaml` is asked beside ours.
"""

import copy
import re
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ml_assets.components.places import Document, parse_documents
from ml_assets.components.schema import attributes_schema
from ml_assets.components.static import document_mistakes
from ml_assets_tests.checking.shop import CUSTOMER_ORDERS, DEFS_YAML

VALIDATOR = Draft202012Validator(attributes_schema("ModelProblem"))
INLINE = DEFS_YAML.replace("sql: customer_orders.sql", f"sql: {' '.join(CUSTOMER_ORDERS.split())}")
[DECLARED] = parse_documents(INLINE, Path("defs.yaml"))

BEYOND_A_SCHEMA = (
    "has no column|has no join key",  # names that must be declared elsewhere
    "is declared twice|is in both",  # names that must be declared once
    "reads '.*', which is no source|refers to '.*', which is no source|names '.*', which is",
    "is not above|is after|can never be met|is a \\w+day|is day|both searched and fixed|no window is left",  # two values
    "probabilities",
    "is no time zone|is outside expected range",  # a calendar, a database of zones
    "Parser Error|statements, not one SELECT|is [A-Z_]+ and no SELECT",
    "names a file|names '.*\\.sql'|there is no module|defines no",  # what is in other files
    "has `max_gap`, but no `event_time`|is a feature, too|which is no feature|its column",
)
"""What no JSON schema can express, so that `dg check yaml` lets it pass; loading and `ml-assets check` do not."""

SCALARS = (None, True, 0, 1, -1, 0.5, 2.0, 10**9, "", "x", "10", "0.5", "true", "2024-01-01", "2024-02-30")
NAMES = ("orders", "customer_orders", "amount", "auc", "rmse", "brier", "regression", "uniform", "csv", "weekly", "a b")
PARTS = ([], {}, ["orders"], ["x", 1], {"kind": "csv"}, {"kind": "integer", "low": 1, "high": 3}, {"name": "x"})
VALUES = st.sampled_from([*SCALARS, *NAMES, *PARTS])
PLACES = (
    "sources",
    "rows",
    "label",
    "search",
    "read",
    "cleaning",
    "max_gap",
    "references",
    "features_from",
    "use_views",
)
FIELDS = st.sampled_from(
    [*PLACES, "colour", "sql", "function", "metric", "positive", "step", "timezone", "fixed", "loss", "kind", "start"]
)


def _places(value: Any, path: tuple = ()) -> list[tuple]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in _places(each, (*path, key)))]


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """The declaration with one to three random changes: another value, a field more, a field less, an item twice."""
    attributes = copy.deepcopy(DECLARED.value["attributes"])
    for _ in range(draw(st.integers(1, 3))):
        places = [place for place in _places(attributes) if place]
        *above, last = draw(st.sampled_from(places)) if places else ("name",)
        parent = attributes
        for step in above:
            parent = parent[step]
        match draw(st.sampled_from(["replace", "remove", "add", "twice"])):
            case "replace":
                parent[last] = copy.deepcopy(draw(VALUES))
            case "remove":
                del parent[last]
            case "add" if isinstance(parent, dict):
                parent[draw(FIELDS)] = copy.deepcopy(draw(VALUES))
            case "twice" if isinstance(parent, list):
                parent.append(copy.deepcopy(parent[last]))
    return attributes


@given(mutated())
@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_schema_and_check_refuse_alike_but_for_what_no_schema_can_express(attributes: dict[str, Any]) -> None:
    document = Document(DECLARED.file, {**DECLARED.value, "attributes": attributes}, {(): 1})
    refused = [error.message[:200] for error in VALIDATOR.iter_errors(attributes)]
    mistakes = [str(mistake) for mistake in document_mistakes(document)]
    if refused:
        assert mistakes, refused
    else:
        assert [text for text in mistakes if not re.search("|".join(BEYOND_A_SCHEMA), text)] == []
