"""Stage 5: the model version of a cutoff: staging, the promotion gate, then production or archived."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd

from ml_assets.assets import keys, partitions
from ml_assets.assets.tuned_model import RESULT
from ml_assets.errors import NotLandedError
from ml_assets.ml.dataset import SPLIT
from ml_assets.ml.model import Model
from ml_assets.ml.promotion import Verdict, baseline, compare
from ml_assets.ml.scores import Scores, known, label_of, with_scores
from ml_assets.ml.versions import code_version
from ml_assets.resources.lake import Lake
from ml_assets.resources.ledger import Action, Ledger, LedgerRow
from ml_assets.resources.registry import Registry, model_hash
from ml_assets.spec import Problem

CHECK = "promotion_gate"


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
        folder = lake.model_folder(problem, cutoff) / "model"
        challenger = Model.load(folder)
        digest = model_hash(folder)
        lineage = _lineage(problem, cutoff, result)
        version = registry.register(problem, result["model_uri"], result["mlflow_run_id"], digest, lineage)
        scores = challenger.scores(held_out)
        unseen = held_out[SPLIT].to_numpy() == "test" if problem.search.refit else np.full(len(held_out), True)
        reference = with_scores(held_out[unseen], scores.take(unseen))
        lake.write(reference_path(problem, cutoff, lake), reference)
        cause = tags.get(keys.CAUSE_TAG, "started by hand")
        verdict = _gate(problem, cutoff, version, held_out, scores, registry, ledger)
        files = (registry.location(problem, version), digest)
        row = _row(cutoff, version, verdict, result, by=context.run.run_id, cause=cause, files=files)
        _decide(problem, row, registry, ledger)
        return dg.MaterializeResult(
            metadata=_metadata(version, verdict, result, cause), check_results=[_check(verdict)]
        )

    return registered_version


def reference_path(problem: Problem, cutoff: str, lake: Lake) -> Path:
    """File of a version's held-out rows with its predictions: what later windows are compared with."""
    return lake.stage(problem, "registered_version", cutoff, "reference")


def _result(problem: Problem, cutoff: str, lake: Lake) -> dict[str, Any]:
    path = lake.model_folder(problem, cutoff) / RESULT
    if not path.exists():
        raise NotLandedError(f"Asset '{problem.name}/tuned_model'", [cutoff])
    return json.loads(path.read_text())


def _held_out(problem: Problem, cutoff: str, lake: Lake) -> pd.DataFrame:
    """Validation and test rows."""
    frame = lake.read_stage(problem, "dataset", cutoff)
    return frame[frame[SPLIT] != "train"].reset_index(drop=True)


def _lineage(problem: Problem, cutoff: str, result: dict[str, Any]) -> dict[str, str]:
    views = {f"view.{view.name}": code_version(view, problem.folder) for view in problem.feature_views}
    return {
        "cutoff": cutoff,
        "dataset_partition": cutoff,
        "data_sha256": result["data_sha256"],
        "code_version": code_version(problem),
        "seed": str(problem.search.seed),
        **{f"test_{name}": f"{value:.6g}" for name, value in result["test"].items()},
        **views,
    }


def _gate(
    problem: Problem,
    cutoff: str,
    version: int,
    held_out: pd.DataFrame,
    scores: Scores,
    registry: Registry,
    ledger: Ledger,
) -> Verdict:
    """Compare on the test rows with the champion or, where there is none, with what needs no features."""
    part, label = held_out[SPLIT].to_numpy(), label_of(problem.task, held_out[problem.label.name])
    test = held_out[part == "test"]
    theirs, against = _champion(problem, cutoff, version, test, registry, ledger)
    if theirs is None:
        before = label[(part == "validation") & known(problem.task, label)]
        theirs, against = baseline(problem.task, problem.promotion.metric, before, len(test))
    day = test["event_timestamp"].dt.floor("D").astype("int64").to_numpy()
    return compare(label[part == "test"], scores.take(part == "test"), theirs, day, problem.promotion, against=against)


def _champion(
    problem: Problem, cutoff: str, version: int, test: pd.DataFrame, registry: Registry, ledger: Ledger
) -> tuple[Scores | None, str]:
    """Scores and name of the version in production; none where it predicts something else, as declared formerly."""
    row = ledger.production_as_of(problem, cutoff, before_version=version)
    if row is None:
        return None, ""
    model = registry.load(problem, row)
    alike = (model.task, model.label) == (problem.task, problem.label.name)
    return (model.scores(test), f"version {row.version}") if alike else (None, "")


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
        **verdict.numbers(),
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
        **{f"test_{name}": value for name, value in result["test"].items()},
        **verdict.numbers(),
        "mlflow_run_id": result["mlflow_run_id"],
        "data_sha256": result["data_sha256"],
    }


def _check(verdict: Verdict) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=CHECK,
        passed=verdict.promote,
        severity=dg.AssetCheckSeverity.WARN,  # a challenger that loses is no fault: production stays
        description=verdict.reason,
        metadata={**verdict.numbers(), "rows": verdict.rows},
    )
