"""Stage 6a: a window scored by the version that was production when it began."""

from typing import Any

import dagster as dg
import pandas as pd
import pyarrow.parquet as pq

from ml_assets.assets import feature_versions, keys, lineage, partitions
from ml_assets.assets.feature_reference import check_reference, reference_spec
from ml_assets.assets.run_windows import Outcome, run_windows
from ml_assets.errors import OtherTaskError
from ml_assets.ml.features.versions import scoring_version
from ml_assets.ml.quality.scores import Scores, with_scores
from ml_assets.ml.training.dataset import check_known
from ml_assets.ml.windows import Window
from ml_assets.resources.feature_store import FeatureStore
from ml_assets.resources.lake import Lake
from ml_assets.resources.ledger import Ledger, LedgerRow
from ml_assets.resources.registry import Registry
from ml_assets.spec import Problem

VERSION, CUTOFF = "model_version", "model_cutoff"
_SHOWN_CLASSES = 20


def build_predictions(problem: Problem) -> dg.AssetsDefinition:
    """Scored rows with the version and the feature values used."""
    key = keys.stage(problem, "predictions")
    features = [keys.features(problem, view.name) for view in problem.feature_views]
    if features:
        features.append(keys.store(problem))

    @dg.asset(
        key=key,
        deps=[
            keys.stage(problem, "rows"),
            *features,
            dg.AssetDep(keys.stage(problem, "registered_version"), partition_mapping=partitions.up_to_now()),
        ],
        partitions_def=partitions.windows(problem),
        backfill_policy=dg.BackfillPolicy.single_run(),
        check_specs=reference_spec(problem, key),
        code_version=scoring_version(problem),
        description="Every row of the window, scored as of its prediction time.",
        group_name=problem.name,
        kinds={"feast", keys.estimator_kind(problem)},
    )
    def predictions(
        context: dg.AssetExecutionContext, lake: Lake, feature_store: FeatureStore, registry: Registry, ledger: Ledger
    ) -> dg.MaterializeResult:
        def body(window: Window) -> Outcome:
            return _score(problem, window, lake, feature_store, registry, ledger)

        return run_windows(context, problem, key, body)

    return predictions


def read_predictions(problem: Problem, window: Window, lake: Lake) -> pd.DataFrame:
    """The scored rows of a window.

    Raises:
        NotLandedError: It was not scored.
    """
    return lake.read_stage(problem, "predictions", window.key)


def _score(
    problem: Problem, window: Window, lake: Lake, feature_store: FeatureStore, registry: Registry, ledger: Ledger
) -> Outcome:
    lake.require_features(problem, [window])
    frame = feature_store.training_rows(problem, lake.read_stage(problem, "rows", window.key))
    check_known(frame, problem.feature_views, need_values=False)
    while True:
        champion = ledger.require_production(problem, window.key)
        model = registry.load(problem, champion)
        if (model.task, model.label) != (problem.task, problem.label.name):
            raise OtherTaskError(problem.name, champion.version, model.label, model.task)
        scores = model.scores(frame)
        # Written only while production cannot change by hand: file and ledger name the same version.
        with ledger.steady(problem):
            if ledger.require_production(problem, window.key).sequence == champion.sequence:
                metadata = _write(problem, window, frame, scores, champion, lake)
                break
    unseen = {name: rows for name, rows in model.encoder.unseen_categories(frame).items() if rows}
    used = [name for name, share in model.importance().items() if share > 0]
    columns = pq.read_schema(lake.stage(problem, "predictions", window.key))
    return Outcome(
        {
            **metadata,
            **lineage.prediction_columns(problem, columns, used),
            **(_about(problem, frame, scores) if len(frame) else {}),
            "unseen_categories": sum(unseen.values()),
            "unseen_categories_by_feature": unseen,
        },
        check_reference(problem, champion.cutoff, frame, feature_store),
    )


def _write(
    problem: Problem, window: Window, frame: pd.DataFrame, scores: Scores, champion: LedgerRow, lake: Lake
) -> dict[str, Any]:
    scored = with_scores(frame, scores)
    scored[VERSION], scored[CUTOFF] = champion.version, champion.cutoff
    versions = feature_versions.versions_read(problem, [window], lake)
    about = {"model_version": champion.version, "stage": "production", "views": feature_versions.counts(versions)}
    place = lake.stage(problem, "predictions", window.key)
    path = lake.write(place, scored, version=scoring_version(problem), about=about)
    return {
        "dagster/row_count": len(scored),
        "model_version": champion.version,
        "view_versions": feature_versions.table(problem, versions),
        "path": dg.MetadataValue.path(path),
    }


def _about(problem: Problem, frame: pd.DataFrame, scores: Scores) -> dict[str, float]:
    """Null share of the features, and the mean prediction, or the shares of the most frequent predicted classes."""
    null_share = {"null_share": float(frame[list(problem.features)].isna().to_numpy().mean())}
    if problem.task != "multiclass":
        return null_share | {"mean_prediction": float(scores.values.mean())}
    shares = pd.Series(scores.predictions()).value_counts(normalize=True).head(_SHOWN_CLASSES)
    return null_share | {f"predicted_share_{name}": float(share) for name, share in shares.items()}
