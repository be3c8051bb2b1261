"""A bounded look at the data of one declaration: which windows, in which order, and what there is to say of them."""

from dataclasses import dataclass, field
from itertools import product

from ml_assets.checking.complaints import Complaints
from ml_assets.checking.labels import LabelLook
from ml_assets.checking.look import Look
from ml_assets.checking.parts import Parts, parts_of, spread
from ml_assets.checking.training import judge_features, judge_labels, judge_rules
from ml_assets.checking.views import ViewLook, views_of
from ml_assets.errors import MLAssetsError, TooLittleHistoryError
from ml_assets.ml.windows import Window
from ml_assets.resources.lake import Lake
from ml_assets.resources.readers import rows_in_no_window
from ml_assets.spec import FeatureSet, Problem

_OF_SOURCES = 3
"""Windows of each feature set whose sources and views are looked at: the first, the middle one and the last."""

_OF_VIEWS = 2
"""Windows whose rows are joined with the feature views: the oldest and the newest that a training would take."""

NO_DATA = "no delivery yet: checked without data"


@dataclass
class Looked:
    """A feature set, with what was landed and computed of it."""

    look: Look
    views: list[ViewLook]
    notes: list[str] = field(default_factory=list)


def look_at_features(features: FeatureSet, complaints: Complaints, lake: Lake) -> Looked:
    """Land and compute the first, the middle and the last window of sources and feature views."""
    look = Look(features, complaints, lake)
    looked = Looked(look, views_of(look))
    if not look.windows:
        looked.notes.append(NO_DATA)
        return looked
    windows = spread(look.windows, _OF_SOURCES)
    for window in windows:
        look.land(window)
        for view in looked.views:
            view.rows(window)
    looked.notes.append(f"looked at {len(windows)} of {len(look.windows)} windows: {_keys(windows)}")
    for source in features.sources:
        if outside := _outside(features, source.name):
            looked.notes.append(f"{outside:,} rows of '{source.name}' lie in no window of the cadence")
    for view in looked.views:
        if view.null_keys:
            looked.notes.append(f"view '{view.view.name}': {view.null_keys:,} rows left out for a missing join key")
        if empty := view.always_empty():
            looked.notes.append(f"view '{view.view.name}': no value of {', '.join(empty)} in these windows")
    return looked


def look_at_problem(problem: Problem, complaints: Complaints, looked: Looked) -> list[str]:
    """Compute rows, labels and feature views where a training would; what there is to say of them.

    Args:
        problem: The declaration.
        complaints: Where its mistakes go.
        looked: The look at its sources and feature views, its own or shared.
    """
    if not looked.look.windows:
        return [] if looked.look.features is problem else [NO_DATA]
    try:
        parts = parts_of(problem, looked.look.windows)
    except TooLittleHistoryError as error:
        return [f"labels and split not looked at: {error}"]
    used = [view.name for view in problem.feature_views]
    views = [view for view in looked.views if view.view.name in used]
    labels = LabelLook(problem, looked.look, complaints)
    for window in parts.windows:
        labels.add(window)
    # Feature views cost the most; the oldest and the newest window have to do.
    joined = spread(parts.windows, _OF_VIEWS)
    for window, view in product(joined, views):
        for around in (window.shift(-1), window):
            if around in looked.look.windows:
                view.rows(around)
    judge_labels(labels, parts)
    shares = judge_features(labels, views, joined)
    judge_rules(labels)
    return _said(labels, parts, shares)


def _said(labels: LabelLook, parts: Parts, shares: dict[str, float]) -> list[str]:
    rows, known = sum(map(len, labels.rows.values())), labels.values(parts.windows)
    about = f", {known.mean():.1%} of them positive" if labels.problem.task == "binary" and len(known) else ""
    notes = [f"{rows:,} rows and {len(known):,} labels{about} in {_keys(parts.windows)}"]
    if shares:
        notes.append("rows with known features: " + ", ".join(f"{name} {share:.0%}" for name, share in shares.items()))
    return notes


def _outside(features: FeatureSet, name: str) -> int:
    try:
        return rows_in_no_window(features.source(name), features.cadence, features.folder) or 0
    except MLAssetsError:
        return 0  # told when it landed


def _keys(windows: list[Window]) -> str:
    keys = [window.key for window in windows]
    return ", ".join(keys) if len(keys) <= 4 else f"{keys[0]}, {keys[1]}, ... {keys[-1]}"
