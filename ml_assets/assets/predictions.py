"""Stage 6a: a window scored by the version that was production when it began."""

import dagster as dg
import pandas as pd

from ml_assets.assets import keys, partitions
from ml_assets.assets.registered_version import PREDICTION
from ml_assets.assets.run_windows import Outcome, run_windows
from ml_assets.ml.dataset import check_known
from ml_assets.ml.windows import Window
from ml_assets.resources.feature_store import FeatureStore
from ml_assets.resources.lake import Lake
from ml_assets.resources.ledger import Ledger
from ml_assets.resources.registry import Registry
from ml_assets.spec import Problem

VERSION, CUTOFF = "model_version", "model_cutoff"


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
        description="Every row of the window, scored as of its prediction time.",
        group_name=problem.name,
        kinds={"feast", "xgboost"},
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
    path = lake.path(problem, "predictions", "predictions", window.key)
    return lake.read(f"Asset '{problem.name}/predictions'", [path]).to_pandas()


def _score(
    problem: Problem, window: Window, lake: Lake, feature_store: FeatureStore, registry: Registry, ledger: Ledger
) -> Outcome:
    champion = ledger.require_production(problem, window.key)
    model = registry.load(problem, champion)
    lake.require_features(problem, [window])
    rows = lake.read(f"Asset '{problem.name}/rows'", [lake.path(problem, "rows", "rows", window.key)]).to_pandas()
    frame = feature_store.training_rows(problem, rows)
    check_known(frame, problem.feature_views)
    frame[PREDICTION] = model.predict(frame)
    frame[VERSION], frame[CUTOFF] = champion.version, champion.cutoff
    path = lake.write(lake.path(problem, "predictions", "predictions", window.key), frame)
    return Outcome(
        {
            "dagster/row_count": len(frame),
            "model_version": champion.version,
            "mean_prediction": float(frame[PREDICTION].mean()),
            "null_share": float(frame[list(problem.features)].isna().to_numpy().mean()),
            "path": dg.MetadataValue.path(path),
        }
    )
