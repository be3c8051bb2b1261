"""What counts as a change of a declared part, and of all that is computed from it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ml_assets.ml.features.versions import (
    dataset_version,
    rows_version,
    scoring_version,
    search_version,
    training_version,
    view_version,
)
from ml_assets.spec import Between, FeatureSet, Problem
from ml_assets_tests.flights import flights


def _weather(problem: Problem, **changes: object) -> Problem:
    view = problem.view("weather").model_copy(update=changes)
    views = tuple(view if each.name == "weather" else each for each in problem.feature_views)
    return problem.model_copy(update={"feature_views": views})


def _source(problem: Problem, name: str, **changes: object) -> Problem:
    source = problem.source(name).model_copy(update=changes)
    sources = tuple(source if each.name == name else each for each in problem.sources)
    return problem.model_copy(update={"sources": sources})


def _view_of(name: str) -> Callable[[Problem], str]:
    return lambda problem: view_version(problem, problem.view(name))


RULE = Between(kind="between", column="temp_f", high=120)
SETS_ASIDE = RULE.model_copy(update={"max_quarantined": 0.01})


@pytest.mark.parametrize(
    ("version", "edit", "changes"),
    [
        (_view_of("weather"), lambda p: _weather(p, sql="SELECT 1 -- a comment counts"), True),
        (_view_of("weather"), lambda p: _weather(p, lookback_days=1), True),
        (_view_of("weather"), lambda p: _weather(p, description="Other words."), False),
        (_view_of("weather"), lambda p: _weather(p, ttl_hours=1), False),
        (_view_of("weather"), lambda p: _weather(p, validation=(*p.view("weather").validation, RULE)), False),
        (_view_of("weather"), lambda p: _weather(p, validation=(SETS_ASIDE,)), True),
        (_view_of("weather"), lambda p: _source(p, "weather", sql="FROM delivered"), True),
        (_view_of("weather"), lambda p: _source(p, "weather", description="Other words."), False),
        (_view_of("weather"), lambda p: _source(p, "planes", timezone="Europe/Rome"), False),
        (_view_of("carrier_arrivals"), lambda p: _weather(p, sql="SELECT 1"), False),
        (_view_of("carrier_arrivals"), lambda p: _source(p, "airports", timezone="Europe/Rome"), True),
        (rows_version, lambda p: _weather(p, sql="SELECT 1"), False),
        (scoring_version, lambda p: _weather(p, ttl_hours=1), True),
        (training_version, lambda p: _weather(p, ttl_hours=1), True),
        (training_version, lambda p: p.model_copy(update={"validation": (RULE,)}), False),
        (training_version, lambda p: p.model_copy(update={"validation": (SETS_ASIDE,)}), True),
        (dataset_version, lambda p: p.model_copy(update={"validation": (RULE,)}), True),
        (search_version, lambda p: p.model_copy(update={"validation": (RULE,)}), False),
        (search_version, lambda p: p.model_copy(update={"feature_views": p.feature_views[:-1]}), True),
    ],
)
def test_a_version_changes_with_what_its_table_is_computed_from(
    version: Callable[[Problem], str], edit: Callable[[Problem], Problem], changes: bool
) -> None:
    assert (version(edit(flights())) != version(flights())) is changes


def test_a_shared_view_has_one_version_for_all_who_use_it(tmp_path: Path) -> None:
    source = {"name": "lines", "columns": {"id": "int64", "at": "timestamp", "y": "float64"}, "event_time": "at"}
    view = {"name": "spend", "entities": ["id"], "function": "views.py:spend", "features": {"spend": "float"}}
    common = {"cadence": {"kind": "monthly", "start": "2024-01-01"}, "sources": [source], "feature_views": [view]}
    shared = FeatureSet.model_validate({"name": "shop", **common}).in_folder(tmp_path / "shop")
    own = {"name": "churn", "features_from": "shop", "rows": {"key": ["id"]}, "label": {"name": "y"}}
    problem = Problem.model_validate({**own, **common}).in_folder(tmp_path / "churn")
    for folder in (shared.folder, problem.folder):
        folder.mkdir()
    file = shared.folder / "views.py"
    seen = []
    for text in ("def spend(tables, window): ...", "def spend(tables, window): return None"):
        file.write_text(text)
        seen.append(view_version(shared, shared.view("spend")))
        assert view_version(problem, problem.view("spend")) == seen[-1]
    assert seen[0] != seen[1]
