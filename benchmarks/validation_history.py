"""The real histories that the validation benchmarks learn from: flights and the shop, landed into a folder.

Nothing of Dagster is needed: sources are landed, views, rows and labels computed, and training sets joined by the
functions that the assets call, too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

import ml_assets
from ml_assets.assets.dataset import training_set
from ml_assets.assets.features import cut_of
from ml_assets.assets.sources import in_reading_order
from ml_assets.components.declaration import read_feature_set, read_problem
from ml_assets.demo.deliveries import deliver
from ml_assets.ml.features.compute import compute_labels, compute_rows, compute_view
from ml_assets.ml.landing.window import land
from ml_assets.ml.windows import Window, all_windows
from ml_assets.profiling.subject import Subject, dataset_roles, view_subject, window_keys
from ml_assets.resources.feature_store import FeatureStore
from ml_assets.resources.lake import Lake
from ml_assets.resources.readers import read_window
from ml_assets.spec import FeatureSet, Problem

DEFS = Path(ml_assets.__file__).parent / "defs"


def flights(folder: Path, windows: int | None = None) -> Iterator[Subject]:
    """Training set and feature views of the flights, of the whole year or of the first so many weeks."""
    problem = read_problem(DEFS / "flights" / "defs.yaml")
    for subject in _subjects(problem, problem, folder, windows):  # its weeks are cut in UTC, its people live here
        yield replace(subject, roles=replace(subject.roles, timezone="America/New_York"))


def retail(folder: Path, windows: int | None = None) -> Iterator[Subject]:
    """Training set of `churn` and the shared feature views of the shop."""
    features = read_feature_set(DEFS / "retail" / "defs.yaml")
    yield from _subjects(features, read_problem(DEFS / "churn" / "defs.yaml"), folder, windows)


def _subjects(features: FeatureSet, problem: Problem, folder: Path, count: int | None) -> Iterator[Subject]:
    windows = all_windows(features.cadence)[:count]
    if features is problem:
        deliver_all(problem, folder, windows)
    lake, store = land_history(features, [problem], folder, windows)
    labelled = sum(lake.stage(problem, "labels", window.key).exists() for window in windows)
    yield _training_set(problem, lake, store, windows[-1].shift(1), labelled)
    for view in features.feature_views:
        yield view_subject(features, view, lake)


def deliver_all(problem: Problem, folder: Path, windows: Sequence[Window]) -> None:
    """Deliver the flights of some weeks; the shop's lines lie beside its declaration."""
    lake = Lake(root=str(folder / "lake"), landing=str(folder / "landing"))
    for window in windows:
        deliver(problem, lake, window)


def land_history(
    features: FeatureSet, problems: Sequence[Problem], folder: Path, windows: Sequence[Window]
) -> tuple[Lake, FeatureStore]:
    """Land windows that are delivered, and compute rows and labels of problems, as far as the windows tell them.

    Args:
        features: Whose sources and views.
        problems: On these features.
        folder: Where lake, deliveries and Feast's registry go.
        windows: In a row, oldest first.
    """
    lake = Lake(root=str(folder / "lake"), landing=str(folder / "landing"))
    for window in windows:
        _land(features, lake, window)
    for problem in problems:
        for window in windows:
            known = (windows[-1].end - window.end).days >= problem.label.lookahead_days
            _compute(problem, lake, window, with_labels=known)
    store = FeatureStore(root=str(folder / "feast"))
    store.apply(features, {view.name: lake.view(features, view.name) for view in features.feature_views})
    return lake, store


def _land(features: FeatureSet, lake: Lake, window: Window) -> None:
    others = {}
    for source in in_reading_order(features):
        delivered = read_window(source, window, features.folder, lake.delivery(features, source.name, window))
        path = lake.source(features, source.name, window.key)
        lake.write(path, land(source, window, delivered, others).table)
        others[source.name] = pq.read_table(path)
    for view in features.feature_views:
        computed = compute_view(view, lake.tables(features, view, window), window, cut=cut_of(window))
        lake.write(lake.view(features, view.name, window.key), computed.table)


def _compute(problem: Problem, lake: Lake, window: Window, *, with_labels: bool) -> None:
    rows = compute_rows(problem, lake.tables(problem, problem.rows, window), window, cut=cut_of(window))
    lake.write(lake.stage(problem, "rows", window.key), rows.table)
    if with_labels:
        tables = lake.tables(problem, problem.label, window, lookahead_days=problem.label.lookahead_days)
        labels = compute_labels(problem, tables, window, cut=cut_of(window))
        lake.write(lake.stage(problem, "labels", window.key), labels.table)


def _training_set(problem: Problem, lake: Lake, store: FeatureStore, cutoff: Window, windows: int) -> Subject:
    """All labelled rows of the history, whatever the split would take of them."""
    split = problem.split.model_copy(update={"train_windows": None})
    whole = problem.model_copy(update={"split": split})
    lake.write(lake.stage(problem, "dataset", cutoff.key), training_set(whole, cutoff, lake, store))
    frame = lake.read_stage(problem, "dataset", cutoff.key)
    parts = window_keys(problem.cadence, frame["event_timestamp"] + pd.Timedelta(hours=problem.rows.horizon_hours))
    span = f"{len(set(parts))} of {windows} windows"
    return Subject(f"{problem.name} dataset", "dataset", span, frame, parts, dataset_roles(problem))
