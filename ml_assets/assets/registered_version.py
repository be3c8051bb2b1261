"""Stage 5: the model version of a cutoff: staging, the promotion gate, then production or archived."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd

from ml_assets.assets import keys, partitions
from ml_assets.assets.features import code_version
from ml_assets.assets.tuned_model import RESULT
from ml_assets.errors import NotLandedError
from ml_assets.ml.dataset import SPLIT
from ml_assets.ml.model import Model
from ml_assets.ml.promotion import Verdict, compare
from ml_assets.resources.lake import Lake
from ml_assets.resources.ledger import Action, Ledger, LedgerRow
from ml_assets.resources.registry import Registry, model_hash
from ml_assets.spec import Problem

CHECK = "promotion_gate"
PREDICTION = "prediction"


def build_registered_version(problem: Problem) -> dg.AssetsDefinition:
    """A version in MLflow's registry, decided upon by the gate and written into the ledger."""
    key = keys.stage(problem, "registered_version")

    @dg.asset(
        key=key,
        deps=[keys.stage(problem, "tuned_model"), keys.stage(problem, "dataset")],
        partitions_def=partitions.cutoffs(problem),
        check_specs=[
            dg.AssetCheckSpec(CHECK, asset=key, description="Better than production on the same held-out rows.")
        ],
        description="MLflow model version: staging, then the gate, then production or archived.",
        group_name=problem.name,
        kinds={"mlflow"},
    )
    def registered_version(
        context: dg.AssetExecutionContext, lake: Lake, registry: Registry, ledger: Ledger
    ) -> dg.MaterializeResult:
        cutoff, tags = context.partition_key, context.run.tags
        result = _result(problem, cutoff, lake)
        held_out = _held_out(problem, cutoff, lake)
        folder = lake.folder(problem, "tuned_model", cutoff) / "model"
        challenger = Model.load(folder)
        digest = model_hash(folder)
        lineage = _lineage(problem, cutoff, result)
        version = registry.register(problem, result["model_uri"], result["mlflow_run_id"], digest, lineage)
        held_out[PREDICTION] = challenger.predict(held_out)
        lake.write(reference_path(problem, cutoff, lake), held_out)
        cause = tags.get(keys.CAUSE_TAG, "started by hand")
        verdict = _gate(problem, cutoff, version, held_out, registry, ledger)
        files = (registry.location(problem, version), digest)
        row = _row(cutoff, version, verdict, result, by=context.run.run_id, cause=cause, files=files)
        _decide(problem, row, registry, ledger)
        return dg.MaterializeResult(
            metadata=_metadata(version, verdict, result, cause), check_results=[_check(verdict)]
        )

    return registered_version


def reference_path(problem: Problem, cutoff: str, lake: Lake) -> Path:
    """File of a version's held-out rows with its predictions: what later windows are compared with."""
    return lake.path(problem, "registered_version", "reference", cutoff)


def _result(problem: Problem, cutoff: str, lake: Lake) -> dict[str, Any]:
    path = lake.folder(problem, "tuned_model", cutoff) / RESULT
    if not path.exists():
        raise NotLandedError(f"Asset '{problem.name}/tuned_model'", [cutoff])
    return json.loads(path.read_text())


def _held_out(problem: Problem, cutoff: str, lake: Lake) -> pd.DataFrame:
    """Validation and test rows: no model of this cutoff was fitted on them."""
    path = lake.path(problem, "dataset", "dataset", cutoff)
    frame = lake.read(f"Asset '{problem.name}/dataset'", [path]).to_pandas()
    return frame[frame[SPLIT] != "train"].reset_index(drop=True)


def _lineage(problem: Problem, cutoff: str, result: dict[str, Any]) -> dict[str, str]:
    views = {f"view.{view.name}": code_version(view) for view in problem.feature_views}
    return {
        "cutoff": cutoff,
        "dataset_partition": cutoff,
        "data_sha256": result["data_sha256"],
        "code_version": code_version(problem),
        "seed": str(problem.search.seed),
        "test_rmse": f"{result['test']['rmse']:.6g}",
        "test_mae": f"{result['test']['mae']:.6g}",
        **views,
    }


def _gate(
    problem: Problem, cutoff: str, version: int, held_out: pd.DataFrame, registry: Registry, ledger: Ledger
) -> Verdict:
    """Compare on the test rows with the champion or, where there is none, with the label's mean in validation."""
    test = held_out[held_out[SPLIT] == "test"]
    label = problem.label.name
    champion = ledger.production_as_of(problem, cutoff, before_version=version)
    if champion is None:
        against = "the mean of the validation rows"
        theirs = np.full(len(test), held_out.loc[held_out[SPLIT] == "validation", label].mean())
    else:
        against = f"version {champion.version}"
        theirs = registry.load(problem, champion).predict(test)
    day = test["event_timestamp"].dt.floor("D").astype("int64").to_numpy()
    return compare(
        test[label].to_numpy(float), test[PREDICTION].to_numpy(float), theirs, day, problem.promotion, against=against
    )


def _row(
    cutoff: str,
    version: int,
    verdict: Verdict,
    result: dict[str, Any],
    *,
    by: str,
    cause: str,
    files: tuple[str, str],
) -> LedgerRow:
    numbers = {
        **{f"test_{name}": value for name, value in result["test"].items()},
        "champion_error": verdict.champion,
        "gain": verdict.gain,
        "gain_low": verdict.low,
        "gain_high": verdict.high,
        "train_start": result["train_start"],
    }
    action: Action = "promoted" if verdict.promote else "rejected"
    return LedgerRow(action, version, cutoff, by, verdict.reason, cause, *files, numbers)


def _decide(problem: Problem, row: LedgerRow, registry: Registry, ledger: Ledger) -> None:
    """Write the decision, then move the aliases after it; run again, both come out the same."""
    registry.set_stage(problem, row.version, "staging")
    former = registry.aliases(problem).get("production")
    ledger.record(problem, row)
    if row.action == "promoted":
        if former is not None and former != row.version:
            registry.set_stage(problem, former, "archived")
        registry.set_stage(problem, row.version, "production")
    else:
        registry.set_stage(problem, row.version, "archived")


def _metadata(version: int, verdict: Verdict, result: dict[str, Any], cause: str) -> dict[str, Any]:
    return {
        "version": version,
        "stage": "production" if verdict.promote else "archived",
        "cause": cause,
        "test_rmse": result["test"]["rmse"],
        "test_mae": result["test"]["mae"],
        "champion_error": verdict.champion,
        "gain": verdict.gain,
        "mlflow_run_id": result["mlflow_run_id"],
        "data_sha256": result["data_sha256"],
    }


def _check(verdict: Verdict) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=CHECK,
        passed=verdict.promote,
        severity=dg.AssetCheckSeverity.WARN,  # a challenger that loses is no fault: production stays
        description=verdict.reason,
        metadata={
            "challenger_error": verdict.challenger,
            "champion_error": verdict.champion,
            "gain": verdict.gain,
            "gain_low": verdict.low,
            "gain_high": verdict.high,
            "rows": verdict.rows,
        },
    )
